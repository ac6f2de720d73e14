"""Ours against a list: each class of a finding, what becomes final by it, and a run that ends in the middle."""

import csv
from dataclasses import replace
from datetime import date

import pytest
from vezne.orders import report as reports
from vezne.orders.reconcile import read_report, reconcile
from vezne.orders.record import DECLINED, NOT_EXECUTED, RECONCILIATION, SUCCEEDED, UNKNOWN, istanbul_day
from vezne.orders.report import COMPLETE, INCOMPLETE, RUNNING, FindingClass, Report
from vezne.orders.store import StoreUnavailableError
from vezne.providers.client import InquiryFailedError
from vezne.providers.http import Deadline
from vezne.providers.statement import RowState, StatementPage

from tests.faults.memory_store import MemoryStore
from tests.faults.memory_table import MemoryTable
from tests.support.harness import START, Clock
from tests.support.statements import ListedStatement, MemoryArchive, order, row

DAY = istanbul_day(START)
LATER = 48 * 3600.0


class Night:
    """A table, an archive and a list, and the night in which they are compared."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.store = MemoryStore(MemoryTable(), self.clock)
        self.archive = MemoryArchive()
        self.statement = ListedStatement()
        self.seconds = 900.0

    def list(self, *rows: object) -> None:
        self.statement.rows += rows  # type: ignore[arg-type]

    def run(self, *, after: float = LATER, day: date = DAY) -> Report:
        self.clock.now = START + after
        deadline = Deadline(lambda: self.seconds * 1000)
        report = reconcile(self.statement, day, deadline, self.store, self.archive)
        assert report is not None
        return report

    def lines(self) -> dict[str, str]:
        """Of the file: the class of each order, by its reference."""
        text = self.archive.objects[f"reconciliations/paynet/{DAY.isoformat()}.csv"].decode()
        _, *table = text.splitlines()
        return {line["reference"]: line["class"] for line in csv.DictReader(table)}


@pytest.fixture
def night(monkeypatch: pytest.MonkeyPatch) -> Night:
    monkeypatch.setenv("TABLE_NAME", "in memory")
    return Night()


def counts(report: Report) -> dict[str, int]:
    return {name: count for name, count in report.counts.items() if count}


@pytest.mark.parametrize(
    ("status", "state", "amount", "expected"),
    [
        (SUCCEEDED, RowState.BOOKED, "10.00", FindingClass.MATCHED),
        (SUCCEEDED, RowState.BOOKED, "10", FindingClass.MATCHED),
        (SUCCEEDED, RowState.BOOKED, "10.01", FindingClass.AMOUNT_DIFFERS),
        (SUCCEEDED, RowState.FAILED, "10.00", FindingClass.STATUS_DIFFERS),
        (SUCCEEDED, RowState.TAKEN_BACK, "10.00", FindingClass.LATER_EVENT),
        (DECLINED, RowState.FAILED, "10.00", FindingClass.MATCHED),
        (DECLINED, RowState.BOOKED, "10.00", FindingClass.STATUS_DIFFERS),
        (NOT_EXECUTED, RowState.BOOKED, "10.00", FindingClass.STATUS_DIFFERS),
        (UNKNOWN, RowState.BOOKED, "10.00", FindingClass.SETTLED_BY_EVIDENCE),
        (UNKNOWN, RowState.FAILED, "10.00", FindingClass.SETTLED_BY_EVIDENCE),
        (UNKNOWN, RowState.BOOKED, "10.01", FindingClass.STILL_UNKNOWN),
        (UNKNOWN, RowState.BOOKED, None, FindingClass.STILL_UNKNOWN),
        (UNKNOWN, RowState.UNCLEAR, "10.00", FindingClass.STILL_UNKNOWN),
    ],
)
def test_an_order_and_its_row(
    night: Night, status: str, state: RowState, amount: str | None, expected: FindingClass
) -> None:
    order(night.store, "a", status)
    night.list(row("a", state, amount))
    assert counts(night.run()) == {expected: 1}
    assert night.lines() == {"a": expected}


@pytest.mark.parametrize(
    ("status", "after", "cut", "expected"),
    [
        (SUCCEEDED, LATER, False, FindingClass.MISSING_THERE),
        (SUCCEEDED, LATER, True, FindingClass.EXPECTED),
        (SUCCEEDED, 3600.0, False, FindingClass.EXPECTED),
        (DECLINED, LATER, False, FindingClass.MATCHED),
        (NOT_EXECUTED, LATER, False, FindingClass.MATCHED),
        (DECLINED, LATER, True, FindingClass.EXPECTED),
        (UNKNOWN, LATER, False, FindingClass.STILL_UNKNOWN),
        (UNKNOWN, LATER, True, FindingClass.STILL_UNKNOWN),
        (UNKNOWN, 3600.0, False, FindingClass.EXPECTED),
    ],
)
def test_an_order_without_a_row(night: Night, status: str, after: float, cut: bool, expected: FindingClass) -> None:
    order(night.store, "a", status)
    night.statement.cut = cut
    report = night.run(after=after)
    assert (counts(report), report.status) == ({expected: 1}, INCOMPLETE if cut else COMPLETE)


def test_a_row_makes_an_unknown_order_final(night: Night) -> None:
    unknown = order(night.store, "a", UNKNOWN)
    night.list(row("a"))
    night.run()
    final = night.store.find(unknown.id)
    assert final is not None
    assert (final.status, final.settled_by) == (SUCCEEDED, RECONCILIATION)
    assert final.outcome == {"result": {"id": "a"}}
    assert [entry["asked"] for entry in final.evidence] == ["reconciliation"]
    assert counts(night.run()) == {FindingClass.SETTLED_BY_EVIDENCE: 1}


def test_a_failed_row_declines_an_unknown_order(night: Night) -> None:
    unknown = order(night.store, "a", UNKNOWN)
    night.list(row("a", RowState.FAILED, result={"code": "51", "text": "Yetersiz bakiye"}))
    night.run()
    final = night.store.find(unknown.id)
    assert final is not None
    assert (final.status, final.outcome) == (DECLINED, {"code": "51", "text": "Yetersiz bakiye"})


def test_two_rows_prove_nothing(night: Night) -> None:
    unknown = order(night.store, "a", UNKNOWN)
    night.list(row("a"), row("a", names=frozenset({"id=another"})))
    assert counts(night.run()) == {FindingClass.STILL_UNKNOWN: 1}
    assert night.store.find(unknown.id) == unknown


def test_a_second_row_of_a_finished_order_is_an_orphan(night: Night) -> None:
    order(night.store, "a")
    night.list(row("a"), row("a"), row("a", names=frozenset({"id=another"})))
    assert counts(night.run()) == {FindingClass.MATCHED: 1, FindingClass.ORPHAN_THERE: 1}


def test_rows_of_no_order(night: Night) -> None:
    night.list(row("theirs"), row("ours", is_ours=True), row("ours, failed", RowState.FAILED, is_ours=True))
    report = night.run()
    assert counts(report) == {FindingClass.FOREIGN: 2, FindingClass.ORPHAN_THERE: 1}
    assert [finding["reference"] for finding in report.findings] == ["ours"]


def test_a_row_of_our_mark_may_be_of_a_neighbouring_day(night: Night) -> None:
    night.clock.now = START - 86_400
    order(night.store, "a")
    night.list(row("a", is_ours=True))
    assert counts(night.run()) == {}


def test_an_order_in_another_account_is_not_judged(night: Night) -> None:
    order(night.store, "a", account={"url": "https://elsewhere.invalid"})
    assert counts(night.run()) == {FindingClass.EXPECTED: 1}


def test_an_unclear_row_makes_the_day_incomplete(night: Night) -> None:
    order(night.store, "a")
    night.list(row("a", RowState.UNCLEAR))
    report = night.run()
    assert (report.status, report.is_clean) == (INCOMPLETE, False)


def test_a_list_that_goes_nowhere_ends(night: Night) -> None:
    order(night.store, "a")
    page = StatementPage((row("a"),), "again")
    night.statement.page = lambda *_: page  # type: ignore[method-assign]
    assert night.run().status == INCOMPLETE


def test_a_finding_is_kept_once(night: Night) -> None:
    order(night.store, "a")
    first, second = night.run(), night.run()
    assert first.findings == second.findings
    kept = [item for name, item in night.store._memory.items.items() if name.startswith("finding#")]
    assert [item["class"]["S"] for item in kept] == [FindingClass.MISSING_THERE]


@pytest.mark.parametrize("pages", range(5))
def test_a_run_goes_on_where_it_was(night: Night, pages: int) -> None:
    """Ended after each page, by its time or by a provider that does not answer, it gives the same report."""
    for name in "abcdefgh":
        order(night.store, name, UNKNOWN if name in "bf" else SUCCEEDED)
    order(night.store, "missing")
    night.list(*(row(name, amount="9.99" if name == "c" else "10.00") for name in "abcdefgh"), row("foreign"))
    whole = night.statement.page
    left = iter([*[True] * pages, False])

    def page(*arguments: object) -> StatementPage:
        if not next(left, True):
            raise InquiryFailedError("http-502")
        return whole(*arguments)  # type: ignore[arg-type]

    night.statement.page = page  # type: ignore[method-assign]
    first = night.run()
    assert first.status == (RUNNING if pages < 3 else COMPLETE)
    report = night.run() if first.status == RUNNING else first
    assert night.statement.read == ["", "3", "6"]
    assert counts(report) == {
        FindingClass.MATCHED: 5,
        FindingClass.SETTLED_BY_EVIDENCE: 2,
        FindingClass.AMOUNT_DIFFERS: 1,
        FindingClass.MISSING_THERE: 1,
        FindingClass.FOREIGN: 1,
    }
    assert len(night.lines()) == 9


def test_a_run_stops_before_its_time_ends(night: Night) -> None:
    night.list(row("a"))
    night.seconds = 30.0
    assert night.run().status == RUNNING
    assert night.statement.read == []


def test_two_runs_of_a_day_are_not_at_once(night: Night) -> None:
    night.seconds = 30.0
    running = night.run()
    report = replace(running, lease_until=night.clock.now + 60)
    night.store.update_item(reports.progress(report))
    deadline = Deadline(lambda: 900_000)
    assert reconcile(night.statement, DAY, deadline, night.store, night.archive) is None


def test_a_night_reconciles_a_day_once(night: Night) -> None:
    first = night.run()
    deadline = Deadline(lambda: 900_000)
    again = reconcile(night.statement, DAY, deadline, night.store, night.archive, again=False)
    assert again == first
    assert read_report("paynet", DAY, night.store) == first


def test_an_archive_that_does_not_answer_ends_the_run(night: Night, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise StoreUnavailableError("archive")

    order(night.store, "a", UNKNOWN)
    night.list(row("a"))
    with monkeypatch.context() as patched:
        patched.setattr(night.archive, "put", fail)
        with pytest.raises(StoreUnavailableError):
            night.run()
    assert counts(night.run(after=LATER + 600)) == {FindingClass.SETTLED_BY_EVIDENCE: 1}


def test_the_report_has_the_notes_of_the_provider(night: Night) -> None:
    night.statement.notes = lambda _: {"vault 1": "10.00 TRY"}  # type: ignore[method-assign]
    report = night.run()
    assert report.public()["notes"] == {"vault 1": "10.00 TRY"}
    assert read_report("paynet", DAY, night.store) == report


def test_a_report_without_notes_is_finished_too(night: Night) -> None:
    def fail(_: Deadline) -> dict[str, str]:
        raise InquiryFailedError("http-502")

    night.statement.notes = fail  # type: ignore[method-assign]
    report = night.run()
    assert (report.status, report.public().get("notes")) == (COMPLETE, None)
