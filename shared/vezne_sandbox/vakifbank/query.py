"""The query (page "TOS İşlemleri Sorgula"): the executed payments that fit all filters given."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any

from vezne_sandbox.odd import Names, in_form
from vezne_sandbox.provider import Operation, json_field
from vezne_sandbox.statements import ROW_FAULTS, listed
from vezne_sandbox.vakifbank.messages import completed, gateway_refusal
from vezne_sandbox.vakifbank.payment_fields import OPTIONAL_TEXTS
from vezne_sandbox.wire import Call, Malformed, Reply, integer, known_fields, mask, masked_text, text

if TYPE_CHECKING:
    from decimal import Decimal

    from vezne_sandbox.vakifbank import VakifBank

QUERY_TEXTS = frozenset(
    {
        "InstitutionTransactionNo",
        "TransactionQueryNo",
        "InstitutionPackageNo",
        "SenderAccountNo",
        "ReceivertAccountIbanNo",
        "PaymentDate",
        "ReturnDate",
    }
)
NUMBERS = frozenset({"InstitutionTransactionCode", "TransactionQueryNo", "InstitutionPackageNo"})
ROW = Names(
    reference="InstitutionTransactionCode",
    amount="Amount",
    currency="CurrencyType",
    signs=("Result", "ErrorCode", "ErrorExplanation"),
    cancelled={"ErrorExplanation": "IPTAL", "Status": "IPTAL"},
    pending={"Result": None, "ErrorCode": 0, "ErrorExplanation": "Beklemede"},
)


def query(provider: VakifBank, call: Call) -> Reply:
    """List the executed payments that fit all filters given."""
    provider.require_token(call)
    try:
        fields = call.json()
        filters = query_filters(fields)
    except Malformed as error:
        return gateway_refusal("ACBG000007", error)
    if not fields.get("InstitutionCode"):
        return gateway_refusal("ACBH000645")
    rows = [
        booking.answer
        for booking in provider.ledger.of(provider.name, hidden_seconds=call.hidden_seconds)
        if call.unfiltered or fits(booking.answer, filters)
    ]
    if call.row_form is not None:
        rows = [in_form(row, ROW, call.row_form) for row in rows]
    if call.foreign_amount is not None:
        rows.insert(0, foreign_row(provider, fields["InstitutionCode"], call.foreign_amount))
    rows = listed(rows, call, ids=("TransactionObjectId", "TransactionQueryNo"), amounts=("Amount",))
    if "PaymentDate" in filters and not NUMBERS & filters.keys():
        return completed({"Result": rows[: provider.most_rows]}) if rows else gateway_refusal("ACBH000202")
    return completed({"Result": rows})


def fits(row: dict[str, Any], filters: dict[str, Any]) -> bool:
    """Tell whether a row has the value of every filter; of a date, the day."""
    same_day = str(row["PaymentDate"])[:10] == filters.get("PaymentDate", row["PaymentDate"])[:10]
    return same_day and all(row.get(name) == value for name, value in filters.items() if name != "PaymentDate")


def query_filters(fields: dict[str, Any]) -> dict[str, Any]:
    """Read the query's optional filters as fields of a row. Accounts are compared in their masked form."""
    known_fields(fields, QUERY_TEXTS | {"InstitutionCode", "TransactionType"})
    texts = {name: text(fields, name, empty=True) for name in QUERY_TEXTS & set(fields)}
    filters: dict[str, Any] = {name: value for name, value in texts.items() if value}
    if "InstitutionTransactionNo" in filters:
        filters["InstitutionTransactionCode"] = filters.pop("InstitutionTransactionNo")
    if "ReturnDate" in filters:
        filters["ComingReturnPaymentDate"] = filters.pop("ReturnDate")
    if "ReceivertAccountIbanNo" in filters:
        filters["ReceivertAccountIbanNo"] = mask(filters["ReceivertAccountIbanNo"])
    if "SenderAccountNo" in filters:
        filters["SenderAccountNo"] = masked_text(filters["SenderAccountNo"])
    if "TransactionType" in fields:
        return {**filters, "TransactionType": integer(fields, "TransactionType")}
    return filters


def foreign_row(provider: VakifBank, institution_code: str, amount: Decimal) -> dict[str, Any]:
    """Write the row of somebody else's payment."""
    texts = dict.fromkeys(sorted(OPTIONAL_TEXTS), "")
    return {
        **texts,
        "InstitutionCode": institution_code,
        "TransactionType": 1,
        "TaxIdentityCheck": True,
        "CreditUse": False,
        "Amount": amount,
        "CurrencyType": "TL",
        "SenderAccountNo": "0",
        "InstitutionTransactionCode": str(uuid.uuid4()),
        "PaymentDate": f"{provider.clock.istanbul():%Y-%m-%d}T00:00:00",
        "Result": True,
        "ErrorCode": 1,
        "ErrorExplanation": "Tahsil Edildi",
        **provider.next_ids(),
    }


QUERY = Operation(
    name="vakifbank.query",
    kind="look_up",
    method="POST",
    path="/tos/query",
    handle=query,
    reference=json_field("InstitutionTransactionNo"),
    faults=ROW_FAULTS | {"cut_list", "unnamed_row", "odd_row", "unfiltered"},
)
