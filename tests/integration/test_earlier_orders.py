"""A refused request is answered with what an earlier order under its key did, also across releases."""

import pytest
from vezne.orders.record import DECLINED, SUCCEEDED

from tests.support.example import Example
from tests.support.harness import Harness, operation_of
from tests.support.operations import EXAMPLES
from tests.support.operations.kolaybi_collect import EXAMPLE as KOLAYBI
from tests.support.operations.vakifbank_pay import EXAMPLE as VAKIFBANK
from tests.support.wire import unknown_order

each_operation = pytest.mark.parametrize("example", EXAMPLES, ids=str)
CARD = "4111111111111111"


@each_operation
def test_an_invalid_request_names_the_unknown_order_under_its_key(harness: Harness, example: Example) -> None:
    standing = harness.stand(example, lease=-60.0)
    response = harness.send(example, {**example.body, "no_such_field": 1})
    assert (response.status, response.slug) == (400, "invalid-request")
    assert (response.body["money"], response.body["retry"]) == ("unknown", "same_key")
    assert response.body["operation_id"] == standing.id
    assert harness.record(standing.id) == standing


@each_operation
def test_an_invalid_request_names_the_final_order_under_its_key(harness: Harness, example: Example) -> None:
    harness.server.on(example.route, example.success)
    known = harness.send(example).body["operation_id"]
    assert harness.record(known).status == SUCCEEDED
    response = harness.send(example, text="no JSON")
    assert (response.status, response.body["money"], response.body["operation_id"]) == (400, "unknown", known)


def test_an_invalid_request_after_a_refusal_has_moved_nothing(harness: Harness) -> None:
    harness.server.on(VAKIFBANK.route, VAKIFBANK.refusal)
    assert harness.record(harness.send(VAKIFBANK).body["operation_id"]).status == DECLINED
    assert harness.send(VAKIFBANK, text="no JSON").body["money"] == "not_moved"


def test_an_invalid_request_under_a_new_key_has_moved_nothing(harness: Harness) -> None:
    response = harness.send(VAKIFBANK, text="no JSON")
    assert (response.status, response.body["money"], response.body["retry"]) == (400, "not_moved", "never")
    assert "operation_id" not in response.body


def test_the_money_of_an_earlier_order_is_unknown_while_the_table_does_not_answer(harness: Harness) -> None:
    harness.fail_table("GetItem")
    response = harness.send(VAKIFBANK, text="no JSON")
    assert (response.status, response.body["money"], response.body["retry"]) == (400, "unknown", "same_key")


@each_operation
def test_a_record_of_an_earlier_version_is_repeated_after_the_release(harness: Harness, example: Example) -> None:
    """Its fingerprint has only the earlier form."""
    harness.server.on(example.route, example.success)
    first = harness.send(example)
    (item,) = harness.records()
    assert item["fingerprint"]["S"] == harness.order(example).earlier_fingerprint
    harness.put({name: value for name, value in item.items() if name != "sent_fingerprint"})
    again = harness.send(example)
    assert (again.status, again.replayed, again.body) == (200, True, first.body)
    assert harness.send(example, example.other_body).status == 422


def test_an_empty_text_in_a_repeat_does_not_collect_twice(harness: Harness) -> None:
    without = {name: value for name, value in KOLAYBI.body.items() if name != "description"}
    unknown_order(harness, KOLAYBI)
    assert harness.send(KOLAYBI, without).status == 422
    assert harness.send(KOLAYBI, {**KOLAYBI.body, "project_ids": []}).status == 202
    assert harness.server.to(KOLAYBI.route) == []


def test_no_hash_of_a_card_number_is_kept(harness: Harness, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CARD_PAYMENTS", "true")
    body = {**VAKIFBANK.body, "transaction_type": "credit_card", "receiver_account": CARD}
    harness.server.on(VAKIFBANK.route, VAKIFBANK.success)
    known = harness.record(harness.send(VAKIFBANK, body).body["operation_id"])
    operation = operation_of(VAKIFBANK.function)
    order = operation.order("client-1", "key-1", operation.request_model.model_validate(body))
    assert known.fingerprint == known.sent_fingerprint == order.fingerprint != order.earlier_fingerprint
    assert harness.send(VAKIFBANK, body).replayed
