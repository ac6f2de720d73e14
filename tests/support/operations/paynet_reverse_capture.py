"""Paynet: the cancelling of a capture. The capture's row names its reversal, which is a row of its own."""

from typing import Any

from tests.support.example import Example, Wire
from tests.support.operations.paynet_capture import CAPTURE_ANSWER, capture_row, paynet_rows
from tests.support.provider_server import Reply, json_reply

XACT_ID = "xk_EAAAAIO6j*mZ24gKFpk739cUeuL9P7oKyavBUO0Rbe7WKYXG"
ANSWER = {**CAPTURE_ANSWER, "xact_id": "xk_reversal", "transaction_type": 6}
FAILED = {"is_succeed": False, "code": 1, "bank_error_id": "51", "bank_error_message": "İptal edilemez"}


def reversal_rows(
    seconds: float,
    original: dict[str, Any] | None = None,
    *,
    xact_id: str = XACT_ID,
    types: tuple[int, int] = (4, 6),
    **changes: Any,
) -> Reply:
    """What `check` lists once a transaction is cancelled: its row and its reversal's, of these types, with changes."""
    cancelled = {"xact_id": xact_id, "transaction_type": types[0], "reversed": True, "reversed_xact_id": "xk_reversal"}
    reversal = capture_row(seconds, xact_id="xk_reversal", transaction_type=types[1])
    return paynet_rows(capture_row(seconds - 3600, **cancelled) | (original or {}), reversal | changes)


EXAMPLE = Example(
    operation="paynet.reverse_capture",
    new=lambda mark, _amount: {"xact_id": mark},
    named_by="xact_id",
    moves="100000.00",
    once=True,
    found_by_time=True,
    request={"xact_id": XACT_ID},
    other={"xact_id": "xk_another"},
    required=frozenset({"xact_id"}),
    address="POST /v1/transaction/capture_reversal",
    success=lambda _call: json_reply(ANSWER),
    refusal=json_reply({**ANSWER, **FAILED}),
    refusal_code="51",
    look_up_address="POST /v1/transaction/check",
    found=lambda record: reversal_rows(record.created_at + 2),
    not_found=paynet_rows(capture_row(0, xact_id=XACT_ID)),
    wire=Wire(
        send=lambda merchant, **changes: merchant.paynet("capture_reversal", {"xact_id": XACT_ID, **changes}),
        amount=100000.00,
        amount_in=lambda answer: answer["amount"],
    ),
)
