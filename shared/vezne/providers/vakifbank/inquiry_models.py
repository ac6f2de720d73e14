"""VakıfBank "TOS İşlemleri Sorgula" (query payments): POST /tos/query."""

from decimal import Decimal
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from vezne.providers.models import MaskedNumber, RequestModel, RequiredText, ResultModel
from vezne.providers.undocumented_fields import PartlyDocumented
from vezne.providers.vakifbank.models import TRANSACTION_TYPES, PaymentDate

_NAMES_OF_TYPES = {str(number): name for name, number in TRANSACTION_TYPES.items()}


class QueryRequest(RequestModel):
    """Which payments. The page also has account and IBAN, but they must not be in a URL."""

    # A date alone would list every payment of the institution.
    at_least_one_of = ("institution_transaction_code", "transaction_query_no", "institution_package_no")

    institution_transaction_code: RequiredText | None = None
    transaction_query_no: RequiredText | None = None
    institution_package_no: RequiredText | None = None
    payment_date: PaymentDate | None = None
    return_date: PaymentDate | None = None
    transaction_type: Literal["account", "name", "credit_card", "return"] | None = None

    def wire_fields(self) -> dict[str, Any]:
        """The fields of the page that were given."""
        kind = self.transaction_type
        fields = {
            # The payment calls it InstitutionTransactionCode.
            "InstitutionTransactionNo": self.institution_transaction_code,
            "TransactionQueryNo": self.transaction_query_no,
            "InstitutionPackageNo": self.institution_package_no,
            "PaymentDate": self.payment_date,
            "ReturnDate": self.return_date,
            "TransactionType": TRANSACTION_TYPES[kind] if kind else None,
        }
        return {name: value for name, value in fields.items() if value is not None}


def _type_name(value: Any) -> Any:
    return _NAMES_OF_TYPES.get(str(value), value)


def _iso_currency(value: Any) -> Any:
    return "TRY" if value == "TL" else value


class QueriedPayment(PartlyDocumented):
    """One row of `Result`. The page shows the fields up to the receiver's account. Later ones are under `raw`."""

    institution_code: str | None = Field(None, alias="InstitutionCode")
    transaction_type: Annotated[str, BeforeValidator(_type_name)] | None = Field(None, alias="TransactionType")
    tax_identity_check: bool | None = Field(None, alias="TaxIdentityCheck")
    credit_use: bool | None = Field(None, alias="CreditUse")
    amount: Decimal | None = Field(None, alias="Amount")
    currency: Annotated[str, BeforeValidator(_iso_currency)] | None = Field(None, alias="CurrencyType")
    sender_account_no: MaskedNumber | None = Field(None, alias="SenderAccountNo")
    receiver_account: MaskedNumber | None = Field(None, alias="ReceivertAccountIbanNo")


class QueryResult(ResultModel):
    """The payments found; an empty list if there are none."""

    payments: list[QueriedPayment]
