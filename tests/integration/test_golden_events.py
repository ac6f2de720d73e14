"""The golden events fit the models, and the handlers accept them."""

import json
from pathlib import Path

import pytest
from vezne.api.requests import read_request
from vezne_cli.catalogue import ORDERS
from vezne_cli.golden import EVENTS, golden, golden_event

from tests.support.example import Example
from tests.support.harness import Harness, Response, operation_of
from tests.support.operations import EXAMPLES

each_operation = pytest.mark.parametrize("example", EXAMPLES, ids=str)


def test_every_operation_has_one_of_each_kind_and_an_example() -> None:
    assert sorted(example.operation for example in EXAMPLES) == sorted(ORDERS)
    for order in ORDERS.values():
        assert {path.name for path in EVENTS.glob(f"{order.folder}.*")} == {
            f"{order.folder}.{kind}.json" for kind in ("api", "sweep", "standing_order")
        }


@pytest.mark.parametrize("path", sorted(EVENTS.glob("*.api.json")), ids=lambda path: path.name)
def test_an_api_event_has_the_form_of_api_gateways(path: Path) -> None:
    event = json.loads(path.read_text())
    context = event["requestContext"]
    assert event["resource"] == context["resourcePath"]
    assert context["path"] == f"/{context['stage']}{event['path']}"
    assert event["httpMethod"] == context["httpMethod"]
    # The reference is public.
    assert path.name == "reference.api.json" or context["authorizer"]["claims"]["client_id"]
    assert {name: values[-1] for name, values in event["multiValueHeaders"].items()} == event["headers"]
    filled = event["resource"]
    for name, value in (event["pathParameters"] or {}).items():
        filled = filled.replace(f"{{{name}}}", value)
    assert filled == event["path"]


@each_operation
def test_the_api_event_fits_the_model_and_the_route(example: Example) -> None:
    event, operation = golden_event(example.operation, "api"), operation_of(example.function)
    assert f"{event['httpMethod']} {event['resource']}" == operation.route
    assert event["requestContext"]["authorizer"]["claims"]["scope"].split() == [
        f"vezne/{operation.name}",
        "principal/golden-client",
    ]
    request = read_request(operation.request_model, json.loads(event["body"]), event, "body")
    assert isinstance(request, operation.request_model)


@each_operation
def test_the_api_event_runs(harness: Harness, example: Example) -> None:
    event = golden_event(example.operation, "api")
    route = example.route_of(golden(example.operation).fields)
    harness.server.on(route, example.success)
    answer = harness.handle(example.function, event)
    response = Response(answer["statusCode"], answer["headers"], json.loads(answer["body"]))
    assert (response.status, response.body["status"]) == (200, "succeeded")
    assert len(harness.server.to(route)) == 1


@pytest.mark.parametrize("example", [it for it in EXAMPLES if it.once], ids=str)
@pytest.mark.parametrize("kind", ["api", "standing_order"])
def test_what_is_performed_once_is_named_in_no_other_event(example: Example, kind: str) -> None:
    """Else the local stack refuses the one that comes second."""
    request = golden(example.operation).fields
    if kind == "standing_order":
        request = golden_event(example.operation, kind)["standing_order"]["request"]
    naming = [path.name for path in EVENTS.glob("*.json") if request[example.named_by] in path.read_text()]
    assert naming == [f"{example.function}.{kind}.json"]


@each_operation
def test_the_standing_order_runs(harness: Harness, example: Example) -> None:
    event = golden_event(example.operation, "standing_order")
    request = event["standing_order"]["request"]
    route = example.route_of(request)
    harness.server.on(route, example.success)
    assert harness.handle(example.function, event)["status"] == "succeeded"
    assert len(harness.server.to(route)) == 1


@each_operation
def test_the_sweep_runs(harness: Harness, example: Example) -> None:
    event = golden_event(example.operation, "sweep")
    assert event == {"sweep": {"worker": 0, "of": 1}}
    assert harness.handle(example.function, event)["still_unknown"] == 0


def test_the_read_event_runs(harness: Harness) -> None:
    event = json.loads((EVENTS / "get_operation.api.json").read_text())
    answer = harness.handle("get_operation", event)
    assert answer["statusCode"] == 404
    assert harness.table_calls == ["GetItem"]
