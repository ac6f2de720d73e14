"""What passes through untyped: nothing that names a card, an account's IBAN or a person; everything else unharmed."""

import json
from decimal import Decimal
from typing import Any

import pytest
from vezne.models.haso_inquiries import PaymentPlanResult
from vezne.models.paynet_inquiries import Transaction
from vezne.models.raw import masked
from vezne.models.vakifbank_inquiries import QueriedPayment

IBAN, CARD, TCKN, VKN = "TR330006100519786457841326", "4355084355084358", "10000000146", "1234567904"


@pytest.mark.parametrize("number", [IBAN, CARD, TCKN, VKN, "TR33 0006 1005 1978 6457 8413 26", "4355-0843-5508-4358"])
@pytest.mark.parametrize("place", ["{}", "Ödeme {} için", "{}.", "({})", "{} 12", "12 {} 2026-01-01"])
def test_a_checked_number_is_masked_wherever_it_stands(number: str, place: str) -> None:
    seen = masked({"note": [place.format(number)]})
    assert number not in json.dumps(seen)
    assert seen["note"][0].endswith(place.format(number)[-1])
    assert number[-3:] in seen["note"][0]


def test_a_card_number_is_masked_as_a_number_and_as_a_name() -> None:
    assert masked({"x": int(CARD)}) == {"x": "*" * 12 + "4358"}
    assert CARD not in str(masked({CARD: 1}))


@pytest.mark.parametrize(
    "name", ["ReceiverIban", "SenderAccountNo", "card_no", "ReceiverIdentityNo", "tckn", "ReceiverTaxNo"]
)
def test_a_number_under_a_telling_name_is_masked_whatever_it_is(name: str) -> None:
    assert "12345678" not in str(masked({name: "123456789012"}))


@pytest.mark.parametrize(
    "value",
    [
        "2022-12-28T00:00:00",
        "2024-01-15 14:30:00",
        "7e591df3-2f3c-4971-9682-9e4455b35b2f",
        "xk_EAAAANFhOW7SioFxO8LHPMruxp0hX3wE8NmJSmGUD*W3uISj",
        "2022-01-18T07:48:51.7092961+00:00",
        "Tahsilat açıklaması op_3t5xh6qhhokxwvrujsd2uzldpf",
        7425301,
        True,
        None,
    ],
)
def test_what_names_nobody_stays_as_it_is(value: Any) -> None:
    assert masked({"any": value}) == {"any": value}


def test_amounts_keep_their_digits() -> None:
    assert masked({"amount": Decimal("196.5000")}) == {"amount": "196.5000"}


def test_the_caller_s_own_code_is_not_masked_for_the_bank_s_name_of_it() -> None:
    assert masked({"InstitutionTaxNo": "code-20260001"}) == {"InstitutionTaxNo": "code-20260001"}


def test_a_row_is_typed_where_the_page_is_public_and_raw_where_not() -> None:
    row = QueriedPayment.model_validate(
        {
            "InstitutionCode": "0006624",
            "TransactionType": 3,
            "Amount": Decimal("200.0"),
            "CurrencyType": "TL",
            "ReceivertAccountIbanNo": CARD,
            "Result": True,
            "ReceiverIdentityNo": TCKN,
            "ErrorCode": 1,
        }
    ).public()
    assert (row["transaction_type"], row["amount"], row["currency"]) == ("credit_card", "200.0", "TRY")
    assert row["receiver_account"] == "*" * 12 + "4358"
    assert row["raw"] == {"Result": True, "ReceiverIdentityNo": "*******0146", "ErrorCode": 1}


def test_the_provider_s_misspelling_stays_on_its_wire() -> None:
    row = Transaction.model_validate(
        {"comission": Decimal("2.37"), "agent_reference": "R-1", "reversed": False}
    ).public()
    assert (row["commission"], row["reference_no"], row["raw"]) == ("2.37", "R-1", {"reversed": False})


@pytest.mark.parametrize("data", [None, {}, {"Plan": [1]}, [1], {"PaymentPlan": "none"}])
def test_a_plan_in_another_form_is_passed_through_whole(data: Any) -> None:
    assert PaymentPlanResult.of(data).public() == {"payment_plan": None, "raw": {"Data": data}}


def test_a_plan_of_one_instalment_without_a_list() -> None:
    plan = PaymentPlanResult.of({"PaymentPlan": {"InstallmentNo": 1, "state": "0"}, "Message": "RS100"}).public()
    assert plan["payment_plan"][0]["installment_no"] == 1
    assert plan["payment_plan"][0]["raw"] == {"state": "0"}
    assert plan["raw"] == {"Message": "RS100"}
