"""Pay a bill from a wallet: walletgate "Make Payment"."""

import time
from decimal import Decimal

from vezne import entry
from vezne.credentials import Access, WalletgateCredentials
from vezne.inquiries import walletgate
from vezne.models.walletgate import ACCOUNT_TYPES, BillPaymentRequest, BillPaymentResult
from vezne.money import amount_text, json_number_two_digits
from vezne.operation import Operation, Order
from vezne.outcome import (
    REFUSING_STATUSES,
    Declined,
    Finding,
    Found,
    Inconclusive,
    NotFound,
    Outcome,
    Succeeded,
    Unknown,
)
from vezne.provider import Answer, Deadline, Request, json_request
from vezne.record import Guard, Record

# The platform's code table: wallet not found, limit insufficient, balance insufficient.
REFUSALS = frozenset({"300", "310", "311"})
# 301, "duplicate ext_transaction_id": this bill may have been paid before, so it is looked up instead of believed.
DUPLICATE = "301"


class PayBill(Operation[BillPaymentRequest, WalletgateCredentials]):
    """POST /v1/InvoicePayment/MakePayment."""

    name = "walletgate.pay_bill"
    path = "/walletgate/bill-payments"
    request_model = BillPaymentRequest
    client = walletgate.CLIENT
    # That the platform refuses the same oid twice, or finds it as ext_transaction_id, is not documented.
    resend_is_safe = False
    look_up_is_complete = False
    look_up_call = "POST TransactionData/SummaryRecordByFilter by ext_transaction_id"

    def build(self, order: Order[BillPaymentRequest], access: Access[WalletgateCredentials]) -> Request:
        """The page's request, in its order; `tenant_id` is in its sample only and sent if the secret has one."""
        request = order.request
        tenant = access.credentials.tenant_id
        fields = {
            **({} if tenant is None else {"tenant_id": tenant}),
            "account_type_id": ACCOUNT_TYPES[request.account_type],
            "account_number": request.account_number,
            "wallet_number": request.wallet_number,
            "inv_payment_transaction_query_oid": request.inv_payment_transaction_query_oid,
            "invoice_amount": json_number_two_digits(request.invoice_amount),
            "payment_amount": json_number_two_digits(request.payment_amount),
            "product_oid": request.product_oid,
            "subscriber_no": request.subscriber_no,
            "bill_term": request.bill_term,
            "bill_no": request.bill_no,
        }
        return json_request("/v1/InvoicePayment/MakePayment", fields, walletgate.headers(access))

    def read(self, order: Order[BillPaymentRequest], answer: Answer) -> Outcome:
        """Success: `status` 0 and `code` "100", for our bill and our amount."""
        body = answer.json()
        status, code, payload = str(body.get("status")), str(body.get("code")), body.get("payload")
        if walletgate.says_success(answer, body) and isinstance(payload, dict):
            result = BillPaymentResult.model_validate(payload)
            if result.inv_payment_transaction_query_oid not in (None, order.request.inv_payment_transaction_query_oid):
                return Unknown("other bill")
            if result.transaction_amount not in (None, order.request.payment_amount):
                return Unknown("other amount")
            return Succeeded(result.public())
        if status == "0" or code in (DUPLICATE, walletgate.SUCCESS_CODE):
            return Unknown(f"status {status} code {code}"[:40])
        # A code of the table refuses with HTTP 200, any code of the platform's envelope with a status that says so too.
        if (answer.status == 200 and code in REFUSALS) or (answer.status in REFUSING_STATUSES and "code" in body):
            return Declined(code, str(body.get("message", "")))
        return Unknown(f"http-{answer.status}")

    def clues(self, order: Order[BillPaymentRequest]) -> dict[str, str]:
        """The bill's oid, and the amount a found payment must have."""
        request = order.request
        return {
            "inv_payment_transaction_query_oid": request.inv_payment_transaction_query_oid,
            "amount": amount_text(request.payment_amount, "TRY"),
            "currency": "TRY",
        }

    def guard(self, order: Order[BillPaymentRequest]) -> Guard:
        """The same oid under two keys is one bill."""
        return Guard(order.request.inv_payment_transaction_query_oid, keeps=True)

    def look_up(self, record: Record, deadline: Deadline) -> Finding:
        """A completed transaction under the oid and for our amount is proof.

        An item that names no reference was selected by the platform's own filter on it.
        """
        oid = record.clues["inv_payment_transaction_query_oid"]
        rows = walletgate.find_transactions(oid, record.created_at, max(record.in_flight_until, time.time()), deadline)
        ours = [row for row in rows if row.ext_transaction_id in (None, oid)]
        if not ours:
            return NotFound({"rows": str(len(rows))})
        row = ours[0]
        amount = Decimal(record.clues["amount"])
        if len(ours) > 1 or not row.completed or row.tx_base_amount != amount:
            return Inconclusive("a transaction of our bill that proves nothing")
        result = BillPaymentResult(
            inv_payment_transaction_query_oid=oid,
            transaction_id=row.id,
            transaction_amount=row.tx_base_amount,
            transaction_fee=row.tx_additional_fee,
            ext_order_id=oid,
        )
        return Found(Succeeded(result.public()), {"transaction_id": row.id or ""})


handler = entry.handler(PayBill())
