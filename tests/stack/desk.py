"""The operator's desk: explain one operation, list the unresolved ones, settle one by hand.

Works on the running local stack (`.local/stack.json`), or on a deployed one by its name, with the caller's AWS rights.
"""

import argparse
import getpass
import json
import os
import sys
from collections.abc import Iterator
from dataclasses import replace

from vezne.idempotency import LostOwnershipError, Store, StoreUnavailableError, new_owner
from vezne.masking import mask_text
from vezne.record import NOT_EXECUTED, SUCCEEDED, UNKNOWN, Record, iso_time, trimmed
from vezne.settling import lease_is_alive

from .connection import OperatorError, connect
from .stack import OPERATIONS

# Long enough for the two writes of a decision, short enough not to be in the way of a sweep.
DECISION_SECONDS = 30
_MONEY = {SUCCEEDED: "moved", UNKNOWN: "unknown: it may or may not have moved"}


class DeskError(OperatorError):
    """What the operator asked for cannot be done; the text says why."""


def explain(store: Store, record_id: str) -> Iterator[str]:
    """What happened to one operation, line by line, from its record and evidence. Nothing in a record is secret."""
    record = _found(store, record_id)
    yield f"{record.id}  {record.operation}, client {record.principal}"
    yield f"{iso_time(record.created_at)}  claimed, just before the provider was called"
    if record.outcome is None:
        yield f"{iso_time(record.in_flight_until)}  the latest moment at which it can have been on its way"
    for entry in record.evidence:
        rest = ", ".join(f"{name} {value}" for name, value in entry.items() if name not in ("at", "asked", "finding"))
        yield f"{entry['at']}  {entry['asked']}: {entry['finding']}{f' ({rest})' if rest else ''}"
    yield f"{iso_time(record.updated_at)}  {record.status}"
    if record.outcome:
        yield f"  outcome: {json.dumps(record.outcome, ensure_ascii=False)}"
    yield f"  clues: {', '.join(f'{name} {value}' for name, value in record.clues.items())}"
    otherwise = "not moved" if record.settled else "unknown: it is running now"
    yield f"  money: {_MONEY.get(_status(record, store), otherwise)}"
    if record.next_look_up is not None:
        yield f"  next look-up: {iso_time(record.next_look_up)}"


def unknown(store: Store) -> Iterator[str]:
    """Every unresolved operation with its age and amount, the oldest first."""
    items = [item for operation in OPERATIONS for item in store.unresolved(operation)]
    for item in sorted(items, key=lambda each: each.created_at):
        record = store.find(item.id)
        if record is None or record.settled:
            continue
        amount = f"{record.clues.get('amount', 'whole')} {record.clues.get('currency', '')}".strip()
        age = _age(store.now() - record.created_at)
        looked_up = f"{len(record.evidence)} look-ups, next {iso_time(item.next_look_up)}"
        yield f"{record.id}  {record.operation:20} {_status(record, store):10} {age:>9}  {amount:>16}  {looked_up}"


def resolve(store: Store, record_id: str, status: str, reason: str, who: str) -> Iterator[str]:
    """Settle an unknown outcome by decision, if nobody is at it; who and why become part of the evidence."""
    record = _found(store, record_id)
    if record.settled:
        raise DeskError(f"{record.id} is {record.status} already; a settled outcome is never changed.")
    if lease_is_alive(record, store):
        raise DeskError(f"{record.id} is being worked on now; try again in half a minute.")
    decision = {"at": iso_time(store.now()), "asked": "operator", "finding": status, "by": who, "reason": reason}
    try:
        taken = store.take_over(record, new_owner(), store.now() + DECISION_SECONDS)
        noted = replace(taken, evidence=trimmed((*taken.evidence, decision)))
        store.settle(noted, status, {"result": {}} if status == SUCCEEDED else {})
    except LostOwnershipError:
        raise DeskError(f"{record.id} was changed by somebody else just now; look again.") from None
    yield f"{record.id} is {status} now, by {who}: {reason}"


def _found(store: Store, record_id: str) -> Record:
    record = store.find(record_id)
    if record is None:
        raise DeskError(f"There is no operation {mask_text(record_id)}.")
    return record


def _status(record: Record, store: Store) -> str:
    """A record whose function was killed still says processing; its outcome is unknown all the same."""
    return record.status if record.settled or lease_is_alive(record, store) else UNKNOWN


def _age(seconds: float) -> str:
    minutes, hours = int(seconds // 60), int(seconds // 3600)
    if hours >= 24:
        return f"{hours // 24} d {hours % 24} h"
    return f"{hours} h {minutes % 60} m" if hours else f"{minutes} m"


def main() -> int:
    """Parse the command line and print what was asked for."""
    parser = argparse.ArgumentParser(prog="tests.stack.desk", description=__doc__)
    parser.add_argument("--stack", default="", help="a deployed CloudFormation stack; without it, the local one")
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("unknown")
    commands.add_parser("explain").add_argument("operation_id")
    decision = commands.add_parser("resolve")
    decision.add_argument("operation_id")
    decision.add_argument("status", choices=[SUCCEEDED, NOT_EXECUTED])
    decision.add_argument("reason")
    arguments = parser.parse_args()
    try:
        os.environ["TABLE_NAME"] = connect(arguments.stack)["TableName"]
        store = Store()
        if arguments.command == "unknown":
            lines = unknown(store)
        elif arguments.command == "explain":
            lines = explain(store, arguments.operation_id)
        else:
            if not arguments.reason.strip():
                raise DeskError("Say why: the reason stays with the record.")
            lines = resolve(
                store, arguments.operation_id, arguments.status, mask_text(arguments.reason), getpass.getuser()
            )
        printed = [print(line) for line in lines]
        if not printed:
            print("nothing is unresolved")
    except (OperatorError, StoreUnavailableError) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
