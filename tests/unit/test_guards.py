"""What each kind of guard asks of a claim, leaves behind, and says to a second order."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from vezne.orders.guards import (
    Guard,
    NeverDecreases,
    NeverExceeds,
    OneAtATime,
    PaidOnce,
    WhyRefused,
    guards_of,
    may_decrease,
)
from vezne.orders.record import DECLINED, NOT_EXECUTED, PROCESSING, SUCCEEDED, UNKNOWN, Record

from tests.support.example import Example
from tests.support.operations import EXAMPLES

NOW = 1_800_000_000.0
BILL, CAPTURE, PART = PaidOnce("bill"), OneAtATime("capture", ("xact_id", "order_id")), OneAtATime("bill")
TOTAL = NeverDecreases("total", {"fee": 100}, pause=timedelta(minutes=10))
CORRECTION = replace(TOTAL, unless=True)
ANOTHERS = OneAtATime("capture", of="bank.capture")
REFUND = NeverExceeds("sale", 40, 100)
KINDS: list[Guard] = [BILL, CAPTURE, PART, TOTAL, CORRECTION, ANOTHERS, REFUND]
NAMES = ["bill", "capture", "part", "total", "correction", "another's", "refund"]
each_kind = pytest.mark.parametrize("guard", KINDS, ids=NAMES)


def record(status: str = PROCESSING, *guards: Guard, **changes: Any) -> Record:
    made = Record(
        id="op_1", operation="bank.pay", principal="client", fingerprint="f", status=status, owner="me",
        lease_until=NOW + 30, may_arrive_until=NOW + 30, created_at=NOW, updated_at=NOW, lookup_fields={},
        guards=tuple(guard.stored() for guard in guards), outcome={"result": {"xact_id": "x-1"}},
    )  # fmt: skip
    return replace(made, **changes)


@each_kind
def test_the_stored_form_tells_the_kinds_apart(guard: Guard) -> None:
    assert guards_of(record(PROCESSING, guard)) == (guard,)


def test_a_guard_of_another_operation_is_the_item_that_its_own_orders_take() -> None:
    assert ANOTHERS.item_id("bank.cancel") == replace(ANOTHERS, of="").item_id("bank.capture")
    assert ANOTHERS.claim(record())["Key"] == {"id": {"S": ANOTHERS.item_id("bank.pay")}}


@pytest.mark.parametrize("example", EXAMPLES, ids=str)
def test_an_operation_declares_whose_guards_it_takes(example: Example) -> None:
    operation = example.declared.declaration()
    order = example.known(operation)
    assert {guard.of for guard in operation.guards(order)} - {""} == set(operation.shares_guards_of)


@each_kind
def test_a_claim_needs_a_guard_that_nobody_holds(guard: Guard) -> None:
    assert guard.claim(record())["ConditionExpression"].startswith("attribute_not_exists(holder)")


def test_a_total_is_compared_unless_the_caller_asks_for_a_lower_one() -> None:
    assert "fee <= :fee" in TOTAL.claim(record())["ConditionExpression"]
    assert "fee" not in CORRECTION.claim(record())["ConditionExpression"]
    # Both wait for an earlier order that may still arrive.
    assert all("quiet_until < :now" in it.claim(record())["ConditionExpression"] for it in (TOTAL, CORRECTION))


@each_kind
def test_every_release_names_the_holder(guard: Guard) -> None:
    for status in (SUCCEEDED, DECLINED, NOT_EXECUTED):
        assert guard.release(record(status))["ConditionExpression"] == "holder = :holder"
    assert guard.hold(record())["ConditionExpression"] == "holder = :holder"
    # An order that was not sent may have been claimed again under the same key.
    undone = guard.undo_claim(record())
    assert undone["ConditionExpression"] == "holder = :holder AND holder_owner = :owner"
    assert undone["ExpressionAttributeValues"][":owner"] == {"S": "me"}


def test_what_is_paid_is_held_for_good_and_let_go_after_anything_else() -> None:
    assert BILL.release(record(SUCCEEDED)) == BILL.hold(record(SUCCEEDED))
    for status in (DECLINED, NOT_EXECUTED):
        assert "REMOVE holder" in BILL.release(record(status))["UpdateExpression"]


@pytest.mark.parametrize("guard", [CAPTURE, PART, TOTAL, CORRECTION, REFUND])
def test_the_others_are_let_go_after_success(guard: Guard) -> None:
    assert "REMOVE holder" in guard.release(record(SUCCEEDED))["UpdateExpression"]


def test_a_capture_leaves_the_names_of_its_payment_and_nothing_after_a_refusal() -> None:
    left = CAPTURE.release(record(SUCCEEDED))
    assert left["ExpressionAttributeValues"][":payments"] == {"SS": ["x-1", "xact_id=x-1"]}
    assert "ADD" not in CAPTURE.release(record(DECLINED))["UpdateExpression"]
    assert "ADD" not in PART.release(record(SUCCEEDED))["UpdateExpression"]


def test_a_total_leaves_its_figures_for_ever_and_a_pause_if_it_was_in_doubt() -> None:
    assert "fee = :fee" in TOTAL.release(record(SUCCEEDED))["UpdateExpression"]
    assert "quiet_until" not in TOTAL.release(record(SUCCEEDED))["UpdateExpression"]
    doubted = TOTAL.release(record(SUCCEEDED), in_doubt=True)
    assert doubted["ExpressionAttributeValues"][":quiet"] == {"N": str(int(NOW) + 630)}
    for status in (SUCCEEDED, DECLINED):
        assert "expires_at" not in TOTAL.release(record(status))["UpdateExpression"]
    assert "fee" not in TOTAL.release(record(DECLINED), in_doubt=True)["UpdateExpression"]


def test_a_part_is_counted_with_its_claim_and_given_back_only_where_nothing_moved() -> None:
    claim = REFUND.claim(record())
    assert claim["UpdateExpression"].endswith(" ADD asked :part")
    assert "asked <= :room" in claim["ConditionExpression"]
    values = claim["ExpressionAttributeValues"]
    assert (values[":part"], values[":room"]) == ({"N": "40"}, {"N": "60"})
    unsent = [REFUND.undo_claim(record()), *(REFUND.release(record(status)) for status in (DECLINED, NOT_EXECUTED))]
    for update in unsent:
        assert " ADD asked :back" in update["UpdateExpression"]
        assert update["ExpressionAttributeValues"][":back"] == {"N": "-40"}
    for update in (REFUND.release(record(SUCCEEDED)), REFUND.hold(record()), REFUND.free("bank.pay", HELD)):
        assert "asked" not in update["UpdateExpression"]
    assert all(
        "expires_at" not in REFUND.release(record(status))["UpdateExpression"] for status in (SUCCEEDED, DECLINED)
    )


@pytest.mark.parametrize(("part", "most"), [(0, 100), (-1, 100), (101, 100)])
def test_no_part_is_nothing_or_more_than_the_sum(part: int, most: int) -> None:
    with pytest.raises(ValueError, match="a part"):
        NeverExceeds("sale", part, most)


def test_what_is_paid_once_is_refused_once_parts_were_asked_for() -> None:
    assert "asked = :nothing" in BILL.claim(record())["ConditionExpression"]


def test_only_a_correction_may_decrease_a_total() -> None:
    assert [may_decrease(record(PROCESSING, guard)) for guard in (TOTAL, CORRECTION, BILL)] == [False, True, False]


HELD = {"holder": "op_0", "holder_keeps": True, "marks_paid": True, "held_since": NOW}
DAYS = 24 * 3600


@pytest.mark.parametrize(
    ("guard", "held", "holder", "after", "why"),
    [
        (TOTAL, {"fee": 101}, None, 0, WhyRefused.TOTAL_WOULD_FALL),
        (TOTAL, {"fee": 100, "quiet_until": NOW}, None, 0, WhyRefused.EARLIER_MAY_ARRIVE),
        (CORRECTION, {"fee": 101, "quiet_until": NOW}, None, 0, WhyRefused.EARLIER_MAY_ARRIVE),
        (TOTAL, {"fee": 101, **HELD, "holder_keeps": False}, record(UNKNOWN, TOTAL), 0, WhyRefused.HELD),
        (CAPTURE, HELD, record(UNKNOWN, CAPTURE), 0, WhyRefused.HELD),
        (CAPTURE, HELD, record(SUCCEEDED, CAPTURE), 0, WhyRefused.HELD),
        (CAPTURE, {**HELD, "paid": True}, None, 0, WhyRefused.PAID),
        (BILL, HELD, record(UNKNOWN, BILL), 0, WhyRefused.HELD),
        (BILL, HELD, record(SUCCEEDED, BILL), 0, WhyRefused.PAID),
        (BILL, HELD, record(DECLINED, BILL), 0, WhyRefused.HELD),
        # The holder's guard counts, not the newcomer's.
        (PART, HELD, record(SUCCEEDED, BILL), 0, WhyRefused.PAID),
        (BILL, {**HELD, "holder_keeps": False}, record(SUCCEEDED, PART), 0, WhyRefused.HELD),
        # Its record is gone: unsent, unless it was never marked or is as old as a final record can be.
        (BILL, HELD, None, 29 * DAYS, WhyRefused.HELD),
        (BILL, HELD, None, 30 * DAYS, WhyRefused.PAID),
        (BILL, {"holder": "op_0"}, None, 0, WhyRefused.PAID),
        (PART, {"holder": "op_0"}, None, 0, WhyRefused.HELD),
        (REFUND, {"asked": 61}, None, 0, WhyRefused.SUM_EXCEEDED),
        (REFUND, {"asked": 61, **HELD, "holder_keeps": False}, record(UNKNOWN, REFUND), 0, WhyRefused.HELD),
        (REFUND, {**HELD, "paid": True}, record(SUCCEEDED, BILL), 0, WhyRefused.PAID),
        (BILL, {"asked": 1}, None, 0, WhyRefused.ASKED_IN_PART),
    ],
)
def test_each_kind_knows_why_it_refuses(
    guard: Guard, held: dict[str, Any], holder: Record | None, after: float, why: WhyRefused
) -> None:
    assert guard.why_refused(held, holder, NOW + after) is why
