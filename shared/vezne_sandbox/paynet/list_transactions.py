"""The transactions of some days (page "İşlem Listesi": list of transactions), page by page."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from vezne_sandbox.ledger import ISTANBUL
from vezne_sandbox.odd import Names, in_form
from vezne_sandbox.paynet.pre_authorisations import CAPTURE_TYPE
from vezne_sandbox.paynet.replies import error_object
from vezne_sandbox.paynet.rows import LETTERS, ROW
from vezne_sandbox.provider import Operation
from vezne_sandbox.statements import PAGE_FAULTS, ROW_FAULTS, TIME_FAULTS, listed, page_of, told_time
from vezne_sandbox.wire import Call, Malformed, Reply, boolean, integer, json_reply, known_fields, text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from vezne_sandbox.paynet import Paynet
    from vezne_sandbox.paynet.pre_authorisations import PreAuthorisation

TEXTS = frozenset({"agent_id", "bank_id", "user_id", "datab", "datbi"})
FLAGS = frozenset({"show_unsucceed", "untransferred"})
NUMBERS = frozenset({"limit", "starting_after", "ending_before"})
DEFAULT_LIMIT = 10
LIST_ROW = Names(
    reference="xact_agent_reference",
    amount=ROW.amount,
    currency=ROW.currency,
    signs=ROW.signs,
    cancelled=ROW.cancelled,
    pending=ROW.pending,
)


@dataclass(frozen=True)
class Told:
    """One transaction, before it is written as a row."""

    reference_no: str
    amount: Decimal
    at: float
    ids: dict[str, Any]
    succeeded: bool = True
    reversed_by: str = ""


def list_transactions(provider: Paynet, call: Call) -> Reply:
    """List the transactions of the days asked for; those that failed only if they are asked for, too."""

    def rows(fields: dict[str, Any], first: date, last: date) -> list[dict[str, Any]]:
        told = [
            one
            for one in all_transactions(provider, call)
            if first <= day_of(told_time(one.at, call)) <= last and (one.succeeded or fields.get("show_unsucceed"))
        ]
        found = [row_of(one, call) for one in sorted(told, key=lambda one: told_time(one.at, call))]
        ids = ("xact_id", "order_id", "authorization_code", "reference_code")
        return listed(found, call, ids=ids, amounts=("amount",))

    return list_of_days(
        provider, call, "transaction_list", rows, lambda amount: row_of(foreign(provider, amount), call)
    )


def list_of_days(
    provider: Paynet,
    call: Call,
    object_name: str,
    rows: Callable[[dict[str, Any], date, date], list[dict[str, Any]]],
    foreign_row: Callable[[Decimal], dict[str, Any]],
) -> Reply:
    """Answer a page of the rows of the days asked for. `rows` gets the fields, the first and the last day.

    `foreign_row` makes up somebody else's row of an amount.
    """
    provider.require_key(call)
    try:
        fields = call.json()
        first, last = read_days(fields)
    except Malformed as error:
        return error_object(11, str(error))
    found = rows(fields, first, last)
    if call.foreign_amount is not None:
        found.insert(0, foreign_row(call.foreign_amount))
    return one_page(object_name, found, fields, call)


def one_page(object_name: str, rows: list[dict[str, Any]], fields: dict[str, Any], call: Call) -> Reply:
    """Answer the page of a list that is asked for."""
    start, limit = fields.get("starting_after", 0), fields.get("limit", DEFAULT_LIMIT)
    shown, more = page_of(rows, start, limit, call)
    head = {"companyCode": "SANDBOX", "companyName": "Sandbox A.Ş.", "total": len(rows), "total_count": len(rows)}
    paging = {"limit": limit, "ending_before": 0, "starting_after": start, "object_name": object_name}
    return json_reply({**head, **paging, "has_more": more, "code": 0, "message": "Başarılı İşlem", "Data": shown})


def read_days(fields: dict[str, Any]) -> tuple[date, date]:
    """Check the fields of the page, and read the first and the last day."""
    known_fields(fields, TEXTS | FLAGS | NUMBERS)
    for name in TEXTS & fields.keys():
        text(fields, name)
    for name in FLAGS & fields.keys():
        boolean(fields, name)
    if any(integer(fields, name) < 0 for name in NUMBERS & fields.keys()):
        raise Malformed("limit and indexes are not negative")
    try:
        return date.fromisoformat(text(fields, "datab")), date.fromisoformat(text(fields, "datbi"))
    except ValueError as error:
        raise Malformed("datab and datbi must be yyyy-MM-dd") from error


def all_transactions(provider: Paynet, call: Call) -> Iterator[Told]:
    """Yield every transaction that may be shown now."""
    latest = provider.clock.now() - call.hidden_seconds
    for target in provider.pre_authorisations():
        every = [of_pre_authorisation(target, latest), *of_bookings(target, latest)]
        yield from (one for one in every if not call.hidden_seconds or one.at <= latest)


def of_pre_authorisation(target: PreAuthorisation, latest: float) -> Told:
    """Describe the pre-authorisation itself. Its reversal is not known before it is shown."""
    by = target.reversal.answer["xact_id"] if target.reversal and target.reversal.at <= latest else ""
    ids = {"id": target.xact, "xact_id": target.xact_id, "transaction_type": target.transaction_type}
    return Told(target.reference_no, target.amount, target.at, ids, reversed_by=by)


def of_bookings(target: PreAuthorisation, latest: float) -> Iterator[Told]:
    """Describe what was booked under it, and what failed. A reversal is not known before it is shown itself."""
    shown = {booking.answer["xact_id"] for booking in target.bookings if booking.at <= latest}
    for booking in target.bookings:
        by = booking.answer.get("reversed_xact_id", "")
        yield Told(
            target.reference_no, booking.amount, booking.at, booking.answer, reversed_by=by if by in shown else ""
        )
    for booking in target.failed:
        yield Told(target.reference_no, booking.amount, booking.at, booking.answer, succeeded=False)


def foreign(provider: Paynet, amount: Decimal) -> Told:
    """Make up somebody else's capture."""
    number = str(provider.next_number())
    ids = {"id": number, "xact_id": f"xk_{uuid.uuid4().hex}", "transaction_type": CAPTURE_TYPE}
    return Told(f"foreign-{uuid.uuid4()}", amount, provider.clock.now(), ids)


def day_of(at: float) -> date:
    """Return the day in Türkiye."""
    return datetime.fromtimestamp(at, ISTANBUL).date()


def row_of(told: Told, call: Call) -> dict[str, Any]:
    """Write a row with the names that a public client reads."""
    moment = datetime.fromtimestamp(told_time(told.at, call), ISTANBUL)
    number, ids = told.ids["id"], told.ids
    code = ids.get("authorization_code", f"aut-{number}")
    row = {
        "agent_id": "20005",
        "agent_referans_no": told.reference_no,
        "xact_id": f"xk_{uuid.uuid4().hex}" if call.new_ids else ids["xact_id"],
        "xact_date": f"{moment:%d.%m.%Y}",
        "xact_time": f"{moment:%d.%m.%Y %H:%M:%S}",
        "is_tds": True,
        "bank_id": "AXSS",
        "card_no": "435508******4358",
        "card_holder": "GJH",
        "authorization_code": code if told.succeeded else "",
        "reference_code": ids.get("reference_code", f"ref-{number}"),
        "order_id": ids.get("order_id", f"order-{number}"),
        "pos_type": 5,
        "xact_type": LETTERS[ids["transaction_type"]],
        "is_succeed": told.succeeded,
        "reversed": bool(told.reversed_by),
        "reversed_xact_id": told.reversed_by,
        "is_payup": False,
        "is_onchargeback": False,
        "instalment": 3,
        "amount": told.amount,
        "net_amount": ids.get("net_amount", told.amount),
        "comission": ids.get("comission", Decimal(0)),
        "comission_tax": ids.get("comission_tax", Decimal(0)),
        "currency": "TRY",
        "ratio": Decimal("0.04"),
        "xact_note": "",
        "xact_agent_reference": told.reference_no,
    }
    return row if call.row_form is None else in_form(row, LIST_ROW, call.row_form)


LIST_TRANSACTIONS = Operation(
    name="paynet.list_transactions",
    kind="look_up",
    method="POST",
    path="/v1/transaction/list",
    handle=list_transactions,
    faults=ROW_FAULTS | TIME_FAULTS | PAGE_FAULTS | {"unnamed_row", "odd_row", "new_ids"},
)
