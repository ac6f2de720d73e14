"""What each status and problem says of the money, and of what to do next."""

from dataclasses import replace
from typing import Any

import pytest
from vezne.api.responses import stage_path
from vezne.orders.record import RECONCILIATION

from tests.support.example import Example
from tests.support.harness import Harness, Response
from tests.support.operations import EXAMPLES
from tests.support.operations.haso_set_expenses import EXAMPLE as HASO
from tests.support.operations.kolaybi_collect import EXAMPLE as KOLAYBI
from tests.support.provider_server import HANG_UP, Reply, json_reply
from tests.support.providers import LOGINS
from tests.support.wire import answered

each_operation = pytest.mark.parametrize("example", EXAMPLES, ids=str)


def assert_problem(
    response: Response, status: int, slug: str, money: str, retry: str, *, operation_id: str | None = None
) -> None:
    assert response.status == status
    assert response.headers["Content-Type"] == "application/problem+json"
    assert response.headers["Cache-Control"] == "no-store"
    body = response.body
    assert (body["type"], body["status"]) == (f"/v1/problems/{slug}", status)
    assert (body["money"], body["retry"]) == (money, retry)
    assert body["title"]
    assert body["detail"]
    assert body.get("operation_id") == operation_id


def nothing_happened(harness: Harness, example: Example) -> None:
    assert harness.server.to(example.route) == []
    assert harness.items() == [] or all(item["id"]["S"].startswith("secret#") for item in harness.items())


@each_operation
def test_answer_to_succeeded(harness: Harness, example: Example) -> None:
    response = answered(harness, example, example.success)
    assert response.status == 200
    assert response.headers == {"Content-Type": "application/json", "Cache-Control": "no-store"}
    own = {"operation_id", "operation", "status", "money", "created_at", "updated_at", "result", "settled_by"}
    # What every operation's answer has, as far as it is known.
    assert own <= response.body.keys() <= own | {"amount", "currency", "provider_reference", "booked_at"}
    assert response.body["money"] == ("moved" if example.declared.declaration.moves_money else "not_moved")
    assert response.body["settled_by"] == "answer"
    assert response.body["operation"] == example.operation
    assert response.body["status"] == "succeeded"
    assert response.body["operation_id"] == harness.order(example).operation_id
    assert response.body["created_at"] == response.body["updated_at"] == "2026-12-01T06:00:00.000Z"


@pytest.mark.parametrize("status", ["declined", "not_executed"])
def test_what_the_providers_list_has_made_final_is_told_to_a_repeat(harness: Harness, status: str) -> None:
    standing = harness.stand(KOLAYBI)
    harness.store.finalise(replace(standing, settled_by=RECONCILIATION), status, {"code": "", "text": ""})
    answer = harness.send(KOLAYBI)
    assert (answer.status, answer.body["money"], answer.body["retry"]) == (402, "not_moved", "new_key")
    assert answer.body["settled_by"] == "reconciliation"
    assert "list" in answer.body["detail"]


@each_operation
def test_answer_to_unknown(harness: Harness, example: Example) -> None:
    response = answered(harness, example, HANG_UP)
    operation_id = harness.order(example).operation_id
    assert response.status == 202
    assert response.headers["Content-Type"] == "application/json"
    # With the stage at the start, as in the URL that the client called.
    assert response.headers["Location"] == f"/v1/operations/{operation_id}"
    assert int(response.headers["Retry-After"]) >= 1
    told = harness.read(operation_id).body
    known = {name: told[name] for name in ("amount", "currency", "provider_reference") if name in told}
    assert response.body == {
        "operation_id": operation_id,
        "operation": example.operation,
        "status": "unknown",
        "created_at": "2026-12-01T06:00:00.000Z",
        "updated_at": "2026-12-01T06:00:00.000Z",
        "money": "unknown",
        "retry": "same_key",
        **known,
    }
    assert told == response.body


@each_operation
def test_answer_to_invalid_request(harness: Harness, example: Example) -> None:
    amount = "amount" if "amount" in example.body else "payment_amount"
    amount = amount if amount in example.body else "expense_amount"
    response = harness.send(example, {**example.body, amount: "KANARYA", "unheard_of": "KANARYA"})
    assert_problem(response, 400, "invalid-request", "not_moved", "never")
    assert {error["place"] for error in response.body["errors"]} == {f"body.{amount}", "body.unheard_of"}
    assert all(set(error) == {"place", "reason"} for error in response.body["errors"])
    assert "KANARYA" not in str(response)
    nothing_happened(harness, example)


@each_operation
@pytest.mark.parametrize("client", [None, ""])
def test_answer_to_a_token_without_client(harness: Harness, example: Example, client: str | None) -> None:
    """Tokens and scopes are checked by the gateway; a token that passes must still name a client."""
    assert_problem(harness.send(example, client=client), 403, "forbidden", "unknown", "never")
    nothing_happened(harness, example)


@each_operation
def test_answer_to_declined(harness: Harness, example: Example) -> None:
    response = answered(harness, example, example.refusal)
    operation_id = harness.order(example).operation_id
    assert_problem(response, 402, "declined", "not_moved", "new_key", operation_id=operation_id)
    assert response.body["provider_code"] == example.refusal_code
    assert response.body["provider_text"]


def test_answer_to_no_such_operation(harness: Harness) -> None:
    response = harness.read("op_aaaaaaaaaaaaaaaaaaaaaaaaaa")
    assert (response.status, response.body["type"]) == (404, "/v1/problems/operation-not-found")
    # It may have been final and expired.
    assert (response.body["money"], response.body["retry"]) == ("unknown", "never")


@each_operation
def test_answer_to_another_clients_operation(harness: Harness, example: Example) -> None:
    operation_id = answered(harness, example, example.success).body["operation_id"]
    assert harness.read(operation_id, client="client-1").status == 200
    theirs, nobodys = harness.read(operation_id, client="client-2"), harness.read("op_aaaaaaaaaaaaaaaaaaaaaaaaaa")
    # The answer is the same for an operation of another client and for one that does not exist.
    assert theirs == nobodys
    assert theirs.status == 404


@each_operation
def test_answer_to_too_large(harness: Harness, example: Example) -> None:
    text = '{"a": "' + "x" * (64 * 1024 - 8) + '"}'
    assert len(text) == 64 * 1024 + 1
    assert_problem(harness.send(example, text=text), 413, "too-large", "not_moved", "never")
    # One byte less is read, and refused for its content.
    assert_problem(harness.send(example, text=text.replace("xx", "x", 1)), 400, "invalid-request", "not_moved", "never")
    nothing_happened(harness, example)


@each_operation
def test_answer_to_not_json(harness: Harness, example: Example) -> None:
    response = harness.send(example, headers={"Content-Type": "text/plain"})
    assert_problem(response, 415, "unsupported-media-type", "not_moved", "never")
    nothing_happened(harness, example)


def test_answer_to_total_would_fall(harness: Harness) -> None:
    answered(harness, HASO, HASO.success)
    response = harness.send(HASO, {**HASO.body, "expense_amount": "229.99"}, key="key-2")
    operation_id = harness.order(HASO, key="key-2").operation_id
    assert_problem(response, 422, "total-would-fall", "not_moved", "new_key", operation_id=operation_id)


@each_operation
@pytest.mark.parametrize("secret", ["not JSON", "{}", '{"unheard_of": "x"}'])
def test_answer_to_unusable_secret(harness: Harness, example: Example, secret: str) -> None:
    harness.put_secret(example.provider, secret)
    response = harness.send(example)
    operation_id = harness.order(example).operation_id
    assert_problem(response, 502, "provider-rejected-credentials", "not_moved", "same_key", operation_id=operation_id)
    nothing_happened(harness, example)


@pytest.mark.parametrize("example", [it for it in EXAMPLES if it.provider in LOGINS], ids=str)
@pytest.mark.parametrize("status", [400, 401, 403])
def test_answer_to_refused_login(harness: Harness, example: Example, status: int) -> None:
    harness.server.on(LOGINS[example.provider][0], json_reply({"error": "invalid_client"}, status))
    response = harness.send(example)
    operation_id = harness.order(example).operation_id
    assert_problem(response, 502, "provider-rejected-credentials", "not_moved", "same_key", operation_id=operation_id)
    nothing_happened(harness, example)


@each_operation
def test_answer_to_credentials_refused_at_the_call(harness: Harness, example: Example) -> None:
    response = answered(harness, example, Reply(401, b"{}"))
    assert_problem(
        response, 502, "provider-rejected-credentials", "not_moved", "same_key",
        operation_id=harness.order(example).operation_id,
    )  # fmt: skip
    assert harness.records() == []


@pytest.mark.parametrize("example", [it for it in EXAMPLES if it.provider in LOGINS], ids=str)
@pytest.mark.parametrize(
    "reply",
    [
        json_reply({}, 500),
        json_reply({}, 429),
        Reply(200, b"<html>"),
        json_reply({}),
        json_reply({"data": ""}),
        HANG_UP,
    ],
    ids=["500", "429", "HTML", "no token", "empty token", "lost"],
)
def test_answer_to_login_that_fails(harness: Harness, example: Example, reply: Reply) -> None:
    """No order was sent, so the result of the login does not matter."""
    harness.server.on(LOGINS[example.provider][0], reply)
    response = harness.send(example)
    operation_id = harness.order(example).operation_id
    assert_problem(response, 503, "provider-unreachable", "not_moved", "same_key", operation_id=operation_id)
    nothing_happened(harness, example)


@each_operation
def test_answer_to_provider_unreachable(harness: Harness, example: Example, monkeypatch: pytest.MonkeyPatch) -> None:
    # The function has logged in before, so it is the order that cannot be sent.
    answered(harness, example, example.refusal, key="another-key")
    monkeypatch.setenv(f"{example.provider.upper()}_URL", "http://127.0.0.1:1")
    response = harness.send(example)
    assert_problem(
        response, 503, "provider-unreachable", "not_moved", "same_key",
        operation_id=harness.order(example).operation_id,
    )  # fmt: skip
    assert response.headers["Retry-After"]
    # The claim is taken back, and its guard is released.
    assert len(harness.records()) == 1
    assert all("holder" not in guard for guard in harness.guards())


@each_operation
@pytest.mark.parametrize("seconds", [0.0, 5.0, 7.9])
def test_answer_to_not_enough_time(harness: Harness, example: Example, seconds: float) -> None:
    response = harness.send(example, seconds=seconds)
    operation_id = harness.order(example).operation_id
    assert_problem(response, 503, "not-enough-time", "not_moved", "same_key", operation_id=operation_id)
    nothing_happened(harness, example)
    harness.server.on(example.route, example.success)
    assert harness.send(example, seconds=8.0).status == 200


@each_operation
def test_answer_to_store_unavailable(harness: Harness, example: Example) -> None:
    # The function has logged in before, because VakıfBank's login needs the table, too.
    answered(harness, example, example.refusal, key="another-key")
    harness.server.calls.clear()
    for name in ("PutItem", "TransactWriteItems"):
        harness.fail_table(name)
    harness.server.on(example.route, example.success)
    response = harness.send(example)
    operation_id = harness.order(example).operation_id
    assert_problem(response, 503, "store-unavailable", "unknown", "same_key", operation_id=operation_id)
    assert response.headers["Retry-After"]
    assert harness.server.to(example.route) == []
    harness.heal_table()
    assert harness.send(example).status == 200


@each_operation
def test_answer_to_internal(harness: Harness, example: Example, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise RuntimeError("KANARYA")

    monkeypatch.setattr("vezne.providers.http.Provider.prepare", fail)
    response = harness.send(example)
    assert_problem(response, 500, "internal", "unknown", "same_key", operation_id=harness.order(example).operation_id)
    assert "KANARYA" not in str(response)
    nothing_happened(harness, example)


# -------------------------------------------------------------------- what the table does not number


def test_location_and_type_without_a_stage_in_the_path(harness: Harness) -> None:
    """A custom domain may hide the stage."""
    harness.server.on(KOLAYBI.route, HANG_UP)
    response = harness.send(KOLAYBI, called_as="/route")
    assert response.headers["Location"] == f"/operations/{response.body['operation_id']}"
    refused = harness.send(KOLAYBI, {}, called_as="/route")
    assert refused.body["type"] == "/problems/invalid-request"


@pytest.mark.parametrize(
    ("path", "stage", "before_our_routes"),
    [
        ("/live/haso/transactions/a%20b/expenses", "live", "/live"),
        ("/haso/transactions/a%20b/expenses", "live", ""),
        ("/liver/haso", "live", ""),
    ],
)
def test_the_stage_is_found_however_a_path_is_escaped(path: str, stage: str, before_our_routes: str) -> None:
    event = {"path": "/haso/transactions/a b/expenses", "requestContext": {"path": path, "stage": stage}}
    assert stage_path(event) == before_our_routes
