"""walletgate "Make Payment": POST /v1/InvoicePayment/MakePayment."""

from decimal import Decimal
from typing import Annotated, Literal

from pydantic import AfterValidator, ValidationInfo, field_validator

from vezne.masking import mask_identity_number
from vezne.models import LiraAmount, ProviderText, RequestModel, RequiredText, ResultModel

# "Hesap Tipi (1:Bireysel, 2:İşletme)".
ACCOUNT_TYPES = {"personal": 1, "business": 2}

# The wallet owner's tax number may be a person's identity number.
MaskedIdentityNumber = Annotated[str, AfterValidator(mask_identity_number)]


class BillPaymentRequest(RequestModel):
    """Pay one bill that `GetInvoicesByProductAndSubscriber` returned; its values are passed on as they came."""

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


class Balance(ResultModel):
    """A balance, usable and not."""

    available: Decimal | None = None
    unavailable: Decimal | None = None


class TransactionLimits(ResultModel):
    """What the wallet may still do."""

    max_balance: Decimal | None = None
    topup_credit_limit: Decimal | None = None
    topup_cash_limit: Decimal | None = None
    withdrawal_limit: Decimal | None = None
    payment_limit: Decimal | None = None
    wallet_to_wallet_limit: Decimal | None = None


class SenderWalletInfo(ResultModel):
    """ "Gönderici Cüzdan Detayı"."""

    id: str | None = None
    name: str | None = None
    account_number: str | None = None
    account_type: str | None = None
    created_date_utc: str | None = None
    number: str | None = None
    phone_country_code: str | None = None
    phone_number: str | None = None
    email: str | None = None
    total_balance: Decimal | None = None
    monthly_incoming_total: Decimal | None = None
    monthly_outgoing_total: Decimal | None = None
    access_level_status_id: int | None = None
    access_level_status: str | None = None
    payment_balance: Balance | None = None
    cash_balance: Balance | None = None
    transaction_limits: TransactionLimits | None = None
    kyc_level_status: str | None = None
    currency_code: str | None = None
    user_kyc_info: str | None = None
    is_topup_default: bool | None = None
    tax_number: MaskedIdentityNumber | None = None
    loyalty_record_required: bool | None = None


class BillPaymentResult(ResultModel):
    """The page's `payload`, every field, nested as there, and the envelope's `message`."""

    invoice_type: str | None = None
    inv_payment_transaction_query_oid: str | None = None
    receipt_output_print: str | None = None
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
