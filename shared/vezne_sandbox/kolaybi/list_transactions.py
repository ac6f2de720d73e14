"""The list of an associate's transactions, newest first."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from vezne_sandbox.ledger import ISTANBUL
from vezne_sandbox.odd import Names, in_form
from vezne_sandbox.provider import Operation
from vezne_sandbox.statements import (
    PAGE_FAULTS,
    ROW_FAULTS,
    ROWS_OF_A_SMALL_PAGE,
    TIME_FAULTS,
    listed,
    page_of,
    told_time,
)
from vezne_sandbox.wire import Call, Reply, json_reply

if TYPE_CHECKING:
    from decimal import Decimal

    from vezne_sandbox.kolaybi import KolayBi
    from vezne_sandbox.ledger import Booking

ROW = Names(
    reference="description",
    amount="amount",
    currency="currency",
    signs=("transaction_status",),
    cancelled={"transaction_status": "İptal Edildi"},
    pending={"transaction_status": "Beklemede"},
)
SHORT_COLUMN = 40


def list_transactions(provider: KolayBi, call: Call) -> Reply:
    """List an associate's transactions, newest first."""
    provider.require_token(call)
    associate_id = call.parameters["associate_id"]
    rows = [
        {
            **booking.answer,
            **issued(booking, call),
            **gateway(booking),
            "description": booking.references["description"],
        }
        for booking in reversed(provider.ledger.of(provider.name, hidden_seconds=call.hidden_seconds))
        if booking.references.get("associate_id") == associate_id
    ]
    rows = listed(rows, call, ids=("id",), amounts=("amount",))
    if call.cut_text:
        rows = [{**row, "description": row["description"][:SHORT_COLUMN]} for row in rows]
    if call.row_form is not None:
        rows = [in_form(row, ROW, call.row_form) for row in rows]
    if call.foreign_amount is not None:
        rows.insert(0, foreign_row(provider, call.foreign_amount))
    if call.fault not in PAGE_FAULTS:
        return json_reply({"data": rows})
    number, size = int(call.query.get("page", "1")), call.rows or ROWS_OF_A_SMALL_PAGE
    shown, more = page_of(rows, (number - 1) * size, size, call)
    last = number + more if call.fault == "endless" else -(-len(rows) // size)
    return json_reply({"data": shown, "pagination": {"current_page": number, "last_page": last}})


def issued(booking: Booking, call: Call) -> dict[str, str]:
    """Tell when a collection was booked, as the fault says."""
    moment = datetime.fromtimestamp(told_time(booking.at, call), ISTANBUL)
    return {"issue_date": f"{moment:%Y-%m-%d %H:%M:%S}"}


def gateway(booking: Booking) -> dict[str, Any]:
    """Name the vault that a collection went into."""
    return {
        "gateway_id": int(booking.request["gateway_id"]),
        "gateway_type": booking.request.get("gateway_type", "Vault"),
    }


def foreign_row(provider: KolayBi, amount: Decimal) -> dict[str, Any]:
    """Write the row of somebody else's collection."""
    return {
        "id": 900000001,
        "transaction_status": "Tamamlandı",
        "transaction_type": "Tahsilat",
        "payment_method": "Nakit",
        "issue_date": f"{provider.clock.istanbul():%Y-%m-%d %H:%M:%S}",
        "amount": amount,
        "currency": "TRY",
        "gateway_id": 1,
        "gateway_type": "Vault",
        "description": "Elden tahsilat",
    }


LIST_TRANSACTIONS = Operation(
    name="kolaybi.list_transactions",
    kind="look_up",
    method="GET",
    path="/kolaybi/v1/associates/{associate_id}/transactions",
    handle=list_transactions,
    reference=lambda call: call.parameters["associate_id"],
    faults=ROW_FAULTS | TIME_FAULTS | PAGE_FAULTS | {"cut_list", "unnamed_row", "odd_row", "cut_text"},
)
