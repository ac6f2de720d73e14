"""Pay a bill from a wallet: walletgate "Make Payment"."""

import hashlib
import json
import time
import uuid
from functools import partial

from vezne.api import handle_order
from vezne.operation import Operation, Order
from vezne.orders.evidence import find
from vezne.orders.guards import Guard, OneAtATime, PaidOnce
from vezne.orders.outcome import Declined, Finding, Outcome, Succeeded, Unknown
from vezne.orders.record import Record
from vezne.platform.money import amount_text, json_number_two_digits
from vezne.providers.credentials import RequestCredentials, WalletgateCredentials
from vezne.providers.http import Deadline, ProviderResponse, Request, json_request
from vezne.providers.walletgate import client as walletgate, signs
from vezne.providers.walletgate.models import ACCOUNT_TYPES, BillPaymentRequest, BillPaymentResult

# The platform's code table: wallet not found, limit insufficient, balance insufficient. Not 301, "duplicate
# ext_transaction_id": this bill may have been paid before, so it is looked up.
REFUSALS = frozenset({"300", "310", "311"})


class PayBill(Operation[BillPaymentRequest, BillPaymentResult, WalletgateCredentials]):
    """POST /v1/InvoicePayment/MakePayment."""

    name = "walletgate.pay_bill"
    route = "POST /walletgate/bill-payments"
    client = walletgate.CLIENT
    reference_field = "payment_transaction_id"
    # It is not documented that the platform refuses the same oid twice, nor that it lists it as ext_transaction_id.
    resend_is_safe = False
    look_up_is_complete = False
    look_up_call = "POST TransactionData/SummaryRecordByFilter by ext_transaction_id"

    def build(self, order: Order[BillPaymentRequest], access: RequestCredentials[WalletgateCredentials]) -> Request:
        """The page's request, in its order. `tenant_id` is only in the sample, and is sent if the secret has one."""
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

    def read(self, order: Order[BillPaymentRequest], answer: ProviderResponse) -> Outcome:
        """Success is `status` 0 and `code` "100", for our bill and our amount. A refusal is a listed code."""
        body = answer.json()
        if signs.succeeded(answer, body, order.request):
            fields = {**body["payload"], "message": body.get("message")}
            return Succeeded(BillPaymentResult.model_validate(fields).public())
        code = signs.refusal_code(answer, body, REFUSALS)
        if code is None:
            return Unknown(f"http-{answer.status} status {body.get('status')} code {body.get('code')}"[:40])
        return Declined(code, str(body["message"] or ""))

    def lookup_fields(self, order: Order[BillPaymentRequest]) -> dict[str, str]:
        """The bill's oid, and the amount that a found payment must have."""
        request = order.request
        return {
            "inv_payment_transaction_query_oid": request.inv_payment_transaction_query_oid,
            "amount": amount_text(request.payment_amount, "TRY"),
            "currency": "TRY",
        }

    def guards(self, order: Order[BillPaymentRequest]) -> tuple[Guard, ...]:
        """The same oid under two keys is one payment. The same bill has a new oid with each inquiry.

        A bill is held until the outcome of its order is certain, and for ever once it is paid in full. After a part of
        it was paid, the rest may be paid under the oid of a new inquiry.
        """
        request = order.request
        # As a hash: the number of a subscriber may be the identity number of a person.
        names = json.dumps([request.product_oid, request.subscriber_no, request.bill_term, request.bill_no])
        bill = f"bill {hashlib.sha256(names.encode()).hexdigest()}"
        whole = request.payment_amount == request.invoice_amount
        oid = request.inv_payment_transaction_query_oid
        return PaidOnce(oid), PaidOnce(bill) if whole else OneAtATime(bill)

    def look_up(self, record: Record, deadline: Deadline) -> Finding:
        """Proof is a completed transaction with our oid and our amount.

        An item without a reference counts if the platform's filter works: if it lists nothing for a new reference.
        """
        oid = record.lookup_fields["inv_payment_transaction_query_oid"]
        since, until = record.created_at, max(record.may_arrive_until, time.time())
        items = walletgate.find_transactions(oid, since, until, deadline)
        works = any(signs.names_nothing(item) for item in items) and not walletgate.find_transactions(
            str(uuid.uuid4()), since, until, deadline
        )
        rows = [signs.row(item, record.lookup_fields, filter_works=works) for item in items]
        return find(rows, partial(signs.found, oid), filtered=True)


handler = handle_order.handler(PayBill())
