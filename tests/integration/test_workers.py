"""Several workers, two lanes, and what ends a sweep early: see `vezne.orders.sweep`."""

import json
from collections import Counter
from dataclasses import replace
from typing import Any

import pytest
from vezne.orders import store as store_module
from vezne.orders.finalise import BACK_OFF
from vezne.orders.record import FRESH, OLD, SHARDS, UNKNOWN, Record, partition, partition_of
from vezne.providers.kolaybi import client as kolaybi

from tests.support.harness import Harness
from tests.support.operations.kolaybi_collect import EXAMPLE as KOLAYBI
from tests.support.operations.paynet_capture import EXAMPLE as PAYNET
from tests.support.operations.vakifbank_pay import EXAMPLE as VAKIFBANK
from tests.support.provider_server import HANG_UP, json_reply
from tests.support.wire import findings, unknown_order

MINUTE, HOUR, DAY = 60, 3600, 86_400
NOTHING = {"looked_up": 0, "final": 0, "still_unknown": 0}
FAILURES = [HANG_UP, json_reply({}, 500), json_reply({}, 429)]


def stored(
    harness: Harness, count: int, *, age: float = 10 * MINUTE, due: float = 0.0, wait: float = 60.0
) -> list[str]:
    """Unknown captures as an instance left them: so old, due so many seconds ago, a second apart, the oldest first."""
    template = harness.record(unknown_order(harness, PAYNET))
    harness.delete(template.id)
    made = []
    for number in range(count):
        created = harness.clock.now - age + number
        mark = f"{int(age)}-{number}"
        record = replace(
            template,
            id=f"op_3njc{mark}",
            lookup_fields={**template.lookup_fields, "xact_id": mark},
            guards=(),
            status=UNKNOWN,
            created_at=created,
            lease_until=0.0,
            may_arrive_until=harness.clock.now - due + number - wait,
            next_look_up=harness.clock.now - due + number,
        )
        assert harness.store.claim(record) is None
        made.append(record.id)
    harness.server.calls.clear()
    harness.table_calls.clear()
    return made


def asked(harness: Harness) -> list[str]:
    return [call.json()["xact_id"] for call in harness.server.to(PAYNET.look_up_route)]


# -------------------------------------------------------------------- workers


@pytest.mark.parametrize("of", [1, 2, 3, 4, 7, 8])
def test_every_shard_is_one_workers(harness: Harness, of: int) -> None:
    stored(harness, 40, due=HOUR)
    harness.server.on(PAYNET.look_up_route, PAYNET.not_found)
    reports = [harness.sweep(PAYNET, worker=(number, of)) for number in range(of)]
    assert sum(report["looked_up"] for report in reports) == 40
    assert max(Counter(asked(harness)).values()) == 1
    assert len(asked(harness)) == 40


def test_a_worker_sees_its_own_shards_only(harness: Harness) -> None:
    known = {record_id: harness.record(record_id) for record_id in stored(harness, 20, due=HOUR)}
    harness.server.on(PAYNET.look_up_route, PAYNET.not_found)
    harness.sweep(PAYNET, worker=(1, 4))
    seen = {partition(known[record_id]) for record_id in known if findings(harness, record_id)}
    assert seen == {partition_of("paynet.capture", FRESH, shard) for shard in (1, 5)}


@pytest.mark.parametrize("worker", [(4, 4), (7, 4), (1, 1)])
def test_a_worker_too_many_does_nothing(harness: Harness, worker: tuple[int, int]) -> None:
    stored(harness, 3, due=HOUR)
    assert harness.sweep(PAYNET, worker=worker) == NOTHING
    assert harness.table_calls == []


def test_two_workers_with_the_same_shards_look_up_each_record_once(harness: Harness) -> None:
    """Lambda may run an event twice. Whoever has the lease looks up."""
    (known,) = stored(harness, 1, due=HOUR)
    harness.server.on(PAYNET.look_up_route, PAYNET.not_found)
    harness.before_next("UpdateItem", lambda _: harness.sweep(PAYNET, worker=(0, 1)))
    harness.sweep(PAYNET, worker=(0, 1))
    assert findings(harness, known) == ["not_found"]


def test_an_order_has_the_gateways_time_and_a_sweep_the_functions(harness: Harness) -> None:
    known = unknown_order(harness, PAYNET)
    assert harness.record(known).may_arrive_until == harness.clock.now + 27
    harness.clock.advance(HOUR)
    leases = []
    harness.before_next(
        "UpdateItem", lambda request: leases.append(request["ExpressionAttributeValues"][":lease"]["N"])
    )
    harness.server.on(PAYNET.look_up_route, PAYNET.not_found)
    harness.sweep(PAYNET, worker=(int(partition(harness.record(known))[-1]), SHARDS))
    assert [float(until) for until in leases] == [harness.clock.now + 58]


def test_a_longer_function_gives_an_order_no_longer_lease(harness: Harness) -> None:
    known = unknown_order(harness, PAYNET, seconds=58.0)
    assert harness.record(known).may_arrive_until == harness.clock.now + 27


# -------------------------------------------------------------------- what is due


def test_only_what_is_due_is_read(harness: Harness) -> None:
    due, later = stored(harness, 3, due=MINUTE), stored(harness, 30, age=5 * MINUTE, due=-MINUTE)
    harness.server.on(PAYNET.look_up_route, PAYNET.not_found)
    assert harness.sweep(PAYNET)["looked_up"] == len(due)
    assert harness.table_calls.count("GetItem") == len(due)
    assert [findings(harness, it) for it in later] == [[]] * len(later)


def test_a_page_is_read_only_when_the_one_before_is_used_up(harness: Harness, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store_module, "DUE_PAGE", 2)
    stored(harness, 40, due=HOUR)
    harness.server.on(PAYNET.look_up_route, HANG_UP)
    harness.sweep(PAYNET, worker=(1, 8))
    # Three look-ups failed: two pages of the shard were enough.
    assert harness.table_calls.count("Query") == 2


# -------------------------------------------------------------------- lanes


def test_a_record_is_in_the_old_lane_from_the_look_up_after_which_an_hour_is_waited(harness: Harness) -> None:
    known = unknown_order(harness, PAYNET)
    harness.server.on(PAYNET.look_up_route, PAYNET.not_found)
    lanes = []
    for _ in range(6):
        harness.clock.now = harness.record(known).next_look_up or 0
        assert harness.sweep(PAYNET)["looked_up"] == 1
        (item,) = harness.records()
        lanes.append(OLD if "#old#" in item["unresolved"]["S"] else FRESH)
        assert item["unresolved"]["S"] == partition(harness.record(known))
    waits = [wait for wait in BACK_OFF if wait >= HOUR]
    assert lanes == [FRESH] * 3 + [OLD] * len(waits)


def test_three_fresh_ones_newest_first_then_an_old_one_oldest_first(harness: Harness) -> None:
    stored(harness, 7, age=600, due=MINUTE)
    stored(harness, 4, age=DAY, due=HOUR, wait=HOUR)
    harness.server.on(PAYNET.look_up_route, PAYNET.not_found)
    assert harness.sweep(PAYNET)["looked_up"] == 11
    fresh = [f"600-{number}" for number in reversed(range(7))]
    old = [f"{DAY}-{number}" for number in range(4)]
    assert asked(harness) == [*fresh[:3], old[0], *fresh[3:6], old[1], fresh[6], *old[2:]]


@pytest.mark.parametrize(("fresh", "old"), [(0, 6), (6, 0)])
def test_a_lane_without_records_that_are_due_leaves_its_turns_to_the_other(
    harness: Harness, fresh: int, old: int
) -> None:
    stored(harness, fresh, due=MINUTE)
    stored(harness, old, age=DAY, due=HOUR, wait=HOUR)
    harness.server.on(PAYNET.look_up_route, PAYNET.not_found)
    assert harness.sweep(PAYNET)["looked_up"] == 6


@pytest.mark.parametrize("wait", BACK_OFF)
def test_what_an_earlier_version_left_is_found_and_sorted_into_its_lane(harness: Harness, wait: float) -> None:
    """It knows one lane only, and writes its records there however old they are."""
    known = unknown_order(harness, PAYNET)
    (item,) = harness.records()
    shard = item["unresolved"]["S"].rpartition("#")[2]
    item["unresolved"] = {"S": f"paynet.capture#{shard}"}
    item["next_look_up"] = {"N": str(int(harness.clock.now + 27 + wait))}
    harness.put(item)
    harness.clock.advance(27 + wait)
    harness.server.on(PAYNET.look_up_route, PAYNET.not_found)
    assert harness.sweep(PAYNET, worker=(int(shard) % 4, 4))["looked_up"] == 1
    assert findings(harness, known) == ["not_found"]
    (item,) = harness.records()
    assert item["unresolved"]["S"] == partition(harness.record(known))
    assert ("#old#" in item["unresolved"]["S"]) == (wait >= 15 * MINUTE)


def test_an_order_that_is_sent_again_is_fresh_again(harness: Harness) -> None:
    known = unknown_order(harness, VAKIFBANK)
    harness.clock.advance(DAY)
    harness.server.on(VAKIFBANK.look_up_route, VAKIFBANK.not_found)
    harness.sweep(VAKIFBANK)
    assert "#old#" in partition(harness.record(known))
    harness.clock.advance(HOUR)
    harness.server.on(VAKIFBANK.route, HANG_UP)
    assert harness.send(VAKIFBANK).status == 202
    (item,) = harness.records()
    assert item["unresolved"]["S"] == partition(harness.record(known))
    assert "#old#" not in item["unresolved"]["S"]


# -------------------------------------------------------------------- a sick provider


@pytest.mark.parametrize("failure", FAILURES, ids=["no answer", "500", "429"])
def test_three_failed_look_ups_in_a_row_end_a_worker(harness: Harness, failure: Any) -> None:
    stored(harness, 9, due=HOUR)
    harness.server.on(PAYNET.look_up_route, failure)
    assert harness.sweep(PAYNET) == {"looked_up": 3, "final": 0, "still_unknown": 3}


def test_an_answer_between_failed_look_ups_goes_on(harness: Harness) -> None:
    stored(harness, 9, due=HOUR)
    # After a good answer, a look-up whose answer is lost is made once more; after a bad one it is not.
    answered = PAYNET.not_found
    harness.server.on(PAYNET.look_up_route, *[HANG_UP] * 2, answered, *[HANG_UP] * 3, answered)
    assert harness.sweep(PAYNET)["looked_up"] == 9


def test_a_login_that_fails_ends_a_worker(harness: Harness) -> None:
    for number in range(5):
        unknown_order(harness, KOLAYBI, key=f"key-{number}")
    harness.clock.advance(HOUR)
    harness.put_secret("kolaybi", "not JSON")
    kolaybi.CLIENT.credential_cache.forget()
    assert harness.sweep(KOLAYBI)["looked_up"] == 3


# -------------------------------------------------------------------- the census


def metrics_of(printed: str) -> dict[str, Any]:
    lines = [json.loads(line) for line in printed.splitlines() if '"_aws"' in line]
    return {name: value[0] for line in lines for name, value in line.items() if isinstance(value, list)}


@pytest.mark.parametrize(("example", "unprovable"), [(PAYNET, 3), (VAKIFBANK, 0)], ids=str)
def test_the_census(harness: Harness, capsys: pytest.CaptureFixture[str], example: Any, unprovable: int) -> None:
    """Of a provider whose look-up is complete, time will prove what is unknown."""
    known = harness.record(unknown_order(harness, example))
    harness.delete(known.id)

    def put(name: str, age: float, due: float, wait: float) -> None:
        record: Record = replace(
            known, id=f"{known.id}{name}", guards=(), created_at=harness.clock.now - age,
            may_arrive_until=harness.clock.now - due - wait, next_look_up=harness.clock.now - due,
        )  # fmt: skip
        assert harness.store.claim(record) is None

    for number in range(3):
        put(f"old{number}", age=2 * DAY, due=-HOUR, wait=DAY)
    put("new", age=40, due=-60, wait=60)
    put("overdue", age=4000, due=1000, wait=300)
    capsys.readouterr()
    harness.sweep(example, worker=(4, 4))
    assert "Unresolved" not in metrics_of(capsys.readouterr().out)
    harness.server.on(example.look_up_route, HANG_UP)
    harness.sweep(example, worker=(0, 4))
    told = metrics_of(capsys.readouterr().out)
    assert {name: told[name] for name in told if name not in ("UnknownFinalised", "SweepHeartbeat")}.items() >= {
        "Unresolved": 5, "UnresolvedFresh": 2, "Unprovable": unprovable, "OverdueSeconds": 1000,
        "OldestUnknownAge": 4000,
    }.items()  # fmt: skip


def test_a_census_is_taken_every_five_minutes(harness: Harness, capsys: pytest.CaptureFixture[str]) -> None:
    taken = []
    for _ in range(11):
        capsys.readouterr()
        harness.sweep(PAYNET, worker=(0, 4))
        taken.append("Unresolved" in metrics_of(capsys.readouterr().out))
        harness.clock.advance(MINUTE)
    assert [place for place, census in enumerate(taken) if census] == [0, 5, 10]


def test_a_census_that_cannot_be_taken_keeps_nothing_from_being_looked_up(harness: Harness) -> None:
    known = unknown_order(harness, PAYNET)
    harness.clock.advance(HOUR)
    harness.fail_table("Query", times=1)
    harness.server.on(PAYNET.look_up_route, PAYNET.not_found)
    assert harness.sweep(PAYNET)["looked_up"] == 1
    assert findings(harness, known) == ["not_found"]


def test_no_look_up_is_begun_that_could_not_be_made(harness: Harness) -> None:
    (known,) = stored(harness, 1, due=HOUR)
    due = harness.record(known).next_look_up
    # Enough for a call, but for nothing of the table before it.
    assert harness.sweep(PAYNET, seconds=8.1) == NOTHING
    assert harness.record(known).next_look_up == due
