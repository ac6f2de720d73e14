"""The pages' own examples as plain HTTP requests, to be changed field by field."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import socket
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx

from tests.contract.test_vakifbank import PAGE_REQUEST as VAKIFBANK_PAGE
from tests.contract.test_walletgate import PAGE_REQUEST as WALLETGATE_PAGE

if TYPE_CHECKING:
    from collections.abc import Callable

SECRETS = json.loads(
    (Path(__file__).parents[3] / "shared" / "vezne_sandbox" / "credentials.json").read_text(encoding="utf-8")
)

VAKIFBANK_ORDER: dict[str, Any] = json.loads(VAKIFBANK_PAGE.replace("$guid", "7e591df3-2f3c-4971-9682-9e4455b35b2f"))
WALLETGATE_ORDER: dict[str, Any] = json.loads(WALLETGATE_PAGE)
HASO_ORDER = {
    "merchantId": SECRETS["haso"]["merchant_id"],
    "merchantOid": "SIP-ÇĞİ-1",
    "transactionCode": "TRX-1",
    "counterPartyAttorneyFee": "5000",
    "expenseAmount": "12345",
    "ipAddress": "203.0.113.7",
}
HASO_PAID = {"merchantOid": "SIP-1", "paymentReferenceCode": "POS-778", "paymentDate": "2026-11-30"}
HASO_SIGNED = ("merchantId", "merchantOid", "transactionCode", "counterPartyAttorneyFee", "expenseAmount", "ipAddress")
PAYNET_ORDER = {"xact_id": "xk_EAAAANFhOW7SioFxO8LHPMruxp0hX3wE8NmJSmGUD*W3uISj", "amount": "5935"}
PAYNET_REFUND = {"xact_id": "sale*1", "amount": "5935"}
WITHOUT = object()
"""Given as a field's value: leave the field out."""


def changed(order: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in {**order, **changes}.items() if value is not WITHOUT}


@dataclass(frozen=True)
class Sent:
    """How an operation is sent, and where its answer says what."""

    send: Callable[..., httpx.Response]
    # What a look-up's rows call reference, amount and currency, what it is filtered by, and the payments' rows.
    row: tuple[str, str, str] | None = None
    filter: str = ""
    rows: Callable[[Any], list[dict[str, Any]]] | None = None


SENT: dict[str, Sent] = {}


def sends(operation: str, **facts: Any) -> Callable[[Any], Any]:
    """Note that this method of the merchant sends the operation."""

    def noted(method: Any) -> Any:
        SENT[operation] = Sent(method, **facts)
        return method

    return noted


class Merchant:
    """Sends requests to the sandbox as a merchant's program would."""

    def __init__(self, url: str) -> None:
        self.http = httpx.Client(base_url=url, timeout=5, trust_env=False)

    def close(self) -> None:
        self.http.close()

    def kolaybi_headers(self) -> dict[str, str]:
        channel = {"Channel": SECRETS["kolaybi"]["channel"]}
        body = {"api_key": SECRETS["kolaybi"]["api_key"]}
        answer = self.http.post("/kolaybi/v1/access_token", json=body, headers=channel)
        return {**channel, "Authorization": f"Bearer {answer.json()['data']}"}

    def collect(self, body: str = "", headers: dict[str, str] | None = None, associate: str = "123") -> httpx.Response:
        body = body or "amount=1000&currency=TRY&gateway_id=1&description=Tahsilat%20a%C3%A7%C4%B1klamas%C4%B1"
        headers = {
            **(headers or self.kolaybi_headers()),
            "Content-Type": "application/x-www-form-urlencoded",
        }
        path = f"/kolaybi/v1/associates/{associate}/transactions/proceed"
        return self.http.post(path, content=body.encode(), headers=headers)

    @sends(
        "kolaybi.list_transactions",
        row=("description", "amount", "currency"),
        rows=lambda answer: answer["data"],
    )
    def transactions(self, associate: str = "123") -> httpx.Response:
        return self.http.get(f"/kolaybi/v1/associates/{associate}/transactions", headers=self.kolaybi_headers())

    def collect_invoice(self, **changes: Any) -> httpx.Response:
        form = changed({"document_id": "18", "vault_id": "1", "amount": "100.50"}, changes)
        return self.http.post("/kolaybi/v1/invoices/proceed", data=form, headers=self.kolaybi_headers())

    @sends("kolaybi.show_invoice")
    def invoice(self, document_id: str = "18") -> httpx.Response:
        return self.http.get(f"/kolaybi/v1/invoices/{document_id}", headers=self.kolaybi_headers())

    def vakifbank_login(self, **changes: Any) -> httpx.Response:
        secrets = SECRETS["vakifbank"]
        form = {
            "client_id": secrets["client_id"],
            "client_secret": secrets["client_secret"],
            "grant_type": "b2b_credentials",
            "scope": "payment",
            "consentId": secrets["consent_id"],
            "resource": secrets["resource"],
        }
        return self.http.post("/auth/oauth/v2/token", data=changed(form, changes))

    def vakifbank_headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.vakifbank_login().json()['access_token']}"}

    def tos_pay(self, **changes: Any) -> httpx.Response:
        order = changed(VAKIFBANK_ORDER, changes)
        return self.http.post("/tos/payment", json=order, headers=self.vakifbank_headers())

    @sends(
        "vakifbank.query",
        row=("InstitutionTransactionCode", "Amount", "CurrencyType"),
        filter="InstitutionTransactionNo",
        rows=lambda answer: answer["Data"]["Result"],
    )
    def tos_query(self, **filters: Any) -> httpx.Response:
        body = {"InstitutionCode": "0006624", **filters}
        return self.http.post("/tos/query", json=body, headers=self.vakifbank_headers())

    def walletgate_login(self, **changes: Any) -> httpx.Response:
        secrets = SECRETS["walletgate"]
        form = {
            "grant_type": "client_credentials",
            "client_id": secrets["client_id"],
            "client_secret": secrets["client_secret"],
            "scope": secrets["scope"],
        }
        return self.http.post("/connect/token", data=changed(form, changes))

    def walletgate(self, path: str, body: dict[str, Any], **headers: str) -> httpx.Response:
        token = self.walletgate_login().json()["access_token"]
        common = {"Authorization": f"Bearer {token}", "x-client-id": SECRETS["walletgate"]["platform_key"]}
        return self.http.post(f"/v1/{path}", json=body, headers={**common, **headers})

    def pay_bill(self, **changes: Any) -> httpx.Response:
        return self.walletgate("InvoicePayment/MakePayment", changed(WALLETGATE_ORDER, changes))

    @sends(
        "walletgate.list_transactions",
        row=("ext_transaction_id", "tx_base_amount", "currency_code"),
        filter="ext_transaction_id",
        rows=lambda answer: answer["payload"]["items"],
    )
    def list_payments(self, **filters: Any) -> httpx.Response:
        body = {"order_column": "CreatedDateUtc", **filters}
        return self.walletgate("TransactionData/SummaryRecordByFilter", body)

    def set_expenses(self, signature: str | None = None, **changes: Any) -> httpx.Response:
        order = changed(HASO_ORDER, changes)
        token = signature if signature is not None else haso_token(order, HASO_SIGNED)
        return self.http.post("/RequestV2/SendTransactionExpense", json={**order, "requestToken": token})

    def haso(self, path: str, names: tuple[str, ...], body: dict[str, Any]) -> httpx.Response:
        """A call of HASO, signed over the fields of these names and the address."""
        sent = changed({"merchantId": SECRETS["haso"]["merchant_id"]}, body)
        token = haso_token(sent, ("merchantId", *names, "ipAddress"))
        return self.http.post(path, json={**sent, "requestToken": token})

    def set_paid(self, **changes: Any) -> httpx.Response:
        names = ("merchantOid", "paymentCode", "paymentReferenceCode", "paymentDate")
        return self.haso("/RequestV2/SetPaidPayment", names, {**HASO_PAID, "paymentCode": "C", **changes})

    def set_paid_bulk(self, **changes: Any) -> httpx.Response:
        names = ("merchantOid", "paymentReferenceCode", "paymentDate")
        return self.haso("/RequestV2/SetBulkPaidPayment", names, {**HASO_PAID, "paymentCodes": ["C-2"], **changes})

    @sends("haso.customer_payments")
    def customer_payments(self, **changes: Any) -> httpx.Response:
        body = {"customerId": "C", "paymentStatuses": [1], **changes}
        return self.haso("/Index/GetCustomerPayments", ("customerId",), body)

    @sends("haso.payment_plan")
    def payment_plan(self, code: str = "TRX-1") -> httpx.Response:
        names = ("merchantId", "merchantOid", "transactionCode", "ipAddress")
        body = {name: {**HASO_ORDER, "transactionCode": code}[name] for name in names}
        signed = {**body, "requestToken": haso_token(body, names)}
        return self.http.post("/Index/GetPaymentsOfTransaction", json=signed)

    def paynet(self, call: str, body: dict[str, Any], key: str = SECRETS["paynet"]["secret_key"]) -> httpx.Response:
        return self.http.post(f"/v1/transaction/{call}", json=body, headers={"Authorization": f"Basic {key}"})

    def capture(self, **changes: Any) -> httpx.Response:
        return self.paynet("capture", changed(PAYNET_ORDER, changes))

    # Behind the pre-authorisation's row.
    @sends("paynet.check", row=("xact_id", "amount", "currency"), rows=lambda answer: answer["Data"][1:])
    def check(self, **identifiers: str) -> httpx.Response:
        return self.paynet("check", identifiers or {"xact_id": PAYNET_ORDER["xact_id"]})

    def request_refund(self, **changes: Any) -> httpx.Response:
        return self.paynet("reversed_request", changed(PAYNET_REFUND, changes))

    @sends("paynet.list_reversals", row=("xact_id", "amount", "currency"), rows=lambda answer: answer["Data"])
    def list_reversals(self, **options: Any) -> httpx.Response:
        return self.paynet("reversal_list", {"datab": "2000-01-01", "datbi": "2100-01-01", **options})


def haso_token(body: dict[str, Any], names: tuple[str, ...]) -> str:
    message = "".join(str(body.get(name, "")) for name in names) + SECRETS["haso"]["merchant_salt"]
    digest = hmac.new(SECRETS["haso"]["merchant_key"].encode(), message.encode(), hashlib.sha256).digest()
    return base64.b64encode(digest).decode()


def raw_capture(url: str) -> socket.socket:
    """Send one capture over a bare socket."""
    host, port = url.removeprefix("http://").split(":")
    connection = socket.create_connection((host, int(port)), timeout=5)
    body = json.dumps(PAYNET_ORDER).encode()
    head = (
        "POST /v1/transaction/capture HTTP/1.1\r\nHost: sandbox\r\nContent-Type: application/json\r\n"
        f"Authorization: Basic {SECRETS['paynet']['secret_key']}\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    connection.sendall(head.encode() + body)
    return connection
