"""The idempotency table in memory: the conditions of `vezne.idempotency.Store`, without DynamoDB.

For the model-based test, which needs thousands of runs in one thread. `test_memory_store.py` holds it to the real
store on MiniStack, call by call.
"""

from collections.abc import Callable, Iterator
from dataclasses import replace
from decimal import Decimal
from typing import Any

from vezne.guards import counts_as_paid, payment_names, remembered
from vezne.idempotency import GuardRefusedError, LostOwnershipError, Store, StoreUnavailableError
from vezne.record import (
    ANSWER,
    SUCCEEDED,
    UNKNOWN,
    Guard,
    GuardMemory,
    Record,
    Unresolved,
    from_item,
    kept_seconds,
    number,
    to_item,
)


class Table:
    """What all stores of one run share."""

    def __init__(self) -> None:
        self.items: dict[str, dict[str, Any]] = {}
        self.expires: dict[str, int] = {}
        self.guards: dict[tuple[str, str], dict[str, Any]] = {}

    def expire(self, now: float) -> list[str]:
        """TTL: the ids of the records that were deleted because their time is over."""
        gone = [record_id for record_id, at in self.expires.items() if at < now]
        for record_id in gone:
            del self.items[record_id], self.expires[record_id]
        return gone


class MemoryStore(Store):
    """One invocation's view of the table; invocations may have different clocks."""

    def __init__(self, table: Table, clock: Callable[[], float]) -> None:
        super().__init__(clock)
        self._table = table

    def find(self, record_id: str) -> Record | None:
        item = self._table.items.get(record_id)
        return from_item(item) if item else None

    def claim(self, record: Record) -> Record | None:
        there = self.find(record.id)
        if there is not None:
            return there
        for guard in record.guards:
            self._free_if_left_behind(record, guard)
        # All of them or none, as in a transaction.
        for guard in record.guards:
            self._check_guard(record, guard)
        for guard in record.guards:
            held = self._guard(record, guard)
            holder = {"holder": record.id, "holder_client": record.principal, "holder_owner": record.owner}
            self._table.guards[record.operation, guard.key] = {**held, **holder, "marks_paid": True}
        self._put(record)
        return None

    def _guard(self, record: Record, guard: Guard) -> dict[str, Any]:
        return self._table.guards.get((record.operation, guard.key), {})

    def _free_if_left_behind(self, record: Record, guard: Guard) -> None:
        held = self._guard(record, guard)
        other = self.find(held["holder"]) if "holder" in held else None
        in_use = other is not None and (not other.settled or (other.status == SUCCEEDED and guard.keeps))
        if "holder" in held and not in_use and not counts_as_paid(guard, held):
            self._let_go(record, guard, held)

    def _let_go(self, record: Record, guard: Guard, held: dict[str, Any]) -> None:
        gone = ("holder", "holder_client", "holder_owner")
        self._table.guards[record.operation, guard.key] = {k: v for k, v in held.items() if k not in gone}

    def _check_guard(self, record: Record, guard: Guard) -> None:
        held = self._guard(record, guard)
        falls = not guard.may_fall and any(held.get(name, value) > value for name, value in guard.figures.items())
        quiet = guard.quiet_seconds and held.get("quiet_until", Decimal(0)) >= number(record.created_at)
        if "holder" in held or falls or (quiet and "quiet_until" in held):
            raise GuardRefusedError(guard, dict(held))

    def take_over(self, record: Record, owner: str, lease_until: float, *, sending: bool = False) -> Record:
        there = self.find(record.id)
        mine = there is not None and there.owner == owner
        same = there is not None and (there.owner, number(there.lease_until)) == (
            record.owner,
            number(record.lease_until),
        )
        if there is None or there.settled or not (mine or same):
            raise LostOwnershipError
        flight = lease_until if sending else record.in_flight_until
        taken = replace(
            record, owner=owner, lease_until=lease_until, status=UNKNOWN, updated_at=self.now(), in_flight_until=flight
        )
        # The update names these attributes only.
        self._put(replace(there, owner=owner, lease_until=lease_until, status=UNKNOWN, updated_at=taken.updated_at,
                          in_flight_until=flight))  # fmt: skip
        return taken

    def settle(self, record: Record, status: str, outcome: dict[str, Any], *, hold_guards: bool = False) -> Record:
        now = self.now()
        there = self._owned(record, status)
        settled = replace(record, status=status, outcome=outcome, updated_at=now, next_look_up=None, lease_until=0.0,
                          settled_by=record.settled_by or ANSWER)  # fmt: skip
        self._put(replace(there, status=status, outcome=outcome, updated_at=now, evidence=record.evidence,
                          lease_until=0.0, next_look_up=None, settled_by=settled.settled_by))  # fmt: skip
        self._table.expires[record.id] = int(now) + kept_seconds()
        for guard in record.guards:
            if hold_guards or (status == SUCCEEDED and guard.keeps):
                self._keep_guard(settled, guard)
            else:
                self._end_guard(settled, guard, in_doubt=record.status == UNKNOWN)
        return settled

    def release(self, record: Record) -> None:
        if record.id not in self._table.items:
            return
        self._owned(record)
        held = [self._guard(record, guard) for guard in record.guards]
        if any((it.get("holder"), it.get("holder_owner")) != (record.id, record.owner) for it in held):
            raise StoreUnavailableError("guards")
        del self._table.items[record.id]
        for guard, item in zip(record.guards, held, strict=True):
            self._let_go(record, guard, item)

    def keep_unknown(self, record: Record, next_look_up: float) -> Record:
        there = self._owned(record)
        changes: dict[str, Any] = {
            "status": UNKNOWN, "lease_until": 0.0, "updated_at": self.now(), "next_look_up": round(next_look_up, 3),
        }  # fmt: skip
        self._put(replace(there, evidence=record.evidence, **changes))
        return replace(record, **changes)

    def memory(self, record: Record) -> GuardMemory:
        guards = [guard for guard in record.guards if guard.remembers or guard.figures]
        return remembered([(guard, self._guard(record, guard)) for guard in guards])

    def unresolved(self, operation: str) -> Iterator[Unresolved]:
        for record in [from_item(item) for item in self._table.items.values()]:
            if record.operation == operation and not record.settled and record.next_look_up is not None:
                yield Unresolved(record.id, record.created_at, record.next_look_up)

    def _owned(self, record: Record, status: str = UNKNOWN) -> Record:
        there = self.find(record.id)
        if there is None or there.owner != record.owner or (there.settled and there.status != status):
            raise LostOwnershipError
        return there

    def _put(self, record: Record) -> None:
        self._table.items[record.id] = to_item(record)

    def _keep_guard(self, record: Record, guard: Guard) -> None:
        held = self._guard(record, guard)
        if held.get("holder") == record.id:
            self._table.guards[record.operation, guard.key] = {**held, "paid": True}

    def _end_guard(self, record: Record, guard: Guard, *, in_doubt: bool) -> None:
        held = self._guard(record, guard)
        if held.get("holder") != record.id:
            return
        kept = dict(held)
        if record.status == SUCCEEDED:
            kept |= {name: Decimal(value) for name, value in guard.figures.items()}
            if guard.quiet_seconds and in_doubt:
                kept["quiet_until"] = number(record.in_flight_until + guard.quiet_seconds)
            if guard.remembers:
                kept["finalised_at"] = frozenset({*kept.get("finalised_at", ()), number(record.updated_at)})
                payments = frozenset({*kept.get("taken", ()), *payment_names(guard, record)})
                kept |= {"taken": payments} if payments else {}
        self._let_go(record, guard, kept)
