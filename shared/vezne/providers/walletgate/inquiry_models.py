"""walletgate "Get Invoices By Product And Subscriber" and "Get Product Detail By Product Id"."""

from decimal import Decimal, InvalidOperation
from typing import Annotated

from pydantic import AfterValidator

from vezne.providers.models import RequestModel, RequiredText, ResultModel
from vezne.providers.undocumented_fields import PartlyDocumented, Undocumented

_KURUS = Decimal("0.01")


class BillsRequest(RequestModel):
    """Whose bills of which biller; `walletgate.product_detail` says which subscriber numbers the biller wants."""

    product_oid: RequiredText
    subscriber_no1: RequiredText
    subscriber_no2: RequiredText | None = None
    subscriber_no3: RequiredText | None = None


class ProductRequest(RequestModel):
    """Which biller."""

    product_oid: RequiredText


def _in_kurus(amount: Decimal) -> Decimal:
    """`196.5000` -> `196.50`, so that the amount can be sent back. Other digits than zeros are kept."""
    try:
        shorter = amount.quantize(_KURUS)
    except InvalidOperation:
        raise ValueError("has more digits than any amount") from None
    return shorter if shorter == amount else amount


class Bill(PartlyDocumented):
    """One open bill. The payment has the same names, except `subscriber_no`, which is `subscriber_no1` here.

    The three expense amounts are strings such as "0.00" at the provider, too.
    """

    bill_term: str | None = None
    subscriber_no1: str | None = None
    subscriber_no2: str | None = None
    subscriber_no3: str | None = None
    product_oid: str | None = None
    # "partial_payment_allowed = 1 ise parçalı ödemeye müsade eden bir ürün demektir" (1: partial payment is allowed).
    partial_payment_allowed: bool | None = None
    invoice_date: str | None = None
    bill_due_date: str | None = None
    invoice_type: str | None = None
    inv_payment_transaction_query_oid: str | None = None
    subscriber_name: str | None = None
    bill_no: str | None = None
    invoice_amount: Annotated[Decimal, AfterValidator(_in_kurus)] | None = None
    payment_order_no: str | None = None
    expense_amount: str | None = None
    expense_firm_amount: str | None = None
    expense_dealer_amount: str | None = None


class BillsResult(ResultModel):
    """The subscriber's open bills, in the provider's order."""

    bills: list[Bill]


class ProductResult(Undocumented):
    """What the provider says about a biller: which subscriber number to fill, mandatory or not, pattern and length.

    The names of these fields are not public.
    """
