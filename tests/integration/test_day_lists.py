"""A day reconciled with the sandbox of its provider: orders really sent, their list really read, each fault its class.

The functions, the statements and the comparison are the deployed ones. Table, archive and sockets are in memory.
"""

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any

import pytest
from vezne.orders.reconcile import reconcile
from vezne.orders.record import DECLINED, ISTANBUL, SUCCEEDED, UNKNOWN
from vezne.orders.report import COMPLETE, INCOMPLETE, FindingClass, Report
from vezne.providers.http import Deadline
from vezne.providers.paynet.statement import PaynetStatement
from vezne.providers.vakifbank.statement import VakifBankStatement

from tests.faults.in_process import Bench, in_process
from tests.faults.orders import Order, new_order
from tests.support.statements import MemoryArchive

# A Wednesday.
DAY = date(2026, 12, 2)
MATCHED, SETTLED, EXPECTED = FindingClass.MATCHED, FindingClass.SETTLED_BY_EVIDENCE, FindingClass.EXPECTED
UNKNOWN_STILL, MISSING, ORPHAN = FindingClass.STILL_UNKNOWN, FindingClass.MISSING_THERE, FindingClass.ORPHAN_THERE
FOREIGN, AMOUNT, STATUS = FindingClass.FOREIGN, FindingClass.AMOUNT_DIFFERS, FindingClass.STATUS_DIFFERS
LATER = FindingClass.LATER_EVENT


def at(hour: float, day: date = DAY) -> float:
    """A time in Türkiye, in seconds since 1970."""
    return datetime.combine(day, datetime.min.time(), ISTANBUL).timestamp() + hour * 3600


class Day:
    """One day with a provider: its functions have one table, one sandbox and one clock."""

    def __init__(self, list_operation: str, *operations: str) -> None:
        self.list_operation = list_operation
        self.benches = {operation: Bench(operation) for operation in operations}
        self.bench = first = self.benches[operations[0]]
        for bench in self.benches.values():
            bench.table, bench.sandbox = first.table, first.sandbox
        self.sandbox, self.archive = first.sandbox, MemoryArchive()
        self.sandbox.ledger.clock.now = lambda: self.bench.now  # type: ignore[method-assign]
        bank = VakifBankStatement(lambda: self.bench.now)
        self.statement = PaynetStatement() if list_operation.startswith("paynet") else bank
        self.clock(at(10))

    def clock(self, now: float) -> None:
        for bench in self.benches.values():
            bench.now = now
        self.sandbox.book_what_is_due()

    def send(self, order: Order, then: str = "answer", **rule: Any) -> Order:
        """Send an order, with a fault at the provider. Half a minute passes."""
        self.bench = self.benches[order.operation]
        if then != "answer" or rule:
            self.bench.rule(operation=order.operation, then=then, **rule)
        assert self.bench.call(order.event) is not None
        self.clock(self.bench.now + 30)
        return order

    def status(self, order: Order) -> str:
        record = self.bench.store().find(order.id)
        assert record is not None
        return record.status

    def night(self, number: int = 1, day: date = DAY) -> Report:
        """The night so many days after the day, at 03:30."""
        self.clock(at(3.5, day + timedelta(days=number)))
        report = reconcile(self.statement, day, Deadline(lambda: 900_000), self.bench.store(), self.archive)
        assert report is not None
        return report

    def list_fault(self, then: str, **rule: Any) -> None:
        self.bench.rule(operation=self.list_operation, then=then, times=0, **rule)


@contextmanager
def day_of(list_operation: str, *operations: str) -> Iterator[Day]:
    day = Day(list_operation, *operations)
    with in_process(lambda: day.bench):
        yield day


def counts(report: Report) -> dict[str, int]:
    return {name: count for name, count in report.counts.items() if count}


# ------------------------------------------------------------ Paynet

PAYNET = ("paynet.list_transactions", "paynet.capture", "paynet.reverse_capture")


def capture(day: Day, amount: str = "10.00", limit: str = "100.00") -> Order:
    """An order to capture a pre-authorisation that was made days before, so the list does not have that."""
    now, order = day.bench.now, new_order("paynet.capture", amount)
    day.clock(now - 5 * 86_400)
    day.sandbox.providers["paynet"].seed({"pre_authorisations": [{"reference_no": order.reference, "amount": limit}]})
    day.clock(now)
    return order


def test_a_clean_day_at_paynet() -> None:
    with day_of(*PAYNET) as day:
        day.send(capture(day))
        day.send(capture(day))
        refused = day.send(capture(day), "refuse")
        assert day.status(refused) == DECLINED
        report = day.night()
        assert (report.is_clean, counts(report)) == (True, {MATCHED: 3})
        assert [day.night(number).is_clean for number in (2, 3)] == [True, True]


def test_unknown_outcomes_at_paynet_end_by_what_the_list_shows() -> None:
    with day_of(*PAYNET) as day:
        booked = day.send(capture(day), "reset")
        failed = day.send(capture(day, "10.00", limit="1.00"), "reset")
        nothing = day.send(capture(day), "reset", book=False)
        by_number = day.send(capture(day).but(reference_no=None, xact="77"), "reset")
        assert {day.status(order) for order in (booked, failed, nothing, by_number)} == {UNKNOWN}
        # The row of the last one is of an order that names no reference.
        assert counts(day.night()) == {SETTLED: 2, UNKNOWN_STILL: 2, FOREIGN: 2}
        ends = [day.status(order) for order in (booked, failed, nothing, by_number)]
        assert ends == [SUCCEEDED, DECLINED, UNKNOWN, UNKNOWN]


def test_parts_of_one_pre_authorisation() -> None:
    """Each under the same reference: what names the rows of the others shows whose the last row is."""
    with day_of(*PAYNET) as day:
        first = day.send(capture(day))
        day.send(first.for_amount("20.00", key="second"))
        lost = day.send(first.for_amount("10.00", key="third"), "reset")
        assert counts(day.night()) == {MATCHED: 2, SETTLED: 1}
        assert day.status(lost) == SUCCEEDED


def test_a_reversal_with_and_without_the_original() -> None:
    with day_of(*PAYNET) as day:
        day.clock(at(10, DAY - timedelta(days=4)))
        earlier = day.send(capture(day))
        day.clock(at(10))
        today = day.send(capture(day))
        reversals = [
            day.send(new_order("paynet.reverse_capture").but(xact_id=xact_id_of(day, order)), then)
            for order, then in ((earlier, "answer"), (today, "reset"))
        ]
        report = day.night()
        # That of the earlier capture is named by its own answer, the other one by the row of its capture.
        assert (report.is_clean, counts(report)) == (True, {MATCHED: 1, SETTLED: 1, LATER: 1})
        assert [day.status(reversal) for reversal in reversals] == [SUCCEEDED, SUCCEEDED]


def test_a_cancelled_pre_authorisation_is_known_by_its_own_row() -> None:
    with day_of("paynet.list_transactions", "paynet.reverse_preauthorisation") as day:
        answered, lost = (day.send(new_order("paynet.reverse_preauthorisation"), then) for then in ("answer", "reset"))
        assert (day.status(answered), day.status(lost)) == (SUCCEEDED, UNKNOWN)
        report = day.night()
        # The list has both pre-authorisations, too, which no order of ours makes.
        assert (report.is_clean, counts(report)) == (True, {MATCHED: 1, SETTLED: 1, FOREIGN: 2})
        assert day.status(lost) == SUCCEEDED


@pytest.mark.parametrize("operation", ["paynet.reverse_preauthorisation", "paynet.reverse_capture"])
def test_a_reversal_that_was_refused_and_ordered_anew(operation: str) -> None:
    """Both orders are known by what they cancel, and the row is of the second."""
    with day_of("paynet.list_transactions", operation) as day:
        order = new_order(operation)
        refused, done = day.send(order, "refuse"), day.send(order.but(key="second"))
        assert (day.status(refused), day.status(done)) == (DECLINED, SUCCEEDED)
        report = day.night()
        assert (report.is_clean, counts(report)[MATCHED]) == (True, 2)


def xact_id_of(day: Day, order: Order) -> str:
    record = day.bench.store().find(order.id)
    assert record is not None
    assert record.outcome is not None
    return str(record.outcome["result"]["xact_id"])


def of_another_amount(day: Day, order: Order) -> None:
    booking = next(b for b in day.sandbox.ledger.bookings if order.reference in b.references.values())
    booking.amount += 1


@pytest.mark.parametrize(
    ("then", "rule", "change", "expected"),
    [
        # Answered as a success, and never made.
        ("answer", {"book": False}, None, {MISSING: 1}),
        # Answered as a refusal, and made.
        ("refuse", {"book": True}, None, {STATUS: 1}),
        ("answer", {}, of_another_amount, {AMOUNT: 1}),
    ],
)
def test_contradictions_at_paynet(
    then: str, rule: dict[str, Any], change: Callable[[Day, Order], None] | None, expected: dict[str, int]
) -> None:
    with day_of(*PAYNET) as day:
        day.send(capture(day))
        order = day.send(capture(day, "20.00"), then, **rule)
        if change:
            change(day, order)
        report = day.night()
        assert counts(report) == Counter(expected) + Counter({MATCHED: 1})
        assert [finding["operation_id"] for finding in report.findings] == [order.id]


# What two orders come to that succeeded, and one whose answer was lost; and whether the list was read to its end.
PAYNET_FAULTS: list[tuple[str, dict[str, Any], dict[str, int], str]] = [
    ("small_pages", {"rows": 1}, {MATCHED: 2, SETTLED: 1}, COMPLETE),
    ("text_amounts", {}, {MATCHED: 2, SETTLED: 1}, COMPLETE),
    ("new_ids", {}, {MATCHED: 2, SETTLED: 1}, COMPLETE),
    ("foreign", {}, {MATCHED: 2, SETTLED: 1}, COMPLETE),
    ("endless", {}, {MATCHED: 2, SETTLED: 1}, INCOMPLETE),
    # Two rows of the last order: which of them is its own?
    ("twice", {}, {MATCHED: 2, UNKNOWN_STILL: 1, ORPHAN: 1}, COMPLETE),
    # Too long after the call: those that were answered are known by their codes.
    ("last_second", {}, {MATCHED: 2, UNKNOWN_STILL: 1, FOREIGN: 1}, COMPLETE),
    ("unnamed_row", {}, {MATCHED: 2, SETTLED: 1}, COMPLETE),
    ("lag", {"seconds": 90_000}, {MISSING: 2, UNKNOWN_STILL: 1}, COMPLETE),
    ("odd_row", {"form": "no_sign"}, {EXPECTED: 2, UNKNOWN_STILL: 1}, INCOMPLETE),
    ("odd_row", {"form": "pending"}, {EXPECTED: 2, UNKNOWN_STILL: 1}, INCOMPLETE),
    ("odd_row", {"form": "negative"}, {EXPECTED: 2, UNKNOWN_STILL: 1}, INCOMPLETE),
    ("odd_row", {"form": "cancelled"}, {LATER: 3}, COMPLETE),
    ("odd_row", {"form": "other_currency"}, {AMOUNT: 2, UNKNOWN_STILL: 1}, COMPLETE),
]


@pytest.mark.parametrize(("then", "rule", "expected", "status"), PAYNET_FAULTS, ids=str)
def test_faults_of_the_list_of_paynet(then: str, rule: dict[str, Any], expected: dict[str, int], status: str) -> None:
    with day_of(*PAYNET) as day:
        for fault in ("answer", "answer", "reset"):
            day.send(capture(day), fault)
        day.list_fault(then, **rule)
        report = day.night()
        assert (counts(report), report.status) == (expected, status)


def test_an_order_before_midnight_that_is_booked_after_it() -> None:
    with day_of(*PAYNET) as day:
        order = capture(day)
        day.clock(at(24) - 20)
        day.send(order, "reset", book={"after_seconds": 40})
        assert counts(day.night()) == {SETTLED: 1}
        assert day.night(day=DAY + timedelta(days=1)).is_clean


def test_a_row_that_appears_late_is_seen_on_the_next_night() -> None:
    with day_of(*PAYNET) as day:
        order = capture(day)
        day.clock(at(22))
        day.send(order)
        day.list_fault("lag", seconds=7 * 3600)
        assert counts(day.night(1)) == {EXPECTED: 1}
        assert counts(day.night(2)) == {MATCHED: 1}


# ------------------------------------------------------------ VakıfBank

BANK = ("vakifbank.query", "vakifbank.pay")


def payment(on: date = DAY, amount: str = "10.00") -> Order:
    """An order under a code that we make."""
    return new_order("vakifbank.pay", amount).but(payment_date=f"{on}", institution_transaction_code=None)


def test_a_clean_day_at_vakifbank() -> None:
    with day_of(*BANK) as day:
        for fault in ("answer", "refuse"):
            day.send(payment(), fault)
        lost = day.send(payment(), "reset")
        report = day.night()
        assert (report.is_clean, counts(report)) == (True, {MATCHED: 2, SETTLED: 1})
        assert day.status(lost) == SUCCEEDED
        assert [day.night(number).is_clean for number in (2, 3)] == [True, True]


def test_a_day_without_payments_at_vakifbank() -> None:
    with day_of(*BANK) as day:
        day.send(payment(), "refuse")
        report = day.night()
        assert (report.is_clean, counts(report)) == (True, {MATCHED: 1})


def test_a_payment_is_found_on_the_business_day_to_which_the_bank_moved_it() -> None:
    saturday = DAY + timedelta(days=3)
    with day_of(*BANK) as day:
        day.sandbox.providers["vakifbank"].seed({"executes_on_payment_date": True})
        ordered = day.send(payment(saturday))
        assert day.status(ordered) == SUCCEEDED
        # It is made on Monday.
        assert [counts(day.night(number, saturday)) for number in (1, 2, 3)] == [
            {EXPECTED: 1},
            {EXPECTED: 1},
            {MATCHED: 1},
        ]
        monday = day.night(1, saturday + timedelta(days=2))
        assert (monday.is_clean, counts(monday)) == (True, {})


@pytest.mark.parametrize(
    ("then", "book", "nights"),
    [
        ("answer", False, [{EXPECTED: 1}, {EXPECTED: 1}, {MISSING: 1}]),
        ("refuse", True, [{STATUS: 1}] * 3),
        ("reset", False, [{EXPECTED: 1}, {EXPECTED: 1}, {UNKNOWN_STILL: 1}]),
    ],
)
def test_contradictions_at_vakifbank(then: str, book: bool, nights: list[dict[str, int]]) -> None:
    with day_of(*BANK) as day:
        day.send(payment())
        order = day.send(payment(), then, book=book)
        reports = [day.night(number) for number in (1, 2, 3)]
        assert [counts(report) for report in reports] == [Counter(night) + Counter({MATCHED: 1}) for night in nights]
        assert {finding["operation_id"] for report in reports for finding in report.findings} <= {order.id}


def test_a_payment_under_a_code_of_ours_without_a_record() -> None:
    with day_of(*BANK) as day:
        day.send(payment())
        forgotten = day.send(payment())
        del day.bench.table.items[forgotten.id]
        report = day.night()
        assert counts(report) == {MATCHED: 1, ORPHAN: 1}
        assert not report.is_clean


def test_absence_at_vakifbank_ends_an_outcome_only_when_the_operator_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    with day_of(*BANK) as day:
        lost = day.send(payment(), "reset", book=False)
        assert [counts(day.night(number)) for number in (20, 21)] == [{UNKNOWN_STILL: 1}] * 2
        monkeypatch.setenv("VAKIFBANK_LIST_IS_COMPLETE", "true")
        assert [counts(day.night(number)) for number in (22, 23)] == [{UNKNOWN_STILL: 1}, {SETTLED: 1}]
        assert day.status(lost) == "not_executed"


# As for Paynet.
BANK_FAULTS: list[tuple[str, dict[str, Any], dict[str, int], str]] = [
    ("text_amounts", {}, {MATCHED: 2, SETTLED: 1}, COMPLETE),
    ("foreign", {}, {MATCHED: 2, SETTLED: 1}, COMPLETE),
    ("twice", {}, {MATCHED: 2, UNKNOWN_STILL: 1, ORPHAN: 1}, COMPLETE),
    # One day's list is cut without a sign. It is late only on the third night.
    ("cut_list", {"rows": 2}, {MATCHED: 2, EXPECTED: 1}, COMPLETE),
    ("lag", {"seconds": 90_000}, {EXPECTED: 3}, COMPLETE),
    ("unnamed_row", {"form": "other_case"}, {MATCHED: 2, SETTLED: 1}, COMPLETE),
    ("unnamed_row", {"form": "padded"}, {MATCHED: 2, SETTLED: 1}, COMPLETE),
    ("unnamed_row", {"form": "without_hyphens"}, {MATCHED: 2, SETTLED: 1}, COMPLETE),
    # Those that were answered are known by the bank's numbers.
    ("unnamed_row", {"form": "missing"}, {EXPECTED: 3, FOREIGN: 1}, INCOMPLETE),
    ("unnamed_row", {"form": "other_name"}, {EXPECTED: 3, FOREIGN: 1}, INCOMPLETE),
    ("odd_row", {"form": "no_sign"}, {EXPECTED: 2, UNKNOWN_STILL: 1}, INCOMPLETE),
    ("odd_row", {"form": "pending"}, {EXPECTED: 2, UNKNOWN_STILL: 1}, INCOMPLETE),
    ("odd_row", {"form": "cancelled"}, {EXPECTED: 2, UNKNOWN_STILL: 1}, INCOMPLETE),
    ("odd_row", {"form": "negative"}, {EXPECTED: 2, UNKNOWN_STILL: 1}, INCOMPLETE),
    ("odd_row", {"form": "other_currency"}, {AMOUNT: 2, UNKNOWN_STILL: 1}, COMPLETE),
]


@pytest.mark.parametrize(("then", "rule", "expected", "status"), BANK_FAULTS, ids=str)
def test_faults_of_the_list_of_vakifbank(
    then: str, rule: dict[str, Any], expected: dict[str, int], status: str
) -> None:
    with day_of(*BANK) as day:
        for fault in ("answer", "answer", "reset"):
            day.send(payment(), fault)
        day.list_fault(then, **rule)
        report = day.night()
        assert (counts(report), report.status) == (expected, status)


def test_a_list_of_100_rows_may_be_cut() -> None:
    with day_of(*BANK) as day:
        day.send(payment())
        (booking,) = day.sandbox.ledger.bookings
        for number in range(100):
            names = ("InstitutionTransactionCode", "TransactionQueryNo", "TransactionObjectId")
            theirs = {**booking.answer, **dict.fromkeys(names, f"theirs-{number}")}
            day.sandbox.ledger.bookings.insert(0, replace(booking, answer=theirs))
        report = day.night(3)
        assert (counts(report), report.status) == ({EXPECTED: 1, FOREIGN: 100}, INCOMPLETE)
