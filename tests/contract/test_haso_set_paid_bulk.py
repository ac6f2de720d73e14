"""HASO 5.20 (POST {SERVIS_URL}/RequestV2/SetBulkPaidPayment) against its page, and its guards beside those of 5.6.

Page: https://restdocs.haso.com.tr/5.-servis-metodlari/5.20-toplu-olarak-odendi-bilgisinin-gonderilmesi, read on
2026-11-28. It has a table, and no sample. What an answer proves is tested with 5.6.
"""

import pytest
from vezne.providers.haso.models import MOST_CODES

from tests.support.harness import Harness
from tests.support.operations import haso_set_paid
from tests.support.operations.haso_set_paid import REFUSAL, customer, haso_paid, paid_row, payment, payments_answer
from tests.support.operations.haso_set_paid_bulk import EXAMPLE
from tests.support.provider_server import Reply, json_reply
from tests.support.reader import Reader
from tests.support.wire import answered, findings, literals, looked_up, the_call, unknown_order

SINGLE = haso_set_paid.EXAMPLE
CODES = ["C1204-1", "C1204-2", "C1204-3"]
BODY = {**EXAMPLE.body, "payment_codes": CODES}
# The codes are not signed: printf 'sandbox-merchant-idORDER-0001POS-7782026-11-30203.0.113.7sandbox-merchant-salt' |
#   openssl dgst -sha256 -hmac sandbox-merchant-key -binary | openssl base64
REQUEST = """{
  "merchantId": "sandbox-merchant-id",
  "merchantOid": "ORDER-0001",
  "paymentReferenceCode": "POS-778",
  "paymentDate": "2026-11-30",
  "paymentCodes": ["C1204-1", "C1204-2", "C1204-3"],
  "ipAddress": "203.0.113.7",
  "requestToken": "AMsbTZdE7sY0hRJvs9wiCC/eWW2MKLVuOZ/ynU2kVIk="
}"""
READER = Reader(EXAMPLE, payment_codes=CODES)
NONE = payments_answer()


def test_the_order_as_it_is_sent(harness: Harness) -> None:
    assert answered(harness, EXAMPLE, haso_paid(), body=BODY).status == 200
    call = the_call(harness, EXAMPLE)
    assert (call.method, call.path) == ("POST", "/servis/RequestV2/SetBulkPaidPayment")
    assert literals(call.body) == literals(REQUEST)


@pytest.mark.parametrize(
    ("codes", "reason"),
    [
        ([], "must have at least 1 items"),
        (["C1204-1", "C1204-2", "C1204-1"], "must name each payment once"),
        ([f"C-{number}" for number in range(MOST_CODES + 1)], f"must have at most {MOST_CODES} items"),
    ],
)
def test_a_list_that_is_not_sent(harness: Harness, codes: list[str], reason: str) -> None:
    response = answered(harness, EXAMPLE, haso_paid(), body={**BODY, "payment_codes": codes})
    assert (response.status, response.body["money"]) == (400, "not_moved")
    assert response.body["errors"] == [{"place": "body.payment_codes", "reason": reason}]


def test_as_many_as_are_allowed_are_claimed_at_once(harness: Harness) -> None:
    codes = [f"C-{number}" for number in range(MOST_CODES)]
    assert answered(harness, EXAMPLE, haso_paid(), body={**BODY, "payment_codes": codes}).status == 200
    assert len(harness.guards()) == MOST_CODES
    assert all(guard["paid"] for guard in harness.guards())


def test_a_refusal_of_several_payments_is_not_believed(harness: Harness) -> None:
    """Some of them may be marked. Later each of them is in the list of those that are not paid."""
    assert READER.verdict(json_reply(REFUSAL)) == "Unknown"
    assert Reader(EXAMPLE).verdict(json_reply(REFUSAL)) == "Declined"
    response = answered(harness, EXAMPLE, json_reply(REFUSAL), body=BODY)
    assert (response.status, response.body["money"]) == (202, "unknown")
    not_paid = customer(*(payment(code, 0) for code in CODES))
    looked_up(harness, EXAMPLE, not_paid, body=BODY)
    harness.clock.advance(600)
    assert looked_up(harness, EXAMPLE, not_paid, body=BODY).slug == "not-executed"
    assert findings(harness, response.body["operation_id"]) == ["not_found", "not_found"]


# ---------------------------------------------------------- beside orders of one payment


def test_a_payment_goes_once_alone_or_with_others(harness: Harness) -> None:
    assert answered(harness, SINGLE, haso_paid()).status == 200
    bulk = answered(harness, EXAMPLE, haso_paid(), body=BODY, key="bulk")
    assert (bulk.status, bulk.slug, bulk.body["retry"]) == (409, "held-by-another-operation", "never")
    assert not harness.server.to(EXAMPLE.route)
    # Nothing is held of a bulk order that was not sent.
    others = {**BODY, "payment_codes": ["C1204-1", "C1204-3"]}
    assert answered(harness, EXAMPLE, haso_paid(), body=others, key="others").status == 200


def test_a_payment_of_a_bulk_order_does_not_go_alone(harness: Harness) -> None:
    assert answered(harness, EXAMPLE, haso_paid(), body=BODY).status == 200
    alone = answered(harness, SINGLE, haso_paid(), key="alone")
    assert (alone.status, alone.body["retry"], alone.body["money"]) == (409, "never", "not_moved")
    assert not harness.server.to(SINGLE.route)


@pytest.mark.parametrize("first", ["alone", "bulk"])
def test_neither_goes_while_the_outcome_of_the_other_is_unknown(harness: Harness, first: str) -> None:
    orders = [(SINGLE, SINGLE.body), (EXAMPLE, BODY)]
    (one, its), (other, others) = orders if first == "alone" else orders[::-1]
    unknown_order(harness, one, body=its)
    response = answered(harness, other, haso_paid(), body=others, key="another")
    assert (response.status, response.body["retry"], response.body["money"]) == (409, "same_key", "not_moved")
    assert not harness.server.to(other.route)


# -------------------------------------------------------------------- look-up

PAID = [paid_row(code) for code in CODES]


@pytest.mark.parametrize(
    ("not_paid", "paid", "proves"),
    [
        (NONE, payments_answer(*PAID), "Found"),
        (payments_answer(*(payment(code, 0) for code in CODES)), NONE, "NotFound"),
        (payments_answer(payment(CODES[0], 0)), payments_answer(*PAID[1:]), "Inconclusive"),
        (NONE, payments_answer(*PAID[1:]), "Inconclusive"),
        (payments_answer(*(payment(code, 3) for code in CODES[1:])), NONE, "Inconclusive"),
        (NONE, payments_answer(*PAID[1:], paid_row(CODES[0], paymentReferenceCode="POS-777")), "Inconclusive"),
    ],
)
def test_all_of_them_are_found_or_none(not_paid: Reply, paid: Reply, proves: str) -> None:
    assert READER.finding(not_paid, paid) == proves
