"""VakıfBank's list of a day: POST /tos/query ("TOS İşlemleri Sorgula": query TOS payments).

"... ya da belirli bir tarihte belirli bir hesaptan gerçekleştirilen tüm işlemler de listelenmebilmektedir." (Or all
payments from an account on a date can be listed, too; apiportal.vakifbank.com.tr/tr/documentation/TOSServices/query.)
Read in November 2026; what the page does not say is in the README beside this file.
"""

import os
import re
import time
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any

from pydantic import ValidationError

from vezne.orders.record import ISTANBUL, Record, day_of, istanbul_day
from vezne.providers.client import InquiryFailedError, InquiryLoginRefusedError, InquiryUnreadableError, ask
from vezne.providers.http import Deadline, ProviderResponse, UnreadableError, json_request
from vezne.providers.statement import RowState, Sought, Statement, StatementPage, StatementRow, amount_in
from vezne.providers.vakifbank.client import ACCESS_REFUSED, CLIENT, COMPLETED, TOKEN_REFUSED, headers
from vezne.providers.vakifbank.models import PaymentResult

# "There are no transactions in the range": an answer, not an error.
NO_TRANSACTIONS = "ACBH000202"
# A list of the bank has no more rows than so many, and does not say that it is cut.
MOST_ROWS = 100
# A payment date that is no business day moves to the next one. Banks are closed for nine days in a row at most.
LONGEST_CLOSURE = timedelta(days=10)
# How long after it was made a payment may not be listed yet.
LISTED_WITHIN = timedelta(minutes=30)
# Our code: as the payment's request, the query and the payment's answer call it.
CODES = ("InstitutionTransactionCode", "InstitutionTransactionNo", "InstitutionTaxNo")
IDS = {"TransactionQueryNo": "transaction_query_no", "TransactionObjectId": "transaction_object_id"}
# A field of such a name may be a status. The page does not show the field that is.
STATUS = re.compile(
    r"status|state|durum|sonu[cç]|success|fail|reject|cancel|iptal|iade|refund|return|revers|hata|error|result",
    re.IGNORECASE,
)
# The signs of the payment's own answer, and the fields of an order that names the payment it returns.
KNOWN = frozenset({
    "Result", "ErrorCode", "ErrorExplanation", "ComingReturnPaymentDate", "ComingReturnTransactionQueryNo",
})  # fmt: skip
# A field of such a name around the list may tell of more rows.
MORE = re.compile(r"(?<!ac)count|adet|more|next|(total|toplam)(?!.*(amount|tutar))", re.IGNORECASE)
# A code in the form of ours from which the end is missing.
PART_OF_OURS = re.compile(r"(?=.*[a-f])[0-9a-f-]{16,35}", re.IGNORECASE)


class VakifBankStatement(Statement):
    """The institution's payments of a day, and of the days to which the bank may have moved them."""

    provider = "vakifbank"
    operations = ("vakifbank.pay",)
    client = CLIENT
    orders_name_a_day = True
    # The day's own night and the next one may be too early: the third one says that a payment is missing.
    late = timedelta(days=2)

    def __init__(self, now: Callable[[], float] = time.time) -> None:
        self._now = now

    def sought(self, operation: str, lookup_fields: Mapping[str, str], result: Mapping[str, Any]) -> Sought:  # noqa: ARG002
        """By the code by which the bank refuses doubles; after its answer, by the bank's numbers as well."""
        return Sought(
            _code(lookup_fields["institution_transaction_code"]),
            frozenset(f"{name}={result[name]}" for name in IDS.values() if result.get(name)),
            frozenset(amount for amount in (amount_in(lookup_fields["amount"]),) if amount),
            lookup_fields["currency"],
        )

    def page(self, day: date, groups: Sequence[str], start: str, deadline: Deadline) -> StatementPage:  # noqa: ARG002
        """The payments of one day, without an account or a number: those of the whole institution.

        After the day itself come those days, up to yesterday, to which the bank may have moved its payments.
        """
        asked = date.fromisoformat(start) if start else day
        fields = {"PaymentDate": f"{asked}T00:00:00"}
        answer = ask(
            CLIENT,
            deadline,
            lambda access: json_request(
                "/tos/query", {"InstitutionCode": access.credentials.institution_code, **fields}, headers(access)
            ),
            lambda answer: answer.status == 401 or _header(answer) in TOKEN_REFUSED,
        )
        rows, whole = _listed(answer)
        read = tuple(_row(row, asked) for row in rows if isinstance(row, dict))
        # A row without our code, or with a part of one, may be of any order.
        named = len(read) == len(rows) and all(row.reference and not _is_cut(row.reference) for row in read)
        last = min(istanbul_day(self._now()) - timedelta(days=1), day + LONGEST_CLOSURE)
        following = asked + timedelta(days=1)
        return StatementPage(
            read, following.isoformat() if following <= last else "", whole and named and len(rows) < MOST_ROWS
        )

    def absence_proves(self, record: Record, now: float) -> bool:
        """Whether the operator says that the list is complete, and the bank can no longer make the payment.

        Only of codes in our form: another code may stand in the list in another form than it was sent.
        """
        if os.environ.get("VAKIFBANK_LIST_IS_COMPLETE") != "true":
            return False
        day_ends = datetime.combine(day_of(record) + timedelta(days=1), datetime.min.time(), ISTANBUL).timestamp()
        made_by = max(day_ends, record.may_arrive_until) + (LONGEST_CLOSURE + LISTED_WITHIN).total_seconds()
        return now > made_by and _is_ours(record.lookup_fields["institution_transaction_code"])


def _listed(answer: ProviderResponse) -> tuple[list[Any], bool]:
    """The rows as they came, and whether nothing around them says that more are missing.

    Raises InquiryFailedError.
    """
    code = _header(answer)
    if code == NO_TRANSACTIONS:
        return [], True
    if code in ACCESS_REFUSED:
        raise InquiryLoginRefusedError(f"http-{answer.status} {code}")
    if code != COMPLETED or answer.status != 200:
        raise InquiryFailedError(f"http-{answer.status} {code}".strip())
    data = answer.json().get("Data")
    around = [place for place in _objects(data) if isinstance(place.get("Result"), list)]
    if len(around) != 1:
        raise InquiryUnreadableError("no list")
    rows: list[Any] = around[0]["Result"]
    beside = {name: value for name, value in around[0].items() if not isinstance(value, dict | list)}
    told = [_text(value) or value for name, value in beside.items() if MORE.search(name)]
    return rows, not _objects_to(beside) and all(value in (None, False, "", "0", str(len(rows))) for value in told)


def _objects(data: Any) -> list[dict[str, Any]]:
    """`Data` and the objects in it: the page does not show where the list is."""
    members = [data, *data.values()] if isinstance(data, dict) else []
    return [member for member in members if isinstance(member, dict)]


def _header(answer: ProviderResponse) -> str:
    """`Header.StatusCode`, or "". Error bodies of the bank may have trailing commas."""
    try:
        header = answer.json(tolerate_trailing_commas=answer.status >= 400).get("Header")
    except UnreadableError:
        return ""
    return str(header.get("StatusCode") or "") if isinstance(header, dict) else ""


def _row(row: dict[str, Any], asked: date) -> StatementRow:
    codes = {_text(row[name]) for name in CODES if row.get(name) is not None}
    code = codes.pop() if len(codes) == 1 else ""
    amount, currency = amount_in(row.get("Amount")), row.get("CurrencyType")
    result = _result(row, code)
    clear = code and result and amount is not None and amount > 0 and isinstance(currency, str)
    return StatementRow(
        reference=_code(code),
        state=RowState.BOOKED if clear and _is_booked(row) else RowState.UNCLEAR,
        amount=amount,
        # Only VakıfBank calls the lira "TL".
        currency={"TL": "TRY"}.get(currency, currency) if isinstance(currency, str) else None,
        names=frozenset(
            f"{ours}={text}" for theirs, ours in IDS.items() if (text := _text(row.get(theirs))).strip("0")
        ),
        day=_day(row.get("PaymentDate")) or asked,
        is_ours=_is_ours(code),
        result=result,
    )


def _is_booked(row: dict[str, Any]) -> bool:
    """Whether a row has a sign of a success as the payment's answer has it, and nothing else that may be a status.

    The sample of a success has `Result` true, `ErrorCode` 1 and "Tahsil Edildi" (collected). An empty number is 0.
    """
    succeeded = row.get("Result")
    has_a_sign = succeeded is True or _text(row.get("ErrorCode")) == "1"
    return has_a_sign and (succeeded is True or succeeded is None) and not _objects_to(row)


def _objects_to(fields: Mapping[str, Any]) -> bool:
    """Whether an error, an explanation, or another field that may be a status, at any depth, says something else."""
    error, explanation = fields.get("ErrorCode"), fields.get("ErrorExplanation")
    others = (value for name, value in _fields(fields) if name not in KNOWN and STATUS.search(name))
    return (
        not (error in (None, "") or _text(error) in ("0", "1"))
        or explanation not in (None, "", "Tahsil Edildi")
        or any(value not in (None, "") for value in others)
    )


def _fields(value: Any) -> Iterator[tuple[str, Any]]:
    members = value.items() if isinstance(value, Mapping) else [("", one) for one in value]
    for name, member in members:
        yield name, member
        if isinstance(member, Mapping | list):
            yield from _fields(member)


def _result(row: Mapping[str, Any], code: str) -> dict[str, Any]:
    """The public result, in the words of an answer; empty if a field is in another form."""
    try:
        return PaymentResult(
            transaction_object_id=row.get("TransactionObjectId"),
            transaction_query_no=row.get("TransactionQueryNo"),
            institution_transaction_code=code,
            error_code=row.get("ErrorCode"),
            error_explanation=row.get("ErrorExplanation"),
        ).public()
    except ValidationError:
        return {}


def _text(value: Any) -> str:
    """A text, or a whole number as text; "" for anything else."""
    return str(value).strip() if isinstance(value, str | int) and not isinstance(value, bool) else ""


def _code(text: str) -> str:
    """A code as it is compared: a GUID is the same in capitals, or without its hyphens."""
    guid = _guid(text)
    return text if guid is None else str(guid)


def _guid(text: str) -> uuid.UUID | None:
    try:
        return uuid.UUID(text) if len(text) in (32, 36) else None
    except ValueError:
        return None


def _is_ours(code: str) -> bool:
    """Whether a code has the form that we make: a GUID of version 5, made from the operation's id."""
    guid = _guid(code)
    return guid is not None and guid.version == 5


def _is_cut(code: str) -> bool:
    return _guid(code) is None and PART_OF_OURS.fullmatch(code) is not None


def _day(value: Any) -> date | None:
    try:
        return date.fromisoformat(str(value)[:10])
    except ValueError:
        return None
