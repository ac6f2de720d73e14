"""How fast sweeps look up a backlog of unknown outcomes: the deployed sweep, on a virtual clock.

Each look-up takes half a second of virtual time; nothing waits. An outage of one hour, with 200 orders a second at each
route, left 72,259 unknown outcomes. The backlog here is a small part of them, and so are the limits of its time. The
orders that nothing can prove are all there: 34,064.
"""

import bisect
import functools
import itertools
import logging
import random
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any
from unittest import mock

import pytest
from vezne.orders import transitions
from vezne.orders.outcome import Finding, Found, NotFound, Succeeded
from vezne.orders.record import LANES, SHARDS, UNKNOWN, GuardMemory, Record, Unresolved, partition, partition_of
from vezne.orders.store import DUE_PAGE, Store
from vezne.orders.sweep import Worker, sweep
from vezne.platform import telemetry
from vezne.providers.http import Deadline

NAME, START = "bank.pay", 1_800_000_000.0
LOOK_UP_SECONDS, SWEEP_SECONDS, MINUTE, HOUR, DAY = 0.5, 58, 60, 3600, 86_400
SCALE = 30
BOOKED, UNPROVABLE = 72_259 // SCALE, 34_064
RECORD = Record(
    id="", operation=NAME, principal="client", fingerprint="f", status=UNKNOWN, owner="me", lease_until=0.0,
    may_arrive_until=START, created_at=START, updated_at=START, lookup_fields={},
)  # fmt: skip


class Table(Store):
    """Records in memory, with the index in order. It is fast with any number of records."""

    def __init__(self) -> None:
        super().__init__(lambda: self.time)
        self.time = START
        self.records: dict[str, Record] = {}
        self.index: dict[str, list[tuple[float, str]]] = defaultdict(list)

    def put(self, record: Record) -> Record:
        self.take_out(record.id)
        self.records[record.id] = record
        bisect.insort(self.index[partition(record)], (record.next_look_up or 0.0, record.id))
        return record

    def take_out(self, record_id: str) -> None:
        standing = self.records.pop(record_id, None)
        if standing is not None:
            entries = self.index[partition(standing)]
            del entries[bisect.bisect_left(entries, (standing.next_look_up or 0.0, standing.id))]

    def find(self, record_id: str) -> Record | None:
        return self.records.get(record_id)

    def due(self, operation: str, lane: str, shard: int, *, newest_first: bool) -> Iterator[Unresolved]:
        entries, end = self.index[partition_of(operation, lane, shard)], (self.now(), "~")
        last: tuple[float, str] | None = None
        while True:
            if newest_first:
                stop = bisect.bisect_left(entries, last or end)
                page = entries[max(0, stop - DUE_PAGE) : stop][::-1]
            else:
                first = bisect.bisect_right(entries, last) if last else 0
                page = entries[first : min(first + DUE_PAGE, bisect.bisect_left(entries, end))]
            if not page:
                return
            yield from (Unresolved(record_id, 0.0, due) for due, record_id in page)
            last = page[-1]

    def acquire_lease(self, record: Record, owner: str, lease_until: float, *, sending: bool = False) -> Record:
        taken = transitions.acquire_lease(record, self.now(), owner, lease_until, sending=sending).record
        self.records[record.id] = taken
        return taken

    def mark_unknown(self, record: Record, next_look_up: float) -> Record:
        return self.put(transitions.mark_unknown(record, self.now(), next_look_up).record)

    def finalise(self, record: Record, status: str, outcome: dict[str, Any], *, hold_guards: bool = False) -> Record:
        self.take_out(record.id)
        return transitions.finalise(record, self.now(), status, outcome, hold_guards=hold_guards).record

    def memory(self, record: Record) -> GuardMemory:
        return GuardMemory()


@dataclass
class Provider:
    """An operation whose look-up takes half a second, and finds the booked orders."""

    table: Table
    name: str = NAME
    look_up_call: str = "GET /payments"
    look_up_is_complete: bool = False
    client: Any = None
    # Record -> time of its first look-up.
    looked_up: dict[str, float] = field(default_factory=dict)

    def look_up(self, record: Record, _: Deadline) -> Finding:
        self.table.time += LOOK_UP_SECONDS
        self.looked_up.setdefault(record.id, self.table.time)
        return NotFound() if record.id.startswith("never") else Found(Succeeded({}))


class Drain:
    """A table with a backlog, and workers that sweep it every minute."""

    def __init__(self, workers: int) -> None:
        self.workers = [Worker(number, workers) for number in range(workers)]
        self.table = Table()
        self.provider = Provider(self.table)
        self.newcomers: dict[str, float] = {}

    def put(self, name: str, unknown_since: float, next_look_up: float) -> None:
        self.table.put(replace(RECORD, id=name, may_arrive_until=unknown_since, next_look_up=next_look_up))

    def put_backlog(self, count: int) -> None:
        """Put the backlog of an hour's outage: unknown during that hour, and not looked up yet."""
        for number in range(count):
            since = START - HOUR + number * HOUR / count
            self.put(f"booked-{number}", since, since + MINUTE)

    def put_unprovable(self, count: int, *, spread: float) -> None:
        """Put records older than a day, looked up once a day. The next look-up is within `spread` seconds."""
        for record in unprovable(count, spread):
            self.table.put(record)

    def run(self, until_final: int) -> float:
        """Sweep each minute until so many records of the backlog are final. Returns the minutes.

        Every ten seconds one new order becomes unknown.
        """
        for minute in itertools.count():
            begun = START + minute * MINUTE
            for second in range(0, MINUTE, 10):
                name = f"new-{minute}-{second}"
                self.newcomers[name] = begun + second
                self.put(name, begun + second, begun + second + MINUTE)
            for worker in self.workers:
                self.table.time = begun
                sweep(self.provider, Deadline(lambda end=begun + SWEEP_SECONDS: (end - self.table.time) * 1000),
                      self.table, worker)  # type: ignore[arg-type]  # fmt: skip
            done = [at for name, at in self.provider.looked_up.items() if name.startswith("booked")]
            if len(done) >= until_final:
                return (max(done) - START) / MINUTE
        raise AssertionError

    def longest_wait(self) -> float:
        """The longest time, in seconds, from a new unknown outcome to its first look-up."""
        end = max(self.provider.looked_up.values())
        return max(
            self.provider.looked_up.get(name, end) - since
            for name, since in self.newcomers.items()
            if name in self.provider.looked_up or since < end - 150
        )


@functools.cache
def unprovable(count: int, spread: float) -> list[Record]:
    """Make the old records once for all tests: nothing changes a record."""
    chance, since = random.Random(1), START - 5 * DAY
    due = [START + chance.uniform(0, spread) - (not spread) for _ in range(count)]
    return [replace(RECORD, id=f"never-{number}", may_arrive_until=since, next_look_up=at) for number, at in
            enumerate(due)]  # fmt: skip


@pytest.fixture(autouse=True)
def quiet(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(telemetry, "metrics", mock.Mock(metric_set={}))
    level = telemetry.logger.log_level
    telemetry.logger.setLevel(logging.CRITICAL)
    yield
    telemetry.logger.setLevel(level)


def test_a_small_backlog_is_looked_up_within_five_minutes() -> None:
    drain = Drain(4)
    drain.put_backlog(130)
    assert drain.run(130) <= 5
    assert drain.longest_wait() <= 150


# The orders that nothing can prove -> the seconds over which their look-ups are due.
OLD_ORDERS = {"alone": None, "with 34,064 old ones": DAY, "with 34,064 old ones, all due at once": 0.0}


@pytest.mark.parametrize(("workers", "minutes"), [(4, 220), (8, 110)])
@pytest.mark.parametrize("old_orders", OLD_ORDERS)
def test_a_large_backlog_takes_hours_and_new_orders_do_not_wait_for_it(
    workers: int, minutes: float, old_orders: str
) -> None:
    drain = Drain(workers)
    drain.put_backlog(BOOKED)
    spread = OLD_ORDERS[old_orders]
    if spread is not None:
        drain.put_unprovable(UNPROVABLE, spread=spread)
    taken = drain.run(BOOKED)
    # Old records that are due take every fourth look-up, however large their number.
    most = minutes if spread != 0.0 else minutes * 4 / 3
    assert taken <= most / SCALE, (taken, drain.longest_wait())
    assert drain.longest_wait() <= 150


def test_old_records_are_looked_up_while_new_ones_keep_coming() -> None:
    """Every fourth look-up is of the old record that is due longest. So each old record has its turn."""
    drain = Drain(1)
    drain.put_backlog(2_000)
    drain.put_unprovable(50, spread=0.0)
    drain.run(150)
    seen = [name for name in drain.provider.looked_up if name.startswith("never")]
    assert len(seen) == 50
    assert sum(len(drain.table.index[partition_of(NAME, LANES[1], shard)]) for shard in range(SHARDS)) == 50
