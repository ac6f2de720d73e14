"""5.14: the new total of a transaction's expenses under enforcement. Sent again, it changes nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import simplejson

from vezne_sandbox.haso.replies import failure
from vezne_sandbox.ledger import Booking
from vezne_sandbox.provider import Operation, Payment, ReplyFields, json_field
from vezne_sandbox.wire import Call, Reply, hundredths, json_reply, masked

if TYPE_CHECKING:
    from vezne_sandbox.haso import Haso

SIGNED = ("merchantId", "merchantOid", "transactionCode", "counterPartyAttorneyFee", "expenseAmount")


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


def set_expenses(provider: Haso, call: Call) -> Payment:
    """Check the fields and the signature of 5.14."""
    return Expenses(provider, call, provider.signed_fields(call, SIGNED))


SET_EXPENSES = Operation(
    name="haso.set_expenses",
    kind="pay",
    method="POST",
    path="/RequestV2/SendTransactionExpense",
    handle=set_expenses,
    reference=json_field("transactionCode"),
    faults=frozenset({"other_amount", "odd_refusal"}),
    code_pattern=r".+",
    look_up="haso.payment_plan",
    shown_for_certain=True,
)
