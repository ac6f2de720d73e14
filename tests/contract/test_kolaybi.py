"""KolayBi "Cari Tahsilat İşlemi" (POST /kolaybi/v1/associates/{id}/transactions/proceed) against its page."""

from typing import Any

import pytest

from tests.support.bench import Bench
from tests.support.examples import KOLAYBI, KOLAYBI_DATA, SECRETS
from tests.support.provider_server import HANG_UP, Reply, json_reply
from tests.support.wire import answered, findings, header, looked_up, the_call, unknown_order, verdict

# The page's sample order: associate 123, amount=1000, currency=TRY, gateway_id=1, "Tahsilat açıklaması".
ORDER = {"amount": 1000, "currency": "TRY", "gateway_id": 1, "description": "Tahsilat açıklaması"}
# The page's "Yanıt".
ANSWER = """{
"data": {
"transaction_status": "Tamamlandı",
"transaction_type": "Tahsilat",
"payment_method": "Nakit",
"issue_date": "2024-01-15 14:30:00",
"amount": 1000,
"currency": "TRY"
}
}"""
PAGE_ANSWER = Reply(200, ANSWER.encode(), {"Content-Type": "application/json"})


def with_data(**changes: Any) -> Reply:
    return json_reply({"data": {**KOLAYBI_DATA, **changes}})


def test_the_pages_order_gives_the_pages_wire(bench: Bench) -> None:
    response = answered(bench, KOLAYBI, PAGE_ANSWER, body=ORDER)
    call = the_call(bench, KOLAYBI)
    assert (call.method, call.path) == ("POST", "/kolaybi/v1/associates/123/transactions/proceed")
    assert header(call, "Authorization") == "Bearer sandbox-token"
    assert header(call, "Channel") == "sandbox-channel"
    assert header(call, "Content-Type") == "application/x-www-form-urlencoded"
    operation_id = response.body["operation_id"]
    assert call.body.decode() == (
        f"amount=1000&currency=TRY&gateway_id=1&description=Tahsilat+a%C3%A7%C4%B1klamas%C4%B1+{operation_id}"
    )


def test_the_pages_answer_is_read(bench: Bench) -> None:
    response = answered(bench, KOLAYBI, PAGE_ANSWER, body=ORDER)
    assert response.status == 200
    assert response.body["result"] == {
        "transaction_status": "Tamamlandı",
        "transaction_type": "Tahsilat",
        "payment_method": "Nakit",
        "issue_date": "2024-01-15T14:30:00+03:00",
        "amount": "1000",
        "currency": "TRY",
    }


def test_the_login(bench: Bench) -> None:
    answered(bench, KOLAYBI, PAGE_ANSWER, body=ORDER)
    login = bench.server.calls[0]
    assert (login.method, login.path) == ("POST", "/kolaybi/v1/access_token")
    assert header(login, "Content-Type") == "application/json"
    assert header(login, "Channel") == "sandbox-channel"
    assert header(login, "Authorization") is None
    assert login.json() == {"api_key": SECRETS["kolaybi"]["api_key"]}


def test_every_field_on_the_wire_in_the_pages_order(bench: Bench) -> None:
    order = {
        "description": "Şube & depo = %100 + KDV",
        "project_ids": [7, 8, 7],
        "exchange_rate": "34.1200",
        "gateway_type": "associate",
        "gateway_id": 42,
        "currency": "USD",
        "amount": "10.50",
    }
    response = answered(bench, KOLAYBI, with_data(amount=10.5, currency="USD"), body=order)
    assert response.status == 200
    assert the_call(bench, KOLAYBI).form() == [
        ("amount", "10.5"),
        ("currency", "USD"),
        ("gateway_id", "42"),
        ("gateway_type", "Associate"),
        ("exchange_rate", "34.12"),
        ("project_ids[]", "7"),
        ("project_ids[]", "8"),
        ("project_ids[]", "7"),
        ("description", f"Şube & depo = %100 + KDV {response.body['operation_id']}"),
    ]


@pytest.mark.parametrize(("ours", "wire"), [("vault", "Vault"), ("associate", "Associate")])
def test_gateway_types(bench: Bench, ours: str, wire: str) -> None:
    answered(bench, KOLAYBI, PAGE_ANSWER, body={**ORDER, "gateway_type": ours})
    assert dict(the_call(bench, KOLAYBI).form())["gateway_type"] == wire


@pytest.mark.parametrize("description", [None, "", "  baştaki ve sondaki boşluk  ", "satır\nsonu"])
def test_the_description_is_sent_as_given_with_the_marker_behind(bench: Bench, description: str | None) -> None:
    order = {name: value for name, value in ORDER.items() if name != "description"}
    if description is not None:
        order["description"] = description
    response = answered(bench, KOLAYBI, PAGE_ANSWER, body=order)
    marker = response.body["operation_id"]
    expected = f"{description} {marker}" if description else marker
    assert dict(the_call(bench, KOLAYBI).form())["description"] == expected


@pytest.mark.parametrize(
    ("reply", "outcome"),
    [
        # Success is this one value of the page, for our amount and currency, with HTTP 2xx.
        (with_data(), "succeeded"),
        (Reply(201, with_data().body), "succeeded"),
        (with_data(amount="250.75"), "succeeded"),
        (with_data(currency="try"), "succeeded"),
        (json_reply({"success": True, "data": KOLAYBI_DATA}), "succeeded"),
        (with_data(transaction_status="Beklemede"), "unknown"),
        (with_data(transaction_status=""), "unknown"),
        (with_data(transaction_status=None), "unknown"),
        (with_data(amount=250.74), "unknown"),
        (with_data(amount=None), "unknown"),
        (with_data(currency="USD"), "unknown"),
        # A form that the page does not show contradicts nothing where it decides nothing.
        (with_data(issue_date="15.01.2024 14:30"), "succeeded"),
        (with_data(issue_date=1705318200), "succeeded"),
        (with_data(payment_method={"id": 1, "name": "Nakit"}), "succeeded"),
        (with_data(issue_date="15.01.2024 14:30", transaction_status="Beklemede"), "unknown"),
        (with_data(issue_date="15.01.2024 14:30", amount=250.74), "unknown"),
        (with_data(currency=["TRY"]), "unknown"),
        (json_reply({"data": {}}), "unknown"),
        (json_reply({"data": []}), "unknown"),
        (json_reply({"data": None}), "unknown"),
        (json_reply({}), "unknown"),
        (json_reply({"success": False, "message": "Hata"}), "unknown"),
        (json_reply([KOLAYBI_DATA]), "unknown"),
        (Reply(200, b""), "unknown"),
        (Reply(200, b"<html>Bakimdayiz</html>"), "unknown"),
        (Reply(200, with_data().body[:-20]), "unknown"),
        (Reply(200, with_data().body[:-1] + b",}"), "unknown"),
        (Reply(302, b"", {"Location": "/"}), "unknown"),
        # HTTP says that it was not carried out, and KolayBi itself speaks.
        (json_reply({"message": "Kasa bulunamadı"}, 400), "declined"),
        (json_reply({"message": "Yetkisiz"}, 403), "declined"),
        (json_reply({"message": "Cari bulunamadı"}, 404), "declined"),
        (json_reply({"message": "x"}, 405), "declined"),
        (json_reply({"message": "x"}, 415), "declined"),
        (json_reply({"message": "Tutar hatalı", "errors": {"amount": ["x"]}}, 422), "declined"),
        # Something on the way speaks, or HTTP does not say.
        (Reply(400, b"<html>Bad Request</html>"), "unknown"),
        (Reply(404, b""), "unknown"),
        (json_reply({"message": "x"}, 402), "unknown"),
        (json_reply({"message": "x"}, 408), "unknown"),
        (json_reply({"message": "x"}, 409), "unknown"),
        (json_reply({"message": "x"}, 425), "unknown"),
        (json_reply({"message": "x"}, 429), "unknown"),
        (json_reply({"message": "x"}, 500), "unknown"),
        (json_reply({"data": KOLAYBI_DATA}, 500), "unknown"),
        (Reply(502, b"<html>Bad Gateway</html>"), "unknown"),
        (json_reply({"message": "x"}, 503), "unknown"),
        (json_reply({"message": "x"}, 504), "unknown"),
        (HANG_UP, "unknown"),
    ],
)
def test_what_an_answer_is_taken_for(bench: Bench, reply: Reply, outcome: str) -> None:
    assert verdict(bench, KOLAYBI, reply) == outcome


@pytest.mark.parametrize(
    ("body", "code", "text"),
    [
        ({"code": "E42", "message": "Kasa bulunamadı"}, "E42", "Kasa bulunamadı"),
        ({"code": 42, "error": {"message": "Kasa bulunamadı"}}, "42", "Kasa bulunamadı"),
        ({"error": "Kasa bulunamadı"}, "422", "Kasa bulunamadı"),
        ({"message": "Kart 4111111111111111"}, "422", "Kart ***"),
        ({}, "422", ""),
    ],
)
def test_a_refusals_code_and_text(bench: Bench, body: dict[str, Any], code: str, text: str) -> None:
    response = answered(bench, KOLAYBI, json_reply(body, 422))
    assert response.status == 402
    assert (response.body["provider_code"], response.body["provider_text"]) == (code, text)


# -------------------------------------------------------------------- look-up


def row(bench: Bench, operation_id: str, **changes: Any) -> dict[str, Any]:
    return {"id": 9, "amount": 250.75, "description": f"Aylık ödeme {operation_id}", **changes}


def test_the_look_up_call(bench: Bench) -> None:
    unknown_order(bench, KOLAYBI)
    looked_up(bench, KOLAYBI, json_reply({"data": []}))
    (call,) = bench.server.to(KOLAYBI.look_up_route)
    assert (call.method, call.path, call.body) == ("GET", "/kolaybi/v1/associates/123/transactions", b"")
    assert header(call, "Authorization") == "Bearer sandbox-token"
    assert header(call, "Channel") == "sandbox-channel"


@pytest.mark.parametrize("shape", ["list", "under a name", "nested", "other field", "after odd rows"])
def test_the_marker_found_anywhere_is_proof(bench: Bench, shape: str) -> None:
    """The page documents only the path of the list, so neither its shape nor its other rows are relied upon."""
    known = unknown_order(bench, KOLAYBI)
    ours = row(bench, known)
    body = {
        "list": {"data": [ours]},
        "under a name": {"data": {"transactionables": [ours], "calculations": [{"amount": 1, "currency": "try"}]}},
        "nested": {"success": True, "data": {"page": 1, "items": [{"transaction": ours}]}},
        "other field": {"data": [{"id": 9, "note": f"Tahsilat: {known}"}]},
        "after odd rows": {"data": [{"description": "x", "amount": {"value": 1}, "issue_date": "15.01.2024"}, ours]},
    }[shape]
    response = looked_up(bench, KOLAYBI, json_reply(body))
    assert (response.status, response.body["status"]) == (200, "succeeded")
    assert response.body["result"]["amount"] == "250.75"
    assert response.body["result"]["currency"] == "TRY"
    assert findings(bench, known) == ["found"]
    assert bench.server.to(KOLAYBI.route) == []


def test_what_the_row_tells_is_in_the_result(bench: Bench) -> None:
    known = unknown_order(bench, KOLAYBI)
    found = row(bench, known, transaction_status="Tamamlandı", transaction_type="Tahsilat", payment_method="Nakit",
                issue_date="2026-12-01 09:00:00", currency="TRY")  # fmt: skip
    assert looked_up(bench, KOLAYBI, json_reply({"data": [found]})).body["result"] == {
        "transaction_status": "Tamamlandı",
        "transaction_type": "Tahsilat",
        "payment_method": "Nakit",
        "issue_date": "2026-12-01T09:00:00+03:00",
        "amount": "250.75",
        "currency": "TRY",
    }


@pytest.mark.parametrize("issue_date", ["15.01.2024 14:30", "", 1705318200])
def test_our_row_is_proof_whatever_form_its_date_has(bench: Bench, issue_date: Any) -> None:
    known = unknown_order(bench, KOLAYBI)
    response = looked_up(bench, KOLAYBI, json_reply({"data": [row(bench, known, issue_date=issue_date)]}))
    assert response.body["status"] == "succeeded"


@pytest.mark.parametrize(
    "body",
    [
        {"data": []},
        {"data": [{"description": "Aylık ödeme", "amount": 250.75, "currency": "TRY"}]},
        {"data": [{"description": "Aylık ödeme op_aaaaaaaaaaaaaaaaaaaaaaaaaa", "amount": 250.75, "currency": "TRY"}]},
    ],
    ids=["nothing", "same amount", "another order's marker"],
)
def test_without_the_marker_nothing_is_proven(bench: Bench, body: dict[str, Any]) -> None:
    known = unknown_order(bench, KOLAYBI)
    for _ in range(5):
        response = looked_up(bench, KOLAYBI, json_reply(body))
        assert (response.status, response.body["status"]) == (202, "unknown")
        bench.clock.advance(24 * 3600)
    assert findings(bench, known) == ["not_found"] * 5
    assert bench.server.to(KOLAYBI.route) == []


@pytest.mark.parametrize(
    "reply",
    [
        json_reply({"message": "x"}, 500),
        json_reply({"message": "x"}, 404),
        json_reply({"message": "x"}, 401),
        Reply(200, b"<html></html>"),
        json_reply([]),
        HANG_UP,
    ],
)
def test_a_look_up_that_fails_proves_nothing(bench: Bench, reply: Reply) -> None:
    known = unknown_order(bench, KOLAYBI)
    assert looked_up(bench, KOLAYBI, reply).status == 202
    assert findings(bench, known) == ["inconclusive"]


def test_another_orders_text_cannot_pass_for_the_marker(bench: Bench) -> None:
    """Someone notes "again for op_..." in a second order: its row must not settle the first."""
    known = unknown_order(bench, KOLAYBI)
    second = {**KOLAYBI.body, "description": f"{known} yerine"}
    bench.server.on(KOLAYBI.route, KOLAYBI.success)
    response = bench.send(KOLAYBI, second, key="key-2")
    assert response.status == 400
    assert response.body["errors"] == [{"place": "body.description", "reason": "must not contain an operation id"}]
    assert bench.server.to(KOLAYBI.route) == []
