"""VakıfBank: login (/documentation/Authorization, MessageCodes), "TOS İşlemleri Sorgula" (query), POST /tos/query."""

from datetime import datetime, timedelta
from typing import Any

from vezne.orders.record import ISTANBUL
from vezne.platform.signing import bearer
from vezne.providers.client import (
    Client,
    InquiryFailedError,
    InquiryLoginRefusedError,
    InquiryRefusedError,
    InquiryUnreadableError,
    ask,
    ask_for_login,
    read_token,
)
from vezne.providers.credentials import (
    CredentialCache,
    CredentialsRefusedError,
    RequestCredentials,
    Token,
    VakifBankCredentials,
)
from vezne.providers.http import (
    Deadline,
    NotSentError,
    Provider,
    ProviderResponse,
    Request,
    UnreadableError,
    form_request,
    json_request,
)
from vezne.providers.login_lock import Ended, LoginLock, nothing_shared
from vezne.providers.shared_token import SharedToken
from vezne.providers.vakifbank import signs as vakifbank_signs

COMPLETED = "APIGW000000"
_COMPLETED_TEXTS = frozenset({"Tamamlandı", "Completed"})
# "authentication information invalid, check token"; "token invalid or API key locked".
TOKEN_REFUSED = frozenset({"ACBG000001", "ACBG000002"})
# "API secret wrong (locks at 5)"; "wrong and app locked"; "your ip not allowed".
ACCESS_REFUSED = frozenset({"ACBG000005", "ACBG000006", "ACBG000010"})

# "API secret wrong (locks at 5)", "wrong and app locked": only these are about the secret itself.
SECRET_WRONG = frozenset({"ACBG000005", "ACBG000006"})
# At the login: the client id, the consent, the form of the call, or our address is not accepted.
CREDENTIALS_WRONG = TOKEN_REFUSED | {"ACBG000007", "ACBG000010"}
# "account-plan limit", "API-plan limit", "system error, try later", "service cannot be performed, try later".
TRY_LATER = frozenset({"ACBG000003", "ACBG000004", "ACBG000008", "ACBG000009"})
# The banks' longest closure is nine days in a row. It is a feast of four and a half days, the weekends around it, and
# days of administrative leave. One more day is for the half day before.
_LONGEST_CLOSURE = timedelta(days=10)

PROVIDER = Provider("VAKIFBANK_URL")
# No function tries a rejected version of the secret again. Every other refusal holds logins back for some time.
LOGINS = LoginLock("vakifbank")


def headers(access: RequestCredentials[VakifBankCredentials]) -> dict[str, str]:
    """The header of every call. The consent is part of the token."""
    return {"Authorization": bearer(access.token)}


def header_code(answer: ProviderResponse) -> str:
    """`Header.StatusCode` if it is plain text, else "". Error bodies of the bank may have trailing commas."""
    return _header_member(answer, "StatusCode")


def header_text(answer: ProviderResponse) -> str:
    """`Header.StatusDescription`, or "" if there is none."""
    return _header_member(answer, "StatusDescription")


def is_refused_alone(answer: ProviderResponse) -> bool:
    """Whether an answer with a code of a refusal has only the `Header`, so nothing in it says that the call succeeded.

    A code of a refusal contradicts a money layer, or the text "Tamamlandı" (completed).
    """
    body = answer.json(tolerate_trailing_commas=answer.status >= 400)
    texts = {_header_member(answer, name) for name in ("StatusDescription", "StatusDescriptionEn")}
    return not any(value for name, value in body.items() if name != "Header") and not texts & _COMPLETED_TEXTS


def _header_member(answer: ProviderResponse, name: str) -> str:
    try:
        header = answer.json(tolerate_trailing_commas=answer.status >= 400).get("Header")
    except UnreadableError:
        return ""
    text = header.get(name) if isinstance(header, dict) else None
    return text if isinstance(text, str) else ""


def _share(credentials: VakifBankCredentials, version: str, deadline: Deadline, refused: str) -> Token:
    """The token that all functions share. If there is none, one function logs in, and the others wait for its token."""
    shared = SharedToken(version, refused)
    return shared.read() or _log_in(credentials, version, deadline, shared)


def _log_in(
    credentials: VakifBankCredentials, version: str, deadline: Deadline, shared: SharedToken | None = None
) -> Token:
    """A new token, or the one that another function got meanwhile. Without `shared` it is a new one in any case."""
    look = shared.read if shared else nothing_shared
    token = LOGINS.begin(version, deadline, look)
    if token is not None:
        return token
    ended = Ended.LOST
    try:
        # Another function may have logged in after our last look.
        token = look()
        if token is not None:
            return token
        answer = ask_for_login(PROVIDER, _login_request(credentials), deadline)
        if answer.status != 200:
            ended, error = _refusal_of_login(answer)
            raise error
        token = read_token(answer, "access_token")
        ended = Ended.ACCEPTED
        if shared:
            # Before the next function may log in.
            shared.write(token)
        return token
    finally:
        LOGINS.end(version, ended)


def _login_request(credentials: VakifBankCredentials) -> Request:
    return form_request(
        "/auth/oauth/v2/token",
        [
            ("client_id", credentials.client_id.get_secret_value()),
            ("client_secret", credentials.client_secret.get_secret_value()),
            ("grant_type", "b2b_credentials"),
            ("scope", "payment"),
            ("consentId", credentials.consent_id.get_secret_value()),
            ("resource", credentials.resource),
        ],
        {},
    )


def _refusal_of_login(answer: ProviderResponse) -> tuple[Ended, Exception]:
    """What the refusal of a login means for the secret and for the caller."""
    code, oauth_error = header_code(answer), _oauth_error(answer)
    names_the_client = oauth_error == "invalid_client" and answer.status in (400, 401)
    if code in SECRET_WRONG or (not code and names_the_client):
        return Ended.REJECTED, CredentialsRefusedError(code or oauth_error)
    if code in CREDENTIALS_WRONG or (not code and oauth_error):
        return Ended.REFUSED, CredentialsRefusedError(code or "oauth-error")
    return Ended.REFUSED, NotSentError(f"login: http-{answer.status} {code}".strip(), retry_after=60)


def _oauth_error(answer: ProviderResponse) -> str:
    """`error` of RFC 6749, 5.2, or "" if the body has another form."""
    try:
        error = answer.json().get("error")
    except UnreadableError:
        return ""
    return error if isinstance(error, str) else ""


def _names_account(credentials: VakifBankCredentials) -> dict[str, str]:
    """The institution, in production or in the bank's sandbox. A renewed consent is for the same account."""
    return {"institution_code": credentials.institution_code, "resource": credentials.resource}


def _probe(deadline: Deadline) -> None:
    """Ask for a payment that was never made; the number has the form of ours."""
    payment_rows({"InstitutionTransactionNo": "00000000-0000-4000-8000-000000000000"}, deadline)


CLIENT = Client(PROVIDER, CredentialCache(VakifBankCredentials, _log_in, _share), _names_account, probe=_probe)


def made_by(payment_date: str, sent_until: float) -> float:
    """By when a payment that the bank has is made, in seconds since 1970, with the closures of banks.

    `payment_date` is the page's `PaymentDate` (Turkish local time). `sent_until`: until when the order can arrive.
    """
    day = datetime.fromisoformat(payment_date).replace(hour=0, minute=0, second=0, tzinfo=ISTANBUL)
    return max(sent_until, (day + timedelta(days=1)).timestamp()) + _LONGEST_CLOSURE.total_seconds()


def query(code: str, deadline: Deadline) -> list[Any]:
    """The rows of one `InstitutionTransactionNo`, which the payment calls `InstitutionTransactionCode`.

    Only the code is asked for: a date would hide a payment that the bank moved to its next business day. Raises
    InquiryFailedError, also if rows may be missing.
    """
    data = _answered({"InstitutionTransactionNo": code}, deadline)
    rows = _rows(data)
    if not all(vakifbank_signs.is_whole(place, len(rows)) for place in _places(data)):
        raise InquiryUnreadableError("may not be the whole list")
    return rows


def payment_rows(filters: dict[str, Any], deadline: Deadline) -> list[Any]:
    """The list `Result` for these fields of the query page, as it came. Raises InquiryFailedError."""
    return _rows(_answered(filters, deadline))


def _answered(filters: dict[str, Any], deadline: Deadline) -> Any:
    """`Data` of the query's answer. Raises InquiryFailedError."""
    answer = ask(
        CLIENT,
        deadline,
        lambda access: json_request(
            "/tos/query",
            {"InstitutionCode": access.credentials.institution_code, **filters},
            headers(access),
        ),
        lambda answer: answer.status == 401 or header_code(answer) in TOKEN_REFUSED,
    )
    code = header_code(answer)
    reason = f"http-{answer.status} {code}".strip()
    if code in ACCESS_REFUSED:
        raise InquiryLoginRefusedError(reason)
    if code in TRY_LATER:
        raise InquiryFailedError(reason)
    if code and code != COMPLETED:
        raise InquiryRefusedError(reason, code, header_text(answer))
    if answer.status != 200 or not code:
        raise InquiryUnreadableError(reason)
    try:
        return answer.json().get("Data")
    except UnreadableError:
        raise InquiryUnreadableError("unreadable") from None


def _places(data: Any) -> list[dict[str, Any]]:
    """`Data` and the objects in it: a list `Result` may be in each."""
    places = [data, *data.values()] if isinstance(data, dict) else []
    return [place for place in places if isinstance(place, dict)]


def _rows(data: Any) -> list[Any]:
    """The rows of every list `Result`. Raises InquiryUnreadableError if there is no list, which proves nothing."""
    lists = [place["Result"] for place in _places(data) if isinstance(place.get("Result"), list)]
    if not lists:
        raise InquiryUnreadableError("no result list")
    return [row for rows in lists for row in rows]
