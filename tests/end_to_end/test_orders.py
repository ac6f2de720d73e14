"""The five operations through the deployed template: sent once, answered, replayed, read back by their owner only."""

import json
from decimal import Decimal

import httpx
import pytest

from tests.end_to_end.examples import OPERATIONS, Example, example
from tests.stack import Stack
from tests.stack.orders import golden_order, send


def order(stack: Stack, one: Example, token: str, key: str | None = None) -> httpx.Response:
    return stack.request("POST", one.path, token=token, key=key or one.key, body=one.body)


def booked(stack: Stack, one: Example) -> list[Decimal]:
    return [Decimal(booking["amount"]) for booking in stack.sandbox.bookings(one.provider, one.reference)]


@pytest.mark.parametrize("operation", OPERATIONS)
def test_an_order_moves_the_money_once_and_is_replayed(stack: Stack, token: str, operation: str) -> None:
    one = example(operation)
    first = order(stack, one, token)
    assert first.status_code == 200, first.text
    assert first.headers["content-type"] == "application/json"
    assert "idempotent-replayed" not in first.headers
    resource = first.json()
    assert resource["operation"] == operation
    assert resource["status"] == "succeeded"
    assert resource["result"]
    assert booked(stack, one) == [Decimal("10.50")]

    again = order(stack, one, token)
    assert again.status_code == 200
    assert again.headers["idempotent-replayed"] == "true"
    assert again.json() == resource
    assert booked(stack, one) == [Decimal("10.50")]

    read = stack.request("GET", f"/operations/{resource['operation_id']}", token=token)
    assert read.status_code == 200
    assert read.json() == resource


@pytest.mark.parametrize("operation", OPERATIONS)
def test_the_golden_order_succeeds(stack: Stack, token: str, operation: str) -> None:
    sent = send(stack, golden_order(operation), token)
    assert sent.succeeded, sent.response.text
    assert sent.reference() != "-"


def test_another_key_is_another_order(stack: Stack, token: str) -> None:
    one = example("paynet.capture")
    first, second = order(stack, one, token), order(stack, one, token, key=f"{one.key}-b")
    assert first.json()["operation_id"] != second.json()["operation_id"]
    assert booked(stack, one) == [Decimal("10.50")] * 2


def test_two_clients_with_the_same_key_do_not_collide(stack: Stack, token: str) -> None:
    other = stack.token(stack.new_client("other"))
    one = example("paynet.capture")
    ours, theirs = order(stack, one, token), order(stack, one, other)
    assert ours.json()["operation_id"] != theirs.json()["operation_id"]
    assert "idempotent-replayed" not in theirs.headers
    assert booked(stack, one) == [Decimal("10.50")] * 2


def test_another_clients_operation_is_not_found(stack: Stack, token: str) -> None:
    operation_id = order(stack, example("paynet.capture"), token).json()["operation_id"]
    other = stack.token(stack.new_client("reader", ["operations.read"]))
    refused = stack.request("GET", f"/operations/{operation_id}", token=other)
    unknown = stack.request("GET", f"/operations/op_{'a' * 26}", token=other)
    assert refused.status_code == unknown.status_code == 404
    # Word for word the same: the answer does not tell that the operation exists.
    assert refused.content == unknown.content


def test_an_amount_is_taken_exactly_as_written(stack: Stack, token: str) -> None:
    one = example("vakifbank.pay")
    # A JSON number: no float may come between it and the provider.
    content = b'{"amount": 1234567.89, ' + json.dumps(one.but(amount=None).body).encode()[1:]
    answer = stack.request("POST", one.path, token=token, key=one.key, content=content)
    assert answer.status_code == 200, answer.text
    assert booked(stack, one) == [Decimal("1234567.89")]


def test_a_capture_without_amount_takes_the_whole(stack: Stack, token: str) -> None:
    one = example("paynet.capture").but(amount=None)
    stack.sandbox.seed(paynet={"pre_authorisations": [{"reference_no": one.reference, "amount": "77.10"}]})
    assert order(stack, one, token).status_code == 200
    assert booked(stack, one) == [Decimal("77.10")]


def test_a_lost_answer_is_unknown_and_never_sent_again(stack: Stack, token: str) -> None:
    one = example("kolaybi.collect")
    stack.sandbox.rule("kolaybi.collect", "reset")
    stack.sandbox.rule("kolaybi.list_transactions", "fail", times=0)
    answer = order(stack, one, token)
    assert answer.status_code == 202, answer.text
    unknown = answer.json()
    assert unknown["status"] == "unknown"
    assert unknown["money"] == "unknown"
    assert unknown["retry"] == "same_key"
    assert answer.headers["location"].endswith(f"/operations/{unknown['operation_id']}")
    assert int(answer.headers["retry-after"]) > 0

    assert order(stack, one, token).status_code == 202
    read = stack.request("GET", f"/operations/{unknown['operation_id']}", token=token)
    assert read.json()["status"] == "unknown"
    assert len(booked(stack, one)) == 1

    # The provider can be asked again: the marker in its list is the evidence.
    stack.sandbox.remove_rules()
    settled = order(stack, one, token)
    assert settled.status_code == 200, settled.text
    assert settled.json()["status"] == "succeeded"
    assert len(booked(stack, one)) == 1
