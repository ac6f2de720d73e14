"""What lists an order under its client: ids, times and statuses, and a hash of the client's reference.

Nothing of it is personal.
"""

import hashlib
from dataclasses import dataclass
from typing import Any

from vezne.orders.record import Record, iso_time, serialize, shard_of

OWN_INDEX = "own-index"
# Before and after every time that is written as `iso_time` writes it.
FIRST, LAST = "0", "~"


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which orders of a client. `since` and `until`: when they were made, as `iso_time` writes it, `until` excluded."""

    principal: str
    status: str | None = None
    operation: str | None = None
    reference: str | None = None
    since: str | None = None
    until: str | None = None

    def fits(self, record: Record) -> bool:
        """Whether a record, as it stands now, is one of them."""
        made = iso_time(record.created_at)
        return (
            record.principal == self.principal
            and self.status in (None, record.status)
            and self.operation in (None, record.operation)
            and self.reference in (None, record.reference)
            and (self.since or FIRST) <= made < (self.until or LAST)
        )


def listing(record: Record) -> dict[str, Any]:
    """What puts a record into its client's index, in DynamoDB's notation. The claim alone writes it."""
    shard = shard_of_client(record.id, record.principal, record.reference)
    values = {
        "own": partition_of_client(record.principal, shard),
        "own_at": f"{iso_time(record.created_at)}#{record.id}",
    }
    if record.reference is not None:
        values["own_reference"] = hashed(record.principal, record.reference)
    return {name: serialize(value) for name, value in values.items()}


def shard_of_client(record_id: str, principal: str, reference: str | None) -> int:
    """Orders of one reference are in one part, so that one part is searched for them."""
    return shard_of(record_id if reference is None else hashed(principal, reference))


def partition_of_client(principal: str, shard: int) -> str:
    """A part of the index of clients: of one client and one shard."""
    return f"{principal}#{shard}"


def hashed(principal: str, reference: str) -> str:
    """A client's reference as the index has it."""
    return hashlib.sha256(f"{principal}\n{reference}".encode()).hexdigest()[:32]
