"""A typed client of the API over httpx, blocking and asynchronous; the end-to-end tests use it.

with Client(api_url, Credentials(token_url, client_id, client_secret)) as vezne:
    done = vezne.order(CAPTURE, CaptureRequest(reference_no="R-1", amount="10.00"), key="invoice-4711")
    done.operation_id, done.result
"""

from .calls import (
    CAPTURE,
    CHECK,
    COLLECT,
    INQUIRIES,
    LIST_BILLS,
    LIST_TRANSACTIONS,
    LIST_VAULTS,
    ORDERS,
    PAY,
    PAY_BILL,
    PAYMENT_PLAN,
    PRODUCT_DETAIL,
    QUERY,
    SET_EXPENSES,
    InquiryCall,
    Operation,
    OrderCall,
    Refusal,
)
from .clients import AsyncClient, Client, Credentials
from .steps import NotSent, OutcomeUnknown, Problem, ResultDoesNotFit, Succeeded, Unanswered

__all__ = [
    "CAPTURE",
    "CHECK",
    "COLLECT",
    "INQUIRIES",
    "LIST_BILLS",
    "LIST_TRANSACTIONS",
    "LIST_VAULTS",
    "ORDERS",
    "PAY",
    "PAYMENT_PLAN",
    "PAY_BILL",
    "PRODUCT_DETAIL",
    "QUERY",
    "SET_EXPENSES",
    "AsyncClient",
    "Client",
    "Credentials",
    "InquiryCall",
    "NotSent",
    "Operation",
    "OrderCall",
    "OutcomeUnknown",
    "Problem",
    "Refusal",
    "ResultDoesNotFit",
    "Succeeded",
    "Unanswered",
]
