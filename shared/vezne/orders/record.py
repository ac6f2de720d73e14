"""The record of one order, its names, and its form as a DynamoDB item."""

import base64
import hashlib
import json
import math
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal, InvalidOperation
from typing import Any

from vezne.platform.money import all_digits

PROCESSING, SUCCEEDED, DECLINED, UNKNOWN, NOT_EXECUTED = (
    "processing",
    "succeeded",
    "declined",
    "unknown",
    "not_executed",
)
# Whose keys and operations those of the standing orders are.
STANDING_ORDER_CLIENT = "standing-order"
FINAL = frozenset({SUCCEEDED, DECLINED, NOT_EXECUTED})
# By what a final outcome was found out: the answer to the order, a look-up, a decision by hand, or the provider's list
# of a day.
ANSWER, LOOK_UP, OPERATOR, RECONCILIATION = "answer", "look_up", "operator", "reconciliation"
# The providers' days. Türkiye has had no summer time since 2016.
ISTANBUL = timezone(timedelta(hours=3))
# Each order is written to its operation's part of the index and taken out again. 8 partitions take 8,000 such writes a
# second, far above any provider's limit. A sweep reads all 8 in 8 queries.
SHARDS = 8
# The two lanes of the index. A record is in the old one from the look-up on after which the next is an hour away or
# more. A fresh record's key is in the form that earlier versions write, so what they left is found, too.
FRESH, OLD = LANES = ("", "old#")
OLD_AFTER_SECONDS = 3600.0
# The lists in a record stay far below DynamoDB's 400 KB: the first look-ups and the latest are kept.
EVIDENCE_HEAD, EVIDENCE_TAIL = 20, 60
FIRST_WAIT_SECONDS, LONGEST_WAIT_SECONDS = 5, 300
# What the evidence says was asked where the order itself was sent, or a person decided: all else are look-ups.
ORDER, ORDER_AGAIN, BY_HAND = "order", "order, sent again", "operator"
OWN_CALLS = frozenset({ORDER, ORDER_AGAIN, BY_HAND})


@dataclass(frozen=True, slots=True)
class StoredGuard:
    """A guard as a record keeps it, in the form that earlier versions read and write.

    `vezne.orders.guards` has a class for each kind. It knows the kind by what is set here: `keeps`, `most`, the
    figures, or `remembers`.
    """

    key: str
    keeps: bool = False
    figures: dict[str, int] = field(default_factory=dict)
    may_fall: bool = False
    quiet_seconds: int = 0
    remembers: tuple[str, ...] = ()
    # The operation whose guard it is; empty: the record's own.
    of: str = ""
    # The most that the figures of all orders may sum up to; 0: they are no parts of a sum.
    most: int = 0


@dataclass(frozen=True, slots=True)
class GuardMemory:
    """What the guards of a record know of other orders under them. Read for a look-up, not stored with the record.

    `payments`: the names of their payments, as `field=value`; a bare value was written before fields were told apart.
    `finalised_at`: when they succeeded, in seconds since 1970. `figures`: the guarded amounts in force, in minor units.
    """

    payments: frozenset[str] = frozenset()
    finalised_at: tuple[float, ...] = ()
    figures: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Record:
    """One order as it stands in the table. Times are seconds since 1970."""

    id: str
    operation: str
    principal: str
    fingerprint: str
    status: str
    owner: str
    lease_until: float
    may_arrive_until: float
    created_at: float
    updated_at: float
    lookup_fields: dict[str, str]
    guards: tuple[StoredGuard, ...] = ()
    # Which account at the provider the order went to; empty in a record of an earlier version.
    account: dict[str, str] = field(default_factory=dict)
    # The caller's own, never sent to the provider.
    reference: str | None = None
    metadata: dict[str, str] = field(default_factory=dict)
    # Where the answer to every operation finds what the provider calls in its own way: see `envelope`.
    places: dict[str, str] = field(default_factory=dict)
    outcome: dict[str, Any] | None = None
    # Of what was sent; None in a record of an earlier version.
    sent_fingerprint: str | None = None
    # Who found the outcome out: `answer`, `look_up`, `operator` or `reconciliation`.
    settled_by: str | None = None
    evidence: tuple[dict[str, str], ...] = ()
    next_look_up: float | None = None
    memory: GuardMemory = GuardMemory()
    # False: what this says is known, but the table did not take it. Not stored.
    written: bool = True

    @property
    def final(self) -> bool:
        """Whether the outcome is certain and stored."""
        return self.status in FINAL


@dataclass(frozen=True, slots=True)
class Unresolved:
    """What the sparse index tells about a record without reading it."""

    id: str
    created_at: float
    next_look_up: float


def kept_seconds() -> int:
    """How long a final record is kept: the template's KeptDays, in seconds."""
    return int(os.environ.get("KEPT_DAYS", "90")) * 24 * 3600


def operation_tag(operation: str) -> str:
    """The first four characters of every id of an operation; each function's rights are fenced by it."""
    return _base32(hashlib.sha256(operation.encode()))[:4]


# The form of every operation's id, for a regular expression.
OPERATION_ID = r"op_[a-z2-7]{26}"


def operation_id(principal: str, operation: str, idempotency_key: str) -> str:
    """The record's key and the public id: `op_`, the operation's tag, and 22 characters (110 bits) of hash."""
    digest = hashlib.sha256(f"{principal}\n{operation}\n{idempotency_key}".encode())
    return f"op_{operation_tag(operation)}{_base32(digest)[:22]}"


def guard_id(operation: str, key: str) -> str:
    """The key of a guard item. The guarded value itself is hashed: it may be a customer's number."""
    return f"guard#{operation}#{_base32(hashlib.sha256(key.encode()))[:26]}"


def to_item(record: Record) -> dict[str, Any]:
    """The record in DynamoDB's own notation; what is None is left out."""
    first = record.guards[0] if record.guards else None
    values = {
        "id": record.id,
        "operation": record.operation,
        # The attribute's name from when a principal was a client's id: earlier versions read it.
        "client_id": record.principal,
        # In the form that earlier versions compare; theirs differs for requests that are sent alike.
        "fingerprint": record.fingerprint,
        "sent_fingerprint": record.sent_fingerprint,
        "status": record.status,
        "owner": record.owner,
        "lease_until": number(record.lease_until),
        "in_flight_until": number(record.may_arrive_until),
        "created_at": iso_time(record.created_at),
        "updated_at": iso_time(record.updated_at),
        "clues": record.lookup_fields,
        "evidence": list(record.evidence),
        # The first guard has the form that earlier versions read; what they do not know stands beside it.
        "guard": first and {**_stored(first), "remembers": "".join(first.remembers[:1])},
        "remembers_also": list(first.remembers[1:]) or None if first else None,
        "more_guards": list(map(_stored, record.guards[1:])) or None,
        "account": record.account or None,
        "reference": record.reference,
        "metadata": record.metadata or None,
        "places": record.places or None,
        "settled_by": record.settled_by,
        "outcome": None if record.outcome is None else json.dumps(record.outcome, ensure_ascii=False),
        "next_look_up": None if record.next_look_up is None else number(record.next_look_up),
        "unresolved": None if record.final else partition(record),
        # Sparse, too: the index of days lists what is final.
        "day": day_partition(record.operation, day_of(record), shard_of(record.id)) if record.final else None,
        # Whole, or not at all: the outbox has no words for what is missing.
        "told": None if record.status == PROCESSING else told(record),
    }
    return {name: serialize(value) for name, value in values.items() if value is not None}


def from_item(item: dict[str, Any]) -> Record:
    """The inverse of `to_item`."""
    values = plain(item)
    return Record(
        id=values["id"],
        operation=values["operation"],
        principal=values["client_id"],
        fingerprint=values["fingerprint"],
        status=values["status"],
        owner=values["owner"],
        lease_until=float(values["lease_until"]),
        may_arrive_until=float(values["in_flight_until"]),
        created_at=seconds_of(values["created_at"]),
        updated_at=seconds_of(values["updated_at"]),
        lookup_fields=values["clues"],
        guards=_guards(values),
        account=values.get("account", {}),
        reference=values.get("reference"),
        metadata=values.get("metadata", {}),
        places=values.get("places", {}),
        sent_fingerprint=values.get("sent_fingerprint"),
        settled_by=values.get("settled_by"),
        outcome=json.loads(values["outcome"]) if "outcome" in values else None,
        evidence=tuple(values["evidence"]),
        next_look_up=float(values["next_look_up"]) if "next_look_up" in values else None,
    )


def _guards(values: dict[str, Any]) -> tuple[StoredGuard, ...]:
    first = values.get("guard")
    if first is None:
        return ()
    named = [first["remembers"], *values.get("remembers_also", [])] if first["remembers"] else []
    return tuple(map(_guard, [{**first, "remembers": named}, *values.get("more_guards", [])]))


def _guard(stored: dict[str, Any]) -> StoredGuard:
    """Members that a later version has written are passed over."""
    return StoredGuard(
        key=stored["key"],
        keeps=stored["keeps"],
        figures={name: int(value) for name, value in stored["figures"].items()},
        may_fall=stored["may_fall"],
        quiet_seconds=int(stored["quiet_seconds"]),
        remembers=tuple(stored["remembers"]),
        of=stored.get("of", ""),
        most=int(stored.get("most", 0)),
    )


def _stored(guard: StoredGuard) -> dict[str, Any]:
    values = {**asdict(guard), "remembers": list(guard.remembers)}
    # What earlier versions do not know is written where it says something.
    return {name: value for name, value in values.items() if name not in ("of", "most") or value}


def trimmed(evidence: tuple[dict[str, str], ...]) -> tuple[dict[str, str], ...]:
    """The evidence, without the middle of a very long list."""
    if len(evidence) <= EVIDENCE_HEAD + EVIDENCE_TAIL:
        return evidence
    return evidence[:EVIDENCE_HEAD] + evidence[-EVIDENCE_TAIL:]


def next_client_look_up(record: Record) -> float:
    """From when on (seconds since 1970) a client's repeat looks the order up again; 0 if it was never looked up.

    5, 10, 20, 40 ... seconds after the last look-up, whoever made it: a client that asks often calls nobody.
    """
    looked_up = [entry["at"] for entry in record.evidence if entry["asked"] not in OWN_CALLS]
    if not looked_up:
        return 0.0
    doublings = min(len(looked_up) - 1, 10)
    return seconds_of(looked_up[-1]) + min(FIRST_WAIT_SECONDS << doublings, LONGEST_WAIT_SECONDS)


def settled_by(record: Record) -> str | None:
    """How the final outcome was found out, as in `Record`; None if it is not final.

    Records of earlier versions do not say it; a decision by hand was noted as evidence then, too.
    """
    if not record.final or record.settled_by:
        return record.settled_by
    return OPERATOR if any(entry["asked"] == BY_HAND for entry in record.evidence) else None


def retry_after(record: Record, now: float) -> int:
    """After how many seconds asking again may tell more.

    When a repeat looks the order up again, if that is to come. Otherwise 5, 10, 20, 40 ... seconds by how long the
    outcome is unknown: while a breaker is open no look-up sets a time, and reading an operation never does.
    """
    until_look_up = next_client_look_up(record) - now
    if until_look_up > 0:
        return max(FIRST_WAIT_SECONDS, math.ceil(until_look_up))
    # The doubt begins with the lost answer, or with the end of the lease of a function that was killed.
    begins = seconds_of(record.evidence[0]["at"]) if record.evidence else record.lease_until
    steps = max(0, int((now - begins) // FIRST_WAIT_SECONDS))
    # Whoever waits as told asks after 0, 5, 15, 35, 75 ... seconds.
    doublings = (steps + 1).bit_length() - 1
    return min(FIRST_WAIT_SECONDS << doublings, LONGEST_WAIT_SECONDS)


def iso_time(seconds: float) -> str:
    """Seconds since 1970 as ISO 8601 in UTC, to the millisecond."""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def seconds_of(text: str) -> float:
    """The inverse of `iso_time`."""
    return datetime.fromisoformat(text).timestamp()


def partition(record: Record) -> str:
    """The part of the index of unresolved records that a record is listed in."""
    # The waits before the one of an hour are at most 15 minutes. So a record has been unknown for at most so long by
    # then.
    is_old = record.next_look_up is not None and record.next_look_up - record.may_arrive_until >= OLD_AFTER_SECONDS
    return partition_of(record.operation, OLD if is_old else FRESH, shard_of(record.id))


def partition_of(operation: str, lane: str, shard: int) -> str:
    """A part of the index: of one operation, one lane and one shard."""
    return f"{operation}#{lane}{shard}"


def istanbul_day(seconds: float) -> date:
    """The day in Türkiye at a time in seconds since 1970."""
    return datetime.fromtimestamp(seconds, ISTANBUL).date()


def day_of(record: Record) -> date:
    """The day on which the provider is to book the order: its payment date if it names one, else when it was made."""
    named = record.lookup_fields.get("payment_date")
    return datetime.fromisoformat(named).date() if named else istanbul_day(record.created_at)


def told(record: Record) -> dict[str, str]:
    """What the outbox and the archive are told of an order besides its names, status and times. Nothing is personal.

    A member that is not known is empty: a pipe cannot leave one out.
    """
    amount, currency = money(record.lookup_fields, (record.outcome or {}).get("result") or {})
    day = day_of(record).isoformat()
    return {"day": day, "amount": amount, "currency": currency, "settled_by": record.settled_by or ""}


def money(lookup_fields: Mapping[str, Any], result: Mapping[str, Any]) -> tuple[str, str]:
    """Amount (major units) and currency of an order, or else of its answer; empty where neither names one.

    The amount has all digits of its currency, and never fewer than it came with. The 0 of an answer is no amount:
    Paynet's page shows one beside a capture of 1.00.
    """
    currency = lookup_fields.get("currency") or result.get("currency")
    currency = currency if isinstance(currency, str) else ""
    ordered, answered = amount_text(lookup_fields.get("amount")), amount_text(result.get("amount"))
    amount = ordered or (answered if answered and Decimal(answered) else "")
    try:
        return all_digits(Decimal(amount), currency), currency
    except (ArithmeticError, KeyError):
        return amount, currency


def amount_text(value: Any) -> str:
    """An amount in major units, without an exponent; empty if it is none."""
    try:
        amount = Decimal(str(value))
    except InvalidOperation:
        return ""
    return f"{amount:f}" if amount.is_finite() else ""


def day_partition(operation: str, day: date, shard: int) -> str:
    """A part of the index of days: the final records of one operation, one day and one shard."""
    return f"{operation}#{day.isoformat()}#{shard}"


def shard_of(record_id: str) -> int:
    """The shard of a record, or of another text, in every index that has shards."""
    return int(hashlib.sha256(record_id.encode()).hexdigest()[:8], 16) % SHARDS


def _base32(digest: Any) -> str:
    return base64.b32encode(digest.digest()).decode("ascii").lower()


def number(seconds: float) -> Decimal:
    """A time as the number the table keeps, to the millisecond, in the form in which the table gives it back."""
    return Decimal(f"{seconds:.3f}".rstrip("0").rstrip("."))


def serialize(value: Any) -> dict[str, Any]:
    """A value in DynamoDB's notation. (boto3 has this too; importing it would cost every cold start its whole rest.)

    Raises TypeError for a type that no record holds.
    """
    match value:
        case None:
            return {"NULL": True}
        case bool():
            return {"BOOL": value}
        case str():
            return {"S": value}
        case int() | Decimal():
            return {"N": str(value)}
        case dict():
            return {"M": {name: serialize(member) for name, member in value.items()}}
        case list():
            return {"L": [serialize(member) for member in value]}
    raise TypeError(type(value).__name__)


def plain(item: dict[str, Any]) -> dict[str, Any]:
    """An item's attributes as Python values; numbers are Decimal. Raises TypeError for a type that no record holds."""
    return {name: _deserialize(value) for name, value in item.items()}


def _deserialize(typed: dict[str, Any]) -> Any:
    ((kind, value),) = typed.items()
    match kind:
        case "S" | "BOOL":
            return value
        case "N":
            return Decimal(value)
        case "NULL":
            return None
        case "M":
            return plain(value)
        case "L":
            return [_deserialize(member) for member in value]
        case "SS":
            return frozenset(value)
        case "NS":
            return frozenset(map(Decimal, value))
    raise TypeError(kind)
