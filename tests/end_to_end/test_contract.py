"""Answers to orders and inquiries that do not succeed: the document must allow each."""

import os
import subprocess
import sys
import time
from typing import Any

import httpx
import pytest
from vezne_cli.catalogue import INQUIRIES, ORDERS, PROVIDERS, READ
from vezne_cli.connection import STACK_NAME, aws_environment
from vezne_cli.golden import golden
from vezne_cli.processes import ROOT
from vezne_cli.stack import Stack
from vezne_client import Problem

from tests.end_to_end.conformity import breaches, closed_document
from tests.end_to_end.test_inquiries import inquire
from tests.support.operations import OPERATIONS
from tests.support.order import Order, new_order

DOCUMENT = closed_document()
# `then` of a sandbox rule, and its other fields.
ABOUT_AN_ORDER: list[tuple[str, dict[str, Any]]] = [
    ("reset", {"book": False}),
    ("status_500", {"book": False}),
    ("too_many_requests", {}),
    ("refuse", {}),
    ("unauthorized", {"times": 0}),
]
ABOUT_AN_INQUIRY = (
    "reset", "cut", "status_500", "bad_gateway_html", "trailing_comma", "too_many_requests", "unauthorized"
)  # fmt: skip
# Answers that must have been seen. A case that never happens would prove nothing.
SEEN_OF_AN_ORDER = {
    "202 unknown", "200 unknown", "402 declined", "200 declined", "409 in-progress", "200 processing",
    "422 idempotency-key-reused", "400 invalid-request",
}  # fmt: skip
SEEN_OF_AN_INQUIRY = {"400 invalid-request", "502 provider-answer-unreadable", "503 provider-unreachable"}


def told(name: str, answer: httpx.Response) -> str:
    """The status and slug of an answer, after it was compared with the document."""
    assert breaches(DOCUMENT, name, answer) == [], answer.text
    body = answer.json()
    return f"{answer.status_code} {Problem(body).slug or body['status']}"


@pytest.mark.parametrize("name", OPERATIONS)
def test_each_outcome_of_an_order_is_answered_as_documented(stack: Stack, token: str, name: str) -> None:
    def seen_of(one: Order, before_the_key: str = "") -> set[str]:
        """The answer to the order, and the answer to a client that reads its operation then."""
        answer = stack.request("POST", one.path, token=token, key=before_the_key + one.key, body=one.body)
        known = answer.json().get("operation_id")
        if known is None:
            return {told(name, answer)}
        return {told(name, answer), told(READ.name, stack.request("GET", f"/operations/{known}", token=token))}

    seen = set()
    for then, rule in ABOUT_AN_ORDER:
        one = new_order(name, sandbox=stack.sandbox)
        stack.sandbox.remove_rules()
        stack.sandbox.rule(name, then, **rule)
        seen |= seen_of(one)
        if then == "reset":
            seen |= seen_of(one.for_amount("0.40"), "another-key-of-") | seen_of(one.but(unknown=1))
            seen |= seen_of(one.otherwise())
            let_it_be_in_progress(stack, one)
            seen |= seen_of(one)
    stack.sandbox.remove_rules()
    if ORDERS[name].has_guards:
        assert "409 held-by-another-operation" in seen
    # HASO has no separate sign of a wrong token.
    no_sign = ORDERS[name].declaration.decline_may_mean_bad_credentials
    assert seen >= SEEN_OF_AN_ORDER | (set() if no_sign else {"502 provider-rejected-credentials"})


def let_it_be_in_progress(stack: Stack, one: Order) -> None:
    """Give the unknown record of this order the form of one that is being processed."""
    unknown = (record for record in stack.records() if record.get("status") == {"S": "unknown"})
    (made,) = (record for record in unknown if one.reference in str(record["clues"]))
    stack.aws("dynamodb").update_item(
        TableName=stack.table,
        Key={"id": made["id"]},
        UpdateExpression="SET #status = :processing, lease_until = :until",
        ExpressionAttributeNames={"#status": "status"},
        ExpressionAttributeValues={":processing": {"S": "processing"}, ":until": {"N": str(int(time.time()) + 60)}},
    )


@pytest.mark.parametrize("name", OPERATIONS)
def test_an_outcome_decided_by_hand_is_answered_as_documented(stack: Stack, token: str, name: str) -> None:
    one = new_order(name, sandbox=stack.sandbox)
    stack.sandbox.rule(name, "reset", book=False)
    lost = stack.request("POST", one.path, token=token, key=one.key, body=one.body).json()
    # As if minutes had passed, so that no function can still process it.
    stack.aws("dynamodb").update_item(
        TableName=stack.table,
        Key={"id": {"S": lost["operation_id"]}},
        UpdateExpression="SET lease_until = :past, in_flight_until = :past",
        ExpressionAttributeValues={":past": {"N": "1"}},
    )
    subprocess.run(
        [sys.executable, "-m", "vezne_cli", "resolve", "--stack", STACK_NAME, "--confirm", lost["operation_id"],
         lost["operation_id"], "succeeded", "seen on the statement"],
        cwd=ROOT, env={**os.environ, **aws_environment(stack.aws_endpoint_url), "PYTHONPATH": "shared"}, check=True,
        capture_output=True,
    )  # fmt: skip
    again = stack.request("POST", one.path, token=token, key=one.key, body=one.body)
    read = stack.request("GET", f"/operations/{lost['operation_id']}", token=token)
    assert (told(name, again), told(READ.name, read)) == ("200 succeeded", "200 succeeded")
    assert again.json()["result"] == read.json()["result"] == {}


def refused_inquiry(stack: Stack, token: str, name: str) -> httpx.Response:
    """The golden inquiry with a field that no model has."""
    asked = golden(name)
    if asked.body is not None:
        return stack.request(asked.method, asked.path, token=token, body={**asked.body, "none": "1"})
    return stack.request(asked.method, f"{asked.path}?none=1", token=token)


@pytest.mark.parametrize("name", INQUIRIES)
def test_each_outcome_of_an_inquiry_is_answered_as_documented(stack: Stack, token: str, name: str) -> None:
    seen = set()
    for then in ABOUT_AN_INQUIRY:
        stack.sandbox.remove_rules()
        stack.sandbox.rule(name, then, times=0)
        seen.add(told(name, inquire(stack, token, name)))
    stack.sandbox.remove_rules()
    seen.add(told(name, refused_inquiry(stack, token, name)))
    orders = PROVIDERS[INQUIRIES[name].provider].orders.values()
    without_a_sign = any(order.declaration.decline_may_mean_bad_credentials for order in orders)
    refused = "422 inquiry-refused" if without_a_sign else "502 provider-rejected-credentials"
    assert seen >= SEEN_OF_AN_INQUIRY | {refused}
    assert ("422 inquiry-refused" in seen) == without_a_sign


def test_a_product_that_the_platform_does_not_know_is_refused_as_documented(stack: Stack, token: str) -> None:
    unknown = stack.request("GET", "/walletgate/products/none", token=token)
    assert told("walletgate.product_detail", unknown) == "422 inquiry-refused"


def test_an_answer_that_is_not_documented_is_noticed() -> None:
    problem = {"type": "x", "title": "x", "status": 402, "money": "not_moved", "retry": "new_key"}
    kind = {"content-type": "application/problem+json"}
    assert breaches(DOCUMENT, "paynet.check", httpx.Response(402, json=problem, headers=kind)) == ["status 402"]
    assert breaches(DOCUMENT, "paynet.check", httpx.Response(200, json={})) == ["'transactions' is a required property"]
    assert breaches(DOCUMENT, "paynet.check", httpx.Response(200, json=problem, headers=kind)) == [
        "content type application/problem+json"
    ]
    answer = httpx.Response(200, json={"transactions": []}, headers={"Idempotent-Replayed": "true"})
    assert breaches(DOCUMENT, "paynet.check", answer) == ["header Idempotent-Replayed"]
