"""The scheduled sweep: unknown outcomes are looked up until there is evidence, and no timer makes one final."""

import json
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from typing import Any

import pytest
from botocore.exceptions import ClientError
from vezne.orders import store as store_module
from vezne.orders.finalise import LONGEST_OUTCOME_TEXT
from vezne.orders.record import EVIDENCE_HEAD, EVIDENCE_TAIL, NOT_EXECUTED, SUCCEEDED, UNKNOWN, partition
from vezne.orders.sweep import SweepStoppedError
from vezne.providers.kolaybi import client as kolaybi

from tests.support.bench import Harness, operation_of
from tests.support.example import Example
from tests.support.operations import EXAMPLES
from tests.support.operations.haso_set_expenses import EXAMPLE as HASO, haso_success
from tests.support.operations.kolaybi_collect import EXAMPLE as KOLAYBI
from tests.support.operations.paynet_capture import CAPTURE_ANSWER, EXAMPLE as PAYNET
from tests.support.operations.vakifbank_pay import EXAMPLE as VAKIFBANK
from tests.support.operations.walletgate_pay_bill import EXAMPLE as WALLETGATE
from tests.support.provider_server import HANG_UP, json_reply
from tests.support.wire import answered, findings, unknown_order

each_operation = pytest.mark.parametrize("example", EXAMPLES, ids=str)
MINUTE, HOUR, DAY = 60, 3600, 86_400
# Operations whose complete look-up can prove that an order was not executed, and after how long.


def absence_counts_from(example: Example, may_arrive_until: float) -> float:
    """VakıfBank lists a payment once it is made: on its date (2026-12-28), or after a closure of up to ten days."""
    if example is not VAKIFBANK:
        return may_arrive_until + 10 * MINUTE
    end_of_the_date = datetime.fromisoformat("2026-12-29T00:00:00+03:00").timestamp()
    return max(may_arrive_until, end_of_the_date) + 10 * DAY + 30 * MINUTE


NOTHING = {"looked_up": 0, "settled": 0, "still_unknown": 0}


@each_operation
def test_a_sweep_without_unresolved_records_looks_up_nothing(bench: Harness, example: Example) -> None:
    assert bench.sweep(example) == NOTHING
    answered(bench, example, example.success)
    bench.server.calls.clear()
    bench.clock.advance(DAY)
    assert bench.sweep(example) == NOTHING
    assert bench.server.calls == []


@each_operation
def test_an_unknown_outcome_that_is_found(bench: Harness, example: Example) -> None:
    known = unknown_order(bench, example)
    bench.server.on(example.look_up_route, example.found(bench.record(known)))
    bench.clock.advance(MINUTE)
    assert bench.sweep(example) == {"looked_up": 1, "settled": 1, "still_unknown": 0}
    assert bench.record(known).status == SUCCEEDED
    assert bench.server.to(example.route) == []
    assert bench.send(example).replayed
    assert bench.sweep(example) == NOTHING


@each_operation
def test_a_killed_function_is_found_too(bench: Harness, example: Example) -> None:
    """It wrote nothing after its claim, but the claim put the record into the index."""
    standing = bench.stand(example)
    bench.server.on(example.look_up_route, example.found(standing))
    bench.clock.advance(29)
    assert bench.sweep(example) == NOTHING
    assert bench.server.calls == []
    bench.clock.advance(1)
    assert bench.sweep(example)["settled"] == 1
    assert bench.record(standing.id).status == SUCCEEDED


@each_operation
def test_a_sweep_never_sends_an_order(bench: Harness, example: Example) -> None:
    unknown_order(bench, example)
    bench.server.on(example.route, example.success)
    bench.server.on(example.look_up_route, example.not_found)
    for _ in range(3):
        bench.clock.advance(DAY)
        bench.sweep(example)
    assert bench.server.to(example.route) == []


@each_operation
def test_the_waits_grow(bench: Harness, example: Example) -> None:
    """1 min, 5 min, 15 min, 1 h, 6 h, then daily: counted from when the outcome could be known, not by look-ups."""
    known = unknown_order(bench, example)
    bench.server.on(example.look_up_route, HANG_UP)
    waits = []
    for _ in range(8):
        due = bench.record(known).next_look_up
        assert due is not None
        waits.append(round(due - bench.clock.now))
        bench.clock.now = due - 1
        assert bench.sweep(example)["looked_up"] == 0
        bench.clock.now = due
        assert bench.sweep(example)["looked_up"] == 1
    # The first wait is over while the order may still be running, so there are two waits of one minute.
    assert waits == [MINUTE, MINUTE, 5 * MINUTE, 15 * MINUTE, HOUR, 6 * HOUR, DAY, DAY]
    assert findings(bench, known) == ["inconclusive"] * 8


@each_operation
def test_a_client_that_asks_often_does_not_delay_the_sweep(bench: Harness, example: Example) -> None:
    known = unknown_order(bench, example)
    bench.server.on(example.look_up_route, HANG_UP)
    for _ in range(10):
        bench.clock.advance(5)
        assert bench.send(example).status == 202
    due = bench.record(known).next_look_up
    assert due is not None
    assert due - bench.clock.now <= 5 * MINUTE


@each_operation
def test_the_evidence_of_a_look_up(bench: Harness, example: Example) -> None:
    known = unknown_order(bench, example)
    # The order's answer was lost: a look-up is tried once until one succeeds.
    bench.server.on(example.look_up_route, HANG_UP, example.not_found)
    for _ in range(2):
        bench.clock.now = bench.record(known).next_look_up or 0
        bench.sweep(example)
    own, *evidence = bench.record(known).evidence
    assert (own["asked"], own["finding"]) == ("order", "unknown")
    assert [entry["finding"] for entry in evidence] == ["inconclusive", "not_found"]
    assert {entry["asked"] for entry in evidence} == {operation_of(example.function).look_up_call}
    assert evidence[0]["at"].startswith("2026-12-01T06:")
    assert evidence[0]["reason"]
    assert evidence[0]["at"] < evidence[1]["at"]


def test_evidence_is_masked(bench: Harness) -> None:
    known = unknown_order(bench, VAKIFBANK)
    body = {"Header": {"StatusCode": "4111111111111111"}, "Data": {"Result": []}}
    bench.server.on(VAKIFBANK.look_up_route, json_reply(body))
    bench.clock.advance(MINUTE)
    bench.sweep(VAKIFBANK)
    assert findings(bench, known) == ["inconclusive"]
    assert "4111111111111111" not in str(bench.items())


@pytest.mark.parametrize("total", ["10000000.00", "9999999999999.98"])
def test_an_amount_in_evidence_is_no_card_number(bench: Harness, total: str) -> None:
    body = {**HASO.body, "counter_party_attorney_fee": "0", "expense_amount": total}
    known = unknown_order(bench, HASO, body=body)
    bench.server.on(HASO.look_up_route, haso_success(total))
    bench.clock.advance(MINUTE)
    bench.sweep(HASO)
    record = bench.record(known)
    assert (record.status, record.evidence[-1]["finding"], record.evidence[-1]["total"]) == (SUCCEEDED, "found", total)


def test_evidence_does_not_grow_for_ever(bench: Harness) -> None:
    known = unknown_order(bench, KOLAYBI)
    bench.server.on(KOLAYBI.look_up_route, KOLAYBI.not_found)
    taken = bench.store.acquire_lease(bench.record(known), "a test", bench.clock.now)
    full = tuple({"at": f"{number}", "finding": "not_found"} for number in range(EVIDENCE_HEAD + EVIDENCE_TAIL))
    bench.store.mark_unknown(replace(taken, evidence=full), bench.clock.now + 1)
    for _ in range(3):
        bench.clock.advance(DAY)
        bench.sweep(KOLAYBI)
    evidence = bench.record(known).evidence
    assert len(evidence) == EVIDENCE_HEAD + EVIDENCE_TAIL
    assert [entry["at"] for entry in evidence[:EVIDENCE_HEAD]] == [str(number) for number in range(EVIDENCE_HEAD)]
    assert evidence[-1]["at"].startswith("2026-12-04")
    assert bench.record(known).status == UNKNOWN


# -------------------------------------------------------------------- two times not found


def sweep_when_due(bench: Harness, example: Example, known: str) -> str:
    bench.clock.now = max(bench.clock.now, bench.record(known).next_look_up or 0)
    bench.sweep(example)
    return bench.record(known).status


@pytest.mark.parametrize("example", [VAKIFBANK, HASO], ids=str)
def test_two_not_founds_after_the_settling_time_prove_not_executed(bench: Harness, example: Example) -> None:
    known = unknown_order(bench, example)
    bench.server.on(example.look_up_route, example.not_found)
    counts_from = absence_counts_from(example, bench.record(known).may_arrive_until)
    statuses = []
    for _ in range(60):
        statuses.append(sweep_when_due(bench, example, known))
        late_enough = bench.clock.now > counts_from
        assert statuses[-1] == (NOT_EXECUTED if late_enough else UNKNOWN)
        if late_enough:
            break
    assert statuses[-1] == NOT_EXECUTED
    assert statuses.count(UNKNOWN) >= 2
    assert set(findings(bench, known)) == {"not_found"}
    # The client may order again, and the guard is free.
    response = bench.send(example)
    assert (response.status, response.slug) == (402, "not-executed")
    assert response.body["retry"] == "new_key"
    assert bench.read(known).body["status"] == NOT_EXECUTED
    assert answered(bench, example, example.success, key="key-2").status == 200


@pytest.mark.parametrize("example", [VAKIFBANK, HASO], ids=str)
def test_one_not_found_is_not_enough_however_late(bench: Harness, example: Example) -> None:
    known = unknown_order(bench, example)
    bench.server.on(example.look_up_route, example.not_found)
    bench.clock.advance(30 * DAY)
    bench.sweep(example)
    assert findings(bench, known) == ["not_found"]
    assert bench.record(known).status == UNKNOWN


@pytest.mark.parametrize("example", [VAKIFBANK, HASO], ids=str)
def test_not_founds_while_the_order_may_still_be_under_way_do_not_count(bench: Harness, example: Example) -> None:
    known = unknown_order(bench, example)
    record = bench.record(known)
    early = tuple(
        {"at": f"2026-12-01T06:00:{second:02d}.000Z", "asked": "x", "finding": "not_found"} for second in range(1, 20)
    )
    taken = bench.store.acquire_lease(record, "a test", bench.clock.now)
    bench.store.mark_unknown(replace(taken, evidence=early), bench.clock.now + 1)
    bench.clock.advance(30 * DAY)
    bench.server.on(example.look_up_route, example.not_found)
    bench.sweep(example)
    assert bench.record(known).status == UNKNOWN


@pytest.mark.parametrize("example", [VAKIFBANK, HASO], ids=str)
def test_inconclusive_look_ups_do_not_count(bench: Harness, example: Example) -> None:
    known = unknown_order(bench, example)
    bench.server.on(example.look_up_route, example.not_found, HANG_UP)
    for _ in range(10):
        bench.clock.advance(DAY)
        bench.sweep(example)
    assert findings(bench, known) == ["not_found"] + ["inconclusive"] * 9
    assert bench.record(known).status == UNKNOWN


@pytest.mark.parametrize("example", [KOLAYBI, WALLETGATE, PAYNET], ids=str)
def test_an_incomplete_look_up_never_proves_that_nothing_happened(bench: Harness, example: Example) -> None:
    known = unknown_order(bench, example)
    bench.server.on(example.look_up_route, example.not_found)
    for _ in range(5):
        bench.clock.advance(30 * DAY)
        bench.sweep(example)
    assert findings(bench, known) == ["not_found"] * 5
    assert bench.record(known).status == UNKNOWN


def test_which_look_ups_are_complete_and_which_orders_may_be_sent_again() -> None:
    """These facts allow a second sending and "not executed". They are repeated here on purpose."""
    facts = {
        operation.name: (operation.look_up_is_complete, operation.resend_is_safe)
        for operation in (operation_of(example.function) for example in EXAMPLES)
    }
    assert {name: fact for name, fact in facts.items() if any(fact)} == {
        "vakifbank.pay": (True, True),
        "haso.set_expenses": (True, True),
    }


# -------------------------------------------------------------------- many records


def many(bench: Harness, count: int) -> list[str]:
    """Unknown captures, a minute apart."""
    known = []
    for number in range(count):
        body = {"xact_id": f"x{number}", "amount": "49.90"}
        known.append(answered(bench, PAYNET, HANG_UP, body=body, key=f"key-{number}").body["operation_id"])
        bench.clock.advance(MINUTE)
    bench.server.calls.clear()
    return known


def test_the_newest_come_first_and_one_that_is_gone_stops_no_other(bench: Harness) -> None:
    known = many(bench, 6)
    bench.server.on(PAYNET.look_up_route, PAYNET.not_found)
    bench.clock.advance(HOUR)
    bench.delete(known[2])
    bench.sweep(PAYNET)
    asked = [call.json()["xact_id"] for call in bench.server.to(PAYNET.look_up_route)]
    assert asked == ["x5", "x4", "x3", "x1", "x0"]


def test_no_time_left_means_no_look_up(bench: Harness) -> None:
    many(bench, 2)
    bench.clock.advance(HOUR)
    report = bench.sweep(PAYNET, seconds=7.0)
    assert report == NOTHING
    assert bench.server.calls == []


def test_an_order_with_a_live_lease_is_not_looked_up(bench: Harness) -> None:
    known = unknown_order(bench, PAYNET)
    bench.clock.advance(HOUR)
    bench.store.acquire_lease(bench.record(known), "somebody else", bench.clock.now + 27)
    bench.sweep(PAYNET)
    assert bench.server.calls == []
    assert bench.record(known).owner == "somebody else"
    # Until its lease is over.
    bench.clock.advance(31)
    bench.server.on(PAYNET.look_up_route, PAYNET.not_found)
    bench.sweep(PAYNET)
    assert findings(bench, known) == ["not_found"]


def test_an_order_that_became_final_since_the_index_was_read_is_not_looked_up(bench: Harness) -> None:
    first, second = many(bench, 2)
    bench.clock.advance(HOUR)

    def settle_the_first(_: dict[str, Any]) -> None:
        taken = bench.store.acquire_lease(bench.record(first), "somebody else", bench.clock.now + 27)
        bench.store.finalise(taken, SUCCEEDED, {"result": {"seen": "by somebody else"}})

    # The newest is taken over first; the index was read before.
    bench.before_next("UpdateItem", settle_the_first)
    bench.server.on(PAYNET.look_up_route, PAYNET.not_found)
    assert bench.sweep(PAYNET)["settled"] == 1
    assert findings(bench, second) == ["not_found"]
    assert bench.record(first).outcome == {"result": {"seen": "by somebody else"}}


def test_an_order_that_is_taken_over_meanwhile_is_not_looked_up(bench: Harness) -> None:
    known = unknown_order(bench, PAYNET)
    bench.clock.advance(HOUR)

    def take_it(_: dict[str, Any]) -> None:
        bench.store.acquire_lease(bench.record(known), "somebody else", bench.clock.now + 27)

    bench.before_next("UpdateItem", take_it)
    assert bench.sweep(PAYNET)["still_unknown"] == 1
    assert bench.server.calls == []
    assert bench.record(known).owner == "somebody else"


def test_an_order_that_fails_does_not_stop_the_sweep_of_others(bench: Harness, monkeypatch: pytest.MonkeyPatch) -> None:
    known = many(bench, 3)
    bench.clock.advance(HOUR)
    bench.server.on(PAYNET.look_up_route, PAYNET.not_found)
    find = bench.store.find

    def fail_for_the_first(record_id: str) -> Any:
        if record_id == known[0]:
            raise KeyError("a record of another version")
        return find(record_id)

    monkeypatch.setattr(bench.store, "find", fail_for_the_first)
    report = bench.sweep(PAYNET)
    assert (report["looked_up"], report["still_unknown"]) == (3, 3)
    assert len(bench.server.calls) == 2


def test_an_index_of_many_pages_is_read_to_its_end(bench: Harness, monkeypatch: pytest.MonkeyPatch) -> None:
    many(bench, 12)
    bench.clock.advance(HOUR)
    bench.server.on(PAYNET.look_up_route, PAYNET.not_found)
    monkeypatch.setattr(store_module, "DUE_PAGE", 1)
    assert bench.sweep(PAYNET)["looked_up"] == 12


def test_each_function_sweeps_its_own_operation_only(bench: Harness) -> None:
    unknown_order(bench, KOLAYBI)
    bench.clock.advance(DAY)
    assert bench.sweep(PAYNET) == NOTHING
    assert bench.server.calls == []


def test_a_table_that_does_not_answer_is_an_error_of_the_sweep(
    bench: Harness, capsys: pytest.CaptureFixture[str]
) -> None:
    """So Lambda tries again. Then there is no census, but the sweep is counted."""
    bench.fail_table("Query")
    with pytest.raises(SweepStoppedError):
        bench.sweep(PAYNET)
    # One of the census, and three of the sweep.
    assert bench.table_calls.count("Query") == 4
    printed = capsys.readouterr().out
    assert '"SweepHeartbeat":[1.0]' in printed
    assert '"SweepErrors":[1.0,1.0,1.0,1.0]' in printed
    assert "OldestUnknownAge" not in printed


def test_a_shard_that_cannot_be_read_does_not_hide_the_others(bench: Harness) -> None:
    known = [unknown_order(bench, KOLAYBI, key=f"key-{number}") for number in range(12)]
    shards = {partition(bench.record(it)) for it in known}
    bench.server.on(KOLAYBI.look_up_route, KOLAYBI.not_found)
    bench.clock.advance(HOUR)
    bench.fail_table("Query", times=1)
    report = bench.sweep(KOLAYBI)
    missed = [it for it in known if partition(bench.record(it)) == "kolaybi.collect#0"]
    assert len(shards) > 2
    assert report["looked_up"] == len(known) - len(missed)


@pytest.mark.parametrize(("times", "looked_up"), [(1, 5), (2, 5), (3, 3)])
def test_an_unreadable_record_is_skipped_unless_three_in_a_row_are(bench: Harness, times: int, looked_up: int) -> None:
    known = [unknown_order(bench, KOLAYBI, key=f"key-{number}") for number in range(5)]
    bench.server.on(KOLAYBI.look_up_route, KOLAYBI.not_found)
    bench.clock.advance(HOUR)
    # The first is the read of the breaker.
    bench.fail_table("GetItem", times=1 + times)
    if looked_up < len(known):
        with pytest.raises(SweepStoppedError) as stopped:
            bench.sweep(KOLAYBI)
        assert stopped.value.report["looked_up"] == looked_up
    else:
        assert bench.sweep(KOLAYBI)["looked_up"] == looked_up
    assert sum(len(findings(bench, it)) for it in known) == looked_up - times


def test_a_malformed_item_of_the_index_does_not_end_the_sweep(bench: Harness) -> None:
    known = unknown_order(bench, KOLAYBI)
    (item,) = bench.records()
    # Sorted first in the same shard.
    bench.put({"id": {"S": "op_odd"}, "unresolved": item["unresolved"], "next_look_up": {"N": "1"}})
    bench.server.on(KOLAYBI.look_up_route, KOLAYBI.not_found)
    bench.clock.advance(HOUR)
    assert bench.sweep(KOLAYBI)["looked_up"] == 1
    assert findings(bench, known) == ["not_found"]


# -------------------------------------------------------------------- what has its place in a record


@pytest.mark.parametrize("size", [5_000, 390_000, 900_000])
def test_an_outcome_that_is_too_long_is_cut_for_the_answer_and_the_record_alike(bench: Harness, size: int) -> None:
    first = answered(bench, PAYNET, json_reply({**CAPTURE_ANSWER, "order_id": "A" * size}))
    assert first.status == 200
    assert len(first.body["result"]["order_id"]) == LONGEST_OUTCOME_TEXT
    again = bench.send(PAYNET)
    assert (again.replayed, again.body["result"]) == (True, first.body["result"])


def refuse_large_writes(monkeypatch: pytest.MonkeyPatch) -> None:
    """The table refuses an item of more than 400 KB."""
    client: Any = store_module._client()
    write = client.update_item

    def refuse(**request: Any) -> Any:
        outcome = request["ExpressionAttributeValues"].get(":outcome", {"S": ""})["S"]
        if len(outcome) > 50:
            answer: Any = {"Error": {"Code": "ValidationException", "Message": "Item size has exceeded"}}
            raise ClientError(answer, "UpdateItem")
        return write(**request)

    monkeypatch.setattr(client, "update_item", refuse)


def test_an_outcome_that_the_table_refuses_is_kept_without_its_result(
    bench: Harness, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = unknown_order(bench, KOLAYBI)
    refuse_large_writes(monkeypatch)
    bench.server.on(KOLAYBI.look_up_route, KOLAYBI.found(bench.record(known)))
    bench.clock.advance(HOUR)
    assert bench.sweep(KOLAYBI)["settled"] == 1
    assert bench.record(known).status == SUCCEEDED
    assert bench.send(KOLAYBI).body["result"] == {}


def test_only_a_written_outcome_counts_as_final(bench: Harness) -> None:
    known = unknown_order(bench, KOLAYBI)
    bench.server.on(KOLAYBI.look_up_route, KOLAYBI.found(bench.record(known)))
    bench.clock.advance(HOUR)
    bench.before_next("UpdateItem", lambda _: bench.fail_table("UpdateItem"))
    report = bench.sweep(KOLAYBI)
    assert (report["settled"], report["still_unknown"]) == (0, 1)
    bench.heal_table()
    assert bench.record(known).status == "unknown"


def test_a_look_up_with_credentials_that_are_refused(bench: Harness) -> None:
    known = unknown_order(bench, KOLAYBI)
    bench.put_secret("kolaybi", "not JSON")
    kolaybi.CLIENT.credential_cache.forget()
    bench.clock.advance(HOUR)
    assert bench.sweep(KOLAYBI)["still_unknown"] == 1
    assert findings(bench, known) == ["inconclusive"]


def test_the_metrics_of_a_sweep(bench: Harness, capsys: pytest.CaptureFixture[str]) -> None:
    unknown_order(bench, HASO)
    bench.server.on(HASO.look_up_route, haso_success(Decimal(330)))
    bench.clock.advance(HOUR)
    capsys.readouterr()
    bench.sweep(HASO)
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines() if '"_aws"' in line]
    values: dict[str, Any] = {name: value for line in lines for name, value in line.items()}
    assert values["operation"] == "haso.set_expenses"
    assert values["SweepHeartbeat"] == [1.0]
    assert values["UnknownSettled"] == [1.0]
    assert values["OldestUnknownAge"] == [HOUR]
