"""walletgate's list of a time ("Transaction Data"), read as what was booked, against its page."""

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from vezne.providers.client import InquiryUnreadableError
from vezne.providers.statement import RowState, StatementPage
from vezne.providers.walletgate.statement import PAGE, WalletgateStatement

from tests.support.harness import Harness
from tests.support.operations.walletgate_pay_bill import EXAMPLE as WALLETGATE, ITEM, OID
from tests.support.provider_server import Reply, json_reply
from tests.support.statements import page_of
from tests.support.wire import answered, header

DAY = date(2026, 12, 1)
STATEMENT = WalletgateStatement()


def listed(*rows: Any, name: str = "results", **around: Any) -> Reply:
    return json_reply({"status": 0, "code": "100", "message": "m", "payload": {name: list(rows), **around}})


def rows(count: int, first: int = 0) -> list[dict[str, Any]]:
    return [{**ITEM, "id": f"T{number}", "ext_transaction_id": f"o{number}"} for number in range(first, first + count)]


def read(harness: Harness, *replies: Reply, start: str = "") -> StatementPage:
    harness.server.on(WALLETGATE.look_up_route, *replies)
    return page_of(harness, STATEMENT, DAY, start=start)


def test_a_day_in_turkiye_is_asked_for_with_an_hour_around_it(harness: Harness) -> None:
    read(harness, listed(ITEM))
    (call,) = harness.server.to(WALLETGATE.look_up_route)
    assert header(call, "x-client-id") == "sandbox-platform-key"
    assert call.json() == {
        "page_size": PAGE,
        "page_index": 0,
        "order_column": "CreatedDateUtc",
        "order_by": "asc",
        "start_date": "2026-11-30T20:00:00Z",
        "end_date": "2026-12-01T22:00:00Z",
    }


@pytest.mark.parametrize("name", ["results", "items"])
def test_a_row_is_read(harness: Harness, name: str) -> None:
    page = read(harness, listed(ITEM, name=name))
    (row,) = page.rows
    assert (page.next, page.whole) == ("", True)
    assert (row.reference, row.state, row.amount, row.currency) == (OID, RowState.BOOKED, Decimal("196.5"), "TRY")
    assert (row.names, row.day, row.is_ours) == ({f"id={ITEM['id']}"}, DAY, False)
    assert row.made_at == pytest.approx(datetime(2026, 12, 1, 6, 0, 1, tzinfo=UTC).timestamp())
    assert row.result["inv_payment_transaction_query_oid"] == row.result["ext_order_id"] == OID
    assert (row.result["transaction_id"], row.result["transaction_amount"]) == (ITEM["id"], "196.5000")


def test_the_fee_is_not_the_amount(harness: Harness) -> None:
    (row,) = read(harness, listed({**ITEM, "tx_additional_fee": Decimal("1.2500")})).rows
    assert (row.amount, row.result["transaction_amount"]) == (Decimal("196.5"), "196.5000")
    assert row.result["transaction_fee"] == "1.2500"


@pytest.mark.parametrize(("told", "currency"), [("USD", "USD"), ("", None), (None, None)])
def test_a_row_has_the_currency_that_it_names(harness: Harness, told: Any, currency: str | None) -> None:
    assert [row.currency for row in read(harness, listed({**ITEM, "currency_code": told})).rows] == [currency]


def test_an_order_is_sought_by_what_its_row_has(harness: Harness) -> None:
    known = harness.record(answered(harness, WALLETGATE, WALLETGATE.success).body["operation_id"])
    sought = STATEMENT.sought(known.operation, known.lookup_fields, (known.outcome or {})["result"])
    (row,) = read(harness, listed(ITEM)).rows
    assert (sought.reference, sought.currency) == (row.reference, row.currency)
    # Whether the platform gives the row the id of the answer is not said. Another id must not make it another payment.
    assert not sought.names
    assert row.amount in sought.amounts


BOTH = ("process_level_status_id", "transaction_status_id")


@pytest.mark.parametrize(
    ("change", "state"),
    [
        ({}, RowState.BOOKED),
        ({"tx_base_amount": "196.50"}, RowState.BOOKED),
        ({"transaction_status_id": "20", "process_level_status_id": None}, RowState.BOOKED),
        *((dict.fromkeys(BOTH, status), RowState.TAKEN_BACK) for status in (40, 60, "60")),
        *((dict.fromkeys(BOTH, status), RowState.UNCLEAR) for status in (10, 30, None, True, [20])),
        ({"process_level_status_id": 40}, RowState.UNCLEAR),
        ({"transaction_status": "Pending"}, RowState.UNCLEAR),
        ({"result_code": "Failed"}, RowState.UNCLEAR),
        *(({"tx_base_amount": amount}, RowState.UNCLEAR) for amount in (None, "196,50", 0, -1, True, {}, "1E2")),
    ],
    ids=str,
)
def test_the_states_of_a_row(harness: Harness, change: dict[str, Any], state: RowState) -> None:
    assert [row.state for row in read(harness, listed({**ITEM, **change})).rows] == [state]


@pytest.mark.parametrize(
    ("created", "day"),
    [
        ("2026-12-01T20:59:59.9999999+00:00", DAY),
        ("2026-12-01T23:59:59+03:00", DAY),
        ("2026-12-01T21:00:00", date(2026, 12, 2)),
        ("yesterday", None),
        (None, None),
    ],
)
def test_the_day_of_a_row_is_that_of_turkiye(harness: Harness, created: Any, day: date | None) -> None:
    assert [row.day for row in read(harness, listed({**ITEM, "created_date_utc": created})).rows] == [day]


def test_pages_are_read_until_a_short_one_whatever_their_first_index_is(harness: Harness) -> None:
    """0 and 1 are read as one page: they may be two names of the same."""
    first, second, third = rows(PAGE), rows(PAGE, PAGE), rows(3, 2 * PAGE)
    from_zero = read(harness, listed(*first), listed(*second))
    assert (len(from_zero.rows), from_zero.next, from_zero.whole) == (2 * PAGE, "2", True)
    from_one = read(harness, listed(*first), listed(*first))
    assert (len(from_one.rows), from_one.next, from_one.whole) == (PAGE, "2", True)
    last = read(harness, listed(*third), start="2")
    assert (len(last.rows), last.next, last.whole) == (3, "", True)
    assert harness.server.calls[-1].json()["page_index"] == 2


def test_an_index_that_is_none_shows_nothing(harness: Harness) -> None:
    assert len(read(harness, listed(), listed(ITEM)).rows) == 1
    assert read(harness, listed()) == StatementPage(())


@pytest.mark.parametrize(
    "around", [{"total_count": 2}, {"total": 9}, {"total_records": 2}, {"has_more": True}], ids=str
)
def test_a_short_page_that_tells_of_more_is_not_whole(harness: Harness, around: dict[str, Any]) -> None:
    assert not read(harness, listed(ITEM, **around)).whole


@pytest.mark.parametrize(("total", "whole"), [(2 * PAGE + 3, True), (2 * PAGE + 4, False)])
def test_a_total_counts_the_rows_of_all_pages(harness: Harness, total: int, whole: bool) -> None:
    page = read(harness, listed(*rows(3, 2 * PAGE), total_count=total), start="2")
    assert (len(page.rows), page.next, page.whole) == (3, "", whole)


def test_a_row_that_is_none_makes_the_page_not_whole(harness: Harness) -> None:
    page = read(harness, listed(ITEM, "row", None))
    assert (len(page.rows), page.whole) == (1, False)


@pytest.mark.parametrize(
    "reply",
    [
        Reply(200, b"<html>"),
        Reply(200, b"[]"),
        json_reply({"status": 0, "code": "100", "payload": None}),
        json_reply({"status": 0, "code": "100", "payload": {"results": [], "items": []}}),
        json_reply({"status": 1, "code": "100", "payload": []}),
        json_reply({"status": 0, "code": "999", "payload": []}),
        json_reply({"status": 0, "code": "100", "payload": []}, 404),
    ],
    ids=str,
)
def test_what_is_no_list_is_not_read(harness: Harness, reply: Reply) -> None:
    with pytest.raises(InquiryUnreadableError):
        read(harness, reply)
