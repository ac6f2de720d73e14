"""The fingerprint tells one request from another. Were it to change with a release, a repeat would be refused."""

import pytest
from vezne.providers.models import RequestModel

from tests.support.example import Example
from tests.support.operations.haso_set_expenses import EXAMPLE as HASO
from tests.support.operations.kolaybi_collect import EXAMPLE as KOLAYBI
from tests.support.operations.paynet_capture import EXAMPLE as PAYNET
from tests.support.operations.vakifbank_pay import EXAMPLE as VAKIFBANK
from tests.support.operations.walletgate_pay_bill import EXAMPLE as WALLETGATE
from tests.support.reader import Reader

# A request's fingerprint, and the one in the form of earlier versions. They must never change.
GOLDEN = [
    (
        KOLAYBI,
        "7e72d7ebf3e6483af658bc53399cad601b8f31e2e9026de49df32b748d2aa9ad",
        "7e72d7ebf3e6483af658bc53399cad601b8f31e2e9026de49df32b748d2aa9ad",
    ),
    (
        VAKIFBANK,
        "c00839625a5a13882fd2f6630ac7e45317e1916a5b628ee2da96ed8ea17a9228",
        "fe8eaa0b119498601717f16e87b9dd213abad415651268f35e1a1877685d188f",
    ),
    (
        WALLETGATE,
        "7a221c504e818495279a6f024e1a710aaa8d7c6235b1faa1c6f0d6edd1f2fcb8",
        "7a221c504e818495279a6f024e1a710aaa8d7c6235b1faa1c6f0d6edd1f2fcb8",
    ),
    (
        HASO,
        "88524963a523e40f110e204d26c5312b2bea42ed6eaaf853488df652a45c75dc",
        "4eb0439ca0fac39ac9f698fe0b579f83562c2e976eb756c5b56fdcaa98c2ffb8",
    ),
    (
        PAYNET,
        "0696731b230a3cb022f4589284edc6d7eded2f0470c48cd2222b9693b69c4b7e",
        "0696731b230a3cb022f4589284edc6d7eded2f0470c48cd2222b9693b69c4b7e",
    ),
]


@pytest.mark.parametrize(("example", "sent", "earlier"), GOLDEN, ids=str)
def test_fingerprints_stay_as_they_are(example: Example, sent: str, earlier: str) -> None:
    """Those of the examples. Who changes an example takes its new fingerprint from a version that is deployed."""
    known = Reader(example).order
    assert (known.fingerprint, known.earlier_fingerprint) == (sent, earlier)


def test_a_new_optional_field_changes_no_fingerprint() -> None:
    class Before(RequestModel):
        amount: str

    class After(Before):
        note: str = "none"
        copies: int | None = 1

    assert Before(amount="1").identity() == After(amount="1").identity() == After(amount="1", copies=1).identity()
    assert After(amount="1", copies=2).identity() != Before(amount="1").identity()


def test_zero_and_false_are_not_absent() -> None:
    payment, expenses = Reader(VAKIFBANK).order.request, Reader(HASO, counter_party_attorney_fee="0").order.request
    assert {"credit_use", "tax_identity_check"} <= payment.identity().keys()
    assert "counter_party_attorney_fee" in expenses.identity()


def test_only_the_end_of_a_card_number_is_in_the_fingerprint() -> None:
    first, second = (
        Reader(VAKIFBANK, transaction_type="credit_card", receiver_account=card).order
        for card in ("4111111111111111", "5555555555554444")
    )
    assert "4111111111111111" not in str(first.request.identity())
    assert first.request.identity()["receiver_account"] == "1111"
    assert first.fingerprint != second.fingerprint
