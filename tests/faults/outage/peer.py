"""Powertools' circuit breaker round our calls, as its documentation shows it, instead of ours.

aws_lambda_powertools.utilities.circuit_breaker has its defaults: one circuit for each provider, its state in DynamoDB.
Its code is the installed one. Only two things are replaced: its clock, and what tells its probers apart. That is a
thread there, and an instance here.
"""

import datetime as dt
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any
from unittest import mock

from aws_lambda_powertools.shared.cache_dict import LRUDict
from aws_lambda_powertools.utilities.circuit_breaker import CircuitBreakerOpenError, CircuitState, base, circuit_breaker
from aws_lambda_powertools.utilities.circuit_breaker.persistence import (
    CircuitBreakerDynamoDBPersistence,
    base as persistence_base,
    dynamodb,
)
from vezne.providers.http import NotSentError, ProviderResponse

from tests.faults.outage.fleet import Cell

if TYPE_CHECKING:
    from tests.faults.outage.environment import Environment

Call = Callable[[], ProviderResponse]


class _ServerError(Exception):
    """An answer of 500 or above. The circuit must count it as a failure."""

    def __init__(self, response: ProviderResponse) -> None:
        super().__init__(response.status)
        self.response = response


class PowertoolsCircuit:
    """One circuit for each provider."""

    def __init__(self, environment: "Environment") -> None:
        self._environment = environment
        self._store = CircuitBreakerDynamoDBPersistence("records", boto3_client=environment.table)
        memories = ("_LOCAL_FAILURES", "_LOCAL_SUCCESSES", "_LAST_OBSERVED_STATE")
        cells = [Cell(base, name, dict) for name in memories]
        cells.append(Cell(self._store, "_cache", lambda: LRUDict(max_items=16)))
        for function in environment.fleet.functions.values():
            function.cells += cells

    def call(self, provider: str, send: Call) -> ProviderResponse:
        """Make a call through the circuit. If the circuit is open, the call is "not sent"."""

        @circuit_breaker(name=provider, persistence_store=self._store, on_transition=self._changed)
        def protected() -> ProviderResponse:
            response = send()
            if response.status >= 500:
                raise _ServerError(response)
            return response

        try:
            return protected()
        except _ServerError as error:
            return error.response
        except CircuitBreakerOpenError:
            raise NotSentError("circuit open", 30) from None

    def _changed(self, transition: Any) -> None:
        if transition.to_state is CircuitState.OPEN:
            self._environment.openings.append((self._environment.clock.now, transition.circuit_name))

    def _prober(self) -> str:
        return str(id(self._environment.instance()))

    @contextmanager
    def in_place(self) -> Iterator[None]:
        """Use the circuit on the virtual clock."""
        environment = self._environment

        class Now:
            @staticmethod
            def now() -> dt.datetime:
                return dt.datetime.fromtimestamp(environment.now(), dt.UTC)

        with ExitStack() as stack:
            for module in (base, persistence_base, dynamodb):
                stack.enter_context(mock.patch.object(module, "dt", SimpleNamespace(datetime=Now)))
            stack.enter_context(mock.patch.object(base, "_probe_owner_id", self._prober))
            yield
