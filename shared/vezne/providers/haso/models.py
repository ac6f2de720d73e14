"""HASO 5.14 "İcraya Verilen işlem için masraf tutarı girişi" (expenses of a transaction under enforcement).

POST {SERVIS_URL}/RequestV2/SendTransactionExpense. And 5.6 "Ödendi Bilgisinin Gönderilmesi" (tell that it was paid).
"""

import re
from datetime import date
from decimal import Decimal
from typing import Annotated, Any, Self

from pydantic import AfterValidator, BeforeValidator, Field, StringConstraints, model_validator

from vezne.platform.masking import mask_text
from vezne.providers.models import LiraAmountOrZero, ProviderText, RequestModel, ResultModel

# The request token joins the codes without a separator, so only the characters of a code are allowed. The page shows no
# code; a GUID fits in 40 characters.
TRANSACTION_CODE = "[A-Za-z0-9._/-]{1,40}"
# "merchantOid: String(20)".
MERCHANT_OID = "[A-Za-z0-9._/-]{1,20}"
# "customerId: String(10)", HASO's own number of a customer. Without a dot, so that it never ends like an address.
CUSTOMER_ID = "[A-Za-z0-9-]{1,10}"
# "0-Ödenmedi, 1-Ödendi, 2-Kısmi Ödeme, 3-Vadesi Geçmiş Ödeme, 4-İptal Edildi": not paid, paid, paid in part, overdue,
# cancelled.
STATUSES = {"unpaid": 0, "paid": 1, "partly_paid": 2, "overdue": 3, "cancelled": 4}
# The claim and the guards of an order are one transaction, which has at most 100 writes at DynamoDB.
MOST_CODES = 50
DAY = "[0-9]{4}-[0-9]{2}-[0-9]{2}"
_ENDS_WITH_AN_ADDRESS = re.compile(r"[0-9]{1,3}(\.[0-9]{1,3}){3}$", re.ASCII)


def _day(text: str) -> str:
    try:
        date.fromisoformat(text)
    except ValueError:
        raise ValueError("must be a day of the calendar") from None
    return text


def _each_once(codes: list[str]) -> list[str]:
    if len(set(codes)) < len(codes):
        raise ValueError("must name each payment once")
    return codes


def _texts(funds: Any) -> Any:
    """The values of a dictionary as texts."""
    if not isinstance(funds, dict):
        return None
    return {str(name): mask_text(value) if isinstance(value, str) else str(value) for name, value in funds.items()}


# The page signs and names the day alone: `paymentDate.ToString("yyyy-MM-dd")`.
PaymentDate = Annotated[str, StringConstraints(pattern=f"^{DAY}$"), AfterValidator(_day)]
# The code of an instalment, or the shop's own number of a payment. The page gives no length.
PaymentCode = Annotated[str, StringConstraints(pattern=f"^{TRANSACTION_CODE}$")]


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


class OutsidePaymentRequest(RequestModel):
    """What a shop tells of a payment that it received outside HASO. `customer_id` is for a look-up only."""

    merchant_oid: Annotated[str, StringConstraints(pattern=f"^{MERCHANT_OID}$")]
    customer_id: Annotated[str, StringConstraints(pattern=f"^{CUSTOMER_ID}$")]
    payment_date: PaymentDate
    payment_reference_code: PaymentCode | None = None


class SetPaidRequest(OutsidePaymentRequest):
    """Mark one instalment as paid."""

    payment_code: PaymentCode


class SetPaidBulkRequest(OutsidePaymentRequest):
    """Mark several instalments of one customer as paid."""

    payment_codes: Annotated[list[PaymentCode], Field(min_length=1, max_length=MOST_CODES), AfterValidator(_each_once)]


class SetPaidResult(ResultModel):
    """What HASO says of the marked instalments. No page says what the funds are; their values are texts."""

    message: ProviderText | None = Field(None, alias="Message")
    payment_funds: Annotated[dict[str, str] | None, BeforeValidator(_texts)] = Field(None, alias="paymentfunds")
