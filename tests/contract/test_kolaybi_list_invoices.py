"""KolayBi "Fatura Listeleme" (GET /kolaybi/v1/invoices) against its page.

Page: https://developer.kolaybi.com/docs/invoices/list, read on 2026-11-28.
"""

import json
from typing import Any
from urllib.parse import urlencode

import pytest

from tests.support.harness import Harness, api_event
from tests.support.provider_server import Reply, json_reply

# The page's "Yanıt Formatı" (form of the answer).
PAGE = """{
"success": true,
"data": [
{
"id": 1,
"serial_no": "FAT-2024-001",
"order_date": "2024-01-15",
"due_date": "2024-02-15",
"total_amount": 240.0,
"currency": "TRY",
"status": "ready_to_send",
"type": "sale_invoice",
"contact": {
"id": 1,
"name": "Ahmet",
"surname": "Yılmaz"
}
}
],
"pagination": {
"current_page": 1,
"per_page": 20,
"total": 1
}
}"""
BARE = Reply(200, PAGE.encode())


def asked(harness: Harness, reply: Reply, **query: str) -> tuple[int, dict[str, Any]]:
    harness.server.on("GET /kolaybi/v1/invoices" + (f"?{urlencode(query)}" if query else ""), reply)
    event = api_event("/kolaybi/invoices", None, None, key=None) | {"queryStringParameters": query or None}
    answer = harness.handle("kolaybi_list_invoices", event)
    return answer["statusCode"], json.loads(answer["body"])


def test_the_pages_answer_is_typed(harness: Harness) -> None:
    status, body = asked(harness, BARE)
    assert status == 200
    assert body == {
        "invoices": [
            {
                "raw": {},
                "id": 1,
                "serial_no": "FAT-2024-001",
                "order_date": "2024-01-15",
                "due_date": "2024-02-15",
                "total_amount": "240.0",
                "currency": "TRY",
                "status": "ready_to_send",
                "type": "sale_invoice",
                "contact": {"raw": {}, "id": 1, "name": "Ahmet", "surname": "Yılmaz"},
            }
        ],
        "pagination": {"raw": {}, "current_page": 1, "per_page": 20, "total": 1},
    }


def test_the_call_is_the_one_of_the_page(harness: Harness) -> None:
    asked(harness, BARE)
    asked(harness, BARE, type="purchase_invoice", associate_id="7", page="2")
    plain, filtered = (call for call in harness.server.calls if call.method == "GET")
    assert (plain.path, plain.body) == ("/kolaybi/v1/invoices", b"")
    assert filtered.path == "/kolaybi/v1/invoices?type=purchase_invoice&associate_id=7&page=2"


@pytest.mark.parametrize(
    ("query", "place"),
    [
        ({"type": "invoice"}, "query.type"),
        ({"associate_id": "0"}, "query.associate_id"),
        ({"associate_id": "x"}, "query.associate_id"),
        ({"page": "0"}, "query.page"),
        ({"has_products": "1"}, "query.has_products"),
    ],
)
def test_another_filter_is_refused(harness: Harness, query: dict[str, str], place: str) -> None:
    status, body = asked(harness, BARE, **query)
    assert (status, [error["place"] for error in body["errors"]]) == (400, [place])
    assert not harness.server.calls


@pytest.mark.parametrize("name", ["data", "items", "results"])
def test_rows_are_read_where_public_clients_read_them(harness: Harness, name: str) -> None:
    _, body = asked(harness, json_reply({"data": {name: [{"id": 1, "remaining_amount": 9.5}]}}))
    (invoice,) = body["invoices"]
    assert (invoice["id"], invoice["serial_no"], invoice["raw"]) == (1, None, {"remaining_amount": "9.5"})
    assert body["pagination"] is None


def test_a_field_in_another_form_hides_nothing(harness: Harness) -> None:
    row = {"id": "FAT-1", "total_amount": {"value": 1}, "contact": "Ahmet", "currency": "try"}
    _, body = asked(harness, json_reply({"data": [row], "pagination": {"current_page": "bir"}}))
    (invoice,) = body["invoices"]
    assert (invoice["id"], invoice["currency"]) == (None, "try")
    assert invoice["raw"] == {"id": "FAT-1", "total_amount": {"value": 1}, "contact": "Ahmet"}
    assert body["pagination"]["raw"] == {"current_page": "bir"}


@pytest.mark.parametrize(
    "reply",
    [
        json_reply({"success": False, "data": []}),
        json_reply({"data": None}),
        json_reply({"data": {"invoices": []}}),
        json_reply({"data": ["x"]}),
        json_reply({"data": [], "pagination": [1]}),
        json_reply({}),
    ],
)
def test_an_answer_in_another_form_is_unreadable(harness: Harness, reply: Reply) -> None:
    status, body = asked(harness, reply)
    assert (status, body["type"].rsplit("/")[-1]) == (502, "provider-answer-unreadable")
