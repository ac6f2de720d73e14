"""The inquiries through the deployed template: what a client asks before an order and after it."""

import uuid

import httpx
import pytest
from vezne.providers.walletgate.inquiry_models import BillsRequest
from vezne.providers.walletgate.models import BillPaymentRequest
from vezne_cli.catalogue import INQUIRIES, ROUTES
from vezne_cli.golden import golden
from vezne_cli.stack import Stack
from vezne_client import (
    INQUIRIES as CALLS,
    LIST_BILLS,
    PAY_BILL,
    Client,
)

from tests.end_to_end.callers import heard_by

ASAT = "5e1d0a57-0000-4000-8000-000000001001"


def inquire(stack: Stack, token: str | None, name: str) -> httpx.Response:
    """Send the golden inquiry."""
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
def test_an_inquiry_needs_exactly_its_own_scope(stack: Stack, name: str) -> None:
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
        # The amount has more digits than a payment takes, as in the provider's samples.
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


def test_a_bad_inquiry_is_refused_and_does_not_reach_the_provider(stack: Stack, token: str) -> None:
    before = len(stack.sandbox.calls())
    answer = stack.request("GET", "/paynet/transactions?xact=1", token=token)
    assert (answer.status_code, answer.json()["type"]) == (400, "/local/problems/invalid-request")
    twice = stack.request("GET", "/kolaybi/vaults?currency=TRY&currency=EUR", token=token)
    assert twice.json()["errors"] == [{"place": "query.currency", "reason": "must be given once"}]
    assert len(stack.sandbox.calls()) == before
