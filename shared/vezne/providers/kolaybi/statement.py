"""KolayBi's lists of associates: GET /kolaybi/v1/associates/{id}/transactions (developer.kolaybi.com).

"Belirtilen cariye ait hesap hareketlerini listeler" (lists the movements of an associate's account). There is no list
of a day. So the associates of the day's orders are asked for, one after the other. The page shows only the path; what
is assumed of the rows is in the README beside this file.
"""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from vezne.orders.record import ISTANBUL, OPERATION_ID, Record
from vezne.providers.client import InquiryUnreadableError, ask
from vezne.providers.http import Deadline, ProviderResponse, Request
from vezne.providers.kolaybi.client import CLIENT, headers
from vezne.providers.kolaybi.models import CollectionResult
from vezne.providers.statement import RowState, Sought, Statement, StatementPage, StatementRow, amount_in, list_in

# What every collection of ours begins its description with: the operation id, and the day on which it was ordered.
MARKER = re.compile(rf"({OPERATION_ID})\.d([0-9]{{6}})(?=\s|$)", re.ASCII)
# Usual sizes of a page. A list of such a length that says nothing of pages may be the first page only.
PAGE_SIZES = (20, 50, 100)


class KolayBiStatement(Statement):
    """The movements of the associates from whom something was collected."""

    provider = "kolaybi"
    operations = ("kolaybi.collect",)
    client = CLIENT

    def sought(self, operation: str, lookup_fields: Mapping[str, str], result: Mapping[str, Any]) -> Sought:  # noqa: ARG002
        """By our marker. A record of an earlier version has none, and is in no row that is read."""
        return Sought(
            lookup_fields.get("marker", ""),
            amounts=frozenset({Decimal(lookup_fields["amount"])}),
            currency=lookup_fields["currency"],
            group=lookup_fields["associate_id"],
        )

    def page(self, day: date, groups: Sequence[str], start: str, deadline: Deadline) -> StatementPage:  # noqa: ARG002
        """A page of an associate. `start` names the associate, since another one may have been added meanwhile."""
        associate, _, number = start.partition("/")
        left = [group for group in groups if group >= associate]
        if not left:
            return StatementPage(())
        asked = int(number) if number and left[0] == associate else 1
        following = left[1] if len(left) > 1 else ""
        query = f"?page={asked}" if asked > 1 else ""
        answer = _get(f"associates/{left[0]}/transactions{query}", deadline)
        if answer.status == 404:
            # No page says what the answer is for an associate that is not there.
            return StatementPage((), following, whole=False)
        rows, more, whole = _rows(list_in(answer), asked)
        return StatementPage(_read(rows), f"{left[0]}/{asked + 1}" if more else following, whole)

    def proves(self, record: Record, row: StatementRow) -> bool:  # noqa: ARG002
        """Collections are in many currencies, so a row must name its own."""
        return row.currency is not None

    def notes(self, deadline: Deadline) -> Mapping[str, str]:
        """What is in each vault now: a second sum, beside that of the rows."""
        vaults = list_in(_get("vaults", deadline)).get("data")
        if not isinstance(vaults, list):
            raise InquiryUnreadableError("no vaults")
        return {
            f"vault {vault['id']}": f"{balance:f} {str(vault.get('currency') or '').upper()[:3]}".strip()
            for vault in vaults
            if isinstance(vault, dict) and isinstance(vault.get("id"), int)
            if (balance := amount_in(vault.get("balance"))) is not None
        }


def _get(path: str, deadline: Deadline) -> ProviderResponse:
    accept = {"Accept": "application/json"}
    return ask(CLIENT, deadline, lambda access: Request("GET", f"/kolaybi/v1/{path}", accept | headers(access)))


def _rows(body: Mapping[str, Any], asked: int) -> tuple[list[Any], bool, bool]:
    """The rows as they came, whether a page follows, and whether none can be missing."""
    data = body.get("data")
    inner: dict[str, Any] = data if isinstance(data, dict) else {"data": data}
    lists = [inner[name] for name in ("data", "items", "results") if isinstance(inner.get(name), list)]
    if body.get("success") not in (None, True) or len(lists) != 1:
        raise InquiryUnreadableError("no list")
    rows = lists[0]
    pages = body.get("pagination", inner.get("pagination", inner if "current_page" in inner else None))
    if pages is None:
        return rows, False, asked == 1 and len(rows) not in PAGE_SIZES
    if not isinstance(pages, dict) or pages.get("current_page") != asked:
        return rows, False, False
    last, total, size = (pages.get(name) for name in ("last_page", "total", "per_page"))
    if last is None and isinstance(total, int) and isinstance(size, int) and size > 0:
        last = -(-total // size)
    if not isinstance(last, int):
        return rows, False, False
    return rows, asked < last, True


def _read(rows: Sequence[Any]) -> tuple[StatementRow, ...]:
    """Rows without an id are told apart by their place among those of one marker."""
    seen: Counter[str] = Counter()
    read = []
    for row in rows:
        fields: dict[str, Any] = row if isinstance(row, dict) else {}
        marker = MARKER.match(str(fields.get("description") or ""))
        name = f"id={fields['id']}" if fields.get("id") else ""
        if marker and not name:
            seen[marker[0]] += 1
            name = f"row={marker[0]} {seen[marker[0]]}"
        read.append(_row(fields, marker, name))
    return tuple(read)


def _row(fields: dict[str, Any], marker: re.Match[str] | None, name: str) -> StatementRow:
    amount, currency = amount_in(fields.get("amount")), fields.get("currency")
    made_at = _moment(fields.get("issue_date"))
    # A row that tells no date is of the day in its marker.
    day = made_at or (marker and _moment(f"20{marker[2]}"))
    told = {name: fields[name] for name in CollectionResult.model_fields if isinstance(fields.get(name), str)}
    result = {**told, "amount": amount, "currency": str(currency).upper() if currency else None}
    return StatementRow(
        reference=marker[0] if marker else "",
        state=_state(fields, amount),
        amount=amount,
        currency=result["currency"],
        names=frozenset({name} if name else ()),
        day=day.date() if day else None,
        made_at=made_at.timestamp() if made_at else None,
        operation_id=marker[1] if marker else "",
        is_ours=marker is not None,
        result=CollectionResult.model_validate(result).public() if amount is not None and currency else {},
    )


def _state(fields: Mapping[str, Any], amount: Decimal | None) -> RowState:
    """A row is a movement that was booked, unless it says something else than a completed collection."""
    status, kind = (
        [fields[name] for name in names if fields.get(name) is not None]
        for names in (("transaction_status", "status"), ("transaction_type", "type"))
    )
    plain = all(each == "Tamamlandı" for each in status) and all(each == "Tahsilat" for each in kind)
    told = fields.get("amount") is None or (amount is not None and amount > 0)
    taken_back = any(fields.get(name) for name in ("deleted_at", "cancelled_at", "canceled_at", "is_deleted"))
    return RowState.BOOKED if plain and told and not taken_back else RowState.UNCLEAR


def _moment(value: Any) -> datetime | None:
    """A time in Türkiye: the page's sample has no offset."""
    try:
        moment = datetime.fromisoformat(str(value))
        return moment.astimezone(ISTANBUL) if moment.tzinfo else moment.replace(tzinfo=ISTANBUL)
    except (ValueError, OverflowError):
        return None
