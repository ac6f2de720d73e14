"""The operator's desk: what it prints, and what it may change."""

import pytest

from tests.stack.desk import DeskError, explain, resolve, unknown
from tests.support.bench import Bench
from tests.support.examples import EXAMPLES, Example
from tests.support.provider_server import HANG_UP

BY_NAME = {example.operation: example for example in EXAMPLES}
COLLECT, PAY_BILL, CAPTURE = BY_NAME["kolaybi.collect"], BY_NAME["walletgate.pay_bill"], BY_NAME["paynet.capture"]


def lost(bench: Bench, example: Example, key: str = "key-1") -> str:
    """An order whose answer never came; its operation id."""
    bench.server.on(example.route, HANG_UP)
    answer = bench.send(example, key=key)
    assert answer.status == 202
    return str(answer.body["operation_id"])


def test_explain_tells_what_happened_line_by_line(bench: Bench) -> None:
    operation_id = lost(bench, COLLECT)
    bench.clock.advance(3600)
    bench.sweep(COLLECT)
    text = "\n".join(explain(bench.store, operation_id))
    assert text.startswith(f"{operation_id}  kolaybi.collect, client client-1\n2026-12-01T06:00:00.000Z  claimed")
    assert "2026-12-01T07:00:00.000Z  GET associates/{id}/transactions, marker in description: inconclusive" in text
    assert "money: unknown: it may or may not have moved" in text
    assert "next look-up: 2026-12-01T08:00:00.000Z" in text


def test_explain_does_not_call_a_killed_order_running(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("vezne.path.settle", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
    with pytest.raises(KeyboardInterrupt):
        bench.send(CAPTURE)
    (item,) = bench.records()
    operation_id = item["id"]["S"]
    assert "money: unknown: it is running now" in "\n".join(explain(bench.store, operation_id))
    bench.clock.advance(60)
    assert "money: unknown: it may or may not have moved" in "\n".join(explain(bench.store, operation_id))


def test_explain_names_what_is_not_there(bench: Bench) -> None:
    with pytest.raises(DeskError, match="There is no operation op_none"):
        list(explain(bench.store, "op_none"))


def test_unknown_lists_age_and_amount_the_oldest_first(bench: Bench) -> None:
    first = lost(bench, PAY_BILL)
    bench.clock.advance(7200)
    second = lost(bench, COLLECT)
    bench.server.on(CAPTURE.route, CAPTURE.success)
    bench.send(CAPTURE)
    lines = list(unknown(bench.store))
    assert [line.split()[0] for line in lines] == [first, second]
    record = bench.record(first)
    assert f"2 h 0 m{record.clues['amount'] + ' TRY':>18}" in lines[0]


@pytest.mark.parametrize("status", ["succeeded", "not_executed"])
def test_a_decision_settles_and_stays_with_the_record(bench: Bench, status: str) -> None:
    operation_id = lost(bench, PAY_BILL)
    assert list(resolve(bench.store, operation_id, status, "seen on the statement", "ayse")) == [
        f"{operation_id} is {status} now, by ayse: seen on the statement"
    ]
    record = bench.record(operation_id)
    assert (record.status, record.next_look_up) == (status, None)
    assert record.evidence[-1] == {
        "at": "2026-12-01T06:00:00.000Z",
        "asked": "operator",
        "finding": status,
        "by": "ayse",
        "reason": "seen on the statement",
    }
    again = bench.send(PAY_BILL)
    assert (again.status, again.replayed) == ({"succeeded": 200, "not_executed": 402}[status], True)
    # A bill that was not paid may be paid by another order; one that was paid may not.
    bench.server.on(PAY_BILL.route, PAY_BILL.success)
    assert bench.send(PAY_BILL, key="key-2").status == {"succeeded": 409, "not_executed": 200}[status]


def test_a_settled_outcome_is_never_changed(bench: Bench) -> None:
    bench.server.on(CAPTURE.route, CAPTURE.success)
    operation_id = bench.send(CAPTURE).body["operation_id"]
    with pytest.raises(DeskError, match="succeeded already"):
        list(resolve(bench.store, operation_id, "not_executed", "a mistake", "ayse"))
    assert bench.record(operation_id).status == "succeeded"


def test_a_decision_waits_for_whoever_is_at_the_record(bench: Bench) -> None:
    operation_id = lost(bench, PAY_BILL)
    bench.store.take_over(bench.record(operation_id), "a sweep", bench.clock.now + 27)
    with pytest.raises(DeskError, match="being worked on now"):
        list(resolve(bench.store, operation_id, "succeeded", "seen", "ayse"))
    assert bench.record(operation_id).status == "unknown"


def test_a_decision_loses_to_a_sweep_that_came_first(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    operation_id = lost(bench, PAY_BILL)
    before = bench.record(operation_id)
    bench.store.take_over(before, "a sweep", bench.clock.now + 27)
    monkeypatch.setattr(bench.store, "find", lambda _: before)
    with pytest.raises(DeskError, match="changed by somebody else"):
        list(resolve(bench.store, operation_id, "succeeded", "seen", "ayse"))
