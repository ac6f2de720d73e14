"""Guards: second locks, on what an order pays or changes, where the idempotency key alone does not protect it.

Each is an item of the table, taken with the claim and released with the outcome. Nothing here calls the table. The item
has these attributes:

- `holder`, the id of the record that holds it, with `holder_client` (its principal), `holder_owner` (the invocation
  that claimed it), `holder_keeps`, `held_since` and `marks_paid`;
- `paid`, once it is held for good;
- the figures in force, and `quiet_until`;
- `asked`, the sum of all parts that were asked for;
- `taken` and `finalised_at`, the payments of earlier orders.
"""

from dataclasses import dataclass, field
from datetime import timedelta
from enum import Enum
from typing import Any, ClassVar

from vezne.orders.record import SUCCEEDED, GuardMemory, Record, StoredGuard, guard_id, kept_seconds, number

# What a guard says of its holder; an earlier version that takes it after us writes the first two only.
HELD = "holder, holder_client, holder_owner, holder_keeps, held_since, marks_paid"
# No final record is gone sooner: the least that the template's KeptDays may be.
LEAST_KEPT_SECONDS = 30 * 24 * 3600
# The request of one UpdateItem, without the table.
Update = dict[str, Any]


class WhyRefused(Enum):
    """Which earlier order stands in the way: one under the same key, or one under the same guard."""

    KEY_REUSED = "key-reused"
    KEY_REUSED_WHILE_UNKNOWN = "key-reused-while-unknown"
    TOTAL_WOULD_FALL = "total-would-fall"
    EARLIER_MAY_ARRIVE = "earlier-may-arrive"
    HELD = "held"
    PAID = "paid"
    SUM_EXCEEDED = "sum-exceeded"
    ASKED_IN_PART = "asked-in-part"


@dataclass(frozen=True)
class Guard:
    """One order at a time for what `key` names. What else it asks and leaves behind is its class's own.

    `of`: the operation whose guard it is, if another operation changes the same thing; empty: the order's own. Both
    then need rights on each other's records and on the guard in the template.
    """

    key: str
    of: str = field(default="", kw_only=True)
    # Whether it is held for good after success.
    keeps: ClassVar[bool] = False

    def item_id(self, operation: str) -> str:
        """The key of its item. `operation`: of the order that takes it."""
        return guard_id(self.of or operation, self.key)

    def has_memory(self) -> bool:
        """Whether a look-up must know something of earlier orders under it."""
        return False

    def stored(self) -> StoredGuard:
        """The guard as a record keeps it."""
        return StoredGuard(self.key, of=self.of)

    def claim(self, record: Record) -> Update:
        """Take the guard for a record that is claimed. It fails if another record holds it."""
        conditions, values = self._opens(record)
        return {
            "Key": self._item_key(record.operation),
            "UpdateExpression": "SET holder = :holder, holder_client = :client, holder_owner = :owner, "
            f"holder_keeps = :keeps, held_since = :since, marks_paid = :yes REMOVE expires_at{self._counted()}",
            "ConditionExpression": " AND ".join(["attribute_not_exists(holder)", *conditions]),
            "ExpressionAttributeValues": {
                ":holder": {"S": record.id},
                ":client": {"S": record.principal},
                ":owner": {"S": record.owner},
                ":yes": {"BOOL": True},
                ":keeps": {"BOOL": self.keeps},
                ":since": {"N": str(number(record.created_at))},
                **values,
            },
            "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
        }

    def release(self, record: Record, *, in_doubt: bool = False) -> Update:
        """Let the guard go with the final outcome of its record. It fails if another record holds it.

        After a success it leaves what later orders must know. `in_doubt`: the outcome was unknown for a time.
        """
        succeeded = record.status == SUCCEEDED
        left = self._left_behind(record, in_doubt=in_doubt) if succeeded else ([], *self._given_back())
        return self._let_go(record, *left)

    def undo_claim(self, record: Record) -> Update:
        """Let the guard go of an order that was not sent. Another claim under the same key may hold it by now."""
        adding, values = self._given_back()
        update = self._let_go(record, [], adding, {":owner": {"S": record.owner}, **values})
        update["ConditionExpression"] += " AND holder_owner = :owner"
        return update

    def hold(self, record: Record) -> Update:
        """Hold the guard for good, and mark it: it outlives its record."""
        return {
            "Key": self._item_key(record.operation),
            "UpdateExpression": "SET paid = :yes",
            "ConditionExpression": "holder = :holder",
            "ExpressionAttributeValues": {":holder": {"S": record.id}, ":yes": {"BOOL": True}},
        }

    def free(self, operation: str, held: dict[str, Any]) -> Update:
        """Take the guard from a holder that has left it behind. It fails if anybody has claimed it since.

        What the holder had counted stays counted: nobody knows what became of it.
        """
        owner = held.get("holder_owner")
        return {
            "Key": self._item_key(operation),
            "UpdateExpression": f"REMOVE {HELD}",
            "ConditionExpression": "holder = :holder AND attribute_not_exists(paid) AND "
            + ("attribute_not_exists(holder_owner)" if owner is None else "holder_owner = :owner"),
            "ExpressionAttributeValues": {
                ":holder": {"S": held["holder"]},
                **({} if owner is None else {":owner": {"S": owner}}),
            },
        }

    def why_refused(self, held: dict[str, Any], holder: Record | None, now: float) -> WhyRefused:
        """Why a claim was refused. `held`: the guard as it stood then; `holder`: the record that holds it, if any."""
        if "holder" not in held:
            return WhyRefused.EARLIER_MAY_ARRIVE
        return WhyRefused.PAID if self.is_paid(held, holder, now) else WhyRefused.HELD

    def is_paid(self, held: dict[str, Any], holder: Record | None, now: float) -> bool:
        """Whether the guard is held for good: what it guards was paid, or nobody knows.

        The holder's own guard decides, not that of a later order under the same key. A bill may be paid in full, and
        the later order may be for a part of it. That one would not keep the guard itself.
        """
        if held.get("paid"):
            return True
        if holder is not None:
            keeps = next((own.keeps for own in holder.guards if own.key == self.key), self.keeps)
            return keeps and holder.status == SUCCEEDED
        # Earlier versions did not mark it. Such a guard may be one of a paid order, if its kind is kept after success.
        # They may also have finalised, during a deployment, what this version claimed. But no final record is gone so
        # soon.
        if not held.get("holder_keeps", self.keeps):
            return False
        return not held.get("marks_paid") or now >= float(held.get("held_since", 0)) + LEAST_KEPT_SECONDS

    def memory(self, held: dict[str, Any]) -> GuardMemory:
        """What the guard knows of earlier orders, from its item as it stands in the table."""
        return GuardMemory(
            payments=frozenset(held.get("taken", ())),
            finalised_at=tuple(float(time) for time in held.get("finalised_at", ())),
        )

    def _opens(self, record: Record) -> tuple[list[str], Update]:  # noqa: ARG002
        """What else must be true for a claim: conditions, and their values."""
        return [], {}

    def _counted(self) -> str:
        """What a claim adds; `_opens` has the values."""
        return ""

    def _given_back(self) -> tuple[str, Update]:
        """What is added where an order moved nothing for certain, and the values."""
        return "", {}

    def _left_behind(self, record: Record, *, in_doubt: bool) -> tuple[list[str], str, Update]:  # noqa: ARG002
        """What a success leaves in the item: what is set, what is added, and the values."""
        return [], "", {}

    def _let_go(self, record: Record, setting: list[str], adding: str, values: Update) -> Update:
        expires = self._expires(record)
        sets = ", ".join([*setting, *(["expires_at = :expires"] if expires else ())])
        return {
            "Key": self._item_key(record.operation),
            "ConditionExpression": "holder = :holder",
            "UpdateExpression": f"{f'SET {sets} ' if sets else ''}REMOVE {HELD}{adding}",
            "ExpressionAttributeValues": {":holder": {"S": record.id}, **expires, **values},
        }

    def _expires(self, record: Record) -> Update:
        """What is remembered matters to orders of the same days only."""
        return {":expires": {"N": str(int(record.updated_at) + kept_seconds())}}

    def _item_key(self, operation: str) -> Update:
        return {"id": {"S": self.item_id(operation)}}


@dataclass(frozen=True)
class PaidOnce(Guard):
    """What is paid once, such as a bill or a reference of the caller's: held for good after success.

    It is refused once parts of the same thing were asked for under a `NeverExceeds`.
    """

    keeps: ClassVar[bool] = True

    def stored(self) -> StoredGuard:
        """The guard as a record keeps it."""
        return StoredGuard(self.key, keeps=True, of=self.of)

    def release(self, record: Record, *, in_doubt: bool = False) -> Update:
        """Hold it after a success, else let it go."""
        return self.hold(record) if record.status == SUCCEEDED else super().release(record, in_doubt=in_doubt)

    def why_refused(self, held: dict[str, Any], holder: Record | None, now: float) -> WhyRefused:
        """Why a claim was refused: without a holder, parts were asked for."""
        return super().why_refused(held, holder, now) if "holder" in held else WhyRefused.ASKED_IN_PART

    def _opens(self, record: Record) -> tuple[list[str], Update]:  # noqa: ARG002
        return ["(attribute_not_exists(asked) OR asked = :nothing)"], {":nothing": {"N": "0"}}


@dataclass(frozen=True)
class OneAtATime(Guard):
    """What several orders may change, one after the other, such as a pre-authorisation or a bill paid in parts.

    `names`: the fields of the result that name the payment at the provider. They are remembered: a look-up must not
    take another order's payment for its own.
    """

    names: tuple[str, ...] = ()

    def has_memory(self) -> bool:
        """Whether payments are remembered."""
        return bool(self.names)

    def stored(self) -> StoredGuard:
        """The guard as a record keeps it."""
        return StoredGuard(self.key, remembers=self.names, of=self.of)

    def _left_behind(self, record: Record, *, in_doubt: bool) -> tuple[list[str], str, Update]:  # noqa: ARG002
        if not self.names:
            return [], "", {}
        values: Update = {":finalised_at": {"NS": [str(number(record.updated_at))]}}
        payments = self._payment_names(record)
        if not payments:
            return [], " ADD finalised_at :finalised_at", values
        return [], " ADD finalised_at :finalised_at, taken :payments", {**values, ":payments": {"SS": payments}}

    def _payment_names(self, record: Record) -> list[str]:
        result = (record.outcome or {}).get("result") or {}
        named = [f"{name}={result[name]}" for name in self.names if result.get(name)]
        # Earlier versions look for the bare value of the first field.
        bare = [str(result[name]) for name in self.names[:1] if result.get(name)]
        return sorted({*named, *bare})


@dataclass(frozen=True)
class NeverDecreases(Guard):
    """A total that each order replaces: none of the figures may be lower than in force.

    `figures`: amounts in minor units. `unless`: the caller asks for a lower one. `pause`: an order whose outcome was
    unknown may have been sent twice, or be late. For so long after it, no other order is accepted.
    """

    figures: dict[str, int] = field(default_factory=dict)
    unless: bool = False
    pause: timedelta = timedelta()

    def has_memory(self) -> bool:
        """A look-up compares with the figures in force."""
        return True

    def stored(self) -> StoredGuard:
        """The guard as a record keeps it."""
        pause = int(self.pause.total_seconds())
        return StoredGuard(self.key, figures=self.figures, may_fall=self.unless, quiet_seconds=pause, of=self.of)

    def why_refused(self, held: dict[str, Any], holder: Record | None, now: float) -> WhyRefused:
        """Why a claim was refused. The clock has gone on since: the figures tell, or else it was the pause."""
        if "holder" not in held and any(held.get(name, value) > value for name, value in self._floor().items()):
            return WhyRefused.TOTAL_WOULD_FALL
        return super().why_refused(held, holder, now)

    def memory(self, held: dict[str, Any]) -> GuardMemory:
        """The figures in force."""
        return GuardMemory(figures={name: int(held[name]) for name in self.figures if name in held})

    def _floor(self) -> dict[str, int]:
        return {} if self.unless else self.figures

    def _opens(self, record: Record) -> tuple[list[str], Update]:
        conditions = [f"(attribute_not_exists({name}) OR {name} <= :{name})" for name in self._floor()]
        values: Update = {f":{name}": {"N": str(value)} for name, value in self._floor().items()}
        if self.pause:
            conditions.append("(attribute_not_exists(quiet_until) OR quiet_until < :now)")
            values[":now"] = {"N": str(number(record.created_at))}
        return conditions, values

    def _left_behind(self, record: Record, *, in_doubt: bool) -> tuple[list[str], str, Update]:
        setting = [f"{name} = :{name}" for name in self.figures]
        values: Update = {f":{name}": {"N": str(value)} for name, value in self.figures.items()}
        if self.pause and in_doubt:
            setting.append("quiet_until = :quiet")
            values[":quiet"] = {"N": str(number(record.may_arrive_until + self.pause.total_seconds()))}
        return setting, "", values

    def _expires(self, record: Record) -> Update:  # noqa: ARG002
        """Figures must never be forgotten."""
        return {}


@dataclass(frozen=True)
class NeverExceeds(Guard):
    """Parts of a sum, one order at a time: together they never exceed `most`. Both are in minor units, above zero.

    A part is counted with its claim, so an unknown outcome counts. It is given back only after an order that moved
    nothing for certain. It is counted under each of its guards, also where `PaidOnce` orders of another operation hold
    the same item.
    """

    part: int = 0
    most: int = 0

    def __post_init__(self) -> None:
        if not 0 < self.part <= self.most:
            raise ValueError("a part is above zero, and no more than the sum")

    def has_memory(self) -> bool:
        """When other parts were asked for is remembered: a look-up must not take their row for its own."""
        return True

    def stored(self) -> StoredGuard:
        """The guard as a record keeps it."""
        return StoredGuard(self.key, figures={"asked": self.part}, most=self.most, of=self.of)

    def why_refused(self, held: dict[str, Any], holder: Record | None, now: float) -> WhyRefused:
        """Why a claim was refused: without a holder, it was the sum."""
        return super().why_refused(held, holder, now) if "holder" in held else WhyRefused.SUM_EXCEEDED

    def _opens(self, record: Record) -> tuple[list[str], Update]:  # noqa: ARG002
        values = {":part": {"N": str(self.part)}, ":room": {"N": str(self.most - self.part)}}
        return ["(attribute_not_exists(asked) OR asked <= :room)"], values

    def _counted(self) -> str:
        return " ADD asked :part"

    def _given_back(self) -> tuple[str, Update]:
        return " ADD asked :back", {":back": {"N": str(-self.part)}}

    def _left_behind(self, record: Record, *, in_doubt: bool) -> tuple[list[str], str, Update]:  # noqa: ARG002
        return [], " ADD finalised_at :finalised_at", {":finalised_at": {"NS": [str(number(record.updated_at))]}}

    def _expires(self, record: Record) -> Update:  # noqa: ARG002
        """What was asked for must never be forgotten."""
        return {}


def guards_of(record: Record) -> tuple[Guard, ...]:
    """The guards of a record, as its stored form tells them apart; earlier versions wrote the same form."""
    return tuple(map(_guard, record.guards))


def _guard(stored: StoredGuard) -> Guard:
    if stored.keeps:
        return PaidOnce(stored.key, of=stored.of)
    if stored.most:
        return NeverExceeds(stored.key, stored.figures["asked"], stored.most, of=stored.of)
    if stored.figures:
        pause = timedelta(seconds=stored.quiet_seconds)
        return NeverDecreases(stored.key, stored.figures, stored.may_fall, pause, of=stored.of)
    return OneAtATime(stored.key, stored.remembers, of=stored.of)


def may_decrease(record: Record) -> bool:
    """Whether the caller asked for a lower total than the one in force."""
    return any(isinstance(guard, NeverDecreases) and guard.unless for guard in guards_of(record))


def remembered(memories: list[GuardMemory]) -> GuardMemory:
    """What several guards know, together."""
    return GuardMemory(
        payments=frozenset(name for memory in memories for name in memory.payments),
        finalised_at=tuple(sorted(time for memory in memories for time in memory.finalised_at)),
        figures={name: value for memory in memories for name, value in memory.figures.items()},
    )
