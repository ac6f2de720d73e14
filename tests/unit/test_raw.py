"""What passes through untyped: nothing that names a card, an account's IBAN or a person; everything else unharmed."""

import json
import unicodedata
from decimal import Decimal
from typing import Any

import pytest
from stdnum import iban
from vezne.platform.masking import mask_end
from vezne.providers.haso.inquiry_models import PaymentPlanResult
from vezne.providers.paynet.inquiry_models import CheckResult, Transaction
from vezne.providers.undocumented_fields import PUBLIC, masked
from vezne.providers.vakifbank.inquiry_models import QueriedPayment
from vezne.providers.walletgate.inquiry_models import BillsResult

IBAN, CARD, TCKN, VKN = "TR330006100519786457841326", "4355084355084358", "10000000146", "1234567904"


@pytest.mark.parametrize("number", [IBAN, CARD, TCKN, VKN, "TR33 0006 1005 1978 6457 8413 26", "4355-0843-5508-4358"])
@pytest.mark.parametrize("place", ["{}", "Ödeme {} için", "{}.", "({})", "{} 12", "12 {} 2026-01-01"])
def test_a_checked_number_is_masked_wherever_it_stands(number: str, place: str) -> None:
    seen = masked({"note": [place.format(number)]})
    assert number not in json.dumps(seen)
    assert seen["note"][0].endswith(place.format(number)[-1])
    assert number[-3:] in seen["note"][0]


@pytest.mark.parametrize(
    "number",
    [
        "TR33\u00a00006\u00a01005\u00a01978\u00a06457\u00a08413\u00a026", "TR33/0006/1005/1978/6457/8413/26",
        "TR33_0006_1005_1978_6457_8413_26", "ＴＲ３３０００６１００５１９７８６４５７８４１３２６",
        "4355\u00a00843\u00a05508\u00a04358", "4355/0843/5508/4358", "4355\u20110843\u20115508\u20114358",
        "４３５５０８４３５５０８４３５８",
    ],
)  # fmt: skip
def test_a_checked_number_is_masked_however_it_is_parted(number: str) -> None:
    seen = masked({"note": f"Ödeme {number} için"})["note"]
    assert seen.startswith("Ödeme ****")
    assert seen.endswith(f"{unicodedata.normalize('NFKC', number)[-2:]} için")


@pytest.mark.parametrize("near", ["TR00 ", "TR00", "TR33 0006 1005 ", "TR330006100519786457841327 ", "AA11-BB22/"])
def test_looking_for_an_iban_takes_work_in_proportion_to_the_text(monkeypatch: pytest.MonkeyPatch, near: str) -> None:
    """Almost every place looks like the beginning of one: few of them may come to the costly check."""
    checks: list[int] = []
    check = iban.is_valid
    monkeypatch.setattr(iban, "is_valid", lambda text: checks.append(len(text)) or check(text))
    text = near * (40_000 // len(near))
    assert masked({"note": text}) == {"note": text}
    assert len(checks) < len(text) / 20
    assert max(checks, default=0) <= 34


def test_many_ibans_are_each_checked_once(monkeypatch: pytest.MonkeyPatch) -> None:
    checks: list[str] = []
    check = iban.is_valid
    monkeypatch.setattr(iban, "is_valid", lambda text: checks.append(text) or check(text))
    assert masked({"note": f"{IBAN} " * 500}) == {"note": f"{mask_end(IBAN)} " * 500}
    assert len(checks) <= 1000


def test_a_card_number_is_masked_as_a_number_and_as_a_name() -> None:
    assert masked({"x": int(CARD)}) == {"x": "*" * 12 + "4358"}
    assert CARD not in str(masked({CARD: 1}))


@pytest.mark.parametrize(
    "name", ["ReceiverIban", "SenderAccountNo", "card_no", "ReceiverIdentityNo", "tckn", "ReceiverTaxNo"]
)
def test_a_number_under_a_telling_name_is_masked_whatever_it_is(name: str) -> None:
    assert "12345678" not in str(masked({name: "123456789012"}))


@pytest.mark.parametrize("text", ["00158007", "1234-5678", "435508******4358", "No 12 34 56 78"])
def test_eight_digits_under_a_telling_name_are_masked(text: str) -> None:
    assert masked({"account": text, "cards": [text]}) == {"account": mask_end(text), "cards": [mask_end(text)]}


@pytest.mark.parametrize("name", ["account_id", "accountId", "SenderAccountID", "cardId", "tax_office_id"])
@pytest.mark.parametrize("value", [54321, "54321", 900000001, "7e591df3-2f3c-4971-9682-9e4455b35b2f"])
def test_an_id_that_the_inquiry_is_asked_for_is_shown(name: str, value: Any) -> None:
    assert masked({name: value}) == {name: value}


@pytest.mark.parametrize("name", ["account", "AccountNo", "bank_accounts", "card"])
@pytest.mark.parametrize("value", [7, 54321, "54321", "1234567", "Merkez 01"])
def test_a_short_number_is_shown(name: str, value: Any) -> None:
    assert masked({name: [value]}) == {name: [value]}


@pytest.mark.parametrize("number", [IBAN, CARD, TCKN, VKN, int(CARD), int(TCKN), int(VKN), Decimal(CARD + ".0")])
@pytest.mark.parametrize("name", ["account_id", "cardId", "tax_id", "id", "gateway_id"])
def test_a_checked_number_is_masked_although_its_name_calls_it_an_id(name: str, number: Any) -> None:
    assert str(number)[:6] not in str(masked({name: number}))


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
def test_a_number_that_names_no_person_is_not_masked(value: Any) -> None:
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


@pytest.mark.parametrize(
    "data", [None, {}, {"Plan": [1]}, [1], {"PaymentPlan": "none"}, {"PaymentPlan": [1]}, {"PaymentPlan": [{}, None]}]
)
def test_a_plan_in_another_form_is_passed_through_whole(data: Any) -> None:
    assert PaymentPlanResult.of(data).public() == {"payment_plan": None, "raw": {"Data": data}}


def test_a_plan_of_one_instalment_without_a_list() -> None:
    plan = PaymentPlanResult.of({"PaymentPlan": {"InstallmentNo": 1, "state": "0"}, "Message": "RS100"}).public()
    assert plan["payment_plan"][0]["installment_no"] == 1
    assert plan["payment_plan"][0]["raw"] == {"state": "0"}
    assert plan["raw"] == {"Message": "RS100"}


def test_an_odd_field_is_raw_and_hides_neither_the_others_nor_the_other_rows() -> None:
    rows = [
        {"xact_id": "x", "amount": "12,50", "is_succeed": "belki", "reversed": False, "currency": "TRY"},
        {"xact_id": "y", "amount": "12.50"},
    ]
    odd, even = CheckResult.model_validate({"transactions": rows}).public()["transactions"]
    assert (odd["xact_id"], odd["currency"], odd["amount"], odd["is_succeed"]) == ("x", "TRY", None, None)
    assert odd["raw"] == {"amount": "12,50", "is_succeed": "belki", "reversed": False}
    assert (even["amount"], even["raw"]) == ("12.50", {})


def test_an_odd_instalment_keeps_the_plan() -> None:
    rows = [{"InstallmentNo": "1/3", "totalExpenseAmount": "12,50"}, {"InstallmentNo": 2, "totalExpenseAmount": 12}]
    odd, even = PaymentPlanResult.of({"PaymentPlan": rows}).public()["payment_plan"]
    assert (odd["installment_no"], odd["total_expense_amount"], odd["raw"]) == (None, None, rows[0])
    assert (even["installment_no"], even["total_expense_amount"], even["raw"]) == (2, "12", {})


def test_an_odd_account_is_masked_under_raw_too() -> None:
    row = QueriedPayment.model_validate({"SenderAccountNo": ["00158007312345678", IBAN], "Amount": 1}).public()
    assert row["sender_account_no"] is None
    assert row["raw"] == {"SenderAccountNo": ["*" * 13 + "5678", "*" * 22 + "1326"]}


@pytest.mark.parametrize("amount", [Decimal("1E+1000"), float("nan"), "viel", [1]])
def test_what_is_no_amount_of_a_bill_is_raw(amount: Any) -> None:
    (bill,) = BillsResult.model_validate({"bills": [{"bill_no": "B-1", "invoice_amount": amount}]}).public()["bills"]
    assert (bill["bill_no"], bill["invoice_amount"]) == ("B-1", None)
    assert json.loads(json.dumps(bill, allow_nan=False))["raw"] == masked({"invoice_amount": amount})


def test_a_public_answer_is_read_back_as_it_is() -> None:
    row = Transaction.model_validate({"xact_id": "x", "amount": "12,50"}).public()
    assert Transaction.model_validate(row, context=PUBLIC).public() == row
