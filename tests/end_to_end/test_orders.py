"""Orders through the deployed template: sent once, answered, replayed, and read only by their client."""

import json
from dataclasses import replace
from decimal import Decimal
from urllib.parse import urljoin

import httpx
import pytest
from vezne_cli.catalogue import ORDERS
from vezne_cli.golden import golden
from vezne_cli.orders import send
from vezne_cli.stack import Stack
from vezne_client import Client

from tests.end_to_end.callers import credentials, heard_by
from tests.support.operations import OPERATIONS, of
from tests.support.order import Order, new_order


def order(stack: Stack, one: Order, token: str, key: str | None = None) -> httpx.Response:
    return stack.request("POST", one.path, token=token, key=key or one.key, body=one.body)


def booked(stack: Stack, one: Order) -> list[Decimal]:
    return one.bookings(stack.sandbox)


@pytest.mark.parametrize("operation", OPERATIONS)
def test_an_order_moves_the_money_once_and_is_replayed(stack: Stack, vezne: Client, operation: str) -> None:
    one = new_order(operation, sandbox=stack.sandbox)
    heard = heard_by(vezne)
    done = vezne.order(one.call, one.request, key=one.key)
    first = heard[-1]
    assert first.headers["content-type"] == "application/json"
    assert "idempotent-replayed" not in first.headers
    resource = first.json()
    assert (resource["operation"], resource["status"]) == (operation, "succeeded")
    assert resource["result"]
    assert (done.operation_id, done.result.public()) == (resource["operation_id"], resource["result"])
    assert booked(stack, one) == [Decimal(one.amount)]

    again = vezne.order(one.call, one.request, key=one.key)
    assert heard[-1].headers["idempotent-replayed"] == "true"
    assert heard[-1].json() == resource
    assert again == replace(done, replayed=True)
    assert booked(stack, one) == [Decimal(one.amount)]

    read = vezne.read(done.operation_id)
    assert heard[-1].json() == resource
    assert (read.operation, read.status, read.result) == (operation, "succeeded", done.result)


@pytest.mark.parametrize("operation", OPERATIONS)
def test_the_golden_order_succeeds(stack: Stack, token: str, operation: str) -> None:
    if of(operation).once:
        stack.sandbox.reset()
    sent = send(stack, golden(operation), token)
    assert sent.succeeded, sent.response.text
    assert sent.reference() != "-"


def test_the_callers_own_fields_come_back_beside_what_every_answer_has(stack: Stack, vezne: Client) -> None:
    one = new_order("paynet.capture")
    label = {"reference": f"Fatura {one.mark}", "metadata": {"shop": "Kadıköy"}}
    done = vezne.order(one.call, one.request, key=one.key, **label)
    again = vezne.order(one.call, one.request, key=one.key, reference="another")
    read = vezne.read(done.operation_id)
    for told in (done.envelope, again.envelope, read):
        assert {"reference": told.reference, "metadata": told.metadata} == label
        assert (told.amount, told.currency) == (Decimal(one.amount), "TRY")
        assert (told.provider_reference, told.booked_at is not None) == (done.result.xact_id, True)
    assert (again.replayed, read.money, read.retry) == (True, "moved", None)
    assert booked(stack, one) == [Decimal(one.amount)]


@pytest.mark.parametrize("operation", OPERATIONS)
def test_a_dry_run_shows_the_request_and_sends_nothing(stack: Stack, vezne: Client, operation: str) -> None:
    one = new_order(operation, sandbox=stack.sandbox)
    told = vezne.dry_run(one.call, one.request, key=one.key)
    assert (told.status, told.money, told.operation_id) == ("would_send", "not_moved", None)
    assert told.request["body"]
    assert booked(stack, one) == []
    done = vezne.order(one.call, one.request, key=one.key)
    assert not done.replayed
    assert booked(stack, one) == [Decimal(one.amount)]
    again = vezne.dry_run(one.call, one.request, key=one.key)
    moved = "moved" if ORDERS[operation].declaration.moves_money else "not_moved"
    assert (again.status, again.money, again.operation_id) == ("would_not_send", moved, done.operation_id)
    assert booked(stack, one) == [Decimal(one.amount)]


def test_a_client_lists_its_own_orders_page_by_page(stack: Stack) -> None:
    made = stack.new_client("lister")
    with Client(stack.api_url, credentials(stack, made)) as lister:
        orders = [new_order("paynet.capture")]
        orders.append(new_order("kolaybi.collect"))
        done = [lister.order(one.call, one.request, key=one.key, reference=f"R {one.mark}") for one in orders]
        newest_first = [one.operation_id for one in reversed(done)]
        assert [one.operation_id for one in lister.operations()] == newest_first
        for one, its in zip(orders, done, strict=True):
            for how in ({"key": one.key}, {"reference": f"R {one.mark}"}, {"operation": one.operation}):
                (found,) = lister.operations(**how)
                assert found == lister.read(its.operation_id)
        assert list(lister.operations(status="unknown")) == []
    token = stack.token(made)
    first = stack.request("GET", "/operations?limit=1", token=token).json()
    second = stack.request("GET", f"/operations?limit=1&cursor={first['next_cursor']}", token=token).json()
    assert [it["operations"][0]["operation_id"] for it in (first, second)] == newest_first
    assert stack.request("GET", "/operations?status=none", token=token).status_code == 400


def test_a_parameter_is_decoded_once(stack: Stack, token: str) -> None:
    """The gateway passes the parameter on percent-encoded, with a slash in it."""
    one = new_order("haso.set_expenses")
    one = one.but(transaction_code=f"T/{one.mark}")
    assert "%2F" in one.path
    answer = stack.request("POST", one.path, token=token, key=one.key, body=one.body)
    assert answer.status_code == 200, answer.text
    assert booked(stack, one) == [Decimal("10.50")]
    twice = stack.request("POST", one.path.replace("%2F", "%252F"), token=token, key=f"{one.key}-b", body=one.body)
    assert (twice.status_code, twice.json()["errors"][0]["place"]) == (400, "path.transaction_code")


def test_another_key_is_another_order(stack: Stack, vezne: Client) -> None:
    one = new_order("paynet.capture")
    first, second = (vezne.order(one.call, one.request, key=key) for key in (one.key, f"{one.key}-b"))
    assert first.operation_id != second.operation_id
    assert booked(stack, one) == [Decimal("10.50")] * 2


def test_two_clients_with_the_same_key_do_not_collide(stack: Stack, vezne: Client) -> None:
    one = new_order("paynet.capture")
    ours = vezne.order(one.call, one.request, key=one.key)
    with Client(stack.api_url, credentials(stack, stack.new_client("other"))) as other:
        theirs = other.order(one.call, one.request, key=one.key)
    assert ours.operation_id != theirs.operation_id
    assert not theirs.replayed
    assert booked(stack, one) == [Decimal("10.50")] * 2


def test_another_clients_operation_is_not_found(stack: Stack, vezne: Client) -> None:
    one = new_order("paynet.capture")
    operation_id = vezne.order(one.call, one.request).operation_id
    other = stack.token(stack.new_client("reader", ["operations.read"]))
    refused = stack.request("GET", f"/operations/{operation_id}", token=other)
    unknown = stack.request("GET", f"/operations/op_{'a' * 26}", token=other)
    assert refused.status_code == unknown.status_code == 404
    # The text is the same, so the answer does not tell that the operation exists.
    assert refused.content == unknown.content


def test_an_amount_is_taken_exactly_as_written(stack: Stack, token: str) -> None:
    one = new_order("vakifbank.pay")
    # A JSON number. It must never become a float on its way to the provider.
    content = b'{"amount": 1234567.89, ' + json.dumps(one.but(amount=None).body).encode()[1:]
    answer = stack.request("POST", one.path, token=token, key=one.key, content=content)
    assert answer.status_code == 200, answer.text
    assert booked(stack, one) == [Decimal("1234567.89")]


def test_a_lost_answer_is_unknown_and_never_sent_again(stack: Stack, token: str, vezne: Client) -> None:
    one = new_order("kolaybi.collect")
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

    # After some seconds the provider is asked again. The marker in its list is the evidence.
    stack.sandbox.remove_rules()
    final = vezne.order(one.call, one.request, key=one.key, wait_seconds=20)
    assert final.operation_id == unknown["operation_id"]
    assert len(booked(stack, one)) == 1


def test_the_urls_of_an_order_and_of_a_problem_resolve_against_the_address(stack: Stack, token: str) -> None:
    one = new_order("paynet.capture")
    stack.sandbox.rule("paynet.capture", "reset")
    lost = order(stack, one, token)
    assert lost.status_code == 202
    place = urljoin(str(lost.url), lost.headers["location"])
    assert place.startswith(f"{stack.api_url}/operations/op_")
    read = stack.http.get(place, headers={"Authorization": f"Bearer {token}"})
    assert read.json()["operation_id"] == lost.json()["operation_id"]
    refused = stack.request("POST", one.path, token=token, body=one.body)
    assert stack.http.get(urljoin(str(refused.url), refused.json()["type"])).status_code == 200


def test_a_token_comes_from_the_address_and_the_client_id_that_aws_gives(stack: Stack) -> None:
    assert stack.token_url == stack.api_url.removesuffix("/local") + "/oauth2/token"
    own = stack.first_client
    for headers in ({}, {"Host": stack.token_host}):
        answer = stack.http.post(
            stack.token_url, headers=headers, auth=(own.id, own.secret), data={"grant_type": "client_credentials"}
        )
        assert answer.status_code == 200, answer.text
        token = answer.json()["access_token"]
        assert stack.request("GET", "/operations/op_none", token=token).status_code in (400, 404)
