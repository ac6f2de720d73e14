"""A refused request is answered with what an earlier order under its key did, also across releases."""

import pytest
from vezne.orders.record import DECLINED, SUCCEEDED

from tests.support.bench import Harness, operation_of
from tests.support.example import Example
from tests.support.operations import EXAMPLES
from tests.support.operations.kolaybi_collect import EXAMPLE as KOLAYBI
from tests.support.operations.vakifbank_pay import EXAMPLE as VAKIFBANK
from tests.support.wire import unknown_order

each_operation = pytest.mark.parametrize("example", EXAMPLES, ids=str)
CARD = "4111111111111111"


@each_operation
def test_an_invalid_request_names_the_unknown_order_under_its_key(bench: Harness, example: Example) -> None:
    standing = bench.stand(example, lease=-60.0)
    response = bench.send(example, {**example.body, "no_such_field": 1})
    assert (response.status, response.slug) == (400, "invalid-request")
    assert (response.body["money"], response.body["retry"]) == ("unknown", "same_key")
    assert response.body["operation_id"] == standing.id
    assert bench.record(standing.id) == standing


@each_operation
def test_an_invalid_request_names_the_final_order_under_its_key(bench: Harness, example: Example) -> None:
    bench.server.on(example.route, example.success)
    known = bench.send(example).body["operation_id"]
    assert bench.record(known).status == SUCCEEDED
    response = bench.send(example, text="no JSON")
    assert (response.status, response.body["money"], response.body["operation_id"]) == (400, "unknown", known)


def test_an_invalid_request_after_a_refusal_has_moved_nothing(bench: Harness) -> None:
    bench.server.on(VAKIFBANK.route, VAKIFBANK.refusal)
    assert bench.record(bench.send(VAKIFBANK).body["operation_id"]).status == DECLINED
    assert bench.send(VAKIFBANK, text="no JSON").body["money"] == "not_moved"


def test_an_invalid_request_under_a_new_key_has_moved_nothing(bench: Harness) -> None:
    response = bench.send(VAKIFBANK, text="no JSON")
    assert (response.status, response.body["money"], response.body["retry"]) == (400, "not_moved", "never")
    assert "operation_id" not in response.body


def test_the_money_of_an_earlier_order_is_unknown_while_the_table_does_not_answer(bench: Harness) -> None:
    bench.fail_table("GetItem")
    response = bench.send(VAKIFBANK, text="no JSON")
    assert (response.status, response.body["money"], response.body["retry"]) == (400, "unknown", "same_key")


@each_operation
def test_a_record_of_an_earlier_version_is_repeated_after_the_release(bench: Harness, example: Example) -> None:
    """Its fingerprint has only the earlier form."""
    bench.server.on(example.route, example.success)
    first = bench.send(example)
    (item,) = bench.records()
    assert item["fingerprint"]["S"] == bench.order(example).earlier_fingerprint
    bench.put({name: value for name, value in item.items() if name != "sent_fingerprint"})
    again = bench.send(example)
    assert (again.status, again.replayed, again.body) == (200, True, first.body)
    assert bench.send(example, example.other_body).status == 422


def test_an_empty_text_in_a_repeat_does_not_collect_twice(bench: Harness) -> None:
    without = {name: value for name, value in KOLAYBI.body.items() if name != "description"}
    unknown_order(bench, KOLAYBI)
    assert bench.send(KOLAYBI, without).status == 422
    assert bench.send(KOLAYBI, {**KOLAYBI.body, "project_ids": []}).status == 202
    assert bench.server.to(KOLAYBI.route) == []


def test_no_hash_of_a_card_number_is_kept(bench: Harness, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CARD_PAYMENTS", "true")
    body = {**VAKIFBANK.body, "transaction_type": "credit_card", "receiver_account": CARD}
    bench.server.on(VAKIFBANK.route, VAKIFBANK.success)
    known = bench.record(bench.send(VAKIFBANK, body).body["operation_id"])
    operation = operation_of(VAKIFBANK.function)
    order = operation.order("client-1", "key-1", operation.request_model.model_validate(body))
    assert known.fingerprint == known.sent_fingerprint == order.fingerprint != order.earlier_fingerprint
    assert bench.send(VAKIFBANK, body).replayed
