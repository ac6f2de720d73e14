"""Cancel a capture, whole: Paynet "Finansallaştırma İptal"."""

from vezne.api import handle_order
from vezne.operation import Operation, Order
from vezne.orders.guards import Guard, PaidOnce
from vezne.orders.outcome import Finding, Outcome
from vezne.orders.record import Record
from vezne.providers.credentials import PaynetCredentials, RequestCredentials
from vezne.providers.http import Deadline, ProviderResponse, Request, json_request
from vezne.providers.paynet import client as paynet
from vezne.providers.paynet.answers import outcome
from vezne.providers.paynet.models import CaptureResult, ReverseCaptureRequest
from vezne.providers.paynet.reversals import look_up


class ReverseCapture(Operation[ReverseCaptureRequest, CaptureResult, PaynetCredentials]):
    """POST /v1/transaction/capture_reversal."""

    name = "paynet.reverse_capture"
    route = "POST /paynet/capture-reversals"
    client = paynet.CLIENT
    reference_field = "xact_id"
    # What a second cancellation of the same capture does, and whether `check` lists them all, is not documented.
    resend_is_safe = False
    look_up_is_complete = False
    look_up_call = "POST v1/transaction/check, the capture and its reversal"

    def build(self, order: Order[ReverseCaptureRequest], access: RequestCredentials[PaynetCredentials]) -> Request:
        """ "Başarılı finansallaştırılmış kredi kartı işlemlerinin iptali": the cancelling of a successful capture."""
        return json_request(
            "/v1/transaction/capture_reversal", {"xact_id": order.request.xact_id}, paynet.headers(access)
        )

    def read(self, order: Order[ReverseCaptureRequest], answer: ProviderResponse) -> Outcome:  # noqa: ARG002
        """The page allows both types: "4:Finansallaştırma / 6: Finansallaştırma İptal", capture and its reversal."""
        return outcome(answer, paynet.CAPTURE_TYPES | paynet.REVERSAL_TYPES, None)

    def lookup_fields(self, order: Order[ReverseCaptureRequest]) -> dict[str, str]:
        """What names the capture."""
        return {"xact_id": order.request.xact_id}

    def guards(self, order: Order[ReverseCaptureRequest]) -> tuple[Guard, ...]:
        """A capture is cancelled once, under whatever key."""
        return (PaidOnce(order.request.xact_id),)

    def look_up(self, record: Record, deadline: Deadline) -> Finding:
        """The reversal that the capture's own row names, made when ours may have been, is proof. Nothing else is."""
        return look_up(record, deadline, self.settling_time, cancelled=paynet.CAPTURE_TYPES, by=paynet.REVERSAL_TYPES)


handler = handle_order.handler(ReverseCapture())
