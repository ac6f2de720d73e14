"""walletgate's bills and products, as its inquiries show them (page "Get Invoices By Product And Subscriber").

Only two products are known: the sample's (Türk Telekom) and ASAT, the biller the provider names for tests.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from vezne_sandbox.wire import Malformed

TELEKOM = "8064fb0c-c556-4104-8fe4-9779c6dc3721"
ASAT = "5e1d0a57-0000-4000-8000-000000001001"


@dataclass
class Bill:
    """A bill. ``oid`` fixes the query oid; without it every inquiry makes a new one."""

    product_oid: str
    subscriber_no: str
    bill_term: str
    bill_no: str
    invoice_amount: Decimal
    partial_payment_allowed: bool = False
    oid: str | None = None
    paid: bool = False
    oids: set[str] = field(default_factory=set)

    @staticmethod
    def of(values: dict[str, Any]) -> Bill:
        """Read a bill from a seed; ``invoice_amount`` is a decimal string."""
        amount = Decimal(str(values["invoice_amount"]))
        bill = Bill(**{**values, "invoice_amount": amount})
        if bill.oid:
            bill.oids.add(bill.oid)
        return bill

    def row(self) -> dict[str, Any]:
        """Describe the bill as the inquiry does, under a query oid."""
        oid = self.oid or str(uuid.uuid4())
        self.oids.add(oid)
        return {
            "bill_term": self.bill_term,
            "subscriber_no1": self.subscriber_no,
            "subscriber_no2": None,
            "subscriber_no3": None,
            "product_oid": self.product_oid,
            "partial_payment_allowed": int(self.partial_payment_allowed),
            "invoice_date": "2023-03-01T00:00:00",
            "bill_due_date": "2023-03-20T00:00:00",
            "invoice_type": None,
            "inv_payment_transaction_query_oid": oid,
            "subscriber_name": "A*** B***",
            "bill_no": self.bill_no,
            "invoice_amount": self.invoice_amount,
            "payment_order_no": 1,
            "expense_amount": "0.00",
            "expense_firm_amount": "0.00",
            "expense_dealer_amount": "0.00",
        }


class Bills:
    """All bills known. A paid one is not listed any more."""

    def __init__(self) -> None:
        self._bills = [Bill(ASAT, "1001", "03/2023", "2023000001", Decimal("120.40"), partial_payment_allowed=True)]

    def add(self, bill: Bill) -> None:
        """Take a bill of a seed."""
        self._bills.append(bill)

    def inquire(self, product_oid: str, subscriber_no: str) -> list[dict[str, Any]]:
        """List the open bills of a subscriber."""
        return [
            bill.row()
            for bill in self._bills
            if not bill.paid and (bill.product_oid, bill.subscriber_no) == (product_oid, subscriber_no)
        ]

    def check(self, fields: dict[str, Any]) -> None:
        """Check that a payment echoes the inquiry, and is whole where partial payment is not allowed."""
        bill = self._of(fields["inv_payment_transaction_query_oid"])
        if bill is None:
            return
        for name in ("product_oid", "subscriber_no", "bill_term", "bill_no", "invoice_amount"):
            if fields[name] != getattr(bill, name):
                raise Malformed(f"{name} is not the inquiry's")
        if not bill.partial_payment_allowed and fields["payment_amount"] != bill.invoice_amount:
            raise Malformed("payment_amount must be the invoice's: partial payment is not allowed")

    def pay(self, oid: str) -> None:
        """Close the bill that was inquired under ``oid``."""
        bill = self._of(oid)
        if bill is not None:
            bill.paid = True

    def _of(self, oid: str) -> Bill | None:
        return next((bill for bill in self._bills if oid in bill.oids), None)


def subscriber_numbers(product_oid: str) -> dict[str, Any]:
    """Describe the subscriber numbers a product needs (the shape is an assumption)."""
    labels = {TELEKOM: ("GSM No", r"^5[0-9]{9}$", 10), ASAT: ("Sözleşme No", r"^[0-9]{4,10}$", 10)}
    if product_oid not in labels:
        raise Malformed("product_oid is unknown")
    label, pattern, length = labels[product_oid]
    number = {"name": "subscriber_no1", "label": label, "is_mandatory": True, "pattern": pattern, "length": length}
    return {"product_oid": product_oid, "subscriber_numbers": [number]}
