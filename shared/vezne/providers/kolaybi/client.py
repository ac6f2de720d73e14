"""KolayBi: login (/docs/auth), an associate's transactions, and the vaults (/docs/associates, /docs/vaults)."""

import re
from collections.abc import Collection
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode

from vezne.orders.evidence import Match, absent_or, is_amount, is_one_of, plain_text, says_nothing
from vezne.orders.outcome import REFUSING_STATUSES, Declined
from vezne.orders.record import OPERATION_ID
from vezne.platform.signing import bearer
from vezne.providers.client import Client, InquiryRefusedError, InquiryUnreadableError, ask, log_in, read_token
from vezne.providers.credentials import CredentialCache, KolayBiCredentials, RequestCredentials, Token
from vezne.providers.http import Deadline, Provider, Request, UnreadableError, json_request

# "24 saat" (24 hours; /docs/faq). The answer does not say how long a token is valid.
TOKEN_SECONDS = 24 * 3600.0
# The only values of `transaction_status` and `transaction_type` on the page of a collection: completed, collection.
COMPLETED, COLLECTION = "Tamamlandı", "Tahsilat"

_SUCCESS_CODES = frozenset({"200", "201"})
_HTTP_STATUS = re.compile(r"[1-5][0-9]{2}", re.ASCII)
_MARKER = re.compile(OPERATION_ID + r"\.d[0-9]{6}(?:\s|$)", re.ASCII)
# Where clients find the rows of a list, if `data` is not the list.
_ROWS_UNDER = ("data", "items", "results")
# Common sizes of a page. A list of such a length, in an answer that names no pages, may be only the first page.
_PAGE_SIZES = frozenset({20, 50, 100})
_MOST_PAGES = 10
# Usual names of fields that mark a row as cancelled or deleted.
_TAKEN_BACK = ("deleted_at", "cancelled_at", "canceled_at", "is_deleted", "is_cancelled", "is_canceled")

PROVIDER = Provider("KOLAYBI_URL")


def headers(access: RequestCredentials[KolayBiCredentials]) -> dict[str, str]:
    """The two headers of every call: `Authorization: Bearer ...` and `Channel`."""
    return {"Authorization": bearer(access.token), "Channel": access.credentials.channel.get_secret_value()}


def _log_in(credentials: KolayBiCredentials, _version: str, deadline: Deadline) -> Token:
    request = json_request(
        "/kolaybi/v1/access_token",
        {"api_key": credentials.api_key.get_secret_value()},
        {"Channel": credentials.channel.get_secret_value()},
    )
    return read_token(log_in(PROVIDER, request, deadline), "data", TOKEN_SECONDS)


def _probe(deadline: Deadline) -> None:
    vaults({}, deadline)


CLIENT = Client(PROVIDER, CredentialCache(KolayBiCredentials, _log_in), probe=_probe)


@dataclass(frozen=True, slots=True)
class TransactionList:
    """An associate's transactions. `whole`: there is no sign of more rows."""

    rows: list[dict[str, Any]]
    whole: bool


def list_transactions(associate_id: str, deadline: Deadline) -> TransactionList:
    """Every page of an associate's transactions. The provider's page shows only the path.

    Raises InquiryFailedError, also for a list in a form that is not known.
    """
    rows: list[dict[str, Any]] = []
    number, last = 1, 1
    while number <= min(last, _MOST_PAGES):
        body = transactions(associate_id, deadline, number)
        rows += rows_of(body)
        pages = _pages(body, number)
        if pages is None:
            if number > 1:
                raise InquiryUnreadableError("page without a number")
            return TransactionList(rows, len(rows) not in _PAGE_SIZES)
        number, last = number + 1, pages
    return TransactionList(rows, last <= _MOST_PAGES)


def transactions(associate_id: str, deadline: Deadline, page: int = 1) -> dict[str, Any]:
    """The answer about an associate's transactions as it came. Raises InquiryFailedError."""
    query = f"?page={page}" if page > 1 else ""
    return _get(f"/kolaybi/v1/associates/{associate_id}/transactions{query}", deadline)


def vaults(filters: dict[str, str], deadline: Deadline) -> dict[str, Any]:
    """The answer about the vaults (kasa and bank accounts) as it came. Raises InquiryFailedError."""
    return _get("/kolaybi/v1/vaults" + (f"?{urlencode(filters)}" if filters else ""), deadline)


def invoice(document_id: str, deadline: Deadline) -> dict[str, Any]:
    """The answer about one invoice as it came. No page shows it; two public clients ask so.

    Raises InquiryFailedError.
    """
    return _get(f"/kolaybi/v1/invoices/{document_id}", deadline)


def invoices(filters: dict[str, Any], deadline: Deadline) -> dict[str, Any]:
    """The answer about the invoices (/docs/invoices/list) as it came. Raises InquiryFailedError."""
    return _get("/kolaybi/v1/invoices" + (f"?{urlencode(filters)}" if filters else ""), deadline)


def message(body: dict[str, Any]) -> str:
    """The text of a refusal. No error envelope is documented; clients read `message`, `error.message` or `errors`."""
    error = body.get("error")
    told = body.get("message") or (error.get("message") if isinstance(error, dict) else error)
    return str(told or "; ".join(_texts(body.get("errors")) or ()))


def shows_failure(fields: dict[str, Any]) -> bool:
    """Whether an answer or a row has a sign of failure: `success` other than true, or errors."""
    succeeded = absent_or(fields.get("success"), lambda value: value is True)
    return not (succeeded and says_nothing(fields.get("errors")) and says_nothing(fields.get("error")))


def is_success(body: dict[str, Any], amount: Decimal, currency: str) -> bool:
    """Whether an answer says that this amount was collected, and nothing else."""
    data = success_data(body, ("transaction_status", "amount", "currency"))
    return data is not None and fits(data, amount, currency)


def success_data(body: dict[str, Any], needed: Collection[str]) -> dict[str, Any] | None:
    """The `data` of an answer that has the needed fields and no sign of failure around them; None of any other."""
    data = body.get("data")
    if not isinstance(data, dict) or None in (data.get(name) for name in needed):
        return None
    plain_code = absent_or(body.get("code"), lambda code: is_one_of(code, _SUCCESS_CODES))
    return data if plain_code and not shows_failure(body) else None


def fits(fields: dict[str, Any], amount: Decimal, currency: str) -> bool:
    """Whether every field of an answer's `data`, or of a row, fits a completed collection of this amount."""
    of_amount = absent_or(fields.get("amount"), lambda value: is_amount(value, amount))
    # The older page has "TRY", the newer one "try".
    in_currency = absent_or(fields.get("currency"), lambda value: isinstance(value, str) and value.upper() == currency)
    return of_amount and in_currency and is_completed(fields)


def is_completed(fields: dict[str, Any]) -> bool:
    """Whether no field of an answer's `data`, or of a row, says something else than a completed collection."""
    fitting = {
        **dict.fromkeys(("transaction_status", "status"), COMPLETED),
        **dict.fromkeys(("transaction_type", "type"), COLLECTION),
    }
    said = all(fields.get(name) in (None, told) for name, told in fitting.items())
    taken_back = any(fields.get(name) not in (None, False, 0, "") for name in _TAKEN_BACK)
    return said and not taken_back and not shows_failure(fields)


def refusal(status: int, body: dict[str, Any]) -> Declined | None:
    """A refusal in KolayBi's own envelope, or None if the answer is not certainly one.

    No page shows the envelope. Clients read `success` false with a code, a message or errors.
    """
    code, errors, text = plain_text(body.get("code")), _texts(body.get("errors")), body.get("message")
    plain = absent_or(body.get("code"), lambda _: code is not None) and absent_or(text, lambda _: isinstance(text, str))
    told = [part for part in (code, text, *(errors or ())) if isinstance(part, str) and part.strip()]
    refuses = status in REFUSING_STATUSES and body.get("success") is False and plain and errors is not None
    signs_of_success = (
        not says_nothing(body.get("data")),
        "transaction_status" in body,
        COMPLETED in told,
        # A code may be an HTTP status: then it must be one of a refusal.
        code == "0" or bool(_HTTP_STATUS.fullmatch(code or "") and int(code or 0) not in REFUSING_STATUSES),
    )
    if not (refuses and told) or any(signs_of_success):
        return None
    return Declined(code or str(status), message(body))


def match_marker(row: dict[str, Any], marker: str, *, in_front: bool) -> Match:
    """Whether a row's description has our marker. `in_front`: with the day, and before the caller's text.

    A row that names the order in another way proves nothing. It may be a reversal of the order, or a note about it.
    """
    text = row.get("description")
    if not isinstance(text, str) or not text.strip():
        return Match.UNCLEAR
    if text == marker or (text.startswith(f"{marker} ") if in_front else text.endswith(f" {marker}")):
        return Match.OURS
    own_id = marker.partition(".")[0]
    another_day = in_front and _MARKER.match(text) and text.startswith(own_id) and marker not in str(row).casefold()
    # A short column may have cut the marker.
    cut = marker.startswith(text.strip().casefold())
    return Match.UNCLEAR if cut or (mentions(row, marker) and not another_day) else Match.ANOTHER


def mentions(row: dict[str, Any], marker: str) -> bool:
    """Whether the order's id is anywhere in a row, in capital or small letters."""
    return marker.partition(".")[0] in str(row).casefold()


def _get(path: str, deadline: Deadline) -> dict[str, Any]:
    answer = ask(
        CLIENT, deadline, lambda access: Request("GET", path, {"Accept": "application/json", **headers(access)})
    )
    reason = f"http-{answer.status}"
    try:
        body = answer.json()
    except UnreadableError:
        raise InquiryUnreadableError("unreadable" if answer.status == 200 else reason) from None
    if answer.status == 200:
        return body
    raise InquiryRefusedError(reason, str(body.get("code", answer.status)), message(body))


def rows_of(body: dict[str, Any]) -> list[dict[str, Any]]:
    """The rows of a list: `data`, or the one list that clients read under it. Raises InquiryUnreadableError."""
    data = body.get("data")
    lists = [data[name] for name in _ROWS_UNDER if name in data] if isinstance(data, dict) else [data]
    rows = lists[0] if len(lists) == 1 else None
    if shows_failure(body) or not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise InquiryUnreadableError("unreadable")
    return rows


def rows_if_known(body: dict[str, Any]) -> list[dict[str, Any]] | None:
    """The rows of a list, or None if it is in a form that is not known."""
    try:
        return rows_of(body)
    except InquiryUnreadableError:
        return None


def _pages(body: dict[str, Any], number: int) -> int | None:
    """How many pages there are; None if the answer does not say. Raises InquiryUnreadableError."""
    data = body.get("data")
    inner = data if isinstance(data, dict) else {}
    about: Any = body.get("pagination", inner.get("pagination", inner if "current_page" in inner else None))
    if about is None:
        return None
    told = [about.get(name) for name in ("last_page", "total", "per_page")] if isinstance(about, dict) else []
    if not told or _count(about.get("current_page")) != number:
        raise InquiryUnreadableError("pages in an unknown form")
    last, total, size = map(_count, told)
    if told[0] is None and total is not None and size:
        last = -(-total // size)
    if last is None:
        raise InquiryUnreadableError("pages in an unknown form")
    return last


def _count(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None


def _texts(errors: Any) -> list[str] | None:
    """All texts of `errors`: a list of them, or texts by field. None for another form."""
    parts = list(errors.values()) if isinstance(errors, dict) else ([] if errors is None else errors)
    if not isinstance(parts, list):
        return None
    texts = [
        text for part in parts for text in (part if isinstance(errors, dict) and isinstance(part, list) else [part])
    ]
    return texts if all(isinstance(text, str) for text in texts) else None
