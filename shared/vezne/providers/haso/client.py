"""HASO 5.5 "Ödeme Planını Getir" (get the payment plan): POST {SERVIS_URL}/Index/GetPaymentsOfTransaction."""

import re
from collections.abc import Mapping
from decimal import Decimal
from types import MappingProxyType
from typing import Any

from pydantic import ValidationError

from vezne.orders.evidence import other_signs, plain_number, plain_text, says_nothing, speaks_against, speaks_for
from vezne.orders.outcome import REFUSING_STATUSES, Declined
from vezne.platform.signing import hmac_request_token
from vezne.providers.client import Client, InquiryRefusedError, InquiryUnreadableError, ask
from vezne.providers.credentials import CredentialCache, HasoCredentials, RequestCredentials
from vezne.providers.haso.models import CUSTOMER_ID, DAY, MERCHANT_OID, TRANSACTION_CODE, ExpensesResult
from vezne.providers.http import Deadline, Provider, ProviderResponse, Request, UnreadableError, json_request

# The pages name no HTTP status for `Success: false`. With another status, such as 429, a proxy may have answered.
REFUSALS = REFUSING_STATUSES | {200}
# `Data["Message"]` of 5.6 and 5.20 after a success.
SUCCESS_MESSAGE = "RS100"
NONE: Mapping[str, Any] = MappingProxyType({})
_NAMES = frozenset({"InstallmentNo", "totalExpenseAmount"})
_ENVELOPE = frozenset({"Success", "Errors", "Data"})

PROVIDER = Provider("HASO_URL")


def _names_account(credentials: HasoCredentials) -> dict[str, str]:
    return {"merchant_id": credentials.merchant_id}


def _probe(deadline: Deadline) -> None:
    """Ask for the plan of a transaction that cannot exist. A refusal in HASO's form is an answer, too."""
    plan_answer("vezne-probe", "vezne-probe", deadline)


CLIENT = Client(PROVIDER, CredentialCache(HasoCredentials), _names_account, probe=_probe)


# The characters of each field. The token joins the fields without a separator, so no other character is signed.
_SIGNABLE = {
    "merchantOid": re.compile(MERCHANT_OID),
    "transactionCode": re.compile(TRANSACTION_CODE),
    "counterPartyAttorneyFee": re.compile("0|[1-9][0-9]*", re.ASCII),
    "expenseAmount": re.compile("0|[1-9][0-9]*", re.ASCII),
    "paymentCode": re.compile(TRANSACTION_CODE),
    "paymentReferenceCode": re.compile(TRANSACTION_CODE),
    "paymentDate": re.compile(DAY, re.ASCII),
    "customerId": re.compile(CUSTOMER_ID),
}


def signed_order(
    path: str, access: RequestCredentials[HasoCredentials], fields: dict[str, str], unsigned: Mapping[str, Any] = NONE
) -> Request:
    """A JSON POST that changes something, signed with the IP address if the secret has one. Raises ValueError.

    `unsigned`: fields that are sent and not signed.
    """
    return _signed(path, access, fields, access.credentials.ip_address, unsigned)


def signed_inquiry(
    path: str, access: RequestCredentials[HasoCredentials], fields: dict[str, str], unsigned: Mapping[str, Any] = NONE
) -> Request:
    """A JSON POST of an inquiry. It is signed without an IP address, which the pages call optional. Raises ValueError.

    `unsigned`: fields that are sent and not signed.

    The signed message has no separators. So "TRX-1" + "10000" + "23000" of an order is also the code "TRX-11000023000"
    of an inquiry, since codes may end with digits. The message of an order therefore ends with the address, and that of
    an inquiry never does. So a caller who may only inquire cannot make this service sign an order. A secret without an
    address lacks this protection. The two figures of an order run together, too, and so do its codes, and orders of two
    services may have one message. We cannot prevent that: HASO compares the fields.
    """
    address = access.credentials.ip_address
    if address and "".join(fields.values()).endswith(address):
        raise ValueError("codes that end with the address look like an order's")
    return _signed(path, access, fields, "", unsigned)


def _signed(
    path: str,
    access: RequestCredentials[HasoCredentials],
    fields: dict[str, str],
    address: str,
    unsigned: Mapping[str, Any],
) -> Request:
    """`requestToken` over `fields` in the page's order: after merchantId, and before ipAddress and salt."""
    if not all(_SIGNABLE[name].fullmatch(value) for name, value in fields.items()):
        raise ValueError("a field is not in the form that can be signed")
    credentials = access.credentials
    signed = {"merchantId": credentials.merchant_id, **fields}
    token = hmac_request_token(
        credentials.merchant_key.get_secret_value(),
        *signed.values(),
        address,
        credentials.merchant_salt.get_secret_value(),
    )
    told = {"ipAddress": address} if address else {}
    return json_request(path, {**signed, **unsigned, **told, "requestToken": token}, {})


def read_plan(body: dict[str, Any]) -> tuple[ExpensesResult, Decimal | None]:
    """The plan of a successful answer and its total in TRY. The total is None if no instalment shows a figure.

    "Toplam masraf tutarı son taksite eklenir" (the total expense is added to the last instalment): its figure is the
    total. Raises UnreadableError.
    """
    data = body.get("Data")
    plan = data.get("PaymentPlan") if isinstance(data, dict) else None
    rows: list[Any] = plan if isinstance(plan, list) else [plan]
    if not rows or not all(isinstance(row, dict) and _NAMES & row.keys() for row in rows):
        raise UnreadableError("no payment plan")
    # In a plan of one instalment that one is the last, even without a number.
    numbers = [plain_text(row.get("InstallmentNo", "1" if len(rows) == 1 else None)) for row in rows]
    if not all(number is not None and number.isdecimal() for number in numbers):
        raise UnreadableError("instalments without numbers")
    places = [int(number or 0) for number in numbers]
    figures = [_figure(row.get("totalExpenseAmount")) for row in rows]
    total = figures[places.index(max(places))]
    if len(set(places)) < len(places) or (total is None and any(figures)):
        raise UnreadableError("no last instalment")
    try:
        return ExpensesResult.model_validate({"payment_plan": rows}), total
    except ValidationError:
        raise UnreadableError("no payment plan") from None


def _figure(value: Any) -> Decimal | None:
    figure = plain_number(value)
    if value is not None and (figure is None or figure < 0):
        raise UnreadableError("expenses in another form")
    return figure


def refusal(body: dict[str, Any]) -> Declined | None:
    """A refusal in HASO's envelope; None if the answer is not certainly one.

    "False dönerse Errors parametresi doludur" (if it returns False, Errors is filled).
    """
    errors, data = body.get("Errors"), body.get("Data")
    texts = errors if isinstance(errors, list) else []
    plain = bool(texts) and all(isinstance(error, str) and error.strip() for error in texts)
    if body.get("Success") is not False or not plain or not says_nothing(data) or "PaymentPlan" in body:
        return None
    # The page calls "RS100" a success. "Sent before" refuses this request, but not the order that was sent before.
    signs = [*texts, *other_signs(body, _ENVELOPE)]
    if any(speaks_for(sign) or SUCCESS_MESSAGE in str(sign) for sign in signs):
        return None
    return Declined(error_code(texts), error_text(texts))


def is_success(body: dict[str, Any]) -> bool:
    """Whether an answer is a success in HASO's envelope, without any sign of a failure."""
    beside = {name: value for name, value in body.items() if name not in _ENVELOPE}
    return (
        body.get("Success") is True and says_nothing(body.get("Errors"))
        and not any(speaks_against(sign) for sign in other_signs(beside, ()))
    )  # fmt: skip


def means_an_old_secret(answer: ProviderResponse) -> bool:
    """No public sign means "wrong credentials". So a refusal means that if the secret has changed since it was read."""
    try:
        refused = answer.status == 401 or answer.json().get("Success") is False
    except UnreadableError:
        return False
    return refused and CLIENT.credential_cache.secret_changed()


def error_code(errors: list[Any]) -> str:
    """The first code such as H307 in `Errors`, or ""; whether its items are codes or texts is not documented."""
    code = re.search(r"\b[A-Z]{1,2}[0-9]{3}\b", error_text(errors))
    return code.group() if code else ""


def error_text(errors: list[Any]) -> str:
    """All of `Errors` in one text."""
    return "; ".join(str(error) for error in errors)


def payment_plan(transaction_code: str, merchant_oid: str, deadline: Deadline) -> tuple[ExpensesResult, Decimal | None]:
    """The payment plan of a transaction as HASO has it now, and the total on it. Raises InquiryFailedError."""
    body = plan_answer(transaction_code, merchant_oid, deadline).json()
    try:
        if not is_success(body):
            raise UnreadableError("signs of a failure")
        return read_plan(body)
    except UnreadableError as error:
        raise InquiryUnreadableError(str(error)) from None


def plan_answer(transaction_code: str, merchant_oid: str, deadline: Deadline) -> ProviderResponse:
    """The successful answer of 5.5 as it came. Raises InquiryFailedError."""
    fields = {"merchantOid": merchant_oid, "transactionCode": transaction_code}
    return successful("/Index/GetPaymentsOfTransaction", fields, deadline)


def successful(
    path: str, fields: dict[str, str], deadline: Deadline, unsigned: Mapping[str, Any] = NONE
) -> ProviderResponse:
    """The successful answer of an inquiry as it came. Raises InquiryFailedError."""
    answer = ask(CLIENT, deadline, lambda access: signed_inquiry(path, access, fields, unsigned), means_an_old_secret)
    try:
        body = answer.json()
    except UnreadableError:
        raise InquiryUnreadableError("unreadable") from None
    errors = body.get("Errors")
    if answer.status == 200 and body.get("Success") is True:
        return answer
    reason = f"http-{answer.status}"
    if body.get("Success") is False and isinstance(errors, list):
        raise InquiryRefusedError(reason, error_code(errors), error_text(errors))
    raise InquiryUnreadableError(reason)
