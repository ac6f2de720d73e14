"""Paynet's list of a day: POST /v1/transaction/list ("İşlem Listesi", doc.paynet.com.tr/servisler/islem/islem-listesi).

"Paynet'ten yapılan işlemlerin listesini almak için kullanılır." (To get the list of the transactions made by Paynet.)
Read in November 2026; what the page does not say is in the README beside this file.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from pydantic import ValidationError

from vezne.orders.record import ISTANBUL, Record
from vezne.platform.masking import mask_text
from vezne.providers.http import Deadline
from vezne.providers.paynet.client import CLIENT, list_page
from vezne.providers.paynet.models import CaptureResult
from vezne.providers.statement import RowState, Sought, Statement, StatementPage, StatementRow, amount_in

CAPTURE, REVERSAL, RELEASE = "paynet.capture", "paynet.reverse_capture", "paynet.reverse_preauthorisation"
# "islem-tipi": CR is a capture, RC its cancellation, RP that of a pre-authorisation. Other pages show the numbers.
OPERATIONS = {"CR": CAPTURE, "4": CAPTURE, "RC": REVERSAL, "6": REVERSAL, "RP": RELEASE, "5": RELEASE}
NUMBERS = {CAPTURE: "4", REVERSAL: "6", RELEASE: "5"}
# The pages' other types, as letters and as numbers. No order of ours makes them.
OTHERS = frozenset({"S", "R", "CD", "PR", "PI", "PK", "1", "2", "3", "7", "9", "10", "11"})
ANOTHER = "another"
# What names its reversal in a row: a capture, or a pre-authorisation.
CANCELS = {CAPTURE: REVERSAL, ANOTHER: RELEASE}
REVERSALS = frozenset(CANCELS.values())
# What names a transaction for good; `xact_id` is encrypted anew in each answer.
NAMES = ("id", "order_id", "authorization_code", "reference_code")
# Fields of an answer that say why a transaction failed; whether the list has them is not said.
ERROR_CODES = ("bank_error_id", "paynet_error_id", "result_code")
ERROR_TEXTS = ("bank_error_message", "paynet_error_message", "bank_error_long_desc", "bank_error_short_desc")
# The list tells whole seconds.
SECOND = 1.0


class PaynetStatement(Statement):
    """Every transaction of a day, also those that failed: "başarısız işlemleride getirir" (the failed ones, too)."""

    provider = "paynet"
    operations = (CAPTURE, REVERSAL, RELEASE)
    client = CLIENT
    # A pre-authorisation may be captured in parts, each under its reference, and elsewhere, too.
    reference_is_unique = False
    booked_within = timedelta(minutes=10)

    def sought(self, operation: str, lookup_fields: Mapping[str, str], result: Mapping[str, Any]) -> Sought:
        """By what its answer called it; before there is one, by the reference of the pre-authorisation.

        A reversal is known by what it cancels. A capture that names its pre-authorisation in another way
        than by its reference cannot be found before it is answered: the list shows the reference only.
        """
        # The answer to a reversal may be about the capture. Then it does not name the reversal.
        told = OPERATIONS.get(str(result.get("transaction_type")), operation)
        names = frozenset(_named(operation, result)) if told == operation else frozenset[str]()
        # The encrypted id differs in another answer; so it is sought only if there is nothing else.
        names = frozenset(name for name in names if " xact_id=" not in name) or names
        if operation in REVERSALS:
            return Sought("", names or frozenset({_reverses(operation, lookup_fields["xact_id"])}))
        amount = amount_in(lookup_fields.get("amount") or result.get("amount"))
        # The page's sample answers a capture of 1.00 with amount 0.
        return Sought(lookup_fields.get("reference_no", ""), names, frozenset({amount} if amount else ()))

    def page(self, day: date, groups: Sequence[str], start: str, deadline: Deadline) -> StatementPage:  # noqa: ARG002
        """The rows from an index on. One day more is asked for on both sides: whether `datbi` counts is not said."""
        days = day - timedelta(days=1), day + timedelta(days=1)
        page = list_page("list", days, int(start or "0"), deadline, show_unsucceed=True)
        known = [row for row in page.rows if isinstance(row, dict)]
        reversals = _reversals(known)
        read = tuple(_row(row, reversals) for row in known)
        # A row that cannot be read may be of any order, and a list that does not say its end may have none.
        readable = len(known) == len(page.rows) and all(row.operation for row in read)
        following = "" if page.following is None else str(page.following)
        return StatementPage(read, following, whole=readable and page.whole)

    def proves(self, record: Record, row: StatementRow) -> bool:
        """Whether a row was made when the order's call may have arrived, and bears no name of another order's payment.

        A reference also has payments of other days, of other orders and from elsewhere, and of the same amount.
        """
        if row.made_at is None or any(name.partition(" ")[2] in record.memory.payments for name in row.names):
            return False
        latest = record.may_arrive_until + self.booked_within.total_seconds()
        return record.created_at - SECOND <= row.made_at <= latest


def _row(row: dict[str, Any], reversals: Mapping[str, str]) -> StatementRow:
    """One row, by the fields that a public client reads: the page's own table is not visible to its end.

    `operation` is "" for a type that no page lists. `reversals`: which capture each transaction cancels.
    """
    operation, (day, made_at), amount = _operation(row), _when(row), _amount(row)
    state, currency = _state(row, operation), _text(row.get("currency"))
    result = _reason(row) if state is RowState.FAILED else _result(row, operation, made_at)
    if result is None or (row.get("amount") is not None and amount is None):
        state, result = RowState.UNCLEAR, {}
    return StatementRow(
        reference=_text(row.get("xact_agent_reference")) or _text(row.get("agent_referans_no")),
        state=state,
        # Nothing is captured with an amount of 0: then the row does not tell it.
        amount=amount or None,
        currency={"": None, "TL": "TRY"}.get(currency, currency),
        operation=operation,
        names=frozenset(_names(row, operation, reversals)),
        day=day,
        made_at=made_at,
        result=result,
    )


def _operation(row: Mapping[str, Any]) -> str:
    """The operation whose orders make such a row; "" if its type is in no form that a page shows."""
    kinds = {_text(row[name]) for name in ("xact_type", "transaction_type") if row.get(name) is not None}
    found = {OPERATIONS.get(kind, ANOTHER if kind in OTHERS else "") for kind in kinds}
    return found.pop() if len(found) == 1 else ""


def _state(row: Mapping[str, Any], operation: str) -> RowState:
    succeeded = row.get("is_succeed")
    flags = [row.get(name) or False for name in ("reversed", "is_onchargeback")]
    # What speaks for success beside a failure, and against it beside a success.
    booked = any(flags) or _first(row, ("authorization_code", "reversed_xact_id"))
    if not operation or not all(isinstance(flag, bool) for flag in flags):
        return RowState.UNCLEAR
    if succeeded is False:
        return RowState.UNCLEAR if booked else RowState.FAILED
    if succeeded is not True or _first(row, (*ERROR_CODES, *ERROR_TEXTS)):
        return RowState.UNCLEAR
    if operation in REVERSALS:
        return RowState.UNCLEAR if any(flags) else RowState.BOOKED
    return RowState.TAKEN_BACK if any(flags) else RowState.BOOKED


def _result(row: Mapping[str, Any], operation: str, made_at: float | None) -> dict[str, Any] | None:
    """The public result of a booked row, in the words of an answer; None if a field is in another form."""
    fields = {name: value for name, value in row.items() if name in CaptureResult.model_fields or name in _ALIASES}
    moment = None if made_at is None else datetime.fromtimestamp(made_at, ISTANBUL).isoformat()
    words = {"transaction_type": NUMBERS.get(operation), "xact_date": moment, "card_no_masked": row.get("card_no")}
    try:
        return CaptureResult.model_validate({**fields, **words}).public()
    except ValidationError:
        return None


_ALIASES = frozenset(field.alias for field in CaptureResult.model_fields.values() if field.alias)


def _reason(row: Mapping[str, Any]) -> dict[str, Any]:
    """Why a row failed, as far as it says: the code and the text of a decline."""
    return {"code": mask_text(_first(row, ERROR_CODES)), "text": mask_text(_first(row, ERROR_TEXTS))}


def _names(row: Mapping[str, Any], operation: str, reversals: Mapping[str, str]) -> Iterator[str]:
    """What names a row. A row of unknown type may be of any operation."""
    for kind in (operation,) if operation else PaynetStatement.operations:
        yield from _named(kind, row)
    if operation in REVERSALS:
        own, other = _text(row.get("xact_id")), _text(row.get("reversed_xact_id"))
        cancelled = {reversals.get(own, ""), other} - {"", own}
        if len(cancelled) == 1:
            yield _reverses(operation, *cancelled)


def _named(operation: str, fields: Mapping[str, Any]) -> Iterator[str]:
    """A capture and its reversal may bear the same codes, so each name says which of the two it is."""
    return (f"{operation} {name}={_text(fields[name])}" for name in (*NAMES, "xact_id") if _text(fields.get(name)))


def _reverses(operation: str, xact_id: str) -> str:
    return f"{operation} reverses={xact_id}"


def _reversals(rows: list[dict[str, Any]]) -> dict[str, str]:
    """From the id of each reversal to that of the row that names it; without those that two rows name."""
    named = [
        (_text(row.get("reversed_xact_id")), _text(row.get("xact_id")))
        for row in rows
        if _operation(row) in CANCELS and row.get("reversed") is True
    ]
    reversals = [reversal for reversal, _ in named]
    return {reversal: cancelled for reversal, cancelled in named if reversal and reversals.count(reversal) == 1}


def _text(value: Any) -> str:
    """A text, or a whole number as text; "" for anything else."""
    return str(value).strip() if isinstance(value, str | int) and not isinstance(value, bool) else ""


def _first(row: Mapping[str, Any], names: Sequence[str]) -> str:
    """The first of these fields that says something; 0 says nothing."""
    return next((text for name in names if (text := _text(row.get(name))) not in ("", "0")), "")


def _amount(row: Mapping[str, Any]) -> Decimal | None:
    amount = amount_in(row.get("amount"))
    return amount if amount is not None and amount >= 0 else None


def _when(row: Mapping[str, Any]) -> tuple[date | None, float | None]:
    """On which day a row was made, and when, if it tells the time.

    `xact_date` is "dd.mm.yyyy" and `xact_time` has the time, or both. Other pages write ISO 8601. All of it is Turkish
    time, if there is no offset.
    """
    texts = [_text(row.get(name)) for name in ("xact_date", "xact_time")]
    moments = [moment for text in (*texts, " ".join(texts)) if (moment := _moment(text))]
    days = {day for text in texts if (day := _day(text))} | {moment.date() for moment in moments}
    if len(days) != 1:
        return None, None
    return days.pop(), moments[0].timestamp() if moments else None


def _moment(text: str) -> datetime | None:
    try:
        if "T" not in text:
            return datetime.strptime(text, "%d.%m.%Y %H:%M:%S").replace(tzinfo=ISTANBUL)
        moment = datetime.fromisoformat(text)
        return (moment if moment.tzinfo else moment.replace(tzinfo=ISTANBUL)).astimezone(ISTANBUL)
    except (ValueError, OverflowError):
        return None


def _day(text: str) -> date | None:
    try:
        return datetime.strptime(text, "%d.%m.%Y").date()  # noqa: DTZ007 - a day has no time
    except ValueError:
        return None
