"""`python -m tests.performance.reconciliation ORDERS`: what a day of so many orders takes to be reconciled.

Our orders, the provider's list and the archive are made as they are read, so what is measured is the run's own memory.
The orders are Paynet's: of all, they have the most names.
"""

import argparse
import os
import sys
import tempfile
import time
import tracemalloc
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import IO, Any
from unittest import mock

from vezne.orders.reconcile import reconcile
from vezne.orders.record import ISTANBUL, SHARDS, SUCCEEDED, UNKNOWN, Record, to_item
from vezne.orders.report import Report
from vezne.orders.store import DAY_INDEX
from vezne.providers.http import Deadline
from vezne.providers.paynet.client import PAGE
from vezne.providers.paynet.statement import PaynetStatement
from vezne.providers.statement import RowState, StatementPage, StatementRow

from tests.faults.memory_store import MemoryStore
from tests.faults.memory_table import MemoryTable
from tests.support.statements import ACCOUNT, OPERATION, ListedStatement

DAY = date(2026, 11, 26)
MIDNIGHT = datetime.combine(DAY, datetime.min.time(), ISTANBUL).timestamp()
# A query answers 1 MB, and an order takes about 800 bytes of the index.
ITEMS_OF_A_PAGE = 1_200
UNKNOWN_EVERY = 1_000


def names(number: int) -> dict[str, str]:
    """What Paynet calls a payment."""
    return {
        "id": str(10_000_000 + number),
        "order_id": f"order-{number:012d}",
        "authorization_code": f"{number % 1_000_000:06d}",
        "reference_code": f"reference-{number:012d}",
    }


def record_of(number: int, status: str) -> Record:
    digits = f"{number:022d}".translate(str.maketrans("0189", "abcd"))
    final = status == SUCCEEDED
    return Record(
        id=f"op_3njc{digits}", operation=OPERATION, principal="client-1", fingerprint="f" * 64, status=status,
        owner="o" * 32, lease_until=0.0,
        may_arrive_until=MIDNIGHT + number % 86_400 + 30, created_at=MIDNIGHT + number % 86_400,
        updated_at=MIDNIGHT, account=ACCOUNT,
        lookup_fields={"reference_no": f"invoice-{number:012d}", "amount": f"{number % 9_999 + 1}.50",
                       "currency": "TRY"},
        outcome={"result": {**names(number), "amount": f"{number % 9_999 + 1}.50", "currency": "TRY"}}
        if final else None,
        settled_by="answer" if final else None, next_look_up=None if final else MIDNIGHT + 60,
    )  # fmt: skip


def row_of(number: int) -> StatementRow:
    named = frozenset(f"{OPERATION} {name}={value}" for name, value in names(number).items())
    return StatementRow(
        f"invoice-{number:012d}", RowState.BOOKED, Decimal(f"{number % 9_999 + 1}.50"), "TRY", operation=OPERATION,
        names=named, day=DAY, made_at=MIDNIGHT + number % 86_400, result={"id": names(number)["id"]},
    )  # fmt: skip


class ListOfADay(PaynetStatement):
    """Paynet's list of so many rows, made page by page."""

    client = ListedStatement.client

    def __init__(self, orders: int) -> None:
        self.orders = orders

    def page(self, day: date, groups: Sequence[str], start: str, deadline: Deadline) -> StatementPage:
        first = int(start or "0")
        following = min(first + PAGE, self.orders)
        return StatementPage(
            tuple(map(row_of, range(first, following))), str(following) if following < self.orders else ""
        )


class TableOfADay(MemoryTable):
    """The unresolved orders and the report are kept; the final orders of the day are made page by page."""

    def __init__(self, orders: int, items: int) -> None:
        super().__init__()
        self.orders, self.items_of_a_page, self.calls = orders, items, Counter[str]()
        for number in range(0, orders, UNKNOWN_EVERY):
            record = record_of(number, UNKNOWN)
            self.items[record.id] = to_item(record)

    def query(self, **request: Any) -> dict[str, Any]:
        self.calls[f"query {request['IndexName']}"] += 1
        if request["IndexName"] != DAY_INDEX:
            return super().query(**request)
        operation, day, shard = request["ExpressionAttributeValues"][":partition"]["S"].split("#")
        if operation != OPERATION or day != DAY.isoformat():
            return {"Items": []}
        first = int(request.get("ExclusiveStartKey", {}).get("place", shard))
        numbers = range(first, self.orders, SHARDS)[: self.items_of_a_page]
        items = [to_item(record_of(number, SUCCEEDED)) for number in numbers if number % UNKNOWN_EVERY]
        following = numbers[-1] + SHARDS if numbers else self.orders
        return {"Items": items, **({"LastEvaluatedKey": {"place": following}} if following < self.orders else {})}

    def update_item(self, **request: Any) -> dict[str, Any]:
        self.calls["write of the report" if "reconciliation#" in str(request["Key"]) else "write of a record"] += 1
        return super().update_item(**request)


@dataclass
class Folder:
    """An archive on the disk."""

    path: Path
    calls: Counter[str] = field(default_factory=Counter)

    def put(self, name: str, body: bytes | IO[bytes]) -> None:
        self.calls["put"] += 1
        file = self.path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        with file.open("wb") as written:
            while piece := (body if isinstance(body, bytes) else body.read(65_536)):
                written.write(piece)
                if isinstance(body, bytes):
                    break

    def get(self, name: str) -> bytes:
        self.calls["get"] += 1
        return (self.path / name).read_bytes()


@dataclass(frozen=True)
class Measured:
    """What one run took. `peak`: bytes that Python had in use at most; 0 if it was not asked for."""

    report: Report
    peak: int
    processor_seconds: float
    calls: Counter[str]


def measure(orders: int, *, memory: bool, items: int = ITEMS_OF_A_PAGE) -> Measured:
    """Reconcile a day of so many orders. To measure memory makes it several times slower."""
    with tempfile.TemporaryDirectory() as folder, _quiet():
        table, archive = TableOfADay(orders, items), Folder(Path(folder))
        store = MemoryStore(table, lambda: MIDNIGHT + 48 * 3600)
        if memory:
            tracemalloc.start()
        began, peak = time.process_time(), 0
        try:
            report = reconcile(ListOfADay(orders), DAY, Deadline(lambda: 900_000), store, archive)
            peak = tracemalloc.get_traced_memory()[1] if memory else 0
        finally:
            tracemalloc.stop()
        assert report is not None
        return Measured(report, peak, time.process_time() - began, table.calls + archive.calls)


@contextmanager
def _quiet() -> Iterator[None]:
    """Without logs and metrics."""
    with (
        mock.patch("vezne.orders.reconcile.logger"),
        mock.patch.dict(os.environ, {"TABLE_NAME": "in memory"}),
        mock.patch("vezne.orders.reconcile.emit_of_provider"),
        mock.patch("vezne.orders.finalise.emit_metric"),
        mock.patch("vezne.orders.finalise.emit_amount"),
    ):
        yield


def lines(orders: int) -> Iterator[str]:
    """The figures, as text."""
    fast, traced = measure(orders, memory=False), measure(orders, memory=True)
    per_second = orders / fast.processor_seconds
    counted = ", ".join(f"{name} {count}" for name, count in sorted(fast.report.counts.items()) if count)
    yield f"Reconciliation of {orders} orders: {counted}"
    yield f"memory {traced.peak / 1e6:.0f} MB at most, {traced.peak / orders:.0f} bytes an order"
    yield f"processor {fast.processor_seconds:.1f} s, {per_second:.0f} orders a second, without network and provider"
    yield "calls: " + ", ".join(f"{count} {name}" for name, count in sorted(fast.calls.items()))


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.performance.reconciliation", description=__doc__)
    parser.add_argument("orders", type=int, nargs="?", default=100_000, metavar="ORDERS")
    sys.stdout.write("\n".join(lines(parser.parse_args().orders)) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
