"""A new order, as a client sends it, and what the sandbox booked of it."""

import functools
import itertools
import json
import uuid
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any
from urllib.parse import quote

from vezne.orders.record import operation_id
from vezne_cli.golden import golden_event
from vezne_client import ORDERS, OrderCall
from vezne_sandbox.client import SandboxControl
from vezne_sandbox.sandbox import Sandbox

from tests.support import operations
from tests.support.example import Example

# Facts about each order from the sandboxes, which are written from the providers' pages.
AT_THE_PROVIDER = {name: one for name, one in Sandbox().operations.items() if one.kind == "pay"}
# Operations whose provider's look-up can prove that an order was not executed.
COMPLETE_LOOK_UP = frozenset(name for name, one in AT_THE_PROVIDER.items() if one.shown_for_certain)
# For these, a second order for the same thing is a second payment, or the provider refuses it as one.
PAID_ONCE = frozenset(name for name, one in AT_THE_PROVIDER.items() if one.paid_once)


@dataclass(frozen=True)
class Order:
    """One order. `amount` is what it moves; `client` is the principal."""

    example: Example
    mark: str
    fields: dict[str, Any]
    amount: str
    key: str
    client: str = "faults-client"

    @property
    def operation(self) -> str:
        return self.example.operation

    @property
    def provider(self) -> str:
        return self.example.provider

    @functools.cached_property
    def id(self) -> str:
        """The id of its record."""
        return operation_id(self.client, self.operation, self.key)

    @property
    def reference(self) -> str:
        """The payment's name in the provider's ledger."""
        return str(self.fields[self.example.named_by])

    @property
    def _in_path(self) -> set[str]:
        return {name for name in self.fields if f"{{{name}}}" in self.example.declared.path}

    @property
    def path_parameters(self) -> dict[str, str]:
        return {name: str(self.fields[name]) for name in self.fields if name in self._in_path}

    @property
    def path(self) -> str:
        """The path of the URL."""
        encoded = {name: quote(value, safe="") for name, value in self.path_parameters.items()}
        return self.example.declared.path.format(**encoded)

    @property
    def body(self) -> dict[str, Any]:
        return {name: value for name, value in self.fields.items() if name not in self._in_path}

    @property
    def call(self) -> OrderCall[Any, Any]:
        """The typed client's call."""
        return ORDERS[self.operation]

    @property
    def request(self) -> Any:
        """The typed client's request."""
        return self.call.request.model_validate(self.fields)

    @property
    def event(self) -> dict[str, Any]:
        """The API Gateway event of the order."""
        return {
            "httpMethod": "POST",
            "path": "/",
            "headers": {"content-type": "application/json", "idempotency-key": self.key},
            "multiValueHeaders": {"content-type": ["application/json"], "idempotency-key": [self.key]},
            "pathParameters": self.path_parameters or None,
            "requestContext": {
                "authorizer": {"claims": {"client_id": self.client, "scope": f"principal/{self.client}"}},
                "path": "/v1/",
                "stage": "v1",
            },
            "body": json.dumps(self.body),
            "isBase64Encoded": False,
        }

    def in_the_golden_event(self) -> dict[str, Any]:
        """The operation's golden API event with this order in it."""
        event = golden_event(self.operation)
        event["headers"]["Idempotency-Key"] = self.key
        event["multiValueHeaders"]["Idempotency-Key"] = [self.key]
        return {**event, "pathParameters": self.path_parameters or None, "body": json.dumps(self.body)}

    def but(self, *, key: str | None = None, client: str | None = None, **fields: Any) -> "Order":
        """The same order with other fields; None leaves one out."""
        changed = {name: value for name, value in {**self.fields, **fields}.items() if value is not None}
        amounts = [str(value) for name, value in fields.items() if name in self.example.amounts and value is not None]
        amount = amounts[-1] if amounts else self.amount
        return replace(self, fields=changed, amount=amount, key=key or self.key, client=client or self.client)

    def for_amount(self, amount: str, *, key: str | None = None) -> "Order":
        """The same order for another amount, if it has one."""
        return self.but(key=key, **dict.fromkeys(self.example.amounts[-1:], amount))

    def otherwise(self) -> "Order":
        """Another request under the same key: for another amount, or as the example says."""
        return self.for_amount("0.40") if self.example.amounts else self.but(**self.example.other)

    def bookings(self, sandbox: SandboxControl) -> list[Decimal]:
        """Each amount that moved for this order, and for others of the same reference."""
        return [Decimal(booking["amount"]) for booking in sandbox.bookings(self.provider, self.reference)]

    def times_booked(self, sandbox: SandboxControl) -> int:
        """How often money moved for this order. The same total again moves nothing."""
        amounts = self.bookings(sandbox)
        if not self.example.is_total:
            return len(amounts)
        return sum(total != before for before, total in itertools.pairwise([None, *amounts]))


def new_order(operation: str, amount: str = "10.50", *, sandbox: SandboxControl | None = None) -> Order:
    """A valid new order. The sandbox gets what it needs to know first."""
    unique = uuid.uuid4().hex[:12]
    example = operations.of(operation)
    if sandbox is not None and (seed := example.seed(unique)):
        sandbox.seed(**seed)
    return example.order(unique, amount)
