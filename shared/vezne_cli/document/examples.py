"""The document's examples: requests from events/, and what a local stack answers to them."""

import uuid
from typing import Any

import httpx

from vezne_cli.catalogue import INQUIRIES, ORDERS, READ
from vezne_cli.golden import golden
from vezne_cli.stack import Stack

# Problems and an unknown outcome, shown at one operation for all.
SHOWN_AT = "paynet.capture"


def answers(stack: Stack) -> dict[str, dict[str, Any]]:
    """Route -> HTTP status -> body, from providers that have just started."""
    stack.sandbox.reset()
    token = stack.token()
    found: dict[str, dict[str, Any]] = {}
    for name in ORDERS:
        found[name] = _kept(_first(stack, token, name))
    for name in INQUIRIES:
        found[name] = _kept(_send(stack, token, name))
    operation_id = found[SHOWN_AT]["200"]["operation_id"]
    found[READ.name] = _kept(stack.request("GET", f"/operations/{operation_id}", token=token))
    stack.sandbox.rule(SHOWN_AT, "refuse")
    found[SHOWN_AT] |= _kept(_send(stack, token, SHOWN_AT))
    # What names the pre-authorisation is missing.
    amount = {"amount": golden(SHOWN_AT).fields["amount"]}
    found[SHOWN_AT] |= _kept(_send(stack, token, SHOWN_AT, body=amount))
    stack.sandbox.rule(SHOWN_AT, "reset")
    # Of another pre-authorisation: a capture just after another of the same one cannot be told from it.
    key, body = uuid.uuid4().hex, {"reference_no": "another", **amount}
    found[SHOWN_AT] |= _kept(_send(stack, token, SHOWN_AT, key, body))
    # An order whose outcome is unknown holds the pre-authorisation: it is looked up before others come.
    assert _send(stack, token, SHOWN_AT, key, body).status_code == 200
    stack.sandbox.remove_rules()
    return found


def _first(stack: Stack, token: str, name: str) -> httpx.Response:
    """The answer to the golden order, performed now if it can be: under another key, if its own was used before."""
    first = _send(stack, token, name, golden(name).key)
    if first.headers.get("Idempotent-Replayed") != "true":
        return first
    again = _send(stack, token, name)
    # What is paid once, under whatever key, keeps its own.
    return again if again.status_code == 200 else first


def _send(stack: Stack, token: str, name: str, key: str | None = None, body: Any = None) -> httpx.Response:
    one = golden(name)
    order_key = (key or uuid.uuid4().hex) if name in ORDERS else None
    return stack.request(one.method, one.url, token=token, key=order_key, body=body or one.body)


def _kept(answer: httpx.Response) -> dict[str, Any]:
    return {str(answer.status_code): answer.json()}
