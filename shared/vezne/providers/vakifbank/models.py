"""VakıfBank "TOS İşlemleri Yap" (make payments): POST /tos/payment."""

from datetime import date, datetime, time
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field, ValidationInfo, field_validator
from stdnum import iban, luhn
from stdnum.tr import tckimlik, vkn

from vezne.platform.money import json_number_one_digit
from vezne.providers.models import Amount, Currency, OptionalText, ProviderText, RequestModel, RequiredText, ResultModel

# "İşlem tipi" (kind of payment): None = 0, Hesaba (to an account) = 1, Isme (to a name) = 2, KrediKarti (to a credit
# card) = 3, Iade (return) = 5.
TRANSACTION_TYPES = {"account": 1, "name": 2, "credit_card": 3, "return": 5}
# `2026-12-28T00:00:00.000000`
LONGEST_DATE = 26


def _is_digits(value: str) -> bool:
    return value.isascii() and value.isdecimal()


# The check functions ignore blanks and hyphens. They would be sent unchecked, so they are refused.
def _identity_number(value: str) -> str:
    if value and not (_is_digits(value) and tckimlik.is_valid(value)):
        raise ValueError("is not a valid TCKN")
    return value


def _tax_number(value: str) -> str:
    if value and not (_is_digits(value) and vkn.is_valid(value)):
        raise ValueError("is not a valid VKN")
    return value


def _payment_date(value: Any) -> Any:
    """A date or date-time in the page's form `yyyy-MM-ddTHH:mm:ss`, which has no offset."""
    if not isinstance(value, str) or len(value) > LONGEST_DATE:
        raise ValueError("must be an ISO 8601 date or date-time")
    try:
        stamp = datetime.fromisoformat(value) if "T" in value else datetime.combine(date.fromisoformat(value), time())
    except ValueError:
        raise ValueError("must be an ISO 8601 date or date-time") from None
    if stamp.tzinfo is not None:
        raise ValueError("must have no offset: it is Turkish local time")
    return stamp.isoformat(timespec="seconds")


PaymentDate = Annotated[str, BeforeValidator(_payment_date), Field(json_schema_extra={"maxLength": LONGEST_DATE})]
IdentityNumber = Annotated[
    str, AfterValidator(_identity_number), Field(json_schema_extra={"pattern": "^([0-9]{11})?$"})
]
TaxNumber = Annotated[str, AfterValidator(_tax_number), Field(json_schema_extra={"pattern": "^([0-9]{10})?$"})]


class Chief(RequestModel):
    """ "Amir" (the ordering party): who orders the payment."""

    name: OptionalText = ""
    account_no: OptionalText = ""
    identity_no: IdentityNumber = ""
    address: OptionalText = ""
    country_city: OptionalText = ""
    birth_place: OptionalText = ""
    birth_date: OptionalText = ""
    customer_no: OptionalText = ""


class PaymentRequest(RequestModel):
    """One payment instruction to an account, a name, a credit card, or back."""

    transaction_type: Literal["account", "name", "credit_card", "return"]
    currency: Currency
    amount: Amount
    sender_account_no: RequiredText
    payment_date: PaymentDate
    tax_identity_check: bool
    credit_use: bool
    receiver_account: Annotated[RequiredText | None, Field(validate_default=True, repr=False)] = None
    receiver_name: Annotated[RequiredText | None, Field(validate_default=True)] = None
    institution_transaction_code: RequiredText | None = None
    receiver_bank_code: OptionalText = ""
    receiver_branch_code: OptionalText = ""
    explanation: OptionalText = ""
    receiver_address: OptionalText = ""
    receiver_phone: OptionalText = ""
    receiver_identity_no: IdentityNumber = ""
    receiver_tax_office: OptionalText = ""
    receiver_tax_no: TaxNumber = ""
    receiver_father_name: OptionalText = ""
    receiver_email: OptionalText = ""
    institution_package_no: OptionalText = ""
    returned_payment_date: OptionalText = ""
    returned_transaction_query_no: OptionalText = ""
    chief: Chief = Chief()

    def identity(self) -> dict[str, Any]:
        """Like that of the base class, but with only the last four digits of a card number.

        A bank has few card numbers. Somebody who knows the key of a hash could try them all; a client knows its key. So
        two cards with the same last four digits count as one under one key: the second order gets the first
        outcome.
        """
        known = super().identity()
        if self.secret_in_part:
            known["receiver_account"] = known["receiver_account"][-4:]
        return known

    @property
    def secret_in_part(self) -> bool:
        """Whether it names a card."""
        return self.transaction_type == "credit_card"

    def wire_fields(self, institution_code: str, transaction_code: str) -> dict[str, Any]:
        """Every field of the page in its order and spelling. A missing text is "", as in the sample."""
        return {
            "InstitutionCode": institution_code,
            "TransactionType": TRANSACTION_TYPES[self.transaction_type],
            "TaxIdentityCheck": self.tax_identity_check,
            "CreditUse": self.credit_use,
            "Amount": json_number_one_digit(self.amount),
            # Only VakıfBank calls the lira "TL".
            "CurrencyType": "TL" if self.currency == "TRY" else self.currency,
            "SenderAccountNo": self.sender_account_no,
            "ReceivertAccountIbanNo": self.receiver_account or "",
            "ReceiverBankCode": self.receiver_bank_code,
            "ReceiverBranchCode": self.receiver_branch_code,
            "ReceiverNameSurname": self.receiver_name or "",
            "Explanation": self.explanation,
            "InstitutionTransactionCode": transaction_code,
            "ReceiverAddress": self.receiver_address,
            "ReceiverTelephone": self.receiver_phone,
            "ReceiverIdentityNo": self.receiver_identity_no,
            "ReceiverAdministrationTax": self.receiver_tax_office,
            "ReceiverTaxNo": self.receiver_tax_no,
            "ReceiverFatherName": self.receiver_father_name,
            "ReceiverEmail": self.receiver_email,
            "PaymentDate": self.payment_date,
            "InstitutionPackageNo": self.institution_package_no,
            "ComingReturnPaymentDate": self.returned_payment_date,
            "ComingReturnTransactionQueryNo": self.returned_transaction_query_no,
            "ChiefName": self.chief.name,
            "ChiefAccountNo": self.chief.account_no,
            "ChiefIdentityNo": self.chief.identity_no,
            "ChiefAdress": self.chief.address,
            "ChiefCountryCity": self.chief.country_city,
            "ChiefBirthPlace": self.chief.birth_place,
            "ChiefBirthDate": self.chief.birth_date,
            "ChiefCustomerNo": self.chief.customer_no,
        }

    @field_validator("receiver_account")
    @classmethod
    def _receiver_account_fits_the_type(cls, value: str | None, info: ValidationInfo) -> str | None:
        """ "TransactionType alanı 3 ise ... kredi kartı numarası olmalıdır. ... 2 ise bu alan boş olacaktır." """
        kind = info.data.get("transaction_type")
        if kind == "name" and value is not None:
            raise ValueError("must be absent for a payment to a name")
        if kind in ("account", "credit_card") and value is None:
            raise ValueError("is required for this transaction_type")
        if value is None:
            return None
        if kind == "credit_card" and not _is_card_number(value):
            raise ValueError("is not a valid card number")
        if kind in ("account", "return") and value[:2].isalpha() and not _is_iban(value):
            raise ValueError("is not a valid IBAN")
        return value

    @field_validator("receiver_name")
    @classmethod
    def _receiver_name_fits_the_type(cls, value: str | None, info: ValidationInfo) -> str | None:
        """ "TransactionType alanı 2 ise bu alan dolu olacaktır." """
        if info.data.get("transaction_type") == "name" and value is None:
            raise ValueError("is required for a payment to a name")
        return value


def _is_iban(value: str) -> bool:
    return iban.is_valid(value) and iban.compact(value) == value


def _is_card_number(value: str) -> bool:
    return _is_digits(value) and 12 <= len(value) <= 19 and luhn.is_valid(value)


class PaymentResult(ResultModel):
    """The page's `QueryResult`, and of the gateway's `Header` what tells of a success."""

    transaction_object_id: str | None = None
    transaction_query_no: str | None = None
    # The page: `InstitutionTaxNo`, "İşlemin yapılırken girilen id değeridir": our own code, despite its name.
    institution_transaction_code: str | None = None
    error_code: str | None = None
    error_explanation: ProviderText | None = None
    gateway_object_id: str | None = None
    status_description: ProviderText | None = None
    status_description_en: ProviderText | None = None
