"""The final records of some days as one CSV file, for finance: a line for each order, and nothing personal.

Days that the table keeps are read from its index of days. Older ones are read from the archive bucket, to which the
table's stream wrote each final record as a line of JSON.
"""

import csv
import gzip
import io
import json
import re
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

import boto3
from vezne.orders.journal import safe_line
from vezne.orders.record import FINAL, OPERATION_ID, day_of, istanbul_day, kept_seconds
from vezne.orders.store import Store

from .catalogue import ORDERS
from .connection import OperatorError
from .unresolved import unresolved

# Column -> what stands in it. The documents have this table.
COLUMNS = {
    "id": "the operation's id",
    "operation": "what was ordered, like `paynet.capture`",
    "status": "`succeeded`, `declined` or `not_executed`",
    "settled_by": "who found the outcome out: `answer`, `look_up`, `operator` or `reconciliation`",
    "day": "the day in Türkiye on which the provider is to book the order",
    "created_at": "when the order was claimed, in UTC",
    "amount": "in major units, with a point; empty if neither the order nor its answer names one",
    "currency": "as ISO 4217 writes it; empty if the order names none",
    "provider_reference": "what the provider calls the payment; empty if it is not told, and for days from the archive",
}
# Where the archive has the final records.
PREFIX = "records/"
_GZIP = b"\x1f\x8b"
# Of the index's own name for a day, which has operation and shard beside it.
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
Line = dict[str, str]


@dataclass
class Summary:
    """What an export came to. `unresolved`: orders of these days that are not final, so they are not in the file."""

    rows: int = 0
    unresolved: int = 0
    unreadable: int = 0
    notes: list[str] = field(default_factory=list)

    def lines(self, file: Path) -> Iterator[str]:
        """For people."""
        yield from self.notes
        if self.unreadable:
            yield f"{self.unreadable} lines of the archive are in another form: they are not in the file."
        if self.unresolved:
            yield f"{self.unresolved} orders of these days are not final, so they are not in it (`vezne unknown`)."
        yield f"{self.rows} orders are in {file}"


def first_kept_day(now: float) -> date:
    """The first day of which the table has lost nothing: a record goes KeptDays after it became final."""
    return istanbul_day(now) - timedelta(days=kept_seconds() // 86400 - 1)


def export(
    first: date, last: date, file: Path, store: Store, archive: "ArchivedRecords | None", say: Callable[[str], None],
    *, force: bool = False,
) -> Summary:  # fmt: skip
    """Write the final records of the days, first and last included. Raises OperatorError.

    The file is there whole, or not at all: it is written beside its place, and moved when it is done.
    """
    _require_free(file, force=force)
    summary = Summary()
    temporary: Path | None = None
    try:
        with tempfile.NamedTemporaryFile(
            "w", encoding="utf-8", newline="", dir=file.parent, prefix=f".{file.name}.", delete=False
        ) as text:
            temporary = Path(text.name)
            writer = csv.DictWriter(text, list(COLUMNS), lineterminator="\n")
            writer.writeheader()
            for line in _lines(first, last, store, archive, summary, say):
                writer.writerow(safe_line(line))
                summary.rows += 1
        _require_free(file, force=force)
        temporary.replace(file)
    except OSError as error:
        raise OperatorError(f"{file} cannot be written: {error.strerror or type(error).__name__}.") from None
    finally:
        if temporary is not None:
            temporary.unlink(missing_ok=True)
    summary.unresolved = sum(first <= day_of(record) <= last for _, record in unresolved(store))
    return summary


def _require_free(file: Path, *, force: bool) -> None:
    if file.is_dir():
        raise OperatorError(f"{file} is a folder: name a file in it.")
    if not file.parent.is_dir():
        raise OperatorError(f"There is no folder {file.parent}.")
    if file.exists() and not force:
        raise OperatorError(f"{file} is there already: --force (make: FORCE=1) writes a new one in its place.")


def _lines(
    first: date,
    last: date,
    store: Store,
    archive: "ArchivedRecords | None",
    summary: Summary,
    say: Callable[[str], None],
) -> Iterator[Line]:
    kept_from = first_kept_day(store.now())
    if first < kept_from:
        yield from _archived(first, min(last, kept_from - timedelta(days=1)), archive, summary, say)
    for day in _days(max(first, kept_from), last):
        say(f"{day}: {summary.rows} orders so far")
        for operation in ORDERS:
            for values in store.of_day(operation, day):
                yield line_of(operation, day, values)


def _archived(
    first: date, last: date, archive: "ArchivedRecords | None", summary: Summary, say: Callable[[str], None]
) -> Iterator[Line]:
    days = f"{first} to {last}" if first < last else f"{first}"
    where = archive.place if archive else f"{PREFIX} of an archive bucket, which this stack does not have"
    told = f"The table does not keep {days} any more: the records of these days are in {where}."
    if archive is None:
        raise OperatorError(f"Nothing is written. {told}")
    say(told)
    before = summary.rows
    yield from archive.read(first, last, summary, say)
    found = summary.rows - before
    summary.notes.append(f"{told} {found} orders were read there." if found else f"{told} Nothing of them is there.")


def _days(first: date, last: date) -> Iterator[date]:
    for number in range((last - first).days + 1):
        yield first + timedelta(days=number)


def line_of(operation: str, day: date, values: Mapping[str, Any]) -> Line:
    """A line from what the index of days has of a record. Only what COLUMNS names is taken from it."""
    outcome = json.loads(values["outcome"]) if "outcome" in values else {}
    result, fields = outcome.get("result") or {}, values["clues"]
    reference = ORDERS[operation].declaration.reference_field
    return {
        "id": values["id"],
        "operation": operation,
        "status": values["status"],
        "settled_by": values.get("settled_by", ""),
        "day": day.isoformat(),
        "created_at": values["created_at"],
        "amount": amount_text(fields.get("amount") or result.get("amount")),
        "currency": fields.get("currency") or result.get("currency") or "",
        "provider_reference": str({"operation_id": values["id"], **fields, **result}.get(reference) or ""),
    }


def amount_text(value: Any) -> str:
    """An amount in major units, without an exponent; empty if it is none."""
    try:
        amount = Decimal(str(value))
    except InvalidOperation:
        return ""
    return f"{amount:f}" if amount.is_finite() else ""


class ArchivedRecords:
    """The final records in the archive bucket: JSON lines, some of them compressed."""

    def __init__(self, bucket: str) -> None:
        self._bucket = bucket
        self._client = boto3.client("s3")
        self.place = f"s3://{bucket}/{PREFIX}"

    def read(self, first: date, last: date, summary: Summary, say: Callable[[str], None]) -> Iterator[Line]:
        """The records of the days, each once: what the pipe could not hand over for certain, it handed over again."""
        wanted = {day.isoformat() for day in _days(first, last)}
        seen: set[str] = set()
        for number, key in enumerate(self._keys(), 1):
            if number % 100 == 0:
                say(f"{self.place}: {number} objects are read, {len(seen)} orders found")
            for text in self._texts(key):
                line = archived_line(text)
                if line is None:
                    summary.unreadable += 1
                elif line["day"] in wanted and line["id"] not in seen:
                    seen.add(line["id"])
                    yield line

    def _keys(self) -> Iterable[str]:
        pages = self._client.get_paginator("list_objects_v2").paginate(Bucket=self._bucket, Prefix=PREFIX)
        return (found["Key"] for page in pages for found in page.get("Contents", []))

    def _texts(self, key: str) -> Iterator[str]:
        body = self._client.get_object(Bucket=self._bucket, Key=key)["Body"]
        packed = io.BufferedReader(body)
        # By its first bytes: they tell more than a name.
        text = gzip.GzipFile(fileobj=packed) if packed.peek(2)[:2] == _GZIP else packed
        yield from filter(str.strip, io.TextIOWrapper(text, "utf-8", errors="replace"))


def archived_line(text: str) -> Line | None:
    """A line from one of the archive; None if it is in another form. Only what COLUMNS names is taken from it."""
    try:
        values = json.loads(text)
        day = _DAY.search(values["day"])
        told = {name: values.get(name) or "" for name in COLUMNS}
        line = {**told, "day": day.group() if day else "", "amount": amount_text(told["amount"])}
    except (AttributeError, KeyError, TypeError, ValueError):
        return None
    fits = day and re.fullmatch(OPERATION_ID, str(line["id"])) and line["status"] in FINAL
    return line if fits and all(isinstance(value, str) for value in line.values()) else None
