"""What the answer to every operation has in one form, and the caller's own fields beside it."""

import json
import re
from decimal import Decimal
from typing import Any

import pytest
from vezne.orders.envelope import OF_ORDER, OF_RESULT, OWN_ID
from vezne.platform.money import minor_digits

from tests.support.example import Example
from tests.support.harness import Harness
from tests.support.operations import EXAMPLES, PROVABLE
from tests.support.operations.haso_set_expenses import EXAMPLE as HASO
from tests.support.operations.kolaybi_collect import EXAMPLE as COLLECT
from tests.support.operations.paynet_capture import CAPTURE_ANSWER, EXAMPLE as CAPTURE
from tests.support.operations.vakifbank_pay import EXAMPLE as PAY
from tests.support.provider_server import json_reply
from tests.support.wire import answered, looked_up, unknown_order

each_operation = pytest.mark.parametrize("example", EXAMPLES, ids=str)
LABEL = {"reference": "Sipariş KANARYA-4711", "metadata": {"shop": "KANARYA Kadıköy", "cashier-id": "7"}}
IN_ONE_FORM = ("amount", "currency", "provider_reference", "booked_at")


def assert_form(body: dict[str, Any]) -> None:
    """Decimal strings with the currency's digits, times in UTC, and nothing that is empty."""
    assert "" not in (value for name, value in body.items() if name != "result")
    if "amount" in body:
        amount = Decimal(body["amount"])
        assert -amount.as_tuple().exponent == minor_digits(body["currency"])
    assert ("amount" in body) == ("currency" in body)
    for name in {"created_at", "updated_at", "booked_at"} & body.keys():
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", body[name]), (name, body[name])


# ------------------------------------------------------------------ one form


@pytest.mark.parametrize("example", PROVABLE, ids=str)
def test_a_look_up_answers_in_the_form_of_the_first_answer(harness: Harness, example: Example) -> None:
    first = answered(harness, example, example.success, key="key-2").body
    for item in harness.items():
        if not item["id"]["S"].startswith("secret#"):
            harness.delete(item["id"]["S"])
    known = unknown_order(harness, example)
    found = looked_up(harness, example, example.found(harness.record(known))).body
    assert (found["status"], found["settled_by"]) == ("succeeded", "look_up")
    assert first["result"].keys() == found["result"].keys()
    for body in (first, found):
        assert_form(body)
    assert {name: first.get(name) for name in ("operation", "status", "money")} == {
        name: found.get(name) for name in ("operation", "status", "money")
    }
    # What is ordered does not depend on who tells of it.
    for name in ("amount", "currency") if example.amounts else ():
        assert first[name] == found[name]
    assert found == harness.read(known).body


@each_operation
def test_what_every_answer_has_stands_where_the_declaration_says(harness: Harness, example: Example) -> None:
    declared = example.declared.declaration
    places = declared.places()
    body = answered(harness, example, example.success).body
    record = harness.record(body["operation_id"])
    assert record.places == places
    place, _, name = places["provider_reference"].partition(".")
    if places["provider_reference"] == OWN_ID:
        assert body["provider_reference"] == record.id
    elif place == OF_ORDER.strip("."):
        assert body["provider_reference"] == record.lookup_fields[name]
    else:
        # A result may leave it out, such as that of a cancellation that names no transaction.
        assert body.get("provider_reference") == body["result"][name]
    if booked_at := places.get("booked_at"):
        assert booked_at.removeprefix(OF_RESULT) in declared.result_model.model_fields


@each_operation
def test_no_request_has_a_field_of_the_callers_own_names(example: Example) -> None:
    assert not {"reference", "metadata"} & example.declared.request.model_fields.keys()


def test_a_time_with_an_offset_is_told_in_utc(harness: Harness) -> None:
    body = answered(harness, CAPTURE, CAPTURE.success).body
    assert body["result"]["xact_date"] == "2016-04-08T10:27:22.0296925+03:00"
    assert body["booked_at"] == "2016-04-08T07:27:22.029Z"


@pytest.mark.parametrize("date", ["2016-04-08T10:27:22", "08.04.2016", "", None, "2016-04-08"])
def test_a_time_that_is_not_certain_is_left_out(harness: Harness, date: str | None) -> None:
    body = answered(harness, CAPTURE, json_reply({**CAPTURE_ANSWER, "xact_date": date})).body
    assert body["status"] == "succeeded"
    assert "booked_at" not in body


@pytest.mark.parametrize(("answer", "told"), [("10.5", "10.50"), ("10", "10.00"), ("10.505", "10.505"), ("0", None)])
def test_the_amount_of_an_answer_is_told_where_the_order_names_none(
    harness: Harness, answer: str, told: str | None
) -> None:
    """No digit of the provider's is lost. Its 0 is none: the page shows one beside a capture of 1.00."""
    whole = {name: value for name, value in CAPTURE.body.items() if name != "amount"}
    harness.server.on(CAPTURE.route, json_reply({**CAPTURE_ANSWER, "amount": Decimal(answer)}))
    body = harness.send(CAPTURE, whole).body
    assert (body.get("amount"), body.get("currency")) == (told, told and "TRY")


def test_what_an_operator_decided_has_what_was_ordered_and_no_name_of_the_providers(harness: Harness) -> None:
    standing = harness.stand(PAY)
    harness.store.finalise(standing, "succeeded", {"result": {}})
    body = harness.read(standing.id).body
    assert (body["amount"], body["currency"], body["result"]) == ("200.00", "TRY", {})
    assert not {"provider_reference", "booked_at"} & body.keys()


# ------------------------------------------------------------------ the caller's own fields


@each_operation
def test_the_callers_own_fields_are_answered_and_never_sent(
    harness: Harness, example: Example, capsys: pytest.CaptureFixture[str]
) -> None:
    harness.server.on(example.route, example.success)
    first = harness.send(example, {**example.body, **LABEL})
    assert first.status == 200
    assert {name: first.body[name] for name in LABEL} == LABEL
    assert harness.read(first.body["operation_id"]).body == first.body
    assert "KANARYA" not in "".join(f"{call.path} {call.headers} {call.body!r}" for call in harness.server.calls)
    out = capsys.readouterr()
    assert "KANARYA" not in out.out + out.err


@each_operation
def test_the_first_ones_under_a_key_stay_and_make_no_other_order(harness: Harness, example: Example) -> None:
    harness.server.on(example.route, example.success)
    first = harness.send(example, {**example.body, **LABEL})
    again = harness.send(example, {**example.body, "reference": "another"})
    assert (again.status, again.replayed, again.body) == (200, True, first.body)
    assert len(harness.server.to(example.route)) == 1


def test_an_unknown_outcome_and_a_standing_order_have_them_too(harness: Harness) -> None:
    known = unknown_order(harness, COLLECT, body={**COLLECT.body, **LABEL})
    assert {name: harness.read(known).body[name] for name in LABEL} == LABEL
    harness.server.on(COLLECT.route, COLLECT.success)
    request = {**COLLECT.request, **LABEL}
    content = {"name": "rent", "occurrence": "2026-12-01T06:00:00Z", "request": request}
    assert harness.standing_order(COLLECT, content)["reference"] == LABEL["reference"]


def test_they_are_kept_apart_from_what_is_sent(harness: Harness) -> None:
    harness.server.on(HASO.route, HASO.success)
    plain = harness.send(HASO, key="key-1").body
    labelled = harness.send(HASO, {**HASO.body, **LABEL}, key="key-2").body
    assert harness.record(plain["operation_id"]).lookup_fields == harness.record(labelled["operation_id"]).lookup_fields
    assert harness.table_calls.count("GetItem") <= 4


@pytest.mark.parametrize(
    "reference",
    [
        "invoice 4711",
        "b3b0c1d2-1234-4567-8901-123456789012",
        "b3b0c1d2123445678901123456789012",
        "Şube 3 / 2026-11",
        "x",
    ],
)
def test_a_reference_of_ones_own_form_is_taken(harness: Harness, reference: str) -> None:
    body = answered(harness, CAPTURE, CAPTURE.success, body={**CAPTURE.body, "reference": reference}).body
    assert body["reference"] == reference


CARD, IBAN, TCKN, VKN = "4543 1234 5678 9010", "TR33 0006 1005 1978 6457 8413 26", "10000000146", "1234567890"


@pytest.mark.parametrize("number", [CARD, CARD.replace(" ", ""), IBAN, IBAN.replace(" ", ""), TCKN, VKN, "١٠٠٠٠٠٠٠١٤٦"])
@pytest.mark.parametrize(
    ("label", "place"),
    [
        (lambda number: {"reference": f"of {number}"}, "body.reference"),
        (lambda number: {"metadata": {"of": number}}, "body.metadata.of"),
    ],
)
def test_a_number_of_a_card_an_account_or_a_person_is_refused(
    harness: Harness, number: str, label: Any, place: str, capsys: pytest.CaptureFixture[str]
) -> None:
    refused = harness.send(CAPTURE, {**CAPTURE.body, **label(number)})
    assert (refused.status, refused.body["errors"][0]["place"]) == (400, place)
    assert number not in json.dumps(refused.body, ensure_ascii=False) + capsys.readouterr().out
    assert harness.records() == harness.server.calls == []


@pytest.mark.parametrize(
    ("label", "reason"),
    [
        ({"reference": ""}, "must not be empty"),
        ({"reference": "x" * 101}, "must have at most 100 characters"),
        ({"reference": " x"}, "must not begin or end with a blank"),
        ({"reference": "x\ny"}, "must be one line of visible characters"),
        ({"reference": 4711}, "must be a text in quotes"),
        ({"metadata": {f"k{number}": "v" for number in range(11)}}, "must have at most 10 items"),
        ({"metadata": {"k" * 41: "v"}}, "must have the form ^[A-Za-z0-9_.-]{1,40}$"),
        ({"metadata": {"of " + VKN: "v"}}, "must have the form ^[A-Za-z0-9_.-]{1,40}$"),
        ({"metadata": {VKN: "v"}}, "must have no IBAN"),
        ({"metadata": {"k": "v" * 201}}, "must have at most 200 characters"),
        ({"metadata": {"k": 1}}, "must be a text in quotes"),
        ({"metadata": []}, "must be a JSON object"),
    ],
)
def test_a_label_that_does_not_fit_is_refused(harness: Harness, label: dict[str, Any], reason: str) -> None:
    refused = harness.send(CAPTURE, {**CAPTURE.body, **label})
    assert (refused.status, refused.body["money"]) == (400, "not_moved")
    (error,) = refused.body["errors"]
    assert error["reason"].startswith(reason)
    assert VKN not in json.dumps(refused.body)
    assert harness.records() == []
