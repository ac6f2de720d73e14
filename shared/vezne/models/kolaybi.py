"""KolayBi "Cari Tahsilat İşlemi": POST /kolaybi/v1/associates/{id}/transactions/proceed."""

import re
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, model_validator

from vezne.models import Amount, Currency, PositiveDecimal, ProviderText, RequestModel, ResultModel

# Zone-less stamps are Turkish local time; Türkiye has kept +03:00 all year since 2016.
TURKISH_TIME = timezone(timedelta(hours=3))


class CollectionRequest(RequestModel):
    """Collect an amount from an associate (cari) into an account."""

    associate_id: Annotated[int, Field(ge=1)]
    currency: Currency
    amount: Amount
    gateway_id: Annotated[int, Field(ge=1)]
    gateway_type: Literal["vault", "associate"] | None = None
    exchange_rate: PositiveDecimal | None = None
    project_ids: list[int] | None = None
    description: str | None = None


def _iso_date(value: Any) -> Any:
    """`2024-01-15 14:30:00` -> `2024-01-15T14:30:00+03:00`. Raises ValueError."""
    if not isinstance(value, str):
        return value
    stamp = datetime.fromisoformat(value)
    return (stamp if stamp.tzinfo else stamp.replace(tzinfo=TURKISH_TIME)).isoformat()


class CollectionResult(ResultModel):
    """The page's "Yanıt Alanları"."""

    transaction_status: str
    transaction_type: ProviderText | None = None
    payment_method: ProviderText | None = None
    issue_date: Annotated[str | None, BeforeValidator(_iso_date)] = None
    amount: Decimal
    currency: str


# The form of an operation id, which is what marks our collections.
_MARKER = re.compile(r"op_[a-z2-7]{26}")


def _with_text(value: Any) -> Any:
    """Puts all of a row's own texts together, to look for a marker whatever field repeats it."""
    if not isinstance(value, dict):
        return value
    return {**value, "texts": [item for item in value.values() if isinstance(item, str)]}


class TransactionRow(ResultModel):
    """One row of an associate's transactions. The page shows no row, so nothing is required of one."""

    texts: Annotated[tuple[str, ...], Field(exclude=True)] = ()
    amount: Decimal | None = None
    currency: str | None = None
    transaction_status: str | None = None
    transaction_type: ProviderText | None = None
    payment_method: ProviderText | None = None
    issue_date: Annotated[str | None, BeforeValidator(_iso_date)] = None

    _gather_text = model_validator(mode="before")(_with_text)

    def is_marked(self, marker: str) -> bool:
        """Whether a text of the row ends its markers with this one: ours comes last, callers may quote others."""
        return any(_MARKER.findall(text)[-1:] == [marker] for text in self.texts)
