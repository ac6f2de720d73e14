"""The scheduled sweep over the unknown outcomes of an operation, and the look-up of one that an operator asks for."""

from typing import Any, TypeVar

from vezne.operation import Operation
from vezne.orders.finalise import emit_new_unknown, lease, lease_is_alive
from vezne.orders.look_up import look_up_and_record
from vezne.orders.record import SHARDS, Unresolved
from vezne.orders.store import LostOwnershipError, Store, StoreUnavailableError, new_owner
from vezne.platform.telemetry import emit_metric, logger, stack_locations
from vezne.providers.credentials import SecretModel
from vezne.providers.http import Deadline
from vezne.providers.models import RequestModel

R = TypeVar("R", bound=RequestModel)
C = TypeVar("C", bound=SecretModel)
# A table that does not answer so many times is down: the next sweep goes on.
MOST_ERRORS_IN_A_ROW = 3


class SweepStoppedError(Exception):
    """The table did not answer several times in a row, so not every unresolved record was seen. `report`: what was."""

    def __init__(self, report: dict[str, int]) -> None:
        super().__init__("sweep stopped")
        self.report = report


def sweep(operation: Operation[R, Any, C], deadline: Deadline, store: Store) -> dict[str, int]:
    """Look up every unresolved record of the operation that is due, while time is left.

    Returns how many were looked up, are final now (`settled`) and are still unknown, and the age of the oldest in
    seconds. Raises SweepStoppedError; one record or shard that cannot be read is only passed over.
    """
    looked_up = final = still_unknown = oldest = errors_in_a_row = 0
    # Those due first come first, so that a slow provider starves none of them.
    items, whole = _listed(operation.name, store)
    for item in sorted(items, key=lambda item: item.next_look_up):
        now = store.now()
        ended = False
        if item.next_look_up <= now and deadline.allows_a_call() and errors_in_a_row < MOST_ERRORS_IN_A_ROW:
            looked_up += 1
            try:
                ended = _sweep_one(operation, item.id, deadline, store)
                errors_in_a_row = 0
            except StoreUnavailableError as error:
                errors_in_a_row += 1
                _skip(operation.name, item.id, error)
            final += ended
        if not ended:
            still_unknown += 1
            oldest = max(oldest, int(now - item.created_at))
    report = {
        "looked_up": looked_up,
        "settled": final,
        "still_unknown": still_unknown,
        "oldest_unknown_seconds": oldest,
    }
    if not whole or errors_in_a_row == MOST_ERRORS_IN_A_ROW:
        raise SweepStoppedError(report)
    return report


def look_up_now(operation: Operation[R, Any, C], record_id: str, deadline: Deadline, store: Store) -> dict[str, Any]:
    """Look one record up, due or not, for an operator who is about to decide about it.

    What came of it is the record's latest evidence. Returns whether its outcome is certain now, and from when on
    (seconds since 1970) a look-up without the order may prove that it was not executed.
    """
    final = _sweep_one(operation, record_id, deadline, store)
    record = store.find(record_id)
    return {
        "settled": final,
        "absence_counts_from": None if record is None else operation.absence_counts_from(record),
    }


def _listed(operation: str, store: Store) -> tuple[list[Unresolved], bool]:
    """The unresolved records of every shard that can be read; False if several in a row could not."""
    items: list[Unresolved] = []
    errors_in_a_row = 0
    for shard in range(SHARDS):
        try:
            items += store.unresolved(operation, (shard,))
            errors_in_a_row = 0
        except StoreUnavailableError as error:
            errors_in_a_row += 1
            _skip(operation, f"shard {shard}", error)
            if errors_in_a_row == MOST_ERRORS_IN_A_ROW:
                return items, False
    return items, True


def _skip(operation: str, what: str, error: StoreUnavailableError) -> None:
    """One record or shard that cannot be read now must not keep the others from being looked up."""
    logger.error("not swept", operation=operation, operation_id=what, reason=str(error))
    emit_metric("SweepErrors", operation)


def _sweep_one(operation: Operation[R, Any, C], record_id: str, deadline: Deadline, store: Store) -> bool:
    """Whether the record is final now."""
    try:
        record = store.find(record_id)
        if record is None or record.final:
            return True
        if lease_is_alive(record, store):
            return False
        taken = store.acquire_lease(record, new_owner(), lease(deadline, store))
        emit_new_unknown(record)
        concluded, _ = look_up_and_record(operation, taken, deadline, store)
        return concluded.final and concluded.written
    except LostOwnershipError:
        return False
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
        return False
