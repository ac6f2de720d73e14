"""Lambda and API Gateway: instances with their own memory, the account's limit, the routes' token buckets."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from tests.faults.outage.clock import Clock

# "Concurrent executions 1,000": Lambda's quota of an account.
ACCOUNT_INSTANCES = 1000
COLD_START_SECONDS = 0.3
# Seconds from the client to the function and back.
WAY_SECONDS = 0.02
# Lambda ends an idle instance after some minutes.
IDLE_SECONDS = 600.0


class Killed(BaseException):
    """The function's time is over: none of its code runs any more."""


@dataclass(frozen=True)
class Cell:
    """An attribute of a module or an object in which an instance keeps something between its calls."""

    holder: Any
    attribute: str
    new: Callable[[], Any]


@dataclass
class Function:
    """One deployed function. `cells`: its memory; `reserved`: its reserved concurrency, if it has one."""

    name: str
    handler: Callable[[Any, Any], Any]
    cells: list[Cell]
    reserved: int | None = None
    idle: list["Instance"] = field(default_factory=list)
    busy: int = 0


class Instance:
    """One instance. It is also the context of its current call."""

    def __init__(self, fleet: "Fleet", function: Function) -> None:
        self._fleet, self.function = fleet, function
        self._memory = [cell.new() for cell in function.cells]
        self.ends = self.idle_since = 0.0
        # The time of its table calls since its last wait. The next wait adds all of it.
        self.debt = 0.0
        self.killed = False

    def install(self) -> None:
        """Restore its memory, and make it the running instance."""
        self._fleet.current = self
        for cell, value in zip(self.function.cells, self._memory, strict=True):
            setattr(cell.holder, cell.attribute, value)

    def take_out(self) -> None:
        """Save the attributes that the call has replaced."""
        self._memory = [getattr(cell.holder, cell.attribute) for cell in self.function.cells]

    def now(self) -> float:
        return self._fleet.clock.now + self.debt

    def takes(self, seconds: float) -> None:
        if self.killed:
            raise Killed
        self.debt += seconds

    def wait(self, seconds: float) -> None:
        """Let time pass in its call. Raises Killed when the function's time is over."""
        clock, seconds = self._fleet.clock, seconds + self.debt
        over = clock.now + seconds > self.ends
        self.debt = 0.0
        self.take_out()
        # Events of that time belong to no instance.
        self._fleet.current = None
        clock.wait(max(0.0, self.ends - clock.now) if over else seconds)
        self.install()
        if over:
            self.killed = True
            raise Killed

    def get_remaining_time_in_millis(self) -> float:
        return (self.ends - self.now()) * 1000


class Fleet:
    """All functions of an account. `throttled`: by function, the calls that found no free instance."""

    def __init__(self, clock: Clock, functions: list[Function], instances: int = ACCOUNT_INSTANCES) -> None:
        self.clock = clock
        self.functions = {function.name: function for function in functions}
        self.current: Instance | None = None
        self.throttled: Counter[str] = Counter()
        self.cold_starts: Counter[str] = Counter()
        self.killed: Counter[str] = Counter()
        self.failed: Counter[str] = Counter()
        self.peak: Counter[str] = Counter()
        self.peak_of_all = 0
        reserved = sum(function.reserved or 0 for function in functions)
        self._unreserved = instances - reserved

    def invoke(self, name: str, event: Any, seconds: float, told: Callable[[Any], None]) -> None:
        """Call a function with a time limit in seconds. `told` gets its answer, or None if there is none."""
        function = self.functions[name]
        if not self._has_room(function):
            self.throttled[name] += 1
            self.clock.after(WAY_SECONDS, lambda: told(None))
            return
        function.busy += 1
        self.peak[name] = max(self.peak[name], function.busy)
        self.peak_of_all = max(self.peak_of_all, sum(each.busy for each in self.functions.values()))
        instance, delay = self._instance(function)
        self.clock.after(delay, lambda: self.clock.begin(lambda: self._call(instance, event, seconds, told)))

    def _has_room(self, function: Function) -> bool:
        if function.reserved is not None:
            return function.busy < function.reserved
        busy = sum(each.busy for each in self.functions.values() if each.reserved is None)
        return busy < self._unreserved

    def _instance(self, function: Function) -> tuple[Instance, float]:
        """An idle instance or a new one, and the seconds until it begins."""
        while function.idle:
            warm = function.idle.pop()
            if self.clock.now - warm.idle_since <= IDLE_SECONDS:
                return warm, 0.0
        self.cold_starts[function.name] += 1
        return Instance(self, function), COLD_START_SECONDS

    def _call(self, instance: Instance, event: Any, seconds: float, told: Callable[[Any], None]) -> None:
        instance.ends = self.clock.now + seconds
        instance.debt = 0.0
        instance.install()
        try:
            answer = instance.function.handler(event, instance)
        except Killed:
            answer = None
            self.killed[instance.function.name] += 1
        except Exception:
            # An error that a function raises is an error of the invocation. Lambda has its own answer to it.
            answer = None
            self.failed[instance.function.name] += 1
        instance.take_out()
        self.current = None
        self.clock.after(instance.debt, lambda: self._ended(instance, answer, told))

    def _ended(self, instance: Instance, answer: Any, told: Callable[[Any], None]) -> None:
        instance.function.busy -= 1
        if not instance.killed:
            instance.idle_since = self.clock.now
            instance.function.idle.append(instance)
        told(answer)


@dataclass
class Throttle:
    """The token bucket of one route (ThrottlingRate, ThrottlingBurst). `refused`: its 429 answers."""

    rate: float
    burst: float
    refused: int = 0
    _tokens: float = 0.0
    _filled: float = -1.0

    def admits(self, now: float) -> bool:
        if self._filled < 0:
            self._tokens = self.burst
        else:
            self._tokens = min(self.burst, self._tokens + (now - self._filled) * self.rate)
        self._filled = now
        if self._tokens < 1:
            self.refused += 1
            return False
        self._tokens -= 1
        return True
