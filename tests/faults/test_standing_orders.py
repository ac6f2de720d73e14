"""Standing orders: the same occurrence pays once; what fails is raised, so that it ends in the dead-letter queue."""

from typing import Any

import pytest
from vezne.orders.record import STANDING_ORDER_CLIENT, operation_id

from tests.faults.orders import Order, new_order
from tests.faults.world import OPERATIONS, Function


def standing(order: Order, occurrence: str = "2026-12-01T06:00:00Z") -> dict[str, Any]:
    return {"standing_order": {"name": order.key, "occurrence": occurrence, "request": order.fields}}


@pytest.mark.parametrize("function", OPERATIONS, indirect=True)
def test_the_same_occurrence_twice_pays_once(function: Function) -> None:
    order = new_order(function.operation)
    first, second = (function.call(standing(order)) for _ in range(2))
    assert first.value["status"] == "succeeded"
    assert second.value == first.value
    assert order.times_booked(function.world.sandbox) == 1


@pytest.mark.parametrize("function", OPERATIONS, indirect=True)
def test_a_rule_that_fires_often_at_once_pays_once(function: Function) -> None:
    order, fleet = new_order(function.operation), [function.fork() for _ in range(6)]
    for process in fleet:
        process.begin(standing(order))
    answers = [process.end() for process in fleet]
    assert sum(answer.raised is None for answer in answers) >= 1
    assert {answer.raised for answer in answers} <= {None, "StandingOrderFailed: in-progress"}
    assert order.times_booked(function.world.sandbox) == 1
    assert function.call(standing(order)).value["status"] == "succeeded"


@pytest.mark.parametrize("function", ["kolaybi.collect"], indirect=True)
def test_two_occurrences_pay_twice(function: Function) -> None:
    order = new_order(function.operation)
    function.call(standing(order, "2026-12-01T06:00:00Z"))
    function.call(standing(order, "2027-01-01T06:00:00Z"))
    assert order.times_booked(function.world.sandbox) == 2


@pytest.mark.parametrize("function", OPERATIONS, indirect=True)
def test_a_refused_standing_order_is_raised_at_every_try(function: Function) -> None:
    order = new_order(function.operation)
    function.world.sandbox.rule(function.operation, then="refuse", match=order.mark)
    known_as = operation_id(STANDING_ORDER_CLIENT, function.operation, f"{order.key}\n2026-12-01T06:00:00Z")
    for _ in range(3):
        assert function.call(standing(order)).raised == f"StandingOrderFailed: {known_as} declined"
    assert order.times_booked(function.world.sandbox) == 0


@pytest.mark.parametrize("function", OPERATIONS, indirect=True)
def test_one_that_cannot_be_sent_now_is_raised_and_sent_at_the_next_try(function: Function) -> None:
    order = new_order(function.operation)
    failed = function.call(standing(order), seconds=0.1)
    assert failed.raised == "StandingOrderFailed: not-enough-time"
    assert function.call(standing(order)).value["status"] == "succeeded"
    assert order.times_booked(function.world.sandbox) == 1


@pytest.mark.parametrize("function", OPERATIONS, indirect=True)
def test_one_in_doubt_is_not_tried_again_by_lambda(function: Function) -> None:
    order = new_order(function.operation)
    function.world.sandbox.rule(function.operation, then="reset", match=order.mark)
    assert function.call(standing(order)).value["status"] == "unknown"
    function.sweep(clock=120)
    assert function.call(standing(order)).value["status"] == "succeeded"
    assert order.times_booked(function.world.sandbox) == 1


@pytest.mark.parametrize("function", ["paynet.capture"], indirect=True)
@pytest.mark.parametrize(
    "content",
    [
        {"name": "x", "occurrence": "y"},
        {"name": "x", "occurrence": "y", "request": {"xact_id": "z", "amount": 1.5}},
        {"name": "", "occurrence": "y", "request": {"xact_id": "z"}},
        "x",
    ],
)
def test_one_that_does_not_fit_is_raised(function: Function, content: Any) -> None:
    assert function.call({"standing_order": content}).raised == "StandingOrderFailed: invalid-request"
    assert function.world.sandbox.calls() == []
