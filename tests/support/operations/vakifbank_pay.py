"""VakıfBank: a payment to an account. The bank knows it by our transaction code."""

from datetime import datetime, timedelta, timezone
from typing import Any

from tests.support.example import Example, Wire
from tests.support.provider_server import Call, Reply, json_reply

VAKIFBANK_COMPLETED = {
    "StatusCode": "APIGW000000",
    "StatusDescription": "Tamamlandı",
    "StatusDescriptionEn": "Completed",
    "ObjectID": "18c1fd2f-b997-41dc-bf9e-5e8caacdcecb",
}
REQUEST = {
    "transaction_type": "account",
    "amount": "200.00",
    "currency": "TRY",
    "sender_account_no": "0",
    "payment_date": "2026-12-28",
    "tax_identity_check": True,
    "credit_use": False,
    "receiver_account": "TR330006100519786457841326",
    "receiver_name": "Oktay",
}


def vakifbank_answer(call: Call, **changes: Any) -> Reply:
    """The page's answer for the code that was sent."""
    result = {
        "TransactionObjectId": "2022000039254817",
        "ErrorExplanation": "Tahsil Edildi",
        "InstitutionTaxNo": call.json()["InstitutionTransactionCode"],
        "TransactionQueryNo": "7425301",
        "ErrorCode": 1,
        "Result": True,
    }
    return json_reply({"Header": VAKIFBANK_COMPLETED, "Data": {"QueryResult": result | changes}})


def vakifbank_row(code: str, **changes: Any) -> dict[str, Any]:
    """The payment of the request under this code, as the page of the query lists it, in the payment's names."""
    row = {
        "InstitutionCode": "0006624",
        "TransactionType": 1,
        "TaxIdentityCheck": True,
        "CreditUse": False,
        "Amount": 200,
        "CurrencyType": "TL",
        "SenderAccountNo": "0",
        "ReceivertAccountIbanNo": "TR33********1326",
        "InstitutionTransactionCode": code,
        "PaymentDate": "2026-12-28T00:00:00",
        "ComingReturnPaymentDate": "",
        "ComingReturnTransactionQueryNo": "",
        "Result": True,
        "ErrorCode": 1,
        "ErrorExplanation": "Tahsil Edildi",
        "TransactionObjectId": "2022000039254817",
        "TransactionQueryNo": "7425301",
    }
    return row | changes


def vakifbank_rows(*rows: dict[str, Any]) -> Reply:
    """The list `Result` of POST /tos/query."""
    return json_reply({"Header": VAKIFBANK_COMPLETED, "Data": {"Result": list(rows)}})


def today_in_istanbul() -> str:
    return f"{datetime.now(timezone(timedelta(hours=3))):%Y-%m-%d}"


EXAMPLE = Example(
    operation="vakifbank.pay",
    new=lambda mark, amount: {
        "transaction_type": "account",
        "amount": amount,
        "currency": "TRY",
        "sender_account_no": "00158007312345678",
        "payment_date": today_in_istanbul(),
        "tax_identity_check": False,
        "credit_use": False,
        "receiver_account": "TR330006100519786457841326",
        "receiver_name": "Ayşe Yılmaz",
        "institution_transaction_code": mark,
    },
    named_by="institution_transaction_code",
    amounts=("amount",),
    request=REQUEST,
    other={"amount": "200.01"},
    required=frozenset(REQUEST) - {"receiver_account", "receiver_name"},
    address="POST /tos/payment",
    success=vakifbank_answer,
    refusal=json_reply({"Header": {"StatusCode": "ACBH000233", "StatusDescription": "İşlem limiti aşıldı"}}, 400),
    refusal_code="ACBH000233",
    look_up_address="POST /tos/query",
    found=lambda record: vakifbank_rows(vakifbank_row(record.lookup_fields["institution_transaction_code"])),
    not_found=vakifbank_rows(),
    wire=Wire(
        send=lambda merchant, **changes: merchant.tos_pay(**changes),
        amount=200,
        reference="7e591df3-2f3c-4971-9682-9e4455b35b2f",
        reference_in=lambda answer: answer["Data"]["QueryResult"]["InstitutionTaxNo"],
    ),
)
