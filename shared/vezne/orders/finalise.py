"""Writing down what is known of an order, and answering with no more than that."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

from vezne.operation import InProgress, Known, NothingSent, StillUnknown, StoppedError, WhyNothingSent, known
from vezne.orders.outcome import CredentialsRefused, Declined, NotSent, Outcome, Succeeded, Unknown
from vezne.orders.record import (
    DECLINED,
    PROCESSING,
    STANDING_ORDER_CLIENT,
    SUCCEEDED,
    UNKNOWN,
    Record,
    iso_time,
    money,
    trimmed,
)
from vezne.orders.store import CLOCK_MARGIN_SECONDS, LostOwnershipError, Store, StoreUnavailableError, WriteRefusedError
from vezne.platform.masking import mask_text
from vezne.platform.money import minor_units
from vezne.platform.telemetry import (
    emit_amount,
    emit_by_provider,
    emit_credentials_rejected,
    emit_fault,
    emit_metric,
    logger,
)
from vezne.providers.http import Deadline

# When to look up an unknown outcome again: after the first of these waits that is longer than it has been unknown.
# After that daily, without end. Time counts and not the number of look-ups, so a client that asks often delays nothing.
BACK_OFF = tuple(timedelta(**step).total_seconds() for step in (
    {"minutes": 1}, {"minutes": 5}, {"minutes": 15}, {"hours": 1}, {"hours": 6}, {"days": 1},
))  # fmt: skip
# Of a result: characters of a text, items of a list, bytes of all of it as JSON.
LONGEST_OUTCOME_TEXT, LONGEST_OUTCOME_LIST, LONGEST_OUTCOME = 2_000, 200, 100_000
_WRITE_TRIES = 3


def with_own_reason(record: Record, outcome: Outcome, asked: str, now: float) -> Record:
    """The record with the reason why the order's own call left its outcome unknown, as the first of its evidence."""
    if not isinstance(outcome, Unknown):
        return record
    entry = {"at": iso_time(now), "asked": asked, "finding": "unknown", "reason": mask_text(outcome.reason)}
    return replace(record, evidence=trimmed((*record.evidence, entry)))


def finalise(record: Record, outcome: Outcome, store: Store) -> Known:
    """Write what is known. Raises StoppedError only when the order was certainly not looked at by the provider."""
    try:
        match outcome:
            case Succeeded(result):
                return known(record_final_outcome(record, SUCCEEDED, {"result": result}, store), replayed=False)
            case Declined(code, text):
                refusal = {"code": mask_text(code), "text": mask_text(text)}
                return known(record_final_outcome(record, DECLINED, refusal, store), replayed=False)
            case NotSent(reason):
                write_with_retries(lambda: store.release(record), record, UNKNOWN)
                logger.warning("not sent", operation_id=record.id, reason=mask_text(reason))
                raise StoppedError(NothingSent(WhyNothingSent.PROVIDER_UNREACHABLE, retry_after=5))
            case CredentialsRefused(reason):
                write_with_retries(lambda: store.release(record), record, UNKNOWN)
                emit_credentials_rejected(record.operation)
                logger.error("credentials refused", operation_id=record.id, reason=mask_text(reason))
                raise StoppedError(NothingSent(WhyNothingSent.LOGIN_REFUSED))
            case Unknown(reason):
                unknown_for = store.now() - record.may_arrive_until
                next_look_up = store.now() + next((wait for wait in BACK_OFF if wait > unknown_for), BACK_OFF[-1])
                kept = write_with_retries(lambda: store.mark_unknown(record, next_look_up), record, UNKNOWN)
                emit_new_unknown(record)
                logger.warning("outcome unknown", operation_id=record.id, reason=mask_text(reason))
                return StillUnknown(kept, replayed=False)
    except LostOwnershipError:
        return report_stored_record(record, store)


def record_final_outcome(record: Record, status: str, outcome: dict[str, Any], store: Store) -> Record:
    """Write a certain outcome, and count it once it is written. Raises LostOwnershipError.

    What is answered is what is kept: a result that has no place in a record is cut for both.
    """
    fitted = fitting(outcome)

    def writing() -> Record:
        try:
            final = store.finalise(record, status, fitted)
        except WriteRefusedError as error:
            logger.error("outcome reduced", operation_id=record.id, status=status, reason=str(error))
            emit_fault("OutcomeReduced")
            least = {name: type(value)() for name, value in fitted.items()}
            final = store.finalise(replace(record, evidence=record.evidence[-1:]), status, least)
        _count_outcome(final)
        return final

    return write_with_retries(writing, record, status, fitted)


def fitting(outcome: dict[str, Any]) -> dict[str, Any]:
    """An outcome that fits into a record. Long texts and lists are cut. A result that is still too long is left out.

    A provider's answer may have a megabyte, an item of the table 400 KB.
    """
    cut: dict[str, Any] = _cut(outcome)
    if len(json.dumps(cut, ensure_ascii=False).encode()) <= LONGEST_OUTCOME:
        return cut
    return {name: type(value)() for name, value in cut.items()}


def _cut(value: Any) -> Any:
    match value:
        case str():
            return value[:LONGEST_OUTCOME_TEXT]
        case list():
            return [_cut(item) for item in value[:LONGEST_OUTCOME_LIST]]
        case dict():
            return {name: _cut(member) for name, member in value.items()}
    return value


def emit_new_unknown(record: Record) -> None:
    """Count an order whose outcome has just become unknown; further look-ups of it are not counted."""
    if record.status == PROCESSING:
        emit_metric("OrderUnknown", record.operation)


def _count_outcome(record: Record) -> None:
    emit_metric(f"Order{record.status.title().replace('_', '')}", record.operation)
    if record.principal == STANDING_ORDER_CLIENT and record.status != SUCCEEDED:
        # Nobody waits for its answer, and the event that gave it has ended well if the outcome was unknown then.
        emit_by_provider("StandingOrderFailed", record.operation)
        logger.error("standing order failed", operation=record.operation, operation_id=record.id, status=record.status)
    # A guarded figure is a total that replaces the last one: no money moved by it.
    if record.status == SUCCEEDED and not any(guard.figures for guard in record.guards):
        _count_amount(record)


def _count_amount(record: Record) -> None:
    """The amount ordered; the provider's own figure where the order left it to the provider, if it names one."""
    amount, currency = money(record.lookup_fields, (record.outcome or {}).get("result") or {})
    if not amount:
        return
    try:
        emit_amount(record.operation, currency, minor_units(Decimal(amount), currency))
    except (ArithmeticError, KeyError, TypeError, ValueError) as error:
        logger.warning("amount not counted", operation_id=record.id, exception_name=type(error).__name__)


def write_with_retries(
    writing: Callable[[], Record | None], record: Record, status: str, outcome: dict[str, Any] | None = None
) -> Record:
    """Make a write, again if the table does not answer.

    If it never does, what is known is still true: it is returned, and the record stays unresolved until a look-up.
    """
    for attempt in range(_WRITE_TRIES):
        try:
            return writing() or record
        except StoreUnavailableError as error:
            logger.error("not written", operation_id=record.id, status=status, reason=str(error))
            emit_fault("OutcomeNotWritten")
            if attempt == _WRITE_TRIES - 1:
                break
    return replace(record, status=status, outcome=outcome, written=False)


def in_progress(record: Record, store: Store) -> Known:
    """Answer for a record somebody else is at. Raises StoppedError while it is processing."""
    if record.status == PROCESSING:
        wait = max(1, round(record.lease_until - store.now()))
        raise StoppedError(InProgress(min(wait, 5)))
    return known(record, replayed=True)


def report_stored_record(record: Record, store: Store) -> Known:
    """What the table says now, after somebody else changed the record."""
    try:
        current = store.find(record.id) or record
    except StoreUnavailableError:
        current = record
    if not current.final and lease_is_alive(current, store):
        return in_progress(current, store)
    return known(current, replayed=True)


def lease(deadline: Deadline, store: Store) -> float:
    """Until when this invocation may still be running."""
    return store.now() + deadline.left()


def lease_is_alive(record: Record, store: Store) -> bool:
    """Whether the owner of a record may still be running, on any clock."""
    return record.lease_until > 0 and record.lease_until + CLOCK_MARGIN_SECONDS > store.now()
