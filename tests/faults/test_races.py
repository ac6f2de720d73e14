"""Races between real processes on MiniStack: orders, sweeps, retries, stopped functions, repeated writes."""

import random
import time
from collections import Counter

import pytest

from tests.faults.environment import OPERATIONS, SWEEP, Answer, Function, FunctionProcess
from tests.faults.orders import Order, new_order, seeded
from tests.faults.verdict import RETRY_AT, Trial

CONTENDERS = 32
ROUNDS = 40
# Longer than the least time that a call needs, on the faster clock of these functions.
SHORT_LIFE_SECONDS = 1.5

pytestmark = pytest.mark.usefixtures("reconciled_at_the_end")


def warm_fleet(function: Function, size: int) -> list[FunctionProcess]:
    """Processes that have already logged in, so that all of a round claim at the same time."""
    fleet = [function.fork() for _ in range(size)]
    for process in fleet:
        assert process.call(new_order(function.operation).event).status == 200
    return fleet


def at_once(fleet: list[FunctionProcess], events: list[object], **request: object) -> list[Answer]:
    for process, event in zip(fleet, events, strict=True):
        process.begin(event, **request)
    return [process.end() for process in fleet]


def kind(answer: Answer) -> str:
    if answer.status == 200:
        return "replay" if answer.replayed else "first answer"
    return f"{answer.status} {answer.slug}".strip()


@pytest.mark.timeout(1200)
@pytest.mark.parametrize("function", OPERATIONS, indirect=True)
def test_32_identical_orders_at_once_book_once(function: Function, report: list[str]) -> None:
    fleet, told = warm_fleet(function, CONTENDERS), Counter[str]()
    for _ in range(ROUNDS):
        order = new_order(function.operation)
        answers = at_once(fleet, [order.event] * CONTENDERS)
        kinds = Counter(map(kind, answers))
        assert kinds["first answer"] == 1
        assert set(kinds) <= {"first answer", "replay", "409 in-progress", "202"}
        assert order.times_booked(function.environment.sandbox) == 1
        told += kinds
    report += [f"{function.operation}: {ROUNDS} rounds of {CONTENDERS} identical orders at once, 1 booking each: "
               + ", ".join(f"{count} {name}" for name, count in sorted(told.items()))]  # fmt: skip


def order_in_doubt(function: Function, *, booked: bool) -> Order:
    order = new_order(function.operation)
    function.environment.sandbox.rule(function.operation, then="reset", match=order.reference, book=booked)
    assert function.call(order.event).status == 202
    return order


@pytest.mark.timeout(1200)
@pytest.mark.parametrize("function", OPERATIONS, indirect=True)
def test_sweeps_and_retries_of_one_order_at_once(function: Function, seed: int, report: list[str]) -> None:
    chance, fleet = seeded(seed, f"sweeps and retries {function.operation}"), warm_fleet(function, 8)
    ended = Counter[str]()
    for number in range(12):
        order = order_in_doubt(function, booked=number % 2 == 0)
        compete(function, order, fleet, chance)
        trial = Trial(function, order)
        trial.sweep_until_quiet()
        trial.end()
        assert trial.verdict == []
        ended[f"{trial.bookings_at_the_end} {trial.final_status}"] += 1
    report += [f"{function.operation}: 12 rounds of 8 sweeps and retries of one order in doubt at once: {dict(ended)}"]


def compete(function: Function, order: Order, fleet: list[FunctionProcess], chance: random.Random) -> None:
    """Let sweeps and retries of one order run at the same time."""
    events = [SWEEP if chance.random() < 0.5 else order.event for _ in fleet]
    answers = at_once(fleet, events, clock=200)
    trial = Trial(function, order)
    for event, answer in zip(events, answers, strict=True):
        if event is SWEEP:
            assert answer.raised is None
        else:
            assert answer.status in (200, 202, 409)
            trial.check(answer)
    assert trial.wrong == []


@pytest.mark.parametrize("function", OPERATIONS, indirect=True)
@pytest.mark.parametrize("step", ["claim.after", "order.before", "order.left", "order.came", "finalise.before"])
@pytest.mark.parametrize("refused", [False, True])
def test_a_frozen_function_that_continues_after_its_lease_books_nothing_twice(
    function: Function, step: str, refused: bool
) -> None:
    """The function stops at a step. Another takes its record over on a faster clock. Then the first continues."""
    trial, frozen = Trial(function, new_order(function.operation)), function.fork()
    if refused:
        function.environment.sandbox.rule(function.operation, then="refuse", match=trial.order.reference)
    frozen.begin(trial.order.event, plan={"at": step, "do": "stop"})
    frozen.wait_until_stopped()
    trial.send(clock=RETRY_AT)
    frozen.wake()
    trial.check(frozen.end())
    trial.sweep_until_quiet()
    trial.end()
    # A refusal that only the stopped function got is not recorded. The order stays unknown, which is true.
    assert trial.verdict == []


@pytest.mark.parametrize("function", OPERATIONS, indirect=True)
@pytest.mark.parametrize("step", ["claim.after", "order.before"])
def test_a_frozen_function_whose_time_is_over_sends_nothing(function: Function, step: str) -> None:
    trial, frozen = Trial(function, new_order(function.operation)), function.fork()
    frozen.call(new_order(function.operation).event)
    frozen.begin(trial.order.event, plan={"at": step, "do": "stop"}, seconds=SHORT_LIFE_SECONDS)
    frozen.wait_until_stopped()
    time.sleep(SHORT_LIFE_SECONDS)
    frozen.wake()
    answer = frozen.end()
    told = [answer.status, answer.body.get("money"), answer.body.get("retry")]
    assert told == [503, "not_moved", "same_key"], answer
    assert trial.bookings == 0
    trial.send()
    assert (trial.bookings, trial.final, trial.wrong) == (1, "succeeded", [])


# Calls of the table -> how many answers are lost. The SDK tries each call twice.
LOST_WRITES = [
    {"PutItem": 1, "TransactWriteItems": 1},
    {"UpdateItem": 1},
    {"PutItem": 2, "TransactWriteItems": 2},
    {"UpdateItem": 2, "TransactWriteItems": 9},
    {"UpdateItem": 9},
    {"GetItem": 9},
]
LOST = [
    *((lost, fault) for lost in LOST_WRITES for fault in ("answer", "reset")),
    ({"UpdateItem": 9, "TransactWriteItems": 9}, "refuse"),
    ({"DeleteItem": 1, "TransactWriteItems": 1}, "unauthorized"),
    ({"DeleteItem": 9, "TransactWriteItems": 9}, "unauthorized"),
]


@pytest.mark.parametrize("function", OPERATIONS, indirect=True)
@pytest.mark.parametrize(("lost", "then"), LOST, ids=str)
def test_a_write_whose_answer_is_lost_is_repeated_without_harm(
    function: Function, lost: dict[str, int], then: str
) -> None:
    function.call(new_order(function.operation).event)
    trial = Trial(function, new_order(function.operation))
    function.environment.sandbox.rule(function.operation, then=then, match=trial.order.reference)
    trial.send(lost=lost)
    trial.retry(RETRY_AT, lost=lost)
    trial.sweep(clock=3 * RETRY_AT)
    trial.retry(4 * RETRY_AT)
    trial.sweep_until_quiet()
    trial.end()
    assert trial.verdict == []


@pytest.mark.parametrize("function", OPERATIONS, indirect=True)
def test_a_write_whose_first_answer_is_lost_succeeds_at_the_second_try(function: Function) -> None:
    function.call(new_order(function.operation).event)
    order = new_order(function.operation)
    answer = function.call(order.event, lost={"PutItem": 1, "TransactWriteItems": 1, "UpdateItem": 1})
    assert (answer.status, answer.replayed) == (200, False), answer.body
    assert order.times_booked(function.environment.sandbox) == 1


@pytest.mark.parametrize("function", OPERATIONS, indirect=True)
def test_a_standing_order_whose_rule_fires_often_at_once_pays_once(function: Function) -> None:
    order, fleet = new_order(function.operation), [function.fork() for _ in range(6)]
    content = {"name": order.key, "occurrence": "2026-12-01T06:00:00Z", "request": order.fields}
    answers = at_once(fleet, [{"standing_order": content}] * len(fleet))
    assert sum(answer.raised is None for answer in answers) >= 1
    assert {answer.raised for answer in answers} <= {None, "StandingOrderFailed: in-progress"}
    assert order.times_booked(function.environment.sandbox) == 1
    assert function.call({"standing_order": content}).value["status"] == "succeeded"
