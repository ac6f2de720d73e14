from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest
from vezne_sandbox.walletgate.bills import ASAT

from tests.contract.test_walletgate import PAGE_ANSWER
from tests.support.operations.walletgate_pay_bill import BILL as OUR_BILL
from tests.unit.sandbox.orders import WALLETGATE_ORDER, WITHOUT

OID = WALLETGATE_ORDER["inv_payment_transaction_query_oid"]
BILL = {name: OUR_BILL[name] for name in ("product_oid", "subscriber_no", "bill_term", "bill_no", "invoice_amount")}


def code(answer):
    return answer.json()["code"]


def test_the_pages_example_is_answered_as_on_the_page(merchant, sandbox):
    answer = merchant.pay_bill()
    assert answer.status_code == 200
    body = answer.json()
    assert (body["status"], body["code"], body["message"]) == (0, "100", "İşlem başarılı")
    payload = body["payload"]
    page = json.loads(PAGE_ANSWER)["payload"]
    assert list(payload) == list(page)
    assert payload["ext_order_id"] == payload["inv_payment_transaction_query_oid"] == OID
    for literal in (
        '"transaction_amount": 196.5000,',
        '"transaction_fee": 0.000000,',
        '"charged_amount": 196.500000,',
        '"topup_credit_limit": 996004.0060,',
        '"created_date_utc": "2022-01-18T07:48:51.7092961+00:00"',
    ):
        assert literal in answer.text
    wallet = payload["sender_wallet_info"]
    assert (wallet["account_number"], wallet["number"], wallet["account_type"]) == ("28XX01", "25XX25", "Personal")
    assert list(wallet) == list(page["sender_wallet_info"])
    [booking] = sandbox.bookings("walletgate")
    assert (booking["reference"], booking["amount"], booking["currency"]) == (OID, "196.5", "TRY")
    assert booking["request"]["subscriber_no"] == "******7580"


def test_the_same_oid_is_paid_once(merchant, sandbox):
    merchant.pay_bill()
    answer = merchant.pay_bill()
    assert (answer.status_code, code(answer), answer.json()["payload"]) == (200, "301", None)
    assert len(sandbox.bookings()) == 1


def test_the_same_bill_under_another_oid_is_paid_again(merchant, sandbox):
    merchant.pay_bill()
    merchant.pay_bill(inv_payment_transaction_query_oid="other")
    assert len(sandbox.bookings()) == 2


@pytest.mark.parametrize(
    "changes",
    [
        {"account_type_id": 3},
        {"account_type_id": "1"},
        {"account_number": 28},
        {"wallet_number": ""},
        {"inv_payment_transaction_query_oid": WITHOUT},
        {"invoice_amount": "196.50"},
        {"payment_amount": 196.51},
        {"payment_amount": 0},
        {"product_oid": None},
        {"subscriber_no": WITHOUT},
        {"bill_term": "2023-03"},
        {"bill_term": "13/2023"},
        {"bill_no": ""},
        {"tenant_id": "0"},
        {"currency_code": "TRY"},
    ],
)
def test_types_and_rules(merchant, sandbox, changes):
    answer = merchant.pay_bill(**changes)
    assert (answer.status_code, answer.json()["status"], code(answer)) == (400, 1, "400")
    assert sandbox.bookings() == []


def test_tenant_id_may_be_absent(merchant, sandbox):
    assert code(merchant.pay_bill(tenant_id=WITHOUT)) == "100"
    assert len(sandbox.bookings()) == 1


@pytest.mark.parametrize("header", [{"Authorization": "Bearer x"}, {"x-client-id": "x"}])
def test_token_and_platform_key_are_required(merchant, sandbox, header):
    answer = merchant.walletgate("InvoicePayment/MakePayment", WALLETGATE_ORDER, **header)
    assert (answer.status_code, code(answer)) == (401, "401")
    assert sandbox.bookings() == []


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"client_secret": "x"}, "invalid_client"),
        ({"scope": "x"}, "invalid_scope"),
        ({"grant_type": "password"}, "unsupported_grant_type"),
        ({"scope": WITHOUT}, "invalid_request"),
    ],
)
def test_login_errors_are_those_of_oauth(merchant, changes, error):
    answer = merchant.walletgate_login(**changes)
    assert (answer.status_code, answer.json()) == (400, {"error": error})


def test_the_token_is_valid_for_an_hour_or_as_seeded(merchant, sandbox):
    assert merchant.walletgate_login().json()["expires_in"] == 3600
    sandbox.seed(walletgate={"token_lifetime": 5})
    assert merchant.walletgate_login().json()["expires_in"] == 5


def test_a_seeded_balance_is_not_overdrawn(merchant, sandbox):
    sandbox.seed(walletgate={"balance": "300.00"})
    assert code(merchant.pay_bill()) == "100"
    assert code(merchant.pay_bill(inv_payment_transaction_query_oid="second")) == "311"
    assert len(sandbox.bookings()) == 1


def test_a_seeded_bill_is_listed_until_paid_and_must_be_echoed(merchant, sandbox):
    sandbox.seed(walletgate={"bills": [{**BILL, "oid": OID}]})
    inquiry = {"product_oid": BILL["product_oid"], "subscriber_no1": BILL["subscriber_no"]}
    [row] = merchant.walletgate("InvoicePayment/GetInvoicesByProductAndSubscriber", inquiry).json()["payload"]
    assert (row["inv_payment_transaction_query_oid"], row["partial_payment_allowed"]) == (OID, 0)
    assert code(merchant.pay_bill(bill_no="other")) == "400"
    assert code(merchant.pay_bill(invoice_amount=197.0)) == "400"
    assert code(merchant.pay_bill(payment_amount=100)) == "400"
    assert code(merchant.pay_bill()) == "100"
    after = merchant.walletgate("InvoicePayment/GetInvoicesByProductAndSubscriber", inquiry)
    assert after.json()["payload"] == []


def test_every_inquiry_gives_a_bill_a_new_oid(merchant):
    inquiry = {"product_oid": ASAT, "subscriber_no1": "1001"}
    rows = [
        merchant.walletgate("InvoicePayment/GetInvoicesByProductAndSubscriber", inquiry).json()["payload"][0]
        for _ in range(2)
    ]
    assert rows[0]["bill_no"] == rows[1]["bill_no"]
    assert rows[0]["inv_payment_transaction_query_oid"] != rows[1]["inv_payment_transaction_query_oid"]


def test_product_detail_names_the_mandatory_number(merchant):
    answer = merchant.walletgate("InvoicePayment/GetProductDetailByProductId", {"product_oid": ASAT})
    [number] = answer.json()["payload"]["subscriber_numbers"]
    assert (number["name"], number["is_mandatory"]) == ("subscriber_no1", True)


def test_the_list_finds_a_payment_by_its_oid(merchant):
    assert merchant.list_payments(ext_transaction_id=OID).json()["payload"]["items"] == []
    paid = merchant.pay_bill().json()["payload"]
    merchant.pay_bill(inv_payment_transaction_query_oid="other")
    answer = merchant.list_payments(ext_transaction_id=OID, process_level_status_id=20)
    [item] = answer.json()["payload"]["items"]
    assert (item["id"], item["ext_transaction_id"]) == (paid["transaction_id"], OID)
    assert (item["transaction_status_id"], item["result_code"]) == (20, "Success")
    assert '"tx_base_amount": 196.5000' in answer.text
    assert merchant.list_payments(process_level_status_id=10).json()["payload"]["total_count"] == 0


def test_the_list_pages(merchant):
    for number in range(3):
        merchant.pay_bill(inv_payment_transaction_query_oid=f"oid-{number}")
    page = merchant.list_payments(page_size=2, page_index=2).json()["payload"]
    assert ([item["ext_transaction_id"] for item in page["items"]], page["total_count"]) == (["oid-2"], 3)


def test_the_list_goes_back_one_day_by_default(merchant, sandbox):
    merchant.pay_bill()
    sandbox.advance_clock(86400 + 60)
    assert merchant.list_payments(ext_transaction_id=OID).json()["payload"]["items"] == []
    now = datetime.now(UTC)
    window = {"start_date": (now - timedelta(days=1)).isoformat(), "end_date": (now + timedelta(days=1)).isoformat()}
    assert len(merchant.list_payments(ext_transaction_id=OID, **window).json()["payload"]["items"]) == 1


@pytest.mark.parametrize(
    "filters",
    [
        {"order_column": ""},
        {"external_transaction_id": OID},
        {"start_date": "2026-01-01T00:00:00Z"},
        {"start_date": "2026-01-01", "end_date": "2026-01-02"},
        {"page_size": "10"},
    ],
)
def test_the_list_refuses_what_it_does_not_know(merchant, filters):
    assert merchant.list_payments(**filters).status_code == 400


def test_an_odd_refusal_names_no_code(merchant, sandbox):
    sandbox.rule("walletgate.pay_bill", "odd_refusal", book=False)
    answer = merchant.pay_bill()
    assert answer.status_code == 400
    assert answer.json() == {"status": 1, "code": None, "message": None, "payload": None}
    assert sandbox.bookings() == []
