"""Paynet v1/transaction/check and v1/transaction/detail."""

from typing import Any

from pydantic import ValidationError

from vezne.credentials import Access, Keyring, PaynetCredentials
from vezne.inquiries import Client, InquiryFailedError, ask
from vezne.models.paynet import CaptureResult
from vezne.provider import Deadline, Provider, UnreadableError, json_request
from vezne.signing import basic_secret_key

PROVIDER = Provider("PAYNET_URL")
CLIENT = Client(PROVIDER, Keyring(PaynetCredentials))


class TransactionRow(CaptureResult):
    """One row of `Data[]`: a pre-authorisation, a sale or a capture."""

    is_succeed: bool | None = None


def headers(access: Access[PaynetCredentials]) -> dict[str, str]:
    """`Authorization: Basic <secret_key>`, and the content type the provider's pages show."""
    return {
        "Authorization": basic_secret_key(access.credentials.secret_key.get_secret_value()),
        "Content-Type": "application/json; charset=UTF-8",
    }


def check(reference: dict[str, str], deadline: Deadline) -> list[TransactionRow]:
    """Every row of a transaction. `check` takes xact_id or reference_no; the plain `xact` only `detail` takes.

    Raises InquiryFailedError.
    """
    service = "detail" if set(reference) == {"xact"} else "check"
    fields = {name: value for name, value in reference.items() if service == "detail" or name != "xact"}
    answer = ask(CLIENT, deadline, lambda access: json_request(f"/v1/transaction/{service}", fields, headers(access)))
    try:
        body = answer.json()
        if answer.status != 200:
            raise InquiryFailedError(f"http-{answer.status}")
        rows: Any = body.get("Data", body.get("data"))
        if not isinstance(rows, list):
            raise InquiryFailedError("no rows")
        return [TransactionRow.model_validate(row) for row in rows]
    except (UnreadableError, ValidationError):
        raise InquiryFailedError("unreadable") from None
