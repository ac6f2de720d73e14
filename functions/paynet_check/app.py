"""Show every row of a transaction: Paynet v1/transaction/check."""

from vezne import inquiry
from vezne.inquiries import paynet
from vezne.models.paynet_inquiries import CheckRequest, CheckResult
from vezne.provider import Deadline


class Check(inquiry.Inquiry[CheckRequest]):
    """POST /v1/transaction/check."""

    name = "paynet.check"
    path = "/paynet/transactions"
    request_model = CheckRequest
    result_model = CheckResult

    def ask(self, request: CheckRequest, deadline: Deadline) -> CheckResult:
        """All rows, for a pre-authorisation and its captures may be rows of their own."""
        rows = paynet.transaction_rows(request.model_dump(exclude_none=True), deadline)
        return CheckResult.model_validate({"transactions": rows})


handler = inquiry.handler(Check())
