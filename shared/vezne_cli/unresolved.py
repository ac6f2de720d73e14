"""The unresolved orders of a stack, which several tools have to know."""

from collections.abc import Iterable, Iterator

from vezne.orders.record import Record, Unresolved
from vezne.orders.store import Store

from .catalogue import ORDERS


def unresolved(store: Store, operations: Iterable[str] = ORDERS) -> Iterator[tuple[Unresolved, Record]]:
    """Every order of these operations whose outcome is not certain, the oldest first. Raises StoreUnavailableError."""
    items = [item for operation in operations for item in store.unresolved(operation)]
    for item in sorted(items, key=lambda each: each.created_at):
        record = store.find(item.id)
        # The index may be behind the table.
        if record is not None and not record.final:
            yield item, record
