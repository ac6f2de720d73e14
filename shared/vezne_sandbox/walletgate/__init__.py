"""walletgate: login, payment of a bill (page "Make Payment"), list of transactions, bills and product.

Assumptions, since the pages do not say:
- a wrong login is HTTP 400 ``{"error": "invalid_client"}`` as RFC 6749 has it; a refused token HTTP 401;
- other refusals have the envelope with ``status`` 1, a ``code`` and ``payload`` null: HTTP 400 and code "400" for a
  malformed request, HTTP 200 for a business refusal;
- the same ``inv_payment_transaction_query_oid`` again is code "301"; the oid is the ``ext_transaction_id`` of the list;
- the list's payload is ``{"items", "page_index", "page_size", "total_count"}``, its items carry ``ext_transaction_id``;
  pages count from 1 (0 is taken as 1); without dates the list goes back one day;
- the product is asked for by ``product_oid``;
- an oid that no seed names is an open bill of the amount given, partly payable; the wallet has enough money unless a
  seed sets ``balance``.
"""

from __future__ import annotations

import re
import uuid
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from vezne_sandbox.ledger import Booking, seven_digit_fraction
from vezne_sandbox.odd import Names, in_form
from vezne_sandbox.provider import Operation, Payment, Provider, ReplyFields
from vezne_sandbox.walletgate.bills import Bill, Bills, product_detail
from vezne_sandbox.wire import (
    Call,
    Malformed,
    Refused,
    Reply,
    integer,
    json_reply,
    known_fields,
    masked,
    positive_number,
    text,
)

PAYMENT_TEXTS = (
    "account_number",
    "wallet_number",
    "inv_payment_transaction_query_oid",
    "product_oid",
    "subscriber_no",
    "bill_term",
    "bill_no",
)
PAYMENT_FIELDS = frozenset({*PAYMENT_TEXTS, "tenant_id", "account_type_id", "invoice_amount", "payment_amount"})
LIST_FIELDS = frozenset(
    {
        *("page_size", "page_index", "order_column", "order_by", "id", "ext_transaction_id", "tenant_id", "wallet_id"),
        *("process_level_status_id", "transaction_type_code", "transaction_type_code_list", "to_wallet_id"),
        *("currency_code", "from_account_number", "to_account_number", "from_wallet_number", "to_wallet_number"),
        *("start_date", "end_date", "min_amount", "max_amount"),
    }
)
ACCOUNT_TYPES = {1: "Personal", 2: "Business"}
COMPLETED = 20
ROW_FAULTS = frozenset({"unnamed_row", "odd_row", "unfiltered"})
ITEM = Names(
    reference="ext_transaction_id",
    amount="tx_base_amount",
    currency="currency_code",
    signs=("transaction_status_id", "transaction_status", "result_code"),
    cancelled={"process_level_status_id": 40, "transaction_status_id": 40, "transaction_status": "CancelCompleted"},
    pending={"process_level_status_id": 10, "transaction_status_id": 10, "transaction_status": "Pending"},
)
DEFAULT_WINDOW = timedelta(days=1)
MESSAGES = {
    "300": "Cüzdan bulunamadı veya geçersiz",
    "301": "Mükerrer ext_transaction_id",
    "310": "Cüzdan limiti yetersiz",
    "311": "Cüzdan bakiyesi yetersiz",
    "503": "IBAN ve isim uyuşmuyor",
}


def envelope(payload: object) -> Reply:
    """Write a success."""
    return json_reply({"status": 0, "code": "100", "message": "İşlem başarılı", "payload": payload})


def failure(code: str, message: str, status: int = 200) -> Reply:
    """Write a refusal."""
    return json_reply({"status": 1, "code": code, "message": message, "payload": None}, status)


class BillPayment(Payment):
    """A bill's payment out of a wallet."""

    def __init__(self, provider: Walletgate, call: Call, fields: dict[str, Any]) -> None:
        self._provider = provider
        self._fields = fields
        oid = fields["inv_payment_transaction_query_oid"]
        self.booking = Booking(
            provider=provider.name,
            operation=call.operation,
            reference=oid,
            references={
                "inv_payment_transaction_query_oid": oid,
                "bill_no": fields["bill_no"],
                "product_oid": fields["product_oid"],
            },
            amount=Decimal(fields["payment_amount"]),
            currency="TRY",
            request=masked(fields, frozenset({"subscriber_no", "account_number", "wallet_number"})),
        )
        number = provider.next_number()
        self._ids = {"payment_transaction_id": f"9623{number:06d}", "transaction_id": f"ABRV{number:07d}"}

    def obstacle(self) -> Reply | None:
        booked = self._provider.ledger.of(self._provider.name)
        if any(b.reference == self.booking.reference for b in booked):
            return self.refuse("301")
        balance = self._provider.balance
        if balance is not None and sum((b.amount for b in booked), self.booking.amount) > balance:
            return self.refuse("311")
        return None

    def record(self) -> None:
        self.booking.answer = dict(self._ids)
        self._provider.bills.pay(self.booking.reference)

    def answer(self, fields: ReplyFields) -> Reply:
        payload = {
            "invoice_type": None,
            "inv_payment_transaction_query_oid": fields.reference,
            "receipt_output_print": "termal",
            "institution_name": "Türk Telekom (Mobil)",
            **self._ids,
            "transaction_amount": fields.amount.quantize(Decimal("0.0001")),
            "transaction_fee": Decimal("0.000000"),
            "charged_amount": fields.amount.quantize(Decimal("0.000001")),
            "ext_order_id": fields.reference,
            "business_code": "",
            "business_name": "",
            "friendly_name": "",
            "receiver_account_number": "412XX50",
            "receiver_wallet_number": "126XX30",
            "sender_wallet_info": self._wallet(),
        }
        return envelope(payload)

    def refuse(self, code: str | None) -> Reply:
        code = code or "311"
        return failure(code, MESSAGES.get(code, "İşlem başarısız"))

    def odd_refusal(self) -> Reply:
        """HTTP 400 with an envelope that names no code: any gateway writes such a thing."""
        return json_reply({"status": 1, "code": None, "message": None, "payload": None}, 400)

    def other_reference(self) -> str:
        return str(uuid.uuid4())

    def _wallet(self) -> dict[str, Any]:
        """Describe the sender's wallet with the sample's figures and number formats."""
        return {
            "id": "45X9XX21",
            "name": "",
            "account_number": self._fields["account_number"],
            "account_type": ACCOUNT_TYPES[self._fields["account_type_id"]],
            "created_date_utc": "2022-01-18T07:48:51.7092961+00:00",
            "number": self._fields["wallet_number"],
            "phone_country_code": None,
            "phone_number": None,
            "email": None,
            "total_balance": Decimal("899.47"),
            "monthly_incoming_total": Decimal("0.0"),
            "monthly_outgoing_total": Decimal("0.0"),
            "access_level_status_id": 1,
            "access_level_status": "Aktif",
            "payment_balance": {"available": Decimal("0.0"), "unavailable": Decimal("0.00")},
            "cash_balance": {"available": Decimal("899.47"), "unavailable": Decimal("0.00")},
            "transaction_limits": {
                "max_balance": Decimal("1000000.0000"),
                "topup_credit_limit": Decimal("996004.0060"),
                "topup_cash_limit": Decimal("996004.0060"),
                "withdrawal_limit": Decimal("1000000.0000"),
                "payment_limit": Decimal("997238.4300"),
                "wallet_to_wallet_limit": Decimal("999699.8000"),
            },
            "kyc_level_status": None,
            "currency_code": "TRY",
            "user_kyc_info": None,
            "is_topup_default": False,
            "tax_number": None,
            "loyalty_record_required": False,
        }


class Walletgate(Provider):
    """walletgate's identity server and API, on one host."""

    name = "walletgate"
    rotated = "client_secret"

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.bills = Bills()
        self.balance: Decimal | None = None
        self._numbers = 0

    def operations(self) -> list[Operation]:
        """Serve the login, the payment, the list of transactions, and the bills and products."""

        def field(name: str) -> Any:
            return lambda call: str(call.json().get(name, ""))

        def look_up(
            name: str, path: str, handle: Any, reference: str, faults: frozenset[str] = frozenset()
        ) -> Operation:
            return Operation(f"walletgate.{name}", "POST", f"/v1/{path}", handle, "look_up", field(reference), faults)

        bills = "InvoicePayment/GetInvoicesByProductAndSubscriber"
        return [
            Operation("walletgate.login", "POST", "/connect/token", self.login, "login"),
            Operation(
                "walletgate.pay_bill",
                "POST",
                "/v1/InvoicePayment/MakePayment",
                self.pay_bill,
                "pay",
                field("inv_payment_transaction_query_oid"),
                frozenset({"other_amount", "other_reference", "odd_refusal"}),
                r"\d{3}",
                look_up="walletgate.list_transactions",
                paid_once=True,
            ),
            look_up(
                "list_transactions",
                "TransactionData/SummaryRecordByFilter",
                self.list_transactions,
                "ext_transaction_id",
                ROW_FAULTS,
            ),
            look_up("list_bills", bills, self.list_bills, "product_oid"),
            look_up("product_detail", "InvoicePayment/GetProductDetailByProductId", self.product, "product_oid"),
        ]

    def unauthorized(self) -> Reply:
        """Refuse the token."""
        return failure("401", "Yetkisiz erişim", 401)

    def too_many_requests(self) -> Reply:
        """Refuse for the rate."""
        return failure("429", "Çok fazla istek", 429)

    def next_number(self) -> int:
        """Count payments, for their ids."""
        self._numbers += 1
        return self._numbers

    def login(self, call: Call) -> Reply:
        """Answer an access token for ``client_credentials``."""
        try:
            pairs = call.form()
        except Malformed:
            return json_reply({"error": "invalid_request"}, 400)
        fields = dict(pairs)
        if len(fields) != len(pairs) or set(fields) != {"grant_type", "client_id", "client_secret", "scope"}:
            return json_reply({"error": "invalid_request"}, 400)
        if fields["grant_type"] != "client_credentials":
            return json_reply({"error": "unsupported_grant_type"}, 400)
        if not all(self.secrets.accepts(name, fields[name]) for name in ("client_id", "client_secret")):
            return json_reply({"error": "invalid_client"}, 400)
        if not self.secrets.accepts("scope", fields["scope"]):
            return json_reply({"error": "invalid_scope"}, 400)
        answer = {
            "access_token": self.tokens.issue(),
            "token_type": "Bearer",
            "expires_in": self.tokens.lifetime,
            "scope": fields["scope"],
        }
        return json_reply(answer)

    def pay_bill(self, call: Call) -> Payment | Reply:
        """Check a payment against the page and, for a seeded bill, against what the inquiry told."""
        fields = self._authorized_fields(call, PAYMENT_FIELDS)
        try:
            check_payment(fields)
            self.bills.check(fields)
        except Malformed as error:
            return failure("400", str(error), 400)
        return BillPayment(self, call, fields)

    def list_transactions(self, call: Call) -> Reply:
        """List completed payments: of the last day, or between ``start_date`` and ``end_date``."""
        fields = self._authorized_fields(call, LIST_FIELDS)
        try:
            text(fields, "order_column")
            first, last = self._window(fields)
            page_size = integer({"page_size": 10, **fields}, "page_size")
            page_index = max(1, integer({"page_index": 1, **fields}, "page_index"))
        except Malformed as error:
            return failure("400", str(error), 400)
        items = [
            self._item(booking.reference, booking.answer["transaction_id"], booking.amount, booking.at)
            for booking in self.ledger.of(self.name, hidden_seconds=call.hidden_seconds)
            if first <= booking.at <= last and (call.unfiltered or fits(booking, fields))
        ]
        if call.row_form is not None:
            items = [in_form(item, ITEM, call.row_form) for item in items]
        if call.foreign_amount is not None:
            items.insert(0, self._item(str(uuid.uuid4()), "FRGN0000001", call.foreign_amount, self.clock.now()))
        start = (page_index - 1) * page_size
        page = {"page_index": page_index, "page_size": page_size, "total_count": len(items)}
        return envelope({"items": items[start : start + page_size], **page})

    def list_bills(self, call: Call) -> Reply:
        """List a subscriber's open bills. Each inquiry gives a bill a new oid, unless the seed fixed it."""
        names = frozenset({"tenant_id", "product_oid", "subscriber_no1", "subscriber_no2", "subscriber_no3"})
        fields = self._authorized_fields(call, names)
        try:
            rows = self.bills.inquire(text(fields, "product_oid"), text(fields, "subscriber_no1"))
        except Malformed as error:
            return failure("400", str(error), 400)
        return envelope(rows)

    def product(self, call: Call) -> Reply:
        """Tell which subscriber numbers a product asks for."""
        fields = self._authorized_fields(call, frozenset({"tenant_id", "product_oid"}))
        try:
            return envelope(product_detail(text(fields, "product_oid")))
        except Malformed as error:
            return failure("400", str(error), 400)

    def seed(self, values: dict[str, Any]) -> None:
        """Take ``balance`` (decimal string) of the wallet, and ``bills``: see ``Bill`` for the fields."""
        values = dict(values)
        if "balance" in values:
            self.balance = Decimal(str(values.pop("balance")))
        for bill in values.pop("bills", []):
            self.bills.add(Bill.of(bill))
        super().seed(values)

    def _authorized_fields(self, call: Call, allowed: frozenset[str]) -> dict[str, Any]:
        if not self.tokens.accepts(call.headers.get("Authorization")):
            raise Refused(self.unauthorized())
        if not self.secrets.accepts("platform_key", call.headers.get("x-client-id")):
            raise Refused(self.unauthorized())
        try:
            fields = call.json()
            known_fields(fields, allowed)
            if "tenant_id" in fields:
                integer(fields, "tenant_id")
        except Malformed as error:
            raise Refused(failure("400", str(error), 400)) from error
        return fields

    def _window(self, fields: dict[str, Any]) -> tuple[float, float]:
        now = self.clock.utc()
        if ("start_date" in fields) != ("end_date" in fields):
            raise Malformed("start_date and end_date come together")
        if "start_date" not in fields:
            return (now - DEFAULT_WINDOW).timestamp(), now.timestamp()
        return utc_date(fields, "start_date"), utc_date(fields, "end_date")

    @staticmethod
    def _item(oid: str, transaction_id: str, amount: Decimal, at: float) -> dict[str, Any]:
        moment = seven_digit_fraction(datetime.fromtimestamp(at, UTC))
        return {
            "id": transaction_id,
            "ext_transaction_id": oid,
            "tx_group_correlation_id": f"group-{transaction_id}",
            "tx_ref_correlation_id": f"reference-{transaction_id}",
            "wallet_id": "45X9XX21",
            "transaction_type": "InvoicePayment",
            "transaction_status_id": COMPLETED,
            "transaction_status": "NormalCompleted",
            "result_code": "Success",
            "created_date_utc": moment,
            "updated_date_utc": moment,
            "completed_date_utc": moment,
            "tx_base_amount": amount.quantize(Decimal("0.0001")),
            "tx_additional_fee": Decimal("0.0000"),
            "currency_code": "TRY",
        }


def check_payment(fields: dict[str, Any]) -> None:
    """Check types and rules of the payment page."""
    for name in PAYMENT_TEXTS:
        text(fields, name)
    if integer(fields, "account_type_id") not in ACCOUNT_TYPES:
        raise Malformed("account_type_id must be 1 or 2")
    if positive_number(fields, "payment_amount") > positive_number(fields, "invoice_amount"):
        raise Malformed("payment_amount is above invoice_amount")
    if not re.fullmatch(r"(0[1-9]|1[0-2])/[0-9]{4}", fields["bill_term"]):
        raise Malformed("bill_term must be MM/yyyy")


def fits(booking: Booking, fields: dict[str, Any]) -> bool:
    """Tell whether a booking passes the list's filters that the sandbox knows values for."""
    wanted = {
        "ext_transaction_id": booking.reference,
        "id": booking.answer["transaction_id"],
        "process_level_status_id": COMPLETED,
    }
    return all(fields[name] in (None, "", value) for name, value in wanted.items() if name in fields)


def utc_date(fields: dict[str, Any], name: str) -> float:
    """Read an ISO 8601 time with its offset as seconds since 1970."""
    try:
        moment = datetime.fromisoformat(text(fields, name))
    except ValueError as error:
        raise Malformed(f"{name} must be an ISO 8601 time") from error
    if moment.tzinfo is None:
        raise Malformed(f"{name} must carry an offset")
    return moment.timestamp()
