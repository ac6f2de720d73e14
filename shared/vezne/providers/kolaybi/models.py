"""KolayBi's collections, from an associate ("Cari Tahsilat İşlemi") and on an invoice ("Fatura Tahsilat")."""

import re
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from typing import Annotated, Any, ClassVar, Literal

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    ValidationError,
    ValidatorFunctionWrapHandler,
    WrapValidator,
)

from vezne.orders.record import OPERATION_ID
from vezne.providers.models import (
    Amount,
    Currency,
    OptionalText,
    PositiveDecimal,
    ProviderText,
    RecordNumber,
    RequestModel,
    ResultModel,
    TwoDigitAmount,
)

# Times without a zone are Turkish local time, which is +03:00 all year since 2016.
TURKISH_TIME = timezone(timedelta(hours=3))
# The page gives no limits, but a form needs them.
MOST_PROJECTS = 50
MOST_ROWS = 20


def _no_marker(text: str) -> str:
    """An operation id in a description proves to us that the collection was made. So callers may not write one."""
    if re.search(OPERATION_ID, text):
        raise ValueError("must not contain an operation id")
    return text


class Expense(RequestModel):
    """An expense of a collection, such as a bank's commission, and the account that bears it."""

    source_type: Literal["vault", "associate"]
    source_id: RecordNumber
    currency: Currency
    amount: Amount


class CurrencyRate(RequestModel):
    """A collection's value in a further currency ("İşlem Takip Para Birimi": currency to follow the transaction in)."""

    quote_currency: Currency
    rate: PositiveDecimal
    total: PositiveDecimal


class CollectionRequest(RequestModel):
    """Collect an amount from an associate (cari) into an account."""

    associate_id: RecordNumber
    currency: Currency
    amount: Amount
    gateway_id: RecordNumber
    gateway_type: Literal["vault", "associate"] | None = None
    exchange_rate: PositiveDecimal | None = None
    project_ids: Annotated[list[RecordNumber], Field(max_length=MOST_PROJECTS)] | None = None
    description: Annotated[OptionalText, AfterValidator(_no_marker)] | None = None
    expenses: Annotated[list[Expense], Field(max_length=MOST_ROWS)] | None = None
    transaction_currency_rates: Annotated[list[CurrencyRate], Field(max_length=MOST_ROWS)] | None = None


def _iso_date(value: Any) -> Any:
    """`2024-01-15 14:30:00` -> `2024-01-15T14:30:00+03:00`. Raises ValueError."""
    if value is None:
        return None
    if not isinstance(value, str):
        raise ValueError("must be text")
    stamp = datetime.fromisoformat(value)
    return (stamp if stamp.tzinfo else stamp.replace(tzinfo=TURKISH_TIME)).isoformat()


def _if_it_fits(value: Any, read: ValidatorFunctionWrapHandler) -> Any:
    """A field that proves nothing must not hide a sign of success in another field."""
    try:
        return read(value)
    except ValidationError:
        return None


# A date in a form that the page does not show is left out: a time is never guessed.
_Date = Annotated[str | None, BeforeValidator(_iso_date), WrapValidator(_if_it_fits)]
_Text = Annotated[ProviderText | None, WrapValidator(_if_it_fits)]


class CollectionResult(ResultModel):
    """The page's "Yanıt Alanları" (answer fields), or those of them that a row of the transactions has.

    Status, amount and currency were checked before, on the raw values.
    """

    booked_at_field: ClassVar[str] = "issue_date"

    transaction_status: str | None = None
    transaction_type: _Text = None
    payment_method: _Text = None
    issue_date: _Date = None
    amount: Decimal
    currency: str


class InvoiceCollectionRequest(RequestModel):
    """Collect on an invoice into a vault. The amount is in the invoice's currency; without it, all that is left."""

    document_id: RecordNumber
    vault_id: RecordNumber
    amount: TwoDigitAmount | None = None


class InvoiceCollectionResult(ResultModel):
    """The answer's fields, as public clients read them.

    `amount`: what was ordered, or null: the answer tells what is left, and not what was collected. What decides was
    checked before, on the raw values.
    """

    booked_at_field: ClassVar[str] = "issue_date"

    transaction_status: str
    transaction_type: _Text = None
    payment_method: _Text = None
    issue_date: _Date = None
    amount: Decimal | None = None
    remaining_amount: Decimal
    currency: Annotated[str, AfterValidator(str.upper)]


def issued_at(value: Any) -> float | None:
    """When a row was issued, in seconds since 1970; None if it has no date in the page's form."""
    try:
        stamp = _iso_date(value)
    except ValueError:
        return None
    return stamp and datetime.fromisoformat(stamp).timestamp()
