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

from tests.support.example import Example
from tests.support.harness import Harness, operation_of
from tests.support.operations import EXAMPLES, PROVABLE
from tests.support.operations.haso_set_expenses import EXAMPLE as HASO, haso_success
from tests.support.operations.kolaybi_collect import EXAMPLE as KOLAYBI
from tests.support.operations.paynet_capture import CAPTURE_ANSWER, EXAMPLE as PAYNET
from tests.support.operations.vakifbank_pay import EXAMPLE as VAKIFBANK
from tests.support.operations.walletgate_pay_bill import EXAMPLE as WALLETGATE
from tests.support.provider_server import HANG_UP, json_reply
from tests.support.wire import answered, findings, unknown_order

each_operation = pytest.mark.parametrize("example", EXAMPLES, ids=str)
each_provable = pytest.mark.parametrize("example", PROVABLE, ids=str)
MINUTE, HOUR, DAY = 60, 3600, 86_400
# Operations whose complete look-up can prove that an order was not executed, and after how long.


def absence_counts_from(example: Example, may_arrive_until: float) -> float:
    """VakıfBank lists a payment once it is made: on its date (2026-12-28), or after a closure of up to ten days."""
    if example is not VAKIFBANK:
        return may_arrive_until + 10 * MINUTE
    end_of_the_date = datetime.fromisoformat("2026-12-29T00:00:00+03:00").timestamp()
    return max(may_arrive_until, end_of_the_date) + 10 * DAY + 30 * MINUTE


NOTHING = {"looked_up": 0, "final": 0, "still_unknown": 0}


@each_operation
def test_a_sweep_without_unresolved_records_looks_up_nothing(harness: Harness, example: Example) -> None:
    assert harness.sweep(example) == NOTHING
    answered(harness, example, example.success)
    harness.server.calls.clear()
    harness.clock.advance(DAY)
    assert harness.sweep(example) == NOTHING
    assert harness.server.calls == []


@each_provable
def test_an_unknown_outcome_that_is_found(harness: Harness, example: Example) -> None:
    known = unknown_order(harness, example)
    harness.server.on(example.look_up_route, example.found(harness.record(known)))
    harness.clock.advance(MINUTE)
    assert harness.sweep(example) == {"looked_up": 1, "final": 1, "still_unknown": 0}
    assert harness.record(known).status == SUCCEEDED
    assert harness.server.to(example.route) == []
    assert harness.send(example).replayed
    assert harness.sweep(example) == NOTHING


@each_provable
def test_a_killed_function_is_found_too(harness: Harness, example: Example) -> None:
    """It wrote nothing after its claim, but the claim put the record into the index."""
    standing = harness.stand(example)
    harness.server.on(example.look_up_route, example.found(standing))
    harness.clock.advance(29)
    assert harness.sweep(example) == NOTHING
    assert harness.server.calls == []
    harness.clock.advance(1)
    assert harness.sweep(example)["final"] == 1
    assert harness.record(standing.id).status == SUCCEEDED


@each_operation
def test_a_sweep_never_sends_an_order(harness: Harness, example: Example) -> None:
    unknown_order(harness, example)
    harness.server.on(example.route, example.success)
    harness.server.on(example.look_up_route, example.not_found)
    for _ in range(3):
        harness.clock.advance(DAY)
        harness.sweep(example)
    assert harness.server.to(example.route) == []


@each_operation
def test_the_waits_grow(harness: Harness, example: Example) -> None:
    """1 min, 5 min, 15 min, 1 h, 6 h, then daily: counted from when the outcome could be known, not by look-ups."""
    known = unknown_order(harness, example)
    harness.server.on(example.look_up_route, HANG_UP)
    waits = []
    for _ in range(8):
        due = harness.record(known).next_look_up
        assert due is not None
        waits.append(round(due - harness.clock.now))
        harness.clock.now = due - 1
        assert harness.sweep(example)["looked_up"] == 0
        harness.clock.now = due
        assert harness.sweep(example)["looked_up"] == 1
    # The first wait is over while the order may still be running, so there are two waits of one minute.
    assert waits == [MINUTE, MINUTE, 5 * MINUTE, 15 * MINUTE, HOUR, 6 * HOUR, DAY, DAY]
    assert findings(harness, known) == ["inconclusive"] * 8


@each_operation
def test_a_client_that_asks_often_does_not_delay_the_sweep(harness: Harness, example: Example) -> None:
    known = unknown_order(harness, example)
    harness.server.on(example.look_up_route, HANG_UP)
    for _ in range(10):
        harness.clock.advance(5)
        assert harness.send(example).status == 202
    due = harness.record(known).next_look_up
    assert due is not None
    assert due - harness.clock.now <= 5 * MINUTE


@each_provable
def test_the_evidence_of_a_look_up(harness: Harness, example: Example) -> None:
    known = unknown_order(harness, example)
    # The order's answer was lost: a look-up is tried once until one succeeds.
    harness.server.on(example.look_up_route, HANG_UP, example.not_found)
    for _ in range(2):
        harness.clock.now = harness.record(known).next_look_up or 0
        harness.sweep(example)
    own, *evidence = harness.record(known).evidence
    assert (own["asked"], own["finding"]) == ("order", "unknown")
    assert [entry["finding"] for entry in evidence] == ["inconclusive", "not_found"]
    assert {entry["asked"] for entry in evidence} == {operation_of(example.function).look_up_call}
    assert evidence[0]["at"].startswith("2026-12-01T06:")
    assert evidence[0]["reason"]
    assert evidence[0]["at"] < evidence[1]["at"]


def test_evidence_is_masked(harness: Harness) -> None:
    known = unknown_order(harness, VAKIFBANK)
    body = {"Header": {"StatusCode": "4111111111111111"}, "Data": {"Result": []}}
    harness.server.on(VAKIFBANK.look_up_route, json_reply(body))
    harness.clock.advance(MINUTE)
    harness.sweep(VAKIFBANK)
    assert findings(harness, known) == ["inconclusive"]
    assert "4111111111111111" not in str(harness.items())


@pytest.mark.parametrize("total", ["10000000.00", "9999999999999.98"])
def test_an_amount_in_evidence_is_no_card_number(harness: Harness, total: str) -> None:
    body = {**HASO.body, "counter_party_attorney_fee": "0", "expense_amount": total}
    known = unknown_order(harness, HASO, body=body)
    harness.server.on(HASO.look_up_route, haso_success(total))
    harness.clock.advance(MINUTE)
    harness.sweep(HASO)
    record = harness.record(known)
    assert (record.status, record.evidence[-1]["finding"], record.evidence[-1]["total"]) == (SUCCEEDED, "found", total)


def test_evidence_does_not_grow_for_ever(harness: Harness) -> None:
    known = unknown_order(harness, KOLAYBI)
    harness.server.on(KOLAYBI.look_up_route, KOLAYBI.not_found)
    taken = harness.store.acquire_lease(harness.record(known), "a test", harness.clock.now)
    full = tuple({"at": f"{number}", "finding": "not_found"} for number in range(EVIDENCE_HEAD + EVIDENCE_TAIL))
    harness.store.mark_unknown(replace(taken, evidence=full), harness.clock.now + 1)
    for _ in range(3):
        harness.clock.advance(DAY)
        harness.sweep(KOLAYBI)
    evidence = harness.record(known).evidence
    assert len(evidence) == EVIDENCE_HEAD + EVIDENCE_TAIL
    assert [entry["at"] for entry in evidence[:EVIDENCE_HEAD]] == [str(number) for number in range(EVIDENCE_HEAD)]
    assert evidence[-1]["at"].startswith("2026-12-04")
    assert harness.record(known).status == UNKNOWN


# -------------------------------------------------------------------- two times not found


def sweep_when_due(harness: Harness, example: Example, known: str) -> str:
    harness.clock.now = max(harness.clock.now, harness.record(known).next_look_up or 0)
    harness.sweep(example)
    return harness.record(known).status


@pytest.mark.parametrize("example", [VAKIFBANK, HASO], ids=str)
def test_two_not_founds_after_the_settling_time_prove_not_executed(harness: Harness, example: Example) -> None:
    known = unknown_order(harness, example)
    harness.server.on(example.look_up_route, example.not_found)
    counts_from = absence_counts_from(example, harness.record(known).may_arrive_until)
    statuses = []
    for _ in range(60):
        statuses.append(sweep_when_due(harness, example, known))
        late_enough = harness.clock.now > counts_from
        assert statuses[-1] == (NOT_EXECUTED if late_enough else UNKNOWN)
        if late_enough:
            break
    assert statuses[-1] == NOT_EXECUTED
    assert statuses.count(UNKNOWN) >= 2
    assert set(findings(harness, known)) == {"not_found"}
    # The client may order again, and the guard is free.
    response = harness.send(example)
    assert (response.status, response.slug) == (402, "not-executed")
    assert response.body["retry"] == "new_key"
    assert harness.read(known).body["status"] == NOT_EXECUTED
    assert answered(harness, example, example.success, key="key-2").status == 200


@pytest.mark.parametrize("example", [VAKIFBANK, HASO], ids=str)
def test_one_not_found_is_not_enough_however_late(harness: Harness, example: Example) -> None:
    known = unknown_order(harness, example)
    harness.server.on(example.look_up_route, example.not_found)
    harness.clock.advance(30 * DAY)
    harness.sweep(example)
    assert findings(harness, known) == ["not_found"]
    assert harness.record(known).status == UNKNOWN


@pytest.mark.parametrize("example", [VAKIFBANK, HASO], ids=str)
def test_not_founds_while_the_order_may_still_be_under_way_do_not_count(harness: Harness, example: Example) -> None:
    known = unknown_order(harness, example)
    record = harness.record(known)
    early = tuple(
        {"at": f"2026-12-01T06:00:{second:02d}.000Z", "asked": "x", "finding": "not_found"} for second in range(1, 20)
    )
    taken = harness.store.acquire_lease(record, "a test", harness.clock.now)
    harness.store.mark_unknown(replace(taken, evidence=early), harness.clock.now + 1)
    harness.clock.advance(30 * DAY)
    harness.server.on(example.look_up_route, example.not_found)
    harness.sweep(example)
    assert harness.record(known).status == UNKNOWN


@pytest.mark.parametrize("example", [VAKIFBANK, HASO], ids=str)
def test_inconclusive_look_ups_do_not_count(harness: Harness, example: Example) -> None:
    known = unknown_order(harness, example)
    harness.server.on(example.look_up_route, example.not_found, HANG_UP)
    for _ in range(10):
        harness.clock.advance(DAY)
        harness.sweep(example)
    assert findings(harness, known) == ["not_found"] + ["inconclusive"] * 9
    assert harness.record(known).status == UNKNOWN


@pytest.mark.parametrize("example", [KOLAYBI, WALLETGATE, PAYNET], ids=str)
def test_an_incomplete_look_up_never_proves_that_nothing_happened(harness: Harness, example: Example) -> None:
    known = unknown_order(harness, example)
    harness.server.on(example.look_up_route, example.not_found)
    for _ in range(5):
        harness.clock.advance(30 * DAY)
        harness.sweep(example)
    assert findings(harness, known) == ["not_found"] * 5
    assert harness.record(known).status == UNKNOWN


def test_which_look_ups_are_complete_and_which_orders_may_be_sent_again() -> None:
    """These facts allow a second sending and "not executed". They are repeated here on purpose."""
    facts = {
        operation.name: (operation.look_up_is_complete, operation.resend_is_safe)
        for operation in (operation_of(example.function) for example in EXAMPLES)
    }
    assert {name: fact for name, fact in facts.items() if any(fact)} == {
        "vakifbank.pay": (True, True),
        "haso.set_expenses": (True, True),
        "haso.set_paid": (True, False),
        "haso.set_paid_bulk": (True, False),
    }


# -------------------------------------------------------------------- many records


def many(harness: Harness, count: int) -> list[str]:
    """Unknown captures, a minute apart."""
    known = []
    for number in range(count):
        body = {"xact_id": f"x{number}", "amount": "49.90"}
        known.append(answered(harness, PAYNET, HANG_UP, body=body, key=f"key-{number}").body["operation_id"])
        harness.clock.advance(MINUTE)
    harness.server.calls.clear()
    return known


def test_the_newest_come_first_and_one_that_is_gone_stops_no_other(harness: Harness) -> None:
    known = many(harness, 6)
    harness.server.on(PAYNET.look_up_route, PAYNET.not_found)
    harness.clock.advance(HOUR)
    harness.delete(known[2])
    harness.sweep(PAYNET)
    asked = [call.json()["xact_id"] for call in harness.server.to(PAYNET.look_up_route)]
    assert asked == ["x5", "x4", "x3", "x1", "x0"]


def test_no_time_left_means_no_look_up(harness: Harness) -> None:
    many(harness, 2)
    harness.clock.advance(HOUR)
    report = harness.sweep(PAYNET, seconds=7.0)
    assert report == NOTHING
    assert harness.server.calls == []


def test_an_order_with_a_live_lease_is_not_looked_up(harness: Harness) -> None:
    known = unknown_order(harness, PAYNET)
    harness.clock.advance(HOUR)
    harness.store.acquire_lease(harness.record(known), "somebody else", harness.clock.now + 27)
    harness.sweep(PAYNET)
    assert harness.server.calls == []
    assert harness.record(known).owner == "somebody else"
    # Until its lease is over.
    harness.clock.advance(31)
    harness.server.on(PAYNET.look_up_route, PAYNET.not_found)
    harness.sweep(PAYNET)
    assert findings(harness, known) == ["not_found"]


def test_an_order_that_became_final_since_the_index_was_read_is_not_looked_up(harness: Harness) -> None:
    first, second = many(harness, 2)
    harness.clock.advance(HOUR)

    def finalise_the_first(_: dict[str, Any]) -> None:
        taken = harness.store.acquire_lease(harness.record(first), "somebody else", harness.clock.now + 27)
        harness.store.finalise(taken, SUCCEEDED, {"result": {"seen": "by somebody else"}})

    # The newest is taken over first; the index was read before.
    harness.before_next("UpdateItem", finalise_the_first)
    harness.server.on(PAYNET.look_up_route, PAYNET.not_found)
    assert harness.sweep(PAYNET)["final"] == 1
    assert findings(harness, second) == ["not_found"]
    assert harness.record(first).outcome == {"result": {"seen": "by somebody else"}}


def test_an_order_that_is_taken_over_meanwhile_is_not_looked_up(harness: Harness) -> None:
    known = unknown_order(harness, PAYNET)
    harness.clock.advance(HOUR)

    def take_it(_: dict[str, Any]) -> None:
        harness.store.acquire_lease(harness.record(known), "somebody else", harness.clock.now + 27)

    harness.before_next("UpdateItem", take_it)
    assert harness.sweep(PAYNET)["still_unknown"] == 1
    assert harness.server.calls == []
    assert harness.record(known).owner == "somebody else"


def test_an_order_that_fails_does_not_stop_the_sweep_of_others(
    harness: Harness, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = many(harness, 3)
    harness.clock.advance(HOUR)
    harness.server.on(PAYNET.look_up_route, PAYNET.not_found)
    find = harness.store.find

    def fail_for_the_first(record_id: str) -> Any:
        if record_id == known[0]:
            raise KeyError("a record of another version")
        return find(record_id)

    monkeypatch.setattr(harness.store, "find", fail_for_the_first)
    report = harness.sweep(PAYNET)
    assert (report["looked_up"], report["still_unknown"]) == (3, 3)
    assert len(harness.server.calls) == 2


def test_an_index_of_many_pages_is_read_to_its_end(harness: Harness, monkeypatch: pytest.MonkeyPatch) -> None:
    many(harness, 12)
    harness.clock.advance(HOUR)
    harness.server.on(PAYNET.look_up_route, PAYNET.not_found)
    monkeypatch.setattr(store_module, "DUE_PAGE", 1)
    assert harness.sweep(PAYNET)["looked_up"] == 12


def test_each_function_sweeps_its_own_operation_only(harness: Harness) -> None:
    unknown_order(harness, KOLAYBI)
    harness.clock.advance(DAY)
    assert harness.sweep(PAYNET) == NOTHING
    assert harness.server.calls == []


def test_a_table_that_does_not_answer_is_an_error_of_the_sweep(
    harness: Harness, capsys: pytest.CaptureFixture[str]
) -> None:
    """So Lambda tries again. Then there is no census, but the sweep is counted."""
    harness.fail_table("Query")
    with pytest.raises(SweepStoppedError):
        harness.sweep(PAYNET)
    # One of the census, and three of the sweep.
    assert harness.table_calls.count("Query") == 4
    printed = capsys.readouterr().out
    assert '"SweepHeartbeat":[1.0]' in printed
    assert '"SweepErrors":[1.0,1.0,1.0,1.0]' in printed
    assert "OldestUnknownAge" not in printed


def test_a_shard_that_cannot_be_read_does_not_hide_the_others(harness: Harness) -> None:
    known = [unknown_order(harness, KOLAYBI, key=f"key-{number}") for number in range(12)]
    shards = {partition(harness.record(it)) for it in known}
    harness.server.on(KOLAYBI.look_up_route, KOLAYBI.not_found)
    harness.clock.advance(HOUR)
    harness.fail_table("Query", times=1)
    report = harness.sweep(KOLAYBI)
    missed = [it for it in known if partition(harness.record(it)) == "kolaybi.collect#0"]
    assert len(shards) > 2
    assert report["looked_up"] == len(known) - len(missed)


@pytest.mark.parametrize(("times", "looked_up"), [(1, 5), (2, 5), (3, 3)])
def test_an_unreadable_record_is_skipped_unless_three_in_a_row_are(
    harness: Harness, times: int, looked_up: int
) -> None:
    known = [unknown_order(harness, KOLAYBI, key=f"key-{number}") for number in range(5)]
    harness.server.on(KOLAYBI.look_up_route, KOLAYBI.not_found)
    harness.clock.advance(HOUR)
    # The first is the read of the breaker.
    harness.fail_table("GetItem", times=1 + times)
    if looked_up < len(known):
        with pytest.raises(SweepStoppedError) as stopped:
            harness.sweep(KOLAYBI)
        assert stopped.value.report["looked_up"] == looked_up
    else:
        assert harness.sweep(KOLAYBI)["looked_up"] == looked_up
    assert sum(len(findings(harness, it)) for it in known) == looked_up - times


def test_a_malformed_item_of_the_index_does_not_end_the_sweep(harness: Harness) -> None:
    known = unknown_order(harness, KOLAYBI)
    (item,) = harness.records()
    # Sorted first in the same shard.
    harness.put({"id": {"S": "op_odd"}, "unresolved": item["unresolved"], "next_look_up": {"N": "1"}})
    harness.server.on(KOLAYBI.look_up_route, KOLAYBI.not_found)
    harness.clock.advance(HOUR)
    assert harness.sweep(KOLAYBI)["looked_up"] == 1
    assert findings(harness, known) == ["not_found"]


# -------------------------------------------------------------------- what has its place in a record


@pytest.mark.parametrize("size", [5_000, 390_000, 900_000])
def test_an_outcome_that_is_too_long_is_cut_for_the_answer_and_the_record_alike(harness: Harness, size: int) -> None:
    first = answered(harness, PAYNET, json_reply({**CAPTURE_ANSWER, "order_id": "A" * size}))
    assert first.status == 200
    assert len(first.body["result"]["order_id"]) == LONGEST_OUTCOME_TEXT
    again = harness.send(PAYNET)
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
    harness: Harness, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = unknown_order(harness, KOLAYBI)
    refuse_large_writes(monkeypatch)
    harness.server.on(KOLAYBI.look_up_route, KOLAYBI.found(harness.record(known)))
    harness.clock.advance(HOUR)
    assert harness.sweep(KOLAYBI)["final"] == 1
    assert harness.record(known).status == SUCCEEDED
    assert harness.send(KOLAYBI).body["result"] == {}


def test_only_a_written_outcome_counts_as_final(harness: Harness) -> None:
    known = unknown_order(harness, KOLAYBI)
    harness.server.on(KOLAYBI.look_up_route, KOLAYBI.found(harness.record(known)))
    harness.clock.advance(HOUR)
    harness.before_next("UpdateItem", lambda _: harness.fail_table("UpdateItem"))
    report = harness.sweep(KOLAYBI)
    assert (report["final"], report["still_unknown"]) == (0, 1)
    harness.heal_table()
    assert harness.record(known).status == "unknown"


def test_a_look_up_with_credentials_that_are_refused(harness: Harness) -> None:
    known = unknown_order(harness, KOLAYBI)
    harness.put_secret("kolaybi", "not JSON")
    kolaybi.CLIENT.credential_cache.forget()
    harness.clock.advance(HOUR)
    assert harness.sweep(KOLAYBI)["still_unknown"] == 1
    assert findings(harness, known) == ["inconclusive"]


def test_the_metrics_of_a_sweep(harness: Harness, capsys: pytest.CaptureFixture[str]) -> None:
    unknown_order(harness, HASO)
    harness.server.on(HASO.look_up_route, haso_success(Decimal(330)))
    harness.clock.advance(HOUR)
    capsys.readouterr()
    harness.sweep(HASO)
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines() if '"_aws"' in line]
    values: dict[str, Any] = {name: value for line in lines for name, value in line.items()}
    assert values["operation"] == "haso.set_expenses"
    assert values["SweepHeartbeat"] == [1.0]
    assert values["UnknownFinalised"] == [1.0]
    assert values["OldestUnknownAge"] == [HOUR]
