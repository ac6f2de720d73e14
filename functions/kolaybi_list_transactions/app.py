"""List an associate's transactions: KolayBi GET /associates/{associate_id}/transactions."""

from vezne.api import handle_inquiry
from vezne.inquiry import Inquiry
from vezne.providers.http import Deadline
from vezne.providers.kolaybi import client as kolaybi
from vezne.providers.kolaybi.inquiry_models import TransactionsRequest, TransactionsResult
from vezne.providers.undocumented_fields import masked


class ListTransactions(Inquiry[TransactionsRequest, TransactionsResult]):
    """GET /kolaybi/v1/associates/{associate_id}/transactions."""

    name = "kolaybi.list_transactions"
    route = "GET /kolaybi/associates/{associate_id}/transactions"

    def ask(self, request: TransactionsRequest, deadline: Deadline) -> TransactionsResult:
        """The rows with the fields that are known, and beside them the answer as it came."""
        answer = kolaybi.transactions(str(request.associate_id), deadline)
        return TransactionsResult.model_validate({"transactions": kolaybi.rows_if_known(answer), "raw": masked(answer)})


handler = handle_inquiry.handler(ListTransactions())
