"""Every transition of a record as a pure function: what it changes, under which condition, and where it ends."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from vezne.orders import transitions
from vezne.orders.guards import OneAtATime, PaidOnce
from vezne.orders.record import (
    DECLINED,
    FINAL,
    NOT_EXECUTED,
    PROCESSING,
    SUCCEEDED,
    UNKNOWN,
    Record,
    from_item,
    kept_seconds,
)
from vezne.orders.store import ConditionFailedError
from vezne.orders.transitions import Write

from tests.faults.memory_store import MemoryStore
from tests.faults.memory_table import MemoryTable

NOW = 1_800_000_000.0
BILL, PART = PaidOnce("bill"), OneAtATime("part", ("xact_id",))
CLAIMED = Record(
    id="op_1", operation="bank.pay", principal="client", fingerprint="f", status=PROCESSING, owner="me",
    lease_until=NOW + 30, may_arrive_until=NOW + 30, created_at=NOW, updated_at=NOW, lookup_fields={"amount": "1.00"},
    guards=(BILL.stored(), PART.stored()), next_look_up=NOW + 33,
)  # fmt: skip
OUTCOMES: dict[str, dict[str, Any]] = {
    SUCCEEDED: {"result": {"xact_id": "x-1"}},
    DECLINED: {"code": "51", "text": "no"},
    NOT_EXECUTED: {},
}
EARLIER = replace(CLAIMED, lease_until=NOW - 60, may_arrive_until=NOW - 60)
LATER: dict[str, Callable[[Record], Write]] = {
    "acquire_lease": lambda record: transitions.acquire_lease(record, NOW, "me", NOW + 60),
    "acquire_lease of another": lambda record: transitions.acquire_lease(record, NOW, "other", NOW + 60),
    "mark_unknown": lambda record: transitions.mark_unknown(record, NOW, NOW + 60),
    "release": transitions.release,
    **{
        f"finalise {status}": lambda record, status=status: transitions.finalise(record, NOW, status, OUTCOMES[status])
        for status in OUTCOMES
    },
}


@pytest.fixture(autouse=True)
def table_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TABLE_NAME", "records")


def table_with(*writes: Write) -> MemoryStore:
    """A table that these writes have been applied to."""
    store = MemoryStore(MemoryTable(), lambda: NOW)
    for write in writes:
        store.apply(write)
    return store


def condition(write: Write) -> str:
    text: str = write.request["ConditionExpression"]
    return text


def test_a_claim_needs_an_id_that_is_free_and_takes_every_guard() -> None:
    write = transitions.claim(CLAIMED)
    assert (write.kind, condition(write)) == ("Put", "attribute_not_exists(id)")
    assert from_item(write.request["Item"]) == CLAIMED
    assert write.guards == ((BILL, BILL.claim(CLAIMED)), (PART, PART.claim(CLAIMED)))


@pytest.mark.parametrize("change", [name for name in LATER if name != "acquire_lease of another"])
def test_every_later_write_needs_the_owner_and_an_unresolved_record(change: str) -> None:
    write = LATER[change](CLAIMED)
    assert "#owner = :owner" in condition(write)
    assert "attribute_exists(unresolved)" in condition(write)
    assert write.request["ExpressionAttributeValues"][":owner"] == {"S": "me"}


def test_a_lease_is_acquired_from_the_owner_and_the_lease_that_were_read() -> None:
    write = transitions.acquire_lease(EARLIER, NOW, "other", NOW + 60)
    assert "(#owner = :old AND #lease = :old_lease)" in condition(write)
    values = write.request["ExpressionAttributeValues"]
    assert (values[":old"], values[":old_lease"]) == ({"S": "me"}, {"N": str(int(NOW) - 60)})
    assert write.record == replace(EARLIER, owner="other", lease_until=NOW + 60, status=UNKNOWN, updated_at=NOW)
    assert write.guards == ()


def test_only_an_order_that_is_sent_again_may_arrive_later() -> None:
    for sending, until in ((False, EARLIER.may_arrive_until), (True, NOW + 60)):
        write = transitions.acquire_lease(EARLIER, NOW, "other", NOW + 60, sending=sending)
        assert write.record.may_arrive_until == until


def test_an_unknown_record_gives_up_its_lease_and_keeps_its_guards() -> None:
    write = transitions.mark_unknown(CLAIMED, NOW + 5, NOW + 60.00049)
    kept = replace(CLAIMED, status=UNKNOWN, lease_until=0.0, updated_at=NOW + 5, next_look_up=NOW + 60)
    assert (write.record, write.guards) == (kept, ())


def test_a_release_deletes_the_record_and_undoes_its_claim_of_the_guards() -> None:
    write = transitions.release(CLAIMED)
    assert (write.kind, write.request["Key"]) == ("Delete", {"id": {"S": "op_1"}})
    assert write.guards == ((BILL, BILL.undo_claim(CLAIMED)), (PART, PART.undo_claim(CLAIMED)))


@pytest.mark.parametrize("status", OUTCOMES)
@pytest.mark.parametrize("before", [PROCESSING, UNKNOWN])
def test_a_final_record_leaves_the_index_and_expires(before: str, status: str) -> None:
    write = transitions.finalise(replace(CLAIMED, status=before), NOW, status, OUTCOMES[status])
    assert write.request["UpdateExpression"].endswith("REMOVE unresolved, next_look_up")
    assert write.request["ExpressionAttributeValues"][":expires"] == {"N": str(int(NOW) + kept_seconds())}
    final, in_doubt = write.record, before == UNKNOWN
    assert (final.status, final.outcome, final.settled_by) == (status, OUTCOMES[status], "answer")
    assert write.guards == tuple((it, it.release(final, in_doubt=in_doubt)) for it in (BILL, PART))


def test_guards_are_held_where_nobody_knows_which_payment_it_was() -> None:
    write = transitions.finalise(CLAIMED, NOW, SUCCEEDED, {}, hold_guards=True)
    assert write.guards == ((BILL, BILL.hold(write.record)), (PART, PART.hold(write.record)))


def test_nothing_is_written_that_no_expression_uses() -> None:
    for change in LATER.values():
        request = change(CLAIMED).request
        text = f"{request.get('UpdateExpression', '')} {request['ConditionExpression']}"
        for kind in ("ExpressionAttributeNames", "ExpressionAttributeValues"):
            assert all(name in text for name in request[kind])


@pytest.mark.parametrize("change", LATER)
def test_every_transition_is_possible_from_a_claim(change: str) -> None:
    store = table_with(transitions.claim(EARLIER))
    after = store.apply(LATER[change](EARLIER))
    assert store.find("op_1") == (None if change == "release" else after)


@pytest.mark.parametrize("change", LATER)
def test_every_transition_is_possible_from_unknown(change: str) -> None:
    claimed = transitions.claim(EARLIER)
    unknown = transitions.mark_unknown(EARLIER, NOW, NOW + 60)
    store = table_with(claimed, unknown)
    after = store.apply(LATER[change](unknown.record))
    assert store.find("op_1") == (None if change == "release" else after)


@pytest.mark.parametrize("change", LATER)
@pytest.mark.parametrize("status", sorted(FINAL))
@pytest.mark.parametrize("read", ["before", "after"])
def test_nothing_leaves_a_final_status(status: str, change: str, read: str) -> None:
    """Neither a writer that has read the record before, nor one that reads it now."""
    final = transitions.finalise(EARLIER, NOW, status, OUTCOMES[status])
    store = table_with(transitions.claim(EARLIER), final)
    items = dict(store._memory.items)
    write = replace(LATER[change](EARLIER if read == "before" else final.record), guards=())
    if change == f"finalise {status}":
        # The SDK may repeat the very same write.
        assert store.apply(write).status == status
    else:
        with pytest.raises(ConditionFailedError):
            store.apply(write)
    assert store._memory.items == items


@pytest.mark.parametrize("change", LATER)
def test_a_former_owner_changes_nothing(change: str) -> None:
    taken = transitions.acquire_lease(EARLIER, NOW, "third", NOW + 60)
    store = table_with(transitions.claim(EARLIER), taken)
    with pytest.raises(ConditionFailedError) as failed:
        store.apply(LATER[change](EARLIER))
    assert failed.value.on_record
    assert store.find("op_1") == taken.record
