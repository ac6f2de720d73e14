"""Days of walletgate, KolayBi and HASO: orders sent by the functions, compared with what the sandbox lists of them."""

import time
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
from vezne.orders.reconcile import reconcile
from vezne.orders.record import DECLINED, ISTANBUL, RECONCILIATION, SUCCEEDED, UNKNOWN, istanbul_day
from vezne.orders.report import COMPLETE, INCOMPLETE, FindingClass, Report
from vezne.providers.haso.statement import HasoStatement
from vezne.providers.http import Deadline
from vezne.providers.kolaybi.statement import KolayBiStatement
from vezne.providers.statement import Statement
from vezne.providers.walletgate import statement as walletgate_statement
from vezne.providers.walletgate.statement import WalletgateStatement
from vezne_sandbox.client import SandboxControl
from vezne_sandbox.ledger import load_credentials
from vezne_sandbox.server import running_sandbox

from tests.support.harness import Harness
from tests.support.order import Order, new_order
from tests.support.statements import MemoryArchive

LISTS = {
    "walletgate": "walletgate.list_transactions",
    "kolaybi": "kolaybi.list_transactions",
    "haso": "haso.payment_plan",
}
STATEMENTS: dict[str, Statement] = {
    "walletgate": WalletgateStatement(),
    "kolaybi": KolayBiStatement(),
    "haso": HasoStatement(),
}
MATCHED, EXPECTED, FOREIGN, MISSING = (
    FindingClass.MATCHED, FindingClass.EXPECTED, FindingClass.FOREIGN, FindingClass.MISSING_THERE,
)  # fmt: skip
ORPHAN, LATER_EVENT, AMOUNT, STATUS = (
    FindingClass.ORPHAN_THERE, FindingClass.LATER_EVENT, FindingClass.AMOUNT_DIFFERS, FindingClass.STATUS_DIFFERS,
)  # fmt: skip
every_provider = pytest.mark.parametrize("provider", STATEMENTS)


class Day:
    """A day at one provider, from its noon on, and the night in which it is reconciled."""

    def __init__(self, harness: Harness, sandbox: SandboxControl, provider: str) -> None:
        self.harness, self.sandbox, self.statement = harness, sandbox, STATEMENTS[provider]
        self.operation = self.statement.operations[0]
        harness.put_secret(provider, load_credentials()[provider])
        tomorrow = datetime.now(ISTANBUL) + timedelta(days=1)
        noon = tomorrow.replace(hour=12, minute=0).timestamp()
        sandbox.advance_clock(noon - time.time())
        harness.clock.now = noon
        self.date = istanbul_day(noon)

    def order(self, *, order: Order | None = None, **rule: Any) -> str:
        """Send an order, with a fault of the provider if there is one. Returns its operation id."""
        known = order or new_order(self.operation, "10.50", sandbox=self.sandbox)
        if rule:
            self.sandbox.rule(self.operation, match=str(known.reference), **rule)
        return str(self.harness.send_order(known).body["operation_id"])

    def orders(self, count: int = 3) -> None:
        for _ in range(count):
            self.order()

    def fault(self, then: str, **rule: Any) -> None:
        self.sandbox.rule(LISTS[self.statement.provider], then, **rule)

    def pass_by(self) -> None:
        """Let a day pass."""
        self.harness.clock.advance(86_400)
        self.sandbox.advance_clock(86_400)

    def reconciled(self, *, after: float = 48) -> Report:
        # Not at the provider: tokens would expire, and a refused call uses up a fault.
        self.harness.clock.advance(after * 3600)
        self.harness.use_secret(self.statement.provider)
        deadline = Deadline(lambda: 900_000)
        report = reconcile(self.statement, self.date, deadline, self.harness.store, MemoryArchive())
        assert report is not None
        return report


@pytest.fixture(scope="module")
def one_sandbox() -> Iterator[SandboxControl]:
    with running_sandbox() as control:
        yield control


@pytest.fixture
def sandbox(harness: Harness, one_sandbox: SandboxControl, monkeypatch: pytest.MonkeyPatch) -> SandboxControl:
    for name in ("WALLETGATE_URL", "WALLETGATE_IDENTITY_URL", "KOLAYBI_URL", "HASO_URL"):
        monkeypatch.setenv(name, one_sandbox.url)
    one_sandbox.reset()
    return one_sandbox


def counts(report: Report) -> dict[str, int]:
    return {name: count for name, count in report.counts.items() if count}


@every_provider
def test_a_clean_day_is_clean(harness: Harness, sandbox: SandboxControl, provider: str) -> None:
    day = Day(harness, sandbox, provider)
    day.orders()
    report = day.reconciled()
    assert (counts(report), report.status, report.is_clean) == ({MATCHED: 3}, COMPLETE, True)


@every_provider
def test_a_day_without_orders_is_clean(harness: Harness, sandbox: SandboxControl, provider: str) -> None:
    report = Day(harness, sandbox, provider).reconciled()
    assert (counts(report), report.is_clean) == ({}, True)


@pytest.mark.parametrize(
    ("provider", "rule", "status", "expected"),
    [
        *(
            (provider, rule, status, expected)
            for provider in STATEMENTS
            for rule, status, expected in (
                ({"then": "status_500"}, UNKNOWN, FindingClass.SETTLED_BY_EVIDENCE),
                ({"then": "status_500", "book": False}, UNKNOWN, FindingClass.STILL_UNKNOWN),
                ({"then": "refuse"}, DECLINED, MATCHED),
                ({"then": "refuse", "book": True}, DECLINED, STATUS),
            )
        ),
        ("walletgate", {"then": "answer", "book": False}, SUCCEEDED, MISSING),
        ("kolaybi", {"then": "answer", "book": False}, SUCCEEDED, MISSING),
        ("haso", {"then": "answer", "book": False}, SUCCEEDED, AMOUNT),
    ],
    ids=str,
)
def test_an_order_that_went_wrong(
    harness: Harness, sandbox: SandboxControl, provider: str, rule: dict[str, Any], status: str, expected: FindingClass
) -> None:
    day = Day(harness, sandbox, provider)
    day.orders(1)
    wrong = day.order(**rule)
    assert harness.record(wrong).status == status
    assert counts(day.reconciled()) == ({MATCHED: 2} if expected is MATCHED else {MATCHED: 1, expected: 1})
    settled = expected is FindingClass.SETTLED_BY_EVIDENCE
    record = harness.record(wrong)
    assert (record.status, record.settled_by == RECONCILIATION) == ((SUCCEEDED, True) if settled else (status, False))


def listed(form: str) -> dict[str, Any]:
    return {"then": "odd_row", "form": form}


@pytest.mark.parametrize(
    ("provider", "rule", "expected", "status"),
    [
        ("walletgate", {"then": "twice"}, {MATCHED: 3, ORPHAN: 1}, COMPLETE),
        ("walletgate", {"then": "taken_back"}, {MATCHED: 3, LATER_EVENT: 1}, COMPLETE),
        ("walletgate", listed("cancelled"), {LATER_EVENT: 3}, COMPLETE),
        ("walletgate", listed("pending"), {EXPECTED: 3}, INCOMPLETE),
        ("walletgate", listed("no_sign"), {EXPECTED: 3}, INCOMPLETE),
        ("walletgate", listed("negative"), {EXPECTED: 3}, INCOMPLETE),
        ("walletgate", listed("other_currency"), {AMOUNT: 3}, COMPLETE),
        ("walletgate", {"then": "text_amounts"}, {MATCHED: 3}, COMPLETE),
        ("walletgate", {"then": "last_second"}, {MATCHED: 3}, COMPLETE),
        ("walletgate", {"then": "small_pages"}, {MATCHED: 2, EXPECTED: 1}, INCOMPLETE),
        ("walletgate", {"then": "endless"}, {MATCHED: 3}, INCOMPLETE),
        ("walletgate", {"then": "foreign"}, {MATCHED: 3, FOREIGN: 1}, COMPLETE),
        ("walletgate", {"then": "unnamed_row"}, {MISSING: 3, FOREIGN: 3}, COMPLETE),
        ("walletgate", {"then": "lag", "seconds": 10**6, "times": 2}, {MISSING: 3}, COMPLETE),
        # The rule is of one call: of the first associate or transaction of three.
        ("kolaybi", {"then": "twice"}, {MATCHED: 3, ORPHAN: 1}, COMPLETE),
        ("kolaybi", listed("cancelled"), {MATCHED: 2, EXPECTED: 1}, INCOMPLETE),
        ("kolaybi", listed("pending"), {MATCHED: 2, EXPECTED: 1}, INCOMPLETE),
        ("kolaybi", listed("negative"), {MATCHED: 2, EXPECTED: 1}, INCOMPLETE),
        ("kolaybi", listed("other_currency"), {MATCHED: 2, AMOUNT: 1}, COMPLETE),
        ("kolaybi", {"then": "text_amounts"}, {MATCHED: 3}, COMPLETE),
        ("kolaybi", {"then": "last_second"}, {MATCHED: 3}, COMPLETE),
        ("kolaybi", {"then": "cut_text"}, {MATCHED: 3}, COMPLETE),
        ("kolaybi", {"then": "unnamed_row"}, {MATCHED: 2, MISSING: 1, FOREIGN: 1}, COMPLETE),
        ("kolaybi", {"then": "lag", "seconds": 10**6}, {MATCHED: 2, MISSING: 1}, COMPLETE),
        ("haso", {"then": "text_amounts"}, {MATCHED: 3}, COMPLETE),
        ("haso", {"then": "twice"}, {MATCHED: 2, EXPECTED: 1}, INCOMPLETE),
        ("haso", {"then": "foreign"}, {MATCHED: 3}, COMPLETE),
        ("haso", {"then": "lag", "seconds": 10**6}, {MATCHED: 2, AMOUNT: 1}, COMPLETE),
        ("haso", {"then": "unauthorized"}, {MATCHED: 2, EXPECTED: 1}, INCOMPLETE),
    ],
    ids=str,
)
def test_a_fault_of_the_list_is_told_as_its_class(
    harness: Harness,
    sandbox: SandboxControl,
    provider: str,
    rule: dict[str, Any],
    expected: dict[FindingClass, int],
    status: str,
) -> None:
    day = Day(harness, sandbox, provider)
    day.orders()
    day.fault(**rule)
    report = day.reconciled()
    assert (counts(report), report.status) == (expected, status)
    assert report.is_clean == (set(expected) <= {MATCHED, LATER_EVENT, FOREIGN} and status == COMPLETE)


@pytest.mark.parametrize("provider", ["walletgate", "kolaybi"])
def test_a_row_that_is_late_is_expected(harness: Harness, sandbox: SandboxControl, provider: str) -> None:
    day = Day(harness, sandbox, provider)
    day.orders(1)
    day.fault("lag", seconds=10**6, times=2)
    assert counts(day.reconciled(after=11)) == {EXPECTED: 1}
    sandbox.remove_rules()
    assert counts(day.reconciled(after=24)) == {MATCHED: 1}


def test_more_rows_than_a_page_of_walletgate(
    harness: Harness, sandbox: SandboxControl, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(walletgate_statement, "PAGE", 2)
    day = Day(harness, sandbox, "walletgate")
    day.orders(3)
    report = day.reconciled()
    assert (counts(report), report.status) == ({MATCHED: 3}, COMPLETE)


def test_pages_of_an_associate_and_the_balances_of_vaults(harness: Harness, sandbox: SandboxControl) -> None:
    day = Day(harness, sandbox, "kolaybi")
    for _ in range(3):
        day.order(order=new_order(day.operation, "10.50").but(associate_id=7, gateway_id=10201))
    day.fault("small_pages", times=0)
    report = day.reconciled()
    assert (counts(report), report.status) == ({MATCHED: 3}, COMPLETE)
    assert report.notes["vault 10201"] == "31.50 TRY"


def test_a_collection_that_no_record_has_is_an_orphan(harness: Harness, sandbox: SandboxControl) -> None:
    day = Day(harness, sandbox, "kolaybi")
    day.order(order=new_order(day.operation).but(associate_id=7))
    lost = day.order(order=new_order(day.operation).but(associate_id=7))
    harness.delete(lost)
    report = day.reconciled()
    assert counts(report) == {MATCHED: 1, ORPHAN: 1}
    assert [finding["operation_id"] for finding in report.findings] == [lost]


def test_a_total_is_that_of_the_last_order(harness: Harness, sandbox: SandboxControl) -> None:
    day = Day(harness, sandbox, "haso")
    first = new_order(day.operation, "10.50")
    day.order(order=first)
    day.order(order=first.for_amount("20.50", key="second"))
    day.pass_by()
    day.order(order=first.for_amount("30.50", key="third"))
    report = day.reconciled(after=24)
    assert (counts(report), report.is_clean) == ({MATCHED: 2}, True)


def test_a_total_that_stood_before_proves_nothing(harness: Harness, sandbox: SandboxControl) -> None:
    day = Day(harness, sandbox, "haso")
    first = new_order(day.operation, "10.50")
    day.order(order=first)
    again = day.order(order=first.but(key="again"), then="status_500", book=False)
    assert counts(day.reconciled()) == {MATCHED: 1, FindingClass.STILL_UNKNOWN: 1}
    assert harness.record(again).status == UNKNOWN
