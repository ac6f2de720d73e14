"""HASO: several instalments that were paid outside HASO, in one order. The generic tests send one of them.

The first instalment of a customer has the customer's number as its code in the sandbox, and its name in the ledger.
"""

from dataclasses import replace

from tests.support.example import Wire
from tests.support.operations import haso_set_paid
from tests.support.operations.haso_set_paid import customer, customer_of, paid_row, payment

CODE = "C1206-2"
REQUEST = {
    **{name: value for name, value in haso_set_paid.REQUEST.items() if name != "payment_code"},
    "payment_codes": [CODE],
    "customer_id": "C1206",
}

EXAMPLE = replace(
    haso_set_paid.EXAMPLE,
    operation="haso.set_paid_bulk",
    new=lambda mark, _amount: {
        **REQUEST,
        "payment_codes": [customer_of(mark)],
        "customer_id": customer_of(mark),
        "merchant_oid": mark,
        "payment_reference_code": mark,
    },
    named_by="customer_id",
    request=REQUEST,
    required=frozenset({"payment_codes", "merchant_oid", "customer_id", "payment_date"}),
    address="POST /RequestV2/SetBulkPaidPayment",
    found=lambda _record: customer(paid_row(CODE), payment("C1206-1", 0)),
    not_found=customer(payment("C1206-1", 1), payment(CODE, 0)),
    wire=Wire(send=lambda merchant, **changes: merchant.set_paid_bulk(**changes), amount=1000.00),
)
