"""The final records of some days as one CSV file, for finance: a line for each order, and nothing personal.

They are read from the table's index of days. What may have left the table is read from the archive bucket, too, to
which the outbox wrote each final record as a line of JSON.
"""

import csv
import gzip
import json
import re
import tempfile
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import date, timedelta
from itertools import chain, islice
from pathlib import Path
from typing import Any

import boto3
from vezne.orders.envelope import value_at
from vezne.orders.journal import safe_line
from vezne.orders.record import FINAL, OPERATION_ID, amount_text, day_of, istanbul_day, kept_seconds, money
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
    "provider_reference": "what the provider calls the payment; empty if it is not told or the order left the table",
}
# Where the archive has the final records.
PREFIX = "records/"
_GZIP = b"\x1f\x8b"
# An order may have a payment date in the future. So it may become final, and later leave the table, before others of
# its day. Assumed: no such date is further away.
PAID_AHEAD = timedelta(days=31)
# Objects that are read at once.
AT_ONCE = 16
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
_BLANK = re.compile(r"\s*")
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
    return istanbul_day(now) - timedelta(days=kept_seconds() // 86400 - 1) + PAID_AHEAD


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
    days = f"{first} to {last}" if first < last else f"{first}"
    if archive is None and first < kept_from:
        raise OperatorError(
            f"Nothing is written. The table may not keep all of {days} any more, and this stack has no archive bucket."
        )
    found: set[str] = set()
    for day in _days(first, last):
        say(f"{day}: {summary.rows} orders so far")
        for operation in ORDERS:
            for values in store.of_day(operation, day):
                found.add(values["id"])
                yield line_of(operation, day, values)
    if archive is not None and first < kept_from:
        before = summary.rows
        yield from archive.read(first, last, found, summary, say)
        summary.notes.append(
            f"The table may not keep all of {days} any more: "
            f"{summary.rows - before} further orders were read in {archive.place}."
        )


def _days(first: date, last: date) -> Iterator[date]:
    for number in range((last - first).days + 1):
        yield first + timedelta(days=number)


def line_of(operation: str, day: date, values: Mapping[str, Any]) -> Line:
    """A line from what the index of days has of a record. Only what COLUMNS names is taken from it."""
    outcome = json.loads(values["outcome"]) if "outcome" in values else {}
    result, fields = outcome.get("result") or {}, values["clues"]
    amount, currency = money(fields, result)
    place = ORDERS[operation].declaration.places()["provider_reference"]
    return {
        "id": values["id"],
        "operation": operation,
        "status": values["status"],
        "settled_by": values.get("settled_by", ""),
        "day": day.isoformat(),
        "created_at": values["created_at"],
        "amount": amount,
        "currency": currency,
        "provider_reference": value_at(place, values["id"], fields, result),
    }


class ArchivedRecords:
    """The final records in the archive bucket: the outbox's messages about them, many in an object, compressed."""

    def __init__(self, bucket: str) -> None:
        self._bucket = bucket
        self._client = boto3.client("s3")
        self.place = f"s3://{bucket}/{PREFIX}"

    def read(
        self, first: date, last: date, found: set[str], summary: Summary, say: Callable[[str], None]
    ) -> Iterator[Line]:
        """The records of the days that are not `found` yet, each once: a message may come twice."""
        wanted = {day.isoformat() for day in _days(first, last)}
        objects = 0
        with ThreadPoolExecutor(AT_ONCE) as pool:
            for keys in _batches(self._keys(first - PAID_AHEAD)):
                say(f"{self.place}: {objects} objects are read, {summary.rows} orders so far")
                objects += len(keys)
                for text in chain.from_iterable(pool.map(self._lines, keys)):
                    for line in map(archived_line, documents(text)):
                        if line is None:
                            summary.unreadable += 1
                        elif line["day"] in wanted and line["id"] not in found:
                            found.add(line["id"])
                            yield line

    def _keys(self, delivered_from: date) -> Iterator[str]:
        """The objects by the day of their delivery: the day (UTC) on which their orders became final, or later."""
        pages = self._client.get_paginator("list_objects_v2").paginate(
            Bucket=self._bucket, Prefix=PREFIX, StartAfter=f"{PREFIX}{delivered_from:%Y/%m/%d}"
        )
        return (found["Key"] for page in pages for found in page.get("Contents", []))

    def _lines(self, key: str) -> list[str]:
        body = self._client.get_object(Bucket=self._bucket, Key=key)["Body"].read()
        # By its first bytes: they tell more than a name.
        text: bytes = gzip.decompress(body) if body.startswith(_GZIP) else body
        return text.decode("utf-8", errors="replace").splitlines()


def _batches(keys: Iterator[str]) -> Iterator[list[str]]:
    while batch := list(islice(keys, AT_ONCE)):
        yield batch


def documents(text: str) -> Iterator[Any]:
    """The JSON documents of a line, with or without blanks between them; None for a rest that is none."""
    decoder, place = json.JSONDecoder(), 0
    while (place := _BLANK.match(text, place).end()) < len(text):  # type: ignore[union-attr]
        try:
            value, place = decoder.raw_decode(text, place)
        except ValueError:
            yield None
            return
        yield value


def archived_line(values: Any) -> Line | None:
    """A line from a message; None if it is in another form. Only what COLUMNS names is taken from it."""
    try:
        told = {name: values.get(name) or "" for name in COLUMNS}
        line = {**told, "id": values["operation_id"], "amount": amount_text(told["amount"])}
        fits = re.fullmatch(OPERATION_ID, line["id"]) and _DAY.fullmatch(line["day"]) and line["status"] in FINAL
    except (AttributeError, KeyError, TypeError):
        return None
    return line if fits and all(isinstance(value, str) for value in line.values()) else None
