"""An operation by itself, without the path: what it reads in its provider's answers."""

import functools
from collections.abc import Callable
from dataclasses import replace
from importlib import import_module
from typing import Any
from unittest import mock

import simplejson
from vezne.operation import Operation
from vezne.orders.outcome import Finding
from vezne.orders.record import from_item, serialize
from vezne.providers.credentials import RequestCredentials
from vezne.providers.http import Deadline, ProviderResponse, Request

from tests.support.example import Example
from tests.support.harness import START, operation_of
from tests.support.provider_server import Call, Reply
from tests.support.providers import SECRETS

Build = Callable[[RequestCredentials[Any]], Request]
# Reading keeps nothing, so one instance of each operation serves all tests.
_operation: Callable[[str], Operation[Any, Any, Any]] = functools.cache(operation_of)


class Reader:
    """One order of an example, with changes, and its record, as if its answer were lost.

    An answer is a reply of the recording server, or a JSON value that comes with HTTP 200.
    """

    def __init__(self, example: Example, **changes: Any) -> None:
        self.operation = _operation(example.function)
        self.order = replace(example.known(self.operation, **changes), ordered_at=START)
        names = {"id": self.order.operation_id, "operation": self.operation.name, "fingerprint": self.order.fingerprint}
        fixed = {"client_id": "client-1", "status": "unknown", "owner": "me", "evidence": []}
        at = "2026-12-01T06:00:00Z"
        times = {"created_at": at, "updated_at": at, "lease_until": 1, "in_flight_until": int(START) + 27}
        item = {**names, **fixed, **times, "clues": self.operation.lookup_fields(self.order)}
        self.record = from_item({name: serialize(value) for name, value in item.items()})
        self._client = import_module(f"vezne.providers.{example.provider}.client")
        self._credentials = self.operation.client.credential_cache.model.model_validate(SECRETS[example.provider])

    def verdict(self, answer: Any, status: int = 200) -> str:
        """The class of the outcome of an answer below HTTP 500. An error of `read` counts as Unknown."""
        answer = answered(answer, self._call(functools.partial(self.operation.build, self.order)))
        try:
            return type(self.operation.read(self.order, _response(answer, status))).__name__
        except Exception:
            return "Unknown"

    def look_up(self, *answers: Any) -> Finding:
        """What a look-up finds in these answers, one for each call. The last one is repeated."""
        rest = iter(answers)

        def ask(_client: Any, _deadline: Any, build: Build, *_arguments: Any) -> ProviderResponse:
            return _response(answered(next(rest, answers[-1]), self._call(build)))

        with mock.patch.object(self._client, "ask", ask):
            return self.operation.look_up(self.record, Deadline(lambda: 27_000))

    def finding(self, *answers: Any) -> str:
        """The class of it. An error counts as Inconclusive, as on the real path."""
        try:
            return type(self.look_up(*answers)).__name__
        except Exception:
            return "Inconclusive"

    def _call(self, build: Build) -> Call:
        request = build(RequestCredentials(self._credentials, "token", "1"))
        return Call(request.method, request.path, dict(request.headers), request.body)


def answered(answer: Any, call: Call) -> Any:
    """The answer to a call, if it depends on it."""
    return answer(call) if callable(answer) else answer


def _response(answer: Any, status: int = 200) -> ProviderResponse:
    if isinstance(answer, Reply):
        return ProviderResponse(answer.status, answer.body)
    return ProviderResponse(status, simplejson.dumps(answer, use_decimal=True, ensure_ascii=False).encode())
