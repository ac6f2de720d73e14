"""The Lambda handler of a reconciliation: a night's rule, or an operator, names the days."""

from datetime import date
from typing import Any

from vezne.api.responses import Handler
from vezne.orders import store as store_module
from vezne.orders.archive import S3Archive
from vezne.orders.reconcile import days_of_a_night, reconcile
from vezne.orders.report import RUNNING
from vezne.orders.store import Store
from vezne.platform import aws, startup, tls
from vezne.platform.telemetry import flush
from vezne.providers import credentials
from vezne.providers.http import Deadline
from vezne.providers.statement import Statement


def handler(statement: Statement) -> Handler:
    """The Lambda handler of a provider's reconciliation.

    The event is `{"reconcile": {}}` for a night's days, each once a night, or `{"reconcile": {"date": "2026-11-26"}}`
    for one day, whether or not it was reconciled before. The answer has a report for each day: `running` if it is not
    done, so the same event goes on.
    """

    def handle(event: dict[str, Any], context: Any) -> Any:
        deadline, store, archive = Deadline(context.get_remaining_time_in_millis), Store(), S3Archive()
        named = event["reconcile"].get("date")
        days = [date.fromisoformat(named)] if named else days_of_a_night(store.now())
        reports: list[dict[str, Any]] = []
        try:
            for day in days:
                report = reconcile(statement, day, deadline, store, archive, again=bool(named))
                busy = {"provider": statement.provider, "date": day.isoformat(), "status": RUNNING}
                reports.append(busy if report is None else report.public())
                if reports[-1]["status"] == RUNNING:
                    break
        finally:
            flush()
        return {"reports": reports}

    startup.finish(reads=(aws.read_descriptions, tls.context), connects=(store_module.connect, credentials.connect))
    return handle
