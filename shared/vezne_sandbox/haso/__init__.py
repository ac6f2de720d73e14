"""HASO (Hemen Al Sonra Öde, Mağaza V.39): 5.14 expenses of a transaction in enforcement, 5.5 payment plan.

Assumptions, since the pages do not say:
- the body is JSON; every answer is HTTP 200 with ``Success``, ``Errors`` (plain texts) and ``Data``;
- the HMAC key is ``merchant_key``, the raw digest is base64-encoded, an absent ``ipAddress`` counts as "";
- ``totalExpenseAmount`` of the last instalment is attorney fee + expense, of the others 0; ``installmentPayment``
  stays as it was; ``termDate`` is ``yyyy-MM-dd``;
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

import simplejson

from vezne_sandbox.ledger import Booking
from vezne_sandbox.provider import Operation, Payment, Provider, ReplyFields
from vezne_sandbox.wire import Call, Malformed, Refused, Reply, hundredths, json_reply, known_fields, masked, text

SIGNED_EXPENSE = ("merchantId", "merchantOid", "transactionCode", "counterPartyAttorneyFee", "expenseAmount")
SIGNED_PLAN = ("merchantId", "merchantOid", "transactionCode")


def failure(*errors: str, status: int = 200) -> Reply:
    """Write a refusal: ``Success`` false, and ``Errors`` filled."""
    return json_reply({"Success": False, "Errors": list(errors), "Data": {}}, status)


class Expenses(Payment):
    """The new total of a transaction's expenses. Sending it again changes nothing."""

    def __init__(self, provider: Haso, call: Call, fields: dict[str, Any]) -> None:
        self._provider = provider
        self.booking = Booking(
            provider=provider.name,
            operation=call.operation,
            reference=fields["transactionCode"],
            references={"transactionCode": fields["transactionCode"], "merchantOid": fields["merchantOid"]},
            amount=hundredths(fields, "counterPartyAttorneyFee") + hundredths(fields, "expenseAmount"),
            currency="TRY",
            request=masked(fields, frozenset({"requestToken"})),
        )

    def record(self) -> None:
        self.booking.answer = {"totalExpenseAmount": self.booking.amount}

    def answer(self, fields: ReplyFields) -> Reply:
        return self._provider.plan(fields.reference, fields.amount)

    def odd_refusal(self) -> Reply:
        """``Success`` false and ``Errors`` beside the plan that the page has after a success."""
        body = simplejson.loads(
            self.answer(ReplyFields(self.booking.amount, self.booking.reference)).body, use_decimal=True
        )
        return json_reply({**body, "Success": False, "Errors": ["İşlem icra durumunda değil."]})

    def refuse(self, code: str | None) -> Reply:
        return failure(code or "İşlem icra durumunda değil.")


class Haso(Provider):
    """HASO's server. The newest booking of a transaction code is its total; the bookings are the history."""

    name = "haso"
    rotated = "merchant_key"

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self._instalments: dict[str, list[Decimal]] = {}

    def operations(self) -> list[Operation]:
        """Serve 5.14 and 5.5."""

        def transaction_code(call: Call) -> str:
            return str(call.json().get("transactionCode", ""))

        return [
            Operation(
                "haso.set_expenses",
                "POST",
                "/RequestV2/SendTransactionExpense",
                self.set_expenses,
                "pay",
                transaction_code,
                frozenset({"other_amount", "odd_refusal"}),
                r".+",
                look_up="haso.payment_plan",
                shown_for_certain=True,
            ),
            Operation(
                "haso.payment_plan",
                "POST",
                "/Index/GetPaymentsOfTransaction",
                self.payment_plan,
                "look_up",
                transaction_code,
            ),
        ]

    def unauthorized(self) -> Reply:
        """Refuse the request token."""
        return failure("requestToken hatalı.")

    def too_many_requests(self) -> Reply:
        """Refuse for the rate."""
        return failure("Çok fazla istek gönderildi.", status=429)

    def set_expenses(self, call: Call) -> Payment:
        """Check the fields and the signature of 5.14."""
        return Expenses(self, call, self._signed_fields(call, SIGNED_EXPENSE))

    def payment_plan(self, call: Call) -> Reply:
        """Answer 5.5: the plan with the expenses on the last instalment."""
        code = self._signed_fields(call, SIGNED_PLAN)["transactionCode"]
        shown = self.ledger.of(self.name, hidden_seconds=call.hidden_seconds)
        totals = [booking.amount for booking in shown if booking.reference == code]
        return self.plan(code, totals[-1] if totals else Decimal(0), foreign=call.foreign_amount)

    def plan(self, code: str, expenses: Decimal, *, foreign: Decimal | None = None) -> Reply:
        """Write a payment plan. A foreign amount stands on the first instalment, where it is not this total."""
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

    def _signed_fields(self, call: Call, signed: tuple[str, ...]) -> dict[str, Any]:
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
