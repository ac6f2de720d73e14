"""A request to give a sale or a capture back (page "İade": refund), and what the staff decides of it.

Assumptions, since the page does not say:
- each request that is taken is one of its own: a second one for the same transaction is taken, too, up to its amount;
- more than the transaction's amount, or a part of a transaction of the same day, is refused with result_code 11. So is
  a transaction that is cancelled, or that is neither a sale nor a capture;
- the whole is what is left of it;
- an approval makes a row of type 9, and the list of requests then names it. After a rejection the amount can be asked
  for again. Seed ``refund_decisions``: a list of {xact_id, approved}, for every open request of this transaction;
- a transaction that nobody made, whose ``xact_id`` begins with ``sale*``, is a sale of yesterday with 100000.00 TRY.
"""

from __future__ import annotations

import uuid
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from vezne_sandbox.ledger import Booking
from vezne_sandbox.paynet.list_transactions import day_of
from vezne_sandbox.paynet.pre_authorisations import REFUND_TYPE, SALE_TYPE, PreAuthorisation, RefundRequest
from vezne_sandbox.paynet.replies import error_object
from vezne_sandbox.provider import Operation, Payment, ReplyFields, json_field
from vezne_sandbox.wire import Call, Malformed, Refused, Reply, hundredths, json_reply, masked

if TYPE_CHECKING:
    from vezne_sandbox.paynet import Paynet


class Request(Payment):
    """A request that is to be taken. Its booking says that it was taken, and no money moves."""

    def __init__(self, provider: Paynet, call: Call, fields: dict[str, Any], target: PreAuthorisation) -> None:
        self._provider, self._target = provider, target
        xact_id = fields["xact_id"]
        self._id, self._whole, self._made_at = original(target, xact_id)
        given = hundredths(fields, "amount") if fields.get("amount") else Decimal(0)
        self.booking = Booking(
            provider=provider.name,
            operation=call.operation,
            reference=xact_id,
            references={"xact_id": xact_id},
            amount=given or self._left(xact_id),
            currency="TRY",
            request=masked(fields, frozenset()),
        )

    def _left(self, xact_id: str) -> Decimal:
        asked = (one.amount for one in self._target.requests if one.xact_id == xact_id and not one.is_rejected)
        return self._whole - sum(asked, Decimal(0))

    def obstacle(self) -> Reply | None:
        amount = self.booking.amount
        if not 0 < amount <= self._left(self.booking.reference):
            return error_object(11, "İade tutarı işlem tutarından büyük")
        if amount < self._whole and day_of(self._made_at) == day_of(self._provider.clock.now()):
            return error_object(11, "Aynı gün yapılan işlemlerde kısmi iade yapılamaz")
        return None

    def record(self) -> None:
        booking = self.booking
        self._target.requests.append(
            RefundRequest(self._id, booking.reference, self._made_at, booking.amount, booking.at)
        )

    def answer(self, fields: ReplyFields) -> Reply:
        return json_reply({"object_name": "transaction_reversed_request", "code": 0, "message": "Başarılı İşlem"})

    def refuse(self, code: str | None) -> Reply:
        return error_object(int(code or 11), "İşlem başarısız")

    def odd_refusal(self) -> Reply:
        """An Error object with a code that no page lists."""
        return error_object(9999, "İşlem başarısız")


def original(target: PreAuthorisation, xact_id: str) -> tuple[str, Decimal, float]:
    """Return the number, the amount and the time of the sale or the capture of this ``xact_id``."""
    if target.xact_id == xact_id and target.transaction_type == SALE_TYPE:
        return target.xact, target.amount, target.at
    for capture in target.captures():
        if capture.answer["xact_id"] == xact_id and "reversed_xact_id" not in capture.answer:
            return capture.answer["id"], capture.amount, capture.at
    raise Refused(error_object(11, "xact_id names nothing that can be given back"))


def decide(provider: Paynet, xact_id: str, *, approved: bool) -> None:
    """Let the staff decide the open requests of a transaction."""
    target = provider.pre_authorisation({"xact_id": xact_id})
    for asked in target.requests:
        if asked.xact_id != xact_id or asked.refund or asked.is_rejected:
            continue
        asked.is_rejected = not approved
        if approved:
            ids = {"id": str(provider.next_number()), "xact_id": f"xk_{uuid.uuid4().hex}"}
            answer = {**ids, "transaction_type": REFUND_TYPE}
            now = provider.clock.now()
            asked.refund = Booking(provider.name, "refund", xact_id, {}, asked.amount, "TRY", {}, now, answer)
            target.bookings.append(asked.refund)


def request_refund(provider: Paynet, call: Call) -> Payment:
    """Check the request, and find what is to be given back."""
    fields = provider.authorized_fields(call, frozenset({"xact_id", "amount"}))
    try:
        return Request(provider, call, fields, provider.pre_authorisation({"xact_id": fields.get("xact_id")}))
    except Malformed as error:
        raise Refused(error_object(11, str(error))) from error


REQUEST_REFUND = Operation(
    name="paynet.request_refund",
    kind="pay",
    method="POST",
    path="/v1/transaction/reversed_request",
    handle=request_refund,
    reference=json_field("xact_id"),
    faults=frozenset({"odd_refusal"}),
    code_pattern=r"\d{1,3}",
    look_up="paynet.list_reversals",
)
