from __future__ import annotations

import pytest

from tests.unit.sandbox.orders import HASO_ORDER, WITHOUT

# printf '%s' "$message" | openssl dgst -sha256 -hmac 'sandbox-merchant-key' -binary | base64
# with the message sandbox-merchant-idSIP-ÇĞİ-1TRX-1500012345203.0.113.7sandbox-merchant-salt
OPENSSL_TOKEN = "qcap+ROCIwMjMhySLgoNNqReO+L5UJQIQ1EXR5QPulQ="


def totals(answer):
    return [row["totalExpenseAmount"] for row in answer.json()["Data"]["PaymentPlan"]]


def test_a_token_made_by_openssl_is_accepted(merchant, sandbox):
    answer = merchant.set_expenses(signature=OPENSSL_TOKEN)
    assert answer.json()["Success"] is True
    [booking] = sandbox.bookings("haso")
    assert (booking["reference"], booking["amount"], booking["currency"]) == ("TRX-1", "173.45", "TRY")
    assert booking["request"]["requestToken"] == "*" * 40 + OPENSSL_TOKEN[-4:]


def test_the_answer_has_the_pages_fields_and_the_total_on_the_last_instalment(merchant):
    answer = merchant.set_expenses()
    body = answer.json()
    assert (answer.status_code, list(body), body["Errors"]) == (200, ["Success", "Errors", "Data"], [])
    plan = body["Data"]["PaymentPlan"]
    assert [row["InstallmentNo"] for row in plan] == [1, 2, 3]
    assert list(plan[0]) == ["InstallmentNo", "installmentPayment", "termDate", "totalExpenseAmount"]
    assert totals(answer) == [0, 0, 173.45]
    assert '"installmentPayment": 1000.00,' in answer.text


@pytest.mark.parametrize(
    "changes",
    [
        {"transactionCode": "TRX-2"},
        {"merchantOid": "SIP-2"},
        {"counterPartyAttorneyFee": "5001"},
        {"expenseAmount": "012345"},
        {"ipAddress": "203.0.113.8"},
        {"ipAddress": WITHOUT},
    ],
)
def test_a_token_of_other_strings_is_refused(merchant, sandbox, changes):
    answer = merchant.set_expenses(signature=OPENSSL_TOKEN, **changes)
    assert answer.json()["Success"] is False
    assert answer.json()["Errors"] == ["requestToken hatalı."]
    assert sandbox.bookings() == []


@pytest.mark.parametrize(
    "changes",
    [
        {"expenseAmount": 12345},
        {"expenseAmount": "123.45"},
        {"expenseAmount": "-1"},
        {"expenseAmount": "\u0661"},
        {"counterPartyAttorneyFee": ""},
        {"counterPartyAttorneyFee": WITHOUT},
        {"merchantOid": "x" * 21},
        {"merchantOid": WITHOUT},
        {"transactionCode": ""},
        {"ipAddress": None},
        {"currency": "TRY"},
        {"merchantId": "other"},
    ],
)
def test_types_and_rules(merchant, sandbox, changes):
    body = merchant.set_expenses(**changes).json()
    assert body["Success"] is False
    assert len(body["Errors"]) == 1
    assert "requestToken" not in body["Errors"][0]
    assert sandbox.bookings() == []


def test_the_ip_address_may_be_absent_and_amounts_zero(merchant, sandbox):
    body = merchant.set_expenses(ipAddress=WITHOUT, counterPartyAttorneyFee="0", expenseAmount="0").json()
    assert body["Success"] is True
    assert sandbox.booked() == 0


def test_a_form_is_refused(merchant, sandbox):
    body = {**HASO_ORDER, "requestToken": OPENSSL_TOKEN}
    answer = merchant.http.post("/RequestV2/SendTransactionExpense", data=body)
    assert answer.json()["Success"] is False
    assert sandbox.bookings() == []


def test_the_newest_total_counts_and_all_are_kept(merchant, sandbox):
    for expense in ("10000", "30000", "20000"):
        merchant.set_expenses(counterPartyAttorneyFee="0", expenseAmount=expense)
    merchant.set_expenses(transactionCode="TRX-2")
    assert totals(merchant.payment_plan()) == [0, 0, 200]
    state = sandbox.state()["haso"]
    assert state["totals"] == {"TRX-1": "200.00", "TRX-2": "173.45"}
    assert state["history"]["TRX-1"] == ["100.00", "300.00", "200.00"]


def test_the_plan_of_an_untouched_transaction_has_no_expenses(merchant, sandbox):
    sandbox.seed(haso={"instalments": {"TRX-9": ["50.00", "60.00"]}})
    plan = merchant.payment_plan("TRX-9").json()["Data"]["PaymentPlan"]
    assert [row["installmentPayment"] for row in plan] == [50, 60]
    assert [row["totalExpenseAmount"] for row in plan] == [0, 0]


def test_the_plan_is_signed_by_its_own_fields(merchant):
    body = {name: HASO_ORDER[name] for name in ("merchantId", "merchantOid", "transactionCode", "ipAddress")}
    answer = merchant.http.post("/Index/GetPaymentsOfTransaction", json={**body, "requestToken": OPENSSL_TOKEN})
    assert answer.json()["Errors"] == ["requestToken hatalı."]


def test_an_odd_refusal_contains_the_plan(merchant, sandbox):
    sandbox.rule("haso.set_expenses", "odd_refusal")
    answer = merchant.set_expenses()
    assert answer.json()["Success"] is False
    assert answer.json()["Errors"]
    assert totals(answer) == [0, 0, 173.45]
    assert len(sandbox.bookings()) == 1
