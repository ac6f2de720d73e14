"""What can be given back of a transaction, by `check`, and the requests for it, by `v1/transaction/reversal_list`."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from vezne.orders.evidence import Match, Row, absent_or, find, is_amount, is_one_of, match_key, plain_number, plain_text
from vezne.orders.outcome import Finding, Succeeded
from vezne.orders.record import Record, istanbul_day
from vezne.providers.client import InquiryUnreadableError
from vezne.providers.http import Deadline
from vezne.providers.paynet import client
from vezne.providers.paynet.models import RequestRefundResult

REFUNDABLE = client.CAPTURE_TYPES | client.SALE_TYPES
A_DAY = timedelta(days=1)
KURUS = Decimal("0.01")


@dataclass(frozen=True, slots=True)
class Refundable:
    """A successful capture or sale that is not cancelled. `id` is Paynet's plain number for it, `amount` in TRY."""

    id: str
    amount: Decimal
    day: date


def refundable(xact_id: str, deadline: Deadline) -> Refundable | None:
    """The one capture or sale of this `xact_id`, if `check` shows it with all that is asked. Raises InquiryFailedError.

    `xact_id` may be encrypted anew in an answer. The plain number is the same in each.
    """
    rows = client.check({"xact_id": xact_id}, deadline)
    own = [
        row
        for row in rows
        if is_one_of(row.get("transaction_type"), REFUNDABLE) and plain_text(row.get("xact_id")) == xact_id
    ]
    if len(own) != 1 or own[0].get("is_succeed") is not True or not client.fits(own[0], REFUNDABLE, None):
        return None
    number, amount, made = plain_text(own[0].get("id")), plain_number(own[0].get("amount")), client.made_at(own[0])
    if not number or amount is None or amount <= 0 or amount % KURUS or made is None:
        return None
    return Refundable(number, amount, istanbul_day(made))


def look_up(record: Record, deadline: Deadline, settling_time: timedelta) -> Finding:
    """A request for the order's transaction, entered on a day when ours may have arrived, is proof. Absence is not.

    The rows have no name of ours. So another taken request for the same transaction leaves it open whose row it is.
    Raises InquiryFailedError.
    """
    first = istanbul_day(record.created_at)
    last = istanbul_day(record.may_arrive_until + settling_time.total_seconds())
    rows = [_row(row, record, first, last) for row in _requests(first - A_DAY, last + A_DAY, deadline)]

    def found(row: dict[str, Any]) -> tuple[Succeeded, dict[str, str | Decimal]]:
        return Succeeded(RequestRefundResult().public()), {"id": str(row.get("id", ""))}

    return find(rows, found, filtered=True)


def _requests(first: date, last: date, deadline: Deadline) -> Iterator[dict[str, Any]]:
    """Every row of the list between two days. Raises InquiryFailedError, also if rows may be missing."""
    start: int | None = 0
    while start is not None:
        page = client.list_page("reversal_list", (first, last), start, deadline)
        if (page.following is not None and not page.rows) or not page.whole:
            raise InquiryUnreadableError("the list is cut")
        for row in page.rows:
            if not isinstance(row, dict):
                raise InquiryUnreadableError("a row that is no object")
            yield row
        start = page.following


def _row(row: dict[str, Any], record: Record, first: date, last: date) -> Row:
    """A row as the evidence rule sees it: of our transaction by either of its names, and entered when ours may be."""
    ours = record.lookup_fields
    matches = {match_key(ours[name], row.get(name)) for name in ("id", "xact_id")}
    fits = absent_or(row.get("amount"), lambda value: is_amount(value, Decimal(ours["amount"])))
    fits = fits and absent_or(row.get("currency"), lambda value: value in ("TRY", "TL"))
    if Match.OURS not in matches:
        return Row(Match.UNCLEAR if matches == {Match.UNCLEAR} else Match.ANOTHER, fits, row)
    entered = _entered_on(row)
    if entered is not None and entered < first:
        return Row(Match.ANOTHER, fits, row)
    alone = not record.memory.finalised_at
    return Row(Match.OURS if alone and entered is not None and entered <= last else Match.UNCLEAR, fits, row)


def _entered_on(row: dict[str, Any]) -> date | None:
    """The row's `entry_date`, "dd.mm.yyyy"; None for another form."""
    try:
        return datetime.strptime(row["entry_date"], "%d.%m.%Y").date()  # noqa: DTZ007 - a day has no time
    except (KeyError, TypeError, ValueError):
        return None
