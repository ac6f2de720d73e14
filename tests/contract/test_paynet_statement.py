"""Paynet's list of a day ("İşlem Listesi"), read as what was booked, against its page."""

from dataclasses import replace
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import pytest
from vezne.orders.record import ISTANBUL, GuardMemory
from vezne.providers.client import InquiryLoginRefusedError, InquiryUnreadableError
from vezne.providers.paynet.statement import PaynetStatement
from vezne.providers.statement import RowState, StatementPage, StatementRow

from tests.support.harness import START, Harness
from tests.support.operations.paynet_capture import CAPTURE_ANSWER, EXAMPLE as PAYNET
from tests.support.operations.paynet_reverse_capture import EXAMPLE as REVERSE
from tests.support.provider_server import Reply, json_reply
from tests.support.statements import page_of
from tests.support.wire import answered, header, unknown_order

DAY = date(2026, 12, 1)
ROUTE = "POST /v1/transaction/list"
STATEMENT = PaynetStatement()
CODES = {"order_id": "order-8229", "authorization_code": "aut-8229", "reference_code": "ref-8229"}
# With the names that a public client reads; of the page, only the first fields are visible.
ROW: dict[str, Any] = {
    "agent_id": "20005",
    "agent_referans_no": "",
    "xact_id": "xk_1",
    "xact_date": "01.12.2026",
    "xact_time": "01.12.2026 09:00:05",
    "is_tds": True,
    "card_no": "435508******4358",
    "card_holder": "Ayşe Yılmaz",
    **CODES,
    "xact_type": "CR",
    "is_succeed": True,
    "reversed": False,
    "reversed_xact_id": "",
    "is_onchargeback": False,
    "instalment": 3,
    "amount": Decimal("49.90"),
    "comission": Decimal("2.37"),
    "currency": "TRY",
    "xact_note": "",
    "xact_agent_reference": "SIP-1",
}


def listed(*rows: Any, **head: Any) -> Reply:
    told = {"object_name": "transaction_list", "has_more": False, "total_count": len(rows), "code": 0}
    return json_reply({**told, "Data": list(rows), **head})


def read(harness: Harness, *replies: Reply, start: str = "") -> StatementPage:
    harness.server.on(ROUTE, *replies)
    return page_of(harness, STATEMENT, DAY, start=start)


def row_of(harness: Harness, **changes: Any) -> StatementRow:
    """The one row of a page, read."""
    (row,) = read(harness, listed({**ROW, **changes})).rows
    return row


def test_a_day_is_asked_for_with_a_day_around_it_and_with_what_failed(harness: Harness) -> None:
    read(harness, listed())
    (call,) = harness.server.to(ROUTE)
    assert header(call, "Authorization") == "Basic sandbox-secret-key"
    assert call.json() == {
        "datab": "2026-11-30",
        "datbi": "2026-12-02",
        "show_unsucceed": True,
        "limit": 1000,
        "starting_after": 0,
    }


def test_a_row_is_read(harness: Harness) -> None:
    row = row_of(harness)
    assert (row.operation, row.reference, row.state) == ("paynet.capture", "SIP-1", RowState.BOOKED)
    assert (row.amount, row.currency, row.day) == (Decimal("49.90"), "TRY", DAY)
    assert row.made_at == datetime(2026, 12, 1, 9, 0, 5, tzinfo=ISTANBUL).timestamp()
    assert row.names == {f"paynet.capture {name}={value}" for name, value in {**CODES, "xact_id": "xk_1"}.items()}
    assert (row.result["transaction_type"], row.result["amount"]) == ("4", "49.90")
    assert row.result["xact_date"] == "2026-12-01T09:00:05+03:00"
    # As in an answer: nothing that names the holder of the card.
    assert (row.result["card_holder"], row.result["card_no_masked"]) == ("A** Y**", "435508******4358")


def test_an_order_is_sought_by_what_its_row_has(harness: Harness) -> None:
    body = {"reference_no": "SIP-1", "amount": "49.90"}
    answer = json_reply({**CAPTURE_ANSWER, **CODES, "xact_id": "xk_1"})
    known = harness.record(answered(harness, PAYNET, answer, body=body).body["operation_id"])
    sought = STATEMENT.sought(known.operation, known.lookup_fields, (known.outcome or {})["result"])
    row = row_of(harness, xact_id="xk_of_this_answer")
    assert (sought.reference, sought.amounts, sought.currency) == (row.reference, {row.amount}, row.currency)
    # The encrypted id is another one in each answer.
    assert sought.names < row.names
    assert len(sought.names) == 3


def test_without_another_name_an_order_is_sought_by_the_encrypted_id() -> None:
    sought = STATEMENT.sought("paynet.capture", {"xact": "8229"}, {"xact_id": "xk_1", "transaction_type": "4"})
    assert (sought.reference, sought.names) == ("", {"paynet.capture xact_id=xk_1"})


@pytest.mark.parametrize("named", [{"xact": "8229"}, {"xact_id": "xk_0"}])
def test_a_capture_that_names_no_reference_cannot_be_found_before_it_is_answered(named: dict[str, str]) -> None:
    sought = STATEMENT.sought("paynet.capture", named, {})
    assert (sought.reference, sought.names) == ("", frozenset())


@pytest.mark.parametrize(
    ("changes", "state"),
    [
        ({}, RowState.BOOKED),
        ({"xact_type": "4"}, RowState.BOOKED),
        ({"xact_type": 4}, RowState.BOOKED),
        ({"xact_type": None, "transaction_type": 4}, RowState.BOOKED),
        ({"reversed": None, "is_onchargeback": None}, RowState.BOOKED),
        ({"currency": "TL", "amount": "49.90"}, RowState.BOOKED),
        ({"is_onchargeback": True}, RowState.TAKEN_BACK),
        ({"reversed": True, "reversed_xact_id": "xk_2"}, RowState.TAKEN_BACK),
        ({"is_succeed": False, "authorization_code": ""}, RowState.FAILED),
        ({"is_succeed": False, "authorization_code": None, "amount": 0}, RowState.FAILED),
        # A failure that bears a sign of success, and the other way round.
        ({"is_succeed": False}, RowState.UNCLEAR),
        ({"is_succeed": False, "authorization_code": "", "reversed": True}, RowState.UNCLEAR),
        ({"bank_error_id": "51"}, RowState.UNCLEAR),
        # In a form that no page shows.
        *(({"is_succeed": value}, RowState.UNCLEAR) for value in ("true", 1, None, [])),
        *(({"reversed": value}, RowState.UNCLEAR) for value in ("true", 1)),
        *(({"amount": value}, RowState.UNCLEAR) for value in ("49,90", -49, True, "NaN", {})),
        *(({"instalment": value}, RowState.UNCLEAR) for value in ("three", [])),
    ],
    ids=str,
)
def test_the_states_of_a_row(harness: Harness, changes: dict[str, Any], state: RowState) -> None:
    page = read(harness, listed({**ROW, **changes}))
    assert [row.state for row in page.rows] == [state]
    assert page.whole


@pytest.mark.parametrize("kind", ["XX", "", None, True, []], ids=str)
def test_a_row_of_unknown_type_may_be_of_any_order(harness: Harness, kind: Any) -> None:
    page = read(harness, listed({**ROW, "xact_type": kind}))
    assert not page.whole
    assert [(row.operation, row.state) for row in page.rows] == [("", RowState.UNCLEAR)]


@pytest.mark.parametrize("kind", ["PR", "S", "CD", "3", 9])
def test_a_row_of_another_type_is_of_no_order(harness: Harness, kind: Any) -> None:
    page = read(harness, listed({**ROW, "xact_type": kind}))
    assert page.whole
    assert [row.operation for row in page.rows] == ["another"]


@pytest.mark.parametrize(
    ("fields", "code", "text"),
    [
        ({}, "", ""),
        ({"bank_error_id": "51", "bank_error_message": "Yetersiz bakiye"}, "51", "Yetersiz bakiye"),
        ({"paynet_error_id": 1, "paynet_error_message": "TR330006100519786457841326"}, "1", "***"),
        ({"bank_error_id": "0", "bank_error_message": "", "bank_error_long_desc": "Limit"}, "", "Limit"),
    ],
)
def test_a_failed_row_says_why_in_the_words_of_a_decline(
    harness: Harness, fields: dict[str, Any], code: str, text: str
) -> None:
    row = row_of(harness, is_succeed=False, authorization_code="", **fields)
    assert (row.state, row.result) == (RowState.FAILED, {"code": code, "text": text})


@pytest.mark.parametrize(("amount", "told"), [(0, None), (None, None), ("49.9000", Decimal("49.90"))])
def test_an_amount_of_0_tells_none(harness: Harness, amount: Any, told: Decimal | None) -> None:
    """As in the page's sample of an answer."""
    row = row_of(harness, amount=amount)
    assert (row.amount, row.state) == (told, RowState.BOOKED)


NINE = datetime(2026, 12, 1, 9, 0, 5, tzinfo=ISTANBUL).timestamp()


@pytest.mark.parametrize(
    ("day", "clock", "told"),
    [
        ("01.12.2026", "09:00:05", (DAY, NINE)),
        ("01.12.2026", None, (DAY, None)),
        (None, "01.12.2026 09:00:05", (DAY, NINE)),
        ("2026-12-01T09:00:05+03:00", None, (DAY, NINE)),
        ("2026-12-01T09:00:05", None, (DAY, NINE)),
        ("2026-12-01T06:00:05Z", None, (DAY, NINE)),
        ("01.12.2026", "01.12.2026 23:59:59", (DAY, NINE + 14 * 3600 + 59 * 60 + 54)),
        ("2026-12-01T21:00:00Z", None, (date(2026, 12, 2), NINE + 14 * 3600 + 59 * 60 + 55)),
        # It contradicts itself, or is none.
        ("01.12.2026", "02.12.2026 09:00:05", (None, None)),
        ("31.02.2026", "yesterday", (None, None)),
        (20261201, {}, (None, None)),
    ],
    ids=str,
)
def test_when_a_row_was_made(harness: Harness, day: Any, clock: Any, told: tuple[date | None, float | None]) -> None:
    row = row_of(harness, xact_date=day, xact_time=clock)
    assert (row.day, row.made_at) == told


def test_pages_are_read_by_index_until_there_is_no_more(harness: Harness) -> None:
    first = read(harness, listed(ROW, ROW, has_more=True, total_count=3))
    assert (first.next, first.whole) == ("2", True)
    last = read(harness, listed(ROW, total_count=3), start="2")
    assert (last.next, last.whole) == ("", True)
    assert [call.json()["starting_after"] for call in harness.server.to(ROUTE)] == [0, 2]


@pytest.mark.parametrize(
    "head", [{"has_more": None}, {"has_more": "false"}, {"total_count": 2}, {"total_count": "2"}], ids=str
)
def test_a_list_that_does_not_say_its_end_is_not_whole(harness: Harness, head: dict[str, Any]) -> None:
    page = read(harness, listed(ROW, **head))
    assert (page.next, page.whole) == ("", False)


def test_a_row_that_is_none_makes_the_page_not_whole(harness: Harness) -> None:
    page = read(harness, listed(ROW, "row", None))
    assert (len(page.rows), page.whole) == (1, False)


@pytest.mark.parametrize(
    ("reply", "error"),
    [
        (json_reply({"code": 403}, 403), InquiryLoginRefusedError),
        (json_reply({"type": "api_error", "code": 400, "result_code": 11}, 400), InquiryUnreadableError),
        (listed(ROW, code=1), InquiryUnreadableError),
        (listed(ROW, data=[]), InquiryUnreadableError),
        (json_reply({"code": 0, "has_more": False}), InquiryUnreadableError),
        (Reply(200, b"<html>"), InquiryUnreadableError),
    ],
    ids=str,
)
def test_what_is_no_list_is_not_read(harness: Harness, reply: Reply, error: type[Exception]) -> None:
    with pytest.raises(error):
        read(harness, reply)


# ------------------------------------------------------------ reversals

CANCELLED = {**ROW, "reversed": True, "reversed_xact_id": "xk_2"}
REVERSAL = {**ROW, "xact_id": "xk_2", "xact_type": "RC", "xact_time": "01.12.2026 12:00:00", "order_id": "order-8230"}
NAMES_IT = "paynet.reverse_capture reverses=xk_1"


def test_a_reversal_is_sought_by_the_capture_that_it_cancels(harness: Harness) -> None:
    unknown = harness.record(unknown_order(harness, REVERSE, body={"xact_id": "xk_1"}))
    assert STATEMENT.sought(unknown.operation, unknown.lookup_fields, {}).names == {NAMES_IT}
    page = read(harness, listed(CANCELLED, REVERSAL))
    assert [NAMES_IT in row.names for row in page.rows] == [False, True]
    assert [row.state for row in page.rows] == [RowState.TAKEN_BACK, RowState.BOOKED]


@pytest.mark.parametrize(
    ("rows", "named"),
    [
        ([REVERSAL], False),
        ([{**REVERSAL, "reversed_xact_id": "xk_1"}], True),
        ([{**REVERSAL, "reversed_xact_id": "xk_2"}, CANCELLED], True),
        # Two captures name it, or it names another one.
        ([REVERSAL, {**CANCELLED, "xact_id": "xk_3"}, CANCELLED], False),
        ([{**REVERSAL, "reversed_xact_id": "xk_9"}, CANCELLED], False),
        ([REVERSAL, {**CANCELLED, "reversed": False}], False),
    ],
    ids=["without the capture", "by itself", "by its own id", "twice", "contradicted", "not cancelled"],
)
def test_what_names_the_reversal_of_a_capture(harness: Harness, rows: list[dict[str, Any]], named: bool) -> None:
    assert (NAMES_IT in read(harness, listed(*rows)).rows[0].names) is named


def test_an_answer_about_the_capture_does_not_name_the_reversal() -> None:
    """The page allows both types: "4:Finansallaştırma / 6: Finansallaştırma İptal"."""
    fields = {"xact_id": "xk_1"}
    told = {kind: STATEMENT.sought("paynet.reverse_capture", fields, {**CODES, "transaction_type": kind}).names
            for kind in ("4", "6")}  # fmt: skip
    assert told["4"] == {NAMES_IT}
    assert told["6"] == {f"paynet.reverse_capture {name}={value}" for name, value in CODES.items()}


# ------------------------------------------------------------ proof


@pytest.mark.parametrize(
    ("seconds", "memory", "proves"),
    [
        (5, GuardMemory(), True),
        (-0.9, GuardMemory(), True),
        # Made before the order, or too long after it: another capture of the same pre-authorisation.
        (-2, GuardMemory(), False),
        (3600, GuardMemory(), False),
        # Another order's capture.
        (5, GuardMemory(payments=frozenset({"order_id=order-8229"})), False),
        (5, GuardMemory(payments=frozenset({"order_id=order-1"})), True),
    ],
)
def test_a_row_proves_an_order_only_at_its_time(
    harness: Harness, seconds: float, memory: GuardMemory, proves: bool
) -> None:
    record = replace(harness.record(unknown_order(harness, PAYNET)), memory=memory)
    row = replace(row_of(harness), made_at=START + seconds)
    assert STATEMENT.proves(record, row) is proves
    assert not STATEMENT.proves(record, replace(row, made_at=None))
