"""walletgate: login ("Get Access Token"), TransactionData/SummaryRecordByFilter, InvoicePayment's two inquiries."""

import time
from datetime import UTC, datetime, timedelta
from typing import Any

from vezne.orders.evidence import tells_of_more
from vezne.platform.signing import bearer
from vezne.providers.client import (
    Client,
    InquiryRefusedError,
    InquiryUnreadableError,
    ask,
    log_in,
    read_token,
)
from vezne.providers.credentials import CredentialCache, RequestCredentials, Token, WalletgateCredentials
from vezne.providers.http import Deadline, Provider, UnreadableError, form_request, json_request
from vezne.providers.walletgate import signs as walletgate_signs

_PAGE_SIZE = 50
# The page shows `results`; a list of the same platform has `items`.
_ITEMS = ("results", "items")
# An order has one payment. More than one page means that the platform did not filter.
_PAGES = 5

PROVIDER = Provider("WALLETGATE_URL")
IDENTITY = Provider("WALLETGATE_IDENTITY_URL")


def headers(access: RequestCredentials[WalletgateCredentials]) -> dict[str, str]:
    """The two headers of every call: the bearer token and the platform key."""
    platform_key = access.credentials.platform_key.get_secret_value()
    return {"Authorization": bearer(access.token), "x-client-id": platform_key}


def _log_in(credentials: WalletgateCredentials, _version: str, deadline: Deadline) -> Token:
    request = form_request(
        "/connect/token",
        [
            ("grant_type", "client_credentials"),
            ("client_id", credentials.client_id.get_secret_value()),
            ("client_secret", credentials.client_secret.get_secret_value()),
            ("scope", credentials.scope),
        ],
        {},
    )
    return read_token(log_in(IDENTITY, request, deadline), "access_token")


def _names_account(credentials: WalletgateCredentials) -> dict[str, str]:
    return {} if credentials.tenant_id is None else {"tenant_id": str(credentials.tenant_id)}


def _probe(deadline: Deadline) -> None:
    """Ask for a payment that was never made."""
    now = time.time()
    find_transactions("vezne-probe", now, now, deadline)


CLIENT = Client(PROVIDER, CredentialCache(WalletgateCredentials, _log_in), _names_account, IDENTITY, probe=_probe)


def find_transactions(ext_transaction_id: str, since: float, until: float, deadline: Deadline) -> list[Any]:
    """Every item under one `ext_transaction_id` between two times (seconds since 1970), as it came.

    The times are always sent: without them the platform lists one day only. Pages are read until the end. It is not
    documented whether pages count from 0 or 1. So a page that repeats the previous one is not counted twice. Raises
    InquiryFailedError, also if the end was not reached.
    """
    items: list[Any] = []
    for page in range(_PAGES):
        fields = {
            "page_size": _PAGE_SIZE,
            "page_index": page,
            "order_column": "CreatedDateUtc",
            "order_by": "desc",
            "ext_transaction_id": ext_transaction_id,
            "start_date": _utc(since - timedelta(minutes=10).total_seconds()),
            "end_date": _utc(until + timedelta(minutes=10).total_seconds()),
        }
        payload = _payload("/v1/TransactionData/SummaryRecordByFilter", fields, deadline)
        place: dict[str, Any] = payload if isinstance(payload, dict) else {"items": payload}
        lists = [place[name] for name in _ITEMS if name in place]
        on_page = lists[0] if len(lists) == 1 else None
        if not isinstance(on_page, list):
            raise InquiryUnreadableError("no items")
        items += [item for item in on_page if item not in items]
        if len(on_page) < _PAGE_SIZE and not tells_of_more(place, len(items)):
            return items
    raise InquiryUnreadableError("more pages than are read")


def bill_rows(fields: dict[str, str], deadline: Deadline) -> list[Any]:
    """`GetInvoicesByProductAndSubscriber`: a subscriber's open bills as they came. Raises InquiryFailedError."""
    rows = _payload("/v1/InvoicePayment/GetInvoicesByProductAndSubscriber", fields, deadline)
    if not isinstance(rows, list):
        raise InquiryUnreadableError("no bills")
    return rows


def product_detail(product_oid: str, deadline: Deadline) -> Any:
    """`GetProductDetailByProductId`: a biller's description as it came. Raises InquiryFailedError."""
    return _payload("/v1/InvoicePayment/GetProductDetailByProductId", {"product_oid": product_oid}, deadline)


def _payload(path: str, fields: dict[str, Any], deadline: Deadline) -> Any:
    """`payload` of an answer that says success. Raises InquiryFailedError."""
    answer = ask(CLIENT, deadline, lambda access: json_request(path, fields, headers(access)))
    try:
        body = answer.json()
    except UnreadableError:
        raise InquiryUnreadableError("unreadable") from None
    if walletgate_signs.says_success(answer, body):
        return body.get("payload")
    code = str(body.get("code"))
    # Only the code says success: this contradicts itself, so it is neither an answer nor a refusal.
    if "code" in body and code != walletgate_signs.SUCCESS_CODE:
        raise InquiryRefusedError(f"http-{answer.status}", code, str(body.get("message", "")))
    raise InquiryUnreadableError(f"http-{answer.status}")


def _utc(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
