"""Cases that the idempotency key alone does not protect: bills, totals, pre-authorisations, markers."""

import itertools
import random
from decimal import Decimal
from typing import Any

import pytest

from tests.faults.environment import Function
from tests.faults.orders import PAID_ONCE, Order, new_order, seeded
from tests.faults.verdict import RETRY_AT, SWEEPS_AT, Trial

QUIET_SECONDS = 600

pytestmark = pytest.mark.usefixtures("reconciled_at_the_end")


def again(order: Order, key: str, **changes: Any) -> Order:
    """The same payment under another key, with some fields of the body changed."""
    return order.but(key=key, **changes)


def total_at_haso(function: Function, order: Order) -> str:
    return str(function.environment.sandbox.state()["haso"]["totals"][order.mark])


# --- HASO: the value sent is the new total -----------------------------------------------------------------------


def set_totals(function: Function, amounts: tuple[int, ...]) -> Order:
    """Send totals of one transaction in this order. A total that was refused as lower stays refused."""
    first = new_order("haso.set_expenses")
    for amount in amounts:
        order = again(first, f"{first.key}-{amount}", expense_amount=f"{amount}.00")
        answer = function.call(order.event)
        highest = max(amounts[: amounts.index(amount) + 1])
        assert answer.status == (200 if amount == highest else 422)
    return first


@pytest.mark.parametrize("function", ["haso.set_expenses"], indirect=True)
def test_every_order_of_arrival_of_up_to_five_totals_ends_at_the_highest(function: Function, report: list[str]) -> None:
    arrivals = [p for count in range(1, 6) for p in itertools.permutations(range(100, 100 + 50 * count, 50))]
    for amounts in arrivals:
        assert total_at_haso(function, set_totals(function, amounts)) == f"{max(amounts)}.00"
    report += [f"HASO: {len(arrivals)} orders of arrival of up to five totals, each ended at the highest"]


@pytest.mark.parametrize("function", ["haso.set_expenses"], indirect=True)
def test_a_total_falls_only_if_the_caller_says_so(function: Function) -> None:
    first = set_totals(function, (100, 300))
    assert function.call(again(first, "lower", expense_amount="200.00").event).status == 422
    assert total_at_haso(function, first) == "300.00"
    assert function.call(again(first, "allowed", expense_amount="200.00", allow_lower=True).event).status == 200
    assert total_at_haso(function, first) == "200.00"
    assert function.call(again(first, "up-again", expense_amount="250.00").event).status == 200


@pytest.mark.parametrize("function", ["haso.set_expenses"], indirect=True)
def test_totals_whose_answers_are_lost_end_at_the_highest(function: Function, seed: int, report: list[str]) -> None:
    """Each total is booked at once, late or not at all, and its answer is lost.

    Clients repeat until every outcome is final.
    """
    chance = seeded(seed, "lost totals")
    for _ in range(20):
        lose_totals(function, chance)
    report += [
        "HASO: 20 rounds of three totals with lost answers and late bookings, each ended at the highest accepted"
    ]


def lose_totals(function: Function, chance: random.Random) -> None:
    first, control = new_order("haso.set_expenses"), function.environment.sandbox
    amounts = chance.sample([100, 150, 200], 3)
    orders = [again(first, f"{first.key}-{amount}", expense_amount=f"{amount}.00") for amount in amounts]
    for book in chance.choices([True, False, {"after_seconds": 1}], k=3):
        control.rule("haso.set_expenses", then="reset", match=first.reference, book=book)
    waiting, clock = list(orders), 0.0
    while waiting:
        for order in list(waiting):
            answer = function.call(order.event, clock=clock)
            if answer.status in (200, 402, 422):
                waiting.remove(order)
        control.advance_clock(1)
        clock += 400
        assert clock < 100 * QUIET_SECONDS
    records = [function.record(order.id) for order in orders]
    accepted = [Decimal(o.body["expense_amount"]) for o, r in zip(orders, records, strict=True)
                if r and r.status == "succeeded"]  # fmt: skip
    control.remove_rules()
    assert Decimal(total_at_haso(function, first)) == max(accepted)


@pytest.mark.parametrize("function", ["haso.set_expenses"], indirect=True)
def test_a_total_sent_twice_does_not_overtake_a_newer_one(function: Function) -> None:
    """The first request is late, the second under the same key is answered. Then a newer total is ordered."""
    control, first = function.environment.sandbox, new_order("haso.set_expenses", "100.00")
    control.rule("haso.set_expenses", then="reset", match=first.reference, book={"after_seconds": 5})
    assert function.call(first.event).status == 202
    assert function.call(first.event).status == 200
    newer = again(first, "newer", expense_amount="200.00")
    held = function.call(newer.event)
    assert (held.status, held.body["retry"], held.body["money"]) == (409, "same_key", "not_moved")
    control.advance_clock(5)
    assert function.call(newer.event, clock=QUIET_SECONDS + RETRY_AT).status == 200
    assert total_at_haso(function, first) == "200.00"


# --- one bill, one code ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("function", sorted(PAID_ONCE), indirect=True)
def test_the_same_payment_under_two_keys_is_made_once(function: Function, report: list[str]) -> None:
    first = new_order(function.operation)
    assert function.call(first.event).status == 200
    second = function.call(again(first, "second-key").event)
    assert (second.status, second.body["retry"], second.body["holder"]) == (409, "never", first.id)
    stranger = function.call(first.but(client="another-client").event)
    assert (stranger.status, "holder" in stranger.body) == (409, False)
    assert first.times_booked(function.environment.sandbox) == 1
    report += [f"{function.operation}: the same payment under two keys and two clients: 1 booking, the others told 409"]


@pytest.mark.parametrize("function", sorted(PAID_ONCE), indirect=True)
def test_a_payment_in_doubt_blocks_another_key(function: Function) -> None:
    first, control = new_order(function.operation), function.environment.sandbox
    control.rule(function.operation, then="reset", match=first.reference)
    assert function.call(first.event).status == 202
    held = function.call(again(first, "second-key").event)
    assert (held.status, held.body["retry"], held.body["holder"]) == (409, "same_key", first.id)
    function.sweep(clock=SWEEPS_AT[0])
    assert function.call(again(first, "second-key").event).body["retry"] == "never"
    assert first.times_booked(control) == 1


@pytest.mark.parametrize("function", sorted(PAID_ONCE), indirect=True)
def test_a_declined_payment_may_be_ordered_anew(function: Function) -> None:
    first, control = new_order(function.operation), function.environment.sandbox
    control.rule(function.operation, then="refuse", match=first.reference)
    assert function.call(first.event).status == 402
    assert function.call(again(first, "second-key").event).status == 200
    assert first.times_booked(control) == 1


# --- which payment a look-up may assign to this order -----------------------------------------------------------


@pytest.mark.parametrize("function", ["paynet.capture"], indirect=True)
@pytest.mark.parametrize(
    ("booked", "seconds_later", "final"),
    # Clocks differ. A capture made so shortly after another one may be the other one.
    [(True, 0, "unknown"), (True, 400, "succeeded"), (False, 0, "unknown"), (False, 400, "unknown")],
)
def test_an_earlier_capture_of_the_same_amount_is_not_taken_for_this_one(
    function: Function, booked: bool, seconds_later: int, final: str
) -> None:
    control, first = function.environment.sandbox, new_order("paynet.capture", "10.00")
    assert function.call(first.event).status == 200
    control.advance_clock(seconds_later)
    second = again(first, "second-part")
    control.rule("paynet.capture", then="reset", book=booked)
    assert function.call(second.event, clock=seconds_later).status == 202
    trial = Trial(function, second)
    trial.sweep_until_quiet()
    assert trial.final == final
    assert first.times_booked(control) == 1 + booked


@pytest.mark.parametrize("function", ["paynet.capture"], indirect=True)
def test_a_part_captured_before_is_not_taken_for_the_whole(function: Function) -> None:
    control, first = function.environment.sandbox, new_order("paynet.capture", "10.00")
    assert function.call(first.event).status == 200
    whole = first.but(key="whole", amount=None)
    control.rule("paynet.capture", then="reset", book=False)
    assert function.call(whole.event).status == 202
    trial = Trial(function, whole)
    trial.sweep_until_quiet()
    assert trial.final == "unknown"


# --- the sweep and the record ------------------------------------------------------------------------------------


@pytest.mark.parametrize("function", ["vakifbank.pay"], indirect=True)
def test_the_answer_to_a_not_executed_order_never_changes(function: Function) -> None:
    control, order = function.environment.sandbox, new_order("vakifbank.pay")
    control.rule("vakifbank.pay", then="reset", match=order.reference, book=False)
    assert function.call(order.event).status == 202
    trial = Trial(function, order)
    trial.sweep_until_quiet()
    for _ in range(2):
        answer = function.call(order.event)
        assert (answer.status, answer.body["money"], answer.replayed) == (402, "not_moved", True)
    reading = function.environment.process_pool.fork("operations.read", {"TABLE_NAME": function.table})
    event = {**order.event, "httpMethod": "GET", "pathParameters": {"operation_id": order.id}}
    assert reading.call(event).body["status"] == "not_executed"


@pytest.mark.parametrize("function", ["kolaybi.collect"], indirect=True)
def test_a_record_that_cannot_be_read_does_not_stop_the_sweep(function: Function) -> None:
    control, orders = function.environment.sandbox, [new_order("kolaybi.collect") for _ in range(9)]
    for order in orders:
        control.rule("kolaybi.collect", then="reset", match=order.reference)
        function.call(order.event)
    broken = orders[0]
    function.environment.aws("dynamodb").update_item(
        TableName=function.table,
        Key={"id": {"S": broken.id}},
        UpdateExpression="SET outcome = :broken",
        ExpressionAttributeValues={":broken": {"M": {}}},
    )
    assert function.sweep(clock=SWEEPS_AT[0]).value["final"] == 8
    assert function.unresolved() == [broken.id]
    function.environment.aws("dynamodb").update_item(
        TableName=function.table, Key={"id": {"S": broken.id}}, UpdateExpression="REMOVE outcome"
    )


@pytest.mark.parametrize("function", ["kolaybi.collect"], indirect=True)
def test_a_client_that_asks_often_does_not_delay_the_sweep(function: Function) -> None:
    control, order = function.environment.sandbox, new_order("kolaybi.collect")
    control.rule("kolaybi.collect", then="reset", match=order.reference, book=False)
    for clock in range(40, 60):
        assert function.call(order.event, clock=0 if clock == 40 else clock).status == 202
    record = function.record(order.id)
    assert record is not None
    assert record.next_look_up is not None
    assert record.next_look_up - record.updated_at <= 300
