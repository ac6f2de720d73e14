"""Capture a pre-authorisation, whole or in part: Paynet "Finansallaştırma"."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

from vezne.api import handle_order
from vezne.operation import Operation, Order
from vezne.orders.evidence import Match, Row, find, is_one_of, plain_text
from vezne.orders.guards import Guard, OneAtATime
from vezne.orders.outcome import Finding, Outcome, Succeeded
from vezne.orders.record import Record
from vezne.platform.money import amount_text, minor_units_text
from vezne.providers.credentials import PaynetCredentials, RequestCredentials
from vezne.providers.http import Deadline, ProviderResponse, Request, json_request
from vezne.providers.paynet import client as paynet
from vezne.providers.paynet.answers import outcome
from vezne.providers.paynet.models import CaptureRequest, CaptureResult

# The names of a capture. `xact_id` may be another one in each answer, since it is encrypted; the others stay.
NAMES = ("xact_id", "id", "order_id", "authorization_code", "reference_code")
# Clocks may differ by so much. A capture that is older than our claim by less may be ours, or another one. It proves
# nothing.
CLOCK_DIFFERENCE = timedelta(minutes=5).total_seconds()


class Capture(Operation[CaptureRequest, CaptureResult, PaynetCredentials]):
    """POST /v1/transaction/capture."""

    name = "paynet.capture"
    route = "POST /paynet/captures"
    client = paynet.CLIENT
    reference_field = "xact_id"
    # It is not documented what a second capture of the same pre-authorisation does, nor whether `check` lists captures.
    resend_is_safe = False
    look_up_is_complete = False
    look_up_call = "POST v1/transaction/check, every row"

    def build(self, order: Order[CaptureRequest], access: RequestCredentials[PaynetCredentials]) -> Request:
        """ "Tutar 100 ile çarpılmış olmalıdır. ... Boş gönderilirse ön provizyon tutarının tamamı alınır." """
        request = order.request
        amount = {} if request.amount is None else {"amount": minor_units_text(request.amount)}
        return json_request("/v1/transaction/capture", {**_reference(request), **amount}, paynet.headers(access))

    def read(self, order: Order[CaptureRequest], answer: ProviderResponse) -> Outcome:
        """The page's sample answers amount 0 to a capture of 1.00. So 0 is no contradiction, and another amount is."""
        amount = order.request.amount
        return outcome(answer, paynet.CAPTURE_TYPES, None if amount is None else (amount, Decimal(0)))

    def lookup_fields(self, order: Order[CaptureRequest]) -> dict[str, str]:
        """The names of the pre-authorisation, and the amount if one was given."""
        amount = order.request.amount
        given = {} if amount is None else {"amount": amount_text(amount, "TRY"), "currency": "TRY"}
        return {**_reference(order.request), **given}

    def guards(self, order: Order[CaptureRequest]) -> tuple[Guard, ...]:
        """One capture at a time per pre-authorisation, so that a row found later is this order's.

        `NAMES` also name a row in a decision by hand.
        """
        return (OneAtATime("\n".join(map("=".join, _reference(order.request).items())), NAMES),)

    def look_up(self, record: Record, deadline: Deadline) -> Finding:
        """Proof is one successful capture of our amount, made at a possible time of ours, and of no other order."""
        given = record.lookup_fields.get("amount")
        amounts = None if given is None else (Decimal(given),)
        reference = {name: value for name, value in record.lookup_fields.items() if name not in ("amount", "currency")}
        latest = record.may_arrive_until + self.settling_time.total_seconds()
        rows = [
            Row(
                _match(row, record, latest),
                row.get("amount") is not None and paynet.fits(row, paynet.CAPTURE_TYPES, amounts),
                row,
            )
            for row in paynet.check(reference, deadline)
        ]

        def found(row: dict[str, Any]) -> tuple[Succeeded, dict[str, str | Decimal]]:
            return Succeeded(CaptureResult.model_validate(row).public()), {"xact_id": str(row.get("xact_id", ""))}

        return find(rows, found, filtered=True)


def _match(row: dict[str, Any], record: Record, latest: float) -> Match:
    """Whether a row is our capture. It has no name of ours, so its time must fit, and no other order may fit."""
    kind, memory = row.get("transaction_type"), record.memory
    names = {f"{name}={plain_text(row.get(name))}" for name in NAMES} | {plain_text(row.get("xact_id"))}
    if is_one_of(kind, paynet.OTHER_TYPES) or row.get("is_succeed") is False or names & memory.payments:
        return Match.ANOTHER
    made = paynet.made_at(row)
    if not is_one_of(kind, paynet.CAPTURE_TYPES) or row.get("is_succeed") is not True or made is None:
        return Match.UNCLEAR
    if made < record.created_at - CLOCK_DIFFERENCE:
        return Match.ANOTHER
    near_another = any(abs(made - time) <= CLOCK_DIFFERENCE for time in memory.finalised_at)
    return Match.OURS if record.created_at <= made <= latest and not near_another else Match.UNCLEAR


def _reference(request: CaptureRequest) -> dict[str, str]:
    given = {"xact_id": request.xact_id, "xact": request.xact, "reference_no": request.reference_no}
    return {name: value for name, value in given.items() if value}


handler = handle_order.handler(Capture())
