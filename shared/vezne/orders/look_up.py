"""Unknown outcomes: look-ups, and the evidence they leave.

No timer turns unknown into success or failure; only evidence does.
"""

from dataclasses import replace
from decimal import Decimal
from typing import Any, TypeVar

from vezne.operation import Operation
from vezne.orders.finalise import finalise, record_final_outcome
from vezne.orders.outcome import Finding, Found, Inconclusive, NotFound, Unknown
from vezne.orders.record import LOOK_UP, NOT_EXECUTED, Record, iso_time, seconds_of, trimmed
from vezne.orders.store import Store
from vezne.platform.masking import mask_text
from vezne.platform.telemetry import emit_credentials_rejected, logger, stack_locations
from vezne.providers.client import InquiryFailedError, InquiryRefusedError, InquiryUnreadableError, OutOfTimeError
from vezne.providers.credentials import (
    CredentialsRefusedError,
    SecretModel,
    SecretUnavailableError,
    SecretUnusableError,
)
from vezne.providers.http import Deadline, NotSentError
from vezne.providers.models import RequestModel

R = TypeVar("R", bound=RequestModel)
C = TypeVar("C", bound=SecretModel)


def look_up_and_record(
    operation: Operation[R, Any, C], record: Record, deadline: Deadline, store: Store, *, keep: bool = True
) -> tuple[Record, Finding]:
    """Look a record up, add the evidence, and finalise it if the evidence suffices.

    Otherwise its next look-up is pushed back; with `keep` false that is left to the caller. Raises LostOwnershipError.
    """
    finding = _look_up(operation, record, deadline, store)
    noted = replace(record, evidence=trimmed((*record.evidence, _evidence(operation, finding, store.now()))))
    if isinstance(finding, Found):
        return finalise(replace(noted, settled_by=LOOK_UP), finding.outcome, store).record, finding
    if isinstance(finding, NotFound) and _proves_not_executed(operation, noted, store.now()):
        return record_final_outcome(replace(noted, settled_by=LOOK_UP), NOT_EXECUTED, {}, store), finding
    if keep:
        return finalise(noted, Unknown("look-up"), store).record, finding
    return noted, finding


def _look_up(operation: Operation[R, Any, C], record: Record, deadline: Deadline, store: Store) -> Finding:
    if not deadline.allows_a_call():
        return Inconclusive("not-enough-time")
    try:
        if not _asks_its_account(operation, record):
            return Inconclusive("the order went to another account")
        finding = operation.look_up(replace(record, memory=store.memory(record)), deadline)
        # The secret may have been read anew meanwhile.
        return finding if _asks_its_account(operation, record) else Inconclusive("the order went to another account")
    except InquiryFailedError as error:
        answered = isinstance(error, InquiryRefusedError | InquiryUnreadableError | OutOfTimeError)
        return Inconclusive(str(error), failed=not answered)
    except (CredentialsRefusedError, SecretUnusableError) as error:
        emit_credentials_rejected(operation.name)
        logger.error("credentials refused", operation=operation.name, reason=mask_text(str(error)))
        return Inconclusive(type(error).__name__, failed=True)
    except Exception as error:
        # Whatever fails here, the order's outcome is as unknown as before.
        logger.warning(
            "look-up failed", operation_id=record.id, exception_name=type(error).__name__, frames=stack_locations(error)
        )
        return Inconclusive(type(error).__name__, failed=isinstance(error, NotSentError | SecretUnavailableError))


def _asks_its_account(operation: Operation[R, Any, C], record: Record) -> bool:
    """Whether a look-up concerns the account that the order went to; records of earlier versions do not say which."""
    client = operation.client
    return not record.account or record.account == client.account(client.credential_cache.credentials())


def _evidence(operation: Operation[R, Any, C], finding: Finding, now: float) -> dict[str, str]:
    entry = {"at": iso_time(now), "asked": operation.look_up_call}
    seen = {name: _shown(value) for name, value in finding.seen.items()}
    if isinstance(finding, Inconclusive):
        return {**entry, "finding": "inconclusive", "reason": mask_text(finding.reason), **seen}
    return {**entry, "finding": "found" if isinstance(finding, Found) else "not_found", **seen}


def _shown(value: str | Decimal) -> str:
    return f"{value:f}" if isinstance(value, Decimal) else mask_text(value)


def _proves_not_executed(operation: Operation[R, Any, C], record: Record, now: float) -> bool:
    """Two "not found" of a complete look-up, both after the order was on its way, the last when absence counts."""
    if not operation.look_up_is_complete:
        return False
    not_found = [
        entry
        for entry in record.evidence
        if entry["finding"] == "not_found" and seconds_of(entry["at"]) > record.may_arrive_until
    ]
    return len(not_found) >= 2 and now > operation.absence_counts_from(record)
