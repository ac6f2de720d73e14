"""Paynet: the capture of a pre-authorisation. A row of `check` is known as ours by its time."""

from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

from tests.support.example import Example, Wire
from tests.support.provider_server import Reply, json_reply

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


EXAMPLE = Example(
    operation="paynet.capture",
    new=lambda mark, amount: {"reference_no": mark, "amount": amount},
    named_by="reference_no",
    amounts=("amount",),
    found_by_time=True,
    request={"xact_id": "xk_EAAAANFhOW7SioFxO8LHPMruxp0hX3wE8NmJSmGUD*W3uISj", "amount": "49.90"},
    other={"amount": "49.91"},
    required=frozenset(),
    address="POST /v1/transaction/capture",
    success=lambda _call: json_reply(CAPTURE_ANSWER),
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
    look_up_address="POST /v1/transaction/check",
    found=lambda record: paynet_rows(
        {**CAPTURE_ANSWER, "transaction_type": 3, "xact_date": paynet_date(record.created_at - 3600), "amount": 100},
        capture_row(record.created_at + 2),
    ),
    not_found=paynet_rows(),
    wire=Wire(
        send=lambda merchant, **changes: merchant.capture(**changes),
        amount=59.35,
        amount_in=lambda answer: answer["amount"],
    ),
)
