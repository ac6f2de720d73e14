"""Records and guards keep the form they have in the tables: earlier versions read what this one writes.

`stored_items.json` was written by the version of 2026-11-27, before guards were classes: each case, step by step.
"""

import json
from dataclasses import replace
from typing import Any

import pytest
from vezne.orders.own import listing
from vezne.orders.record import (
    DECLINED,
    NOT_EXECUTED,
    PROCESSING,
    SUCCEEDED,
    Record,
    day_of,
    from_item,
    iso_time,
    to_item,
)

from tests.support.harness import ROOT, START, Harness

STORED: dict[str, dict[str, list[dict[str, Any]]]] = json.loads(
    (ROOT / "tests" / "support" / "stored_items.json").read_text("utf-8")
)
RESULT = {"xact_id": "x-1", "id": "7", "order_id": "o-1", "payment_transaction_id": "p-1", "amount": "1.00"}
each_case = pytest.mark.parametrize("case", STORED)


def claimed(harness: Harness, case: str) -> Record:
    """What an earlier version claimed, five seconds ago."""
    harness.clock.now = START
    for item in STORED[case]["claimed"]:
        harness.put(item)
    harness.clock.advance(5)
    (record,) = map(from_item, harness.records())
    return record


def items(harness: Harness) -> list[dict[str, Any]]:
    return sorted(harness.items(), key=lambda item: str(item["id"]["S"]))


def without_day(items: list[dict[str, Any]], record: Record) -> list[dict[str, Any]]:
    """What earlier versions know of a final record: they pass over the day that it is listed under."""
    (day,) = [item.pop("day")["S"] for item in items if item["id"]["S"] == record.id]
    assert day.rpartition("#")[0] == f"{record.operation}#{day_of(record)}"
    return without_told(items, record)


def without_told(items: list[dict[str, Any]], record: Record) -> list[dict[str, Any]]:
    """They pass over what the outbox tells, too."""
    (told,) = [item.pop("told")["M"] for item in items if item["id"]["S"] == record.id]
    assert told["day"] == {"S": str(day_of(record))}
    assert told.keys() == {"day", "amount", "currency", "settled_by"}
    return items


@each_case
def test_a_claim_writes_the_items_of_before(harness: Harness, case: str) -> None:
    record = claimed(harness, case)
    for item in harness.items():
        harness.delete(item["id"]["S"])
    assert harness.store.claim(record) is None
    written = items(harness)
    # Earlier versions pass over the place in its client's list.
    (own,) = [
        {name: item.pop(name, None) for name in ("own", "own_at")} for item in written if item["id"]["S"] == record.id
    ]
    assert own == listing(record)
    assert written == STORED[case]["claimed"]


@each_case
@pytest.mark.parametrize("hold", [False, True], ids=["", "held"])
@pytest.mark.parametrize("ending", [SUCCEEDED, DECLINED, NOT_EXECUTED])
def test_a_record_of_before_is_finalised_as_before(harness: Harness, case: str, ending: str, hold: bool) -> None:
    record = claimed(harness, case)
    harness.store.finalise(record, ending, {"result": RESULT} if ending == SUCCEEDED else {}, hold_guards=hold)
    assert without_day(items(harness), record) == STORED[case][ending + (", held" if hold else "")]


@each_case
def test_a_record_of_before_is_released_as_before(harness: Harness, case: str) -> None:
    harness.store.release(claimed(harness, case))
    assert items(harness) == STORED[case]["released"]


@each_case
def test_a_record_of_before_is_unknown_taken_over_and_found_as_before(harness: Harness, case: str) -> None:
    record = claimed(harness, case)
    lost = {"at": iso_time(harness.clock.now), "asked": "order", "finding": "unknown", "reason": "lost"}
    harness.store.mark_unknown(replace(record, evidence=(lost,)), harness.clock.now + 60)
    assert without_told(items(harness), record) == STORED[case]["unknown"]
    harness.clock.advance(60)
    taken = harness.store.acquire_lease(harness.record(record.id), "owner-2", harness.clock.now + 27, sending=True)
    assert without_told(items(harness), record) == STORED[case]["taken over"]
    harness.clock.advance(5)
    harness.store.finalise(taken, SUCCEEDED, {"result": RESULT})
    assert without_day(items(harness), record) == STORED[case]["succeeded after doubt"]


def test_every_stored_record_comes_back_as_it_was() -> None:
    records = [
        item
        for steps in STORED.values()
        for step in steps.values()
        for item in step
        if item["id"]["S"].startswith("op_")
    ]
    for item in records:
        record = from_item(item)
        again = to_item(record)
        if record.final:
            without_day([again], record)
        elif record.status != PROCESSING:
            without_told([again], record)
        assert again == {name: value for name, value in item.items() if name != "expires_at"}
    assert len(records) > 60
