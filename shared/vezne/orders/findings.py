"""What a run has found so far. Each finding is kept at once, in an item of its own that tells the outbox."""

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from datetime import date

from vezne.orders.compare import Line, name_of
from vezne.orders.journal import Part
from vezne.orders.record import iso_time, serialize
from vezne.orders.report import CONTRADICTIONS, MOST_FINDINGS, FindingClass, finding_id
from vezne.orders.store import ConditionFailedError, Store
from vezne.platform.telemetry import logger
from vezne.providers.statement import StatementRow


@dataclass(slots=True)
class Findings:
    """What one provider's day has come to so far. `whole`: no row of the list can be missing."""

    provider: str
    day: date
    store: Store
    whole: bool
    counts: Counter[str] = field(default_factory=Counter)
    contradictions: list[Line] = field(default_factory=list)
    later_events: list[Line] = field(default_factory=list)
    # Of unresolved orders: the rows that may be theirs. Of final ones: rows that may be another payment.
    candidates: dict[str, list[StatementRow]] = field(default_factory=lambda: defaultdict(list))
    # Rows that bear our mark and are of no order of the day.
    orphans: list[StatementRow] = field(default_factory=list)

    def remember(self, part: Part) -> None:
        """Keep in mind what can be judged at the end only."""
        for of, row in part.kept:
            if of:
                self.candidates[of].append(row)
            else:
                self.orphans.append(row)
        self.counts[FindingClass.FOREIGN] += part.foreign

    def tell(self, lines: list[Line], *, kept_before: bool = False) -> None:
        """Count lines, and keep each finding once.

        Of contradictions so many: with more of them the list is of something else, and the file has them all.
        """
        for told in lines:
            kind = told["class"]
            self.counts[kind] += 1
            is_contradiction, is_later = kind in CONTRADICTIONS, kind == FindingClass.LATER_EVENT
            listed = self.later_events if is_later else self.contradictions
            has_place = len(listed) < MOST_FINDINGS
            if not kept_before and (is_later or (is_contradiction and has_place)):
                self._keep(told)
            if has_place and (is_later or is_contradiction):
                name = name_of(self.provider, self.day, told)
                listed.append({"id": name, **{key: text for key, text in told.items() if text}})

    def _keep(self, told: Line) -> None:
        provider, day = self.provider, self.day
        values = {**told, "provider": provider, "date": day.isoformat(), "found_at": iso_time(self.store.now())}
        try:
            self.store.put_new(
                {
                    "id": {"S": finding_id(provider, name_of(provider, day, told))},
                    # The outbox tells the order, also if it is of none.
                    **{name: serialize(text) for name, text in values.items() if text or name == "operation_id"},
                }
            )
        except ConditionFailedError:
            return
        logger.error("finding", provider=provider, operation_id=told["operation_id"], reason=told["class"])
