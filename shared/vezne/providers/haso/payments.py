"""HASO's payment records, the instalments: 5.6 and 5.20 mark them as paid, 5.10 "Müşteri Ödemelerini Getir" lists them.

POST {SERVIS_URL}/Index/GetCustomerPayments. Its page names the statuses, and no field of a row.
"""

from collections.abc import Iterable, Mapping, Sequence
from enum import Enum
from typing import Any

from vezne.orders.evidence import Match, absent_or, is_one_of, match_row, other_signs, speaks_against, tells_of_more
from vezne.orders.outcome import Finding, Found, Inconclusive, NotFound, Outcome, Succeeded, Unknown
from vezne.orders.record import Record
from vezne.providers.client import InquiryUnreadableError
from vezne.providers.haso import client as haso
from vezne.providers.haso.models import STATUSES, OutsidePaymentRequest, SetPaidResult
from vezne.providers.http import Deadline, ProviderResponse

PAID: tuple[str, ...] = ("paid",)
NOT_PAID: tuple[str, ...] = ("unpaid", "overdue")
# "Gönderilmezse varsayılan 50 değerini alır" (50 if it is not sent).
PAGE = 50
# A customer with more payments than this in one status is not looked up.
PAGES = 20


class State(Enum):
    """What the lists say of one payment."""

    PAID_BY_US = "paid by us"
    NOT_PAID = "not paid"
    UNCLEAR = "unclear"


def signed_fields(request: OutsidePaymentRequest, payment_code: str | None = None) -> dict[str, str]:
    """What 5.6 and 5.20 sign, in the pages' order. A field that is not given is signed as an empty text."""
    fields = {
        "merchantOid": request.merchant_oid,
        "paymentCode": payment_code,
        "paymentReferenceCode": request.payment_reference_code,
        "paymentDate": request.payment_date,
    }
    return {name: value for name, value in fields.items() if value is not None}


def outcome(answer: ProviderResponse) -> Outcome:
    """What an answer of 5.6 or 5.20 proves. "RS100 kodu ile işlemin başarılı olduğunu belirtir" (RS100: a success)."""
    body = answer.json()
    data = body.get("Data")
    if answer.status == 200 and haso.is_success(body):
        if not isinstance(data, dict) or data.get("Message") != haso.SUCCESS_MESSAGE:
            return Unknown("no RS100")
        if any(speaks_against(sign) for sign in other_signs(data, ())):
            return Unknown("signs of a failure")
        return Succeeded(SetPaidResult.model_validate(data).public())
    refusal = haso.refusal(body) if answer.status in haso.REFUSALS else None
    return refusal or Unknown(f"http-{answer.status}")


def lookup_fields(request: OutsidePaymentRequest) -> dict[str, str]:
    """Whose payments they are, and what a row of a paid one must show."""
    reference = request.payment_reference_code
    return {
        "customer_id": request.customer_id,
        "merchant_oid": request.merchant_oid,
        "payment_date": request.payment_date,
        **({} if reference is None else {"payment_reference_code": reference}),
    }


def look_up(record: Record, codes: Sequence[str], deadline: Deadline) -> Finding:
    """What 5.10 proves of an order's payments.

    Each must be in one of two lists: of those that are paid, or of those that are not.
    A payment may have been marked before, or by somebody else, and that is no proof. So a paid one counts only if its
    row shows the reference of this order.
    """
    fields = record.lookup_fields
    not_paid, paid = (_all_rows(fields["customer_id"], which, deadline) for which in (NOT_PAID, PAID))
    states = {_state(code, fields, paid, not_paid) for code in codes}
    seen = {"payment_codes": " ".join(codes)}
    if states == {State.PAID_BY_US}:
        return Found(Succeeded(SetPaidResult.model_validate({}).public()), seen)
    if states == {State.NOT_PAID}:
        return NotFound(seen)
    return Inconclusive("the lists do not say that this order marked the payments, nor that they are not paid")


def payments_page(
    customer_id: str, statuses: Iterable[str], page: int, size: int, deadline: Deadline
) -> tuple[dict[str, Any], list[Any]]:
    """`Data` of one page of 5.10, and its one list. Raises InquiryFailedError."""
    asked = {"paymentStatuses": [STATUSES[status] for status in statuses], "pageNo": page, "pageSize": size}
    unsigned = {name: value for name, value in asked.items() if value != []}
    body = haso.successful("/Index/GetCustomerPayments", {"customerId": customer_id}, deadline, unsigned).json()
    data = body.get("Data")
    lists = [value for value in data.values() if isinstance(value, list)] if isinstance(data, dict) else []
    if not haso.is_success(body) or not isinstance(data, dict) or len(lists) != 1:
        raise InquiryUnreadableError("no list of payments")
    return data, lists[0]


def _all_rows(customer_id: str, statuses: Iterable[str], deadline: Deadline) -> list[Any]:
    """Every row of a customer's payments with these statuses. Raises InquiryFailedError."""
    rows: list[Any] = []
    for page in range(1, PAGES + 1):
        data, more = payments_page(customer_id, statuses, page, PAGE, deadline)
        rows += more
        if len(more) < PAGE:
            if tells_of_more(data, len(rows)):
                raise InquiryUnreadableError("more payments than were listed")
            return rows
    raise InquiryUnreadableError("too many payments")


def _state(code: str, fields: Mapping[str, str], paid: list[Any], not_paid: list[Any]) -> State:
    """A payment that is in both lists or in none, or twice in one, proves nothing: HASO may not have filtered."""
    ours = [(PAID, row) for row in paid if _match(code, row) is not Match.ANOTHER]
    ours += [(NOT_PAID, row) for row in not_paid if _match(code, row) is not Match.ANOTHER]
    if len(ours) != 1:
        return State.UNCLEAR
    ((statuses, row),) = ours
    if _match(code, row) is not Match.OURS or not _fits(row, fields, statuses):
        return State.UNCLEAR
    if statuses == NOT_PAID:
        return State.NOT_PAID
    reference = fields.get("payment_reference_code")
    day = absent_or(_field(row, "paymentDate"), lambda told: str(told)[:10] == fields["payment_date"])
    shown = reference is not None and _field(row, "paymentReferenceCode") == reference
    return State.PAID_BY_US if shown and day else State.UNCLEAR


def _match(code: str, row: Any) -> Match:
    return match_row(code, row, ("paymentCode", "PaymentCode"))


def _fits(row: dict[str, Any], fields: Mapping[str, str], statuses: tuple[str, ...]) -> bool:
    numbers = {str(STATUSES[status]) for status in statuses}
    return (
        absent_or(_field(row, "paymentStatus"), lambda told: is_one_of(told, numbers))
        and absent_or(_field(row, "merchantOid"), lambda told: told == fields["merchant_oid"])
        and not any(speaks_against(sign) for sign in other_signs(row, ("paymentStatus", "PaymentStatus")))
    )  # fmt: skip


def _field(row: dict[str, Any], name: str) -> Any:
    """A field under the request's name. HASO writes some names with a capital letter."""
    capital = name[0].upper() + name[1:]
    return row.get(name, row.get(capital))
