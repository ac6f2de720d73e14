"""A client's orders page by page, newest first.

The index is a moment behind the table, so each record is read itself, and compared with what was asked for once more.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from vezne.orders.own import FIRST, LAST, OWN_INDEX, Wanted, hashed, partition_of_client, shard_of_client
from vezne.orders.record import SHARDS, Record, plain
from vezne.orders.store import Store

# Entries that a query looks at, if not each of them is wanted, and how often a request asks each part of the index.
# Who looks for few orders among very many gets pages that are not full.
_FILTERED_PAGE, MOST_ROUNDS = 500, 10


def page(wanted: Wanted, after: str, limit: int, store: Store) -> tuple[list[Record], str]:
    """So many orders at most, from `after` on, which an earlier page gave or is empty. Where the next page begins.

    It is empty at the end. A page may have fewer orders, or none, and not be the last.
    """
    shards = range(SHARDS) if wanted.reference is None else [shard_of_client("", wanted.principal, wanted.reference)]
    parts = [_Part(_queries(wanted, shard, after, limit, store)) for shard in shards]
    for _ in range(MOST_ROUNDS):
        for part in parts:
            part.read_on()
        # Above it every part has been read.
        floor = max(part.floor for part in parts)
        seen = sorted({entry for part in parts for entry in part.seen if floor <= entry[0] != after}, reverse=True)
        if len(seen) >= limit or not floor:
            break
    taken = seen[:limit]
    following = taken[-1][0] if len(seen) > limit else floor
    records = filter(None, (store.find(record_id) for _, record_id in taken))
    return [record for record in records if wanted.fits(record)], following


@dataclass(slots=True)
class _Part:
    """How far a part of the index has been read. `floor`: the last place that was looked at; empty: it was the end."""

    queries: Iterator[dict[str, Any]]
    floor: str = LAST
    seen: list[tuple[str, str]] = field(default_factory=list)

    def read_on(self) -> None:
        if not self.floor:
            return
        answer = next(self.queries)
        self.seen += [(entry["own_at"], entry["id"]) for entry in map(plain, answer["Items"])]
        last = answer.get("LastEvaluatedKey")
        self.floor = last["own_at"]["S"] if last else ""


def _queries(wanted: Wanted, shard: int, after: str, limit: int, store: Store) -> Iterator[dict[str, Any]]:
    """The pages of one part of the index, newest first. `after` itself is among them."""
    until = wanted.until or LAST
    values: dict[str, Any] = {
        ":partition": partition_of_client(wanted.principal, shard),
        ":since": wanted.since or FIRST,
        ":until": min(until, after) if after else until,
    }
    filters = {"status": wanted.status, "operation": wanted.operation,
               "own_reference": wanted.reference and hashed(wanted.principal, wanted.reference)}  # fmt: skip
    given = {name: value for name, value in filters.items() if value is not None}
    how: dict[str, Any] = {"ScanIndexForward": False, "Limit": _FILTERED_PAGE if given else limit + 1}
    if given:
        how["FilterExpression"] = " AND ".join(f"#{name} = :{name}" for name in given)
        how["ExpressionAttributeNames"] = {f"#{name}": name for name in given}
        values |= {f":{name}": value for name, value in given.items()}
    return store.pages(OWN_INDEX, "own", values, " AND own_at BETWEEN :since AND :until", **how)
