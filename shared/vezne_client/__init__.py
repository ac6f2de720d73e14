"""A typed client of the API over httpx, blocking and asynchronous; the end-to-end tests use it.

with Client(api_url, Credentials(token_url, client_id, client_secret)) as vezne:
    done = vezne.order(CAPTURE, CaptureRequest(reference_no="R-1", amount="10.00"), key="invoice-4711")
    done.operation_id, done.result
"""

from . import calls
from .calls import *  # noqa: F403 - what can be called is said once, there
from .clients import AsyncClient, Client, Credentials
from .steps import NotSent, OutcomeUnknown, Problem, ResultDoesNotFit, Succeeded, Unanswered

__all__ = [
    "AsyncClient",
    "Client",
    "Credentials",
    "NotSent",
    "OutcomeUnknown",
    "Problem",
    "ResultDoesNotFit",
    "Succeeded",
    "Unanswered",
]
__all__ += calls.__all__
