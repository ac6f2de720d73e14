"""Each provider's secret, read from Secrets Manager, and the access token that it is traded for.

Both are kept in memory: the secret for a few minutes, the token until shortly before it expires. A definite refusal by
the provider drops both. The functions of one provider may share their token (shared_token.py).
"""

import functools
import json
import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, Generic, Literal, TypeVar

from botocore.exceptions import BotoCoreError, ClientError
from pydantic import AfterValidator, BaseModel, ConfigDict, SecretStr, ValidationError

from vezne.platform import aws

if TYPE_CHECKING:
    from types_boto3_secretsmanager.client import SecretsManagerClient

SECRET_SECONDS = 300
# A token with less time left could expire on its way to the provider.
TOKEN_MARGIN_SECONDS = 60
# What Secrets Manager answers if trying again would not help.
_UNUSABLE = frozenset(
    {"ResourceNotFoundException", "AccessDeniedException", "InvalidRequestException", "DecryptionFailure"}
)


class SecretUnusableError(Exception):
    """The secret is missing, unreadable or lacks a field. The text names the field, never a value."""


class SecretUnavailableError(Exception):
    """Secrets Manager did not answer."""


class CredentialsRefusedError(Exception):
    """The provider definitely refused our login."""


def _no_stray_characters(value: str) -> str:
    if not value or value != value.strip() or not value.isprintable():
        raise ValueError("must not be empty, nor have control characters or blanks around it")
    return value


def _fits_a_header(value: SecretStr) -> SecretStr:
    text = value.get_secret_value()
    if not text or any(not "!" <= letter <= "~" for letter in text):
        raise ValueError("must be visible ASCII characters without blanks")
    return value


def _fits(value: SecretStr) -> SecretStr:
    _no_stray_characters(value.get_secret_value())
    return value


# People paste secrets by hand. A line end that was pasted, too, would make every call fail, often without a reason.
Text = Annotated[str, AfterValidator(_no_stray_characters)]
SecretText = Annotated[SecretStr, AfterValidator(_fits)]
# It is sent in an HTTP header.
SecretToken = Annotated[SecretStr, AfterValidator(_fits_a_header)]


class SecretModel(BaseModel):
    """The fields of one provider's secret. Values are hidden in every text form of the model."""

    # A function reads one secret only, so only the validator of that one is built.
    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True, defer_build=True)


class KolayBiCredentials(SecretModel):
    """KolayBi: the API key, and the `Channel` the provider issues for every call."""

    api_key: SecretText
    channel: SecretToken


class VakifBankCredentials(SecretModel):
    """VakıfBank API Portal: API key and secret, consent number ("Rıza numarası"), plan, institution code of TOS."""

    client_id: SecretText
    client_secret: SecretText
    consent_id: SecretText
    resource: Literal["sandbox", "production"]
    institution_code: Text


class WalletgateCredentials(SecretModel):
    """walletgate: OAuth2 client, its scope, and the platform key sent as `x-client-id`."""

    client_id: SecretText
    client_secret: SecretText
    scope: Text
    platform_key: SecretToken
    tenant_id: int | None = None


class HasoCredentials(SecretModel):
    """HASO: merchant id, HMAC key and salt; our IP address, if HASO knows one."""

    merchant_id: Text
    merchant_key: SecretText
    merchant_salt: SecretText
    ip_address: Text | Literal[""] = ""


class PaynetCredentials(SecretModel):
    """Paynet: the secret key."""

    secret_key: SecretToken


C = TypeVar("C", bound=SecretModel)


@dataclass(frozen=True, slots=True)
class Token:
    """An access token and how many seconds it lives from now."""

    value: SecretStr
    seconds: float


@dataclass(frozen=True, slots=True)
class RequestCredentials(Generic[C]):
    """What a request proves the caller with: the credentials and, if the provider uses one, a token."""

    credentials: C
    token: str
    secret_version: str


class CredentialCache(Generic[C]):
    """One provider's credentials. `log_in` trades them for a token, if the provider has a login.

    `share`: gives a token that another function may have got. Its last argument is a token that the provider refused.
    """

    def __init__(
        self,
        model: type[C],
        log_in: Callable[[C, str, Any], Token] | None = None,
        share: Callable[[C, str, Any, str], Token] | None = None,
    ) -> None:
        self.model = model
        self._log_in = log_in
        self._share = share
        self._secret: tuple[C, str, float] | None = None
        self._token: tuple[str, str, float] | None = None
        # It must not come back from where the functions share their token.
        self._refused = ""

    def access(self, deadline: Any) -> RequestCredentials[C]:
        """Credentials and token, from memory if they are fresh; `deadline` is handed on to the login call.

        Raises SecretUnusableError, SecretUnavailableError, CredentialsRefusedError, and what the login call raises.
        """
        credentials, version = self._read_secret()
        if self._log_in is None:
            return RequestCredentials(credentials, "", version)
        if self._token is None or self._token[1] != version or self._token[2] <= time.time():
            try:
                self._remember(self._obtain(credentials, version, deadline), version)
            except CredentialsRefusedError:
                # The secret may have been rotated since it was read. Read it once more; try it only if it is new.
                refused = version
                self.refuse()
                credentials, version = self._read_secret()
                if version == refused:
                    raise
                self._remember(self._obtain(credentials, version, deadline), version)
        assert self._token is not None
        return RequestCredentials(credentials, self._token[0], version)

    def credentials(self) -> C:
        """The credentials alone, from memory if they are fresh. Raises SecretUnusableError, SecretUnavailableError."""
        return self._read_secret()[0]

    @property
    def logs_in(self) -> bool:
        """Whether the provider trades the credentials for a token."""
        return self._log_in is not None

    @property
    def shares_token(self) -> bool:
        """Whether the functions of the provider share one token."""
        return self._share is not None

    def try_login(self, credentials: C, version: str, deadline: Any) -> None:
        """Log in with a version of the secret that is not in use yet; no token is shared. Raises as `access` does."""
        assert self._log_in is not None
        self._log_in(credentials, version, deadline)

    def forget(self) -> None:
        """Know nothing, as a new instance does."""
        self._secret = None
        self._token = None
        self._refused = ""

    def refuse(self) -> None:
        """The provider refused: read the secret again at the next use, and never use the present token again."""
        if self._token:
            self._refused = self._token[0]
        self._secret = None
        self._token = None

    def renew(self) -> bool:
        """After a definite refusal: read the secret again, and return whether the next access will be a different one.

        Raises SecretUnusableError, SecretUnavailableError.
        """
        return self.secret_changed() or self._log_in is not None

    def secret_changed(self) -> bool:
        """Give up the token and read the secret again. Return whether it has another version than before."""
        before = self._secret[1] if self._secret else ""
        self.refuse()
        return self._read_secret()[1] != before

    def _obtain(self, credentials: C, version: str, deadline: Any) -> Token:
        if self._share is not None:
            return self._share(credentials, version, deadline, self._refused)
        assert self._log_in is not None
        return self._log_in(credentials, version, deadline)

    def _remember(self, token: Token, version: str) -> None:
        lifetime = token.seconds - min(TOKEN_MARGIN_SECONDS, token.seconds / 2)
        self._token = (token.value.get_secret_value(), version, time.time() + max(0.0, lifetime))

    def _read_secret(self) -> tuple[C, str]:
        if self._secret is None or self._secret[2] <= time.time():
            credentials, version = _fetch_secret(self.model)
            self._secret = (credentials, version, time.time() + SECRET_SECONDS)
        return self._secret[0], self._secret[1]


def get_secret(secret_id: str) -> tuple[str, str]:
    """The text of a secret and the id of its version. Raises SecretUnusableError, SecretUnavailableError."""
    try:
        answer = _client().get_secret_value(SecretId=secret_id)
    except ClientError as error:
        raise _not_reached(error) from None
    except BotoCoreError as error:
        raise SecretUnavailableError(type(error).__name__) from None
    return answer.get("SecretString", ""), answer["VersionId"]


def put_secret(secret_id: str, text: str) -> None:
    """Make a text the newest version of a secret. Raises SecretUnusableError, SecretUnavailableError."""
    try:
        _client().put_secret_value(SecretId=secret_id, SecretString=text)
    except ClientError as error:
        raise _not_reached(error) from None
    except BotoCoreError as error:
        raise SecretUnavailableError(type(error).__name__) from None


def _not_reached(error: ClientError) -> SecretUnusableError | SecretUnavailableError:
    code = error.response.get("Error", {}).get("Code", "")
    if code in _UNUSABLE:
        return SecretUnusableError(f"the secret cannot be reached ({code})")
    return SecretUnavailableError(code)


def _fetch_secret(model: type[C]) -> tuple[C, str]:
    text, version = get_secret(os.environ["SECRET_ID"])
    try:
        return model.model_validate(json.loads(text)), version
    except ValidationError as error:
        places = sorted({".".join(str(part) for part in item["loc"]) for item in error.errors(include_input=False)})
        raise SecretUnusableError(f"the secret does not fit its form at: {', '.join(places)}") from None
    except (ValueError, RecursionError):
        raise SecretUnusableError("the secret is not JSON") from None


@functools.cache
def _client() -> "SecretsManagerClient":
    made: SecretsManagerClient = aws.client("secretsmanager", connect_seconds=1, read_seconds=2)
    return made


def connect() -> None:
    """Make the client now rather than at the first call."""
    _client()
