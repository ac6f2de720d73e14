from __future__ import annotations

import pytest

from tests.unit.sandbox.orders import SECRETS, WITHOUT

VALID = "amount=1000&currency=TRY&gateway_id=1"


def test_the_pages_example_is_answered_as_on_the_page(merchant, sandbox):
    answer = merchant.collect()
    assert answer.status_code == 200
    data = answer.json()["data"]
    issue_date = data.pop("issue_date")
    assert data == {
        "transaction_status": "Tamamlandı",
        "transaction_type": "Tahsilat",
        "payment_method": "Nakit",
        "amount": 1000,
        "currency": "TRY",
    }
    assert len(issue_date) == len("2024-01-15 14:30:00")
    assert '"amount": 1000,' in answer.text
    [booking] = sandbox.bookings("kolaybi")
    assert (booking["amount"], booking["currency"]) == ("1000", "TRY")
    assert booking["references"] == {"associate_id": "123", "description": "Tahsilat açıklaması"}


def test_a_second_request_books_a_second_time(merchant, sandbox):
    merchant.collect()
    merchant.collect()
    assert [b["amount"] for b in sandbox.bookings("kolaybi")] == ["1000", "1000"]


def test_all_fields_and_exact_digits(merchant, sandbox):
    body = (
        "amount=10.50&currency=USD&gateway_id=7&gateway_type=Associate&exchange_rate=34.25"
        "&expenses[0][source_type]=Associate&expenses[0][amount]=10.5&expenses[0][currency]=try&expenses[0][source_id]=3"
        "&transaction_currency_rates[0][quote_currency]=try&transaction_currency_rates[0][rate]=2"
        "&transaction_currency_rates[0][total]=0.5&project_ids[]=4&project_ids%5B%5D=5&description=%C4%B0%C4%9Fne+kart+4355084355084358"
    )
    answer = merchant.collect(body)
    assert '"amount": 10.50,' in answer.text
    [booking] = sandbox.bookings()
    assert booking["request"]["project_ids[]"] == [4, 5]
    assert booking["request"]["expenses[0][amount]"] == "10.5"
    assert booking["request"]["description"] == "İğne kart ************4358"
    [row] = merchant.transactions().json()["data"]
    assert (row["gateway_id"], row["gateway_type"], row["currency"]) == (7, "Associate", "USD")


@pytest.mark.parametrize(
    "body",
    [
        "amount=1000\u00a4cy=TRY&gateway_id=1",  # an error of the page's own HTML: `&curren` is shown as a sign
        "currency=TRY&gateway_id=1",
        "amount=1000&gateway_id=1",
        "amount=1000&currency=TRY",
        "amount=0&currency=TRY&gateway_id=1",
        "amount=1e3&currency=TRY&gateway_id=1",
        "amount=10,50&currency=TRY&gateway_id=1",
        "amount=-5&currency=TRY&gateway_id=1",
        "amount=1000&currency=Lira&gateway_id=1",
        f"{VALID}&expenses[0][amount]=0",
        f"{VALID}&expenses[0][note]=x",
        f"{VALID}&expenses[amount]=1",
        f"{VALID}&costs[0][amount]=1",
        f"{VALID}&transaction_currency_rates[0][quote_currency]=Lira",
        "amount=1000&currency=TRY&gateway_id=x",
        f"{VALID}&gateway_type=vault",
        f"{VALID}&exchange_rate=0",
        f"{VALID}&project_ids=4",
        f"{VALID}&project_ids[]=x",
        f"{VALID}&amount=1000",
        f"{VALID}&note=x",
        f"{VALID}&description=%FF",
        '{"amount": 1000}',
    ],
)
def test_what_the_page_does_not_allow_is_refused(merchant, sandbox, body):
    answer = merchant.collect(body)
    assert answer.status_code == 422
    assert answer.json()["success"] is False
    assert sandbox.bookings() == []


def test_json_is_not_a_form(merchant, sandbox):
    path = "/kolaybi/v1/associates/123/transactions/proceed"
    body = {"amount": 1000, "currency": "TRY", "gateway_id": 1}
    assert merchant.http.post(path, json=body, headers=merchant.kolaybi_headers()).status_code == 422
    assert sandbox.bookings() == []


@pytest.mark.parametrize("missing", ["Authorization", "Channel"])
def test_token_and_channel_are_required(merchant, sandbox, missing):
    headers = merchant.kolaybi_headers()
    del headers[missing]
    answer = merchant.collect(headers=headers)
    assert (answer.status_code, answer.json()["success"]) == (401, False)
    assert sandbox.bookings() == []


def test_login_refuses_a_wrong_key_and_a_form(merchant):
    channel = {"Channel": SECRETS["kolaybi"]["channel"]}
    wrong = merchant.http.post("/kolaybi/v1/access_token", json={"api_key": "wrong"}, headers=channel)
    form = merchant.http.post("/kolaybi/v1/access_token", data=SECRETS["kolaybi"], headers=channel)
    without_channel = merchant.http.post("/kolaybi/v1/access_token", json={"api_key": SECRETS["kolaybi"]["api_key"]})
    assert (wrong.status_code, form.status_code, without_channel.status_code) == (401, 422, 401)


def test_tokens_are_valid_for_a_day(merchant, sandbox):
    headers = merchant.kolaybi_headers()
    sandbox.advance_clock(24 * 3600 - 10)
    assert merchant.collect(headers=headers).status_code == 200
    sandbox.advance_clock(11)
    assert merchant.collect(headers=headers).status_code == 401


def test_the_list_shows_an_associates_own_transactions_newest_first(merchant):
    merchant.collect(f"{VALID}&description=first")
    merchant.collect(f"{VALID}&description=second")
    merchant.collect(f"{VALID}&description=elsewhere", associate="124")
    rows = merchant.transactions().json()["data"]
    assert [row["description"] for row in rows] == ["second", "first"]


def test_vaults_are_filtered(merchant):
    headers = merchant.kolaybi_headers()
    rows = merchant.http.get("/kolaybi/v1/vaults?currency=try&type=bank_account", headers=headers).json()["data"]
    assert [row["id"] for row in rows] == [10202]


def test_an_odd_refusal_contains_the_collection(merchant, sandbox):
    sandbox.rule("kolaybi.collect", "odd_refusal")
    answer = merchant.collect()
    assert (answer.status_code, answer.json()["success"]) == (422, False)
    assert answer.json()["data"]["transaction_status"] == "Tamamlandı"
    assert len(sandbox.bookings()) == 1


def test_a_description_cut_by_a_short_column(merchant, sandbox):
    merchant.collect(f"{VALID}&description={'x' * 60}")
    sandbox.rule("kolaybi.list_transactions", "cut_text")
    assert [row["description"] for row in merchant.transactions().json()["data"]] == ["x" * 40]


def test_a_gateway_refuses_in_json(merchant, sandbox):
    sandbox.rule("kolaybi.collect", "gateway_json", book=False)
    answer = merchant.collect()
    assert (answer.status_code, answer.json()) == (403, {"message": "Forbidden"})
    assert sandbox.bookings() == []


def test_a_collection_on_an_invoice_tells_what_is_left_and_no_amount(merchant, sandbox):
    sandbox.seed(kolaybi={"invoices": [{"id": 18, "total_amount": "240.00", "currency": "EUR"}]})
    data = merchant.collect_invoice().json()["data"]
    assert (data["remaining_amount"], data["currency"], "amount" in data) == (139.5, "EUR", False)
    assert merchant.invoice().json()["data"]["remaining_amount"] == 139.5
    # Without an amount, all that is left.
    assert merchant.collect_invoice(amount=WITHOUT).json()["data"]["remaining_amount"] == 0
    assert [(b["reference"], b["amount"], b["currency"]) for b in sandbox.bookings("kolaybi")] == [
        ("18", "100.50", "EUR"),
        ("18", "139.50", "EUR"),
    ]
    assert sandbox.state()["kolaybi"]["invoices"]["18"] == {"total_amount": "240.00", "remaining_amount": "0.00"}
    # An associate's list has no such row.
    assert merchant.transactions().json() == {"data": []}


@pytest.mark.parametrize("amount", ["240.01", WITHOUT])
def test_more_than_is_left_is_refused(merchant, sandbox, amount):
    sandbox.seed(kolaybi={"invoices": [{"id": 18, "total_amount": "240.00"}]})
    if amount is WITHOUT:
        merchant.collect_invoice(amount="240.00")
    before = sandbox.bookings("kolaybi")
    refused = merchant.collect_invoice(amount=amount)
    assert (refused.status_code, refused.json()["success"]) == (422, False)
    assert sandbox.bookings("kolaybi") == before


@pytest.mark.parametrize(
    "changes",
    [
        {"document_id": WITHOUT},
        {"vault_id": WITHOUT},
        {"document_id": "0"},
        {"vault_id": "kasa"},
        {"amount": "0"},
        {"amount": "0.00"},
        {"amount": "100.505"},
        {"amount": "100,50"},
        {"currency": "TRY"},
    ],
)
def test_a_collection_on_an_invoice_has_the_fields_of_the_page_only(merchant, sandbox, changes):
    assert merchant.collect_invoice(**changes).status_code == 422
    assert sandbox.bookings() == []


def test_what_people_collect_lowers_what_is_left(merchant, sandbox):
    merchant.collect_invoice()
    sandbox.rule("kolaybi.show_invoice", "foreign")
    assert [merchant.invoice().json()["data"]["remaining_amount"] for _ in range(2)] == [99799, 99899.5]


def test_a_collection_on_an_invoice_is_in_its_vault(merchant):
    merchant.collect_invoice(vault_id="10201")
    headers = merchant.kolaybi_headers()
    vaults = merchant.http.get("/kolaybi/v1/vaults", headers=headers).json()["data"]
    assert {vault["id"]: vault["balance"] for vault in vaults} == {10201: 100.5, 10202: 0, 10203: 0}


def test_invoices_come_in_pages_of_twenty_of_one_type(merchant, sandbox):
    sandbox.seed(
        kolaybi={
            "invoices": [
                *({"id": number, "contact_id": 7 if number == 1 else 1} for number in range(1, 22)),
                {"id": 50, "type": "purchase_invoice", "total_amount": "240.00", "currency": "USD"},
            ]
        }
    )

    def ask(query=""):
        return merchant.http.get(f"/kolaybi/v1/invoices{query}", headers=merchant.kolaybi_headers())

    first, second = (ask(query).json() for query in ("", "?page=2"))
    assert first["pagination"] == {"current_page": 1, "per_page": 20, "total": 21}
    assert [row["id"] for row in first["data"] + second["data"]] == list(range(1, 22))
    assert [row["id"] for row in ask("?associate_id=7").json()["data"]] == [1]
    (bought,) = ask("?type=purchase_invoice").json()["data"]
    assert bought == {
        "id": 50, "serial_no": "FAT-2024-050", "order_date": "2024-01-15", "due_date": "2024-02-15",
        "total_amount": 240, "currency": "USD", "status": "ready_to_send", "type": "purchase_invoice",
        "contact": {"id": 1, "name": "Ahmet", "surname": "Yılmaz"},
    }  # fmt: skip
    assert [ask(query).status_code for query in ("?type=invoice", "?status=sent")] == [422, 422]
