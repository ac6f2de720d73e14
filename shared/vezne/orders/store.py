"""The table of records: its calls, its conflicts, its errors. What is written under which condition: `transitions`.

The claim is the only lock and the mark that the order may have been sent. Every later write carries the condition that
the record is still ours, so a late loser changes nothing.
"""

import contextlib
import functools
import os
import random
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING, Any, cast

from botocore.exceptions import BotoCoreError, ClientError

from vezne.orders import transitions
from vezne.orders.guards import Guard, Update, guards_of, remembered
from vezne.orders.record import (
    LANES,
    SHARDS,
    GuardMemory,
    Record,
    Unresolved,
    day_partition,
    from_item,
    iso_time,
    number,
    partition_of,
    plain,
    seconds_of,
    serialize,
)
from vezne.orders.transitions import Write
from vezne.platform import aws
from vezne.platform.telemetry import emit_fault, logger

if TYPE_CHECKING:
    from types_boto3_dynamodb.client import DynamoDBClient

UNRESOLVED_INDEX, DAY_INDEX = "unresolved-index", "day-index"
# Entries of the index that a sweep reads at once: about what one worker looks up in a minute.
DUE_PAGE = 100
# Two functions' clocks may differ; a lease is only over when it is over on every clock.
CLOCK_MARGIN_SECONDS = 3
_CONFLICT_TRIES = 4
_GUARD_TRIES = 3
_FAILED, _REFUSED = "ConditionalCheckFailed", "ValidationException"


class StoreUnavailableError(Exception):
    """The table did not answer, or refused for a reason that is not about the record."""


class WriteRefusedError(StoreUnavailableError):
    """The table refused the write itself, an item that is too large for instance: trying it again is of no use."""


class LostOwnershipError(Exception):
    """Another invocation has taken the record over or finalised it: this write changed nothing."""


class GuardRefusedError(Exception):
    """The claim was refused by one of its guards, which another order holds or whose figures are higher.

    `held` is the guard as it stands in the table.
    """

    def __init__(self, guard: Guard, held: dict[str, Any]) -> None:
        super().__init__("guard")
        self.guard = guard
        self.held = held


class ConditionFailedError(Exception):
    """A condition of a write did not hold, so nothing of it was written.

    `on_record`: it was the record's; `item`: what stands there, if the write asked for it. `guards`: the guards that
    refused, each with its place in the write and its item. `conflict_on_record`: another write was at the record.
    """

    def __init__(self, error: ClientError) -> None:
        super().__init__("condition")
        # A write without guards is no transaction: its one condition is the record's.
        on_record, *on_guards = _reasons(error) or [{"Code": _FAILED, **response(error)}]
        self.on_record = on_record.get("Code") == _FAILED
        self.conflict_on_record = on_record.get("Code") == "TransactionConflict"
        self.item: dict[str, Any] = on_record.get("Item", {})
        self.guards = [
            (place, plain(reason.get("Item", {})))
            for place, reason in enumerate(on_guards)
            if reason.get("Code") == _FAILED
        ]


def new_owner() -> str:
    """A name for one invocation. Lambda's request id will not do: an asynchronous retry has the same one."""
    return uuid.uuid4().hex


class Store:
    """The idempotency table. Raises StoreUnavailableError from every method if the table does not answer."""

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self.now = clock

    def find(self, record_id: str) -> Record | None:
        """Read one record, strongly consistent."""
        item = self.item(record_id)
        return from_item(item) if item else None

    def apply(self, write: Write) -> Record:
        """Execute a write, with its guards in one transaction. Raises ConditionFailedError.

        Returns the record as it stands now.
        """
        request = {"TableName": table(), **write.request}
        try:
            if write.guards:
                updates = [{"Update": {"TableName": table(), **update}} for _, update in write.guards]
                _transact([{write.kind: request}, *updates], self._client())
            else:
                self._call(f"{write.kind.lower()}_item", **request)
        except ClientError as error:
            raise ConditionFailedError(error) from None
        return write.record

    def claim(self, record: Record) -> Record | None:
        """Create the record, and take its guards, in one conditional write.

        Returns None if it is ours now, else the record that stood there. Raises GuardRefusedError. A guard that was
        left behind is freed first.
        """
        write = transitions.claim(record)
        for _ in range(_GUARD_TRIES):
            try:
                self.apply(write)
            except ConditionFailedError as failed:
                refused = failed
            else:
                return None
            if refused.on_record:
                return from_item(refused.item)
            place, held = refused.guards[0]
            guard = write.guards[place][0]
            # A conflict on the record may hide that it stands there, whoever holds the guard by now.
            hidden = refused.conflict_on_record or held.get("holder") == record.id
            standing = self.find(record.id) if hidden else None
            if standing is not None:
                return standing
            if not self._is_free_by_now(record, guard, held):
                break
        raise GuardRefusedError(guard, held)

    def _is_free_by_now(self, record: Record, guard: Guard, held: dict[str, Any]) -> bool:
        """Whether a guard that refused a claim may not refuse the next: it was let go, or left behind and freed now.

        A guard is left behind if its holder's record is gone or final. Only an order that was certainly not sent, or
        whose outcome is known, leaves one. A paid guard is marked, and stays longer than its record.
        """
        holder = held.get("holder")
        if holder is None:
            return False
        other = self.find(holder)
        if "paid" in held or (other is not None and not other.final):
            return False
        if guard.is_paid(held, other, self.now()):
            return other is None and bool(self._standing(record, guard).get("holder") != holder)
        with contextlib.suppress(ClientError):
            self._call("update_item", TableName=table(), **guard.free(record.operation, held))
        return True

    def acquire_lease(self, record: Record, owner: str, lease_until: float, *, sending: bool = False) -> Record:
        """See `transitions`. Raises LostOwnershipError if somebody else has become the owner."""
        return self._as_owner(transitions.acquire_lease(record, self.now(), owner, lease_until, sending=sending))

    def mark_unknown(self, record: Record, next_look_up: float) -> Record:
        """See `transitions`. Raises LostOwnershipError."""
        return self._as_owner(transitions.mark_unknown(record, self.now(), next_look_up))

    def finalise(self, record: Record, status: str, outcome: dict[str, Any], *, hold_guards: bool = False) -> Record:
        """See `transitions`. Raises LostOwnershipError."""
        write = transitions.finalise(record, self.now(), status, outcome, hold_guards=hold_guards)
        while write.guards:
            try:
                return self.apply(write)
            except ConditionFailedError as failed:
                if failed.on_record:
                    raise LostOwnershipError from None
                # A guard that is not ours any more is left out; the outcome must still be kept.
                lost = {place for place, _ in failed.guards}
                kept = tuple(end for place, end in enumerate(write.guards) if place not in lost)
                write = replace(write, guards=kept)
        return self._as_owner(write)

    def release(self, record: Record) -> None:
        """See `transitions`. Raises LostOwnershipError."""
        write = transitions.release(record)
        for _ in range(_GUARD_TRIES):
            try:
                self.apply(write)
            except ConditionFailedError as failed:
                if failed.on_record:
                    raise LostOwnershipError from None
            else:
                return
            # Its guards are not this claim's. Either the claim never landed, or it has just now: then once more.
            if self.find(record.id) is None:
                return
        raise StoreUnavailableError("guards")

    def _as_owner(self, write: Write) -> Record:
        try:
            return self.apply(write)
        except ConditionFailedError:
            raise LostOwnershipError from None

    def item(self, item_id: str) -> dict[str, Any]:
        """An item in DynamoDB's notation, strongly consistent; empty if it does not stand there."""
        answer = self._call("get_item", TableName=table(), Key={"id": {"S": item_id}}, ConsistentRead=True)
        found: dict[str, Any] = answer.get("Item", {})
        return found

    def update_item(self, update: Update) -> dict[str, Any]:
        """Change an item that is no record; as `update` asks, what stands there then. Raises ConditionFailedError."""
        try:
            changed: dict[str, Any] = self._call("update_item", TableName=table(), **update).get("Attributes", {})
            return changed
        except ClientError as error:
            raise ConditionFailedError(error) from None

    def put_new(self, item: dict[str, Any]) -> None:
        """Put an item that is no record, in DynamoDB's notation. Raises ConditionFailedError if it stands there."""
        try:
            self._call("put_item", TableName=table(), Item=item, ConditionExpression="attribute_not_exists(id)")
        except ClientError as error:
            raise ConditionFailedError(error) from None

    def memory(self, record: Record) -> GuardMemory:
        """What the record's guards know of other orders under them."""
        return remembered(
            [guard.memory(self._standing(record, guard)) for guard in guards_of(record) if guard.has_memory()]
        )

    def _standing(self, record: Record, guard: Guard) -> dict[str, Any]:
        """A guard as it stands in the table; empty if it does not."""
        name = {"id": {"S": guard.item_id(record.operation)}}
        return plain(self._call("get_item", TableName=table(), Key=name, ConsistentRead=True).get("Item", {}))

    def unresolved(self, operation: str) -> Iterator[Unresolved]:
        """All unresolved records of an operation. An item of the index that is not in the form of ours is passed over.

        It must not hide the others.
        """
        for lane in LANES:
            for shard in range(SHARDS):
                for page in self._unresolved_pages(partition_of(operation, lane, shard)):
                    yield from filter(None, map(_unresolved, page["Items"]))

    def due(self, operation: str, lane: str, shard: int, *, newest_first: bool) -> Iterator[Unresolved]:
        """The records of a shard of a lane whose look-up is due now, in the order in which they became due.

        A page is read only when it is needed. So a long backlog costs only as much as is looked up.
        """
        pages = self._unresolved_pages(
            partition_of(operation, lane, shard),
            {":now": number(self.now())},
            " AND next_look_up <= :now",
            Limit=DUE_PAGE,
            ScanIndexForward=not newest_first,
        )
        for page in pages:
            yield from filter(None, map(_unresolved, page["Items"]))

    def first_due(self, operation: str, lane: str, shard: int) -> list[Unresolved]:
        """The first records of a shard of a lane, a hundred at most, those due first first."""
        page = next(self._unresolved_pages(partition_of(operation, lane, shard), Limit=DUE_PAGE))
        return list(filter(None, map(_unresolved, page["Items"])))

    def count(self, operation: str, lane: str, shard: int, created_before: float) -> tuple[int, int]:
        """How many records a shard of a lane has, and how many of them are older than that. None is read."""
        pages = self._unresolved_pages(
            partition_of(operation, lane, shard),
            {":before": iso_time(created_before)},
            FilterExpression="created_at < :before",
            Select="COUNT",
        )
        counts = [(page["ScannedCount"], page["Count"]) for page in pages]
        return sum(all_of_them for all_of_them, _ in counts), sum(older for _, older in counts)

    def of_day(self, operation: str, day: date) -> Iterator[dict[str, Any]]:
        """What the index of days holds of the final records of an operation and a day, as plain values.

        Page by page, so that a day of any number of orders is never in memory at once.
        """
        for shard in range(SHARDS):
            for page in self.pages(DAY_INDEX, "#day", {":partition": day_partition(operation, day, shard)},
                                    ExpressionAttributeNames={"#day": "day"}):  # fmt: skip
                yield from map(plain, page["Items"])

    def _unresolved_pages(
        self, partition: str, values: dict[str, Any] | None = None, condition: str = "", **request: Any
    ) -> Iterator[dict[str, Any]]:
        return self.pages(
            UNRESOLVED_INDEX, "unresolved", {":partition": partition, **(values or {})}, condition, **request
        )

    def pages(
        self, index: str, key: str, values: dict[str, Any], condition: str = "", **request: Any
    ) -> Iterator[dict[str, Any]]:
        """The answers to a query of one part of an index."""
        start: dict[str, Any] = {}
        while True:
            page = self._call(
                "query",
                TableName=table(),
                IndexName=index,
                KeyConditionExpression=f"{key} = :partition{condition}",
                ExpressionAttributeValues={name: serialize(value) for name, value in values.items()},
                **request,
                **start,
            )
            yield page
            if "LastEvaluatedKey" not in page:
                return
            start = {"ExclusiveStartKey": page["LastEvaluatedKey"]}

    def _call(self, name: str, **request: Any) -> dict[str, Any]:
        return call(name, self._client(), **request)

    def _client(self) -> Any:
        """The table's client; another one in tests."""
        return _client()


def _unresolved(listed: dict[str, Any]) -> Unresolved | None:
    try:
        item = plain(listed)
        return Unresolved(item["id"], seconds_of(item["created_at"]), float(item["next_look_up"]))
    except (ArithmeticError, AttributeError, KeyError, TypeError, ValueError) as error:
        logger.error("index item unreadable", exception_name=type(error).__name__)
        emit_fault("IndexItemUnreadable")
        return None


def response(error: ClientError) -> dict[str, Any]:
    """The parsed error answer, with the old item where a condition failed."""
    return cast("dict[str, Any]", error.response)


def _reasons(error: ClientError) -> list[dict[str, Any]]:
    """Why a transaction was cancelled, one entry per write of it."""
    reasons: list[dict[str, Any]] = response(error).get("CancellationReasons", [])
    return reasons


def table() -> str:
    """The table's name, from the environment."""
    return os.environ["TABLE_NAME"]


def call(name: str, client: Any = None, **request: Any) -> dict[str, Any]:
    """One table call. A failed condition stays a ClientError; every other failure is StoreUnavailableError."""
    try:
        answer: dict[str, Any] = getattr(client or _client(), name)(**request)
        return answer
    except ClientError as error:
        if error.response["Error"]["Code"] == "ConditionalCheckFailedException":
            raise
        code = error.response["Error"]["Code"]
        raise (WriteRefusedError if code == _REFUSED else StoreUnavailableError)(code) from None
    except BotoCoreError as error:
        raise StoreUnavailableError(type(error).__name__) from None


def _transact(items: list[dict[str, Any]], client: Any) -> None:
    """One transaction. ClientError if a condition failed; a mere conflict with a concurrent one is tried again."""
    token = uuid.uuid4().hex
    for attempt in range(_CONFLICT_TRIES):
        try:
            client.transact_write_items(TransactItems=items, ClientRequestToken=token)
            return
        except ClientError as error:
            reasons = {reason.get("Code") for reason in _reasons(error)}
            if "ConditionalCheckFailed" in reasons:
                raise
            code = error.response["Error"]["Code"]
            if code == _REFUSED or "ValidationError" in reasons:
                raise WriteRefusedError(code) from None
            if not reasons & {"TransactionConflict"} or attempt == _CONFLICT_TRIES - 1:
                raise StoreUnavailableError(code) from None
            time.sleep(random.uniform(0.01, 0.05) * (attempt + 1))  # noqa: S311 # nosec B311
        except BotoCoreError as error:
            raise StoreUnavailableError(type(error).__name__) from None


@functools.cache
def _client() -> "DynamoDBClient":
    made: DynamoDBClient = aws.client("dynamodb", connect_seconds=1, read_seconds=1)
    return made


def connect() -> None:
    """Make the client now rather than at the first call."""
    _client()
