"""A pre-authorisation with what was booked under it, and the identifiers that name it in a call."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from vezne_sandbox.ledger import Booking
    from vezne_sandbox.wire import Call

IDENTIFIERS = ("xact_id", "xact", "reference_no")
SALE_TYPE, PRE_AUTHORISATION_TYPE, CAPTURE_TYPE = 1, 3, 4
PRE_AUTHORISATION_REVERSAL_TYPE, CAPTURE_REVERSAL_TYPE, REFUND_TYPE = 5, 6, 9
SALE = "sale*"
"""An ``xact_id`` that begins so, and that nobody made, is a sale's."""


@dataclass
class RefundRequest:
    """A request to give a sale or a capture back. ``refund`` is the row that an approval makes."""

    id: str
    xact_id: str
    made_at: float
    amount: Decimal
    at: float
    refund: Booking | None = None
    is_rejected: bool = False


@dataclass
class PreAuthorisation:
    """A card authorisation waiting for captures, or a sale. Amounts in major units."""

    xact_id: str
    xact: str
    reference_no: str
    amount: Decimal
    at: float
    bookings: list[Booking] = field(default_factory=list)
    failed: list[Booking] = field(default_factory=list)
    """What was asked for and not booked, because the bank or Paynet did not approve it."""
    reversal: Booking | None = None
    """What cancelled it."""
    requests: list[RefundRequest] = field(default_factory=list)
    """What was asked to be given back of it, or of its captures."""

    @property
    def transaction_type(self) -> int:
        """Return the type of its own row."""
        return SALE_TYPE if self.xact_id.startswith(SALE) else PRE_AUTHORISATION_TYPE

    def captures(self) -> list[Booking]:
        """Return the captures, those cancelled since included."""
        return [booking for booking in self.bookings if booking.answer["transaction_type"] == CAPTURE_TYPE]

    def remaining(self) -> Decimal:
        """Return what is not captured yet; nothing is left of a sale, nor of one that was cancelled."""
        if self.reversal is not None or self.transaction_type == SALE_TYPE:
            return Decimal(0)
        return self.amount - sum((capture.amount for capture in self.captures()), Decimal(0))


def reference(call: Call) -> str:
    """Return the first identifier that a call gives, or none."""
    fields = call.json()
    return str(next((fields[name] for name in IDENTIFIERS if fields.get(name)), ""))
