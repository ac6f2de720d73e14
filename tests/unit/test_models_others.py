"""The rules of the walletgate, HASO and Paynet pages."""

from decimal import Decimal
from typing import Any

import pytest
from pydantic import ValidationError
from stdnum import luhn
from vezne.providers.haso.models import ExpensesRequest, ExpensesResult
from vezne.providers.paynet.models import CaptureRequest, CaptureResult
from vezne.providers.walletgate.models import BillPaymentRequest, BillPaymentResult

from tests.support.operations.haso_set_expenses import REQUEST as HASO_REQUEST
from tests.support.operations.walletgate_pay_bill import BILL


def test_a_bill_may_be_paid_in_part() -> None:
    request = BillPaymentRequest.model_validate({**BILL, "payment_amount": "196.49"})
    assert request.payment_amount == Decimal("196.49")


@pytest.mark.parametrize("order", [["invoice_amount", "payment_amount"], ["payment_amount", "invoice_amount"]])
def test_a_bill_is_never_paid_above_its_amount(order: list[str]) -> None:
    amounts = {"invoice_amount": "196.50", "payment_amount": "196.51"}
    fields = {**{name: amounts[name] for name in order}, **{k: v for k, v in BILL.items() if k not in amounts}}
    with pytest.raises(ValidationError, match="must not be greater than invoice_amount") as caught:
        BillPaymentRequest.model_validate(fields)
    assert [item["loc"] for item in caught.value.errors()] == [("payment_amount",)]


@pytest.mark.parametrize("kind", ["Personal", "1", "", "both", 1])
def test_account_types(kind: Any) -> None:
    with pytest.raises(ValidationError):
        BillPaymentRequest.model_validate({**BILL, "account_type": kind})


@pytest.mark.parametrize("name", [name for name in BILL if name != "account_type" and "amount" not in name])
def test_no_text_of_a_bill_is_empty(name: str) -> None:
    with pytest.raises(ValidationError, match="at least 1 character"):
        BillPaymentRequest.model_validate({**BILL, name: ""})


def test_a_result_holds_no_more_of_the_wallet_s_owner_than_a_replay_needs() -> None:
    owner = {
        "id": "45X9XX21", "name": "Ayşe Yılmaz", "account_number": "2800000001", "account_type": "Personal",
        "number": "2500000025", "phone_country_code": "90", "phone_number": "5321234567", "email": "ayse@example.com",
        "total_balance": Decimal("899.47"), "monthly_incoming_total": 7, "monthly_outgoing_total": "8.00",
        "payment_balance": {"available": 899, "unavailable": 0}, "cash_balance": {"available": 899, "unavailable": 0},
        "transaction_limits": {"max_balance": 899}, "currency_code": "TRY", "user_kyc_info": "Ayşe Yılmaz, 10000000146",
        "tax_number": "10000000146", "access_level_status": "Aktif",
    }  # fmt: skip
    result = BillPaymentResult.model_validate({"sender_wallet_info": owner}).public()
    info = result["sender_wallet_info"]
    assert {name: value for name, value in info.items() if value is not None} == {
        "id": "45X9XX21", "name": "A** Y**", "account_number": "******0001", "account_type": "Personal",
        "number": "******0025", "phone_country_code": "90", "phone_number": "***67", "email": "a***@example.com",
        "currency_code": "TRY", "tax_number": "*********46", "access_level_status": "Aktif",
    }  # fmt: skip
    # The page's names are all there, and what was masked once is not masked again.
    assert owner.keys() <= info.keys()
    assert BillPaymentResult.model_validate(result).public() == result


def test_a_result_holds_no_more_of_the_card_s_holder_than_a_replay_needs() -> None:
    holder = {"user_id": "ayse@example.com", "email": "ayse@example.com", "phone": "905321234567",
              "card_holder": "Ayşe Yılmaz"}  # fmt: skip
    result = CaptureResult.model_validate(holder).public()
    assert {name: result[name] for name in holder} == {
        "user_id": "a***@example.com", "email": "a***@example.com", "phone": "***67", "card_holder": "A** Y**",
    }  # fmt: skip
    assert CaptureResult.model_validate(result, by_name=True).public() == result
    assert CaptureResult.model_validate({"user_id": "cardholder"}).user_id == "cardholder"


def test_a_number_in_a_receipt_is_masked() -> None:
    assert (
        BillPaymentResult.model_validate({"receipt_output_print": "TCKN 10000000146"}).receipt_output_print
        == "TCKN ***"
    )


@pytest.mark.parametrize(("length", "fits"), [(0, False), (1, True), (20, True), (21, False)])
def test_merchant_oid_is_string_20(length: int, fits: bool) -> None:
    fields = {**HASO_REQUEST, "merchant_oid": "O" * length}
    if fits:
        ExpensesRequest.model_validate(fields)
        return
    with pytest.raises(ValidationError):
        ExpensesRequest.model_validate(fields)


@pytest.mark.parametrize("value", ["true", 1, None])
def test_allow_lower_is_a_boolean(value: Any) -> None:
    assert ExpensesRequest.model_validate(HASO_REQUEST).allow_lower is False
    with pytest.raises(ValidationError):
        ExpensesRequest.model_validate({**HASO_REQUEST, "allow_lower": value})


def test_the_plans_mixed_capitals_are_read_and_our_names_are_answered() -> None:
    row = {"InstallmentNo": 3, "installmentPayment": 10.5, "termDate": "2026-12-01", "totalExpenseAmount": "330.00"}
    assert ExpensesResult.model_validate({"payment_plan": [row]}).public() == {
        "payment_plan": [
            {
                "installment_no": 3,
                "installment_payment": "10.5",
                "term_date": "2026-12-01",
                "total_expense_amount": "330.00",
            }
        ]
    }


@pytest.mark.parametrize("name", ["xact_id", "xact", "reference_no"])
def test_one_reference_is_enough(name: str) -> None:
    assert getattr(CaptureRequest.model_validate({name: "x"}), name) == "x"


@pytest.mark.parametrize("fields", [{}, {"amount": "1.00"}, {"xact_id": None, "xact": None, "reference_no": None}])
def test_at_least_one_reference_is_needed(fields: dict[str, Any]) -> None:
    with pytest.raises(ValidationError, match="at least one of xact_id, xact and reference_no"):
        CaptureRequest.model_validate(fields)


@pytest.mark.parametrize("name", ["xact_id", "xact", "reference_no"])
def test_a_reference_is_not_empty(name: str) -> None:
    with pytest.raises(ValidationError, match="at least 1 character"):
        CaptureRequest.model_validate({"xact_id": "x", "xact": "y", name: ""})


def test_no_amount_is_the_whole_pre_authorisation() -> None:
    assert CaptureRequest.model_validate({"xact_id": "x"}).amount is None
    assert CaptureRequest.model_validate({"xact_id": "x", "amount": None}).amount is None


def test_a_whole_card_number_in_an_answer_is_masked() -> None:
    number = "435508000000435" + luhn.calc_check_digit("435508000000435")
    assert CaptureResult.model_validate({"card_no_masked": number}).card_no_masked == f"435508******{number[-4:]}"


@pytest.mark.parametrize("name", ["message", "bank_error_message", "bank_error_long_desc", "paynet_error_message"])
def test_a_number_in_an_answers_text_is_masked(name: str) -> None:
    result = CaptureResult.model_validate({name: "kart 4111111111111111"}).public()
    assert result[name] == "kart ***"


@pytest.mark.parametrize(("sent", "read"), [(0, "0"), ("0", "0"), (100, "100")])
def test_codes_may_be_numbers_or_text(sent: Any, read: str) -> None:
    assert CaptureResult.model_validate({"code": sent, "transaction_type": sent}).code == read
