"""Guards as DynamoDB items: how one is claimed, let go, kept for good, and what it remembers.

A guard's item has `holder`, the id of the record that holds it, with `holder_client` (its principal), `holder_owner`
(the invocation that claimed it), `holder_keeps`, `held_since` and `marks_paid`; `paid` once it is held for good; the
figures in force and `quiet_until`; `taken` and `finalised_at`, the payments of earlier orders. Each function returns
the request of one update, without the table.
"""

from typing import Any

from vezne.orders.record import SUCCEEDED, Guard, GuardMemory, Record, guard_id, kept_seconds, number

# What a guard says of its holder; an earlier version that takes it after us writes the first two only.
HELD = "holder, holder_client, holder_owner, holder_keeps, held_since, marks_paid"
# No settled record is gone sooner: the least that the template's KeptDays may be.
LEAST_KEPT_SECONDS = 30 * 24 * 3600


def remembered(held: list[tuple[Guard, dict[str, Any]]]) -> GuardMemory:
    """What guards know, from each as it stands in the table."""
    return GuardMemory(
        payments=frozenset(name for _, item in held for name in item.get("taken", ())),
        finalised_at=tuple(sorted(float(time) for _, item in held for time in item.get("finalised_at", ()))),
        figures={name: int(item[name]) for guard, item in held for name in guard.figures if name in item},
    )


def counts_as_paid(guard: Guard, held: dict[str, Any], now: float) -> bool:
    """Whether a guard whose holder has no record is held for good: what it guards was paid, or nobody knows.

    Earlier versions did not mark it: such a guard, if its kind is kept after success, may be one of a paid order. They
    may also have settled, during a deployment, what this version claimed. But no settled record is gone so soon.
    """
    if held.get("paid") or not held.get("holder_keeps", guard.keeps):
        return bool(held.get("paid"))
    return not held.get("marks_paid") or now >= float(held.get("held_since", 0)) + LEAST_KEPT_SECONDS


def paid_by(holder: Record, guard: Guard) -> bool:
    """Whether the order that holds a guard keeps it for good. It is asked, not a newcomer under the same guard.

    A bill paid in full is met by an order for a part of it, which would not keep the guard itself.
    """
    keeps = next((own.keeps for own in holder.guards if own.key == guard.key), guard.keeps)
    return keeps and holder.status == SUCCEEDED


def payment_names(guard: Guard, record: Record) -> list[str]:
    """What names the payment of a record that succeeded, for later look-ups under the same guard."""
    result = (record.outcome or {}).get("result") or {}
    named = [f"{field}={result[field]}" for field in guard.remembers if result.get(field)]
    # Earlier versions look for the bare value of the first field.
    bare = [str(result[field]) for field in guard.remembers[:1] if result.get(field)]
    return sorted({*named, *bare})


def has_memory(guard: Guard) -> bool:
    """Whether later orders under the guard must know something of earlier ones."""
    return bool(guard.remembers or guard.figures)


def claim(record: Record, guard: Guard) -> dict[str, Any]:
    """Take a guard that nobody holds, whose figures do not fall and whose quiet time is over."""
    figures = {} if guard.may_fall else guard.figures
    conditions = ["attribute_not_exists(holder)"]
    conditions += [f"(attribute_not_exists({name}) OR {name} <= :{name})" for name in figures]
    now = {}
    if guard.quiet_seconds:
        conditions.append("(attribute_not_exists(quiet_until) OR quiet_until < :now)")
        now = {":now": {"N": str(number(record.created_at))}}
    return {
        "Key": {"id": {"S": guard_id(record.operation, guard.key)}},
        "UpdateExpression": "SET holder = :holder, holder_client = :client, holder_owner = :owner, "
        "holder_keeps = :keeps, held_since = :since, marks_paid = :yes REMOVE expires_at",
        "ConditionExpression": " AND ".join(conditions),
        "ExpressionAttributeValues": {
            ":holder": {"S": record.id},
            ":client": {"S": record.principal},
            ":owner": {"S": record.owner},
            ":yes": {"BOOL": True},
            ":keeps": {"BOOL": guard.keeps},
            ":since": {"N": str(number(record.created_at))},
            **{f":{name}": {"N": str(value)} for name, value in figures.items()},
            **now,
        },
        "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
    }


def release(record: Record, guard: Guard) -> dict[str, Any]:
    """Let the guard of a claim go whose order was not sent. Another claim under the same key may hold it by now."""
    update = _let_go(record, guard, [], "")
    update["ConditionExpression"] += " AND holder_owner = :owner"
    update["ExpressionAttributeValues"][":owner"] = {"S": record.owner}
    return update


def keep(record: Record, guard: Guard) -> dict[str, Any]:
    """Hold a guard for good, and mark it: it outlives its record."""
    return {
        "Key": {"id": {"S": guard_id(record.operation, guard.key)}},
        "UpdateExpression": "SET paid = :yes",
        "ConditionExpression": "holder = :holder",
        "ExpressionAttributeValues": {":holder": {"S": record.id}, ":yes": {"BOOL": True}},
    }


def end(record: Record, guard: Guard, *, in_doubt: bool) -> dict[str, Any]:
    """Let a guard go, and leave in it what later orders under it must know."""
    setting, adding = [], ""
    values: dict[str, Any] = {}
    if record.status == SUCCEEDED:
        setting = [f"{name} = :{name}" for name in guard.figures]
        values |= {f":{name}": {"N": str(value)} for name, value in guard.figures.items()}
        if guard.quiet_seconds and in_doubt:
            setting.append("quiet_until = :quiet")
            values[":quiet"] = {"N": str(number(record.may_arrive_until + guard.quiet_seconds))}
        if guard.remembers:
            adding = " ADD finalised_at :finalised_at"
            values[":finalised_at"] = {"NS": [str(number(record.updated_at))]}
            payments = payment_names(guard, record)
            if payments:
                adding += ", taken :payments"
                values[":payments"] = {"SS": payments}
    update = _let_go(record, guard, setting, adding)
    update["ExpressionAttributeValues"] |= values
    return update


def _let_go(record: Record, guard: Guard, setting: list[str], adding: str) -> dict[str, Any]:
    values: dict[str, Any] = {":holder": {"S": record.id}}
    if not guard.figures:
        # What is remembered matters to orders of the same days only; figures must never be forgotten.
        setting = [*setting, "expires_at = :expires"]
        values[":expires"] = {"N": str(int(record.updated_at) + kept_seconds())}
    sets = f"SET {', '.join(setting)} " if setting else ""
    return {
        "Key": {"id": {"S": guard_id(record.operation, guard.key)}},
        "ConditionExpression": "holder = :holder",
        "UpdateExpression": f"{sets}REMOVE {HELD}{adding}",
        "ExpressionAttributeValues": values,
    }
