"""Which subscriber numbers a product asks for (page "Get Product Detail By Product Id")."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vezne_sandbox.provider import Operation, json_field
from vezne_sandbox.walletgate.bills import subscriber_numbers
from vezne_sandbox.walletgate.replies import envelope, failure
from vezne_sandbox.wire import Call, Malformed, Reply, text

if TYPE_CHECKING:
    from vezne_sandbox.walletgate import Walletgate


def product_detail(provider: Walletgate, call: Call) -> Reply:
    """Tell which subscriber numbers a product asks for."""
    fields = provider.authorized_fields(call, frozenset({"tenant_id", "product_oid"}))
    try:
        return envelope(subscriber_numbers(text(fields, "product_oid")))
    except Malformed as error:
        return failure("400", str(error), 400)


PRODUCT_DETAIL = Operation(
    name="walletgate.product_detail",
    kind="look_up",
    method="POST",
    path="/v1/InvoicePayment/GetProductDetailByProductId",
    handle=product_detail,
    reference=json_field("product_oid"),
)
