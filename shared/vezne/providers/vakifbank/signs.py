"""Which signs of VakıfBank's money layer are believed: in the payment's answer, and in a row of POST /tos/query.

The payment's page ("TOS İşlemleri Yap": make payments) documents `Result`, `ErrorCode` and `ErrorExplanation` of an
answer. No list of error codes is public. The query's page does not show the status of a row. These functions read the
JSON as it came.
"""

import re
from collections.abc import Mapping
from decimal import Decimal
from types import MappingProxyType
from typing import Any

from vezne.orders.evidence import (
    Match,
    Row,
    absent_or,
    is_amount,
    is_one_of,
    match_key,
    match_row,
    other_signs,
    plain_text,
    speaks_against,
    speaks_for,
    tells_of_more,
)
from vezne.orders.outcome import Declined, Outcome, Succeeded, Unknown
from vezne.providers.vakifbank.models import PaymentResult

# The names of our code in the payment's request, in the query, and in the payment's answer.
_CODE_NAMES = ("InstitutionTransactionCode", "InstitutionTransactionNo", "InstitutionTaxNo")
# The sample of a success has `ErrorCode` 1 and "Tahsil Edildi" (collected). An empty number is written
# as 0: it is no sign of failure, and alone no sign of success.
_COLLECTED, _EXPLANATION = "1", "Tahsil Edildi"
_NO_ERROR = frozenset({"0", _COLLECTED})
# The page says "İnteger" (integer). The bank's message codes have letters.
_ERROR_CODE = re.compile(r"-?[1-9][0-9]{0,8}|[A-Z]{4}[0-9]{6}", re.ASCII)
_SIGNS = frozenset({"Result", "ErrorCode", "ErrorExplanation"})
# A payment of the type `return` names the payment it returns: fields of the request.
_OF_A_RETURN = frozenset({"ComingReturnPaymentDate", "ComingReturnTransactionQueryNo"})


def outcome(body: dict[str, Any], code: str) -> Outcome:
    """What the answer to a payment call says. Raises for an unreadable body: then the outcome is unknown."""
    result = body["Data"]["QueryResult"]
    if succeeded(result, code):
        return Succeeded(public_result(result, code, body["Header"]))
    refusal = refusal_code(result, code)
    if refusal is None:
        return Unknown("neither success nor refusal")
    return Declined(refusal, str(result.get("ErrorExplanation") or ""))


def succeeded(result: dict[str, Any], code: str) -> bool:
    """Whether the money layer of a payment's answer says that our payment was made, and nothing in it contradicts that.

    `Result` is a JSON boolean ("Başarılı ise alan true gelecek": true if it succeeded), `InstitutionTaxNo` our code.
    """
    return (
        match_key(code, result.get("InstitutionTaxNo")) is Match.OURS
        and result.get("Result") is True
        and _no_error(result)
        and not any(map(speaks_against, (result.get("ErrorExplanation"), *_others(result))))
    )


def refusal_code(result: dict[str, Any], code: str) -> str | None:
    """The error code of a refusal that is believed, else None.

    It is not public which codes refuse. So the page's sign counts ("hatalı ise false gelecektir": false if it failed).
    The answer must have our code, and an error code in the page's form. It must have no transaction number, and no word
    of a success or of a double. A double may be refused because the payment was made before.
    """
    error_code = plain_text(result.get("ErrorCode"))
    believed = (
        match_key(code, result.get("InstitutionTaxNo")) is Match.OURS
        and result.get("Result") is False
        and error_code is not None
        and _ERROR_CODE.fullmatch(error_code) is not None
        and error_code not in _NO_ERROR
        and not any(result.get(name) for name in ("TransactionObjectId", "TransactionQueryNo"))
        and not _others(result)
        and not speaks_for(result.get("ErrorExplanation"))
    )
    return error_code if believed else None


def row(content: Any, looked_up: Mapping[str, str]) -> Row:
    """Compare a row of POST /tos/query with what a look-up knows of our order (`lookup` fields of the record).

    The row must have our amount and currency. It must have a status of success, as in the payment's answer: `Result`
    true or `ErrorCode` 1. Every field that may be a status must be a known sign of success.
    """
    code = looked_up["institution_transaction_code"]
    match = match_row(code, content, _CODE_NAMES)
    return Row(match, fits=isinstance(content, dict) and _fits(content, looked_up), content=content)


def public_result(
    fields: Mapping[str, Any], code: str, header: Mapping[str, Any] = MappingProxyType({})
) -> dict[str, Any]:
    """The public result of a payment's answer, or of a row, which has the same names. Raises ValidationError."""
    return PaymentResult(
        transaction_object_id=fields.get("TransactionObjectId"),
        transaction_query_no=fields.get("TransactionQueryNo"),
        institution_transaction_code=code,
        error_code=fields.get("ErrorCode"),
        error_explanation=fields.get("ErrorExplanation"),
        gateway_object_id=header.get("ObjectID"),
        status_description=header.get("StatusDescription"),
        status_description_en=header.get("StatusDescriptionEn"),
    ).public()


def found(code: str, content: dict[str, Any]) -> tuple[Succeeded, dict[str, str]]:
    """The outcome of a row that is our payment's, and what to keep as evidence."""
    result = public_result(content, code)
    return Succeeded(result), {"transaction_query_no": result["transaction_query_no"] or ""}


def is_whole(place: dict[str, Any], rows: int) -> bool:
    """Whether the fields around a list `Result` have no sign of a failure, and none of more rows."""
    named = {name: value for name, value in place.items() if not isinstance(value, dict | list)}
    return (
        _no_error(named)
        and _says_collected(named.get("ErrorExplanation"))
        and not other_signs(named, _SIGNS)
        and not tells_of_more(named, rows)
    )


def _fits(content: dict[str, Any], looked_up: Mapping[str, str]) -> bool:
    currency, kind = looked_up["currency"], looked_up.get("transaction_type")
    return (
        is_amount(content.get("Amount"), Decimal(looked_up["amount"]))
        # Only VakıfBank calls the lira "TL".
        and is_one_of(content.get("CurrencyType"), {"TL", "TRY"} if currency == "TRY" else {currency})
        # A record of an older version does not have the type.
        and (kind is None or absent_or(content.get("TransactionType"), lambda value: is_one_of(value, {kind})))
        and (content.get("Result") is True or is_one_of(content.get("ErrorCode"), {_COLLECTED}))
        and absent_or(content.get("Result"), lambda value: value is True)
        and _no_error(content)
        and _says_collected(content.get("ErrorExplanation"))
        and not other_signs(content, _SIGNS | _OF_A_RETURN)
    )


def _no_error(fields: Mapping[str, Any]) -> bool:
    return fields.get("ErrorCode") in (None, "") or is_one_of(fields["ErrorCode"], _NO_ERROR)


def _says_collected(explanation: object) -> bool:
    return explanation in (None, "", _EXPLANATION)


def _others(result: dict[str, Any]) -> list[object]:
    return other_signs(result, _SIGNS)
