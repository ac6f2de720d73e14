"""Show the payment plan of a transaction: HASO 5.5 "Ödeme Planını Getir"."""

from vezne.api import handle_inquiry
from vezne.inquiry import Inquiry
from vezne.providers.haso import client as haso
from vezne.providers.haso.inquiry_models import PaymentPlanRequest, PaymentPlanResult
from vezne.providers.http import Deadline


class PaymentPlan(Inquiry[PaymentPlanRequest, PaymentPlanResult]):
    """POST {SERVIS_URL}/Index/GetPaymentsOfTransaction."""

    name = "haso.payment_plan"
    route = "GET /haso/transactions/{transaction_code}/payment-plan"

    def ask(self, request: PaymentPlanRequest, deadline: Deadline) -> PaymentPlanResult:
        """The plan as HASO has it now, with the current expenses."""
        answer = haso.plan_answer(request.transaction_code, request.merchant_oid, deadline)
        return PaymentPlanResult.of(answer.json().get("Data"))


handler = handle_inquiry.handler(PaymentPlan())
