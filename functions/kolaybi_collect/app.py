"""Collect an amount from an associate (cari) into an account: KolayBi "Cari Tahsilat İşlemi".

The answer carries no id and KolayBi takes no reference of ours, so a marker in `description` is all that can prove
later that a collection is this one.
"""

from datetime import timedelta

from vezne import entry
from vezne.credentials import Access, KolayBiCredentials
from vezne.inquiries import kolaybi
from vezne.models.kolaybi import CollectionRequest, CollectionResult, TransactionRow
from vezne.money import amount_text, shortest_number
from vezne.operation import Operation, Order
from vezne.outcome import REFUSING_STATUSES, Declined, Finding, Found, NotFound, Outcome, Succeeded, Unknown
from vezne.provider import Answer, Deadline, Request, form_request
from vezne.record import Record

# "Tamamlandı" is the only value of `transaction_status` the page shows.
COMPLETED = "Tamamlandı"
# Far more than clocks can differ, far less than a record is kept.
LONG_BEFORE = timedelta(days=1)
GATEWAY_TYPES = {"vault": "Vault", "associate": "Associate"}


class Collect(Operation[CollectionRequest, KolayBiCredentials]):
    """POST /kolaybi/v1/associates/{id}/transactions/proceed."""

    name = "kolaybi.collect"
    path = "/kolaybi/associates/{associate_id}/collections"
    request_model = CollectionRequest
    client = kolaybi.CLIENT
    # A resend books a second collection, and that the list repeats `description` is not documented.
    resend_is_safe = False
    look_up_is_complete = False
    look_up_call = "GET associates/{id}/transactions, marker in description"

    def build(self, order: Order[CollectionRequest], access: Access[KolayBiCredentials]) -> Request:
        """The form of the page, with our marker behind the description."""
        request = order.request
        fields = [
            ("amount", shortest_number(request.amount)),
            ("currency", request.currency),
            ("gateway_id", str(request.gateway_id)),
        ]
        if request.gateway_type:
            fields.append(("gateway_type", GATEWAY_TYPES[request.gateway_type]))
        if request.exchange_rate is not None:
            fields.append(("exchange_rate", shortest_number(request.exchange_rate)))
        fields += [("project_ids[]", str(project)) for project in request.project_ids or []]
        description = f"{request.description} " if request.description else ""
        fields.append(("description", description + order.operation_id))
        path = f"/kolaybi/v1/associates/{request.associate_id}/transactions/proceed"
        return form_request(path, fields, kolaybi.headers(access))

    def read(self, order: Order[CollectionRequest], answer: Answer) -> Outcome:
        """Success: HTTP 2xx and `data.transaction_status` "Tamamlandı" for our amount and currency."""
        body = answer.json()
        data = body.get("data")
        if 200 <= answer.status < 300 and isinstance(data, dict):
            result = CollectionResult.model_validate(data)
            if result.transaction_status != COMPLETED:
                return Unknown("transaction_status")
            if result.amount != order.request.amount or result.currency.upper() != order.request.currency:
                return Unknown("other amount or currency")
            return Succeeded(result.public())
        # No error envelope is documented: that the body is a JSON object is the sign that KolayBi spoke.
        if answer.status in REFUSING_STATUSES:
            return Declined(str(body.get("code", answer.status)), kolaybi.message(body))
        return Unknown(f"http-{answer.status}")

    def clues(self, order: Order[CollectionRequest]) -> dict[str, str]:
        """The marker is the operation id itself."""
        request = order.request
        return {
            "associate_id": str(request.associate_id),
            "amount": amount_text(request.amount, request.currency),
            "currency": request.currency,
        }

    def look_up(self, record: Record, deadline: Deadline) -> Finding:
        """The marker found anywhere is proof; its absence proves nothing.

        A key used again when its record had expired marks alike, so a collection of long before the claim is not ours.
        """
        rows = kolaybi.list_transactions(record.clues["associate_id"], deadline)
        for row in rows:
            if record.id in row.text and not row.is_older_than(record.created_at - LONG_BEFORE.total_seconds()):
                return Found(Succeeded(_found_result(row, record)), {"rows": str(len(rows))})
        return NotFound({"rows": str(len(rows))})


def _found_result(row: TransactionRow, record: Record) -> dict[str, object]:
    """What the row tells, completed by what was ordered: the marker shows that it is this order."""
    known = row.model_dump()
    ordered = {"amount": record.clues["amount"], "currency": record.clues["currency"]}
    return CollectionResult(**{**known, "transaction_status": row.transaction_status or COMPLETED, **ordered}).public()


handler = entry.handler(Collect())
