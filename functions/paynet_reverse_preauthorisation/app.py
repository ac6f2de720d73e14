"""Cancel a pre-authorisation, whole: Paynet "Ön Otorizasyon İptal"."""

from vezne.api import handle_order
from vezne.operation import Operation, Order
from vezne.orders.guards import Guard, OneAtATime, PaidOnce
from vezne.orders.outcome import Finding, Outcome
from vezne.orders.record import Record
from vezne.providers.credentials import PaynetCredentials, RequestCredentials
from vezne.providers.http import Deadline, ProviderResponse, Request, json_request
from vezne.providers.paynet import client as paynet
from vezne.providers.paynet.answers import short_outcome
from vezne.providers.paynet.models import CaptureResult, ReversePreauthorisationRequest
from vezne.providers.paynet.reversals import look_up

DONE = "transaction_preauth_reversed_request"


class ReversePreauthorisation(Operation[ReversePreauthorisationRequest, CaptureResult, PaynetCredentials]):
    """POST /v1/transaction/preauth_reversal."""

    name = "paynet.reverse_preauthorisation"
    route = "POST /paynet/preauthorisation-reversals"
    client = paynet.CLIENT
    # Of what is cancelled: the answer of a success names no transaction.
    reference_field = "order.xact_id"
    # What a second cancellation does, and whether `check` lists them all, is not documented.
    resend_is_safe = False
    look_up_is_complete = False
    shares_guards_of = ("paynet.capture",)
    look_up_call = "POST v1/transaction/check, the pre-authorisation and its reversal"

    def build(
        self, order: Order[ReversePreauthorisationRequest], access: RequestCredentials[PaynetCredentials]
    ) -> Request:
        """The one field of the page, which is required: `xact_id`, of at most 100 characters."""
        return json_request(
            "/v1/transaction/preauth_reversal", {"xact_id": order.request.xact_id}, paynet.headers(access)
        )

    def read(self, order: Order[ReversePreauthorisationRequest], answer: ProviderResponse) -> Outcome:  # noqa: ARG002
        """A success is the whole cancelling: unlike a refund, it is no request that people decide."""
        return short_outcome(answer, DONE, paynet.PREAUTHORISATION_REVERSAL_TYPES, CaptureResult)

    def lookup_fields(self, order: Order[ReversePreauthorisationRequest]) -> dict[str, str]:
        """What names the pre-authorisation."""
        return {"xact_id": order.request.xact_id}

    def guards(self, order: Order[ReversePreauthorisationRequest]) -> tuple[Guard, ...]:
        """It is cancelled once, and never while a capture of it under the same `xact_id` may be under way."""
        xact_id = order.request.xact_id
        return PaidOnce(xact_id), OneAtATime(f"xact_id={xact_id}", of=self.shares_guards_of[0])

    def look_up(self, record: Record, deadline: Deadline) -> Finding:
        """The reversal that the pre-authorisation's own row names, made when ours may have been, is proof."""
        return look_up(
            record,
            deadline,
            self.settling_time,
            cancelled=paynet.PREAUTHORISATION_TYPES,
            by=paynet.PREAUTHORISATION_REVERSAL_TYPES,
        )


handler = handle_order.handler(ReversePreauthorisation())
