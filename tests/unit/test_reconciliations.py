"""`vezne reconcile`: how a day is compared to its end, what is shown of it, and how the command ends."""

import contextlib
import io
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from types import SimpleNamespace
from typing import Any
from unittest.mock import Mock

import pytest
from botocore.exceptions import ReadTimeoutError
from vezne.orders import report as reports
from vezne.orders.reconcile import reconcile
from vezne.orders.record import DECLINED, SUCCEEDED, UNKNOWN, istanbul_day
from vezne.orders.report import RUNNING, Report, finding_id
from vezne.providers.http import Deadline
from vezne.providers.statement import RowState
from vezne_cli import connection, operate, reconciliations
from vezne_cli.app import main
from vezne_cli.connection import OperatorError

from tests.faults.memory_store import MemoryStore
from tests.faults.memory_table import MemoryTable
from tests.support.harness import START, Clock
from tests.support.statements import ListedStatement, MemoryArchive, order, row

DAY = istanbul_day(START)


@dataclass
class Night:
    """A stack whose function compares in this process. `seconds`: how long each call may take."""

    clock: Clock = field(default_factory=Clock)
    archive: MemoryArchive = field(default_factory=MemoryArchive)
    statement: ListedStatement = field(default_factory=ListedStatement)
    seconds: list[float] = field(default_factory=lambda: [900.0])
    said: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.table = MemoryTable()
        self.store = MemoryStore(self.table, self.clock)

    def invoke(self, day: date) -> Mapping[str, Any] | None:
        """As the deployed function does."""
        seconds = self.seconds.pop(0) if len(self.seconds) > 1 else self.seconds[0]
        # Its metrics go to its own log.
        with contextlib.redirect_stdout(io.StringIO()):
            report = reconcile(self.statement, day, Deadline(lambda: seconds * 1000), self.store, self.archive)
        return {"reports": [{"status": RUNNING} if report is None else report.public()]}

    def run(self, invoke: reconciliations.Invoke | None = None) -> Report:
        return reconciliations.run("paynet", DAY, invoke or self.invoke, self.store, self.said.append, self.wait)

    def wait(self, seconds: float) -> None:
        self.clock.advance(seconds)


@pytest.fixture
def night(monkeypatch: pytest.MonkeyPatch) -> Night:
    """Two days later, and `vezne reconcile` works on it."""
    monkeypatch.setenv("TABLE_NAME", "in memory")
    night = Night()
    monkeypatch.setattr(connection, "connect", lambda _stack: {"ArchiveBucket": "kept"})
    monkeypatch.setattr("vezne.orders.store.Store", lambda *_: night.store)
    monkeypatch.setattr(reconciliations, "invoke_in", lambda _outputs, _provider: night.invoke)
    monkeypatch.setattr("time.time", night.clock)
    monkeypatch.setattr("time.sleep", night.wait)
    monkeypatch.setattr(operate, "operator", lambda: ("arn:ayse", night.clock))
    return night


def later(night: Night) -> None:
    night.clock.now = START + 48 * 3600.0


# ------------------------------------------------------------------ a run


def test_a_run_that_has_not_ended_is_called_again(night: Night) -> None:
    order(night.store, "a")
    night.statement.rows += [row("a"), *(row(f"theirs {number}") for number in range(5))]
    later(night)
    night.seconds = [0.0, 900.0]
    report = night.run()
    assert (report.status, report.counts["matched"]) == ("complete", 1)
    assert "the list is not read to its end yet" in night.said[1]
    assert night.said[2].startswith(f"paynet {DAY}: comparing, call 2, ")


def test_a_run_of_another_is_waited_for(night: Night) -> None:
    later(night)
    other = Report("paynet", DAY, owner="o", lease_until=night.clock.now + 20, run="r", started_at=night.clock.now)
    night.store.update_item(reports.begin(other, None, night.clock.now))

    def ends(_seconds: float) -> None:
        ended = replace(other, status="complete", lease_until=0.0, counts={"matched": 7}, finished_at=START)
        night.store.update_item(reports.progress(ended))

    report = reconciliations.run("paynet", DAY, night.invoke, night.store, night.said.append, ends)
    assert report.counts == {"matched": 7}
    assert "another run is at this day" in night.said[1]


def test_a_killed_run_of_another_is_taken_over(night: Night) -> None:
    later(night)
    other = Report("paynet", DAY, owner="o", lease_until=night.clock.now + 100, run="r", started_at=night.clock.now)
    night.store.update_item(reports.begin(other, None, night.clock.now))
    assert night.run().status == "complete"


def test_calls_that_read_nothing_new_end(night: Night) -> None:
    later(night)
    night.seconds = [0.0]
    with pytest.raises(OperatorError, match=f"paynet {DAY} is not compared to its end: 0 pages are read"):
        night.run()
    assert sum("comparing" in text for text in night.said) == reconciliations.MOST_VAIN_CALLS


def test_the_report_of_an_earlier_run_is_not_taken_for_this_ones(night: Night) -> None:
    later(night)
    night.run()
    with pytest.raises(OperatorError, match="is not compared to its end"):
        night.run(lambda _day: None)
    assert "the function failed, or was stopped" in night.said[-2]


# ------------------------------------------------------------------ the function


def answering(monkeypatch: pytest.MonkeyPatch, **answer: Any) -> Mock:
    functions = Mock(invoke=Mock(**answer))
    monkeypatch.setattr(reconciliations.boto3, "client", lambda _service, **_: functions)
    known = SimpleNamespace(output="PaynetReconcileFunction", statement=ListedStatement())
    monkeypatch.setitem(reconciliations.RECONCILERS, "paynet", known)  # type: ignore[arg-type]
    return functions


def test_the_alias_is_called_with_the_day(monkeypatch: pytest.MonkeyPatch) -> None:
    functions = answering(monkeypatch, return_value={"Payload": Mock(read=lambda: b'{"reports": []}')})
    invoke = reconciliations.invoke_in({"PaynetReconcileFunction": "name"}, "paynet")
    assert invoke(date(2026, 11, 26)) == {"reports": []}
    functions.invoke.assert_called_once_with(
        FunctionName="name", Qualifier="live", Payload=b'{"reconcile": {"date": "2026-11-26"}}'
    )


@pytest.mark.parametrize(
    "answer",
    [
        {"return_value": {"FunctionError": "Unhandled", "Payload": Mock(read=lambda: b'{"errorType": "X"}')}},
        {"return_value": {"Payload": Mock(read=lambda: b"null")}},
        {"side_effect": ReadTimeoutError(endpoint_url="")},
    ],
)
def test_a_failed_call_says_nothing(answer: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    answering(monkeypatch, **answer)
    assert reconciliations.invoke_in({"PaynetReconcileFunction": "name"}, "paynet")(DAY) is None


def test_a_stack_of_an_earlier_version() -> None:
    with pytest.raises(OperatorError, match="This stack does not read paynet's list: it is of an earlier version"):
        reconciliations.invoke_in({}, "paynet")


@pytest.mark.parametrize(("names_a_day", "kept"), [(False, 90), (True, 80)])
def test_a_day_whose_orders_are_gone_is_refused(
    names_a_day: bool, kept: int, night: Night, monkeypatch: pytest.MonkeyPatch
) -> None:
    answering(monkeypatch)
    monkeypatch.setattr(ListedStatement, "orders_name_a_day", names_a_day)
    later(night)
    first = istanbul_day(night.clock.now) - timedelta(days=kept - 1)
    reconciliations.require_kept("paynet", first, night.clock.now)
    with pytest.raises(OperatorError, match=f"keeps the orders of paynet from {first} on.*in the archive"):
        reconciliations.require_kept("paynet", first - timedelta(days=1), night.clock.now)


# ------------------------------------------------------------------ what is shown, and how it ends


def test_a_clean_day_ends_with_0(night: Night, capsys: pytest.CaptureFixture[str]) -> None:
    order(night.store, "a")
    night.statement.rows.append(row("a"))
    later(night)
    assert main(["reconcile", "paynet", str(DAY)]) == 0
    head, *lines = capsys.readouterr().out.splitlines()
    assert head == f"paynet {DAY}: complete, clean; no contradiction is open"
    assert "matched              1" in lines
    assert f"file: s3://kept/reconciliations/paynet/{DAY}.csv" in lines


def test_a_contradiction_ends_with_1_and_is_shown(night: Night, capsys: pytest.CaptureFixture[str]) -> None:
    declined = order(night.store, "a", DECLINED)
    night.statement.rows += [row("a"), row("b", is_ours=True, amount="2.50")]
    later(night)
    assert main(["reconcile", "paynet", str(DAY)]) == 1
    head, *lines = capsys.readouterr().out.splitlines()
    assert head == f"paynet {DAY}: complete, NOT clean; 2 contradictions are open"
    first, second = [line.split("  ")[1:-1] for line in lines if re.match(r"[0-9a-f]{20}  ", line)]
    assert first == ["status_differs", declined.id, "declined", "booked", "10.00 TRY", "10.00 TRY", "a"]
    assert second == ["orphan_there", "-", "-", "booked", "-", "2.50 TRY", "b"]


def test_a_cut_list_is_not_complete_and_ends_with_1(night: Night, capsys: pytest.CaptureFixture[str]) -> None:
    night.statement.cut = True
    later(night)
    assert main(["reconcile", "paynet", str(DAY)]) == 1
    head = capsys.readouterr().out.splitlines()[0]
    assert head.startswith(f"paynet {DAY}: NOT COMPLETE, the list was not read to its end: nothing says that")


def test_a_person_sees_bars_and_a_table(
    night: Night, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.setattr("vezne_cli.commands.reconcile.on_terminal", lambda: True)
    for name in ("a", "b", "c"):
        order(night.store, name)
    night.statement.rows += [row("a"), row("b"), row("c", RowState.FAILED)]
    later(night)
    assert main(["reconcile", "paynet", str(DAY)]) == 1
    printed = capsys.readouterr().out
    bars = {line.split()[0]: line.count("█") for line in printed.splitlines()[1:11]}
    assert (bars["matched"], bars["status_differs"], bars["foreign"]) == (40, 20, 0)
    assert "their amount" in printed


def test_a_stored_report_compares_nothing(night: Night, capsys: pytest.CaptureFixture[str]) -> None:
    later(night)
    assert main(["reconcile", "paynet", str(DAY), "--stored"]) == 1
    said = f"There is no report of paynet {DAY}. `vezne reconcile paynet {DAY}` makes one."
    assert said in capsys.readouterr().err
    night.run()
    read = list(night.statement.read)
    assert main(["reconcile", "paynet", str(DAY), "--stored"]) == 0
    assert night.statement.read == read


def test_without_a_date_the_last_reports_are_listed(night: Night, capsys: pytest.CaptureFixture[str]) -> None:
    later(night)
    assert main(["reconcile", "paynet"]) == 0
    assert capsys.readouterr().out == "there is no report of paynet of the last 14 days\n"
    night.clock.now = START
    order(night.store, "a")
    order(night.store, "b", UNKNOWN)
    later(night)
    night.run()
    assert main(["reconcile", "paynet"]) == 0
    told = capsys.readouterr().out.split()
    assert told[:7] == [str(DAY), "complete", "1", "0", "1", "0", "0"]


def test_a_day_that_is_not_over(night: Night, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["reconcile", "paynet", str(DAY)]) == 2
    yesterday = DAY - timedelta(days=1)
    assert f"{DAY} is today: rows of today may still come. The latest day is {yesterday}." in capsys.readouterr().err
    assert main(["reconcile", "paynet", "2027-01-01"]) == 2
    assert f"2027-01-01 is to come. The latest day is {yesterday}." in capsys.readouterr().err


def test_a_day_of_the_night_is_a_day_in_turkiye(night: Night, capsys: pytest.CaptureFixture[str]) -> None:
    # 22:30 in London is tomorrow in Türkiye.
    night.clock.now = START - START % 86400 + 22.5 * 3600
    assert main(["reconcile", "paynet", str(DAY), "--stored"]) == 1
    assert "There is no report" in capsys.readouterr().err


def test_a_report_that_is_running(night: Night, capsys: pytest.CaptureFixture[str]) -> None:
    order(night.store, "a", SUCCEEDED)
    later(night)
    night.seconds = [0.0]
    night.invoke(DAY)
    assert main(["reconcile", "paynet", str(DAY), "--stored"]) == 1
    assert "NOT COMPLETE, it is running or waits to go on; 0 pages" in capsys.readouterr().out


# ------------------------------------------------------------------ a contradiction that was dealt with


def contradiction(night: Night, reference: str = "b") -> str:
    """Compare a day with a row of ours that no order of ours made. Return the finding's id."""
    night.statement.rows.append(row(reference, is_ours=True))
    later(night)
    return str(night.run().findings[0]["id"])


def resolving(finding: str, day: date = DAY) -> list[str]:
    return ["reconcile", "paynet", str(day), "--resolve", finding, "--reason", "paid back by hand"]


def test_a_resolved_contradiction_is_clean(night: Night, capsys: pytest.CaptureFixture[str]) -> None:
    finding = contradiction(night)
    assert main(resolving(finding)) == 0
    head, *lines = capsys.readouterr().out.splitlines()
    assert head == f"paynet {DAY}: complete, clean; no contradiction is open"
    (line,) = [line for line in lines if line.startswith(finding)]
    assert line.endswith("  2026-12-03T06:00:00.000Z by arn:ayse: paid back by hand")
    item = night.store.item(finding_id("paynet", finding))
    assert item["class"] == {"S": "orphan_there"}


def test_a_resolution_stays_when_the_day_is_compared_again(night: Night, capsys: pytest.CaptureFixture[str]) -> None:
    finding = contradiction(night)
    main(resolving(finding))
    assert main(["reconcile", "paynet", str(DAY)]) == 0
    capsys.readouterr()
    assert main(["reconcile", "paynet"]) == 0
    assert capsys.readouterr().out.split()[:3] == [str(DAY), "complete", "0"]


def test_a_later_event_is_shown_and_resolved_but_keeps_no_day_from_being_clean(
    night: Night, capsys: pytest.CaptureFixture[str]
) -> None:
    order(night.store, "a")
    night.statement.rows.append(row("a", RowState.TAKEN_BACK))
    later(night)
    assert main(["reconcile", "paynet", str(DAY)]) == 0
    head, *lines = capsys.readouterr().out.splitlines()
    assert head == f"paynet {DAY}: complete, clean; no contradiction is open; 1 later events are open"
    (finding,) = [line.split("  ")[0] for line in lines if "  later_event  " in line]
    assert main(resolving(finding)) == 0
    head, *lines = capsys.readouterr().out.splitlines()
    assert head == f"paynet {DAY}: complete, clean; no contradiction is open"
    (line,) = [line for line in lines if line.startswith(finding)]
    assert line.endswith(" by arn:ayse: paid back by hand")


def test_another_contradiction_keeps_the_day_open(night: Night, capsys: pytest.CaptureFixture[str]) -> None:
    night.statement.rows.append(row("c", is_ours=True))
    assert main(resolving(contradiction(night))) == 1
    assert "NOT clean; 1 contradictions are open" in capsys.readouterr().out


def test_another_amount_is_another_finding(night: Night) -> None:
    order(night.store, "a")
    night.statement.rows.append(row("a", amount="11.00"))
    later(night)
    main(resolving(str(night.run().findings[0]["id"])))
    night.statement.rows = [row("a", amount="12.00")]
    assert main(["reconcile", "paynet", str(DAY)]) == 1


def test_a_finding_is_resolved_once(night: Night, capsys: pytest.CaptureFixture[str]) -> None:
    finding = contradiction(night)
    main(resolving(finding))
    capsys.readouterr()
    assert main(resolving(finding)) == 1
    said = f"{finding} is resolved already, 2026-12-03T06:00:00.000Z by arn:ayse: paid back by hand\n"
    assert capsys.readouterr().err == said


def test_a_finding_that_is_not_there(night: Night, capsys: pytest.CaptureFixture[str]) -> None:
    finding = contradiction(night)
    mistyped = finding[:-1] + ("0" if finding[-1] != "0" else "1")
    assert main(resolving(mistyped)) == 1
    said = f"There is no finding {mistyped} of paynet {DAY}; did you mean {finding}?\n"
    assert capsys.readouterr().err == said
    assert finding_id("paynet", mistyped) not in night.table.items
    before = DAY - timedelta(days=1)
    assert main(resolving(finding, before)) == 1
    assert f"There is no finding {finding} of paynet {before}. It is of {DAY}." in capsys.readouterr().err


@pytest.mark.parametrize("meanwhile", ["resolved", "gone"])
def test_a_finding_that_changes_meanwhile_is_left_alone(meanwhile: str, night: Night) -> None:
    finding = contradiction(night)
    name = finding_id("paynet", finding)

    def clock() -> float:
        if meanwhile == "gone":
            del night.table.items[name]
        else:
            other = reports.Resolution("arn:ali", START, "first")
            night.store.update_item(reports.resolve_finding("paynet", DAY, finding, other))
        return START

    store = MemoryStore(night.table, clock)
    with pytest.raises(OperatorError, match=f"{finding} was changed by somebody else just now"):
        reconciliations.resolve("paynet", DAY, finding, store, "arn:ayse", "second")
    standing = reports.resolution_of(night.table.items.get(name, {}))
    assert standing == (None if meanwhile == "gone" else reports.Resolution("arn:ali", START, "first"))
