"""Ours against theirs, a day at a time: every order of ours against the provider's own list of what it booked.

It is an independent proof, and the evidence that ends unknown outcomes which no single look-up can prove. What is final
is never overwritten: a contradiction becomes a finding, for people.

A run goes page by page. After each it keeps what it found (`journal`) and how far it is (`report`), so that one which
is killed, or out of time, goes on where it was.
"""

import itertools
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import date, timedelta

from vezne.orders import report as reports
from vezne.orders.compare import (
    Entry,
    Line,
    Orders,
    agreed,
    distinct,
    fits,
    is_another,
    judged,
    line,
    proof,
    without_a_row,
)
from vezne.orders.days import Days
from vezne.orders.findings import Findings
from vezne.orders.journal import Archive, Journal, Part
from vezne.orders.neighbours import Neighbours
from vezne.orders.record import Record, istanbul_day
from vezne.orders.report import (
    COMPLETE,
    INCOMPLETE,
    RUNNING,
    FindingClass,
    Report,
)
from vezne.orders.resolutions import with_resolutions
from vezne.orders.settle import LEASE_SECONDS, Settling
from vezne.orders.store import ConditionFailedError, Store, new_owner
from vezne.platform.telemetry import emit_of_provider, logger
from vezne.providers.client import InquiryFailedError
from vezne.providers.credentials import CredentialsRefusedError, SecretUnavailableError, SecretUnusableError
from vezne.providers.http import Deadline, NotSentError, UnreadableError
from vezne.providers.statement import RowState, Statement, StatementPage, StatementRow

# A list that goes on for longer is not one of a day.
MOST_PAGES = 5_000
# Left for keeping what was found, when the function's time ends.
SECONDS_TO_STOP = 45.0
# A run that began longer ago begins anew: its list has changed since, and its parts may be gone.
RUN_SECONDS = 20 * 3600.0
# Lines of one part of the end.
LINES = 1_000
# The provider did not answer, or not as its page says: the run goes on when it is started again.
_FAILURES = (InquiryFailedError, CredentialsRefusedError, NotSentError, SecretUnavailableError, SecretUnusableError,
             UnreadableError)  # fmt: skip


class _OutOfTimeError(Exception):
    """The function's time ends soon: the run goes on when it is started again."""


class _TakenOverError(Exception):
    """Another invocation is at the run."""


def days_of_a_night(now: float) -> list[date]:
    """The days that are reconciled each night: the three before today, so that late rows are seen."""
    today = istanbul_day(now)
    return [today - timedelta(days=back) for back in (3, 2, 1)]


def reconcile(
    statement: Statement, day: date, deadline: Deadline, store: Store, archive: Archive, *, again: bool = True
) -> Report | None:
    """Reconcile a day, or go on with a run of it that ended in the middle.

    `again`: also a day that was reconciled today. Returns the report: `running` if the time ended or the provider did
    not answer, None if another invocation is at it. Raises StoreUnavailableError.
    """
    # Without resolutions: they are read when the report is told.
    standing = reports.from_item(statement.provider, day, store.item(reports.report_id(statement.provider, day)))
    going_on = standing and standing.status == RUNNING and store.now() - standing.started_at < RUN_SECONDS
    done_today = standing and istanbul_day(standing.finished_at) == istanbul_day(store.now())
    if standing and standing.status != RUNNING and done_today and not again:
        return with_resolutions(standing, store)
    fresh = Report(statement.provider, day, run=uuid.uuid4().hex[:12], started_at=store.now())
    begun = standing if standing and going_on else fresh
    report = replace(begun, owner=new_owner(), lease_until=store.now() + LEASE_SECONDS)
    try:
        store.update_item(reports.begin(report, standing, store.now()))
    except ConditionFailedError:
        return None
    return _Run(statement, report, deadline, store, archive).run()


class _Run:
    """One invocation's work at a report."""

    def __init__(
        self, statement: Statement, report: Report, deadline: Deadline, store: Store, archive: Archive
    ) -> None:
        self._statement, self._report, self._deadline, self._store = statement, report, deadline, store
        self._journal = Journal(archive, report)
        self._settling = Settling(statement, store)
        self._found = Findings(statement.provider, report.day, store, report.whole)
        self._before: frozenset[str] = frozenset()
        # How many parts there are in the end: one for each page, and those of the end.
        self._parts = 0
        self._days: Days
        self._neighbours: Neighbours
        self._orders: Orders

    def run(self) -> Report | None:
        try:
            return self._finish() if self._read() else self._stop()
        except _TakenOverError:
            return None

    def _read(self) -> bool:
        """Read both sides to their ends, and judge. False if the run must go on later."""
        try:
            self._read_ours()
            for page in range(1, self._report.page + 1):
                self._replay(page)
            self._read_pages()
            self._judge_the_rest()
        except _OutOfTimeError:
            return False
        except _FAILURES as error:
            logger.error("list not read", provider=self._statement.provider, exception_name=type(error).__name__)
            emit_of_provider("ReconciliationFailed", self._statement.provider)
            return False
        return True

    def _stop(self) -> Report:
        self._keep(lease_until=0.0)
        return self._report

    def _read_ours(self) -> None:
        client = self._statement.client
        account = client.account(client.credential_cache.credentials())
        self._days = Days(self._statement, self._store, account, self._go_on)
        self._neighbours = Neighbours(self._statement, self._days, self._report.day, self._store)
        later = self._days.references_since(self._report.day) if self._statement.tells_totals else ()
        self._orders = Orders(self._statement, self._days.orders(self._report.day), later)

    def _go_on(self) -> None:
        """Hold the run for longer. Raises _OutOfTimeError or _TakenOverError."""
        if self._deadline.left() < SECONDS_TO_STOP:
            raise _OutOfTimeError
        if self._store.now() > self._report.lease_until - LEASE_SECONDS / 2:
            self._keep(lease_until=self._store.now() + LEASE_SECONDS)

    # ------------------------------------------------------------ pages

    def _read_pages(self) -> None:
        """Read the list to its end."""
        groups, start = self._orders.groups, self._report.start
        while self._report.page == 0 or start:
            self._go_on()
            page = self._statement.page(self._report.day, groups, start, self._deadline)
            keys = frozenset(row.key for row in page.rows if row.key)
            goes_nowhere = bool(page.next) and (page.next == start or (keys and keys == self._before))
            if goes_nowhere or self._report.page >= MOST_PAGES:
                page = replace(page, next="", whole=False)
            self._take(page, keys)
            start = page.next

    def _take(self, page: StatementPage, keys: frozenset[str]) -> None:
        lines: list[Line] = []
        kept: list[tuple[str, StatementRow]] = []
        foreign = 0
        # Pages may overlap, where rows came while they were read.
        for row in (row for row in page.rows if row.key not in self._before):
            entry = self._orders.of(row)
            if entry is None:
                if self._is_ours(row):
                    kept.append(("", row))
                else:
                    foreign += self._is_foreign(row)
            elif not entry.final or is_another(entry, row):
                kept.append((entry.id, row))
            else:
                lines += self._of_a_final_order(entry, row)
        number, part = self._report.page + 1, Part(lines, kept, foreign, keys)
        self._journal.write(number, part)
        self._found.remember(part)
        self._before = keys
        self._found.tell(lines)
        self._found.whole &= page.whole
        self._report = replace(self._report, page=number, start=page.next)
        self._keep(lease_until=self._store.now() + LEASE_SECONDS)

    def _is_ours(self, row: StatementRow) -> bool:
        """Whether a row of no order of the day bears our mark, and may be of a payment that we should know."""
        return row.is_ours and row.state is not RowState.FAILED and row.day in (None, self._report.day)

    def _is_foreign(self, row: StatementRow) -> bool:
        """Whether a row was made elsewhere on this day."""
        if row.day not in (None, self._report.day) or self._neighbours.have(row):
            return False
        return not row.operation_id or self._store.find(row.operation_id) is None

    def _of_a_final_order(self, entry: Entry, row: StatementRow) -> list[Line]:
        if self._statement.tells_totals and self._is_of_another_total(entry, row):
            entry.see(row.name)
            return [line(agreed(entry), entry, None)]
        if entry.seen is not None:
            return self._of_a_second_row(entry, row)
        entry.see(row.name)
        self._found.whole &= row.state is not RowState.UNCLEAR
        return [line(judged(entry, row), entry, row)]

    def _is_of_another_total(self, entry: Entry, row: StatementRow) -> bool:
        """Whether a total says nothing of an order, since another order set it, or it stood before already."""
        if not entry.nothing_moved:
            return self._orders.set_since(entry) and not fits(entry, row)
        if row.state is RowState.UNCLEAR or not fits(entry, row):
            return True
        record = self._store.find(entry.id)
        return record is None or not self._settling.proves(record, row)

    def _of_a_second_row(self, entry: Entry, row: StatementRow) -> list[Line]:
        """Another row of the same order is a payment that we do not know of, or says that it was taken back."""
        if row.name == entry.seen:
            return []
        match row.state:
            case RowState.BOOKED:
                return [line(FindingClass.ORPHAN_THERE, entry, row)]
            case RowState.TAKEN_BACK:
                return [line(judged(entry, row), entry, row)]
        return []

    def _replay(self, page: int) -> None:
        part = self._journal.read(page)
        for told in part.lines:
            entry = self._orders.by_id.get(told["operation_id"])
            if entry is not None and entry.seen is None:
                entry.see(told["name"])
        self._found.remember(part)
        self._before = part.keys
        self._found.tell(part.lines, kept_before=True)

    # ------------------------------------------------------------ the end

    def _judge_the_rest(self) -> None:
        self._parts, rest = self._report.page, self._last_lines()
        while lines := list(itertools.islice(rest, LINES)):
            self._parts += 1
            self._journal.write(self._parts, Part(lines))
            self._found.tell(lines)

    def _finish(self) -> Report:
        # Only whose run it still is writes the file.
        self._keep(lease_until=self._store.now() + LEASE_SECONDS)
        finished = replace(
            self._report,
            status=COMPLETE if self._found.whole else INCOMPLETE,
            counts=dict(self._found.counts),
            findings=tuple(self._found.contradictions),
            later_events=tuple(self._found.later_events),
            notes=self._notes(),
            finished_at=self._store.now(),
        )
        finished = replace(finished, file=self._journal.finish(finished, self._parts))
        self._report = with_resolutions(finished, self._store)
        self._keep(lease_until=0.0)
        provider = self._statement.provider
        emit_of_provider("ReconciliationFinished", provider)
        emit_of_provider("ReconciliationIncomplete", provider, 0 if self._found.whole else 1)
        # What was dealt with after an earlier night is no alarm again.
        emit_of_provider("ReconciliationFindings", provider, self._report.open_contradictions)
        return self._report

    def _notes(self) -> Mapping[str, str]:
        try:
            return self._statement.notes(self._deadline)
        except _FAILURES as error:
            # It is information only, and the list was read.
            logger.warning("no notes", provider=self._statement.provider, exception_name=type(error).__name__)
            return {}

    def _last_lines(self) -> Iterator[Line]:
        """What can be said once all pages are read."""
        for order_id, rows in self._found.candidates.items():
            self._go_on()
            yield from self._of_candidates(order_id, distinct(rows))
        for entry in self._orders.by_id.values():
            if entry.seen is None and entry.id not in self._found.candidates:
                yield from self._without_a_row(entry)
        yield from self._neighbours.of_no_order(distinct(self._found.orphans))

    def _of_candidates(self, order_id: str, rows: list[StatementRow]) -> Iterator[Line]:
        entry, record = self._as_it_stands(order_id)
        if entry is None:
            # It was certainly not sent, so its record is gone; and yet there are rows.
            self._found.orphans += rows
            return
        if record is not None and not record.final:
            row = proof(entry, rows)
            settled = self._settling.settle(record, row) if row else None
            if settled is None:
                yield line(FindingClass.STILL_UNKNOWN, entry, rows[0])
                booked = [row for row in rows if row.state is RowState.BOOKED]
                if not self._statement.tells_totals:
                    # Whichever of them is the order's, the others are payments that we do not know of.
                    yield from (line(FindingClass.ORPHAN_THERE, entry, row) for row in booked[1:])
                return
            entry.status, entry.settled_by = settled.status, settled.settled_by
        for row in sorted(rows, key=lambda one: is_another(entry, one)):
            yield from self._of_a_final_order(entry, row)

    def _without_a_row(self, entry: Entry) -> Iterator[Line]:
        late = self._store.now() > self._due(entry) + self._statement.late.total_seconds()
        if not entry.final:
            self._go_on()
            found, record = self._as_it_stands(entry.id)
            if found is None:
                return
            if late and self._found.whole and not entry.elsewhere and record is not None and not record.final:
                absent = self._settling.note_absence(record)
                if absent is not None:
                    entry.status, entry.settled_by = absent.status, absent.settled_by
        if self._statement.tells_totals and self._orders.superseded(entry) and entry.final:
            yield line(agreed(entry), entry, None)
        else:
            yield line(without_a_row(entry, whole=self._found.whole, late=late), entry, None)

    def _due(self, entry: Entry) -> float:
        """From when on the row of an order can be expected."""
        day_ends = self._neighbours.midnight() + timedelta(days=1).total_seconds()
        return max(entry.sent_until, day_ends) if self._statement.orders_name_a_day else entry.sent_until

    def _as_it_stands(self, order_id: str) -> tuple[Entry | None, Record | None]:
        """An order of the day, with its record if it was unresolved when the run began; None if it is gone."""
        entry = self._orders.by_id.get(order_id)
        if entry is None or entry.final:
            return entry, None
        record = self._store.find(order_id)
        if record is None:
            return None, None
        if record.final:
            entry.become(self._days.entry(record))
        return entry, record

    def _keep(self, lease_until: float) -> None:
        self._report = replace(self._report, lease_until=lease_until, whole=self._found.whole)
        try:
            self._store.update_item(reports.progress(self._report))
        except ConditionFailedError:
            raise _TakenOverError from None
