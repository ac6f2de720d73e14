"""List the open bills of a subscriber, where every payment starts: walletgate GetInvoicesByProductAndSubscriber."""

from vezne.api import handle_inquiry
from vezne.inquiry import Inquiry
from vezne.providers.http import Deadline
from vezne.providers.walletgate import client as walletgate
from vezne.providers.walletgate.inquiry_models import BillsRequest, BillsResult


class ListBills(Inquiry[BillsRequest, BillsResult]):
    """POST /v1/InvoicePayment/GetInvoicesByProductAndSubscriber."""

    name = "walletgate.list_bills"
    # "subscriber_no ... (Örn: GSM, Sözleşme No, TCKN)" (such as mobile number, contract number, identity number): an
    # identity number must not be in a URL.
    route = "POST /walletgate/bill-inquiries"

    def ask(self, request: BillsRequest, deadline: Deadline) -> BillsResult:
        """The bills as they are now; each inquiry may give a bill another query oid."""
        rows = walletgate.bill_rows(request.model_dump(exclude_none=True), deadline)
        return BillsResult.model_validate({"bills": rows})


handler = handle_inquiry.handler(ListBills())
