"""DynamoDB idempotency records: claim, take over, settle, release, and find the unresolved ones.

The claim is the only lock and the mark that the order may have been sent. Every later write carries the condition that
the record is still ours, so a late loser changes nothing.
"""

import base64
import functools
import hashlib
import json
import os
import random
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime, timezone
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import boto3
from boto3.dynamodb.types import TypeDeserializer, TypeSerializer
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

if TYPE_CHECKING:
    from types_boto3_dynamodb.client import DynamoDBClient

PROCESSING, SUCCEEDED, DECLINED, UNKNOWN, NOT_EXECUTED = "processing", "succeeded", "declined", "unknown", "not_executed"
SETTLED = frozenset({SUCCEEDED, DECLINED, NOT_EXECUTED})
UNRESOLVED_INDEX = "unresolved-index"
# Each order is written to its operation's part of the index and taken out again: 8 partitions take 8,000 such writes
# a second, far above any provider's limit, and a sweep reads all 8 in 8 queries.
SHARDS = 8
KEPT_SECONDS = 90 * 24 * 3600
# Two functions' clocks may differ; a lease is only over when it is over on every clock.
CLOCK_MARGIN_SECONDS = 3
# The lists in a record stay far below DynamoDB's 400 KB: the first look-ups and the latest are kept.
EVIDENCE_HEAD, EVIDENCE_TAIL = 20, 60
_CONFLICT_TRIES = 4


class StoreUnavailableError(Exception):
    """The table did not answer, or refused for a reason that is not about the record."""


class LostOwnershipError(Exception):
    """Another invocation has taken the record over or settled it: this write changed nothing."""


class GuardRefusedError(Exception):
    """The claim was refused by its guard, which another order holds or whose figures are higher."""

    def __init__(self, guard: dict[str, Any]) -> None:
        super().__init__("guard")
        self.guard = guard


@dataclass(frozen=True, slots=True)
class Guard:
    """A second lock, on what an order pays or changes, where the idempotency key alone does not protect it.

    `keeps`: held for good after success (a bill is paid once). `figures`: amounts in minor units that must not fall
    from one success to the next, unless `may_fall`.
    """

    key: str
    keeps: bool = False
    figures: dict[str, int] = field(default_factory=dict)
    may_fall: bool = False


@dataclass(frozen=True, slots=True)
class Record:
    """One order as it stands in the table. Times are seconds since 1970."""

    id: str
    operation: str
    client_id: str
    fingerprint: str
    status: str
    owner: str
    lease_until: float
    in_flight_until: float
    created_at: float
    updated_at: float
    clues: dict[str, str]
    guard: Guard | None = None
    outcome: dict[str, Any] | None = None
    evidence: tuple[dict[str, str], ...] = ()
    next_look_up: float | None = None

    @property
    def settled(self) -> bool:
        """Whether the outcome is certain and stored."""
        return self.status in SETTLED


@dataclass(frozen=True, slots=True)
class Unresolved:
    """What the sparse index tells about a record without reading it."""

    id: str
    created_at: float
    next_look_up: float


def new_owner() -> str:
    """A name for one invocation. Lambda's request id will not do: an asynchronous retry has the same one."""
    return uuid.uuid4().hex


def operation_tag(operation: str) -> str:
    """The first four characters of every id of an operation; each function's rights are fenced by it."""
    return _base32(hashlib.sha256(operation.encode()))[:4]


def operation_id(client_id: str, operation: str, idempotency_key: str) -> str:
    """The record's key and the public `operation_id`: `op_`, the operation's tag, and 22 characters (110 bits) of hash."""
    digest = hashlib.sha256("\n".join((client_id, operation, idempotency_key)).encode())
    return f"op_{operation_tag(operation)}{_base32(digest)[:22]}"


def guard_id(operation: str, key: str) -> str:
    """The key of a guard item. The guarded value itself is hashed: it may be a customer's number."""
    return f"guard#{operation}#{_base32(hashlib.sha256(key.encode()))[:26]}"


class Store:
    """The idempotency table. Raises StoreUnavailableError from every method if the table does not answer."""

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self.now = clock

    def find(self, record_id: str) -> Record | None:
        """Read one record, strongly consistent."""
        answer = _call("get_item", TableName=_table(), Key={"id": {"S": record_id}}, ConsistentRead=True)
        return _from_item(answer["Item"]) if "Item" in answer else None

    def claim(self, record: Record) -> Record | None:
        """Create the record, and take its guard, in one conditional write.

        Returns None if it is ours now, else the record that stood there. Raises GuardRefusedError.
        """
        put = {
            "TableName": _table(),
            "Item": _to_item(record),
            "ConditionExpression": "attribute_not_exists(id)",
            "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
        }
        if record.guard is None:
            try:
                _call("put_item", **put)
            except ClientError as error:
                return _from_item(error.response["Item"])  # type: ignore[typeddict-item]
            return None
        try:
            _transact([{"Put": put}, {"Update": _guard_claim(record)}])
        except ClientError as error:
            on_record, on_guard = error.response["CancellationReasons"]  # type: ignore[typeddict-item]
            if on_record.get("Code") == "ConditionalCheckFailed":
                return _from_item(on_record["Item"])
            raise GuardRefusedError(_plain(on_guard["Item"])) from None
        return None

    def take_over(self, record: Record, owner: str, lease_until: float, *, sending: bool = False) -> Record:
        """Become the owner of an unresolved record whose lease is over. Raises LostOwnershipError if somebody else did.

        `sending`: the order is about to be sent again, so it may be on its way until the lease ends.
        """
        now = self.now()
        taken = replace(
            record,
            owner=owner,
            lease_until=lease_until,
            status=UNKNOWN,
            updated_at=now,
            in_flight_until=lease_until if sending else record.in_flight_until,
        )
        self._update(
            taken,
            "SET #owner = :owner, #lease = :lease, #status = :status, #updated = :updated, #flight = :flight",
            condition="#owner = :old AND #lease = :old_lease AND attribute_exists(unresolved)",
            old=record.owner,
            old_lease=_number(record.lease_until),
        )
        return taken

    def settle(self, record: Record, status: str, outcome: dict[str, Any]) -> Record:
        """Write the certain outcome, and release or advance the guard. Raises LostOwnershipError."""
        now = self.now()
        settled = replace(
            record, status=status, outcome=outcome, updated_at=now, next_look_up=None, lease_until=0.0
        )
        update = _owned_update(
            settled,
            "SET #status = :status, #outcome = :outcome, #updated = :updated, #evidence = :evidence, "
            "#expires = :expires, #lease = :lease REMOVE unresolved, next_look_up",
            expires=int(now) + KEPT_SECONDS,
        )
        self._write_with_guard(settled, {"Update": update}, status)
        return settled

    def release(self, record: Record) -> None:
        """Delete a record whose order was certainly not sent; its key is free again. Raises LostOwnershipError."""
        delete = {
            "TableName": _table(),
            "Key": {"id": {"S": record.id}},
            "ConditionExpression": "#owner = :owner",
            "ExpressionAttributeNames": {"#owner": "owner"},
            "ExpressionAttributeValues": {":owner": {"S": record.owner}},
        }
        self._write_with_guard(record, {"Delete": delete}, "released")

    def keep_unknown(self, record: Record, next_look_up: float) -> Record:
        """Write that the outcome is unknown, give up the lease, and say when to look next. Raises LostOwnershipError."""
        kept = replace(
            record, status=UNKNOWN, lease_until=0.0, updated_at=self.now(), next_look_up=round(next_look_up, 3)
        )
        self._update(
            kept,
            "SET #status = :status, #lease = :lease, #updated = :updated, #evidence = :evidence, #next = :next",
        )
        return kept

    def unresolved(self, operation: str) -> Iterator[Unresolved]:
        """Every unresolved record of an operation, in each shard the one due first first."""
        for shard in range(SHARDS):
            start: dict[str, Any] = {}
            while True:
                page = _call(
                    "query",
                    TableName=_table(),
                    IndexName=UNRESOLVED_INDEX,
                    KeyConditionExpression="unresolved = :partition",
                    ExpressionAttributeValues={":partition": {"S": f"{operation}#{shard}"}},
                    **start,
                )
                for item in map(_plain, page["Items"]):
                    yield Unresolved(item["id"], _seconds(item["created_at"]), float(item["next_look_up"]))
                if "LastEvaluatedKey" not in page:
                    break
                start = {"ExclusiveStartKey": page["LastEvaluatedKey"]}

    def _update(self, record: Record, expression: str, condition: str = "#owner = :owner", **values: Any) -> None:
        try:
            _call("update_item", **_owned_update(record, expression, condition, **values))
        except ClientError:
            raise LostOwnershipError from None

    def _write_with_guard(self, record: Record, write: dict[str, Any], ending: str) -> None:
        if record.guard is not None and not (ending == SUCCEEDED and record.guard.keeps):
            try:
                _transact([write, {"Update": _guard_end(record, ending)}])
                return
            except ClientError as error:
                on_record, _ = error.response["CancellationReasons"]  # type: ignore[typeddict-item]
                if on_record.get("Code") == "ConditionalCheckFailed":
                    raise LostOwnershipError from None
                # The guard is not ours any more; the outcome must still be kept.
        ((kind, request),) = write.items()
        try:
            _call("update_item" if kind == "Update" else "delete_item", **request)
        except ClientError:
            raise LostOwnershipError from None


def _guard_claim(record: Record) -> dict[str, Any]:
    guard = record.guard
    assert guard is not None
    figures = {} if guard.may_fall else guard.figures
    conditions = ["attribute_not_exists(holder)"]
    conditions += [f"(attribute_not_exists({name}) OR {name} <= :{name})" for name in figures]
    return {
        "TableName": _table(),
        "Key": {"id": {"S": guard_id(record.operation, guard.key)}},
        "UpdateExpression": "SET holder = :holder, holder_client = :client",
        "ConditionExpression": " AND ".join(conditions),
        "ExpressionAttributeValues": {
            ":holder": {"S": record.id},
            ":client": {"S": record.client_id},
            **{f":{name}": {"N": str(value)} for name, value in figures.items()},
        },
        "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
    }


def _guard_end(record: Record, ending: str) -> dict[str, Any]:
    """Let the guard go; after a success its figures become the ones that must not fall."""
    guard = record.guard
    assert guard is not None
    figures = guard.figures if ending == SUCCEEDED else {}
    setting = "SET " + ", ".join(f"{name} = :{name}" for name in figures) if figures else ""
    return {
        "TableName": _table(),
        "Key": {"id": {"S": guard_id(record.operation, guard.key)}},
        "UpdateExpression": f"{setting} REMOVE holder, holder_client".strip(),
        "ConditionExpression": "holder = :holder",
        "ExpressionAttributeValues": {
            ":holder": {"S": record.id},
            **{f":{name}": {"N": str(value)} for name, value in figures.items()},
        },
    }


_NAMES = {
    "#owner": "owner", "#lease": "lease_until", "#status": "status", "#updated": "updated_at", "#flight":
    "in_flight_until", "#outcome": "outcome", "#evidence": "evidence", "#expires": "expires_at", "#next": "next_look_up",
}  # fmt: skip


def _owned_update(record: Record, expression: str, condition: str = "#owner = :owner", **values: Any) -> dict[str, Any]:
    """An UpdateItem of the record's own attributes; a placeholder is filled in only if the expressions use it."""
    item = _to_item(record)
    text = f"{expression} {condition}"
    own = {f":{name[1:]}": item[attribute] for name, attribute in _NAMES.items() if attribute in item}
    own.update({f":{name}": _serialize(value) for name, value in values.items()})
    used = set(_words(text))
    return {
        "TableName": _table(),
        "Key": {"id": {"S": record.id}},
        "UpdateExpression": expression,
        "ConditionExpression": condition,
        "ExpressionAttributeNames": {name: attribute for name, attribute in _NAMES.items() if name in used},
        "ExpressionAttributeValues": {name: value for name, value in own.items() if name in used},
    }


def _words(text: str) -> list[str]:
    return text.replace(",", " ").replace("(", " ").replace(")", " ").split()


def _to_item(record: Record) -> dict[str, Any]:
    guard = record.guard
    values = {
        "id": record.id,
        "operation": record.operation,
        "client_id": record.client_id,
        "fingerprint": record.fingerprint,
        "status": record.status,
        "owner": record.owner,
        "lease_until": _number(record.lease_until),
        "in_flight_until": _number(record.in_flight_until),
        "created_at": iso_time(record.created_at),
        "updated_at": iso_time(record.updated_at),
        "clues": record.clues,
        "evidence": list(record.evidence),
        "guard": guard and {"key": guard.key, "keeps": guard.keeps, "figures": guard.figures, "may_fall": guard.may_fall},
        "outcome": record.outcome and json.dumps(record.outcome, ensure_ascii=False),
        "next_look_up": None if record.next_look_up is None else _number(record.next_look_up),
        "unresolved": None if record.settled else _partition(record),
    }
    return {name: _serialize(value) for name, value in values.items() if value is not None}


def _from_item(item: dict[str, Any]) -> Record:
    values = _plain(item)
    guard = values.get("guard")
    return Record(
        id=values["id"],
        operation=values["operation"],
        client_id=values["client_id"],
        fingerprint=values["fingerprint"],
        status=values["status"],
        owner=values["owner"],
        lease_until=float(values["lease_until"]),
        in_flight_until=float(values["in_flight_until"]),
        created_at=_seconds(values["created_at"]),
        updated_at=_seconds(values["updated_at"]),
        clues=values["clues"],
        guard=guard and Guard(
            guard["key"], guard["keeps"], {name: int(value) for name, value in guard["figures"].items()}, guard["may_fall"]
        ),
        outcome=json.loads(values["outcome"]) if "outcome" in values else None,
        evidence=tuple(values["evidence"]),
        next_look_up=float(values["next_look_up"]) if "next_look_up" in values else None,
    )


def trimmed(evidence: tuple[dict[str, str], ...]) -> tuple[dict[str, str], ...]:
    """The evidence, without the middle of a very long list."""
    if len(evidence) <= EVIDENCE_HEAD + EVIDENCE_TAIL:
        return evidence
    return evidence[:EVIDENCE_HEAD] + evidence[-EVIDENCE_TAIL:]


def iso_time(seconds: float) -> str:
    """Seconds since 1970 as ISO 8601 in UTC, to the millisecond."""
    return datetime.fromtimestamp(seconds, timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _seconds(text: str) -> float:
    return datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()


def _partition(record: Record) -> str:
    return f"{record.operation}#{int(hashlib.sha256(record.id.encode()).hexdigest()[:8], 16) % SHARDS}"


def _base32(digest: Any) -> str:
    return base64.b32encode(digest.digest()).decode("ascii").lower()


def _number(seconds: float) -> Decimal:
    return Decimal(f"{seconds:.3f}")


_serializer, _deserializer = TypeSerializer(), TypeDeserializer()


def _serialize(value: Any) -> dict[str, Any]:
    serialized: dict[str, Any] = _serializer.serialize(value)
    return serialized


def _plain(item: dict[str, Any]) -> dict[str, Any]:
    return {name: _deserializer.deserialize(value) for name, value in item.items()}


def _table() -> str:
    return os.environ["TABLE_NAME"]


def _call(name: str, **request: Any) -> dict[str, Any]:
    """One table call. A failed condition stays a ClientError; every other failure is StoreUnavailableError."""
    try:
        answer: dict[str, Any] = getattr(_client(), name)(**request)
        return answer
    except ClientError as error:
        if error.response["Error"]["Code"] == "ConditionalCheckFailedException":
            raise
        raise StoreUnavailableError(error.response["Error"]["Code"]) from None
    except BotoCoreError as error:
        raise StoreUnavailableError(type(error).__name__) from None


def _transact(items: list[dict[str, Any]]) -> None:
    """One transaction. ClientError if a condition failed; a mere conflict with a concurrent one is tried again."""
    token = uuid.uuid4().hex
    for attempt in range(_CONFLICT_TRIES):
        try:
            _client().transact_write_items(TransactItems=items, ClientRequestToken=token)  # type: ignore[arg-type]
            return
        except ClientError as error:
            reasons = {reason.get("Code") for reason in error.response.get("CancellationReasons", [])}
            if "ConditionalCheckFailed" in reasons:
                raise
            if not reasons & {"TransactionConflict"} or attempt == _CONFLICT_TRIES - 1:
                raise StoreUnavailableError(error.response["Error"]["Code"]) from None
            time.sleep(random.uniform(0.01, 0.05) * (attempt + 1))
        except BotoCoreError as error:
            raise StoreUnavailableError(type(error).__name__) from None


@functools.cache
def _client() -> "DynamoDBClient":
    config = Config(connect_timeout=1, read_timeout=1, retries={"mode": "standard", "total_max_attempts": 2})
    return boto3.client("dynamodb", config=config)
