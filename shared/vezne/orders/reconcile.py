"""Ours against theirs, a day at a time: every order of ours against the provider's own list of what it booked.

It is an independent proof, and the evidence that ends unknown outcomes which no single look-up can prove. What is final
is never overwritten: a contradiction becomes a finding, for people.

A run goes page by page. After each it keeps what it found (`journal`) and how far it is (`report`), so that one which
is killed, or out of time, goes on where it was.
"""

import uuid
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any

from vezne.orders import report as reports
from vezne.orders.compare import (
    Entry,
    Findings,
    Line,
    Orders,
    entry_of,
    entry_of_record,
    judged,
    line,
    name_of,
    proof,
    without_a_row,
)
from vezne.orders.finalise import lease_is_alive, record_final_outcome
from vezne.orders.journal import Archive, Journal
from vezne.orders.record import (
    DECLINED,
    ISTANBUL,
    NOT_EXECUTED,
    RECONCILIATION,
    SUCCEEDED,
    Record,
    day_of,
    iso_time,
    istanbul_day,
    seconds_of,
    serialize,
    trimmed,
)
from vezne.orders.report import (
    COMPLETE,
    CONTRADICTIONS,
    INCOMPLETE,
    MOST_FINDINGS,
    RUNNING,
    FindingClass,
    Report,
    finding_id,
    report_id,
)
from vezne.orders.store import ConditionFailedError, LostOwnershipError, Store, new_owner
from vezne.platform.telemetry import emit_of_provider, logger
from vezne.providers.client import InquiryFailedError
from vezne.providers.credentials import CredentialsRefusedError, SecretUnavailableError, SecretUnusableError
from vezne.providers.http import Deadline, NotSentError, UnreadableError
from vezne.providers.statement import RowState, Statement, StatementPage, StatementRow

# A list that goes on for longer is not one of a day.
MOST_PAGES = 5_000
# Left for keeping what was found, when the function's time ends.
SECONDS_TO_STOP = 45.0
LEASE_SECONDS = 120.0
# Orders this close before midnight may be booked after it.
EDGE_SECONDS = 3600.0
# Two "not listed" that prove an absence, where the operator says that absence proves it, are so far apart.
ABSENCE_SECONDS = 6 * 3600.0
TOLD = CONTRADICTIONS | {FindingClass.LATER_EVENT}
LISTED = "reconciliation"
# The provider did not answer, or not as its page says: the run goes on when it is started again.
_FAILURES = (InquiryFailedError, CredentialsRefusedError, NotSentError, SecretUnavailableError, SecretUnusableError,
             UnreadableError)  # fmt: skip


def days_of_a_night(now: float) -> list[date]:
    """The days that are reconciled each night: the three before today, so that late rows are seen."""
    today = istanbul_day(now)
    return [today - timedelta(days=back) for back in (3, 2, 1)]


def read_report(provider: str, day: date, store: Store) -> Report | None:
    """The report of a day, or None."""
    return reports.from_item(provider, day, store.item(report_id(provider, day)))


def reconcile(
    statement: Statement, day: date, deadline: Deadline, store: Store, archive: Archive, *, again: bool = True
) -> Report | None:
    """Reconcile a day, or go on with a run of it that ended in the middle.

    `again`: also a day that was reconciled today. Returns the report: `running` if the time ended or the provider did
    not answer, None if another invocation is at it. Raises StoreUnavailableError.
    """
    standing = read_report(statement.provider, day, store)
    if standing and standing.status != RUNNING:
        if not again and istanbul_day(standing.finished_at) == istanbul_day(store.now()):
            return standing
        standing = None
    begun = standing or Report(statement.provider, day, run=uuid.uuid4().hex[:12], started_at=store.now())
    report = replace(begun, owner=new_owner(), lease_until=store.now() + LEASE_SECONDS)
    try:
        store.update_item(reports.begin(report, store.now()))
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
        self._found = Findings(whole=report.whole)
        # Rows made elsewhere are in no part.
        self._found.counts[FindingClass.FOREIGN] = report.counts.get(FindingClass.FOREIGN, 0)
        self._account = statement.client.account(statement.client.credential_cache.credentials())
        self._orders = Orders(statement, self._ours())
        self._edge: Orders | None = None
        self._findings: list[Line] = []

    def run(self) -> Report:
        for page in range(1, self._report.page + 1):
            self._replay(page)
        try:
            finished = self._read_pages()
        except _FAILURES as error:
            logger.error("list not read", provider=self._statement.provider, exception_name=type(error).__name__)
            emit_of_provider("ReconciliationFailed", self._statement.provider)
            finished = False
        if not finished:
            self._keep(lease_until=0.0)
            return self._report
        return self._finish()

    # ------------------------------------------------------------ ours

    def _ours(self) -> Iterator[Entry]:
        """The orders of the day: the final ones by the index of days, the others by that of unresolved ones."""
        found: dict[str, Entry] = {}
        for operation in self._statement.operations:
            for record in self._unresolved(operation):
                found[record.id] = entry_of_record(self._statement, record, self._account)
            # Read last: an order that became final meanwhile is in it.
            for values in self._store.of_day(operation, self._report.day):
                found[values["id"]] = entry_of(self._statement, values, self._account)
        return iter(found.values())

    def _unresolved(self, operation: str) -> Iterator[Record]:
        day = self._report.day
        for listed in self._store.unresolved(operation):
            made_on = istanbul_day(listed.created_at)
            if made_on == day or (self._statement.orders_name_a_day and made_on <= day):
                record = self._store.find(listed.id)
                if record is not None and not record.final and day_of(record) == day:
                    yield record

    # ------------------------------------------------------------ pages

    def _read_pages(self) -> bool:
        """Read the list to its end. False if time ran out before."""
        groups, before = self._orders.groups, frozenset[str]()
        start = self._report.start
        while self._report.page == 0 or start:
            if self._deadline.left() < SECONDS_TO_STOP:
                return False
            page = self._statement.page(self._report.day, groups, start, self._deadline)
            names = frozenset(row.name for row in page.rows if row.name)
            goes_nowhere = bool(page.next) and (page.next == start or (names and names == before))
            if goes_nowhere or self._report.page >= MOST_PAGES:
                page = replace(page, next="", whole=False)
            self._take(page)
            start, before = page.next, names
        return True

    def _take(self, page: StatementPage) -> None:
        lines: list[Line] = []
        kept: list[tuple[str, StatementRow]] = []
        for row in page.rows:
            entry = self._orders.of(row)
            if entry is None:
                self._without_an_order(row, kept)
            elif not entry.final:
                kept.append((entry.id, row))
            else:
                lines += self._of_a_final_order(entry, row)
        number = self._report.page + 1
        self._journal.write(number, lines, kept)
        self._remember(lines, kept)
        self._found.whole &= page.whole
        self._report = replace(self._report, page=number, start=page.next)
        self._keep(lease_until=self._store.now() + LEASE_SECONDS)

    def _without_an_order(self, row: StatementRow, kept: list[tuple[str, StatementRow]]) -> None:
        """A row of no order of the day: another day's, made elsewhere, or one that we should know."""
        if row.day not in (None, self._report.day) or self._is_of_the_day_before(row):
            return
        if row.operation_id and self._store.find(row.operation_id) is not None:
            return
        if row.is_ours and row.state is not RowState.FAILED:
            kept.append(("", row))
        else:
            self._found.counts[FindingClass.FOREIGN] += 1

    def _of_a_final_order(self, entry: Entry, row: StatementRow) -> list[Line]:
        if self._statement.tells_totals and self._orders.superseded(entry):
            return []
        if entry.seen is not None:
            # Pages may overlap; another row of the same order is a payment that we do not know of.
            twice = row.name != entry.seen and row.state is RowState.BOOKED
            return [line(FindingClass.ORPHAN_THERE, entry, row)] if twice else []
        entry.seen = row.name
        kind = judged(entry, row)
        self._found.whole &= row.state is not RowState.UNCLEAR
        return [line(kind, entry, row)]

    def _is_of_the_day_before(self, row: StatementRow) -> bool:
        if row.made_at is None or row.made_at > self._midnight() + EDGE_SECONDS:
            return False
        if self._edge is None:
            since, day = self._midnight() - EDGE_SECONDS, self._report.day - timedelta(days=1)
            late = (
                entry_of(self._statement, values, self._account)
                for operation in self._statement.operations
                for values in self._store.of_day(operation, day)
                if seconds_of(values["created_at"]) >= since
            )
            self._edge = Orders(self._statement, late)
        return self._edge.of(row) is not None

    def _midnight(self) -> float:
        return datetime.combine(self._report.day, datetime.min.time(), ISTANBUL).timestamp()

    def _replay(self, page: int) -> None:
        lines, kept = self._journal.read(page)
        for told in lines:
            entry = self._orders.by_id.get(told["operation_id"])
            if entry is not None and entry.seen is None:
                entry.seen = told["name"]
        self._remember(lines, kept)

    def _remember(self, lines: list[Line], kept: list[tuple[str, StatementRow]]) -> None:
        for of, row in kept:
            if of:
                self._found.candidates[of].append(row)
            else:
                self._found.orphans.append(row)
        self._tell(lines)

    # ------------------------------------------------------------ the end

    def _finish(self) -> Report:
        lines = list(self._last_lines())
        pages = self._report.page + 1
        self._journal.write(pages, lines, [])
        self._tell(lines)
        self._report = replace(
            self._report,
            status=COMPLETE if self._found.whole else INCOMPLETE,
            counts=dict(self._found.counts),
            findings=tuple(self._findings[:MOST_FINDINGS]),
            notes=self._notes(),
            finished_at=self._store.now(),
        )
        self._report = replace(self._report, file=self._journal.finish(self._report, pages))
        self._keep(lease_until=0.0)
        provider = self._statement.provider
        emit_of_provider("ReconciliationFinished", provider)
        emit_of_provider("ReconciliationIncomplete", provider, 0 if self._found.whole else 1)
        emit_of_provider("ReconciliationFindings", provider, sum(self._found.counts[name] for name in CONTRADICTIONS))
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
        for entry in self._orders.by_id.values():
            rows = self._found.candidates.get(entry.id, [])
            if entry.seen is None:
                yield self._end_of(entry, rows)
        known = self._of_days_around() if self._found.orphans else frozenset()
        for row in self._found.orphans:
            if row.reference not in known:
                yield line(FindingClass.ORPHAN_THERE, None, row)

    def _end_of(self, entry: Entry, rows: list[StatementRow]) -> Line:
        late = self._store.now() > entry.sent_until + self._statement.late.total_seconds()
        if self._statement.tells_totals and self._orders.superseded(entry) and entry.final:
            return line(FindingClass.MATCHED, entry, None)
        if not entry.final:
            row = proof(entry, rows)
            if row is not None and self._settle(entry, row):
                taken_back = row.state is RowState.TAKEN_BACK
                return line(judged(entry, row) if taken_back else FindingClass.SETTLED_BY_EVIDENCE, entry, row)
            if not rows and late and self._found.whole and not entry.elsewhere and self._note_absence(entry):
                return line(FindingClass.SETTLED_BY_EVIDENCE, entry, None)
        elif rows:
            # It became final after its row was read.
            return line(judged(entry, rows[0]), entry, rows[0])
        if rows:
            return line(FindingClass.STILL_UNKNOWN, entry, rows[0])
        return line(without_a_row(entry, whole=self._found.whole, late=late), entry, None)

    def _of_days_around(self) -> frozenset[str]:
        """The references of the orders of other days, of those that rows of no order have."""
        wanted = {row.reference for row in self._found.orphans}
        back = 10 if self._statement.orders_name_a_day else 1
        days = [self._report.day + timedelta(days=days) for days in range(-back, 2) if days]
        return frozenset(
            reference
            for operation in self._statement.operations
            for day in days
            for values in self._store.of_day(operation, day)
            if (reference := entry_of(self._statement, values, self._account).sought.reference) in wanted
        )

    # ------------------------------------------------------------ evidence

    def _settle(self, entry: Entry, row: StatementRow) -> bool:
        """Make an unresolved order final by its row. False if the row does not prove it, or somebody is at it."""
        record = self._store.find(entry.id)
        if record is None or record.final or lease_is_alive(record, self._store):
            return False
        if not self._statement.proves(replace(record, memory=self._store.memory(record)), row):
            return False
        failed = row.state is RowState.FAILED
        status = DECLINED if failed else SUCCEEDED
        outcome = {"code": "", "text": "", **row.result} if failed else {"result": dict(row.result)}
        return self._end(entry, record, status, outcome, {"finding": "found", "row": row.name or row.reference})

    def _note_absence(self, entry: Entry) -> bool:
        """Note that an order is not in a whole list. True if that, noted twice, makes it "not executed" now."""
        record = self._store.find(entry.id) if self._statement.absence_proves() else None
        if record is None or record.final or lease_is_alive(record, self._store):
            return False
        noted = [e for e in record.evidence if e["asked"] == LISTED and e["finding"] == "not_found"]
        if noted and self._store.now() - seconds_of(noted[0]["at"]) >= ABSENCE_SECONDS:
            return self._end(entry, record, NOT_EXECUTED, {}, {"finding": "not_found"})
        if not noted:
            self._end(entry, record, None, {}, {"finding": "not_found"})
        return False

    def _end(
        self, entry: Entry, record: Record, status: str | None, outcome: dict[str, Any], seen: dict[str, str]
    ) -> bool:
        """Note the evidence, and with a status make the record final."""
        now = self._store.now()
        note = {"at": iso_time(now), "asked": LISTED, **seen}
        try:
            taken = self._store.acquire_lease(record, new_owner(), now + LEASE_SECONDS)
            noted = replace(taken, evidence=trimmed((*taken.evidence, note)))
            if status is None:
                self._store.mark_unknown(noted, record.next_look_up or now)
                return False
            final = record_final_outcome(replace(noted, settled_by=RECONCILIATION), status, outcome, self._store)
        except LostOwnershipError:
            return False
        entry.status, entry.settled_by = final.status, RECONCILIATION
        return final.written

    # ------------------------------------------------------------ what is kept

    def _tell(self, lines: list[Line]) -> None:
        """Count lines, and keep each finding once: its item in the table tells the outbox."""
        for told in lines:
            self._found.counts[told["class"]] += 1
            if told["class"] in TOLD:
                self._keep_finding(told)
                if told["class"] in CONTRADICTIONS and len(self._findings) < MOST_FINDINGS:
                    name = name_of(self._statement.provider, self._report.day, told)
                    self._findings.append({"id": name, **{key: text for key, text in told.items() if text}})

    def _keep_finding(self, told: Line) -> None:
        provider, day = self._statement.provider, self._report.day
        values = {**told, "provider": provider, "date": day.isoformat(), "found_at": iso_time(self._store.now())}
        try:
            self._store.put_new(
                {
                    "id": {"S": finding_id(provider, name_of(provider, day, told))},
                    **{name: serialize(text) for name, text in values.items() if text},
                }
            )
        except ConditionFailedError:
            return
        logger.error("finding", provider=provider, operation_id=told["operation_id"], reason=told["class"])

    def _keep(self, lease_until: float) -> None:
        foreign = {FindingClass.FOREIGN.value: self._found.counts[FindingClass.FOREIGN]}
        counts = foreign if self._report.status == RUNNING else self._report.counts
        self._report = replace(self._report, lease_until=lease_until, whole=self._found.whole, counts=counts)
        self._store.update_item(reports.progress(self._report))
