"""Writing down what is known of an order, and answering with no more than that."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

from vezne import problems
from vezne.idempotency import CLOCK_MARGIN_SECONDS, LostOwnershipError, Store, StoreUnavailableError
from vezne.masking import mask_text
from vezne.operation import Report
from vezne.outcome import CredentialsRefused, Declined, NotSent, Outcome, Succeeded, Unknown
from vezne.provider import Deadline
from vezne.record import DECLINED, PROCESSING, SUCCEEDED, UNKNOWN, Record
from vezne.telemetry import count, logger

# When to look up an unknown outcome again: the first of these waits that is longer than the order has been unknown;
# then daily, for as long as it takes. Counted in time, not in look-ups: a client that asks often delays nothing.
BACK_OFF = tuple(timedelta(**step).total_seconds() for step in (
    {"minutes": 1}, {"minutes": 5}, {"minutes": 15}, {"hours": 1}, {"hours": 6}, {"days": 1},
))  # fmt: skip
_SETTLE_TRIES = 3


def settle(record: Record, outcome: Outcome, store: Store) -> Report:
    """Write what is known. Raises problems.Problem only when the order was certainly not looked at by the provider."""
    try:
        match outcome:
            case Succeeded(result):
                content: dict[str, Any] = {"result": result}
                return Report(
                    write(lambda: store.settle(record, SUCCEEDED, content), record, SUCCEEDED, content), False
                )
            case Declined(code, text):
                content = {"code": mask_text(code), "text": mask_text(text)}
                return Report(write(lambda: store.settle(record, DECLINED, content), record, DECLINED, content), False)
            case NotSent(reason):
                write(lambda: store.release(record), record, UNKNOWN)
                logger.warning("not sent", operation_id=record.id, reason=mask_text(reason))
                raise problems.ProviderUnreachable("The provider could not be reached.", retry_after=5)
            case CredentialsRefused(reason):
                write(lambda: store.release(record), record, UNKNOWN)
                count("CredentialsRejected", record.operation)
                logger.error("credentials refused", operation_id=record.id, reason=mask_text(reason))
                raise problems.ProviderRejectedCredentials("The provider refused our login.")
            case Unknown(reason):
                unknown_for = store.now() - record.in_flight_until
                next_look_up = store.now() + next((wait for wait in BACK_OFF if wait > unknown_for), BACK_OFF[-1])
                kept = write(lambda: store.keep_unknown(record, next_look_up), record, UNKNOWN)
                logger.warning("outcome unknown", operation_id=record.id, reason=mask_text(reason))
                return Report(kept, False)
    except LostOwnershipError:
        return stored(record, store)


def write(
    writing: Callable[[], Record | None], record: Record, status: str, outcome: dict[str, Any] | None = None
) -> Record:
    """Make a settling write, again if the table does not answer.

    If it never does, what is known is still true: it is returned, and the record stays unresolved until a look-up.
    """
    for attempt in range(_SETTLE_TRIES):
        try:
            return writing() or record
        except StoreUnavailableError as error:
            logger.error("not settled", operation_id=record.id, status=status, reason=str(error))
            count("SettleFailed", record.operation)
            if attempt == _SETTLE_TRIES - 1:
                break
    return replace(record, status=status, outcome=outcome)


def still_running(record: Record, store: Store) -> Report:
    """Answer for a record somebody else is at. Raises problems.InProgress while it is processing."""
    if record.status == PROCESSING:
        wait = max(1, round(record.lease_until - store.now()))
        raise problems.InProgress("The same order is still running.", retry_after=min(wait, 5))
    return Report(record, replayed=True)


def stored(record: Record, store: Store) -> Report:
    """What the table says now, after somebody else changed the record."""
    try:
        current = store.find(record.id) or record
    except StoreUnavailableError:
        current = record
    if not current.settled and lease_is_alive(current, store):
        return still_running(current, store)
    return Report(current, replayed=True)


def lease(deadline: Deadline, store: Store) -> float:
    """Until when this invocation may still be running."""
    return store.now() + deadline.left()


def lease_is_alive(record: Record, store: Store) -> bool:
    """Whether the owner of a record may still be running, on any clock."""
    return record.lease_until > 0 and record.lease_until + CLOCK_MARGIN_SECONDS > store.now()
