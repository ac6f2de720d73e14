"""GET /operations/{operation_id}: what the table says of an operation, for the client that owns it.

It is apart from `handle_order`, because reading needs none of the code that sends orders.
"""

import re
from datetime import date
from pathlib import Path
from typing import Any

from vezne.api import problems
from vezne.api.responses import Event, Handler, client_id, path_parameters, principal, resource, respond, response
from vezne.orders import store as store_module
from vezne.orders.record import OPERATION_ID, iso_time, retry_after
from vezne.orders.store import Store, StoreUnavailableError
from vezne.platform import aws, startup, tls


def handler() -> Handler:
    """The Lambda handler of GET /operations, one of them, GET /health and GET /reconciliations/{provider}/{date}."""
    others = {"/operations": _list, "/health": _health, "/reconciliations/{provider}/{date}": _read_report}

    def handle(event: Event, _context: Any) -> Any:
        asked = others.get(event.get("resource", ""), _read_operation)
        return respond(event, lambda: asked(event, Store()))

    startup.finish(reads=(aws.read_descriptions, tls.context), connects=(store_module.connect,))
    return handle


def _list(event: Event, store: Store) -> dict[str, Any]:
    """GET /operations: a client's own orders."""
    # Most calls read one operation: this is not part of the cold start.
    from vezne.api.list_operations import answer

    return answer(event, store)


def _health(event: Event, store: Store) -> dict[str, Any]:
    """GET /health: how each provider's breaker stands, to every client, whatever its scope."""
    # As above.
    from vezne.orders.breaker_item import OPEN, TRIAL, breaker_id, from_item

    client_id(event)
    providers: dict[str, Any] = {}
    try:
        for provider in _providers():
            known = from_item(store.item(breaker_id(provider)))
            since = {"since": iso_time(known.since)} if known.since else {}
            providers[provider] = {"status": {OPEN: "down", TRIAL: "degraded"}.get(known.state, "up"), **since}
    except StoreUnavailableError:
        raise problems.StoreUnavailable("The breakers could not be read; nothing was changed.", retry_after=5) from None
    return response(200, {"providers": providers}, {})


def _providers() -> list[str]:
    folders = Path(__file__).parents[1] / "providers"
    return sorted(it.name for it in folders.iterdir() if it.is_dir() and not it.name.startswith("_"))


def _read_report(event: Event, store: Store) -> dict[str, Any]:
    """GET /reconciliations/{provider}/{date}: what a day came to. It is of all clients' orders, so it has its scope."""
    # As above.
    from vezne.orders.resolutions import read_report

    client_id(event)
    named = path_parameters(event)
    provider, day = named.get("provider", ""), _day(named.get("date", ""))
    if provider not in _providers():
        raise problems.InvalidRequest([{"place": "path.provider", "reason": "must name a provider"}])
    if day is None:
        raise problems.InvalidRequest([{"place": "path.date", "reason": "must be a day, as 2026-11-26"}])
    try:
        report = read_report(provider, day, store)
    except StoreUnavailableError:
        raise problems.StoreUnavailable("The report could not be read; nothing was changed.", retry_after=5) from None
    if report is None:
        raise problems.ReportNotFound("No reconciliation of this day has begun.")
    return response(200, report.public(), {})


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text) if re.fullmatch(r"\d{4}-\d{2}-\d{2}", text, re.ASCII) else None
    except ValueError:
        return None


def _read_operation(event: Event, store: Store) -> dict[str, Any]:
    caller = principal(event)
    try:
        wanted = path_parameters(event).get("operation_id", "")
    except problems.InvalidRequest:
        # No id has this form. The caller may mean an operation that moved money, so do not deny that.
        wanted = ""
    try:
        record = store.find(wanted) if re.fullmatch(OPERATION_ID, wanted) else None
    except StoreUnavailableError:
        raise problems.StoreUnavailable(
            "The record store did not answer; nothing was changed.", retry_after=5
        ) from None
    if record is None or record.principal != caller:
        raise problems.OperationNotFound("This client has no operation of that id.")
    headers = {} if record.final else {"Retry-After": str(retry_after(record, store.now()))}
    return response(200, resource(record), headers)
