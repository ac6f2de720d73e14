"""Races of 32 processes for each write of a breaker, on MiniStack and DynamoDB Local."""

import uuid
from collections.abc import Iterator
from dataclasses import dataclass, replace

import pytest
from vezne.orders import breaker_item as item
from vezne.orders.breaker_item import CLOSED, OPEN, TRIAL, BreakerItem, breaker_id, from_item
from vezne.orders.guards import Update
from vezne.orders.store import ConditionFailedError, Store, table
from vezne_cli.stack import Aws

from tests.faults.engines import EngineStore
from tests.faults.environment import Environment, create_table
from tests.faults.racers import Racers, racing

PROCESSES = 32
ROUNDS = 5
NOW = 1_800_000_000.0
WINDOW = int(NOW // 10)
PROVIDER = "paynet"


@dataclass
class Race:
    racers: Racers
    store: Store

    def put(self, state: BreakerItem) -> BreakerItem:
        """Put the item in this state, with no condition."""
        values = {
            name: {"S": value} if isinstance(value, str) else {"N": str(value)}
            for name in BreakerItem.__slots__
            if (value := getattr(state, name))
        }
        self.store._call("put_item", TableName=table(), Item={"id": {"S": breaker_id(PROVIDER)}, **values})
        return state

    def standing(self) -> BreakerItem:
        return from_item(self.store.item(breaker_id(PROVIDER)))


@pytest.fixture(scope="module", params=["ministack", "dynamodb_local"])
def race(request: pytest.FixtureRequest) -> Iterator[Race]:
    if request.param == "ministack":
        environment: Environment = request.getfixturevalue("environment")
        aws = environment.aws
    else:
        aws = request.getfixturevalue("second_engine")
    assert isinstance(aws, Aws)
    with pytest.MonkeyPatch.context() as patch:
        name = f"breakers-{uuid.uuid4().hex[:8]}"
        create_table(aws, name)
        patch.setenv("TABLE_NAME", name)
        with racing(aws("dynamodb").meta.endpoint_url, name, PROCESSES) as racers:
            yield Race(racers, EngineStore(aws("dynamodb"), lambda: NOW))


def test_reports_of_many_are_all_counted(race: Race) -> None:
    for number in range(ROUNDS):
        now = NOW + 1000 * number
        known = race.put(BreakerItem(window=int(now // 10)))
        told = race.racers.race(item.report(PROVIDER, known, now, bad=1, ok=0, started=now))
        assert None not in told
        assert (race.standing().bad, race.standing().row) == (PROCESSES, 1)


def test_one_of_many_begins_the_next_window(race: Race) -> None:
    for _ in range(ROUNDS):
        known = race.put(BreakerItem(window=WINDOW - 1, bad=7, ok=2))
        told = race.racers.race(item.report(PROVIDER, known, NOW, bad=1, ok=0, started=NOW))
        assert len([one for one in told if one]) == 1
        standing = race.standing()
        assert (standing.window, standing.bad, standing.prev_bad, standing.prev_ok) == (WINDOW, 1, 7, 2)


def test_one_of_many_opens_the_breaker(race: Race) -> None:
    for _ in range(ROUNDS):
        race.put(BreakerItem(gen=4))
        told = race.racers.race(item.trip(PROVIDER, NOW))
        assert len([one for one in told if one]) == 1
        assert (race.standing().state, race.standing().gen) == (OPEN, 5)


@pytest.mark.parametrize("state", [OPEN, TRIAL])
def test_one_of_many_takes_the_probe_or_the_trial(race: Race, state: str) -> None:
    for _ in range(ROUNDS):
        known = race.put(BreakerItem(state=state, gen=4, until=NOW - 1, lease_until=NOW - 1))
        takes = [item.take(PROVIDER, known, NOW, NOW + 30 + number / 1000) for number in range(PROCESSES)]
        (winner,) = [one for one in race.racers.race(*takes) if one]
        assert race.standing() == winner


def test_many_ends_of_one_probe_or_trial_change_it_once(race: Race) -> None:
    for _ in range(ROUNDS):
        for state in (OPEN, TRIAL):
            mine = race.put(BreakerItem(state=state, gen=4, until=NOW - 1, lease_until=NOW + 30))
            good, bad = (
                item.end_probe(PROVIDER, mine, NOW, began=NOW, good=ends) if state == OPEN
                else item.end_trial(PROVIDER, mine, NOW, good=ends)
                for ends in (True, False)
            )  # fmt: skip
            told = race.racers.race(good, bad, item.give_back(PROVIDER, mine), item.trip(PROVIDER, NOW))
            assert len([one for one in told if one]) == 1
            assert race.standing().lease_until == 0.0


def test_an_operators_decision_wins_over_other_writes_at_the_same_time(race: Race) -> None:
    for _ in range(ROUNDS):
        mine = race.put(BreakerItem(state=TRIAL, gen=4, good=2, lease_until=NOW + 30))
        stop = item.decide(PROVIDER, NOW, OPEN, "me", "stop")
        race.racers.race(item.end_trial(PROVIDER, mine, NOW, good=True), stop, item.give_back(PROVIDER, mine))
        standing = race.standing()
        assert (standing.state, standing.by) == (OPEN, "me")
        with pytest.raises(ConditionFailedError):
            race.store.update_item(item.take(PROVIDER, replace(standing, gen=standing.gen - 1), NOW, NOW + 30))


def test_each_write_of_a_breaker_works_on_this_engine(race: Race) -> None:
    """Each write once, in the order in which instances make them."""
    race.store._call("delete_item", TableName=table(), Key={"id": {"S": breaker_id(PROVIDER)}})
    known = race.standing()
    for _ in range(5):
        known = do(race, item.report(PROVIDER, known, NOW, bad=1, ok=0, started=NOW, slow=True))
    assert known.is_sick(NOW)
    known = do(race, item.trip(PROVIDER, NOW))
    taken = do(race, item.take(PROVIDER, known, NOW + 5, NOW + 35))
    known = do(race, item.end_probe(PROVIDER, taken, NOW + 6, began=NOW + 5, good=False))
    taken = do(race, item.take(PROVIDER, known, NOW + 15, NOW + 45))
    known = do(race, item.end_probe(PROVIDER, taken, NOW + 16, began=NOW + 15, good=True))
    for good in range(3):
        taken = do(race, item.take(PROVIDER, known, NOW + 17 + good, NOW + 47 + good))
        known = do(race, item.end_trial(PROVIDER, taken, NOW + 17 + good, good=True))
    assert (known.state, known.bad, known.since) == (CLOSED, 0, NOW + 19)
    known = do(race, item.report(PROVIDER, known, NOW + 30, bad=-1, ok=1, started=NOW + 20, slow=True))
    assert (known.ok, known.slow_ok) == (1, NOW + 30)


def do(race: Race, update: Update) -> BreakerItem:
    return from_item(race.store.update_item(update))
