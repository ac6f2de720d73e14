"""Requests and results, one module per provider, and the types they share."""

from decimal import Decimal
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints, ValidationInfo

from vezne.platform.masking import mask_email, mask_end, mask_name, mask_phone, mask_text
from vezne.platform.money import check_minor_digits, parse_amount, parse_currency

# For a text whose page gives no length; in characters.
LONGEST_TEXT = 140
# 18 digits: what every provider's 64-bit integer holds.
LARGEST_NUMBER = 10**18 - 1
# Characters that leave no mark though Unicode counts them as letters, marks or symbols: joiners, fillers, variants.
_INVISIBLE = frozenset(
    "\u034f\u115f\u1160\u17b4\u17b5\u180b\u180c\u180d\u180f\u2800\u3164\uffa0"
    + "".join(map(chr, (*range(0xFE00, 0xFE10), *range(0xE0100, 0xE01F0))))
)
# The part of `one_line` that a short pattern can say, for the API's description.
ONE_LINE = r"^\S(.*\S)?$"


def one_line(text: str) -> str:
    """One line of visible text, without blanks at its ends; it may be empty. Raises ValueError.

    Line breaks, control and direction characters, and everything else that nobody sees would reach a bank's books and
    statements. Two references that differ by a blank at the end would be one reference to a bank, and two to us.
    """
    if not text.isprintable() or not _INVISIBLE.isdisjoint(text):
        raise ValueError("must be one line of visible characters")
    if text != text.strip():
        raise ValueError("must not begin or end with a blank")
    return text


class RequestModel(BaseModel):
    """A request as the caller sends it: exact types, no unknown fields, and no value in any error text."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, hide_input_in_errors=True)

    def identity(self) -> dict[str, Any]:
        """What tells this request from another: what is sent.

        A default, an empty text and an empty list are sent as if they were absent, so they count as absent. A new
        optional field changes nothing for the requests that do not have it.
        """
        return _without_empty(self.model_dump(exclude_defaults=True))

    @property
    def secret_in_part(self) -> bool:
        """Whether `identity` leaves something out because it must not be kept, not even as a hash."""
        return False


def _without_empty(fields: dict[str, Any]) -> dict[str, Any]:
    kept = {name: _without_empty(value) if isinstance(value, dict) else value for name, value in fields.items()}
    return {name: value for name, value in kept.items() if value is not None and value not in ("", [], {})}


class ResultModel(BaseModel):
    """A result as the provider answers it: types are read leniently, fields we do not know are dropped.

    Providers send codes and ids now as strings, now as numbers, and leave out what is empty. Rows of look-ups say
    `defer_build`: most instances of a function never read one, so its validator is built when the first comes.
    """

    model_config = ConfigDict(
        extra="ignore", frozen=True, hide_input_in_errors=True, coerce_numbers_to_str=True, populate_by_name=True
    )

    def public(self) -> dict[str, Any]:
        """The result ready for JSON; decimals are decimal strings with the provider's digits."""
        return self.model_dump(mode="json")


def _in_minor_digits(amount: Decimal, info: ValidationInfo) -> Decimal:
    # A currency that was itself refused is not in the data; its own error is enough.
    return check_minor_digits(amount, info.data["currency"]) if "currency" in info.data else amount


def _positive(amount: Decimal) -> Decimal:
    if amount <= 0:
        raise ValueError("must be greater than 0")
    return amount


def _in_kurus(amount: Decimal) -> Decimal:
    return check_minor_digits(amount, "TRY")


Currency = Annotated[str, BeforeValidator(parse_currency)]
# Needs a field `currency` declared before it.
Amount = Annotated[Decimal, BeforeValidator(parse_amount), AfterValidator(_in_minor_digits), AfterValidator(_positive)]
LiraAmount = Annotated[Decimal, BeforeValidator(parse_amount), AfterValidator(_in_kurus), AfterValidator(_positive)]
LiraAmountOrZero = Annotated[Decimal, BeforeValidator(parse_amount), AfterValidator(_in_kurus)]
PositiveDecimal = Annotated[Decimal, BeforeValidator(parse_amount), AfterValidator(_positive)]
RequiredText = Annotated[
    str,
    StringConstraints(min_length=1, max_length=LONGEST_TEXT),
    AfterValidator(one_line),
    Field(json_schema_extra={"pattern": ONE_LINE}),
]
# "" says the same as leaving it out.
OptionalText = Annotated[
    str,
    StringConstraints(max_length=LONGEST_TEXT),
    AfterValidator(one_line),
    Field(json_schema_extra={"pattern": rf"^$|{ONE_LINE}"}),
]
# A provider's number of a record of its own.
RecordNumber = Annotated[int, Field(ge=1, le=LARGEST_NUMBER)]
# Text a provider wrote freely: it may repeat numbers that must not be kept.
ProviderText = Annotated[str, AfterValidator(mask_text)]
# An account, card or identity number in a field of its own.
MaskedNumber = Annotated[str, AfterValidator(mask_end)]
# What names a person. A result is kept as long as its key is good, and a replay needs no more than this to be known
# again; the first answer and its replays are alike.
MaskedName = Annotated[str, AfterValidator(mask_name)]
MaskedEmail = Annotated[str, AfterValidator(mask_email)]
MaskedPhone = Annotated[str, AfterValidator(mask_phone)]


class StandingOrder(RequestModel):
    """What a rule sends: name and occurrence are the order's key, `request` is the order."""

    name: RequiredText
    occurrence: RequiredText
    request: dict[str, Any]
