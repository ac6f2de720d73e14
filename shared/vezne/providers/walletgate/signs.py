"""Which signs of walletgate's answers are believed: "Make Payment", and an item of the list of transactions.

These functions read the JSON as it came. The platform's envelope is `{"status", "code", "message", "payload"}`; 0 and
"100" say success.
"""

import re
from collections.abc import Collection, Iterator, Mapping
from decimal import Decimal
from typing import Any

from vezne.orders import evidence
from vezne.orders.evidence import Match, Row, absent_or, bare, is_amount, is_one_of, match_key, match_row, other_signs
from vezne.orders.outcome import REFUSING_STATUSES, Succeeded
from vezne.providers.http import ProviderResponse
from vezne.providers.walletgate.models import BillPaymentRequest, BillPaymentResult

SUCCESS_CODE = "100"
_SUCCESS_STATUS = "0"
_ENVELOPE = ("status", "code", "message", "payload")
_REFERENCES = ("ext_transaction_id", "inv_payment_transaction_query_oid", "ext_order_id")
# Fields that a payload has only if something was paid.
_OF_A_PAYMENT = frozenset(
    {"payment_transaction_id", "transaction_id", "transaction_amount", "charged_amount", "receipt_output_print"}
)
# States of the wallet in the page's sample, not of the payment.
_OF_THE_WALLET = frozenset({"access_level_status", "access_level_status_id", "kyc_level_status"})
# "20 NormalCompleted" and "20 completed" of the list's page; 10 is pending, 40 cancelled, 60 refunded.
_IDS, _COMPLETED = ("process_level_status_id", "transaction_status_id"), "20"
_TEXTS = {
    "transaction_status": frozenset({"NormalCompleted"}),
    "process_level_status": frozenset({"NormalCompleted", "Completed"}),
    "result_code": frozenset({"Success"}),
}
_MONEY_BACK = re.compile(r"refund|iade|cancel|iptal|revers")


def says_success(answer: ProviderResponse, body: Mapping[str, Any]) -> bool:
    """Whether an answer has every sign of success: HTTP 200, `status` 0 and `code` "100", as plain text or integer."""
    return (
        answer.status == 200
        and is_one_of(body.get("status"), {_SUCCESS_STATUS})
        and is_one_of(body.get("code"), {SUCCESS_CODE})
    )


def succeeded(answer: ProviderResponse, body: dict[str, Any], request: BillPaymentRequest) -> bool:
    """Whether an answer says that this bill was paid with this amount, and nothing in it contradicts that."""
    payload = body.get("payload")
    if not says_success(answer, body) or not isinstance(payload, dict):
        return False
    around = {name: value for name, value in body.items() if name not in _ENVELOPE}
    doubts = [body.get("message"), *other_signs(around, ()), *other_signs(payload, _OF_THE_WALLET)]
    wallet = payload.get("sender_wallet_info")
    oid = request.inv_payment_transaction_query_oid
    return (
        match_key(oid, payload.get("inv_payment_transaction_query_oid")) is Match.OURS
        and absent_or(payload.get("transaction_amount"), lambda value: is_amount(value, request.payment_amount))
        and absent_or(payload.get("charged_amount"), lambda value: _number(value) > 0)
        and absent_or(payload.get("transaction_fee"), lambda value: _number(value) >= 0)
        and (not isinstance(wallet, dict) or absent_or(wallet.get("currency_code"), lambda value: value == "TRY"))
        and not any(map(evidence.speaks_against, doubts))
    )


def refusal_code(answer: ProviderResponse, body: dict[str, Any], listed: Collection[str]) -> str | None:
    """A listed code that refuses for certain, else None. The envelope must be whole, without a sign of a payment."""
    status = evidence.plain_text(body.get("status"))
    around = {name: value for name, value in body.items() if name not in _ENVELOPE}
    return evidence.refusal_code(
        body.get("code"),
        listed,
        refuses=all(name in body for name in _ENVELOPE)
        and (answer.status == 200 or answer.status in REFUSING_STATUSES)
        and status is not None
        and status.isdecimal()
        and int(status) != 0,
        signs_of_success=(
            evidence.speaks_for(body.get("message")),
            bool(other_signs(around, ())),
            _shows_a_payment(body.get("payload")),
        ),
    )


def row(item: Any, looked_up: Mapping[str, str], *, filter_works: bool) -> Row:
    """Compare an item of the list with what a look-up knows of our order (`lookup` fields of the record).

    `filter_works`: the platform listed nothing for a reference that does not exist. So it selected an item without a
    reference by ours.
    """
    match = match_row(looked_up["inv_payment_transaction_query_oid"], item, _REFERENCES)
    if filter_works and names_nothing(item):
        match = Match.OURS
    return Row(match, fits=isinstance(item, dict) and _fits(item, looked_up), content=item)


def names_nothing(item: Any) -> bool:
    """Whether an item of the list has no reference at all."""
    return isinstance(item, dict) and all(item.get(name) is None for name in _REFERENCES)


def found(oid: str, item: dict[str, Any]) -> tuple[Succeeded, dict[str, str]]:
    """The outcome of an item that is our payment's, and what to keep as evidence. Raises ValidationError."""
    result = BillPaymentResult(
        inv_payment_transaction_query_oid=oid,
        transaction_id=item.get("id"),
        transaction_amount=item.get("tx_base_amount"),
        transaction_fee=item.get("tx_additional_fee"),
        ext_order_id=oid,
    ).public()
    return Succeeded(result), {"transaction_id": result["transaction_id"] or ""}


def _fits(item: dict[str, Any], looked_up: Mapping[str, str]) -> bool:
    statuses = [item[name] for name in _IDS if item.get(name) is not None]
    kind = item.get("transaction_type")
    return (
        is_amount(item.get("tx_base_amount"), Decimal(looked_up["amount"]))
        and absent_or(item.get("tx_additional_fee"), lambda value: _number(value) >= 0)
        and absent_or(item.get("currency_code"), lambda value: is_one_of(value, {looked_up["currency"]}))
        and bool(statuses)
        and all(is_one_of(status, {_COMPLETED}) for status in statuses)
        and all(absent_or(item.get(name), lambda value: is_one_of(value, texts)) for name, texts in _TEXTS.items())  # noqa: B023
        and not (isinstance(kind, str) and _MONEY_BACK.search(bare(kind)))
        and not other_signs(item, {*_IDS, *_TEXTS})
    )


def _shows_a_payment(payload: Any) -> bool:
    if isinstance(payload, dict | list):
        return any(name in _OF_A_PAYMENT and value not in (None, "") for name, value in _fields(payload))
    return payload not in (None, "")


def _fields(value: Any) -> Iterator[tuple[str, Any]]:
    """Every field of an object or list, at any depth."""
    members = value.items() if isinstance(value, dict) else [("", item) for item in value]
    for name, member in members:
        yield name, member
        if isinstance(member, dict | list):
            yield from _fields(member)


def _number(value: Any) -> Decimal:
    """A JSON number, or a plain decimal string. Anything else becomes a number below every amount."""
    text = value if isinstance(value, str) else "" if isinstance(value, bool) else str(value)
    return Decimal(text) if re.fullmatch(r"-?[0-9]+(\.[0-9]+)?", text, re.ASCII) else Decimal("-Infinity")
