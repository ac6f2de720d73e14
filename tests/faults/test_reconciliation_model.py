"""A random world of orders and of a provider's list, with one fault of each class: the nights name exactly those.

The truth is what the world says. The table is in memory, and the code is the deployed one. `VEZNE_FAULTS_SEED` repeats
a run.
"""

import random
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from unittest import mock

import pytest
from vezne.orders.reconcile import days_of_a_night, reconcile
from vezne.orders.record import (
    DECLINED,
    ISTANBUL,
    NOT_EXECUTED,
    PROCESSING,
    RECONCILIATION,
    SUCCEEDED,
    UNKNOWN,
    Record,
    istanbul_day,
    to_item,
)
from vezne.orders.report import COMPLETE, CONTRADICTIONS, RUNNING, FindingClass, Report
from vezne.providers.client import InquiryFailedError
from vezne.providers.http import Deadline
from vezne.providers.statement import RowState, Sought, StatementPage, StatementRow

from tests.faults.in_process import without_logs
from tests.faults.memory_store import MemoryStore
from tests.faults.memory_table import MemoryTable
from tests.faults.orders import seeded
from tests.support.asked import whole_number
from tests.support.harness import Clock
from tests.support.statements import ACCOUNT, OPERATION, ListedStatement, MemoryArchive

WORLDS = whole_number("VEZNE_RECONCILIATION_WORLDS", 2, 1_000_000)
ORDERS, FOREIGN_ROWS, DAYS = 2_000, 400, 4
FIRST_DAY = date(2026, 11, 23)
DAY, HOUR = 86_400.0, 3600.0
# A provider books within a minute, and shows the row within 11 hours. The statement says 12.
LATEST_BOOKING, LATEST_ROW = 60.0, 11 * HOUR
ELSEWHERE = {"url": "https://elsewhere.invalid"}


def midnight(day: date) -> float:
    return datetime.combine(day, datetime.min.time(), ISTANBUL).timestamp()


@dataclass(frozen=True)
class Shown:
    """A row, and from when on the list has it."""

    row: StatementRow
    since: float


@dataclass
class Shifting(ListedStatement):
    """A list of so many hours around a day, in pages that overlap, from a provider that sometimes does not answer."""

    shown: list[Shown] = field(default_factory=list)
    clock: Clock = field(default_factory=Clock)
    chance: random.Random = field(default_factory=random.Random)
    margin: float = HOUR
    by_name: bool = True
    failing: float = 0.0

    def sought(self, operation: str, lookup_fields: Mapping[str, str], result: Mapping[str, Any]) -> Sought:
        known = ListedStatement.sought(self, operation, lookup_fields, result)
        names = (f"{name}={result[name]}" for name in ("id", "code") if name in result and self.by_name)
        return replace(known, names=frozenset(names))

    def page(self, day: date, groups: Sequence[str], start: str, deadline: Deadline) -> StatementPage:
        if self.chance.random() < self.failing:
            raise InquiryFailedError("http-502")
        since, until = midnight(day) - self.margin, midnight(day) + DAY + self.margin
        there = [
            one.row for one in self.shown if one.since <= self.clock.now and since <= (one.row.made_at or 0) < until
        ]
        first = int(start or "0")
        following = first + self.size
        page = tuple(there[first:following])
        if following >= len(there):
            return StatementPage(page)
        return StatementPage(page, str(following - self.chance.choice((0, 0, 1, self.size // 3))))


class World:
    """Orders of some days, their rows, and what the reports must say."""

    def __init__(self, chance: random.Random) -> None:
        self.chance, self.clock = chance, Clock()
        self.clock.now = midnight(FIRST_DAY)
        self.store, self.archive = MemoryStore(MemoryTable(), self.clock), MemoryArchive()
        self.statement = Shifting(
            size=chance.choice((50, 100, 200)), clock=self.clock, chance=chance, by_name=chance.random() < 0.5,
            margin=chance.choice((HOUR, DAY)), failing=chance.choice((0.0, 0.05)),
        )  # fmt: skip
        # What each order must be in the end: its status, and the class of its line.
        self.ends: dict[str, tuple[str, FindingClass]] = {}
        self.ordered = Counter[date]()
        self.foreign = Counter[date]()
        # By class and by the name of the row, or the reference where there is none.
        self.findings: set[tuple[FindingClass, str]] = set()
        self.numbers = iter(range(1, 1_000_000))
        for _ in range(ORDERS):
            self.a_sound_order()
        for _ in range(FOREIGN_ROWS):
            self.a_foreign_row()
        for fault in FAULTS:
            fault(self)
        self.statement.shown.sort(key=lambda one: one.row.made_at or 0)

    # ------------------------------------------------------------ what there may be

    def order(self, status: str, end: str, kind: FindingClass, **changed: Any) -> Record:
        """An order at a random time, near midnight more often."""
        number = next(self.numbers)
        edge = self.chance.choice((0.0, DAY)) + self.chance.uniform(-45, 45)
        in_the_day = edge if self.chance.random() < 0.2 else self.chance.uniform(0, DAY)
        at = midnight(FIRST_DAY) + self.chance.randrange(DAYS) * DAY + max(0.0, in_the_day)
        at = round(min(at, midnight(FIRST_DAY) + DAYS * DAY - 1), 3)
        reference, final = f"r{number:07d}", status not in (UNKNOWN, PROCESSING)
        record = Record(
            id=f"op_3njc{number:022d}".replace("0", "a").replace("1", "b").replace("8", "c").replace("9", "d"),
            operation=OPERATION, principal="client-1", fingerprint="f", status=status, owner="o", lease_until=0.0,
            may_arrive_until=at + 30, created_at=at, updated_at=at, account=ACCOUNT,
            lookup_fields={"reference_no": reference, "amount": f"{self.chance.randrange(100, 99999) / 100:.2f}",
                           "currency": "TRY"},
            outcome={"result": {"id": reference, "code": f"{number % 97}"}} if status == SUCCEEDED else
                    {"code": "51", "text": ""} if final else None,
            settled_by="answer" if final else None, next_look_up=None if final else at + 60,
        )  # fmt: skip
        record = replace(record, **changed)
        self.store._memory.items[record.id] = to_item(record)
        self.ends[record.id] = (end, kind)
        self.ordered[istanbul_day(at)] += 1
        return record

    def row(self, record: Record, state: RowState = RowState.BOOKED, **changed: Any) -> StatementRow:
        """The row of an order. The provider's clock is up to a minute behind ours, or it books a minute later."""
        reference = record.lookup_fields["reference_no"]
        made_at = record.created_at + self.chance.uniform(-LATEST_BOOKING, LATEST_BOOKING)
        number = int(reference[1:])
        made = StatementRow(
            reference, state, Decimal(record.lookup_fields["amount"]), "TRY",
            names=frozenset({f"id={reference}", f"code={number % 97}"}), made_at=made_at, day=istanbul_day(made_at),
            is_ours=True, result={"id": reference},
        )  # fmt: skip
        return self.show(replace(made, **changed))

    def show(self, row: StatementRow) -> StatementRow:
        late = self.chance.choice((0.0, 0.0, self.chance.uniform(0, LATEST_ROW)))
        self.statement.shown.append(Shown(row, (row.made_at or 0) + late))
        return row

    def a_sound_order(self) -> None:
        match self.chance.randrange(20):
            case 0:
                self.row(self.order(DECLINED, DECLINED, FindingClass.MATCHED), RowState.FAILED)
            case 1:
                self.order(NOT_EXECUTED, NOT_EXECUTED, FindingClass.MATCHED)
            case 2:
                self.order(DECLINED, DECLINED, FindingClass.EXPECTED, account=ELSEWHERE)
            case _:
                self.row(self.order(SUCCEEDED, SUCCEEDED, FindingClass.MATCHED))

    def a_foreign_row(self) -> None:
        at = midnight(FIRST_DAY) + self.chance.uniform(0, DAYS * DAY)
        number = next(self.numbers)
        self.foreign[istanbul_day(at)] += 1
        self.show(
            StatementRow(
                self.chance.choice(("", f"theirs-{number}")),
                self.chance.choice((RowState.BOOKED, RowState.FAILED)),
                Decimal("10.00"),
                "TRY",
                names=frozenset({f"id=f{number}"}),
                made_at=at,
                day=istanbul_day(at),
            )
        )

    def find(self, kind: FindingClass, row: StatementRow | Record) -> None:
        name = row.name if isinstance(row, StatementRow) else row.lookup_fields["reference_no"]
        self.findings.add((kind, name))

    # ------------------------------------------------------------ the nights

    def nights(self) -> dict[date, Report]:
        """Each day is reconciled in three nights, as the rule does it. Returns the last report of each."""
        last: dict[date, Report] = {}
        for night in range(1, DAYS + 4):
            self.clock.now = midnight(FIRST_DAY) + night * DAY + 3.5 * HOUR
            for day in days_of_a_night(self.clock.now):
                last[day] = self.until_it_is_done(day)
        return last

    def until_it_is_done(self, day: date) -> Report:
        while True:
            report = reconcile(self.statement, day, Deadline(lambda: 900_000), self.store, self.archive, again=False)
            assert report is not None
            if report.status != RUNNING:
                return report
            self.clock.advance(600)

    def told(self) -> set[tuple[str, str]]:
        """The findings of all nights, as the outbox has them."""
        items = [item for name, item in self.store._memory.items.items() if name.startswith("finding#")]
        return {(item["class"]["S"], item["name"]["S"] if "name" in item else item["reference"]["S"]) for item in items}


# ---------------------------------------------------------------- the faults, one of each


def missing(world: World) -> None:
    world.find(FindingClass.MISSING_THERE, world.order(SUCCEEDED, SUCCEEDED, FindingClass.MISSING_THERE))


def orphan(world: World) -> None:
    order = world.order(SUCCEEDED, SUCCEEDED, FindingClass.MATCHED)
    world.row(order)
    world.find(
        FindingClass.ORPHAN_THERE, world.row(order, reference="r9999999", names=frozenset({"id=nobody's"}))
    )  # fmt: skip


def double(world: World) -> None:
    order = world.order(SUCCEEDED, SUCCEEDED, FindingClass.MATCHED)
    first = world.row(order)
    made_at = (first.made_at or 0) + world.chance.choice((1.0, 60.0, 1200.0))
    names = frozenset({"id=twice", "code=twice"})
    second = replace(first, names=names, made_at=made_at, day=istanbul_day(made_at))
    world.find(FindingClass.ORPHAN_THERE, world.show(second))


def amount(world: World) -> None:
    order = world.order(SUCCEEDED, SUCCEEDED, FindingClass.AMOUNT_DIFFERS)
    theirs = Decimal(order.lookup_fields["amount"]) + Decimal("0.01")
    world.find(FindingClass.AMOUNT_DIFFERS, world.row(order, amount=theirs))


def booked_though_declined(world: World) -> None:
    status = world.chance.choice((DECLINED, NOT_EXECUTED))
    world.find(FindingClass.STATUS_DIFFERS, world.row(world.order(status, status, FindingClass.STATUS_DIFFERS)))


def failed_though_succeeded(world: World) -> None:
    order = world.order(SUCCEEDED, SUCCEEDED, FindingClass.STATUS_DIFFERS)
    world.find(FindingClass.STATUS_DIFFERS, world.row(order, RowState.FAILED))


def taken_back(world: World) -> None:
    order = world.order(SUCCEEDED, SUCCEEDED, FindingClass.LATER_EVENT)
    world.find(FindingClass.LATER_EVENT, world.row(order, RowState.TAKEN_BACK))


def unknown_and_booked(world: World) -> None:
    world.row(world.order(UNKNOWN, SUCCEEDED, FindingClass.SETTLED_BY_EVIDENCE))


def unknown_and_refused(world: World) -> None:
    world.row(world.order(UNKNOWN, DECLINED, FindingClass.SETTLED_BY_EVIDENCE), RowState.FAILED)


def unknown_and_never_there(world: World) -> None:
    world.order(UNKNOWN, UNKNOWN, FindingClass.STILL_UNKNOWN)


def unknown_and_another_amount(world: World) -> None:
    world.row(world.order(UNKNOWN, UNKNOWN, FindingClass.STILL_UNKNOWN), amount=Decimal("0.01"))


def unknown_in_another_account(world: World) -> None:
    world.row(world.order(UNKNOWN, UNKNOWN, FindingClass.STILL_UNKNOWN, account=ELSEWHERE))


def killed_and_booked(world: World) -> None:
    """Its lease is alive in the first night, and over in the second."""
    order = world.order(PROCESSING, SUCCEEDED, FindingClass.SETTLED_BY_EVIDENCE)
    lease = midnight(istanbul_day(order.created_at)) + DAY + 5 * HOUR
    world.store._memory.items[order.id] = to_item(replace(order, lease_until=lease))
    world.row(order)


FAULTS = (
    missing, orphan, double, amount, booked_though_declined, failed_though_succeeded, taken_back, unknown_and_booked,
    unknown_and_refused, unknown_and_never_there, unknown_and_another_amount, unknown_in_another_account,
    killed_and_booked,
)  # fmt: skip


@pytest.mark.parametrize("number", range(WORLDS))
@pytest.mark.timeout(300)
def test_the_nights_name_exactly_what_is_wrong(number: int, seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TABLE_NAME", "in memory")
    world = World(seeded(seed, f"world {number}"))
    with without_logs(), mock.patch("vezne.orders.reconcile.emit_of_provider"):
        last = world.nights()

    assert world.told() == world.findings
    classes: Counter[FindingClass] = Counter()
    # A row may be of the day before the first, or after the last.
    for day, report in last.items():
        assert (report.status, report.counts.get(FindingClass.FOREIGN, 0)) == (COMPLETE, world.foreign[day])
        assert report.is_clean == (not any(report.counts.get(kind) for kind in CONTRADICTIONS))
        classes.update({FindingClass(kind): count for kind, count in report.counts.items()})
    # One line for each order, and one for each payment that nobody ordered.
    expected = Counter(kind for _, kind in world.ends.values())
    expected[FindingClass.FOREIGN] = FOREIGN_ROWS
    expected[FindingClass.ORPHAN_THERE] = 2
    assert +classes == +expected
    for order_id, (status, kind) in world.ends.items():
        record = world.store.find(order_id)
        assert record is not None
        assert (record.status if record.final else UNKNOWN) == status, record
        assert (record.settled_by == RECONCILIATION) == (kind is FindingClass.SETTLED_BY_EVIDENCE)
