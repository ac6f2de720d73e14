"""5.5: the payment plan of a transaction."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from vezne_sandbox.provider import Operation, json_field
from vezne_sandbox.statements import ROW_FAULTS

if TYPE_CHECKING:
    from vezne_sandbox.haso import Haso
    from vezne_sandbox.wire import Call, Reply

SIGNED = ("merchantId", "merchantOid", "transactionCode")


def payment_plan(provider: Haso, call: Call) -> Reply:
    """Answer 5.5: the plan with the expenses on the last instalment."""
    code = provider.signed_fields(call, SIGNED)["transactionCode"]
    shown = provider.expenses(hidden_seconds=call.hidden_seconds)
    totals = [booking.amount for booking in shown if booking.reference == code]
    return provider.plan(code, totals[-1] if totals else Decimal(0), foreign=call.foreign_amount, call=call)


PAYMENT_PLAN = Operation(
    name="haso.payment_plan",
    kind="look_up",
    method="POST",
    path="/Index/GetPaymentsOfTransaction",
    handle=payment_plan,
    reference=json_field("transactionCode"),
    faults=ROW_FAULTS,
)
