"""HASO 5.6 (POST {SERVIS_URL}/RequestV2/SetPaidPayment) and its look-up by 5.10, against their pages.

Pages, read on 2026-11-28: https://restdocs.haso.com.tr/5.-servis-metodlari/5.6-odendi-bilgisinin-gonderilmesi and
https://storedocs.haso.com.tr/5.-servis-metodlari/5.10-musteri-odemelerini-getir. They have tables, and no sample.
"""

from typing import Any

import pytest
from vezne.orders.outcome import Found, Succeeded

from tests.support.harness import Harness
from tests.support.operations.haso_set_paid import (
    EXAMPLE,
    FUNDS,
    REFUSAL,
    customer,
    haso_paid,
    paid_row,
    payment,
    payments_answer,
)
from tests.support.provider_server import Reply, json_reply
from tests.support.reader import Reader
from tests.support.wire import answered, findings, header, literals, looked_up, the_call, unknown_order

# printf 'sandbox-merchant-idORDER-0001C1204-2POS-7782026-11-30203.0.113.7sandbox-merchant-salt' |
#   openssl dgst -sha256 -hmac sandbox-merchant-key -binary | openssl base64
REQUEST = """{
  "merchantId": "sandbox-merchant-id",
  "merchantOid": "ORDER-0001",
  "paymentCode": "C1204-2",
  "paymentReferenceCode": "POS-778",
  "paymentDate": "2026-11-30",
  "ipAddress": "203.0.113.7",
  "requestToken": "u1J7aN7RrDPpHGlND3JAsGPHr+ElmN10JiaMbOPTKvY="
}"""
# The same without POS-778, and of 5.10: printf 'sandbox-merchant-idC1204sandbox-merchant-salt' | openssl ... as above
WITHOUT_REFERENCE = "jMrw7VvzfmIfMmRGJQ5lumw41g/yl0W9yKEPsfWtgUk="
LIST_TOKEN = "t/fMykAH5ONxCtPazmRsYBJV8OBjtPnddxv3LFVqVi8="
READER = Reader(EXAMPLE)
NO_REFERENCE = {name: value for name, value in EXAMPLE.body.items() if name != "payment_reference_code"}
NONE, NOT_PAID = payments_answer(), payments_answer(payment("C1204-2", 0))


def answer(http: int = 200, **changes: Any) -> Reply:
    return json_reply({"Success": True, "Errors": [], "Data": FUNDS, **changes}, http)


def refusal(http: int = 200, **changes: Any) -> Reply:
    return json_reply({**REFUSAL, **changes}, http)


def test_the_order_as_it_is_sent(harness: Harness) -> None:
    answered(harness, EXAMPLE, haso_paid())
    call = the_call(harness, EXAMPLE)
    assert (call.method, call.path) == ("POST", "/servis/RequestV2/SetPaidPayment")
    assert header(call, "Content-Type") == "application/json"
    assert literals(call.body) == literals(REQUEST)


def test_a_reference_that_is_not_given_is_signed_as_an_empty_text(harness: Harness) -> None:
    assert answered(harness, EXAMPLE, haso_paid(), body=NO_REFERENCE).status == 200
    sent = the_call(harness, EXAMPLE).json()
    assert sent["requestToken"] == WITHOUT_REFERENCE
    assert "paymentReferenceCode" not in sent


@pytest.mark.parametrize(
    "fields",
    [
        {"payment_date": "2026-02-30"},
        {"payment_date": "30.11.2026"},
        {"payment_date": "2026-11-30T00:00:00"},
        {"payment_reference_code": "POS 778"},
        {"payment_reference_code": ""},
        {"customer_id": "12345678901"},
        {"customer_id": "1.1.1.1"},
        {"merchant_oid": "x" * 21},
    ],
    ids=str,
)
def test_what_cannot_be_signed_is_refused(harness: Harness, fields: dict[str, str]) -> None:
    response = answered(harness, EXAMPLE, haso_paid(), body={**EXAMPLE.body, **fields})
    assert (response.status, response.body["money"]) == (400, "not_moved")
    assert "2026-02-30" not in str(response.body)
    assert not harness.server.calls


def test_the_answer_is_read(harness: Harness, caplog: pytest.LogCaptureFixture) -> None:
    """ "Data["paymentfunds"]: Dictionary". What is in it is not said, so each value becomes a text."""
    funds = {"C1204-2": 1000.5, "note": "TCKN 10000000146", "more": {"left": 1}}
    response = answered(harness, EXAMPLE, haso_paid(paymentfunds=funds))
    assert response.status == 200
    texts = {"C1204-2": "1000.5", "note": "TCKN ***", "more": "{'left': 1}"}
    assert response.body["result"] == {"message": "RS100", "payment_funds": texts}
    # It names no amount, and that is no fault.
    assert "amount" not in caplog.text


@pytest.mark.parametrize(
    ("reply", "proves"),
    [
        # "RS100 kodu ile işlemin başarılı olduğunu belirtir" (the code RS100 tells a success).
        (answer(), "Succeeded"),
        (answer(Errors=None), "Succeeded"),
        (answer(Data={"Message": "RS100"}), "Succeeded"),
        (answer(Data={"Message": "RS100", "paymentfunds": ["x"]}), "Succeeded"),
        (answer(Data={**FUNDS, "Message": "RS101"}), "Unknown"),
        (answer(Data={**FUNDS, "Message": "rs100"}), "Unknown"),
        (answer(Data={**FUNDS, "Message": "RS100 "}), "Unknown"),
        (answer(Data={**FUNDS, "Message": ["RS100"]}), "Unknown"),
        (answer(Data={"paymentfunds": {}}), "Unknown"),
        (answer(Data={**FUNDS, "Status": "İptal Edildi"}), "Unknown"),
        (answer(Data=None), "Unknown"),
        (answer(Data="RS100"), "Unknown"),
        (answer(Errors=["H101"]), "Unknown"),
        (answer(Success="true"), "Unknown"),
        (answer(Success=1), "Unknown"),
        (answer(http=201), "Unknown"),
        # "False dönerse Errors parametresi doludur" (if it is false, Errors is filled).
        (refusal(), "Declined"),
        (refusal(http=400), "Declined"),
        (refusal(Errors=[]), "Unknown"),
        (refusal(Errors=["H110 Taksit daha önce ödendi"]), "Unknown"),
        (refusal(Data=FUNDS), "Unknown"),
        (refusal(Errors=["RS100"]), "Unknown"),
        (refusal(http=429), "Unknown"),
    ],
)
def test_what_each_answer_proves(reply: Reply, proves: str) -> None:
    assert READER.verdict(reply) == proves


def test_an_instalment_is_marked_once_under_any_key(harness: Harness) -> None:
    assert answered(harness, EXAMPLE, haso_paid()).status == 200
    other = answered(harness, EXAMPLE, haso_paid(), key="another", body={**EXAMPLE.body, "payment_date": "2026-11-29"})
    assert (other.status, other.body["money"]) == (409, "not_moved")
    assert len(harness.server.to(EXAMPLE.route)) == 1


def test_nothing_is_sent_while_the_outcome_of_another_order_is_unknown(harness: Harness) -> None:
    unknown_order(harness, EXAMPLE)
    other = answered(harness, EXAMPLE, haso_paid(), key="another")
    assert (other.status, other.slug, other.body["money"]) == (409, "held-by-another-operation", "not_moved")
    assert not harness.server.to(EXAMPLE.route)


# -------------------------------------------------------------------- look-up


def test_the_look_up_asks_for_those_that_are_not_paid_and_for_those_that_are(harness: Harness) -> None:
    operation_id = unknown_order(harness, EXAMPLE)
    assert looked_up(harness, EXAMPLE, customer(paid_row(), payment("C1204-1", 0))).status == 200
    assert findings(harness, operation_id) == ["found"]
    calls = harness.server.to(EXAMPLE.look_up_route)
    assert [call.json().pop("paymentStatuses") for call in calls] == [[0, 3], [1]]
    first = calls[0].json()
    assert first == {
        "merchantId": "sandbox-merchant-id",
        "customerId": "C1204",
        "paymentStatuses": [0, 3],
        "pageNo": 1,
        "pageSize": 50,
        "requestToken": LIST_TOKEN,
    }


def test_an_instalment_that_is_not_paid_was_not_marked(harness: Harness) -> None:
    unknown_order(harness, EXAMPLE)
    assert looked_up(harness, EXAMPLE, customer(payment("C1204-2", 3))).body["status"] == "unknown"
    harness.clock.advance(600)
    response = looked_up(harness, EXAMPLE, customer(payment("C1204-2", 3)))
    assert (response.slug, response.body["money"]) == ("not-executed", "not_moved")
    assert answered(harness, EXAMPLE, haso_paid(), key="another").status == 200


def test_the_row_that_shows_our_reference_is_proof() -> None:
    found = READER.look_up(NONE, payments_answer(paid_row()))
    assert isinstance(found, Found)
    assert isinstance(found.outcome, Succeeded)
    assert READER.finding(NOT_PAID, NONE) == "NotFound"


@pytest.mark.parametrize("fields", [{"PaymentCode": "C1204-2"}, {"PaymentStatus": "1"}], ids=str)
def test_names_may_have_a_capital_letter(fields: dict[str, Any]) -> None:
    row = {name: value for name, value in paid_row().items() if name.lower() not in {one.lower() for one in fields}}
    assert READER.finding(NONE, payments_answer({**row, **fields})) == "Found"


@pytest.mark.parametrize(
    "changes",
    [
        # Somebody else may have marked it: what was so before proves nothing.
        {"paymentReferenceCode": None},
        {"paymentReferenceCode": "POS-77"},
        {"paymentReferenceCode": "pos-778"},
        {"paymentDate": "2026-11-29"},
        {"merchantOid": "ORDER-0002"},
        {"paymentStatus": 0},
        {"paymentStatus": 2},
        {"paymentStatus": True},
        {"durum": "İptal Edildi"},
        {"paymentCode": None},
        {"paymentCode": "c1204-2"},
        {"paymentCode": "C1204-3", "code": "C1204-2"},
    ],
    ids=str,
)
def test_a_paid_row_that_does_not_fit_proves_nothing(changes: dict[str, Any]) -> None:
    assert READER.finding(NONE, payments_answer({**paid_row(), **changes})) == "Inconclusive"


def test_without_a_reference_a_paid_row_proves_nothing() -> None:
    anonymous = Reader(EXAMPLE, payment_reference_code=None)
    assert anonymous.finding(NONE, payments_answer(paid_row())) == "Inconclusive"
    assert anonymous.finding(NOT_PAID, NONE) == "NotFound"


FULL_PAGE = payments_answer(*(payment(f"C1204-{number}", 0) for number in range(100, 150)))


@pytest.mark.parametrize(
    ("not_paid", "paid"),
    [
        (NONE, NONE),
        (NONE, payments_answer(paid_row("C1204-1"))),
        # The filter does not work.
        (payments_answer(paid_row()), payments_answer(paid_row())),
        (NOT_PAID, NOT_PAID),
        (payments_answer(payment("C1204-2", 0), payment("C1204-2", 0)), NONE),
        (payments_answer(payment("C1204-2", 1)), NONE),
        (payments_answer(payment("C1204-2", 0, merchantOid="ORDER-0002")), NONE),
        # A row that may be ours, beside ours.
        (NOT_PAID, payments_answer(payment("c1204-2", 1))),
        (NOT_PAID, payments_answer({"amount": "1000.00"})),
        (NOT_PAID, payments_answer("C1204-2")),
        (NOT_PAID, refusal()),
        (NOT_PAID, json_reply({"Success": True, "Errors": ["H101"], "Data": {"Payments": []}})),
        (NOT_PAID, json_reply({"Success": True, "Data": {}})),
        (NOT_PAID, json_reply({"Success": True, "Data": {"Payments": [], "Others": []}})),
        (NOT_PAID, json_reply({"Success": True, "Data": {"Payments": [], "TotalCount": 1}})),
        (NOT_PAID, FULL_PAGE),
    ],
)
def test_lists_that_prove_nothing(not_paid: Reply, paid: Reply) -> None:
    assert READER.finding(not_paid, paid) == "Inconclusive"


def test_a_full_page_is_followed_by_the_next() -> None:
    assert READER.finding(FULL_PAGE, NOT_PAID, NONE) == "NotFound"
    assert READER.finding(FULL_PAGE, FULL_PAGE, NONE, payments_answer(paid_row())) == "Found"
