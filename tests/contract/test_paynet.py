"""Paynet "Finansallaştırma" (POST /v1/transaction/capture) and its look-ups against their pages."""

from decimal import Decimal
from typing import Any

import pytest

from tests.support.bench import START, Bench
from tests.support.examples import CAPTURE_ANSWER, PAYNET, capture_row, paynet_date, paynet_rows
from tests.support.provider_server import HANG_UP, Reply, json_reply
from tests.support.wire import answered, findings, header, literals, looked_up, the_call, unknown_order, verdict

# The page's "Request".
PAGE_REQUEST = """{
  "xact_id":"xk_EAAAANFhOW7SioFxO8LHPMruxp0hX3wE8NmJSmGUD*W3uISj" ,
  "amount":"100"
}"""
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


def test_the_pages_order_gives_the_pages_wire(bench: Bench) -> None:
    answered(bench, PAYNET, Reply(200, PAGE_ANSWER.encode()), body=ORDER)
    call = the_call(bench, PAYNET)
    assert (call.method, call.path) == ("POST", "/v1/transaction/capture")
    # The secret key as it is, not in base64.
    assert header(call, "Authorization") == "Basic sandbox-secret-key"
    assert header(call, "Content-Type") == "application/json; charset=UTF-8"
    assert header(call, "Accept") == "application/json"
    assert literals(call.body) == literals(PAGE_REQUEST)


def test_the_pages_answer_is_read(bench: Bench) -> None:
    response = answered(bench, PAYNET, Reply(200, PAGE_ANSWER.encode()), body=ORDER)
    assert response.status == 200
    assert response.body["result"] == {
        "xact_id": "xk_EAAAAIO6j*mZ24gKFpk739cUeuL9P7oKyavBUO0Rbe7WKYXG",
        "xact_date": "2016-04-08T10:27:22.0296925+03:00",
        "transaction_type": "4",
        "pos_type": "5",
        "is_3d_secure": True,
        "agent_id": "20005",
        "user_id": "cardholder",
        "email": "",
        "phone": "",
        "bank_id": "AXSS",
        "instalment": 3,
        "ratio": "0.04",
        "card_no_masked": "435508******4358",
        # What names the card's holder is masked, in the first answer as in every replay.
        "card_holder": "G**",
        "amount": "0",
        "net_amount": "56.55",
        "commission": "2.37",
        "commission_tax": "0.43",
        "currency": "TRY",
        "authorization_code": "aut-8229",
        "reference_code": "ref-8229",
        "order_id": "order-8229",
        "paynet_error_id": "",
        "paynet_error_message": "",
        "bank_error_id": "",
        "bank_error_message": "",
        "bank_error_short_desc": "",
        "bank_error_long_desc": "",
        "code": "0",
        "message": "Başarılı İşlem",
    }


def test_what_names_the_card_s_holder_is_neither_answered_nor_kept(
    bench: Bench, capsys: pytest.CaptureFixture[str]
) -> None:
    holder = {"card_holder": "Ayşe Yılmaz", "email": "ayse@example.com", "phone": "5321234567", "user_id": "ayse@x.com"}
    first = answered(bench, PAYNET, json_reply({**CAPTURE_ANSWER, **holder}))
    again = bench.send(PAYNET)
    assert (first.status, again.status, again.replayed) == (200, 200, True)
    assert again.body["result"] == first.body["result"]
    kept = f"{first}{bench.items()}{capsys.readouterr()}"
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
        # "Boş gönderilirse ön provizyon tutarının tamamı alınır."
        ({"xact_id": "i"}, {"xact_id": "i"}),
        ({"xact_id": "i", "amount": "0.01"}, {"xact_id": "i", "amount": "1"}),
        ({"xact_id": "i", "amount": 10}, {"xact_id": "i", "amount": "1000"}),
    ],
)
def test_references_and_amounts_on_the_wire(bench: Bench, order: dict[str, Any], wire: dict[str, str]) -> None:
    assert answered(bench, PAYNET, capture(), body=order).status == 200
    assert list(the_call(bench, PAYNET).json().items()) == list(wire.items())


@pytest.mark.parametrize(
    ("reply", "outcome"),
    [
        # "Eğer işlem başarılı ise http 200 ve is_succeed true".
        (capture(), "succeeded"),
        (capture(code="0", transaction_type="4"), "succeeded"),
        (capture(amount=Decimal("49.90")), "succeeded"),
        (capture(amount="49.9000"), "succeeded"),
        (capture(amount=None), "succeeded"),
        # "Banka onay vermemiş ise http 200 ve is_succeed false".
        (capture(is_succeed=False, code=0, bank_error_id="51"), "declined"),
        (capture(is_succeed=False, code=1), "declined"),
        (capture(is_succeed=False, code=11), "declined"),
        (capture(is_succeed=False, code=None), "declined"),
        # Not plainly one of the two.
        (capture(is_succeed=None), "unknown"),
        (capture(is_succeed="true"), "unknown"),
        (capture(is_succeed=1), "unknown"),
        (json_reply({"code": 0, "message": "Başarılı İşlem"}), "unknown"),
        (capture(201), "unknown"),
        # A success that contradicts itself or the order.
        (capture(code=1), "unknown"),
        (capture(code=100), "unknown"),
        (capture(transaction_type=1), "unknown"),
        (capture(transaction_type=6), "unknown"),
        (capture(amount=Decimal("49.89")), "unknown"),
        # duplicatedata, servererror, timeout, oldsuccessful: a capture may have been made.
        (capture(is_succeed=False, code=5), "unknown"),
        (capture(is_succeed=False, code=8), "unknown"),
        (capture(is_succeed=False, code=10), "unknown"),
        (capture(is_succeed=False, code=100), "unknown"),
        (error_object(5), "unknown"),
        (error_object(8), "unknown"),
        (error_object(10), "unknown"),
        (error_object(100), "unknown"),
        # The Error object refuses for certain: noprocess, badrequest, nodata, wrong type.
        (error_object(6), "declined"),
        (error_object(11), "declined"),
        (error_object("11"), "declined"),
        (error_object(12, 404, "no_data_error"), "declined"),
        (error_object(19, 405), "declined"),
        # An error that calls itself a success.
        (error_object(0), "unknown"),
        (error_object(7, 403, "authorization_error"), "provider-rejected-credentials"),
        (error_object(11, 409), "unknown"),
        (error_object(11, 429), "unknown"),
        (error_object(8, 500, "api_error"), "unknown"),
        (error_object(11, 500, "api_error"), "unknown"),
        (json_reply({"message": "Bad Request"}, 400), "unknown"),
        (Reply(403, b"<html></html>"), "unknown"),
        (Reply(404, b"<html></html>"), "unknown"),
        (Reply(200, b"<html></html>"), "unknown"),
        (Reply(200, PAGE_ANSWER.encode()[:-3]), "unknown"),
        (Reply(200, PAGE_ANSWER.encode().replace(b'"message"', b'"m": 1, , "message"')), "unknown"),
        (Reply(502, b"<html></html>"), "unknown"),
        (HANG_UP, "unknown"),
    ],
)
def test_what_an_answer_is_taken_for(bench: Bench, reply: Reply, outcome: str) -> None:
    assert verdict(bench, PAYNET, reply) == outcome


def test_a_401_ends_as_a_refused_login(bench: Bench) -> None:
    """The key is static: without a new one in the secret the same call is not made twice."""
    assert verdict(bench, PAYNET, error_object(7, 401, "authentication_error")) == "provider-rejected-credentials"


@pytest.mark.parametrize(
    ("changes", "code", "text"),
    [
        ({"code": 1, "bank_error_id": "51", "bank_error_message": "Yetersiz bakiye"}, "51", "Yetersiz bakiye"),
        ({"code": 1, "paynet_error_id": "P7", "paynet_error_message": "Kapalı"}, "P7", "Kapalı"),
        ({"code": 1, "message": "Başarısız"}, "1", "Başarısız"),
        ({"code": 1, "message": "4355 0800 0000 4358 reddedildi"}, "1", "*** reddedildi"),
    ],
)
def test_a_refusals_code_and_text(bench: Bench, changes: dict[str, Any], code: str, text: str) -> None:
    response = answered(bench, PAYNET, capture(is_succeed=False, **changes))
    assert response.status == 402
    assert (response.body["provider_code"], response.body["provider_text"]) == (code, text)


# -------------------------------------------------------------------- look-up

PRE_AUTHORISATION = {**CAPTURE_ANSWER, "transaction_type": 3, "amount": 100, "xact_date": paynet_date(START - 3600)}
REFERENCE = PAYNET.body["xact_id"]


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
def test_the_look_up_call(bench: Bench, order: dict[str, str], service: str, asked: dict[str, str]) -> None:
    unknown_order(bench, PAYNET, body=order)
    bench.clock.advance(60)
    bench.server.on(f"POST /v1/transaction/{service}", paynet_rows())
    bench.send(PAYNET, order)
    (call,) = bench.server.to(f"POST /v1/transaction/{service}")
    assert header(call, "Authorization") == "Basic sandbox-secret-key"
    assert call.json() == asked


@pytest.mark.parametrize(
    "rows",
    [
        [PRE_AUTHORISATION, capture_row(START + 2)],
        [capture_row(START + 2), PRE_AUTHORISATION],
        [PRE_AUTHORISATION, capture_row(START - 86_400), capture_row(START + 2)],
        [capture_row(START + 2, transaction_type="4")],
    ],
    ids=["second row", "first row", "beside an older capture", "type as text"],
)
def test_a_capture_made_since_is_proof_in_whatever_row(bench: Bench, rows: list[dict[str, Any]]) -> None:
    known = unknown_order(bench, PAYNET)
    response = looked_up(bench, PAYNET, paynet_rows(*rows))
    assert (response.status, response.body["status"]) == (200, "succeeded")
    assert response.body["result"]["amount"] == "49.90"
    assert response.body["result"]["transaction_type"] == "4"
    assert "is_succeed" not in response.body["result"]
    assert findings(bench, known) == ["found"]


def test_a_whole_capture_is_found_whatever_its_amount(bench: Bench) -> None:
    order = {"xact_id": REFERENCE}
    unknown_order(bench, PAYNET, body=order)
    response = looked_up(bench, PAYNET, paynet_rows(capture_row(START + 2, "123.45")), body=order)
    assert response.body["status"] == "succeeded"
    assert response.body["result"]["amount"] == "123.45"


@pytest.mark.parametrize(
    ("rows", "finding"),
    [
        ([PRE_AUTHORISATION], "not_found"),
        ([], "not_found"),
        ([capture_row(START - 3600)], "not_found"),
        ([capture_row(START + 2, is_succeed=False)], "not_found"),
        ([capture_row(START + 2, is_succeed=None)], "not_found"),
        ([capture_row(START + 2, transaction_type=1)], "not_found"),
        ([capture_row(START + 2, transaction_type=6)], "not_found"),
        ([capture_row(START - 60)], "inconclusive"),
        ([capture_row(START + 2, "49.89")], "inconclusive"),
        ([capture_row(START + 2), capture_row(START + 3)], "inconclusive"),
        ([capture_row(START + 2, xact_date=None)], "inconclusive"),
        ([capture_row(START + 2, xact_date="01.12.2026")], "inconclusive"),
    ],
    ids=[
        "pre-authorisation only", "nothing", "older capture of the same amount", "failed capture", "no sign", "sale",
        "reversal", "a little older", "other amount", "two captures", "no date", "date in another form",
    ],
)  # fmt: skip
def test_what_proves_nothing(bench: Bench, rows: list[dict[str, Any]], finding: str) -> None:
    known = unknown_order(bench, PAYNET)
    for _ in range(3):
        assert looked_up(bench, PAYNET, paynet_rows(*rows)).status == 202
        bench.clock.advance(24 * 3600)
    assert findings(bench, known) == [finding] * 3
    assert bench.server.to(PAYNET.route) == []


@pytest.mark.parametrize(
    "reply",
    [
        error_object(12, 404, "no_data_error"),
        error_object(8, 500, "api_error"),
        json_reply({"object_name": "transaction", "code": 0}),
        json_reply({"object_name": "transaction", "code": 0, "Data": {}}),
        json_reply({"object_name": "transaction", "code": 0, "Data": [7]}),
        json_reply({"object_name": "transaction", "code": 0, "Data": [{"amount": "viel"}]}),
        Reply(200, b"<html></html>"),
        Reply(401, b""),
        HANG_UP,
    ],
)
def test_a_look_up_that_fails_proves_nothing(bench: Bench, reply: Reply) -> None:
    known = unknown_order(bench, PAYNET)
    assert looked_up(bench, PAYNET, reply).status == 202
    assert findings(bench, known) == ["inconclusive"]


def test_the_capture_of_an_earlier_order_does_not_prove_a_later_one(bench: Bench) -> None:
    """Two part captures of one amount, one minute apart: the first one's row is not the second one's."""
    assert answered(bench, PAYNET, capture(amount=Decimal("49.90"))).status == 200
    first = capture_row(bench.clock.now + 1)
    bench.clock.advance(60)
    response = answered(bench, PAYNET, HANG_UP, key="key-2")
    assert response.status in (202, 409)
    if response.status == 202:
        looked = looked_up(bench, PAYNET, paynet_rows(PRE_AUTHORISATION, first), key="key-2")
        assert looked.body["status"] == "unknown"
