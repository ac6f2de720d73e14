"""Paynet: the cancelling of a pre-authorisation, whose row names its reversal. The answer names neither."""

from functools import partial

from tests.support.example import Example, Wire
from tests.support.operations import paynet_reverse_capture
from tests.support.operations.paynet_capture import capture_row, paynet_rows
from tests.support.provider_server import json_reply

XACT_ID = "xk_EAAAAPre7*hN3wQcLrT5yUoJ9sKdVb2mXfG8iZaE1tYpR6uC"
ANSWER = {"object_name": "transaction_preauth_reversed_request", "code": 0, "message": "Başarılı İşlem"}


# What `check` lists once the pre-authorisation is cancelled.
reversal_rows = partial(paynet_reverse_capture.reversal_rows, xact_id=XACT_ID, types=(3, 5))

EXAMPLE = Example(
    operation="paynet.reverse_preauthorisation",
    new=lambda mark, _amount: {"xact_id": mark},
    named_by="xact_id",
    moves="100000.00",
    once=True,
    found_by_time=True,
    request={"xact_id": XACT_ID},
    other={"xact_id": "xk_another"},
    required=frozenset({"xact_id"}),
    address="POST /v1/transaction/preauth_reversal",
    success=lambda _call: json_reply(ANSWER),
    refusal=json_reply({**ANSWER, **paynet_reverse_capture.FAILED}),
    refusal_code="51",
    look_up_address="POST /v1/transaction/check",
    found=lambda record: reversal_rows(record.created_at + 2),
    not_found=paynet_rows(capture_row(0, xact_id=XACT_ID, transaction_type=3)),
    wire=Wire(
        send=lambda merchant, **changes: merchant.paynet("preauth_reversal", {"xact_id": XACT_ID, **changes}),
        amount=100000.00,
    ),
)
