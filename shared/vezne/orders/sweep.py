"""The scheduled sweep over the unknown outcomes of an operation, and the look-up of one that an operator asks for.

Several workers sweep at once, each its own shards. A worker looks up what is due in two lanes: three fresh records,
newest first, then the oldest of the old ones. So a new order never waits for a backlog. Orders that nothing can prove
never keep others from being looked up.
"""

import heapq
import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from operator import attrgetter
from typing import Any, Generic, TypeVar

from vezne.operation import Operation
from vezne.orders.breaker import breaker_of
from vezne.orders.finalise import emit_new_unknown, lease, lease_is_alive
from vezne.orders.look_up import look_up_and_record
from vezne.orders.outcome import Inconclusive
from vezne.orders.record import FRESH, OLD, SHARDS, Unresolved
from vezne.orders.store import LostOwnershipError, Store, StoreUnavailableError, new_owner
from vezne.platform.telemetry import emit_metric, logger, stack_locations
from vezne.providers.credentials import SecretModel
from vezne.providers.http import Deadline
from vezne.providers.models import RequestModel

R = TypeVar("R", bound=RequestModel)
C = TypeVar("C", bound=SecretModel)
# A table that does not answer so many times is down. A provider whose look-ups fail so many times is sick. The next
# sweep continues.
MOST_ERRORS_IN_A_ROW = 3
MOST_FAILED_IN_A_ROW = 3
# What the table may take before a look-up's call. One begun too late would come to nothing, and the record's next be
# hours away.
SECONDS_BEFORE_THE_CALL = 1.0
# Of so many look-ups one is of the old lane, while both lanes have records that are due.
OLD_LANE_TURN = 4


class SweepStoppedError(Exception):
    """The table did not answer several times in a row, so not every due record was seen. `report`: what was."""

    def __init__(self, report: dict[str, int]) -> None:
        super().__init__("sweep stopped")
        self.report = report


@dataclass(frozen=True, slots=True)
class Worker:
    """One of several sweeps of an operation that run at once: the worker of this number among so many."""

    number: int = 0
    of: int = 1

    @property
    def shards(self) -> range:
        """The shards that are this worker's alone. A worker too many has none."""
        return range(self.number, SHARDS, self.of) if self.number < self.of else range(0)


def worker_of(event: dict[str, Any]) -> Worker:
    """Which worker an event means. Rules of an earlier version name none: then it is the only one."""
    named = event.get("sweep", {})
    return Worker(int(named.get("worker", 0)), int(named.get("of", 1)))


def sweep(
    operation: Operation[R, Any, C], deadline: Deadline, store: Store, worker: Worker = Worker()
) -> dict[str, int]:
    """Look up the worker's unresolved records that are due, while time is left and the provider answers.

    Returns how many were looked up, are `final` now, and are still unknown. Raises SweepStoppedError; one record or
    shard that cannot be read is only passed over.
    """
    return _Sweep(operation, deadline, store).run(worker)


class _Sweep(Generic[R, C]):
    """One sweep of one worker, and what it has met so far."""

    def __init__(self, operation: Operation[R, Any, C], deadline: Deadline, store: Store) -> None:
        self._operation, self._deadline, self._store = operation, deadline, store
        self._looked_up = self._final = 0
        # In a row.
        self._unread_shards = self._unread_records = self._failed = 0

    def run(self, worker: Worker) -> dict[str, int]:
        items = _in_turn(self._due(FRESH, worker.shards), self._due(OLD, worker.shards))
        breaker = breaker_of(self._operation.name, self._operation.client)
        # While it is open, a probe is all that is sent to the provider.
        answers = breaker.may_look_up(self._deadline, self._store)
        while answers and self._goes_on() and (item := next(items, None)) is not None:
            self._look_up(item)
        report = {
            "looked_up": self._looked_up,
            "final": self._final,
            "still_unknown": self._looked_up - self._final,
        }
        if MOST_ERRORS_IN_A_ROW in (self._unread_shards, self._unread_records):
            raise SweepStoppedError(report)
        return report

    def _goes_on(self) -> bool:
        in_order = self._unread_records < MOST_ERRORS_IN_A_ROW and self._failed < MOST_FAILED_IN_A_ROW
        return in_order and self._deadline.allows_a_call(after=SECONDS_BEFORE_THE_CALL)

    def _due(self, lane: str, shards: range) -> Iterator[Unresolved]:
        newest_first = lane == FRESH
        each = [self._due_of_a_shard(lane, shard, newest_first=newest_first) for shard in shards]
        return heapq.merge(*each, key=attrgetter("next_look_up"), reverse=newest_first)

    def _due_of_a_shard(self, lane: str, shard: int, *, newest_first: bool) -> Iterator[Unresolved]:
        """The due records of one shard, as far as it can be read; none once too many shards could not be."""
        if self._unread_shards == MOST_ERRORS_IN_A_ROW:
            return
        try:
            yield from self._store.due(self._operation.name, lane, shard, newest_first=newest_first)
            self._unread_shards = 0
        except StoreUnavailableError as error:
            self._unread_shards += 1
            _skip(self._operation.name, f"shard {lane}{shard}", error)

    def _look_up(self, item: Unresolved) -> None:
        self._looked_up += 1
        try:
            final, failed = _sweep_one(self._operation, item.id, self._deadline, self._store)
        except StoreUnavailableError as error:
            self._unread_records += 1
            _skip(self._operation.name, item.id, error)
            return
        self._unread_records = 0
        self._final += final
        if failed is not None:
            self._failed = self._failed + 1 if failed else 0


def _in_turn(fresh: Iterator[Unresolved], old: Iterator[Unresolved]) -> Iterator[Unresolved]:
    """The fresh records, and at every fourth place an old one; when a lane has no more, the other's."""
    for place in itertools.count(1):
        first, second = (old, fresh) if place % OLD_LANE_TURN == 0 else (fresh, old)
        item = next(first, None) or next(second, None)
        if item is None:
            return
        yield item


def look_up_now(operation: Operation[R, Any, C], record_id: str, deadline: Deadline, store: Store) -> dict[str, Any]:
    """Look one record up, due or not, for an operator who is about to decide about it.

    The result is the record's latest evidence. Returns `final`, whether its outcome is certain now, and
    `absence_counts_from`, in seconds since 1970. From then on, a look-up without the order may prove that it was not
    executed.
    """
    final, _ = _sweep_one(operation, record_id, deadline, store)
    record = store.find(record_id)
    return {
        "final": final,
        "absence_counts_from": None if record is None else operation.absence_counts_from(record),
    }


def _skip(operation: str, what: str, error: StoreUnavailableError) -> None:
    """One record or shard that cannot be read now must not keep the others from being looked up."""
    logger.error("not swept", operation=operation, operation_id=what, reason=str(error))
    emit_metric("SweepErrors", operation)


def _sweep_one(
    operation: Operation[R, Any, C], record_id: str, deadline: Deadline, store: Store
) -> tuple[bool, bool | None]:
    """Whether the record is final now, and whether its look-up failed; None if none was made."""
    try:
        record = store.find(record_id)
        if record is None or record.final:
            return True, None
        if lease_is_alive(record, store):
            return False, None
        taken = store.acquire_lease(record, new_owner(), lease(deadline, store))
        emit_new_unknown(record)
        concluded, finding = look_up_and_record(operation, taken, deadline, store)
        return concluded.final and concluded.written, isinstance(finding, Inconclusive) and finding.failed
    except LostOwnershipError:
        return False, None
    except StoreUnavailableError:
        raise
    except Exception as error:
        # One record that cannot be dealt with must not keep the others from being looked up.
        logger.error(
            "record not swept",
            operation_id=record_id,
            exception_name=type(error).__name__,
            frames=stack_locations(error),
        )
        return False, None
