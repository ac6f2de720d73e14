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

from tests.support.bench import Harness
from tests.support.operations.kolaybi_collect import EXAMPLE as KOLAYBI
from tests.support.operations.paynet_capture import EXAMPLE as PAYNET
from tests.support.operations.vakifbank_pay import EXAMPLE as VAKIFBANK
from tests.support.provider_server import HANG_UP, json_reply
from tests.support.wire import findings, unknown_order

MINUTE, HOUR, DAY = 60, 3600, 86_400
NOTHING = {"looked_up": 0, "settled": 0, "still_unknown": 0}
FAILURES = [HANG_UP, json_reply({}, 500), json_reply({}, 429)]


def stored(bench: Harness, count: int, *, age: float = 10 * MINUTE, due: float = 0.0, wait: float = 60.0) -> list[str]:
    """Unknown captures as an instance left them: so old, due so many seconds ago, a second apart, the oldest first."""
    template = bench.record(unknown_order(bench, PAYNET))
    bench.delete(template.id)
    made = []
    for number in range(count):
        created = bench.clock.now - age + number
        mark = f"{int(age)}-{number}"
        record = replace(
            template,
            id=f"op_3njc{mark}",
            lookup_fields={**template.lookup_fields, "xact_id": mark},
            guards=(),
            status=UNKNOWN,
            created_at=created,
            lease_until=0.0,
            may_arrive_until=bench.clock.now - due + number - wait,
            next_look_up=bench.clock.now - due + number,
        )
        assert bench.store.claim(record) is None
        made.append(record.id)
    bench.server.calls.clear()
    bench.table_calls.clear()
    return made


def asked(bench: Harness) -> list[str]:
    return [call.json()["xact_id"] for call in bench.server.to(PAYNET.look_up_route)]


# -------------------------------------------------------------------- workers


@pytest.mark.parametrize("of", [1, 2, 3, 4, 7, 8])
def test_every_shard_is_one_workers(bench: Harness, of: int) -> None:
    stored(bench, 40, due=HOUR)
    bench.server.on(PAYNET.look_up_route, PAYNET.not_found)
    reports = [bench.sweep(PAYNET, worker=(number, of)) for number in range(of)]
    assert sum(report["looked_up"] for report in reports) == 40
    assert max(Counter(asked(bench)).values()) == 1
    assert len(asked(bench)) == 40


def test_a_worker_sees_its_own_shards_only(bench: Harness) -> None:
    known = {record_id: bench.record(record_id) for record_id in stored(bench, 20, due=HOUR)}
    bench.server.on(PAYNET.look_up_route, PAYNET.not_found)
    bench.sweep(PAYNET, worker=(1, 4))
    seen = {partition(known[record_id]) for record_id in known if findings(bench, record_id)}
    assert seen == {partition_of("paynet.capture", FRESH, shard) for shard in (1, 5)}


@pytest.mark.parametrize("worker", [(4, 4), (7, 4), (1, 1)])
def test_a_worker_too_many_does_nothing(bench: Harness, worker: tuple[int, int]) -> None:
    stored(bench, 3, due=HOUR)
    assert bench.sweep(PAYNET, worker=worker) == NOTHING
    assert bench.table_calls == []


def test_two_workers_with_the_same_shards_look_up_each_record_once(bench: Harness) -> None:
    """Lambda may run an event twice. Whoever has the lease looks up."""
    (known,) = stored(bench, 1, due=HOUR)
    bench.server.on(PAYNET.look_up_route, PAYNET.not_found)
    bench.before_next("UpdateItem", lambda _: bench.sweep(PAYNET, worker=(0, 1)))
    bench.sweep(PAYNET, worker=(0, 1))
    assert findings(bench, known) == ["not_found"]


def test_an_order_has_the_gateways_time_and_a_sweep_the_functions(bench: Harness) -> None:
    known = unknown_order(bench, PAYNET)
    assert bench.record(known).may_arrive_until == bench.clock.now + 27
    bench.clock.advance(HOUR)
    leases = []
    bench.before_next("UpdateItem", lambda request: leases.append(request["ExpressionAttributeValues"][":lease"]["N"]))
    bench.server.on(PAYNET.look_up_route, PAYNET.not_found)
    bench.sweep(PAYNET, worker=(int(partition(bench.record(known))[-1]), SHARDS))
    assert [float(until) for until in leases] == [bench.clock.now + 58]


def test_a_longer_function_gives_an_order_no_longer_lease(bench: Harness) -> None:
    known = unknown_order(bench, PAYNET, seconds=58.0)
    assert bench.record(known).may_arrive_until == bench.clock.now + 27


# -------------------------------------------------------------------- what is due


def test_only_what_is_due_is_read(bench: Harness) -> None:
    due, later = stored(bench, 3, due=MINUTE), stored(bench, 30, age=5 * MINUTE, due=-MINUTE)
    bench.server.on(PAYNET.look_up_route, PAYNET.not_found)
    assert bench.sweep(PAYNET)["looked_up"] == len(due)
    assert bench.table_calls.count("GetItem") == len(due)
    assert [findings(bench, it) for it in later] == [[]] * len(later)


def test_a_page_is_read_only_when_the_one_before_is_used_up(bench: Harness, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store_module, "DUE_PAGE", 2)
    stored(bench, 40, due=HOUR)
    bench.server.on(PAYNET.look_up_route, HANG_UP)
    bench.sweep(PAYNET, worker=(1, 8))
    # Three look-ups failed: two pages of the shard were enough.
    assert bench.table_calls.count("Query") == 2


# -------------------------------------------------------------------- lanes


def test_a_record_is_in_the_old_lane_from_the_look_up_after_which_an_hour_is_waited(bench: Harness) -> None:
    known = unknown_order(bench, PAYNET)
    bench.server.on(PAYNET.look_up_route, PAYNET.not_found)
    lanes = []
    for _ in range(6):
        bench.clock.now = bench.record(known).next_look_up or 0
        assert bench.sweep(PAYNET)["looked_up"] == 1
        (item,) = bench.records()
        lanes.append(OLD if "#old#" in item["unresolved"]["S"] else FRESH)
        assert item["unresolved"]["S"] == partition(bench.record(known))
    waits = [wait for wait in BACK_OFF if wait >= HOUR]
    assert lanes == [FRESH] * 3 + [OLD] * len(waits)


def test_three_fresh_ones_newest_first_then_an_old_one_oldest_first(bench: Harness) -> None:
    stored(bench, 7, age=600, due=MINUTE)
    stored(bench, 4, age=DAY, due=HOUR, wait=HOUR)
    bench.server.on(PAYNET.look_up_route, PAYNET.not_found)
    assert bench.sweep(PAYNET)["looked_up"] == 11
    fresh = [f"600-{number}" for number in reversed(range(7))]
    old = [f"{DAY}-{number}" for number in range(4)]
    assert asked(bench) == [*fresh[:3], old[0], *fresh[3:6], old[1], fresh[6], *old[2:]]


@pytest.mark.parametrize(("fresh", "old"), [(0, 6), (6, 0)])
def test_a_lane_without_records_that_are_due_leaves_its_turns_to_the_other(
    bench: Harness, fresh: int, old: int
) -> None:
    stored(bench, fresh, due=MINUTE)
    stored(bench, old, age=DAY, due=HOUR, wait=HOUR)
    bench.server.on(PAYNET.look_up_route, PAYNET.not_found)
    assert bench.sweep(PAYNET)["looked_up"] == 6


@pytest.mark.parametrize("wait", BACK_OFF)
def test_what_an_earlier_version_left_is_found_and_sorted_into_its_lane(bench: Harness, wait: float) -> None:
    """It knows one lane only, and writes its records there however old they are."""
    known = unknown_order(bench, PAYNET)
    (item,) = bench.records()
    shard = item["unresolved"]["S"].rpartition("#")[2]
    item["unresolved"] = {"S": f"paynet.capture#{shard}"}
    item["next_look_up"] = {"N": str(int(bench.clock.now + 27 + wait))}
    bench.put(item)
    bench.clock.advance(27 + wait)
    bench.server.on(PAYNET.look_up_route, PAYNET.not_found)
    assert bench.sweep(PAYNET, worker=(int(shard) % 4, 4))["looked_up"] == 1
    assert findings(bench, known) == ["not_found"]
    (item,) = bench.records()
    assert item["unresolved"]["S"] == partition(bench.record(known))
    assert ("#old#" in item["unresolved"]["S"]) == (wait >= 15 * MINUTE)


def test_an_order_that_is_sent_again_is_fresh_again(bench: Harness) -> None:
    known = unknown_order(bench, VAKIFBANK)
    bench.clock.advance(DAY)
    bench.server.on(VAKIFBANK.look_up_route, VAKIFBANK.not_found)
    bench.sweep(VAKIFBANK)
    assert "#old#" in partition(bench.record(known))
    bench.clock.advance(HOUR)
    bench.server.on(VAKIFBANK.route, HANG_UP)
    assert bench.send(VAKIFBANK).status == 202
    (item,) = bench.records()
    assert item["unresolved"]["S"] == partition(bench.record(known))
    assert "#old#" not in item["unresolved"]["S"]


# -------------------------------------------------------------------- a sick provider


@pytest.mark.parametrize("failure", FAILURES, ids=["no answer", "500", "429"])
def test_three_failed_look_ups_in_a_row_end_a_worker(bench: Harness, failure: Any) -> None:
    stored(bench, 9, due=HOUR)
    bench.server.on(PAYNET.look_up_route, failure)
    assert bench.sweep(PAYNET) == {"looked_up": 3, "settled": 0, "still_unknown": 3}


def test_an_answer_between_failed_look_ups_goes_on(bench: Harness) -> None:
    stored(bench, 9, due=HOUR)
    # After a good answer, a look-up whose answer is lost is made once more; after a bad one it is not.
    answered = PAYNET.not_found
    bench.server.on(PAYNET.look_up_route, *[HANG_UP] * 2, answered, *[HANG_UP] * 3, answered)
    assert bench.sweep(PAYNET)["looked_up"] == 9


def test_a_login_that_fails_ends_a_worker(bench: Harness) -> None:
    for number in range(5):
        unknown_order(bench, KOLAYBI, key=f"key-{number}")
    bench.clock.advance(HOUR)
    bench.put_secret("kolaybi", "not JSON")
    kolaybi.CLIENT.credential_cache.forget()
    assert bench.sweep(KOLAYBI)["looked_up"] == 3


# -------------------------------------------------------------------- the census


def metrics_of(printed: str) -> dict[str, Any]:
    lines = [json.loads(line) for line in printed.splitlines() if '"_aws"' in line]
    return {name: value[0] for line in lines for name, value in line.items() if isinstance(value, list)}


@pytest.mark.parametrize(("example", "unprovable"), [(PAYNET, 3), (VAKIFBANK, 0)], ids=str)
def test_the_census(bench: Harness, capsys: pytest.CaptureFixture[str], example: Any, unprovable: int) -> None:
    """Of a provider whose look-up is complete, time will prove what is unknown."""
    known = bench.record(unknown_order(bench, example))
    bench.delete(known.id)

    def put(name: str, age: float, due: float, wait: float) -> None:
        record: Record = replace(
            known, id=f"{known.id}{name}", guards=(), created_at=bench.clock.now - age,
            may_arrive_until=bench.clock.now - due - wait, next_look_up=bench.clock.now - due,
        )  # fmt: skip
        assert bench.store.claim(record) is None

    for number in range(3):
        put(f"old{number}", age=2 * DAY, due=-HOUR, wait=DAY)
    put("new", age=40, due=-60, wait=60)
    put("overdue", age=4000, due=1000, wait=300)
    capsys.readouterr()
    bench.sweep(example, worker=(4, 4))
    assert "Unresolved" not in metrics_of(capsys.readouterr().out)
    bench.server.on(example.look_up_route, HANG_UP)
    bench.sweep(example, worker=(0, 4))
    told = metrics_of(capsys.readouterr().out)
    assert {name: told[name] for name in told if name not in ("UnknownSettled", "SweepHeartbeat")}.items() >= {
        "Unresolved": 5, "UnresolvedFresh": 2, "Unprovable": unprovable, "OverdueSeconds": 1000,
        "OldestUnknownAge": 4000,
    }.items()  # fmt: skip


def test_a_census_is_taken_every_five_minutes(bench: Harness, capsys: pytest.CaptureFixture[str]) -> None:
    taken = []
    for _ in range(11):
        capsys.readouterr()
        bench.sweep(PAYNET, worker=(0, 4))
        taken.append("Unresolved" in metrics_of(capsys.readouterr().out))
        bench.clock.advance(MINUTE)
    assert [place for place, census in enumerate(taken) if census] == [0, 5, 10]


def test_a_census_that_cannot_be_taken_keeps_nothing_from_being_looked_up(bench: Harness) -> None:
    known = unknown_order(bench, PAYNET)
    bench.clock.advance(HOUR)
    bench.fail_table("Query", times=1)
    bench.server.on(PAYNET.look_up_route, PAYNET.not_found)
    assert bench.sweep(PAYNET)["looked_up"] == 1
    assert findings(bench, known) == ["not_found"]


def test_no_look_up_is_begun_that_could_not_be_made(bench: Harness) -> None:
    (known,) = stored(bench, 1, due=HOUR)
    due = bench.record(known).next_look_up
    # Enough for a call, but for nothing of the table before it.
    assert bench.sweep(PAYNET, seconds=8.1) == NOTHING
    assert bench.record(known).next_look_up == due
