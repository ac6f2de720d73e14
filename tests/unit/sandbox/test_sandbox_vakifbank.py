from __future__ import annotations

import re
import time
from datetime import datetime

import pytest

from tests.unit.sandbox.orders import VAKIFBANK_ORDER, WITHOUT

CARD = "4355084355084358"


def status_code(answer):
    return answer.json()["Header"]["StatusCode"]


def test_the_pages_example_is_answered_as_on_the_page(merchant, sandbox):
    answer = merchant.tos_pay()
    assert answer.status_code == 200
    header = answer.json()["Header"]
    assert list(header) == ["StatusCode", "StatusDescription", "StatusDescriptionEn", "ObjectID"]
    assert [header[name] for name in list(header)[:3]] == ["APIGW000000", "Tamamlandı", "Completed"]
    result = answer.json()["Data"]["QueryResult"]
    assert list(result) == [
        *("TransactionObjectId", "ErrorExplanation", "InstitutionTaxNo", "TransactionQueryNo", "ErrorCode", "Result")
    ]
    assert result["InstitutionTaxNo"] == VAKIFBANK_ORDER["InstitutionTransactionCode"]
    assert (result["ErrorCode"], result["Result"], result["ErrorExplanation"]) == (1, True, "Tahsil Edildi")
    assert re.fullmatch(r"\d{16}", result["TransactionObjectId"])
    assert re.fullmatch(r"\d{7}", result["TransactionQueryNo"])
    [booking] = sandbox.bookings("vakifbank")
    assert (booking["amount"], booking["currency"]) == ("200.0", "TL")


def test_a_double_is_refused_and_not_booked(merchant, sandbox):
    merchant.tos_pay()
    answer = merchant.tos_pay(Amount=300)
    result = answer.json()["Data"]["QueryResult"]
    assert (answer.status_code, status_code(answer)) == (200, "APIGW000000")
    assert result["Result"] is False
    assert result["ErrorCode"] != 1
    assert [b["amount"] for b in sandbox.bookings()] == ["200.0"]


@pytest.mark.parametrize(
    ("field", "code"),
    [
        ("InstitutionCode", "ACBH000645"),
        ("CurrencyType", "ACBH000027"),
        ("InstitutionTransactionCode", "ACBH000619"),
    ],
)
@pytest.mark.parametrize("value", ["", WITHOUT])
def test_the_pages_message_codes(merchant, sandbox, field, code, value):
    answer = merchant.tos_pay(**{field: value})
    assert (answer.status_code, status_code(answer)) == (400, code)
    assert list(answer.json()) == ["Header"]
    assert sandbox.bookings() == []


@pytest.mark.parametrize(
    "changes",
    [
        {"Amount": "200.0"},
        {"Amount": True},
        {"Amount": 0},
        {"Amount": WITHOUT},
        {"CurrencyType": "TRY"},
        {"TransactionType": "1"},
        {"TransactionType": 0},
        {"TransactionType": 4},
        {"TaxIdentityCheck": "true"},
        {"CreditUse": WITHOUT},
        {"SenderAccountNo": ""},
        {"PaymentDate": "2022-12-28"},
        {"PaymentDate": "2022-12-28T00:00:00+03:00"},
        {"PaymentDate": "2022-13-28T00:00:00"},
        {"ReceiverBankCode": 15},
        {"Explanation": None},
        {"ReceiverAccountIbanNo": "0"},
        {"ReceivertAccountIbanNo": ""},
        {"TransactionType": 2, "ReceivertAccountIbanNo": "0"},
        {"TransactionType": 2, "ReceivertAccountIbanNo": "", "ReceiverNameSurname": ""},
        {"TransactionType": 3, "ReceivertAccountIbanNo": "TR330006100519786457841326"},
        {"TransactionType": 3, "ReceivertAccountIbanNo": "4355084355084359"},
    ],
)
def test_types_and_conditional_rules(merchant, sandbox, changes):
    answer = merchant.tos_pay(**changes)
    assert (answer.status_code, status_code(answer)) == (400, "ACBG000007")
    assert sandbox.bookings() == []


@pytest.mark.parametrize(
    "changes",
    [
        {"TransactionType": 2, "ReceivertAccountIbanNo": ""},
        {"TransactionType": 3, "ReceivertAccountIbanNo": CARD},
        {"TransactionType": 5, "ReceivertAccountIbanNo": ""},
        {"CurrencyType": "USD"},
        {"Explanation": WITHOUT},
    ],
)
def test_each_kind_of_payment_is_accepted(merchant, sandbox, changes):
    assert merchant.tos_pay(**changes).json()["Data"]["QueryResult"]["Result"] is True
    assert len(sandbox.bookings()) == 1


def test_another_institutions_code_is_refused_in_the_money_layer(merchant, sandbox):
    answer = merchant.tos_pay(InstitutionCode="0000001")
    assert answer.json()["Data"]["QueryResult"]["Result"] is False
    assert sandbox.bookings() == []


def test_card_and_identity_numbers_are_kept_masked(merchant, sandbox):
    iban = "TR330006100519786457841326"
    merchant.tos_pay(
        TransactionType=3,
        ReceivertAccountIbanNo=CARD,
        ReceiverIdentityNo="10000000146",
        SenderAccountNo=iban,
        Explanation=f"to {CARD}",
    )
    kept = str(sandbox.bookings()) + merchant.tos_query(ReceivertAccountIbanNo=CARD, SenderAccountNo=iban).text
    assert "************4358" in kept
    assert not {number for number in (CARD, iban, "10000000146") if number in kept}


def test_the_query_finds_by_code_and_answers_an_empty_list(merchant):
    code = "12345678901234"
    assert merchant.tos_query(InstitutionTransactionNo=code).json()["Data"] == {"Result": []}
    paid = merchant.tos_pay(InstitutionTransactionCode=code).json()["Data"]["QueryResult"]
    merchant.tos_pay(InstitutionTransactionCode="other")
    [row] = merchant.tos_query(InstitutionTransactionNo=code, TransactionType=1).json()["Data"]["Result"]
    assert row["InstitutionTransactionCode"] == code
    assert (row["Result"], row["ErrorCode"], row["Amount"]) == (True, 1, 200.0)
    assert row["TransactionQueryNo"] == paid["TransactionQueryNo"]
    assert row["TransactionObjectId"] == paid["TransactionObjectId"]
    assert len(merchant.tos_query().json()["Data"]["Result"]) == 2


def test_the_query_refuses_payments_field_name(merchant):
    answer = merchant.tos_query(InstitutionTransactionCode="x")
    assert (answer.status_code, status_code(answer)) == (400, "ACBG000007")


@pytest.mark.parametrize(
    "changes",
    [
        {"grant_type": "client_credentials"},
        {"scope": "account"},
        {"resource": WITHOUT},
        {"consent": "x"},
    ],
)
def test_login_form(merchant, changes):
    answer = merchant.vakifbank_login(**changes)
    assert (answer.status_code, status_code(answer)) == (400, "ACBG000007")


def test_login_answer(merchant):
    answer = merchant.vakifbank_login().json()
    assert list(answer) == ["access_token", "token_type", "expires_in", "scope"]
    assert (answer["token_type"], answer["expires_in"], answer["scope"]) == ("Bearer", 1800, "payment")


@pytest.mark.parametrize("changes", [{"client_id": "x"}, {"consentId": "x"}, {"resource": "production"}])
def test_wrong_client_or_consent_does_not_count_as_a_wrong_secret(merchant, sandbox, changes):
    answer = merchant.vakifbank_login(**changes)
    assert (answer.status_code, status_code(answer)) == (401, "ACBG000001")
    assert sandbox.state()["vakifbank"] == {"wrong_secrets": 0, "locked": False}


def test_the_fifth_wrong_secret_locks_the_application(merchant, sandbox):
    headers = merchant.vakifbank_headers()
    codes = [status_code(merchant.vakifbank_login(client_secret="wrong")) for _ in range(5)]
    assert codes == ["ACBG000005"] * 4 + ["ACBG000006"]
    assert sandbox.state()["vakifbank"] == {"wrong_secrets": 5, "locked": True}
    assert status_code(merchant.vakifbank_login()) == "ACBG000006"
    paid = merchant.http.post("/tos/payment", json=VAKIFBANK_ORDER, headers=headers)
    assert (paid.status_code, status_code(paid)) == (401, "ACBG000002")


def test_a_token_expires(merchant, sandbox):
    headers = merchant.vakifbank_headers()
    sandbox.advance_clock(1801)
    answer = merchant.http.post("/tos/payment", json=VAKIFBANK_ORDER, headers=headers)
    assert (answer.status_code, status_code(answer)) == (401, "ACBG000001")
    assert sandbox.bookings() == []


@pytest.mark.parametrize("body", [b"[]", b"{", b'{"Amount": 1, "Amount": 1}', b'{"Amount": NaN}', b"\xff"])
def test_a_body_that_is_no_strict_json_object(merchant, body):
    headers = {**merchant.vakifbank_headers(), "Content-Type": "application/json"}
    answer = merchant.http.post("/tos/payment", content=body, headers=headers)
    assert (answer.status_code, status_code(answer)) == (400, "ACBG000007")


ON_THE_DATE = {"executes_on_payment_date": True, "holidays": ["2029-12-31", "2030-01-01"]}


@pytest.mark.parametrize(
    ("payment_date", "executed_at"),
    [
        ("2029-12-27T00:00:00", "2029-12-27T06:00:00+00:00"),
        # A Saturday: moved past Sunday, New Year's Eve and New Year.
        ("2029-12-29T00:00:00", "2030-01-02T06:00:00+00:00"),
        ("2029-12-31T15:00:00", "2030-01-02T06:00:00+00:00"),
    ],
)
def test_a_payment_may_be_executed_on_its_date_or_the_next_business_day(merchant, sandbox, payment_date, executed_at):
    sandbox.seed(vakifbank=ON_THE_DATE)
    code = VAKIFBANK_ORDER["InstitutionTransactionCode"]
    assert merchant.tos_pay(PaymentDate=payment_date).json()["Data"]["QueryResult"]["Result"] is True
    assert (sandbox.bookings(), sandbox.state()["late_bookings"]) == ([], 1)
    due = datetime.fromisoformat(executed_at).timestamp() - time.time()
    sandbox.advance_clock(due - 60)
    assert merchant.tos_query(InstitutionTransactionNo=code).json()["Data"] == {"Result": []}
    # It was taken in, so the same code is a double before it is executed, too.
    assert merchant.tos_pay(PaymentDate=payment_date).json()["Data"]["QueryResult"]["Result"] is False
    sandbox.advance_clock(120)
    [booking] = sandbox.bookings()
    assert booking["at"] == executed_at
    [row] = merchant.tos_query(InstitutionTransactionNo=code).json()["Data"]["Result"]
    assert row["InstitutionTransactionCode"] == code


def test_a_payment_dated_in_the_past_is_executed_at_once(merchant, sandbox):
    sandbox.seed(vakifbank=ON_THE_DATE)
    merchant.tos_pay(PaymentDate="2022-12-28T00:00:00")
    assert len(sandbox.bookings()) == 1


def test_an_odd_refusal_has_everything_of_a_success(merchant, sandbox):
    sandbox.rule("vakifbank.pay", "odd_refusal")
    result = merchant.tos_pay().json()["Data"]["QueryResult"]
    assert (result["Result"], result["ErrorCode"], result["ErrorExplanation"]) == (False, 1, "Tahsil Edildi")
    assert result["TransactionQueryNo"]
    assert len(sandbox.bookings()) == 1
