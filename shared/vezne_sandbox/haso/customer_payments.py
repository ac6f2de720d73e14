"""5.10: a customer's payments, page by page ("yeniden eskiye göre sayfalama ile listelenir": newest first).

Assumptions, since the page shows no row:
- the rows are under ``Payments``, with the names of the requests of 5.6 and 5.10: ``paymentCode``, ``paymentStatus``,
  and of a paid one ``merchantOid``, ``paymentDate`` and ``paymentReferenceCode``;
- without a filter, payments of every status are listed;
- a page beyond the end is empty.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from vezne_sandbox.haso import INSTALMENT
from vezne_sandbox.haso.replies import failure
from vezne_sandbox.provider import Operation, json_field
from vezne_sandbox.wire import Call, Malformed, Refused, Reply, integer, json_reply

if TYPE_CHECKING:
    from decimal import Decimal

    from vezne_sandbox.haso import Haso
    from vezne_sandbox.ledger import Booking

SIGNED = ("merchantId", "customerId")
UNSIGNED = ("paymentStatuses", "pageNo", "pageSize")
NOT_PAID, PAID = 0, 1


def customer_payments(provider: Haso, call: Call) -> Reply:
    """Answer 5.10."""
    fields = provider.signed_fields(call, SIGNED, unsigned=UNSIGNED)
    try:
        statuses = _statuses(fields)
        number, size = (integer({name: default, **fields}, name) for name, default in (("pageNo", 1), ("pageSize", 50)))
    except Malformed as error:
        raise Refused(failure(str(error))) from error
    marked = provider.marked(hidden_seconds=call.hidden_seconds)
    customer = fields["customerId"]
    codes = [f"{customer}-3", f"{customer}-2", customer]
    rows = [_row(code, INSTALMENT, marked.get(code)) for code in codes]
    if call.foreign_amount is not None:
        rows.insert(0, {**_row("somebody-else", call.foreign_amount, None), "paymentStatus": PAID})
    rows = [row for row in rows if row["paymentStatus"] in statuses]
    shown = rows[(number - 1) * size : number * size]
    return json_reply({"Success": True, "Errors": [], "Data": {"Payments": shown}})


def _statuses(fields: dict[str, Any]) -> list[int]:
    statuses = fields.get("paymentStatuses", [0, 1, 2, 3, 4])
    if not isinstance(statuses, list) or not all(type(status) is int and 0 <= status <= 4 for status in statuses):
        raise Malformed("paymentStatuses must be a list of 0 to 4")
    return statuses


def _row(code: str, amount: Decimal, marked: Booking | None) -> dict[str, Any]:
    row = {"paymentCode": code, "amount": amount, "paymentStatus": NOT_PAID if marked is None else PAID}
    names = ("merchantOid", "paymentDate", "paymentReferenceCode")
    return row if marked is None else {**row, **{name: marked.request.get(name) for name in names}}


CUSTOMER_PAYMENTS = Operation(
    name="haso.customer_payments",
    kind="look_up",
    method="POST",
    path="/Index/GetCustomerPayments",
    handle=customer_payments,
    reference=json_field("customerId"),
)
