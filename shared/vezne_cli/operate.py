"""Operate a stack: explain one operation, list the unresolved ones, decide one by hand, forget persons.

Works on the running local stack (`.local/stack.json`), or on a deployed one by its name, with the caller's AWS rights.
"""

import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import boto3
from botocore.exceptions import ClientError
from vezne.orders.finalise import lease_is_alive
from vezne.orders.record import (
    ANSWER,
    LOOK_UP,
    OPERATOR,
    OWN_CALLS,
    RECONCILIATION,
    SUCCEEDED,
    UNKNOWN,
    Record,
    iso_time,
    serialize,
)
from vezne.orders.store import Store, call, table
from vezne.platform.masking import mask_text

from .connection import OperatorError, aws_time
from .unresolved import amount_of, unresolved

# Who found an outcome out, in words.
_FOUND_OUT = {
    ANSWER: "the provider's answer",
    LOOK_UP: "a look-up",
    OPERATOR: "an operator",
    RECONCILIATION: "the reconciliation, from the provider's own list of the day",
}
_MONEY = {SUCCEEDED: "moved", UNKNOWN: "unknown: it may or may not have moved"}


def explain(store: Store, record_id: str) -> Iterator[str]:
    """What happened to one operation, line by line, from its record and evidence. Nothing in a record is secret."""
    record = found(store, record_id)
    yield f"{record.id}  {record.operation}, client {record.principal}"
    yield f"{iso_time(record.created_at)}  claimed, just before the provider was called"
    events = [(entry["at"], _told(entry)) for entry in record.evidence]
    if record.outcome is None:
        events.append((iso_time(record.may_arrive_until), "the latest moment at which it can have been on its way"))
    settled_by = f", by {_FOUND_OUT.get(record.settled_by, record.settled_by)}" if record.settled_by else ""
    events.append((iso_time(record.updated_at), f"{record.status}{settled_by}"))
    for at, told in sorted(events, key=lambda event: event[0]):
        yield f"{at}  {told}"
    if record.outcome:
        yield f"  outcome: {json.dumps(record.outcome, ensure_ascii=False)}"
    account = ", ".join(f"{name} {value}" for name, value in record.account.items())
    yield f"  account: {account or 'not known, the order is of an earlier version'}"
    yield f"  clues: {', '.join(f'{name} {value}' for name, value in record.lookup_fields.items())}"
    otherwise = "not moved" if record.final else "unknown: it is running now"
    if record.status == SUCCEEDED and "money" in record.places:
        yield "  money: not moved: people at the provider decide"
    else:
        yield f"  money: {_MONEY.get(_status(record, store), otherwise)}"
    if record.next_look_up is not None:
        yield f"  next look-up: {iso_time(record.next_look_up)}"


@dataclass(frozen=True)
class Unknown:
    """One operation that is not final, as it is listed."""

    id: str
    operation: str
    status: str
    age: str
    amount: str
    look_ups: int
    next_look_up: str

    def line(self) -> str:
        """For programs: one line, each field at its place."""
        looked_up = f"{self.look_ups} look-ups, next {self.next_look_up}"
        return f"{self.id}  {self.operation:20} {self.status:10} {self.age:>9}  {self.amount:>16}  {looked_up}"

    def cells(self) -> tuple[str, ...]:
        """For a table."""
        return self.id, self.operation, self.status, self.age, self.amount, str(self.look_ups), self.next_look_up


def list_unknown(store: Store) -> Iterator[Unknown]:
    """Every unresolved operation, the oldest first."""
    for item, record in unresolved(store):
        yield Unknown(
            record.id,
            record.operation,
            _status(record, store),
            _age(store.now() - record.created_at),
            amount_of(record),
            sum(entry["asked"] not in OWN_CALLS for entry in record.evidence),
            iso_time(item.next_look_up),
        )


def forget(store: Store, record_id: str, reason: str, who: str) -> Iterator[str]:
    """Erase what one final record says of persons; that it was done, by whom and why stays."""
    record = found(store, record_id)
    if not record.final:
        raise OperatorError(f"{record.id} is not final: what a look-up needs must stay until it is.")
    trace = {"at": iso_time(store.now()), "asked": OPERATOR, "finding": "forgotten", "by": who, "reason": reason}
    outcome = dict(record.outcome or {})
    kept = {"result": {}} if record.status == SUCCEEDED else {"code": outcome["code"], "text": ""} if outcome else {}
    try:
        call(
            "update_item",
            TableName=table(),
            Key={"id": {"S": record.id}},
            # The key's record stays: the same order under it is answered as before, and never sent again.
            UpdateExpression="SET clues = :none, evidence = :trace, outcome = :outcome "
            "REMOVE guard, remembers_also, more_guards, #reference, metadata, own_reference",
            ExpressionAttributeNames={"#reference": "reference"},
            ConditionExpression="attribute_exists(id) AND attribute_not_exists(unresolved)",
            ExpressionAttributeValues={
                ":none": serialize({}),
                ":trace": serialize([trace]),
                ":outcome": serialize(json.dumps(kept)),
            },
        )
    except ClientError:
        raise OperatorError(f"{record.id} was changed by somebody else just now; look again.") from None
    yield f"{record.id}: look-up fields, evidence and the texts of its outcome are erased, by {who}: {reason}"


def found(store: Store, record_id: str) -> Record:
    """The record of an operation. Raises OperatorError if there is none."""
    record = store.find(record_id)
    if record is None:
        raise OperatorError(f"There is no operation {mask_text(record_id)}.")
    return record


def _told(entry: dict[str, str]) -> str:
    rest = ", ".join(f"{name} {value}" for name, value in entry.items() if name not in ("at", "asked", "finding"))
    return f"{entry['asked']}: {entry['finding']}{f' ({rest})' if rest else ''}"


def _status(record: Record, store: Store) -> str:
    """A record whose function was killed still says processing; its outcome is unknown all the same."""
    return record.status if record.final or lease_is_alive(record, store) else UNKNOWN


def _age(seconds: float) -> str:
    minutes, hours = int(seconds // 60), int(seconds // 3600)
    if hours >= 24:
        return f"{hours // 24} d {hours % 24} h"
    return f"{hours} h {minutes % 60} m" if hours else f"{minutes} m"


def operator() -> tuple[str, Callable[[], float]]:
    """Who is asking, by AWS's word, and AWS's clock: this machine's may be wrong."""
    identity = boto3.client("sts").get_caller_identity()
    offset = aws_time(identity).timestamp() - time.time()
    return str(identity["Arn"]), lambda: time.time() + offset
