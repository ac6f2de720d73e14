"""An invoice with what was collected on it."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from vezne_sandbox.ledger import Booking
    from vezne_sandbox.wire import Call

FIRST_DAY = "2024-01-15"
LAST_DAY = "2024-02-15"


@dataclass
class Invoice:
    """An invoice (fatura). Amounts in major units of its currency."""

    document_id: int
    total: Decimal
    currency: str
    kind: str
    contact_id: int
    collections: list[Booking] = field(default_factory=list)
    """What was collected on it, and not undone since."""

    def remaining(self, shown: list[Booking] | None = None) -> Decimal:
        """Return what is left to collect; with ``shown``, as if only those of its collections had been made."""
        made = self.collections if shown is None else [each for each in self.collections if each in shown]
        return self.total - sum((collection.amount for collection in made), Decimal(0))

    def as_row(self) -> dict[str, Any]:
        """Write the fields of the page of the list, in its order."""
        return {
            "id": self.document_id,
            "serial_no": f"FAT-2024-{self.document_id:03d}",
            "order_date": FIRST_DAY,
            "due_date": LAST_DAY,
            "total_amount": self.total,
            "currency": self.currency,
            "status": "ready_to_send",
            "type": self.kind,
            "contact": {"id": self.contact_id, "name": "Ahmet", "surname": "Yılmaz"},
        }


def document_of(call: Call) -> str:
    """Return the invoice that a call names in its path."""
    return call.parameters["document_id"]
