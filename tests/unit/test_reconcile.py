"""Ours against a list: each class of a finding, what becomes final by it, and a run that ends in the middle."""

import csv
from collections.abc import Mapping
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from unittest import mock

import pytest
from vezne.orders import report as reports
from vezne.orders.reconcile import reconcile
from vezne.orders.record import DECLINED, NOT_EXECUTED, RECONCILIATION, SUCCEEDED, UNKNOWN, istanbul_day
from vezne.orders.report import COMPLETE, INCOMPLETE, MOST_FINDINGS, RUNNING, FindingClass, Report
from vezne.orders.resolutions import read_report
from vezne.orders.store import ConditionFailedError, StoreUnavailableError
from vezne.providers.client import InquiryFailedError
from vezne.providers.credentials import SecretUnavailableError
from vezne.providers.http import Deadline
from vezne.providers.statement import RowState, Sought, StatementPage, StatementRow

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


def by_name(operation: str, lookup_fields: Mapping[str, str], result: Mapping[str, str]) -> Sought:
    """Orders that are known by what their answer called them, too."""
    names = frozenset(f"{name}={result[name]}" for name in ("id", "code") if name in result)
    return Sought(lookup_fields["reference_no"], names, frozenset({Decimal(lookup_fields["amount"])}))


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


def test_a_row_far_from_the_time_of_a_call_is_another_payment(night: Night) -> None:
    """Under a reference that other payments have, too: an order that was refused would seem to be booked."""
    night.statement.reference_is_unique = False  # type: ignore[misc]
    night.statement.booked_within = timedelta(minutes=10)  # type: ignore[misc]
    order(night.store, "a", DECLINED)
    unknown = order(night.store, "b", UNKNOWN)
    night.list(row("a", made_at=START + 3600), row("b", made_at=START - 3600), row("b", made_at=START + 5))
    assert counts(night.run()) == {
        FindingClass.MATCHED: 1,
        FindingClass.FOREIGN: 2,
        FindingClass.SETTLED_BY_EVIDENCE: 1,
    }
    final = night.store.find(unknown.id)
    assert final is not None
    assert final.status == SUCCEEDED


@pytest.mark.parametrize(
    ("amount", "expected"),
    [
        # It is the finished order's, of which it has the amount.
        ("10.00", {FindingClass.MATCHED: 1, FindingClass.STILL_UNKNOWN: 1}),
        # An unknown one needs a row that can be nobody else's.
        ("20.00", {FindingClass.MISSING_THERE: 1, FindingClass.STILL_UNKNOWN: 1, FindingClass.FOREIGN: 1}),
        ("30.00", {FindingClass.MISSING_THERE: 1, FindingClass.STILL_UNKNOWN: 1, FindingClass.FOREIGN: 1}),
    ],
)
def test_whose_a_row_is_that_two_nameless_orders_of_a_reference_could_have(
    night: Night, amount: str, expected: dict[FindingClass, int]
) -> None:
    night.statement.reference_is_unique = False  # type: ignore[misc]
    order(night.store, "a", key="first")
    order(night.store, "a", UNKNOWN, key="second", amount="20.00")
    night.list(row("a", amount=amount))
    assert counts(night.run()) == expected


@pytest.mark.parametrize(("night_after", "expected"), [(1, FindingClass.EXPECTED), (3, FindingClass.MISSING_THERE)])
def test_an_order_for_a_later_day_is_late_from_that_day_on(
    night: Night, night_after: int, expected: FindingClass
) -> None:
    night.statement.orders_name_a_day = True  # type: ignore[misc]
    night.statement.late = timedelta(days=1)  # type: ignore[misc]
    day = DAY + timedelta(days=5)
    order(night.store, "a", payment_date=f"{day}T00:00:00")
    after = (day - DAY).days * 86_400 + night_after * 86_400.0
    assert counts(night.run(after=after, day=day)) == {expected: 1}


def test_absence_is_proven_only_for_orders_of_which_the_statement_says_so(night: Night) -> None:
    proving = order(night.store, "a", UNKNOWN)
    order(night.store, "b", UNKNOWN)
    night.statement.absence_proves = lambda record, now: record.id == proving.id and now > START  # type: ignore[method-assign]
    assert counts(night.run()) == {FindingClass.STILL_UNKNOWN: 2}
    assert counts(night.run(after=LATER + 7 * 3600)) == {
        FindingClass.SETTLED_BY_EVIDENCE: 1,
        FindingClass.STILL_UNKNOWN: 1,
    }
    final = night.store.find(proving.id)
    assert final is not None
    assert final.status == NOT_EXECUTED


def test_two_rows_prove_no_outcome_and_are_one_too_many(night: Night) -> None:
    unknown = order(night.store, "a", UNKNOWN)
    night.list(row("a"), row("a", names=frozenset({"id=another"})), row("a"))
    assert counts(night.run()) == {FindingClass.STILL_UNKNOWN: 1, FindingClass.ORPHAN_THERE: 1}
    assert night.store.find(unknown.id) == unknown


def test_a_second_row_of_a_finished_order_is_an_orphan(night: Night) -> None:
    order(night.store, "a")
    night.list(row("a"), row("a"), row("a", names=frozenset({"id=another"})))
    assert counts(night.run()) == {FindingClass.MATCHED: 1, FindingClass.ORPHAN_THERE: 1}


@pytest.mark.parametrize("first", ["a", "another"])
def test_the_second_row_is_the_one_that_the_answer_did_not_name(night: Night, first: str) -> None:
    """Whichever of them the list has first: else a finding would have another name each night."""
    night.statement.sought = by_name  # type: ignore[method-assign]
    order(night.store, "a")
    night.list(row("a", names=frozenset({f"id={first}"})))
    night.list(row("a", names=frozenset({"id=another" if first == "a" else "id=a"})))
    report = night.run()
    assert counts(report) == {FindingClass.MATCHED: 1, FindingClass.ORPHAN_THERE: 1}
    assert [finding["name"] for finding in report.findings] == ["id=another"]


def test_a_row_that_the_answer_named_otherwise_is_still_the_order_s_only_one(night: Night) -> None:
    """A provider may write an id in two ways: then each order of the day would be missing, and an orphan beside it."""
    night.statement.sought = by_name  # type: ignore[method-assign]
    order(night.store, "a")
    night.list(row("a", names=frozenset({"id=0000a"})))
    assert counts(night.run()) == {FindingClass.MATCHED: 1}


def test_a_code_that_two_payments_have_in_common_names_neither(night: Night) -> None:
    """An authorisation code has six digits: of 100,000 orders of a day many have the same one."""
    night.statement.sought = by_name  # type: ignore[method-assign]
    order(night.store, "a", code="123456")
    order(night.store, "b", code="123456")
    unknown = order(night.store, "c", UNKNOWN)
    night.list(*(row(name, names=frozenset({f"id={name}", "code=123456"})) for name in "bac"))
    assert counts(night.run()) == {FindingClass.MATCHED: 2, FindingClass.SETTLED_BY_EVIDENCE: 1}
    final = night.store.find(unknown.id)
    assert final is not None
    assert final.status == SUCCEEDED


def test_an_order_that_a_look_up_ends_while_the_list_is_read_is_judged_by_its_row(night: Night) -> None:
    unknown = order(night.store, "a", UNKNOWN)
    night.list(row("a"), row("a", names=frozenset({"id=another"})))
    whole = night.statement.page

    def page(*arguments: object) -> StatementPage:
        taken = night.store.acquire_lease(unknown, "sweep", night.clock.now + 30)
        night.store.finalise(taken, NOT_EXECUTED, {})
        return whole(*arguments)  # type: ignore[arg-type]

    night.statement.page = page  # type: ignore[method-assign]
    assert counts(night.run()) == {FindingClass.STATUS_DIFFERS: 1, FindingClass.ORPHAN_THERE: 1}


def test_an_order_that_is_final_in_no_index_yet_is_no_orphan(night: Night, monkeypatch: pytest.MonkeyPatch) -> None:
    """The indexes are behind the table for a moment."""
    unknown = order(night.store, "a", UNKNOWN)
    night.list(row("a", is_ours=True))
    with monkeypatch.context() as patched:
        patched.setattr(night.store, "of_day", lambda *_: iter(()))
        listed = list(night.store.unresolved(unknown.operation))
        night.store.finalise(night.store.acquire_lease(unknown, "sweep", night.clock.now + 30), SUCCEEDED, {})
        patched.setattr(night.store, "unresolved", lambda *_: iter(listed))
        assert counts(night.run()) == {FindingClass.MATCHED: 1}


def test_an_order_that_was_not_sent_after_all_is_not_judged(night: Night) -> None:
    unknown = order(night.store, "a", UNKNOWN)
    night.statement.page = lambda *_: night.store.release(unknown) or StatementPage(())  # type: ignore[method-assign]
    assert counts(night.run()) == {}


def test_a_row_that_two_pages_repeat_counts_once(night: Night) -> None:
    order(night.store, "a")
    night.list(row("orphan", is_ours=True), row("foreign"), row("a"))
    night.list(row("orphan", is_ours=True), row("foreign"), row("a"))
    assert counts(night.run()) == {
        FindingClass.MATCHED: 1, FindingClass.ORPHAN_THERE: 1, FindingClass.FOREIGN: 1,
    }  # fmt: skip


def test_a_row_of_an_unresolved_order_of_the_day_before_is_no_orphan(night: Night) -> None:
    night.clock.now = START - 86_400
    order(night.store, "a", UNKNOWN, account={"url": "https://elsewhere.invalid"})
    night.list(row("a", is_ours=True))
    assert counts(night.run()) == {}


def test_a_second_row_after_midnight_is_an_orphan(night: Night) -> None:
    """The day before may end without it, where a list has the rows of one day alone."""
    night.statement.sought = by_name  # type: ignore[method-assign]
    night.clock.now = START - 86_400
    order(night.store, "a")
    night.list(row("a", is_ours=True, names=frozenset({"id=another"}), day=DAY))
    assert counts(night.run()) == {FindingClass.ORPHAN_THERE: 1}


def test_orders_without_a_reference_hide_no_orphan(night: Night) -> None:
    night.statement.sought = lambda *_: Sought("", frozenset({"id=known"}))  # type: ignore[method-assign]
    night.clock.now = START - 86_400
    order(night.store, "a")
    night.list(row("", is_ours=True, names=frozenset({"id=orphan"})))
    assert counts(night.run()) == {FindingClass.ORPHAN_THERE: 1}


def test_a_reversal_in_a_row_of_its_own_is_a_later_event(night: Night) -> None:
    order(night.store, "a")
    night.list(row("a"), row("a", RowState.TAKEN_BACK, names=frozenset({"id=reversal"})))
    assert counts(night.run()) == {FindingClass.MATCHED: 1, FindingClass.LATER_EVENT: 1}


def test_what_is_not_in_the_list_of_another_account_proves_nothing(night: Night) -> None:
    order(night.store, "a", DECLINED, account={"url": "https://elsewhere.invalid"})
    assert counts(night.run()) == {FindingClass.EXPECTED: 1}


def test_a_login_that_cannot_be_read_ends_the_run_until_it_is_started_again(
    night: Night, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail() -> None:
        raise SecretUnavailableError("no answer")

    with monkeypatch.context() as patched:
        patched.setattr(night.statement.client.credential_cache, "credentials", fail)
        assert night.run().status == RUNNING
    assert night.run().status == COMPLETE


def test_a_run_that_is_taken_over_ends_in_silence(night: Night) -> None:
    """Its function was slow, its lease over. The other one's report stands."""
    night.list(row("a"))
    whole = night.statement.page
    others: list[Report] = []

    def page(*arguments: object) -> StatementPage:
        if not others:
            others.append(Report("paynet", DAY))
            others[0] = night.run(after=LATER + 600)
        return whole(*arguments)  # type: ignore[arg-type]

    night.statement.page = page  # type: ignore[method-assign]
    night.clock.now = START + LATER
    assert reconcile(night.statement, DAY, Deadline(lambda: 900_000), night.store, night.archive) is None
    assert read_report("paynet", DAY, night.store) == others[0]


def test_a_run_that_read_an_old_report_does_not_begin(night: Night) -> None:
    night.seconds = 30.0
    standing = night.run()
    night.seconds = 900.0
    night.run()
    with pytest.raises(ConditionFailedError):
        night.store.update_item(reports.begin(replace(standing, owner="late"), standing, night.clock.now + 600))


def test_a_run_that_was_left_for_a_day_begins_anew(night: Night) -> None:
    """Its list has changed, and the archive may have deleted its parts."""
    night.list(row("a"), row("b"), row("c"), row("d"))
    first = iter([True])
    whole = night.statement.page

    def page(*arguments: object) -> StatementPage:
        if next(first, False):
            return whole(*arguments)  # type: ignore[arg-type]
        raise InquiryFailedError("http-502")

    night.statement.page = page  # type: ignore[method-assign]
    assert night.run().page == 1
    night.archive.objects.clear()
    night.statement.page = whole  # type: ignore[method-assign]
    assert night.run(after=LATER + 86_400).status == COMPLETE


def test_a_list_of_something_else_tells_of_so_many_findings(night: Night) -> None:
    """Of each finding a message goes out. The file has all of them."""
    for number in range(MOST_FINDINGS + 5):
        order(night.store, f"{number:03d}")
    report = night.run()
    assert counts(report) == {FindingClass.MISSING_THERE: MOST_FINDINGS + 5}
    assert len(report.findings) == MOST_FINDINGS
    assert sum(name.startswith("finding#") for name in night.store._memory.items) == MOST_FINDINGS
    assert len(night.lines()) == MOST_FINDINGS + 5


def test_a_later_event_is_listed_and_takes_no_place_of_a_contradiction(night: Night) -> None:
    """All of them are told: many payments of one day may be given back."""
    for number in range(MOST_FINDINGS + 5):
        order(night.store, f"{number:03d}")
        night.list(row(f"{number:03d}", RowState.TAKEN_BACK))
    order(night.store, "missing")
    report = night.run()
    assert [finding["reference"] for finding in report.findings] == ["missing"]
    assert len(report.later_events) == MOST_FINDINGS
    assert (report.open_contradictions, report.open_later_events) == (1, MOST_FINDINGS + 5)
    told = [name for name in night.store._memory.items if name.startswith("finding#")]
    assert len(told) == MOST_FINDINGS + 6
    assert {reports.finding_id("paynet", event["id"]) for event in report.later_events} < set(told)


def test_a_contradiction_that_was_resolved_is_no_alarm_again(night: Night) -> None:
    order(night.store, "a")
    order(night.store, "b")
    first = night.run()
    assert (first.is_clean, first.open_contradictions) == (False, 2)
    for finding in first.findings:
        resolution = reports.Resolution("arn:ayse", START, "came late")
        night.store.update_item(reports.resolve_finding("paynet", DAY, finding["id"], resolution))
    with mock.patch("vezne.orders.reconcile.emit_of_provider") as emit:
        again = night.run()
    assert (again.is_clean, again.counts[FindingClass.MISSING_THERE]) == (True, 2)
    emit.assert_any_call("ReconciliationFindings", "paynet", 0)


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


# ------------------------------------------------------------------ rows that are totals


@pytest.fixture
def totals(night: Night) -> Night:
    night.statement.tells_totals = True  # type: ignore[misc]
    return night


def test_a_total_is_that_of_the_last_order_of_its_day(totals: Night) -> None:
    order(totals.store, "a", amount="5.00", key="first")
    totals.clock.now += 3600
    order(totals.store, "a", amount="10.00", key="second")
    totals.list(row("a"))
    assert counts(totals.run()) == {FindingClass.MATCHED: 2}


def test_a_total_of_an_earlier_order_contradicts_the_last_one(totals: Night) -> None:
    order(totals.store, "a", amount="5.00", key="first")
    totals.clock.now += 3600
    order(totals.store, "a", amount="10.00", key="second")
    totals.list(row("a", amount="5.00"))
    assert counts(totals.run()) == {FindingClass.MATCHED: 1, FindingClass.AMOUNT_DIFFERS: 1}


@pytest.mark.parametrize(("stands", "expected"), [
    ("15.00", {FindingClass.MATCHED: 2}),
    ("10.00", {FindingClass.MATCHED: 2}),
    ("11.00", {FindingClass.MATCHED: 1, FindingClass.AMOUNT_DIFFERS: 1}),
])  # fmt: skip
def test_of_two_totals_at_nearly_one_time_either_may_stand(
    totals: Night, stands: str, expected: dict[str, int]
) -> None:
    """The functions that sent them may have clocks that differ by minutes."""
    order(totals.store, "a", amount="15.00", key="first")
    totals.clock.now += 120
    order(totals.store, "a", amount="10.00", key="second")
    totals.list(row("a", amount=stands))
    assert counts(totals.run()) == expected


def test_a_total_that_an_order_of_a_later_day_set_says_nothing_of_an_earlier_one(totals: Night) -> None:
    order(totals.store, "a", amount="5.00", key="first")
    totals.clock.now += 86_400
    order(totals.store, "a", amount="10.00", key="second")
    totals.list(row("a"))
    assert counts(totals.run()) == {FindingClass.MATCHED: 1}


def test_a_declined_order_of_a_later_day_set_no_total(totals: Night) -> None:
    order(totals.store, "a", amount="5.00", key="first")
    totals.clock.now += 86_400
    order(totals.store, "a", DECLINED, amount="10.00", key="second")
    totals.list(row("a"))
    assert counts(totals.run()) == {FindingClass.AMOUNT_DIFFERS: 1}


@pytest.mark.parametrize(
    ("listed", "proves", "expected"),
    [
        # The transaction has a total, of course: that of before.
        (row("a", amount="5.00"), True, FindingClass.MATCHED),
        (row("a", RowState.UNCLEAR, None), True, FindingClass.MATCHED),
        (row("a"), False, FindingClass.MATCHED),
        (row("a"), True, FindingClass.STATUS_DIFFERS),
    ],
)
def test_the_total_of_a_declined_order(
    totals: Night, listed: StatementRow, proves: bool, expected: FindingClass
) -> None:
    order(totals.store, "a", DECLINED)
    totals.statement.proves = lambda *_: proves  # type: ignore[method-assign]
    totals.list(listed)
    report = totals.run()
    assert (counts(report), report.status) == ({expected: 1}, COMPLETE)


def test_a_declined_order_does_not_hide_the_one_that_set_the_total(totals: Night) -> None:
    order(totals.store, "a", amount="10.00", key="first")
    totals.clock.now += 60
    order(totals.store, "a", DECLINED, amount="20.00", key="second")
    totals.list(row("a"))
    assert counts(totals.run()) == {FindingClass.MATCHED: 2}
