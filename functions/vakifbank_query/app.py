"""Show payments by instruction: VakıfBank "TOS İşlemleri Sorgula"."""

from vezne.api import handle_inquiry
from vezne.inquiry import Inquiry
from vezne.providers.http import Deadline
from vezne.providers.vakifbank import client as vakifbank
from vezne.providers.vakifbank.inquiry_models import QueryRequest, QueryResult


class Query(Inquiry[QueryRequest, QueryResult]):
    """POST /tos/query."""

    name = "vakifbank.query"
    route = "GET /vakifbank/tos-payments"

    def ask(self, request: QueryRequest, deadline: Deadline) -> QueryResult:
        """The institution is that of the secret. The caller gives the other filters."""
        return QueryResult.model_validate({"payments": vakifbank.payment_rows(request.wire_fields(), deadline)})


handler = handle_inquiry.handler(Query())
