"""Every write of a record, in one place: what it changes, under which condition, and what becomes of the guards.

    (none) -> processing                        claim
    processing -> (none)                        release: certainly not sent
    processing, unknown -> unknown              acquire_lease, mark_unknown
    processing, unknown -> succeeded, declined, not_executed
                                                finalise

Nothing leaves a final status: each condition asks for `unresolved`, which a final record has not. All functions are
pure; `Store.apply` executes a write.
"""

from dataclasses import dataclass, replace
from typing import Any, Literal

from vezne.orders.guards import Guard, Update, guards_of
from vezne.orders.own import listing
from vezne.orders.record import ANSWER, UNKNOWN, Record, kept_seconds, number, serialize, to_item


@dataclass(frozen=True, slots=True)
class Write:
    """One conditional write of a record. `record`: as it stands afterwards.

    `request`: of PutItem, UpdateItem or DeleteItem, without the table. `guards`: what becomes of them, in the same
    transaction.
    """

    kind: Literal["Put", "Update", "Delete"]
    record: Record
    request: dict[str, Any]
    guards: tuple[tuple[Guard, Update], ...] = ()


def claim(record: Record) -> Write:
    """Create the record, and take its guards."""
    request = {
        "Item": {**to_item(record), **listing(record)},
        "ConditionExpression": "attribute_not_exists(id)",
        "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
    }
    return Write("Put", record, request, tuple((guard, guard.claim(record)) for guard in guards_of(record)))


def release(record: Record) -> Write:
    """Delete a record whose order was certainly not sent; its key is free again.

    Its guards are released in the same write. A claim whose answer was lost may be applied at any time. If the record
    alone were deleted, a guard could be left that nobody holds.
    """
    request = {
        "Key": {"id": {"S": record.id}},
        # The SDK repeats a write whose answer was lost: then it is gone already.
        "ConditionExpression": "attribute_not_exists(id) OR (#owner = :owner AND attribute_exists(unresolved))",
        "ExpressionAttributeNames": {"#owner": "owner"},
        "ExpressionAttributeValues": {":owner": {"S": record.owner}},
    }
    return Write("Delete", record, request, tuple((guard, guard.undo_claim(record)) for guard in guards_of(record)))


def acquire_lease(record: Record, now: float, owner: str, lease_until: float, *, sending: bool = False) -> Write:
    """Become the owner of an unresolved record whose lease is over. From then on its outcome is unknown.

    `sending`: the order is about to be sent again, so it may be on its way until the lease ends.
    """
    taken = replace(
        record,
        owner=owner,
        lease_until=lease_until,
        status=UNKNOWN,
        updated_at=now,
        may_arrive_until=lease_until if sending else record.may_arrive_until,
    )
    return _update(
        taken,
        "SET #owner = :owner, #lease = :lease, #status = :status, #updated = :updated, #flight = :flight, "
        "#told = :told",
        # The SDK repeats a write whose answer was lost: then we are the owner already.
        condition="attribute_exists(unresolved) AND (#owner = :owner OR (#owner = :old AND #lease = :old_lease))",
        old=record.owner,
        old_lease=number(record.lease_until),
    )


def mark_unknown(record: Record, now: float, next_look_up: float) -> Write:
    """Keep that the outcome is unknown, give up the lease, and set the next look-up and with it the lane."""
    kept = replace(record, status=UNKNOWN, lease_until=0.0, updated_at=now, next_look_up=round(next_look_up, 3))
    return _update(
        kept,
        "SET #status = :status, #lease = :lease, #updated = :updated, #evidence = :evidence, #next = :next, "
        "#lane = :lane, #told = :told",
        condition="#owner = :owner AND attribute_exists(unresolved)",
    )


def finalise(record: Record, now: float, status: str, outcome: dict[str, Any], *, hold_guards: bool = False) -> Write:
    """Keep the certain outcome, and let the guards go as their kinds ask for.

    `hold_guards`: nobody knows which payment at the provider is this order's, so no other order may come after it.
    """
    final = replace(record, status=status, outcome=outcome, updated_at=now, next_look_up=None, lease_until=0.0,
                    settled_by=record.settled_by or ANSWER)  # fmt: skip
    write = _update(
        final,
        "SET #status = :status, #outcome = :outcome, #updated = :updated, #evidence = :evidence, "
        "#expires = :expires, #lease = :lease, #by = :by, #day = :day, #told = :told REMOVE unresolved, next_look_up",
        # What is final never changes; the SDK may repeat the very same write.
        condition="#owner = :owner AND (attribute_exists(unresolved) OR #status = :status)",
        expires=int(now) + kept_seconds(),
    )
    in_doubt = record.status == UNKNOWN
    ends = (
        (guard, guard.hold(final) if hold_guards else guard.release(final, in_doubt=in_doubt))
        for guard in guards_of(final)
    )
    return replace(write, guards=tuple(ends))


_NAMES = {
    "#owner": "owner", "#lease": "lease_until", "#status": "status", "#updated": "updated_at",
    "#flight": "in_flight_until", "#outcome": "outcome", "#evidence": "evidence", "#expires": "expires_at",
    "#next": "next_look_up", "#lane": "unresolved", "#by": "settled_by", "#day": "day",
    "#told": "told",
}  # fmt: skip


def _update(record: Record, expression: str, condition: str, **values: Any) -> Write:
    """An update of the record's own attributes; a placeholder is filled in only if the expressions use it."""
    item = to_item(record)
    own = {f":{name[1:]}": item[attribute] for name, attribute in _NAMES.items() if attribute in item}
    own |= {f":{name}": serialize(value) for name, value in values.items()}
    used = set(_words(f"{expression} {condition}"))
    request = {
        "Key": {"id": {"S": record.id}},
        "UpdateExpression": expression,
        "ConditionExpression": condition,
        "ExpressionAttributeNames": {name: attribute for name, attribute in _NAMES.items() if name in used},
        "ExpressionAttributeValues": {name: value for name, value in own.items() if name in used},
    }
    return Write("Update", record, request)


def _words(text: str) -> list[str]:
    return text.replace(",", " ").replace("(", " ").replace(")", " ").split()
