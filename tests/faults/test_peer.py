"""Vezne beside Powertools' `@idempotent`, used as its documentation shows: same orders, same faults."""

import dataclasses
from collections import Counter
from typing import Any

import pytest

from tests.faults.environment import OPERATIONS, Answer, Died, Environment, Function
from tests.faults.orders import Order, new_order
from tests.faults.tables import aligned
from tests.faults.verdict import RETRY_AT, Trial

RETRIES = 3
# The fault of the first call. The retries meet a provider without faults.
FAULTS: list[tuple[str, dict[str, Any], dict[str, Any]]] = [
    ("nothing", {}, {}),
    ("booked, then silence", {"then": "hang"}, {}),
    ("booked, then reset", {"then": "reset"}, {}),
    ("booked, then 502", {"then": "bad_gateway_html"}, {}),
    ("booked, answer cut", {"then": "cut"}, {}),
    ("booked late, then reset", {"then": "reset", "book": {"after_seconds": 1}}, {}),
    ("not booked, reset", {"then": "reset", "book": False}, {}),
    ("refused", {"then": "refuse"}, {}),
    ("killed before the socket", {}, {"at": "order.before"}),
    ("killed after the bytes left", {}, {"at": "order.left"}),
    ("killed after the answer", {}, {"at": "order.came"}),
    ("killed before the outcome is stored", {}, {"at": "finalise.before"}),
]


def set_up(function: Function, rule: dict[str, Any]) -> Order:
    order = new_order(function.operation)
    if rule:
        function.environment.sandbox.rule(function.operation, match=order.reference, **rule)
    return order


def with_vezne(function: Function, rule: dict[str, Any], plan: dict[str, Any]) -> tuple[int, int, int]:
    trial = Trial(function, set_up(function, rule), late="book" in rule)
    trial.send(plan=plan)
    trial.let_late_bookings_fall_due()
    for number in range(1, RETRIES + 1):
        trial.retry(number * RETRY_AT)
    trial.sweep_until_quiet()
    trial.end()
    status, bookings = trial.final_status, trial.bookings_at_the_end
    doubles = max(0, bookings - 1)
    told = ("unknown",) if trial.order.example.never_proved else ()
    # Booked, and nobody can tell. What nothing that can be read proves may stay unknown, if it is listed for people.
    is_final = status in ("succeeded", "declined", "not_executed")
    lost = int(bool(bookings) and not is_final and (status not in told or any(map(_is_lost, trial.verdict))))
    wrong = int((status == "succeeded") != bool(bookings) and is_final)
    return doubles, lost, wrong


def _is_lost(contradiction: str) -> bool:
    return contradiction.startswith("lost")


def with_peer(function: Function, rule: dict[str, Any], plan: dict[str, Any]) -> tuple[int, int, int]:
    """Count doubles, lost (money moved, and nobody can tell) and wrong (the last answer was not true)."""
    order = set_up(function, rule)
    last = call_peer(function, order, plan)
    if "book" in rule:
        function.environment.sandbox.advance_clock(1)
    for _ in range(RETRIES):
        let_the_lock_run_out(function)
        last = call_peer(function, order, {}) or last
    bookings = order.times_booked(function.environment.sandbox)
    said = last.status if last and not last.raised else None
    doubles = max(0, bookings - 1)
    return doubles, int(bool(bookings) and said is None), int(said is not None and (said == 200) != bool(bookings))


def call_peer(function: Function, order: Order, plan: dict[str, Any]) -> Answer | None:
    try:
        return function.call(order.event, plan=plan)
    except Died:
        return None


def let_the_lock_run_out(function: Function) -> None:
    """Let the time limit of the killed invocation pass."""
    table = function.environment.aws("dynamodb")
    for item in table.scan(TableName=function.table)["Items"]:
        if item.get("status") == {"S": "INPROGRESS"}:
            table.update_item(
                TableName=function.table,
                Key={"id": item["id"]},
                UpdateExpression="SET in_progress_expiration = :past",
                ExpressionAttributeValues={":past": {"N": "1"}},
            )


@pytest.mark.timeout(1200)
def test_side_by_side_with_powertools(environment: Environment, report: list[str]) -> None:
    environment.sandbox.reset()
    ours, peers = Counter[str](), Counter[str]()
    rows = [["first call", "vezne: doubles / lost / wrong", "peer: doubles / lost / wrong"]]
    functions = [environment.function(operation) for operation in OPERATIONS]
    rivals = [dataclasses.replace(environment.function(operation), peer=True) for operation in OPERATIONS]
    for name, rule, plan in FAULTS:
        mine = [with_vezne(function, rule, plan) for function in functions]
        theirs = [with_peer(function, rule, plan) for function in rivals]
        rows.append([name, *(" / ".join(str(sum(column)) for column in zip(*tried, strict=True))
                             for tried in (mine, theirs))])  # fmt: skip
        for counted, tried in ((ours, mine), (peers, theirs)):
            for doubles, lost, wrong in tried:
                counted.update(doubles=doubles, lost=lost, wrong=wrong)
    orders = len(FAULTS) * len(OPERATIONS)
    report += [
        f"Side by side with Powertools @idempotent: {orders} orders each, {RETRIES} retries with the same key",
        *aligned(rows),
        (
            f"vezne {ours['doubles']} / {ours['lost']} / {ours['wrong']}, "
            f"peer {peers['doubles']} / {peers['lost']} / {peers['wrong']}"
        ),
    ]
    assert not ours.total()
    assert peers["doubles"] > 0
    assert peers["wrong"] + peers["lost"] > 0
