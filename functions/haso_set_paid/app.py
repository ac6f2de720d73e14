"""Mark an instalment as paid that was paid outside HASO: HASO 5.6 "Ödendi Bilgisinin Gönderilmesi"."""

from vezne.api import handle_order
from vezne.operation import Operation, Order
from vezne.orders.guards import Guard, PaidOnce
from vezne.orders.outcome import Finding, Outcome
from vezne.orders.record import Record
from vezne.providers.credentials import HasoCredentials, RequestCredentials
from vezne.providers.haso import client as haso, payments
from vezne.providers.haso.models import SetPaidRequest, SetPaidResult
from vezne.providers.http import Deadline, ProviderResponse, Request


class SetPaid(Operation[SetPaidRequest, SetPaidResult, HasoCredentials]):
    """POST {SERVIS_URL}/RequestV2/SetPaidPayment."""

    name = "haso.set_paid"
    route = "POST /haso/payments/{payment_code}/paid"
    client = haso.CLIENT
    # From the path: the answer names no payment.
    reference_field = "payment_code"
    # What marking a paid instalment again does is not documented. It may be booked twice.
    resend_is_safe = False
    # 5.10 lists the payments by their present status. So one that is not paid is shown, and not only missing.
    look_up_is_complete = True
    # The codes in `Errors` are not public, so a wrong token looks like a wrong order.
    decline_may_mean_bad_credentials = True
    look_up_call = "POST Index/GetCustomerPayments, of those that are paid and of those that are not"

    def build(self, order: Order[SetPaidRequest], access: RequestCredentials[HasoCredentials]) -> Request:
        """The page's fields in the order in which they are signed. The same strings are signed and sent."""
        fields = payments.signed_fields(order.request, order.request.payment_code)
        return haso.signed_order("/RequestV2/SetPaidPayment", access, fields)

    def read(self, order: Order[SetPaidRequest], answer: ProviderResponse) -> Outcome:  # noqa: ARG002
        """The answer names no payment, so nothing of the order can be compared."""
        return payments.outcome(answer)

    def lookup_fields(self, order: Order[SetPaidRequest]) -> dict[str, str]:
        """The instalment, and what its row must show."""
        return {"payment_code": order.request.payment_code, **payments.lookup_fields(order.request)}

    def guards(self, order: Order[SetPaidRequest]) -> tuple[Guard, ...]:
        """An instalment is marked once, alone or with others (`haso.set_paid_bulk`)."""
        return (PaidOnce(order.request.payment_code),)

    def look_up(self, record: Record, deadline: Deadline) -> Finding:
        """Proof is a paid instalment that shows our reference, or one that is not paid."""
        return payments.look_up(record, [record.lookup_fields["payment_code"]], deadline)


handler = handle_order.handler(SetPaid())
