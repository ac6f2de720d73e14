"""A function, its table and its provider in one process and one thread, on a virtual clock.

The handlers and the operations are the deployed ones. The table is a `MemoryTable`. The provider is the sandbox, called
without a socket. A kill is an exception that no code catches. At any step another invocation can run, as a second
process would.
"""

import importlib
import logging
import math
import re
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from types import MappingProxyType
from typing import Any
from unittest import mock

from vezne.api import handle_order
from vezne.orders import breaker, census, record, store, sweep
from vezne.orders.breaker_item import breaker_id
from vezne.orders.record import Record
from vezne.orders.store import Store
from vezne.platform import telemetry
from vezne.providers import credentials
from vezne.providers.http import AnswerLostError, Provider, ProviderResponse
from vezne.providers.vakifbank import client as vakifbank
from vezne_cli.catalogue import URLS
from vezne_sandbox.delivery import RAW
from vezne_sandbox.rules import read_rule
from vezne_sandbox.sandbox import Sandbox
from vezne_sandbox.wire import Call

from tests.faults.environment import SWEEP, Answer
from tests.faults.function import Killed, Steps, call_kind, module_of, operation_of
from tests.faults.memory_store import MemoryStore
from tests.faults.memory_table import MemoryTable
from tests.support.breakers import never_opens
from tests.support.memory_secret import MemorySecret, in_place

LAMBDA_SECONDS = 27.0
# A sweep reads each shard of each lane, and most do so for one record. Two shards show as much as eight.
FEW_SHARDS = 2


class NoMetrics:
    """Forgets what is emitted. A mock would keep every call."""

    metric_set: Mapping[str, Any] = MappingProxyType({})

    def add_dimension(self, **_: Any) -> None:
        pass

    def add_metric(self, **_: Any) -> None:
        pass


class Context:
    """A context with enough time, always. Tests with real processes cover too little time."""

    def get_remaining_time_in_millis(self) -> float:
        return LAMBDA_SECONDS * 1000


class SteppedStore(MemoryStore):
    """The store, with the steps of `function.py` round each write."""

    def __init__(self, table: MemoryTable, clock: Callable[[], float], steps: Steps) -> None:
        super().__init__(table, clock)
        self._steps = steps

    def claim(self, record: Record) -> Record | None:
        return self._at("claim", lambda: super(SteppedStore, self).claim(record))

    def acquire_lease(self, record: Record, owner: str, lease_until: float, *, sending: bool = False) -> Record:
        return self._at(
            "acquire_lease",
            lambda: super(SteppedStore, self).acquire_lease(record, owner, lease_until, sending=sending),
        )

    def finalise(self, record: Record, status: str, outcome: dict[str, Any], *, hold_guards: bool = False) -> Record:
        return self._at(
            "finalise", lambda: super(SteppedStore, self).finalise(record, status, outcome, hold_guards=hold_guards)
        )

    def release(self, record: Record) -> None:
        self._at("finalise", lambda: super(SteppedStore, self).release(record))

    def mark_unknown(self, record: Record, next_look_up: float) -> Record:
        return self._at("finalise", lambda: super(SteppedStore, self).mark_unknown(record, next_look_up))

    def _at(self, step: str, write: Callable[[], Any]) -> Any:
        self._steps.reach(f"{step}.before")
        outcome = write()
        self._steps.reach(f"{step}.after")
        return outcome


class Bench:
    """One operation with its provider and its table."""

    def __init__(self, operation: str) -> None:
        self.now = time.time()
        self.table, self.sandbox, self.token = MemoryTable(), Sandbox(), MemorySecret()
        self.sandbox.ledger.clock.now = lambda: self.now  # type: ignore[method-assign]
        self.module = importlib.import_module(module_of(operation))
        self.operation = operation_of(self.module)
        self.operation.client.credential_cache.forget()
        breaker.forget()
        provider = operation.partition(".")[0]
        self.table.items[breaker_id(provider)] = never_opens(provider)
        self.between: Callable[[], None] = lambda: None
        self._steps = Steps(self._act)
        self._broken: AssertionError | None = None
        # The current invocation: the key of its order, and its number.
        self._sender = ("", 0)
        self._calls = 0
        # Each payment that the provider accepted, booked or not yet, and the invocation that sent it.
        self._payments: list[tuple[Any, tuple[str, int]]] = []
        # Whether the last invocation that ended sent a payment.
        self.sent_by_last = False

    def call(self, event: Any, *, skew: float = 0.0, plan: dict[str, Any] | None = None) -> Answer | None:
        """Handle one event on a clock that is `skew` seconds wrong; None if the function was killed."""
        outer = self._steps.plan, self._steps.seen, self._sender
        self._steps.plan, self._steps.seen = plan or {}, []
        self._calls += 1
        self._sender = me = (event.get("headers", {}).get("idempotency-key", ""), self._calls)
        opened = self.store_of_a_function(skew)

        # A function, since making a mock for each of some ten thousand calls takes long.
        def open_store() -> Store:
            return opened

        def order(*arguments: Any) -> Any:
            made = type(self.operation).order(self.operation, *arguments)
            return replace(made, ordered_at=self.now + skew)

        try:
            with (
                mock.patch.object(handle_order, "Store", open_store),
                mock.patch.object(self.operation, "order", order),
            ):
                return Answer(self.module.handler(event, self.context()))
        except Killed:
            return None
        finally:
            self.sent_by_last = any(sender == me for _, sender in self._payments)
            self._steps.plan, self._steps.seen, self._sender = outer
            if self._broken is not None:
                raise self._broken

    def sweep(self, **how: Any) -> Answer | None:
        return self.call(SWEEP, **how)

    def context(self) -> Context:
        """The context of the next invocation."""
        return Context()

    def store_of_a_function(self, skew: float) -> Store:
        """The store of the next invocation. Its clock is `skew` seconds wrong."""
        return SteppedStore(self.table, lambda: self.now + skew, self._steps)

    def store(self) -> Store:
        """The store through which the test reads the table."""
        return MemoryStore(self.table, lambda: self.now)

    def booked(self, key: str) -> int:
        """How often the provider booked the order of this key, over all lives of its record."""
        booked = {id(booking) for booking in self.sandbox.ledger.bookings}
        return sum(sender[0] == key and id(booking) in booked for booking, sender in self._payments)

    def booked_at(self, key: str) -> float:
        """When the provider first booked the order of this key, by its own clock; infinite if it did not."""
        booked = {id(booking) for booking in self.sandbox.ledger.bookings}
        times = (booking.at for booking, sender in self._payments if sender[0] == key and id(booking) in booked)
        return min(times, default=math.inf)

    def is_late(self, key: str) -> bool:
        """Whether the provider may still book the order of this key."""
        late = {id(late.payment.booking) for late in self.sandbox.late}
        return any(sender[0] == key and id(booking) in late for booking, sender in self._payments)

    def rule(self, **values: Any) -> None:
        self.sandbox.rules.add(read_rule(values, self.sandbox.operations))

    def pass_time(self, seconds: float) -> None:
        """Advance the clocks of the functions and of the provider by the same time."""
        self.now += seconds
        self.sandbox.book_what_is_due()

    def _act(self, what: str) -> None:
        if what == "kill":
            raise Killed
        # The invocation pauses here, others run, and then it continues.
        paused = self._steps.plan, self._steps.seen
        try:
            self.between()
        except AssertionError as error:
            # Not raised here: the code under test handles every error, so it would hide this one.
            self._broken = self._broken or error
        self._steps.plan, self._steps.seen = paused

    def send(self, prepared: Any) -> ProviderResponse:
        """Does what `Provider.send` does, with the sandbox instead of a socket."""
        kind = call_kind(prepared.path_url.partition("?")[0])
        self._steps.reach(f"{kind}.before")
        self._steps.reach(f"{kind}.head")
        reply, rule = self.sandbox.answer(as_call(self.sandbox, prepared))
        self._note_payments()
        self._steps.reach(f"{kind}.left")
        if rule is not None and rule.then in RAW:
            raise AnswerLostError(rule.then)
        self._steps.reach(f"{kind}.came")
        return ProviderResponse(reply.status, reply.body)

    def _note_payments(self) -> None:
        noted = {id(booking) for booking, _ in self._payments}
        there = [*self.sandbox.ledger.bookings, *(late.payment.booking for late in self.sandbox.late)]
        self._payments += [(booking, self._sender) for booking in there if id(booking) not in noted]


def as_call(sandbox: Sandbox, prepared: Any) -> Call:
    """What the sandbox gets of an HTTP request, as `requests` has prepared it."""
    path = prepared.path_url.partition("?")[0]
    for operation in sandbox.operations.values():
        pattern = re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", operation.path)
        match = re.fullmatch(pattern, path)
        if match and operation.method == prepared.method:
            return Call(
                operation=operation.name, method=prepared.method, path=path, parameters=match.groupdict(), query={},
                headers=prepared.headers, content_type=prepared.headers.get("Content-Type", ""),
                body=prepared.body or b"",
            )  # fmt: skip
    raise AssertionError(f"no such address: {prepared.method} {path}")


@contextmanager
def without_logs() -> Iterator[None]:
    """Switch logging off: thousands of orders would fill the screen."""
    level = telemetry.logger.log_level
    telemetry.logger.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        telemetry.logger.setLevel(level)


@contextmanager
def in_process(current: Callable[[], Bench]) -> Iterator[None]:
    """Replace sockets by the sandbox and AWS by memory, for the bench that `current` gives."""
    accepted = Sandbox().providers

    def secret() -> dict[str, str]:
        known = accepted[current().operation.name.partition(".")[0]].secrets._accepted
        return {name: values[0] for name, values in known.items()}

    with ExitStack() as stack:
        stack.enter_context(without_aws("http://sandbox.invalid", secret, lambda: current().token))
        stack.enter_context(mock.patch.object(Provider, "send", lambda _, prepared, *__: current().send(prepared)))
        # Here alone: what real processes have written is in all shards.
        for module in (census, record, store, sweep):
            stack.enter_context(mock.patch.object(module, "SHARDS", FEW_SHARDS))
        yield


@contextmanager
def without_aws(url: str, secret: Callable[[], Mapping[str, Any]], token: Callable[[], MemorySecret]) -> Iterator[None]:
    """Let this process call all providers at this URL, with AWS replaced by memory."""

    def fetch(model: Any) -> tuple[Any, str]:
        return model.model_validate(secret()), "version-1"

    with ExitStack() as stack:
        variables = {**dict.fromkeys(URLS, url), "TABLE_NAME": "records"}
        stack.enter_context(mock.patch.dict("os.environ", variables))
        stack.enter_context(mock.patch.object(credentials, "_fetch_secret", fetch))
        stack.enter_context(in_place(token))
        stack.enter_context(mock.patch.object(vakifbank.LOGINS, "begin", return_value=None))
        stack.enter_context(mock.patch.object(vakifbank.LOGINS, "end"))
        stack.enter_context(mock.patch.object(telemetry, "metrics", NoMetrics()))
        stack.enter_context(mock.patch.object(telemetry, "single_metric"))
        stack.enter_context(without_logs())
        yield
