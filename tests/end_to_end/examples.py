"""Orders that are each a new payment, and functions in a state that a test chooses."""

import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

from vezne_cli import catalogue
from vezne_cli.stack import Stack
from vezne_client import ORDERS, OrderCall

from tests.end_to_end.callers import request_for

OPERATIONS = tuple(catalogue.ORDERS)


@dataclass(frozen=True)
class Example:
    """An order, and the word by which the provider's books name it."""

    operation: str
    path: str
    body: dict[str, Any]
    reference: str
    key: str

    @property
    def provider(self) -> str:
        return self.operation.split(".")[0]

    @property
    def call(self) -> OrderCall[Any, Any]:
        """The typed client's call."""
        return ORDERS[self.operation]

    @property
    def request(self) -> Any:
        """The typed client's request."""
        return request_for(self.call, self.path, self.body)

    def but(self, **fields: Any) -> "Example":
        """The same order with other fields; None leaves one out."""
        body = {name: value for name, value in {**self.body, **fields}.items() if value is not None}
        return replace(self, body=body)


def example(operation: str) -> Example:
    """A valid order that was never sent before."""
    unique = uuid.uuid4().hex[:12]
    orders: dict[str, tuple[str, dict[str, Any]]] = {
        "kolaybi.collect": (
            f"/kolaybi/associates/{int(unique, 16)}/collections",
            {"amount": "10.50", "currency": "TRY", "gateway_id": 1, "description": "Tahsilat açıklaması"},
        ),
        "vakifbank.pay": (
            "/vakifbank/tos-payments",
            {
                "transaction_type": "account",
                "amount": "10.50",
                "currency": "TRY",
                "sender_account_no": "00158007312345678",
                "payment_date": "2026-12-28",
                "tax_identity_check": False,
                "credit_use": False,
                "receiver_account": "TR330006100519786457841326",
                "receiver_name": "Ayşe Yılmaz",
                "institution_transaction_code": unique,
            },
        ),
        "walletgate.pay_bill": (
            "/walletgate/bill-payments",
            {
                "account_type": "business",
                "account_number": "2800001",
                "wallet_number": "2500001",
                "inv_payment_transaction_query_oid": unique,
                "invoice_amount": "10.50",
                "payment_amount": "10.50",
                "product_oid": "8064fb0c-c556-4104-8fe4-9779c6dc3721",
                "subscriber_no": "5536557580",
                "bill_term": "11/2026",
                "bill_no": f"B{unique}",
            },
        ),
        "haso.set_expenses": (
            f"/haso/transactions/{unique}/expenses",
            {"merchant_oid": f"O{unique}", "counter_party_attorney_fee": "10.00", "expense_amount": "0.50"},
        ),
        "paynet.capture": ("/paynet/captures", {"reference_no": unique, "amount": "10.50"}),
    }
    path, body = orders[operation]
    # KolayBi is given no reference of ours but the associate.
    reference = path.split("/")[3] if operation == "kolaybi.collect" else unique
    return Example(operation, path, body, reference, key=f"key-{unique}")


@contextmanager
def reconfigured(
    stack: Stack, operation: str, environment: Mapping[str, str | None] | None = None, timeout: int | None = None
) -> Iterator[None]:
    """Let the alias run a fresh version of the function, with other settings; None removes a variable."""
    functions, name = stack.aws("lambda"), stack.functions[operation]
    before = functions.get_function_configuration(FunctionName=name)
    version = functions.get_alias(FunctionName=name, Name="live")["FunctionVersion"]
    variables = {**before["Environment"]["Variables"], **(environment or {})}
    functions.update_function_configuration(
        FunctionName=name,
        Timeout=timeout or before["Timeout"],
        Environment={"Variables": {key: value for key, value in variables.items() if value is not None}},
    )
    functions.get_waiter("function_updated_v2").wait(FunctionName=name)
    other = functions.publish_version(FunctionName=name)["Version"]
    functions.update_alias(FunctionName=name, Name="live", FunctionVersion=other)
    try:
        yield
    finally:
        functions.update_alias(FunctionName=name, Name="live", FunctionVersion=version)
        functions.update_function_configuration(
            FunctionName=name, Timeout=before["Timeout"], Environment=before["Environment"]
        )
