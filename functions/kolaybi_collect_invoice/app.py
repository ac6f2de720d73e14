"""Collect on an invoice into a vault: KolayBi "Fatura Tahsilat".

KolayBi takes no reference of ours, and no list shows whose collection is whose. So an unknown outcome stays unknown
until people end it.
"""

from vezne.api import handle_order
from vezne.operation import Operation, Order
from vezne.orders.guards import Guard, OneAtATime
from vezne.orders.outcome import Finding, Outcome, Succeeded, Unknown
from vezne.orders.record import Record
from vezne.platform.money import json_number_two_digits
from vezne.providers.credentials import KolayBiCredentials, RequestCredentials
from vezne.providers.http import Deadline, ProviderResponse, Request, form_request
from vezne.providers.kolaybi import client as kolaybi, invoices
from vezne.providers.kolaybi.models import InvoiceCollectionRequest, InvoiceCollectionResult


class CollectInvoice(Operation[InvoiceCollectionRequest, InvoiceCollectionResult, KolayBiCredentials]):
    """POST /kolaybi/v1/invoices/proceed."""

    name = "kolaybi.collect_invoice"
    route = "POST /kolaybi/invoices/{document_id}/collections"
    client = kolaybi.CLIENT
    reference_field = "document_id"
    # A resend of a part collects a second part. Nothing that can be read is proof.
    resend_is_safe = False
    look_up_is_complete = False
    look_up_call = "GET invoices/{document_id}, what is left of it: no proof"

    def build(self, order: Order[InvoiceCollectionRequest], access: RequestCredentials[KolayBiCredentials]) -> Request:
        """The form of the page: `document_id=1&vault_id=1&amount=100.50`."""
        request = order.request
        fields = [("document_id", str(request.document_id)), ("vault_id", str(request.vault_id))]
        if request.amount is not None:
            fields.append(("amount", f"{json_number_two_digits(request.amount):f}"))
        return form_request("/kolaybi/v1/invoices/proceed", fields, kolaybi.headers(access))

    def read(self, order: Order[InvoiceCollectionRequest], answer: ProviderResponse) -> Outcome:
        """Success: HTTP 2xx, "Tamamlandı", and a rest of the invoice that fits what was ordered."""
        body, amount = answer.json(), order.request.amount
        if not 200 <= answer.status < 300:
            return kolaybi.refusal(answer.status, body) or Unknown(f"http-{answer.status}")
        data = invoices.collected(body, amount)
        if data is None:
            return Unknown("not plainly our collection")
        told = data.get("amount")
        result = {**data, "amount": amount if told is None else told}
        return Succeeded(InvoiceCollectionResult.model_validate(result).public())

    def lookup_fields(self, order: Order[InvoiceCollectionRequest]) -> dict[str, str]:
        """The invoice, the vault, and the amount if one was ordered. Its currency is known from the answer only."""
        request = order.request
        amount = {} if request.amount is None else {"amount": f"{json_number_two_digits(request.amount):f}"}
        return {"document_id": str(request.document_id), "vault_id": str(request.vault_id), **amount}

    def guards(self, order: Order[InvoiceCollectionRequest]) -> tuple[Guard, ...]:
        """An invoice is collected on by one order after the other: whatever is left belongs to one of them."""
        return (OneAtATime(f"document_id={order.request.document_id}"),)

    def look_up(self, record: Record, deadline: Deadline) -> Finding:
        """What is left of the invoice is noted for people. It proves nothing."""
        return invoices.look_up(record.lookup_fields["document_id"], deadline)


handler = handle_order.handler(CollectInvoice())
