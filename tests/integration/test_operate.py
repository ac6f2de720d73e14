"""The operators' commands: what they print, and what they may change."""

from dataclasses import replace
from typing import Any

import pytest
from vezne.orders.record import iso_time
from vezne_cli.connection import OperatorError
from vezne_cli.decisions import Decision, LookUp, decide
from vezne_cli.operate import explain, forget, list_unknown

from tests.support.example import Example
from tests.support.harness import Harness
from tests.support.operations.kolaybi_collect import EXAMPLE as COLLECT
from tests.support.operations.paynet_capture import EXAMPLE as CAPTURE
from tests.support.operations.walletgate_pay_bill import EXAMPLE as PAY_BILL
from tests.support.provider_server import HANG_UP


def lost(harness: Harness, example: Example, key: str = "key-1") -> str:
    """Make an order whose answer is lost. Return its operation id."""
    harness.server.on(example.route, HANG_UP)
    answer = harness.send(example, key=key)
    assert answer.status == 202
    return str(answer.body["operation_id"])


def test_explain_shows_what_happened_line_by_line(harness: Harness) -> None:
    operation_id = lost(harness, COLLECT)
    harness.clock.advance(3600)
    harness.sweep(COLLECT)
    text = "\n".join(explain(harness.store, operation_id))
    assert text.startswith(f"{operation_id}  kolaybi.collect, client client-1\n2026-12-01T06:00:00.000Z  claimed")
    assert "2026-12-01T07:00:00.000Z  GET associates/{id}/transactions, marker in description: inconclusive" in text
    assert "money: unknown: it may or may not have moved" in text
    assert "next look-up: 2026-12-01T08:00:00.000Z" in text


@pytest.mark.parametrize(
    ("settled_by", "words"),
    [
        ("answer", "succeeded, by the provider's answer"),
        ("reconciliation", "succeeded, by the reconciliation, from the provider's own list of the day"),
    ],
)
def test_explain_says_who_found_the_outcome_out(harness: Harness, settled_by: str, words: str) -> None:
    harness.server.on(CAPTURE.route, CAPTURE.success)
    operation_id = str(harness.send(CAPTURE).body["operation_id"])
    (item,) = harness.records()
    harness.put({**item, "settled_by": {"S": settled_by}})
    assert words in "\n".join(explain(harness.store, operation_id))


def test_explain_does_not_call_a_killed_order_running(harness: Harness, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("vezne.orders.execute.finalise", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
    with pytest.raises(KeyboardInterrupt):
        harness.send(CAPTURE)
    (item,) = harness.records()
    operation_id = item["id"]["S"]
    assert "money: unknown: it is running now" in "\n".join(explain(harness.store, operation_id))
    harness.clock.advance(60)
    assert "money: unknown: it may or may not have moved" in "\n".join(explain(harness.store, operation_id))


def test_explain_says_that_an_operation_does_not_exist(harness: Harness) -> None:
    with pytest.raises(OperatorError, match="There is no operation op_none"):
        list(explain(harness.store, "op_none"))


def test_unknown_lists_age_and_amount_the_oldest_first(harness: Harness) -> None:
    first = lost(harness, PAY_BILL)
    harness.clock.advance(7200)
    second = lost(harness, COLLECT)
    harness.server.on(CAPTURE.route, CAPTURE.success)
    harness.send(CAPTURE)
    lines = [each.line() for each in list_unknown(harness.store)]
    assert [line.split()[0] for line in lines] == [first, second]
    record = harness.record(first)
    assert f"2 h 0 m{record.lookup_fields['amount'] + ' TRY':>18}" in lines[0]
    # The lost answer of the order is evidence, but not a look-up.
    assert " 0 look-ups," in lines[0]


# ------------------------------------------------------------------ decisions by hand

# Later than every function can run and every provider can still book.
LATER = 3 * 24 * 3600
ARN = "arn:aws:iam::000000000000:user/ayse"


def lost_long_ago(harness: Harness, example: Example) -> str:
    operation_id = lost(harness, example)
    harness.clock.advance(LATER)
    return operation_id


def look_up(harness: Harness, example: Example) -> LookUp:
    """The function's own look-up, by the event that the operator sends it."""
    return lambda operation, record_id: harness.handle(example.function, {"look_up": record_id})


def found_nothing(harness: Harness, counts_from: float | None = None) -> LookUp:
    """A complete look-up that does not show the payment."""

    def answered(operation: str, record_id: str) -> dict[str, Any]:
        record = harness.record(record_id)
        entry = {"at": iso_time(harness.clock.now), "asked": "a list", "finding": "not_found", "rows": "0"}
        taken = harness.store.acquire_lease(record, "look-up", harness.clock.now + 5)
        harness.store.mark_unknown(replace(taken, evidence=(*taken.evidence, entry)), harness.clock.now + 3600)
        return {"final": False, "absence_counts_from": counts_from or record.may_arrive_until + 600}

    return answered


def decided(harness: Harness, operation_id: str, status: str, asked: LookUp, *, typed: bool = True, **more: Any) -> str:
    decision = Decision(status, "seen on the statement", ARN, **more)
    lines = decide(harness.store, harness.record(operation_id), decision, asked, lambda _: typed)
    return "\n".join(lines)


@pytest.mark.parametrize("status", ["succeeded", "not_executed"])
def test_a_decision_is_final_and_kept_in_the_record(harness: Harness, status: str) -> None:
    operation_id = lost_long_ago(harness, PAY_BILL)
    said = decided(harness, operation_id, status, found_nothing(harness))
    record = harness.record(operation_id)
    assert f"{record.lookup_fields['amount']} TRY" in said
    assert "the client will be told: " in said
    assert said.endswith(f"{operation_id} is {status} now, by {ARN}: seen on the statement")
    assert (record.status, record.next_look_up, record.settled_by) == (status, None, "operator")
    last = {"asked": "operator", "finding": status, "by": ARN, "reason": "seen on the statement"}
    assert record.evidence[-1] == {"at": iso_time(harness.clock.now), **last}
    again = harness.send(PAY_BILL)
    assert (again.status, again.replayed) == ({"succeeded": 200, "not_executed": 402}[status], True)
    # A bill that was not paid may be paid by another order; one that was paid may not.
    harness.server.on(PAY_BILL.route, PAY_BILL.success)
    assert harness.send(PAY_BILL, key="key-2").status == {"succeeded": 409, "not_executed": 200}[status]


def test_a_decision_waits_minutes_for_a_call_that_may_be_running(harness: Harness) -> None:
    """Even if the operator's clock is wrong, or the operator insists: an earlier version made a double here."""
    record = harness.stand(PAY_BILL)
    for passed in (0, 31, 90):
        harness.clock.advance(passed)
        with pytest.raises(OperatorError, match="try again after"):
            decided(harness, record.id, "not_executed", found_nothing(harness), override=True)
    assert harness.record(record.id) == record


def test_not_executed_needs_the_settling_time_to_be_over(harness: Harness) -> None:
    operation_id = lost_long_ago(harness, COLLECT)
    later = found_nothing(harness, harness.clock.now + 60)
    with pytest.raises(OperatorError, match="proves nothing before"):
        decided(harness, operation_id, "not_executed", later)
    assert harness.record(operation_id).status == "unknown"
    decided(harness, operation_id, "not_executed", later, override=True)
    record = harness.record(operation_id)
    assert record.status == "not_executed"
    # The record shows that the operator insisted.
    assert "proves nothing before" in record.evidence[-1]["override"]


def test_not_executed_needs_a_look_up_that_was_answered(harness: Harness) -> None:
    operation_id = lost_long_ago(harness, COLLECT)
    # The look-up gets no answer either.
    for asked in (look_up(harness, COLLECT), lambda operation, record_id: None):
        with pytest.raises(OperatorError, match="did not say that the payment is not there"):
            decided(harness, operation_id, "not_executed", asked)
    assert harness.record(operation_id).status == "unknown"


def test_the_function_answers_from_when_absence_counts(harness: Harness) -> None:
    operation_id = lost_long_ago(harness, COLLECT)
    answer = harness.handle(COLLECT.function, {"look_up": operation_id})
    assert answer == {"final": False, "absence_counts_from": harness.record(operation_id).may_arrive_until + 600}
    assert harness.record(operation_id).evidence[-1]["finding"] == "inconclusive"


def test_no_decision_is_taken_on_a_payment_that_the_look_up_finds(harness: Harness) -> None:
    operation_id = lost_long_ago(harness, COLLECT)

    def finds(operation: str, record_id: str) -> dict[str, Any]:
        taken = harness.store.acquire_lease(harness.record(record_id), "look-up", harness.clock.now + 5)
        harness.store.finalise(replace(taken, settled_by="look_up"), "succeeded", {"result": {}})
        return {"final": True, "absence_counts_from": 1.0}

    said = decided(harness, operation_id, "not_executed", finds, override=True)
    assert "succeeded, by look_up: there is nothing to decide" in said
    record = harness.record(operation_id)
    assert (record.status, record.settled_by) == ("succeeded", "look_up")


def test_a_decision_that_is_not_confirmed_changes_nothing(harness: Harness) -> None:
    operation_id = lost_long_ago(harness, PAY_BILL)
    with pytest.raises(OperatorError, match="to confirm"):
        decided(harness, operation_id, "succeeded", found_nothing(harness), typed=False)
    assert harness.record(operation_id).status == "unknown"


def test_a_decision_fails_if_the_record_changed_since_it_was_shown(harness: Harness) -> None:
    """A repeat sends the order again while the operator reads."""
    operation_id = lost_long_ago(harness, PAY_BILL)

    def meanwhile(_: str) -> bool:
        harness.store.acquire_lease(harness.record(operation_id), "a repetition", harness.clock.now + 27, sending=True)
        return True

    decision = Decision("not_executed", "seen", ARN)
    with pytest.raises(OperatorError, match="changed by somebody else"):
        list(decide(harness.store, harness.record(operation_id), decision, found_nothing(harness), meanwhile))
    assert harness.record(operation_id).status == "unknown"


def test_a_final_outcome_is_never_changed(harness: Harness) -> None:
    harness.server.on(CAPTURE.route, CAPTURE.success)
    operation_id = harness.send(CAPTURE).body["operation_id"]
    harness.clock.advance(LATER)
    with pytest.raises(OperatorError, match="succeeded already"):
        decided(harness, operation_id, "not_executed", found_nothing(harness), override=True)
    assert harness.record(operation_id).status == "succeeded"


def test_a_success_names_its_row_or_holds_the_guard(harness: Harness) -> None:
    operation_id = lost_long_ago(harness, CAPTURE)
    said = decided(harness, operation_id, "succeeded", found_nothing(harness))
    assert "no later order for the same thing is let through" in said
    harness.server.on(CAPTURE.route, CAPTURE.success)
    assert harness.send(CAPTURE, key="key-2").status == 409


def test_a_row_that_was_named_is_remembered(harness: Harness) -> None:
    operation_id = lost_long_ago(harness, CAPTURE)
    for row in ("colour=red", "xact_id=", "xact_id"):
        with pytest.raises(OperatorError, match="--row is field=value"):
            decided(harness, operation_id, "succeeded", found_nothing(harness), row=row)
    decided(harness, operation_id, "succeeded", found_nothing(harness), row="xact_id=x-1")
    record = harness.record(operation_id)
    assert record.evidence[-1]["row"] == "xact_id=x-1"
    assert "xact_id=x-1" in harness.store.memory(record).payments
    harness.server.on(CAPTURE.route, CAPTURE.success)
    assert harness.send(CAPTURE, key="key-2").status == 200


# ------------------------------------------------------------------ forgetting


def test_a_forgotten_operation_leaves_a_trace_and_its_key(harness: Harness) -> None:
    harness.server.on(COLLECT.route, COLLECT.success)
    label = {"reference": "rent of Ayşe Yılmaz", "metadata": {"of": "Ayşe"}}
    operation_id = harness.send(COLLECT, {**COLLECT.body, **label}).body["operation_id"]
    before = harness.record(operation_id)
    sent = len(harness.server.calls)
    list(forget(harness.store, operation_id, "asked by the person", ARN))
    after = harness.record(operation_id)
    trace = {"asked": "operator", "finding": "forgotten", "by": ARN, "reason": "asked by the person"}
    assert after.evidence == ({"at": iso_time(harness.clock.now), **trace},)
    assert (after.lookup_fields, after.guards, after.outcome) == ({}, (), {"result": {}})
    assert (before.reference, after.reference, after.metadata) == (label["reference"], None, {})
    (item,) = harness.records()
    assert not {"reference", "own_reference", "metadata"} & item.keys()
    assert (after.status, after.fingerprint) == (before.status, before.fingerprint)
    again = harness.send(COLLECT)
    assert (again.status, again.replayed, len(harness.server.calls)) == (200, True, sent)


def test_an_unresolved_operation_is_not_forgotten(harness: Harness) -> None:
    operation_id = lost(harness, COLLECT)
    with pytest.raises(OperatorError, match="not final"):
        list(forget(harness.store, operation_id, "asked", ARN))
    assert harness.record(operation_id).lookup_fields
