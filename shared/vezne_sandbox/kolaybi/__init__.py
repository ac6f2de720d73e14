"""KolayBi: collection from an associate (page "Cari Tahsilat İşlemi"), its login and two lists.

Assumptions, since no page is public for them:
- refusals are ``{"success": false, "code", "message", "errors"}`` with HTTP 401 (login, token, channel) or 422;
- the rows of the transaction list carry the fields of the collection's answer, an ``id``, the gateway and the
  ``description`` as received, newest first;
- currency codes are accepted in either letter case (the older page shows ``TRY``, the newer ``try``);
- every associate and gateway exists.
"""

from __future__ import annotations

import re
from collections import Counter
from decimal import Decimal
from typing import Any

from vezne_sandbox.ledger import Booking
from vezne_sandbox.odd import Names, in_form
from vezne_sandbox.provider import Operation, Payment, Provider, ReplyFields
from vezne_sandbox.wire import Call, Malformed, Refused, Reply, json_reply, known_fields, masked, masked_text, text

PROJECTS = "project_ids[]"
COLLECTION_FIELDS = frozenset(
    {"amount", "currency", "gateway_id", "gateway_type", "exchange_rate", PROJECTS, "description"}
)
ROW_FAULTS = frozenset({"unnamed_row", "odd_row", "cut_text"})
ROW = Names(
    reference="description",
    amount="amount",
    currency="currency",
    signs=("transaction_status",),
    cancelled={"transaction_status": "İptal Edildi"},
    pending={"transaction_status": "Beklemede"},
)
SHORT_COLUMN = 40
VAULTS = (
    {"id": 10201, "name": "Merkez Kasa", "type": "SAFE_DEPOSIT", "currency": "try"},
    {"id": 10202, "name": "Banka Hesabı", "type": "BANK_ACCOUNT", "currency": "try"},
    {"id": 10203, "name": "Euro Hesabı", "type": "BANK_ACCOUNT", "currency": "eur"},
)


def failure(status: int, message: str, errors: dict[str, list[str]] | None = None) -> Reply:
    """Write a refusal (its shape is an assumption)."""
    body: dict[str, Any] = {"success": False, "code": status, "message": message}
    if errors:
        body["errors"] = errors
    return json_reply(body, status)


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


class KolayBi(Provider):
    """KolayBi's server."""

    name = "kolaybi"
    rotated = "api_key"
    token_lifetime = 24 * 3600

    def operations(self) -> list[Operation]:
        """Serve the login, the collection and the lists of transactions and vaults."""
        transactions = "/kolaybi/v1/associates/{associate_id}/transactions"
        return [
            Operation("kolaybi.login", "POST", "/kolaybi/v1/access_token", self.login, "login"),
            Operation(
                "kolaybi.collect",
                "POST",
                f"{transactions}/proceed",
                self.collect,
                "pay",
                lambda call: masked_text(dict(call.form()).get("description", "")),
                frozenset({"other_amount", "odd_refusal"}),
                r"4\d\d",
                look_up="kolaybi.list_transactions",
            ),
            Operation(
                "kolaybi.list_transactions",
                "GET",
                transactions,
                self.list_transactions,
                "look_up",
                lambda call: call.parameters["associate_id"],
                ROW_FAULTS,
            ),
            Operation("kolaybi.list_vaults", "GET", "/kolaybi/v1/vaults", self.list_vaults, "look_up"),
        ]

    def unauthorized(self) -> Reply:
        """Refuse the token."""
        return failure(401, "Unauthenticated.")

    def too_many_requests(self) -> Reply:
        """Refuse for the rate."""
        return failure(429, "Too Many Attempts.")

    def login(self, call: Call) -> Reply:
        """Answer the bare token under ``data``."""
        self._require_channel(call)
        try:
            fields = call.json()
            known_fields(fields, frozenset({"api_key"}))
            api_key = text(fields, "api_key")
        except Malformed as error:
            return failure(422, str(error))
        if not self.secrets.accepts("api_key", api_key):
            return self.unauthorized()
        return json_reply({"data": self.tokens.issue()})

    def collect(self, call: Call) -> Payment | Reply:
        """Check a collection field by field."""
        self._require_token(call)
        try:
            return Collection(self, call, collection_fields(call))
        except Malformed as error:
            return failure(422, "The given data was invalid.", {"request": [str(error)]})

    def list_transactions(self, call: Call) -> Reply:
        """List an associate's transactions, newest first."""
        self._require_token(call)
        associate_id = call.parameters["associate_id"]
        rows = [
            {**booking.answer, **self._gateway(booking), "description": booking.references["description"]}
            for booking in reversed(self.ledger.of(self.name, hidden_seconds=call.hidden_seconds))
            if booking.references["associate_id"] == associate_id
        ]
        if call.cut_text:
            rows = [{**row, "description": row["description"][:SHORT_COLUMN]} for row in rows]
        if call.row_form is not None:
            rows = [in_form(row, ROW, call.row_form) for row in rows]
        if call.foreign_amount is not None:
            rows.insert(0, self._foreign_row(call.foreign_amount))
        return json_reply({"data": rows})

    def list_vaults(self, call: Call) -> Reply:
        """List vaults, filtered by ``currency`` and ``type`` (``bank_account`` or ``safe_deposit``)."""
        self._require_token(call)
        wanted = {name: value.lower() for name, value in call.query.items()}
        if set(wanted) - {"currency", "type"}:
            return failure(422, "Unknown filter.")
        rows = [v for v in VAULTS if all(str(v[name]).lower() == value for name, value in wanted.items())]
        return json_reply({"data": rows})

    def _require_channel(self, call: Call) -> None:
        if not self.secrets.accepts("channel", call.headers.get("Channel")):
            raise Refused(failure(401, "Channel header is missing or invalid."))

    def _require_token(self, call: Call) -> None:
        self._require_channel(call)
        if not self.tokens.accepts(call.headers.get("Authorization")):
            raise Refused(self.unauthorized())

    @staticmethod
    def _gateway(booking: Booking) -> dict[str, Any]:
        return {
            "gateway_id": int(booking.request["gateway_id"]),
            "gateway_type": booking.request.get("gateway_type", "Vault"),
        }

    def _foreign_row(self, amount: Decimal) -> dict[str, Any]:
        return {
            "id": 900000001,
            "transaction_status": "Tamamlandı",
            "transaction_type": "Tahsilat",
            "payment_method": "Nakit",
            "issue_date": f"{self.clock.istanbul():%Y-%m-%d %H:%M:%S}",
            "amount": amount,
            "currency": "TRY",
            "gateway_id": 1,
            "gateway_type": "Vault",
            "description": "Elden tahsilat",
        }


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
    known_fields(dict(pairs), COLLECTION_FIELDS)
    _require(fields, "amount", r"\d+(\.\d+)?", "a number", required=True)
    if Decimal(fields["amount"]) <= 0:
        raise Malformed("amount must be above zero")
    _require(fields, "currency", r"[A-Z]{3}|[a-z]{3}", "a currency code", required=True)
    _require(fields, "gateway_id", r"[1-9]\d*", "an integer", required=True)
    _require(fields, "gateway_type", r"Vault|Associate", "Vault or Associate")
    _require(fields, "exchange_rate", r"(?=.*[1-9])\d+(\.\d+)?", "a number above zero")
    if not all(re.fullmatch(r"[1-9]\d*", project) for project in projects):
        raise Malformed(f"{PROJECTS} must be integers")
    return {**fields, **({PROJECTS: [int(project) for project in projects]} if projects else {})}


def _require(fields: dict[str, Any], name: str, pattern: str, what: str, *, required: bool = False) -> None:
    value = fields.get(name)
    if value is None and not required:
        return
    if value is None or not re.fullmatch(pattern, value, re.ASCII):
        raise Malformed(f"{name} must be {what}")
