"""Faults of the lists that a reconciliation reads: their rows and pages in ways that no page shows.

The truth does not change: what was booked was booked. Rows that appear late are the fault ``lag``, rows of other people
the fault ``foreign``.
"""

from __future__ import annotations

import uuid
from datetime import datetime, time
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from vezne_sandbox.ledger import ISTANBUL

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from vezne_sandbox.wire import Call

ROW_FAULTS = frozenset({"twice", "text_amounts"})
"""Of every list."""
STATE_FAULTS = frozenset({"taken_back"})
"""Of a list whose rows tell that a payment was taken back."""
TIME_FAULTS = frozenset({"last_second"})
"""Of a list whose rows tell a time."""
PAGE_FAULTS = frozenset({"small_pages", "endless"})
"""Of a list that is read page by page."""
ROWS_OF_A_SMALL_PAGE, ROWS_OF_A_CUT_LIST = 2, 100


def told_time(at: float, call: Call) -> float:
    """Tell a row's time, in seconds since 1970: its own, or the last second of its day in Türkiye."""
    if call.fault != "last_second":
        return at
    day = datetime.fromtimestamp(at, ISTANBUL).date()
    return datetime.combine(day, time(23, 59, 59), ISTANBUL).timestamp()


def listed(
    rows: list[dict[str, Any]],
    call: Call,
    *,
    ids: Sequence[str],
    amounts: Sequence[str],
    taken_back: Mapping[str, Any] | None = None,
) -> list[dict[str, Any]]:
    """Write the rows as the fault says.

    ``ids``: the fields that name a row; ``amounts``: those with an amount; ``taken_back``: those of a payment that was
    taken back.
    """
    other_ids = {name: f"again-{uuid.uuid4().hex}" for name in ids}
    match call.fault:
        case "twice" if rows:
            return [*rows, {**rows[-1], **other_ids}]
        case "taken_back" if rows:
            return [*rows, {**rows[-1], **other_ids, **(taken_back or {})}]
        case "text_amounts":
            return [{name: _as_text(value) if name in amounts else value for name, value in r.items()} for r in rows]
        case "cut_list":
            return rows[: call.rows or ROWS_OF_A_CUT_LIST]
    return rows


def page_of(rows: list[dict[str, Any]], first: int, limit: int, call: Call) -> tuple[list[dict[str, Any]], bool]:
    """Cut the page that begins at an index, and tell whether there is more."""
    if call.fault == "small_pages":
        limit = min(limit, call.rows or ROWS_OF_A_SMALL_PAGE)
    if call.fault == "endless":
        return rows[first : first + limit] or rows[-limit:], True
    return rows[first : first + limit], first + limit < len(rows)


def _as_text(value: Any) -> Any:
    return str(value) if isinstance(value, Decimal | int) else value
