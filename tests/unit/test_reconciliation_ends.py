"""A run that is killed before any of its calls, and started again, gives what an unbroken run gives."""

import contextlib
from collections.abc import Callable
from dataclasses import replace
from typing import Any
from unittest import mock

import pytest
from vezne.orders.reconcile import reconcile
from vezne.orders.record import DECLINED, FINAL, UNKNOWN, istanbul_day
from vezne.orders.report import COMPLETE, RUNNING, FindingClass, Report
from vezne.providers.http import Deadline
from vezne.providers.statement import RowState

from tests.faults.in_process import without_logs
from tests.faults.memory_store import MemoryStore
from tests.faults.memory_table import MemoryTable
from tests.support.harness import START, Clock
from tests.support.statements import ListedStatement, MemoryArchive, order, row

DAY = istanbul_day(START)
CALLS = frozenset({"get_item", "query", "put_item", "update_item", "transact_write_items", "put", "get", "page"})


class KilledError(BaseException):
    """The process ends here. No code catches it."""


class Counted:
    """Counts calls of the table, the archive and the provider, and ends the process at one of them."""

    def __init__(self) -> None:
        self.calls = 0
        self.at = -1

    def around(self, target: Any) -> Any:
        counted = self

        class Proxy:
            def __getattr__(self, name: str) -> Any:
                found = getattr(target, name)
                return counted._call(found) if name in CALLS else found

        return Proxy()

    def _call(self, called: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any, **named: Any) -> Any:
            number, self.calls = self.calls, self.calls + 1
            if self.at == number:
                raise KilledError
            return called(*arguments, **named)

        return call


class Night:
    """One order of each kind, a list of four pages, and the night after."""

    def __init__(self) -> None:
        self.clock, self.counted = Clock(), Counted()
        self.table, self.archive = MemoryTable(), MemoryArchive()
        orders = MemoryStore(self.table, self.clock)
        for name in "abcdefgh":
            order(orders, name, UNKNOWN if name in "bfh" else DECLINED if name == "d" else "succeeded")
        order(orders, "missing")
        order(orders, "never", UNKNOWN)
        statement = ListedStatement()
        statement.rows = [
            *(row(name, amount="9.99" if name == "c" else "10.00") for name in "abcde"), row("foreign"),
            row("f", RowState.FAILED), row("g", RowState.TAKEN_BACK), row("orphan", is_ours=True), row("h"),
            row("a", names=frozenset({"id=twice"})),
        ]  # fmt: skip
        self.statement: Any = self.counted.around(statement)
        self.store = MemoryStore(self.counted.around(self.table), self.clock)
        self.clock.now = START + 48 * 3600

    def run(self) -> Report | None:
        archive = self.counted.around(self.archive)
        return reconcile(self.statement, DAY, Deadline(lambda: 900_000), self.store, archive, again=False)

    def outcome(self) -> dict[str, Any]:
        """All that a run leaves, without its times and its own name."""
        report = self.run()
        assert report is not None
        items = self.table.items
        findings = {name: {**item, "found_at": {}} for name, item in items.items() if name.startswith("finding#")}
        records = {name: self.store.find(name) for name in items if name.startswith("op_")}
        return {
            "report": replace(report, owner="", run="", started_at=0, finished_at=0),
            "file": self.archive.objects[report.file],
            "findings": findings,
            "records": {
                name: (record.status, record.settled_by, record.outcome, [e["asked"] for e in record.evidence])
                for name, record in records.items()
                if record is not None
            },
        }


@pytest.fixture(autouse=True)
def quiet(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setenv("TABLE_NAME", "in memory")
    with without_logs(), mock.patch("vezne.orders.reconcile.emit_of_provider"):
        yield


def test_killed_before_any_call() -> None:
    """Before a call is after the one before it: between them nothing is kept."""
    with mock.patch.object(ListedStatement, "absence_proves", return_value=True):
        unbroken = Night()
        expected = unbroken.outcome()
        calls = unbroken.counted.calls
        # Without these the test would prove little.
        assert calls > 60
        assert expected["report"].counts == {
            FindingClass.MATCHED: 2, FindingClass.SETTLED_BY_EVIDENCE: 3, FindingClass.STILL_UNKNOWN: 1,
            FindingClass.AMOUNT_DIFFERS: 1, FindingClass.STATUS_DIFFERS: 1, FindingClass.LATER_EVENT: 1,
            FindingClass.MISSING_THERE: 1, FindingClass.ORPHAN_THERE: 2, FindingClass.FOREIGN: 1,
        }  # fmt: skip
        assert sum(status in FINAL for status, *_ in expected["records"].values()) == 9
        for number in range(calls):
            night = Night()
            night.counted.at = number
            with contextlib.suppress(KilledError):
                night.run()
            night.counted.at = -1
            # The next start of the rule. The lease of the killed run is over by then.
            night.clock.now += 600
            assert night.outcome() == expected, f"killed before call {number}"


def test_killed_again_and_again() -> None:
    """Each start ends one call later than the last: some of them get no further than the one before.

    All of them are within RUN_SECONDS: a run that began longer ago begins anew, and its file has another order.
    """
    expected = Night().outcome()
    night = Night()
    for number in range(200):
        night.counted.calls, night.counted.at = 0, number
        try:
            report = night.run()
        except KilledError:
            night.clock.now += 300
            continue
        assert report is not None
        if report.status != RUNNING:
            break
    night.counted.at = -1
    assert report.status == COMPLETE
    assert night.outcome() == expected
