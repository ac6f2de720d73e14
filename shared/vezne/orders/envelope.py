"""What the answer to every operation has, whatever its provider: amount, currency, the payment's name and its time.

Whoever reads a record need not know its operation: the record says itself where its provider's names stand.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from vezne.orders.record import Record, iso_time, money

# Where a value stands: in a field of the result, in a look-up field, or it is the operation's own id.
OF_RESULT, OF_ORDER, OWN_ID = "result.", "order.", "operation_id"


def envelope(record: Record) -> dict[str, Any]:
    """Amount, currency, the provider's reference, when it booked the order, and the caller's own fields.

    What is not known is left out.
    """
    result = (record.outcome or {}).get("result") or {}
    amount, currency = money(record.lookup_fields, result)
    found: dict[str, Any] = {
        "amount": amount,
        "currency": currency if amount else "",
        "provider_reference": value_at(
            record.places.get("provider_reference", ""), record.id, record.lookup_fields, result
        ),
        "booked_at": utc(value_at(record.places.get("booked_at", ""), record.id, record.lookup_fields, result)),
        "reference": record.reference,
        "metadata": record.metadata,
    }
    return {name: value for name, value in found.items() if value}


def value_at(place: str, record_id: str, lookup_fields: Mapping[str, Any], result: Mapping[str, Any]) -> str:
    """The value at a place of an order; empty if there is none."""
    if place == OWN_ID:
        return record_id
    fields = result if place.startswith(OF_RESULT) else lookup_fields
    return str(fields.get(place.partition(".")[2]) or "")


def utc(text: str) -> str:
    """A time as `iso_time` writes it; empty for a text that is no time, or has no offset: a time is never guessed."""
    try:
        stamp = datetime.fromisoformat(text)
    except ValueError:
        return ""
    return iso_time(stamp.timestamp()) if stamp.tzinfo else ""
