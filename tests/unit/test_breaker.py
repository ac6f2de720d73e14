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
from vezne.providers import credentials
from vezne.providers.client import INQUIRY_SECONDS, InquiryFailedError, InquiryRefusedError
from vezne.providers.credentials import CredentialsRefusedError
from vezne.providers.http import READ_SECONDS, AnswerLostError, Deadline, Provider
from vezne.providers.login_lock import LoginLock
from vezne_cli import breakers
from vezne_cli.catalogue import PROVIDERS, URLS

from tests.faults.memory_store import MemoryStore
from tests.faults.memory_table import MemoryTable
from tests.support.memory_secret import MemorySecret, in_place
from tests.support.providers import SECRETS

NOW = 1_800_000_000.0
DEADLINE = Deadline(lambda: 27_000)
GOOD, BAD = Succeeded({}), Unknown("http-502")


class Environment:
    """A table, a clock and a provider; each instance is one function instance's breaker."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = NOW
        self.table = MemoryTable()
        self.store = MemoryStore(self.table, lambda: self.now)
        self.calls: list[str] = []
        self.down = False
        self.probes: list[float] = []
        self.probe_seconds = 0.0
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

    def _probe(self, deadline: Deadline) -> None:
        self.probes.append(self.now)
        waited = min(self.probe_seconds, deadline.inquiry_seconds or INQUIRY_SECONDS)
        self.now += waited
        if waited < self.probe_seconds:
            raise InquiryFailedError("deadline")
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
def environment(monkeypatch: pytest.MonkeyPatch) -> Environment:
    return Environment(monkeypatch)


def opened(environment: Environment) -> Breaker:
    instance = environment.instance()
    for _ in range(3):
        assert environment.order(instance, BAD) is None
    assert environment.item().state == OPEN
    return instance


def test_while_all_is_well_it_is_read_as_seldom_as_the_secret_and_never_written(environment: Environment) -> None:
    instance = environment.instance()
    for _ in range(15_000):
        assert environment.order(instance, GOOD, seconds=0.05) is None
    assert environment.calls == ["get_item"] * 3
    assert environment.metrics == []


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
def test_what_is_bad_and_what_is_not(environment: Environment, outcome: Outcome, good: bool | None) -> None:
    instance = environment.instance()
    environment.order(instance, BAD)
    before = environment.item()
    environment.order(instance, outcome)
    after = environment.item()
    assert (after.bad - before.bad, after.ok - before.ok) == {True: (0, 1), False: (1, 0), None: (0, 0)}[good]


def test_bad_ends_open_it_for_all_and_the_answer_says_when_to_come_back(environment: Environment) -> None:
    instance = opened(environment)
    assert ("BreakerOpened", 1) in environment.metrics
    for one in (instance, environment.instance()):
        wait = environment.order(one, GOOD)
        assert wait is not None
        assert 5 <= wait <= 10
    assert environment.metrics[-2:] == [("BreakerRefused", 1), ("BreakerState", 2)]
    assert environment.probes == []


def test_an_instance_that_knows_of_no_trouble_learns_of_it_by_its_own_bad_end(environment: Environment) -> None:
    healthy = environment.instance()
    environment.order(healthy, GOOD)
    opened(environment)
    assert environment.order(healthy, BAD) is None
    environment.now += 1
    assert environment.order(healthy, GOOD) is not None


def test_one_good_end_of_its_own_is_told_beside_a_bad_one(environment: Environment) -> None:
    instance = environment.instance()
    environment.order(instance, GOOD)
    environment.order(instance, BAD)
    assert (environment.item().bad, environment.item().ok) == (1, 1)
    environment.order(instance, GOOD)
    assert (environment.item().bad, environment.item().ok) == (1, 2)
    environment.order(instance, GOOD)
    environment.now += 10
    environment.order(instance, BAD)
    assert environment.item().ok == 0


def test_probes_come_later_and_later_and_only_one_at_a_time(environment: Environment) -> None:
    instance = opened(environment)
    environment.probe_fails = InquiryFailedError("http-502")
    others = [environment.instance() for _ in range(3)]
    for _ in range(120):
        environment.now += 1
        for one in (instance, *others):
            assert environment.order(one, GOOD) is not None
    waits = [
        int(later - earlier - 0.5) for earlier, later in zip(environment.probes, environment.probes[1:], strict=False)
    ]
    assert waits[:4] == [10, 20, 30, 30]
    assert ("BreakerProbe", 0) in environment.metrics


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
def test_a_probe_is_good_if_the_provider_answers(environment: Environment, error: Exception | None, good: bool) -> None:
    instance = opened(environment)
    environment.now, environment.probe_fails = environment.item().until, error
    assert (environment.order(instance, Succeeded({})) is None) == good
    assert environment.item().state == (TRIAL if good else OPEN)


@pytest.mark.parametrize(("seconds", "state"), [(0.3, CLOSED), (8.0, CLOSED), (19.0, CLOSED), (20.1, OPEN)])
def test_a_slow_answer_to_a_probe_is_as_good_as_a_fast_one(
    environment: Environment, seconds: float, state: str
) -> None:
    """A slow provider is used: its orders have as long as a probe."""
    instance = opened(environment)
    environment.probe_seconds = seconds
    begun = environment.now
    while environment.item().state != CLOSED and environment.now < begun + 120:
        environment.now += 1
        environment.order(instance, GOOD, seconds=seconds)
    assert environment.item().state == state


@pytest.mark.parametrize("provider", PROVIDERS.values(), ids=str)
def test_every_call_of_a_probe_waits_as_long_as_an_order(
    environment: Environment, monkeypatch: pytest.MonkeyPatch, provider: Any
) -> None:
    waited: list[float] = []

    def send(_: Provider, __: Any, ___: Deadline, longest: float) -> None:
        waited.append(longest)
        raise AnswerLostError("deadline")

    for name in URLS:
        monkeypatch.setenv(name, "http://provider.invalid")
    monkeypatch.setattr(Provider, "send", send)
    monkeypatch.setattr(credentials, "_fetch_secret", lambda model: (model.model_validate(SECRETS[provider.name]), "1"))
    monkeypatch.setattr(LoginLock, "begin", mock.Mock(return_value=None))
    monkeypatch.setattr(LoginLock, "end", mock.Mock())
    monkeypatch.setattr(provider.client.provider, "failing", False)
    provider.client.credential_cache.forget()
    instance = environment.instance()
    instance.client = provider.client
    # Where a token is shared, there is none yet.
    secret = MemorySecret()
    with in_place(lambda: secret):
        assert not instance._is_answered(DEADLINE)
    assert waited == [READ_SECONDS]
    provider.client.credential_cache.forget()


def test_an_order_that_has_waited_for_a_slow_probe_is_no_trial(environment: Environment) -> None:
    """It would be cut off before its provider answers, and its outcome would be unknown."""
    instance, other = opened(environment), environment.instance()
    environment.now = began = environment.item().until
    environment.probe_seconds = 8.0
    deadline = Deadline(lambda: (27 - (environment.now - began)) * 1000)
    wait = instance.admit(deadline, environment.store)
    assert wait is not None
    assert wait <= 5
    assert environment.item().state == TRIAL
    assert environment.order(other, GOOD) is None
    assert environment.item().good == 1


def test_after_a_good_probe_three_good_orders_one_at_a_time_close_it(environment: Environment) -> None:
    instance, other = opened(environment), environment.instance()
    environment.now = environment.item().until
    assert instance.admit(DEADLINE, environment.store) is None
    assert environment.item().state == TRIAL
    assert environment.order(other, GOOD) is not None
    instance.end(GOOD, DEADLINE, environment.store)
    for _ in range(2):
        assert environment.order(instance, GOOD) is None
    assert environment.item().state == CLOSED
    environment.now += 1
    assert environment.order(other, GOOD) is None
    assert len(environment.probes) == 1


def test_a_bad_trial_opens_it_for_longer_each_time(environment: Environment) -> None:
    instance, waits = opened(environment), []
    for _ in range(7):
        environment.now = environment.item().until
        assert environment.order(instance, BAD) is None
        assert environment.item().state == OPEN
        waits.append(round(environment.item().until - environment.now))
    assert waits == [10, 20, 40, 80, 160, 300, 300]
    assert environment.item().since < environment.now - 300


def test_a_trial_that_tells_nothing_is_given_back(environment: Environment) -> None:
    instance, other = opened(environment), environment.instance()
    environment.now = environment.item().until
    assert instance.admit(DEADLINE, environment.store) is None
    instance.leave(environment.store)
    assert environment.item() == BreakerItem(**{**_fields(environment.item()), "state": TRIAL, "lease_until": 0.0})
    assert environment.order(other, GOOD) is None
    assert environment.item().good == 1


def test_a_killed_trial_keeps_the_others_back_for_half_a_minute(environment: Environment) -> None:
    killed, other = opened(environment), environment.instance()
    environment.now = environment.item().until
    assert killed.admit(DEADLINE, environment.store) is None
    environment.now += 30
    assert environment.order(other, GOOD) is not None
    environment.now += 1
    assert environment.order(other, GOOD) is None


def test_a_slow_call_is_told_while_it_goes_on_and_a_good_end_takes_it_back(environment: Environment) -> None:
    instance = environment.instance()
    assert instance.admit(DEADLINE, environment.store) is None
    with instance.call(environment.store):
        environment.now += 6
        instance.mark_as_slow(environment.store)
        assert environment.item().bad == 1
        environment.now += 2
    instance.end(GOOD, DEADLINE, environment.store)
    assert (environment.item().bad + environment.item().prev_bad, environment.item().ok) == (0, 1)


def test_a_bad_end_of_a_call_told_as_slow_counts_once(environment: Environment) -> None:
    instance = environment.instance()
    assert instance.admit(DEADLINE, environment.store) is None
    with instance.call(environment.store):
        environment.now += 6
        instance.mark_as_slow(environment.store)
        environment.now += 14
    instance.end(BAD, DEADLINE, environment.store)
    assert environment.item().bad + environment.item().prev_bad == 1


def test_slow_calls_are_not_told_while_slow_ones_end_well(environment: Environment) -> None:
    slow, instance = environment.instance(), environment.instance()
    environment.order(slow, GOOD, seconds=8)
    assert instance.admit(DEADLINE, environment.store) is None
    with instance.call(environment.store):
        environment.now += 6
        instance.mark_as_slow(environment.store)
    assert environment.item().bad == 0


def test_the_timer_tells_a_slow_call(environment: Environment, monkeypatch: pytest.MonkeyPatch) -> None:
    scheduled: list[tuple[float, Any]] = []
    timers = mock.Mock()
    timers.schedule.side_effect = lambda *asked: scheduled.append(asked) or "timer"
    monkeypatch.setattr(breaker_module, "_timers", timers)
    instance = environment.instance()
    environment.order(instance, GOOD)
    ((seconds, act),) = scheduled
    assert seconds == 6.0
    timers.cancel.assert_called_once_with("timer")
    environment.down = True
    act()


def test_an_end_that_comes_late_says_nothing_about_now(environment: Environment) -> None:
    late = environment.instance()
    assert late.admit(DEADLINE, environment.store) is None
    instance = opened(environment)
    environment.now = environment.item().until
    for _ in range(3):
        environment.order(instance, GOOD)
    assert environment.item().state == CLOSED
    late.end(BAD, DEADLINE, environment.store)
    assert environment.item().bad == 0


def test_while_the_table_does_not_answer_what_is_known_goes_on(environment: Environment) -> None:
    never, instance = environment.instance(), opened(environment)
    environment.down = True
    assert environment.order(never, BAD) is None
    assert environment.order(instance, GOOD) is not None
    environment.now = environment.item().until + 5
    assert environment.order(instance, GOOD) is not None
    assert environment.probes == []


def test_nothing_is_told_when_the_answer_would_be_late_for_it(environment: Environment) -> None:
    instance = environment.instance()
    assert instance.admit(DEADLINE, environment.store) is None
    instance.end(BAD, Deadline(lambda: 3_900), environment.store)
    assert environment.item() == BreakerItem()


def test_a_sweep_only_probes_while_it_is_open(environment: Environment) -> None:
    instance = opened(environment)
    environment.probe_fails = InquiryFailedError("http-502")
    assert not instance.may_look_up(DEADLINE, environment.store)
    assert environment.probes == []
    environment.now = environment.item().until
    assert not instance.may_look_up(DEADLINE, environment.store)
    assert len(environment.probes) == 1
    environment.now, environment.probe_fails = environment.item().until, None
    assert instance.may_look_up(DEADLINE, environment.store)
    assert environment.item().state == TRIAL
    assert environment.metrics[-1] == ("BreakerState", 1)


def test_what_an_operator_opens_is_not_probed_and_what_he_closes_is_closed(environment: Environment) -> None:
    instance = environment.instance()
    environment.store.update_item(breaker_item.decide("paynet", environment.now, OPEN, "me", "works there"))
    for _ in range(3):
        wait = environment.order(instance, GOOD)
        assert wait is not None
        assert 300 < wait <= 305
        environment.now += 3600
    assert not instance.may_look_up(DEADLINE, environment.store)
    assert environment.probes == []
    environment.store.update_item(breaker_item.decide("paynet", environment.now, CLOSED, "me", "done"))
    environment.now += 1
    assert environment.order(instance, GOOD) is None


def test_an_unknown_state_keeps_nothing_back_and_is_left_alone(environment: Environment) -> None:
    environment.table.items[breaker_id("paynet")] = {"id": {"S": breaker_id("paynet")}, "state": {"S": "other"}}
    instance = environment.instance()
    for _ in range(9):
        assert environment.order(instance, BAD) is None
    assert environment.item() == BreakerItem(state="other")
    assert "update_item" not in environment.calls


def test_an_hour_of_silence_leaves_few_bad_ends_and_is_over_soon_after(environment: Environment) -> None:
    """Two orders a second on many instances; each sent order ends badly, until the provider answers again."""
    environment.probe_fails = InquiryFailedError("deadline")
    instances, sent = [environment.instance() for _ in range(20)], 0
    for number in range(7200):
        environment.now = max(environment.now, NOW + number / 2)
        sent += environment.order(instances[number % 20], BAD, seconds=0.0) is None
    assert sent <= 25
    environment.probe_fails = None
    begun = environment.now
    while environment.item().state != CLOSED:
        environment.now += 0.5
        environment.order(instances[int(environment.now * 2) % 20], GOOD)
    assert environment.now - begun <= 35


def _fields(state: BreakerItem) -> dict[str, Any]:
    return {name: getattr(state, name) for name in BreakerItem.__slots__}


def test_the_command_shows_a_breaker_and_keeps_who_changed_it_and_why(environment: Environment) -> None:
    assert list(breakers.show(environment.store, "paynet")) == ["paynet  closed"]
    told = list(breakers.set_by_hand(environment.store, "paynet", OPEN, "arn:me", "they book twice"))
    assert told[:2] == ["paynet  open since 2027-01-15T08:00:00.000Z", "  by arn:me: they book twice"]
    assert "nothing is sent, until you close it" in told[-1]
    assert environment.order(environment.instance(), GOOD) is not None
    told = list(breakers.set_by_hand(environment.store, "paynet", CLOSED, "arn:me", "repaired"))
    assert told[0].startswith("paynet  closed")
    assert environment.order(environment.instance(), GOOD) is None
