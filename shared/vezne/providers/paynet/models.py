"""Paynet "Finansallaştırma" (capture): POST /v1/transaction/capture."""

from decimal import Decimal
from typing import Annotated, ClassVar, Literal

from pydantic import AfterValidator, Field

from vezne.platform.masking import mask_card_number, mask_email
from vezne.providers.models import (
    LiraAmount,
    MaskedEmail,
    MaskedName,
    MaskedPhone,
    ProviderText,
    RequestModel,
    RequiredText,
    ResultModel,
)


class CaptureRequest(RequestModel):
    """Capture a pre-authorisation, whole (no amount) or in part. Amount in TRY."""

    # "xact_id, xact ve reference_no alanlarından en az bir tanesi zorunludur."
    at_least_one_of = ("xact_id", "xact", "reference_no")

    xact_id: RequiredText | None = None
    xact: RequiredText | None = None
    reference_no: RequiredText | None = None
    amount: LiraAmount | None = None


class ReverseCaptureRequest(RequestModel):
    """Cancel a successful capture, whole, by its own encrypted id: the `xact_id` of the capture's result."""

    xact_id: Annotated[RequiredText, Field(max_length=100)]


class ReversePreauthorisationRequest(RequestModel):
    """Cancel a pre-authorisation, whole, by its encrypted id."""

    xact_id: Annotated[RequiredText, Field(max_length=100)]


class RequestRefundRequest(RequestModel):
    """Ask Paynet's staff to give a capture or a sale back, whole (no amount) or in part. Amount in TRY."""

    xact_id: Annotated[RequiredText, Field(max_length=100)]
    amount: LiraAmount | None = None


def _user(user_id: str) -> str:
    """Who made the transaction. Some merchants' users are named by their e-mail addresses."""
    return mask_email(user_id) if "@" in user_id else user_id


class CaptureResult(ResultModel):
    """The page's answer fields with correct spelling; also one row of `v1/transaction/check`.

    The result is kept as long as its key is valid, so what names the card's holder is masked.
    """

    booked_at_field: ClassVar[str] = "xact_date"

    xact_id: str | None = None
    # The plain id; `xact_id` is the encrypted one. Only rows of look-ups have it.
    id: str | None = None
    xact_date: str | None = None
    transaction_type: str | None = None
    pos_type: str | None = None
    is_3d_secure: bool | None = Field(None, alias="is_tds")
    agent_id: str | None = None
    user_id: Annotated[str, AfterValidator(_user)] | None = None
    email: MaskedEmail | None = None
    phone: MaskedPhone | None = None
    bank_id: str | None = None
    instalment: int | None = None
    ratio: Decimal | None = None
    card_no_masked: Annotated[str, AfterValidator(mask_card_number)] | None = None
    card_holder: MaskedName | None = None
    amount: Decimal | None = None
    net_amount: Decimal | None = None
    commission: Decimal | None = Field(None, alias="comission")
    commission_tax: Decimal | None = Field(None, alias="comission_tax")
    currency: str | None = None
    authorization_code: str | None = None
    reference_code: str | None = None
    order_id: str | None = None
    paynet_error_id: str | None = None
    paynet_error_message: ProviderText | None = None
    bank_error_id: str | None = None
    bank_error_message: ProviderText | None = None
    bank_error_short_desc: ProviderText | None = None
    bank_error_long_desc: ProviderText | None = None
    object_name: str | None = None
    code: str | None = None
    message: ProviderText | None = None


class RequestRefundResult(ResultModel):
    """The request was taken. `decision` is `pending`: Paynet's staff decides later, and no money has moved yet."""

    decision: Literal["pending"] = "pending"
    object_name: str | None = None
    code: str | None = None
    message: ProviderText | None = None
