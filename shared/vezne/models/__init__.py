"""Requests and results, one module per provider, and the types they share."""

from decimal import Decimal
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, StringConstraints, ValidationInfo

from vezne.masking import mask_text
from vezne.money import check_minor_digits, parse_amount, parse_currency


class RequestModel(BaseModel):
    """A request as the caller sends it: exact types, no unknown fields, and no value in any error text."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, hide_input_in_errors=True)


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
RequiredText = Annotated[str, StringConstraints(min_length=1)]
# Text a provider wrote freely: it may repeat numbers that must not be kept.
ProviderText = Annotated[str, AfterValidator(mask_text)]
