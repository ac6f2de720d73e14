"""What `check` says of a reversal: the row of the transaction that is cancelled names the one that cancels it."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

from vezne.orders.evidence import Match, Row, absent_or, find, is_one_of, plain_number, plain_text
from vezne.orders.outcome import Finding, Inconclusive, Succeeded
from vezne.orders.record import Record
from vezne.providers.http import Deadline
from vezne.providers.paynet import client
from vezne.providers.paynet.models import CaptureResult

EVERY_TYPE = client.CAPTURE_TYPES | client.OTHER_TYPES


def look_up(
    record: Record, deadline: Deadline, settling_time: timedelta, *, cancelled: frozenset[str], by: frozenset[str]
) -> Finding:
    """The reversal that the row of `record.lookup_fields["xact_id"]` names, made when ours may have been, is proof.

    Nothing else is. `cancelled`: the types of what is cancelled; `by`: the types of its reversal. Raises
    InquiryFailedError.
    """
    rows = client.check(record.lookup_fields, deadline)
    originals = [row for row in rows if is_one_of(row.get("transaction_type"), cancelled)]
    own = [row for row in originals if plain_text(row.get("xact_id")) == record.lookup_fields["xact_id"]]
    amount = plain_number(own[0].get("amount")) if len(own) == 1 else None
    if amount is None:
        return Inconclusive("not one row of what is cancelled")
    is_reversed, number = own[0].get("reversed"), plain_text(own[0].get("reversed_xact_id"))
    listed = any(plain_text(row.get("xact_id")) == number for row in rows)
    if not absent_or(is_reversed, lambda value: value is False or (value is True and listed)):
        return Inconclusive("it is cancelled by a transaction that is not listed")
    others = {plain_text(row.get("reversed_xact_id")) for row in rows if row is not own[0]}
    when = record.created_at, record.may_arrive_until + settling_time.total_seconds()
    reversal = number if is_reversed is True else None
    return find([_row(row, by, reversal, others, when, amount) for row in rows], _found, filtered=True)


def _row(
    row: dict[str, Any],
    by: frozenset[str],
    number: str | None,
    others: set[str | None],
    when: tuple[float, float],
    amount: Decimal,
) -> Row:
    """A row as the evidence rule sees it. `number` names our reversal, `others` those of other transactions."""
    fits = row.get("amount") is not None and client.fits(row, by, (amount,))
    if is_one_of(row.get("transaction_type"), EVERY_TYPE - by):
        return Row(Match.ANOTHER, fits, row)
    own, made = plain_text(row.get("xact_id")) or "", client.made_at(row)
    if row.get("is_succeed") is False or (own in others and own != number):
        return Row(Match.ANOTHER, fits, row)
    named = own == number and number not in others and row.get("is_succeed") is True
    in_time = made is not None and when[0] <= made <= when[1]
    return Row(Match.OURS if named and in_time else Match.UNCLEAR, fits, row)


def _found(row: dict[str, Any]) -> tuple[Succeeded, dict[str, str | Decimal]]:
    return Succeeded(CaptureResult.model_validate(row).public()), {"xact_id": str(row["xact_id"])}
