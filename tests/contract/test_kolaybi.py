"""KolayBi "Cari Tahsilat İşlemi" (POST /kolaybi/v1/associates/{id}/transactions/proceed) against its page."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from vezne.providers.credentials import KolayBiCredentials, RequestCredentials

from tests.support.harness import START, TABLE, Harness, operation_of, table_client
from tests.support.operations.kolaybi_collect import EXAMPLE as KOLAYBI, KOLAYBI_DATA
from tests.support.provider_server import HANG_UP, Reply, json_reply
from tests.support.providers import SECRETS
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


def marker_of(harness: Harness, operation_id: str) -> str:
    """The marker of an order, as its record keeps it."""
    return harness.record(operation_id).lookup_fields["marker"]


def with_data(**changes: Any) -> Reply:
    return json_reply({"data": {**KOLAYBI_DATA, **changes}})


def refusal(http: int = 422, **fields: Any) -> Reply:
    """KolayBi's envelope of a refusal, as clients read it. No page shows one."""
    return json_reply({"success": False, **fields}, http)


def test_the_pages_order_is_sent_as_on_the_page(harness: Harness) -> None:
    response = answered(harness, KOLAYBI, PAGE_ANSWER, body=ORDER)
    call = the_call(harness, KOLAYBI)
    assert (call.method, call.path) == ("POST", "/kolaybi/v1/associates/123/transactions/proceed")
    assert header(call, "Authorization") == "Bearer sandbox-token"
    assert header(call, "Channel") == "sandbox-channel"
    assert header(call, "Content-Type") == "application/x-www-form-urlencoded"
    marker = marker_of(harness, response.body["operation_id"])
    assert call.body.decode() == (
        f"amount=1000&currency=TRY&gateway_id=1&description={marker}+Tahsilat+a%C3%A7%C4%B1klamas%C4%B1"
    )


def test_the_pages_answer_is_read(harness: Harness) -> None:
    response = answered(harness, KOLAYBI, PAGE_ANSWER, body=ORDER)
    assert response.status == 200
    assert response.body["result"] == {
        "transaction_status": "Tamamlandı",
        "transaction_type": "Tahsilat",
        "payment_method": "Nakit",
        "issue_date": "2024-01-15T14:30:00+03:00",
        "amount": "1000",
        "currency": "TRY",
    }


def test_the_login(harness: Harness) -> None:
    answered(harness, KOLAYBI, PAGE_ANSWER, body=ORDER)
    login = harness.server.calls[0]
    assert (login.method, login.path) == ("POST", "/kolaybi/v1/access_token")
    assert header(login, "Content-Type") == "application/json"
    assert header(login, "Channel") == "sandbox-channel"
    assert header(login, "Authorization") is None
    assert login.json() == {"api_key": SECRETS["kolaybi"]["api_key"]}


def test_every_field_on_the_wire_in_the_pages_order(harness: Harness) -> None:
    order = {
        "description": "Şube & depo = %100 + KDV",
        "project_ids": [7, 8, 7],
        "exchange_rate": "34.1200",
        "gateway_type": "associate",
        "gateway_id": 42,
        "currency": "USD",
        "amount": "10.50",
    }
    response = answered(harness, KOLAYBI, with_data(amount=10.5, currency="USD"), body=order)
    assert response.status == 200
    assert the_call(harness, KOLAYBI).form() == [
        ("amount", "10.5"),
        ("currency", "USD"),
        ("gateway_id", "42"),
        ("gateway_type", "Associate"),
        ("exchange_rate", "34.12"),
        ("project_ids[]", "7"),
        ("project_ids[]", "8"),
        ("project_ids[]", "7"),
        ("description", f"{marker_of(harness, response.body['operation_id'])} Şube & depo = %100 + KDV"),
    ]


@pytest.mark.parametrize(("ours", "wire"), [("vault", "Vault"), ("associate", "Associate")])
def test_gateway_types(harness: Harness, ours: str, wire: str) -> None:
    answered(harness, KOLAYBI, PAGE_ANSWER, body={**ORDER, "gateway_type": ours})
    assert dict(the_call(harness, KOLAYBI).form())["gateway_type"] == wire


@pytest.mark.parametrize("description", [None, "", "iki  boşluk, Çağrı'nın ödemesi"])
def test_the_description_is_sent_as_given_behind_the_marker(harness: Harness, description: str | None) -> None:
    order = {name: value for name, value in ORDER.items() if name != "description"}
    if description is not None:
        order["description"] = description
    response = answered(harness, KOLAYBI, PAGE_ANSWER, body=order)
    marker = marker_of(harness, response.body["operation_id"])
    expected = f"{marker} {description}" if description else marker
    assert dict(the_call(harness, KOLAYBI).form())["description"] == expected


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
        # A field in another form is no contradiction if the field decides nothing.
        (with_data(issue_date="15.01.2024 14:30"), "succeeded"),
        (with_data(issue_date=1705318200), "succeeded"),
        (with_data(payment_method={"id": 1, "name": "Nakit"}), "succeeded"),
        (with_data(issue_date="15.01.2024 14:30", transaction_status="Beklemede"), "unknown"),
        (with_data(issue_date="15.01.2024 14:30", amount=250.74), "unknown"),
        (with_data(currency=["TRY"]), "unknown"),
        (with_data(transaction_status="tamamlandı"), "unknown"),
        (with_data(transaction_status=["Tamamlandı"]), "unknown"),
        (with_data(transaction_type="Ödeme"), "unknown"),
        (with_data(transaction_type=1), "unknown"),
        (with_data(transaction_type=None), "succeeded"),
        (with_data(amount="-250.75"), "unknown"),
        (with_data(amount="250,75"), "unknown"),
        (with_data(amount=True), "unknown"),
        (with_data(success=False), "unknown"),
        (with_data(errors=["x"]), "unknown"),
        (json_reply({"data": {}}), "unknown"),
        (json_reply({"data": []}), "unknown"),
        (json_reply({"data": None}), "unknown"),
        (json_reply({}), "unknown"),
        (json_reply({"success": False, "message": "Hata"}), "unknown"),
        (json_reply([KOLAYBI_DATA]), "unknown"),
        # A sign of failure, and a sign of success.
        (json_reply({"success": True, "errors": [], "error": None, "data": KOLAYBI_DATA}), "succeeded"),
        (json_reply({"success": False, "data": KOLAYBI_DATA}), "unknown"),
        (json_reply({"success": "true", "data": KOLAYBI_DATA}), "unknown"),
        (json_reply({"success": 1, "data": KOLAYBI_DATA}), "unknown"),
        (json_reply({"errors": {"amount": ["x"]}, "data": KOLAYBI_DATA}), "unknown"),
        (json_reply({"errors": ["x"], "data": KOLAYBI_DATA}), "unknown"),
        (json_reply({"error": {"message": "x"}, "data": KOLAYBI_DATA}), "unknown"),
        (json_reply({"code": "E42", "data": KOLAYBI_DATA}), "unknown"),
        (json_reply({"code": 200, "data": KOLAYBI_DATA}), "succeeded"),
        (Reply(200, b""), "unknown"),
        (Reply(200, b"<html>Bakimdayiz</html>"), "unknown"),
        (Reply(200, with_data().body[:-20]), "unknown"),
        (Reply(200, with_data().body[:-1] + b",}"), "unknown"),
        (Reply(302, b"", {"Location": "/"}), "unknown"),
        # HTTP says that it was not carried out, and the body is KolayBi's own.
        (refusal(message="Kasa bulunamadı", http=400), "declined"),
        (refusal(code="E42", http=403), "declined"),
        (refusal(code=404, message="Cari bulunamadı", http=404), "declined"),
        (refusal(message="x", http=405), "declined"),
        (refusal(message="x", http=415), "declined"),
        (refusal(message="Tutar hatalı", errors={"amount": ["x"]}), "declined"),
        (refusal(errors={"amount": "x"}), "declined"),
        (refusal(errors=["x", "y"]), "declined"),
        (refusal(code="E42", message=None, errors=[], data=None), "declined"),
        (refusal(code="E42", data=[]), "declined"),
        # A proxy may have answered.
        (json_reply({}, 422), "unknown"),
        (json_reply({"message": "Forbidden"}, 403), "unknown"),
        (json_reply({"message": "Tutar hatalı", "errors": {"amount": ["x"]}}, 422), "unknown"),
        (json_reply({"code": "E42", "message": "x"}, 422), "unknown"),
        (Reply(400, b"<html>Bad Request</html>"), "unknown"),
        (Reply(404, b""), "unknown"),
        # The envelope is not exactly KolayBi's.
        (refusal(), "unknown"),
        (refusal(success="false", code="E42"), "unknown"),
        (refusal(success=0, code="E42"), "unknown"),
        (refusal(success=None, code="E42"), "unknown"),
        (refusal(success=True, code="E42"), "unknown"),
        (refusal(code=["E42"]), "unknown"),
        (refusal(code={"value": "E42"}), "unknown"),
        (refusal(code=4.2), "unknown"),
        (refusal(code=True), "unknown"),
        (refusal(code=" ", message=""), "unknown"),
        (refusal(message={"tr": "x"}), "unknown"),
        (refusal(code="E42", errors=7), "unknown"),
        (refusal(code="E42", errors=[["x"]]), "unknown"),
        (refusal(code="E42", errors={"amount": {"x": 1}}), "unknown"),
        # A refusal, and a sign of success.
        (json_reply({"data": KOLAYBI_DATA}, 400), "unknown"),
        (refusal(code="E42", data=KOLAYBI_DATA), "unknown"),
        (refusal(code="E42", data={"id": 9}), "unknown"),
        (refusal(code="E42", transaction_status="Tamamlandı"), "unknown"),
        (refusal(message="Tamamlandı"), "unknown"),
        (refusal(code=200, message="x"), "unknown"),
        (refusal(code="0", message="x"), "unknown"),
        # The code in the body is a status that does not refuse.
        (refusal(code=500, message="x"), "unknown"),
        (refusal(code="429", message="x"), "unknown"),
        # HTTP does not refuse.
        (refusal(code="E42", http=200), "unknown"),
        (refusal(code="E42", http=402), "unknown"),
        (refusal(code="E42", http=408), "unknown"),
        (refusal(code="E42", http=409), "unknown"),
        (refusal(code="E42", http=425), "unknown"),
        (refusal(code="E42", http=429), "unknown"),
        (refusal(code="E42", http=500), "unknown"),
        (json_reply({"data": KOLAYBI_DATA}, 500), "unknown"),
        (Reply(502, b"<html>Bad Gateway</html>"), "unknown"),
        (refusal(code="E42", http=503), "unknown"),
        (refusal(code="E42", http=504), "unknown"),
        (HANG_UP, "unknown"),
    ],
)
def test_the_outcome_of_each_answer(harness: Harness, reply: Reply, outcome: str) -> None:
    assert verdict(harness, KOLAYBI, reply) == outcome


@pytest.mark.parametrize(
    ("body", "code", "text"),
    [
        ({"code": "E42", "message": "Kasa bulunamadı"}, "E42", "Kasa bulunamadı"),
        ({"code": 42, "error": {"message": "Kasa bulunamadı"}}, "42", "Kasa bulunamadı"),
        ({"code": 42, "errors": {"amount": ["Tutar hatalı"]}}, "42", "Tutar hatalı"),
        ({"errors": ["Tutar hatalı", "Kasa yok"]}, "422", "Tutar hatalı; Kasa yok"),
        ({"message": "Kart 4111111111111111"}, "422", "Kart ***"),
    ],
)
def test_a_refusals_code_and_text(harness: Harness, body: dict[str, Any], code: str, text: str) -> None:
    response = answered(harness, KOLAYBI, refusal(**body))
    assert response.status == 402
    assert (response.body["provider_code"], response.body["provider_text"]) == (code, text)


# -------------------------------------------------------------------- look-up


def row(marker: str, **changes: Any) -> dict[str, Any]:
    return {"id": 9, "amount": 250.75, "description": f"{marker} Aylık ödeme", **changes}


def lost_order(harness: Harness) -> tuple[str, str]:
    """An order whose answer is lost: its operation id, and its marker."""
    known = unknown_order(harness, KOLAYBI)
    return known, marker_of(harness, known)


def test_the_look_up_call(harness: Harness) -> None:
    unknown_order(harness, KOLAYBI)
    looked_up(harness, KOLAYBI, json_reply({"data": []}))
    (call,) = harness.server.to(KOLAYBI.look_up_route)
    assert (call.method, call.path, call.body) == ("GET", "/kolaybi/v1/associates/123/transactions", b"")
    assert header(call, "Authorization") == "Bearer sandbox-token"
    assert header(call, "Channel") == "sandbox-channel"


def test_the_marker_is_the_operation_id_and_the_day_of_the_claim(harness: Harness) -> None:
    operation, order = operation_of("kolaybi_collect"), harness.order(KOLAYBI)
    first, second = (replace(order, ordered_at=START + days * 86_400) for days in (0, 91))
    assert operation.lookup_fields(first)["marker"] == f"{order.operation_id}.d261201"
    assert operation.lookup_fields(second)["marker"] == f"{order.operation_id}.d270302"
    # After a renewed login the request is built again, with the same marker, which is that of the record.
    access = RequestCredentials(KolayBiCredentials.model_validate(SECRETS["kolaybi"]), "token", "1")
    assert operation.build(first, access).body == operation.build(first, access).body
    assert b"d261201+Ayl" in operation.build(first, access).body


@pytest.mark.parametrize("shape", ["list", "data", "items", "results", "after odd rows", "description alone"])
def test_the_marker_in_front_of_a_description_is_proof(harness: Harness, shape: str) -> None:
    """The page documents only the path of the list. Clients read its rows from these four places."""
    known, marker = lost_order(harness)
    ours = row(marker)
    body = {
        "list": {"data": [ours]},
        "data": {"success": True, "data": {"current_page": 1, "last_page": 1, "data": [ours]}},
        "items": {"data": {"items": [ours], "page": 1}},
        "results": {"data": {"results": [ours]}},
        "after odd rows": {
            "data": [
                {"description": "x", "amount": {"value": 1}, "issue_date": "15.01.2024"},
                {"description": None},
                ours,
            ]
        },
        "description alone": {"data": [{"description": marker}]},
    }[shape]
    response = looked_up(harness, KOLAYBI, json_reply(body))
    assert (response.status, response.body["status"]) == (200, "succeeded")
    assert response.body["result"]["amount"] == "250.75"
    assert response.body["result"]["currency"] == "TRY"
    assert findings(harness, known) == ["found"]
    assert harness.server.to(KOLAYBI.route) == []


def test_the_fields_of_the_row_are_in_the_result(harness: Harness) -> None:
    _, marker = lost_order(harness)
    found = row(marker, transaction_status="Tamamlandı", transaction_type="Tahsilat", payment_method="Nakit",
                issue_date="2026-12-01 09:00:00", currency="try", amount="250.7500")  # fmt: skip
    assert looked_up(harness, KOLAYBI, json_reply({"data": [found]})).body["result"] == {
        "transaction_status": "Tamamlandı",
        "transaction_type": "Tahsilat",
        "payment_method": "Nakit",
        "issue_date": "2026-12-01T09:00:00+03:00",
        "amount": "250.7500",
        "currency": "try",
    }


def test_missing_amount_and_currency_of_a_row_are_those_of_the_order(harness: Harness) -> None:
    _, marker = lost_order(harness)
    assert looked_up(harness, KOLAYBI, json_reply({"data": [{"description": marker}]})).body["result"] == {
        "transaction_status": None,
        "transaction_type": None,
        "payment_method": None,
        "issue_date": None,
        "amount": "250.75",
        "currency": "TRY",
    }


@pytest.mark.parametrize("issue_date", ["15.01.2024 14:30", "", 1705318200])
def test_our_row_is_proof_whatever_form_its_date_has(harness: Harness, issue_date: Any) -> None:
    _, marker = lost_order(harness)
    response = looked_up(harness, KOLAYBI, json_reply({"data": [row(marker, issue_date=issue_date)]}))
    assert response.body["status"] == "succeeded"


@pytest.mark.parametrize(
    "changes",
    [
        {"transaction_status": "İptal Edildi"}, {"transaction_status": "Beklemede"}, {"transaction_status": ""},
        {"transaction_status": ["Tamamlandı"]}, {"status": "cancelled"}, {"status": 0},
        {"amount": -250.75}, {"amount": "-250.75"}, {"amount": 250.74}, {"amount": "250,75"}, {"amount": ""},
        {"currency": "USD"}, {"currency": ""}, {"currency": 949}, {"currency": "TL"},
        {"transaction_type": "Ödeme"}, {"transaction_type": "Tahsilat İptali"}, {"type": "İade"},
        {"success": False}, {"errors": ["x"]}, {"error": "x"}, {"deleted_at": "2026-12-01 09:05:00"},
        {"is_cancelled": True}, {"issue_date": "2026-10-01 09:00:00"},
    ],
    ids=str,
)  # fmt: skip
def test_a_row_of_ours_that_does_not_fit_proves_nothing(harness: Harness, changes: dict[str, Any]) -> None:
    known, marker = lost_order(harness)
    response = looked_up(harness, KOLAYBI, json_reply({"data": [row(marker, **changes)]}))
    assert (response.status, response.body["status"]) == (202, "unknown")
    assert findings(harness, known) == ["inconclusive"]


@pytest.mark.parametrize(
    "rows",
    [
        lambda marker: [row(marker), row(marker, id=10)],
        lambda marker: [row(marker), row(marker, id=10, amount=-250.75)],
        lambda marker: [row(marker), {"description": f"İptal: {marker}", "amount": -250.75}],
        lambda marker: [row(marker), {"description": "İptal", "note": marker}],
        lambda marker: [row(marker), {"description": f"op_{'a' * 26}.d261201 {marker}", "amount": -250.75}],
        lambda marker: [{"description": f"Aylık ödeme {marker}", "amount": 250.75}],
        lambda marker: [{"description": marker.partition(".")[0], "amount": 250.75}],
        lambda marker: [{"description": marker.upper(), "amount": 250.75}],
        lambda marker: [{"description": f" {marker}", "amount": 250.75}],
        lambda marker: [{"description": f"{marker}7", "amount": 250.75}],
        lambda marker: [{"description": marker[:-2], "amount": 250.75}],
        lambda marker: [{"description": marker[:20], "amount": 250.75}],
        lambda marker: [{"description": [marker], "amount": 250.75}],
        lambda marker: [{"description": None, "note": f"Tahsilat: {marker}"}],
        lambda marker: [{"amount": 250.75, "currency": "TRY"}],
        lambda marker: [{"description": None, "amount": 250.75}],
    ],
    ids=["two rows", "a reversal with the same text", "a reversal that quotes", "another field quotes",
         "another order quotes", "behind", "without the day", "in capitals", "padded", "longer", "cut", "cut short",
         "a list", "in a note", "no description", "null"],
)  # fmt: skip
def test_a_row_that_may_be_ours_proves_nothing(harness: Harness, rows: Callable[[str], list[Any]]) -> None:
    known, marker = lost_order(harness)
    response = looked_up(harness, KOLAYBI, json_reply({"data": rows(marker)}))
    assert (response.status, response.body["status"]) == (202, "unknown")
    assert findings(harness, known) == ["inconclusive"]


@pytest.mark.parametrize(
    "body",
    [
        lambda marker: {"errors": [f"{marker} bulunamadı"], "data": []},
        lambda marker: {"meta": {"description": marker}, "data": []},
    ],
    ids=["errors", "beside the rows"],
)
def test_a_marker_outside_the_rows_is_no_row(harness: Harness, body: Callable[[str], Any]) -> None:
    _, marker = lost_order(harness)
    assert looked_up(harness, KOLAYBI, json_reply(body(marker))).status == 202


@pytest.mark.parametrize(
    "body",
    [
        {"data": []},
        {"data": [{"description": "Aylık ödeme", "amount": 250.75, "currency": "TRY"}]},
        {"data": [{"description": "op_aaaaaaaaaaaaaaaaaaaaaaaaaa.d261201 x", "amount": 250.75, "currency": "TRY"}]},
    ],
    ids=["nothing", "same amount", "another order's marker"],
)
def test_without_the_marker_nothing_is_proven(harness: Harness, body: dict[str, Any]) -> None:
    known = unknown_order(harness, KOLAYBI)
    for _ in range(5):
        response = looked_up(harness, KOLAYBI, json_reply(body))
        assert (response.status, response.body["status"]) == (202, "unknown")
        harness.clock.advance(24 * 3600)
    assert findings(harness, known) == ["not_found"] * 5
    assert harness.server.to(KOLAYBI.route) == []


def test_the_row_of_an_expired_record_does_not_prove_the_order_that_uses_its_key_again(harness: Harness) -> None:
    before = replace(harness.order(KOLAYBI), ordered_at=START - 95 * 86_400)
    old = operation_of("kolaybi_collect").lookup_fields(before)["marker"]
    known, marker = lost_order(harness)
    assert old.partition(".")[0] == marker.partition(".")[0] == known
    assert looked_up(harness, KOLAYBI, json_reply({"data": [row(old)]})).status == 202
    assert findings(harness, known) == ["not_found"]
    harness.clock.advance(60)
    assert looked_up(harness, KOLAYBI, json_reply({"data": [row(marker), row(old)]})).body["status"] == "succeeded"


def record_of_before(harness: Harness) -> str:
    """An order that the version before sent: its marker is the operation id alone, behind the description."""
    known = unknown_order(harness, KOLAYBI)
    table_client().update_item(
        TableName=TABLE, Key={"id": {"S": known}}, UpdateExpression="REMOVE clues.#marker",
        ExpressionAttributeNames={"#marker": "marker"},
    )  # fmt: skip
    return known


@pytest.mark.parametrize(
    ("changes", "finding"),
    [
        ({}, "found"),
        ({"description": "{id}"}, "found"),
        ({"issue_date": None}, "inconclusive"),
        ({"issue_date": "01.12.2026"}, "inconclusive"),
        ({"issue_date": "2026-08-01 09:00:00"}, "inconclusive"),
        ({"description": "Aylık ödeme {id}."}, "inconclusive"),
        ({"description": "{id} Aylık ödeme"}, "inconclusive"),
        ({"description": "{id}.d261201 Aylık ödeme"}, "inconclusive"),
        ({"description": "Aylık ödeme op_aaaaaaaaaaaaaaaaaaaaaaaaaa"}, "not_found"),
        ({"amount": -250.75}, "inconclusive"),
    ],
)
def test_a_record_of_the_version_before_is_looked_up_by_its_own_marker(
    harness: Harness, changes: dict[str, Any], finding: str
) -> None:
    """Its marker does not have the day, so the row must."""
    known = record_of_before(harness)
    fields = {"description": "Aylık ödeme {id}", "amount": 250.75, "issue_date": "2026-12-01 09:00:05", **changes}
    fields["description"] = fields["description"].replace("{id}", known)
    looked_up(harness, KOLAYBI, json_reply({"data": [fields]}))
    assert findings(harness, known) == [finding]


@pytest.mark.parametrize(
    "body",
    [
        {"data": [1]}, {"data": "x"}, {"data": {}}, {"data": {"rows": []}}, {"data": None}, {},
        {"data": {"items": [], "results": []}}, {"data": {"transactionables": [{"description": "x"}]}},
        {"success": False, "data": []}, {"errors": ["x"], "data": []},
        {"data": [], "pagination": "1/1"}, {"data": [], "pagination": {"current_page": 1}},
        {"data": [], "pagination": {"current_page": 2, "last_page": 2}},
        {"data": [], "pagination": {"current_page": 1, "last_page": "1"}},
    ],
    ids=str,
)  # fmt: skip
def test_a_list_in_an_unknown_form_proves_nothing(harness: Harness, body: dict[str, Any]) -> None:
    known = unknown_order(harness, KOLAYBI)
    assert looked_up(harness, KOLAYBI, json_reply(body)).status == 202
    assert findings(harness, known) == ["inconclusive"]


OTHERS = [{"description": f"başka {number}", "amount": 1} for number in range(100)]


@pytest.mark.parametrize(("count", "finding"), [(19, "not_found"), (20, "inconclusive"), (50, "inconclusive"),
                                                (51, "not_found"), (100, "inconclusive")])  # fmt: skip
def test_a_list_that_may_be_cut_is_no_proof_of_absence(harness: Harness, count: int, finding: str) -> None:
    known = unknown_order(harness, KOLAYBI)
    looked_up(harness, KOLAYBI, json_reply({"data": OTHERS[:count]}))
    assert findings(harness, known) == [finding]


def numbered(number: int | None, rows: list[Any], **about: Any) -> Reply:
    """One page of a list."""
    return json_reply({"success": True, "data": rows, "pagination": {"current_page": number, **about}})


def pages_asked(harness: Harness) -> list[str]:
    return [call.path.partition("?")[2] for call in harness.server.calls if "transactions" in call.path]


@pytest.mark.parametrize("about", [{"per_page": 20, "total": 45}, {"last_page": 3}], ids=["total", "last_page"])
@pytest.mark.parametrize("place", ["beside data", "in data"])
def test_every_page_is_read(harness: Harness, about: dict[str, int], place: str) -> None:
    known, marker = lost_order(harness)
    for number, rows in ((2, OTHERS[:20]), (3, [row(marker)])):
        harness.server.on(f"{KOLAYBI.look_up_route}?page={number}", numbered(number, rows, **about))
    first = numbered(1, OTHERS[:20], **about)
    if place == "in data":
        first = json_reply({"data": {"current_page": 1, **about, "data": OTHERS[:20]}})
    response = looked_up(harness, KOLAYBI, first)
    assert response.body["status"] == "succeeded"
    assert pages_asked(harness) == ["", "page=2", "page=3"]
    assert findings(harness, known) == ["found"]


def test_pages_without_end_are_no_proof_of_absence(harness: Harness) -> None:
    known = unknown_order(harness, KOLAYBI)
    for number in range(2, 20):
        harness.server.on(f"{KOLAYBI.look_up_route}?page={number}", numbered(number, OTHERS[:20], last_page=number + 1))
    looked_up(harness, KOLAYBI, numbered(1, OTHERS[:20], last_page=2))
    assert findings(harness, known) == ["inconclusive"]
    assert len(pages_asked(harness)) == 10


@pytest.mark.parametrize("number", [1, 3, None, "2"])
def test_a_page_that_is_not_the_next_one_proves_nothing(harness: Harness, number: Any) -> None:
    known, marker = lost_order(harness)
    harness.server.on(f"{KOLAYBI.look_up_route}?page=2", numbered(number, [row(marker)], last_page=2))
    looked_up(harness, KOLAYBI, numbered(1, OTHERS[:20], last_page=2))
    assert findings(harness, known) == ["inconclusive"]


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
def test_a_look_up_that_fails_proves_nothing(harness: Harness, reply: Reply) -> None:
    known = unknown_order(harness, KOLAYBI)
    assert looked_up(harness, KOLAYBI, reply).status == 202
    assert findings(harness, known) == ["inconclusive"]


def test_the_marker_in_the_text_of_another_order_proves_nothing(harness: Harness) -> None:
    """A second order has the text "again for op_...". Its row must not make the first one final."""
    known = unknown_order(harness, KOLAYBI)
    second = {**KOLAYBI.body, "description": f"{known} yerine"}
    harness.server.on(KOLAYBI.route, KOLAYBI.success)
    response = harness.send(KOLAYBI, second, key="key-2")
    assert response.status == 400
    assert response.body["errors"] == [{"place": "body.description", "reason": "must not contain an operation id"}]
    assert harness.server.to(KOLAYBI.route) == []
