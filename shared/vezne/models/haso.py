"""HASO 5.14 "İcraya Verilen işlem için masraf tutarı girişi": POST {SERVIS_URL}/RequestV2/SendTransactionExpense."""

from decimal import Decimal
from typing import Annotated

from pydantic import Field, StringConstraints

from vezne.models import LiraAmountOrZero, RequestModel, ResultModel

# The request token joins the codes without a separator, so nothing but what a code is made of may stand in them. The
# page shows no code; 40 characters hold a GUID.
TransactionCode = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9._/-]{1,40}$")]
# "merchantOid: String(20)".
MerchantOid = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9._/-]{1,20}$")]


class ExpensesRequest(RequestModel):
    """Set the total legal expenses of a transaction under enforcement. Amounts in TRY; both are totals so far."""

    transaction_code: TransactionCode
    merchant_oid: MerchantOid
    counter_party_attorney_fee: LiraAmountOrZero
    expense_amount: LiraAmountOrZero
    allow_lower: bool = False


class Instalment(ResultModel):
    """One instalment of the payment plan. The names keep the page's mixed capitals on the wire only."""

    installment_no: int | None = Field(None, alias="InstallmentNo")
    installment_payment: Decimal | None = Field(None, alias="installmentPayment")
    term_date: str | None = Field(None, alias="termDate")
    total_expense_amount: Decimal | None = Field(None, alias="totalExpenseAmount")


class ExpensesResult(ResultModel):
    """The payment plan after the change."""

    payment_plan: list[Instalment]

    def total_expenses(self) -> Decimal | None:
        """Attorney fee and expenses as the plan carries them, in TRY; None if it shows no figure at all.

        "Toplam masraf tutarı son taksite eklenir": the last figure counts, another instalment's is not this total.
        """
        figures = [
            (item.installment_no or 0, place, item.total_expense_amount)
            for place, item in enumerate(self.payment_plan)
            if item.total_expense_amount is not None
        ]
        return max(figures)[2] if figures else None
