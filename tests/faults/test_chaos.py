"""The store's own conditions, with every fault that its writes can meet.

A write may be lost, applied without an answer, applied late or twice, or refused. At any step an invocation may be
killed. At any step another invocation may run: of the same order, of another order under the same guard, or a sweep.
Clocks differ, records expire, providers answer wrongly. All is in one thread: a seed and a number repeat a run.
"""

import random
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any
from unittest import mock

import pytest
from vezne.orders import store as store_module
from vezne.orders.record import DECLINED, NOT_EXECUTED, SUCCEEDED, guard_id
from vezne.orders.sweep import SweepStoppedError
from vezne_sandbox.faults import faults_of

from tests.faults import orders
from tests.faults.environment import OPERATIONS, Answer
from tests.faults.function import Killed, Steps
from tests.faults.in_process import FEW_SHARDS, LAMBDA_SECONDS, Bench, Context, in_process
from tests.faults.memory_store import MemoryStore
from tests.faults.network import FAULTS, Network
from tests.faults.orders import PAID_ONCE, Order, new_order, seeded
from tests.faults.promise import Promise, another, like
from tests.faults.reconciled import reconciled
from tests.faults.test_faulty_answers import LOOK_UPS
from tests.support.asked import whole_number

RUNS = whole_number("VEZNE_CHAOS_RUNS", 500, 10_000_000)
START = datetime(2026, 11, 26, 9, tzinfo=UTC).timestamp()
DAY = 24 * 3600
RATES = (0.0, 0.05, 0.2, 0.4)
SKEWS = (0.0, 0.0, 120.0, -120.0)
TIMES = (1, 4, 29, 31, 61, 400, 700, 1900, 4000)
SAID = ("answer", "hang", "reset", "status_500", "cut", "unauthorized", "too_many_requests", "refuse")
NEVER_BOOKED = frozenset({"unauthorized", "too_many_requests", "refuse"})
LOOK_UP_SAID = ("fail", "lag", "foreign", "reset", "cut", "unauthorized")
BOOK: tuple[Any, ...] = (True, False, {"after_seconds": 5}, {"after_seconds": 50})
# No write is delayed longer.
LATEST_SECONDS = 300
INTERRUPTIONS = ("killed", "timed out", "interrupted by another")
QUIET_STEPS = (60, 600, 3600, 7200, 30000, 90000, 90000, 90000, 1_000_000, 90000)


class ChaosSteps(Steps):
    """Decides by chance, at each step, whether the invocation continues."""

    def __init__(self, bench: "ChaosBench") -> None:
        super().__init__(lambda _: None)
        self._bench = bench

    def reach(self, step: str) -> None:
        self._bench.at(step)


class Limited(Context):
    """As much time as Lambda gives, on the clock of the bench."""

    def __init__(self, bench: Bench) -> None:
        self._bench, self._end = bench, bench.now + LAMBDA_SECONDS

    def get_remaining_time_in_millis(self) -> float:
        return (self._end - self._bench.now) * 1000


class ChaosBench(Bench):
    """The real store on the engine in this process, behind a network that loses, delays and doubles."""

    def __init__(self, operation: str, chance: random.Random) -> None:
        super().__init__(operation)
        self.now = START
        self.chance = chance
        self.kills, self.comers = chance.choice(RATES) / 5, chance.choice(RATES) / 2
        self.network = Network(self.table, chance, chance.choice(RATES), self.at)
        self.trace: list[str] = []
        self._steps = ChaosSteps(self)
        self._running: list[Limited] = []

    def call(self, event: Any, **how: Any) -> Answer | None:
        """As in `Bench`. Invocations that wait for this one continue after it."""
        waiting = self._running
        try:
            return super().call(event, **how)
        finally:
            self._running = waiting

    def context(self) -> Context:
        self._running = [*self._running, Limited(self)]
        return self._running[-1]

    def store_of_a_function(self, skew: float) -> MemoryStore:
        return MemoryStore(self.network, lambda: self.now + skew)

    def pass_time(self, seconds: float) -> None:
        if seconds > LATEST_SECONDS:
            self.network.arrive()
        super().pass_time(seconds)

    def at(self, step: str) -> None:
        """Handle a step of the current invocation: it may end here, or another may run."""
        if not self._running:
            return
        # Lambda ends a function whose time is over. Bytes sent before that may still reach the provider.
        if self._running[-1].get_remaining_time_in_millis() <= 0 and not step.endswith((".head", ".left")):
            self.trace.append(f"{step}: timed out")
            raise Killed
        # A sweep queries the index several times before it does anything else.
        rarely = 1 / FEW_SHARDS if step.startswith("query") else 1
        if self.chance.random() < self.kills * rarely:
            self.trace.append(f"{step}: killed")
            raise Killed
        if len(self._running) < 3 and self.chance.random() < self.comers * rarely:
            self.trace.append(f"{step}: interrupted by another")
            self._act("pause")
            self.trace.append(f"{step}: continues")
            self.at("after a pause")


class Run:
    """One random sequence of events."""

    def __init__(self, operation: str, chance: random.Random) -> None:
        self.chance = chance
        self.bench = ChaosBench(operation, chance)
        self.bench.between = self.something_between
        first, other = self.order(operation, "120.00"), self.order(operation, "130.00")
        self.orders = [first, like(first), other]
        self.promise = Promise(self.bench, self.orders)
        self.ended = Counter[str]()
        self.unknown = Counter[str]()
        self.expired = False
        # The item names of the guards that were paid for good.
        self.paid = set[str]()

    @staticmethod
    def order(operation: str, amount: str) -> Order:
        made = new_order(operation, amount)
        # The order has the date at which the clock starts.
        dated = "payment_date" in made.fields
        return made.but(payment_date=f"{datetime.fromtimestamp(START, UTC):%Y-%m-%d}") if dated else made

    def go(self) -> None:
        """Run with faults, then without, then check what must stay true."""
        for _ in range(self.chance.randint(6, 20)):
            self.something_happens()
            self.check()
        self.quiet()
        self.check()
        self.promise.check_the_end()
        # A record that has expired is known to the provider alone.
        if not self.expired:
            self.unknown = reconciled(self.bench, self.orders)
            self.check()
        records = [self.bench.store().find(order.id) for order in self.orders]
        self.ended = Counter(record.status if record else "no record" for record in records)
        self.no_guard_is_stuck_and_no_paid_one_lost()

    def check(self) -> None:
        """Check the promise. What was paid for good must stay marked, even without its record."""
        self.promise.check()
        records = [record for order in self.orders if (record := self.bench.store().find(order.id)) is not None]
        for record in records:
            kept = [guard for guard in record.guards if guard.keeps and record.status == SUCCEEDED]
            self.paid |= {guard_id(guard.of or record.operation, guard.key) for guard in kept}
        for name in self.paid:
            assert self.bench.table.items.get(name, {}).get("paid") == {"BOOL": True}, name

    def note(self, what: str) -> None:
        self.bench.trace.append(what)

    def something_happens(self) -> None:
        match self.chance.randrange(10):
            case 0 | 1 | 2 | 3:
                self.send(self.chance.choice(self.orders))
            case 4 | 5:
                self.sweep()
            case 6:
                self.answer_wrongly()
            case 7 | 8:
                self.pass_time(self.chance.choice(TIMES))
            case 9:
                self.something_rare()

    def something_rare(self) -> None:
        if self.chance.random() < 0.5:
            self.note("tokens expire")
            for provider in self.bench.sandbox.providers.values():
                provider.tokens.revoke()
        else:
            self.pass_time(91 * DAY)
            self.expire()

    def something_between(self) -> None:
        """Run one or two other invocations while the current one waits."""
        for _ in range(self.chance.choice((1, 1, 2))):
            match self.chance.randrange(6):
                case 0:
                    self.sweep()
                case 1:
                    self.pass_time(self.chance.choice((1, 4, 31)))
                case _:
                    self.send(self.chance.choice(self.orders))

    def send(self, order: Order) -> None:
        skew = self.chance.choice(SKEWS)
        self.note(f"{order.key} is sent, clock {skew:+}")
        answer = self.promise.send(order, skew=skew)
        self.note(f"{order.key}: {answer and (answer.status, answer.slug)}")

    def sweep(self) -> None:
        skew = self.chance.choice(SKEWS)
        self.note(f"sweep, clock {skew:+}")
        try:
            self.bench.sweep(skew=skew)
        except (store_module.StoreUnavailableError, SweepStoppedError):
            self.note("sweep failed")

    def answer_wrongly(self) -> None:
        """Let the next call of an order, or the next look-ups, fail in some way."""
        if self.chance.random() < 0.6:
            name, then, order = self.bench.operation.name, self.chance.choice(SAID), self.chance.choice(self.orders)
            book = False if then in NEVER_BOOKED else then == "answer" or self.chance.choice(BOOK)
            how = {"match": order.reference, "book": book}
        else:
            name, then = LOOK_UPS[self.bench.operation.name], self.chance.choice(LOOK_UP_SAID)
            how = {"times": self.chance.randint(1, 3), "seconds": 20}
        if then in faults_of(self.bench.sandbox.operations[name]):
            self.note(f"{name} will {then} {how}")
            self.bench.rule(operation=name, then=then, **how)

    def pass_time(self, seconds: float) -> None:
        self.note(f"{seconds} s pass")
        self.bench.pass_time(seconds)

    def expire(self) -> None:
        for item_id in self.bench.table.expire(self.bench.now):
            self.note(f"{item_id} expires")
            self.expired = True
            self.promise.forget(item_id)

    def quiet(self) -> None:
        """End all faults, then let time pass and sweeps run."""
        self.note("quiet")
        self.bench.network.arrive()
        self.bench.network.rate = self.bench.kills = self.bench.comers = 0.0
        self.bench.sandbox.rules.remove()
        for seconds in QUIET_STEPS:
            self.bench.pass_time(seconds)
            self.bench.sweep()

    def no_guard_is_stuck_and_no_paid_one_lost(self) -> None:
        """Try another order under each guard, now and after all records have expired.

        It is accepted, or it is refused because it is already paid. An order that is still unknown must hold its guard.
        """
        for _ in range(2):
            for order in (self.orders[0], self.orders[2]):
                self.try_another(order)
            self.bench.pass_time(91 * DAY)
            self.expire()
        self.promise.no_order_is_booked_twice()

    def try_another(self, order: Order) -> None:
        same = [one for one in self.promise.orders if one.mark == order.mark]
        records = [record for one in same if (record := self.bench.store().find(one.id)) is not None]
        number = len(self.promise.orders)
        # A total higher than all others, or another part of the pre-authorisation.
        probe = another(order, f"{order.key}-probe-{number}", f"{1000 + number}.00")
        paid = order.operation in PAID_ONCE and any(self.bench.booked(one.key) for one in same)
        self.promise.add(probe)
        answer = self.bench.call(probe.event)
        assert answer is not None
        self.note(f"{probe.key}: {answer.status} {answer.body}")
        if paid:
            assert answer.status == 409, answer.body
            assert self.bench.booked(probe.key) == 0
        elif all(record.final for record in records):
            assert (answer.status, answer.slug) != (409, "held-by-another-operation"), answer.body
        else:
            assert not order.example.declared.has_guards or answer.status == 409, answer.body


@contextmanager
def chaos(current: list[ChaosBench]) -> Iterator[None]:
    """The environment of the bench in this file. The store does not sleep."""
    with in_process(lambda: current[0]), mock.patch.object(store_module.time, "sleep"):
        yield


def run_one(seed: int, number: int, current: list[ChaosBench], unknown: Counter[str]) -> Counter[str]:
    """Make one run. Returns how often each kind of event happened; `unknown` counts what became of unknown outcomes."""
    operation = OPERATIONS[number % len(OPERATIONS)]
    with mock.patch.object(orders, "_numbers", iter(range(1, 1000))):
        run = Run(operation, seeded(seed, f"chaos {number}"))
        current[:] = [run.bench]
        try:
            run.go()
        except AssertionError as error:
            error.add_note(f"{operation}, run {number} of seed {seed}:\n  " + "\n  ".join(run.bench.trace))
            raise
    unknown.update(run.unknown)
    ends = [line.rpartition(": ")[2] for line in run.bench.trace]
    return run.bench.network.happened + Counter(end for end in ends if end in INTERRUPTIONS) + run.ended


@pytest.mark.timeout(1800)
def test_chaos_keeps_the_promise(seed: int, report: list[str], unknown: Counter[str]) -> None:
    happened, current = Counter[str](), list[ChaosBench]()
    with chaos(current):
        for number in range(RUNS):
            happened += run_one(seed, number, current, unknown)
    # Each kind of fault happened. Without any final outcome the test would prove nothing.
    assert {*FAULTS, *INTERRUPTIONS, "arrived", "arrived without effect", SUCCEEDED, DECLINED, NOT_EXECUTED} <= set(
        happened
    )
    events = ", ".join(f"{count} {name}" for name, count in sorted(happened.items()))
    report += [f"Chaos: {RUNS} runs: {events}"]
