"""The list of completed payments (``TransactionData/SummaryRecordByFilter``)."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from vezne_sandbox.ledger import Booking, seven_digit_fraction
from vezne_sandbox.odd import Names, in_form
from vezne_sandbox.provider import Operation, json_field
from vezne_sandbox.statements import PAGE_FAULTS, ROW_FAULTS, STATE_FAULTS, TIME_FAULTS, listed, page_of, told_time
from vezne_sandbox.walletgate.replies import envelope, failure
from vezne_sandbox.wire import Call, Malformed, Reply, integer, text

if TYPE_CHECKING:
    from vezne_sandbox.walletgate import Walletgate

LIST_FIELDS = frozenset(
    {
        *("page_size", "page_index", "order_column", "order_by", "id", "ext_transaction_id", "tenant_id", "wallet_id"),
        *("process_level_status_id", "transaction_type_code", "transaction_type_code_list", "to_wallet_id"),
        *("currency_code", "from_account_number", "to_account_number", "from_wallet_number", "to_wallet_number"),
        *("start_date", "end_date", "min_amount", "max_amount"),
    }
)
COMPLETED = 20
ITEM = Names(
    reference="ext_transaction_id",
    amount="tx_base_amount",
    currency="currency_code",
    signs=("transaction_status_id", "transaction_status", "result_code"),
    cancelled={"process_level_status_id": 40, "transaction_status_id": 40, "transaction_status": "CancelCompleted"},
    pending={"process_level_status_id": 10, "transaction_status_id": 10, "transaction_status": "Pending"},
)
# "60 Refund Completed".
REFUNDED = {"process_level_status_id": 60, "transaction_status_id": 60, "transaction_status": "RefundCompleted"}
DEFAULT_WINDOW = timedelta(days=1)


def list_transactions(provider: Walletgate, call: Call) -> Reply:
    """List completed payments: of the last day, or between ``start_date`` and ``end_date``."""
    fields = provider.authorized_fields(call, LIST_FIELDS)
    try:
        text(fields, "order_column")
        first, last = window(provider, fields)
        page_size = integer({"page_size": 10, **fields}, "page_size")
        page_index = max(1, integer({"page_index": 1, **fields}, "page_index"))
    except Malformed as error:
        return failure("400", str(error), 400)
    items = [
        item(booking.reference, booking.answer["transaction_id"], booking.amount, told_time(booking.at, call))
        for booking in provider.ledger.of(provider.name, hidden_seconds=call.hidden_seconds)
        if first <= told_time(booking.at, call) <= last and (call.unfiltered or fits(booking, fields))
    ]
    items = listed(items, call, ids=("id",), amounts=("tx_base_amount",), taken_back=REFUNDED)
    if call.row_form is not None:
        items = [in_form(each, ITEM, call.row_form) for each in items]
    if call.foreign_amount is not None:
        items.insert(0, item(str(uuid.uuid4()), "FRGN0000001", call.foreign_amount, provider.clock.now()))
    shown, more = page_of(items, (page_index - 1) * page_size, page_size, call)
    # A list that never ends has always one more than was shown.
    total = page_index * page_size + 1 if more and call.fault == "endless" else len(items)
    return envelope({"items": shown, "page_index": page_index, "page_size": page_size, "total_count": total})


def window(provider: Walletgate, fields: dict[str, Any]) -> tuple[float, float]:
    """Read the times between which payments are listed, in seconds since 1970."""
    now = provider.clock.utc()
    if ("start_date" in fields) != ("end_date" in fields):
        raise Malformed("start_date and end_date come together")
    if "start_date" not in fields:
        return (now - DEFAULT_WINDOW).timestamp(), now.timestamp()
    return utc_date(fields, "start_date"), utc_date(fields, "end_date")


def utc_date(fields: dict[str, Any], name: str) -> float:
    """Read an ISO 8601 time with its offset as seconds since 1970."""
    try:
        moment = datetime.fromisoformat(text(fields, name))
    except ValueError as error:
        raise Malformed(f"{name} must be an ISO 8601 time") from error
    if moment.tzinfo is None:
        raise Malformed(f"{name} must carry an offset")
    return moment.timestamp()


def fits(booking: Booking, fields: dict[str, Any]) -> bool:
    """Tell whether a booking passes the list's filters that the sandbox knows values for."""
    wanted = {
        "ext_transaction_id": booking.reference,
        "id": booking.answer["transaction_id"],
        "process_level_status_id": COMPLETED,
    }
    return all(fields[name] in (None, "", value) for name, value in wanted.items() if name in fields)


def item(oid: str, transaction_id: str, amount: Decimal, at: float) -> dict[str, Any]:
    """Write one item of the list."""
    moment = seven_digit_fraction(datetime.fromtimestamp(at, UTC))
    return {
        "id": transaction_id,
        "ext_transaction_id": oid,
        "tx_group_correlation_id": f"group-{transaction_id}",
        "tx_ref_correlation_id": f"reference-{transaction_id}",
        "wallet_id": "45X9XX21",
        "transaction_type": "InvoicePayment",
        "transaction_status_id": COMPLETED,
        "transaction_status": "NormalCompleted",
        "result_code": "Success",
        "created_date_utc": moment,
        "updated_date_utc": moment,
        "completed_date_utc": moment,
        "tx_base_amount": amount.quantize(Decimal("0.0001")),
        "tx_additional_fee": Decimal("0.0000"),
        "currency_code": "TRY",
    }


LIST_TRANSACTIONS = Operation(
    name="walletgate.list_transactions",
    kind="look_up",
    method="POST",
    path="/v1/TransactionData/SummaryRecordByFilter",
    handle=list_transactions,
    reference=json_field("ext_transaction_id"),
    faults=ROW_FAULTS | STATE_FAULTS | TIME_FAULTS | PAGE_FAULTS | {"unnamed_row", "odd_row", "unfiltered"},
)
