"""The end of a drill: its orders against the provider's own list, by the deployed statement and the deployed code.

It is an independent reader of what the sandbox booked. The look-ups and the statements share no parser.
"""

import csv
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from unittest import mock

from vezne.orders.reconcile import reconcile
from vezne.orders.record import LOOK_UP, RECONCILIATION, SUCCEEDED, Record, day_of, from_item
from vezne.orders.report import FindingClass
from vezne.providers.http import Deadline
from vezne.providers.statement import RowState, Statement
from vezne_cli.catalogue import RECONCILERS
from vezne_sandbox.ledger import load_credentials

from tests.faults.environment import Function
from tests.faults.in_process import Bench, without_aws
from tests.faults.memory_store import MemoryStore
from tests.faults.memory_table import MemoryTable
from tests.faults.orders import Order
from tests.faults.tables import aligned
from tests.faults.verdict import Trial
from tests.support.memory_secret import MemorySecret
from tests.support.statements import MemoryArchive

UNKNOWN, HAPPENED, BY_LOOK_UP, BY_LIST, LEFT, HAPPENED_AND_LEFT = OUTCOMES = (
    "unknown", "had happened", "ended by look-ups", "by the reconciliation", "left for people", "left and had happened",
)  # fmt: skip
DAY = 24 * 3600.0
MOST_ROWS = 10_000
# Both sides say the same of an order, or the list has ended what was unknown.
AGREED = frozenset({FindingClass.MATCHED.value, FindingClass.SETTLED_BY_EVIDENCE.value})
# An order that is in no row of a list that does not prove absence.
OPEN = FindingClass.STILL_UNKNOWN.value
BOOKED = RowState.BOOKED.value


@dataclass(frozen=True)
class Truth:
    """What the provider has booked.

    `bookings`: how many payments. `booked`: whether an order is one of them. `shown`: whether a booked one is in the
    list as its order: a payment that the provider made before the order was made is another one.
    """

    bookings: int
    booked: Callable[[Record], bool]
    shown: Callable[[Record], bool] = lambda _: True


def reconciled(bench: Bench, orders: list[Order]) -> Counter[str]:
    """Reconcile the days of a bench's orders. Returns what became of those whose outcome was unknown."""
    keys = {order.id: order.key for order in orders}
    statement = RECONCILERS[bench.operation.name.partition(".")[0]].statement
    truth = Truth(
        sum(booking.operation in statement.operations for booking in bench.sandbox.ledger.bookings),
        lambda record: bench.booked(keys[record.id]) > 0,
        # Where an order is found by its time, and the function's clock was ahead.
        lambda record: not orders[0].example.found_by_time or bench.booked_at(keys[record.id]) >= record.created_at - 1,
    )
    # A token of weeks ago is of no use.
    statement.client.credential_cache.forget()
    bench.token = MemorySecret()
    # VakıfBank's statement has a clock of its own: it reads the days since, to which the bank may have moved a payment.
    with mock.patch.object(statement, "_now", return_value=bench.now, create=True):
        return by_the_list(statement, MemoryStore(bench.table, lambda: bench.now), truth)


def reconciled_trials(trials: Iterable[Trial]) -> Counter[str]:
    """As `reconciled_functions`, for the functions of these trials: all that the providers have booked is theirs."""
    return reconciled_functions(functions_of(trials))


def functions_of(trials: Iterable[Trial]) -> list[Function]:
    """Each function of these trials once."""
    return list({trial.function.table: trial.function for trial in trials}.values())


def reconciled_functions(functions: Sequence[Function]) -> Counter[str]:
    """As `reconciled`, for functions that ran in processes of their own: each provider with all of its functions."""
    found = Counter[str]()
    for provider in sorted({function.provider for function in functions}):
        found += _of_a_provider(provider, [function for function in functions if function.provider == provider])
    return found


def _of_a_provider(provider: str, functions: list[Function]) -> Counter[str]:
    table = MemoryTable()
    for function in functions:
        table.items |= {item["id"]["S"]: item for item in function.items()}
    sandbox, now = functions[0].environment.sandbox, _after_all_leases(table)
    bookings = sandbox.bookings(provider)
    references = [set(booking["references"].values()) for booking in bookings]
    succeeded = [record for record in _records_of(table.items) if record.status == SUCCEEDED]

    def booked(record: Record) -> bool:
        """Several orders may be parts of one payment: then a booking is of one that has succeeded, if it can be."""
        mine = [each for each in references if not each.isdisjoint(record.lookup_fields.values())]
        others = [one for one in succeeded if one.id != record.id and
                  any(not each.isdisjoint(one.lookup_fields.values()) for each in mine)]  # fmt: skip
        return len(mine) > len(others)

    statement, token = RECONCILERS[provider].statement, MemorySecret()
    truth = Truth(sum(booking["operation"] in statement.operations for booking in bookings), booked)
    statement.client.credential_cache.forget()
    # A drill has more orders a day than one answer of VakıfBank shows, and a list that may be cut is not complete.
    sandbox.seed(vakifbank={"most_rows": MOST_ROWS})
    with (
        without_aws(sandbox.url, lambda: load_credentials()[provider], lambda: token),
        mock.patch("vezne.providers.vakifbank.statement.MOST_ROWS", MOST_ROWS),
    ):
        return by_the_list(statement, MemoryStore(table, lambda: now), truth)


def _after_all_leases(table: MemoryTable) -> float:
    """When every row is listed, and nobody is at an order."""
    leases = (float(item["lease_until"]["N"]) for item in table.items.values() if "lease_until" in item)
    return max(time.time(), *leases) + 4 * DAY


def by_the_list(statement: Statement, store: MemoryStore, truth: Truth) -> Counter[str]:
    """Reconcile every day of the orders in a table: each booked one must be matched, and nothing may differ.

    Returns what became of the orders whose outcome was unknown when their callers were answered. Those of operations
    that the list does not show are as they were.
    """
    before = _listed(store, statement)
    lines = _lines(statement, store, sorted({day_of(record) for record in before}))
    records = _listed(store, statement)
    of_order = {line["operation_id"]: line for line in lines}
    assert len(lines) == len(of_order) == len(before), (lines, before)
    nobodys = 0
    for record in records:
        line = of_order[record.id]
        booked = truth.booked(record) or (line["theirs"] == BOOKED and not statement.tells_totals)
        expected = AGREED if record.final or (booked and truth.shown(record)) else {OPEN}
        if booked and line["class"] == OPEN and _may_be_anothers(record, records):
            nobodys += 1
            continue
        assert line["class"] in expected, (line, record)
    if not statement.tells_totals:
        assert sum(line["theirs"] == BOOKED for line in lines) + nobodys == truth.bookings, (truth.bookings, lines)
    return _of_unknown(_records_of(store._memory.items), truth)


def _may_be_anothers(record: Record, records: list[Record]) -> bool:
    """Whether the row of an unknown order may also be that of a finished one, whose answer named nothing."""
    reference = record.lookup_fields.get("reference_no")
    return reference is not None and any(
        one.id != record.id
        and one.status == SUCCEEDED
        and not (one.outcome or {}).get("result")
        and one.lookup_fields.get("reference_no") == reference
        for one in records
    )


def _listed(store: MemoryStore, statement: Statement) -> list[Record]:
    return [record for record in _records_of(store._memory.items) if record.operation in statement.operations]


def _records_of(items: Mapping[str, Any]) -> list[Record]:
    return [from_item(item) for name, item in items.items() if name.startswith("op_")]


def _lines(statement: Statement, store: MemoryStore, days: Iterable[date]) -> list[dict[str, str]]:
    """The lines of the files of these days. Each list was read to its end, and has nothing that we do not know of."""
    archive, lines = MemoryArchive(), list[dict[str, str]]()
    with mock.patch("vezne.orders.reconcile.emit_of_provider"):
        for day in days:
            report = reconcile(statement, day, Deadline(lambda: 900_000), store, archive)
            assert report is not None
            assert report.is_clean, (report.status, report.counts, report.findings)
            lines += csv.DictReader(archive.get(report.file).decode().splitlines()[1:])
    return lines


def _of_unknown(records: list[Record], truth: Truth) -> Counter[str]:
    found = Counter[str]()
    for record in records:
        if record.final and record.settled_by not in (LOOK_UP, RECONCILIATION):
            continue
        by = {LOOK_UP: BY_LOOK_UP, RECONCILIATION: BY_LIST}.get(record.settled_by or "", LEFT)
        happened = int(truth.booked(record))
        found.update({UNKNOWN: 1, by: 1, HAPPENED: happened, HAPPENED_AND_LEFT: happened * (by == LEFT)})
    return found


def told(found: Mapping[str, int]) -> str:
    """One line of what became of unknown outcomes."""
    unknown, happened, *ends, left = (found.get(name, 0) for name in OUTCOMES)
    ended = ", ".join(f"{count} {name}" for count, name in zip(ends, (BY_LOOK_UP, BY_LIST, LEFT), strict=True))
    return f"Unknown outcomes: {unknown}, of which {happened} {HAPPENED}: {ended} ({left} of them had happened)"


def told_by_drill(found: Mapping[str, Mapping[str, int]]) -> list[str]:
    """The same for several drills: the sum of them all, and a line of each."""
    total = sum(map(Counter, found.values()), Counter[str]())
    rows = [[drill, *(str(counts.get(name, 0)) for name in OUTCOMES)] for drill, counts in sorted(found.items())]
    return [told(total), *aligned([["drill", *OUTCOMES], *rows])]
