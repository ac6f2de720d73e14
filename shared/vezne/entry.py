"""Lambda entry: an API event, a scheduled sweep or a standing order becomes a call of the one path."""

import base64
import json
import re
from decimal import Decimal
from typing import Any

from pydantic import ValidationError

from vezne import credentials, idempotency, problems, startup
from vezne.api import Event, Handler, answer, client_id, header_values, problem_response, resource, response
from vezne.idempotency import Store
from vezne.masking import mask_text
from vezne.operation import Operation, Order, Report
from vezne.path import carry_out
from vezne.provider import Deadline
from vezne.record import DECLINED, PROCESSING, SETTLED, SUCCEEDED, UNKNOWN
from vezne.resolving import sweep
from vezne.telemetry import MetricUnit, count, flush, logger

LONGEST_BODY = 64 * 1024
STANDING_ORDER_CLIENT = "standing-order"
_KEY = re.compile(r"[\x21-\x7e]{1,255}", re.ASCII)
_DIGITS = re.compile(r"[0-9]{1,18}", re.ASCII)


class StandingOrderFailed(Exception):
    """A standing order was refused for certain: Lambda tries again, then the dead-letter queue takes the event."""


def handler(operation: Operation[Any, Any]) -> Handler:
    """The Lambda handler of an operation."""

    def handle(event: Event, context: Any) -> Any:
        deadline, store = Deadline(context.get_remaining_time_in_millis), Store()
        try:
            if "standing_order" in event:
                return _standing_order(operation, event["standing_order"], deadline, store)
            if event.get("detail-type") == "Scheduled Event":
                return _sweep(operation, deadline, store)
            return answer(lambda: _order(operation, event, deadline, store))
        finally:
            flush()

    startup.finish(idempotency.connect, credentials.connect, disconnect=_disconnect)
    return handle


def _disconnect() -> None:
    idempotency.disconnect()
    credentials.disconnect()


def _order(operation: Operation[Any, Any], event: Event, deadline: Deadline, store: Store) -> dict[str, Any]:
    order = _read_order(operation, event)
    try:
        report = carry_out(operation, order, deadline, store)
    except problems.Problem as problem:
        problem.operation_id = order.operation_id
        count(f"Refused{type(problem).__name__}", operation.name)
        raise
    _count_outcome(operation, report)
    logger.info("order", operation=operation.name, operation_id=order.operation_id, status=report.record.status,
                replayed=report.replayed)  # fmt: skip
    return _report_response(event, report)


def _count_outcome(operation: Operation[Any, Any], report: Report) -> None:
    if not report.replayed:
        count(f"Order{report.record.status.title().replace('_', '')}", operation.name)


def _sweep(operation: Operation[Any, Any], deadline: Deadline, store: Store) -> dict[str, int]:
    report = sweep(operation, deadline, store)
    logger.info("sweep", extra={"operation": operation.name, **report})
    count("SweepHeartbeat", operation.name)
    count("UnknownSettled", operation.name, report["settled"])
    count("OldestUnknownAge", operation.name, report["oldest_unknown_seconds"], MetricUnit.Seconds)
    return report


def _standing_order(operation: Operation[Any, Any], content: Any, deadline: Deadline, store: Store) -> dict[str, Any]:
    """Key = name + occurrence, so a rule that fires twice pays once. Raises StandingOrderFailed."""
    try:
        if not isinstance(content, dict) or set(content) != {"name", "occurrence", "request"}:
            raise _invalid("standing_order", "must have name, occurrence and request")
        name, occurrence = content["name"], content["occurrence"]
        if not (isinstance(name, str) and name and isinstance(occurrence, str) and occurrence):
            raise _invalid("standing_order", "name and occurrence must be text")
        request = _validated(operation, _exact(content["request"]))
        report = carry_out(
            operation, operation.order(STANDING_ORDER_CLIENT, f"{name}\n{occurrence}", request), deadline, store
        )
    except problems.Problem as problem:
        logger.error("standing order failed", operation=operation.name, problem=problem.slug)
        raise StandingOrderFailed(problem.slug) from None
    _count_outcome(operation, report)
    logger.info("standing order", operation=operation.name, operation_id=report.record.id, status=report.record.status)
    if report.record.status in SETTLED - {SUCCEEDED}:
        raise StandingOrderFailed(f"{report.record.id} {report.record.status}")
    return resource(report.record)


def _report_response(event: Event, report: Report) -> dict[str, Any]:
    record = report.record
    headers = {"Idempotent-Replayed": "true"} if report.replayed else {}
    if record.status == SUCCEEDED:
        return response(200, resource(record), headers)
    if record.status in (UNKNOWN, PROCESSING):
        place = {"Location": f"{_stage_path(event)}/operations/{record.id}", "Retry-After": "5"}
        unknown = {**resource(record), "status": UNKNOWN, "money": "unknown", "retry": "same_key"}
        return response(202, unknown, {**headers, **place})
    if record.status == DECLINED:
        outcome = record.outcome or {}
        problem: problems.Problem = problems.DeclinedByProvider(
            "The provider refused for certain; no money moved.",
            provider_code=outcome.get("code", ""),
            provider_text=outcome.get("text", ""),
        )
    else:
        problem = problems.NotExecuted("Look-ups show that the provider never booked it; no money moved.")
    problem.operation_id = record.id
    return problem_response(problem, headers)


def _read_order(operation: Operation[Any, Any], event: Event) -> Order[Any]:
    """Raises problems.Problem."""
    caller = client_id(event)
    key = _idempotency_key(event)
    body = _body(event)
    in_path = {name: int(value) if name == "associate_id" and _DIGITS.fullmatch(value) else value
               for name, value in (event.get("pathParameters") or {}).items()}  # fmt: skip
    for name in in_path:
        if name in body:
            raise _invalid(f"body.{name}", "belongs into the path")
    return operation.order(caller, key, _validated(operation, {**body, **in_path}, frozenset(in_path)))


def _idempotency_key(event: Event) -> str:
    values = header_values(event, "idempotency-key")
    if len(values) != 1:
        raise _invalid("header.Idempotency-Key", "must be given exactly once")
    if not _KEY.fullmatch(values[0]):
        raise _invalid("header.Idempotency-Key", "must be 1 to 255 visible ASCII characters")
    return values[0]


def _body(event: Event) -> dict[str, Any]:
    content_type = (header_values(event, "content-type") or [""])[0].split(";")[0].strip().lower()
    if content_type != "application/json":
        raise problems.UnsupportedMediaType("Send the body with Content-Type: application/json.")
    text = event.get("body") or ""
    try:
        raw = base64.b64decode(text, validate=True) if event.get("isBase64Encoded") else text.encode()
        if len(raw) > LONGEST_BODY:
            raise problems.TooLarge("The body may have at most 65536 bytes.")
        body = _parse(raw.decode())
    except UnicodeError:
        raise _invalid("body", "must be UTF-8") from None
    except RecursionError:
        raise _invalid("body", "is nested too deeply") from None
    except ValueError as error:
        # Only our own refusals carry a text; the parser's would quote the place in the body.
        raise _invalid("body", str(error) if type(error) is _Refused else "must be JSON") from None
    if not isinstance(body, dict):
        raise _invalid("body", "must be a JSON object")
    return body


class _Refused(ValueError):
    pass


def _parse(text: str) -> Any:
    return json.loads(text, parse_float=Decimal, parse_constant=_no_constant, object_pairs_hook=_unique)


def _no_constant(_: str) -> Any:
    raise _Refused("must not have NaN or Infinity")


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    content = dict(pairs)
    if len(content) != len(pairs):
        raise _Refused("must not name a member twice")
    return content


def _exact(request: Any) -> Any:
    """A standing order's request comes as Lambda parsed it. Its amounts must be strings: a float has lost digits."""
    try:
        return json.loads(json.dumps(request), parse_float=_no_float)
    except _Refused as error:
        raise _invalid("standing_order.request", str(error)) from None


def _no_float(_: str) -> Any:
    raise _Refused("amounts with a fraction must be decimal strings")


def _validated(operation: Operation[Any, Any], fields: Any, in_path: frozenset[str] = frozenset()) -> Any:
    try:
        return operation.request_model.model_validate(fields)
    except ValidationError as error:
        raise problems.InvalidRequest([_place(item, in_path) for item in error.errors(include_url=False,
            include_context=False, include_input=False)]) from None  # fmt: skip


def _place(error: Any, in_path: frozenset[str]) -> dict[str, str]:
    """Where and why, never what. A member's name is the caller's text too, so it is masked."""
    parts = [str(part) for part in error["loc"]]
    root = "path" if parts and parts[0] in in_path else "body"
    reason = str(error["msg"]).removeprefix("Value error, ")
    return {"place": mask_text(".".join([root, *parts])), "reason": reason}


def _invalid(place: str, reason: str) -> problems.Problem:
    return problems.InvalidRequest([{"place": place, "reason": reason}])


def _stage_path(event: Event) -> str:
    """What stands before our routes in the URL: the stage on the default endpoint, nothing on a custom domain."""
    path, called = event.get("path") or "", (event.get("requestContext") or {}).get("path") or ""
    return called.removesuffix(path) if path and called.endswith(path) else ""
