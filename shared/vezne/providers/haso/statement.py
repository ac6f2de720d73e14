"""HASO's payment plans: 5.5 "Ödeme Planını Getir" (get the payment plan), one for each transaction of the day's orders.

"Toplam masraf tutarı son taksite eklenir" (the total expense is added to the last instalment; 5.14): the plan shows
the total that stands now. The services for a daily reconciliation (5.11) have no public page.
"""

from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any

from pydantic import ValidationError

from vezne.orders.record import Record
from vezne.providers.client import InquiryUnreadableError, ask
from vezne.providers.haso.client import CLIENT, means_an_old_secret, signed_inquiry
from vezne.providers.haso.models import ExpensesResult
from vezne.providers.http import Deadline
from vezne.providers.statement import RowState, Sought, Statement, StatementPage, StatementRow, amount_in, list_in

FEE, EXPENSE = "counter_party_attorney_fee", "expense_amount"


class HasoStatement(Statement):
    """The total of each transaction whose expenses were set."""

    provider = "haso"
    operations = ("haso.set_expenses",)
    client = CLIENT
    tells_totals = True

    def sought(self, operation: str, lookup_fields: Mapping[str, str], result: Mapping[str, Any]) -> Sought:  # noqa: ARG002
        """By the transaction. It is not clear whether the total of the expenses includes the attorney's fee."""
        fee, expense = Decimal(lookup_fields[FEE]), Decimal(lookup_fields["amount"])
        code = lookup_fields["transaction_code"]
        group = f"{code} {lookup_fields['merchant_oid']}"
        return Sought(code, amounts=frozenset({fee + expense, expense}), group=group)

    def page(self, day: date, groups: Sequence[str], start: str, deadline: Deadline) -> StatementPage:  # noqa: ARG002
        """The plan of a transaction. `start` names it, since another one may have been added meanwhile."""
        left = [group for group in groups if group >= start]
        if not left:
            return StatementPage(())
        code, _, merchant_oid = left[0].partition(" ")
        row = _row(code, _plan(code, merchant_oid, deadline))
        return StatementPage((row,), left[1] if len(left) > 1 else "")

    def proves(self, record: Record, row: StatementRow) -> bool:
        """A total proves an order if it is fee and expense together, and did not stand before already."""
        fields, before = record.lookup_fields, record.memory.figures
        together = Decimal(fields[FEE]) + Decimal(fields["amount"])
        stood = [before[FEE] + before[EXPENSE], before[EXPENSE]] if before.keys() >= {FEE, EXPENSE} else []
        return row.amount == together and together not in [Decimal(figure).scaleb(-2) for figure in stood]


def _plan(code: str, merchant_oid: str, deadline: Deadline) -> list[Any]:
    """The instalments as they came; none if HASO refuses, since no page says which refusals there are."""
    fields = {"merchantOid": merchant_oid, "transactionCode": code}
    path = "/Index/GetPaymentsOfTransaction"
    body = list_in(ask(CLIENT, deadline, lambda access: signed_inquiry(path, access, fields), means_an_old_secret))
    errors, data = body.get("Errors"), body.get("Data")
    if body.get("Success") is False and errors:
        return []
    plan = data.get("PaymentPlan") if isinstance(data, dict) else None
    if body.get("Success") is not True or errors or not isinstance(plan, list | dict):
        raise InquiryUnreadableError("no plan")
    return plan if isinstance(plan, list) else [plan]


def _row(code: str, plan: list[Any]) -> StatementRow:
    """The transaction's total. Without a total, the row is unclear."""
    total = _total(plan)
    try:
        result = ExpensesResult.model_validate({"payment_plan": plan}).public()
    except ValidationError:
        total, result = None, {}
    state = RowState.UNCLEAR if total is None else RowState.BOOKED
    names = frozenset({f"transaction_code={code}"})
    return StatementRow(code, state, total, "TRY", names=names, result=result)


def _total(plan: list[Any]) -> Decimal | None:
    figures: dict[Decimal, Decimal | None] = {}
    for instalment in plan:
        fields = instalment if isinstance(instalment, dict) else {}
        number = amount_in(fields.get("InstallmentNo", 1 if len(plan) == 1 else None))
        if number is None or number in figures:
            return None
        figures[number] = amount_in(fields.get("totalExpenseAmount"))
    total = figures[max(figures)] if figures else None
    return total if total is not None and total >= 0 else None
