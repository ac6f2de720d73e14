"""Operate a stack: explain one operation, list the unresolved ones, decide one by hand, forget persons.

Works on the running local stack (`.local/stack.json`), or on a deployed one by its name, with the caller's AWS rights.
"""

import argparse
import json
import os
import re
import sys
import time
from collections.abc import Callable, Iterator

import boto3
from botocore.exceptions import BotoCoreError, ClientError
from vezne.orders.finalise import lease_is_alive
from vezne.orders.record import NOT_EXECUTED, OPERATOR, OWN_CALLS, SUCCEEDED, UNKNOWN, Record, iso_time, serialize
from vezne.orders.store import Store, StoreUnavailableError, call, table
from vezne.platform.masking import mask_text

from .connection import OperatorError, aws_time, connect
from .decisions import Decision, decide, look_up_in
from .unresolved import unresolved

_ID = re.compile(r"op_[a-z2-7]{26}")
_MONEY = {SUCCEEDED: "moved", UNKNOWN: "unknown: it may or may not have moved"}


def explain(store: Store, record_id: str) -> Iterator[str]:
    """What happened to one operation, line by line, from its record and evidence. Nothing in a record is secret."""
    record = _found(store, record_id)
    yield f"{record.id}  {record.operation}, client {record.principal}"
    yield f"{iso_time(record.created_at)}  claimed, just before the provider was called"
    events = [(entry["at"], _told(entry)) for entry in record.evidence]
    if record.outcome is None:
        events.append((iso_time(record.may_arrive_until), "the latest moment at which it can have been on its way"))
    settled_by = f", by {record.settled_by}" if record.settled_by else ""
    events.append((iso_time(record.updated_at), f"{record.status}{settled_by}"))
    for at, told in sorted(events, key=lambda event: event[0]):
        yield f"{at}  {told}"
    if record.outcome:
        yield f"  outcome: {json.dumps(record.outcome, ensure_ascii=False)}"
    account = ", ".join(f"{name} {value}" for name, value in record.account.items())
    yield f"  account: {account or 'not known, the order is of an earlier version'}"
    yield f"  clues: {', '.join(f'{name} {value}' for name, value in record.lookup_fields.items())}"
    otherwise = "not moved" if record.final else "unknown: it is running now"
    yield f"  money: {_MONEY.get(_status(record, store), otherwise)}"
    if record.next_look_up is not None:
        yield f"  next look-up: {iso_time(record.next_look_up)}"


def unknown(store: Store) -> Iterator[str]:
    """Every unresolved operation with its age and amount, the oldest first."""
    for item, record in unresolved(store):
        amount = f"{record.lookup_fields.get('amount', 'whole')} {record.lookup_fields.get('currency', '')}".strip()
        age = _age(store.now() - record.created_at)
        times = sum(entry["asked"] not in OWN_CALLS for entry in record.evidence)
        looked_up = f"{times} look-ups, next {iso_time(item.next_look_up)}"
        yield f"{record.id}  {record.operation:20} {_status(record, store):10} {age:>9}  {amount:>16}  {looked_up}"


def forget(store: Store, record_id: str, reason: str, who: str) -> Iterator[str]:
    """Erase what one final record says of persons; that it was done, by whom and why stays."""
    record = _found(store, record_id)
    if not record.final:
        raise OperatorError(f"{record.id} is not settled: what a look-up needs must stay until it is.")
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
            "REMOVE guard, remembers_also, more_guards",
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


def _found(store: Store, record_id: str) -> Record:
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


def _checked(arguments: argparse.Namespace) -> None:
    """Raises OperatorError that says which argument is missing or mistyped."""
    if arguments.command == "unknown":
        return
    if not _ID.fullmatch(arguments.operation_id):
        given = mask_text(arguments.operation_id) or "nothing"
        raise OperatorError(f"Say OP=op_ with its 26 letters and digits (make unknown lists them); given was {given}.")
    if arguments.command == "resolve" and arguments.status not in (SUCCEEDED, NOT_EXECUTED):
        raise OperatorError(f"Say AS={SUCCEEDED} or AS={NOT_EXECUTED}; given was {arguments.status or 'nothing'}.")
    if arguments.command in ("resolve", "forget") and not arguments.reason.strip():
        raise OperatorError('Say REASON="...": the reason stays with the record.')


def _operator() -> tuple[str, Callable[[], float]]:
    """Who is asking, by AWS's word, and AWS's clock: this machine's may be wrong."""
    identity = boto3.client("sts").get_caller_identity()
    offset = aws_time(identity).timestamp() - time.time()
    return str(identity["Arn"]), lambda: time.time() + offset


def _confirmed(given: str) -> Callable[[str], bool]:
    """Whether the operator typed the operation's id; `given`: typed before, in a script."""

    def confirmed(record_id: str) -> bool:
        if not given and sys.stdin.isatty():
            return input(f"Type {record_id} to confirm: ").strip() == record_id
        return given == record_id

    return confirmed


def _lines(arguments: argparse.Namespace) -> Iterator[str]:
    _checked(arguments)
    outputs = connect(arguments.stack)
    os.environ["TABLE_NAME"] = outputs["TableName"]
    if arguments.command == "unknown":
        return unknown(Store())
    if arguments.command == "explain":
        return explain(Store(), arguments.operation_id)
    who, clock = _operator()
    store, reason = Store(clock), mask_text(arguments.reason)
    if arguments.command == "forget":
        return forget(store, arguments.operation_id, reason, who)
    decision = Decision(arguments.status, reason, who, arguments.override, arguments.row)
    record = _found(store, arguments.operation_id)
    return decide(store, record, decision, look_up_in(outputs), _confirmed(arguments.confirm))


def main() -> int:
    """Parse the command line and print what was asked for."""
    parser = argparse.ArgumentParser(prog="vezne_cli.operate", description=__doc__)
    parser.add_argument("--stack", default="", help="a deployed CloudFormation stack; without it, the local one")
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("unknown")
    commands.add_parser("explain").add_argument("operation_id")
    forgetting = commands.add_parser("forget")
    forgetting.add_argument("operation_id")
    forgetting.add_argument("reason")
    deciding = commands.add_parser("resolve")
    deciding.add_argument("operation_id")
    deciding.add_argument("status")
    deciding.add_argument("reason")
    deciding.add_argument("--row", default="")
    deciding.add_argument("--confirm", default="")
    deciding.add_argument("--override", action="store_true")
    try:
        printed = 0
        for line in _lines(parser.parse_args()):
            print(line, flush=True)
            printed += 1
        if not printed:
            print("nothing is unresolved")
    except (OperatorError, StoreUnavailableError) as error:
        print(error, file=sys.stderr)
        return 1
    except (BotoCoreError, ClientError) as error:
        print(f"AWS refused: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
