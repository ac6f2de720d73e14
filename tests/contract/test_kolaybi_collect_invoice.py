"""KolayBi "Fatura Tahsilat" (POST /kolaybi/v1/invoices/proceed), and why its outcome is never looked up.

Page: https://developer.kolaybi.com/docs/invoices/proceed, read on 2026-11-28.
"""

from decimal import Decimal
from typing import Any

import pytest

from tests.support.harness import Harness
from tests.support.operations.kolaybi_collect_invoice import EXAMPLE, INVOICE_DATA, invoice_left
from tests.support.provider_server import Reply, json_reply
from tests.support.reader import Reader
from tests.support.wire import answered, findings, header, looked_up, the_call, unknown_order

PART, WHOLE = Reader(EXAMPLE), Reader(EXAMPLE, amount=None)
DAY = 86_400
ALL_LEFT = {"vault_id": 1}


def told(**changes: Any) -> Reply:
    return json_reply({"success": True, "data": {**INVOICE_DATA, **changes}})


# "Belirli bir tutarı tahsil et" and "Tüm fatura tutarını tahsil et": a certain amount, and all of the invoice.
@pytest.mark.parametrize(
    ("body", "left", "sent"),
    [
        ({"vault_id": 1, "amount": "100.50"}, 139.5, "document_id=1&vault_id=1&amount=100.50"),
        ({"vault_id": 1, "amount": 100}, 140, "document_id=1&vault_id=1&amount=100.00"),
        (ALL_LEFT, 0, "document_id=1&vault_id=1"),
    ],
)
def test_the_request_is_the_one_of_the_page(harness: Harness, body: dict[str, Any], left: float, sent: str) -> None:
    response = answered(harness, EXAMPLE, told(remaining_amount=left), body=body)
    assert response.status == 200
    call = the_call(harness, EXAMPLE)
    assert (call.method, call.path) == ("POST", "/kolaybi/v1/invoices/proceed")
    assert header(call, "Authorization") == "Bearer sandbox-token"
    assert header(call, "Channel") == "sandbox-channel"
    assert header(call, "Content-Type") == "application/x-www-form-urlencoded"
    assert call.body.decode() == sent


@pytest.mark.parametrize(("amount", "left"), [("100.50", "139.5"), (None, "0")])
def test_the_result_is_what_the_answer_tells_and_what_was_ordered(
    harness: Harness, amount: str | None, left: str
) -> None:
    body = {"vault_id": 1, "amount": amount} if amount else ALL_LEFT
    response = answered(harness, EXAMPLE, told(remaining_amount=Decimal(left), currency="try"), body=body)
    assert response.body["result"] == {
        "transaction_status": "Tamamlandı",
        "transaction_type": "Tahsilat",
        "payment_method": "Nakit",
        "issue_date": "2024-01-15T14:30:00+03:00",
        "amount": amount,
        "remaining_amount": left,
        "currency": "TRY",
    }


@pytest.mark.parametrize("amount", ["0", "0.00", "-1", "1.001", "1e2", ""])
def test_an_amount_that_kolaybi_might_round_is_refused(harness: Harness, amount: str) -> None:
    response = harness.send(EXAMPLE, {"vault_id": 1, "amount": amount})
    assert (response.status, response.body["errors"][0]["place"]) == (400, "body.amount")
    assert not harness.server.calls


@pytest.mark.parametrize(
    ("changes", "part", "whole"),
    [
        ({"remaining_amount": 0}, "Succeeded", "Succeeded"),
        ({"remaining_amount": "0.00"}, "Succeeded", "Succeeded"),
        ({"remaining_amount": 0, "transaction_type": None}, "Succeeded", "Succeeded"),
        ({"remaining_amount": 0, "issue_date": "15.01.2024"}, "Succeeded", "Succeeded"),
        ({"remaining_amount": 0, "amount": 100.5}, "Succeeded", "Succeeded"),
        # Another amount than ordered; of all that was left, every amount above zero is.
        ({"remaining_amount": 0, "amount": 100}, "Unknown", "Succeeded"),
        ({"remaining_amount": 0, "amount": 0}, "Unknown", "Unknown"),
        ({"remaining_amount": 0, "amount": "yüz"}, "Unknown", "Unknown"),
        # Something is left, so it was not all that was left.
        ({"remaining_amount": 0.01}, "Succeeded", "Unknown"),
        ({"remaining_amount": -0.01}, "Unknown", "Unknown"),
        ({"remaining_amount": None}, "Unknown", "Unknown"),
        ({"remaining_amount": "139,50"}, "Unknown", "Unknown"),
        ({"remaining_amount": False}, "Unknown", "Unknown"),
        ({"remaining_amount": 0, "transaction_status": "Beklemede"}, "Unknown", "Unknown"),
        ({"remaining_amount": 0, "transaction_status": None}, "Unknown", "Unknown"),
        ({"remaining_amount": 0, "transaction_type": "Ödeme"}, "Unknown", "Unknown"),
        ({"remaining_amount": 0, "status": "İptal Edildi"}, "Unknown", "Unknown"),
        ({"remaining_amount": 0, "deleted_at": "2024-01-15"}, "Unknown", "Unknown"),
        ({"remaining_amount": 0, "currency": None}, "Unknown", "Unknown"),
        ({"remaining_amount": 0, "currency": 949}, "Unknown", "Unknown"),
        ({"remaining_amount": 0, "success": False}, "Unknown", "Unknown"),
    ],
)
def test_what_each_answer_proves(changes: dict[str, Any], part: str, whole: str) -> None:
    assert (PART.verdict(told(**changes)), WHOLE.verdict(told(**changes))) == (part, whole)


@pytest.mark.parametrize(
    ("reply", "outcome"),
    [
        (Reply(201, told().body), "Succeeded"),
        (json_reply({"data": INVOICE_DATA}), "Succeeded"),
        (json_reply({"success": "true", "data": INVOICE_DATA}), "Unknown"),
        (json_reply({"success": True, "errors": ["x"], "data": INVOICE_DATA}), "Unknown"),
        # What a public client's test has as an answer: it does not tell that anything was collected.
        (json_reply({"success": True, "data": {"id": 1}}), "Unknown"),
        (json_reply({"success": True}), "Unknown"),
        (json_reply({"success": False, "message": "Kasa bulunamadı"}, 422), "Declined"),
        (json_reply({"success": False, "message": "Kasa bulunamadı", "data": INVOICE_DATA}, 422), "Unknown"),
        (json_reply({"message": "Kasa bulunamadı"}, 422), "Unknown"),
        (json_reply({"success": False, "message": "Kasa bulunamadı"}), "Unknown"),
    ],
)
def test_success_and_refusal_are_believed_in_their_own_form_only(reply: Reply, outcome: str) -> None:
    assert PART.verdict(reply) == outcome


def test_two_orders_on_one_invoice_wait_for_each_other(harness: Harness) -> None:
    first = unknown_order(harness, EXAMPLE)
    body = {"vault_id": 2, "amount": "1.00"}
    second = answered(harness, EXAMPLE, EXAMPLE.success, body=body, key="another")
    assert (second.status, second.slug, second.body["money"]) == (409, "held-by-another-operation", "not_moved")
    assert not harness.server.to(EXAMPLE.route)
    other = harness.send(EXAMPLE, body, path_parameters={"document_id": "2"}, key="other-invoice")
    assert other.status == 200
    assert harness.record(first).status == "unknown"


@pytest.mark.parametrize(
    "reply",
    [
        invoice_left(139.5),
        invoice_left(240.0),
        invoice_left(0),
        json_reply({"success": True, "data": {"id": 1}}),
        json_reply({"success": True, "data": [INVOICE_DATA]}),
        json_reply({"success": True, "data": INVOICE_DATA}),
        json_reply({"success": False, "message": "Fatura bulunamadı"}, 404),
    ],
)
def test_no_rest_of_the_invoice_proves_anything(reply: Reply) -> None:
    assert PART.finding(reply) == WHOLE.finding(reply) == "Inconclusive"


def test_what_is_left_is_noted_for_people_and_the_outcome_stays_unknown(harness: Harness) -> None:
    known = unknown_order(harness, EXAMPLE)
    response = looked_up(harness, EXAMPLE, invoice_left(12_345_678.25))
    assert (response.status, response.body["status"]) == (202, "unknown")
    (call,) = harness.server.to(EXAMPLE.look_up_route)
    assert (call.method, call.path, call.body) == ("GET", "/kolaybi/v1/invoices/1", b"")
    *_, noted = harness.record(known).evidence
    assert (noted["finding"], noted["remaining_amount"]) == ("inconclusive", "12345678.25")
    for _ in range(3):
        harness.clock.advance(DAY)
        harness.sweep(EXAMPLE)
    assert set(findings(harness, known)) == {"inconclusive"}
    assert harness.record(known).status == "unknown"
    assert not harness.server.to(EXAMPLE.route)
