"""Paynet v1/transaction/check."""

from decimal import Decimal

from pydantic import Field

from vezne.providers.models import ProviderText, RequestModel, RequiredText, ResultModel
from vezne.providers.undocumented_fields import PartlyDocumented


class CheckRequest(RequestModel):
    """Which transaction: by Paynet's encrypted id, or by your own reference."""

    at_least_one_of = ("xact_id", "reference_no")

    xact_id: RequiredText | None = None
    reference_no: RequiredText | None = None


class Transaction(PartlyDocumented):
    """One row of `Data[]`. Amounts in major units; `transaction_type` 1 sale, 3 pre-authorisation, 4 capture."""

    xact_id: str | None = None
    id: str | None = None
    xact_date: str | None = None
    transaction_type: str | None = None
    pos_type: str | None = None
    is_3d_secure: bool | None = Field(None, alias="is_tds")
    agent_id: str | None = None
    note: ProviderText | None = None
    ratio: Decimal | None = None
    reference_no: str | None = Field(None, alias="agent_reference")
    amount: Decimal | None = None
    net_amount: Decimal | None = None
    commission: Decimal | None = Field(None, alias="comission")
    commission_tax: Decimal | None = Field(None, alias="comission_tax")
    currency: str | None = None
    authorization_code: str | None = None
    reference_code: str | None = None
    order_id: str | None = None
    is_succeed: bool | None = None


class CheckResult(ResultModel):
    """Every row of the transaction: the pre-authorisation and its captures may come as separate rows."""

    transactions: list[Transaction]
