"""A reconciliation's process is killed at each part of its work, and started again: it ends as one that was not killed.

The process runs the deployed handler. Table, archive and secrets are MiniStack's, and the list is the sandbox's.
"""

from dataclasses import dataclass
from typing import Any

import pytest
from vezne.orders.record import RECONCILIATION, UNKNOWN, day_of
from vezne.orders.report import COMPLETE, FindingClass, finding_id, report_id

from tests.faults.environment import ARCHIVE, Answer, Died, Environment, Function
from tests.faults.orders import new_order

OPERATION = "paynet.capture"
# Every row is listed by then. The second process comes when the lease of the first one is over.
FIRST, SECOND = 48 * 3600, 49 * 3600
# What the provider does with each order of the day.
ORDERS: tuple[dict[str, Any], ...] = (
    {}, {"then": "refuse", "book": True}, {"then": "reset"}, {}, {"book": False}, {"then": "reset", "book": False},
)  # fmt: skip
PAGES = 6
# Where the process is killed: the step, which time, and how many pages are done by then.
POINTS = (
    ("look_up.came", 1, 0), ("part.after", 1, 0), ("checkpoint.after", 1, 1), ("look_up.came", 3, 2),
    ("finding.after", 1, 1), ("checkpoint.after", PAGES, PAGES), ("acquire_lease.after", 1, PAGES),
    ("finalise.after", 1, PAGES), ("part.after", PAGES + 1, PAGES), ("finding.after", 2, PAGES),
    ("file.before", 1, PAGES), ("file.after", 1, PAGES),
)  # fmt: skip


@dataclass
class Night:
    """A reconciliation of a day by as many processes as it takes, on a table of its own."""

    function: Function
    reconciler: Function
    day: Any

    def run(self, clock: float, **request: Any) -> Answer:
        """Invoke the function in a new process. Raises Died."""
        process = self.reconciler.fork()
        answer = process.call({"reconcile": {"date": f"{self.day}"}}, clock=clock, seconds=900, **request)
        process.close()
        return answer

    @property
    def report(self) -> dict[str, Any]:
        return self.function.item(report_id("paynet", self.day)) or {}

    def left(self) -> dict[str, Any]:
        """All that is left at the end, without times and the names of runs."""
        items = {item["id"]["S"]: item for item in self.function.items()}
        archived = self.function.environment.aws("s3").get_object(Bucket=ARCHIVE, Key=self.report["file"]["S"])
        records = [self.function.record(name) for name in sorted(items) if name.startswith("op_")]
        return {
            "report": {name: self.report[name] for name in ("status", "page", "whole", "counts", "findings", "file")},
            "file": archived["Body"].read().decode(),
            "findings": {
                name: {**item, "found_at": None}
                for name, item in items.items()
                if name.startswith(finding_id("paynet", ""))
            },
            "records": [(one.status, one.settled_by, one.outcome) for one in records if one is not None],
        }


def night(day_before: Function) -> Night:
    """The day in a table of its own. The provider's list is the same for all."""
    environment = day_before.environment
    function = environment.function(OPERATION)
    records = [item for item in day_before.items() if item["id"]["S"].startswith("op_")]
    for item in records:
        environment.aws("dynamodb").put_item(TableName=function.table, Item=item)
    record = function.record(records[0]["id"]["S"])
    assert record is not None
    return Night(function, environment.reconciler(function), day_of(record))


@pytest.fixture(scope="module")
def ordered(environment: Environment) -> Function:
    """A day of orders, and a list of two rows a page."""
    environment.sandbox.reset()
    function = environment.function(OPERATION)
    for rule in ORDERS:
        order = new_order(OPERATION)
        if rule:
            environment.sandbox.rule(OPERATION, match=order.reference, **rule)
        function.call(order.event)
    environment.sandbox.rule("paynet.list_transactions", then="small_pages", times=0)
    return function


@pytest.fixture(scope="module")
def unbroken(ordered: Function) -> dict[str, Any]:
    one = night(ordered)
    answer = one.run(FIRST)
    assert answer.raised is None
    assert answer.steps.count("look_up.came") == PAGES
    left = one.left()
    assert left["report"]["status"] == {"S": COMPLETE}
    assert {name: int(count["N"]) for name, count in left["report"]["counts"]["M"].items() if int(count["N"])} == {
        FindingClass.MATCHED: 2, FindingClass.SETTLED_BY_EVIDENCE: 1, FindingClass.STATUS_DIFFERS: 1,
        FindingClass.MISSING_THERE: 1, FindingClass.STILL_UNKNOWN: 1, FindingClass.FOREIGN: 6,
    }  # fmt: skip
    assert [by for _, by, _ in left["records"]].count(RECONCILIATION) == 1
    assert [status for status, _, _ in left["records"]].count(UNKNOWN) == 1
    return left


@pytest.mark.parametrize(("step", "nth", "done"), POINTS)
def test_a_killed_reconciliation_goes_on_and_ends_as_one_that_was_not_killed(
    ordered: Function, unbroken: dict[str, Any], step: str, nth: int, done: int
) -> None:
    one = night(ordered)
    with pytest.raises(Died):
        one.run(FIRST, plan={"at": step, "nth": nth})
    assert int(one.report["page"]["N"]) == done
    answer = one.run(SECOND)
    assert answer.raised is None
    assert answer.steps.count("look_up.came") == PAGES - done
    assert one.left() == unbroken
