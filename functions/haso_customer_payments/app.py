"""List the instalments of a customer, with their statuses: HASO 5.10 "Müşteri Ödemelerini Getir"."""

from vezne.api import handle_inquiry
from vezne.inquiry import Inquiry
from vezne.providers.haso import client as haso
from vezne.providers.haso.inquiry_models import CustomerPaymentsRequest, CustomerPaymentsResult
from vezne.providers.http import Deadline


class CustomerPayments(Inquiry[CustomerPaymentsRequest, CustomerPaymentsResult]):
    """POST {SERVIS_URL}/Index/GetCustomerPayments."""

    name = "haso.customer_payments"
    # The number names a person, and its page does not say how it is made. So it must not be in a URL.
    route = "POST /haso/customer-payment-inquiries"

    def ask(self, request: CustomerPaymentsRequest, deadline: Deadline) -> CustomerPaymentsResult:
        """One page of them as HASO has them now, the newest first."""
        signed, unsigned = {"customerId": request.customer_id}, request.unsigned_fields()
        answer = haso.successful("/Index/GetCustomerPayments", signed, deadline, unsigned)
        return CustomerPaymentsResult.of(answer.json().get("Data"))


handler = handle_inquiry.handler(CustomerPayments())
