"""What callers may send. Each wrong request gets a clear problem, and does not reach the provider or the table."""

import base64
import json
import string
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

from tests.support.example import Example
from tests.support.harness import Harness, Response, api_event
from tests.support.operations import EXAMPLES
from tests.support.operations.haso_set_expenses import EXAMPLE as HASO
from tests.support.operations.kolaybi_collect import EXAMPLE as KOLAYBI
from tests.support.operations.paynet_capture import EXAMPLE as PAYNET
from tests.support.operations.vakifbank_pay import EXAMPLE as VAKIFBANK

each_operation = pytest.mark.parametrize("example", EXAMPLES, ids=str)


def amounts_of(example: Example) -> list[str]:
    """The fields of an order that are amounts. A reversal has none."""
    return [name for name in example.body if "amount" in name or "fee" in name]


each_operation_with_an_amount = pytest.mark.parametrize("example", [*filter(amounts_of, EXAMPLES)], ids=str)
CANARY = "KANARYA"


def refused(harness: Harness, example: Example, response: Response, place: str, reason: str) -> None:
    assert (response.status, response.slug) == (400, "invalid-request")
    assert response.body["errors"] == [{"place": place, "reason": reason}]
    assert CANARY not in str(response)
    untouched(harness, example)


def untouched(harness: Harness, example: Example) -> None:
    """The provider was not called. The table was only read for an earlier order under the key."""
    assert harness.server.to(example.route) == []
    assert set(harness.table_calls) <= {"GetItem"}


# -------------------------------------------------------------------- bodies


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "must be JSON"),
        ("{", "must be JSON"),
        (f'{{"amount": {CANARY}}}', "must be JSON"),
        ('{"amount": 1,}', "must be JSON"),
        ("{'amount': 1}", "must be JSON"),
        ('{"amount": 01}', "must be JSON"),
        ('{"amount": 1} {}', "must be JSON"),
        (f'"{CANARY}"', "must be a JSON object"),
        ("[]", "must be a JSON object"),
        ("null", "must be a JSON object"),
        ("7", "must be a JSON object"),
        ('{"amount": NaN}', "must not have NaN or Infinity"),
        ('{"amount": Infinity}', "must not have NaN or Infinity"),
        ('{"amount": -Infinity}', "must not have NaN or Infinity"),
        (f'{{"amount": "1", "amount": "{CANARY}"}}', "must not name a member twice"),
        ('{"a": {"b": 1, "b": 1}}', "must not name a member twice"),
        ('{"a": [{"b": 1, "\\u0062": 1}]}', "must not name a member twice"),
        ("[" * 60_000, "is nested too deeply"),
        ('{"amount": ' + "9" * 5000 + "}", "must not have an integer of more than 18 digits"),
        ('{"amount": -' + "9" * 19 + "}", "must not have an integer of more than 18 digits"),
    ],
    ids=lambda value: value[:20],
)
def test_a_body_that_is_no_json_object(harness: Harness, text: str, reason: str) -> None:
    refused(harness, PAYNET, harness.send(PAYNET, text=text), "body", reason)


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (b'{"amount": "\xff"}', "must be UTF-8"),
        ('{"amount": "ş"}'.encode("iso-8859-9"), "must be UTF-8"),
        (b"", "must be JSON"),
    ],
)
def test_bytes_that_are_no_utf_8(harness: Harness, raw: bytes, reason: str) -> None:
    refused(harness, PAYNET, sent_as_base64(harness, PAYNET, base64.b64encode(raw).decode()), "body", reason)


def test_broken_base64(harness: Harness) -> None:
    refused(harness, PAYNET, sent_as_base64(harness, PAYNET, "not base64!"), "body", "must be JSON")


def sent_as_base64(harness: Harness, example: Example, body: str) -> Response:
    event = api_event("/route", example.path_parameters, body) | {"isBase64Encoded": True}
    answer = harness.handle(example.function, event)
    return Response(answer["statusCode"], answer["headers"], json.loads(answer["body"]))


def test_a_body_in_base64_is_the_same_order(harness: Harness) -> None:
    harness.server.on(KOLAYBI.route, KOLAYBI.success)
    first = harness.send(KOLAYBI)
    encoded = base64.b64encode(json.dumps(KOLAYBI.body, ensure_ascii=False).encode()).decode()
    again = sent_as_base64(harness, KOLAYBI, encoded)
    assert (first.status, again.status, again.replayed) == (200, 200, True)


def test_a_null_body(harness: Harness) -> None:
    event = api_event("/route", None, None)
    assert harness.handle("paynet_capture", event)["statusCode"] == 400


def test_64_kib_are_counted_in_bytes(harness: Harness) -> None:
    text = json.dumps({"xact_id": "ş" * 33_000}, ensure_ascii=False)
    assert len(text) < 64 * 1024 < len(text.encode())
    assert harness.send(PAYNET, text=text).status == 413


@each_operation_with_an_amount
@pytest.mark.parametrize("value", ["1.005", "1e2", "-1", "0x1", "1,5", "12345678901234567890"])
def test_amounts_in_any_form_that_loses_or_hides_digits(harness: Harness, example: Example, value: str) -> None:
    amount = amounts_of(example)[-1]
    for text in (json.dumps({**example.body, amount: value}), number_in(example, amount, value)):
        response = harness.send(example, text=text)
        assert response.status == 400
        assert {error["place"] for error in response.body["errors"]} <= {"body", f"body.{amount}"}
        assert value not in str(response.body["errors"])
    untouched(harness, example)


def number_in(example: Example, name: str, literal: str) -> str:
    """The order with an amount as this bare literal, whether it is JSON or not."""
    return json.dumps({**example.body, name: "@"}).replace('"@"', literal)


@each_operation_with_an_amount
def test_an_amount_may_be_a_number_or_a_string(harness: Harness, example: Example) -> None:
    harness.server.on(example.route, example.success)
    text = json.dumps(example.body)
    for name in amounts_of(example):
        text = text.replace(f'"{name}": "{example.body[name]}"', f'"{name}": {example.body[name]}')
    assert text != json.dumps(example.body)
    assert harness.send(example, text=text).status == 200
    # Both are the same order.
    assert harness.send(example).replayed


@pytest.mark.parametrize(
    "name", [CANARY + "4111111111111111", "4111 1111 1111 1111", "TR330006100519786457841326", "Ödeme"]
)
def test_an_unknown_fields_name_is_masked(harness: Harness, name: str) -> None:
    response = harness.send(PAYNET, {**PAYNET.body, name: "x"})
    assert response.status == 400
    (error,) = response.body["errors"]
    assert error["reason"] == f"unknown field {error['place'].removeprefix('body.')}"
    assert "4111" not in error["place"]
    assert "TR33" not in error["place"]


@each_operation
def test_half_of_a_surrogate_pair(harness: Harness, example: Example) -> None:
    """JSON can contain one. It cannot be sent to a provider, nor answered."""
    texts = [name for name, value in example.body.items() if isinstance(value, str)]
    for text in (
        json.dumps({**example.body, texts[-1]: "\ud800"}),
        json.dumps({**example.body, "\udfff": "x"}),
        json.dumps({**example.body, texts[-1]: {"\ud800": "x"}}),
    ):
        response = harness.send(example, text=text)
        assert response.status == 400
        json.dumps(response.body, ensure_ascii=False).encode()
    untouched(harness, example)


# -------------------------------------------------------------------- headers


@each_operation
@pytest.mark.parametrize(
    ("headers", "reason"),
    [
        ({}, "must be given exactly once"),
        ({"Idempotency-Key": ""}, "must be 1 to 255 visible ASCII characters"),
        ({"Idempotency-Key": "two words"}, "must be 1 to 255 visible ASCII characters"),
        ({"Idempotency-Key": "anahtarş"}, "must be 1 to 255 visible ASCII characters"),
        ({"Idempotency-Key": "line\n"}, "must be 1 to 255 visible ASCII characters"),
        ({"Idempotency-Key": "k" * 256}, "must be 1 to 255 visible ASCII characters"),
        ({"Idempotency-Key": "one", "idempotency-key": "two"}, "must be given exactly once"),
    ],
)
def test_the_idempotency_key(harness: Harness, example: Example, headers: dict[str, str], reason: str) -> None:
    response = harness.send(example, key=None, headers=headers)
    refused(harness, example, response, "header.Idempotency-Key", reason)


@pytest.mark.parametrize("name", ["idempotency-key", "IDEMPOTENCY-KEY", "Idempotency-key"])
@pytest.mark.parametrize("key", ["k", "k" * 255, string.punctuation])
def test_the_keys_header_in_any_letter_case(harness: Harness, name: str, key: str) -> None:
    harness.server.on(PAYNET.route, PAYNET.success)
    assert harness.send(PAYNET, key=None, headers={name: key}).status == 200
    assert harness.send(PAYNET, key=key).replayed


def test_a_header_given_twice(harness: Harness) -> None:
    event = api_event("/route", None, json.dumps(PAYNET.body))
    event["multiValueHeaders"]["Idempotency-Key"] = ["key-1", "key-1"]
    assert harness.handle("paynet_capture", event)["statusCode"] == 400


def test_headers_only_in_their_single_form(harness: Harness) -> None:
    """`sam local` and some test tools send no multiValueHeaders."""
    harness.server.on(PAYNET.route, PAYNET.success)
    event = api_event("/route", None, json.dumps(PAYNET.body))
    event["multiValueHeaders"] = None
    assert harness.handle("paynet_capture", event)["statusCode"] == 200


@pytest.mark.parametrize(
    ("content_type", "status"),
    [
        ("application/json", 200),
        ("application/json; charset=utf-8", 200),
        ("APPLICATION/JSON;charset=UTF-8", 200),
        ("application/jsonp", 415),
        ("application/problem+json", 415),
        ("text/json", 415),
        ("application/x-www-form-urlencoded", 415),
        ("application/xml", 415),
        ("", 415),
    ],
)
def test_content_types(harness: Harness, content_type: str, status: int) -> None:
    harness.server.on(PAYNET.route, PAYNET.success)
    assert harness.send(PAYNET, headers={"Content-Type": content_type}).status == status


def test_no_content_type(harness: Harness) -> None:
    event = api_event("/route", None, json.dumps(PAYNET.body))
    event["headers"].pop("Content-Type")
    event["multiValueHeaders"].pop("Content-Type")
    assert harness.handle("paynet_capture", event)["statusCode"] == 415


# -------------------------------------------------------------------- path


@pytest.mark.parametrize("value", ["0", "-1", "1.0", "abc", CANARY, "1" * 19, " 1", "１"])
def test_an_associate_id_is_a_positive_integer(harness: Harness, value: str) -> None:
    response = harness.send(KOLAYBI, path_parameters={"associate_id": value})
    assert response.status == 400
    assert [error["place"] for error in response.body["errors"]] == ["path.associate_id"]
    assert CANARY not in str(response)
    untouched(harness, KOLAYBI)


@pytest.mark.parametrize("written", ["TRX-2026-0001", "TRX%2D2026%2d0001", "%54RX-2026-0001"])
def test_the_path_is_decoded_before_it_is_sent_and_signed(harness: Harness, written: str) -> None:
    """A REST API passes its parameters on as they are in the URL."""
    harness.server.on(HASO.route, HASO.success)
    response = harness.send(HASO, path_parameters={"transaction_code": written})
    assert response.status == 200
    assert harness.server.to(HASO.route)[0].json()["transactionCode"] == "TRX-2026-0001"
    assert harness.record(response.body["operation_id"]).lookup_fields["transaction_code"] == "TRX-2026-0001"


def test_invisible_characters_in_a_member_name_are_shown(harness: Harness) -> None:
    response = harness.send(PAYNET, {**PAYNET.body, "a\u202e\r\nb": 1})
    refused(harness, PAYNET, response, "body.a???b", "unknown field a???b")


def test_an_encoded_slash_is_part_of_the_parameter(harness: Harness) -> None:
    harness.server.on(HASO.route, HASO.success)
    assert harness.send(HASO, path_parameters={"transaction_code": "TRX%2F1"}).status == 200
    assert harness.server.to(HASO.route)[0].json()["transactionCode"] == "TRX/1"


@pytest.mark.parametrize(
    "written", ["TRX%", "TRX%2", "TRX%ZZ", "%FF", "TRX%C5", "TRX%252D1", "%25"],
    ids=["no digits", "one digit", "no hex", "no UTF-8", "cut UTF-8", "encoded twice", "percent"],
)  # fmt: skip
def test_a_path_that_is_not_encoded_once_is_refused(harness: Harness, written: str) -> None:
    response = harness.send(HASO, path_parameters={"transaction_code": written})
    refused(harness, HASO, response, "path.transaction_code", "must be UTF-8, percent-encoded once")


def test_a_field_of_the_path_is_not_read_from_the_body(harness: Harness) -> None:
    response = harness.send(KOLAYBI, {**KOLAYBI.body, "associate_id": 124})
    refused(harness, KOLAYBI, response, "body.associate_id", "belongs into the path")


# -------------------------------------------------------------------- keys of several clients


@each_operation
def test_one_key_of_two_clients_is_two_orders(harness: Harness, example: Example) -> None:
    harness.server.on(example.route, example.refusal)
    first, second = harness.send(example, client="client-1"), harness.send(example, client="client-2")
    assert first.body["operation_id"] != second.body["operation_id"]
    assert not second.replayed
    assert len(harness.server.to(example.route)) == 2


def test_one_key_of_one_client_is_one_order_per_operation(harness: Harness) -> None:
    for example in EXAMPLES:
        harness.server.on(example.route, example.success)
        assert harness.send(example).status == 200
    assert len({item["id"]["S"] for item in harness.records()}) == len(EXAMPLES)


# -------------------------------------------------------------------- fingerprints


@pytest.mark.parametrize(
    ("example", "first", "second", "same"),
    [
        (PAYNET, {"xact_id": "x", "amount": "10"}, {"amount": 10.00, "xact_id": "x"}, True),
        (PAYNET, {"xact_id": "x", "amount": "10.00"}, {"xact_id": "x", "amount": "10.0"}, True),
        (PAYNET, {"xact_id": "x"}, {"xact_id": "x", "amount": None, "xact": None}, True),
        (PAYNET, {"xact_id": "x"}, {"xact_id": "x", "amount": "10"}, False),
        (PAYNET, {"xact_id": "x"}, {"xact": "x"}, False),
        (PAYNET, {"xact_id": "x"}, {"xact_id": "X"}, False),
        (KOLAYBI, {}, {"project_ids": [1, 2]}, False),
        (KOLAYBI, {"project_ids": [1, 2]}, {"project_ids": [2, 1]}, False),
        (KOLAYBI, {"project_ids": []}, {}, True),
        (KOLAYBI, {"description": ""}, {"description": None}, True),
        (KOLAYBI, {"description": "a b"}, {"description": "a  b"}, False),
        (KOLAYBI, {"exchange_rate": "34.10"}, {"exchange_rate": "34.1"}, True),
        (VAKIFBANK, {"explanation": ""}, {}, True),
        (VAKIFBANK, {"chief": {}}, {"chief": {"name": ""}}, True),
        (VAKIFBANK, {"payment_date": "2026-12-28"}, {"payment_date": "2026-12-28T00:00:00"}, True),
        (VAKIFBANK, {"credit_use": True}, {"credit_use": False}, False),
    ],
)  # fmt: skip
def test_which_requests_count_as_the_same(
    harness: Harness, example: Example, first: dict[str, Any], second: dict[str, Any], same: bool
) -> None:
    base = {} if example is PAYNET else example.body
    harness.server.on(example.route, example.refusal)
    assert harness.send(example, {**base, **first}).status == 402
    again = harness.send(example, {**base, **second})
    assert (again.status, again.replayed) == ((402, True) if same else (422, False))


def test_a_fingerprint_cannot_be_searched_for(harness: Harness) -> None:
    """The same card in two orders gives two different fingerprints. Each needs the key, which is not in the record."""
    fingerprints = {harness.order(PAYNET, key=key).fingerprint for key in ("key-1", "key-2")}
    assert len(fingerprints) == 2
    harness.server.on(PAYNET.route, PAYNET.success)
    harness.send(PAYNET, key="a-key-of-the-client")
    assert "a-key-of-the-client" not in str(harness.items())


# -------------------------------------------------------------------- any request

ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)


@each_operation
@settings(
    max_examples=60, deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)  # fmt: skip
@given(data=st.data())
def test_no_request_causes_an_internal_error(harness: Harness, example: Example, data: st.DataObject) -> None:
    harness.server.calls.clear()
    fields = dict(example.body)
    for _ in range(data.draw(st.integers(1, 3))):
        fields[data.draw(st.sampled_from(sorted(fields)) | st.text())] = data.draw(ANYTHING)
    text = data.draw(st.sampled_from([json.dumps(fields), json.dumps(fields, ensure_ascii=False)]) | st.text())
    harness.server.on(example.route, example.refusal)
    response = harness.send(example, text=text, key=data.draw(st.uuids().map(str)))
    assert response.status in (400, 402, 409, 413, 422)
    json.dumps(response.body, ensure_ascii=False).encode()
    if response.status == 400:
        assert harness.server.to(example.route) == []
        assert response.body["money"] == "not_moved"
