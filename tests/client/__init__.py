"""A typed client of the API over httpx, blocking and asynchronous; the end-to-end tests use it.

with Client(api_url, Credentials(token_url, client_id, client_secret)) as vezne:
    done = vezne.order(CAPTURE, CaptureRequest(reference_no="R-1", amount="10.00"), key="invoice-4711")
    done.operation_id, done.result
"""

from .calls import (
    CAPTURE,
    CHECK,
    COLLECT,
    LIST_BILLS,
    LIST_TRANSACTIONS,
    LIST_VAULTS,
    PAY,
    PAY_BILL,
    PAYMENT_PLAN,
    PRODUCT_DETAIL,
    QUERY,
    SET_EXPENSES,
    InquiryCall,
    OrderCall,
)
from .clients import AsyncClient, Client, Credentials
from .steps import NotSent, Operation, OutcomeUnknown, Problem, ResultDoesNotFit, Succeeded, Unanswered

__all__ = [
    "CAPTURE",
    "CHECK",
    "COLLECT",
    "LIST_BILLS",
    "LIST_TRANSACTIONS",
    "LIST_VAULTS",
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
    "ResultDoesNotFit",
    "Succeeded",
    "Unanswered",
]
