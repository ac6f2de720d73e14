"""The breaker's item: every transition under its condition, and when the reports say that a provider is sick."""

import random
from collections.abc import Callable
from dataclasses import replace

import pytest
from vezne.orders import breaker_item as item
from vezne.orders.breaker_item import CLOSED, FOR_EVER, OPEN, TRIAL, BreakerItem, breaker_id, from_item
from vezne.orders.guards import Update
from vezne.orders.store import ConditionFailedError

from tests.faults.memory_store import MemoryStore
from tests.faults.memory_table import MemoryTable

NOW = 1_800_000_000.0
WINDOW = int(NOW // 10)
PROVIDER = "paynet"


@pytest.fixture
def store(monkeypatch: pytest.MonkeyPatch) -> MemoryStore:
    monkeypatch.setenv("TABLE_NAME", "records")
    return MemoryStore(MemoryTable(), lambda: NOW)


def standing(store: MemoryStore) -> BreakerItem:
    return from_item(store.item(breaker_id(PROVIDER)))


def do(store: MemoryStore, update: Update) -> BreakerItem | None:
    """What stands there after the write; None if its condition did not hold."""
    try:
        return from_item(store.update_item(update))
    except ConditionFailedError as failed:
        refused = failed
    assert from_item(refused.item) == standing(store)
    return None


def put(store: MemoryStore, state: BreakerItem) -> BreakerItem:
    """Bring the item to this state by an operator's word and a few writes."""
    values = {
        name: {"S": value} if isinstance(value, str) else {"N": str(value)}
        for name in BreakerItem.__slots__
        if (value := getattr(state, name))
    }
    store._memory.items[breaker_id(PROVIDER)] = {"id": {"S": breaker_id(PROVIDER)}, **values}
    assert standing(store) == state
    return state


def told(store: MemoryStore, now: float, *, bad: int = 0, ok: int = 0, slow: bool = False) -> BreakerItem | None:
    update = item.report(PROVIDER, standing(store), now, bad=bad, ok=ok, started=now - 0.1, slow=slow)
    return do(store, update)


def test_reports_of_one_window_add_up(store: MemoryStore) -> None:
    for bad, ok in ((1, 0), (1, 1), (0, 1)):
        assert told(store, NOW, bad=bad, ok=ok)
    assert standing(store) == BreakerItem(window=WINDOW, bad=2, ok=2, row=0, row_from=NOW)


@pytest.mark.parametrize(("later", "carried"), [(10, (3, 1)), (20, (0, 0)), (3600, (0, 0))])
def test_the_window_before_is_carried_and_no_older_one(
    store: MemoryStore, later: float, carried: tuple[int, int]
) -> None:
    assert told(store, NOW, bad=3, ok=1)
    after = told(store, NOW + later, bad=1)
    assert after is not None
    assert (after.bad, after.ok, after.prev_bad, after.prev_ok) == (1, 0, *carried)


def test_a_report_that_knows_an_older_window_is_refused_and_told_the_newer(store: MemoryStore) -> None:
    assert told(store, NOW, bad=1)
    stale = item.report(PROVIDER, BreakerItem(), NOW, bad=1, ok=0, started=NOW)
    assert do(store, stale) is None
    assert standing(store).bad == 1


def test_a_clock_that_is_behind_counts_in_the_newer_window(store: MemoryStore) -> None:
    assert told(store, NOW + 10, bad=1)
    after = told(store, NOW, bad=1)
    assert after is not None
    assert (after.window, after.bad) == (WINDOW + 1, 2)


def test_what_began_before_the_last_closing_is_left_out(store: MemoryStore) -> None:
    put(store, BreakerItem(since=NOW, gen=3))
    for started, taken in ((NOW - 20, False), (NOW + 1, True)):
        update = item.report(PROVIDER, standing(store), NOW + 2, bad=1, ok=0, started=started)
        assert (do(store, update) is not None) == taken


def test_a_slow_call_is_told_unless_a_slow_one_has_just_ended_well(store: MemoryStore) -> None:
    assert told(store, NOW, bad=1, slow=True)
    assert told(store, NOW + 2, bad=-1, ok=1, slow=True) is not None
    assert standing(store).bad == 0
    assert told(store, NOW + 8, bad=1, slow=True) is None
    assert told(store, NOW + 8, bad=1) is not None
    assert told(store, NOW + 13, bad=1, slow=True) is not None


SICK: list[tuple[str, BreakerItem, bool]] = [
    ("nothing", BreakerItem(), False),
    ("four bad of four", BreakerItem(window=WINDOW, bad=4), False),
    ("five bad of five", BreakerItem(window=WINDOW, bad=5), True),
    ("five bad, two good", BreakerItem(window=WINDOW, bad=5, ok=2), True),
    ("six bad, three good", BreakerItem(window=WINDOW, bad=6, ok=3), False),
    ("over two windows", BreakerItem(window=WINDOW, bad=2, prev_bad=3), True),
    ("good in the window before", BreakerItem(window=WINDOW, bad=5, prev_ok=3), False),
    ("told in the last window", BreakerItem(window=WINDOW - 1, bad=5), True),
    ("told in the one before the last", BreakerItem(window=WINDOW - 1, prev_bad=5), False),
    ("long ago", BreakerItem(window=WINDOW - 2, bad=50), False),
    ("three in a row", BreakerItem(window=WINDOW, bad=1, row=3, row_from=NOW - 600), True),
    ("two in a row", BreakerItem(window=WINDOW, bad=1, row=2, row_from=NOW - 30), False),
    ("three in more than ten minutes", BreakerItem(window=WINDOW, bad=1, row=3, row_from=NOW - 601), False),
    ("three in a row beside a good one", BreakerItem(window=WINDOW, bad=3, ok=1, row=3, row_from=NOW), False),
]


@pytest.mark.parametrize(("state", "sick"), [case[1:] for case in SICK], ids=[case[0] for case in SICK])
def test_sick_is_what_many_or_all_reports_say(state: BreakerItem, sick: bool) -> None:
    assert state.is_sick(NOW) == sick


def test_bad_ends_in_a_row_are_counted_over_windows_and_a_good_one_ends_the_row(store: MemoryStore) -> None:
    rows = []
    for minute, (bad, ok) in enumerate([(1, 0), (1, 0), (0, 1), (1, 0), (1, 0), (1, 0)]):
        after = told(store, NOW + 60 * minute, bad=bad, ok=ok)
        assert after is not None
        rows.append((after.row, after.is_sick(NOW + 60 * minute)))
    assert rows == [(1, False), (2, False), (0, False), (1, False), (2, False), (3, True)]


def test_a_row_is_over_after_ten_minutes(store: MemoryStore) -> None:
    for later in (0, 300, 601):
        after = told(store, NOW + later, bad=1)
    assert after is not None
    assert after.row == 1


CLOSED_NOW = BreakerItem(window=WINDOW, bad=7, gen=4)
OPEN_NOW = BreakerItem(state=OPEN, gen=5, since=NOW - 5, until=NOW)
PROBING = replace(OPEN_NOW, lease_until=NOW + 30)
TRYING = BreakerItem(state=TRIAL, gen=6, since=NOW - 60, lease_until=NOW + 30, bad=9, window=WINDOW)
Change = Callable[[BreakerItem], Update]
TRANSITIONS: list[tuple[str, BreakerItem, Change, dict[str, object] | None]] = [
    ("trip", CLOSED_NOW, lambda _: item.trip(PROVIDER, NOW), {"state": OPEN, "gen": 5, "until": NOW + 5, "since": NOW}),
    ("trip what never was", BreakerItem(), lambda _: item.trip(PROVIDER, NOW), {"state": OPEN, "gen": 1}),
    ("trip what is open", OPEN_NOW, lambda _: item.trip(PROVIDER, NOW), None),
    ("trip a trial", TRYING, lambda _: item.trip(PROVIDER, NOW), None),
    ("trip another version's state", BreakerItem(state="other"), lambda _: item.trip(PROVIDER, NOW), None),
    ("take a probe", OPEN_NOW, lambda known: item.take(PROVIDER, known, NOW, NOW + 30), {"lease_until": NOW + 30}),
    ("take a probe too early", OPEN_NOW, lambda known: item.take(PROVIDER, known, NOW - 1, NOW + 29), None),
    ("take a probe twice", PROBING, lambda known: item.take(PROVIDER, known, NOW + 1, NOW + 31), None),
    ("take a dead one's probe", PROBING, lambda known: item.take(PROVIDER, known, NOW + 31, NOW + 61),
     {"lease_until": NOW + 61}),
    ("take an older state", OPEN_NOW, lambda known: item.take(PROVIDER, replace(known, gen=4), NOW, NOW + 30), None),
    ("take a trial", replace(TRYING, lease_until=0.0), lambda known: item.take(PROVIDER, known, NOW, NOW + 30),
     {"lease_until": NOW + 30, "gen": 6}),
    ("good probe", PROBING, lambda mine: item.end_probe(PROVIDER, mine, NOW + 1, began=NOW, good=True),
     {"state": TRIAL, "good": 0, "gen": 6, "lease_until": 0.0}),
    ("bad probe", PROBING, lambda mine: item.end_probe(PROVIDER, mine, NOW + 8, began=NOW, good=False),
     {"state": OPEN, "until": NOW + 10, "probe_step": 1, "gen": 6, "lease_until": 0.0}),
    ("third bad probe", replace(PROBING, probe_step=2),
     lambda mine: item.end_probe(PROVIDER, mine, NOW + 8, began=NOW, good=False), {"until": NOW + 30, "probe_step": 3}),
    ("fourth bad probe", replace(PROBING, probe_step=3),
     lambda mine: item.end_probe(PROVIDER, mine, NOW + 8, began=NOW, good=False), {"until": NOW + 30, "probe_step": 3}),
    ("bad probe after bad trials", replace(PROBING, trial_step=4),
     lambda mine: item.end_probe(PROVIDER, mine, NOW + 8, began=NOW, good=False), {"trial_step": 0}),
    ("good probe after bad trials", replace(PROBING, trial_step=4),
     lambda mine: item.end_probe(PROVIDER, mine, NOW + 8, began=NOW, good=True), {"trial_step": 4}),
    ("a probe's end after another's", replace(PROBING, lease_until=NOW + 40),
     lambda mine: item.end_probe(PROVIDER, replace(mine, lease_until=NOW + 30), NOW, began=NOW, good=True), None),
    ("first good trial", TRYING, lambda mine: item.end_trial(PROVIDER, mine, NOW, good=True),
     {"state": TRIAL, "good": 1, "gen": 7, "lease_until": 0.0}),
    ("third good trial", replace(TRYING, good=2, trial_step=3),
     lambda mine: item.end_trial(PROVIDER, mine, NOW, good=True),
     {"state": CLOSED, "since": NOW, "bad": 0, "good": 0, "trial_step": 0, "gen": 7, "lease_until": 0.0}),
    ("slow good trial", TRYING, lambda mine: item.end_trial(PROVIDER, mine, NOW, good=True, slow=True),
     {"slow_ok": NOW}),
    *(
        (f"bad trial {step}", replace(TRYING, trial_step=step),
         lambda mine: item.end_trial(PROVIDER, mine, NOW, good=False),
         {"state": OPEN, "until": NOW + wait, "trial_step": step + 1, "gen": 7, "lease_until": 0.0,
          "since": NOW - 60})
        for step, wait in enumerate((10, 20, 40, 80, 160, 300, 300))
    ),
    ("a trial's end after an operator's word", replace(TRYING, gen=9),
     lambda mine: item.end_trial(PROVIDER, replace(mine, gen=6), NOW, good=True), None),
    ("give a trial back", TRYING, lambda mine: item.give_back(PROVIDER, mine), {"gen": 6, "lease_until": 0.0}),
    ("an operator opens", CLOSED_NOW, lambda _: item.decide(PROVIDER, NOW, OPEN, "me", "works there"),
     {"state": OPEN, "until": FOR_EVER, "by": "me", "reason": "works there", "gen": 5, "since": NOW}),
    ("an operator closes", TRYING, lambda _: item.decide(PROVIDER, NOW, CLOSED, "me", "is well"),
     {"state": CLOSED, "gen": 7, "lease_until": 0.0, "bad": 0, "since": NOW}),
]  # fmt: skip


@pytest.mark.parametrize(
    ("before", "change", "after"), [case[1:] for case in TRANSITIONS], ids=[case[0] for case in TRANSITIONS]
)
def test_each_transition_changes_this_or_nothing(
    store: MemoryStore, before: BreakerItem, change: Change, after: dict[str, object] | None
) -> None:
    put(store, before)
    changed = do(store, change(before))
    if after is None:
        assert changed is None
        assert standing(store) == before
    else:
        assert changed == standing(store)
        assert {name: getattr(changed, name) for name in after} == after


def test_what_is_not_understood_is_passed_over() -> None:
    assert from_item({"id": {"S": "breaker#x"}, "state": {"N": "1"}, "gen": {"S": "x"}, "more": {"BOOL": True}}) == (
        BreakerItem()
    )


@pytest.mark.parametrize(
    ("failing", "opens"), [(0.1, False), (0.3, False), (0.7, True), (1.0, True)], ids=["10 %", "30 %", "70 %", "100 %"]
)
def test_a_share_of_failures_opens_it_within_ten_seconds_or_never(
    store: MemoryStore, failing: float, opens: bool
) -> None:
    """Twenty orders a second on six instances, told as `vezne.orders.breaker` tells them."""
    for seed in range(5):
        store._memory.items.clear()
        chance = random.Random(seed)  # noqa: S311
        opened = opening(store, chance, failing, seconds=10 if opens else 120)
        assert opened == opens, seed


def opening(store: MemoryStore, chance: random.Random, failing: float, seconds: int) -> bool:
    good_at, was_bad = [NOW] * 6, [False] * 6
    for number in range(seconds * 20):
        now, one = NOW + number / 20, chance.randrange(6)
        bad = chance.random() < failing
        if bad:
            told(store, now, bad=1, ok=int(now - good_at[one] <= 10))
            good_at[one] = 0.0
            if standing(store).is_sick(now):
                return True
        elif was_bad[one]:
            told(store, now, ok=1)
        else:
            good_at[one] = now
        was_bad[one] = bad
    return False
