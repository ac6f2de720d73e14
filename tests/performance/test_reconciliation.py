"""A day of many orders is reconciled in bounded memory and with a bounded number of calls."""

from vezne.orders.record import SHARDS
from vezne.orders.report import COMPLETE
from vezne.providers.paynet.client import PAGE

from tests.performance.reconciliation import UNKNOWN_EVERY, measure

# An order of Paynet's takes about 1,300 bytes while a day is compared; half of it is its four names and their places in
# the index. A page of either side is in memory beside them.
BYTES_OF_AN_ORDER, BYTES_BESIDE = 1_500, 12_000_000


def test_memory_grows_by_what_an_order_is_known_by() -> None:
    few, many = (measure(orders, memory=True, items=100) for orders in (1_000, 3_000))
    assert many.report.counts["matched"] == 3_000 - 3
    assert (many.peak - few.peak) / 2_000 < BYTES_OF_AN_ORDER
    assert many.peak - 3_000 * BYTES_OF_AN_ORDER < BYTES_BESIDE


def test_calls_are_those_of_the_pages() -> None:
    orders, items = 10_000, 100
    measured = measure(orders, memory=False, items=items)
    assert measured.report.status == COMPLETE
    pages, unknown = orders // PAGE, orders // UNKNOWN_EVERY
    calls = measured.calls
    # Paynet has two operations: one of them has no orders, and is asked for once in each shard.
    # Each day around it is asked for once at most.
    assert calls["query day-index"] <= orders / items + SHARDS + 2 * SHARDS * 3
    # One part for each page, one for the end, and the file.
    assert calls["put"] == pages + 2
    # One checkpoint for each page; the run begins, is held before the file is written, and ends.
    assert calls["write of the report"] == pages + 3
    # Each unknown order is leased and made final.
    assert calls["write of a record"] == 2 * unknown
