"""Lambda entry: an API event, a sweep, an operator's look-up or a standing order becomes a call of the orders' path."""

import json
from dataclasses import replace
from typing import Any

from vezne.api import problems
from vezne.api.label import take_label
from vezne.api.requests import RefusedJsonError, invalid, read_body, read_request, validated
from vezne.api.responses import (
    IDEMPOTENCY_KEY,
    Event,
    Handler,
    header_values,
    internal,
    principal,
    problem_response,
    resource,
    respond,
    response,
    stage_path,
)
from vezne.operation import (
    DoesNotFit,
    Final,
    InProgress,
    NothingSent,
    Operation,
    Order,
    PolicyRefusedError,
    Refused,
    StillUnknown,
    Stopped,
    StoppedError,
    WhyNothingSent,
)
from vezne.orders import store as store_module
from vezne.orders.execute import execute_order
from vezne.orders.guards import WhyRefused
from vezne.orders.record import (
    ANSWER,
    DECLINED,
    LOOK_UP,
    NOT_EXECUTED,
    OPERATOR,
    PROCESSING,
    RECONCILIATION,
    STANDING_ORDER_CLIENT,
    SUCCEEDED,
    UNKNOWN,
    Record,
    operation_id,
    retry_after,
    settled_by,
)
from vezne.orders.store import Store, StoreUnavailableError
from vezne.platform import aws, startup, tls
from vezne.platform.telemetry import emit_metric, flush, logger
from vezne.providers import credentials
from vezne.providers.http import Deadline
from vezne.providers.models import RequestModel, StandingOrder

_DECLINED_TEXTS = {
    None: "The provider refused for certain; no money moved.",
    ANSWER: "The provider refused for certain; no money moved.",
    LOOK_UP: "A look-up shows that the provider refused it; no money moved.",
    OPERATOR: "An operator decided that the provider refused it.",
    RECONCILIATION: "The provider's list of the day shows that it was refused; no money moved.",
}
_NOT_EXECUTED_TEXTS = {
    None: "Look-ups show that the provider never booked it; no money moved.",
    ANSWER: "The provider's answer shows that it was not executed; no money moved.",
    LOOK_UP: "Look-ups show that the provider never booked it; no money moved.",
    OPERATOR: "An operator decided that it was not executed. No look-up has proved it.",
    RECONCILIATION: "The provider's list of the day does not have it; no money moved.",
}
_NOTHING_SENT: dict[WhyNothingSent, tuple[type[problems.Problem], str]] = {
    WhyNothingSent.NOT_ENOUGH_TIME: (problems.NotEnoughTime, "Too little time was left to send safely."),
    WhyNothingSent.SECRET_UNUSABLE: (
        problems.ProviderRejectedCredentials,
        "The provider's secret is missing or malformed.",
    ),
    WhyNothingSent.LOGIN_REFUSED: (problems.ProviderRejectedCredentials, "The provider refused our login."),
    WhyNothingSent.SECRET_UNAVAILABLE: (
        problems.ProviderUnreachable,
        "The provider's secret could not be read in time.",
    ),
    WhyNothingSent.PROVIDER_UNREACHABLE: (problems.ProviderUnreachable, "The provider could not be reached."),
    WhyNothingSent.PROVIDER_DOWN: (
        problems.ProviderDown,
        "The provider does not answer as it should, or an operator has stopped its orders: nothing was sent.",
    ),
    WhyNothingSent.STORE_UNAVAILABLE: (
        problems.StoreUnavailable,
        "The record store did not answer, so this request was not sent.",
    ),
}
# API Gateway gives up after 29 s. The function's own limit is longer, for its sweeps.
ORDER_SECONDS = 27.0


class StandingOrderFailed(Exception):
    """A standing order was refused for certain: Lambda tries again, then the dead-letter queue takes the event."""


def handler(operation: Operation[Any, Any, Any]) -> Handler:
    """The Lambda handler of an operation."""

    def handle(event: Event, context: Any) -> Any:
        whole, store = Deadline(context.get_remaining_time_in_millis), Store()
        deadline = whole.within(ORDER_SECONDS)
        try:
            if "standing_order" in event:
                return _standing_order(operation, event["standing_order"], deadline, store)
            if "look_up" in event:
                from vezne.orders.sweep import look_up_now

                return look_up_now(operation, event["look_up"], deadline, store)
            if "sweep" in event or event.get("detail-type") == "Scheduled Event":
                return _sweep(operation, event, whole, store)
            return respond(event, lambda: _order(operation, event, deadline, store))
        finally:
            flush()

    startup.finish(reads=(aws.read_descriptions, tls.context), connects=(store_module.connect, credentials.connect))
    return handle


def _order(operation: Operation[Any, Any, Any], event: Event, deadline: Deadline, store: Store) -> dict[str, Any]:
    try:
        dry_run = _is_dry_run(event)
        order = _read_order(operation, event, keyless="" if dry_run else None)
    except problems.Problem as refused:
        raise _not_read(refused, operation, event, store) from None
    if dry_run:
        return _rehearsed(operation, order, deadline, store)
    try:
        result = execute_order(operation, order, deadline, store)
    except Exception as error:
        raise _counted(internal(error), order, operation.name) from None
    match result:
        case Final(record, replayed) | StillUnknown(record, replayed):
            return _told(event, record, store.now(), replayed=replayed)
        case stopped:
            raise _counted(_problem(stopped), order, operation.name)


def _is_dry_run(event: Event) -> bool:
    values = header_values(event, "vezne-dry-run")
    if values not in ([], ["true"]):
        raise invalid("header.Vezne-Dry-Run", "must be true and given once, or be absent")
    return bool(values)


def _rehearsed(
    operation: Operation[Any, Any, Any], order: Order[Any], deadline: Deadline, store: Store
) -> dict[str, Any]:
    """What the order would send. It has no form in common with the answer to an order, so nobody takes it for one."""
    # Few orders are dry runs: this is not part of the cold start.
    from vezne.orders.rehearse import rehearse

    try:
        rehearsal = rehearse(operation, order, deadline, store)
    except StoppedError as stopped:
        raise _problem(stopped.result) from None
    except StoreUnavailableError:
        raise problems.StoreUnavailable("The records could not be read; nothing was sent.", retry_after=5) from None
    standing = rehearsal.standing
    said: dict[str, Any] = {"status": "would_send", "operation": operation.name, "money": "not_moved"}
    if standing is not None:
        # The order that stands under the key would be answered instead. What it did to the money must be said.
        said |= {"status": "would_not_send", "operation_id": standing.id, "money": resource(standing)["money"]}
    return response(200, {**said, "request": rehearsal.request}, {})


def _counted(problem: problems.Problem, order: Order[Any], operation: str) -> problems.Problem:
    problem.operation_id = order.operation_id
    emit_metric(f"Refused{type(problem).__name__}", operation)
    return problem


def _told(event: Event, record: Record, now: float, *, replayed: bool) -> dict[str, Any]:
    try:
        logger.info("order", operation=record.operation, operation_id=record.id, status=record.status,
                    replayed=replayed)  # fmt: skip
        return _record_response(event, record, now, replayed=replayed)
    except Exception as error:
        # The order was sent, but its result cannot be serialised. Answer 202, not 500.
        internal(error)
        return _unknown_response(event, record, {}, now)


def _problem(result: Stopped) -> problems.Problem:
    """The problem that tells a caller why an order was refused."""
    match result:
        case InProgress(retry_after=wait):
            return problems.InProgress("The same order is still running.", retry_after=wait)
        case NothingSent(reason, wait):
            kind, text = _NOTHING_SENT[reason]
            return kind(text, retry_after=wait)
        case Refused(reason, holder):
            return _refused(reason, holder)
        case DoesNotFit(field_name, unfit):
            return invalid(f"body.{field_name}", unfit)


def _refused(reason: WhyRefused, holder: str | None) -> problems.Problem:
    named: dict[str, Any] = {} if holder is None else {"holder": holder}
    match reason:
        case WhyRefused.KEY_REUSED:
            return problems.IdempotencyKeyReused("This Idempotency-Key was used with another request.")
        case WhyRefused.KEY_REUSED_WHILE_UNKNOWN:
            # It may be the same payment in another form. Under a new key it could be made twice.
            reused = problems.IdempotencyKeyReused(
                "This Idempotency-Key was used with another request, whose outcome is not known yet. Ask for that"
                " operation, or repeat the first request; a new key is for another payment only."
            )
            reused.money, reused.retry = "unknown", "never"
            return reused
        case WhyRefused.TOTAL_WOULD_FALL:
            return problems.TotalWouldFall("A figure is lower than one already sent; allow_lower permits a correction.")
        case WhyRefused.SUM_EXCEEDED:
            return problems.SumExceeded("With what was asked for before, it would be more than was captured.")
        case WhyRefused.ASKED_IN_PART:
            asked = problems.HeldByAnotherOperation("An earlier order asked for this, or for a part of it.")
            asked.retry = "never"
            return asked
        case WhyRefused.EARLIER_MAY_ARRIVE:
            return problems.HeldByAnotherOperation("An earlier order may still arrive at the provider.", retry_after=60)
        case WhyRefused.HELD:
            whose = "Another order" if holder else "Another client's order"
            return problems.HeldByAnotherOperation(
                f"{whose} for the same thing has no certain outcome yet.", retry_after=5, **named
            )
        case WhyRefused.PAID:
            # Another client may have used the reference for another payment. Only its own order shows a client what is
            # paid.
            text = "Another order has already paid this." if holder else "Another client's order uses this reference."
            paid = problems.HeldByAnotherOperation(text, **named)
            paid.retry = "never"
            return paid


def _sweep(operation: Operation[Any, Any, Any], event: Event, deadline: Deadline, store: Store) -> dict[str, int]:
    # An order does not need these, so a cold start does not import them.
    from vezne.orders import census
    from vezne.orders.sweep import SweepStoppedError, sweep, worker_of

    worker = worker_of(event)
    # If this metric is missing, no sweep runs at all. What fails within a sweep has its own metrics.
    emit_metric("SweepHeartbeat", operation.name)
    if worker.number == 0 and census.is_due(operation.name, store.now()):
        try:
            census.take_census(operation, store)
        except StoreUnavailableError as error:
            logger.error("no census", operation=operation.name, reason=str(error))
            emit_metric("SweepErrors", operation.name)
    try:
        report = sweep(operation, deadline, store, worker)
    except SweepStoppedError as stopped:
        # Raise, so that Lambda tries again.
        logger.error("sweep stopped", extra={"operation": operation.name, **stopped.report})
        emit_metric("UnknownFinalised", operation.name, stopped.report["final"])
        raise
    logger.info("sweep", extra={"operation": operation.name, **report})
    emit_metric("UnknownFinalised", operation.name, report["final"])
    return report


def _standing_order(
    operation: Operation[Any, Any, Any], content: Any, deadline: Deadline, store: Store
) -> dict[str, Any]:
    """The key is made of name and occurrence, so a rule that fires twice pays once. Raises StandingOrderFailed."""
    try:
        order = validated(StandingOrder, content, place="standing_order")
        # Name and occurrence have no line breaks, so a line break separates them in the key.
        key = f"{order.name}\n{order.occurrence}"
        label, fields = take_label(_exact(order.request))
        request = validated(operation.request_model, fields)
        _check_policy(operation, request, standing=True)
    except problems.Problem as problem:
        raise _standing_order_failed(operation.name, problem) from None
    result = execute_order(operation, operation.order(STANDING_ORDER_CLIENT, key, request, label), deadline, store)
    match result:
        case Final(record) | StillUnknown(record):
            logger.info("standing order", operation=operation.name, operation_id=record.id, status=record.status)
            if record.final and record.status != SUCCEEDED:
                raise StandingOrderFailed(f"{record.id} {record.status}")
            return resource(record)
        case stopped:
            raise _standing_order_failed(operation.name, _problem(stopped))


def _standing_order_failed(operation: str, problem: problems.Problem) -> StandingOrderFailed:
    logger.error("standing order failed", operation=operation, problem=problem.slug)
    return StandingOrderFailed(problem.slug)


def _record_response(event: Event, record: Record, now: float, *, replayed: bool) -> dict[str, Any]:
    headers = {"Idempotent-Replayed": "true"} if replayed else {}
    if record.status == SUCCEEDED:
        return response(200, resource(record), headers)
    if record.status in (UNKNOWN, PROCESSING):
        return _unknown_response(event, record, headers, now)
    by = settled_by(record)
    told: dict[str, Any] = {} if by is None else {"settled_by": by}
    if record.status == DECLINED:
        outcome = record.outcome or {}
        problem: problems.Problem = problems.DeclinedByProvider(
            _DECLINED_TEXTS[by],
            provider_code=outcome.get("code", ""),
            provider_text=outcome.get("text", ""),
            **told,
        )
    else:
        problem = problems.NotExecuted(_NOT_EXECUTED_TEXTS[by], **told)
    problem.operation_id = record.id
    return problem_response(event, problem, headers)


def _unknown_response(event: Event, record: Record, headers: dict[str, str], now: float) -> dict[str, Any]:
    wait = str(retry_after(record, now))
    place = {"Location": f"{stage_path(event)}/operations/{record.id}", "Retry-After": wait}
    return response(202, resource(replace(record, status=UNKNOWN)), {**headers, **place})


def _read_order(operation: Operation[Any, Any, Any], event: Event, *, keyless: str | None) -> Order[Any]:
    """Raises problems.Problem. `keyless`: what counts as the key of a request that has none; None: it must have one."""
    caller = principal(event)
    key = keyless if keyless is not None and not header_values(event, "idempotency-key") else _idempotency_key(event)
    label, fields = take_label(read_body(event))
    request = read_request(operation.request_model, fields, event, "body")
    _check_policy(operation, request, standing=False)
    return operation.order(caller, key, request, label)


def _check_policy(operation: Operation[Any, Any, Any], request: RequestModel, *, standing: bool) -> None:
    """Raises problems.InvalidRequest."""
    try:
        operation.check_policy(request, standing=standing)
    except PolicyRefusedError as refused:
        raise invalid(f"body.{refused.field_name}", refused.reason) from None


def _not_read(
    problem: problems.Problem, operation: Operation[Any, Any, Any], event: Event, store: Store
) -> problems.Problem:
    """Why a request was refused before it became an order, with what an earlier order under its key has done.

    The earlier order may have been valid: rules may be stricter now, or this request may have been damaged on its way.
    """
    try:
        known_as = operation_id(principal(event), operation.name, _idempotency_key(event))
    except problems.Problem:
        # Without a client or a key, there is no earlier order.
        return problem
    try:
        known = store.find(known_as)
    except StoreUnavailableError as error:
        logger.error("store unavailable", reason=str(error))
        problem.money, problem.retry = "unknown", "same_key"
        return problem
    if known is None:
        return problem
    problem.operation_id = known.id
    if known.status not in (DECLINED, NOT_EXECUTED):
        # Also after a success: it is not certain that it was the same payment.
        problem.money, problem.retry = "unknown", "same_key"
    return problem


def _idempotency_key(event: Event) -> str:
    values = header_values(event, "idempotency-key")
    if len(values) != 1:
        raise invalid("header.Idempotency-Key", "must be given exactly once")
    if not IDEMPOTENCY_KEY.fullmatch(values[0]):
        raise invalid("header.Idempotency-Key", "must be 1 to 255 visible ASCII characters")
    return values[0]


def _exact(request: Any) -> Any:
    """The request of a standing order, as Lambda parsed it. Amounts must be strings: a float loses digits."""
    try:
        return json.loads(json.dumps(request), parse_float=_no_float)
    except RefusedJsonError as error:
        raise invalid("standing_order.request", str(error)) from None


def _no_float(_: str) -> Any:
    raise RefusedJsonError("amounts with a fraction must be decimal strings")
