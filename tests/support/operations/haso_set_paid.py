"""HASO: an instalment that was paid outside HASO. The sandbox knows three of each customer, of 1000.00."""

from typing import Any

from tests.support.example import Example, Wire, number_of
from tests.support.provider_server import Call, Reply, json_reply

FUNDS = {"Message": "RS100", "paymentfunds": {"C1204-2": "1000.00"}}
REQUEST = {
    "payment_code": "C1204-2",
    "merchant_oid": "ORDER-0001",
    "customer_id": "C1204",
    "payment_date": "2026-11-30",
    "payment_reference_code": "POS-778",
}
REFUSAL = {"Success": False, "Errors": ["H101 Taksit bulunamadı"], "Data": None}


def haso_paid(**data: Any) -> Reply:
    """A successful answer of 5.6 or 5.20."""
    return json_reply({"Success": True, "Errors": [], "Data": {**FUNDS, **data}})


def payment(code: str, status: int, **fields: Any) -> dict[str, Any]:
    """A row of 5.10. Its names are assumed."""
    return {"paymentCode": code, "amount": "1000.00", "paymentStatus": status, **fields}


def paid_row(code: str = "C1204-2", **fields: Any) -> dict[str, Any]:
    """A row of a payment that our order marked."""
    shown = {"merchantOid": "ORDER-0001", "paymentDate": "2026-11-30", "paymentReferenceCode": "POS-778"}
    return payment(code, 1, **{**shown, **fields})


def payments_answer(*rows: Any) -> Reply:
    """An answer of 5.10."""
    return json_reply({"Success": True, "Errors": [], "Data": {"Payments": list(rows)}})


def customer(*rows: dict[str, Any]) -> Any:
    """5.10 of a customer with these payments: it lists those with the statuses that are asked for."""

    def answer(call: Call) -> Reply:
        asked = call.json()["paymentStatuses"]
        return payments_answer(*(row for row in rows if row["paymentStatus"] in asked))

    return answer


def customer_of(mark: str) -> str:
    """A customer that belongs to this mark alone."""
    return f"{number_of(mark) % 10**10:010}"


EXAMPLE = Example(
    operation="haso.set_paid",
    new=lambda mark, _amount: {
        **REQUEST,
        "payment_code": customer_of(mark),
        "customer_id": customer_of(mark),
        "merchant_oid": mark,
        "payment_reference_code": mark,
    },
    named_by="payment_code",
    moves="1000.00",
    once=True,
    request=REQUEST,
    other={"payment_date": "2026-11-29"},
    required=frozenset({"payment_code", "merchant_oid", "customer_id", "payment_date"}),
    address="POST /RequestV2/SetPaidPayment",
    success=lambda _call: haso_paid(),
    refusal=json_reply(REFUSAL),
    refusal_code="H101",
    look_up_address="POST /Index/GetCustomerPayments",
    found=lambda _record: customer(paid_row(), payment("C1204-1", 0)),
    not_found=customer(payment("C1204-1", 1), payment("C1204-2", 0)),
    wire=Wire(send=lambda merchant, **changes: merchant.set_paid(**changes), amount=1000.00),
)
