"""The orders of a day, from the two indexes of the table."""

from collections.abc import Callable, Iterator, Mapping
from datetime import date, timedelta

from vezne.orders.compare import Entry, entry_of
from vezne.orders.record import Record, day_of, istanbul_day, plain, to_item
from vezne.orders.store import Store
from vezne.providers.statement import Statement

# An order that names its day may be made so many days before it.
DAYS_AHEAD = 10
# After so many orders a reader is asked whether it may go on.
_OFTEN = 1_000


class Days:
    """One provider's orders. `account`: whose list is read. `go_on` is called now and then, and may raise."""

    def __init__(
        self, statement: Statement, store: Store, account: Mapping[str, str], go_on: Callable[[], None]
    ) -> None:
        self._statement, self._store, self._account, self._go_on = statement, store, account, go_on

    def orders(self, day: date) -> Iterator[Entry]:
        """Each order of a day once. One after the other, so that the reader says what is in memory."""
        for operation in self._statement.operations:
            unresolved = {record.id: record for record in self._unresolved(operation, day)}
            # Read last: an order that becomes final meanwhile is in it.
            for number, values in enumerate(self._store.of_day(operation, day)):
                if number % _OFTEN == 0:
                    self._go_on()
                unresolved.pop(values["id"], None)
                yield entry_of(self._statement, values, self._account)
            for record in unresolved.values():
                yield self.entry(record)

    def around(self, day: date) -> Iterator[Entry]:
        """The orders of the day and of the days before and after it, of which a row of the day may be."""
        back = DAYS_AHEAD if self._statement.orders_name_a_day else 1
        for days in range(-back, 2):
            yield from self.orders(day + timedelta(days=days))

    def references_since(self, day: date) -> frozenset[str]:
        """The references of the orders of later days, but for those that certainly did nothing."""
        days = (istanbul_day(self._store.now()) - day).days
        later = (entry for ahead in range(1, days + 1) for entry in self.orders(day + timedelta(days=ahead)))
        return frozenset(entry.reference for entry in later if not entry.nothing_moved)

    def entry(self, record: Record) -> Entry:
        """An order from its record."""
        return entry_of(self._statement, plain(to_item(record)), self._account)

    def _unresolved(self, operation: str, day: date) -> Iterator[Record]:
        for listed in self._store.unresolved(operation):
            made_on = istanbul_day(listed.created_at)
            if made_on == day or (self._statement.orders_name_a_day and made_on <= day):
                record = self._store.find(listed.id)
                # One that has just become final may not be in the other index yet.
                if record is not None and day_of(record) == day:
                    yield record
