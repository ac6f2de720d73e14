"""HASO: the total legal expenses of a transaction. What is sent is the new total."""

from decimal import Decimal
from typing import Any

from tests.support.example import Example, Wire
from tests.support.provider_server import Call, Reply, json_reply


def haso_plan(total: Decimal | str) -> dict[str, Any]:
    """`Data` with a plan of two instalments; the expenses are on the last one."""
    return {
        "PaymentPlan": [
            {
                "InstallmentNo": 1,
                "installmentPayment": Decimal("500.00"),
                "termDate": "2026-11-01",
                "totalExpenseAmount": 0,
            },
            {
                "InstallmentNo": 2,
                "installmentPayment": Decimal("500.00") + Decimal(total),
                "termDate": "2026-12-01",
                "totalExpenseAmount": Decimal(total),
            },
        ]
    }


def haso_success(total: Decimal | str) -> Reply:
    """A successful answer of 5.14 or 5.5."""
    return json_reply({"Success": True, "Errors": [], "Data": haso_plan(total)})


def haso_answer(call: Call) -> Reply:
    """Success, with the plan that follows from what was sent."""
    sent = call.json()
    return haso_success(Decimal(int(sent["counterPartyAttorneyFee"]) + int(sent["expenseAmount"])).scaleb(-2))


REQUEST = {
    "transaction_code": "TRX-2026-0001",
    "merchant_oid": "ORDER-0001",
    "counter_party_attorney_fee": "100.00",
    "expense_amount": "230.00",
}

EXAMPLE = Example(
    operation="haso.set_expenses",
    new=lambda mark, amount: {
        "transaction_code": mark,
        "merchant_oid": f"O{mark}",
        "counter_party_attorney_fee": "0.00",
        "expense_amount": amount,
    },
    named_by="transaction_code",
    amounts=("expense_amount",),
    is_total=True,
    request=REQUEST,
    other={"expense_amount": "231.00"},
    required=frozenset(REQUEST),
    address="POST /RequestV2/SendTransactionExpense",
    success=haso_answer,
    refusal=json_reply({"Success": False, "Errors": ["H101 İşlem bulunamadı"], "Data": None}),
    refusal_code="H101",
    look_up_address="POST /Index/GetPaymentsOfTransaction",
    found=lambda _record: haso_success("330.00"),
    not_found=haso_success("0"),
    wire=Wire(
        send=lambda merchant, **changes: merchant.set_expenses(**changes),
        amount=173.45,
        amount_in=lambda answer: answer["Data"]["PaymentPlan"][-1]["totalExpenseAmount"],
    ),
)
