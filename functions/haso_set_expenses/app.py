"""Set the total legal expenses of a transaction under enforcement: HASO 5.14.

The value sent is the new total, so sending it twice is harmless, and sending an older one late is not.
"""

from datetime import timedelta
from decimal import Decimal

from vezne import entry
from vezne.credentials import Access, HasoCredentials
from vezne.inquiries import haso
from vezne.models.haso import ExpensesRequest
from vezne.money import amount_text, minor_units_text
from vezne.operation import Operation, Order
from vezne.outcome import (
    REFUSING_STATUSES,
    Declined,
    Finding,
    Found,
    Inconclusive,
    NotFound,
    Outcome,
    Succeeded,
    Unknown,
)
from vezne.provider import Answer, Deadline, Request
from vezne.record import Guard, Record

# The page names no HTTP status for `Success: false`. With another one, such as 429, something else may have spoken.
REFUSALS = REFUSING_STATUSES | {200}


class SetExpenses(Operation[ExpensesRequest, HasoCredentials]):
    """POST {SERVIS_URL}/RequestV2/SendTransactionExpense."""

    name = "haso.set_expenses"
    path = "/haso/transactions/{transaction_code}/expenses"
    request_model = ExpensesRequest
    client = haso.CLIENT
    # "Aynı işlem için farklı zamanlarda farklı masraflar gönderilirse toplam masraf değeri gönderilmelidir."
    resend_is_safe = True
    # The payment plan always carries the total in force.
    look_up_is_complete = True
    settling_time = timedelta(minutes=10)
    # The codes in `Errors` are not public, so a wrong token cannot be told from a wrong order.
    refusal_may_mean_credentials = True
    look_up_call = "POST Index/GetPaymentsOfTransaction"

    def build(self, order: Order[ExpensesRequest], access: Access[HasoCredentials]) -> Request:
        """The page's fields in the order it signs them; the very strings that are signed are sent."""
        request = order.request
        fields = {
            "merchantOid": request.merchant_oid,
            "transactionCode": request.transaction_code,
            "counterPartyAttorneyFee": minor_units_text(request.counter_party_attorney_fee),
            "expenseAmount": minor_units_text(request.expense_amount),
        }
        return haso.signed_order("/RequestV2/SendTransactionExpense", access, fields)

    def read(self, order: Order[ExpensesRequest], answer: Answer) -> Outcome:
        """ "Success ... False dönerse Errors parametresi doludur. True dönerse Data parametresi doludur." """
        body = answer.json()
        errors = body.get("Errors")
        if answer.status == 200 and body.get("Success") is True and not errors:
            result = haso.read_plan(answer)
            request = order.request
            possible = _possible_totals(request.counter_party_attorney_fee, request.expense_amount)
            if result.total_expenses() not in (None, *possible):
                return Unknown("other total")
            return Succeeded(result.public())
        if answer.status in REFUSALS and body.get("Success") is False and isinstance(errors, list) and errors:
            return Declined(haso.error_code(errors), haso.error_text(errors))
        return Unknown(f"http-{answer.status}")

    def clues(self, order: Order[ExpensesRequest]) -> dict[str, str]:
        """What names the transaction, and the figures that a plan must show."""
        request = order.request
        return {
            "transaction_code": request.transaction_code,
            "merchant_oid": request.merchant_oid,
            "counter_party_attorney_fee": amount_text(request.counter_party_attorney_fee, "TRY"),
            "amount": amount_text(request.expense_amount, "TRY"),
            "currency": "TRY",
        }

    def guards(self, order: Order[ExpensesRequest]) -> tuple[Guard, ...]:
        """One order at a time per transaction, and neither figure falls unless the caller says so."""
        request = order.request
        figures = {
            "counter_party_attorney_fee": int(minor_units_text(request.counter_party_attorney_fee)),
            "expense_amount": int(minor_units_text(request.expense_amount)),
        }
        quiet = int(self.settling_time.total_seconds())
        return (Guard(request.transaction_code, figures=figures, may_fall=request.allow_lower, quiet_seconds=quiet),)

    def look_up(self, record: Record, deadline: Deadline) -> Finding:
        """A plan with our total is proof; one that could show it under another reading of the page proves nothing."""
        clues = record.clues
        plan = haso.payment_plan(clues["transaction_code"], clues["merchant_oid"], deadline)
        total = plan.total_expenses()
        together, alone = _possible_totals(Decimal(clues["counter_party_attorney_fee"]), Decimal(clues["amount"]))
        if total is None:
            return Inconclusive("the plan shows no total")
        if total == together:
            return Found(Succeeded(plan.public()), {"total": total})
        return Inconclusive("the plan shows the expense alone") if total == alone else NotFound({"total": total})


def _possible_totals(attorney_fee: Decimal, expense: Decimal) -> tuple[Decimal, Decimal]:
    """`totalExpenseAmount` is fee and expense together; whether `expenseAmount` includes the fee is not clear."""
    return attorney_fee + expense, expense


handler = entry.handler(SetExpenses())
