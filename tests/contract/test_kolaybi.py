"""KolayBi "Cari Tahsilat İşlemi" (POST /kolaybi/v1/associates/{id}/transactions/proceed) against its page."""

from dataclasses import replace
from typing import Any

import pytest
from vezne.orders.outcome import Found, Succeeded
from vezne.providers.credentials import KolayBiCredentials, RequestCredentials

from tests.support.harness import START, TABLE, Harness, operation_of, table_client
from tests.support.operations.kolaybi_collect import EXAMPLE as KOLAYBI, KOLAYBI_DATA
from tests.support.provider_server import Reply, json_reply
from tests.support.providers import SECRETS
from tests.support.reader import Reader
from tests.support.wire import answered, findings, header, looked_up, the_call, unknown_order

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
KOLAYBI_READER = Reader(KOLAYBI)
MARKER = KOLAYBI_READER.record.lookup_fields["marker"]


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


@pytest.mark.parametrize(("ours", "wire"), [("vault", "Vault"), ("associate", "Associate")])
def test_every_field_on_the_wire_in_the_pages_order(harness: Harness, ours: str, wire: str) -> None:
    order = {
        "description": "Şube & depo = %100 + KDV",
        "project_ids": [7, 8, 7],
        "exchange_rate": "34.1200",
        "gateway_type": ours,
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
        ("gateway_type", wire),
        ("exchange_rate", "34.12"),
        ("project_ids[]", "7"),
        ("project_ids[]", "8"),
        ("project_ids[]", "7"),
        ("description", f"{marker_of(harness, response.body['operation_id'])} Şube & depo = %100 + KDV"),
    ]


def test_expenses_and_currency_rates_are_numbered_as_on_the_page(harness: Harness) -> None:
    """The page's sample of 2026-11: `expenses[0][source_type]=Associate&expenses[0][amount]=10.5` and so on."""
    order = {
        **ORDER,
        "expenses": [
            {"source_type": "associate", "amount": "10.50", "currency": "TRY", "source_id": 3},
            {"source_type": "vault", "amount": 1, "currency": "USD", "source_id": 4},
        ],
        "transaction_currency_rates": [{"quote_currency": "TRY", "rate": "2", "total": "0.50"}],
    }
    assert answered(harness, KOLAYBI, PAGE_ANSWER, body=order).status == 200
    assert the_call(harness, KOLAYBI).form()[4:] == [
        ("expenses[0][source_type]", "Associate"),
        ("expenses[0][amount]", "10.5"),
        ("expenses[0][currency]", "TRY"),
        ("expenses[0][source_id]", "3"),
        ("expenses[1][source_type]", "Vault"),
        ("expenses[1][amount]", "1"),
        ("expenses[1][currency]", "USD"),
        ("expenses[1][source_id]", "4"),
        ("transaction_currency_rates[0][quote_currency]", "TRY"),
        ("transaction_currency_rates[0][rate]", "2"),
        ("transaction_currency_rates[0][total]", "0.5"),
    ]


@pytest.mark.parametrize(
    ("field", "row", "place"),
    [
        ("expenses", {"amount": "0"}, "amount"),
        ("expenses", {"amount": "1.005"}, "amount"),
        ("expenses", {"currency": "TL"}, "currency"),
        ("expenses", {"source_type": "Vault"}, "source_type"),
        ("expenses", {"source_id": 0}, "source_id"),
        ("expenses", {"note": "x"}, "note"),
        ("transaction_currency_rates", {"rate": "-1"}, "rate"),
        ("transaction_currency_rates", {"total": 0}, "total"),
    ],
)
def test_a_row_in_another_form_is_refused(harness: Harness, field: str, row: dict[str, Any], place: str) -> None:
    sound = {
        "expenses": {"source_type": "vault", "amount": "1.00", "currency": "TRY", "source_id": 1},
        "transaction_currency_rates": {"quote_currency": "USD", "rate": "1", "total": "1"},
    }
    response = harness.send(KOLAYBI, {**ORDER, field: [{**sound[field], **row}]})
    assert (response.status, response.body["errors"][0]["place"]) == (400, f"body.{field}.0.{place}")
    assert not harness.server.calls


def test_no_rows_are_the_same_order_as_none() -> None:
    plain = Reader(KOLAYBI).order.fingerprint
    assert Reader(KOLAYBI, expenses=[], transaction_currency_rates=[]).order.fingerprint == plain
    row = {"source_type": "vault", "amount": "1.00", "currency": "TRY", "source_id": 1}
    assert Reader(KOLAYBI, expenses=[row]).order.fingerprint != plain


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
        (with_data(), "Succeeded"),
        (Reply(201, with_data().body), "Succeeded"),
        (with_data(amount="250.75"), "Succeeded"),
        (with_data(currency="try"), "Succeeded"),
        (with_data(transaction_type=None), "Succeeded"),
        (json_reply({"success": True, "errors": [], "error": None, "data": KOLAYBI_DATA}), "Succeeded"),
        (json_reply({"code": 200, "data": KOLAYBI_DATA}), "Succeeded"),
        # A field in another form is no contradiction if the field decides nothing.
        (with_data(issue_date="15.01.2024 14:30"), "Succeeded"),
        (with_data(issue_date=1705318200), "Succeeded"),
        (with_data(payment_method={"id": 1, "name": "Nakit"}), "Succeeded"),
        (with_data(issue_date="15.01.2024 14:30", transaction_status="Beklemede"), "Unknown"),
        (with_data(issue_date="15.01.2024 14:30", amount=250.74), "Unknown"),
        # HTTP says that it was not carried out, and the body is KolayBi's own.
        (refusal(message="Kasa bulunamadı", http=400), "Declined"),
        (refusal(code="E42", http=403), "Declined"),
        (refusal(code=404, message="Cari bulunamadı", http=404), "Declined"),
        (refusal(message="x", http=405), "Declined"),
        (refusal(message="x", http=415), "Declined"),
        (refusal(message="Tutar hatalı", errors={"amount": ["x"]}), "Declined"),
        (refusal(errors={"amount": "x"}), "Declined"),
        (refusal(errors=["x", "y"]), "Declined"),
        (refusal(code="E42", message=None, errors=[], data=None), "Declined"),
        (refusal(code="E42", data=[]), "Declined"),
        # The envelope gives no reason, or a proxy may have written it.
        (refusal(), "Unknown"),
        (refusal(code=" ", message=""), "Unknown"),
        (json_reply({"message": "Tutar hatalı", "errors": {"amount": ["x"]}}, 422), "Unknown"),
        (json_reply({"code": "E42", "message": "x"}, 422), "Unknown"),
        (refusal(code="E42", http=200), "Unknown"),
        (json_reply({"success": False, "message": "Hata"}), "Unknown"),
    ],
)
def test_the_outcome_of_each_answer(reply: Reply, outcome: str) -> None:
    assert KOLAYBI_READER.verdict(reply) == outcome


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


def row(**changes: Any) -> dict[str, Any]:
    """Our order in the list."""
    return {"id": 9, "amount": 250.75, "description": f"{MARKER} Aylık ödeme", **changes}


def result_of(*rows: dict[str, Any]) -> dict[str, Any]:
    """The result of an order that is found in these rows."""
    found = KOLAYBI_READER.look_up({"data": list(rows)})
    assert isinstance(found, Found)
    assert isinstance(found.outcome, Succeeded)
    return found.outcome.result


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


@pytest.mark.parametrize(
    "body",
    [
        {"data": [row()]},
        {"success": True, "data": {"current_page": 1, "last_page": 1, "data": [row()]}},
        {"data": {"items": [row()], "page": 1}},
        {"data": {"results": [row()]}},
        {
            "data": [
                {"description": "x", "amount": {"value": 1}, "issue_date": "15.01.2024"},
                {"description": None},
                row(),
            ]
        },
        {"data": [{"description": MARKER}]},
    ],
    ids=["list", "data", "items", "results", "after odd rows", "description alone"],
)
def test_the_marker_in_front_of_a_description_is_proof(body: dict[str, Any]) -> None:
    """The page documents only the path of the list. Clients read its rows from these four places."""
    assert KOLAYBI_READER.finding(body) == "Found"


def test_the_fields_of_the_row_are_in_the_result() -> None:
    found = row(transaction_status="Tamamlandı", transaction_type="Tahsilat", payment_method="Nakit",
                issue_date="2026-12-01 09:00:00", currency="try", amount="250.7500")  # fmt: skip
    assert result_of(found) == {
        "transaction_status": "Tamamlandı",
        "transaction_type": "Tahsilat",
        "payment_method": "Nakit",
        "issue_date": "2026-12-01T09:00:00+03:00",
        "amount": "250.7500",
        "currency": "try",
    }


def test_missing_amount_and_currency_of_a_row_are_those_of_the_order() -> None:
    shown = {name: value for name, value in result_of({"description": MARKER}).items() if value is not None}
    assert shown == {"amount": "250.75", "currency": "TRY"}


@pytest.mark.parametrize("issue_date", ["15.01.2024 14:30", "", 1705318200])
def test_our_row_is_proof_whatever_form_its_date_has(issue_date: Any) -> None:
    assert result_of(row(issue_date=issue_date))["amount"] == "250.75"


@pytest.mark.parametrize(
    "rows",
    [
        [row(), row(id=10)],
        [row(), row(id=10, amount=-250.75)],
        [row(), {"description": f"İptal: {MARKER}", "amount": -250.75}],
        [row(), {"description": "İptal", "note": MARKER}],
        [row(), {"description": f"op_{'a' * 26}.d261201 {MARKER}", "amount": -250.75}],
        *([{"description": text, "amount": 250.75}] for text in (
            f"Aylık ödeme {MARKER}", MARKER.partition(".")[0], MARKER.upper(), f" {MARKER}", f"{MARKER}7", MARKER[:-2],
            MARKER[:20], [MARKER], None)),
        [{"description": None, "note": f"Tahsilat: {MARKER}"}],
        [{"amount": 250.75, "currency": "TRY"}],
        [row(currency="TL")],
    ],
    ids=["two rows", "a reversal with the same text", "a reversal that quotes", "another field quotes",
         "another order quotes", "behind", "without the day", "in capitals", "padded", "longer", "cut", "cut short",
         "a list", "null", "in a note", "no description", "another name of the currency"],
)  # fmt: skip
def test_a_row_that_may_be_ours_proves_nothing(rows: list[Any]) -> None:
    assert KOLAYBI_READER.finding({"data": rows}) == "Inconclusive"


@pytest.mark.parametrize(
    "body",
    [{"errors": [f"{MARKER} bulunamadı"], "data": []}, {"meta": {"description": MARKER}, "data": []}],
    ids=["errors", "beside the rows"],
)
def test_a_marker_outside_the_rows_is_no_row(body: dict[str, Any]) -> None:
    assert KOLAYBI_READER.finding(body) != "Found"


@pytest.mark.parametrize("description", ["Aylık ödeme", "op_aaaaaaaaaaaaaaaaaaaaaaaaaa.d261201 x"])
def test_without_the_marker_nothing_is_proven(description: str) -> None:
    assert KOLAYBI_READER.finding({"data": [row(description=description, currency="TRY")]}) == "NotFound"


def test_the_row_of_an_expired_record_does_not_prove_the_order_that_uses_its_key_again() -> None:
    before = replace(KOLAYBI_READER.order, ordered_at=START - 95 * 86_400)
    old = KOLAYBI_READER.operation.lookup_fields(before)["marker"]
    assert old.partition(".")[0] == MARKER.partition(".")[0] == KOLAYBI_READER.order.operation_id
    assert KOLAYBI_READER.finding({"data": [row(description=old)]}) == "NotFound"
    assert KOLAYBI_READER.finding({"data": [row(), row(description=old)]}) == "Found"


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
def test_a_list_in_an_unknown_form_proves_nothing(body: dict[str, Any]) -> None:
    assert KOLAYBI_READER.finding(body) == "Inconclusive"


OTHERS = [{"description": f"başka {number}", "amount": 1} for number in range(100)]


@pytest.mark.parametrize(("count", "finding"), [(19, "NotFound"), (20, "Inconclusive"), (50, "Inconclusive"),
                                                (51, "NotFound"), (100, "Inconclusive")])  # fmt: skip
def test_a_list_that_may_be_cut_is_no_proof_of_absence(count: int, finding: str) -> None:
    assert KOLAYBI_READER.finding({"data": OTHERS[:count]}) == finding


def numbered(number: Any, rows: list[Any], **about: Any) -> Reply:
    """One page of a list."""
    return json_reply({"success": True, "data": rows, "pagination": {"current_page": number, **about}})


def pages_asked(harness: Harness) -> list[str]:
    return [call.path.partition("?")[2] for call in harness.server.calls if "transactions" in call.path]


@pytest.mark.parametrize("about", [{"per_page": 20, "total": 45}, {"last_page": 3}], ids=["total", "last_page"])
@pytest.mark.parametrize("place", ["beside data", "in data"])
def test_every_page_is_read(harness: Harness, about: dict[str, int], place: str) -> None:
    known = unknown_order(harness, KOLAYBI)
    for number, rows in ((2, OTHERS[:20]), (3, [row(description=marker_of(harness, known))])):
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
def test_a_page_that_is_not_the_next_one_proves_nothing(number: Any) -> None:
    pages = numbered(1, OTHERS[:20], last_page=2), numbered(number, [row()], last_page=2)
    assert KOLAYBI_READER.finding(*pages) == "Inconclusive"


def test_the_marker_in_the_text_of_another_order_proves_nothing(harness: Harness) -> None:
    """A second order has the text "again for op_...". Its row must not make the first one final."""
    known = unknown_order(harness, KOLAYBI)
    second = {**KOLAYBI.body, "description": f"{known} yerine"}
    harness.server.on(KOLAYBI.route, KOLAYBI.success)
    response = harness.send(KOLAYBI, second, key="key-2")
    assert response.status == 400
    assert response.body["errors"] == [{"place": "body.description", "reason": "must not contain an operation id"}]
    assert harness.server.to(KOLAYBI.route) == []
