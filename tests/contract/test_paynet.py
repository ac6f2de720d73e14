"""Paynet "Finansallaştırma" (POST /v1/transaction/capture) and its look-ups against their pages."""

import json
from decimal import Decimal
from typing import Any

import pytest
from vezne.orders.outcome import Found, Succeeded

from tests.support.harness import START, Harness
from tests.support.operations.paynet_capture import (
    CAPTURE_ANSWER,
    EXAMPLE as PAYNET,
    capture_row,
    paynet_date,
    paynet_rows,
)
from tests.support.provider_server import HANG_UP, Reply, json_reply
from tests.support.reader import Reader
from tests.support.wire import answered, findings, header, literals, looked_up, the_call, unknown_order

# The page's "Request".
PAGE_REQUEST = """{
  "xact_id":"xk_EAAAANFhOW7SioFxO8LHPMruxp0hX3wE8NmJSmGUD*W3uISj" ,
  "amount":"100"
}"""
PAYNET_READER = Reader(PAYNET)
ORDER = {"xact_id": "xk_EAAAANFhOW7SioFxO8LHPMruxp0hX3wE8NmJSmGUD*W3uISj", "amount": "1.00"}
# The page's "Response".
PAGE_ANSWER = """{
"xact_id": "xk_EAAAAIO6j*mZ24gKFpk739cUeuL9P7oKyavBUO0Rbe7WKYXG",
"xact_date": "2016-04-08T10:27:22.0296925+03:00",
"transaction_type": 4,
"pos_type": 5,
"is_tds": true,
"agent_id": "20005",
"user_id": "cardholder",
"email": "",
"phone": "",
"bank_id": "AXSS",
"instalment": 3,
"ratio": 0.04,
"card_no_masked": "435508******4358",
"card_holder": "GJH",
"amount": 0,
"net_amount": 56.55,
"comission": 2.37,
"comission_tax": 0.43,
"currency": "TRY",
"authorization_code": "aut-8229",
"reference_code": "ref-8229",
"order_id": "order-8229",
"is_succeed": true,
"paynet_error_id": "",
"paynet_error_message": "",
"bank_error_id": "",
"bank_error_message": "",
"bank_error_short_desc": "",
"bank_error_long_desc": "",
"object_name": "transaction",
"code": 0,
"message": "Başarılı İşlem"
}"""


def capture(http: int = 200, **changes: Any) -> Reply:
    return json_reply({**CAPTURE_ANSWER, **changes}, http)


def error_object(code: Any, http: int = 400, kind: str = "invalid_request_error") -> Reply:
    """Paynet's Error object."""
    return json_reply({"type": kind, "message": "Mesaj", "code": http, "result_code": code}, http)


def test_the_pages_order_is_sent_as_on_the_page(harness: Harness) -> None:
    answered(harness, PAYNET, Reply(200, PAGE_ANSWER.encode()), body=ORDER)
    call = the_call(harness, PAYNET)
    assert (call.method, call.path) == ("POST", "/v1/transaction/capture")
    # The secret key as it is, not in base64.
    assert header(call, "Authorization") == "Basic sandbox-secret-key"
    assert header(call, "Content-Type") == "application/json; charset=UTF-8"
    assert header(call, "Accept") == "application/json"
    assert literals(call.body) == literals(PAGE_REQUEST)


def test_the_pages_answer_is_read(harness: Harness) -> None:
    response = answered(harness, PAYNET, Reply(200, PAGE_ANSWER.encode()), body=ORDER)
    assert response.status == 200
    page = json.loads(PAGE_ANSWER, parse_float=str)
    del page["is_succeed"]
    assert response.body["result"] == {
        "id": None,
        "is_3d_secure": page.pop("is_tds"),
        "commission": page.pop("comission"),
        "commission_tax": page.pop("comission_tax"),
        **page,
        "transaction_type": "4",
        "pos_type": "5",
        "amount": "0",
        "code": "0",
        # The names of the card's holder are masked, in the first answer and in every replay.
        "card_holder": "G**",
    }


def test_the_names_of_the_card_holder_are_neither_answered_nor_kept(
    harness: Harness, capsys: pytest.CaptureFixture[str]
) -> None:
    holder = {"card_holder": "Ayşe Yılmaz", "email": "ayse@example.com", "phone": "5321234567", "user_id": "ayse@x.com"}
    first = answered(harness, PAYNET, json_reply({**CAPTURE_ANSWER, **holder}))
    again = harness.send(PAYNET)
    assert (first.status, again.status, again.replayed) == (200, 200, True)
    assert again.body["result"] == first.body["result"]
    kept = f"{first}{harness.items()}{capsys.readouterr()}"
    for value in ("Ayşe", "Yılmaz", "5321234567", "ayse@"):
        assert value not in kept


@pytest.mark.parametrize(
    ("order", "wire"),
    [
        ({"xact": "8229"}, {"xact": "8229"}),
        ({"reference_no": "SİP-1"}, {"reference_no": "SİP-1"}),
        (
            {"reference_no": "r", "xact": "x", "xact_id": "i", "amount": "10.00"},
            {"xact_id": "i", "xact": "x", "reference_no": "r", "amount": "1000"},
        ),
        # "Boş gönderilirse ön provizyon tutarının tamamı alınır." (If it is empty, the whole amount is captured.)
        ({"xact_id": "i"}, {"xact_id": "i"}),
        ({"xact_id": "i", "amount": "0.01"}, {"xact_id": "i", "amount": "1"}),
        ({"xact_id": "i", "amount": 10}, {"xact_id": "i", "amount": "1000"}),
    ],
)
def test_references_and_amounts_on_the_wire(harness: Harness, order: dict[str, Any], wire: dict[str, str]) -> None:
    assert answered(harness, PAYNET, capture(), body=order).status == 200
    assert list(the_call(harness, PAYNET).json().items()) == list(wire.items())


@pytest.mark.parametrize(
    ("reply", "outcome"),
    [
        # "Eğer işlem başarılı ise http 200 ve is_succeed true" (if it succeeded).
        (capture(), "Succeeded"),
        (capture(code="0", transaction_type="4"), "Succeeded"),
        (capture(amount=Decimal("49.90")), "Succeeded"),
        (capture(amount="49.9000"), "Succeeded"),
        (capture(amount=None), "Succeeded"),
        (capture(transaction_type="CR"), "Succeeded"),
        (capture(reversed=False), "Succeeded"),
        (capture(201), "Unknown"),
        # "Banka onay vermemiş ise http 200 ve is_succeed false" (if the bank did not approve).
        (capture(is_succeed=False, code=0, bank_error_id="51"), "Declined"),
        (capture(is_succeed=False, code=1), "Declined"),
        (capture(is_succeed=False, code=11), "Declined"),
        (capture(is_succeed=False, code=0, paynet_error_id=7), "Declined"),
        (capture(is_succeed=False, code=1, transaction_type="CR"), "Declined"),
        # Code 0 is "successful": only an error number beside it refuses.
        (capture(is_succeed=False, code=0), "Unknown"),
        (capture(is_succeed=False, code=0, bank_error_id=["51"]), "Unknown"),
        # The Error object refuses for certain: noprocess, badrequest, nodata, wrong type.
        (error_object(6), "Declined"),
        (error_object("11"), "Declined"),
        (error_object(12, 404, "no_data_error"), "Declined"),
        (error_object(19, 405), "Declined"),
        (json_reply({"type": "api_error", "code": 400, "result_code": 11, "message": "x", "is_succeed": False}, 400),
         "Declined"),
        (error_object(8, 403), "Unknown"),
        (error_object(11, 409), "Unknown"),
        (error_object(11, 429), "Unknown"),
        (error_object(7, 403, "authorization_error"), "CredentialsRefused"),
    ],
)  # fmt: skip
def test_the_outcome_of_each_answer(reply: Reply, outcome: str) -> None:
    assert PAYNET_READER.verdict(reply) == outcome


@pytest.mark.parametrize(
    ("changes", "code", "text"),
    [
        ({"code": 1, "bank_error_id": "51", "bank_error_message": "Yetersiz bakiye"}, "51", "Yetersiz bakiye"),
        ({"code": 1, "paynet_error_id": "P7", "paynet_error_message": "Kapalı"}, "P7", "Kapalı"),
        ({"code": 1, "message": "Başarısız"}, "1", "Başarısız"),
        ({"code": 1, "message": "4355 0800 0000 4358 reddedildi"}, "1", "*** reddedildi"),
    ],
)
def test_a_refusals_code_and_text(harness: Harness, changes: dict[str, Any], code: str, text: str) -> None:
    response = answered(harness, PAYNET, capture(is_succeed=False, **changes))
    assert response.status == 402
    assert (response.body["provider_code"], response.body["provider_text"]) == (code, text)


# -------------------------------------------------------------------- look-up

PRE_AUTHORISATION = {**CAPTURE_ANSWER, "transaction_type": 3, "amount": 100, "xact_date": paynet_date(START - 3600)}


@pytest.mark.parametrize(
    ("order", "service", "asked"),
    [
        ({"xact_id": "i", "amount": "49.90"}, "check", {"xact_id": "i"}),
        ({"reference_no": "r", "amount": "49.90"}, "check", {"reference_no": "r"}),
        ({"xact_id": "i", "xact": "x", "reference_no": "r"}, "check", {"xact_id": "i", "reference_no": "r"}),
        # `check` does not take the plain id; `detail` does.
        ({"xact": "x"}, "detail", {"xact": "x"}),
    ],
)
def test_the_look_up_call(harness: Harness, order: dict[str, str], service: str, asked: dict[str, str]) -> None:
    unknown_order(harness, PAYNET, body=order)
    harness.clock.advance(60)
    harness.server.on(f"POST /v1/transaction/{service}", paynet_rows())
    harness.send(PAYNET, order)
    (call,) = harness.server.to(f"POST /v1/transaction/{service}")
    assert header(call, "Authorization") == "Basic sandbox-secret-key"
    assert call.json() == asked


@pytest.mark.parametrize(
    "rows",
    [
        [PRE_AUTHORISATION, capture_row(START + 2)],
        [PRE_AUTHORISATION, capture_row(START - 86_400), capture_row(START + 2)],
        [capture_row(START + 2, transaction_type="4")],
        [{**PRE_AUTHORISATION, "transaction_type": "PR"}, capture_row(START + 2, transaction_type="CR")],
        [{**PRE_AUTHORISATION, "reversed": False}, capture_row(START + 2, reversed=False, reversed_xact_id="")],
        [capture_row(START + 2, "49.9000")],
        [capture_row(START + 2), capture_row(START + 2, is_succeed=False)],
    ],
    ids=["second row", "beside an older capture", "type as text", "letters", "detail", "more digits",
         "beside a failed one"],
)  # fmt: skip
def test_a_capture_made_since_the_claim_is_proof_in_any_row(rows: list[dict[str, Any]]) -> None:
    for found in (PAYNET_READER.look_up(paynet_rows(*order)) for order in (rows, rows[::-1])):
        assert isinstance(found, Found)
        assert isinstance(found.outcome, Succeeded)
        assert found.outcome.result["amount"] in ("49.90", "49.9000")
        assert found.outcome.result["transaction_type"] in ("4", "CR")
        assert "is_succeed" not in found.outcome.result


def test_a_whole_capture_is_found_whatever_its_amount() -> None:
    assert Reader(PAYNET, amount=None).finding(paynet_rows(capture_row(START + 2, "123.45"))) == "Found"


OURS = {**PRE_AUTHORISATION, "xact_id": PAYNET.body["xact_id"], "agent_reference": "r"}


@pytest.mark.parametrize(
    ("rows", "finding"),
    [
        ([PRE_AUTHORISATION], "NotFound"),
        ([], "NotFound"),
        ([capture_row(START - 3600)], "NotFound"),
        ([capture_row(START + 2, is_succeed=False)], "NotFound"),
        *(([capture_row(START + 2, transaction_type=kind)], "NotFound") for kind in ("RC", "S", 1, 6)),
        *(([capture_row(START + 2, is_succeed=sign)], "Inconclusive") for sign in (None, "true", 1)),
        *(([capture_row(START + 2, transaction_type=kind)], "Inconclusive") for kind in ("cr", None, 8)),
        ([capture_row(START + 2), capture_row(START + 2, transaction_type=8)], "Inconclusive"),
        ([capture_row(START + 2), capture_row(START + 3)], "Inconclusive"),
        ([capture_row(START + 2, agent_reference="r"), capture_row(START + 2, agent_reference="s")], "Inconclusive"),
        ([capture_row(START + 2, agent_reference={"no": "r"})], "Inconclusive"),
        ([OURS, capture_row(START + 2, agent_reference="R ")], "Inconclusive"),
        ([OURS, capture_row(START + 2, agent_reference="s")], "NotFound"),
        # A clock may be wrong.
        ([capture_row(START - 60)], "Inconclusive"),
        ([capture_row(START + 3600)], "Inconclusive"),
    ],
)
def test_what_proves_nothing(rows: list[dict[str, Any]], finding: str) -> None:
    assert PAYNET_READER.finding(paynet_rows(*rows)) == finding


@pytest.mark.parametrize(
    "reply",
    [
        error_object(12, 404, "no_data_error"),
        json_reply({"object_name": "transaction", "code": 0}),
        json_reply({"object_name": "transaction", "code": 0, "Data": {}}),
        json_reply({"object_name": "transaction", "code": 0, "Data": [7]}),
        json_reply({"object_name": "transaction", "code": 0, "Data": [{"amount": "viel"}]}),
        json_reply({"object_name": "transaction", "code": 8, "Data": [capture_row(START + 2)]}),
        json_reply({"object_name": "transaction", "code": 0, "has_more": True, "Data": [capture_row(START + 2)]}),
        json_reply({"object_name": "transaction", "code": 0, "data": [], "Data": [capture_row(START + 2)]}),
    ],
)
def test_a_list_in_another_form_proves_nothing(reply: Reply) -> None:
    assert PAYNET_READER.finding(reply) == "Inconclusive"


# ---------------------------------------------------------- captures of other orders

NAMES = {"order_id": "order-1", "authorization_code": "aut-1", "reference_code": "ref-1"}


def second_part(harness: Harness, *, minutes: float = 30, **names: str) -> None:
    """A part of 49.90 was captured. Later the answer to another such part is lost. Its row comes two seconds later."""
    assert answered(harness, PAYNET, capture(amount=Decimal("49.90"), **names)).status == 200
    harness.clock.advance(60 * minutes)
    assert answered(harness, PAYNET, HANG_UP, key="key-2").status == 202
    harness.server.calls.clear()


@pytest.mark.parametrize("name", NAMES)
def test_a_capture_is_known_by_each_name_that_does_not_change(harness: Harness, name: str) -> None:
    second_part(harness, **{name: NAMES[name]})
    # Paynet's clock is half an hour ahead, so the row of the first part seems to be later than the second claim.
    first = capture_row(harness.clock.now + 2, xact_id="xk_anew", **{name: NAMES[name]})
    response = looked_up(harness, PAYNET, paynet_rows(PRE_AUTHORISATION, first), key="key-2")
    assert findings(harness, response.body["operation_id"]) == ["not_found"]
    own = capture_row(START + 1802, xact_id="xk_own", **{name: "another"})
    harness.clock.advance(60)
    again = looked_up(harness, PAYNET, paynet_rows(PRE_AUTHORISATION, first, own), key="key-2")
    assert again.body["result"]["xact_id"] == "xk_own"


def test_a_capture_that_a_look_up_found_is_known_by_its_plain_id(harness: Harness) -> None:
    first = unknown_order(harness, PAYNET)
    row = capture_row(START + 2, id="8229", xact_id="xk_once")
    assert looked_up(harness, PAYNET, paynet_rows(row)).body["result"]["id"] == "8229"
    assert harness.record(first).status == "succeeded"
    harness.clock.advance(1800)
    second = answered(harness, PAYNET, HANG_UP, key="key-2").body["operation_id"]
    looked_up(harness, PAYNET, paynet_rows(capture_row(harness.clock.now, id="8229", xact_id="xk_anew")), key="key-2")
    assert findings(harness, second) == ["not_found"]


@pytest.mark.parametrize(("minutes", "status"), [(3, "unknown"), (6, "succeeded")])
def test_a_capture_made_near_the_end_of_another_order_proves_nothing(
    harness: Harness, minutes: float, status: str
) -> None:
    """The first part has no name, so only the time shows which capture a row is."""
    second_part(harness, minutes=minutes)
    row = capture_row(harness.clock.now + 2, xact_id="xk_anew")
    assert looked_up(harness, PAYNET, paynet_rows(row), key="key-2").body["status"] == status


def test_the_plain_id_is_looked_up_through_detail_with_letters_for_types(harness: Harness) -> None:
    order = {"xact": "8229", "amount": "49.90"}
    known = unknown_order(harness, PAYNET, body=order)
    harness.clock.advance(60)
    rows = [{**PRE_AUTHORISATION, "id": "8229", "transaction_type": "PR", "reversed": False},
            capture_row(START + 2, id="8230", transaction_type="CR", reversed=False)]  # fmt: skip
    harness.server.on("POST /v1/transaction/detail", paynet_rows(*rows))
    assert harness.send(PAYNET, order).body["status"] == "succeeded"
    assert findings(harness, known) == ["found"]
