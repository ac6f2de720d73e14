"""The breaker as one function instance sees it, on a clock that only the test moves: calls, reports, probes, trials."""

from types import SimpleNamespace
from typing import Any
from unittest import mock

import pytest
from vezne.orders import breaker as breaker_module, breaker_item
from vezne.orders.breaker import Breaker
from vezne.orders.breaker_item import CLOSED, OPEN, TRIAL, BreakerItem, breaker_id, from_item
from vezne.orders.outcome import CredentialsRefused, Declined, NotSent, Outcome, Succeeded, Unknown
from vezne.orders.store import StoreUnavailableError
from vezne.providers.client import InquiryFailedError, InquiryRefusedError
from vezne.providers.credentials import CredentialsRefusedError
from vezne.providers.http import Deadline
from vezne_cli import breakers

from tests.faults.memory_store import MemoryStore
from tests.faults.memory_table import MemoryTable

NOW = 1_800_000_000.0
DEADLINE = Deadline(lambda: 27_000)
GOOD, BAD = Succeeded({}), Unknown("http-502")


class World:
    """A table, a clock and a provider; each instance is one function instance's breaker."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = NOW
        self.table = MemoryTable()
        self.store = MemoryStore(self.table, lambda: self.now)
        self.calls: list[str] = []
        self.down = False
        self.probes: list[float] = []
        self.probe_fails: Exception | None = None
        self.metrics: list[tuple[str, float]] = []
        monkeypatch.setenv("TABLE_NAME", "records")
        monkeypatch.setattr(self.store, "_call", self._call)
        monkeypatch.setattr(breaker_module, "emit_of_provider", self._metric)

    def _metric(self, name: str, provider: str, value: float = 1) -> None:
        assert provider == "paynet"
        self.metrics.append((name, value))

    def _call(self, name: str, **request: Any) -> dict[str, Any]:
        self.calls.append(name)
        if self.down:
            raise StoreUnavailableError("down")
        return MemoryStore._call(self.store, name, **request)

    def instance(self) -> Breaker:
        made = Breaker("paynet")
        made.client = SimpleNamespace(probe=self._probe, provider=SimpleNamespace(failing=False))  # type: ignore[assignment]
        return made

    def _probe(self, _: Deadline) -> None:
        self.probes.append(self.now)
        if self.probe_fails:
            raise self.probe_fails

    def order(self, instance: Breaker, outcome: Outcome, seconds: float = 0.1) -> int | None:
        """Take an order to its end; how long to wait if it may not be sent."""
        wait = instance.admit(DEADLINE, self.store)
        if wait is None:
            with instance.call(self.store):
                self.now += seconds
            instance.end(outcome, DEADLINE, self.store)
            instance.leave(self.store)
        return wait

    def item(self) -> BreakerItem:
        return from_item(self.table.items.get(breaker_id("paynet"), {}))


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> World:
    return World(monkeypatch)


def opened(world: World) -> Breaker:
    instance = world.instance()
    for _ in range(3):
        assert world.order(instance, BAD) is None
    assert world.item().state == OPEN
    return instance


def test_while_all_is_well_it_is_read_as_seldom_as_the_secret_and_never_written(world: World) -> None:
    instance = world.instance()
    for _ in range(15_000):
        assert world.order(instance, GOOD, seconds=0.05) is None
    assert world.calls == ["get_item"] * 3
    assert world.metrics == []


BAD_OR_NOT: list[tuple[Outcome, bool | None]] = [
    (Unknown("deadline"), False),
    (Unknown("http-502"), False),
    (Unknown("unreadable"), False),
    (NotSent("ConnectionError", provider_failed=True), False),
    (NotSent("ACBG000003"), None),
    (NotSent("secret-unavailable"), None),
    (Succeeded({}), True),
    (Declined("9", "no"), True),
    (CredentialsRefused("http-401"), True),
]


@pytest.mark.parametrize(("outcome", "good"), BAD_OR_NOT, ids=[str(case[0]) for case in BAD_OR_NOT])
def test_what_is_bad_and_what_is_not(world: World, outcome: Outcome, good: bool | None) -> None:
    instance = world.instance()
    world.order(instance, BAD)
    before = world.item()
    world.order(instance, outcome)
    after = world.item()
    assert (after.bad - before.bad, after.ok - before.ok) == {True: (0, 1), False: (1, 0), None: (0, 0)}[good]


def test_bad_ends_open_it_for_all_and_the_answer_says_when_to_come_back(world: World) -> None:
    instance = opened(world)
    assert ("BreakerOpened", 1) in world.metrics
    for one in (instance, world.instance()):
        wait = world.order(one, GOOD)
        assert wait is not None
        assert 5 <= wait <= 10
    assert world.metrics[-2:] == [("BreakerRefused", 1), ("BreakerState", 2)]
    assert world.probes == []


def test_an_instance_that_knows_of_no_trouble_learns_of_it_by_its_own_bad_end(world: World) -> None:
    healthy = world.instance()
    world.order(healthy, GOOD)
    opened(world)
    assert world.order(healthy, BAD) is None
    world.now += 1
    assert world.order(healthy, GOOD) is not None


def test_one_good_end_of_its_own_is_told_beside_a_bad_one(world: World) -> None:
    instance = world.instance()
    world.order(instance, GOOD)
    world.order(instance, BAD)
    assert (world.item().bad, world.item().ok) == (1, 1)
    world.order(instance, GOOD)
    assert (world.item().bad, world.item().ok) == (1, 2)
    world.order(instance, GOOD)
    world.now += 10
    world.order(instance, BAD)
    assert world.item().ok == 0


def test_probes_come_later_and_later_and_only_one_at_a_time(world: World) -> None:
    instance = opened(world)
    world.probe_fails = InquiryFailedError("http-502")
    others = [world.instance() for _ in range(3)]
    for _ in range(120):
        world.now += 1
        for one in (instance, *others):
            assert world.order(one, GOOD) is not None
    waits = [int(later - earlier - 0.5) for earlier, later in zip(world.probes, world.probes[1:], strict=False)]
    assert waits[:4] == [10, 20, 30, 30]
    assert ("BreakerProbe", 0) in world.metrics


@pytest.mark.parametrize(
    ("error", "good"),
    [
        (None, True),
        (InquiryRefusedError("http-200", "1", "no"), True),
        (CredentialsRefusedError("http-401"), True),
        (InquiryFailedError("http-502"), False),
        (ValueError(), False),
    ],
    ids=str,
)
def test_a_probe_is_good_if_the_provider_answers(world: World, error: Exception | None, good: bool) -> None:
    instance = opened(world)
    world.now, world.probe_fails = world.item().until, error
    assert (world.order(instance, Succeeded({})) is None) == good
    assert world.item().state == (TRIAL if good else OPEN)


def test_after_a_good_probe_three_good_orders_one_at_a_time_close_it(world: World) -> None:
    instance, other = opened(world), world.instance()
    world.now = world.item().until
    assert instance.admit(DEADLINE, world.store) is None
    assert world.item().state == TRIAL
    assert world.order(other, GOOD) is not None
    instance.end(GOOD, DEADLINE, world.store)
    for _ in range(2):
        assert world.order(instance, GOOD) is None
    assert world.item().state == CLOSED
    world.now += 1
    assert world.order(other, GOOD) is None
    assert len(world.probes) == 1


def test_a_bad_trial_opens_it_for_longer_each_time(world: World) -> None:
    instance, waits = opened(world), []
    for _ in range(7):
        world.now = world.item().until
        assert world.order(instance, BAD) is None
        assert world.item().state == OPEN
        waits.append(round(world.item().until - world.now))
    assert waits == [10, 20, 40, 80, 160, 300, 300]
    assert world.item().since < world.now - 300


def test_a_trial_that_tells_nothing_is_given_back(world: World) -> None:
    instance, other = opened(world), world.instance()
    world.now = world.item().until
    assert instance.admit(DEADLINE, world.store) is None
    instance.leave(world.store)
    assert world.item() == BreakerItem(**{**_fields(world.item()), "state": TRIAL, "lease_until": 0.0})
    assert world.order(other, GOOD) is None
    assert world.item().good == 1


def test_a_killed_trial_keeps_the_others_back_for_half_a_minute(world: World) -> None:
    killed, other = opened(world), world.instance()
    world.now = world.item().until
    assert killed.admit(DEADLINE, world.store) is None
    world.now += 30
    assert world.order(other, GOOD) is not None
    world.now += 1
    assert world.order(other, GOOD) is None


def test_a_slow_call_is_told_while_it_goes_on_and_a_good_end_takes_it_back(world: World) -> None:
    instance = world.instance()
    assert instance.admit(DEADLINE, world.store) is None
    with instance.call(world.store):
        world.now += 6
        instance.mark_as_slow(world.store)
        assert world.item().bad == 1
        world.now += 2
    instance.end(GOOD, DEADLINE, world.store)
    assert (world.item().bad + world.item().prev_bad, world.item().ok) == (0, 1)


def test_a_bad_end_of_a_call_told_as_slow_counts_once(world: World) -> None:
    instance = world.instance()
    assert instance.admit(DEADLINE, world.store) is None
    with instance.call(world.store):
        world.now += 6
        instance.mark_as_slow(world.store)
        world.now += 14
    instance.end(BAD, DEADLINE, world.store)
    assert world.item().bad + world.item().prev_bad == 1


def test_slow_calls_are_not_told_while_slow_ones_end_well(world: World) -> None:
    slow, instance = world.instance(), world.instance()
    world.order(slow, GOOD, seconds=8)
    assert instance.admit(DEADLINE, world.store) is None
    with instance.call(world.store):
        world.now += 6
        instance.mark_as_slow(world.store)
    assert world.item().bad == 0


def test_the_timer_tells_a_slow_call(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    scheduled: list[tuple[float, Any]] = []
    timers = mock.Mock()
    timers.schedule.side_effect = lambda *asked: scheduled.append(asked) or "timer"
    monkeypatch.setattr(breaker_module, "_timers", timers)
    instance = world.instance()
    world.order(instance, GOOD)
    ((seconds, act),) = scheduled
    assert seconds == 6.0
    timers.cancel.assert_called_once_with("timer")
    world.down = True
    act()


def test_an_end_that_comes_late_says_nothing_about_now(world: World) -> None:
    late = world.instance()
    assert late.admit(DEADLINE, world.store) is None
    instance = opened(world)
    world.now = world.item().until
    for _ in range(3):
        world.order(instance, GOOD)
    assert world.item().state == CLOSED
    late.end(BAD, DEADLINE, world.store)
    assert world.item().bad == 0


def test_while_the_table_does_not_answer_what_is_known_goes_on(world: World) -> None:
    never, instance = world.instance(), opened(world)
    world.down = True
    assert world.order(never, BAD) is None
    assert world.order(instance, GOOD) is not None
    world.now = world.item().until + 5
    assert world.order(instance, GOOD) is not None
    assert world.probes == []


def test_nothing_is_told_when_the_answer_would_be_late_for_it(world: World) -> None:
    instance = world.instance()
    assert instance.admit(DEADLINE, world.store) is None
    instance.end(BAD, Deadline(lambda: 3_900), world.store)
    assert world.item() == BreakerItem()


def test_a_sweep_only_probes_while_it_is_open(world: World) -> None:
    instance = opened(world)
    world.probe_fails = InquiryFailedError("http-502")
    assert not instance.may_look_up(DEADLINE, world.store)
    assert world.probes == []
    world.now = world.item().until
    assert not instance.may_look_up(DEADLINE, world.store)
    assert len(world.probes) == 1
    world.now, world.probe_fails = world.item().until, None
    assert instance.may_look_up(DEADLINE, world.store)
    assert world.item().state == TRIAL
    assert world.metrics[-1] == ("BreakerState", 1)


def test_what_an_operator_opens_is_not_probed_and_what_he_closes_is_closed(world: World) -> None:
    instance = world.instance()
    world.store.update_item(breaker_item.decide("paynet", world.now, OPEN, "me", "works there"))
    for _ in range(3):
        wait = world.order(instance, GOOD)
        assert wait is not None
        assert 300 < wait <= 305
        world.now += 3600
    assert not instance.may_look_up(DEADLINE, world.store)
    assert world.probes == []
    world.store.update_item(breaker_item.decide("paynet", world.now, CLOSED, "me", "done"))
    world.now += 1
    assert world.order(instance, GOOD) is None


def test_an_unknown_state_keeps_nothing_back_and_is_left_alone(world: World) -> None:
    world.table.items[breaker_id("paynet")] = {"id": {"S": breaker_id("paynet")}, "state": {"S": "other"}}
    instance = world.instance()
    for _ in range(9):
        assert world.order(instance, BAD) is None
    assert world.item() == BreakerItem(state="other")
    assert "update_item" not in world.calls


def test_an_hour_of_silence_leaves_few_bad_ends_and_is_over_soon_after(world: World) -> None:
    """Two orders a second on many instances; each sent order ends badly, until the provider answers again."""
    world.probe_fails = InquiryFailedError("deadline")
    instances, sent = [world.instance() for _ in range(20)], 0
    for number in range(7200):
        world.now = max(world.now, NOW + number / 2)
        sent += world.order(instances[number % 20], BAD, seconds=0.0) is None
    assert sent <= 25
    world.probe_fails = None
    begun = world.now
    while world.item().state != CLOSED:
        world.now += 0.5
        world.order(instances[int(world.now * 2) % 20], GOOD)
    assert world.now - begun <= 35


def _fields(state: BreakerItem) -> dict[str, Any]:
    return {name: getattr(state, name) for name in BreakerItem.__slots__}


def test_the_command_shows_a_breaker_and_keeps_who_changed_it_and_why(world: World) -> None:
    assert list(breakers.show(world.store, "paynet")) == ["paynet  closed"]
    told = list(breakers.set_by_hand(world.store, "paynet", OPEN, "arn:me", "they book twice"))
    assert told[:2] == ["paynet  open since 2027-01-15T08:00:00.000Z", "  by arn:me: they book twice"]
    assert "nothing is sent, until you close it" in told[-1]
    assert world.order(world.instance(), GOOD) is not None
    told = list(breakers.set_by_hand(world.store, "paynet", CLOSED, "arn:me", "repaired"))
    assert told[0].startswith("paynet  closed")
    assert world.order(world.instance(), GOOD) is None
