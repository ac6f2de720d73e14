"""A provider's breaker as it stands in the table, and every write of it: what it changes, under which condition.

    closed -> open               trip: the fleet's reports say that the provider is sick
    open -> open, trial          end_probe: an inquiry came to nothing, or was answered
    trial -> open, trial, closed  end_trial: a real order went badly, went well, or was the third to go well
    any -> open, closed          decide: an operator's word

One item for each provider. Reports are counted in windows of 10 s; the one before is carried along. `gen` grows with
every change, so whoever acts on an older state changes nothing. All functions are pure.
"""

import re
from dataclasses import dataclass, fields
from decimal import Decimal
from typing import Any

from vezne.orders.guards import Update
from vezne.orders.record import number, plain, serialize

CLOSED, OPEN, TRIAL = "closed", "open", "trial"
WINDOW_SECONDS = 10
# Sick: so many bad ends in two windows, and more than so many times the good ones.
FEWEST_BAD, BAD_TO_GOOD = 5, 2
# With little traffic: so many bad ends in a row, within so many seconds.
BAD_IN_A_ROW, ROW_SECONDS = 3, 600
# For so long after a slow order has ended well, being slow means nothing.
SLOW_IS_WELL_SECONDS = 10
# A killed function keeps nobody else from probing for longer than this. An order may take 27 s.
LEASE_SECONDS = 30
PROBE_WAITS = (5, 10, 20, 30)
FIRST_TRIAL_WAIT, LONGEST_TRIAL_WAIT = 10, 300
GOOD_TO_CLOSE = 3
# What an operator opens stays open until an operator closes it: the year 2286.
FOR_EVER = 9_999_999_999.0
_NAMES = re.compile(r"#([a-z_]+)")


@dataclass(frozen=True, slots=True)
class BreakerItem:
    """A breaker as it stands. Times are seconds since 1970.

    `since`: when it last opened or closed. `until`: no probe before. `window`: the current window's number; `bad` and
    `ok`: what was reported in it, `prev_bad` and `prev_ok` in the one before. `row`: bad ends without a good one since
    `row_from`. `slow_ok`: when a slow order last ended well. `good`: trials that went well. `by` and `reason`: an
    operator's.
    """

    state: str = CLOSED
    gen: int = 0
    since: float = 0.0
    until: float = 0.0
    probe_step: int = 0
    trial_step: int = 0
    lease_until: float = 0.0
    good: int = 0
    window: int = 0
    bad: int = 0
    ok: int = 0
    prev_bad: int = 0
    prev_ok: int = 0
    row: int = 0
    row_from: float = 0.0
    slow_ok: float = 0.0
    by: str = ""
    reason: str = ""

    @property
    def stops(self) -> bool:
        """Whether it keeps orders back. A state that a later version may have written keeps nothing back."""
        return self.state in (OPEN, TRIAL)

    def is_leased(self, now: float) -> bool:
        """Whether somebody is probing or trying now."""
        return self.lease_until >= now

    def is_sick(self, now: float) -> bool:
        """Whether the reports say so. Rare failures among many orders never do."""
        age = int(now // WINDOW_SECONDS) - self.window
        bad = (self.bad if age <= 1 else 0) + (self.prev_bad if age <= 0 else 0)
        ok = (self.ok if age <= 1 else 0) + (self.prev_ok if age <= 0 else 0)
        if bad >= FEWEST_BAD:
            return bad > BAD_TO_GOOD * ok
        return ok <= 0 and self.row >= BAD_IN_A_ROW and now - self.row_from <= ROW_SECONDS


_KINDS: dict[str, type] = {field.name: field.type for field in fields(BreakerItem) if isinstance(field.type, type)}


def breaker_id(provider: str) -> str:
    """The key of a provider's breaker. It is in no index, and no event tells of it."""
    return f"breaker#{provider}"


def from_item(item: dict[str, Any]) -> BreakerItem:
    """From DynamoDB's notation; {} is a breaker that never opened. What is not understood is passed over."""
    known: dict[str, Any] = {}
    for name, value in plain(item).items():
        if name in _KINDS and isinstance(value, str if _KINDS[name] is str else Decimal):
            known[name] = _KINDS[name](value)
    return BreakerItem(**known)


def report(
    provider: str, known: BreakerItem, now: float, *, bad: int, ok: int, started: float, slow: bool = False
) -> Update:
    """Add bad and good ends to the current window, or begin the next one. Refused if `known` has an older window.

    `started`: when the order began; what began before the breaker last opened or closed says nothing new. `slow`: the
    bad end is a slow order still under way, or the good end is one's that is over. A report that AWS's client repeats
    after a lost answer may count twice, which opens the breaker a little sooner.
    """
    window = max(int(now // WINDOW_SECONDS), known.window)
    sets: dict[str, Any] = {}
    adds: dict[str, int] = {}
    if window == known.window:
        adds |= {"bad": bad, "ok": ok}
        condition = "#window = :window"
    else:
        carried = window == known.window + 1
        sets |= {"window": window, "bad": bad, "ok": ok}
        sets |= {"prev_bad": _Other("bad"), "prev_ok": _Other("ok")} if carried else {"prev_bad": 0, "prev_ok": 0}
        condition = "#window = :known" if known.window else "attribute_not_exists(#window)"
    if ok or not known.row or now - known.row_from > ROW_SECONDS:
        sets |= {"row": max(bad, 0), "row_from": number(now)}
    else:
        adds["row"] = bad
    conditions = [condition, "(attribute_not_exists(#since) OR #since < :started)"]
    values: dict[str, Any] = {":started": number(started)}
    if slow and bad > 0:
        conditions.append("(attribute_not_exists(#slow_ok) OR #slow_ok < :quiet)")
        values[":quiet"] = number(now - SLOW_IS_WELL_SECONDS)
    elif slow:
        sets["slow_ok"] = number(now)
    if condition == "#window = :known":
        values[":known"] = known.window
    elif condition == "#window = :window":
        values[":window"] = window
    return _update(provider, sets, adds, conditions, values)


def trip(provider: str, now: float) -> Update:
    """Open a closed breaker."""
    return _update(
        provider,
        {"state": OPEN, "since": number(now), "until": number(now + PROBE_WAITS[0]), "probe_step": 0, "trial_step": 0},
        {"gen": 1},
        ["(attribute_not_exists(#state) OR #state = :closed)"],
        {":closed": CLOSED},
        remove=("lease_until", "by", "reason"),
    )


def take(provider: str, known: BreakerItem, now: float, lease_until: float) -> Update:
    """Become the one who probes an open breaker whose wait is over, or who tries with an order."""
    conditions = ["#state = :state", "#gen = :gen", "(attribute_not_exists(#lease_until) OR #lease_until < :now)"]
    if known.state == OPEN:
        conditions.append("#until <= :now")
    values = {":state": known.state, ":gen": known.gen, ":now": number(now)}
    return _update(provider, {"lease_until": number(lease_until)}, {}, conditions, values)


def give_back(provider: str, mine: BreakerItem) -> Update:
    """End one's lease without a result: what was done told nothing of the provider."""
    return _as_holder(provider, mine, {}, {})


def end_probe(provider: str, mine: BreakerItem, now: float, *, began: float, good: bool) -> Update:
    """After a good probe orders are tried, one at a time; after a bad one the next probe is later.

    A bad one also ends the long waits after bad trials. Those waits are for a provider that answers probes while its
    orders fail. Only a trial shows that, and each trial costs an unknown outcome. Here probes show when the provider is
    well.
    """
    if good:
        return _as_holder(provider, mine, {"state": TRIAL, "good": 0, "probe_step": 0}, {"gen": 1})
    step = min(mine.probe_step + 1, len(PROBE_WAITS) - 1)
    until = max(began + PROBE_WAITS[step], now + 1)
    return _as_holder(provider, mine, {"probe_step": step, "trial_step": 0, "until": number(until)}, {"gen": 1})


def end_trial(provider: str, mine: BreakerItem, now: float, *, good: bool, slow: bool = False) -> Update:
    """The third order that goes well closes; one that goes badly opens again, each time for longer."""
    if not good:
        wait = min(FIRST_TRIAL_WAIT << min(mine.trial_step, 5), LONGEST_TRIAL_WAIT)
        sets = {"state": OPEN, "until": number(now + wait), "trial_step": mine.trial_step + 1, "probe_step": 0}
        return _as_holder(provider, mine, sets, {"gen": 1})
    told = {"slow_ok": number(now)} if slow else {}
    if mine.good + 1 < GOOD_TO_CLOSE:
        return _as_holder(provider, mine, {"good": mine.good + 1, **told}, {"gen": 1})
    return _as_holder(provider, mine, {"state": CLOSED, "since": number(now), **_NOTHING_REPORTED, **told}, {"gen": 1})


def decide(provider: str, now: float, state: str, by: str, reason: str) -> Update:
    """An operator's word, whatever stands there. What is opened so stays open until an operator closes it."""
    until = FOR_EVER if state == OPEN else now
    return _update(
        provider,
        {"state": state, "since": number(now), "until": number(until), "by": by, "reason": reason, **_NOTHING_REPORTED},
        {"gen": 1},
        [],
        {},
        remove=("lease_until",),
    )


_NOTHING_REPORTED = dict.fromkeys(("bad", "ok", "prev_bad", "prev_ok", "row", "good", "probe_step", "trial_step"), 0)


@dataclass(frozen=True, slots=True)
class _Other:
    """Another attribute's value, 0 if it is not there."""

    name: str


def _as_holder(provider: str, mine: BreakerItem, sets: dict[str, Any], adds: dict[str, int]) -> Update:
    values = {":held_state": mine.state, ":held_gen": mine.gen, ":mine": number(mine.lease_until)}
    conditions = ["#state = :held_state", "#gen = :held_gen", "#lease_until = :mine"]
    return _update(provider, sets, adds, conditions, values, remove=("lease_until",))


def _update(
    provider: str,
    sets: dict[str, Any],
    adds: dict[str, int],
    conditions: list[str],
    values: dict[str, Any],
    remove: tuple[str, ...] = (),
) -> Update:
    """The request of one UpdateItem, without the table. It returns the new item, or the one that refused it."""
    given = dict(values)
    clauses = []
    for name, value in sets.items():
        if isinstance(value, _Other):
            clauses.append(f"#{name} = if_not_exists(#{value.name}, :zero)")
            given[":zero"] = 0
        else:
            clauses.append(f"#{name} = :set_{name}")
            given[f":set_{name}"] = value
    expressions = [f"SET {', '.join(clauses)}"] if clauses else []
    expressions += [f"REMOVE {', '.join(f'#{name}' for name in remove)}"] if remove else []
    expressions += ["ADD " + ", ".join(f"#{name} :add_{name}" for name in adds)] if adds else []
    given |= {f":add_{name}": value for name, value in adds.items()}
    update, condition = " ".join(expressions), " AND ".join(conditions)
    return {
        "Key": {"id": {"S": breaker_id(provider)}},
        "UpdateExpression": update,
        **({"ConditionExpression": condition} if condition else {}),
        # Several of the names are words that DynamoDB keeps for itself.
        "ExpressionAttributeNames": {f"#{name}": name for name in _NAMES.findall(f"{update} {condition}")},
        **({"ExpressionAttributeValues": {name: serialize(value) for name, value in given.items()}} if given else {}),
        "ReturnValues": "ALL_NEW",
        "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
    }
