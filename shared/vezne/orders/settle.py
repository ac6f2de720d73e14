"""Making an unresolved order final by what its provider's list says of it."""

from dataclasses import replace
from typing import Any

from vezne.orders.finalise import lease_is_alive, record_final_outcome
from vezne.orders.record import (
    DECLINED,
    NOT_EXECUTED,
    RECONCILIATION,
    SUCCEEDED,
    Record,
    iso_time,
    seconds_of,
    trimmed,
)
from vezne.orders.store import LostOwnershipError, Store, new_owner
from vezne.providers.statement import RowState, Statement, StatementRow

LEASE_SECONDS = 120.0
# Two "not listed" that prove an absence, where the operator says that absence proves it, are so far apart.
ABSENCE_SECONDS = 6 * 3600.0
LISTED = "reconciliation"


class Settling:
    """Ends unresolved records by one provider's list. What is final already is never changed."""

    def __init__(self, statement: Statement, store: Store) -> None:
        self._statement, self._store = statement, store

    def settle(self, record: Record, row: StatementRow) -> Record | None:
        """Make an order final by its row. None if the row does not prove it, or somebody is at it."""
        if record.final or lease_is_alive(record, self._store):
            return None
        if not self.proves(record, row):
            return None
        failed = row.state is RowState.FAILED
        status = DECLINED if failed else SUCCEEDED
        outcome = {"code": "", "text": "", **row.result} if failed else {"result": dict(row.result)}
        return self._end(record, status, outcome, {"finding": "found", "row": row.name or row.reference})

    def proves(self, record: Record, row: StatementRow) -> bool:
        """Whether a row that fits an order proves what became of it."""
        return self._statement.proves(replace(record, memory=self._store.memory(record)), row)

    def note_absence(self, record: Record) -> Record | None:
        """Note that an order is not in a whole list. The final record if that, noted twice, says "not executed"."""
        if record.final or lease_is_alive(record, self._store):
            return None
        if not self._statement.absence_proves(record, self._store.now()):
            return None
        noted = [e for e in record.evidence if e["asked"] == LISTED and e["finding"] == "not_found"]
        if noted and self._store.now() - seconds_of(noted[0]["at"]) >= ABSENCE_SECONDS:
            return self._end(record, NOT_EXECUTED, {}, {"finding": "not_found"})
        if not noted:
            self._end(record, None, {}, {"finding": "not_found"})
        return None

    def _end(self, record: Record, status: str | None, outcome: dict[str, Any], seen: dict[str, str]) -> Record | None:
        """Note the evidence, and with a status make the record final. None if it is not final then."""
        now = self._store.now()
        note = {"at": iso_time(now), "asked": LISTED, **seen}
        try:
            taken = self._store.acquire_lease(record, new_owner(), now + LEASE_SECONDS)
            noted = replace(taken, evidence=trimmed((*taken.evidence, note)))
            if status is None:
                self._store.mark_unknown(noted, record.next_look_up or now)
                return None
            final = record_final_outcome(replace(noted, settled_by=RECONCILIATION), status, outcome, self._store)
        except LostOwnershipError:
            return None
        return final if final.written else None
