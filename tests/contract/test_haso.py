"""HASO 5.14 (POST {SERVIS_URL}/RequestV2/SendTransactionExpense) and 5.5 against their pages."""

from typing import Any

import pytest
from vezne.orders.outcome import Found, Succeeded

from tests.support.harness import Harness
from tests.support.operations.haso_set_expenses import EXAMPLE as HASO, haso_answer, haso_plan, haso_success
from tests.support.provider_server import HANG_UP, Reply, json_reply
from tests.support.providers import SECRETS
from tests.support.reader import Reader
from tests.support.wire import answered, findings, header, literals, looked_up, the_call, unknown_order

# The page has no sample request. Its table gives names, order and form ("100 ile çarparak": multiplied by 100, "Ondalık
# basamak olmamalıdır": no decimal places). Fee 100.00 and expense 230.00 make "10000" and "23000".
# The token is computed by
#   printf 'sandbox-merchant-idORDER-0001TRX-2026-00011000023000203.0.113.7sandbox-merchant-salt' |
#   openssl dgst -sha256 -hmac sandbox-merchant-key -binary | openssl base64
TOKEN = "D0mRSzYhNCFAsAxQCt5yCd6a9Qm42f1i3MkwyZ/7V/I="
REQUEST = f"""{{
  "merchantId": "sandbox-merchant-id",
  "merchantOid": "ORDER-0001",
  "transactionCode": "TRX-2026-0001",
  "counterPartyAttorneyFee": "10000",
  "expenseAmount": "23000",
  "ipAddress": "203.0.113.7",
  "requestToken": "{TOKEN}"
}}"""
# Without the address: printf 'sandbox-merchant-idORDER-0001TRX-2026-0001sandbox-merchant-salt' | openssl ... as above
PLAN_TOKEN = "5kwQZDn4P9XQEdmEjO97TqLpbv3x9EmIspb/ejqxZuc="
HASO_READER = Reader(HASO)


def success(*rows: dict[str, Any]) -> Reply:
    return json_reply({"Success": True, "Errors": [], "Data": {"PaymentPlan": list(rows)}})


def refusal(*errors: Any, http: int = 200) -> Reply:
    return json_reply({"Success": False, "Errors": list(errors), "Data": None}, http)


def test_the_order_as_it_is_sent(harness: Harness) -> None:
    answered(harness, HASO, haso_answer)
    call = the_call(harness, HASO)
    assert (call.method, call.path) == ("POST", "/servis/RequestV2/SendTransactionExpense")
    assert header(call, "Content-Type") == "application/json"
    assert header(call, "Authorization") is None
    assert literals(call.body) == literals(REQUEST)


def test_without_an_address_none_is_sent(harness: Harness) -> None:
    harness.put_secret("haso", {name: value for name, value in SECRETS["haso"].items() if name != "ip_address"})
    answered(harness, HASO, haso_answer)
    assert "ipAddress" not in the_call(harness, HASO).json()


@pytest.mark.parametrize(
    ("fee", "expense", "wire"),
    [
        ("0", "0", ("0", "0")),
        ("0.00", "0.01", ("0", "1")),
        ("10", "10.0", ("1000", "1000")),
        ("12345678.90", "99999999.99", ("1234567890", "9999999999")),
    ],
)
def test_amounts_are_times_100_without_decimals(
    harness: Harness, fee: str, expense: str, wire: tuple[str, str]
) -> None:
    order = {**HASO.body, "counter_party_attorney_fee": fee, "expense_amount": expense}
    assert answered(harness, HASO, haso_answer, body=order).status == 200
    sent = the_call(harness, HASO).json()
    assert (sent["counterPartyAttorneyFee"], sent["expenseAmount"]) == wire


def test_the_answer_is_read(harness: Harness) -> None:
    """The names have capital and small letters as on the page."""
    rows = [
        {"InstallmentNo": 1, "installmentPayment": 500.0, "termDate": "2026-11-01", "totalExpenseAmount": 0},
        {"InstallmentNo": 2, "installmentPayment": 830.0, "termDate": "2026-12-01", "totalExpenseAmount": 330.0},
    ]
    response = answered(harness, HASO, success(*rows))
    assert response.status == 200
    assert response.body["result"] == {
        "payment_plan": [
            {
                "installment_no": 1,
                "installment_payment": "500.0",
                "term_date": "2026-11-01",
                "total_expense_amount": "0",
            },
            {
                "installment_no": 2,
                "installment_payment": "830.0",
                "term_date": "2026-12-01",
                "total_expense_amount": "330.0",
            },
        ]
    }


@pytest.mark.parametrize(
    ("reply", "outcome"),
    [
        # "True dönerse Data parametresi doludur" (if it returns True, Data is filled): the plan with our total, with or
        # without the fee in `expenseAmount`.
        (haso_success("330.00"), "Succeeded"),
        (haso_success("230.00"), "Succeeded"),
        (json_reply({"Success": True, "Errors": None, "Data": haso_plan("330")}), "Succeeded"),
        (json_reply({"Success": True, "Data": {"PaymentPlan": {"InstallmentNo": 1, "totalExpenseAmount": 330}}}),
         "Succeeded"),
        (haso_success("100.00"), "Unknown"),
        (haso_success("0"), "Unknown"),
        (haso_success("330.01"), "Unknown"),
        (success(), "Unknown"),
        (Reply(201, haso_success("330").body), "Unknown"),
        # A plan may be in another order, or show no total.
        (success({"InstallmentNo": 1}, {"InstallmentNo": 2}), "Succeeded"),
        (success({"InstallmentNo": 2, "totalExpenseAmount": 330}, {"InstallmentNo": 1, "totalExpenseAmount": 0}),
         "Succeeded"),
        (success({"InstallmentNo": 1, "totalExpenseAmount": "330.0000"}), "Succeeded"),
        # "False dönerse Errors parametresi doludur." (If it returns False, Errors is filled.)
        (refusal("H101 İşlem bulunamadı"), "Declined"),
        (refusal("H101", "H205: kod"), "Declined"),
    ],
)  # fmt: skip
def test_the_outcome_of_each_answer(reply: Reply, outcome: str) -> None:
    assert HASO_READER.verdict(reply) == outcome


@pytest.mark.parametrize(
    "rows",
    [
        [{"InstallmentNo": 1, "totalExpenseAmount": 0}, {"totalExpenseAmount": 330}],
        [{"InstallmentNo": 1, "totalExpenseAmount": 330}, {"totalExpenseAmount": 330}],
        [{"InstallmentNo": 2, "totalExpenseAmount": 0}, {"InstallmentNo": 2, "totalExpenseAmount": 330}],
        [{"InstallmentNo": 1, "totalExpenseAmount": 330}, {"InstallmentNo": 1, "totalExpenseAmount": 330}],
        [{"InstallmentNo": 1, "totalExpenseAmount": 330}, {"InstallmentNo": 2}],
        [{"InstallmentNo": True, "totalExpenseAmount": 330}],
        [{"InstallmentNo": "1/2", "totalExpenseAmount": 0}, {"InstallmentNo": 2, "totalExpenseAmount": 330}],
        *([{"InstallmentNo": 1, "totalExpenseAmount": total}] for total in ("330,00", -330, [330])),
    ],
    ids=str,
)
def test_a_plan_in_a_form_that_the_page_does_not_show_proves_nothing(rows: list[dict[str, Any]]) -> None:
    """Neither in the order's answer nor in a look-up, though the total is there."""
    assert HASO_READER.verdict(success(*rows)) == "Unknown"
    assert HASO_READER.finding(success(*rows)) == "Inconclusive"


@pytest.mark.parametrize(
    ("errors", "code", "text"),
    [
        (["H101 İşlem bulunamadı"], "H101", "H101 İşlem bulunamadı"),
        (["İşlem icrada değil", "H205: kod"], "H205", "İşlem icrada değil; H205: kod"),
        (["İşlem bulunamadı"], "", "İşlem bulunamadı"),
        (["TCKN 10000000146 hatalı"], "", "TCKN *** hatalı"),
    ],
)
def test_a_refusals_code_and_text(harness: Harness, errors: list[str], code: str, text: str) -> None:
    response = answered(harness, HASO, refusal(*errors))
    assert response.status == 402
    assert (response.body["provider_code"], response.body["provider_text"]) == (code, text)


# -------------------------------------------------------------------- look-up


def test_the_look_up_call(harness: Harness) -> None:
    unknown_order(harness, HASO)
    looked_up(harness, HASO, haso_success("330"))
    (call,) = harness.server.to("POST /servis/Index/GetPaymentsOfTransaction")
    assert header(call, "Content-Type") == "application/json"
    assert call.json() == {
        "merchantId": "sandbox-merchant-id",
        "merchantOid": "ORDER-0001",
        "transactionCode": "TRX-2026-0001",
        "requestToken": PLAN_TOKEN,
    }


def test_the_total_in_the_plan_is_proof() -> None:
    found = HASO_READER.look_up(haso_success("330.00"))
    assert isinstance(found, Found)
    assert isinstance(found.outcome, Succeeded)
    assert found.outcome.result["payment_plan"][1]["total_expense_amount"] == "330.00"
    assert HASO_READER.finding(haso_success("100.00")) == "NotFound"


@pytest.mark.parametrize(
    "reply",
    [
        # Whether `expenseAmount` includes the fee is not clear, so this may be an older order's figure.
        haso_success("230.00"),
        success({"InstallmentNo": 1, "installmentPayment": 500}),
        success(),
        refusal("H101"),
        json_reply({"Success": True, "Errors": [], "Data": {}}),
        json_reply({"Success": True, "Errors": ["H101"], "Data": haso_plan("330")}),
    ],
)
def test_what_proves_nothing(reply: Reply) -> None:
    assert HASO_READER.finding(reply) == "Inconclusive"


# ------------------------------------------------------- the total before the order


def correction(harness: Harness, fee: str, expense: str) -> dict[str, Any]:
    """100 + 230 were set; then an order to set these figures is lost."""
    assert answered(harness, HASO, haso_answer).status == 200
    order = {**HASO.body, "counter_party_attorney_fee": fee, "expense_amount": expense, "allow_lower": True}
    assert answered(harness, HASO, HANG_UP, body=order, key="correction").status == 202
    harness.server.calls.clear()
    harness.server.on(HASO.route, haso_answer)
    return order


def test_the_total_from_before_proves_nothing_and_is_sent_again(harness: Harness) -> None:
    """A correction from 100 + 230 to 80 + 250 shows the same total, whether it arrived or not."""
    order = correction(harness, "80.00", "250.00")
    harness.server.on(HASO.look_up_route, haso_success("330.00"))
    harness.clock.advance(60)
    assert harness.sweep(HASO)["still_unknown"] == 1
    assert harness.server.to(HASO.route) == []
    harness.clock.advance(3600)
    response = looked_up(harness, HASO, haso_success("330.00"), body=order, key="correction")
    assert response.body["status"] == "succeeded"
    assert findings(harness, response.body["operation_id"])[:2] == ["inconclusive", "inconclusive"]
    (again,) = harness.server.to(HASO.route)
    assert (again.json()["counterPartyAttorneyFee"], again.json()["expenseAmount"]) == ("8000", "25000")


def test_the_same_figures_as_before_are_found(harness: Harness) -> None:
    order = correction(harness, "100.00", "230.00")
    response = looked_up(harness, HASO, haso_success("330.00"), body=order, key="correction")
    assert response.body["status"] == "succeeded"
    assert harness.server.to(HASO.route) == []


@pytest.mark.parametrize(
    ("total", "finding"),
    [("330.00", "not_found"), ("230.00", "not_found"), ("400.00", "inconclusive"), ("0", "inconclusive"),
     ("300.00", "found"), ("200.00", "inconclusive")],
)  # fmt: skip
def test_only_the_total_before_shows_that_an_order_has_not_arrived(harness: Harness, total: str, finding: str) -> None:
    """A total that is neither ours nor the one before was set by somebody else, perhaps after ours."""
    order = correction(harness, "100.00", "200.00")
    response = looked_up(harness, HASO, haso_success(total), body=order, key="correction")
    assert findings(harness, response.body["operation_id"])[:1] == [finding]
    assert len(harness.server.to(HASO.route)) == (finding == "not_found")


@pytest.mark.parametrize(("allow_lower", "finding"), [(False, "inconclusive"), (True, "not_found")])
def test_a_higher_total_of_somebody_else_is_not_lowered(harness: Harness, allow_lower: bool, finding: str) -> None:
    """Before the first order of a transaction its total is not known."""
    order = {**HASO.body, "allow_lower": allow_lower}
    known = unknown_order(harness, HASO, body=order)
    harness.server.on(HASO.route, haso_answer)
    looked_up(harness, HASO, haso_success("500.00"), body=order)
    assert findings(harness, known)[:1] == [finding]
    assert len(harness.server.to(HASO.route)) == allow_lower
