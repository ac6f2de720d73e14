"""What the fleet remembers of a provider's logins, for a bank that locks the application after five wrong secrets.

One item in the idempotency table: which version of the secret was rejected, and which function is logging in now. One
login runs at a time, so a wrong secret is tried once however many functions start together.
"""

import time
import uuid

from botocore.exceptions import ClientError

from vezne.credentials import CredentialsRefusedError
from vezne.idempotency import StoreUnavailableError, call, response, table
from vezne.provider import Deadline, NotSentError
from vezne.record import plain
from vezne.telemetry import logger

# Longer than a login may take: a function killed while logging in blocks the others no longer than this.
TRIAL_SECONDS = 30
_WAIT_SECONDS = 0.2
_LONGEST_WAIT_SECONDS = 5.0
_END_TRIES = 3


class LoginMemory:
    """The memory of one provider."""

    def __init__(self, provider: str) -> None:
        self._key = {"id": {"S": f"secret#{provider}"}}
        self._trial = ""

    def begin(self, version: str, deadline: Deadline) -> None:
        """Become the one function that logs in, with this version of the secret.

        Raises CredentialsRefusedError if the version was rejected before, NotSentError if others keep logging in or the
        table does not answer.
        """
        give_up = time.time() + _LONGEST_WAIT_SECONDS
        self._trial = uuid.uuid4().hex
        while True:
            try:
                self._take(version)
                return
            except StoreUnavailableError:
                raise NotSentError("login: store unavailable") from None
            except ClientError as error:
                held = plain(response(error).get("Item", {}))
            if held.get("rejected_version") == version:
                raise CredentialsRefusedError("login: this version of the secret was rejected before")
            if time.time() >= give_up or not deadline.allows_a_call():
                raise NotSentError("login: another function is logging in")
            time.sleep(_WAIT_SECONDS)

    def end(self, version: str, *, rejected: bool) -> None:
        """Let the next function log in; if `rejected`, none will with this version."""
        values = {":trial": {"S": self._trial}}
        if rejected:
            values[":version"] = {"S": version}
        for _ in range(_END_TRIES):
            try:
                call(
                    "update_item",
                    TableName=table(),
                    Key=self._key,
                    UpdateExpression=("SET rejected_version = :version " if rejected else "")
                    + "REMOVE trial, trial_until",
                    ConditionExpression="trial = :trial",
                    ExpressionAttributeValues=values,
                )
                return
            except ClientError:
                return
            except StoreUnavailableError as error:
                logger.error("login not remembered", reason=str(error), secret_version=version)

    def _take(self, version: str) -> None:
        now = time.time()
        call(
            "update_item",
            TableName=table(),
            Key=self._key,
            UpdateExpression="SET trial = :trial, trial_until = :until",
            ConditionExpression=(
                "(attribute_not_exists(rejected_version) OR rejected_version <> :version)"
                " AND (attribute_not_exists(trial_until) OR trial_until < :now OR trial = :trial)"
            ),
            ExpressionAttributeValues={
                ":trial": {"S": self._trial},
                ":until": {"N": str(int(now) + TRIAL_SECONDS)},
                ":version": {"S": version},
                ":now": {"N": str(int(now))},
            },
            ReturnValuesOnConditionCheckFailure="ALL_OLD",
        )
