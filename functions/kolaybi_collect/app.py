"""Collect an amount from an associate (cari) into an account: KolayBi "Cari Tahsilat İşlemi".

The answer has no id, and KolayBi takes no reference of ours. Only a marker in `description` can prove later that a
collection is this order.
"""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from vezne.api import handle_order
from vezne.operation import Operation, Order
from vezne.orders.evidence import Match, Row, find
from vezne.orders.outcome import Finding, Inconclusive, NotFound, Outcome, Succeeded, Unknown
from vezne.orders.record import Record
from vezne.platform.money import amount_text
from vezne.providers.credentials import KolayBiCredentials, RequestCredentials
from vezne.providers.http import Deadline, ProviderResponse, Request, form_request
from vezne.providers.kolaybi import client as kolaybi
from vezne.providers.kolaybi.form import collection_fields
from vezne.providers.kolaybi.models import CollectionRequest, CollectionResult, issued_at

# Much longer than clocks can differ, and much shorter than a record is kept.
LONG_BEFORE = timedelta(days=1)


class Collect(Operation[CollectionRequest, CollectionResult, KolayBiCredentials]):
    """POST /kolaybi/v1/associates/{id}/transactions/proceed."""

    name = "kolaybi.collect"
    route = "POST /kolaybi/associates/{associate_id}/collections"
    client = kolaybi.CLIENT
    # KolayBi answers no id. It has our operation id, in the description.
    reference_field = "operation_id"
    # A resend books a second collection. It is not documented that the list repeats `description`.
    resend_is_safe = False
    look_up_is_complete = False
    look_up_call = "GET associates/{id}/transactions, marker in description"

    def build(self, order: Order[CollectionRequest], access: RequestCredentials[KolayBiCredentials]) -> Request:
        """The form of the page, with our marker in the description."""
        request = order.request
        path = f"/kolaybi/v1/associates/{request.associate_id}/transactions/proceed"
        return form_request(path, collection_fields(request, _marker(order)), kolaybi.headers(access))

    def read(self, order: Order[CollectionRequest], answer: ProviderResponse) -> Outcome:
        """Success: HTTP 2xx and `data.transaction_status` "Tamamlandı" for our amount and currency, and no error."""
        body, request = answer.json(), order.request
        if not 200 <= answer.status < 300:
            return kolaybi.refusal(answer.status, body) or Unknown(f"http-{answer.status}")
        if not kolaybi.is_success(body, request.amount, request.currency):
            return Unknown("not plainly our collection")
        return Succeeded(CollectionResult.model_validate(body["data"]).public())

    def lookup_fields(self, order: Order[CollectionRequest]) -> dict[str, str]:
        """The marker, and what was ordered. A record of an older version has no `marker`: the id was after the text."""
        request = order.request
        return {
            "marker": _marker(order),
            "associate_id": str(request.associate_id),
            "amount": amount_text(request.amount, request.currency),
            "currency": request.currency,
        }

    def look_up(self, record: Record, deadline: Deadline) -> Finding:
        """One row with the marker and without a contradiction is proof. No row proves nothing."""
        lookup_fields = record.lookup_fields
        listed = kolaybi.list_transactions(lookup_fields["associate_id"], deadline)
        in_front = "marker" in lookup_fields
        marker = lookup_fields.get("marker", record.id)

        def judged(row: dict[str, Any]) -> Row:
            fits = kolaybi.fits(row, Decimal(lookup_fields["amount"]), lookup_fields["currency"])
            return Row(
                kolaybi.match_marker(row, marker, in_front=in_front),
                fits and _is_of_the_time(row, record, must_tell=not in_front),
                row,
            )

        rows = [judged(row) for row in listed.rows]
        # Only rows that name this order count. A second one may be its reversal.
        close = [row for row in rows if row.match is not Match.ANOTHER and kolaybi.mentions(row.content, marker)]
        finding = find(
            close or rows, lambda row: (Succeeded(_found_result(row, record)), {"rows": str(len(rows))}), filtered=True
        )
        return Inconclusive("the list may be cut") if isinstance(finding, NotFound) and not listed.whole else finding


def _marker(order: Order[CollectionRequest]) -> str:
    """The operation id and the day. A key that is used again after its record has expired gives another marker."""
    return f"{order.operation_id}.d{datetime.fromtimestamp(order.ordered_at, UTC):%y%m%d}"


def _is_of_the_time(row: dict[str, Any], record: Record, *, must_tell: bool) -> bool:
    issued = issued_at(row.get("issue_date"))
    return not must_tell if issued is None else issued >= record.created_at - LONG_BEFORE.total_seconds()


def _found_result(row: dict[str, Any], record: Record) -> dict[str, object]:
    """What the row has. If amount or currency are missing, they are those of the order."""
    ordered = {name: record.lookup_fields[name] for name in ("amount", "currency") if row.get(name) is None}
    return CollectionResult.model_validate({**row, **ordered}).public()


handler = handle_order.handler(Collect())
