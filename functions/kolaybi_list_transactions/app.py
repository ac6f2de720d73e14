"""List an associate's transactions: KolayBi GET /associates/{associate_id}/transactions."""

from vezne import inquiry
from vezne.inquiries import kolaybi
from vezne.models.kolaybi_inquiries import TransactionsRequest, TransactionsResult
from vezne.provider import Deadline


class ListTransactions(inquiry.Inquiry[TransactionsRequest]):
    """GET /kolaybi/v1/associates/{associate_id}/transactions."""

    name = "kolaybi.list_transactions"
    path = "/kolaybi/associates/{associate_id}/transactions"
    request_model = TransactionsRequest
    result_model = TransactionsResult

    def ask(self, request: TransactionsRequest, deadline: Deadline) -> TransactionsResult:
        """No field of the answer is public, so it is passed through."""
        return TransactionsResult.model_validate(kolaybi.transactions(str(request.associate_id), deadline))


handler = inquiry.handler(ListTransactions())
