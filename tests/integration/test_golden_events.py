"""The golden events fit the models, and the handlers take them."""

import json
from pathlib import Path
from typing import Any

import pytest
from vezne.api.requests import read_request

from tests.support.bench import ROOT, Harness, Response, operation_of
from tests.support.examples import EXAMPLES, Example
from tests.support.provider_server import Call, Reply

EVENTS = ROOT / "events"
each_operation = pytest.mark.parametrize("example", EXAMPLES, ids=str)


def golden(example: Example, kind: str) -> dict[str, Any]:
    event: dict[str, Any] = json.loads((EVENTS / f"{example.function}.{kind}.json").read_text())
    return event


def accepting(example: Example, event_body: dict[str, Any]) -> Any:
    """The provider's success for the golden order, which is not the example's."""

    def answer(call: Call) -> Reply:
        reply = example.success(call) if callable(example.success) else example.success
        body = json.loads(reply.body)
        if example.operation == "kolaybi.collect":
            body["data"] |= {"amount": event_body["amount"], "currency": event_body["currency"]}
        if example.operation == "walletgate.pay_bill":
            oid = event_body["inv_payment_transaction_query_oid"]
            amount = event_body["payment_amount"]
            body["payload"] |= {"inv_payment_transaction_query_oid": oid, "transaction_amount": amount}
        return Reply(200, json.dumps(body).encode())

    return answer


def test_every_operation_has_one_of_each_kind() -> None:
    for example in EXAMPLES:
        assert {path.name for path in EVENTS.glob(f"{example.function}.*")} == {
            f"{example.function}.{kind}.json" for kind in ("api", "sweep", "standing_order")
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
    event, operation = golden(example, "api"), operation_of(example.function)
    assert f"{event['httpMethod']} {event['resource']}" == operation.route
    assert event["requestContext"]["authorizer"]["claims"]["scope"].split() == [
        f"vezne/{operation.name}",
        "principal/golden-client",
    ]
    request = read_request(operation.request_model, json.loads(event["body"]), event, "body")
    assert isinstance(request, operation.request_model)


@each_operation
def test_the_api_event_runs(bench: Harness, example: Example) -> None:
    event = golden(example, "api")
    body = json.loads(event["body"])
    route = golden_route(example, event["pathParameters"] or {})
    bench.server.on(route, accepting(example, body))
    answer = bench.handle(example.function, event)
    response = Response(answer["statusCode"], answer["headers"], json.loads(answer["body"]))
    assert (response.status, response.body["status"]) == (200, "succeeded")
    assert len(bench.server.to(route)) == 1


@each_operation
def test_the_standing_order_runs(bench: Harness, example: Example) -> None:
    event = golden(example, "standing_order")
    request = event["standing_order"]["request"]
    route = golden_route(example, {name: str(value) for name, value in request.items()})
    bench.server.on(route, accepting(example, request))
    assert bench.handle(example.function, event)["status"] == "succeeded"
    assert len(bench.server.to(route)) == 1


@each_operation
def test_the_sweep_runs(bench: Harness, example: Example) -> None:
    event = golden(example, "sweep")
    assert (event["detail-type"], event["source"]) == ("Scheduled Event", "aws.events")
    assert bench.handle(example.function, event)["still_unknown"] == 0


def test_the_read_event_runs(bench: Harness) -> None:
    event = json.loads((EVENTS / "get_operation.api.json").read_text())
    answer = bench.handle("get_operation", event)
    assert answer["statusCode"] == 404
    assert bench.table_calls == ["GetItem"]


def golden_route(example: Example, parameters: dict[str, str]) -> str:
    if "associate_id" in parameters:
        return f"POST /kolaybi/v1/associates/{parameters['associate_id']}/transactions/proceed"
    return example.route
