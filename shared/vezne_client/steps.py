"""What to send, when to wait and when to stop: the same for both clients. It does no input or output.

A generator yields a Send or a Wait, and is given its result. `retry` decides whether to send again. `money` decides
what is said at the end. Only a 401 is handled by its status: once, with a new token. A lost answer, or one that is not
from this API, counts as `money: unknown`, `retry: same_key`. The key makes the repetition harmless.
"""

from collections.abc import Callable, Generator
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

import httpx

from .calls import Envelope

A = TypeVar("A")
LONGEST_PAUSE_SECONDS = 30.0
FIRST_PAUSE_SECONDS = 0.5
# Each sending of an order may be the one that performs it: given up too early, it only makes an unknown outcome.
SHORTEST_ORDER_SECONDS = 10.0
SHORTEST_INQUIRY_SECONDS = 2.0
# The problems that tell the final status of the record under the key, by which no money moved. All others tell why
# this request was refused; the record, if there is one, may say anything.
_ENDS_WITHOUT_MONEY = frozenset({"declined", "not-executed"})


@dataclass(frozen=True)
class Send:
    """A request to make. Its answer is waited for until `until`, but for `at_least` so many seconds."""

    method: str
    path: str
    until: float
    at_least: float
    headers: dict[str, str] = field(default_factory=dict)
    json: Any = None
    query: dict[str, str] | None = None


@dataclass(frozen=True)
class Wait:
    """Seconds to let pass."""

    seconds: float


@dataclass(frozen=True)
class Unsent:
    """What came of a Send: no byte of the request left. `again`: another attempt may fare better."""

    reason: str
    again: bool = True


@dataclass(frozen=True)
class Lost:
    """What came of a Send: the request may have arrived, and there is no answer that can be read."""

    reason: str


Step = Send | Wait
# None is what comes of a Wait.
Came = httpx.Response | Unsent | Lost | None
Steps = Generator[Step, Came, A]


@dataclass(frozen=True)
class Succeeded(Generic[A]):
    """The order succeeded: the money moved. `replayed`: an earlier request had done it.

    `result` is None if an operator decided it by hand: then nobody has the provider's answer. `envelope`: what every
    operation's answer has, such as amount and currency.
    """

    operation_id: str
    key: str
    result: A | None
    replayed: bool
    envelope: Envelope = field(default_factory=Envelope)


class Problem(Exception):
    """The API refused, and sending again as it is would not help, or not before the deadline. `key`: of the order."""

    def __init__(self, body: dict[str, Any], key: str | None = None) -> None:
        super().__init__(f"{body.get('type')}: {body.get('title')}{_with_key(key)}")
        self.body = body
        self.slug = str(body.get("type", "")).rsplit("/", 1)[-1]
        self.money = str(body.get("money", "unknown"))
        self.retry = str(body.get("retry", "same_key"))
        self.key = key


class OutcomeUnknown(Exception):
    """The attempts ended before the outcome was known. Keep the key: only the same order under it may be sent again."""

    def __init__(self, key: str, operation_id: str | None) -> None:
        super().__init__(f"the outcome is not known yet{_with_key(key)}")
        self.key = key
        self.operation_id = operation_id


class NotSent(Exception):
    """The order could not be sent, and no attempt of this call moved money. Send it again under the same key.

    It says nothing of an earlier call under the same key.
    """

    def __init__(self, reason: str, key: str) -> None:
        super().__init__(f"not sent: {reason}{_with_key(key)}")
        self.reason = reason
        self.key = key


class ResultDoesNotFit(Exception):
    """An answer of success whose content is not as documented; `body` is the answer as it came.

    If `key` is set, it answers an order: the money moved.
    """

    def __init__(self, body: dict[str, Any], key: str | None = None, operation_id: str | None = None) -> None:
        moved = f"; the order succeeded{_with_key(key)}" if key else ""
        super().__init__(f"the result is not as documented{moved}")
        self.body = body
        self.key = key
        self.operation_id = operation_id


class Unanswered(Exception):
    """A question got no answer of this API before the deadline."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"no answer: {reason}")
        self.reason = reason


def order(
    path: str, fields: dict[str, Any], key: str, read: Callable[[Any], A], until: float, now: Callable[[], float]
) -> Steps[Succeeded[A]]:
    """Send an order, and again under the same key for as long as the API says so and time is left.

    Raises OutcomeUnknown if the money may have moved, ResultDoesNotFit if it has, else Problem or NotSent.
    """
    send = Send("POST", path, until, SHORTEST_ORDER_SECONDS, {"Idempotency-Key": key}, json=fields)
    attempts, operation_id, maybe_moved = _Attempts(until, now), None, False
    while True:
        came = yield send
        body = _object(came)
        operation_id = body.get("operation_id") or operation_id
        if isinstance(came, httpx.Response) and came.status_code == 200 and body.get("status") == "succeeded":
            return _succeeded(came, body, key, read)
        maybe_moved = _may_have_moved(came, body, maybe_moved)
        pause = attempts.pause(came, body)
        if pause is not None:
            yield Wait(pause)
        elif maybe_moved:
            # What was answered last may tell what is in the way, such as a token that is refused.
            raise OutcomeUnknown(key, operation_id) from (Problem(body, key) if "type" in body else None)
        elif isinstance(came, Unsent):
            raise NotSent(came.reason, key)
        else:
            raise Problem(body, key)


def inquiry(send: Send, read: Callable[[Any], A], now: Callable[[], float]) -> Steps[A]:
    """Ask, and again while the API says that it may help and time is left.

    Raises Problem, Unanswered or ResultDoesNotFit.
    """
    attempts = _Attempts(send.until, now)
    while True:
        came = yield send
        body = _object(came)
        if isinstance(came, httpx.Response) and came.status_code == 200 and body:
            return _fitting(read, body)
        pause = attempts.pause(came, body)
        if pause is not None:
            yield Wait(pause)
        elif "type" in body:
            raise Problem(body)
        else:
            raise Unanswered(_reason(came))


class _Attempts:
    """When to send again: after as long as Retry-After says, or longer each time, and a last time when time is up.

    That last one may come sooner than Retry-After says: what stands in the record by then is told at once.
    """

    def __init__(self, until: float, now: Callable[[], float]) -> None:
        self._until = until
        self._now = now
        self._pause = FIRST_PAUSE_SECONDS
        self._token_refused = False

    def pause(self, came: Came, body: dict[str, Any]) -> float | None:
        """Seconds until the next attempt; None if there is none."""
        if isinstance(came, httpx.Response) and came.status_code == 401:
            # The client has forgotten that token. If a new one is refused too, no further one will do.
            known, self._token_refused = self._token_refused, True
            return None if known else 0.0
        self._token_refused = False
        left = self._until - self._now()
        again = came.again if isinstance(came, Unsent) else body.get("retry", "same_key") == "same_key"
        if not again or left <= 0:
            return None
        wanted = _told(came) or self._pause
        self._pause = min(2 * self._pause, LONGEST_PAUSE_SECONDS)
        return min(wanted, left)


def _may_have_moved(came: Came, body: dict[str, Any], before: bool) -> bool:
    """Whether money may have moved after this attempt, if it may or may not have `before` it."""
    if isinstance(came, Unsent):
        return before
    if body.get("money") != "not_moved":
        return True
    # A refusal of this request says nothing about an earlier attempt that got no answer, even if it names the
    # operation. Only the final outcome of the record does: nothing more is done under this key.
    return before and not (Problem(body).slug in _ENDS_WITHOUT_MONEY and "operation_id" in body)


def _fitting(read: Callable[[Any], A], body: dict[str, Any]) -> A:
    try:
        return read(body)
    except Exception as error:
        raise ResultDoesNotFit(body) from error


def _succeeded(came: httpx.Response, body: dict[str, Any], key: str, read: Callable[[Any], A]) -> Succeeded[A]:
    try:
        result = read(body["result"]) if body["result"] else None
        replayed = came.headers.get("Idempotent-Replayed") == "true"
        return Succeeded(body["operation_id"], key, result, replayed, Envelope.model_validate(body))
    except Exception as error:
        # Whatever is wrong with the answer, the money moved.
        raise ResultDoesNotFit(body, key, body.get("operation_id")) from error


def _object(came: Came) -> dict[str, Any]:
    """The JSON object of an answer; empty if there is none."""
    try:
        body = came.json() if isinstance(came, httpx.Response) else {}
    except (ValueError, RecursionError):
        return {}
    return body if isinstance(body, dict) else {}


def _told(came: Came) -> float:
    """The seconds that Retry-After names, or 0."""
    told = came.headers.get("Retry-After", "") if isinstance(came, httpx.Response) else ""
    return float(told) if told.isascii() and told.isdigit() else 0.0


def _reason(came: Came) -> str:
    if isinstance(came, httpx.Response):
        return f"HTTP {came.status_code}, not of this API"
    return came.reason if came else ""


def _with_key(key: str | None) -> str:
    """An order's key as the end of an error's text: a key made here may stand nowhere else."""
    return f" (Idempotency-Key {key})" if key else ""
