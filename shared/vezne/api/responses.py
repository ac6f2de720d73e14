"""The API's side of an event: who is calling, and the answer: an operation resource or a problem document."""

import json
import os
import re
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import unquote

from vezne.api import problems
from vezne.orders.envelope import envelope
from vezne.orders.record import (
    DECLINED,
    NOT_EXECUTED,
    PROCESSING,
    STANDING_ORDER_CLIENT,
    SUCCEEDED,
    UNKNOWN,
    Record,
    iso_time,
    settled_by,
)
from vezne.platform.masking import mask_text
from vezne.platform.telemetry import emit_fault, logger, stack_locations

Event = dict[str, Any]
Handler = Callable[[Event, Any], Any]
IDEMPOTENCY_KEY = re.compile(r"[\x21-\x7e]{1,255}", re.ASCII)
# A resource server has room for 100 scopes: further ones are `principal-2`, `principal-3` ...
_PRINCIPAL_SCOPE = re.compile(r"principal(?:-[0-9]{1,2})?/([A-Za-z0-9_-]{1,64})")

# What happened to the money, and how to send the order again, by its status. As the problems of the same outcome say.
_IN_DOUBT = {"money": "unknown", "retry": "same_key"}
_NOTHING_MOVED = {"money": "not_moved", "retry": "new_key"}
WHAT_TO_DO = {PROCESSING: _IN_DOUBT, UNKNOWN: _IN_DOUBT, SUCCEEDED: {"money": "moved"}, DECLINED: _NOTHING_MOVED,
               NOT_EXECUTED: _NOTHING_MOVED}  # fmt: skip


def what_to_do(status: str, places: Mapping[str, str]) -> dict[str, str]:
    """As `WHAT_TO_DO`. `places`: of the operation, which say if a success moves no money (`Operation.places`)."""
    return {"money": places["money"]} if status == SUCCEEDED and "money" in places else WHAT_TO_DO[status]


def _claims(event: Event) -> dict[str, Any]:
    claims: dict[str, Any] = ((event.get("requestContext") or {}).get("authorizer") or {}).get("claims") or {}
    return claims


def principal(event: Event) -> str:
    """The principal: who owns the idempotency keys and operations, even if client or secret change.

    A scope of the token names it. Only the first client of the stack has no such scope: its principal is its id. A
    token without the scope must not count as another principal: its order under the same key would be sent again.
    Raises problems.Forbidden.
    """
    own, named = client_id(event), set()
    for scope in str(_claims(event).get("scope") or "").split():
        found = _PRINCIPAL_SCOPE.fullmatch(scope)
        if found:
            named.add(found[1])
    if not named and own == os.environ.get("FIRST_CLIENT_ID"):
        return own
    if len(named) != 1 or STANDING_ORDER_CLIENT in named:
        raise problems.Forbidden(
            "The token must name one principal. Ask for it without naming scopes, or name principal/<your name>, too."
        )
    return str(named.pop())


def client_id(event: Event) -> str:
    """The client of the token. Raises problems.Forbidden."""
    client_id = _claims(event).get("client_id")
    if not isinstance(client_id, str) or not client_id:
        raise problems.Forbidden("The token names no client.")
    return client_id


def header_values(event: Event, name: str) -> list[str]:
    """Every value of a header, whatever the case of its name."""
    several = event.get("multiValueHeaders") or {}
    single = event.get("headers") or {}
    values = [value for key, listed in several.items() if key.lower() == name for value in listed or []]
    return values or [value for key, value in single.items() if key.lower() == name]


def read_query(event: Event) -> dict[str, str]:
    """The query parameters, each given once. Raises problems.InvalidRequest."""
    several = event.get("multiValueQueryStringParameters") or {}
    for name, values in several.items():
        if len(values) != 1:
            raise problems.InvalidRequest([{"place": shown("query", name), "reason": "must be given once"}])
    return {name: values[0] for name, values in several.items()} or event.get("queryStringParameters") or {}


def shown(*parts: object) -> str:
    """The name of a place. A member's name is text of the caller, so it is masked, and hidden characters are shown."""
    name = ".".join(map(str, parts))
    return mask_text("".join(character if character.isprintable() else "?" for character in name))


def path_parameters(event: Event) -> dict[str, str]:
    """The parameters of the path, decoded exactly once: a REST API passes them on as they are in the URL.

    No parameter of ours has a percent sign. A percent sign that is left means a wrong escape, or double encoding.
    Raises problems.InvalidRequest.
    """
    return {name: _decoded(name, value) for name, value in (event.get("pathParameters") or {}).items()}


def _decoded(name: str, value: str) -> str:
    try:
        text = unquote(value, errors="strict")
    except UnicodeDecodeError:
        text = "%"
    if "%" in text:
        reason = "must be UTF-8, percent-encoded once"
        raise problems.InvalidRequest([{"place": f"path.{name}", "reason": reason}])
    return text


def stage_path(event: Event) -> str:
    """The part of the URL before our routes: the stage on the default endpoint, nothing on a custom domain."""
    context = event.get("requestContext") or {}
    stage = f"/{context.get('stage')}"
    return stage if str(context.get("path")).startswith(f"{stage}/") else ""


def resource(record: Record) -> dict[str, Any]:
    """The public form of an operation."""
    outcome = record.outcome or {}
    content: dict[str, Any] = {
        "operation_id": record.id,
        "operation": record.operation,
        "status": record.status,
        **what_to_do(record.status, record.places),
        "created_at": iso_time(record.created_at),
        "updated_at": iso_time(record.updated_at),
        **envelope(record),
    }
    if record.status == SUCCEEDED:
        content["result"] = outcome["result"]
    if record.status == DECLINED:
        content["refusal"] = outcome
    by = settled_by(record)
    if by is not None:
        content["settled_by"] = by
    return content


def respond(
    event: Event, make: Callable[[], dict[str, Any]], *, if_internal: problems.Money = "unknown"
) -> dict[str, Any]:
    """Run a request, and make a problem document of every error. `if_internal`: `money` after an error of ours."""
    try:
        return make()
    except problems.Problem as problem:
        logger.info("refused", problem=problem.slug, operation_id=problem.operation_id)
        return problem_response(event, problem, {})
    except Exception as error:
        fault = internal(error)
        fault.money = if_internal
        return problem_response(event, fault, {})


def internal(error: Exception) -> problems.Problem:
    """The answer to an unexpected error before the claim. Later it would be wrong: the order may have been sent."""
    emit_fault("Internal")
    logger.error("internal", exception_name=type(error).__name__, frames=stack_locations(error))
    return problems.Internal("A fault of this service; it was logged.")


def problem_response(event: Event, problem: problems.Problem, headers: dict[str, str]) -> dict[str, Any]:
    """A problem as the answer of an API event. Its `type`, resolved against the called URL, is its page."""
    wait = {} if problem.retry_after is None else {"Retry-After": str(problem.retry_after)}
    return response(problem.status, problem.body(stage_path(event)), {**headers, **wait}, "application/problem+json")


def response(
    status: int, body: dict[str, Any], headers: dict[str, str], content_type: str = "application/json"
) -> dict[str, Any]:
    """An answer of an API event."""
    return {
        "statusCode": status,
        "headers": {"Content-Type": content_type, "Cache-Control": "no-store", **headers},
        "body": json.dumps(body, ensure_ascii=False),
    }
