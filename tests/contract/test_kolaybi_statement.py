"""KolayBi's lists of associates and of vaults, read as what was booked. Their pages show only the paths."""

from datetime import date, datetime
from decimal import Decimal
from typing import Any

import pytest
from vezne.orders.record import ISTANBUL
from vezne.providers.client import InquiryUnreadableError
from vezne.providers.http import Deadline
from vezne.providers.kolaybi.statement import KolayBiStatement
from vezne.providers.statement import RowState, StatementPage

from tests.support.harness import Harness
from tests.support.operations.kolaybi_collect import EXAMPLE as KOLAYBI, KOLAYBI_DATA
from tests.support.provider_server import Reply, json_reply
from tests.support.statements import page_of
from tests.support.wire import answered, header

DAY = date(2026, 12, 1)
STATEMENT = KolayBiStatement()
ID = f"op_{'a' * 26}"
MARKER = f"{ID}.d261201"
# The answer of a collection, as a row: no page shows one.
ROW = {**KOLAYBI_DATA, "id": 7, "issue_date": "2026-12-01 09:00:01", "description": f"{MARKER} Aylık ödeme"}
ROUTE = "GET /kolaybi/v1/associates/{}/transactions"


def read(harness: Harness, reply: Reply, groups: tuple[str, ...] = ("123",), start: str = "") -> StatementPage:
    associate, _, number = (start or groups[0]).partition("/")
    harness.server.on(ROUTE.format(associate) + (f"?page={number}" if number else ""), reply)
    return page_of(harness, STATEMENT, DAY, groups, start)


def test_a_row_of_ours_is_read(harness: Harness) -> None:
    page = read(harness, json_reply({"data": [ROW]}))
    (call,) = harness.server.to(ROUTE.format("123"))
    assert (header(call, "Channel"), header(call, "Authorization")) == ("sandbox-channel", "Bearer sandbox-token")
    (row,) = page.rows
    assert (page.next, page.whole) == ("", True)
    assert (row.reference, row.operation_id, row.is_ours) == (MARKER, ID, True)
    assert (row.state, row.amount, row.currency) == (RowState.BOOKED, Decimal("250.75"), "TRY")
    assert (row.names, row.day) == ({"id=7"}, DAY)
    assert row.made_at == datetime(2026, 12, 1, 9, 0, 1, tzinfo=ISTANBUL).timestamp()
    assert (row.result["amount"], row.result["currency"]) == ("250.75", "TRY")
    assert (row.result["transaction_status"], row.result["issue_date"]) == ("Tamamlandı", "2026-12-01T09:00:01+03:00")


def test_an_order_is_sought_by_what_its_row_has(harness: Harness) -> None:
    known = harness.record(answered(harness, KOLAYBI, KOLAYBI.success).body["operation_id"])
    sought = STATEMENT.sought(known.operation, known.lookup_fields, {})
    description = f"{known.lookup_fields['marker']} Aylık ödeme"
    (row,) = read(harness, json_reply({"data": [{**ROW, "description": description}]}), (sought.group,)).rows
    assert (sought.reference, sought.currency, row.operation_id) == (row.reference, row.currency, known.id)
    assert row.amount in sought.amounts


@pytest.mark.parametrize(
    "description",
    ["", None, 7, "Elden tahsilat", f"İade {MARKER}", f" {MARKER}", MARKER.upper(), MARKER[:-1], f"{MARKER}1", ID],
)
def test_a_row_without_our_marker_in_front_is_foreign(harness: Harness, description: Any) -> None:
    (row,) = read(harness, json_reply({"data": [{**ROW, "description": description}]})).rows
    assert (row.reference, row.operation_id, row.is_ours) == ("", "", False)


@pytest.mark.parametrize(
    ("change", "state", "currency"),
    [
        ({"currency": "try"}, RowState.BOOKED, "TRY"),
        ({"currency": None}, RowState.BOOKED, None),
        ({"amount": "250.75", "transaction_status": None, "transaction_type": None}, RowState.BOOKED, "TRY"),
        ({"amount": None}, RowState.BOOKED, "TRY"),
        *(({"amount": amount}, RowState.UNCLEAR, "TRY") for amount in ("250,75", 0, -1, "TRY 5", True, [])),
        ({"transaction_status": "Beklemede"}, RowState.UNCLEAR, "TRY"),
        ({"status": ["Tamamlandı"]}, RowState.UNCLEAR, "TRY"),
        ({"transaction_type": "Ödeme"}, RowState.UNCLEAR, "TRY"),
        ({"type": "Ödeme"}, RowState.UNCLEAR, "TRY"),
        *(({name: "2026-12-01"}, RowState.UNCLEAR, "TRY") for name in ("deleted_at", "cancelled_at", "canceled_at")),
        ({"is_deleted": True}, RowState.UNCLEAR, "TRY"),
        ({"is_deleted": False, "deleted_at": None}, RowState.BOOKED, "TRY"),
    ],
    ids=str,
)
def test_the_states_of_a_row(harness: Harness, change: dict[str, Any], state: RowState, currency: str | None) -> None:
    (row,) = read(harness, json_reply({"data": [{**ROW, **change}]})).rows
    assert (row.state, row.currency) == (state, currency)


@pytest.mark.parametrize(
    ("issued", "day"),
    [
        ("2026-12-01 23:59:59", DAY),
        ("2026-12-02 00:00:00", date(2026, 12, 2)),
        ("2026-12-01T21:30:00+00:00", date(2026, 12, 2)),
        # Of the day in its marker.
        ("01.12.2026", DAY),
        (None, DAY),
    ],
)
def test_the_day_of_a_row(harness: Harness, issued: Any, day: date) -> None:
    (row,) = read(harness, json_reply({"data": [{**ROW, "issue_date": issued}]})).rows
    assert row.day == day
    # A marker tells no time.
    assert (row.made_at is None) == (issued in ("01.12.2026", None))


def test_rows_without_ids_are_told_apart(harness: Harness) -> None:
    """The same collection twice is two rows."""
    row = {name: value for name, value in ROW.items() if name != "id"}
    names = [row.name for row in read(harness, json_reply({"data": [row, row]})).rows]
    assert names == [f"row={MARKER} 1", f"row={MARKER} 2"]


def test_associates_are_read_one_after_the_other(harness: Harness) -> None:
    groups = ("12", "123", "9")
    assert read(harness, json_reply({"data": []}), groups).next == "123"
    assert read(harness, json_reply({"data": []}), groups, "123").next == "9"
    assert read(harness, json_reply({"data": []}), groups, "9").next == ""
    assert page_of(harness, STATEMENT, DAY) == StatementPage(())
    # An associate that is asked for since the run began does not move the others.
    assert read(harness, json_reply({"data": []}), ("11", *groups), "9").next == ""


@pytest.mark.parametrize("count", [0, 1, 19, 21, 20, 50, 100])
def test_a_list_of_a_pages_usual_size_may_be_cut(harness: Harness, count: int) -> None:
    page = read(harness, json_reply({"data": [ROW] * count}), ("123", "9"))
    assert (len(page.rows), page.next, page.whole) == (count, "9", count not in (20, 50, 100))


@pytest.mark.parametrize(
    ("pages", "following", "whole"),
    [
        ({"current_page": 1, "last_page": 1}, "9", True),
        ({"current_page": 1, "last_page": 2}, "123/2", True),
        ({"current_page": 1, "per_page": 20, "total": 20}, "9", True),
        ({"current_page": 1, "per_page": 20, "total": 21}, "123/2", True),
        ({"current_page": 2, "last_page": 2}, "9", False),
        ({"current_page": 1}, "9", False),
        ({"current_page": 1, "last_page": "1"}, "9", False),
        ({}, "9", False),
        ([], "9", False),
    ],
    ids=str,
)
def test_pages_that_are_told_are_read(harness: Harness, pages: Any, following: str, whole: bool) -> None:
    page = read(harness, json_reply({"success": True, "data": [ROW] * 20, "pagination": pages}), ("123", "9"))
    assert (page.next, page.whole) == (following, whole)


@pytest.mark.parametrize("name", ["data", "items", "results"])
@pytest.mark.parametrize(
    "pages",
    [{"pagination": {"current_page": 1, "last_page": 2}}, {"current_page": 1, "last_page": 2}],
    ids=["apart", "beside"],
)
def test_rows_and_pages_may_stand_inside_the_data(harness: Harness, name: str, pages: dict[str, Any]) -> None:
    page = read(harness, json_reply({"data": {name: [ROW], **pages}}), ("123", "9"))
    assert (len(page.rows), page.next, page.whole) == (1, "123/2", True)


def test_the_page_of_an_associate_that_is_asked_for_no_more_is_not_that_of_the_next(harness: Harness) -> None:
    harness.server.on(ROUTE.format("9"), json_reply({"data": [ROW]}))
    page = page_of(harness, STATEMENT, DAY, ("12", "9"), "123/2")
    assert (len(page.rows), page.next, page.whole) == (1, "", True)


def test_the_last_page_of_an_associate(harness: Harness) -> None:
    pages = {"current_page": 2, "last_page": 2}
    page = read(harness, json_reply({"data": [ROW], "pagination": pages}), ("123", "9"), "123/2")
    assert (page.next, page.whole) == ("9", True)
    page = read(harness, json_reply({"data": [ROW]}), ("123", "9"), "123/2")
    assert (page.next, page.whole) == ("9", False)


def test_an_associate_that_is_not_there_hides_no_other(harness: Harness) -> None:
    page = read(harness, json_reply({"success": False, "message": "Cari bulunamadı"}, 404), ("123", "9"))
    assert page == StatementPage((), "9", whole=False)


def test_a_row_that_is_none_is_unclear(harness: Harness) -> None:
    page = read(harness, json_reply({"data": ["row", None]}))
    assert [(row.state, row.reference) for row in page.rows] == [(RowState.BOOKED, "")] * 2


@pytest.mark.parametrize(
    "reply",
    [
        Reply(200, b"<html>"),
        json_reply({"data": None}),
        json_reply({"data": {"items": [], "results": []}}),
        json_reply({"success": False, "data": []}),
        json_reply({"data": []}, 403),
    ],
    ids=str,
)
def test_what_is_no_list_is_not_read(harness: Harness, reply: Reply) -> None:
    with pytest.raises(InquiryUnreadableError):
        read(harness, reply)


def test_the_balances_of_the_vaults_are_noted(harness: Harness) -> None:
    vaults = [
        {"id": 10201, "name": "Merkez Kasa", "balance": Decimal("1250.50"), "currency": "try"},
        {"id": 10202, "name": "TR330006100519786457841326", "balance": "-3.10", "currency": "EUR"},
        {"id": 10203, "balance": "viel"},
        {"id": "TR33", "balance": 1},
        "vault",
    ]
    harness.server.on("GET /kolaybi/v1/vaults", json_reply({"data": vaults}))
    harness.use_secret("kolaybi")
    assert STATEMENT.notes(Deadline(lambda: 900_000)) == {"vault 10201": "1250.50 TRY", "vault 10202": "-3.10 EUR"}


def test_vaults_in_another_form_are_not_noted(harness: Harness) -> None:
    harness.server.on("GET /kolaybi/v1/vaults", json_reply({"data": None}))
    harness.use_secret("kolaybi")
    with pytest.raises(InquiryUnreadableError):
        STATEMENT.notes(Deadline(lambda: 900_000))


def test_a_row_must_name_its_currency_to_prove_an_order(harness: Harness) -> None:
    known = harness.record(answered(harness, KOLAYBI, KOLAYBI.success).body["operation_id"])
    rows = read(harness, json_reply({"data": [ROW, {**ROW, "currency": None}]})).rows
    assert [STATEMENT.proves(known, row) for row in rows] == [True, False]
