"""The collection from an associate (page "Cari Tahsilat İşlemi")."""

from __future__ import annotations

import re
from collections import Counter
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from vezne_sandbox.kolaybi.replies import failure
from vezne_sandbox.ledger import Booking
from vezne_sandbox.provider import Operation, Payment, ReplyFields
from vezne_sandbox.wire import Call, Malformed, Reply, json_reply, known_fields, masked, masked_text

if TYPE_CHECKING:
    from vezne_sandbox.kolaybi import KolayBi

PROJECTS = "project_ids[]"
COLLECTION_FIELDS = frozenset(
    {"amount", "currency", "gateway_id", "gateway_type", "exchange_rate", PROJECTS, "description"}
)
NUMBER = r"(?=.*[1-9])\d+(\.\d+)?"
CURRENCY = r"[A-Z]{3}|[a-z]{3}"
ACCOUNT = r"Vault|Associate"
# What each row of the page's two tables may have: `expenses[0][amount]`.
TABLES = {
    "expenses": {"source_type": ACCOUNT, "amount": NUMBER, "currency": CURRENCY, "source_id": r"[1-9]\d*"},
    "transaction_currency_rates": {"quote_currency": CURRENCY, "rate": NUMBER, "total": NUMBER},
}
CELL = re.compile(r"(\w+)\[(\d+)\]\[(\w+)\]", re.ASCII)


class Collection(Payment):
    """A collection (Tahsilat). It has no reference of its own: a second request books a second time."""

    def __init__(self, provider: KolayBi, call: Call, fields: dict[str, str]) -> None:
        self._provider = provider
        description = masked_text(fields.get("description", ""))
        self.booking = Booking(
            provider=provider.name,
            operation=call.operation,
            reference=description,
            references={"associate_id": call.parameters["associate_id"], "description": description},
            amount=Decimal(fields["amount"]),
            currency=fields["currency"],
            request=masked(fields, frozenset()),
        )

    def record(self) -> None:
        self.booking.answer = {"id": len(self._provider.ledger.bookings), **self._fields(self.booking.amount)}

    def answer(self, fields: ReplyFields) -> Reply:
        return json_reply({"data": self._fields(fields.amount)})

    def refuse(self, code: str | None) -> Reply:
        return failure(int(code or 422), "Tahsilat hesabı bulunamadı.")

    def odd_refusal(self) -> Reply:
        """HTTP 422 and ``success`` false beside the collection's own data."""
        body = {"success": False, "code": 422, "message": "Hata", "data": self._fields(self.booking.amount)}
        return json_reply(body, 422)

    def _fields(self, amount: Decimal) -> dict[str, Any]:
        return {
            "transaction_status": "Tamamlandı",
            "transaction_type": "Tahsilat",
            "payment_method": "Nakit",
            "issue_date": f"{self._provider.clock.istanbul():%Y-%m-%d %H:%M:%S}",
            "amount": amount,
            "currency": self.booking.currency,
        }


def collect(provider: KolayBi, call: Call) -> Payment | Reply:
    """Check a collection field by field."""
    provider.require_token(call)
    try:
        return Collection(provider, call, collection_fields(call))
    except Malformed as error:
        return failure(422, "The given data was invalid.", {"request": [str(error)]})


def collection_fields(call: Call) -> dict[str, Any]:
    """Read and check the form of a collection: the page's seven fields, ``project_ids[]`` repeated."""
    if not re.fullmatch(r"[1-9]\d*", call.parameters["associate_id"]):
        raise Malformed("id must be an integer")
    pairs = call.form()
    twice = [name for name, count in Counter(name for name, _ in pairs).items() if count > 1 and name != PROJECTS]
    if twice:
        raise Malformed(f"{twice[0]} is given twice")
    fields: dict[str, Any] = {name: value for name, value in pairs if name != PROJECTS}
    projects = [value for name, value in pairs if name == PROJECTS]
    known_fields({name: value for name, value in pairs if not _is_cell(name, value)}, COLLECTION_FIELDS)
    _require(fields, "amount", r"\d+(\.\d+)?", "a number", required=True)
    if Decimal(fields["amount"]) <= 0:
        raise Malformed("amount must be above zero")
    _require(fields, "currency", CURRENCY, "a currency code", required=True)
    _require(fields, "gateway_id", r"[1-9]\d*", "an integer", required=True)
    _require(fields, "gateway_type", ACCOUNT, "Vault or Associate")
    _require(fields, "exchange_rate", NUMBER, "a number above zero")
    if not all(re.fullmatch(r"[1-9]\d*", project) for project in projects):
        raise Malformed(f"{PROJECTS} must be integers")
    return {**fields, **({PROJECTS: [int(project) for project in projects]} if projects else {})}


def _is_cell(name: str, value: str) -> bool:
    """Tell whether a field is one of the two tables, and refuse it if it is in another form."""
    cell = CELL.fullmatch(name)
    if not cell or cell[1] not in TABLES:
        return False
    form = TABLES[cell[1]].get(cell[3])
    if form is None or not re.fullmatch(form, value, re.ASCII):
        raise Malformed(f"{name} is not in its form")
    return True


def _require(fields: dict[str, Any], name: str, pattern: str, what: str, *, required: bool = False) -> None:
    value = fields.get(name)
    if value is None and not required:
        return
    if value is None or not re.fullmatch(pattern, value, re.ASCII):
        raise Malformed(f"{name} must be {what}")


COLLECT = Operation(
    name="kolaybi.collect",
    kind="pay",
    method="POST",
    path="/kolaybi/v1/associates/{associate_id}/transactions/proceed",
    handle=collect,
    reference=lambda call: masked_text(dict(call.form()).get("description", "")),
    faults=frozenset({"other_amount", "odd_refusal"}),
    code_pattern=r"4\d\d",
    look_up="kolaybi.list_transactions",
)
