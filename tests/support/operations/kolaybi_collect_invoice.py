"""KolayBi: a collection on an invoice. The answer names neither the invoice nor the amount; nothing proves it later."""

from typing import Any

from tests.support.example import Example, Wire, number_of
from tests.support.provider_server import Reply, json_reply

# The fields that a public client reads.
INVOICE_DATA: dict[str, Any] = {
    "transaction_status": "Tamamlandı",
    "transaction_type": "Tahsilat",
    "payment_method": "Nakit",
    "issue_date": "2024-01-15 14:30:00",
    "remaining_amount": 139.5,
    "currency": "TRY",
}


def invoice_left(amount: float) -> Reply:
    """What KolayBi tells of an invoice of which this is left."""
    return json_reply({"success": True, "data": {"id": 1, "total_amount": 240.0, "remaining_amount": amount}})


EXAMPLE = Example(
    operation="kolaybi.collect_invoice",
    new=lambda mark, amount: {"document_id": number_of(mark), "vault_id": 1, "amount": amount},
    named_by="document_id",
    amounts=("amount",),
    never_proved=True,
    request={"document_id": 1, "vault_id": 1, "amount": "100.50"},
    other={"amount": "100.51"},
    required=frozenset({"document_id", "vault_id"}),
    address="POST /kolaybi/v1/invoices/proceed",
    success=lambda _call: json_reply({"success": True, "data": INVOICE_DATA}),
    refusal=json_reply({"success": False, "code": "E42", "message": "Kasa bulunamadı"}, 422),
    refusal_code="E42",
    look_up_address="GET /kolaybi/v1/invoices/{document_id}",
    found=lambda _record: invoice_left(139.5),
    not_found=invoice_left(240.0),
    wire=Wire(send=lambda merchant, **changes: merchant.collect_invoice(**changes), amount=100.50),
)
