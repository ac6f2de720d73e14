"""Paynet: a request to give a capture or a sale back. What was captured is asked first. No answer names the request."""

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

from tests.support.example import Example, Wire
from tests.support.operations.paynet_capture import capture_row, paynet_rows
from tests.support.provider_server import Call, Reply, json_reply

XACT_ID = "xk_EAAAARefj*mZ24gKFpk739cUeuL9P7oKyavBUO0Rbe7WKYXG"
ANSWER = {"object_name": "transaction_reversed_request", "code": 0, "message": "Başarılı İşlem"}
ERROR = {"type": "invalid_request_error", "message": "İşlem bulunamadı", "code": 400, "result_code": 11}
CHECK = "POST /v1/transaction/check"
# What `check` shows of the original: a capture of 100.00 TRY, made on another day.
ORIGINAL = capture_row(1_795_000_000, "100.00", xact_id=XACT_ID, id="8230")


def original(call: Call) -> Reply:
    """What `check` answers: the original, under the `xact_id` that is asked for."""
    return paynet_rows({**ORIGINAL, "xact_id": call.json()["xact_id"]})


def paynet_day(seconds: float) -> str:
    """A day as Paynet's lists write it, in Türkiye."""
    return datetime.fromtimestamp(seconds, UTC).astimezone(timezone(timedelta(hours=3))).strftime("%d.%m.%Y")


def request_row(seconds: float, **changes: Any) -> dict[str, Any]:
    """A row of `reversal_list`, by the fields that its page shows."""
    made = {"xact_date": "12.11.2026", "entry_date": paynet_day(seconds), "user_id": "", "company_name": "Sandbox A.Ş."}
    return {"id": 8230, "xact_id": XACT_ID, "reversed_xact_id": "", "reversed_id": "", **made, **changes}


def request_rows(*rows: dict[str, Any], **changes: Any) -> Reply:
    """A page of `reversal_list`."""
    head = {"object_name": "transaction_reversal_list", "total": len(rows), "total_count": len(rows), "has_more": False}
    return json_reply({**head, "limit": 1000, "starting_after": 0, "ending_before": 0, "Data": list(rows), **changes})


EXAMPLE = Example(
    operation="paynet.request_refund",
    new=lambda mark, amount: {"xact_id": f"sale*{mark}", "amount": amount},
    named_by="xact_id",
    amounts=("amount",),
    found_by_time=True,
    request={"xact_id": XACT_ID, "amount": "40.00"},
    other={"amount": "40.01"},
    required=frozenset({"xact_id"}),
    address="POST /v1/transaction/reversed_request",
    success=lambda _call: json_reply(ANSWER),
    refusal=json_reply(ERROR, 400),
    refusal_code="11",
    look_up_address="POST /v1/transaction/reversal_list",
    asked_first=(CHECK, original),
    learned={"id": "8230", "captured": "100.00"},
    found=lambda record: request_rows(request_row(record.created_at)),
    not_found=request_rows(),
    wire=Wire(
        send=lambda merchant, **changes: merchant.request_refund(**changes),
        amount=59.35,
    ),
)
