"""KolayBi: login (/docs/auth), an associate's transactions, and the vaults (/docs/associates, /docs/vaults)."""

from typing import Any
from urllib.parse import urlencode

from pydantic import ValidationError

from vezne.credentials import Access, Keyring, KolayBiCredentials, Token
from vezne.inquiries import Client, InquiryRefusedError, InquiryUnreadableError, ask, log_in, read_token
from vezne.models.kolaybi import TransactionRow
from vezne.provider import Deadline, Provider, Request, UnreadableError, json_request
from vezne.signing import bearer

# "24 saat" (/docs/faq); the answer itself carries no lifetime.
TOKEN_SECONDS = 24 * 3600.0

PROVIDER = Provider("KOLAYBI_URL")


def headers(access: Access[KolayBiCredentials]) -> dict[str, str]:
    """The two headers of every call: `Authorization: Bearer ...` and `Channel`."""
    return {"Authorization": bearer(access.token), "Channel": access.credentials.channel.get_secret_value()}


def _log_in(credentials: KolayBiCredentials, _version: str, deadline: Deadline) -> Token:
    request = json_request(
        "/kolaybi/v1/access_token",
        {"api_key": credentials.api_key.get_secret_value()},
        {"Channel": credentials.channel.get_secret_value()},
    )
    return read_token(log_in(PROVIDER, request, deadline), "data", TOKEN_SECONDS)


CLIENT = Client(PROVIDER, Keyring(KolayBiCredentials, _log_in))


def list_transactions(associate_id: str, deadline: Deadline) -> list[TransactionRow]:
    """An associate's transactions. The page documents only the path, so rows are looked for all over the answer.

    Raises InquiryFailedError.
    """
    try:
        return [TransactionRow.model_validate(row) for row in _rows(transactions(associate_id, deadline))]
    except ValidationError:
        raise InquiryUnreadableError("unreadable") from None


def transactions(associate_id: str, deadline: Deadline) -> dict[str, Any]:
    """The answer about an associate's transactions as it came. Raises InquiryFailedError."""
    return _get(f"/kolaybi/v1/associates/{associate_id}/transactions", deadline)


def vaults(filters: dict[str, str], deadline: Deadline) -> dict[str, Any]:
    """The answer about the vaults (kasa and bank accounts) as it came. Raises InquiryFailedError."""
    return _get("/kolaybi/v1/vaults" + (f"?{urlencode(filters)}" if filters else ""), deadline)


def message(body: dict[str, Any]) -> str:
    """The text of a refusal. No error envelope is documented; clients read `message` or `error.message`."""
    error = body.get("error")
    return str(body.get("message") or (error.get("message") if isinstance(error, dict) else error) or "")


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


def _rows(value: Any) -> list[dict[str, Any]]:
    """Every object in an answer that holds a text, wherever it stands."""
    if isinstance(value, list):
        return [row for item in value for row in _rows(item)]
    if isinstance(value, dict):
        own = [value] if any(isinstance(item, str) for item in value.values()) else []
        return own + [row for item in value.values() for row in _rows(item)]
    return []
