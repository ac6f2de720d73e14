"""The collection on an invoice (page "Fatura Tahsilat": collection on an invoice).

Assumptions, since no page is public for them:
- the answer has the fields that a public client reads: no amount, but ``remaining_amount``;
- more than is left, and an invoice of which nothing is left, is refused with HTTP 422 as every collection;
- what people collect by hand is a collection as well (``foreign`` of ``kolaybi.show_invoice``).
"""

from __future__ import annotations

import re
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from vezne_sandbox.kolaybi.replies import failure
from vezne_sandbox.ledger import Booking
from vezne_sandbox.provider import Operation, Payment, ReplyFields
from vezne_sandbox.wire import Call, Malformed, Reply, json_reply, known_fields, masked

if TYPE_CHECKING:
    from vezne_sandbox.kolaybi import KolayBi

FIELDS = {"document_id": r"[1-9]\d*", "vault_id": r"[1-9]\d*", "amount": r"(?=.*[1-9])\d+(\.\d{1,2})?"}


class InvoiceCollection(Payment):
    """A collection on an invoice. Of the same part, a second request collects a second time."""

    def __init__(self, provider: KolayBi, call: Call, fields: dict[str, str]) -> None:
        self._provider = provider
        self._invoice = provider.invoice(int(fields["document_id"]))
        amount = fields.get("amount")
        self.booking = Booking(
            provider=provider.name,
            operation=call.operation,
            reference=fields["document_id"],
            references={"document_id": fields["document_id"]},
            amount=self._invoice.remaining() if amount is None else Decimal(amount),
            currency=self._invoice.currency,
            request=masked(fields, frozenset()),
        )

    def obstacle(self) -> Reply | None:
        left = self._invoice.remaining()
        if left <= 0 or self.booking.amount > left:
            return failure(422, "Tahsilat tutarı kalan tutardan büyük olamaz.")
        return None

    def record(self) -> None:
        self._invoice.collections.append(self.booking)

    def answer(self, fields: ReplyFields) -> Reply:
        return json_reply({"success": True, "data": self._fields()})

    def refuse(self, code: str | None) -> Reply:
        return failure(int(code or 422), "Kasa bulunamadı.")

    def odd_refusal(self) -> Reply:
        """HTTP 422 and ``success`` false beside the collection's own data."""
        return json_reply({"success": False, "code": 422, "message": "Hata", "data": self._fields()}, 422)

    def _fields(self) -> dict[str, Any]:
        booked = any(each is self.booking for each in self._invoice.collections)
        return {
            "transaction_status": "Tamamlandı",
            "transaction_type": "Tahsilat",
            "payment_method": "Nakit",
            "issue_date": f"{self._provider.clock.istanbul():%Y-%m-%d %H:%M:%S}",
            "remaining_amount": self._invoice.remaining() - (0 if booked else self.booking.amount),
            "currency": self._invoice.currency,
        }


def collect_invoice(provider: KolayBi, call: Call) -> Payment | Reply:
    """Check a collection on an invoice field by field."""
    provider.require_token(call)
    try:
        return InvoiceCollection(provider, call, _fields(call))
    except Malformed as error:
        return failure(422, "The given data was invalid.", {"request": [str(error)]})


def _fields(call: Call) -> dict[str, str]:
    """Read the form of the page: `document_id=1&vault_id=1&amount=100.50`."""
    pairs = call.form()
    fields = dict(pairs)
    known_fields(fields, frozenset(FIELDS))
    if len(fields) != len(pairs):
        raise Malformed("a field is given twice")
    for name, form in FIELDS.items():
        if name not in fields and name != "amount":
            raise Malformed(f"{name} is missing")
        if name in fields and not re.fullmatch(form, fields[name], re.ASCII):
            raise Malformed(f"{name} is not in its form")
    return fields


COLLECT_INVOICE = Operation(
    name="kolaybi.collect_invoice",
    kind="pay",
    method="POST",
    path="/kolaybi/v1/invoices/proceed",
    handle=collect_invoice,
    reference=lambda call: dict(call.form()).get("document_id", ""),
    faults=frozenset({"odd_refusal"}),
    code_pattern=r"4\d\d",
    look_up="kolaybi.show_invoice",
)
