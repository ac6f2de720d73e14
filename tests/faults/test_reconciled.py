"""The reconciliation at the end of a drill fails if the drill has lost, doubled or misjudged an order."""

from collections.abc import Callable

import pytest
from vezne_cli.catalogue import RECONCILERS

from tests.faults.environment import OPERATIONS
from tests.faults.in_process import Bench, in_process
from tests.faults.orders import Order, new_order
from tests.faults.reconciled import BY_LIST, HAPPENED, LEFT, UNKNOWN, reconciled
from tests.faults.test_chaos import QUIET_STEPS

# Those that the provider's list shows. What became of the others, only a look-up or people can tell.
LISTED = [name for name in OPERATIONS if name in RECONCILERS[name.partition(".")[0]].statement.operations]


def ended(operation: str, spoil: Callable[[Bench, Order], None], **rule: object) -> dict[str, int]:
    """Send two orders, one of them with a fault, let time pass, change something, and reconcile."""
    bench, orders = Bench(operation), [new_order(operation), new_order(operation)]
    with in_process(lambda: bench):
        if rule:
            bench.rule(operation=operation, match=orders[0].reference, **rule)
        for order in orders:
            bench.call(order.event)
        spoil(bench, orders[0])
        bench.pass_time(sum(QUIET_STEPS))
        return +reconciled(bench, orders)


def nothing(_bench: Bench, _order: Order) -> None:
    """All stays as it is."""


def lose_the_record(bench: Bench, order: Order) -> None:
    del bench.table.items[order.id]


@pytest.mark.parametrize("operation", OPERATIONS)
def test_sound_orders_are_clean(operation: str) -> None:
    assert ended(operation, nothing) == {}


@pytest.mark.parametrize("operation", LISTED)
def test_an_order_that_is_unknown_and_booked_is_ended(operation: str) -> None:
    assert ended(operation, nothing, then="reset") == {UNKNOWN: 1, HAPPENED: 1, BY_LIST: 1}


@pytest.mark.parametrize("operation", OPERATIONS)
def test_an_order_that_is_unknown_and_not_booked_is_left(operation: str) -> None:
    assert ended(operation, nothing, then="reset", book=False) == {UNKNOWN: 1, LEFT: 1}


@pytest.mark.parametrize("operation", LISTED)
def test_an_outcome_that_is_wrong_is_seen(operation: str) -> None:
    with pytest.raises(AssertionError):
        ended(operation, nothing, then="refuse", book=True)
    with pytest.raises(AssertionError):
        ended(operation, nothing, book=False)


# A total of which there is no record is not asked for.
@pytest.mark.parametrize("operation", [name for name in LISTED if name != "haso.set_expenses"])
def test_a_record_that_is_lost_is_seen(operation: str) -> None:
    with pytest.raises(AssertionError):
        ended(operation, lose_the_record)
