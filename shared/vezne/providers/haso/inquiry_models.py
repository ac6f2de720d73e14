"""HASO 5.5 "Ödeme Planını Getir" (get the payment plan) and 5.10 "Müşteri Ödemelerini Getir" (get the payments)."""

from decimal import Decimal
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, StringConstraints

from vezne.providers.haso.models import CUSTOMER_ID, STATUSES, TransactionNamed
from vezne.providers.models import RequestModel
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


Status = Literal["unpaid", "paid", "partly_paid", "overdue", "cancelled"]
_STATUS_NAMES = {str(number): name for name, number in STATUSES.items()}


class CustomerPaymentsRequest(RequestModel):
    """Whose instalments, and which of them."""

    customer_id: Annotated[str, StringConstraints(pattern=f"^{CUSTOMER_ID}$")]
    statuses: list[Status] | None = None
    page: Annotated[int, Field(ge=1, le=10_000)] | None = None
    page_size: Annotated[int, Field(ge=1, le=200)] | None = None

    def unsigned_fields(self) -> dict[str, Any]:
        """What the page lets one leave out, and does not sign. Only what was given is sent."""
        fields = {
            "paymentStatuses": [STATUSES[status] for status in self.statuses or ()] or None,
            "pageNo": self.page,
            "pageSize": self.page_size,
        }
        return {name: value for name, value in fields.items() if value is not None}


def _status_name(value: Any) -> Any:
    return _STATUS_NAMES.get(str(value), value)


class CustomerPayment(PartlyDocumented):
    """One instalment. The page shows no field of it, so code and status have the names of the requests."""

    payment_code: str | None = Field(None, alias="paymentCode")
    status: Annotated[Status, BeforeValidator(_status_name)] | None = Field(None, alias="paymentStatus")


class CustomerPaymentsResult(PartlyDocumented):
    """A page of a customer's instalments. The page does not say under which name HASO lists them."""

    payments: list[CustomerPayment] | None = Field(None, alias="Payments")

    @classmethod
    def of(cls, data: Any) -> "CustomerPaymentsResult":
        """Read `Data` of the answer: its one list, under any name. If there is not one, all of it is in `raw`."""
        lists = [name for name, value in data.items() if isinstance(value, list)] if isinstance(data, dict) else []
        if len(lists) != 1 or not all(isinstance(row, dict) for row in data[lists[0]]):
            return cls.model_construct(payments=None, raw={"Data": masked(data)})
        rest = {name: value for name, value in data.items() if name != lists[0]}
        return cls.model_validate({**rest, "Payments": [_as_requested(row) for row in data[lists[0]]]})


def _as_requested(row: dict[str, Any]) -> dict[str, Any]:
    """A row with the requests' names, of which HASO writes some with a capital letter."""
    names = {"PaymentCode": "paymentCode", "PaymentStatus": "paymentStatus"}
    return {names.get(name, name): value for name, value in row.items()}
