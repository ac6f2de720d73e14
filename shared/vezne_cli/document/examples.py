"""The document's examples: requests from events/, and what a local stack answers to them."""

import json
import uuid
from typing import Any
from urllib.parse import unquote, urlencode

import httpx

from vezne_cli.catalogue import INQUIRIES, ORDERS, READ, ROUTES
from vezne_cli.processes import ROOT
from vezne_cli.stack import Stack

# Problems and an unknown outcome, shown at one operation for all.
SHOWN_AT = "paynet.capture"
# Its bill is paid once, under whatever key, so it keeps its own.
PAID_ONCE = "walletgate.pay_bill"


def example(name: str) -> dict[str, Any]:
    """The golden API event of a route, as a client sends it."""
    event = json.loads((ROOT / "events" / f"{ROUTES[name].folder}.api.json").read_text())
    query = event["queryStringParameters"] or {}
    return {
        "method": event["httpMethod"],
        "path": event["path"],
        "query": query,
        "url": event["path"] + (f"?{urlencode(query)}" if query else ""),
        "body": json.loads(event["body"]) if event["body"] else None,
        "key": event["headers"].get("Idempotency-Key"),
        # The event has the path as API Gateway hands it over: encoded.
        "parameters": {**{key: unquote(value) for key, value in (event["pathParameters"] or {}).items()}, **query},
    }


def parameters_of(name: str) -> dict[str, str]:
    """Path and query parameters of the golden event."""
    found: dict[str, str] = example(name)["parameters"]
    return found


def answers(stack: Stack) -> dict[str, dict[str, Any]]:
    """Route -> HTTP status -> body, from providers that have just started."""
    stack.sandbox.reset()
    token = stack.token()
    found: dict[str, dict[str, Any]] = {}
    for name in ORDERS:
        found[name] = _kept(_send(stack, token, name, example(name)["key"] if name == PAID_ONCE else None))
    for name in INQUIRIES:
        found[name] = _kept(_send(stack, token, name))
    operation_id = found[SHOWN_AT]["200"]["operation_id"]
    found[READ.name] = _kept(stack.request("GET", f"/operations/{operation_id}", token=token))
    stack.sandbox.rule(SHOWN_AT, "refuse")
    found[SHOWN_AT] |= _kept(_send(stack, token, SHOWN_AT))
    # What names the pre-authorisation is missing.
    found[SHOWN_AT] |= _kept(_send(stack, token, SHOWN_AT, body={"amount": example(SHOWN_AT)["body"]["amount"]}))
    stack.sandbox.rule(SHOWN_AT, "reset")
    # Of another pre-authorisation: a capture just after another of the same one cannot be told from it.
    key, body = uuid.uuid4().hex, {"reference_no": "another", "amount": example(SHOWN_AT)["body"]["amount"]}
    found[SHOWN_AT] |= _kept(_send(stack, token, SHOWN_AT, key, body))
    # An order whose outcome is unknown holds the pre-authorisation: it is looked up before others come.
    assert _send(stack, token, SHOWN_AT, key, body).status_code == 200
    stack.sandbox.remove_rules()
    return found


def _send(stack: Stack, token: str, name: str, key: str | None = None, body: Any = None) -> httpx.Response:
    one = example(name)
    order_key = (key or uuid.uuid4().hex) if name in ORDERS else None
    return stack.request(one["method"], one["url"], token=token, key=order_key, body=body or one["body"])


def _kept(answer: httpx.Response) -> dict[str, Any]:
    return {str(answer.status_code): answer.json()}
