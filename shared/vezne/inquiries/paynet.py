"""Paynet v1/transaction/check and v1/transaction/detail."""

from typing import Any

from pydantic import ValidationError

from vezne.credentials import Access, Keyring, PaynetCredentials
from vezne.inquiries import Client, InquiryLoginRefusedError, InquiryRefusedError, InquiryUnreadableError, ask
from vezne.models.paynet import CaptureResult
from vezne.provider import Deadline, Provider, UnreadableError, json_request
from vezne.signing import basic_secret_key

SUCCESSFUL = "0"

PROVIDER = Provider("PAYNET_URL")
CLIENT = Client(PROVIDER, Keyring(PaynetCredentials))


class TransactionRow(CaptureResult, defer_build=True):
    """One row of `Data[]`: a pre-authorisation, a sale or a capture."""

    is_succeed: bool | None = None
    # The plain id; xact_id is the encrypted one.
    id: str | None = None
    # "agent_reference (= reference_no)": the same in all rows of one transaction.
    agent_reference: str | None = None

    def capture(self) -> CaptureResult:
        """What the row tells of a capture, as the answer to one tells it."""
        return CaptureResult(**self.model_dump(include=set(CaptureResult.model_fields)))


def headers(access: Access[PaynetCredentials]) -> dict[str, str]:
    """`Authorization: Basic <secret_key>`, and the content type the provider's pages show."""
    return {
        "Authorization": basic_secret_key(access.credentials.secret_key.get_secret_value()),
        "Content-Type": "application/json; charset=UTF-8",
    }


def check(reference: dict[str, str], deadline: Deadline) -> list[TransactionRow]:
    """Every row of a transaction, read as a capture.

    Raises InquiryFailedError, also if it cannot be told which rows are the transaction's.
    """
    try:
        rows = [TransactionRow.model_validate(row) for row in transaction_rows(reference, deadline)]
    except ValidationError:
        raise InquiryUnreadableError("unreadable") from None
    return _of_one_transaction(rows, reference)


def transaction_rows(reference: dict[str, str], deadline: Deadline) -> list[Any]:
    """`Data[]` as it came. `check` takes xact_id or reference_no; the plain `xact` only `detail` takes.

    Raises InquiryFailedError.
    """
    service = "detail" if set(reference) == {"xact"} else "check"
    fields = {name: value for name, value in reference.items() if service == "detail" or name != "xact"}
    answer = ask(CLIENT, deadline, lambda access: json_request(f"/v1/transaction/{service}", fields, headers(access)))
    try:
        body = answer.json()
    except UnreadableError:
        raise InquiryUnreadableError("unreadable") from None
    rows: Any = body.get("Data", body.get("data"))
    if answer.status == 200 and isinstance(rows, list):
        return rows
    reason = "no rows" if answer.status == 200 else f"http-{answer.status}"
    if answer.status == 403:
        raise InquiryLoginRefusedError(reason)
    code = body.get("result_code", body.get("code") if answer.status == 200 else None)
    if code is None or str(code) == SUCCESSFUL:
        raise InquiryUnreadableError(reason)
    raise InquiryRefusedError(reason, str(code), str(body.get("message", "")))


def _of_one_transaction(rows: list[TransactionRow], reference: dict[str, str]) -> list[TransactionRow]:
    """The rows that share the reference of the transaction we asked for. Raises InquiryFailedError."""
    named = {
        row.agent_reference
        for row in rows
        if row.xact_id == reference.get("xact_id", "")
        or row.id == reference.get("xact", "")
        or row.agent_reference == reference.get("reference_no", "")
    }
    shared = (named or {row.agent_reference for row in rows}) - {None}
    if len(shared) > 1:
        raise InquiryUnreadableError("rows of several transactions")
    return [row for row in rows if row.agent_reference in shared | {None}]
