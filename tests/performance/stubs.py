"""Providers and AWS answered inside the process, at a cost that is nothing beside an order.

AWS is answered below botocore's client: requests are serialised, signed and parsed as ever. Providers are answered at
the socket: everything above it, urllib3 and http.client included, runs as ever. Every call is counted.
"""

import collections
import io
import json
import os
import re
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import botocore.awsrequest
import botocore.httpsession
import urllib3.connection

ROOT = Path(__file__).parents[2]
CREDENTIALS = ROOT / "shared" / "vezne_sandbox" / "credentials.json"
HTTP_LINE = re.compile(rb"(GET|POST) (\S+)")


def paynet(_request: bytes) -> dict[str, Any]:
    """A capture of 1.00, with every field of the provider's page."""
    return {
        "xact_id": "xk_EAAAANFhOW7SioFxO8LHPMruxp0hX3wE8NmJSmGUD*W3uISj",
        "xact_date": "2026-11-08T10:27:22.0296925+03:00",
        "transaction_type": 4, "pos_type": 1, "is_tds": False, "agent_id": "1", "user_id": "7",
        "email": "musteri@example.com", "phone": "905550000000", "bank_id": "62", "instalment": 0, "ratio": 0.0,
        "card_no_masked": "435508******4358", "card_holder": "Örnek Müşteri", "amount": 1.0, "net_amount": 0.97,
        "comission": 0.03, "comission_tax": 0.0, "currency": "TRY", "authorization_code": "P12345",
        "reference_code": "R1", "order_id": "O1", "is_succeed": True, "paynet_error_id": "",
        "paynet_error_message": "", "bank_error_id": "", "bank_error_message": "", "bank_error_short_desc": "",
        "bank_error_long_desc": "", "code": 0, "message": "",
    }  # fmt: skip


def kolaybi(_request: bytes) -> dict[str, Any]:
    """A collection of 1000.00."""
    return {
        "data": {
            "transaction_status": "Tamamlandı", "transaction_type": "Tahsilat", "payment_method": "Nakit",
            "issue_date": "2026-01-15 14:30:00", "amount": 1000.0, "currency": "TRY",
        }
    }  # fmt: skip


def vakifbank(request: bytes) -> dict[str, Any]:
    """A payment under the code that was sent."""
    code = json.loads(request.partition(b"\r\n\r\n")[2])["InstitutionTransactionCode"]
    return {
        "Header": {"StatusCode": "APIGW000000", "StatusDescription": "Tamamlandı", "ObjectID": "18c1fd2f-b997"},
        "Data": {
            "QueryResult": {
                "TransactionObjectId": "2022000039254817", "ErrorExplanation": "Tahsil Edildi", "ErrorCode": 1,
                "InstitutionTaxNo": code, "TransactionQueryNo": "7425301", "Result": True,
            }
        },
    }  # fmt: skip


def walletgate(_request: bytes) -> dict[str, Any]:
    """A payment of the bill in the golden event."""
    return {
        "status": 0, "code": "100", "message": "Success",
        "payload": {
            "inv_payment_transaction_query_oid": "90XX46-FXX5-4XX3-8DXX-B1XX97", "transaction_id": "ABRVXXX7304",
            "payment_transaction_id": "9623XX2189", "transaction_amount": 196.5, "transaction_fee": 0.0,
            "charged_amount": 196.5, "ext_order_id": "90XX46-FXX5-4XX3-8DXX-B1XX97",
            "sender_wallet_info": {
                "id": "1", "account_number": "28XX01", "number": "25XX25", "total_balance": 1000.0,
                "payment_balance": {"available": 1000.0, "unavailable": 0.0}, "currency_code": "TRY",
            },
        },
    }  # fmt: skip


def haso(_request: bytes) -> dict[str, Any]:
    """A plan with the totals of the golden event."""
    row = {"InstallmentNo": 1, "installmentPayment": 1000.0, "termDate": "2026-12-01", "totalExpenseAmount": 330.0}
    return {"Success": True, "Errors": [], "Data": {"PaymentPlan": [row]}}


def login(_request: bytes) -> dict[str, Any]:
    """Whichever provider's login: each reads its own member."""
    return {"access_token": "sandbox-token", "data": "sandbox-token", "expires_in": 3600}


ROUTES: dict[bytes, Callable[[bytes], dict[str, Any]]] = {
    b"/v1/transaction/capture": paynet,
    b"/kolaybi/v1/associates/123/transactions/proceed": kolaybi,
    b"/tos/payment": vakifbank,
    b"/v1/InvoicePayment/MakePayment": walletgate,
    b"/RequestV2/SendTransactionExpense": haso,
}
calls: collections.Counter[str] = collections.Counter()


def route(request: bytes) -> tuple[str, Callable[[bytes], dict[str, Any]]]:
    """The path of a request to a provider, and what answers it."""
    path = HTTP_LINE.match(request)
    assert path is not None
    return path[2].decode(), ROUTES.get(path[2], login)


class _Socket:
    """A connected socket of a provider that has its answer ready when the request is complete."""

    def __init__(self) -> None:
        # A real one underneath, silent, for whoever asks whether the connection is still alive.
        self._real, self._other = socket.socketpair()
        self._request = bytearray()

    def sendall(self, data: bytes) -> None:
        self._request += data

    def makefile(self, *_arguments: Any, **_named: Any) -> io.BytesIO:
        path, respond = route(bytes(self._request))
        calls[path] += 1
        body = json.dumps(respond(bytes(self._request))).encode()
        self._request.clear()
        head = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        return io.BytesIO(head.encode() + body)

    def close(self) -> None:
        self._real.close()
        self._other.close()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._real, name)


class _Body:
    def __init__(self, content: bytes) -> None:
        self._content = content

    def stream(self) -> list[bytes]:
        return [self._content]


def _answer_aws(_session: Any, request: Any) -> botocore.awsrequest.AWSResponse:
    target = request.headers["X-Amz-Target"]
    name = (target.decode() if isinstance(target, bytes) else target).split(".")[-1]
    calls[name] += 1
    content = b"{}"
    if name == "GetSecretValue":
        secret = json.loads(CREDENTIALS.read_text())[os.environ["SECRET_ID"]]
        content = json.dumps({"SecretString": json.dumps(secret), "VersionId": "1", "Name": "secret"}).encode()
    headers: Any = {"Content-Type": "application/x-amz-json-1.0", "Content-Length": str(len(content))}
    return botocore.awsrequest.AWSResponse(request.url, 200, headers, _Body(content))


def install() -> None:
    """From now on nothing leaves this process."""

    def connect(connection: Any) -> None:
        connection.sock = _Socket()

    replaced: Any = botocore.httpsession.URLLib3Session
    replaced.send = _answer_aws
    replaced = urllib3.connection.HTTPConnection
    replaced.connect = connect
