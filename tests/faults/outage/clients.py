"""Clients: orders at a steady rate. Each is repeated under its key until it is answered, for at most a minute."""

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tests.support.operations import of

if TYPE_CHECKING:
    from tests.faults.outage.environment import Environment

REPEAT_SECONDS = 5.0
# No client repeats for longer.
PATIENCE_SECONDS = 60.0
FUNCTION_SECONDS = 27.0
AMOUNT = "49.90"


@dataclass(slots=True)
class Told:
    """One order: when it was first sent, and the last status that its client got."""

    reference: str
    first: float
    status: int = 0
    attempts: int = 0


@dataclass
class Clients:
    """All clients of one operation."""

    environment: "Environment"
    operation: str
    per_second: float
    until: float
    patience: float = PATIENCE_SECONDS
    orders: list[Told] = field(default_factory=list)
    # HTTP status -> how often. A throttle of Lambda is a 5xx of the gateway without a problem document.
    answers: Counter[int] = field(default_factory=Counter)
    # The times at which each success was first answered.
    succeeded: list[float] = field(default_factory=list)
    # When 503 was told.
    not_sent: list[float] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._example = of(self.operation)

    def start(self) -> None:
        self.environment.clock.at(self.environment.clock.now, self._new)

    def _new(self) -> None:
        clock = self.environment.clock
        order = Told(f"mark-{len(self.orders)}", clock.now)
        self.orders.append(order)
        self._send(order)
        following = self.environment.begins + len(self.orders) / self.per_second
        if following < self.until:
            clock.at(following, self._new)

    def _send(self, order: Told) -> None:
        order.attempts += 1
        if not self.environment.throttles[self.operation].admits(self.environment.clock.now):
            self._told(order, {"statusCode": 429, "headers": {}})
            return
        event = self._example.order(order.reference, AMOUNT).event
        self.environment.fleet.invoke(self.operation, event, FUNCTION_SECONDS, lambda answer: self._told(order, answer))

    def _told(self, order: Told, answer: Any) -> None:
        status = 500 if answer is None else int(answer["statusCode"])
        order.status = status
        self.answers[status] += 1
        clock = self.environment.clock
        if status == 200:
            self.succeeded.append(clock.now)
        if status == 503:
            self.not_sent.append(clock.now)
        if status not in (202, 409, 429) and status < 500:
            return
        wait = max(REPEAT_SECONDS, float((answer or {}).get("headers", {}).get("Retry-After", 0)))
        if clock.now + wait <= order.first + self.patience:
            clock.after(wait, lambda: self._send(order))
