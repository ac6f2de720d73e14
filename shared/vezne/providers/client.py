"""What the clients of all providers share: logins and read-only calls. These may be repeated and need no claim.

Look-ups of unknown outcomes and inquiries use the same code.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from pydantic import SecretStr

from vezne.providers.credentials import CredentialCache, CredentialsRefusedError, RequestCredentials, SecretModel, Token
from vezne.providers.http import (
    AnswerLostError,
    Deadline,
    NotSentError,
    Provider,
    ProviderResponse,
    Request,
    UnreadableError,
)

C = TypeVar("C", bound=SecretModel)

# If an inquiry has no answer after this time, the caller asks again later.
INQUIRY_SECONDS = 8.0
_TRIES = 2


class InquiryFailedError(Exception):
    """A read-only call failed. The text is ours: a class name or an HTTP status."""


class InquiryRefusedError(InquiryFailedError):
    """The provider refused to answer an inquiry; `code` and `text` are the provider's."""

    def __init__(self, reason: str, code: str, text: str) -> None:
        super().__init__(reason)
        self.code = code
        self.text = text


class InquiryUnreadableError(InquiryFailedError):
    """The provider answered, but not in a form that its page shows."""


class InquiryLoginRefusedError(InquiryFailedError):
    """The provider refused our credentials, even after a new login."""


class OutOfTimeError(InquiryFailedError):
    """Too little time was left for a call."""


def _names_no_account(_credentials: Any) -> dict[str, str]:
    return {}


@dataclass(frozen=True, slots=True)
class Client(Generic[C]):
    """What a function knows of its provider: its address, and how to prove who is calling.

    `names_account`: gives the fields of the credentials that name the account. A renewed secret does not change them.
    `login_provider`: the address that gives tokens, if it is another one.
    `probe`: the inquiry that shows whether the provider answers again. Raises as `ask` does.
    `try_by_reading`: how to try credentials at a provider without a login. Raises as `CredentialCache.access` does.
    """

    provider: Provider
    credential_cache: CredentialCache[C]
    names_account: Callable[[C], dict[str, str]] = _names_no_account
    login_provider: Provider | None = None
    try_by_reading: Callable[[C, Deadline], None] | None = None
    probe: Callable[[Deadline], object] | None = None

    @property
    def url_variables(self) -> list[str]:
        """The environment variables that say where the provider is."""
        return [each.url_variable for each in (self.provider, self.login_provider) if each]

    def account(self, credentials: C) -> dict[str, str]:
        """Which account at the provider a call with these credentials concerns. Nothing in it is secret."""
        return {"url": self.provider.url(), **self.names_account(credentials)}

    def try_credentials(self, credentials: C, version: str, deadline: Deadline) -> bool:
        """Try a version of the secret that is not in use yet. False if there is no way to try it at this provider.

        Raises CredentialsRefusedError, NotSentError, AnswerLostError.
        """
        if self.try_by_reading:
            self.try_by_reading(credentials, deadline)
        elif self.credential_cache.logs_in:
            self.credential_cache.try_login(credentials, version, deadline)
        else:
            return False
        return True


def _longest(deadline: Deadline) -> float:
    return INQUIRY_SECONDS if deadline.inquiry_seconds is None else deadline.inquiry_seconds


def _unauthorized(answer: ProviderResponse) -> bool:
    return answer.status == 401


def ask(
    client: Client[C],
    deadline: Deadline,
    build: Callable[[RequestCredentials[C]], Request],
    refuses_login: Callable[[ProviderResponse], bool] = _unauthorized,
) -> ProviderResponse:
    """Make a read-only call.

    After a lost answer it is made once more, unless the call before this one failed, too. After a refused login it is
    made once more with a new login. Raises InquiryFailedError, CredentialsRefusedError, and the errors of
    `CredentialCache.access`.
    """
    failure: InquiryFailedError = OutOfTimeError("not-enough-time")
    failing = client.provider.failing
    for _ in range(_TRIES):
        if not deadline.allows_a_call():
            break
        try:
            prepared = client.provider.prepare(build(client.credential_cache.access(deadline)))
            answer = client.provider.send(prepared, deadline, _longest(deadline))
        except (NotSentError, AnswerLostError) as error:
            failure = InquiryFailedError(str(error))
            client.provider.failing |= isinstance(error, NotSentError) and error.provider_failed
            if failing:
                break
            continue
        if refuses_login(answer):
            client.credential_cache.refuse()
            failure = InquiryLoginRefusedError(f"http-{answer.status}")
            continue
        if answer.status == 429:
            # It says that we ask too often, so do not ask again now.
            raise InquiryFailedError("http-429")
        if answer.status < 500:
            return answer
        failure = InquiryFailedError(f"http-{answer.status}")
        if failing:
            break
    raise failure


def log_in(provider: Provider, request: Request, deadline: Deadline) -> ProviderResponse:
    """Make a login call. Raises CredentialsRefusedError at HTTP 400, 401 or 403, else NotSentError."""
    answer = ask_for_login(provider, request, deadline)
    if answer.status in (400, 401, 403):
        raise CredentialsRefusedError(f"http-{answer.status}")
    if answer.status != 200:
        raise NotSentError(f"login: http-{answer.status}", provider_failed=True)
    return answer


def ask_for_login(provider: Provider, request: Request, deadline: Deadline) -> ProviderResponse:
    """The answer of a login call below HTTP 500. Raises NotSentError if there is none."""
    if not deadline.allows_a_call():
        raise NotSentError("not-enough-time")
    try:
        answer = provider.send(provider.prepare(request), deadline, _longest(deadline))
    except AnswerLostError as error:
        # No order was sent, so a login without an answer is as harmless as no login.
        raise NotSentError(f"login: {error}", provider_failed=True) from None
    if answer.status >= 500:
        raise NotSentError(f"login: http-{answer.status}", provider_failed=True)
    return answer


def read_token(answer: ProviderResponse, value: str, seconds: float | None = None) -> Token:
    """The access token in a login's answer, valid for `seconds` or the answer's `expires_in`. Raises NotSentError."""
    try:
        fields = answer.json()
    except UnreadableError:
        raise NotSentError("login: unreadable", provider_failed=True) from None
    token = fields.get(value)
    lifetime: Any = seconds if seconds is not None else fields.get("expires_in", 0)
    try:
        lifetime = float(lifetime)
    except (TypeError, ValueError):
        lifetime = 0.0
    if not isinstance(token, str) or not token:
        raise NotSentError("login: no token", provider_failed=True)
    return Token(SecretStr(token), lifetime)
