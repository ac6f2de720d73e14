"""HASO (Hemen Al Sonra Öde: buy now, pay later; shop API V.39): 5.14 expenses under enforcement, 5.5 payment plan.

Assumptions, since the pages do not say:
- the body is JSON; every answer is HTTP 200 with ``Success``, ``Errors`` (plain texts) and ``Data``;
- the HMAC key is ``merchant_key``, the raw digest is base64-encoded, a missing ``ipAddress`` is signed as "";
- ``totalExpenseAmount`` of the last instalment is attorney fee + expense, of the others 0; ``installmentPayment``
  does not change; ``termDate`` is ``yyyy-MM-dd``;
- 5.5 answers the same ``PaymentPlan`` as 5.14;
- every transaction code exists, with three instalments of 1000.00, unless a seed gives it others.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from datetime import timedelta
from decimal import Decimal
from typing import Any

from vezne_sandbox.haso.replies import failure
from vezne_sandbox.provider import Provider
from vezne_sandbox.statements import listed
from vezne_sandbox.wire import Call, Malformed, Refused, Reply, hundredths, json_reply, known_fields, text


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
        instalments = self._instalments.get(code, [Decimal("1000.00")] * 3)
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
        """Tell each transaction's total and every total ever set, in order."""
        history: dict[str, list[str]] = {}
        for booking in self.ledger.of(self.name):
            history.setdefault(booking.reference, []).append(str(booking.amount))
        return {
            "totals": {code: amounts[-1] for code, amounts in history.items()},
            "history": history,
        }

    def signed_fields(self, call: Call, signed: tuple[str, ...]) -> dict[str, Any]:
        """Read the body, and check its fields and the signature over those named in ``signed``."""
        try:
            fields = call.json()
            known_fields(fields, frozenset({*signed, "ipAddress", "requestToken"}))
            for name in (*signed, "requestToken"):
                text(fields, name)
            if "ipAddress" in fields:
                text(fields, "ipAddress", empty=True)
            for name in {"counterPartyAttorneyFee", "expenseAmount"} & set(signed):
                hundredths(fields, name)
            if len(fields["merchantOid"]) > 20:
                raise Malformed("merchantOid has more than 20 characters")
        except Malformed as error:
            raise Refused(failure(str(error))) from error
        if not self.secrets.accepts("merchant_id", fields["merchantId"]):
            raise Refused(failure("Mağaza bulunamadı."))
        if not self._signature_fits(fields, signed):
            raise Refused(self.unauthorized())
        return fields

    def _signature_fits(self, fields: dict[str, Any], signed: tuple[str, ...]) -> bool:
        received = "".join(fields[name] for name in signed) + fields.get("ipAddress", "")
        return any(
            hmac.compare_digest(request_token(key, received + salt).encode(), fields["requestToken"].encode())
            for key in self.secrets.accepted("merchant_key")
            for salt in self.secrets.accepted("merchant_salt")
        )


def request_token(key: str, message: str) -> str:
    """Compute base64 of the raw HMAC-SHA256 digest."""
    return base64.b64encode(hmac.new(key.encode(), message.encode(), hashlib.sha256).digest()).decode()
