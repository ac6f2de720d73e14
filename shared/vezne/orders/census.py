"""How many outcomes of an operation are unknown, and since when: counted every five minutes, for alarms and people.

A sweep sees only what is due, so it cannot tell.
"""

from dataclasses import dataclass
from typing import Any

from vezne.operation import Operation
from vezne.orders.record import FRESH, LANES, SHARDS
from vezne.orders.store import Store
from vezne.platform.telemetry import MetricUnit, emit_by_provider, emit_metric, logger

SECONDS_BETWEEN = 300
DAY_SECONDS = 86_400
# When this process took the last one of an operation, in seconds since 1970.
_last: dict[str, float] = {}


@dataclass(frozen=True, slots=True)
class Census:
    """What is unknown of an operation.

    `unresolved`: records of both lanes. `fresh`: of the fresh lane. `unprovable`: older than a day where no look-up can
    prove that an order was not executed, so only a person can decide. `overdue_seconds`: how long the look-up that is
    due longest has been due. `oldest_fresh_seconds`: the age of the oldest in the fresh lane. Of each shard, only the
    hundred that are due first are seen.
    """

    unresolved: int
    fresh: int
    unprovable: int
    overdue_seconds: int
    oldest_fresh_seconds: int


def is_due(operation: str, now: float) -> bool:
    """Whether it is time for a census. An instance of the function that is new takes one at once."""
    return abs(now - _last.get(operation, 0.0)) >= SECONDS_BETWEEN


def forget() -> None:
    """As a new process."""
    _last.clear()


def take_census(operation: Operation[Any, Any, Any], store: Store) -> Census:
    """Count, and emit the metrics. Raises StoreUnavailableError."""
    now = store.now()
    counted = _count(operation, store, now)
    _last[operation.name] = now
    logger.info("census", operation=operation.name, unresolved=counted.unresolved, unprovable=counted.unprovable)
    emit_metric("UnresolvedFresh", operation.name, counted.fresh)
    emit_metric("Unprovable", operation.name, counted.unprovable)
    # The highest of its operations is what the provider's alarm looks at.
    emit_by_provider("Unresolved", operation.name, counted.unresolved)
    emit_by_provider("OverdueSeconds", operation.name, counted.overdue_seconds, MetricUnit.Seconds)
    emit_by_provider("OldestUnknownAge", operation.name, counted.oldest_fresh_seconds, MetricUnit.Seconds)
    return counted


def _count(operation: Operation[Any, Any, Any], store: Store, now: float) -> Census:
    counts = dict.fromkeys(LANES, 0)
    first_due, oldest_fresh, over_a_day = now, now, 0
    for lane in LANES:
        for shard in range(SHARDS):
            found, older = store.count(operation.name, lane, shard, now - DAY_SECONDS)
            counts[lane] += found
            over_a_day += older
            first = store.first_due(operation.name, lane, shard) if found else []
            first_due = min([first_due, *(item.next_look_up for item in first[:1])])
            if lane == FRESH:
                oldest_fresh = min([oldest_fresh, *(item.created_at for item in first)])
    return Census(
        unresolved=sum(counts.values()),
        fresh=counts[FRESH],
        unprovable=0 if operation.look_up_is_complete else over_a_day,
        overdue_seconds=int(now - first_due),
        oldest_fresh_seconds=int(now - oldest_fresh),
    )
