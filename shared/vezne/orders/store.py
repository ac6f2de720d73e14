"""DynamoDB idempotency records: claim, take over, settle, release, and find the unresolved ones.

The claim is the only lock and the mark that the order may have been sent. Every later write carries the condition that
the record is still ours, so a late loser changes nothing.
"""

import contextlib
import functools
import os
import random
import time
import uuid
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any, cast

from botocore.exceptions import BotoCoreError, ClientError

from vezne.orders.guards import HELD, Guard, Update, guards_of, remembered
from vezne.orders.record import (
    ANSWER,
    SHARDS,
    UNKNOWN,
    GuardMemory,
    Record,
    Unresolved,
    from_item,
    guard_id,
    kept_seconds,
    number,
    plain,
    seconds_of,
    serialize,
    to_item,
)
from vezne.platform import aws
from vezne.platform.telemetry import emit_fault, logger

if TYPE_CHECKING:
    from types_boto3_dynamodb.client import DynamoDBClient

UNRESOLVED_INDEX = "unresolved-index"
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
    """Another invocation has taken the record over or settled it: this write changed nothing."""


class GuardRefusedError(Exception):
    """The claim was refused by one of its guards, which another order holds or whose figures are higher.

    `held` is the guard as it stands in the table.
    """

    def __init__(self, guard: Guard, held: dict[str, Any]) -> None:
        super().__init__("guard")
        self.guard = guard
        self.held = held


def new_owner() -> str:
    """A name for one invocation. Lambda's request id will not do: an asynchronous retry has the same one."""
    return uuid.uuid4().hex


class Store:
    """The idempotency table. Raises StoreUnavailableError from every method if the table does not answer."""

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self.now = clock

    def find(self, record_id: str) -> Record | None:
        """Read one record, strongly consistent."""
        answer = self._call("get_item", TableName=table(), Key={"id": {"S": record_id}}, ConsistentRead=True)
        return from_item(answer["Item"]) if "Item" in answer else None

    def claim(self, record: Record) -> Record | None:
        """Create the record, and take its guards, in one conditional write.

        Returns None if it is ours now, else the record that stood there. Raises GuardRefusedError. A guard that was
        left behind is freed first.
        """
        for _ in range(_GUARD_TRIES):
            try:
                return self._claim(record)
            except GuardRefusedError as error:
                refused = error
                if not self._is_free_by_now(record, error.guard, error.held):
                    break
        raise refused

    def _claim(self, record: Record) -> Record | None:
        put = {
            "TableName": table(),
            "Item": to_item(record),
            "ConditionExpression": "attribute_not_exists(id)",
            "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
        }
        if not record.guards:
            try:
                self._call("put_item", **put)
            except ClientError as error:
                return from_item(response(error)["Item"])
            return None
        held_guards = guards_of(record)
        try:
            self._transact([{"Put": put}, *(_on_guard(guard.claim(record)) for guard in held_guards)])
        except ClientError as error:
            on_record, *on_guards = _reasons(error)
            if on_record.get("Code") == _FAILED:
                return from_item(on_record["Item"])
            refused = [place for place, reason in enumerate(on_guards) if reason.get("Code") == _FAILED]
            held = plain(on_guards[refused[0]]["Item"])
            # A conflict on the record may hide that it stands there, whoever holds the guard by now.
            hidden = on_record.get("Code") == "TransactionConflict" or held.get("holder") == record.id
            standing = self.find(record.id) if hidden else None
            if standing is None:
                raise GuardRefusedError(held_guards[refused[0]], held) from None
            return standing
        return None

    def _is_free_by_now(self, record: Record, guard: Guard, held: dict[str, Any]) -> bool:
        """Whether a guard that refused a claim may not refuse the next: it was let go, or left behind and freed now.

        A guard is left behind if its holder's record is gone or final. Only an order that was certainly not sent, or
        whose outcome is known, leaves one; what was paid is marked, and outlives its record.
        """
        holder = held.get("holder")
        if holder is None:
            return False
        other = self.find(holder)
        if "paid" in held or (other is not None and not other.final):
            return False
        if guard.is_paid(held, other, self.now()):
            return other is None and bool(self._guard(record, guard.key).get("holder") != holder)
        owner = held.get("holder_owner")
        with contextlib.suppress(ClientError):
            self._call(
                "update_item",
                TableName=table(),
                Key={"id": {"S": guard_id(record.operation, guard.key)}},
                UpdateExpression=f"REMOVE {HELD}",
                ConditionExpression="holder = :holder AND attribute_not_exists(paid) AND "
                + ("attribute_not_exists(holder_owner)" if owner is None else "holder_owner = :owner"),
                ExpressionAttributeValues={
                    ":holder": {"S": holder},
                    **({} if owner is None else {":owner": {"S": owner}}),
                },
            )
        return True

    def acquire_lease(self, record: Record, owner: str, lease_until: float, *, sending: bool = False) -> Record:
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
            may_arrive_until=lease_until if sending else record.may_arrive_until,
        )
        self._update(
            taken,
            "SET #owner = :owner, #lease = :lease, #status = :status, #updated = :updated, #flight = :flight",
            # The SDK repeats a write whose answer was lost: then we are the owner already.
            condition="attribute_exists(unresolved) AND (#owner = :owner OR (#owner = :old AND #lease = :old_lease))",
            old=record.owner,
            old_lease=number(record.lease_until),
        )
        return taken

    def finalise(self, record: Record, status: str, outcome: dict[str, Any], *, hold_guards: bool = False) -> Record:
        """Write the certain outcome, and release or advance the guards. Raises LostOwnershipError.

        `hold_guards`: nobody knows which payment at the provider is this order's, so no other order may come after it.
        """
        now = self.now()
        settled = replace(record, status=status, outcome=outcome, updated_at=now, next_look_up=None, lease_until=0.0,
                          settled_by=record.settled_by or ANSWER)  # fmt: skip
        update = _owned_update(
            settled,
            "SET #status = :status, #outcome = :outcome, #updated = :updated, #evidence = :evidence, "
            "#expires = :expires, #lease = :lease, #by = :by REMOVE unresolved, next_look_up",
            # What is settled never changes; the SDK may repeat the very same write.
            condition="#owner = :owner AND (attribute_exists(unresolved) OR #status = :status)",
            expires=int(now) + kept_seconds(),
        )
        in_doubt, held = record.status == UNKNOWN, guards_of(record)
        while held:
            ends = [guard.hold(settled) if hold_guards else guard.release(settled, in_doubt=in_doubt) for guard in held]
            try:
                self._transact([{"Update": update}, *map(_on_guard, ends)])
                return settled
            except ClientError as error:
                on_record, *on_guards = _reasons(error)
                if on_record.get("Code") == _FAILED:
                    raise LostOwnershipError from None
                # A guard that is not ours any more is left out; the outcome must still be kept.
                held = tuple(it for it, why in zip(held, on_guards, strict=True) if why.get("Code") != _FAILED)
        try:
            self._call("update_item", **update)
        except ClientError:
            raise LostOwnershipError from None
        return settled

    def release(self, record: Record) -> None:
        """Delete a record whose order was certainly not sent; its key is free again. Raises LostOwnershipError.

        With its guards, in one write: a claim whose answer was lost may land at any time, and a record that is deleted
        alone would leave a guard that nobody holds.
        """
        delete = {
            "TableName": table(),
            "Key": {"id": {"S": record.id}},
            # The SDK repeats a write whose answer was lost: then it is gone already.
            "ConditionExpression": "attribute_not_exists(id) OR (#owner = :owner AND attribute_exists(unresolved))",
            "ExpressionAttributeNames": {"#owner": "owner"},
            "ExpressionAttributeValues": {":owner": {"S": record.owner}},
        }
        if not record.guards:
            try:
                self._call("delete_item", **delete)
            except ClientError:
                raise LostOwnershipError from None
            return
        for _ in range(_GUARD_TRIES):
            try:
                ends = [_on_guard(guard.undo_claim(record)) for guard in guards_of(record)]
                self._transact([{"Delete": delete}, *ends])
                return
            except ClientError as error:
                if _reasons(error)[0].get("Code") == _FAILED:
                    raise LostOwnershipError from None
            # Its guards are not this claim's. Either the claim never landed, or it has just now: then once more.
            if self.find(record.id) is None:
                return
        raise StoreUnavailableError("guards")

    def memory(self, record: Record) -> GuardMemory:
        """What the record's guards know of other orders under them."""
        return remembered(
            [guard.memory(self._guard(record, guard.key)) for guard in guards_of(record) if guard.has_memory()]
        )

    def _guard(self, record: Record, key: str) -> dict[str, Any]:
        """A guard as it stands in the table; empty if it does not."""
        name = {"id": {"S": guard_id(record.operation, key)}}
        return plain(self._call("get_item", TableName=table(), Key=name, ConsistentRead=True).get("Item", {}))

    def mark_unknown(self, record: Record, next_look_up: float) -> Record:
        """Write that the outcome is unknown, give up the lease, set the next look-up. Raises LostOwnershipError."""
        kept = replace(
            record, status=UNKNOWN, lease_until=0.0, updated_at=self.now(), next_look_up=round(next_look_up, 3)
        )
        self._update(
            kept,
            "SET #status = :status, #lease = :lease, #updated = :updated, #evidence = :evidence, #next = :next",
            condition="#owner = :owner AND attribute_exists(unresolved)",
        )
        return kept

    def unresolved(self, operation: str, shards: Iterable[int] = range(SHARDS)) -> Iterator[Unresolved]:
        """The unresolved records of an operation, in each shard the one due first first.

        An item that is not in the form of ours is passed over: it must not hide the others.
        """
        for shard in shards:
            start: dict[str, Any] = {}
            while True:
                page = self._call(
                    "query",
                    TableName=table(),
                    IndexName=UNRESOLVED_INDEX,
                    KeyConditionExpression="unresolved = :partition",
                    ExpressionAttributeValues={":partition": {"S": f"{operation}#{shard}"}},
                    **start,
                )
                yield from filter(None, map(_unresolved, page["Items"]))
                if "LastEvaluatedKey" not in page:
                    break
                start = {"ExclusiveStartKey": page["LastEvaluatedKey"]}

    def _update(self, record: Record, expression: str, condition: str, **values: Any) -> None:
        try:
            self._call("update_item", **_owned_update(record, expression, condition, **values))
        except ClientError:
            raise LostOwnershipError from None

    def _call(self, name: str, **request: Any) -> dict[str, Any]:
        return call(name, self._client(), **request)

    def _transact(self, items: list[dict[str, Any]]) -> None:
        _transact(items, self._client())

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


def _on_guard(update: Update) -> dict[str, Any]:
    """The update of a guard, as a part of a transaction."""
    return {"Update": {"TableName": table(), **update}}


_NAMES = {
    "#owner": "owner", "#lease": "lease_until", "#status": "status", "#updated": "updated_at",
    "#flight": "in_flight_until", "#outcome": "outcome", "#evidence": "evidence", "#expires": "expires_at",
    "#next": "next_look_up", "#by": "settled_by",
}  # fmt: skip


def _owned_update(record: Record, expression: str, condition: str, **values: Any) -> dict[str, Any]:
    """An UpdateItem of the record's own attributes; a placeholder is filled in only if the expressions use it."""
    item = to_item(record)
    text = f"{expression} {condition}"
    own = {f":{name[1:]}": item[attribute] for name, attribute in _NAMES.items() if attribute in item}
    own.update({f":{name}": serialize(value) for name, value in values.items()})
    used = set(_words(text))
    return {
        "TableName": table(),
        "Key": {"id": {"S": record.id}},
        "UpdateExpression": expression,
        "ConditionExpression": condition,
        "ExpressionAttributeNames": {name: attribute for name, attribute in _NAMES.items() if name in used},
        "ExpressionAttributeValues": {name: value for name, value in own.items() if name in used},
    }


def _words(text: str) -> list[str]:
    return text.replace(",", " ").replace("(", " ").replace(")", " ").split()


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
