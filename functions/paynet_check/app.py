"""Show every row of a transaction: Paynet v1/transaction/check."""

from vezne.api import handle_inquiry
from vezne.inquiry import Inquiry
from vezne.providers.http import Deadline
from vezne.providers.paynet import client as paynet
from vezne.providers.paynet.inquiry_models import CheckRequest, CheckResult


class Check(Inquiry[CheckRequest, CheckResult]):
    """POST /v1/transaction/check."""

    name = "paynet.check"
    route = "GET /paynet/transactions"

    def ask(self, request: CheckRequest, deadline: Deadline) -> CheckResult:
        """All rows: a pre-authorisation and its captures may be separate rows."""
        rows = paynet.transaction_rows(request.model_dump(exclude_none=True), deadline)
        return CheckResult.model_validate({"transactions": rows})


handler = handle_inquiry.handler(Check())
