"""HASO 5.5 "Ödeme Planını Getir" (get the payment plan), read as the total that stands now."""

from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from vezne.orders.record import GuardMemory
from vezne.providers.client import InquiryUnreadableError
from vezne.providers.haso.statement import HasoStatement
from vezne.providers.statement import RowState, StatementPage, StatementRow

from tests.support.harness import Harness
from tests.support.operations.haso_set_expenses import EXAMPLE as HASO, haso_plan, haso_success
from tests.support.provider_server import Reply, json_reply
from tests.support.statements import page_of
from tests.support.wire import answered

DAY = date(2026, 12, 1)
STATEMENT = HasoStatement()
CODE, OID = "TRX-2026-0001", "ORDER-0001"
GROUPS = (f"{CODE} {OID}", "TRX-2026-0002 ORDER-0002")


def read(harness: Harness, reply: Reply, groups: tuple[str, ...] = GROUPS, start: str = "") -> StatementPage:
    harness.server.on(HASO.look_up_route, reply)
    return page_of(harness, STATEMENT, DAY, groups, start)


def plan(*instalments: Any) -> Reply:
    return json_reply({"Success": True, "Errors": [], "Data": {"PaymentPlan": list(instalments)}})


def test_the_total_of_a_transaction_is_read(harness: Harness) -> None:
    page = read(harness, haso_success("330.00"))
    (call,) = harness.server.to(HASO.look_up_route)
    assert {**call.json(), "requestToken": "signed"} == {
        "merchantId": "sandbox-merchant-id",
        "merchantOid": OID,
        "transactionCode": CODE,
        "requestToken": "signed",
    }
    (row,) = page.rows
    assert (page.next, page.whole) == (GROUPS[1], True)
    assert (row.reference, row.state, row.amount, row.currency) == (CODE, RowState.BOOKED, Decimal(330), "TRY")
    assert row.names == {f"transaction_code={CODE}"}
    assert row.result["payment_plan"][-1]["total_expense_amount"] == "330.00"


def test_an_order_is_sought_by_its_transaction(harness: Harness) -> None:
    known = harness.record(answered(harness, HASO, HASO.success).body["operation_id"])
    sought = STATEMENT.sought(known.operation, known.lookup_fields, {})
    (row,) = read(harness, haso_success("330.00"), (sought.group,)).rows
    assert (sought.reference, sought.currency) == (row.reference, row.currency)
    # Whether the total includes the fee is not clear.
    assert sought.amounts == {Decimal(330), Decimal(230)}


def test_transactions_are_read_one_after_the_other(harness: Harness) -> None:
    assert read(harness, haso_success("1"), start=GROUPS[1]).next == ""
    assert harness.server.calls[-1].json()["merchantOid"] == "ORDER-0002"
    assert page_of(harness, STATEMENT, DAY) == StatementPage(())


ONE = {"InstallmentNo": 1, "totalExpenseAmount": 0}
TWO = {"InstallmentNo": 2, "totalExpenseAmount": "12.50"}


@pytest.mark.parametrize(
    ("reply", "total"),
    [
        (plan(ONE, TWO), "12.5"),
        (plan(TWO, ONE), "12.5"),
        (plan({"totalExpenseAmount": 7}), "7"),
        (json_reply({"Success": True, "Errors": None, "Data": {"PaymentPlan": ONE}}), "0"),
        (plan(), None),
        (plan(ONE, {"InstallmentNo": 2}), None),
        (plan(ONE, {**TWO, "InstallmentNo": 1}), None),
        (plan(ONE, {"totalExpenseAmount": 7}), None),
        (plan(ONE, {**TWO, "totalExpenseAmount": "12,50"}), None),
        (plan(ONE, {**TWO, "totalExpenseAmount": -1}), None),
        (plan(ONE, {**TWO, "termDate": {}}), None),
        (plan("instalment"), None),
        # No page says which refusals there are.
        (json_reply({"Success": False, "Errors": ["H101 İşlem bulunamadı"], "Data": {}}), None),
    ],
)
def test_the_total_is_on_the_last_instalment(harness: Harness, reply: Reply, total: str | None) -> None:
    (row,) = read(harness, reply).rows
    assert row.amount == (None if total is None else Decimal(total))
    assert row.state is (RowState.UNCLEAR if total is None else RowState.BOOKED)


def test_a_refusal_of_a_secret_that_has_changed_is_asked_again(
    harness: Harness, monkeypatch: pytest.MonkeyPatch
) -> None:
    changed = iter([True, False])
    monkeypatch.setattr(STATEMENT.client.credential_cache, "secret_changed", lambda: next(changed))
    refusal = json_reply({"Success": False, "Errors": ["H101"], "Data": {}})
    harness.server.on(HASO.look_up_route, refusal, haso_success("330.00"))
    (row,) = page_of(harness, STATEMENT, DAY, GROUPS).rows
    assert (row.state, row.amount) == (RowState.BOOKED, Decimal(330))


@pytest.mark.parametrize(
    "reply",
    [
        Reply(200, b"<html>"),
        json_reply({"Success": True, "Errors": [], "Data": {}}),
        json_reply({"Success": True, "Errors": ["H1"], "Data": haso_plan("1")}),
        json_reply({"Success": False, "Errors": [], "Data": haso_plan("1")}),
        json_reply({"Success": "True", "Errors": [], "Data": haso_plan("1")}),
        json_reply({"Success": True, "Errors": [], "Data": haso_plan("1")}, 404),
    ],
    ids=str,
)
def test_what_is_no_plan_is_not_read(harness: Harness, reply: Reply) -> None:
    with pytest.raises(InquiryUnreadableError):
        read(harness, reply)


@pytest.mark.parametrize(
    ("total", "before", "proves"),
    [
        ("330", None, True),
        ("330", (10000, 13000), True),
        ("330", (10000, 23000), False),
        ("330", (0, 33000), False),
        ("330", (1, 33000), False),
        # Perhaps the expense alone: it may be another order's.
        ("230", None, False),
        ("331", None, False),
    ],
)
def test_a_total_proves_an_order_unless_it_stood_before(
    harness: Harness, total: str, before: tuple[int, int] | None, proves: bool
) -> None:
    known = harness.record(answered(harness, HASO, HASO.success).body["operation_id"])
    figures = dict(zip(("counter_party_attorney_fee", "expense_amount"), before, strict=True)) if before else {}
    row = StatementRow(CODE, RowState.BOOKED, Decimal(total), "TRY")
    assert STATEMENT.proves(replace(known, memory=GuardMemory(figures=figures)), row) is proves
