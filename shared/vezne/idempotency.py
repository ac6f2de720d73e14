"""DynamoDB idempotency records: claim, take over, settle, release, and find the unresolved ones.

The claim is the only lock and the mark that the order may have been sent. Every later write carries the condition that
the record is still ours, so a late loser changes nothing.
"""

import functools
import os
import random
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any, cast

from botocore.exceptions import BotoCoreError, ClientError

from vezne import aws
from vezne.record import (
    ANSWER,
    SHARDS,
    SUCCEEDED,
    UNKNOWN,
    Guard,
    GuardMemory,
    Record,
    Unresolved,
    from_item,
    guard_id,
    number,
    plain,
    seconds_of,
    serialize,
    to_item,
)

if TYPE_CHECKING:
    from types_boto3_dynamodb.client import DynamoDBClient

UNRESOLVED_INDEX = "unresolved-index"
# Two functions' clocks may differ; a lease is only over when it is over on every clock.
CLOCK_MARGIN_SECONDS = 3
_CONFLICT_TRIES = 4
_FAILED = "ConditionalCheckFailed"


class StoreUnavailableError(Exception):
    """The table did not answer, or refused for a reason that is not about the record."""


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


def kept_seconds() -> int:
    """How long a settled record is kept: the template's KeptDays, in seconds."""
    return int(os.environ.get("KEPT_DAYS", "90")) * 24 * 3600


def new_owner() -> str:
    """A name for one invocation. Lambda's request id will not do: an asynchronous retry has the same one."""
    return uuid.uuid4().hex


class Store:
    """The idempotency table. Raises StoreUnavailableError from every method if the table does not answer."""

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self.now = clock

    def find(self, record_id: str) -> Record | None:
        """Read one record, strongly consistent."""
        answer = call("get_item", TableName=table(), Key={"id": {"S": record_id}}, ConsistentRead=True)
        return from_item(answer["Item"]) if "Item" in answer else None

    def claim(self, record: Record) -> Record | None:
        """Create the record, and take its guards, in one conditional write.

        Returns None if it is ours now, else the record that stood there. Raises GuardRefusedError.
        """
        put = {
            "TableName": table(),
            "Item": to_item(record),
            "ConditionExpression": "attribute_not_exists(id)",
            "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
        }
        if not record.guards:
            try:
                call("put_item", **put)
            except ClientError as error:
                return from_item(response(error)["Item"])
            return None
        try:
            _transact([{"Put": put}, *({"Update": _guard_claim(record, guard)} for guard in record.guards)])
        except ClientError as error:
            on_record, *on_guards = _reasons(error)
            if on_record.get("Code") == _FAILED:
                return from_item(on_record["Item"])
            refused = [place for place, reason in enumerate(on_guards) if reason.get("Code") == _FAILED]
            held = plain(on_guards[refused[0]]["Item"])
            # A conflict on the record may hide that it stands there, holding the guard itself.
            standing = self.find(record.id) if held.get("holder") == record.id else None
            if standing is None:
                raise GuardRefusedError(record.guards[refused[0]], held) from None
            return standing
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
            # The SDK repeats a write whose answer was lost: then we are the owner already.
            condition="attribute_exists(unresolved) AND (#owner = :owner OR (#owner = :old AND #lease = :old_lease))",
            old=record.owner,
            old_lease=number(record.lease_until),
        )
        return taken

    def settle(self, record: Record, status: str, outcome: dict[str, Any], *, hold_guards: bool = False) -> Record:
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
        ended = () if hold_guards else tuple(it for it in record.guards if not (status == SUCCEEDED and it.keeps))
        self._write_with_guards(settled, {"Update": update}, ended, status, in_doubt=record.status == UNKNOWN)
        return settled

    def release(self, record: Record) -> None:
        """Delete a record whose order was certainly not sent; its key is free again. Raises LostOwnershipError."""
        delete = {
            "TableName": table(),
            "Key": {"id": {"S": record.id}},
            # The SDK repeats a write whose answer was lost: then it is gone already.
            "ConditionExpression": "attribute_not_exists(id) OR (#owner = :owner AND attribute_exists(unresolved))",
            "ExpressionAttributeNames": {"#owner": "owner"},
            "ExpressionAttributeValues": {":owner": {"S": record.owner}},
        }
        self._write_with_guards(record, {"Delete": delete}, record.guards, "released")

    def memory(self, record: Record) -> GuardMemory:
        """What the record's guards know of other orders under them."""
        return remembered([(guard, self._guard(record, guard)) for guard in record.guards if _has_memory(guard)])

    def _guard(self, record: Record, guard: Guard) -> dict[str, Any]:
        """A guard as it stands in the table; empty if it does not."""
        key = {"id": {"S": guard_id(record.operation, guard.key)}}
        return plain(call("get_item", TableName=table(), Key=key, ConsistentRead=True).get("Item", {}))

    def keep_unknown(self, record: Record, next_look_up: float) -> Record:
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

    def unresolved(self, operation: str) -> Iterator[Unresolved]:
        """Every unresolved record of an operation, in each shard the one due first first."""
        for shard in range(SHARDS):
            start: dict[str, Any] = {}
            while True:
                page = call(
                    "query",
                    TableName=table(),
                    IndexName=UNRESOLVED_INDEX,
                    KeyConditionExpression="unresolved = :partition",
                    ExpressionAttributeValues={":partition": {"S": f"{operation}#{shard}"}},
                    **start,
                )
                for item in map(plain, page["Items"]):
                    yield Unresolved(item["id"], seconds_of(item["created_at"]), float(item["next_look_up"]))
                if "LastEvaluatedKey" not in page:
                    break
                start = {"ExclusiveStartKey": page["LastEvaluatedKey"]}

    def _update(self, record: Record, expression: str, condition: str, **values: Any) -> None:
        try:
            call("update_item", **_owned_update(record, expression, condition, **values))
        except ClientError:
            raise LostOwnershipError from None

    def _write_with_guards(
        self, record: Record, write: dict[str, Any], guards: tuple[Guard, ...], ending: str, *, in_doubt: bool = False
    ) -> None:
        """Write, and end these guards in the same transaction. Raises LostOwnershipError."""
        while guards:
            try:
                ends = [_guard_end(record, guard, ending, in_doubt=in_doubt) for guard in guards]
                _transact([write, *ends])
                return
            except ClientError as error:
                on_record, *on_guards = _reasons(error)
                if on_record.get("Code") == _FAILED:
                    raise LostOwnershipError from None
                # A guard that is not ours any more is left out; the outcome must still be kept.
                guards = tuple(it for it, why in zip(guards, on_guards, strict=True) if why.get("Code") != _FAILED)
        ((kind, request),) = write.items()
        try:
            call("update_item" if kind == "Update" else "delete_item", **request)
        except ClientError:
            raise LostOwnershipError from None


def remembered(held: list[tuple[Guard, dict[str, Any]]]) -> GuardMemory:
    """What guards know, from each as it stands in the table."""
    return GuardMemory(
        payments=frozenset(name for _, item in held for name in item.get("taken", ())),
        finalised_at=tuple(sorted(float(time) for _, item in held for time in item.get("finalised_at", ()))),
        figures={name: int(item[name]) for guard, item in held for name in guard.figures if name in item},
    )


def payment_names(guard: Guard, record: Record) -> list[str]:
    """What names the payment of a record that succeeded, for later look-ups under the same guard."""
    result = (record.outcome or {}).get("result") or {}
    return [f"{field}={result[field]}" for field in guard.remembers if result.get(field)]


def _has_memory(guard: Guard) -> bool:
    return bool(guard.remembers or guard.figures)


def _guard_claim(record: Record, guard: Guard) -> dict[str, Any]:
    figures = {} if guard.may_fall else guard.figures
    conditions = ["attribute_not_exists(holder)"]
    conditions += [f"(attribute_not_exists({name}) OR {name} <= :{name})" for name in figures]
    now = {}
    if guard.quiet_seconds:
        conditions.append("(attribute_not_exists(quiet_until) OR quiet_until < :now)")
        now = {":now": {"N": str(number(record.created_at))}}
    return {
        "TableName": table(),
        "Key": {"id": {"S": guard_id(record.operation, guard.key)}},
        "UpdateExpression": "SET holder = :holder, holder_client = :client REMOVE expires_at",
        "ConditionExpression": " AND ".join(conditions),
        "ExpressionAttributeValues": {
            ":holder": {"S": record.id},
            ":client": {"S": record.principal},
            **{f":{name}": {"N": str(value)} for name, value in figures.items()},
            **now,
        },
        "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
    }


def _guard_end(record: Record, guard: Guard, ending: str, *, in_doubt: bool) -> dict[str, Any]:
    """Let a guard go, and leave in it what later orders under it must know."""
    held: dict[str, Any] = {
        "TableName": table(),
        "Key": {"id": {"S": guard_id(record.operation, guard.key)}},
        "ConditionExpression": "holder = :holder",
    }
    values: dict[str, Any] = {":holder": {"S": record.id}}
    if not _has_memory(guard):
        return {"Delete": {**held, "ExpressionAttributeValues": values}}
    setting, adding = [], ""
    if ending == SUCCEEDED:
        setting = [f"{name} = :{name}" for name in guard.figures]
        values |= {f":{name}": {"N": str(value)} for name, value in guard.figures.items()}
        if guard.quiet_seconds and in_doubt:
            setting.append("quiet_until = :quiet")
            values[":quiet"] = {"N": str(number(record.in_flight_until + guard.quiet_seconds))}
        if guard.remembers:
            adding = " ADD finalised_at :finalised_at"
            values[":finalised_at"] = {"NS": [str(number(record.updated_at))]}
            payments = payment_names(guard, record)
            if payments:
                adding += ", taken :payments"
                values[":payments"] = {"SS": payments}
    if not guard.figures:
        # What is remembered matters to orders of the same days only; figures must never be forgotten.
        setting.append("expires_at = :expires")
        values[":expires"] = {"N": str(int(record.updated_at) + kept_seconds())}
    sets = f"SET {', '.join(setting)} " if setting else ""
    expression = f"{sets}REMOVE holder, holder_client{adding}"
    return {"Update": {**held, "UpdateExpression": expression, "ExpressionAttributeValues": values}}


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


def call(name: str, **request: Any) -> dict[str, Any]:
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
            reasons = {reason.get("Code") for reason in _reasons(error)}
            if "ConditionalCheckFailed" in reasons:
                raise
            if not reasons & {"TransactionConflict"} or attempt == _CONFLICT_TRIES - 1:
                raise StoreUnavailableError(error.response["Error"]["Code"]) from None
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
