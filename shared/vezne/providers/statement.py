"""What a provider's own list says it booked, in the terms of the reconciliation.

Each provider's `statement.py` reads its list with a parser of its own, not with that of the look-ups: two readers that
share a mistake prove nothing. It reads; `vezne.orders.reconcile` judges.
"""

import re
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from enum import Enum
from typing import Any, ClassVar

from vezne.orders.record import Record
from vezne.providers.client import Client, InquiryUnreadableError
from vezne.providers.http import Deadline, ProviderResponse, UnreadableError


class RowState(Enum):
    """What a row says of its payment."""

    BOOKED = "booked"
    FAILED = "failed"
    # Booked, and taken back later: reversed, refunded, returned, charged back.
    TAKEN_BACK = "taken_back"
    # In a form that no page shows: it proves nothing.
    UNCLEAR = "unclear"


@dataclass(frozen=True, slots=True)
class StatementRow:
    """One row of a provider's list.

    `operation`: the operation of ours whose orders such a row can be of; "" if the row does not tell. `reference`: the
    key that an order is sent with, as the row repeats it; "" if it has none. `names`: what names this very payment at
    the provider, as `field=value`. `day`: on which the provider booked it; None if the row does not tell.
    `operation_id`: of the order that the row's marker names. `is_ours`: it bears a mark that only we give, so without
    a record it is a payment that we do not know of. `result`: the operation's public result, as far as the row has it.
    Nothing in it is personal.
    """

    reference: str
    state: RowState
    amount: Decimal | None
    currency: str | None
    operation: str = ""
    names: frozenset[str] = frozenset()
    day: date | None = None
    made_at: float | None = None
    operation_id: str = ""
    is_ours: bool = False
    result: Mapping[str, Any] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """The row's own name, to tell two rows of one order apart."""
        return min(self.names, default="" if self.made_at is None else f"made_at={self.made_at:.3f}")

    @property
    def key(self) -> str:
        """The same for a row that is read twice; "" if the row has no name."""
        return f"{self.reference} {self.name}" if self.name else ""


@dataclass(frozen=True, slots=True)
class StatementPage:
    """A page of a list. `next`: where the next page begins, "" after the last. `whole`: no row of it may be missing."""

    rows: tuple[StatementRow, ...]
    next: str = ""
    whole: bool = True


@dataclass(frozen=True, slots=True)
class Sought:
    """How an order of ours is known in its provider's list.

    `reference`, `names`: as in `StatementRow`. `amounts`: those that fit, in major units; empty if any does. `group`:
    whose rows must be asked for to see the order, where there is no list of a day.
    """

    reference: str
    names: frozenset[str] = frozenset()
    amounts: frozenset[Decimal] = frozenset()
    currency: str = "TRY"
    group: str = ""


class Statement(ABC):
    """One provider's list of what it booked."""

    provider: ClassVar[str]
    # Every order of the provider is in its list, by the name of its operation.
    operations: ClassVar[tuple[str, ...]]
    client: ClassVar[Client[Any]]
    # No two orders have the same reference. If they may, a row is an order's only if nothing else can be.
    reference_is_unique: ClassVar[bool] = True
    # How long before or after its call an order can be booked by the provider's clock. A row that bears its reference
    # at another time is another payment. None: the time of a row tells nothing.
    booked_within: ClassVar[timedelta | None] = None
    # A row is the total that stands now, not one payment: of several orders only the last one is seen in it.
    tells_totals: ClassVar[bool] = False
    # An order names the day on which it is to be booked; else it is booked on the day on which it is made.
    orders_name_a_day: ClassVar[bool] = False
    # How long its row may still be missing: after an order was sent, and after the end of the day that it names.
    late: ClassVar[timedelta] = timedelta(hours=12)

    @abstractmethod
    def sought(self, operation: str, lookup_fields: Mapping[str, str], result: Mapping[str, Any]) -> Sought:
        """How an order is known in the list. `result`: its public result, empty if it has none."""

    @abstractmethod
    def page(self, day: date, groups: Sequence[str], start: str, deadline: Deadline) -> StatementPage:
        """The page that begins at `start`, "" for the first. Rows of the days around `day` may be among it.

        Those of the hour before and after it must be: an order that is sent before midnight may be booked after it, and
        clocks differ.
        Raises what `vezne.providers.client.ask` raises.
        """

    def proves(self, record: Record, row: StatementRow) -> bool:  # noqa: ARG002
        """Whether a row that fits an unresolved order proves its outcome. The record has its guards' memory."""
        return True

    def notes(self, deadline: Deadline) -> Mapping[str, str]:  # noqa: ARG002
        """What else the provider says now, for people to read: it judges nothing. Nothing in it is personal.

        Raises what `page` raises.
        """
        return {}

    def absence_proves(self, record: Record, now: float) -> bool:  # noqa: ARG002
        """Whether an order that is missing in a whole list of now was not executed. Only an operator can say so."""
        return False


def list_in(answer: ProviderResponse) -> dict[str, Any]:
    """The JSON object of an answer with HTTP 200. Raises InquiryUnreadableError."""
    try:
        body = answer.json()
    except UnreadableError:
        body = {}
    if answer.status != 200 or not body:
        raise InquiryUnreadableError(f"http-{answer.status}")
    return body


def amount_in(value: Any) -> Decimal | None:
    """A JSON number, or a plain text of digits such as "196.5000"; None for anything else."""
    text = "" if isinstance(value, bool) else str(value)
    return Decimal(text) if re.fullmatch(r"-?[0-9]{1,15}(\.[0-9]{1,8})?", text, re.ASCII) else None
