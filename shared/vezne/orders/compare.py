"""Ours against theirs: which row is which order's, and what the two of them come to. All of it is pure."""

import hashlib
import json
import sys
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from vezne.orders.record import (
    DECLINED,
    FINAL,
    NOT_EXECUTED,
    RECONCILIATION,
    SUCCEEDED,
    istanbul_day,
    seconds_of,
)
from vezne.orders.report import FindingClass
from vezne.providers.statement import RowState, Statement, StatementRow

# Two functions' clocks may differ by so much; which of two orders came first is not certain then.
CLOCKS_SECONDS = 300.0
# What each line of the file has. Nothing in it is personal.
COLUMNS = ("class", "operation_id", "operation", "ours", "theirs", "our_amount", "their_amount", "currency",
           "reference", "name")  # fmt: skip
Line = dict[str, str]


@dataclass(slots=True)
class Entry:
    """One order of ours, as small as it can be: a day may have a hundred thousand. Times are seconds since 1970."""

    id: str
    operation: str
    status: str
    settled_by: str | None
    created_at: float
    sent_until: float
    elsewhere: bool
    # As in `Sought`. A tuple of one takes a fifth of a set of one.
    reference: str
    names: tuple[str, ...]
    amounts: tuple[Decimal, ...]
    currency: str
    group: str
    # The name of the row that is this order's, once one is found.
    seen: str | None = None

    @property
    def final(self) -> bool:
        """Whether its outcome is certain."""
        return self.status in FINAL

    @property
    def nothing_moved(self) -> bool:
        """Whether it is certain that the provider booked nothing."""
        return self.status in (DECLINED, NOT_EXECUTED)

    def see(self, name: str) -> None:
        """Note the name of the order's row. Most are one of its own names: then no second text is kept."""
        self.seen = next((own for own in self.names if own == name), name)

    def become(self, now: "Entry") -> None:
        """Take over what is known of the order now."""
        self.status, self.settled_by = now.status, now.settled_by
        self.reference, self.names, self.amounts = now.reference, now.names, now.amounts


def entry_of(statement: Statement, values: Mapping[str, Any], account: Mapping[str, str]) -> Entry:
    """An order from what the index of days has of it, as plain values. `account`: whose list is read."""
    outcome = json.loads(values["outcome"]) if "outcome" in values else {}
    result = outcome.get("result") or {}
    sent_to = values.get("account", {})
    settled_by = values.get("settled_by")
    sought = statement.sought(values["operation"], values["clues"], result)
    return Entry(
        values["id"],
        # One text for all orders: a day has few of these.
        sys.intern(values["operation"]),
        sys.intern(values["status"]),
        settled_by and sys.intern(settled_by),
        seconds_of(values["created_at"]),
        float(values["in_flight_until"]),
        bool(sent_to) and sent_to != account,
        sought.reference,
        tuple(sorted(sought.names)),
        tuple(sorted(sought.amounts)),
        sys.intern(sought.currency),
        sought.group,
    )


class Orders:
    """The orders of a day, found by what a row says of them."""

    def __init__(self, statement: Statement, entries: Iterable[Entry], later: Collection[str] = ()) -> None:
        """`later`: where rows are totals, the references under which one may have been set since that day."""
        self._unique = statement.reference_is_unique
        self._within = statement.booked_within
        self._tells_totals = statement.tells_totals
        self._later = later
        self.by_id: dict[str, Entry] = {}
        self._by_reference: _Index = {}
        self._by_name: _Index = {}
        # In one order, whichever index an entry came from: a run that goes on writes the same file.
        for entry in sorted(entries, key=lambda one: (one.created_at, one.id)):
            self.by_id[entry.id] = entry
            if entry.reference:
                _add(self._by_reference, entry.reference, entry)
            for name in entry.names:
                _add(self._by_name, name, entry)

    @property
    def groups(self) -> list[str]:
        """Whose rows must be asked for, in an order that stays the same."""
        return sorted({entry.group for entry in self.by_id.values() if entry.group})

    def of(self, row: StatementRow) -> Entry | None:
        """The order that a row is of; None if there is none, or if it may be one of several."""
        named = self._named(row)
        if named:
            # Of two with the same names, one was refused: then the other was ordered in its place.
            return max(named, key=lambda entry: (len(row.names.intersection(entry.names)), _may_be(entry, row)))
        same = [e for e in _at(self._by_reference, row.reference) if row.operation in ("", e.operation)]
        if self._unique:
            return self._last(same, row) if same else None
        # Those that know the name of their own row are another payment.
        nameless = [entry for entry in same if not entry.names and self._in_time(entry, row)]
        if len(nameless) == 1:
            return nameless[0]
        # A row that may be of several proves nothing of an unknown one. But it can be seen as a final one's.
        fitting = [entry for entry in nameless if fits(entry, row)]
        return fitting[0] if len(fitting) == 1 and fitting[0].final else None

    def _in_time(self, entry: Entry, row: StatementRow) -> bool:
        """Whether a row may have been made by the call of an order."""
        if self._within is None:
            return True
        if row.made_at is None:
            return row.day in (None, istanbul_day(entry.created_at), istanbul_day(entry.sent_until))
        within = self._within.total_seconds()
        return entry.created_at - within <= row.made_at <= entry.sent_until + within

    def about(self, row: StatementRow) -> list[Entry]:
        """Every order that a row may be of."""
        return self._named(row) or list(_at(self._by_reference, row.reference))

    def _named(self, row: StatementRow) -> list[Entry]:
        """The orders whose answer named the row. A short code alone may be that of two payments of a day."""
        entries = [entry for name in row.names for entry in _at(self._by_name, name)]
        return [e for e in entries if e.reference == row.reference or not _differing(e, row)]

    def set_since(self, entry: Entry) -> bool:
        """Whether an order of a later day may have set the total that stands."""
        return entry.reference in self._later

    def superseded(self, entry: Entry) -> bool:
        """Whether another order with the same reference may have set the total that stands."""
        moved = _moved(_at(self._by_reference, entry.reference))
        return self.set_since(entry) or any(one is not entry and not _before(one, entry) for one in moved)

    def _last(self, same: Sequence[Entry], row: StatementRow) -> Entry:
        """The last order of a reference. Of those that set totals: of the last ones, the one whose total stands."""
        if not self._tells_totals:
            return same[-1]
        *_, last = moved = _moved(same) or same
        return next((one for one in reversed(moved) if not _before(one, last) and fits(one, row)), last)


def _may_be(entry: Entry, row: StatementRow) -> bool:
    """Whether the order's outcome is that of the row."""
    return entry.nothing_moved == (row.state is RowState.FAILED)


def _moved(entries: Sequence[Entry]) -> list[Entry]:
    return [entry for entry in entries if not entry.nothing_moved]


def _before(one: Entry, other: Entry) -> bool:
    """Whether an order was made before another, whatever the clocks of the functions that made them."""
    return one.created_at < other.created_at - CLOCKS_SECONDS


# Nearly every key has one entry, and a day has many keys.
_Index = dict[str, Entry | tuple[Entry, ...]]


def _add(index: _Index, key: str, entry: Entry) -> None:
    index[key] = (*_at(index, key), entry) if key in index else entry


def _at(index: _Index, key: str) -> tuple[Entry, ...]:
    found = index.get(key, ())
    return (found,) if isinstance(found, Entry) else found


def fits(entry: Entry, row: StatementRow) -> bool:
    """Whether amount and currency of a row are those of the order. What the row does not tell contradicts nothing."""
    amount = row.amount is None or not entry.amounts or row.amount in entry.amounts
    return amount and row.currency in (None, entry.currency)


def is_another(entry: Entry, row: StatementRow) -> bool:
    """Whether a row with the order's reference names another payment than the order's own answer did."""
    return row.names.isdisjoint(entry.names) and _differing(entry, row)


def _differing(entry: Entry, row: StatementRow) -> bool:
    """Whether a name of the order's payment is another one in the row."""
    ours, theirs = set(entry.names) - row.names, row.names.difference(entry.names)
    return not {name.partition("=")[0] for name in ours}.isdisjoint(name.partition("=")[0] for name in theirs)


def distinct(rows: Iterable[StatementRow]) -> list[StatementRow]:
    """The rows without the repeated ones of pages that overlap."""
    first: dict[object, StatementRow] = {}
    for number, row in enumerate(rows):
        first.setdefault(row.key or number, row)
    return list(first.values())


def judged(entry: Entry, row: StatementRow) -> FindingClass:
    """What an order whose outcome is certain and its row come to."""
    match row.state:
        case RowState.UNCLEAR:
            return FindingClass.EXPECTED
        case RowState.FAILED:
            if not entry.nothing_moved:
                return FindingClass.STATUS_DIFFERS
        case RowState.BOOKED | RowState.TAKEN_BACK:
            if entry.nothing_moved:
                return FindingClass.STATUS_DIFFERS
            if not fits(entry, row):
                return FindingClass.AMOUNT_DIFFERS
            if row.state is RowState.TAKEN_BACK:
                return FindingClass.LATER_EVENT
    return agreed(entry)


def agreed(entry: Entry) -> FindingClass:
    """What an order comes to of which both sides say the same."""
    return FindingClass.SETTLED_BY_EVIDENCE if entry.settled_by == RECONCILIATION else FindingClass.MATCHED


def without_a_row(entry: Entry, *, whole: bool, late: bool) -> FindingClass:
    """What an order comes to that is in no row. `whole`: the list was read to its end. `late`: its row is overdue."""
    if entry.nothing_moved and whole and not entry.elsewhere:
        return agreed(entry)
    if not late or not whole or entry.elsewhere:
        return FindingClass.EXPECTED if entry.final or not late else FindingClass.STILL_UNKNOWN
    return FindingClass.MISSING_THERE if entry.status == SUCCEEDED else FindingClass.STILL_UNKNOWN


def proof(entry: Entry, rows: Iterable[StatementRow]) -> StatementRow | None:
    """The one row that says what became of an unresolved order; None if there is none, or more than one.

    It must tell its amount, and fit in all that it tells.
    """
    different = distinct(rows)
    if len(different) != 1:
        return None
    (row,) = different
    certain = row.state is not RowState.UNCLEAR and row.amount is not None and fits(entry, row)
    return row if certain and not entry.elsewhere else None


def line(kind: FindingClass, entry: Entry | None, row: StatementRow | None) -> Line:
    """One line of the file."""
    amounts = entry.amounts if entry else ()
    return {
        "class": kind.value,
        "operation_id": entry.id if entry else (row.operation_id if row else ""),
        "operation": entry.operation if entry else (row.operation if row else ""),
        "ours": entry.status if entry else "",
        "theirs": row.state.value if row else "",
        "our_amount": f"{amounts[-1]:f}" if amounts else "",
        "their_amount": _amount(row.amount if row else None),
        "currency": (row.currency if row else None) or (entry.currency if entry else ""),
        "reference": row.reference if row else entry.reference if entry else "",
        "name": row.name if row else "",
    }


def name_of(provider: str, day: date, told: Line) -> str:
    """The name of a finding, the same in each run of the day that finds it.

    Another amount or status is another finding: who resolved the first has not seen it.
    """
    words = [provider, day.isoformat(), *(told[name] for name in COLUMNS)]
    return hashlib.sha256(json.dumps(words).encode()).hexdigest()[:20]


def _amount(amount: Decimal | None) -> str:
    return "" if amount is None else f"{amount:f}"
