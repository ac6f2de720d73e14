"""The rows of a transaction, as check and detail list them."""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from vezne_sandbox.ledger import ISTANBUL, Clock, seven_digit_fraction
from vezne_sandbox.odd import Names, in_form
from vezne_sandbox.paynet.pre_authorisations import (
    CAPTURE_REVERSAL_TYPE,
    CAPTURE_TYPE,
    PRE_AUTHORISATION_REVERSAL_TYPE,
    PRE_AUTHORISATION_TYPE,
    REFUND_TYPE,
    SALE_TYPE,
    PreAuthorisation,
)
from vezne_sandbox.wire import Call, Reply, json_reply

ROW_FAULTS = frozenset({"unnamed_row", "odd_row", "new_ids", "letters", "clock_ahead"})
ROW = Names(
    reference="xact_id",
    amount="amount",
    currency="currency",
    signs=("is_succeed",),
    cancelled={"reversed": True},
    pending={"is_succeed": None},
)
LETTERS = {
    PRE_AUTHORISATION_TYPE: "PR",
    CAPTURE_TYPE: "CR",
    PRE_AUTHORISATION_REVERSAL_TYPE: "RP",
    CAPTURE_REVERSAL_TYPE: "RC",
    SALE_TYPE: "S",
    REFUND_TYPE: "CD",
}


def rows_of(target: PreAuthorisation, clock: Clock, call: Call, more: dict[str, Any]) -> Reply:
    """List the pre-authorisation and what was booked under it; ``more`` are fields that each row has besides."""
    latest = clock.now() - call.hidden_seconds
    shown = [b for b in target.bookings if not call.hidden_seconds or b.at <= latest]
    numbers = {booking.answer["xact_id"] for booking in shown}
    pre_authorisation = {"id": target.xact, "xact_id": target.xact_id, "transaction_type": target.transaction_type}
    reversal = {"reversed_xact_id": target.reversal.answer["xact_id"]} if target.reversal else {}
    rows = [
        _row(pre_authorisation, target.amount, target.reference_no, target.at, more | _cancelled(reversal, numbers))
    ]
    rows += [_row(b.answer, b.amount, target.reference_no, b.at, more | _cancelled(b.answer, numbers)) for b in shown]
    if call.row_form is not None:
        rows = [in_form(row, ROW, call.row_form) for row in rows]
    if call.clock_ahead:
        rows = [{**row, "xact_date": ahead(row["xact_date"], call.clock_ahead)} for row in rows]
    if call.new_ids:
        rows = [{**row, "xact_id": f"xk_{uuid.uuid4().hex}"} for row in rows]
    if call.letters:
        rows = [{**row, "transaction_type": LETTERS[row["transaction_type"]]} for row in rows]
    if call.foreign_amount is not None:
        foreign = {"id": "1", "xact_id": f"xk_{uuid.uuid4().hex}", "transaction_type": CAPTURE_TYPE}
        rows.insert(0, _row(foreign, call.foreign_amount, f"foreign-{uuid.uuid4()}", clock.now(), more))
    return json_reply({"object_name": "transaction", "code": 0, "message": "Başarılı İşlem", "Data": rows})


def _cancelled(answer: dict[str, Any], numbers: set[str]) -> dict[str, Any]:
    """Write that a booking was cancelled, once the one that cancels it is among the ``numbers`` shown."""
    number = answer.get("reversed_xact_id")
    return {"reversed": True, "reversed_xact_id": number} if number in numbers else {}


def ahead(stamp: str, seconds: float) -> str:
    """Write the same moment by a clock that is so many seconds ahead."""
    return seven_digit_fraction(datetime.fromisoformat(stamp) + timedelta(seconds=seconds))


def _row(ids: dict[str, Any], amount: Decimal, reference_no: str, at: float, more: dict[str, Any]) -> dict[str, Any]:
    """Write one row of ``Data``."""
    number = ids["id"]
    return {
        "xact_id": ids["xact_id"],
        "id": number,
        "xact_date": seven_digit_fraction(datetime.fromtimestamp(at, ISTANBUL)),
        "transaction_type": ids["transaction_type"],
        "pos_type": 5,
        "is_tds": True,
        "agent_id": "20005",
        "note": "",
        "ratio": Decimal("0.04"),
        "agent_reference": reference_no,
        "amount": amount,
        "net_amount": ids.get("net_amount", amount),
        "comission": ids.get("comission", Decimal(0)),
        "comission_tax": ids.get("comission_tax", Decimal(0)),
        "currency": "TRY",
        "authorization_code": ids.get("authorization_code", f"aut-{number}"),
        "reference_code": ids.get("reference_code", f"ref-{number}"),
        "order_id": ids.get("order_id", f"order-{number}"),
        "is_succeed": True,
        **more,
    }
