"""Every refusal over HTTP: each has its own problem, and none moves money."""

import json
from typing import Any

import httpx
import pytest
from vezne_cli.stack import Stack

from tests.end_to_end.reconfigure import reconfigured
from tests.support.operations import OPERATIONS
from tests.support.order import Order, new_order

MEMBERS = {"type", "code", "title", "status", "money", "retry"}


def post(stack: Stack, one: Order, token: str | None, **changes: Any) -> httpx.Response:
    arguments: dict[str, Any] = {"token": token, "key": one.key, "body": one.body, **changes}
    return stack.request("POST", one.path, **arguments)


def assert_problem(
    answer: httpx.Response, status: int, slug: str, money: str = "not_moved", retry: str = "never"
) -> dict[str, Any]:
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    problem: dict[str, Any] = answer.json()
    assert problem.keys() >= MEMBERS
    assert (problem["type"], problem["status"]) == (f"/local/problems/{slug}", status)
    assert (problem["money"], problem["retry"]) == (money, retry)
    return problem


def assert_nothing_booked(stack: Stack, one: Order) -> None:
    assert stack.sandbox.bookings(one.provider, one.reference) == []


# ------------------------------------------------------------------ at the gateway


@pytest.mark.parametrize("operation", OPERATIONS)
def test_no_token(stack: Stack, operation: str) -> None:
    one = new_order(operation, sandbox=stack.sandbox)
    answer = post(stack, one, None)
    assert_problem(answer, 401, "unauthorized", money="unknown", retry="same_key")
    assert answer.headers["www-authenticate"] == "Bearer"
    assert_nothing_booked(stack, one)


@pytest.mark.parametrize("operation", OPERATIONS)
def test_a_token_with_every_scope_but_this_one(stack: Stack, operation: str) -> None:
    one = new_order(operation, sandbox=stack.sandbox)
    others = [f"vezne/{name}" for name in (*OPERATIONS, "operations.read") if name != operation]
    assert_problem(post(stack, one, stack.token(scopes=others)), 401, "unauthorized", money="unknown", retry="same_key")
    assert_nothing_booked(stack, one)


def test_reading_needs_its_own_scope(stack: Stack, token: str) -> None:
    operation_id = post(stack, new_order("paynet.capture"), token).json()["operation_id"]
    paying = stack.token(scopes=[f"vezne/{name}" for name in OPERATIONS])
    answer = stack.request("GET", f"/operations/{operation_id}", token=paying)
    assert_problem(answer, 401, "unauthorized", money="unknown", retry="same_key")


def test_a_client_cannot_ask_for_a_scope_it_was_not_given(stack: Stack) -> None:
    reader = stack.new_client("reader-only", ["operations.read"])
    with pytest.raises(httpx.HTTPStatusError):
        stack.token(reader, scopes=["vezne/paynet.capture"])


def test_a_forged_token(stack: Stack, token: str) -> None:
    one = new_order("paynet.capture")
    head, claims, signature = token.split(".")
    other_signature = signature[:-8] + ("AAAAAAAA" if not signature.endswith("AAAAAAAA") else "BBBBBBBB")
    for forged in (f"{head}.{claims}.{other_signature}", f"{head}.{claims}.", "no-token-at-all"):
        assert_problem(post(stack, one, forged), 401, "unauthorized", money="unknown", retry="same_key")
    assert_nothing_booked(stack, one)


def test_a_route_that_does_not_exist(stack: Stack, token: str) -> None:
    assert_problem(stack.request("POST", "/paynet/refunds", token=token, body={}), 404, "route-not-found")
    assert_problem(stack.request("GET", "/paynet/captures", token=token), 404, "route-not-found")


# ------------------------------------------------------------------ the request does not fit


def test_a_body_of_64_kib_and_one_byte_more(stack: Stack, token: str) -> None:
    one = new_order("kolaybi.collect")
    # JSON may end with blanks.
    longest = json.dumps(one.body, ensure_ascii=False).encode().ljust(65536)
    assert post(stack, one, token, body=None, content=longest).status_code == 200
    refused = post(stack, one, token, key=f"{one.key}-b", body=None, content=longest + b" ")
    assert_problem(refused, 413, "too-large")
    assert len(stack.sandbox.bookings("kolaybi", one.reference)) == 1


@pytest.mark.parametrize("operation_id", ["nonsense", f"op_{'a' * 26}", f"op_{'A' * 26}", "guard%23paynet.capture%23a"])
def test_an_operation_that_does_not_exist(stack: Stack, token: str, operation_id: str) -> None:
    answer = stack.request("GET", f"/operations/{operation_id}", token=token)
    assert answer.status_code == 404
    assert answer.json()["type"] == "/local/problems/operation-not-found"


# ------------------------------------------------------------------ the order is not executed


@pytest.mark.parametrize("operation", OPERATIONS)
def test_a_provider_that_declines(stack: Stack, token: str, operation: str) -> None:
    one = new_order(operation, sandbox=stack.sandbox)
    stack.sandbox.rule(operation, "refuse")
    answer = post(stack, one, token)
    problem = assert_problem(answer, 402, "declined", retry="new_key")
    assert problem["operation_id"].startswith("op_")
    assert_nothing_booked(stack, one)
    # The decline is the final outcome. The same key gets it again, and nothing is sent.
    again = post(stack, one, token)
    assert again.json() == problem
    assert again.headers["idempotent-replayed"] == "true"
    assert_nothing_booked(stack, one)


# ------------------------------------------------------------------ nothing was sent


def test_a_provider_that_cannot_be_reached(stack: Stack, token: str) -> None:
    one = new_order("paynet.capture")
    with reconfigured(stack, "paynet.capture", {"PAYNET_URL": "http://127.0.0.1:9"}):
        answer = post(stack, one, token)
        assert_problem(answer, 503, "provider-unreachable", retry="same_key")
    assert_nothing_booked(stack, one)
    assert post(stack, one, token).status_code == 200


def test_a_fault_of_ours_before_the_claim(stack: Stack, token: str) -> None:
    one = new_order("paynet.capture")
    with reconfigured(stack, "paynet.capture", {"TABLE_NAME": None}):
        answer = post(stack, one, token)
        problem = assert_problem(answer, 500, "internal", money="unknown", retry="same_key")
    assert "TABLE_NAME" not in json.dumps(problem)
    assert_nothing_booked(stack, one)
