"""HASO 5.14 "İcraya Verilen işlem için masraf tutarı girişi" (expenses of a transaction under enforcement).

POST {SERVIS_URL}/RequestV2/SendTransactionExpense.
"""

import re
from decimal import Decimal
from typing import Annotated, Self

from pydantic import Field, StringConstraints, model_validator

from vezne.providers.models import LiraAmountOrZero, RequestModel, ResultModel

# The request token joins the codes without a separator, so only the characters of a code are allowed. The page shows no
# code; a GUID fits in 40 characters.
TRANSACTION_CODE = "[A-Za-z0-9._/-]{1,40}"
# "merchantOid: String(20)".
MERCHANT_OID = "[A-Za-z0-9._/-]{1,20}"
_ENDS_WITH_AN_ADDRESS = re.compile(r"[0-9]{1,3}(\.[0-9]{1,3}){3}$", re.ASCII)


class TransactionNamed(RequestModel):
    """What names a transaction: HASO's code, and your own order number."""

    transaction_code: Annotated[str, StringConstraints(pattern=f"^{TRANSACTION_CODE}$")]
    merchant_oid: Annotated[str, StringConstraints(pattern=f"^{MERCHANT_OID}$")]

    @model_validator(mode="after")
    def _cannot_be_signed_like_an_order(self) -> Self:
        """The signature of an order ends with an address: see `haso.client.signed_inquiry`."""
        if _ENDS_WITH_AN_ADDRESS.search(self.merchant_oid + self.transaction_code):
            raise ValueError("merchant_oid and transaction_code together must not end like an internet address")
        return self


class ExpensesRequest(TransactionNamed):
    """Set the total legal expenses of a transaction under enforcement. Amounts in TRY; both are totals so far."""

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
