"""The payment of a bill out of a wallet (page "Make Payment")."""

from __future__ import annotations

import re
import uuid
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from vezne_sandbox.ledger import Booking
from vezne_sandbox.provider import Operation, Payment, ReplyFields, json_field
from vezne_sandbox.walletgate.replies import MESSAGES, envelope, failure
from vezne_sandbox.walletgate.wallet import ACCOUNT_TYPES, sender_wallet
from vezne_sandbox.wire import Call, Malformed, Reply, integer, json_reply, masked, positive_number, text

if TYPE_CHECKING:
    from vezne_sandbox.walletgate import Walletgate

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
            "sender_wallet_info": sender_wallet(self._fields),
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


def pay_bill(provider: Walletgate, call: Call) -> Payment | Reply:
    """Check a payment against the page and, for a seeded bill, against what the inquiry told."""
    fields = provider.authorized_fields(call, PAYMENT_FIELDS)
    try:
        check_payment(fields)
        provider.bills.check(fields)
    except Malformed as error:
        return failure("400", str(error), 400)
    return BillPayment(provider, call, fields)


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


PAY_BILL = Operation(
    name="walletgate.pay_bill",
    kind="pay",
    method="POST",
    path="/v1/InvoicePayment/MakePayment",
    handle=pay_bill,
    reference=json_field("inv_payment_transaction_query_oid"),
    faults=frozenset({"other_amount", "other_reference", "odd_refusal"}),
    code_pattern=r"\d{3}",
    look_up="walletgate.list_transactions",
    paid_once=True,
)
