"""Show the payment plan of a transaction: HASO 5.5 "Ödeme Planını Getir"."""

from vezne import inquiry
from vezne.inquiries import haso
from vezne.models.haso_inquiries import PaymentPlanRequest, PaymentPlanResult
from vezne.provider import Deadline


class PaymentPlan(inquiry.Inquiry[PaymentPlanRequest]):
    """POST {SERVIS_URL}/Index/GetPaymentsOfTransaction."""

    name = "haso.payment_plan"
    path = "/haso/transactions/{transaction_code}/payment-plan"
    request_model = PaymentPlanRequest
    result_model = PaymentPlanResult

    def ask(self, request: PaymentPlanRequest, deadline: Deadline) -> PaymentPlanResult:
        """The plan as HASO has it now, with the expenses in force."""
        answer = haso.plan_answer(request.transaction_code, request.merchant_oid, deadline)
        return PaymentPlanResult.of(answer.json().get("Data"))


handler = inquiry.handler(PaymentPlan())
