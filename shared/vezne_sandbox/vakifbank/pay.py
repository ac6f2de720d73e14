"""The payment (page "TOS İşlemleri Yap"). A second one with the same InstitutionTransactionCode is refused."""

from __future__ import annotations

import uuid
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from vezne_sandbox.ledger import ISTANBUL, Booking
from vezne_sandbox.provider import Operation, Payment, ReplyFields, json_field
from vezne_sandbox.vakifbank.messages import (
    DUPLICATE,
    EXPLANATIONS,
    NO_FUNDS,
    NOT_EMPTY,
    UNKNOWN_INSTITUTION,
    gateway_refusal,
    query_result,
)
from vezne_sandbox.vakifbank.payment_fields import PERSONAL_FIELDS, check_payment
from vezne_sandbox.wire import Call, Malformed, Reply, masked

if TYPE_CHECKING:
    from vezne_sandbox.vakifbank import VakifBank


class TosPayment(Payment):
    """A payment order. The bank refuses a second one with the same InstitutionTransactionCode."""

    def __init__(self, provider: VakifBank, call: Call, fields: dict[str, Any]) -> None:
        self._provider = provider
        self._fields = fields
        self.booking = Booking(
            provider=provider.name,
            operation=call.operation,
            reference=fields["InstitutionTransactionCode"],
            references={"InstitutionTransactionCode": fields["InstitutionTransactionCode"]},
            amount=Decimal(fields["Amount"]),
            currency=fields["CurrencyType"],
            request=masked(fields, PERSONAL_FIELDS),
        )
        self._ids = provider.next_ids()

    def obstacle(self) -> Reply | None:
        if not self._provider.secrets.accepts("institution_code", self._fields["InstitutionCode"]):
            return self.refuse(str(UNKNOWN_INSTITUTION))
        booked = any(b.reference == self.booking.reference for b in self._provider.ledger.of(self._provider.name))
        if booked or self._provider.scheduled.get(self.booking.reference, self) is not self:
            return self.refuse(str(DUPLICATE))
        return None

    def accept(self) -> float | None:
        if not self._provider.executes_on_payment_date:
            return None
        self._provider.scheduled[self.booking.reference] = self
        return self._provider.execution_of(self._fields["PaymentDate"])

    def record(self) -> None:
        shown = {name: value for name, value in self.booking.request.items() if name != "Amount"}
        shown["InstitutionTransactionCode"] = self.booking.reference
        if self._provider.executes_on_payment_date:
            # The bank's next business day, if the date is none.
            shown["PaymentDate"] = f"{datetime.fromtimestamp(self.booking.at, ISTANBUL):%Y-%m-%d}T00:00:00"
        outcome = {"Result": True, "ErrorCode": 1, "ErrorExplanation": "Tahsil Edildi"}
        self.booking.answer = {**shown, "Amount": self.booking.amount, **outcome, **self._ids}

    def answer(self, fields: ReplyFields) -> Reply:
        return query_result(fields.reference, self._ids, 1, "Tahsil Edildi")

    def refuse(self, code: str | None) -> Reply:
        if code and code.startswith("ACB"):
            return gateway_refusal(code)
        error_code = int(code or NO_FUNDS)
        return query_result(self.booking.reference, {}, error_code, EXPLANATIONS.get(error_code, "İşlem yapılamadı"))

    def odd_refusal(self) -> Reply:
        """``Result`` false beside everything else of a success."""
        return query_result(self.booking.reference, self._ids, 1, "Tahsil Edildi", result=False)

    def other_reference(self) -> str:
        return str(uuid.uuid4())


def pay(provider: VakifBank, call: Call) -> Payment | Reply:
    """Check a payment order field by field."""
    provider.require_token(call)
    try:
        fields = call.json()
        for name, code in NOT_EMPTY.items():
            if fields.get(name) in (None, ""):
                return gateway_refusal(code)
        check_payment(fields)
    except Malformed as error:
        return gateway_refusal("ACBG000007", error)
    return TosPayment(provider, call, fields)


PAY = Operation(
    name="vakifbank.pay",
    kind="pay",
    method="POST",
    path="/tos/payment",
    handle=pay,
    reference=json_field("InstitutionTransactionCode"),
    faults=frozenset({"other_reference", "odd_refusal"}),
    code_pattern=r"ACB[GH]\d{6}|\d+",
    look_up="vakifbank.query",
    shown_for_certain=True,
    paid_once=True,
)
