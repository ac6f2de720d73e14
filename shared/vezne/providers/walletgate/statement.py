"""walletgate's list of a time: POST /v1/TransactionData/SummaryRecordByFilter ("Transaction Data").

"ext_transaction_id: The Id provided in the request when calling a service" (business-api.walletgate.io). Read in
November 2026; what the page does not say is in the README beside this file.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from vezne.orders.record import ISTANBUL
from vezne.providers.client import InquiryUnreadableError, ask
from vezne.providers.http import Deadline, json_request
from vezne.providers.statement import RowState, Sought, Statement, StatementPage, StatementRow, amount_in, list_in
from vezne.providers.walletgate.client import CLIENT, headers
from vezne.providers.walletgate.models import BillPaymentResult

# As in the page's sample.
PAGE = 100
# Clocks may differ, and a payment may be booked a little after it was ordered.
AROUND = timedelta(hours=1)
# "20 NormalCompleted", "40 Cancellation Completed", "60 Refund Completed"; 10 is pending.
COMPLETED, TAKEN_BACK = "20", ("40", "60")


class WalletgateStatement(Statement):
    """Every transaction of a wallet. The code of an invoice payment is not public, so all kinds are asked for."""

    provider = "walletgate"
    operations = ("walletgate.pay_bill",)
    client = CLIENT

    def sought(self, operation: str, lookup_fields: Mapping[str, str], result: Mapping[str, Any]) -> Sought:  # noqa: ARG002
        """By the oid of the bill's inquiry. Whether a row's id is one of those that a payment answers is not said."""
        amounts = frozenset({Decimal(lookup_fields["amount"])})
        oid = lookup_fields["inv_payment_transaction_query_oid"]
        return Sought(oid, amounts=amounts, currency=lookup_fields["currency"])

    def page(self, day: date, groups: Sequence[str], start: str, deadline: Deadline) -> StatementPage:  # noqa: ARG002
        """The rows of an index, the oldest first. Whether the first index is 0 or 1 is not said, so 0 and 1 are one."""
        index, before = int(start or "0"), list[Any]()
        rows, around = _read(day, index, deadline)
        if not start and (not rows or len(rows) >= PAGE):
            index, before = 1, rows
            rows, around = _read(day, index, deadline)
        full, seen = len(rows) >= PAGE, index * PAGE + len(rows)
        rows = before + [row for row in rows if row not in before]
        known = tuple(_row(row) for row in rows if isinstance(row, dict))
        # A page of fewer rows than asked for is no end if the answer tells of more.
        cut = not full and _tells_of_more(around, seen)
        return StatementPage(known, str(index + 1) if full else "", whole=len(known) == len(rows) and not cut)


def _read(day: date, index: int, deadline: Deadline) -> tuple[list[Any], dict[str, Any]]:
    """The rows of an index as they came, and what is said around them."""
    midnight = datetime.combine(day, datetime.min.time(), ISTANBUL)
    fields = {
        "page_size": PAGE,
        "page_index": index,
        "order_column": "CreatedDateUtc",
        "order_by": "asc",
        "start_date": _utc(midnight - AROUND),
        "end_date": _utc(midnight + timedelta(days=1) + AROUND),
    }
    path = "/v1/TransactionData/SummaryRecordByFilter"
    body = list_in(ask(CLIENT, deadline, lambda access: json_request(path, fields, headers(access))))
    payload = body.get("payload")
    around: dict[str, Any] = payload if isinstance(payload, dict) else {"results": payload}
    # The page shows `results`; a list of the same platform has `items`.
    lists = [around[name] for name in ("results", "items") if isinstance(around.get(name), list)]
    if (str(body.get("status")), str(body.get("code"))) != ("0", "100") or len(lists) != 1:
        raise InquiryUnreadableError("no list")
    return lists[0], around


def _tells_of_more(around: Mapping[str, Any], seen: int) -> bool:
    totals = [around.get(name) for name in ("total_count", "total", "total_records")]
    return bool(around.get("has_more")) or any(isinstance(total, int) and total > seen for total in totals)


def _row(row: dict[str, Any]) -> StatementRow:
    oid, number = (str(row.get(name) or "") for name in ("ext_transaction_id", "id"))
    amount, made_at = amount_in(row.get("tx_base_amount")), _made_at(row.get("created_date_utc"))
    result = BillPaymentResult(
        inv_payment_transaction_query_oid=oid,
        transaction_id=number or None,
        transaction_amount=amount,
        transaction_fee=amount_in(row.get("tx_additional_fee")),
        ext_order_id=oid,
    )
    return StatementRow(
        reference=oid,
        state=_state(row) if amount is not None and amount > 0 else RowState.UNCLEAR,
        amount=amount,
        currency=str(row["currency_code"]) if row.get("currency_code") else None,
        names=frozenset({f"id={number}"} if number else ()),
        day=None if made_at is None else made_at.date(),
        made_at=None if made_at is None else made_at.timestamp(),
        result=result.public(),
    )


def _state(row: Mapping[str, Any]) -> RowState:
    statuses = {str(row[name]) for name in ("process_level_status_id", "transaction_status_id") if row.get(name)}
    if len(statuses) == 1 and statuses <= {*TAKEN_BACK}:
        return RowState.TAKEN_BACK
    normal = row.get("transaction_status") in (None, "NormalCompleted") and row.get("result_code") in (None, "Success")
    return RowState.BOOKED if statuses == {COMPLETED} and normal else RowState.UNCLEAR


def _made_at(value: Any) -> datetime | None:
    """ISO 8601; without an offset it is UTC, as the field's name says."""
    try:
        moment = datetime.fromisoformat(str(value))
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(ISTANBUL)
    except (ValueError, OverflowError):
        return None


def _utc(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
