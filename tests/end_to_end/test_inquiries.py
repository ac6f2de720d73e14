"""The inquiries through the deployed template: what an order wants to know before, and shows after."""

import json
import uuid
from typing import Any
from urllib.parse import urlencode

import httpx
import pytest

from tests.end_to_end.examples import example
from tests.stack import Stack
from tests.stack.processes import ROOT
from tests.stack.stack import INQUIRIES, OPERATIONS

ASAT = "5e1d0a57-0000-4000-8000-000000001001"


def ask(stack: Stack, token: str | None, method: str, path: str, body: Any = None, **query: str) -> httpx.Response:
    return stack.request(method, path + (f"?{urlencode(query)}" if query else ""), token=token, body=body)


def golden(stack: Stack, token: str | None, name: str) -> httpx.Response:
    event = json.loads((ROOT / "events" / f"{name.replace('.', '_')}.api.json").read_text())
    body = json.loads(event["body"]) if event["body"] else None
    return ask(stack, token, event["httpMethod"], event["path"], body, **(event["queryStringParameters"] or {}))


def pay(stack: Stack, token: str, operation: str) -> tuple[Any, dict[str, Any]]:
    one = example(operation)
    answer = stack.request("POST", one.path, token=token, key=one.key, body=one.body)
    assert answer.status_code == 200, answer.text
    return one, answer.json()


@pytest.mark.parametrize("name", INQUIRIES)
def test_the_golden_inquiry_is_answered_and_leaves_nothing_behind(stack: Stack, token: str, name: str) -> None:
    def kept() -> list[str]:
        return [item["id"]["S"] for item in stack.records() if not item["id"]["S"].startswith("secret#")]

    before, bookings = kept(), stack.sandbox.bookings()
    answer = golden(stack, token, name)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["cache-control"] == "no-store"
    assert (kept(), stack.sandbox.bookings()) == (before, bookings)


@pytest.mark.parametrize("name", INQUIRIES)
def test_an_inquiry_wants_exactly_its_own_scope(stack: Stack, name: str) -> None:
    others = [f"vezne/{other}" for other in (*OPERATIONS, *INQUIRIES) if other != name]
    for token in (None, stack.token(scopes=others)):
        answer = golden(stack, token, name)
        assert answer.status_code == 401
        assert answer.json()["type"] == "/local/problems/unauthorized"
    assert golden(stack, stack.token(scopes=[f"vezne/{name}"]), name).status_code == 200


def test_a_bill_that_was_listed_can_be_paid_field_by_field(stack: Stack, token: str) -> None:
    subscriber = uuid.uuid4().hex
    bill_of_a_test = {
        "product_oid": ASAT,
        "subscriber_no": subscriber,
        "bill_term": "11/2026",
        "bill_no": f"B{subscriber}",
        # With more digits than a payment takes, as the provider's samples write amounts.
        "invoice_amount": "120.4000",
    }
    stack.sandbox.seed(walletgate={"bills": [bill_of_a_test]})
    answer = ask(stack, token, "POST", "/walletgate/bill-inquiries",
                 {"product_oid": ASAT, "subscriber_no1": subscriber})  # fmt: skip
    (bill,) = answer.json()["bills"]
    same_name = ("inv_payment_transaction_query_oid", "invoice_amount", "product_oid", "bill_term", "bill_no")
    order = {
        **{name: bill[name] for name in same_name},
        "subscriber_no": bill["subscriber_no1"],
        "payment_amount": bill["invoice_amount"],
        "account_type": "personal",
        "account_number": "2800001",
        "wallet_number": "2500001",
    }
    paid = stack.request("POST", "/walletgate/bill-payments", token=token, key=subscriber, body=order)
    assert paid.status_code == 200, paid.text
    assert paid.json()["result"]["transaction_amount"] == "120.4000"
    assert len(stack.sandbox.bookings("walletgate", bill["inv_payment_transaction_query_oid"])) == 1
    again = ask(stack, token, "POST", "/walletgate/bill-inquiries",
                {"product_oid": ASAT, "subscriber_no1": subscriber})  # fmt: skip
    assert again.json() == {"bills": []}


def test_a_capture_is_a_row_of_the_check(stack: Stack, token: str) -> None:
    one, paid = pay(stack, token, "paynet.capture")
    rows = ask(stack, token, "GET", "/paynet/transactions", reference_no=one.reference).json()["transactions"]
    assert [row["transaction_type"] for row in rows] == ["3", "4"]
    assert (rows[1]["xact_id"], rows[1]["amount"]) == (paid["result"]["xact_id"], "10.50")


def test_a_payment_is_found_by_its_code(stack: Stack, token: str) -> None:
    one, paid = pay(stack, token, "vakifbank.pay")
    answer = ask(stack, token, "GET", "/vakifbank/tos-payments",
                 institution_transaction_code=one.reference, payment_date="2026-12-28")  # fmt: skip
    (payment,) = answer.json()["payments"]
    assert (payment["amount"], payment["currency"], payment["transaction_type"]) == ("10.5", "TRY", "account")
    assert payment["raw"]["TransactionQueryNo"] == paid["result"]["transaction_query_no"]
    assert "519786457841326" not in answer.text
    none = ask(stack, token, "GET", "/vakifbank/tos-payments", institution_transaction_code=uuid.uuid4().hex)
    assert none.json() == {"payments": []}


def test_a_collection_is_listed_with_its_marker(stack: Stack, token: str) -> None:
    one, paid = pay(stack, token, "kolaybi.collect")
    answer = ask(stack, token, "GET", f"/kolaybi/associates/{one.reference}/transactions")
    (row,) = answer.json()["raw"]["data"]
    assert row["description"] == f"Tahsilat açıklaması {paid['operation_id']}"


def test_expenses_show_in_the_payment_plan(stack: Stack, token: str) -> None:
    one, paid = pay(stack, token, "haso.set_expenses")
    answer = ask(stack, token, "GET", one.path.replace("/expenses", "/payment-plan"), merchant_oid="ORDER-1")
    plan = answer.json()["payment_plan"]
    assert [{name: row[name] for name in row if name != "raw"} for row in plan] == paid["result"]["payment_plan"]
    assert plan[-1]["total_expense_amount"] == "10.50"


def test_a_bad_question_is_refused_before_the_provider_hears_of_it(stack: Stack, token: str) -> None:
    before = len(stack.sandbox.calls())
    answer = ask(stack, token, "GET", "/paynet/transactions", xact="1")
    assert (answer.status_code, answer.json()["type"]) == (400, "/local/problems/invalid-request")
    twice = stack.request("GET", "/kolaybi/vaults?currency=TRY&currency=EUR", token=token)
    assert twice.json()["errors"] == [{"place": "query.currency", "reason": "must be given once"}]
    assert len(stack.sandbox.calls()) == before
