"""Show payments by instruction: VakıfBank "TOS İşlemleri Sorgula"."""

from vezne import entry
from vezne.inquiries import vakifbank
from vezne.inquiry import Inquiry
from vezne.models.vakifbank_inquiries import QueryRequest, QueryResult
from vezne.provider import Deadline


class Query(Inquiry[QueryRequest]):
    """POST /tos/query."""

    name = "vakifbank.query"
    path = "/vakifbank/tos-payments"
    request_model = QueryRequest
    result_model = QueryResult

    def ask(self, request: QueryRequest, deadline: Deadline) -> QueryResult:
        """The institution comes from the secret, the other filters from the caller."""
        return QueryResult.model_validate({"payments": vakifbank.payment_rows(request.wire_fields(), deadline)})


handler = entry.inquiry_handler(Query())
