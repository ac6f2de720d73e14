"""A decision by hand about an unknown outcome: the last resort, and therefore slow.

The order's own function looks the payment up first; it has the provider's address and secret. If it finds the payment,
there is nothing to decide. `not_executed` lets the client pay again. So it needs a complete look-up without the
payment, after the time from which that counts. An operator may insist without it; the evidence says so then.
"""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from vezne.orders.record import NOT_EXECUTED, OPERATOR, SUCCEEDED, Record, iso_time, trimmed
from vezne.orders.store import LostOwnershipError, Store, new_owner

from .catalogue import ORDERS
from .connection import OperatorError

# Long enough for the two writes of a decision, short enough not to be in the way of a sweep.
DECISION_SECONDS = 30
# So long after the last moment at which a function can have been at the record, whatever its clock says.
LEASE_MARGIN_SECONDS = 120
# What a client is told from then on.
TOLD = {
    SUCCEEDED: "200 succeeded, without a result; it will not pay again",
    NOT_EXECUTED: "402 not-executed, money not_moved, retry new_key: it may pay AGAIN under a new key",
}
# Asks the function: an operation's name and a record's id -> its answer, or None if there is none.
LookUp = Callable[[str, str], dict[str, Any] | None]


@dataclass(frozen=True)
class Decision:
    """What an operator wants, and who it is. `row`: `field=value` that names the payment at the provider."""

    status: str
    reason: str
    by: str
    override: bool = False
    row: str = ""


def look_up_in(outputs: dict[str, str]) -> LookUp:
    """Let the stack's own function look a record up. Nothing is sent to the provider but a question."""
    functions = boto3.client("lambda", config=Config(read_timeout=70, retries={"total_max_attempts": 1}))

    def look_up(operation: str, record_id: str) -> dict[str, Any] | None:
        try:
            answer = functions.invoke(
                FunctionName=outputs[ORDERS[operation].output],
                Qualifier="live",
                Payload=json.dumps({"look_up": record_id}).encode(),
            )
            content = json.loads(answer["Payload"].read())
        except (BotoCoreError, ClientError, ValueError):
            return None
        return content if "FunctionError" not in answer and isinstance(content, dict) else None

    return look_up


def decide(
    store: Store, record: Record, decision: Decision, look_up: LookUp, confirmed: Callable[[str], bool]
) -> Iterator[str]:
    """Look up, show, ask, and write the decision. `store` has AWS's time. Raises OperatorError if it is refused."""
    if reason := why_not_now(record, store):
        raise OperatorError(f"{record.id} {reason}")
    if reason := why_not_this_row(record, decision):
        raise OperatorError(f"--row {reason}")
    row = _row(decision)
    yield f"looking {record.id} up at the provider first ..."
    answer = look_up(record.operation, record.id)
    before, record = record, store.find(record.id) or record
    if record.final:
        yield f"{record.id} is {record.status}, by {record.settled_by or 'evidence'}: there is nothing to decide."
        return
    seen = record.evidence[-1] if record.evidence != before.evidence else None
    doubts = _doubts(record, decision, answer, seen, store.now())
    yield from _shown(record, decision, doubts)
    if doubts and not decision.override:
        raise OperatorError(
            f"Not decided. --override (make: OVERRIDE=1) insists, and is kept with the record:\n{_lines(doubts)}"
        )
    hold = decision.status == SUCCEEDED and any(guard.remembers for guard in record.guards) and not row
    if hold:
        yield "No row was named, so no later order for the same thing is let through (--row field=value names it)."
    if not confirmed(record.id):
        raise OperatorError(
            f"Not decided: type {record.id} to confirm (in a script --confirm {record.id}; make: CONFIRM={record.id})."
        )
    _write(store, record, decision, row, doubts, hold=hold)
    yield f"{record.id} is {decision.status} now, by {decision.by}: {decision.reason}"


def why_not_now(record: Record, store: Store) -> str:
    """Why nobody may decide about a record now; empty if somebody may."""
    if record.final:
        return f"is {record.status} already; a final outcome is never changed."
    free_from = max(record.lease_until, record.may_arrive_until) + LEASE_MARGIN_SECONDS
    if store.now() < free_from:
        return f"may be on its way or worked on now; try again after {iso_time(free_from)}."
    return ""


def why_not_this_row(record: Record, decision: Decision) -> str:
    """What is wrong with the payment that the operator names; empty if nothing is, or none is named."""
    if not decision.row:
        return ""
    field, _, value = decision.row.partition("=")
    known = sorted({name for guard in record.guards for name in guard.remembers})
    if decision.status == SUCCEEDED and field in known and value.strip():
        return ""
    fields = f"one of: {', '.join(known)}" if known else "none for this operation"
    return f"is field=value for a payment that succeeded; the field is {fields}."


def _row(decision: Decision) -> dict[str, str]:
    """The payment that the operator names, as its guard remembers it."""
    field, _, value = decision.row.partition("=")
    return {field: value.strip()} if decision.row else {}


def _doubts(
    record: Record, decision: Decision, answer: dict[str, Any] | None, seen: dict[str, str] | None, now: float
) -> list[str]:
    """Why the decision is not safe yet; empty if it is."""
    if decision.status != NOT_EXECUTED:
        return []
    doubts = []
    if seen is None or seen["finding"] != "not_found":
        told = f"inconclusive: {seen.get('reason', '')}" if seen else "no look-up was made"
        doubts.append(f"The look-up did not say that the payment is not there ({told}).")
    counts_from = answer and answer.get("absence_counts_from")
    if not counts_from:
        doubts.append("It is not known from when on a missing payment proves anything.")
    elif now <= counts_from:
        doubts.append(f"A missing payment proves nothing before {iso_time(counts_from)}.")
    return doubts


def _shown(record: Record, decision: Decision, doubts: list[str]) -> Iterator[str]:
    amount = f"{record.lookup_fields.get('amount', 'the whole')} {record.lookup_fields.get('currency', '')}".strip()
    yield f"  order:   {record.operation} of {record.principal}, {amount}, {iso_time(record.created_at)}"
    yield f"  fields:  {', '.join(f'{name} {value}' for name, value in record.lookup_fields.items())}"
    for entry in record.evidence:
        yield f"  {_entry(entry)}"
    yield f"  the client will be told: {TOLD[decision.status]}"
    if doubts:
        yield _lines(doubts)


def _lines(doubts: list[str]) -> str:
    return "\n".join(f"  !! {doubt}" for doubt in doubts)


def _entry(entry: dict[str, str]) -> str:
    rest = ", ".join(f"{name} {value}" for name, value in entry.items() if name not in ("at", "asked", "finding"))
    return f"{entry['at']}  {entry['asked']}: {entry['finding']}{f' ({rest})' if rest else ''}"


def _write(
    store: Store, record: Record, decision: Decision, row: dict[str, str], doubts: list[str], *, hold: bool
) -> None:
    noted = {
        "at": iso_time(store.now()),
        "asked": OPERATOR,
        "finding": decision.status,
        "by": decision.by,
        "reason": decision.reason,
        **({"override": " ".join(doubts)} if doubts else {}),
        **({"row": decision.row} if row else {}),
    }
    try:
        # Whoever was at the record since it was shown has another owner or lease: then nothing is written.
        taken = store.acquire_lease(record, new_owner(), store.now() + DECISION_SECONDS)
        taken = replace(taken, evidence=trimmed((*taken.evidence, noted)), settled_by=OPERATOR)
        outcome = {"result": row} if decision.status == SUCCEEDED else {}
        store.finalise(taken, decision.status, outcome, hold_guards=hold)
    except LostOwnershipError:
        raise OperatorError(f"{record.id} was changed by somebody else just now; look again.") from None
