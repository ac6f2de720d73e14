"""Orders of each operation, each with a reference of its own, and what the sandboxes booked of them."""

import itertools
import json
import random
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from vezne.orders.record import operation_id
from vezne_sandbox.client import SandboxControl
from vezne_sandbox.ledger import ISTANBUL
from vezne_sandbox.sandbox import Sandbox

CLIENT = "faults-client"
# Names within one run of the tests; the table and the sandboxes start empty.
_numbers = itertools.count(1)

# What the sandboxes, written from the providers' pages, say of each order.
AT_THE_PROVIDER = {name: one for name, one in Sandbox().operations.items() if one.kind == "pay"}
# Operations whose provider's look-up can prove that an order was not executed.
COMPLETE_LOOK_UP = frozenset(name for name, one in AT_THE_PROVIDER.items() if one.shown_for_certain)
# Of these a second order for the same thing is a second payment, or refused by the provider as one.
PAID_ONCE = frozenset(name for name, one in AT_THE_PROVIDER.items() if one.paid_once)


@dataclass(frozen=True)
class Order:
    """One order as a client sends it, and how its money is found at the provider."""

    operation: str
    key: str
    path: dict[str, str]
    body: dict[str, Any]
    # What the provider's order call, and only this order's, carries.
    mark: str
    client: str = CLIENT
    # The amount by which a further order for the same thing differs; empty if it is the same one.
    changes: str = ""

    @property
    def id(self) -> str:
        return operation_id(self.client, self.operation, self.key)

    @property
    def event(self) -> dict[str, Any]:
        """The API Gateway event of the order."""
        return {
            "httpMethod": "POST",
            "path": "/",
            "headers": {"content-type": "application/json", "idempotency-key": self.key},
            "multiValueHeaders": {"content-type": ["application/json"], "idempotency-key": [self.key]},
            "pathParameters": self.path or None,
            "requestContext": {
                "authorizer": {"claims": {"client_id": self.client, "scope": f"principal/{self.client}"}},
                "path": "/v1/",
                "stage": "v1",
            },
            "body": json.dumps(self.body),
            "isBase64Encoded": False,
        }

    @property
    def look_up_mark(self) -> str:
        """What the provider's look-up of this order, and only of this one, carries."""
        return self.path.get("associate_id", self.mark)

    def bookings(self, sandbox: SandboxControl) -> int:
        """How often money moved for this order."""
        provider = self.operation.partition(".")[0]
        # KolayBi has no reference but the description, which begins with our marker.
        reference = None if provider == "kolaybi" else self.mark
        mine = [booking for booking in sandbox.bookings(provider, reference) if self._is_mine(booking)]
        if self.operation == "haso.set_expenses":
            # The value sent is a total: a second booking of the same total moves nothing.
            totals = [booking["amount"] for booking in mine]
            return sum(total != before for before, total in itertools.pairwise([None, *totals]))
        return len(mine)

    def _is_mine(self, booking: dict[str, Any]) -> bool:
        return any(self.mark in value.split() for value in booking["references"].values())


def new_order(operation: str, amount: str | None = None) -> Order:
    """An order nobody has sent before. The amounts of two orders differ unless one is given."""
    number = next(_numbers)
    key, mark = f"key-{number}", f"mark-{number}"
    amount = amount or f"{100 + number % 800}.{number % 100:02d}"
    match operation:
        case "kolaybi.collect":
            body: dict[str, Any] = {
                "amount": amount, "currency": "TRY", "gateway_id": 1, "description": f"Tahsilat {mark}",
            }  # fmt: skip
            return Order(operation, key, {"associate_id": str(number)}, body, mark)
        case "vakifbank.pay":
            body = {
                "transaction_type": "name", "amount": amount, "currency": "TRY", "sender_account_no": "0",
                "payment_date": f"{datetime.now(ISTANBUL):%Y-%m-%d}", "tax_identity_check": False, "credit_use": False,
                "receiver_name": "Ayşe Örnek", "institution_transaction_code": mark,
            }  # fmt: skip
            return Order(operation, key, {}, body, mark)
        case "walletgate.pay_bill":
            body = {
                "account_type": "personal", "account_number": "28XX01", "wallet_number": "25XX25",
                "inv_payment_transaction_query_oid": mark, "invoice_amount": amount, "payment_amount": amount,
                "product_oid": "8064fb0c-c556-4104-8fe4-9779c6dc3721", "subscriber_no": "1001",
                "bill_term": "12/2026", "bill_no": f"bill-{number}",
            }  # fmt: skip
            return Order(operation, key, {}, body, mark)
        case "haso.set_expenses":
            body = {"merchant_oid": f"oid-{number}", "counter_party_attorney_fee": "0.00", "expense_amount": amount}
            return Order(operation, key, {"transaction_code": mark}, body, mark, changes="expense_amount")
        case "paynet.capture":
            return Order(operation, key, {}, {"xact_id": mark, "amount": amount}, mark, changes="amount")
    raise ValueError(operation)


def seeded(seed: int, name: str) -> random.Random:
    """A random source of its own for one test, so that the order of tests does not matter."""
    return random.Random(f"{seed} {name}")
