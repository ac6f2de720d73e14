"""What can be called: each route with the type of its request and of its result."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, Generic, Literal, TypeVar
from urllib.parse import quote

from pydantic import Field, SerializeAsAny
from vezne.providers.haso.inquiry_models import (
    CustomerPaymentsRequest,
    CustomerPaymentsResult,
    PaymentPlanRequest,
    PaymentPlanResult,
)
from vezne.providers.haso.models import (
    ExpensesRequest,
    ExpensesResult,
    SetPaidBulkRequest,
    SetPaidRequest,
    SetPaidResult,
)
from vezne.providers.kolaybi.inquiry_models import (
    InvoicesRequest,
    InvoicesResult,
    TransactionsRequest,
    TransactionsResult,
    VaultsRequest,
    VaultsResult,
)
from vezne.providers.kolaybi.models import (
    CollectionRequest,
    CollectionResult,
    InvoiceCollectionRequest,
    InvoiceCollectionResult,
)
from vezne.providers.models import RequestModel, ResultModel
from vezne.providers.paynet.inquiry_models import CheckRequest, CheckResult
from vezne.providers.paynet.models import (
    CaptureRequest,
    CaptureResult,
    RequestRefundRequest,
    RequestRefundResult,
    ReverseCaptureRequest,
    ReversePreauthorisationRequest,
)
from vezne.providers.undocumented_fields import PUBLIC
from vezne.providers.vakifbank.inquiry_models import QueryRequest, QueryResult
from vezne.providers.vakifbank.models import PaymentRequest, PaymentResult
from vezne.providers.walletgate.inquiry_models import BillsRequest, BillsResult, ProductRequest, ProductResult
from vezne.providers.walletgate.models import BillPaymentRequest, BillPaymentResult

__all__ = [
    "CAPTURE",
    "CHECK",
    "COLLECT",
    "COLLECT_INVOICE",
    "CUSTOMER_PAYMENTS",
    "INQUIRIES",
    "LIST_BILLS",
    "LIST_INVOICES",
    "LIST_TRANSACTIONS",
    "LIST_VAULTS",
    "ORDERS",
    "PAY",
    "PAYMENT_PLAN",
    "PAY_BILL",
    "PRODUCT_DETAIL",
    "QUERY",
    "REQUEST_REFUND",
    "REVERSE_CAPTURE",
    "REVERSE_PREAUTHORISATION",
    "SET_EXPENSES",
    "SET_PAID",
    "SET_PAID_BULK",
    "DryRun",
    "Envelope",
    "Health",
    "InquiryCall",
    "Operation",
    "OrderCall",
    "Page",
    "ProviderHealth",
    "Refusal",
    "Report",
]

Q = TypeVar("Q", bound=RequestModel)
A = TypeVar("A", bound=ResultModel)


@dataclass(frozen=True)
class _Call(Generic[Q, A]):
    name: str
    path: str
    request: type[Q]
    result: type[A]

    def target(self, request: Q) -> tuple[str, dict[str, Any]]:
        """The path filled in, and the fields that are not part of it. Decimals become decimal strings."""
        fields = request.model_dump(mode="json", exclude_unset=True, exclude_none=True)
        path = self.path
        for name in [part[1:-1] for part in path.split("/") if part.startswith("{")]:
            path = path.replace(f"{{{name}}}", quote(str(fields.pop(name)), safe=""))
        return path, fields

    def read(self, body: Any) -> A:
        """The typed result in an answer."""
        return self.result.model_validate(body, context=PUBLIC)


@dataclass(frozen=True)
class OrderCall(_Call[Q, A]):
    """An operation that moves money."""


@dataclass(frozen=True)
class InquiryCall(_Call[Q, A]):
    """A question. `in_body`: asked by POST."""

    in_body: bool = False


COLLECT = OrderCall(
    "kolaybi.collect", "/kolaybi/associates/{associate_id}/collections", CollectionRequest, CollectionResult
)
PAY = OrderCall("vakifbank.pay", "/vakifbank/tos-payments", PaymentRequest, PaymentResult)
PAY_BILL = OrderCall("walletgate.pay_bill", "/walletgate/bill-payments", BillPaymentRequest, BillPaymentResult)
SET_EXPENSES = OrderCall(
    "haso.set_expenses", "/haso/transactions/{transaction_code}/expenses", ExpensesRequest, ExpensesResult
)
CAPTURE = OrderCall("paynet.capture", "/paynet/captures", CaptureRequest, CaptureResult)
REVERSE_CAPTURE = OrderCall("paynet.reverse_capture", "/paynet/capture-reversals", ReverseCaptureRequest, CaptureResult)
REVERSE_PREAUTHORISATION = OrderCall(
    "paynet.reverse_preauthorisation",
    "/paynet/preauthorisation-reversals",
    ReversePreauthorisationRequest,
    CaptureResult,
)
SET_PAID = OrderCall("haso.set_paid", "/haso/payments/{payment_code}/paid", SetPaidRequest, SetPaidResult)
COLLECT_INVOICE = OrderCall(
    "kolaybi.collect_invoice",
    "/kolaybi/invoices/{document_id}/collections",
    InvoiceCollectionRequest,
    InvoiceCollectionResult,
)
SET_PAID_BULK = OrderCall("haso.set_paid_bulk", "/haso/paid-payments", SetPaidBulkRequest, SetPaidResult)
REQUEST_REFUND = OrderCall(
    "paynet.request_refund", "/paynet/refund-requests", RequestRefundRequest, RequestRefundResult
)

LIST_TRANSACTIONS = InquiryCall(
    "kolaybi.list_transactions",
    "/kolaybi/associates/{associate_id}/transactions",
    TransactionsRequest,
    TransactionsResult,
)
LIST_VAULTS = InquiryCall("kolaybi.list_vaults", "/kolaybi/vaults", VaultsRequest, VaultsResult)
QUERY = InquiryCall("vakifbank.query", "/vakifbank/tos-payments", QueryRequest, QueryResult)
LIST_BILLS = InquiryCall("walletgate.list_bills", "/walletgate/bill-inquiries", BillsRequest, BillsResult, in_body=True)
PRODUCT_DETAIL = InquiryCall(
    "walletgate.product_detail", "/walletgate/products/{product_oid}", ProductRequest, ProductResult
)
PAYMENT_PLAN = InquiryCall(
    "haso.payment_plan", "/haso/transactions/{transaction_code}/payment-plan", PaymentPlanRequest, PaymentPlanResult
)
CHECK = InquiryCall("paynet.check", "/paynet/transactions", CheckRequest, CheckResult)
LIST_INVOICES = InquiryCall("kolaybi.list_invoices", "/kolaybi/invoices", InvoicesRequest, InvoicesResult)
CUSTOMER_PAYMENTS = InquiryCall(
    "haso.customer_payments",
    "/haso/customer-payment-inquiries",
    CustomerPaymentsRequest,
    CustomerPaymentsResult,
    in_body=True,
)

ORDERS: dict[str, OrderCall[Any, Any]] = {
    call.name: call for call in list(vars().values()) if isinstance(call, OrderCall)
}
INQUIRIES: dict[str, InquiryCall[Any, Any]] = {
    call.name: call for call in list(vars().values()) if isinstance(call, InquiryCall)
}


class Envelope(ResultModel):
    """What the answer to every operation has, whatever the provider; what is not known is None.

    `amount`: what was ordered, or else what the provider answered, in major units. `provider_reference`: how the
    provider knows the payment. `booked_at`: when it booked it. `reference` and `metadata`: your own, as the order under
    this key first gave them.
    """

    amount: Decimal | None = None
    currency: str | None = None
    provider_reference: str | None = None
    booked_at: datetime | None = None
    reference: str | None = None
    metadata: dict[str, str] = Field(default_factory=dict)


class Refusal(ResultModel):
    """Why a provider declined: its own code and text."""

    code: str
    text: str


class Operation(Envelope):
    """An operation as it stands. `processing` and `unknown` may still change; the others are final.

    `money`: what happened to it. `retry`: under which key to send the order again; None after a success. `result`: of
    its order's type, if it succeeded; None if an operator decided it by hand. `refusal`: if declined.
    """

    operation_id: str
    operation: str
    status: Literal["processing", "succeeded", "declined", "unknown", "not_executed"]
    # A deployment of an earlier version does not tell these of every status.
    money: Literal["moved", "not_moved", "unknown"] | None = None
    retry: Literal["same_key", "new_key"] | None = None
    created_at: datetime
    updated_at: datetime
    # Written out again, it has the fields of its own type.
    result: SerializeAsAny[ResultModel] | None = None
    refusal: Refusal | None = None


class DryRun(ResultModel):
    """What a dry run shows. Nothing was sent and nothing is kept: it is never the answer to an order.

    `status`: `would_not_send` if an order stands under the key, which would be answered instead; `operation_id` names
    it, and `money` tells what it did. `request`: method, host, path, headers and body, with `***` for what is secret.
    """

    status: Literal["would_send", "would_not_send"]
    operation: str
    money: Literal["moved", "not_moved", "unknown"]
    operation_id: str | None = None
    request: dict[str, Any]


class Page(ResultModel):
    """Some of a client's orders, newest first. `next_cursor`: names the page after it; None at the end."""

    operations: list[Operation]
    next_cursor: str | None = None


class ProviderHealth(ResultModel):
    """How a provider is. `down`: no order is sent to it; `degraded`: one at a time. `since`: its last change."""

    status: Literal["up", "degraded", "down"]
    since: datetime | None = None


class Health(ResultModel):
    """How the providers are, by name."""

    providers: dict[str, ProviderHealth]


class Report(ResultModel):
    """What our orders of a day and a provider's own list came to.

    `clean`: all was read, and no contradiction is open. `open_contradictions`, `open_later_events`: how many nobody has
    resolved. `counts`: orders and rows by class. `findings`: the contradictions, `later_events`: what was taken back
    later, at most 200 of each; one that a person has dealt with has `resolved_at` and `resolution`. `file`: in the
    archive's bucket.
    """

    provider: str
    date: str
    status: Literal["running", "complete", "incomplete"]
    clean: bool
    started_at: datetime
    finished_at: datetime | None = None
    counts: dict[str, int]
    findings: list[dict[str, str]]
    # A deployment of an earlier version does not have these.
    later_events: list[dict[str, str]] = Field(default_factory=list)
    open_contradictions: int | None = None
    open_later_events: int | None = None
    file: str | None = None
    notes: dict[str, str] = Field(default_factory=dict)


def read_page(body: Any) -> Page:
    """The operations in an answer of GET /operations."""
    return Page(operations=list(map(read_operation, body["operations"])), next_cursor=body.get("next_cursor"))


def read_operation(body: Any) -> Operation:
    """The operation in an answer of GET /operations/{operation_id}."""
    result = ORDERS[body["operation"]].read(body["result"]) if body.get("result") else None
    return Operation.model_validate({**body, "result": result})
