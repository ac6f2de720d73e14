"""KolayBi: login (/docs/auth) and an associate's transactions (/docs/associates/transactions)."""

from typing import Any

from pydantic import ValidationError

from vezne.credentials import Access, Keyring, KolayBiCredentials, Token
from vezne.inquiries import Client, InquiryFailedError, ask, log_in, read_token
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
    path = f"/kolaybi/v1/associates/{associate_id}/transactions"
    answer = ask(
        CLIENT, deadline, lambda access: Request("GET", path, {"Accept": "application/json", **headers(access)})
    )
    if answer.status != 200:
        raise InquiryFailedError(f"http-{answer.status}")
    try:
        return [TransactionRow.model_validate(row) for row in _rows(answer.json())]
    except (UnreadableError, ValidationError):
        raise InquiryFailedError("unreadable") from None


def _rows(value: Any) -> list[dict[str, Any]]:
    """Every object in an answer that holds a text, wherever it stands."""
    if isinstance(value, list):
        return [row for item in value for row in _rows(item)]
    if isinstance(value, dict):
        own = [value] if any(isinstance(item, str) for item in value.values()) else []
        return own + [row for item in value.values() for row in _rows(item)]
    return []
