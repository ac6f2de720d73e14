"""List the company's invoices, page by page: KolayBi "Fatura Listeleme". An id is a `document_id`."""

from vezne.api import handle_inquiry
from vezne.inquiry import Inquiry
from vezne.providers.http import Deadline
from vezne.providers.kolaybi import client as kolaybi
from vezne.providers.kolaybi.inquiry_models import InvoicesRequest, InvoicesResult


class ListInvoices(Inquiry[InvoicesRequest, InvoicesResult]):
    """GET /kolaybi/v1/invoices?type=&associate_id=."""

    name = "kolaybi.list_invoices"
    route = "GET /kolaybi/invoices"

    def ask(self, request: InvoicesRequest, deadline: Deadline) -> InvoicesResult:
        """One page of the list, and which page it is."""
        answer = kolaybi.invoices(request.model_dump(exclude_none=True), deadline)
        pages = {"pagination": answer.get("pagination")}
        return InvoicesResult.model_validate({"invoices": kolaybi.rows_of(answer), **pages})


handler = handle_inquiry.handler(ListInvoices())
