"""A subscriber's open bills (page "Get Invoices By Product And Subscriber")."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vezne_sandbox.provider import Operation, json_field
from vezne_sandbox.walletgate.replies import envelope, failure
from vezne_sandbox.wire import Call, Malformed, Reply, text

if TYPE_CHECKING:
    from vezne_sandbox.walletgate import Walletgate


def list_bills(provider: Walletgate, call: Call) -> Reply:
    """List a subscriber's open bills. Each inquiry gives a bill a new oid, unless the seed fixed it."""
    names = frozenset({"tenant_id", "product_oid", "subscriber_no1", "subscriber_no2", "subscriber_no3"})
    fields = provider.authorized_fields(call, names)
    try:
        rows = provider.bills.inquire(text(fields, "product_oid"), text(fields, "subscriber_no1"))
    except Malformed as error:
        return failure("400", str(error), 400)
    return envelope(rows)


LIST_BILLS = Operation(
    name="walletgate.list_bills",
    kind="look_up",
    method="POST",
    path="/v1/InvoicePayment/GetInvoicesByProductAndSubscriber",
    handle=list_bills,
    reference=json_field("product_oid"),
)
