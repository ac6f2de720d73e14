"""The providers' breakers as an operator sees them, and the operator's own word about one."""

from collections.abc import Iterator

from vezne.orders.breaker_item import OPEN, BreakerItem, breaker_id, decide, from_item
from vezne.orders.record import iso_time
from vezne.orders.store import Store
from vezne.providers.credentials import SECRET_SECONDS


def show(store: Store, provider: str) -> Iterator[str]:
    """How a breaker stands, line by line."""
    yield from _shown(provider, from_item(store.item(breaker_id(provider))))


def set_by_hand(store: Store, provider: str, state: str, who: str, reason: str) -> Iterator[str]:
    """Open or close a breaker, whatever stands there; who did it and why stays with it."""
    changed = store.update_item(decide(provider, store.now(), state, who, reason))
    yield from _shown(provider, from_item(changed))
    yield f"  Instances that see nothing bad read this within {SECRET_SECONDS} s, new ones at once."
    if state == OPEN:
        yield "  Orders are answered 503 provider-down and nothing is sent, until you close it. Sweeps wait, too."


def _shown(provider: str, known: BreakerItem) -> Iterator[str]:
    since = f" since {iso_time(known.since)}" if known.since else ""
    yield f"{provider}  {known.state}{since}"
    if known.by:
        yield f"  by {known.by}: {known.reason}"
    elif known.state == OPEN:
        yield f"  next probe: {iso_time(known.until)}"
