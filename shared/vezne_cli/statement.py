"""Many decisions by hand at once, from a CSV file: what a provider's statement says of the unknown outcomes.

Every row is checked before the first is decided: its form, then its record. An error names line and column and never
what stands there. Then the rows are decided one by one, each with its own look-up, as a single decision is.
"""

import csv
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError
from vezne.orders.record import OPERATION_ID, OPERATOR, Record
from vezne.orders.store import Store, StoreUnavailableError
from vezne.platform.masking import mask_text

from .connection import OperatorError
from .decisions import TOLD, Decision, LookUp, decide, why_not_now, why_not_this_row
from .unresolved import amount_of

COLUMNS = ("operation_id", "status", "row", "reason")
# More errors than these help nobody.
MOST_ERRORS = 20
_FORMS = {
    "operation_id": "is no operation id: op_ with 26 letters and digits",
    "status": "is neither succeeded nor not_executed",
    "row": "is not empty or field=value",
    "reason": "is empty: say why, the reason stays with the record",
}


class Row(BaseModel):
    """One row of the file."""

    model_config = ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=True)

    operation_id: Annotated[str, Field(pattern=f"^{OPERATION_ID}$")]
    status: Literal["succeeded", "not_executed"]
    row: Annotated[str, Field(pattern=r"^$|^\w+=\S.*$")]
    reason: Annotated[str, Field(min_length=1, max_length=500), AfterValidator(mask_text)]


@dataclass(frozen=True)
class Planned:
    """A row whose record is there and may be decided. `done`: it was decided so before."""

    line: int
    record: Record
    decision: Decision
    done: bool

    def cells(self) -> tuple[str, ...]:
        """For a table."""
        told = "nothing: it is so already" if self.done else TOLD[self.decision.status]
        return (self.record.id, str(self.line), self.record.operation, amount_of(self.record), self.record.status,
                self.decision.status, told)  # fmt: skip


HEADS = ("operation id", "line", "operation", "amount", "is", "becomes", "the client will be told")


@dataclass
class Summary:
    """What became of the rows. `not_done`: line, operation id and why."""

    decided: int = 0
    found: int = 0
    already: int = 0
    not_done: list[str] = field(default_factory=list)

    def lines(self) -> Iterator[str]:
        """For people."""
        certain = self.found + self.already
        yield f"decided {self.decided}, certain without a decision {certain}, not done {len(self.not_done)}"
        yield from self.not_done


def plan(file: Path, store: Store, who: str) -> list[Planned]:
    """The decisions that a file asks for. Raises OperatorError, with all that is wrong, if a row cannot be decided."""
    rows = _read(file)
    errors, planned = [], []
    for line, row in rows:
        record = store.find(row.operation_id)
        decision = Decision(row.status, row.reason, who, row=row.row)
        if record is None:
            errors.append(_error(line, "operation_id", "there is no such operation"))
        elif record.final and record.status == row.status:
            planned.append(Planned(line, record, decision, done=True))
        elif reason := why_not_now(record, store):
            errors.append(_error(line, "operation_id", f"it {reason}"))
        elif reason := why_not_this_row(record, decision):
            errors.append(_error(line, "row", reason))
        else:
            planned.append(Planned(line, record, decision, done=False))
    _refuse(file, errors)
    return planned


def carry_out(planned: list[Planned], store: Store, look_up: LookUp, summary: Summary) -> Iterator[str]:
    """Decide row after row, and say how far it is. What became of each is added to the summary."""
    for number, each in enumerate(planned, 1):
        yield f"[{number}/{len(planned)}] line {each.line}, {each.record.id}"
        if each.done:
            summary.already += 1
            continue
        try:
            # What it shows of a record is for one who decides about this one alone.
            for _ in decide(store, each.record, each.decision, look_up, lambda _: True):
                pass
            standing = store.find(each.record.id)
        except (OperatorError, StoreUnavailableError) as error:
            summary.not_done.append(f"line {each.line}, {each.record.id}: {error}")
            continue
        if standing is not None and standing.settled_by != OPERATOR:
            summary.found += 1
            if standing.status != each.decision.status:
                told = f"a look-up says {standing.status}, the file {each.decision.status}"
                summary.not_done.append(f"line {each.line}, {each.record.id}: {told}")
        else:
            summary.decided += 1


def _read(file: Path) -> list[tuple[int, Row]]:
    """The rows with their lines. Raises OperatorError."""
    rows: list[tuple[int, Row]] = []
    errors: list[str] = []
    seen: dict[str, int] = {}
    try:
        with file.open(encoding="utf-8-sig", newline="") as text:
            reader = csv.DictReader(text, strict=True)
            if sorted(reader.fieldnames or ()) != sorted(COLUMNS):
                raise OperatorError(f"Nothing is decided. {file.name}, line 1: the columns are {', '.join(COLUMNS)}.")
            for values in reader:
                line = reader.line_num
                if None in values or None in values.values():
                    errors.append(f"line {line}: it has another number of columns than line 1")
                    continue
                try:
                    row = Row.model_validate(values)
                except ValidationError as error:
                    # Its texts may quote the value.
                    columns = {str(each["loc"][0]) for each in error.errors()}
                    errors += [_error(line, column, _FORMS[column]) for column in COLUMNS if column in columns]
                    continue
                if row.operation_id in seen:
                    first = seen[row.operation_id]
                    errors.append(_error(line, "operation_id", f"it is in line {first} already"))
                seen.setdefault(row.operation_id, line)
                rows.append((line, row))
    except OSError:
        raise OperatorError(f"Nothing is decided. {file.name} cannot be read.") from None
    except (csv.Error, UnicodeDecodeError):
        raise OperatorError(f"Nothing is decided. {file.name} is not CSV in UTF-8.") from None
    _refuse(file, errors)
    if not rows:
        raise OperatorError(f"Nothing is decided. {file.name} has no rows.")
    return rows


def _error(line: int, column: str, what: str) -> str:
    return f"line {line}, {column}: {what}"


def _refuse(file: Path, errors: list[str]) -> None:
    if errors:
        more = [f"and {len(errors) - MOST_ERRORS} more"] if len(errors) > MOST_ERRORS else []
        listed = "\n".join(f"  {error}" for error in [*errors[:MOST_ERRORS], *more])
        raise OperatorError(f"Nothing is decided. {file.name} cannot be carried out:\n{listed}")
