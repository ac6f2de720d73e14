"""The Operation base class, and the one path every order takes.

    order -> prepare -> claim -> call -> read -> settle -> report

Everything that can fail harmlessly happens in `prepare`. From the claim on, every way out leaves a record that says
what is known, and the caller is told no more than that.
"""

import hashlib
import hmac
import json
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, ClassVar, Generic, TypeVar

import requests

from vezne import problems
from vezne.credentials import (
    Access,
    CredentialsRefusedError,
    SecretModel,
    SecretUnavailableError,
    SecretUnusableError,
)
from vezne.idempotency import (
    CLOCK_MARGIN_SECONDS,
    DECLINED,
    NOT_EXECUTED,
    PROCESSING,
    SUCCEEDED,
    UNKNOWN,
    Guard,
    GuardRefusedError,
    LostOwnershipError,
    Record,
    Store,
    StoreUnavailableError,
    iso_time,
    new_owner,
    operation_id,
    trimmed,
)
from vezne.inquiries import Client, InquiryFailedError
from vezne.masking import mask_text
from vezne.models import RequestModel
from vezne.outcome import (
    CredentialsRefused,
    Declined,
    Finding,
    Found,
    Inconclusive,
    NotFound,
    NotSent,
    Outcome,
    Succeeded,
    Unknown,
)
from vezne.provider import READ_SECONDS, Answer, AnswerLostError, Deadline, NotSentError, Request
from vezne.telemetry import code_places, count, logger

R = TypeVar("R", bound=RequestModel)
C = TypeVar("C", bound=SecretModel)

# When to look up an unknown outcome again: after the 1st, 2nd, ... look-up; then daily, for as long as it takes.
BACK_OFF = tuple(timedelta(**step).total_seconds() for step in (
    {"minutes": 1}, {"minutes": 5}, {"minutes": 15}, {"hours": 1}, {"hours": 6}, {"days": 1},
))  # fmt: skip
_SETTLE_TRIES = 3


@dataclass(frozen=True, slots=True)
class Order(Generic[R]):
    """One validated request of one client under one idempotency key."""

    client_id: str
    idempotency_key: str
    request: R
    operation_id: str
    fingerprint: str


@dataclass(frozen=True, slots=True)
class Report:
    """What is known about an order now. `replayed`: stored by an earlier request, not found out by this one."""

    record: Record
    replayed: bool


class Operation(ABC, Generic[R, C]):
    """One operation of one provider: its facts, how its request is built, and how its answers are read."""

    name: ClassVar[str]
    path: ClassVar[str]
    request_model: ClassVar[type[RequestModel]]
    client: ClassVar[Client[Any]]
    # Longest wait for the whole answer, in seconds.
    timeout: ClassVar[float] = READ_SECONDS
    # The provider itself refuses doubles under the same reference, or the same order twice changes nothing.
    resend_is_safe: ClassVar[bool] = False
    # A look-up that does not show the order proves, after the settling time, that it was not executed.
    look_up_is_complete: ClassVar[bool] = False
    settling_time: ClassVar[timedelta] = timedelta(minutes=10)
    # Which call looks an outcome up, as kept in the evidence.
    look_up_call: ClassVar[str]

    def order(self, client_id: str, idempotency_key: str, request: R) -> Order[R]:
        """Name and fingerprint a validated request."""
        known_as = operation_id(client_id, self.name, idempotency_key)
        return Order(client_id, idempotency_key, request, known_as, _fingerprint(client_id, idempotency_key, request))

    @abstractmethod
    def build(self, order: Order[R], access: Access[C]) -> Request:
        """The provider's request, signed. May raise ValueError for what the provider cannot express."""

    @abstractmethod
    def read(self, order: Order[R], answer: Answer) -> Outcome:
        """Classify an answer below HTTP 500. What is not listed is Unknown; so is whatever this raises."""

    @abstractmethod
    def clues(self, order: Order[R]) -> dict[str, str]:
        """What a look-up needs to find the payment: references and amounts, never a secret or a card number."""

    @abstractmethod
    def look_up(self, record: Record, deadline: Deadline) -> Finding:
        """Ask the provider what became of a record's order. May raise what `inquiries` raise."""

    def guard(self, order: Order[R]) -> Guard | None:
        """A second lock on what is paid or changed, if the provider gives none."""
        return None


def carry_out(operation: Operation[R, C], order: Order[R], deadline: Deadline, store: Store) -> Report:
    """Take an order down the one path. Raises problems.Problem; after the claim, only one that is certain."""
    me = new_owner()
    prepared: requests.PreparedRequest | None = None
    try:
        prepared = _prepare(operation, order, deadline)
    except problems.Problem:
        # What stopped this attempt says nothing about an earlier one under the same key.
        known = _or_unavailable(lambda: store.find(order.operation_id))
        if known is None:
            raise
        return _existing(operation, order, known, me, None, deadline, store)
    record = _new_record(operation, order, me, deadline, store)
    known = _claim(record, order, store)
    if known is not None and known.owner != me:
        return _existing(operation, order, known, me, prepared, deadline, store)
    outcome = _call_with_renewal(operation, order, prepared, deadline)
    return _settle(record, outcome, store)


def sweep(operation: Operation[R, C], deadline: Deadline, store: Store) -> dict[str, int]:
    """Look up every unresolved record of the operation that is due, while time is left.

    Returns how many were looked up, settled and are still unknown, and the age of the oldest in seconds.
    """
    looked_up = settled = still_unknown = oldest = 0
    for item in store.unresolved(operation.name):
        now = store.now()
        ended = False
        if item.next_look_up <= now and deadline.allows_a_call():
            looked_up += 1
            ended = _sweep_one(operation, item.id, deadline, store)
            settled += ended
        if not ended:
            still_unknown += 1
            oldest = max(oldest, int(now - item.created_at))
    return {
        "looked_up": looked_up,
        "settled": settled,
        "still_unknown": still_unknown,
        "oldest_unknown_seconds": oldest,
    }


def _sweep_one(operation: Operation[R, C], record_id: str, deadline: Deadline, store: Store) -> bool:
    """Whether the record is settled now."""
    record = store.find(record_id)
    if record is None or record.settled:
        return True
    if _lease_is_alive(record, store):
        return False
    try:
        taken = store.take_over(record, new_owner(), _lease(deadline, store))
        concluded, _ = _conclude(operation, taken, deadline, store)
        return concluded.settled
    except LostOwnershipError:
        return False


def _prepare(operation: Operation[R, C], order: Order[R], deadline: Deadline) -> requests.PreparedRequest:
    """Everything that can fail harmlessly: time, credentials, token, building and signing. Raises problems.Problem."""
    if not deadline.allows_a_call():
        raise problems.NotEnoughTime("Too little time was left to send safely.")
    try:
        access = operation.client.keyring.access(deadline)
        prepared = operation.client.provider.prepare(operation.build(order, access))
    except SecretUnusableError as error:
        logger.error("secret unusable", operation=operation.name, reason=str(error))
        raise problems.ProviderRejectedCredentials("The provider's secret is missing or malformed.") from None
    except CredentialsRefusedError as error:
        count("CredentialsRejected", operation.name)
        logger.error("credentials refused", operation=operation.name, reason=str(error))
        raise problems.ProviderRejectedCredentials("The provider refused our login.") from None
    except SecretUnavailableError as error:
        logger.warning("secret unavailable", operation=operation.name, reason=str(error))
        raise problems.ProviderUnreachable("The provider's secret could not be read in time.", retry_after=5) from None
    except NotSentError as error:
        logger.warning("not sent", operation=operation.name, reason=str(error))
        raise problems.ProviderUnreachable("The provider could not be reached.", retry_after=5) from None
    if not deadline.allows_a_call():
        raise problems.NotEnoughTime("Too little time was left to send safely.")
    return prepared


def _new_record(operation: Operation[R, C], order: Order[R], me: str, deadline: Deadline, store: Store) -> Record:
    now, lease = store.now(), _lease(deadline, store)
    return Record(
        id=order.operation_id,
        operation=operation.name,
        client_id=order.client_id,
        fingerprint=order.fingerprint,
        status=PROCESSING,
        owner=me,
        lease_until=lease,
        in_flight_until=lease,
        created_at=now,
        updated_at=now,
        clues=operation.clues(order),
        guard=operation.guard(order),
        next_look_up=lease + CLOCK_MARGIN_SECONDS,
    )


def _claim(record: Record, order: Order[R], store: Store) -> Record | None:
    """The record that stood there before ours, if one did. Raises problems.Problem: nothing was sent."""
    try:
        return store.claim(record)
    except StoreUnavailableError as error:
        # The write may have been applied although its answer was lost; nothing was sent, so take it back if it was.
        try:
            store.release(record)
        except (LostOwnershipError, StoreUnavailableError):
            logger.warning("claim not taken back", operation_id=record.id)
        raise _unavailable(error) from None
    except GuardRefusedError as error:
        raise _guard_problem(record, error.guard, store) from None


def _guard_problem(record: Record, guard: dict[str, Any], store: Store) -> problems.Problem:
    holder = guard.get("holder")
    if holder is None:
        return problems.TotalWouldFall("A figure is lower than one already sent; set allow_lower to correct it downwards.")
    named = {"holder": holder} if guard.get("holder_client") == record.client_id else {}
    other = _or_unavailable(lambda: store.find(holder))
    if other is not None and not other.settled:
        return problems.HeldByAnotherOperation(
            "Another order for the same thing is not settled yet.", retry_after=5, **named
        )
    problem = problems.HeldByAnotherOperation("Another order has already paid this.", **named)
    problem.retry = "never"
    return problem


def _existing(
    operation: Operation[R, C],
    order: Order[R],
    record: Record,
    me: str,
    prepared: requests.PreparedRequest | None,
    deadline: Deadline,
    store: Store,
) -> Report:
    """Answer from a record that stood there before; an unknown one is looked up now, if it can be."""
    if not hmac.compare_digest(record.fingerprint, order.fingerprint):
        raise problems.IdempotencyKeyReused("This Idempotency-Key was used with another request.")
    if record.settled:
        return Report(record, replayed=True)
    if _lease_is_alive(record, store):
        return _still_running(record, store)
    if prepared is None:
        return Report(replace(record, status=UNKNOWN), replayed=True)
    sending = operation.resend_is_safe
    try:
        taken = store.take_over(record, me, _lease(deadline, store), sending=sending)
    except LostOwnershipError:
        return _stored(record, store)
    except StoreUnavailableError:
        return Report(replace(record, status=UNKNOWN), replayed=True)
    try:
        concluded, finding = _conclude(operation, taken, deadline, store, keep=not sending)
    except LostOwnershipError:
        return _stored(record, store)
    if concluded.settled or not sending:
        return Report(concluded, replayed=False)
    if isinstance(finding, NotFound) and deadline.allows_a_call():
        outcome = _call_with_renewal(operation, order, prepared, deadline)
        return _settle(concluded, outcome if isinstance(outcome, Succeeded) else Unknown("resent"), store)
    return _settle(concluded, Unknown("look-up"), store)


def _still_running(record: Record, store: Store) -> Report:
    if record.status == PROCESSING:
        wait = max(1, round(record.lease_until - store.now()))
        raise problems.InProgress("The same order is still running.", retry_after=min(wait, 5))
    return Report(record, replayed=True)


def _stored(record: Record, store: Store) -> Report:
    """What the table says now, after somebody else changed the record."""
    try:
        current = store.find(record.id) or record
    except StoreUnavailableError:
        current = record
    if not current.settled and _lease_is_alive(current, store):
        return _still_running(current, store)
    return Report(current, replayed=True)


def _conclude(
    operation: Operation[R, C], record: Record, deadline: Deadline, store: Store, *, keep: bool = True
) -> tuple[Record, Finding]:
    """Look a record up, add the evidence, and settle it if the evidence suffices.

    Otherwise its next look-up is pushed back; with `keep` false that is left to the caller. Raises LostOwnershipError.
    """
    finding = _look_up(operation, record, deadline)
    noted = replace(record, evidence=trimmed((*record.evidence, _evidence(operation, finding, store.now()))))
    if isinstance(finding, Found):
        return _settle(noted, finding.outcome, store).record, finding
    if isinstance(finding, NotFound) and _proves_not_executed(operation, noted, store.now()):
        return _write(lambda: store.settle(noted, NOT_EXECUTED, {}), noted, NOT_EXECUTED, {}), finding
    if keep:
        return _settle(noted, Unknown("look-up"), store).record, finding
    return noted, finding


def _look_up(operation: Operation[R, C], record: Record, deadline: Deadline) -> Finding:
    if not deadline.allows_a_call():
        return Inconclusive("not-enough-time")
    try:
        return operation.look_up(record, deadline)
    except InquiryFailedError as error:
        return Inconclusive(str(error))
    except Exception as error:
        # Whatever fails here, the order's outcome is as unknown as before.
        logger.warning(
            "look-up failed", operation_id=record.id, exception_name=type(error).__name__, frames=code_places(error)
        )
        return Inconclusive(type(error).__name__)


def _evidence(operation: Operation[R, C], finding: Finding, now: float) -> dict[str, str]:
    entry = {"at": iso_time(now), "asked": operation.look_up_call}
    if isinstance(finding, Inconclusive):
        return {**entry, "finding": "inconclusive", "reason": mask_text(finding.reason)}
    kind = "found" if isinstance(finding, Found) else "not_found"
    return {**entry, "finding": kind, **{name: mask_text(value) for name, value in finding.seen.items()}}


def _proves_not_executed(operation: Operation[R, C], record: Record, now: float) -> bool:
    """Two "not found" of a complete look-up, both after the order was on its way, the last after the settling time."""
    if not operation.look_up_is_complete:
        return False
    not_found = [
        entry
        for entry in record.evidence
        if entry["finding"] == "not_found" and _seconds(entry["at"]) > record.in_flight_until
    ]
    return len(not_found) >= 2 and now > record.in_flight_until + operation.settling_time.total_seconds()


def _call_with_renewal(
    operation: Operation[R, C], order: Order[R], prepared: requests.PreparedRequest, deadline: Deadline
) -> Outcome:
    """Call the provider; after a definite refusal of our login, once more with credentials read anew."""
    outcome = _call(operation, order, prepared, deadline)
    if not (isinstance(outcome, CredentialsRefused) and outcome.renewable):
        return outcome
    operation.client.keyring.forget()
    try:
        return _call(operation, order, _prepare(operation, order, deadline), deadline)
    except problems.ProviderRejectedCredentials:
        return outcome
    except Exception as error:
        return NotSent(type(error).__name__)


def _call(
    operation: Operation[R, C], order: Order[R], prepared: requests.PreparedRequest, deadline: Deadline
) -> Outcome:
    """One call. A connection that was provably never made is tried once more; nothing else is."""
    provider = operation.client.provider
    try:
        try:
            answer = provider.send(prepared, deadline, operation.timeout)
        except NotSentError:
            if not deadline.allows_a_call():
                raise
            answer = provider.send(prepared, deadline, operation.timeout)
    except NotSentError as error:
        return NotSent(str(error))
    except AnswerLostError as error:
        return Unknown(str(error))
    if answer.status >= 500:
        return Unknown(f"http-{answer.status}")
    if answer.status == 401:
        # RFC 9110, 15.5.2: the request "has not been applied because it lacks valid authentication credentials".
        return CredentialsRefused("http-401")
    try:
        return operation.read(order, answer)
    except Exception as error:
        # An answer we cannot read is not a reason to say that nothing happened.
        logger.warning(
            "answer unreadable",
            operation_id=order.operation_id,
            exception_name=type(error).__name__,
            frames=code_places(error),
        )
        return Unknown("unreadable")


def _settle(record: Record, outcome: Outcome, store: Store) -> Report:
    """Write what is known. Raises problems.Problem only when the order was certainly not looked at by the provider."""
    try:
        match outcome:
            case Succeeded(result):
                content: dict[str, Any] = {"result": result}
                return Report(_write(lambda: store.settle(record, SUCCEEDED, content), record, SUCCEEDED, content), False)
            case Declined(code, text):
                content = {"code": mask_text(code), "text": mask_text(text)}
                return Report(_write(lambda: store.settle(record, DECLINED, content), record, DECLINED, content), False)
            case NotSent(reason):
                _write(lambda: store.release(record), record, UNKNOWN)
                logger.warning("not sent", operation_id=record.id, reason=reason)
                raise problems.ProviderUnreachable("The provider could not be reached.", retry_after=5)
            case CredentialsRefused(reason):
                _write(lambda: store.release(record), record, UNKNOWN)
                count("CredentialsRejected", record.operation)
                logger.error("credentials refused", operation_id=record.id, reason=reason)
                raise problems.ProviderRejectedCredentials("The provider refused our login.")
            case Unknown(reason):
                next_look_up = store.now() + BACK_OFF[min(len(record.evidence), len(BACK_OFF) - 1)]
                kept = _write(lambda: store.keep_unknown(record, next_look_up), record, UNKNOWN)
                logger.warning("outcome unknown", operation_id=record.id, reason=reason)
                return Report(kept, False)
    except LostOwnershipError:
        return _stored(record, store)


def _write(
    write: Callable[[], Record | None], record: Record, status: str, outcome: dict[str, Any] | None = None
) -> Record:
    """Make a settling write, again if the table does not answer.

    If it never does, what is known is still true: it is returned, and the record stays unresolved until a look-up.
    """
    for attempt in range(_SETTLE_TRIES):
        try:
            return write() or record
        except StoreUnavailableError as error:
            logger.error("not settled", operation_id=record.id, status=status, reason=str(error))
            count("SettleFailed", record.operation)
            if attempt == _SETTLE_TRIES - 1:
                break
    return replace(record, status=status, outcome=outcome)


def _lease(deadline: Deadline, store: Store) -> float:
    """Until when this invocation may still be running."""
    return store.now() + deadline.left()


def _lease_is_alive(record: Record, store: Store) -> bool:
    return record.lease_until > 0 and record.lease_until + CLOCK_MARGIN_SECONDS > store.now()


def _or_unavailable(read: Callable[[], Record | None]) -> Record | None:
    try:
        return read()
    except StoreUnavailableError as error:
        raise _unavailable(error) from None


def _unavailable(error: StoreUnavailableError) -> problems.Problem:
    logger.error("store unavailable", reason=str(error))
    return problems.StoreUnavailable("The record store did not answer, so nothing was sent.", retry_after=5)


def _fingerprint(client_id: str, idempotency_key: str, request: RequestModel) -> str:
    """A hash of the request in canonical form; amounts count by value.

    Keyed with the idempotency key, which is not in the record: a bare hash of a card number could be searched for.
    """
    canonical = json.dumps(
        request.model_dump(exclude_none=True), default=_canonical, sort_keys=True, ensure_ascii=False
    )
    return hmac.new(f"{client_id}\n{idempotency_key}".encode(), canonical.encode(), hashlib.sha256).hexdigest()


def _canonical(value: Any) -> str:
    if isinstance(value, Decimal):
        return f"{value.normalize():f}"
    raise TypeError(type(value).__name__)


def _seconds(text: str) -> float:
    return datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()
