"""The end of a run: its orders against the provider's own list, by the deployed statement and the deployed code.

It is an independent reader of what the sandbox booked. The look-ups and the statements share no parser.
"""

from collections import Counter
from unittest import mock

from vezne.orders.reconcile import reconcile
from vezne.orders.record import LOOK_UP, RECONCILIATION, Record, day_of
from vezne.orders.report import CONTRADICTIONS, RUNNING, FindingClass
from vezne.providers.http import Deadline
from vezne_cli.catalogue import RECONCILERS

from tests.faults.in_process import Bench
from tests.faults.orders import Order
from tests.support.statements import MemoryArchive

HAPPENED, BY_LOOK_UP, BY_LIST, LEFT = "had happened", "ended by look-ups", "by the reconciliation", "left for people"


def reconciled(bench: Bench, orders: list[Order]) -> Counter[str]:
    """Reconcile the days of the orders: each booked one is matched, and nothing differs.

    Returns what became of the outcomes that were unknown when the answer was. Empty if the provider has no list.
    """
    provider = bench.operation.name.partition(".")[0]
    if provider not in RECONCILERS:
        return Counter()
    statement = RECONCILERS[provider].statement
    before = {order.id: record for order in orders if (record := bench.store().find(order.id)) is not None}
    counts = Counter[str]()
    with mock.patch("vezne.orders.reconcile.emit_of_provider"):
        for day in sorted({day_of(record) for record in before.values()}):
            report = reconcile(statement, day, Deadline(lambda: 900_000), bench.store(), MemoryArchive())
            assert report is not None
            assert report.status != RUNNING
            assert not any(report.counts.get(kind) for kind in CONTRADICTIONS), report.findings
            counts.update(report.counts)
    after = {order_id: bench.store().find(order_id) for order_id in before}
    ended = [record for record in after.values() if record is not None and record.final]
    agreed = counts[FindingClass.MATCHED] + counts[FindingClass.SETTLED_BY_EVIDENCE]
    assert agreed == len(ended), (dict(counts), before)
    return _of_unknown(bench, orders, after)


def _of_unknown(bench: Bench, orders: list[Order], records: dict[str, Record | None]) -> Counter[str]:
    found = Counter[str]()
    for order in orders:
        record = records.get(order.id)
        if record is None or (record.final and record.settled_by not in (LOOK_UP, RECONCILIATION)):
            continue
        by = {LOOK_UP: BY_LOOK_UP, RECONCILIATION: BY_LIST}.get(record.settled_by or "", LEFT)
        found.update({"unknown": 1, by: 1, HAPPENED: min(1, bench.booked(order.key))})
    return found


def told(found: Counter[str]) -> str:
    """One line of what became of unknown outcomes."""
    ends = ", ".join(f"{found[name]} {name}" for name in (BY_LOOK_UP, BY_LIST, LEFT))
    return f"Unknown outcomes: {found['unknown']}, of which {found[HAPPENED]} {HAPPENED}: {ends}"
