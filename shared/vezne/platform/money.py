"""Exact amounts, and one function for each form in which a provider takes them.

In this code money is a `Decimal` in major units, with an ISO 4217 currency. It is never a float.
"""

import functools
import re
from decimal import Decimal

# A provider may read our JSON numbers as binary floats. They are exact to 15 significant digits.
LONGEST_AMOUNT = 15

LIRA, LIRA_DIGITS = "TRY", 2

_PLAIN = re.compile(r"(?:0|[1-9][0-9]*)(?:\.[0-9]+)?", re.ASCII)


def parse_amount(value: object) -> Decimal:
    """Read an amount in major units from a request: a plain decimal string, or a JSON number read without floats.

    Raises ValueError for anything else, and for a sign, an exponent, or more than 15 digits. Its text does not contain
    the value.
    """
    if isinstance(value, bool) or not isinstance(value, (str, int, Decimal)):
        raise ValueError("must be a decimal string or a number")
    text = value if isinstance(value, str) else str(value)
    if len(text) > LONGEST_AMOUNT + 1 or not _PLAIN.fullmatch(text):
        raise ValueError("must be a plain decimal number without sign or exponent, of at most 15 digits")
    if sum(character != "." for character in text) > LONGEST_AMOUNT:
        raise ValueError("must have at most 15 digits")
    return Decimal(text)


def parse_currency(value: object) -> str:
    """Check an ISO 4217 currency code, in capitals. Raises ValueError."""
    if not isinstance(value, str) or (value != LIRA and value not in _codes()):
        raise ValueError("must be an ISO 4217 currency code, such as TRY")
    return value


def minor_digits(currency: str) -> int:
    """How many digits the currency has after the point: 2 for TRY, 0 for JPY."""
    return LIRA_DIGITS if currency == LIRA else _codes()[currency]


def check_minor_digits(amount: Decimal, currency: str) -> Decimal:
    """Refuse an amount written with more digits after the point than its currency has. Raises ValueError."""
    digits = minor_digits(currency)
    if _fraction_digits(amount) > digits:
        raise ValueError(f"must have at most {digits} digits after the point in this currency")
    return amount


def minor_units_text(amount: Decimal) -> str:
    """Kuruş as a string of digits, `10.00` -> `"1000"`: HASO 5.14 and Paynet capture.

    The pages say "100 ile çarpılmış": multiplied by 100.

    Raises ValueError if the amount has a fraction of a kuruş.
    """
    kurus = amount.scaleb(2)
    if kurus != kurus.to_integral_value():
        raise ValueError("has a fraction of a kuruş")
    return str(int(kurus))


def amount_from_minor_units(text: str) -> Decimal:
    """The inverse of `minor_units_text`: `"1000"` -> `10.00`."""
    return Decimal(int(text)).scaleb(-2)


def minor_units(amount: Decimal, currency: str) -> int:
    """An amount in the currency's smallest unit, `12.50` TRY -> 1250. Raises ValueError if that would lose a digit."""
    return int(check_minor_digits(amount, currency).scaleb(minor_digits(currency)))


def shortest_number(amount: Decimal) -> str:
    """A number without padding, `1000.00` -> `1000`: KolayBi's form field `amount=1000`."""
    text = f"{amount:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def json_number_one_digit(amount: Decimal) -> Decimal:
    """A JSON number with at least one digit after the point, `200` -> `200.0`: VakıfBank's `"Amount": 200.0`."""
    text = shortest_number(amount)
    return Decimal(text if "." in text else f"{text}.0")


def json_number_two_digits(amount: Decimal) -> Decimal:
    """A JSON number with two digits after the point, `196.5` -> `196.50`: walletgate's `"payment_amount": 196.50`.

    Raises ValueError if that would lose a digit.
    """
    padded = amount.quantize(Decimal("0.01"))
    if padded != amount:
        raise ValueError("has a fraction of a kuruş")
    return padded


def amount_text(amount: Decimal, currency: str) -> str:
    """The public form: a decimal string with all of the currency's digits, `1000` -> `"1000.00"`."""
    return f"{amount.quantize(Decimal(1).scaleb(-minor_digits(currency))):f}"


def all_digits(amount: Decimal, currency: str) -> str:
    """An amount of a provider in the public form. None of its digits is lost, even if the currency has fewer.

    Raises KeyError for an unknown currency.
    """
    return amount_text(amount, currency) if _fraction_digits(amount) <= minor_digits(currency) else f"{amount:f}"


def _fraction_digits(amount: Decimal) -> int:
    exponent = amount.as_tuple().exponent
    if not isinstance(exponent, int):
        raise ValueError("must be a finite number")
    return max(0, -exponent)


@functools.cache
def _codes() -> dict[str, int]:
    # Almost every order is in lira. The table of the other currencies is read when an order names one.
    from iso4217 import Currency

    # Codes without minor digits in the standard (gold, test codes, "no currency") are not money that pays.
    return {currency.code: currency.exponent for currency in Currency if currency.exponent is not None}
