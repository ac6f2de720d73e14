"""The report of a day as people left it: with their resolutions, which stand in items of their own."""

from dataclasses import replace
from datetime import date

from vezne.orders.report import Report, finding_id, from_item, report_id, resolution_of
from vezne.orders.store import Store


def read_report(provider: str, day: date, store: Store) -> Report | None:
    """The report of a day, with the resolutions of its findings; None if there is none.

    Raises StoreUnavailableError.
    """
    report = from_item(provider, day, store.item(report_id(provider, day)))
    return with_resolutions(report, store) if report else None


def with_resolutions(report: Report, store: Store) -> Report:
    """A report with the resolutions that its findings have now. Raises StoreUnavailableError."""
    names = {finding["id"] for finding in (*report.findings, *report.later_events)}
    items = {name: store.item(finding_id(report.provider, name)) for name in names}
    return replace(report, resolutions={name: known for name, item in items.items() if (known := resolution_of(item))})
