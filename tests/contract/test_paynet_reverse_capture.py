"""Paynet "Finansallaştırma İptal" (POST /v1/transaction/capture_reversal), and how its outcome is looked up.

Page: https://doc.paynet.com.tr/servisler/iptal-iade/finansallastirma-iptal, read on 2026-11-26.
"""

from typing import Any

import pytest

from tests.support.harness import START, Harness
from tests.support.operations.paynet_capture import capture_row, paynet_rows
from tests.support.operations.paynet_reverse_capture import ANSWER, EXAMPLE, FAILED, XACT_ID, reversal_rows
from tests.support.provider_server import json_reply
from tests.support.reader import Reader
from tests.support.wire import answered, header, literals, looked_up, the_call, unknown_order

READER = Reader(EXAMPLE)


def test_the_request_is_the_one_of_the_page(harness: Harness) -> None:
    answered(harness, EXAMPLE, json_reply(ANSWER))
    call = the_call(harness, EXAMPLE)
    assert (call.method, call.path) == ("POST", "/v1/transaction/capture_reversal")
    assert header(call, "Authorization") == "Basic sandbox-secret-key"
    assert literals(call.body) == literals(f'{{"xact_id": "{XACT_ID}"}}')


@pytest.mark.parametrize(
    ("changes", "proves"),
    [
        ({}, "Succeeded"),
        # The page allows both types.
        ({"transaction_type": 4}, "Succeeded"),
        ({"transaction_type": "RC"}, "Succeeded"),
        ({"transaction_type": 3}, "Unknown"),
        ({"is_succeed": "true"}, "Unknown"),
        ({"code": 22}, "Unknown"),
        (FAILED, "Declined"),
        ({**FAILED, "code": 99}, "Unknown"),
    ],
)
def test_what_each_answer_of_the_page_proves(changes: dict[str, Any], proves: str) -> None:
    assert READER.verdict({**ANSWER, **changes}) == proves


def test_a_capture_is_cancelled_once_under_whatever_key(harness: Harness) -> None:
    assert answered(harness, EXAMPLE, json_reply(ANSWER)).status == 200
    again = harness.send(EXAMPLE, key="another")
    assert (again.status, again.slug) == (409, "held-by-another-operation")
    assert len(harness.server.to(EXAMPLE.route)) == 1


def test_the_reversal_that_the_captures_row_names_is_ours(harness: Harness) -> None:
    operation_id = unknown_order(harness, EXAMPLE)
    found = looked_up(harness, EXAMPLE, reversal_rows(harness.record(operation_id).created_at + 2))
    assert (found.status, found.body["result"]["xact_id"]) == (200, "xk_reversal")
    assert harness.server.to(EXAMPLE.look_up_route)[-1].json() == {"xact_id": XACT_ID}


@pytest.mark.parametrize(
    ("capture", "reversal"),
    [
        # The capture's row does not say that it is cancelled, or by which transaction.
        ({"reversed": False}, {}),
        ({"reversed": "true"}, {}),
        ({"reversed_xact_id": ""}, {}),
        ({"reversed_xact_id": "xk_third"}, {}),
        # It is not the capture's row.
        ({"xact_id": "xk_another"}, {}),
        ({"transaction_type": 3}, {}),
        ({"amount": None}, {}),
        # The reversal is of another sum, of another time, or not certainly one.
        ({}, {"amount": 10}),
        ({}, {"amount": None}),
        ({}, {"transaction_type": "4x"}),
        ({}, {"is_succeed": None}),
        ({}, {"is_succeed": False}),
        ({}, {"xact_date": "2016-04-08T10:27:22.0296925+03:00"}),
        ({}, {"xact_date": "2016-04-08"}),
    ],
)
def test_other_rows_prove_nothing(capture: dict[str, Any], reversal: dict[str, Any]) -> None:
    assert READER.finding(reversal_rows(START + 2)) == "Found"
    assert READER.finding(reversal_rows(START + 2, capture, **reversal)) != "Found"


@pytest.mark.parametrize("mine", [{}, {"reversed": True, "reversed_xact_id": "xk_reversal"}])
def test_a_reversal_that_another_capture_names_is_not_ours(mine: dict[str, Any]) -> None:
    now = START + 2
    other = capture_row(now, xact_id="xk_other", reversed=True, reversed_xact_id="xk_reversal")
    reversal = capture_row(now, xact_id="xk_reversal", transaction_type=6)
    assert READER.finding(paynet_rows(capture_row(now, xact_id=XACT_ID, **mine), other, reversal)) != "Found"
