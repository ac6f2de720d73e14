"""Paynet "Ön Otorizasyon İptal" (POST /v1/transaction/preauth_reversal), and how its outcome is looked up.

Page: https://doc.paynet.com.tr/servisler/iptal-iade/oen-otorizasyon-iptal, read on 2026-11-27.
"""

from typing import Any

import pytest

from tests.support.example import Example
from tests.support.harness import START, Harness
from tests.support.operations.paynet_capture import EXAMPLE as CAPTURE
from tests.support.operations.paynet_reverse_capture import FAILED
from tests.support.operations.paynet_reverse_preauthorisation import ANSWER, EXAMPLE, XACT_ID, reversal_rows
from tests.support.provider_server import json_reply
from tests.support.reader import Reader
from tests.support.wire import answered, header, literals, looked_up, the_call, unknown_order

READER = Reader(EXAMPLE)
OF_THE_SAME = {"xact_id": XACT_ID, "amount": "1.00"}


def test_the_request_is_the_one_of_the_page(harness: Harness) -> None:
    answered(harness, EXAMPLE, json_reply(ANSWER))
    call = the_call(harness, EXAMPLE)
    assert (call.method, call.path) == ("POST", "/v1/transaction/preauth_reversal")
    assert header(call, "Authorization") == "Basic sandbox-secret-key"
    assert literals(call.body) == literals(f'{{"xact_id": "{XACT_ID}"}}')


@pytest.mark.parametrize(
    ("changes", "proves"),
    [
        ({}, "Succeeded"),
        ({"is_succeed": True}, "Succeeded"),
        ({"object_name": "transaction_reversed_request"}, "Unknown"),
        ({"object_name": None}, "Unknown"),
        ({"code": 1}, "Unknown"),
        ({"code": 100}, "Unknown"),
        ({"code": None}, "Unknown"),
        ({"is_succeed": "true"}, "Unknown"),
        ({"bank_error_id": "51"}, "Unknown"),
        ({"transaction_type": 4}, "Unknown"),
        (FAILED, "Declined"),
        ({**FAILED, "code": 99}, "Unknown"),
        ({**FAILED, "transaction_type": 4}, "Unknown"),
    ],
)
def test_what_each_answer_of_the_page_proves(changes: dict[str, Any], proves: str) -> None:
    assert READER.verdict({**ANSWER, **changes}) == proves


@pytest.mark.parametrize(("first", "second"), [(CAPTURE, EXAMPLE), (EXAMPLE, CAPTURE)], ids=["capture", "reversal"])
def test_it_waits_for_a_capture_of_the_same_and_the_other_way_round(
    harness: Harness, first: Example, second: Example
) -> None:
    bodies = {CAPTURE.operation: OF_THE_SAME, EXAMPLE.operation: EXAMPLE.body}
    unknown_order(harness, first, body=bodies[first.operation])
    other = answered(harness, second, second.success, body=bodies[second.operation], key="another")
    assert (other.status, other.slug, other.body["money"]) == (409, "held-by-another-operation", "not_moved")
    assert not harness.server.to(second.route)


def test_a_capture_that_is_final_does_not_hinder_it(harness: Harness) -> None:
    assert answered(harness, CAPTURE, CAPTURE.success, body=OF_THE_SAME).status == 200
    assert answered(harness, EXAMPLE, json_reply(ANSWER), key="another").status == 200
    again = harness.send(EXAMPLE, key="third")
    assert (again.status, again.slug) == (409, "held-by-another-operation")


def test_the_reversal_that_the_row_names_is_ours(harness: Harness) -> None:
    operation_id = unknown_order(harness, EXAMPLE)
    found = looked_up(harness, EXAMPLE, reversal_rows(harness.record(operation_id).created_at + 2))
    assert (found.status, found.body["result"]["xact_id"]) == (200, "xk_reversal")
    assert harness.server.to(EXAMPLE.look_up_route)[-1].json() == {"xact_id": XACT_ID}


@pytest.mark.parametrize(
    ("original", "reversal"),
    [
        # The pre-authorisation's row does not say that it is cancelled, or it is another's row.
        ({"reversed": False}, {}),
        ({"reversed_xact_id": "xk_third"}, {}),
        ({"xact_id": "xk_another"}, {}),
        ({"transaction_type": 4}, {}),
        # The reversal is of another sum or of another time, or it is a capture's.
        ({}, {"amount": 10}),
        ({}, {"transaction_type": 6}),
        ({}, {"is_succeed": False}),
        ({}, {"xact_date": "2016-04-08T10:27:22.0296925+03:00"}),
    ],
)
def test_other_rows_prove_nothing(original: dict[str, Any], reversal: dict[str, Any]) -> None:
    assert READER.finding(reversal_rows(START + 2)) == "Found"
    assert READER.finding(reversal_rows(START + 2, original, **reversal)) != "Found"
