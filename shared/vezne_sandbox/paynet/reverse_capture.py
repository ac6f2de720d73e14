"""The cancelling of a whole capture (page "Finansallaştırma İptal").

Assumptions, since the page does not say:
- the capture is found by its own ``xact_id``. A second cancelling of it is refused with ``code`` 1 and the Paynet error
  fields. No money moves then;
- the sum is not free for another capture of the pre-authorisation;
- a capture that nobody made exists with 100000.00 TRY, if nothing else has its ``xact_id``.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from vezne_sandbox.ledger import Booking
from vezne_sandbox.paynet import capture
from vezne_sandbox.paynet.pre_authorisations import CAPTURE_REVERSAL_TYPE, CAPTURE_TYPE
from vezne_sandbox.paynet.replies import error_object
from vezne_sandbox.wire import Call, Refused, Reply

if TYPE_CHECKING:
    from vezne_sandbox.paynet import Paynet

CANCELLED_ALREADY = {"paynet_error_id": "1", "paynet_error_message": "İşlem daha önce iptal edilmiş"}


class Reversal(capture.Capture):
    """The cancelling of a capture. It has the fields of one."""

    transaction_type = CAPTURE_REVERSAL_TYPE

    def __init__(self, captured: Booking, *arguments: Any) -> None:
        super().__init__(*arguments)
        self._captured = captured
        self.booking.amount = captured.amount

    def obstacle(self) -> Reply | None:
        return self._failed(CANCELLED_ALREADY) if "reversed_xact_id" in self._captured.answer else None

    def record(self) -> None:
        super().record()
        self._captured.answer["reversed_xact_id"] = self._ids["xact_id"]


def reverse_capture(provider: Paynet, call: Call) -> Reversal:
    """Find the capture that is to be cancelled."""
    fields = provider.authorized_fields(call, frozenset({"xact_id"}))
    xact_id, known = fields["xact_id"], provider.is_known(fields["xact_id"])
    target = provider.pre_authorisation({"xact_id": xact_id})
    if not known:
        ids = {"id": str(provider.next_number()), "xact_id": xact_id, "transaction_type": CAPTURE_TYPE}
        target.bookings.append(
            Booking(provider.name, "paynet.capture", xact_id, {}, target.amount, "TRY", {}, target.at, ids)
        )
    captured = next((one for one in target.captures() if one.answer["xact_id"] == xact_id), None)
    if captured is None:
        raise Refused(error_object(11, "xact_id names no capture"))
    return Reversal(captured, provider, call, fields, target)


REVERSE_CAPTURE = replace(
    capture.CAPTURE,
    name="paynet.reverse_capture",
    path="/v1/transaction/capture_reversal",
    handle=reverse_capture,
    paid_once=True,
)
