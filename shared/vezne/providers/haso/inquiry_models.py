"""HASO 5.5 "Ödeme Planını Getir" (get the payment plan)."""

from decimal import Decimal
from typing import Any

from pydantic import Field

from vezne.providers.haso.models import TransactionNamed
from vezne.providers.undocumented_fields import PartlyDocumented, masked


class PaymentPlanRequest(TransactionNamed):
    """Whose plan: HASO's transaction code, and your own order number."""


class PlannedInstalment(PartlyDocumented):
    """One instalment, with the names that the plan has in the answer of 5.14. Amounts in TRY."""

    installment_no: int | None = Field(None, alias="InstallmentNo")
    installment_payment: Decimal | None = Field(None, alias="installmentPayment")
    term_date: str | None = Field(None, alias="termDate")
    total_expense_amount: Decimal | None = Field(None, alias="totalExpenseAmount")


class PaymentPlanResult(PartlyDocumented):
    """The plan as it is now. We assume that 5.5 answers it as 5.14 does. If not, all of `Data` is in `raw`."""

    payment_plan: list[PlannedInstalment] | None = Field(None, alias="PaymentPlan")

    @classmethod
    def of(cls, data: Any) -> "PaymentPlanResult":
        """Read `Data` of the answer; a single instalment may be there without a list."""
        plan = data.get("PaymentPlan") if isinstance(data, dict) else None
        rows = [plan] if isinstance(plan, dict) else plan
        if isinstance(rows, list) and all(isinstance(row, dict) for row in rows):
            return cls.model_validate({**data, "PaymentPlan": rows})
        return cls.model_construct(payment_plan=None, raw={"Data": masked(data)})
