"""What to send, when to wait and when to stop: the same for both clients, without any input or output of its own.

A generator yields a Send or a Wait and is given what came of it. Whether to send again follows from `retry` and `money`
alone. No answer at all counts as `money: unknown`, `retry: same_key`: the key makes the repetition harmless.
"""

from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import httpx

A = TypeVar("A")
LONGEST_PAUSE_SECONDS = 30.0


@dataclass(frozen=True)
class Send:
    """A request to make; `fresh_token`: the one at hand was refused."""

    method: str
    path: str
    headers: dict[str, str]
    json: Any = None
    query: dict[str, str] | None = None
    fresh_token: bool = False


@dataclass(frozen=True)
class Wait:
    """Seconds to let pass."""

    seconds: float


Step = Send | Wait
# What came of a Send (None: no answer came) or of a Wait (None).
Steps = Generator[Step, httpx.Response | None, A]


@dataclass(frozen=True)
class Succeeded(Generic[A]):
    """The order succeeded: the money moved. `replayed`: an earlier request had done it.

    `result` is None if an operator settled it by hand: then nobody has the provider's answer.
    """

    operation_id: str
    key: str
    result: A | None
    replayed: bool


@dataclass(frozen=True)
class Operation:
    """An operation as it stands."""

    operation_id: str
    operation: str
    status: str
    result: dict[str, Any] | None = None
    refusal: dict[str, str] | None = None


class Problem(Exception):
    """The API refused, and sending again as it is would not help, or not before the deadline."""

    def __init__(self, body: dict[str, Any]) -> None:
        super().__init__(f"{body.get('type')}: {body.get('title')}")
        self.body = body
        self.slug = str(body.get("type", "")).rsplit("/", 1)[-1]
        self.money = str(body.get("money", "unknown"))
        self.retry = str(body.get("retry", "same_key"))


class OutcomeUnknown(Exception):
    """The deadline came before the outcome was known. Keep the key: only the same order under it may be sent again."""

    def __init__(self, key: str, operation_id: str | None) -> None:
        super().__init__("the outcome is not known yet")
        self.key = key
        self.operation_id = operation_id


def order(
    path: str, fields: dict[str, Any], key: str, read: Callable[[Any], A], until: float, now: Callable[[], float]
) -> Steps[Succeeded[A]]:
    """Send an order, and again under the same key for as long as the API says so and time is left.

    Raises Problem, or OutcomeUnknown if the money may have moved.
    """
    operation_id: str | None = None
    maybe_moved, renewed, attempt = False, False, 0
    while True:
        headers = {"Idempotency-Key": key}
        answer = yield Send("POST", path, headers, json=fields, fresh_token=renewed and attempt == 0)
        body = _object(answer)
        operation_id = body.get("operation_id") or operation_id
        if answer is not None and answer.status_code == 200 and body.get("status") == "succeeded":
            replayed = answer.headers.get("Idempotent-Replayed") == "true"
            result = read(body["result"]) if body["result"] else None
            return Succeeded(body["operation_id"], key, result, replayed)
        problem = Problem(body)
        if problem.slug == "unauthorized" and not renewed:
            renewed, attempt = True, 0
            continue
        # Only the outcome of the order tells of an earlier attempt that got no answer: it may still be on its way.
        maybe_moved = problem.money == "unknown" or (maybe_moved and not _is_final(problem))
        pause = _pause(answer, attempt)
        attempt += 1
        if problem.retry == "same_key" and problem.slug != "unauthorized" and now() + pause < until:
            yield Wait(pause)
            continue
        if maybe_moved:
            # What was answered last may tell what is in the way, such as a token that is refused.
            raise OutcomeUnknown(key, operation_id) from (problem if problem.slug else None)
        raise problem


def inquiry(send: Send, read: Callable[[Any], A], until: float, now: Callable[[], float]) -> Steps[A]:
    """Ask, and again while the API says that it may help and time is left. Raises Problem."""
    renewed, attempt = False, 0
    while True:
        answer = yield send
        body = _object(answer)
        if answer is not None and answer.status_code == 200:
            return read(body)
        problem = Problem(body)
        if problem.slug == "unauthorized" and not renewed:
            renewed = True
            send = Send(send.method, send.path, send.headers, send.json, send.query, fresh_token=True)
            continue
        pause = _pause(answer, attempt)
        attempt += 1
        if problem.retry != "same_key" or problem.slug == "unauthorized" or now() + pause >= until:
            raise problem
        yield Wait(pause)


def read_operation(body: Any) -> Operation:
    """The operation in an answer of GET /operations/{operation_id}."""
    return Operation(body["operation_id"], body["operation"], body["status"], body.get("result"), body.get("refusal"))


def _is_final(problem: Problem) -> bool:
    """Whether it tells the outcome of the order under this key, not only of this attempt."""
    return problem.slug in ("declined", "not-executed")


def _object(answer: httpx.Response | None) -> dict[str, Any]:
    """The JSON object of an answer; empty if there is none, which reads as money unknown, retry same_key."""
    try:
        body = answer.json() if answer is not None else {}
    except ValueError:
        return {}
    return body if isinstance(body, dict) else {}


def _pause(answer: httpx.Response | None, attempt: int) -> float:
    """As long as Retry-After says, or longer each time."""
    told = answer.headers.get("Retry-After", "") if answer is not None else ""
    return float(told) if told.isdigit() else min(0.5 * 2.0**attempt, LONGEST_PAUSE_SECONDS)
