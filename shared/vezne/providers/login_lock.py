"""What all functions together remember of their logins: a bank locks the application after five wrong secrets.

It is one item in the idempotency table. It says which version of the secret was rejected, until when no login is
allowed, and which function is logging in now. One login runs at a time, so a wrong secret is tried once, even if many
functions start together. Every function that logs in writes these attributes, also the read-only `vakifbank.query`:

- `trial`, `trial_until`: who is logging in, and until when at most;
- `rejected_version`: the version of the secret that the bank called wrong; it is never tried again;
- `held_until`, `holds`: until when nobody logs in after a refusal that does not call the secret wrong. `holds` counts
  such refusals in a row.
"""

import math
import time
import uuid
from collections.abc import Callable
from enum import Enum
from typing import Any

from botocore.exceptions import ClientError

from vezne.orders.record import plain
from vezne.orders.store import StoreUnavailableError, call, response, table
from vezne.platform.telemetry import logger
from vezne.providers.credentials import CredentialsRefusedError, Token
from vezne.providers.http import Deadline, NotSentError

# Longer than a login can take. A function that is killed during a login blocks the others for this time at most.
TRIAL_SECONDS = 30
_WAIT_SECONDS = 0.2
_LONGEST_WAIT_SECONDS = 5.0
_END_TRIES = 3


# The bank may count a refused login as a wrong secret even if its refusal does not say so.
_HOLDS_SECONDS = (60, 300, 900)


class Ended(Enum):
    """How a login ended."""

    # A token came.
    ACCEPTED = "accepted"
    # The bank says that this version of the secret is wrong.
    REJECTED = "rejected"
    # Another refusal, or an answer of a proxy: the reason is not certain.
    REFUSED = "refused"
    # No answer, or a server error: it says nothing about the login.
    LOST = "lost"


def nothing_shared() -> Token | None:
    """No token, wherever tokens are not shared."""
    return None


class LoginLock:
    """The lock and the memory of one provider's logins."""

    def __init__(self, provider: str) -> None:
        self._key = {"id": {"S": f"secret#{provider}"}}
        self._trial = ""

    def begin(
        self, version: str, deadline: Deadline, shared: Callable[[], Token | None] = nothing_shared
    ) -> Token | None:
        """Take the right to log in with this version of the secret. Only one function has it.

        `shared`: reads the token that the functions share. While another function logs in, we look for its token: if
        there is one, the answer is that token, and we have no right to log in. Else the answer is None.

        Raises CredentialsRefusedError if the version was rejected before. Raises NotSentError if no login is allowed
        now, others log in all the time, or the table does not answer.
        """
        give_up = time.time() + _LONGEST_WAIT_SECONDS
        self._trial = uuid.uuid4().hex
        while True:
            try:
                self._take(version)
                return None
            except StoreUnavailableError:
                raise NotSentError("login: store unavailable") from None
            except ClientError as error:
                held = plain(response(error).get("Item", {}))
            if held.get("rejected_version") == version:
                raise CredentialsRefusedError("login: this version of the secret was rejected before")
            seconds = float(held.get("held_until", 0)) - time.time()
            if seconds > 0:
                raise NotSentError("login: held back after a refusal", retry_after=math.ceil(seconds))
            if time.time() >= give_up or not deadline.allows_a_call():
                raise NotSentError("login: another function is logging in")
            time.sleep(_WAIT_SECONDS)
            token = shared()
            if token is not None:
                return token

    def end(self, version: str, ended: Ended) -> None:
        """Let the next function log in: never with a rejected version, and only some time after any other refusal."""
        holds = 0
        for _ in range(_END_TRIES):
            try:
                self._end(version, ended, holds)
                return
            except ClientError as error:
                # Either `holds` has another value, or another function has the right to log in by now.
                item = plain(response(error).get("Item", {}))
                if item.get("trial") != self._trial or ended is not Ended.REFUSED:
                    return
                holds = int(item.get("holds", 0))
            except StoreUnavailableError as error:
                logger.error("login not remembered", reason=str(error), secret_version=version)

    def _end(self, version: str, ended: Ended, holds: int) -> None:
        match ended:
            case Ended.LOST:
                self._release({}, UpdateExpression="REMOVE trial, trial_until")
            case Ended.ACCEPTED:
                self._release({}, UpdateExpression="REMOVE trial, trial_until, held_until, holds")
            case Ended.REJECTED:
                self._release(
                    {":version": {"S": version}},
                    UpdateExpression="SET rejected_version = :version REMOVE trial, trial_until, held_until, holds",
                )
            case Ended.REFUSED:
                self._hold(holds)
                logger.error("logins held back", secret_version=version)

    def _hold(self, holds: int) -> None:
        """Hold logins back for the next longer time. The function may not read the item, so it tries `holds`."""
        seconds = _HOLDS_SECONDS[min(holds, len(_HOLDS_SECONDS) - 1)]
        values = {":until": {"N": str(int(time.time()) + seconds)}, ":next": {"N": str(holds + 1)}}
        self._release(
            {**values, ":holds": {"N": str(holds)}} if holds else values,
            UpdateExpression="SET held_until = :until, holds = :next REMOVE trial, trial_until",
            ConditionExpression=(
                "trial = :trial AND holds = :holds" if holds else "trial = :trial AND attribute_not_exists(holds)"
            ),
        )

    def _release(self, values: dict[str, Any], **expressions: str) -> None:
        """End our login. Raises ClientError if another function has the right to log in by now."""
        call(
            "update_item",
            TableName=table(),
            Key=self._key,
            **{"ConditionExpression": "trial = :trial", **expressions},
            ExpressionAttributeValues={":trial": {"S": self._trial}, **values},
            ReturnValuesOnConditionCheckFailure="ALL_OLD",
        )

    def _take(self, version: str) -> None:
        now = time.time()
        call(
            "update_item",
            TableName=table(),
            Key=self._key,
            UpdateExpression="SET trial = :trial, trial_until = :until",
            ConditionExpression=(
                "(attribute_not_exists(rejected_version) OR rejected_version <> :version)"
                " AND (attribute_not_exists(held_until) OR held_until <= :now)"
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
