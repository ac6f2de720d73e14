"""VakıfBank's query of a day ("TOS İşlemleri Sorgula"), read as what was booked, against its page."""

from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from vezne.orders.record import ISTANBUL
from vezne.providers.client import InquiryFailedError, InquiryLoginRefusedError, InquiryUnreadableError
from vezne.providers.statement import RowState, StatementPage
from vezne.providers.vakifbank.statement import VakifBankStatement

from tests.support.harness import Harness
from tests.support.operations.vakifbank_pay import (
    EXAMPLE as VAKIFBANK,
    VAKIFBANK_COMPLETED,
    vakifbank_row,
    vakifbank_rows,
)
from tests.support.provider_server import Reply, json_reply
from tests.support.statements import page_of
from tests.support.wire import answered, unknown_order

DAY = date(2026, 12, 28)
CODE = "7e591df3-2f3c-4971-9682-9e4455b35b2f"
OURS = "2b8f1e6c-5a0d-5e3b-9c1f-0a1b2c3d4e5f"


def night(back: int = 1, hour: int = 3) -> float:
    """So many nights after the day, in seconds since 1970."""
    return datetime(2026, 12, 28 + back, hour, 30, tzinfo=ISTANBUL).timestamp()


def read(harness: Harness, *replies: Reply, start: str = "", now: float | None = None) -> StatementPage:
    harness.server.on(VAKIFBANK.look_up_route, *replies)
    at = night() if now is None else now
    return page_of(harness, VakifBankStatement(lambda: at), DAY, start=start)


def listed(*rows: Any, **around: Any) -> Reply:
    return json_reply({"Header": VAKIFBANK_COMPLETED, "Data": {"Result": list(rows), **around}})


def header(code: str, status: int = 400) -> Reply:
    return json_reply({"Header": {**VAKIFBANK_COMPLETED, "StatusCode": code, "StatusDescription": "m"}}, status)


def test_a_day_of_the_whole_institution_is_asked_for(harness: Harness) -> None:
    read(harness, vakifbank_rows())
    (call,) = harness.server.to(VAKIFBANK.look_up_route)
    assert call.json() == {"InstitutionCode": "0006624", "PaymentDate": "2026-12-28T00:00:00"}


def test_a_row_is_read(harness: Harness) -> None:
    page = read(harness, vakifbank_rows(vakifbank_row(CODE)))
    (row,) = page.rows
    assert (page.next, page.whole) == ("", True)
    assert (row.reference, row.state, row.amount, row.currency) == (CODE, RowState.BOOKED, Decimal(200), "TRY")
    assert row.names == {"transaction_query_no=7425301", "transaction_object_id=2022000039254817"}
    assert (row.day, row.made_at, row.is_ours) == (DAY, None, False)
    assert row.result["institution_transaction_code"] == CODE
    assert row.result["transaction_query_no"] == "7425301"


def test_an_order_is_sought_by_what_its_row_has(harness: Harness) -> None:
    known = harness.record(answered(harness, VAKIFBANK, VAKIFBANK.success).body["operation_id"])
    sought = VakifBankStatement().sought(known.operation, known.lookup_fields, (known.outcome or {})["result"])
    (row,) = read(harness, vakifbank_rows(vakifbank_row(known.lookup_fields["institution_transaction_code"]))).rows
    assert (sought.reference, sought.names, sought.currency) == (row.reference, row.names, row.currency)
    assert sought.amounts == {row.amount}
    assert row.is_ours


@pytest.mark.parametrize(
    ("back", "pages"),
    [(0, [""]), (1, [""]), (3, ["", "2026-12-29", "2026-12-30"])],
)
def test_the_days_to_which_the_bank_may_have_moved_a_payment_are_asked_for(
    harness: Harness, back: int, pages: list[str]
) -> None:
    asked, start = [], ""
    while not asked or start:
        asked.append(start)
        start = read(harness, vakifbank_rows(), start=start, now=night(back)).next
    assert asked == pages
    days = [call.json()["PaymentDate"][:10] for call in harness.server.to(VAKIFBANK.look_up_route)]
    assert days == ["2026-12-28", "2026-12-29", "2026-12-30"][: len(pages)]


def test_no_day_after_the_longest_closure_is_asked_for(harness: Harness) -> None:
    last = f"{DAY + timedelta(days=10)}"
    assert read(harness, vakifbank_rows(), start=last, now=night() + 60 * 86_400).next == ""


def test_a_row_is_of_the_day_to_which_the_bank_moved_it(harness: Harness) -> None:
    moved = vakifbank_row(CODE, PaymentDate="2026-12-29T00:00:00")
    silent = {name: value for name, value in vakifbank_row(CODE).items() if name != "PaymentDate"}
    assert [row.day for row in read(harness, vakifbank_rows(moved, silent)).rows] == [date(2026, 12, 29), DAY]


@pytest.mark.parametrize("status", [200, 400, 404])
def test_a_day_without_payments_is_an_empty_page(harness: Harness, status: int) -> None:
    assert read(harness, header("ACBH000202", status)) == StatementPage(())


def test_100_rows_may_be_cut(harness: Harness) -> None:
    many = [vakifbank_row(f"order-{number}") for number in range(100)]
    assert [read(harness, listed(*many[:count])).whole for count in (99, 100)] == [True, False]


@pytest.mark.parametrize(
    ("around", "whole"),
    [
        ({"TotalCount": 1}, True),
        ({"TotalCount": 2}, False),
        ({"HasMore": True}, False),
        ({"HasMore": False, "ErrorCode": 0, "TotalAmount": 200}, True),
        ({"ErrorCode": 7}, False),
        ({"ErrorExplanation": "Eksik"}, False),
        ({"Status": "Hata"}, False),
    ],
    ids=str,
)
def test_what_is_said_around_the_list(harness: Harness, around: dict[str, Any], whole: bool) -> None:
    assert read(harness, listed(vakifbank_row(CODE), **around)).whole is whole


def test_a_list_one_level_deeper_is_read(harness: Harness) -> None:
    deeper = json_reply({"Header": VAKIFBANK_COMPLETED, "Data": {"QueryResult": {"Result": [vakifbank_row(CODE)]}}})
    assert len(read(harness, deeper).rows) == 1


@pytest.mark.parametrize(
    ("changes", "state"),
    [
        ({}, RowState.BOOKED),
        ({"Amount": "200.00"}, RowState.BOOKED),
        ({"Result": None}, RowState.BOOKED),
        ({"ErrorCode": None}, RowState.BOOKED),
        ({"ErrorCode": "0", "ErrorExplanation": ""}, RowState.BOOKED),
        # No sign of a success.
        ({"Result": None, "ErrorCode": 0}, RowState.UNCLEAR),
        ({"Result": None, "ErrorCode": None}, RowState.UNCLEAR),
        # A sign of something else. No sign of a failure is known, so none declines an order.
        *(({"Result": result}, RowState.UNCLEAR) for result in (False, "true", 1)),
        *(({"ErrorCode": code}, RowState.UNCLEAR) for code in (7, -1, True, "ACBH000233")),
        *(({"ErrorExplanation": text}, RowState.UNCLEAR) for text in ("IPTAL", "Beklemede")),
        *(({name: "x"}, RowState.UNCLEAR) for name in ("Status", "IptalDurumu", "IsReturned")),
        ({"Details": [{"PaymentState": 3}]}, RowState.UNCLEAR),
        # Not a payment's amount or currency.
        *(({"Amount": amount}, RowState.UNCLEAR) for amount in (None, 0, -200, True, "200,00", "NaN", [])),
        *(({"CurrencyType": currency}, RowState.UNCLEAR) for currency in (None, 949)),
        ({"TransactionQueryNo": {}}, RowState.UNCLEAR),
    ],
    ids=str,
)
def test_the_states_of_a_row(harness: Harness, changes: dict[str, Any], state: RowState) -> None:
    page = read(harness, vakifbank_rows(vakifbank_row(CODE, **changes)))
    assert [row.state for row in page.rows] == [state]
    assert page.whole


@pytest.mark.parametrize("row", [None, "row", vakifbank_row(""), {}, vakifbank_row(CODE, InstitutionTransactionNo="x")])
def test_a_row_that_names_no_order_may_be_of_any(harness: Harness, row: Any) -> None:
    page = read(harness, listed(row))
    assert not page.whole
    assert all(each.state is RowState.UNCLEAR for each in page.rows)


@pytest.mark.parametrize("cut", [CODE[:20], CODE[:35], CODE.replace("-", "")[:16]])
def test_a_part_of_a_code_may_be_of_any_order(harness: Harness, cut: str) -> None:
    assert not read(harness, listed(vakifbank_row(cut))).whole


@pytest.mark.parametrize("form", [str.upper, lambda code: code.replace("-", ""), lambda code: f" {code} "])
def test_a_guid_in_another_form_is_the_same(harness: Harness, form: Any) -> None:
    (row,) = read(harness, listed(vakifbank_row(form(CODE)))).rows
    assert (row.reference, row.state) == (CODE, RowState.BOOKED)


@pytest.mark.parametrize("code", ["2022000039254817", "SIP-1", "İrsaliye 17"])
def test_a_code_of_the_caller_is_compared_as_it_is(harness: Harness, code: str) -> None:
    page = read(harness, listed(vakifbank_row(code)))
    assert [row.reference for row in page.rows] == [code]
    assert page.whole


@pytest.mark.parametrize(("code", "ours"), [(OURS, True), (OURS.upper(), True), (CODE, False), ("SIP-1", False)])
def test_a_guid_of_version_5_is_a_mark_of_ours(harness: Harness, code: str, ours: bool) -> None:
    assert [row.is_ours for row in read(harness, listed(vakifbank_row(code))).rows] == [ours]


@pytest.mark.parametrize(
    ("reply", "error"),
    [
        (header("ACBG000010", 403), InquiryLoginRefusedError),
        (header("ACBG000004", 400), InquiryFailedError),
        (header("ACBG000007"), InquiryFailedError),
        (Reply(200, b"<html>"), InquiryFailedError),
        (json_reply({"Header": VAKIFBANK_COMPLETED}), InquiryUnreadableError),
        (json_reply({"Header": VAKIFBANK_COMPLETED, "Data": {"Result": None}}), InquiryUnreadableError),
        (
            json_reply({"Header": VAKIFBANK_COMPLETED, "Data": {"Result": [], "A": {"Result": []}}}),
            InquiryUnreadableError,
        ),
        (json_reply({"Header": VAKIFBANK_COMPLETED, "Data": {"Result": []}}, 404), InquiryFailedError),
    ],
    ids=str,
)
def test_what_is_no_list_is_not_read(harness: Harness, reply: Reply, error: type[Exception]) -> None:
    with pytest.raises(error):
        read(harness, reply)


@pytest.mark.parametrize(
    ("switch", "code", "days", "proves"),
    [
        ("true", OURS, 11, True),
        # The bank may still make it: it was closed for so long.
        ("true", OURS, 10, False),
        ("true", "SIP-1", 60, False),
        ("false", OURS, 60, False),
        (None, OURS, 60, False),
    ],
)
def test_absence_proves_only_what_the_operator_says_and_the_bank_cannot_make_any_more(
    harness: Harness, monkeypatch: pytest.MonkeyPatch, switch: str | None, code: str, days: int, proves: bool
) -> None:
    if switch is not None:
        monkeypatch.setenv("VAKIFBANK_LIST_IS_COMPLETE", switch)
    order = {**VAKIFBANK.body, "institution_transaction_code": code}
    record = harness.record(unknown_order(harness, VAKIFBANK, body=order))
    end_of_day = night(1, 0) - 1800
    now = end_of_day + days * 86_400 + 3600 - (7200 if days == 10 else 0)
    assert VakifBankStatement().absence_proves(record, now) is proves
