"""The days around a day: rows of their orders may stand in its list, since they were booked later or clocks differ."""

from collections.abc import Iterator
from datetime import date, datetime, timedelta

from vezne.orders.compare import Line, Orders, is_another, line
from vezne.orders.days import Days
from vezne.orders.record import ISTANBUL
from vezne.orders.report import FindingClass
from vezne.orders.store import Store
from vezne.providers.statement import Statement, StatementRow

# Orders this close before midnight may be booked after it.
EDGE_SECONDS = 3600.0


class Neighbours:
    """The orders of the days around one day. They are read when a row asks for them."""

    def __init__(self, statement: Statement, days: Days, day: date, store: Store) -> None:
        self._statement, self._days, self._day, self._store = statement, days, day, store
        self._edges: dict[int, Orders] = {}

    def have(self, row: StatementRow) -> bool:
        """Whether a row is of an order of the other side of a midnight: it was booked later, or clocks differ."""
        return any(
            _is_near(row, midnight) and self._edge(days, midnight).about(row)
            for days, midnight in ((-1, self.midnight()), (1, self.midnight(1)))
        )

    def of_no_order(self, rows: list[StatementRow]) -> Iterator[Line]:
        """Rows that bear our mark: a payment of an order of another day, or one that we do not know of."""
        if not rows:
            return
        references, names = {row.reference for row in rows}, {name for row in rows for name in row.names}
        around = (entry for entry in self._days.around(self._day)
                  if entry.reference in references or not names.isdisjoint(entry.names))  # fmt: skip
        known = Orders(self._statement, around)
        for row in rows:
            named = self._store.find(row.operation_id) if row.operation_id else None
            entries = known.about(row) or ([self._days.entry(named)] if named else [])
            if entries and _is_near(row, self.midnight()):
                # The report of the day before has it.
                continue
            if all(is_another(entry, row) for entry in entries):
                yield line(FindingClass.ORPHAN_THERE, entries[-1] if entries else None, row)

    def midnight(self, days: int = 0) -> float:
        """When the day begins, or one so many days after it, in seconds since 1970."""
        day = self._day + timedelta(days=days)
        return datetime.combine(day, datetime.min.time(), ISTANBUL).timestamp()

    def _edge(self, days: int, midnight: float) -> Orders:
        """The orders of a neighbouring day that are near a midnight."""
        if days not in self._edges:
            orders = self._days.orders(self._day + timedelta(days=days))
            near = (entry for entry in orders if abs(entry.created_at - midnight) <= EDGE_SECONDS)
            self._edges[days] = Orders(self._statement, near)
        return self._edges[days]


def _is_near(row: StatementRow, midnight: float) -> bool:
    return row.made_at is not None and abs(row.made_at - midnight) <= EDGE_SECONDS
