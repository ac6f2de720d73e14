"""The one path every order takes.

    order -> prepare -> claim -> call -> read -> finalise -> respond

Everything that can fail harmlessly happens in `prepare`. After the claim, every way out leaves a record that says what
is known. The caller is told no more than that.
"""

import hmac
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

import requests

from vezne.operation import (
    DoesNotFit,
    Final,
    Known,
    NothingSent,
    Operation,
    Order,
    PolicyRefusedError,
    Refused,
    Result,
    StillUnknown,
    StoppedError,
    WhyNothingSent,
    known,
)
from vezne.orders.breaker import Breaker, breaker_of
from vezne.orders.finalise import (
    emit_new_unknown,
    finalise,
    in_progress,
    lease,
    lease_is_alive,
    report_stored_record,
    with_own_reason,
)
from vezne.orders.guards import WhyRefused
from vezne.orders.look_up import look_up_and_record
from vezne.orders.outcome import (
    CredentialsRefused,
    Declined,
    Inconclusive,
    NotFound,
    NotSent,
    Outcome,
    Succeeded,
    Unknown,
)
from vezne.orders.record import ORDER, ORDER_AGAIN, PROCESSING, UNKNOWN, Record, next_client_look_up
from vezne.orders.store import (
    CLOCK_MARGIN_SECONDS,
    GuardRefusedError,
    LostOwnershipError,
    Store,
    StoreUnavailableError,
    new_owner,
)
from vezne.platform.masking import mask_text
from vezne.platform.telemetry import MetricUnit, emit_credentials_rejected, emit_metric, logger, stack_locations
from vezne.providers.client import (
    InquiryFailedError,
    InquiryLoginRefusedError,
    InquiryUnreadableError,
    OutOfTimeError,
)
from vezne.providers.credentials import (
    CredentialsRefusedError,
    SecretModel,
    SecretUnavailableError,
    SecretUnusableError,
)
from vezne.providers.http import AnswerLostError, Deadline, NotSentError, ProviderResponse
from vezne.providers.models import RequestModel

R = TypeVar("R", bound=RequestModel)
C = TypeVar("C", bound=SecretModel)
T = TypeVar("T")


def execute_order(operation: Operation[R, Any, C], order: Order[R], deadline: Deadline, store: Store) -> Result:
    """Take an order down the one path, and say what became of it. What it raises, it raises before the claim."""
    breaker = breaker_of(operation.name, operation.client)
    try:
        return _execute(operation, order, deadline, store, breaker)
    except StoppedError as stopped:
        return stopped.result
    finally:
        breaker.leave(store)


def _execute(
    operation: Operation[R, Any, C], order: Order[R], deadline: Deadline, store: Store, breaker: Breaker
) -> Known:
    """Raises StoppedError; after the claim, only one that is certain."""
    me = new_owner()
    standing = _or_unavailable(lambda: store.find(order.operation_id)) if operation.asks_first else None
    asks = operation.asks_first and standing is None
    try:
        prepared = _admit_and_prepare(operation, order, deadline, store, breaker, asks=asks)
    except Exception as error:
        # What stopped this attempt says nothing about an earlier one under the same key.
        standing = _or_unavailable(lambda: store.find(order.operation_id))
        if standing is None:
            raise
        if not isinstance(error, StoppedError):
            logger.error("not prepared", operation_id=standing.id, exception_name=type(error).__name__,
                         frames=stack_locations(error))  # fmt: skip
        return _existing(operation, order, standing, me, None, deadline, store)
    record = standing or _new_record(operation, order, prepared, me, deadline, store)
    standing = standing or _claim(record, store)
    try:
        if standing is not None and standing.owner != me:
            return _existing(operation, order, standing, me, prepared, deadline, store)
        return _send_and_finalise(operation, order, record, prepared, deadline, store)
    except StoppedError:
        raise
    except Exception as error:
        # The claim stands: whatever failed, the honest answer is that the outcome is not known.
        logger.error("after the claim", operation_id=record.id, exception_name=type(error).__name__,
                     frames=stack_locations(error))  # fmt: skip
        return StillUnknown(replace(standing or record, status=UNKNOWN), replayed=False)


@dataclass(frozen=True, slots=True)
class Prepared:
    """A provider's request, ready for the socket, the account it concerns, and what was asked first."""

    request: requests.PreparedRequest
    account: dict[str, str]
    learned: Mapping[str, str] = field(default_factory=dict)


def _admit_and_prepare(
    operation: Operation[R, Any, C], order: Order[R], deadline: Deadline, store: Store, breaker: Breaker, *, asks: bool
) -> Prepared:
    """Ask the breaker first: where the provider is down, nobody logs in either. Raises StoppedError."""
    wait = breaker.admit(deadline, store)
    if wait is not None:
        raise StoppedError(NothingSent(WhyNothingSent.PROVIDER_DOWN, wait))
    prepared = prepare(operation, order, deadline, asks=asks)
    if isinstance(prepared, NothingSent):
        if prepared.provider_failed:
            breaker.tell(deadline, store, good=False)
        raise StoppedError(prepared)
    return prepared


def prepare(
    operation: Operation[R, Any, C], order: Order[R], deadline: Deadline, *, asks: bool
) -> Prepared | NothingSent:
    """Everything that can fail harmlessly. `asks`: ask the provider first. Raises StoppedError."""
    learned = _learn(operation, order, deadline) if asks else {}
    return learned if isinstance(learned, NothingSent) else _prepare(operation, order, deadline, learned)


def _learn(operation: Operation[R, Any, C], order: Order[R], deadline: Deadline) -> dict[str, str] | NothingSent:
    """What the operation asks its provider before anything is sent. Raises StoppedError if it cannot be meant."""
    try:
        return _unless_it_fails(operation, lambda: operation.ask_first(order, deadline))
    except PolicyRefusedError as refused:
        raise StoppedError(DoesNotFit(refused.field_name, refused.reason)) from None


def _prepare(
    operation: Operation[R, Any, C], order: Order[R], deadline: Deadline, learned: Mapping[str, str]
) -> Prepared | NothingSent:
    """Time, credentials, token, building and signing."""
    if not deadline.allows_a_call():
        return NothingSent(WhyNothingSent.NOT_ENOUGH_TIME)

    def prepared() -> Prepared:
        access = operation.client.credential_cache.access(deadline)
        request = operation.client.provider.prepare(operation.build(order, access))
        return Prepared(request, operation.account(access), learned)

    made = _unless_it_fails(operation, prepared)
    if isinstance(made, Prepared) and not deadline.allows_a_call():
        return NothingSent(WhyNothingSent.NOT_ENOUGH_TIME)
    return made


def _unless_it_fails(operation: Operation[Any, Any, Any], step: Callable[[], T]) -> T | NothingSent:
    """A step before the claim, or why it could not be taken: then nothing was sent."""
    try:
        return step()
    except SecretUnusableError as error:
        emit_credentials_rejected(operation.name)
        logger.error("secret unusable", operation=operation.name, reason=str(error))
        return NothingSent(WhyNothingSent.SECRET_UNUSABLE)
    except (CredentialsRefusedError, InquiryLoginRefusedError) as error:
        emit_credentials_rejected(operation.name)
        logger.error("credentials refused", operation=operation.name, reason=mask_text(str(error)))
        return NothingSent(WhyNothingSent.LOGIN_REFUSED)
    except SecretUnavailableError as error:
        logger.warning("secret unavailable", operation=operation.name, reason=str(error))
        return NothingSent(WhyNothingSent.SECRET_UNAVAILABLE, retry_after=5)
    except NotSentError as error:
        logger.warning("not sent", operation=operation.name, reason=str(error))
        return NothingSent(WhyNothingSent.PROVIDER_UNREACHABLE, error.retry_after, error.provider_failed)
    except OutOfTimeError:
        return NothingSent(WhyNothingSent.NOT_ENOUGH_TIME)
    except InquiryFailedError as error:
        logger.warning("not asked", operation=operation.name, reason=str(error))
        failed = not isinstance(error, InquiryUnreadableError)
        return NothingSent(WhyNothingSent.PROVIDER_UNREACHABLE, retry_after=5, provider_failed=failed)


def _new_record(
    operation: Operation[R, Any, C], order: Order[R], prepared: Prepared, me: str, deadline: Deadline, store: Store
) -> Record:
    now, until = store.now(), lease(deadline, store)
    order = replace(order, learned=prepared.learned)
    return Record(
        id=order.operation_id,
        operation=operation.name,
        principal=order.principal,
        # No hash of a whole card number is kept. Cards are allowed only once no earlier version is about any more.
        fingerprint=order.fingerprint if order.request.secret_in_part else order.earlier_fingerprint,
        sent_fingerprint=order.fingerprint,
        status=PROCESSING,
        owner=me,
        lease_until=until,
        may_arrive_until=until,
        created_at=now,
        updated_at=now,
        lookup_fields=operation.lookup_fields(order),
        guards=tuple(guard.stored() for guard in operation.guards(order)),
        account=prepared.account,
        reference=order.label.reference,
        metadata=order.label.metadata,
        places=operation.places(),
        next_look_up=until + CLOCK_MARGIN_SECONDS,
    )


def _claim(record: Record, store: Store) -> Record | None:
    """The record that stood there before ours, if one did. Raises StoppedError: this attempt sent nothing."""
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
        raise _guard_refusal(record, error, store) from None


def _guard_refusal(record: Record, refused: GuardRefusedError, store: Store) -> StoppedError:
    """Why a guard refused a claim, as it stood when it did."""
    guard, held = refused.guard, refused.held
    holder = held.get("holder")
    other = None if holder is None else _or_unavailable(lambda: store.find(holder))
    told = holder if held.get("holder_client") == record.principal else None
    return StoppedError(Refused(guard.why_refused(held, other, store.now()), told))


def _existing(
    operation: Operation[R, Any, C],
    order: Order[R],
    record: Record,
    me: str,
    prepared: Prepared | None,
    deadline: Deadline,
    store: Store,
) -> Known:
    """Answer from a record that stood there before; an unknown one is looked up now, if it can be."""
    if not is_same_request(record, order):
        raise key_reused(record)
    if record.final:
        return Final(record, replayed=True)
    if lease_is_alive(record, store):
        return in_progress(record, store)
    if prepared is None or next_client_look_up(record) > store.now():
        return StillUnknown(replace(record, status=UNKNOWN), replayed=True)
    return _look_up_or_send_again(operation, order, record, me, prepared, deadline, store)


def is_same_request(record: Record, order: Order[R]) -> bool:
    """Whether the record is of the same request, by the fingerprint of what is sent."""
    if record.sent_fingerprint is None:
        return hmac.compare_digest(record.fingerprint, order.earlier_fingerprint)
    return hmac.compare_digest(record.sent_fingerprint, order.fingerprint)


def key_reused(record: Record) -> StoppedError:
    """What another request under the record's key is told."""
    return StoppedError(Refused(WhyRefused.KEY_REUSED if record.final else WhyRefused.KEY_REUSED_WHILE_UNKNOWN))


def _look_up_or_send_again(
    operation: Operation[R, Any, C],
    order: Order[R],
    record: Record,
    me: str,
    prepared: Prepared,
    deadline: Deadline,
    store: Store,
) -> Known:
    """Look an unknown order up; what was certainly not found is sent again where doing it twice changes nothing."""
    # Whatever the look-up says, another account would pay it a second time.
    same_account = not record.account or record.account == prepared.account
    sending = operation.resend_is_safe and same_account
    try:
        taken = store.acquire_lease(record, me, lease(deadline, store), sending=sending)
    except LostOwnershipError:
        return report_stored_record(record, store)
    except StoreUnavailableError:
        return StillUnknown(replace(record, status=UNKNOWN), replayed=True)
    emit_new_unknown(record)
    try:
        concluded, finding = look_up_and_record(operation, taken, deadline, store, keep=not sending)
    except LostOwnershipError:
        return report_stored_record(record, store)
    # Another owner has the record if this look-up took too long: what it is doing must not be ended.
    if concluded.final or not sending or concluded.owner != me:
        return known(concluded, replayed=False)
    again = isinstance(finding, NotFound) or (isinstance(finding, Inconclusive) and finding.send_again)
    if not again or not deadline.allows_a_call():
        return finalise(concluded, Unknown("look-up"), store)
    return _send_and_finalise(operation, order, concluded, prepared, deadline, store, again=True)


def _send_and_finalise(
    operation: Operation[R, Any, C],
    order: Order[R],
    record: Record,
    prepared: Prepared,
    deadline: Deadline,
    store: Store,
    *,
    again: bool = False,
) -> Known:
    """Send, keep what came of it, and tell the breaker. `again`: the order may have been carried out before."""
    breaker = breaker_of(operation.name, operation.client)
    with breaker.call(store):
        outcome = _call_with_renewal(operation, order, prepared, deadline)
    kept = outcome
    if again and not isinstance(outcome, Succeeded):
        # The first sending may have been carried out: whatever refuses the second says nothing about it.
        kept = Unknown(_reason_of(outcome))
    asked = ORDER_AGAIN if again else ORDER
    try:
        return finalise(with_own_reason(record, kept, asked, store.now()), kept, store)
    finally:
        breaker.end(outcome, deadline, store)


def _reason_of(outcome: Outcome) -> str:
    """Why a second sending leaves the outcome unknown."""
    match outcome:
        case Declined(code):
            return f"refused: {code}"
        case NotSent(reason):
            return f"not sent: {reason}"
        case CredentialsRefused(reason) | Unknown(reason):
            return reason
    return "succeeded"


def _call_with_renewal(
    operation: Operation[R, Any, C], order: Order[R], prepared: Prepared, deadline: Deadline
) -> Outcome:
    """Call the provider; after a definite refusal of our credentials, once more with others if there are others."""
    outcome = _call(operation, order, prepared, deadline)
    if not _other_credentials(operation, outcome):
        return outcome
    try:
        renewed = _prepare(operation, order, deadline, prepared.learned)
    except Exception as error:
        return NotSent(type(error).__name__)
    if isinstance(renewed, NothingSent):
        refused = renewed.reason in (WhyNothingSent.SECRET_UNUSABLE, WhyNothingSent.LOGIN_REFUSED)
        return outcome if refused else NotSent(renewed.reason.value, renewed.provider_failed)
    if renewed.account != prepared.account:
        # The record says where the order went. The other account gets a claim of its own, when the order comes again.
        return NotSent("the secret is another account's now")
    return _call(operation, order, renewed, deadline)


def _other_credentials(operation: Operation[R, Any, C], outcome: Outcome) -> bool:
    """Whether the provider refused for certain, and a new login or a rotated secret may be accepted."""
    credential_cache = operation.client.credential_cache
    try:
        if isinstance(outcome, CredentialsRefused):
            return outcome.renewable and credential_cache.renew()
        return (
            isinstance(outcome, Declined)
            and operation.decline_may_mean_bad_credentials
            and credential_cache.secret_changed()
        )
    except (SecretUnusableError, SecretUnavailableError):
        return False


def _call(operation: Operation[R, Any, C], order: Order[R], prepared: Prepared, deadline: Deadline) -> Outcome:
    """One call. A connection that was provably never made is tried once more; nothing else is."""
    try:
        try:
            answer = _send(operation, prepared.request, deadline)
        except NotSentError:
            if not deadline.allows_a_call():
                raise
            answer = _send(operation, prepared.request, deadline)
    except NotSentError as error:
        return NotSent(str(error), error.provider_failed)
    except AnswerLostError as error:
        return Unknown(str(error))
    if answer.status >= 500:
        return Unknown(f"http-{answer.status}")
    if answer.status == 401:
        # RFC 9110, 15.5.2: the request "has not been applied because it lacks valid authentication credentials".
        beside = _read(operation, order, replace(answer, status=200))
        return Unknown("http-401 beside a success") if isinstance(beside, Succeeded) else CredentialsRefused("http-401")
    return _read(operation, order, answer)


def _read(operation: Operation[R, Any, C], order: Order[R], answer: ProviderResponse) -> Outcome:
    try:
        return operation.read(order, answer)
    except Exception as error:
        # An answer we cannot read is not a reason to say that nothing happened.
        logger.warning(
            "answer unreadable",
            operation_id=order.operation_id,
            exception_name=type(error).__name__,
            frames=stack_locations(error),
        )
        return Unknown("unreadable")


def _send(operation: Operation[R, Any, C], prepared: requests.PreparedRequest, deadline: Deadline) -> ProviderResponse:
    """Send once, and measure how long the provider took, or how long we waited for nothing."""
    started = time.monotonic()
    try:
        return operation.client.provider.send(prepared, deadline, operation.timeout)
    finally:
        waited = round((time.monotonic() - started) * 1000)
        emit_metric("ProviderLatency", operation.name, waited, MetricUnit.Milliseconds)


def _or_unavailable(read: Callable[[], Record | None]) -> Record | None:
    try:
        return read()
    except StoreUnavailableError as error:
        raise _unavailable(error) from None


def _unavailable(error: StoreUnavailableError) -> StoppedError:
    logger.error("store unavailable", reason=str(error))
    return StoppedError(NothingSent(WhyNothingSent.STORE_UNAVAILABLE, retry_after=5))
