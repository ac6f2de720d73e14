"""One order of each operation, and how its provider answers it, for tests of what all have in common.

The provider pages' own examples are in tests/contract; these are only convenient orders.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

from vezne.orders.record import Record
from vezne_sandbox.sandbox import Sandbox

from tests.support.provider_server import Answering, Call, Reply, json_reply

SECRETS: dict[str, dict[str, Any]] = {
    "kolaybi": {"api_key": "sandbox-api-key", "channel": "sandbox-channel"},
    "vakifbank": {
        "client_id": "sandbox-client-id",
        "client_secret": "sandbox-client-secret",
        "consent_id": "sandbox-consent-id",
        "resource": "sandbox",
        "institution_code": "0006624",
    },
    "walletgate": {
        "client_id": "sandbox-client-id",
        "client_secret": "sandbox-client-secret",
        "scope": "sts_business_api",
        "platform_key": "sandbox-platform-key",
        "tenant_id": 0,
    },
    "haso": {
        "merchant_id": "sandbox-merchant-id",
        "merchant_key": "sandbox-merchant-key",
        "merchant_salt": "sandbox-merchant-salt",
        "ip_address": "203.0.113.7",
    },
    "paynet": {"secret_key": "sandbox-secret-key"},
}

# One for all: each provider's client reads its own fields of it.
TOKEN_ANSWER = {
    "access_token": "sandbox-token",
    "data": "sandbox-token",
    "token_type": "Bearer",
    "expires_in": 3600,
    "scope": "payment",
}
# Provider -> its login's route, as its sandbox has it, and the answer.
LOGINS: dict[str, tuple[str, dict[str, Any]]] = {
    call.name.partition(".")[0]: (f"{call.method} {call.path}", TOKEN_ANSWER)
    for call in Sandbox().operations.values()
    if call.kind == "login"
}


@dataclass(frozen=True)
class Example:
    """An order, the provider's route it goes to, and the provider's answers."""

    function: str
    provider: str
    operation: str
    path_parameters: dict[str, str]
    body: dict[str, Any]
    other_body: dict[str, Any]
    # The fields that the provider's page marks as required: "Zorunlu", "Evet", "Z".
    required: frozenset[str]
    route: str
    success: Answering
    refusal: Reply
    refusal_code: str
    look_up_route: str
    # The look-up's answer that shows the order with this record's references and amount.
    found: Callable[[Record], Reply]
    not_found: Reply

    @property
    def standing_request(self) -> dict[str, Any]:
        """The same order as a standing order's request, with what the API has in the path."""
        in_path = {
            name: int(value) if name == "associate_id" else value for name, value in self.path_parameters.items()
        }
        return {**self.body, **in_path}

    def __str__(self) -> str:
        return self.operation


KOLAYBI_DATA = {
    "transaction_status": "Tamamlandı",
    "transaction_type": "Tahsilat",
    "payment_method": "Nakit",
    "issue_date": "2024-01-15 14:30:00",
    "amount": Decimal("250.75"),
    "currency": "TRY",
}

KOLAYBI = Example(
    function="kolaybi_collect",
    provider="kolaybi",
    operation="kolaybi.collect",
    path_parameters={"associate_id": "123"},
    body={"amount": "250.75", "currency": "TRY", "gateway_id": 1, "description": "Aylık ödeme"},
    other_body={"amount": "250.76", "currency": "TRY", "gateway_id": 1, "description": "Aylık ödeme"},
    required=frozenset({"associate_id", "amount", "currency", "gateway_id"}),
    route="POST /kolaybi/v1/associates/123/transactions/proceed",
    success=json_reply({"data": KOLAYBI_DATA}),
    refusal=json_reply({"success": False, "code": "E42", "message": "Kasa bulunamadı"}, 422),
    refusal_code="E42",
    look_up_route="GET /kolaybi/v1/associates/123/transactions",
    found=lambda record: json_reply(
        {"data": [{"description": f"{record.lookup_fields['marker']} Aylık ödeme", "amount": 250.75}]}
    ),
    not_found=json_reply({"data": [{"description": "başka", "amount": 250.75, "currency": "TRY"}]}),
)


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


VAKIFBANK_COMPLETED = {
    "StatusCode": "APIGW000000",
    "StatusDescription": "Tamamlandı",
    "StatusDescriptionEn": "Completed",
    "ObjectID": "18c1fd2f-b997-41dc-bf9e-5e8caacdcecb",
}


def vakifbank_rows(*rows: dict[str, Any]) -> Reply:
    """The list `Result` of POST /tos/query."""
    return json_reply({"Header": VAKIFBANK_COMPLETED, "Data": {"Result": list(rows)}})


VAKIFBANK = Example(
    function="vakifbank_pay",
    provider="vakifbank",
    operation="vakifbank.pay",
    path_parameters={},
    body={
        "transaction_type": "account",
        "amount": "200.00",
        "currency": "TRY",
        "sender_account_no": "0",
        "payment_date": "2026-12-28",
        "tax_identity_check": True,
        "credit_use": False,
        "receiver_account": "TR330006100519786457841326",
        "receiver_name": "Oktay",
    },
    other_body={
        "transaction_type": "account",
        "amount": "200.01",
        "currency": "TRY",
        "sender_account_no": "0",
        "payment_date": "2026-12-28",
        "tax_identity_check": True,
        "credit_use": False,
        "receiver_account": "TR330006100519786457841326",
        "receiver_name": "Oktay",
    },
    required=frozenset(
        {
            "transaction_type",
            "amount",
            "currency",
            "sender_account_no",
            "payment_date",
            "tax_identity_check",
            "credit_use",
        }
    ),
    route="POST /tos/payment",
    success=vakifbank_answer,
    refusal=json_reply({"Header": {"StatusCode": "ACBH000233", "StatusDescription": "İşlem limiti aşıldı"}}, 400),
    refusal_code="ACBH000233",
    look_up_route="POST /tos/query",
    found=lambda record: vakifbank_rows(
        {
            "InstitutionTransactionNo": record.lookup_fields["institution_transaction_code"],
            "Amount": 200.0,
            "CurrencyType": "TL",
            "Result": True,
            "TransactionObjectId": "2022000039254817",
            "TransactionQueryNo": "7425301",
            "ErrorCode": 1,
        }
    ),
    not_found=vakifbank_rows(),
)

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


def walletgate_rows(*rows: dict[str, Any]) -> Reply:
    """An answer of TransactionData/SummaryRecordByFilter."""
    return json_reply({"status": 0, "code": "100", "message": "İşlem başarılı", "payload": {"items": list(rows)}})


WALLETGATE = Example(
    function="walletgate_pay_bill",
    provider="walletgate",
    operation="walletgate.pay_bill",
    path_parameters={},
    body=BILL,
    other_body={**BILL, "payment_amount": "196.49"},
    required=frozenset(BILL),
    route="POST /v1/InvoicePayment/MakePayment",
    success=json_reply({"status": 0, "code": "100", "message": "İşlem başarılı", "payload": BILL_PAYLOAD}),
    refusal=json_reply({"status": 1, "code": "311", "message": "Yetersiz bakiye", "payload": None}),
    refusal_code="311",
    look_up_route="POST /v1/TransactionData/SummaryRecordByFilter",
    found=lambda _record: walletgate_rows(
        {
            "id": "TX1",
            "ext_transaction_id": OID,
            "process_level_status_id": 20,
            "tx_base_amount": Decimal("196.5000"),
            "tx_additional_fee": Decimal("0.0000"),
        }
    ),
    not_found=walletgate_rows(),
)


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


HASO = Example(
    function="haso_set_expenses",
    provider="haso",
    operation="haso.set_expenses",
    path_parameters={"transaction_code": "TRX-2026-0001"},
    body={"merchant_oid": "ORDER-0001", "counter_party_attorney_fee": "100.00", "expense_amount": "230.00"},
    other_body={"merchant_oid": "ORDER-0001", "counter_party_attorney_fee": "100.00", "expense_amount": "231.00"},
    required=frozenset({"transaction_code", "merchant_oid", "counter_party_attorney_fee", "expense_amount"}),
    route="POST /servis/RequestV2/SendTransactionExpense",
    success=haso_answer,
    refusal=json_reply({"Success": False, "Errors": ["H101 İşlem bulunamadı"], "Data": None}),
    refusal_code="H101",
    look_up_route="POST /servis/Index/GetPaymentsOfTransaction",
    found=lambda _record: haso_success("330.00"),
    not_found=haso_success("0"),
)

CAPTURE_ANSWER = {
    "xact_id": "xk_EAAAAIO6j*mZ24gKFpk739cUeuL9P7oKyavBUO0Rbe7WKYXG",
    "xact_date": "2016-04-08T10:27:22.0296925+03:00",
    "transaction_type": 4,
    "pos_type": 5,
    "is_tds": True,
    "card_no_masked": "435508******4358",
    "amount": 0,
    "net_amount": Decimal("56.55"),
    "comission": Decimal("2.37"),
    "currency": "TRY",
    "is_succeed": True,
    "object_name": "transaction",
    "code": 0,
    "message": "Başarılı İşlem",
}


def paynet_rows(*rows: dict[str, Any]) -> Reply:
    """An answer of v1/transaction/check."""
    return json_reply({"object_name": "transaction", "code": 0, "Data": list(rows)})


def paynet_date(seconds: float) -> str:
    """A time as Paynet writes it: Turkish time, seven fraction digits."""
    stamp = datetime.fromtimestamp(seconds, UTC).astimezone(timezone(timedelta(hours=3)))
    return stamp.strftime("%Y-%m-%dT%H:%M:%S.%f0+03:00")


def capture_row(seconds: float, amount: str = "49.90", **changes: Any) -> dict[str, Any]:
    """A successful capture in a look-up's answer."""
    return {**CAPTURE_ANSWER, "xact_date": paynet_date(seconds), "amount": Decimal(amount), **changes}


PAYNET = Example(
    function="paynet_capture",
    provider="paynet",
    operation="paynet.capture",
    path_parameters={},
    body={"xact_id": "xk_EAAAANFhOW7SioFxO8LHPMruxp0hX3wE8NmJSmGUD*W3uISj", "amount": "49.90"},
    other_body={"xact_id": "xk_EAAAANFhOW7SioFxO8LHPMruxp0hX3wE8NmJSmGUD*W3uISj", "amount": "49.91"},
    required=frozenset(),
    route="POST /v1/transaction/capture",
    success=json_reply(CAPTURE_ANSWER),
    refusal=json_reply(
        {
            **CAPTURE_ANSWER,
            "is_succeed": False,
            "code": 1,
            "bank_error_id": "51",
            "bank_error_message": "Yetersiz bakiye",
        }
    ),
    refusal_code="51",
    look_up_route="POST /v1/transaction/check",
    found=lambda record: paynet_rows(
        {**CAPTURE_ANSWER, "transaction_type": 3, "xact_date": paynet_date(record.created_at - 3600), "amount": 100},
        capture_row(record.created_at + 2),
    ),
    not_found=paynet_rows(),
)

EXAMPLES = (KOLAYBI, VAKIFBANK, WALLETGATE, HASO, PAYNET)
