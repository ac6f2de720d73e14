"""walletgate "Make Payment": POST /v1/InvoicePayment/MakePayment."""

from decimal import Decimal
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, ValidationInfo, field_validator

from vezne.platform.masking import mask_identity_number
from vezne.providers.models import (
    LiraAmount,
    MaskedEmail,
    MaskedName,
    MaskedNumber,
    MaskedPhone,
    ProviderText,
    RequestModel,
    RequiredText,
    ResultModel,
)

# "Hesap Tipi (1:Bireysel, 2:İşletme)" (kind of account: 1 personal, 2 business).
ACCOUNT_TYPES = {"personal": 1, "business": 2}


def _nothing(_: Any) -> None:
    return None


# A field of the page that our results never fill. It stays, so that the result has the page's form.
NotKept = Annotated[None, BeforeValidator(_nothing)]
# The wallet owner's tax number may be a person's identity number.
MaskedIdentityNumber = Annotated[str, AfterValidator(mask_identity_number)]


class BillPaymentRequest(RequestModel):
    """Pay one bill that `GetInvoicesByProductAndSubscriber` returned; its values are sent unchanged."""

    account_type: Literal["personal", "business"]
    account_number: RequiredText
    wallet_number: RequiredText
    inv_payment_transaction_query_oid: RequiredText
    invoice_amount: LiraAmount
    payment_amount: LiraAmount
    product_oid: RequiredText
    subscriber_no: RequiredText
    bill_term: RequiredText
    bill_no: RequiredText

    @field_validator("payment_amount")
    @classmethod
    def _at_most_the_bill(cls, value: Decimal, info: ValidationInfo) -> Decimal:
        if "invoice_amount" in info.data and value > info.data["invoice_amount"]:
            raise ValueError("must not be greater than invoice_amount")
        return value


class SenderWalletInfo(ResultModel):
    """ "Gönderici Cüzdan Detayı" (details of the sender's wallet).

    The result is kept as long as its key is valid. So it has no more about the wallet's owner than a replay needs. What
    names a person, an account or a wallet is masked. Balances, limits and identity checks are always null.
    """

    id: str | None = None
    name: MaskedName | None = None
    account_number: MaskedNumber | None = None
    account_type: str | None = None
    created_date_utc: str | None = None
    number: MaskedNumber | None = None
    phone_country_code: str | None = None
    phone_number: MaskedPhone | None = None
    email: MaskedEmail | None = None
    total_balance: NotKept = None
    monthly_incoming_total: NotKept = None
    monthly_outgoing_total: NotKept = None
    access_level_status_id: int | None = None
    access_level_status: str | None = None
    payment_balance: NotKept = None
    cash_balance: NotKept = None
    transaction_limits: NotKept = None
    kyc_level_status: str | None = None
    currency_code: str | None = None
    user_kyc_info: NotKept = None
    is_topup_default: bool | None = None
    tax_number: MaskedIdentityNumber | None = None
    loyalty_record_required: bool | None = None


class BillPaymentResult(ResultModel):
    """The page's `payload`, every field, nested as there, and the envelope's `message`."""

    invoice_type: str | None = None
    inv_payment_transaction_query_oid: str | None = None
    receipt_output_print: ProviderText | None = None
    institution_name: str | None = None
    payment_transaction_id: str | None = None
    transaction_id: str | None = None
    transaction_amount: Decimal | None = None
    transaction_fee: Decimal | None = None
    charged_amount: Decimal | None = None
    ext_order_id: str | None = None
    business_code: str | None = None
    business_name: str | None = None
    friendly_name: str | None = None
    receiver_account_number: str | None = None
    receiver_wallet_number: str | None = None
    sender_wallet_info: SenderWalletInfo | None = None
    message: ProviderText | None = None
