"""One invoice. No page shows it; two public clients ask for it.

Assumption: the answer has the fields of the list, and ``remaining_amount``, which is what is left to collect.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from vezne_sandbox.kolaybi.invoices import document_of
from vezne_sandbox.provider import Operation
from vezne_sandbox.wire import Call, Reply, json_reply

if TYPE_CHECKING:
    from vezne_sandbox.kolaybi import KolayBi


def show_invoice(provider: KolayBi, call: Call) -> Reply:
    """Tell what is left of an invoice; somebody else's collection counts, too."""
    provider.require_token(call)
    invoice = provider.invoice(int(document_of(call)))
    shown = provider.ledger.of(provider.name, hidden_seconds=call.hidden_seconds)
    left = invoice.remaining(shown) - (call.foreign_amount or 0)
    return json_reply({"success": True, "data": {**invoice.as_row(), "remaining_amount": left}})


SHOW_INVOICE = Operation(
    name="kolaybi.show_invoice",
    kind="look_up",
    method="GET",
    path="/kolaybi/v1/invoices/{document_id}",
    handle=show_invoice,
    reference=document_of,
)
