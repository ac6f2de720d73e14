"""walletgate: the payment of a bill from a wallet. The bill's query oid names it."""

from decimal import Decimal
from typing import Any

import simplejson

from tests.support.example import Example, Wire
from tests.support.provider_server import Call, Reply, json_reply

OID = "90XX46-FXX5-4XX3-8DXX-B1XX97"
BILL = {
    "account_type": "personal",
    "account_number": "28XX01",
    "wallet_number": "25XX25",
    "inv_payment_transaction_query_oid": OID,
    "invoice_amount": "196.50",
    "payment_amount": "196.50",
    "product_oid": "8064fb0c-c556-4104-8fe4-9779c6dc3721",
    "subscriber_no": "5536557580",
    "bill_term": "03/2023",
    "bill_no": "2023XXX887",
}
BILL_PAYLOAD = {
    "inv_payment_transaction_query_oid": OID,
    "payment_transaction_id": "9623XX2189",
    "transaction_id": "ABRVXXX7304",
    "transaction_amount": Decimal("196.5000"),
    "transaction_fee": Decimal("0.000000"),
    "charged_amount": Decimal("196.500000"),
    "ext_order_id": OID,
}

# The payment as the platform lists it.
ITEM = {
    "id": "ABRVXXX7304",
    "ext_transaction_id": OID,
    "tx_group_correlation_id": "group-1",
    "tx_ref_correlation_id": "reference-1",
    "wallet_id": "45X9XX21",
    "process_level_status_id": 20,
    "transaction_type": "InvoicePayment",
    "transaction_status_id": 20,
    "transaction_status": "NormalCompleted",
    "result_code": "Success",
    "created_date_utc": "2026-12-01T06:00:01.0000001+00:00",
    "updated_date_utc": "2026-12-01T06:00:01.0000001+00:00",
    "completed_date_utc": "2026-12-01T06:00:01.0000001+00:00",
    "tx_base_amount": Decimal("196.5000"),
    "tx_additional_fee": Decimal("0.0000"),
    "currency_code": "TRY",
}


def walletgate_success(payload: dict[str, Any]) -> Reply:
    return json_reply({"status": 0, "code": "100", "message": "İşlem başarılı", "payload": payload})


def walletgate_answer(call: Call) -> Reply:
    """The page's answer for the bill and the amount that were sent."""
    sent = simplejson.loads(call.body, use_decimal=True)
    oid, amount = sent["inv_payment_transaction_query_oid"], sent["payment_amount"]
    named = {"inv_payment_transaction_query_oid": oid, "ext_order_id": oid}
    return walletgate_success({**BILL_PAYLOAD, **named, "transaction_amount": amount, "charged_amount": amount})


def walletgate_rows(*rows: dict[str, Any]) -> Reply:
    """An answer of TransactionData/SummaryRecordByFilter."""
    return walletgate_success({"items": list(rows)})


EXAMPLE = Example(
    operation="walletgate.pay_bill",
    new=lambda mark, amount: {
        "account_type": "business",
        "account_number": "2800001",
        "wallet_number": "2500001",
        "inv_payment_transaction_query_oid": mark,
        "invoice_amount": amount,
        "payment_amount": amount,
        "product_oid": "8064fb0c-c556-4104-8fe4-9779c6dc3721",
        "subscriber_no": "5536557580",
        "bill_term": "11/2026",
        "bill_no": f"B{mark}",
    },
    named_by="inv_payment_transaction_query_oid",
    amounts=("payment_amount",),
    once=True,
    request=BILL,
    other={"payment_amount": "196.49"},
    required=frozenset(BILL),
    address="POST /v1/InvoicePayment/MakePayment",
    success=walletgate_answer,
    refusal=json_reply({"status": 1, "code": "311", "message": "Yetersiz bakiye", "payload": None}),
    refusal_code="311",
    look_up_address="POST /v1/TransactionData/SummaryRecordByFilter",
    found=lambda _record: walletgate_rows(ITEM),
    not_found=walletgate_rows(),
    wire=Wire(
        send=lambda merchant, **changes: merchant.pay_bill(**changes),
        amount=196.5,
        amount_in=lambda answer: answer["payload"]["transaction_amount"],
        reference=OID,
        reference_in=lambda answer: answer["payload"]["ext_order_id"],
    ),
)
