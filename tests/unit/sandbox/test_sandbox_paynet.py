from __future__ import annotations

import json
import re
from datetime import datetime, timedelta

import pytest

from tests.contract.test_paynet import PAGE_ANSWER
from tests.unit.sandbox.orders import PAYNET_ORDER, PAYNET_REFUND, WITHOUT

FIELDS = list(json.loads(PAGE_ANSWER))


def test_the_pages_example_is_answered_as_on_the_page(merchant, sandbox):
    answer = merchant.capture()
    body = answer.json()
    assert (answer.status_code, list(body)) == (200, FIELDS)
    assert (body["net_amount"], body["comission"], body["comission_tax"]) == (56.55, 2.37, 0.43)
    assert (body["is_succeed"], body["code"], body["transaction_type"], body["pos_type"]) == (True, 0, 4, 5)
    assert (body["amount"], body["currency"], body["message"]) == (59.35, "TRY", "Başarılı İşlem")
    assert body["xact_id"] != PAYNET_ORDER["xact_id"]
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{7}\+03:00", body["xact_date"])
    [booking] = sandbox.bookings("paynet")
    assert (booking["reference"], booking["amount"]) == (PAYNET_ORDER["xact_id"], "59.35")


@pytest.mark.parametrize(
    "changes",
    [
        {"amount": 5935},
        {"amount": "59.35"},
        {"amount": "0"},
        {"xact_id": WITHOUT},
        {"xact_id": ""},
        {"xact_id": 1},
        {"currency": "TRY"},
    ],
)
def test_types_and_rules(merchant, sandbox, changes):
    answer = merchant.capture(**changes)
    body = answer.json()
    assert (answer.status_code, list(body)) == (400, ["type", "message", "code", "result_code"])
    assert (body["type"], body["code"], body["result_code"]) == ("invalid_request_error", 400, 11)
    assert sandbox.bookings() == []


@pytest.mark.parametrize("key", ["wrong", "c2FuZGJveC1wYXluZXQtc2VjcmV0LWtleTo="])
def test_the_key_is_sent_raw(merchant, sandbox, key):
    answer = merchant.paynet("capture", PAYNET_ORDER, key)
    assert (answer.status_code, answer.json()["result_code"]) == (401, 7)
    assert sandbox.bookings() == []


@pytest.mark.parametrize("amount", [WITHOUT, ""])
def test_without_an_amount_the_whole_pre_authorisation_is_captured(merchant, sandbox, amount):
    sandbox.seed(paynet={"pre_authorisations": [{"reference_no": "order-1", "amount": "250.00"}]})
    assert merchant.capture(xact_id=WITHOUT, reference_no="order-1", amount=amount).json()["is_succeed"] is True
    assert [b["amount"] for b in sandbox.bookings()] == ["250.00"]
    assert sandbox.state()["paynet"]["pre_authorisations"][0]["remaining"] == "0.00"


def test_an_unknown_pre_authorisation_has_100000(merchant, sandbox):
    assert merchant.capture(amount=WITHOUT).json()["amount"] == 100000
    assert sandbox.booked() == 100000


def test_captures_up_to_the_amount_are_booked_and_more_is_refused(merchant, sandbox):
    sandbox.seed(paynet={"pre_authorisations": [{"xact_id": "xk_1", "amount": "100.00"}]})
    outcomes = [merchant.capture(xact_id="xk_1", amount="4000") for _ in range(3)]
    assert [answer.status_code for answer in outcomes] == [200, 200, 200]
    assert [answer.json()["is_succeed"] for answer in outcomes] == [True, True, False]
    assert outcomes[2].json()["paynet_error_message"]
    assert merchant.capture(xact_id="xk_1", amount=WITHOUT).json()["is_succeed"] is False
    assert sandbox.booked("paynet") == 80


def test_all_identifiers_lead_to_the_same_pre_authorisation(merchant, sandbox):
    names = {"xact_id": "xk_1", "xact": "77", "reference_no": "order-1"}
    sandbox.seed(paynet={"pre_authorisations": [{**names, "amount": "100.00"}]})
    for name, value in names.items():
        merchant.capture(**{"xact_id": WITHOUT, "amount": "1000", name: value})
    assert sandbox.state()["paynet"]["pre_authorisations"] == [{**names, "amount": "100.00", "remaining": "70.00"}]
    assert merchant.capture(xact_id="xk_other", reference_no="order-1").status_code == 400


def test_check_lists_the_pre_authorisation_and_each_capture(merchant):
    first = merchant.capture().json()
    second = merchant.capture().json()
    rows = merchant.check().json()["Data"]
    assert [row["transaction_type"] for row in rows] == [3, 4, 4]
    assert [row["xact_id"] for row in rows] == [PAYNET_ORDER["xact_id"], first["xact_id"], second["xact_id"]]
    assert [row["amount"] for row in rows] == [100000, 59.35, 59.35]
    assert len({row["agent_reference"] for row in rows}) == 1
    assert merchant.check(reference_no=rows[0]["agent_reference"]).json()["Data"] == rows
    assert merchant.check(xact_id=second["xact_id"]).json()["Data"] == rows


def test_detail_has_more_fields_and_accepts_xact(merchant):
    merchant.capture(xact_id=WITHOUT, xact="77")
    assert merchant.check(xact="77").status_code == 400
    rows = merchant.paynet("detail", {"xact": "77"}).json()["Data"]
    assert [(row["transaction_type"], row["reversed"]) for row in rows] == [(3, False), (4, False)]


@pytest.mark.parametrize("call", ["check", "detail"])
def test_new_ids_in_each_answer_and_letters_for_types(merchant, sandbox, call):
    captured = merchant.capture().json()
    names = {"xact_id": PAYNET_ORDER["xact_id"]}
    sandbox.rule(f"paynet.{call}", "new_ids")
    sandbox.rule(f"paynet.{call}", "letters", nth=2)
    anew, letters = (merchant.paynet(call, names).json()["Data"] for _ in range(2))
    assert anew[1]["xact_id"] not in ("", captured["xact_id"])
    assert anew[1]["order_id"] == captured["order_id"]
    assert [row["transaction_type"] for row in letters] == ["PR", "CR"]
    assert letters[1]["xact_id"] == captured["xact_id"]


def test_an_odd_refusal_has_a_code_that_no_page_lists(merchant, sandbox):
    sandbox.rule("paynet.capture", "odd_refusal")
    answer = merchant.capture()
    assert (answer.status_code, answer.json()["result_code"]) == (400, 9999)
    assert len(sandbox.bookings()) == 1


def test_a_clock_that_is_ahead(merchant, sandbox):
    merchant.capture()
    genuine = merchant.check().json()["Data"][1]["xact_date"]
    sandbox.rule("paynet.check", "clock_ahead", seconds=3600)
    later = merchant.check().json()["Data"][1]["xact_date"]
    assert datetime.fromisoformat(later) - datetime.fromisoformat(genuine) == timedelta(hours=1)


def asked_back(merchant, **changes):
    """Whether a request for a refund is taken."""
    answer = merchant.request_refund(**changes)
    taken = answer.json().get("object_name") == "transaction_reversed_request"
    assert taken or answer.json()["result_code"] == 11
    return taken


def test_a_refund_is_asked_for_up_to_the_amount(merchant, sandbox):
    parts = [asked_back(merchant, amount=amount) for amount in ("6000000", "6000000", "4000000", "1")]
    assert parts == [True, False, True, False]
    assert [b["amount"] for b in sandbox.bookings()] == ["60000.00", "40000.00"]


@pytest.mark.parametrize("amount", [WITHOUT, "", "0"])
def test_without_an_amount_what_is_left_is_asked_back(merchant, sandbox, amount):
    assert asked_back(merchant)
    assert asked_back(merchant, amount=amount)
    assert [b["amount"] for b in sandbox.bookings()] == ["59.35", "99940.65"]


def test_of_a_transaction_of_today_only_the_whole_is_asked_back(merchant, sandbox):
    captured = merchant.capture().json()["xact_id"]
    assert not asked_back(merchant, xact_id=captured, amount="100")
    assert asked_back(merchant, xact_id=captured, amount="5935")
    later = merchant.capture(xact_id="xk_2").json()["xact_id"]
    sandbox.advance_clock(24 * 3600)
    assert asked_back(merchant, xact_id=later, amount="100")


def test_only_a_sale_or_a_capture_that_stands_is_asked_back(merchant):
    captured = merchant.capture().json()["xact_id"]
    assert not asked_back(merchant, xact_id=PAYNET_ORDER["xact_id"])
    assert not asked_back(merchant, xact_id="xk_nobody")
    merchant.paynet("capture_reversal", {"xact_id": captured})
    assert not asked_back(merchant, xact_id=captured, amount="5935")


@pytest.mark.parametrize("approved", [True, False])
def test_the_staff_decides_the_open_requests(merchant, sandbox, approved):
    assert asked_back(merchant, amount=WITHOUT)
    sandbox.seed(paynet={"refund_decisions": [{"xact_id": PAYNET_REFUND["xact_id"], "approved": approved}]})
    [row] = merchant.list_reversals().json()["Data"]
    refunds = [r for r in merchant.check(xact_id="sale*1").json()["Data"] if r["transaction_type"] == 9]
    assert [r["xact_id"] for r in refunds] == ([row["reversed_xact_id"]] if approved else [])
    assert asked_back(merchant) is not approved


def test_the_list_of_requests_comes_page_by_page(merchant):
    for amount in ("100", "200", "300"):
        assert asked_back(merchant, amount=amount)
    pages = [merchant.list_reversals(limit=2, starting_after=start).json() for start in (0, 2)]
    assert [[row["amount"] for row in page["Data"]] for page in pages] == [[1, 2], [3]]
    assert [(page["has_more"], page["total_count"]) for page in pages] == [(True, 3), (False, 3)]
    assert merchant.list_reversals(datbi="2000-01-02").json()["Data"] == []
