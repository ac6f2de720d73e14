"""The lists of a day: which rows they have, how they are paged, and their faults."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta, timezone

import pytest

from tests.unit.sandbox.orders import PAYNET_ORDER, VAKIFBANK_ORDER, WITHOUT

ISTANBUL = timezone(timedelta(hours=3))


def paynet_list(merchant, **fields):
    today = datetime.now(ISTANBUL).date()
    days = {"datab": f"{today - timedelta(days=1)}", "datbi": f"{today + timedelta(days=1)}"}
    return merchant.paynet("list", {**days, "limit": 1000, **fields})


def captures(answer):
    """The rows, without those of the pre-authorisations."""
    return [row for row in answer.json()["Data"] if row["xact_type"] != "PR"]


def test_paynet_lists_what_was_booked_with_the_reference_of_the_pre_authorisation(merchant, sandbox):
    sandbox.seed(paynet={"pre_authorisations": [{"reference_no": "order-1", "amount": "250.00"}]})
    captured = merchant.capture(xact_id=WITHOUT, reference_no="order-1", amount="1000").json()
    answer = paynet_list(merchant).json()
    assert (answer["object_name"], answer["has_more"], answer["total_count"]) == ("transaction_list", False, 2)
    pre_authorisation, row = answer["Data"]
    assert (pre_authorisation["xact_type"], row["xact_type"]) == ("PR", "CR")
    assert (row["xact_agent_reference"], row["amount"], row["is_succeed"]) == ("order-1", 10, True)
    assert {row[name] == captured[name] for name in ("xact_id", "order_id", "reference_code")} == {True}
    moment = datetime.strptime(row["xact_time"], "%d.%m.%Y %H:%M:%S").replace(tzinfo=ISTANBUL)
    assert abs(moment - datetime.now(UTC)) < timedelta(minutes=5)


def test_paynet_lists_what_failed_only_if_it_is_asked_for(merchant, sandbox):
    sandbox.rule("paynet.capture", "refuse")
    merchant.capture()
    assert captures(paynet_list(merchant)) == []
    [failed] = captures(paynet_list(merchant, show_unsucceed=True))
    assert (failed["is_succeed"], failed["amount"], failed["authorization_code"]) == (False, 59.35, "")
    assert sandbox.bookings() == []


def test_paynet_lists_a_failure_whose_answer_was_lost(merchant, sandbox):
    sandbox.seed(paynet={"pre_authorisations": [{"xact_id": PAYNET_ORDER["xact_id"], "amount": "1.00"}]})
    sandbox.rule("paynet.capture", "status_500")
    assert merchant.capture().status_code == 500
    assert [row["is_succeed"] for row in captures(paynet_list(merchant, show_unsucceed=True))] == [False]


def test_paynet_names_the_reversal_in_the_row_of_the_capture(merchant):
    captured = merchant.capture().json()
    reversal = merchant.paynet("capture_reversal", {"xact_id": captured["xact_id"]}).json()
    first, second = captures(paynet_list(merchant))
    assert (first["xact_type"], first["reversed"], first["reversed_xact_id"]) == ("CR", True, reversal["xact_id"])
    assert (second["xact_type"], second["reversed"], second["xact_id"]) == ("RC", False, reversal["xact_id"])


def test_paynet_lists_a_reversal_without_the_capture_of_another_day(merchant, sandbox):
    captured = merchant.capture().json()
    sandbox.advance_clock(5 * 86_400)
    merchant.paynet("capture_reversal", {"xact_id": captured["xact_id"]})
    day = f"{datetime.now(ISTANBUL).date() + timedelta(days=5)}"
    assert [row["xact_type"] for row in paynet_list(merchant, datab=day, datbi=day).json()["Data"]] == ["RC"]


def test_paynet_pages_by_an_index(merchant):
    for _ in range(12):
        merchant.capture()
    first = paynet_list(merchant, limit=10).json()
    rest = paynet_list(merchant, limit=10, starting_after=10).json()
    assert (len(first["Data"]), first["has_more"], len(rest["Data"]), rest["has_more"]) == (10, True, 3, False)
    listed = [row["xact_id"] for row in first["Data"] + rest["Data"]]
    assert len(set(listed)) == 13
    # "limit" is 10 if it is not given.
    day = {name: f"{datetime.now(ISTANBUL).date()}" for name in ("datab", "datbi")}
    assert len(merchant.paynet("list", day).json()["Data"]) == 10


@pytest.mark.parametrize("fields", [{"datab": "01.12.2026"}, {"limit": "10"}, {"show_unsucceed": 1}, {"xact": "1"}])
def test_paynet_refuses_a_list_in_another_form(merchant, fields):
    assert paynet_list(merchant, **fields).status_code == 400


def test_paynet_lists_only_with_the_key(merchant):
    assert merchant.paynet("list", {}, key="wrong").status_code == 401


def payments(merchant, **filters):
    whenever = {"start_date": "2020-01-01T00:00:00Z", "end_date": "2099-01-01T00:00:00Z"}
    return merchant.list_payments(**whenever, page_size=50, **filters).json()["payload"]["items"]


LISTS = {
    "paynet.list_transactions": (lambda merchant: merchant.capture(), lambda merchant: captures(paynet_list(merchant))),
    "vakifbank.query": (
        lambda merchant: merchant.tos_pay(),
        lambda merchant: day_of_vakifbank(merchant).json()["Data"]["Result"],
    ),
    "walletgate.list_transactions": (lambda merchant: merchant.pay_bill(), payments),
    "kolaybi.list_transactions": (
        lambda merchant: merchant.collect(),
        lambda merchant: merchant.transactions().json()["data"],
    ),
}
every_list = pytest.mark.parametrize("name", LISTS)


def day_of_vakifbank(merchant, day=VAKIFBANK_ORDER["PaymentDate"]):
    return merchant.tos_query(PaymentDate=day)


@every_list
def test_a_row_twice(merchant, sandbox, name):
    order, rows = LISTS[name]
    order(merchant)
    sandbox.rule(name, "twice")
    first, second = rows(merchant)
    differing = {field for field in first if first[field] != second[field]}
    assert differing
    assert not differing & {
        *("xact_agent_reference", "InstitutionTransactionCode", "ext_transaction_id", "description"),
        *("amount", "Amount", "tx_base_amount"),
    }
    assert len(rows(merchant)) == 1


@every_list
def test_amounts_as_texts(merchant, sandbox, name):
    order, rows = LISTS[name]
    order(merchant)
    sandbox.rule(name, "text_amounts")
    [row] = rows(merchant)
    [amount] = [row[name] for name in ("amount", "Amount", "tx_base_amount") if name in row]
    assert amount in ("59.35", "200.0", "196.5000", "1000")


@every_list
def test_late_rows(merchant, sandbox, name):
    order, rows = LISTS[name]
    order(merchant)
    sandbox.rule(name, "lag", seconds=60)
    if name == "vakifbank.query":
        assert "Data" not in day_of_vakifbank(merchant).json()
    else:
        assert rows(merchant) == []
    assert len(rows(merchant)) == 1


def test_the_last_second_of_a_day(merchant, sandbox):
    merchant.capture()
    sandbox.rule("paynet.list_transactions", "last_second")
    [row] = captures(paynet_list(merchant))
    assert row["xact_time"].endswith("23:59:59")
    assert row["xact_time"].startswith(row["xact_date"])


def test_small_pages(merchant, sandbox):
    for _ in range(3):
        merchant.capture()
    sandbox.rule("paynet.list_transactions", "small_pages", rows=1, times=0)
    pages = [paynet_list(merchant, starting_after=index).json() for index in range(4)]
    assert [(len(page["Data"]), page["has_more"]) for page in pages] == [(1, True)] * 3 + [(1, False)]


def test_a_list_that_never_ends(merchant, sandbox):
    merchant.capture()
    sandbox.rule("paynet.list_transactions", "endless", times=0)
    pages = [paynet_list(merchant, starting_after=index).json() for index in (0, 2, 4)]
    assert [(len(page["Data"]), page["has_more"]) for page in pages] == [(2, True)] * 3


def test_vakifbank_lists_a_day_of_the_institution(merchant, sandbox):
    answer = day_of_vakifbank(merchant)
    assert (answer.status_code, answer.json()["Header"]["StatusCode"]) == (400, "ACBH000202")
    merchant.tos_pay()
    merchant.tos_pay(InstitutionTransactionCode="another", PaymentDate="2022-12-29T15:00:00")
    [row] = day_of_vakifbank(merchant, "2022-12-29T00:00:00").json()["Data"]["Result"]
    assert row["InstitutionTransactionCode"] == "another"


def test_vakifbank_cuts_a_day_at_100_rows_without_a_sign(merchant, sandbox):
    headers = merchant.vakifbank_headers()
    for number in range(101):
        body = {**VAKIFBANK_ORDER, "InstitutionTransactionCode": f"order-{number}"}
        merchant.http.post("/tos/payment", json=body, headers=headers)
    assert list(day_of_vakifbank(merchant).json()["Data"]) == ["Result"]
    assert len(day_of_vakifbank(merchant).json()["Data"]["Result"]) == 100
    sandbox.rule("vakifbank.query", "cut_list", rows=3)
    assert len(day_of_vakifbank(merchant).json()["Data"]["Result"]) == 3


def test_vakifbank_lists_a_payment_on_the_business_day_to_which_the_bank_moved_it(merchant, sandbox):
    sandbox.seed(vakifbank={"executes_on_payment_date": True})
    saturday, monday = "2029-12-29T00:00:00", "2029-12-31T00:00:00"
    merchant.tos_pay(PaymentDate=saturday)
    sandbox.advance_clock(datetime.fromisoformat("2030-01-01T00:00:00+03:00").timestamp() - time.time())
    assert "Data" not in day_of_vakifbank(merchant, saturday).json()
    assert len(day_of_vakifbank(merchant, monday).json()["Data"]["Result"]) == 1


def test_a_payment_that_was_taken_back_beside_its_original(merchant, sandbox):
    merchant.pay_bill()
    sandbox.rule("walletgate.list_transactions", "taken_back")
    original, refund = payments(merchant)
    assert (original["transaction_status_id"], refund["transaction_status_id"]) == (20, 60)
    assert original["ext_transaction_id"] == refund["ext_transaction_id"]
    assert original["id"] != refund["id"]


@pytest.mark.parametrize(
    ("name", "field"),
    [("walletgate.list_transactions", "created_date_utc"), ("kolaybi.list_transactions", "issue_date")],
)
def test_rows_of_the_last_second_of_their_day(merchant, sandbox, name, field):
    order, rows = LISTS[name]
    order(merchant)
    sandbox.rule(name, "last_second")
    [row] = rows(merchant)
    moment = datetime.fromisoformat(row[field])
    moment = moment if moment.tzinfo else moment.replace(tzinfo=ISTANBUL)
    assert f"{moment.astimezone(ISTANBUL):%H:%M:%S}" == "23:59:59"


def test_pages_of_walletgate(merchant, sandbox):
    for number in range(3):
        merchant.pay_bill(inv_payment_transaction_query_oid=f"oid-{number}")
    sandbox.rule("walletgate.list_transactions", "small_pages", times=0)
    pages = [merchant.list_payments(page_index=index, page_size=50).json()["payload"] for index in (1, 2)]
    assert [(len(page["items"]), page["total_count"]) for page in pages] == [(2, 3), (0, 3)]
    sandbox.remove_rules()
    sandbox.rule("walletgate.list_transactions", "endless")
    page = merchant.list_payments(page_index=9, page_size=2).json()["payload"]
    assert (len(page["items"]), page["total_count"]) == (2, 19)


def test_pages_of_kolaybi(merchant, sandbox):
    for _ in range(3):
        merchant.collect()
    sandbox.rule("kolaybi.list_transactions", "small_pages", times=2)
    path, headers = "/kolaybi/v1/associates/123/transactions", merchant.kolaybi_headers()
    pages = [merchant.http.get(path, params={"page": page}, headers=headers).json() for page in ("1", "2")]
    assert [len(page["data"]) for page in pages] == [2, 1]
    assert [page["pagination"] for page in pages] == [{"current_page": page, "last_page": 2} for page in (1, 2)]
    sandbox.rule("kolaybi.list_transactions", "endless")
    assert merchant.transactions().json()["pagination"] == {"current_page": 1, "last_page": 2}
    sandbox.rule("kolaybi.list_transactions", "cut_list", rows=2)
    assert len(merchant.transactions().json()["data"]) == 2


def test_the_balance_of_a_vault_is_what_was_collected_into_it(merchant):
    merchant.collect("amount=10.50&currency=TRY&gateway_id=10201")
    merchant.collect("amount=1&currency=TRY&gateway_id=10201")
    vaults = merchant.http.get("/kolaybi/v1/vaults", headers=merchant.kolaybi_headers()).json()["data"]
    assert [vault["balance"] for vault in vaults] == [11.5, 0, 0]


def test_instalments_in_odd_forms(merchant, sandbox):
    merchant.set_expenses()
    sandbox.rule("haso.payment_plan", "text_amounts")
    plan = merchant.payment_plan().json()["Data"]["PaymentPlan"]
    assert [row["totalExpenseAmount"] for row in plan] == ["0.00", "0.00", "173.45"]
    sandbox.rule("haso.payment_plan", "twice")
    numbers = [row["InstallmentNo"] for row in merchant.payment_plan().json()["Data"]["PaymentPlan"]]
    assert numbers == [1, 2, 3, 3]
