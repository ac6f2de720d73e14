"""VakıfBank: login (/documentation/Authorization, MessageCodes) and "TOS İşlemleri Sorgula" (POST /tos/query)."""

from typing import Any

from pydantic import ValidationError

from vezne.credentials import Access, CredentialsRefusedError, Keyring, Token, VakifBankCredentials
from vezne.inquiries import (
    Client,
    InquiryFailedError,
    InquiryLoginRefusedError,
    InquiryRefusedError,
    InquiryUnreadableError,
    ask,
    log_in,
    read_token,
)
from vezne.login_memory import LoginMemory
from vezne.models.vakifbank import PaymentRow
from vezne.provider import Answer, Deadline, Provider, UnreadableError, form_request, json_request
from vezne.signing import bearer

COMPLETED = "APIGW000000"
# "authentication information invalid, check token"; "token invalid or API key locked".
TOKEN_REFUSED = frozenset({"ACBG000001", "ACBG000002"})
# "API secret wrong (locks at 5)"; "wrong and app locked"; "your ip not allowed".
ACCESS_REFUSED = frozenset({"ACBG000005", "ACBG000006", "ACBG000010"})

# "account-plan limit", "API-plan limit", "system error, try later", "service cannot be performed, try later".
TRY_LATER = frozenset({"ACBG000003", "ACBG000004", "ACBG000008", "ACBG000009"})
# And "your ip not allowed".
NOT_ABOUT_THE_SECRET = TRY_LATER | {"ACBG000010"}

PROVIDER = Provider("VAKIFBANK_URL")
# "API secret wrong ({0} tries, locks at 5)": a rejected version is never tried again, by any function.
LOGINS = LoginMemory("vakifbank")


def headers(access: Access[VakifBankCredentials]) -> dict[str, str]:
    """The header of every call; the consent rides inside the token."""
    return {"Authorization": bearer(access.token)}


def header_code(answer: Answer) -> str:
    """`Header.StatusCode`, or "" if there is none. The bank's error bodies are known to carry trailing commas."""
    return _header_member(answer, "StatusCode")


def header_text(answer: Answer) -> str:
    """`Header.StatusDescription`, or "" if there is none."""
    return _header_member(answer, "StatusDescription")


def _header_member(answer: Answer, name: str) -> str:
    try:
        header = answer.json(tolerate_trailing_commas=answer.status >= 400).get("Header")
    except UnreadableError:
        return ""
    return str(header.get(name, "")) if isinstance(header, dict) else ""


def _log_in(credentials: VakifBankCredentials, version: str, deadline: Deadline) -> Token:
    request = form_request(
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
    LOGINS.begin(version, deadline)
    rejected = False
    try:
        return read_token(log_in(PROVIDER, request, deadline, header_code), "access_token")
    except CredentialsRefusedError as error:
        rejected = str(error) not in NOT_ABOUT_THE_SECRET
        raise
    finally:
        LOGINS.end(version, rejected=rejected)


CLIENT = Client(PROVIDER, Keyring(VakifBankCredentials, _log_in))


def query(code: str, payment_date: str, deadline: Deadline) -> list[PaymentRow]:
    """The payments of one `InstitutionTransactionNo` (payment's `InstitutionTransactionCode` under another name).

    Raises InquiryFailedError.
    """
    rows = payment_rows({"InstitutionTransactionNo": code, "PaymentDate": payment_date}, deadline)
    try:
        return [PaymentRow.model_validate(row) for row in rows]
    except ValidationError:
        raise InquiryUnreadableError("unreadable") from None


def payment_rows(filters: dict[str, Any], deadline: Deadline) -> list[Any]:
    """The list `Result` for these fields of the query page, as it came. Raises InquiryFailedError."""
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
        return _result_list(answer.json())
    except UnreadableError:
        raise InquiryUnreadableError("unreadable") from None


def _result_list(body: dict[str, Any]) -> list[Any]:
    """The list `Result`, under `Data` or one level deeper; else nothing is known. Raises InquiryUnreadableError."""
    data = body.get("Data")
    places = [data, *data.values()] if isinstance(data, dict) else []
    for place in places:
        if isinstance(place, dict) and isinstance(place.get("Result"), list):
            rows: list[Any] = place["Result"]
            return rows
    raise InquiryUnreadableError("no result list")
