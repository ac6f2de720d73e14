"""VakıfBank executes a payment on its date, or on the next business day.

Its list shows the payment only after that.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime, timedelta

import pytest
from vezne_sandbox.ledger import ISTANBUL

from tests.faults.in_process import Bench, in_process
from tests.faults.orders import Order, new_order
from tests.faults.reconciled import reconciled

DAY = 24 * 3600
LONGEST_CLOSURE = timedelta(days=10)
SATURDAY = 5


def opens_after(holiday: date) -> date:
    """The first business day after the last holiday."""
    day = holiday + timedelta(days=1)
    while day.weekday() >= SATURDAY:
        day += timedelta(days=1)
    return day


@contextmanager
def bank(days_ahead: int, closed: int = 0) -> Iterator[tuple[Bench, Order]]:
    """A bank with so many holidays from the payment's date on, and an order with that later date.

    With the weekend after them, the bank is closed for at most ten days, on every day of the week.
    """
    bench = Bench("vakifbank.pay")
    today = datetime.fromtimestamp(bench.now, ISTANBUL).date()
    first = today + timedelta(days=days_ahead)
    holidays = [first + timedelta(days=day) for day in range(closed)]
    while holidays and opens_after(holidays[-1]) > first + LONGEST_CLOSURE:
        del holidays[-1]
    seed = {"executes_on_payment_date": True, "holidays": [day.isoformat() for day in holidays]}
    bench.sandbox.providers["vakifbank"].seed(seed)
    order = new_order("vakifbank.pay")
    with in_process(lambda: bench):
        yield bench, order.but(payment_date=first.isoformat())


@pytest.mark.parametrize("days_ahead", [0, 1, 27])
@pytest.mark.parametrize("closed", [0, 5, 9])
@pytest.mark.parametrize("answer", ["reset", "hang", "status_500"])
def test_a_payment_dated_ahead_never_becomes_not_executed(days_ahead: int, closed: int, answer: str) -> None:
    with bank(days_ahead, closed) as (bench, order):
        bench.rule(operation="vakifbank.pay", then=answer)
        bench.call(order.event)
        for _ in range(days_ahead + 14):
            bench.pass_time(DAY)
            bench.sweep()
            record = bench.store().find(order.id)
            assert record is not None
            assert record.status == "unknown" or (record.status == "succeeded" and bench.sandbox.ledger.bookings)
        assert (record.status, len(bench.sandbox.ledger.bookings)) == ("succeeded", 1)
        # A bank that is closed for long pays after the last night that compares the payment's day.
        if not closed:
            reconciled(bench, [order])


@pytest.mark.parametrize("days_ahead", [0, 27])
def test_a_payment_that_never_arrived_is_not_executed_after_its_date_and_the_longest_closure(days_ahead: int) -> None:
    with bank(days_ahead) as (bench, order):
        bench.rule(operation="vakifbank.pay", then="reset", book=False)
        bench.call(order.event)
        days = 0
        while (record := bench.store().find(order.id)) is None or not record.final:
            days += 1
            assert days < days_ahead + 15
            bench.pass_time(DAY)
            bench.sweep()
        assert (record.status, bench.sandbox.ledger.bookings) == ("not_executed", [])
        assert days >= days_ahead + 10
        reconciled(bench, [order])
