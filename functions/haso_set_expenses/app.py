"""Set the total legal expenses of a transaction under enforcement: HASO 5.14.

The value sent is the new total, so sending it twice is harmless, and sending an older one late is not.
"""

from datetime import timedelta
from decimal import Decimal

from vezne.api import handle_order
from vezne.operation import Operation, Order
from vezne.orders.guards import Guard, NeverDecreases, may_decrease
from vezne.orders.outcome import Finding, Found, Inconclusive, NotFound, Outcome, Succeeded, Unknown
from vezne.orders.record import Record
from vezne.platform.money import amount_from_minor_units, amount_text, minor_units_text
from vezne.providers.credentials import HasoCredentials, RequestCredentials
from vezne.providers.haso import client as haso
from vezne.providers.haso.models import ExpensesRequest, ExpensesResult
from vezne.providers.http import Deadline, ProviderResponse, Request

# The guarded figures.
FEE, EXPENSE = "counter_party_attorney_fee", "expense_amount"


class SetExpenses(Operation[ExpensesRequest, ExpensesResult, HasoCredentials]):
    """POST {SERVIS_URL}/RequestV2/SendTransactionExpense."""

    name = "haso.set_expenses"
    route = "POST /haso/transactions/{transaction_code}/expenses"
    client = haso.CLIENT
    # From the path: the answer is the whole payment plan.
    reference_field = "transaction_code"
    # "Aynı işlem için farklı zamanlarda farklı masraflar gönderilirse toplam masraf değeri gönderilmelidir." (If
    # different expenses are sent for one transaction at different times, the total must be sent.)
    resend_is_safe = True
    # The payment plan always has the current total.
    look_up_is_complete = True
    settling_time = timedelta(minutes=10)
    # The codes in `Errors` are not public, so a wrong token looks like a wrong order.
    decline_may_mean_bad_credentials = True
    look_up_call = "POST Index/GetPaymentsOfTransaction"

    def build(self, order: Order[ExpensesRequest], access: RequestCredentials[HasoCredentials]) -> Request:
        """The page's fields in the order in which they are signed. The same strings are signed and sent."""
        request = order.request
        fields = {
            "merchantOid": request.merchant_oid,
            "transactionCode": request.transaction_code,
            "counterPartyAttorneyFee": minor_units_text(request.counter_party_attorney_fee),
            "expenseAmount": minor_units_text(request.expense_amount),
        }
        return haso.signed_order("/RequestV2/SendTransactionExpense", access, fields)

    def read(self, order: Order[ExpensesRequest], answer: ProviderResponse) -> Outcome:
        """ "Success ... False dönerse Errors parametresi doludur. True dönerse Data parametresi doludur." """
        body, request = answer.json(), order.request
        if answer.status == 200 and haso.is_success(body):
            result, total = haso.read_plan(body)
            if total not in (None, *_possible_totals(request.counter_party_attorney_fee, request.expense_amount)):
                return Unknown("other total")
            return Succeeded(result.public())
        refusal = haso.refusal(body) if answer.status in haso.REFUSALS else None
        return refusal or Unknown(f"http-{answer.status}")

    def lookup_fields(self, order: Order[ExpensesRequest]) -> dict[str, str]:
        """The transaction, and the figures that a plan must show."""
        request = order.request
        return {
            "transaction_code": request.transaction_code,
            "merchant_oid": request.merchant_oid,
            "counter_party_attorney_fee": amount_text(request.counter_party_attorney_fee, "TRY"),
            "amount": amount_text(request.expense_amount, "TRY"),
            "currency": "TRY",
        }

    def guards(self, order: Order[ExpensesRequest]) -> tuple[Guard, ...]:
        """One order at a time per transaction, and neither figure decreases unless the caller allows it."""
        request = order.request
        fee, expense = request.counter_party_attorney_fee, request.expense_amount
        figures = {FEE: int(minor_units_text(fee)), EXPENSE: int(minor_units_text(expense))}
        lower = request.allow_lower
        return (NeverDecreases(request.transaction_code, figures, unless=lower, pause=self.settling_time),)

    def look_up(self, record: Record, deadline: Deadline) -> Finding:
        """A plan with our total is proof, unless the plan had that total before. The total before is "not found".

        Another total was set by somebody else, perhaps after ours: our guard lets only one order of ours through.
        """
        lookup_fields, before = record.lookup_fields, _figures_before(record)
        ours = Decimal(lookup_fields["counter_party_attorney_fee"]), Decimal(lookup_fields["amount"])
        plan, total = haso.payment_plan(lookup_fields["transaction_code"], lookup_fields["merchant_oid"], deadline)
        if total is None:
            return Inconclusive("the plan shows no total")
        together, alone = _possible_totals(*ours)
        stood_before = before is not None and total in _possible_totals(*before)
        if total == together and (before == ours or not stood_before):
            return Found(Succeeded(plan.public()), {"total": total})
        if total in (together, alone):
            return Inconclusive("the total may be that of before", send_again=total == together)
        lower_or_meant = total < together or may_decrease(record)
        if stood_before or (before is None and lower_or_meant):
            return NotFound({"total": total})
        return Inconclusive("a total that is neither ours nor that of before")


def _figures_before(record: Record) -> tuple[Decimal, Decimal] | None:
    """Attorney fee and expense before this order; None if no order of ours has set them."""
    figures = record.memory.figures
    if not figures.keys() >= {FEE, EXPENSE}:
        return None
    return amount_from_minor_units(str(figures[FEE])), amount_from_minor_units(str(figures[EXPENSE]))


def _possible_totals(attorney_fee: Decimal, expense: Decimal) -> tuple[Decimal, Decimal]:
    """`totalExpenseAmount` is fee plus expense. It is not clear whether `expenseAmount` includes the fee."""
    return attorney_fee + expense, expense


handler = handle_order.handler(SetExpenses())
