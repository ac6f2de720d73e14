"""Paynet's list of a day: POST /v1/transaction/list ("İşlem Listesi", doc.paynet.com.tr/servisler/islem/islem-listesi).

"Paynet'ten yapılan işlemlerin listesini almak için kullanılır." (To get the list of the transactions made by Paynet.)
Read in November 2026; what the page does not say is in the README beside this file.
"""

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any

from vezne.orders.record import ISTANBUL
from vezne.providers.client import InquiryLoginRefusedError, InquiryUnreadableError, ask
from vezne.providers.http import Deadline, json_request
from vezne.providers.paynet.client import CLIENT, headers
from vezne.providers.paynet.models import CaptureResult
from vezne.providers.statement import RowState, Sought, Statement, StatementPage, StatementRow

CAPTURE, REVERSAL = "paynet.capture", "paynet.reverse_capture"
# "islem-tipi": CR is a capture, RC its cancellation. The number is what other pages show.
OPERATIONS = {"CR": CAPTURE, "4": CAPTURE, "RC": REVERSAL, "6": REVERSAL}
# What names a transaction for good; `xact_id` is encrypted anew in each answer.
NAMES = ("id", "order_id", "authorization_code", "reference_code")
# The page states no maximum; a public client asks for so many.
PAGE = 1000


class PaynetStatement(Statement):
    """Every transaction of a day, also those that failed: "başarısız işlemleride getirir" (the failed ones, too)."""

    provider = "paynet"
    operations = (CAPTURE, REVERSAL)
    client = CLIENT
    # A pre-authorisation may be captured in parts, each under its reference.
    reference_is_unique = False

    def sought(self, operation: str, lookup_fields: Mapping[str, str], result: Mapping[str, Any]) -> Sought:
        """By what its answer called it; before there is one, by the reference of the pre-authorisation."""
        names = frozenset(f"{name}={result[name]}" for name in NAMES if result.get(name))
        amount = lookup_fields.get("amount") or (result.get("amount") if operation == CAPTURE else None)
        # The page's sample answers a capture of 1.00 with amount 0.
        amounts = frozenset({Decimal(amount)}) if amount and Decimal(amount) else frozenset[Decimal]()
        return Sought(lookup_fields.get("reference_no", ""), names, amounts)

    def page(self, day: date, groups: Sequence[str], start: str, deadline: Deadline) -> StatementPage:  # noqa: ARG002
        """The rows from an index on. One day more is asked for on both sides: whether `datbi` counts is not said."""
        fields = {
            "datab": f"{day - timedelta(days=1)}",
            "datbi": f"{day + timedelta(days=1)}",
            "show_unsucceed": True,
            "limit": PAGE,
            "starting_after": int(start or "0"),
        }
        answer = ask(CLIENT, deadline, lambda access: json_request("/v1/transaction/list", fields, headers(access)))
        if answer.status == 403:
            raise InquiryLoginRefusedError(f"http-{answer.status}")
        body = answer.json()
        rows, more = body.get("Data", body.get("data")), body.get("has_more")
        if answer.status != 200 or str(body.get("code", "0")) != "0" or not isinstance(rows, list):
            raise InquiryUnreadableError(f"http-{answer.status}")
        following = str(int(start or "0") + len(rows)) if more is True else ""
        # A list that does not say whether there is more may have more.
        return StatementPage(tuple(map(_row, rows)), following, whole=isinstance(more, bool))


def _row(row: Any) -> StatementRow:
    """One row, by the fields that a public client reads: the page's own table is not visible to its end."""
    fields: dict[str, Any] = row if isinstance(row, dict) else {}
    made_at = _made_at(fields)
    return StatementRow(
        reference=str(fields.get("xact_agent_reference") or fields.get("agent_referans_no") or ""),
        state=_state(fields),
        amount=_amount(fields.get("amount")),
        currency=fields.get("currency") or None,
        operation=OPERATIONS.get(str(fields.get("xact_type")), "another"),
        names=frozenset(f"{name}={fields[name]}" for name in NAMES if fields.get(name)),
        day=None if made_at is None else made_at.date(),
        made_at=None if made_at is None else made_at.timestamp(),
        result=CaptureResult.model_validate(
            {name: value for name, value in fields.items() if name in CaptureResult.model_fields}
        ).public(),
    )


def _state(row: dict[str, Any]) -> RowState:
    match row.get("is_succeed"), row.get("reversed"), row.get("is_onchargeback"):
        case False, _, _:
            return RowState.FAILED
        case True, False | None, False | None:
            return RowState.BOOKED
        case True, bool() | None, bool() | None:
            return RowState.TAKEN_BACK
    return RowState.UNCLEAR


def _amount(value: Any) -> Decimal | None:
    try:
        return Decimal(str(value)) if isinstance(value, str | int | Decimal) and not isinstance(value, bool) else None
    except InvalidOperation:
        return None


def _made_at(row: dict[str, Any]) -> datetime | None:
    """`xact_date` "dd.mm.yyyy" with `xact_time` behind it, in Turkish time, or ISO 8601 as other pages write it."""
    text = str(row.get("xact_date") or "")
    try:
        return datetime.fromisoformat(text).astimezone(ISTANBUL)
    except ValueError:
        pass
    clock = str(row.get("xact_time") or "").split(" ")[-1][:8]
    for form, value in (("%d.%m.%Y %H:%M:%S", f"{text} {clock}"), ("%d.%m.%Y", text)):
        try:
            return datetime.strptime(value, form).replace(tzinfo=ISTANBUL)
        except ValueError:
            continue
    return None
