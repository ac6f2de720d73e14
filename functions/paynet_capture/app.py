"""Capture a pre-authorisation, whole or in part: Paynet "Finansallaştırma"."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

from vezne import entry
from vezne.credentials import Access, PaynetCredentials
from vezne.inquiries import paynet
from vezne.models.paynet import CaptureRequest, CaptureResult
from vezne.money import amount_text, minor_units_text
from vezne.operation import Operation, Order
from vezne.outcome import (
    CredentialsRefused,
    Declined,
    Finding,
    Found,
    Inconclusive,
    NotFound,
    Outcome,
    Succeeded,
    Unknown,
)
from vezne.provider import Answer, Deadline, Request, json_request
from vezne.record import Guard, Record

# "transaction_type ... 4: Finansallaştırma".
CAPTURE = "4"
# Result codes (/genel-bilgiler/hata-kodlari): duplicatedata, servererror, timeout, oldsuccessful. Each may come with
# a capture that was made, now or before.
IN_DOUBT = frozenset({"5", "8", "10", "100"})
# The Error object comes with HTTP 400, 403, 404 and 405 (and 401, which the path reads for all providers).
ERROR_STATUSES = frozenset({400, 404, 405})
# A capture this little older than our claim may be ours by Paynet's clock, or the one before ours: it proves nothing.
CLOCK_DIFFERENCE = timedelta(minutes=5)


class Capture(Operation[CaptureRequest, PaynetCredentials]):
    """POST /v1/transaction/capture."""

    name = "paynet.capture"
    path = "/paynet/captures"
    request_model = CaptureRequest
    client = paynet.CLIENT
    # What a second capture of the same pre-authorisation does, and whether `check` lists captures, is not documented.
    resend_is_safe = False
    look_up_is_complete = False
    look_up_call = "POST v1/transaction/check, every row"

    def build(self, order: Order[CaptureRequest], access: Access[PaynetCredentials]) -> Request:
        """ "Tutar 100 ile çarpılmış olmalıdır. ... Boş gönderilirse ön provizyon tutarının tamamı alınır." """
        request = order.request
        amount = {} if request.amount is None else {"amount": minor_units_text(request.amount)}
        return json_request("/v1/transaction/capture", {**_reference(request), **amount}, paynet.headers(access))

    def read(self, order: Order[CaptureRequest], answer: Answer) -> Outcome:
        """ "Eğer işlem başarılı ise http 200 ve is_succeed true ... Banka onay vermemiş ise http 200 ve ... false"."""
        body = answer.json()
        if answer.status == 403:
            return CredentialsRefused("http-403", renewable=False)
        if answer.status in ERROR_STATUSES and "result_code" in body:
            code = str(body["result_code"])
            certain = code not in IN_DOUBT | {paynet.SUCCESSFUL}
            return Declined(code, str(body.get("message", ""))) if certain else Unknown(f"code {code}")
        if answer.status != 200 or not isinstance(body.get("is_succeed"), bool):
            return Unknown(f"http-{answer.status}")
        result = CaptureResult.model_validate(body)
        if not body["is_succeed"]:
            return _refusal(result)
        # The page's own sample answers amount 0 to a capture of 1.00, so 0 contradicts nothing; another amount does.
        wrong_amount = order.request.amount is not None and result.amount not in (None, 0, order.request.amount)
        wrong_type = result.transaction_type not in (None, CAPTURE)
        if result.code not in (None, paynet.SUCCESSFUL) or wrong_type or wrong_amount:
            return Unknown("contradictory answer")
        return Succeeded(result.public())

    def clues(self, order: Order[CaptureRequest]) -> dict[str, str]:
        """What names the pre-authorisation, and the amount if one was given."""
        amount = order.request.amount
        given = {} if amount is None else {"amount": amount_text(amount, "TRY"), "currency": "TRY"}
        return {**_reference(order.request), **given}

    def guards(self, order: Order[CaptureRequest]) -> tuple[Guard, ...]:
        """One capture at a time per pre-authorisation, so that a row found later is this order's."""
        return (Guard("\n".join(map("=".join, _reference(order.request).items())), remembers=("xact_id",)),)

    def look_up(self, record: Record, deadline: Deadline) -> Finding:
        """A successful capture row of our amount, made since our claim and of no other order, is proof."""
        reference = {name: value for name, value in record.clues.items() if name not in ("amount", "currency")}
        rows = paynet.check(reference, deadline)
        claimed = datetime.fromtimestamp(record.created_at, UTC)
        successes = (
            row
            for row in rows
            if row.is_succeed and not {row.xact_id, f"xact_id={row.xact_id}"} & record.memory.payments
        )
        captures = [row for row in successes if row.transaction_type == CAPTURE]
        recent = [row for row in captures if _made_at(row) >= claimed - CLOCK_DIFFERENCE]
        if not recent:
            return NotFound({"rows": str(len(rows)), "captures": str(len(captures))})
        amount = record.clues.get("amount")
        other_amount = amount is not None and recent[0].amount != Decimal(amount)
        if len(recent) > 1 or other_amount or _made_at(recent[0]) < claimed:
            return Inconclusive("captures that may be another order's")
        return Found(Succeeded(recent[0].capture().public()), {"xact_id": recent[0].xact_id or ""})


def _reference(request: CaptureRequest) -> dict[str, str]:
    given = {"xact_id": request.xact_id, "xact": request.xact, "reference_no": request.reference_no}
    return {name: value for name, value in given.items() if value}


def _made_at(row: CaptureResult) -> datetime:
    """From `2016-04-08T10:27:22.0296925+03:00`. Raises ValueError."""
    return datetime.fromisoformat(row.xact_date or "")


def _refusal(result: CaptureResult) -> Outcome:
    if result.code in IN_DOUBT:
        return Unknown(f"code {result.code}")
    code = result.bank_error_id or result.paynet_error_id or result.code or ""
    return Declined(code, result.bank_error_message or result.paynet_error_message or result.message or "")


handler = entry.handler(Capture())
