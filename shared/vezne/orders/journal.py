"""What a reconciliation keeps in the archive: a part after each page, so that a killed run goes on, and the file."""

import csv
import io
import json
import tempfile
from dataclasses import asdict, dataclass, field
from datetime import date
from decimal import Decimal
from enum import Enum
from typing import IO, Any, Protocol

from vezne.orders.compare import COLUMNS, Line
from vezne.orders.report import FindingClass, Report
from vezne.providers.statement import RowState, StatementRow


class Archive(Protocol):
    """Where whole objects are kept under names. Raises `vezne.orders.store.StoreUnavailableError`."""

    def put(self, name: str, body: bytes | IO[bytes]) -> None:
        """Keep an object, in the place of an earlier one of the name."""

    def get(self, name: str) -> bytes:
        """An object."""


@dataclass(frozen=True, slots=True)
class Part:
    """What one page came to.

    `kept`: rows that can be judged at the end only, each with the id of its order, or "". `foreign`: how many rows were
    made elsewhere. `keys`: of all its rows.
    """

    lines: list[Line] = field(default_factory=list)
    kept: list[tuple[str, StatementRow]] = field(default_factory=list)
    foreign: int = 0
    keys: frozenset[str] = frozenset()


class Journal:
    """The parts of one run: one for each page, and those of its end."""

    def __init__(self, archive: Archive, report: Report) -> None:
        self._archive = archive
        self._of = f"{report.provider}/{report.day.isoformat()}"
        self._run = report.run

    def write(self, number: int, part: Part) -> None:
        """Keep a part, in the place of an earlier one of the number."""
        content: list[dict[str, Any]] = [{"foreign": part.foreign, "keys": sorted(part.keys)}]
        content += [{"line": told} for told in part.lines]
        content += [{"of": of, "row": _plain(row)} for of, row in part.kept]
        self._archive.put(self._part(number), "\n".join(map(json.dumps, content)).encode())

    def read(self, number: int) -> Part:
        """The inverse of `write`."""
        head, *contents = map(json.loads, self._archive.get(self._part(number)).decode().splitlines())
        return Part(
            [content["line"] for content in contents if "line" in content],
            [(content["of"], _row(content["row"])) for content in contents if "row" in content],
            head["foreign"],
            frozenset(head["keys"]),
        )

    def finish(self, report: Report, parts: int) -> str:
        """Write the file from all parts, and return its name. One part at a time is in memory."""
        name = f"reconciliations/{self._of}.csv"
        with tempfile.TemporaryFile() as file:
            text = io.TextIOWrapper(file, "utf-8", newline="", write_through=True)
            text.write(_head(report))
            writer = csv.DictWriter(text, COLUMNS, lineterminator="\n")
            writer.writeheader()
            for number in range(1, parts + 1):
                writer.writerows(map(safe_line, self.read(number).lines))
            text.flush()
            text.detach()
            file.seek(0)
            self._archive.put(name, file)
        return name

    def _part(self, number: int) -> str:
        # Apart from the files: a rule of the bucket deletes these by the beginning of their names.
        return f"parts/{self._of}/{self._run}/{number:06d}.jsonl"


def _head(report: Report) -> str:
    counts = ", ".join(f"{name.value} {report.counts[name]}" for name in FindingClass if report.counts.get(name))
    return f"# {report.provider} {report.day.isoformat()}: {report.status}. {counts}\n"


def safe_line(told: Line) -> Line:
    """A spreadsheet takes a text that begins so for a formula, and references are other people's texts."""
    return {name: f"'{text}" if text.startswith(("=", "+", "-", "@", "\t", "\r")) else text
            for name, text in told.items()}  # fmt: skip


def _plain(row: StatementRow) -> dict[str, Any]:
    def written(value: Any) -> Any:
        match value:
            case Enum():
                return value.value
            case Decimal():
                return f"{value:f}"
            case date():
                return value.isoformat()
            case frozenset():
                return sorted(value)
        return value

    return {name: written(value) for name, value in asdict(row).items()}


def _row(values: dict[str, Any]) -> StatementRow:
    return StatementRow(**{
        **values,
        "state": RowState(values["state"]),
        "amount": None if values["amount"] is None else Decimal(values["amount"]),
        "names": frozenset(values["names"]),
        "day": None if values["day"] is None else date.fromisoformat(values["day"]),
    })  # fmt: skip
