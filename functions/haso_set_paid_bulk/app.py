"""Mark several instalments of one customer as paid: HASO 5.20 "Toplu Olarak Ödendi Bilgisinin Gönderilmesi"."""

from vezne.api import handle_order
from vezne.operation import Operation, Order
from vezne.orders.guards import Guard, PaidOnce
from vezne.orders.outcome import Declined, Finding, Outcome, Unknown
from vezne.orders.record import Record
from vezne.providers.credentials import HasoCredentials, RequestCredentials
from vezne.providers.haso import client as haso, payments
from vezne.providers.haso.models import SetPaidBulkRequest, SetPaidResult
from vezne.providers.http import Deadline, ProviderResponse, Request


class SetPaidBulk(Operation[SetPaidBulkRequest, SetPaidResult, HasoCredentials]):
    """POST {SERVIS_URL}/RequestV2/SetBulkPaidPayment."""

    name = "haso.set_paid_bulk"
    route = "POST /haso/paid-payments"
    client = haso.CLIENT
    # The answer names no payment, and the order has several.
    reference_field = "merchant_oid"
    # As for one instalment: `haso.set_paid`.
    resend_is_safe = False
    look_up_is_complete = True
    shares_guards_of = ("haso.set_paid",)
    decline_may_mean_bad_credentials = True
    look_up_call = "POST Index/GetCustomerPayments, of those that are paid and of those that are not"

    def build(self, order: Order[SetPaidBulkRequest], access: RequestCredentials[HasoCredentials]) -> Request:
        """The page's fields. The token is not computed over the codes: only TLS protects them."""
        codes = {"paymentCodes": order.request.payment_codes}
        return haso.signed_order(
            "/RequestV2/SetBulkPaidPayment", access, payments.signed_fields(order.request), unsigned=codes
        )

    def read(self, order: Order[SetPaidBulkRequest], answer: ProviderResponse) -> Outcome:
        """No page says whether a refusal is of all payments or of one. So it decides an order of one payment only."""
        outcome = payments.outcome(answer)
        if isinstance(outcome, Declined) and len(order.request.payment_codes) > 1:
            return Unknown("refused, perhaps not for every payment")
        return outcome

    def lookup_fields(self, order: Order[SetPaidBulkRequest]) -> dict[str, str]:
        """The instalments, and what the row of each must show."""
        return {"payment_codes": " ".join(order.request.payment_codes), **payments.lookup_fields(order.request)}

    def guards(self, order: Order[SetPaidBulkRequest]) -> tuple[Guard, ...]:
        """Each instalment is marked once, alone or with others."""
        return tuple(PaidOnce(code, of=self.shares_guards_of[0]) for code in order.request.payment_codes)

    def look_up(self, record: Record, deadline: Deadline) -> Finding:
        """Proof is that each instalment is paid and shows our reference, or that none is paid."""
        return payments.look_up(record, record.lookup_fields["payment_codes"].split(), deadline)


handler = handle_order.handler(SetPaidBulk())
