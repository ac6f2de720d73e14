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


def amount_of(record: Record) -> str:
    """The amount of an order with its currency, for people; `whole` if the order names none."""
    fields = record.lookup_fields
    return f"{fields.get('amount', 'whole')} {fields.get('currency', '')}".strip()
