"""Show payments by instruction: VakıfBank "TOS İşlemleri Sorgula"."""

from vezne import inquiry
from vezne.inquiries import vakifbank
from vezne.models.vakifbank_inquiries import QueryRequest, QueryResult
from vezne.provider import Deadline


class Query(inquiry.Inquiry[QueryRequest]):
    """POST /tos/query."""

    name = "vakifbank.query"
    path = "/vakifbank/tos-payments"
    request_model = QueryRequest
    result_model = QueryResult

    def ask(self, request: QueryRequest, deadline: Deadline) -> QueryResult:
        """The institution comes from the secret, the other filters from the caller."""
        return QueryResult.model_validate({"payments": vakifbank.payment_rows(request.wire_fields(), deadline)})


handler = inquiry.handler(Query())
