"""KolayBi: a collection from an associate. The answer has no id; a marker of ours in the description is looked for."""

import simplejson

from tests.support.example import Example, Wire, number_of
from tests.support.provider_server import Call, Reply, json_reply

KOLAYBI_DATA = {
    "transaction_status": "Tamamlandı",
    "transaction_type": "Tahsilat",
    "payment_method": "Nakit",
    "issue_date": "2024-01-15 14:30:00",
    "amount": simplejson.loads("250.75", use_decimal=True),
    "currency": "TRY",
}


def kolaybi_answer(call: Call) -> Reply:
    """The page's answer with the amount and the currency that were sent."""
    sent = dict(call.form())
    amount = simplejson.loads(sent["amount"], use_decimal=True)
    return json_reply({"data": {**KOLAYBI_DATA, "amount": amount, "currency": sent["currency"]}})


EXAMPLE = Example(
    operation="kolaybi.collect",
    new=lambda mark, amount: {
        "associate_id": number_of(mark),
        "amount": amount,
        "currency": "TRY",
        "gateway_id": 1,
        "description": f"Tahsilat {mark}",
    },
    # KolayBi is given no reference of ours but the associate.
    named_by="associate_id",
    amounts=("amount",),
    request={
        "associate_id": 123,
        "amount": "250.75",
        "currency": "TRY",
        "gateway_id": 1,
        "description": "Aylık ödeme",
    },
    other={"amount": "250.76"},
    required=frozenset({"associate_id", "amount", "currency", "gateway_id"}),
    address="POST /kolaybi/v1/associates/{associate_id}/transactions/proceed",
    success=kolaybi_answer,
    refusal=json_reply({"success": False, "code": "E42", "message": "Kasa bulunamadı"}, 422),
    refusal_code="E42",
    look_up_address="GET /kolaybi/v1/associates/{associate_id}/transactions",
    found=lambda record: json_reply(
        {"data": [{"description": f"{record.lookup_fields['marker']} Aylık ödeme", "amount": 250.75}]}
    ),
    not_found=json_reply({"data": [{"description": "başka", "amount": 250.75, "currency": "TRY"}]}),
    wire=Wire(
        send=lambda merchant, **changes: merchant.collect(**changes),
        amount=1000,
        amount_in=lambda answer: answer["data"]["amount"],
    ),
)
