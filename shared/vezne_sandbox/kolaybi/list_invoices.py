"""The list of invoices, in pages of 20 (page "Fatura Listeleme").

Assumptions, since the page does not say:
- the page is asked for with ``page``, and the oldest invoice is first;
- ``associate_id``, which a public client sends, is the invoice's contact;
- the list shows the invoices that a seed or a call has named.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from vezne_sandbox.kolaybi.replies import failure
from vezne_sandbox.provider import Operation
from vezne_sandbox.wire import Call, Reply, json_reply

if TYPE_CHECKING:
    from vezne_sandbox.kolaybi import KolayBi

TYPES = (
    "sale_invoice",
    "sale_return_invoice",
    "purchase_invoice",
    "purchase_return_invoice",
    "self_employment_receipt",
)
PER_PAGE = 20


def list_invoices(provider: KolayBi, call: Call) -> Reply:
    """List the invoices of one type, those of sales if none is asked for."""
    provider.require_token(call)
    kind, contact, page = (call.query.get(name, given) for name, given in
                           (("type", TYPES[0]), ("associate_id", ""), ("page", "1")))  # fmt: skip
    if kind not in TYPES or set(call.query) - {"type", "associate_id", "page"}:
        return failure(422, "The given data was invalid.")
    found = [
        each.as_row()
        for each in provider.invoices.values()
        if each.kind == kind and contact in ("", str(each.contact_id))
    ]
    start = (int(page) - 1) * PER_PAGE
    pagination = {"current_page": int(page), "per_page": PER_PAGE, "total": len(found)}
    return json_reply({"success": True, "data": found[start : start + PER_PAGE], "pagination": pagination})


LIST_INVOICES = Operation(
    name="kolaybi.list_invoices", kind="look_up", method="GET", path="/kolaybi/v1/invoices", handle=list_invoices
)
