"""Cancel a capture, whole: Paynet "Finansallaştırma İptal"."""

from decimal import Decimal
from typing import Any

from vezne.api import handle_order
from vezne.operation import Operation, Order
from vezne.orders.evidence import Match, Row, absent_or, find, is_one_of, plain_number, plain_text
from vezne.orders.guards import Guard, PaidOnce
from vezne.orders.outcome import Finding, Inconclusive, Outcome, Succeeded
from vezne.orders.record import Record
from vezne.providers.credentials import PaynetCredentials, RequestCredentials
from vezne.providers.http import Deadline, ProviderResponse, Request, json_request
from vezne.providers.paynet import client as paynet
from vezne.providers.paynet.answers import outcome
from vezne.providers.paynet.models import CaptureResult, ReverseCaptureRequest


class ReverseCapture(Operation[ReverseCaptureRequest, CaptureResult, PaynetCredentials]):
    """POST /v1/transaction/capture_reversal."""

    name = "paynet.reverse_capture"
    route = "POST /paynet/capture-reversals"
    client = paynet.CLIENT
    reference_field = "xact_id"
    # What a second cancellation of the same capture does, and whether `check` lists them all, is not documented.
    resend_is_safe = False
    look_up_is_complete = False
    look_up_call = "POST v1/transaction/check, the capture and its reversal"

    def build(self, order: Order[ReverseCaptureRequest], access: RequestCredentials[PaynetCredentials]) -> Request:
        """ "Başarılı finansallaştırılmış kredi kartı işlemlerinin iptali": the cancelling of a successful capture."""
        return json_request(
            "/v1/transaction/capture_reversal", {"xact_id": order.request.xact_id}, paynet.headers(access)
        )

    def read(self, order: Order[ReverseCaptureRequest], answer: ProviderResponse) -> Outcome:  # noqa: ARG002
        """The page allows both types: "4:Finansallaştırma / 6: Finansallaştırma İptal", capture and its reversal."""
        return outcome(answer, paynet.CAPTURE_TYPES | paynet.REVERSAL_TYPES, None)

    def lookup_fields(self, order: Order[ReverseCaptureRequest]) -> dict[str, str]:
        """What names the capture."""
        return {"xact_id": order.request.xact_id}

    def guards(self, order: Order[ReverseCaptureRequest]) -> tuple[Guard, ...]:
        """A capture is cancelled once, under whatever key."""
        return (PaidOnce(order.request.xact_id),)

    def look_up(self, record: Record, deadline: Deadline) -> Finding:
        """The reversal that the capture's own row names, made when ours may have been, is proof. Nothing else is."""
        rows = paynet.check(record.lookup_fields, deadline)
        captures = [row for row in rows if is_one_of(row.get("transaction_type"), paynet.CAPTURE_TYPES)]
        own = [row for row in captures if plain_text(row.get("xact_id")) == record.lookup_fields["xact_id"]]
        amount = plain_number(own[0].get("amount")) if len(own) == 1 else None
        if amount is None:
            return Inconclusive("not one row of the capture")
        cancelled, number = own[0].get("reversed"), plain_text(own[0].get("reversed_xact_id"))
        listed = any(plain_text(row.get("xact_id")) == number for row in rows)
        if not absent_or(cancelled, lambda value: value is False or (value is True and listed)):
            return Inconclusive("the capture is cancelled by a transaction that is not listed")
        others = {plain_text(row.get("reversed_xact_id")) for row in captures if row is not own[0]}
        when = record.created_at, record.may_arrive_until + self.settling_time.total_seconds()
        reversal = number if cancelled is True else None
        return find([_row(row, reversal, others, when, amount) for row in rows], _found, filtered=True)


def _row(
    row: dict[str, Any], number: str | None, others: set[str | None], when: tuple[float, float], amount: Decimal
) -> Row:
    """A row as the evidence rule sees it. `number` names our capture's reversal, `others` those of other captures."""
    fits = row.get("amount") is not None and paynet.fits(row, paynet.REVERSAL_TYPES, (amount,))
    if is_one_of(row.get("transaction_type"), paynet.CAPTURE_TYPES | paynet.OTHER_TYPES - paynet.REVERSAL_TYPES):
        return Row(Match.ANOTHER, fits, row)
    own, made = plain_text(row.get("xact_id")) or "", paynet.made_at(row)
    if row.get("is_succeed") is False or (own in others and own != number):
        return Row(Match.ANOTHER, fits, row)
    named = own == number and number not in others and row.get("is_succeed") is True
    in_time = made is not None and when[0] <= made <= when[1]
    return Row(Match.OURS if named and in_time else Match.UNCLEAR, fits, row)


def _found(row: dict[str, Any]) -> tuple[Succeeded, dict[str, str | Decimal]]:
    return Succeeded(CaptureResult.model_validate(row).public()), {"xact_id": str(row["xact_id"])}


handler = handle_order.handler(ReverseCapture())
