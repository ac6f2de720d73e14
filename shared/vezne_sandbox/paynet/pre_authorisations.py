"""A pre-authorisation with what was booked under it, and the identifiers that name it in a call."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from vezne_sandbox.ledger import Booking
    from vezne_sandbox.wire import Call

IDENTIFIERS = ("xact_id", "xact", "reference_no")
PRE_AUTHORISATION_TYPE, CAPTURE_TYPE, PRE_AUTHORISATION_REVERSAL_TYPE, CAPTURE_REVERSAL_TYPE = 3, 4, 5, 6


@dataclass
class PreAuthorisation:
    """A card authorisation waiting for captures. Amounts in major units."""

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

    def captures(self) -> list[Booking]:
        """Return the captures, those cancelled since included."""
        return [booking for booking in self.bookings if booking.answer["transaction_type"] == CAPTURE_TYPE]

    def remaining(self) -> Decimal:
        """Return what is not captured yet; nothing is left of one that was cancelled."""
        if self.reversal is not None:
            return Decimal(0)
        return self.amount - sum((capture.amount for capture in self.captures()), Decimal(0))


def reference(call: Call) -> str:
    """Return the first identifier that a call gives, or none."""
    fields = call.json()
    return str(next((fields[name] for name in IDENTIFIERS if fields.get(name)), ""))
