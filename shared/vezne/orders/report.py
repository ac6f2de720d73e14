"""The report of one provider and one day, and the checkpoint of the run that makes it: one item of the table."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from typing import Any

from vezne.orders.guards import Update
from vezne.orders.record import iso_time, kept_seconds, number, plain, seconds_of, serialize

# The report names so many contradictions, and so many later events; the file in the archive has all.
MOST_FINDINGS = 200


class FindingClass(StrEnum):
    """What the comparison of one order with its provider's list came to."""

    MATCHED = "matched"
    SETTLED_BY_EVIDENCE = "settled_by_evidence"
    # Too young to be judged, or the list could not be read to its end. Never an alarm.
    EXPECTED = "expected"
    STILL_UNKNOWN = "still_unknown"
    # Ours succeeded, and it is not in a list that was read to its end.
    MISSING_THERE = "missing_there"
    # It bears our mark, and no record of ours is of it; or a second row of one order.
    ORPHAN_THERE = "orphan_there"
    # Made elsewhere. Counted only.
    FOREIGN = "foreign"
    AMOUNT_DIFFERS = "amount_differs"
    # The gravest: ours was declined or not executed, and the provider booked it; or the other way round.
    STATUS_DIFFERS = "status_differs"
    # Reversed, returned or charged back after it was booked.
    LATER_EVENT = "later_event"


# What a person must look at.
CONTRADICTIONS = frozenset({
    FindingClass.MISSING_THERE, FindingClass.ORPHAN_THERE, FindingClass.AMOUNT_DIFFERS, FindingClass.STATUS_DIFFERS,
})  # fmt: skip
RUNNING, COMPLETE, INCOMPLETE = "running", "complete", "incomplete"


@dataclass(frozen=True, slots=True)
class Resolution:
    """That a person has dealt with a finding: who, when (seconds since 1970), and why. The finding stays."""

    by: str
    at: float
    reason: str


@dataclass(frozen=True, slots=True)
class Report:
    """What is known of a provider's day. Times are seconds since 1970.

    `status`: running, complete, or incomplete: the list was not read to its end, so nothing says that the day is clean.
    `page`, `start`: how many pages are done, and where the next begins. `counts`: orders and rows by class.
    `findings`: the contradictions, `later_events`: what was taken back, at most MOST_FINDINGS of each. `file`: where it
    all stands in the archive. `notes`: what else the provider said at the end of the run, as information only.
    `resolutions`: of the findings that people have dealt with, by their ids. They are not in the report's item, since
    they outlive a run. Nothing in it is personal.
    """

    provider: str
    day: date
    status: str = RUNNING
    owner: str = ""
    lease_until: float = 0.0
    run: str = ""
    page: int = 0
    start: str = ""
    whole: bool = True
    counts: Mapping[str, int] = field(default_factory=dict)
    findings: tuple[Mapping[str, str], ...] = ()
    later_events: tuple[Mapping[str, str], ...] = ()
    started_at: float = 0.0
    finished_at: float = 0.0
    file: str = ""
    notes: Mapping[str, str] = field(default_factory=dict)
    resolutions: Mapping[str, Resolution] = field(default_factory=dict)

    @property
    def is_clean(self) -> bool:
        """Whether the list was read to its end, and no contradiction waits for a person. A later event is none."""
        return self.status == COMPLETE and not self.open_contradictions

    @property
    def open_contradictions(self) -> int:
        """How many contradictions nobody has resolved."""
        return sum(self.counts.get(name, 0) for name in CONTRADICTIONS) - self._resolved(self.findings)

    @property
    def open_later_events(self) -> int:
        """How many later events nobody has resolved."""
        return self.counts.get(FindingClass.LATER_EVENT, 0) - self._resolved(self.later_events)

    def _resolved(self, findings: Iterable[Mapping[str, str]]) -> int:
        return sum(finding["id"] in self.resolutions for finding in findings)

    def public(self) -> dict[str, Any]:
        """As the API shows it. Who resolved a finding is not for clients."""
        finished = {"finished_at": iso_time(self.finished_at)} if self.finished_at else {}
        return {
            "provider": self.provider,
            "date": self.day.isoformat(),
            "status": self.status,
            "clean": self.is_clean,
            "open_contradictions": self.open_contradictions,
            "open_later_events": self.open_later_events,
            "started_at": iso_time(self.started_at),
            **finished,
            "counts": {name.value: self.counts.get(name, 0) for name in FindingClass},
            "findings": [self._public(finding) for finding in self.findings],
            "later_events": [self._public(finding) for finding in self.later_events],
            **({"file": self.file} if self.file else {}),
            **({"notes": dict(self.notes)} if self.notes else {}),
        }

    def _public(self, finding: Mapping[str, str]) -> dict[str, str]:
        known = self.resolutions.get(finding["id"])
        resolved = {"resolved_at": iso_time(known.at), "resolution": known.reason} if known else {}
        return {**finding, **resolved}


def report_id(provider: str, day: date) -> str:
    """The key of a report in the table."""
    return f"reconciliation#{provider}#{day.isoformat()}"


def finding_id(provider: str, name: str) -> str:
    """The key of a finding in the table."""
    return f"finding#{provider}#{name}"


def to_item(report: Report) -> dict[str, Any]:
    """A report in DynamoDB's notation."""
    values = {
        "id": report_id(report.provider, report.day),
        "status": report.status,
        "owner": report.owner,
        "lease_until": number(report.lease_until),
        "run": report.run,
        "page": report.page,
        "start": report.start,
        "whole": report.whole,
        "counts": dict(report.counts),
        "findings": [dict(finding) for finding in report.findings[:MOST_FINDINGS]],
        "later_events": [dict(finding) for finding in report.later_events[:MOST_FINDINGS]],
        "started_at": iso_time(report.started_at),
        "finished_at": iso_time(report.finished_at) if report.finished_at else None,
        "file": report.file,
        "notes": dict(report.notes),
        "expires_at": int(report.started_at) + kept_seconds(),
    }
    return {name: serialize(value) for name, value in values.items() if value is not None}


def from_item(provider: str, day: date, item: dict[str, Any]) -> Report | None:
    """The inverse of `to_item`, without the resolutions; None if there is no report."""
    if not item:
        return None
    values = plain(item)
    return Report(
        provider=provider,
        day=day,
        status=values["status"],
        owner=values["owner"],
        lease_until=float(values["lease_until"]),
        run=values["run"],
        page=int(values["page"]),
        start=values["start"],
        whole=values["whole"],
        counts={name: int(count) for name, count in values["counts"].items()},
        findings=tuple(values["findings"]),
        # A report of an earlier version counts them only.
        later_events=tuple(values.get("later_events", ())),
        started_at=seconds_of(values["started_at"]),
        finished_at=seconds_of(values["finished_at"]) if "finished_at" in values else 0.0,
        file=values["file"],
        notes=values["notes"],
    )


def resolve_finding(provider: str, day: date, name: str, resolution: Resolution) -> Update:
    """Note the resolution of a finding of a day. Only of one that is there, and that nobody has resolved yet."""
    values = {
        ":day": day.isoformat(),
        ":by": resolution.by,
        ":at": iso_time(resolution.at),
        ":reason": resolution.reason,
    }
    return {
        "Key": {"id": {"S": finding_id(provider, name)}},
        "UpdateExpression": "SET resolved_by = :by, resolved_at = :at, resolution = :reason",
        "ConditionExpression": "attribute_exists(id) AND #date = :day AND attribute_not_exists(resolved_at)",
        "ExpressionAttributeNames": {"#date": "date"},
        "ExpressionAttributeValues": {key: serialize(value) for key, value in values.items()},
    }


def resolution_of(item: dict[str, Any]) -> Resolution | None:
    """How a finding was resolved, from its item; None if it was not."""
    values = plain(item)
    if "resolved_at" not in values:
        return None
    return Resolution(values["resolved_by"], seconds_of(values["resolved_at"]), values["resolution"])


def begin(report: Report, standing: Report | None, now: float) -> Update:
    """Begin a run, or go on with one that ended in the middle. Not while another invocation is at it.

    `standing`: what was read before. If another invocation has been at it since, this one knows too little.
    """
    # The SDK repeats a write whose answer was lost: then it is ours already.
    ours = "#owner = :owner"
    if standing is None:
        return _put(report, f"attribute_not_exists(id) OR {ours}", {})
    free = "(#owner = :before AND lease_until < :now)"
    return _put(report, f"{free} OR {ours}", {":now": number(now), ":before": standing.owner})


def progress(report: Report) -> Update:
    """Keep how far the run is, or its end, while it is ours."""
    return _put(report, "#owner = :owner", {})


def _put(report: Report, condition: str, values: dict[str, Any]) -> Update:
    item = {name: value for name, value in to_item(report).items() if name != "id"}
    setting = ", ".join(f"#{name} = :{name}" for name in item)
    gone = " REMOVE #finished_at" if "finished_at" not in item else ""
    names = {f"#{name}": name for name in (*item, *(["finished_at"] if gone else []))}
    return {
        "Key": {"id": {"S": report_id(report.provider, report.day)}},
        "UpdateExpression": f"SET {setting}{gone}",
        "ConditionExpression": condition,
        "ExpressionAttributeNames": names,
        "ExpressionAttributeValues": {
            **{f":{name}": value for name, value in item.items()},
            **{name: serialize(value) for name, value in values.items()},
        },
    }
