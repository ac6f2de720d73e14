"""HASO (Hemen Al Sonra Öde: buy now, pay later; shop API V.39): 5.14 expenses, 5.5 plan, 5.6 paid, 5.10 payments.

Assumptions, since the pages do not say:
- the body is JSON; every answer is HTTP 200 with ``Success``, ``Errors`` (plain texts) and ``Data``;
- the HMAC key is ``merchant_key``, the raw digest is base64-encoded, a missing ``ipAddress`` is signed as "";
- ``totalExpenseAmount`` of the last instalment is attorney fee + expense, of the others 0; ``installmentPayment``
  does not change; ``termDate`` is ``yyyy-MM-dd``;
- 5.5 answers the same ``PaymentPlan`` as 5.14;
- every transaction code exists, with three instalments of 1000.00, unless a seed gives it others;
- every customer exists, with three payments of 1000.00. Their codes are the customer's number, and the same with ``-2``
  and ``-3``. Any other payment code exists, too, and belongs to no customer.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from vezne_sandbox.haso.replies import failure
from vezne_sandbox.provider import Provider
from vezne_sandbox.statements import listed
from vezne_sandbox.wire import Call, Malformed, Refused, Reply, hundredths, json_reply, known_fields, text

if TYPE_CHECKING:
    from vezne_sandbox.ledger import Booking


INSTALMENT = Decimal("1000.00")
EXPENSES = "haso.set_expenses"


class Haso(Provider):
    """HASO's server. The newest booking of a transaction code is its total; the bookings are the history."""

    name = "haso"
    rotated = "merchant_key"

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self._instalments: dict[str, list[Decimal]] = {}

    def unauthorized(self) -> Reply:
        """Refuse the request token."""
        return failure("requestToken hatalı.")

    def too_many_requests(self) -> Reply:
        """Refuse for the rate."""
        return failure("Çok fazla istek gönderildi.", status=429)

    def plan(self, code: str, expenses: Decimal, *, foreign: Decimal | None = None, call: Call | None = None) -> Reply:
        """Write a payment plan. A foreign amount is on the first instalment, so it is not the total.

        ``call``: the look-up that asks for it, whose fault may change the instalments.
        """
        instalments = self._instalments.get(code, [INSTALMENT] * 3)
        on_instalment = [Decimal(0)] * len(instalments)
        on_instalment[0] = foreign or Decimal(0)
        on_instalment[-1] = expenses
        first_term = self.clock.istanbul().date()
        rows = [
            {
                "InstallmentNo": number,
                "installmentPayment": payment.quantize(Decimal("0.01")),
                "termDate": (first_term + timedelta(days=30 * number)).isoformat(),
                "totalExpenseAmount": on_instalment[number - 1].quantize(Decimal("0.01")),
            }
            for number, payment in enumerate(instalments, start=1)
        ]
        if call is not None:
            rows = listed(rows, call, ids=(), amounts=("totalExpenseAmount",))
        return json_reply({"Success": True, "Errors": [], "Data": {"PaymentPlan": rows}})

    def seed(self, values: dict[str, Any]) -> None:
        """Take ``instalments``: transaction code -> list of amounts."""
        values = dict(values)
        for code, amounts in values.pop("instalments", {}).items():
            self._instalments[code] = [Decimal(str(amount)) for amount in amounts]
        super().seed(values)

    def state(self) -> dict[str, Any]:
        """Tell each transaction's total, every total ever set, in order, and the payments that are marked as paid."""
        history: dict[str, list[str]] = {}
        for booking in self.expenses():
            history.setdefault(booking.reference, []).append(str(booking.amount))
        return {
            "paid": sorted(self.marked()),
            "totals": {code: amounts[-1] for code, amounts in history.items()},
            "history": history,
        }

    def expenses(self, *, hidden_seconds: float = 0) -> list[Booking]:
        """List the bookings of 5.14."""
        return [b for b in self.ledger.of(self.name, hidden_seconds=hidden_seconds) if b.operation == EXPENSES]

    def marked(self, *, hidden_seconds: float = 0) -> dict[str, Booking]:
        """Tell which payments are marked as paid: payment code -> the booking that marked it."""
        shown = self.ledger.of(self.name, hidden_seconds=hidden_seconds)
        return {code: b for b in shown if b.operation != EXPENSES for code in b.references["paymentCode"].split()}

    def signed_fields(
        self,
        call: Call,
        signed: tuple[str, ...],
        *,
        optional: tuple[str, ...] = (),
        unsigned: tuple[str, ...] = (),
    ) -> dict[str, Any]:
        """Read the body, and check its fields and the signature over those named in ``signed``.

        ``optional``: those of them that may be absent. ``unsigned``: further fields, which the operation checks.
        """
        try:
            fields = call.json()
            known_fields(fields, frozenset({*signed, *unsigned, "ipAddress", "requestToken"}))
            for name in (*signed, "requestToken"):
                if name not in optional or name in fields:
                    text(fields, name)
            if "ipAddress" in fields:
                text(fields, "ipAddress", empty=True)
            for name in {"counterPartyAttorneyFee", "expenseAmount"} & set(signed):
                hundredths(fields, name)
            _check_lengths(fields)
        except Malformed as error:
            raise Refused(failure(str(error))) from error
        if not self.secrets.accepts("merchant_id", fields["merchantId"]):
            raise Refused(failure("Mağaza bulunamadı."))
        if not self._signature_fits(fields, signed):
            raise Refused(self.unauthorized())
        return fields

    def _signature_fits(self, fields: dict[str, Any], signed: tuple[str, ...]) -> bool:
        received = "".join(fields.get(name, "") for name in signed) + fields.get("ipAddress", "")
        return any(
            hmac.compare_digest(request_token(key, received + salt).encode(), fields["requestToken"].encode())
            for key in self.secrets.accepted("merchant_key")
            for salt in self.secrets.accepted("merchant_salt")
        )


def _check_lengths(fields: dict[str, Any]) -> None:
    for name, longest in {"merchantOid": 20, "customerId": 10}.items():
        if len(fields.get(name, "")) > longest:
            raise Malformed(f"{name} has more than {longest} characters")


def request_token(key: str, message: str) -> str:
    """Compute base64 of the raw HMAC-SHA256 digest."""
    return base64.b64encode(hmac.new(key.encode(), message.encode(), hashlib.sha256).digest()).decode()
