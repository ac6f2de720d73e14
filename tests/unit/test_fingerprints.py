"""The fingerprint tells one request from another. Were it to change with a release, a repeat would be refused."""

from dataclasses import dataclass
from typing import Any

import pytest
from vezne.operation import Order
from vezne.providers.models import RequestModel
from vezne.providers.vakifbank.models import PaymentRequest

from tests.support.harness import operation_of


@dataclass(frozen=True)
class Golden:
    """A request, its fingerprint, and the one in the form of earlier versions. It must never change."""

    function: str
    sent: str
    earlier: str
    request: dict[str, Any]


COLLECTION = Golden(
    "kolaybi_collect",
    "7e72d7ebf3e6483af658bc53399cad601b8f31e2e9026de49df32b748d2aa9ad",
    "7e72d7ebf3e6483af658bc53399cad601b8f31e2e9026de49df32b748d2aa9ad",
    {"amount": "250.75", "currency": "TRY", "gateway_id": 1, "description": "Aylık ödeme", "associate_id": 123},
)
PAYMENT = Golden(
    "vakifbank_pay",
    "c00839625a5a13882fd2f6630ac7e45317e1916a5b628ee2da96ed8ea17a9228",
    "fe8eaa0b119498601717f16e87b9dd213abad415651268f35e1a1877685d188f",
    {
        "transaction_type": "account",
        "amount": "200.00",
        "currency": "TRY",
        "sender_account_no": "0",
        "payment_date": "2026-12-28",
        "tax_identity_check": True,
        "credit_use": False,
        "receiver_account": "TR330006100519786457841326",
        "receiver_name": "Oktay",
    },
)
BILL = Golden(
    "walletgate_pay_bill",
    "7a221c504e818495279a6f024e1a710aaa8d7c6235b1faa1c6f0d6edd1f2fcb8",
    "7a221c504e818495279a6f024e1a710aaa8d7c6235b1faa1c6f0d6edd1f2fcb8",
    {
        "account_type": "personal",
        "account_number": "28XX01",
        "wallet_number": "25XX25",
        "inv_payment_transaction_query_oid": "90XX46-FXX5-4XX3-8DXX-B1XX97",
        "invoice_amount": "196.50",
        "payment_amount": "196.50",
        "product_oid": "8064fb0c-c556-4104-8fe4-9779c6dc3721",
        "subscriber_no": "5536557580",
        "bill_term": "03/2023",
        "bill_no": "2023XXX887",
    },
)
EXPENSES = Golden(
    "haso_set_expenses",
    "88524963a523e40f110e204d26c5312b2bea42ed6eaaf853488df652a45c75dc",
    "4eb0439ca0fac39ac9f698fe0b579f83562c2e976eb756c5b56fdcaa98c2ffb8",
    {
        "merchant_oid": "ORDER-0001",
        "counter_party_attorney_fee": "100.00",
        "expense_amount": "230.00",
        "transaction_code": "TRX-2026-0001",
    },
)
CAPTURE = Golden(
    "paynet_capture",
    "0696731b230a3cb022f4589284edc6d7eded2f0470c48cd2222b9693b69c4b7e",
    "0696731b230a3cb022f4589284edc6d7eded2f0470c48cd2222b9693b69c4b7e",
    {"xact_id": "xk_EAAAANFhOW7SioFxO8LHPMruxp0hX3wE8NmJSmGUD*W3uISj", "amount": "49.90"},
)

GOLDEN = [each for each in list(globals().values()) if isinstance(each, Golden)]


def order(function: str, request: dict[str, Any]) -> Order[Any]:
    operation = operation_of(function)
    return operation.order("client-1", "key-1", operation.request_model.model_validate(request))


@pytest.mark.parametrize("golden", GOLDEN, ids=lambda golden: golden.function)
def test_fingerprints_stay_as_they_are(golden: Golden) -> None:
    known = order(golden.function, golden.request)
    assert (known.fingerprint, known.earlier_fingerprint) == (golden.sent, golden.earlier)


def test_a_new_optional_field_changes_no_fingerprint() -> None:
    class Before(RequestModel):
        amount: str

    class After(Before):
        note: str = "none"
        copies: int | None = 1

    assert Before(amount="1").identity() == After(amount="1").identity() == After(amount="1", copies=1).identity()
    assert After(amount="1", copies=2).identity() != Before(amount="1").identity()


def test_zero_and_false_are_not_absent() -> None:
    assert {"credit_use", "tax_identity_check"} <= PaymentRequest.model_validate(PAYMENT.request).identity().keys()
    assert {"counter_party_attorney_fee"} <= order(
        "haso_set_expenses", {**EXPENSES.request, "counter_party_attorney_fee": "0"}
    ).request.identity().keys()


def test_only_the_end_of_a_card_number_is_in_the_fingerprint() -> None:
    to_card = {**PAYMENT.request, "transaction_type": "credit_card", "receiver_account": "4111111111111111"}
    known = order("vakifbank_pay", to_card)
    assert "4111111111111111" not in str(known.request.identity())
    assert known.request.identity()["receiver_account"] == "1111"
    other = order("vakifbank_pay", {**to_card, "receiver_account": "5555555555554444"})
    assert other.fingerprint != known.fingerprint
