"""walletgate "Make Payment" (POST /v1/InvoicePayment/MakePayment) and its look-up against their pages."""

import json
import re
from decimal import Decimal
from typing import Any

import pytest
from vezne.orders.outcome import Found, Succeeded

from tests.support.harness import Harness
from tests.support.operations.walletgate_pay_bill import (
    BILL,
    BILL_PAYLOAD,
    EXAMPLE as WALLETGATE,
    ITEM,
    OID,
    walletgate_rows,
)
from tests.support.provider_server import Reply, json_reply
from tests.support.providers import SECRETS
from tests.support.reader import Reader
from tests.support.wire import answered, header, literals, looked_up, the_call, unknown_order

# The page's "İSTEK (POST)" (request).
PAGE_REQUEST = """{
  "tenant_id": 0,
  "account_type_id": 1,
  "account_number": "28XX01",
  "wallet_number": "25XX25",
  "inv_payment_transaction_query_oid": "90XX46-FXX5-4XX3-8DXX-B1XX97",
  "invoice_amount": 196.50,
  "payment_amount": 196.50,
  "product_oid": "8064fb0c-c556-4104-8fe4-9779c6dc3721",
  "subscriber_no": "5536557580",
  "bill_term": "03/2023",
  "bill_no": "2023XXX887"
}"""
# The page's "YANIT" (answer).
PAGE_ANSWER = """{
    "status": 0,
    "code": "100",
    "message": "İşlem başarılı",
    "payload": {
        "invoice_type": null,
        "inv_payment_transaction_query_oid": "90XX46-FXX5-4XX3-8DXX-B1XX97",
        "receipt_output_print": "termal",
        "institution_name": "Türk Telekom (Mobil)",
        "payment_transaction_id": "9623XX2189",
        "transaction_id": "ABRVXXX7304",
        "transaction_amount": 196.5000,
        "transaction_fee": 0.000000,
        "charged_amount": 196.500000,
        "ext_order_id": "90XX46-FXX5-4XX3-8DXX-B1XX97",
        "business_code": "",
        "business_name": "",
        "friendly_name": "",
        "receiver_account_number": "412XX50",
        "receiver_wallet_number": "126XX30",
        "sender_wallet_info": {
            "id": "45X9XX21",
            "name": "",
            "account_number": "28XX01",
            "account_type": "Personal",
            "created_date_utc": "2022-01-18T07:48:51.7092961+00:00",
            "number": "25XX25",
            "phone_country_code": null,
            "phone_number": null,
            "email": null,
            "total_balance": 899.47,
            "monthly_incoming_total": 0.0,
            "monthly_outgoing_total": 0.0,
            "access_level_status_id": 1,
            "access_level_status": "Aktif",
            "payment_balance": {
                "available": 0.0,
                "unavailable": 0.00
            },
            "cash_balance": {
                "available": 899.47,
                "unavailable": 0.00
            },
            "transaction_limits": {
                "max_balance": 1000000.0000,
                "topup_credit_limit": 996004.0060,
                "topup_cash_limit": 996004.0060,
                "withdrawal_limit": 1000000.0000,
                "payment_limit": 997238.4300,
                "wallet_to_wallet_limit": 999699.8000
            },
            "kyc_level_status": null,
            "currency_code": "TRY",
            "user_kyc_info": null,
            "is_topup_default": false,
            "tax_number": null,
            "loyalty_record_required": false
        }
    }
}"""
PAGE_PAYLOAD = json.loads(PAGE_ANSWER, parse_float=str)["payload"]
# The same, amounts as decimal strings with the page's digits. No more about the wallet's owner than a replay needs.
RESULT = {
    **PAGE_PAYLOAD,
    "sender_wallet_info": {
        **PAGE_PAYLOAD["sender_wallet_info"],
        "account_number": "******",
        "number": "******",
        "total_balance": None,
        "monthly_incoming_total": None,
        "monthly_outgoing_total": None,
        "payment_balance": None,
        "cash_balance": None,
        "transaction_limits": None,
    },
    "message": "İşlem başarılı",
}


def envelope(status: Any = 0, code: Any = "100", http: int = 200, **payload: Any) -> Reply:
    return json_reply(
        {"status": status, "code": code, "message": "Mesaj", "payload": {**BILL_PAYLOAD, **payload}}, http
    )


def refusal(code: Any, http: int = 200, message: str = "Yetersiz bakiye") -> Reply:
    return json_reply({"status": 1, "code": code, "message": message, "payload": None}, http)


def listed(*items: Any, **around: Any) -> dict[str, Any]:
    """The platform's list with these items."""
    envelope_of_success = {"status": 0, "code": "100", "message": "İşlem başarılı"}
    return {**envelope_of_success, "payload": {"items": list(items), **around}}


def but(*names: str, **more: Any) -> dict[str, Any]:
    """The item of our payment without these fields, and with others."""
    return {**{name: value for name, value in ITEM.items() if name not in names}, **more}


READER = Reader(WALLETGATE)


def test_the_pages_order_is_sent_as_on_the_page(harness: Harness) -> None:
    answered(harness, WALLETGATE, Reply(200, PAGE_ANSWER.encode()), body=BILL)
    call = the_call(harness, WALLETGATE)
    assert (call.method, call.path) == ("POST", "/v1/InvoicePayment/MakePayment")
    assert header(call, "Authorization") == "Bearer sandbox-token"
    assert header(call, "x-client-id") == "sandbox-platform-key"
    assert header(call, "Content-Type") == "application/json"
    assert literals(call.body) == literals(PAGE_REQUEST)


def test_without_a_tenant_in_the_secret_none_is_sent(harness: Harness) -> None:
    """`tenant_id` is in the page's sample, not in its parameter table."""
    harness.put_secret(
        "walletgate", {name: value for name, value in SECRETS["walletgate"].items() if name != "tenant_id"}
    )
    answered(harness, WALLETGATE, Reply(200, PAGE_ANSWER.encode()), body=BILL)
    page = [pair for pair in literals(PAGE_REQUEST) if pair[0] != "tenant_id"]
    assert literals(the_call(harness, WALLETGATE).body) == page


def test_the_pages_answer_is_read(harness: Harness) -> None:
    response = answered(harness, WALLETGATE, Reply(200, PAGE_ANSWER.encode()), body=BILL)
    assert response.status == 200
    assert response.body["result"] == RESULT


def test_the_names_of_the_wallets_owner_are_neither_answered_nor_kept(
    harness: Harness, capsys: pytest.CaptureFixture[str]
) -> None:
    owner = {
        "name": "Ayşe Yılmaz", "phone_number": "5321234567", "email": "ayse@example.com", "total_balance": 91357.13,
        "cash_balance": {"available": 91357.13}, "transaction_limits": {"payment_limit": 91357.13},
        "account_number": "2800000001", "tax_number": "10000000146", "user_kyc_info": "Ayşe Yılmaz",
    }  # fmt: skip
    first = answered(harness, WALLETGATE, envelope(sender_wallet_info=owner))
    again = harness.send(WALLETGATE)
    assert (first.status, again.status, again.replayed) == (200, 200, True)
    assert again.body["result"] == first.body["result"]
    kept = f"{first}{harness.items()}{capsys.readouterr()}"
    for value in ("Ayşe", "Yılmaz", "5321234567", "ayse@", "91357", "2800000001", "10000000146"):
        assert value not in kept


def test_the_login_goes_to_the_identity_host(harness: Harness, monkeypatch: pytest.MonkeyPatch) -> None:
    # Only the address of the login changes. A call under another path did not go to the host of the API.
    monkeypatch.setenv("WALLETGATE_IDENTITY_URL", f"{harness.server.url}/identity")
    harness.server.on("POST /identity/connect/token", json_reply({"access_token": "t2", "expires_in": 3600}))
    answered(harness, WALLETGATE, Reply(200, PAGE_ANSWER.encode()), body=BILL)
    login = harness.server.calls[0]
    secret = SECRETS["walletgate"]
    assert (login.method, login.path) == ("POST", "/identity/connect/token")
    assert header(login, "Content-Type") == "application/x-www-form-urlencoded"
    assert login.form() == [
        ("grant_type", "client_credentials"),
        ("client_id", secret["client_id"]),
        ("client_secret", secret["client_secret"]),
        ("scope", "sts_business_api"),
    ]
    assert header(the_call(harness, WALLETGATE), "Authorization") == "Bearer t2"


@pytest.mark.parametrize(("ours", "wire"), [("personal", 1), ("business", 2)])
def test_account_types(harness: Harness, ours: str, wire: int) -> None:
    answered(harness, WALLETGATE, Reply(200, PAGE_ANSWER.encode()), body={**BILL, "account_type": ours})
    assert the_call(harness, WALLETGATE).json()["account_type_id"] == wire


@pytest.mark.parametrize(
    ("amount", "literal"),
    [("196.5", "196.50"), ("0.01", "0.01"), ("100", "100.00"), ("9999999999999.99", "9999999999999.99")],
)
def test_amounts_have_two_digits(harness: Harness, amount: str, literal: str) -> None:
    order = {**BILL, "invoice_amount": amount, "payment_amount": amount}
    answered(harness, WALLETGATE, envelope(transaction_amount=Decimal(amount)), body=order)
    sent = dict(literals(the_call(harness, WALLETGATE).body))
    assert sent["invoice_amount"] == sent["payment_amount"] == ("float", literal)


@pytest.mark.parametrize(
    ("reply", "outcome"),
    [
        # Success is `status` 0 and `code` "100", with HTTP 200, for our bill and our amount.
        (envelope(), "Succeeded"),
        (envelope("0", 100), "Succeeded"),
        (envelope(transaction_amount="196.5"), "Succeeded"),
        (envelope(http=201), "Unknown"),
        # The platform's code table: wallet not found, limit insufficient, balance insufficient.
        *(
            (refusal(code, http), "Declined")
            for code in ("300", "310", "311", 300)
            for http in (200, 400, 403, 404, 422)
        ),
    ],
)
def test_the_outcome_of_each_answer(reply: Reply, outcome: str) -> None:
    assert READER.verdict(reply) == outcome


def test_a_refusals_code_and_text(harness: Harness) -> None:
    response = answered(harness, WALLETGATE, refusal("311", message="Bakiye: 12345678901"))
    assert response.status == 402
    assert (response.body["provider_code"], response.body["provider_text"]) == ("311", "Bakiye: ***")


# -------------------------------------------------------------------- look-up


def test_the_look_up_call(harness: Harness) -> None:
    unknown_order(harness, WALLETGATE)
    looked_up(harness, WALLETGATE, walletgate_rows(ITEM))
    (call,) = harness.server.to(WALLETGATE.look_up_route)
    assert header(call, "Authorization") == "Bearer sandbox-token"
    assert header(call, "x-client-id") == "sandbox-platform-key"
    sent = call.json()
    # Without dates the platform shows only the last day or the last three, so they are always sent.
    assert (sent.pop("start_date"), sent.pop("end_date")) == ("2026-12-01T05:50:00Z", "2026-12-01T06:10:27Z")
    assert sent == {
        "page_size": 50,
        "page_index": 0,
        "order_column": "CreatedDateUtc",
        "order_by": "desc",
        "ext_transaction_id": OID,
    }


def test_the_window_of_an_old_order_is_still_around_its_time(harness: Harness) -> None:
    unknown_order(harness, WALLETGATE)
    harness.clock.advance(30 * 24 * 3600)
    looked_up(harness, WALLETGATE, walletgate_rows())
    (call,) = harness.server.to(WALLETGATE.look_up_route)
    assert re.match("2026-12-01T05:50", call.json()["start_date"])
    assert re.match("2026-12-01T06:10", call.json()["end_date"])


@pytest.mark.parametrize(
    "payload",
    [{"results": [ITEM]}, {"items": [ITEM], "total": 1}, [ITEM]],
    ids=["results", "items", "list"],
)
def test_a_found_payment(payload: Any) -> None:
    found = READER.look_up({"status": 0, "code": "100", "payload": payload})
    assert isinstance(found, Found)
    assert isinstance(found.outcome, Succeeded)
    shown = found.outcome.result
    assert shown["inv_payment_transaction_query_oid"] == shown["ext_order_id"] == OID
    assert shown["transaction_id"] == ITEM["id"]
    assert (shown["transaction_amount"], shown["transaction_fee"]) == ("196.5000", "0.0000")


@pytest.mark.parametrize(
    ("items", "finding"),
    [
        ([], "NotFound"),
        ([but(ext_transaction_id="another bill of the same amount")], "NotFound"),
        ([ITEM, ITEM], "Inconclusive"),
        ([but(process_level_status_id=None, transaction_status_id=None)], "Inconclusive"),
    ],
    ids=["none", "foreign", "two", "no status"],
)
def test_what_proves_nothing(items: list[Any], finding: str) -> None:
    assert READER.finding(listed(*items)) == finding


@pytest.mark.parametrize(
    "body",
    [
        {"status": 1, "code": "999", "payload": None},
        # Success is both, `status` 0 and `code` "100".
        {**listed(ITEM), "status": 1},
        {"code": "100", "payload": {"items": [ITEM]}},
        {**listed(ITEM), "code": "101"},
        {"status": 0, "code": "100", "payload": None},
        {"status": 0, "code": "100", "payload": {"items": "none"}},
        {"status": 0, "code": "100", "payload": {"items": [ITEM], "results": [ITEM]}},
        listed({"tx_base_amount": "viel"}),
    ],
    ids=str,
)
def test_a_list_in_another_form_proves_nothing(body: dict[str, Any]) -> None:
    assert READER.finding(body) == "Inconclusive"


UNNAMED = but("ext_transaction_id")


def test_an_item_without_a_reference_is_ours_only_if_the_filter_works() -> None:
    """A control query asks for a reference that does not exist. Rows in its answer show that nothing was filtered."""
    assert READER.finding(listed(UNNAMED), listed()) == "Found"
    assert READER.finding(listed(UNNAMED), listed(UNNAMED)) == "Inconclusive"
    assert READER.finding(listed(UNNAMED), listed(but(ext_transaction_id="x"))) == "Inconclusive"
    assert READER.finding(listed(UNNAMED), {"status": 1, "code": "999"}) == "Inconclusive"


@pytest.mark.parametrize("change", [{"currency_code": "USD"}, {"tx_base_amount": 1}, {"transaction_status_id": 60}])
def test_an_item_without_a_reference_must_fit_too(change: dict[str, Any]) -> None:
    assert READER.finding(listed({**UNNAMED, **change}), listed()) == "Inconclusive"


@pytest.mark.parametrize(
    "reference", [OID.lower(), f" {OID}", "", "  ", 7.5, [OID], OID.replace("-", ""), OID[:20]], ids=str
)
def test_an_item_that_may_be_ours_is_neither_found_nor_not_found(reference: Any) -> None:
    item = but(ext_transaction_id=reference)
    assert READER.finding(listed(item), listed()) == "Inconclusive"
    other = but(ext_transaction_id="another", order_number=OID)
    assert READER.finding(listed(other), listed()) == "Inconclusive"


# ----------------------------------------------------------------------- pages


def page(number: int, size: int = 50) -> list[Any]:
    return [but(id=f"TX{number}-{index}", ext_transaction_id=f"other-{number}-{index}") for index in range(size)]


def test_a_full_page_is_not_the_end() -> None:
    """A platform that does not filter shows other payments first."""
    assert READER.finding(listed(*page(1)), listed(*page(2)), listed(ITEM)) == "Found"
    assert READER.finding(listed(*page(1)), listed(*page(2, 3))) == "NotFound"


def test_a_first_page_that_is_given_twice_is_read_once() -> None:
    """Whether pages count from 0 or from 1 is not documented."""
    first = [*page(1, 49), ITEM]
    assert READER.finding(listed(*first), listed(*first), listed()) == "Found"


def test_more_pages_than_are_read_prove_nothing() -> None:
    pages = [listed(*page(number)) for number in range(30)]
    assert READER.finding(*pages) == "Inconclusive"


@pytest.mark.parametrize("around", [{"total_count": 1}, {"total": "2"}, {"has_more": True}, {"next": "x"}], ids=str)
def test_an_end_before_the_announced_one_proves_nothing(around: dict[str, Any]) -> None:
    assert READER.finding(listed(**around)) == "Inconclusive"


def test_a_shorter_page_than_asked_for_is_not_the_end_if_more_are_announced() -> None:
    first, second = listed(*page(1, 20), total_count=21), listed(ITEM, total_count=21)
    assert READER.finding(first, second) == "Found"
