"""The fields of a payment order: their names, types and conditional rules, as page "TOS İşlemleri Yap" has them."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any

from vezne_sandbox.vakifbank.messages import NOT_EMPTY
from vezne_sandbox.wire import Malformed, boolean, integer, known_fields, positive_number, text

OPTIONAL_TEXTS = frozenset(
    {
        "ReceivertAccountIbanNo",
        "ReceiverBankCode",
        "ReceiverBranchCode",
        "ReceiverNameSurname",
        "Explanation",
        "ReceiverAddress",
        "ReceiverTelephone",
        "ReceiverIdentityNo",
        "ReceiverAdministrationTax",
        "ReceiverTaxNo",
        "ReceiverFatherName",
        "ReceiverEmail",
        "InstitutionPackageNo",
        "ComingReturnPaymentDate",
        "ComingReturnTransactionQueryNo",
        "ChiefName",
        "ChiefAccountNo",
        "ChiefIdentityNo",
        "ChiefAdress",
        "ChiefCountryCity",
        "ChiefBirthPlace",
        "ChiefBirthDate",
        "ChiefCustomerNo",
    }
)
PAYMENT_FIELDS = OPTIONAL_TEXTS | {
    "InstitutionCode",
    "TransactionType",
    "TaxIdentityCheck",
    "CreditUse",
    "Amount",
    "CurrencyType",
    "SenderAccountNo",
    "InstitutionTransactionCode",
    "PaymentDate",
}
PERSONAL_FIELDS = frozenset(
    {
        "ReceivertAccountIbanNo",
        "ReceiverIdentityNo",
        "ReceiverTaxNo",
        "ReceiverTelephone",
        "ChiefAccountNo",
        "ChiefIdentityNo",
    }
)
NAME, CREDIT_CARD = 2, 3
TRANSACTION_TYPES = {1, NAME, CREDIT_CARD, 5}


def check_payment(fields: dict[str, Any]) -> None:
    """Check types and conditional rules of the payment page."""
    known_fields(fields, PAYMENT_FIELDS)
    for name in (*NOT_EMPTY, "SenderAccountNo", "PaymentDate"):
        text(fields, name)
    for name in OPTIONAL_TEXTS & set(fields):
        text(fields, name, empty=True)
    boolean(fields, "TaxIdentityCheck")
    boolean(fields, "CreditUse")
    positive_number(fields, "Amount")
    if not re.fullmatch(r"TL|(?!TRY)[A-Z]{3}", fields["CurrencyType"]):
        raise Malformed("CurrencyType must be TL or a foreign currency's code")
    check_date_time(fields, "PaymentDate")
    check_receiver(integer(fields, "TransactionType"), fields)


def check_receiver(transaction_type: int, fields: dict[str, Any]) -> None:
    """Check what depends on TransactionType: a card number for 3, a name and no account for 2, an account for 1."""
    account = fields.get("ReceivertAccountIbanNo", "")
    if transaction_type not in TRANSACTION_TYPES:
        raise Malformed("TransactionType must be 1, 2, 3 or 5")
    if transaction_type == NAME and account:
        raise Malformed("ReceivertAccountIbanNo must be empty for TransactionType 2")
    if transaction_type == NAME and not fields.get("ReceiverNameSurname"):
        raise Malformed("ReceiverNameSurname must be filled for TransactionType 2")
    if transaction_type == CREDIT_CARD and not is_card_number(account):
        raise Malformed("ReceivertAccountIbanNo must be a card number for TransactionType 3")
    if transaction_type == 1 and not account:
        raise Malformed("ReceivertAccountIbanNo must be filled for TransactionType 1")


def is_card_number(value: str) -> bool:
    """Check 13 to 19 digits with Luhn's check digit."""
    if not re.fullmatch(r"[0-9]{13,19}", value):
        return False
    doubled = [int(digit) * (1 + position % 2) for position, digit in enumerate(reversed(value))]
    return sum(digit - 9 if digit > 9 else digit for digit in doubled) % 10 == 0


def check_date_time(fields: dict[str, Any], name: str) -> None:
    """Check ``yyyy-MM-ddTHH:mm:ss`` without an offset."""
    try:
        datetime.strptime(fields[name], "%Y-%m-%dT%H:%M:%S")  # noqa: DTZ007 - the page's dates carry no offset
    except ValueError as error:
        raise Malformed(f"{name} must be yyyy-MM-ddTHH:mm:ss") from error
