"""The inquiries through the deployed template: what an order wants to know before, and shows after."""

import re
import uuid
from decimal import Decimal

import httpx
import pytest
from vezne.providers.haso.inquiry_models import PaymentPlanRequest
from vezne.providers.kolaybi.inquiry_models import TransactionsRequest
from vezne.providers.paynet.inquiry_models import CheckRequest
from vezne.providers.vakifbank.inquiry_models import QueryRequest
from vezne.providers.walletgate.inquiry_models import BillsRequest
from vezne.providers.walletgate.models import BillPaymentRequest
from vezne_cli.catalogue import INQUIRIES, ROUTES
from vezne_cli.golden import golden
from vezne_cli.stack import Stack
from vezne_client import (
    CHECK,
    INQUIRIES as CALLS,
    LIST_BILLS,
    LIST_TRANSACTIONS,
    PAY_BILL,
    PAYMENT_PLAN,
    QUERY,
    Client,
)

from tests.end_to_end.callers import heard_by
from tests.support.order import new_order

ASAT = "5e1d0a57-0000-4000-8000-000000001001"


def inquire(stack: Stack, token: str | None, name: str) -> httpx.Response:
    """Ask the golden inquiry."""
    asked = golden(name)
    return stack.request(asked.method, asked.url, token=token, body=asked.body)


@pytest.mark.parametrize("name", INQUIRIES)
def test_the_golden_inquiry_is_answered_and_leaves_nothing_behind(stack: Stack, token: str, name: str) -> None:
    def kept() -> list[str]:
        return [item["id"]["S"] for item in stack.records() if not item["id"]["S"].startswith("secret#")]

    before, bookings = kept(), stack.sandbox.bookings()
    answer = inquire(stack, token, name)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["cache-control"] == "no-store"
    assert (kept(), stack.sandbox.bookings()) == (before, bookings)


@pytest.mark.parametrize("name", INQUIRIES)
def test_the_client_asks_every_golden_inquiry_and_reads_all_of_its_answer(vezne: Client, name: str) -> None:
    call, asked = CALLS[name], golden(name)
    heard = heard_by(vezne)
    answer = vezne.ask(call, call.request.model_validate(asked.fields))
    assert answer.public() == heard[-1].json()
    assert heard[-1].request.url.raw_path.decode().partition("?")[0].endswith(asked.path)
    assert heard[-1].request.url.params.keys() == asked.query.keys()


@pytest.mark.parametrize("name", INQUIRIES)
def test_an_inquiry_wants_exactly_its_own_scope(stack: Stack, name: str) -> None:
    others = [f"vezne/{other}" for other in ROUTES if other != name]
    for token in (None, stack.token(scopes=others)):
        answer = inquire(stack, token, name)
        assert answer.status_code == 401
        assert answer.json()["type"] == "/local/problems/unauthorized"
    assert inquire(stack, stack.token(scopes=[f"vezne/{name}"]), name).status_code == 200


def test_a_bill_that_was_listed_can_be_paid_field_by_field(stack: Stack, vezne: Client) -> None:
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
    asked = BillsRequest(product_oid=ASAT, subscriber_no1=subscriber)
    (bill,) = vezne.ask(LIST_BILLS, asked).bills
    same_name = ("inv_payment_transaction_query_oid", "invoice_amount", "product_oid", "bill_term", "bill_no")
    order = {
        **{name: getattr(bill, name) for name in same_name},
        "subscriber_no": bill.subscriber_no1,
        "payment_amount": bill.invoice_amount,
        "account_type": "personal",
        "account_number": "2800001",
        "wallet_number": "2500001",
    }
    paid = vezne.order(PAY_BILL, BillPaymentRequest.model_validate(order), key=subscriber)
    assert paid.result is not None
    assert str(paid.result.transaction_amount) == "120.4000"
    assert len(stack.sandbox.bookings("walletgate", bill.inv_payment_transaction_query_oid)) == 1
    assert vezne.ask(LIST_BILLS, asked).bills == []


def test_a_capture_is_a_row_of_the_check(vezne: Client) -> None:
    one = new_order("paynet.capture")
    paid = vezne.order(one.call, one.request)
    rows = vezne.ask(CHECK, CheckRequest(reference_no=one.reference)).transactions
    assert [row.transaction_type for row in rows] == ["3", "4"]
    assert (rows[1].xact_id, str(rows[1].amount)) == (paid.result.xact_id, "10.50")


def test_a_payment_is_found_by_its_code(vezne: Client) -> None:
    one = new_order("vakifbank.pay")
    heard = heard_by(vezne)
    paid = vezne.order(one.call, one.request)
    asked = QueryRequest(institution_transaction_code=one.reference, payment_date="2026-12-28")
    (payment,) = vezne.ask(QUERY, asked).payments
    assert (str(payment.amount), payment.currency, payment.transaction_type) == ("10.5", "TRY", "account")
    assert payment.raw["TransactionQueryNo"] == paid.result.transaction_query_no
    assert "519786457841326" not in heard[-1].text
    assert vezne.ask(QUERY, QueryRequest(institution_transaction_code=uuid.uuid4().hex)).payments == []


def test_a_collection_is_listed_with_its_marker(vezne: Client) -> None:
    one = new_order("kolaybi.collect")
    paid = vezne.order(one.call, one.request)
    (row,) = vezne.ask(LIST_TRANSACTIONS, TransactionsRequest(associate_id=int(one.reference))).raw["data"]
    assert re.fullmatch(rf"{paid.operation_id}\.d[0-9]{{6}} Tahsilat açıklaması", row["description"])


def test_expenses_show_in_the_payment_plan(vezne: Client) -> None:
    one = new_order("haso.set_expenses")
    paid = vezne.order(one.call, one.request)
    asked = PaymentPlanRequest(transaction_code=one.reference, merchant_oid="ORDER-1")
    plan = vezne.ask(PAYMENT_PLAN, asked).payment_plan
    assert plan is not None
    assert [row.model_dump(exclude={"raw"}) for row in plan] == [row.model_dump() for row in paid.result.payment_plan]
    assert plan[-1].total_expense_amount == Decimal("10.50")


def test_a_bad_question_is_refused_before_the_provider_hears_of_it(stack: Stack, token: str) -> None:
    before = len(stack.sandbox.calls())
    answer = stack.request("GET", "/paynet/transactions?xact=1", token=token)
    assert (answer.status_code, answer.json()["type"]) == (400, "/local/problems/invalid-request")
    twice = stack.request("GET", "/kolaybi/vaults?currency=TRY&currency=EUR", token=token)
    assert twice.json()["errors"] == [{"place": "query.currency", "reason": "must be given once"}]
    assert len(stack.sandbox.calls()) == before
