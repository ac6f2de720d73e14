"""Ours against a provider's list, as an operator starts it and reads it. The comparison is in `vezne.orders.reconcile`.

A run is the stack's own function: it has the provider's address and secret. One that has not ended is called again.
"""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import ConnectionClosedError, ReadTimeoutError
from vezne.orders.record import iso_time, istanbul_day, kept_seconds, plain
from vezne.orders.report import (
    COMPLETE,
    MOST_FINDINGS,
    RUNNING,
    FindingClass,
    Report,
    Resolution,
    finding_id,
    resolution_of,
    resolve_finding,
)
from vezne.orders.resolutions import read_report
from vezne.orders.store import ConditionFailedError, Store

from .catalogue import RECONCILERS
from .connection import OperatorError
from .suggestions import did_you_mean

# So many calls read the longest list. So many in a row without a new page mean that the provider does not answer: more
# than the two minutes for which a killed run keeps others away.
MOST_CALLS, MOST_VAIN_CALLS = 60, 12
WAIT_SECONDS = 15.0
LISTED_DAYS = 14
# Orders may name a day so long after they are made, and are kept from when they are final.
AHEAD_DAYS = 10
HEADS = ("finding", "class", "operation id", "ours", "theirs", "our amount", "their amount", "reference",
         "resolved")  # fmt: skip
LISTED_HEADS = ("date", "status", "open contradictions", "open later events", "still unknown", "settled", "matched",
                "finished")  # fmt: skip
# Lets the function reconcile a day -> its answer; None if the function failed, or its answer did not arrive.
Invoke = Callable[[date], Mapping[str, Any] | None]


def invoke_in(outputs: Mapping[str, str], provider: str) -> Invoke:
    """Let the stack's own function compare a day. Raises OperatorError if the stack has none."""
    function = RECONCILERS.get(provider)
    name = outputs.get(function.output) if function else None
    if name is None:
        raise OperatorError(f"This stack does not read {provider}'s list: it is of an earlier version.")
    # Longer than the function can run, and alive meanwhile: what is on the way forgets a silent connection.
    config = Config(read_timeout=930, tcp_keepalive=True, retries={"total_max_attempts": 1})
    functions = boto3.client("lambda", config=config)

    def invoke(day: date) -> Mapping[str, Any] | None:
        event = json.dumps({"reconcile": {"date": day.isoformat()}}).encode()
        try:
            answer = functions.invoke(FunctionName=name, Qualifier="live", Payload=event)
            content = json.loads(answer["Payload"].read())
        except (ConnectionClosedError, ReadTimeoutError, ValueError):
            return None
        return content if "FunctionError" not in answer and isinstance(content, dict) else None

    return invoke


def require_kept(provider: str, day: date, now: float) -> None:
    """Raise OperatorError if the table may have lost orders of the day: each of their rows would be an orphan."""
    function = RECONCILERS.get(provider)
    ahead = AHEAD_DAYS if function and function.statement.orders_name_a_day else 0
    first = istanbul_day(now) - timedelta(days=kept_seconds() // 86400 - ahead - 1)
    if day < first:
        raise OperatorError(
            f"The table keeps the orders of {provider} from {first} on. What is left of {day} proves nothing: its "
            f"records may be in the archive (`vezne export`)."
        )


def run(
    provider: str, day: date, invoke: Invoke, store: Store, say: Callable[[str], None], wait: Callable[[float], None]
) -> Report:
    """Let the function compare a day until it is done, and return the report. Raises OperatorError if it is not.

    `say` is told how far it is. `wait` waits so many seconds.
    """
    vain, page = 0, 0
    for call in range(1, MOST_CALLS + 1):
        say(f"{provider} {day}: comparing, call {call}, {page} pages read so far ...")
        answer = invoke(day)
        told = _told(answer)
        report = read_report(provider, day, store)
        if told.get("status", RUNNING) != RUNNING and report is not None and report.status != RUNNING:
            return report
        reached = report.page if report and report.status == RUNNING else 0
        vain, page = (0, reached) if reached > page else (vain + 1, page)
        if vain == MOST_VAIN_CALLS:
            break
        say(
            f"{provider} {day}: {_why_not_yet(answer, told)}; {page} pages are read. Next call in {WAIT_SECONDS:.0f} s."
        )
        wait(WAIT_SECONDS)
        if _is_at_another(told) and (ended := read_report(provider, day, store)) and ended.status != RUNNING:
            return ended
    raise OperatorError(
        f"{provider} {day} is not compared to its end: {page} pages are read, and the last calls read no more. "
        f"The function's log says why. The same command goes on there, and so does the next night."
    )


def _told(answer: Mapping[str, Any] | None) -> Mapping[str, Any]:
    reports = answer.get("reports") if answer else None
    return reports[0] if isinstance(reports, list) and reports and isinstance(reports[0], dict) else {}


def _is_at_another(told: Mapping[str, Any]) -> bool:
    """Whether another run has the day: then the answer says nothing but that it is running."""
    return told.get("status") == RUNNING and "counts" not in told


def _why_not_yet(answer: Mapping[str, Any] | None, told: Mapping[str, Any]) -> str:
    if answer is None:
        return "the function failed, or was stopped"
    return "another run is at this day" if _is_at_another(told) else "the list is not read to its end yet"


def stored(provider: str, day: date, store: Store) -> Report:
    """The last report of a day. Raises OperatorError if there is none."""
    report = read_report(provider, day, store)
    if report is None:
        raise OperatorError(f"There is no report of {provider} {day}. `vezne reconcile {provider} {day}` makes one.")
    return report


def resolve(provider: str, day: date, finding: str, store: Store, who: str, reason: str) -> None:
    """Note that a person has dealt with a finding. `store` has AWS's time. Raises OperatorError if it cannot be."""
    item = store.item(finding_id(provider, finding))
    known = plain(item)
    if not item or known["date"] != day.isoformat():
        report = read_report(provider, day, store)
        names = [each["id"] for each in (*report.findings, *report.later_events)] if report else []
        of = f" It is of {known['date']}." if item else ""
        raise OperatorError(f"There is no finding {finding} of {provider} {day}{did_you_mean(finding, names)}{of}")
    if earlier := resolution_of(item):
        raise OperatorError(f"{finding} is resolved already, {_resolved(earlier)}")
    try:
        store.update_item(resolve_finding(provider, day, finding, Resolution(who, store.now(), reason)))
    except ConditionFailedError:
        raise OperatorError(f"{finding} was changed by somebody else just now; look again.") from None


def _resolved(resolution: Resolution) -> str:
    return f"{iso_time(resolution.at)} by {resolution.by}: {resolution.reason}"


@dataclass(frozen=True)
class Shown:
    """A report as a person reads it. `bucket`: where the file is."""

    report: Report
    bucket: str

    def head(self) -> str:
        """The first line: whether it is complete, and what is open."""
        report = self.report
        name = f"{report.provider} {report.day}"
        if report.status == RUNNING:
            return f"{name}: NOT COMPLETE, it is running or waits to go on; {report.page} pages are read"
        contradictions, later = report.open_contradictions, report.open_later_events
        waits = f"{contradictions} contradictions are open" if contradictions else "no contradiction is open"
        waits += f"; {later} later events are open" if later else ""
        if report.status != COMPLETE:
            return (
                f"{name}: NOT COMPLETE, the list was not read to its end: nothing says that the day is clean; {waits}"
            )
        return f"{name}: complete, {'clean' if report.is_clean else 'NOT clean'}; {waits}"

    def counts(self) -> dict[str, int]:
        """The number of each class, in the order of the glossary."""
        return {name.value: self.report.counts.get(name, 0) for name in FindingClass}

    def findings(self) -> list[tuple[str, ...]]:
        """Each contradiction, and then each later event, under HEADS."""
        told, resolutions = (*self.report.findings, *self.report.later_events), self.report.resolutions
        resolved = {name: _resolved(known) for name, known in resolutions.items()}
        return [(*_cells(finding), resolved.get(finding["id"], "")) for finding in told]

    def lines(self) -> Iterator[str]:
        """What stands below the findings."""
        report = self.report
        for name, listed in (("contradictions", report.findings), ("later events", report.later_events)):
            if report.status != RUNNING and len(listed) == MOST_FINDINGS:
                yield f"Only {MOST_FINDINGS} {name} are shown; the file has all."
        for name, text in report.notes.items():
            yield f"{name}: {text}"
        if report.file:
            yield f"file: s3://{self.bucket}/{report.file}"
        if report.finished_at:
            yield f"finished: {iso_time(report.finished_at)}"


def _cells(finding: Mapping[str, str]) -> tuple[str, ...]:
    def amount(whose: str) -> str:
        value = finding.get(f"{whose}_amount", "")
        return f"{value} {finding.get('currency', '')}".strip() if value else ""

    told = (finding.get(name, "") for name in ("id", "class", "operation_id", "ours", "theirs"))
    return (*told, amount("our"), amount("their"), finding.get("reference", ""))


def plain_lines(day: Shown) -> Iterator[str]:
    """For programs: a line for each class and finding, each field at its place."""
    for name, count in day.counts().items():
        yield f"{name:20} {count}"
    for cells in day.findings():
        yield "  ".join(cell or "-" for cell in cells)
    yield from day.lines()


def last_reports(provider: str, store: Store) -> Iterable[tuple[str, ...]]:
    """The reports of the last days that there are, the newest first, under LISTED_HEADS."""
    today = istanbul_day(store.now())
    for back in range(1, LISTED_DAYS + 1):
        report = read_report(provider, today - timedelta(days=back), store)
        if report is not None:
            counts = Shown(report, "").counts()
            finished = iso_time(report.finished_at) if report.finished_at else ""
            yield (
                report.day.isoformat(),
                report.status,
                str(report.open_contradictions),
                str(report.open_later_events),
                *(str(counts[name]) for name in _LISTED),
                finished,
            )


_LISTED = (FindingClass.STILL_UNKNOWN, FindingClass.SETTLED_BY_EVIDENCE, FindingClass.MATCHED)
