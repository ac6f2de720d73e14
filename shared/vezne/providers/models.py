"""The base models of requests and results, and the types that the providers' models share."""

from decimal import Decimal
from typing import Annotated, Any, ClassVar, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationInfo,
    model_validator,
)

from vezne.platform.masking import mask_email, mask_end, mask_name, mask_phone, mask_text
from vezne.platform.money import check_minor_digits, parse_amount, parse_currency

# For a text whose page gives no length; in characters.
LONGEST_TEXT = 140
# 18 digits fit in a 64-bit integer, which every provider has.
LARGEST_NUMBER = 10**18 - 1
# Invisible characters that Unicode counts as letters, marks or symbols: joiners, fillers, variation selectors.
_INVISIBLE = frozenset(
    "\u034f\u115f\u1160\u17b4\u17b5\u180b\u180c\u180d\u180f\u2800\u3164\uffa0"
    + "".join(map(chr, (*range(0xFE00, 0xFE10), *range(0xE0100, 0xE01F0))))
)
# A short pattern for the API's description. `one_line` checks more.
ONE_LINE = r"^\S(.*\S)?$"


def one_line(text: str) -> str:
    """One line of visible text, without blanks at its ends; it may be empty. Raises ValueError.

    Line breaks, control characters and other invisible characters must not get into a bank's books and statements. A
    bank would take two references for one if they differ only by a blank at the end.
    """
    if not text.isprintable() or not _INVISIBLE.isdisjoint(text):
        raise ValueError("must be one line of visible characters")
    if text != text.strip():
        raise ValueError("must not begin or end with a blank")
    return text


class RequestModel(BaseModel):
    """A request as the caller sends it. Types are exact, unknown fields are refused, and no error text has a value."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, hide_input_in_errors=True)

    # Optional fields of which a request needs one or more; none: there is no such rule.
    at_least_one_of: ClassVar[tuple[str, ...]] = ()

    @model_validator(mode="after")
    def _has_one_of_them(self) -> Self:
        names = self.at_least_one_of
        if names and not any(getattr(self, name) for name in names):
            raise ValueError(f"at least one of {', '.join(names[:-1])} and {names[-1]} is required")
        return self

    def identity(self) -> dict[str, Any]:
        """The fields that are sent. Two requests with the same fields are the same request.

        A default, an empty text and an empty list are sent as if they were absent, so they count as absent. A new
        optional field changes nothing for the requests that do not have it.
        """
        return _without_empty(self.model_dump(exclude_defaults=True))

    @property
    def secret_in_part(self) -> bool:
        """Whether `identity` leaves out a part of a value that must not be kept, not even as a hash."""
        return False


def _without_empty(fields: dict[str, Any]) -> dict[str, Any]:
    kept = {name: _without_empty(value) if isinstance(value, dict) else value for name, value in fields.items()}
    return {name: value for name, value in kept.items() if value is not None and value not in ("", [], {})}


class ResultModel(BaseModel):
    """A result from the provider's answer. Types are read leniently, and unknown fields are dropped.

    Providers send codes and ids sometimes as strings, sometimes as numbers, and leave out empty fields. The models of
    rows have `defer_build`, so the validator is built for the first row. Most instances of a function never read one.
    """

    model_config = ConfigDict(
        extra="ignore", frozen=True, hide_input_in_errors=True, coerce_numbers_to_str=True, populate_by_name=True
    )

    # The field with the time at which the provider booked it, in ISO 8601 with an offset; empty: no field has it.
    booked_at_field: ClassVar[str] = ""

    def public(self) -> dict[str, Any]:
        """The result ready for JSON; decimals are decimal strings with the provider's digits."""
        return self.model_dump(mode="json")


def _in_minor_digits(amount: Decimal, info: ValidationInfo) -> Decimal:
    # A refused currency is not in the data. It has an error of its own, which is enough.
    return check_minor_digits(amount, info.data["currency"]) if "currency" in info.data else amount


def _positive(amount: Decimal) -> Decimal:
    if amount <= 0:
        raise ValueError("must be greater than 0")
    return amount


def _in_kurus(amount: Decimal) -> Decimal:
    return check_minor_digits(amount, "TRY")


def _in_two_digits(amount: Decimal) -> Decimal:
    if amount != round(amount, 2):
        raise ValueError("must have at most 2 digits after the point")
    return amount


Currency = Annotated[str, BeforeValidator(parse_currency)]
# The model must declare a field `currency` before it.
Amount = Annotated[Decimal, BeforeValidator(parse_amount), AfterValidator(_in_minor_digits), AfterValidator(_positive)]
LiraAmount = Annotated[Decimal, BeforeValidator(parse_amount), AfterValidator(_in_kurus), AfterValidator(_positive)]
LiraAmountOrZero = Annotated[Decimal, BeforeValidator(parse_amount), AfterValidator(_in_kurus)]
# Of a currency that the provider knows and the caller does not name.
TwoDigitAmount = Annotated[
    Decimal, BeforeValidator(parse_amount), AfterValidator(_in_two_digits), AfterValidator(_positive)
]
PositiveDecimal = Annotated[Decimal, BeforeValidator(parse_amount), AfterValidator(_positive)]
RequiredText = Annotated[
    str,
    StringConstraints(min_length=1, max_length=LONGEST_TEXT),
    AfterValidator(one_line),
    Field(json_schema_extra={"pattern": ONE_LINE}),
]
# "" means the same as no field.
OptionalText = Annotated[
    str,
    StringConstraints(max_length=LONGEST_TEXT),
    AfterValidator(one_line),
    Field(json_schema_extra={"pattern": rf"^$|{ONE_LINE}"}),
]
# The number of a record at the provider.
RecordNumber = Annotated[int, Field(ge=1, le=LARGEST_NUMBER)]
# Free text of a provider. It may repeat numbers that must not be kept.
ProviderText = Annotated[str, AfterValidator(mask_text)]
# An account, card or identity number in a field of its own.
MaskedNumber = Annotated[str, AfterValidator(mask_end)]
# What names a person is masked. A result is kept as long as its key is valid, and the first answer and its replays are
# the same.
MaskedName = Annotated[str, AfterValidator(mask_name)]
MaskedEmail = Annotated[str, AfterValidator(mask_email)]
MaskedPhone = Annotated[str, AfterValidator(mask_phone)]


class StandingOrder(RequestModel):
    """The event of a standing order's rule. `name` and `occurrence` make the key, `request` is the order."""

    name: RequiredText
    occurrence: RequiredText
    request: dict[str, Any]
