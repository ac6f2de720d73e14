"""Every way to be refused, reached over HTTP: each its own problem, and never a payment."""

import json
import uuid
from typing import Any

import httpx
import pytest
from vezne_cli.stack import Stack

from tests.end_to_end.reconfigure import reconfigured
from tests.support.operations import OPERATIONS
from tests.support.order import Order, new_order

MEMBERS = {"type", "title", "status", "money", "retry"}


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

CONTENTS = [
    (b"", "body"),
    (b"{", "body"),
    (b"[]", "body"),
    (b'"text"', "body"),
    (b'{"reference_no": "a", "amount": "1.00", "amount": "99.00"}', "body"),
    (b'{"reference_no": "a", "amount": NaN}', "body"),
    (b'{"reference_no": "a", "amount": 1e400}', "body.amount"),
    (b'{"reference_no": "a", "amount": 10.005}', "body.amount"),
    (b'{"reference_no": "a", "amount": "10,50"}', "body.amount"),
    (b'{"reference_no": "a", "amount": 0}', "body.amount"),
    (b'{"reference_no": "a", "amount": -1}', "body.amount"),
    (b'{"reference_no": "a", "amount": true}', "body.amount"),
    (b'{"reference_no": "a", "amounts": "1.00"}', "body.amounts"),
    (b'{"amount": "1.00"}', "body"),
    (b'{"reference_no": 5, "amount": "1.00"}', "body.reference_no"),
    (b"[" * 20000 + b"]" * 20000, "body"),
]


@pytest.mark.parametrize(("content", "place"), CONTENTS, ids=[content[:60].decode() for content, _ in CONTENTS])
def test_a_body_that_does_not_fit(stack: Stack, token: str, content: bytes, place: str) -> None:
    before = len(stack.sandbox.calls())
    answer = stack.request("POST", "/paynet/captures", token=token, key=uuid.uuid4().hex, content=content)
    problem = assert_problem(answer, 400, "invalid-request")
    assert place in [error["place"] for error in problem["errors"]], problem
    assert all(error["reason"] for error in problem["errors"])
    assert len(stack.sandbox.calls()) == before


@pytest.mark.parametrize(
    ("headers", "key"),
    [({}, None), ({"Idempotency-Key": ""}, None), ({}, "k" * 256), ({}, "with space"), ({}, "tab\there")],
    ids=["absent", "empty", "too-long", "space", "tab"],
)
def test_an_idempotency_key_that_does_not_fit(
    stack: Stack, token: str, headers: dict[str, str], key: str | None
) -> None:
    one = new_order("paynet.capture")
    problem = assert_problem(post(stack, one, token, key=key, headers=headers), 400, "invalid-request")
    assert [error["place"] for error in problem["errors"]] == ["header.Idempotency-Key"]
    assert_nothing_booked(stack, one)


def test_the_longest_key_and_any_letter_case_of_its_name(stack: Stack, token: str) -> None:
    one = new_order("paynet.capture")
    key = (one.key + "~" * 255)[:255]
    for name in ("idempotency-key", "IDEMPOTENCY-KEY"):
        assert post(stack, one, token, key=None, headers={name: key}).status_code == 200
    assert len(stack.sandbox.bookings("paynet", one.reference)) == 1


def test_a_path_that_does_not_fit(stack: Stack, token: str) -> None:
    one = new_order("kolaybi.collect")
    answer = stack.request("POST", "/kolaybi/associates/none/collections", token=token, key=one.key, body=one.body)
    problem = assert_problem(answer, 400, "invalid-request")
    assert [error["place"] for error in problem["errors"]] == ["path.associate_id"]


def test_check_digits_are_checked(stack: Stack, token: str) -> None:
    one = new_order("vakifbank.pay").but(
        receiver_account="TR330006100519786457841327", receiver_identity_no="10000000147", receiver_tax_no="1234567891"
    )
    problem = assert_problem(post(stack, one, token), 400, "invalid-request")
    places = {error["place"] for error in problem["errors"]}
    assert {"body.receiver_account", "body.receiver_identity_no", "body.receiver_tax_no"} <= places
    assert not any(value in json.dumps(problem) for value in ("841327", "10000000147", "1234567891"))
    assert_nothing_booked(stack, one)


def test_a_body_of_64_kib_and_one_byte_more(stack: Stack, token: str) -> None:
    one = new_order("kolaybi.collect")
    # JSON may have blanks at its end.
    longest = json.dumps(one.body, ensure_ascii=False).encode().ljust(65536)
    assert post(stack, one, token, body=None, content=longest).status_code == 200
    refused = post(stack, one, token, key=f"{one.key}-b", body=None, content=longest + b" ")
    assert_problem(refused, 413, "too-large")
    assert len(stack.sandbox.bookings("kolaybi", one.reference)) == 1


@pytest.mark.parametrize("content_type", ["text/plain", "application/x-www-form-urlencoded", "application/jsonp"])
def test_a_body_that_is_not_json(stack: Stack, token: str, content_type: str) -> None:
    one = new_order("paynet.capture")
    answer = post(stack, one, token, headers={"Content-Type": content_type})
    assert_problem(answer, 415, "unsupported-media-type")
    assert_nothing_booked(stack, one)


@pytest.mark.parametrize("operation_id", ["nonsense", f"op_{'a' * 26}", f"op_{'A' * 26}", "guard%23paynet.capture%23a"])
def test_an_operation_that_does_not_exist(stack: Stack, token: str, operation_id: str) -> None:
    answer = stack.request("GET", f"/operations/{operation_id}", token=token)
    assert answer.status_code == 404
    assert answer.json()["type"] == "/local/problems/operation-not-found"


# ------------------------------------------------------------------ the order may not be carried out


def test_a_key_used_with_another_request(stack: Stack, token: str) -> None:
    one = new_order("paynet.capture")
    first = post(stack, one, token)
    problem = assert_problem(
        post(stack, one.but(amount="11.00"), token), 422, "idempotency-key-reused", retry="new_key"
    )
    assert problem["operation_id"] == first.json()["operation_id"]
    assert [booking["amount"] for booking in stack.sandbox.bookings("paynet", one.reference)] == ["10.50"]


def test_an_order_still_running(stack: Stack, token: str) -> None:
    one = new_order("paynet.capture")
    operation_id = post(stack, one, token).json()["operation_id"]
    # As if the function that holds the record were still waiting for the provider.
    stack.aws("dynamodb").update_item(
        TableName=stack.table,
        Key={"id": {"S": operation_id}},
        UpdateExpression="SET #status = :processing, lease_until = :later REMOVE outcome, expires_at",
        ExpressionAttributeNames={"#status": "status"},
        ExpressionAttributeValues={":processing": {"S": "processing"}, ":later": {"N": "4102444800"}},
    )
    answer = post(stack, one, token)
    problem = assert_problem(answer, 409, "in-progress", money="unknown", retry="same_key")
    assert problem["operation_id"] == operation_id
    assert int(answer.headers["retry-after"]) > 0
    assert len(stack.sandbox.bookings("paynet", one.reference)) == 1


def test_an_older_lower_total_does_not_overwrite_a_newer(stack: Stack, token: str) -> None:
    one = new_order("haso.set_expenses")
    assert post(stack, one, token).status_code == 200
    lower = one.but(expense_amount="10.49")
    refused = post(stack, lower, token, key=f"{one.key}-b")
    assert_problem(refused, 422, "total-would-fall", retry="new_key")
    allowed = post(stack, lower.but(allow_lower=True), token, key=f"{one.key}-c")
    assert allowed.status_code == 200
    assert [b["amount"] for b in stack.sandbox.bookings("haso", one.reference)] == ["10.50", "10.49"]


def test_one_bill_under_two_keys_is_paid_once(stack: Stack, token: str) -> None:
    one = new_order("walletgate.pay_bill")
    first = post(stack, one, token)
    problem = assert_problem(post(stack, one, token, key=f"{one.key}-b"), 409, "held-by-another-operation")
    assert problem["holder"] == first.json()["operation_id"]
    assert len(stack.sandbox.bookings("walletgate", one.reference)) == 1


@pytest.mark.parametrize("operation", OPERATIONS)
def test_a_provider_that_declines(stack: Stack, token: str, operation: str) -> None:
    one = new_order(operation, sandbox=stack.sandbox)
    stack.sandbox.rule(operation, "refuse")
    answer = post(stack, one, token)
    problem = assert_problem(answer, 402, "declined", retry="new_key")
    assert problem["operation_id"].startswith("op_")
    assert_nothing_booked(stack, one)
    # The refusal is the order's outcome: the same key brings it again, and sends nothing.
    again = post(stack, one, token)
    assert again.json() == problem
    assert again.headers["idempotent-replayed"] == "true"
    assert_nothing_booked(stack, one)


# ------------------------------------------------------------------ certainly not sent


def test_a_provider_that_rejects_our_credentials(stack: Stack, token: str) -> None:
    one = new_order("paynet.capture")
    stack.sandbox.seed(paynet={"credentials": {"secret_key": "sandbox-rotated-key"}})
    try:
        assert_problem(post(stack, one, token), 502, "provider-rejected-credentials", retry="same_key")
        assert_nothing_booked(stack, one)
    finally:
        stack.sandbox.seed(paynet={"credentials": {"secret_key": "sandbox-paynet-secret-key"}})
    # The same key succeeds once the credentials fit again.
    assert post(stack, one, token).status_code == 200


@pytest.mark.parametrize("secret", ["", "{}", "no json", '{"secret_key": 5}', '{"secret_key": "k", "more": "x"}'])
def test_a_secret_that_is_missing_or_malformed(stack: Stack, token: str, secret: str) -> None:
    one = new_order("paynet.capture")
    secrets, secret_id = stack.aws("secretsmanager"), stack.secrets["paynet"]
    right = secrets.get_secret_value(SecretId=secret_id)["SecretString"]
    secrets.put_secret_value(SecretId=secret_id, SecretString=secret or " ")
    try:
        with reconfigured(stack, "paynet.capture"):
            answer = post(stack, one, token)
            assert_problem(answer, 502, "provider-rejected-credentials", retry="same_key")
    finally:
        secrets.put_secret_value(SecretId=secret_id, SecretString=right)
    assert_nothing_booked(stack, one)


def test_a_provider_that_cannot_be_reached(stack: Stack, token: str) -> None:
    one = new_order("paynet.capture")
    with reconfigured(stack, "paynet.capture", {"PAYNET_URL": "http://127.0.0.1:9"}):
        answer = post(stack, one, token)
        assert_problem(answer, 503, "provider-unreachable", retry="same_key")
    assert_nothing_booked(stack, one)
    assert post(stack, one, token).status_code == 200


def test_too_little_time(stack: Stack, token: str) -> None:
    one = new_order("paynet.capture")
    with reconfigured(stack, "paynet.capture", timeout=3):
        assert_problem(post(stack, one, token), 503, "not-enough-time", retry="same_key")
    assert_nothing_booked(stack, one)


def test_a_table_that_does_not_answer(stack: Stack, token: str) -> None:
    one = new_order("paynet.capture")
    with reconfigured(stack, "paynet.capture", {"TABLE_NAME": "no-such-table"}):
        assert_problem(post(stack, one, token), 503, "store-unavailable", money="unknown", retry="same_key")
    assert_nothing_booked(stack, one)


def test_a_fault_of_ours_before_the_claim(stack: Stack, token: str) -> None:
    one = new_order("paynet.capture")
    with reconfigured(stack, "paynet.capture", {"TABLE_NAME": None}):
        answer = post(stack, one, token)
        problem = assert_problem(answer, 500, "internal", money="unknown", retry="same_key")
    assert "TABLE_NAME" not in json.dumps(problem)
    assert_nothing_booked(stack, one)
