"""Replaces time, AWS and sockets by the virtual clock, the table and the providers.

It replaces the same things as `in_process.py`. Here time passes too, for many instances.
"""

import importlib
import random
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, nullcontext
from functools import partial
from types import ModuleType
from typing import TYPE_CHECKING, Any
from unittest import mock

from vezne.api import handle_order
from vezne.orders import breaker as breaker_module, census, store
from vezne.orders.breaker import Breaker
from vezne.orders.store import Store
from vezne.platform import telemetry
from vezne.providers import credentials
from vezne.providers.http import (
    FINALISE_SECONDS,
    READ_SECONDS,
    SHORTEST_READ_SECONDS,
    AnswerLostError,
    Deadline,
    NotSentError,
    Provider,
    ProviderResponse,
)
from vezne_cli.catalogue import ORDERS, PROVIDERS, URLS
from vezne_sandbox.sandbox import Sandbox

from tests.faults.in_process import without_logs
from tests.faults.outage.fleet import Cell, Function
from tests.support import memory_secret

if TYPE_CHECKING:
    from tests.faults.outage.environment import Environment

SECRET_SECONDS = 0.03


def function_of(operation: str, reserved: int | None = None) -> Function:
    """The deployed function of an operation, with the memory of its instances."""
    module = importlib.import_module(ORDERS[operation].module)
    provider = PROVIDERS[ORDERS[operation].provider]
    remembering: list[Any] = [provider.client.credential_cache, provider.client.provider]
    if provider.locks_logins:
        remembering.append(provider.module.LOGINS)
    cells = [*map(_own, remembering), Cell(census, "_last", dict), Cell(breaker_module, "_breakers", dict)]
    return Function(operation, module.handler, cells, reserved)


def _own(remembering: Any) -> Cell:
    """The attributes of a new object."""
    if hasattr(remembering, "forget"):
        remembering.forget()
    pristine = dict(vars(remembering))
    return Cell(remembering, "__dict__", lambda: dict(pristine))


class _Time(ModuleType):
    """The module `time` for Vezne's code."""

    def __init__(self, environment: "Environment") -> None:
        super().__init__("time")
        self._environment = environment

    def time(self) -> float:
        return self._environment.now()

    monotonic = time

    def sleep(self, seconds: float) -> None:
        self._environment.instance().wait(seconds)

    def __getattr__(self, name: str) -> Any:
        return getattr(time, name)


class _Metrics:
    """Counts the metrics. The time of each new unknown outcome is kept."""

    metric_set = ()

    def __init__(self, environment: "Environment") -> None:
        self._environment = environment
        self._operation = ""

    def add_dimension(self, name: str, value: str) -> None:
        self._operation = value

    def add_metric(self, name: str, unit: Any, value: float) -> None:
        self._environment.count(name, self._operation, value)


class _Timers:
    """Timers on the virtual clock."""

    def __init__(self, environment: "Environment") -> None:
        self._environment = environment

    def schedule(self, seconds: float, act: Callable[[], None]) -> list[Callable[[], None]]:
        acts = [act]
        self._environment.clock.after(seconds, lambda: acts.pop()() if acts else None)
        return acts

    def cancel(self, timer: list[Callable[[], None]]) -> None:
        timer.clear()


@contextmanager
def _without_breaker() -> Iterator[None]:
    """Switch the breaker off: every order and look-up may be sent, and nothing is reported."""
    nothing: dict[str, Any] = {"admit": None, "may_look_up": True, "call": nullcontext(), "tell": None, "leave": None}
    with ExitStack() as stack:
        for name, answer in nothing.items():
            # No mock: it would keep every call.
            stack.enter_context(mock.patch.object(Breaker, name, lambda *_, answer=answer, **__: answer))
        yield


@contextmanager
def in_place(environment: "Environment", *, breaker: bool = True) -> Iterator[None]:
    """Replace them in all of Vezne's modules, until the end of the block. Then end the calls that still wait."""
    secrets = Sandbox()

    def fetch(model: Any) -> tuple[Any, str]:
        environment.instance().takes(SECRET_SECONDS)
        provider = next(each for each in PROVIDERS.values() if each.credentials is model)
        accepted = secrets.providers[provider.name].secrets._accepted
        return model.model_validate({name: values[0] for name, values in accepted.items()}), "version-1"

    token = memory_secret.MemorySecret(lambda: environment.instance().takes(SECRET_SECONDS))
    clock = _Time(environment)
    with ExitStack() as stack:
        variables = {**{name: f"http://{name}.invalid" for name in URLS}, "TABLE_NAME": "records"}
        stack.enter_context(mock.patch.dict("os.environ", variables))
        for name, module in list(sys.modules.items()):
            if name.startswith("vezne.") and getattr(module, "time", None) is time:
                stack.enter_context(mock.patch.object(module, "time", clock))
        stack.enter_context(mock.patch.object(handle_order, "Store", partial(Store, environment.now)))
        stack.enter_context(mock.patch.object(store, "_client", return_value=environment.table))
        stack.enter_context(mock.patch.object(Provider, "send", _sender(environment)))
        stack.enter_context(mock.patch.object(breaker_module, "_timers", _Timers(environment)))
        # Its waits are chosen by chance: the same in every run.
        stack.enter_context(mock.patch.object(breaker_module, "random", random.Random(1)))
        if not breaker:
            stack.enter_context(_without_breaker())
        if environment.circuit is not None:
            stack.enter_context(environment.circuit.in_place())
        stack.enter_context(mock.patch.object(credentials, "_fetch_secret", fetch))
        stack.enter_context(memory_secret.in_place(lambda: token))
        stack.enter_context(mock.patch.object(telemetry, "metrics", _Metrics(environment)))
        stack.enter_context(mock.patch.object(telemetry, "single_metric", _single_metric))
        stack.enter_context(without_logs())
        yield


class _Nothing:
    def add_dimension(self, **_: Any) -> None:
        pass


@contextmanager
def _single_metric(**_: Any) -> Iterator[Any]:
    yield _Nothing()


def _sender(environment: "Environment") -> Any:
    def send(provider: Provider, prepared: Any, deadline: Deadline, longest: float = READ_SECONDS) -> ProviderResponse:
        """Does what `Provider.send` does, without a socket."""
        seconds = min(longest, deadline.left() - FINALISE_SECONDS)
        if seconds < SHORTEST_READ_SECONDS:
            raise NotSentError("TimeoutError")
        name = environment.provider_at(provider.url_variable)
        if environment.circuit is None:
            return _exchange(environment, name, prepared, seconds)
        return environment.circuit.call(name, lambda: _exchange(environment, name, prepared, seconds))

    return send


def _exchange(environment: "Environment", provider: str, prepared: Any, seconds: float) -> ProviderResponse:
    instance = environment.instance()
    answer = environment.answer(provider, prepared)
    if answer.status is None or answer.seconds >= seconds:
        instance.wait(seconds)
        raise AnswerLostError("deadline")
    instance.wait(answer.seconds)
    return ProviderResponse(answer.status, answer.body)
