"""Compares requests with a provider's page, and sends orders whose answers are lost."""

import json
from typing import Any

from vezne.orders.record import OWN_CALLS

from tests.support.example import Example
from tests.support.harness import Harness, Response
from tests.support.provider_server import HANG_UP, Answering, Call


def literals(text: str | bytes) -> Any:
    """A JSON text with its members in order and its numbers as written: `200.0` is not `200`."""

    def number(kind: str) -> Any:
        return lambda literal: (kind, literal)

    return json.loads(text, object_pairs_hook=list, parse_int=number("int"), parse_float=number("float"))


def header(call: Call, name: str) -> str | None:
    return {key.lower(): value for key, value in call.headers.items()}.get(name.lower())


def the_call(harness: Harness, example: Example) -> Call:
    """The one call that moved money."""
    (call,) = harness.server.to(example.route)
    return call


def answered(harness: Harness, example: Example, reply: Answering, **order: Any) -> Response:
    """Send one order. The provider gives this answer."""
    harness.server.on(example.route, reply)
    return harness.send(example, **order)


def unknown_order(harness: Harness, example: Example, **order: Any) -> str:
    """Send an order whose answer is lost. Returns its operation id, and forgets the recorded money calls."""
    response = answered(harness, example, HANG_UP, **order)
    assert response.status == 202
    harness.server.calls.clear()
    return str(response.body["operation_id"])


def looked_up(harness: Harness, example: Example, reply: Answering, **order: Any) -> Response:
    """Repeat the order under the same key after its lease, with this answer to the look-up."""
    harness.clock.advance(60)
    harness.server.on(example.look_up_route, reply)
    return harness.send(example, **order)


def findings(harness: Harness, operation_id: str) -> list[str]:
    """The finding of each look-up, from the record."""
    return [entry["finding"] for entry in harness.record(operation_id).evidence if entry["asked"] not in OWN_CALLS]
