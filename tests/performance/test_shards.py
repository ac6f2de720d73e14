"""Orders are spread evenly over the shards of the unresolved index, so no partition is hot."""

from collections import Counter

import pytest
from vezne.orders.record import PROCESSING, SHARDS, Record, operation_id, to_item
from vezne_cli.catalogue import ORDERS

ORDERS_EACH = 40_000


@pytest.mark.parametrize("operation", ORDERS)
@pytest.mark.parametrize("keys", ["{}", "order-{:08d}", "standing-order\n2026-12-01T{}:00Z"])
def test_the_shards_hold_the_same_number_of_orders(operation: str, keys: str) -> None:
    """With any form of keys. By chance alone, a shard's share of so many orders varies by about 1.3%."""
    held: Counter[str] = Counter()
    for number in range(ORDERS_EACH):
        name = operation_id("client", operation, keys.format(number))
        held[to_item(unresolved(name, operation))["unresolved"]["S"]] += 1
    assert set(held) == {f"{operation}#{shard}" for shard in range(SHARDS)}
    share = ORDERS_EACH / SHARDS
    assert all(abs(count - share) < 0.06 * share for count in held.values()), held


def unresolved(name: str, operation: str) -> Record:
    return Record(
        id=name, operation=operation, principal="client", fingerprint="", status=PROCESSING, owner="", lease_until=0.0,
        may_arrive_until=0.0, created_at=0.0, updated_at=0.0, lookup_fields={}, next_look_up=0.0,
    )  # fmt: skip
