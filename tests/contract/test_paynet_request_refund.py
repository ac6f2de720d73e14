"""Paynet "İade" (POST /v1/transaction/reversed_request): a request that people decide, and how its outcome is found.

Pages: https://doc.paynet.com.tr/servisler/iptal-iade/iade and .../iade-listesi, read on 2026-11-28.
"""

import time
from datetime import timedelta
from typing import Any

import pytest

from tests.support.example import Example
from tests.support.harness import START, Harness, Response
from tests.support.operations.paynet_capture import EXAMPLE as CAPTURE, capture_row, paynet_rows
from tests.support.operations.paynet_request_refund import (
    ANSWER,
    CHECK,
    ERROR,
    EXAMPLE,
    ORIGINAL,
    XACT_ID,
    request_row,
    request_rows,
)
from tests.support.operations.paynet_reverse_capture import EXAMPLE as REVERSE
from tests.support.provider_server import HANG_UP, Reply, json_reply
from tests.support.reader import Reader
from tests.support.wire import answered, findings, header, literals, looked_up, the_call, unknown_order

READER = Reader(EXAMPLE)
WHOLE = {"xact_id": XACT_ID}
A_DAY = timedelta(days=1).total_seconds()


def requested(harness: Harness, key: str, amount: str | None, reply: Reply | None = None) -> Response:
    """A request under a key of its own, which Paynet takes unless it replies otherwise."""
    body = WHOLE if amount is None else {**WHOLE, "amount": amount}
    return answered(harness, EXAMPLE, reply or json_reply(ANSWER), body=body, key=key)


@pytest.mark.parametrize(
    ("body", "sent"),
    [
        ({**WHOLE, "amount": "10.00"}, f'{{"xact_id": "{XACT_ID}", "amount": "1000"}}'),
        # "Gönderilmez ya da 0 → tüm tutar": what is not sent is the whole. No address is told the decision.
        (WHOLE, f'{{"xact_id": "{XACT_ID}"}}'),
    ],
)
def test_the_request_is_the_one_of_the_page(harness: Harness, body: dict[str, Any], sent: str) -> None:
    response = answered(harness, EXAMPLE, json_reply(ANSWER), body=body)
    call = the_call(harness, EXAMPLE)
    assert (call.method, call.path) == ("POST", "/v1/transaction/reversed_request")
    assert header(call, "Authorization") == "Basic sandbox-secret-key"
    assert literals(call.body) == literals(sent)
    # It was taken. Nobody says that money moved.
    assert (response.status, response.body["result"]["decision"]) == (200, "pending")
    assert response.body["money"] == harness.read(response.body["operation_id"]).body["money"] == "not_moved"


@pytest.mark.parametrize(
    ("changes", "proves"),
    [
        ({}, "Succeeded"),
        ({"is_succeed": True}, "Succeeded"),
        ({"object_name": "transaction_preauth_reversed_request"}, "Unknown"),
        ({"object_name": None}, "Unknown"),
        ({"code": 1}, "Unknown"),
        ({"code": 100}, "Unknown"),
        ({"code": None}, "Unknown"),
        ({"bank_error_id": "51"}, "Unknown"),
        ({"is_succeed": False}, "Unknown"),
        ({"is_succeed": False, "code": 1}, "Declined"),
    ],
)
def test_what_each_answer_of_the_page_proves(changes: dict[str, Any], proves: str) -> None:
    assert READER.verdict({**ANSWER, **changes}) == proves


def test_an_error_object_of_a_listed_code_refuses() -> None:
    assert READER.verdict(ERROR, 400) == "Declined"
    assert READER.verdict({**ERROR, "result_code": 5}, 400) == "Unknown"


# -------------------------------------------------------------------- what is asked first


@pytest.mark.parametrize(
    "rows",
    [
        paynet_rows(),
        paynet_rows({**ORIGINAL, "xact_id": "xk_another"}),
        paynet_rows({**ORIGINAL, "transaction_type": 3}),
        paynet_rows({**ORIGINAL, "is_succeed": False}),
        paynet_rows({**ORIGINAL, "amount": 0}),
        paynet_rows({**ORIGINAL, "currency": "USD"}),
        paynet_rows({**ORIGINAL, "id": None}),
        paynet_rows({**ORIGINAL, "reversed": True}),
        paynet_rows(ORIGINAL, ORIGINAL),
        json_reply({"type": "no_data_error", "message": "", "code": 404, "result_code": 12}, 404),
    ],
)
def test_what_check_does_not_show_is_not_asked_back(harness: Harness, rows: Reply) -> None:
    harness.server.on(CHECK, rows)
    response = requested(harness, "key-1", "10.00")
    assert (response.status, response.body["errors"][0]["place"]) == (400, "body.xact_id")
    assert response.body["money"] == "not_moved"
    assert not harness.server.to(EXAMPLE.route)
    assert harness.items() == []


@pytest.mark.parametrize("reply", [HANG_UP, Reply(500), json_reply({"code": 0})])
def test_without_an_answer_to_the_question_nothing_is_sent(harness: Harness, reply: Reply) -> None:
    harness.server.on(CHECK, reply)
    response = requested(harness, "key-1", "10.00")
    assert (response.status, response.slug, response.body["money"]) == (503, "provider-unreachable", "not_moved")
    assert not harness.server.to(EXAMPLE.route)
    assert harness.items() == []


def test_a_refused_key_is_told_as_such(harness: Harness) -> None:
    harness.server.on(CHECK, Reply(401))
    assert requested(harness, "key-1", "10.00").slug == "provider-rejected-credentials"
    assert not harness.server.to(EXAMPLE.route)


@pytest.mark.parametrize(("amount", "status"), [("100.00", 200), (None, 200), ("99.99", 400), ("100.01", 400)])
def test_on_the_same_day_only_the_whole_is_asked_back(harness: Harness, amount: str | None, status: int) -> None:
    # An order is made on the day of the clock on the wall.
    harness.server.on(CHECK, paynet_rows(capture_row(time.time(), "100.00", xact_id=XACT_ID, id="8230")))
    assert requested(harness, "key-1", amount).status == status


def test_a_repeat_is_answered_from_the_record_and_asks_nothing(harness: Harness) -> None:
    first = requested(harness, "key-1", "40.00")
    harness.server.on(CHECK, paynet_rows({**ORIGINAL, "reversed": True}))
    asked = len(harness.server.to(CHECK))
    again = requested(harness, "key-1", "40.00")
    assert (again.status, again.replayed, again.body["result"]) == (200, True, first.body["result"])
    assert len(harness.server.to(CHECK)) == asked


# -------------------------------------------------------------------- the sum


def test_all_requests_together_never_exceed_what_was_captured(harness: Harness) -> None:
    assert [requested(harness, f"key-{n}", "40.00").status for n in (1, 2)] == [200, 200]
    beyond = requested(harness, "key-3", "20.01")
    assert (beyond.status, beyond.slug, beyond.body["money"]) == (422, "sum-exceeded", "not_moved")
    assert requested(harness, "key-4", None).slug == "sum-exceeded"
    assert requested(harness, "key-5", "20.00").status == 200
    assert len(harness.server.to(EXAMPLE.route)) == 3


def test_another_name_of_the_same_transaction_is_counted_with_it(harness: Harness) -> None:
    assert requested(harness, "key-1", None).status == 200
    harness.server.on(CHECK, paynet_rows({**ORIGINAL, "xact_id": "xk_encrypted_anew"}))
    again = answered(harness, EXAMPLE, json_reply(ANSWER), body={"xact_id": "xk_encrypted_anew"}, key="key-2")
    assert again.slug == "sum-exceeded"


def test_what_was_refused_or_not_sent_is_given_back(harness: Harness) -> None:
    assert requested(harness, "key-1", None, EXAMPLE.refusal).status == 402
    assert requested(harness, "key-2", None, Reply(401)).slug == "provider-rejected-credentials"
    assert requested(harness, "key-3", None).status == 200


def test_an_unknown_request_counts_and_no_other_is_sent_beside_it(harness: Harness) -> None:
    unknown_order(harness, EXAMPLE)
    for amount in ("10.00", None):
        other = requested(harness, "key-2", amount)
        assert (other.status, other.slug) == (409, "held-by-another-operation")
    assert not harness.server.to(EXAMPLE.route)


# -------------------------------------------------------------------- other operations


@pytest.mark.parametrize("other", [CAPTURE, REVERSE], ids=str)
@pytest.mark.parametrize("refund_first", [True, False])
def test_it_and_what_else_changes_the_same_transaction_wait_for_each_other(
    harness: Harness, other: Example, refund_first: bool
) -> None:
    first, second = (EXAMPLE, other) if refund_first else (other, EXAMPLE)
    # A capture of the same `xact_id` is a part of it, too; a cancelling is of the whole.
    bodies = {one.operation: {**WHOLE, **({"amount": "1.00"} if one is not REVERSE else {})} for one in (first, second)}
    unknown_order(harness, first, body=bodies[first.operation])
    refused = answered(harness, second, second.success, body=bodies[second.operation], key="another")
    assert (refused.status, refused.slug, refused.body["money"]) == (409, "held-by-another-operation", "not_moved")
    assert not harness.server.to(second.route)


def test_a_capture_that_was_asked_back_in_part_is_not_cancelled(harness: Harness) -> None:
    assert requested(harness, "key-1", "10.00").status == 200
    cancelled = answered(harness, REVERSE, REVERSE.success, body=WHOLE, key="another")
    assert (cancelled.status, cancelled.slug, cancelled.body["retry"]) == (409, "held-by-another-operation", "never")
    assert not harness.server.to(REVERSE.route)


def test_a_cancelled_capture_is_not_asked_back(harness: Harness) -> None:
    assert answered(harness, REVERSE, REVERSE.success, body=WHOLE, key="another").status == 200
    assert (refused := requested(harness, "key-1", "10.00")).status == 409
    assert refused.body["retry"] == "never"


# -------------------------------------------------------------------- the look-up


def test_the_look_up_reads_every_page_and_a_day_more_on_both_sides(harness: Harness) -> None:
    operation_id = unknown_order(harness, EXAMPLE)
    others = [request_row(START, id=number, xact_id=f"xk_{number}") for number in range(2)]
    pages = iter([request_rows(*others, has_more=True, total_count=3), request_rows(request_row(START), total_count=3)])
    found = looked_up(harness, EXAMPLE, lambda _call: next(pages))
    assert (found.status, found.body["result"]["decision"]) == (200, "pending")
    assert harness.record(operation_id).settled_by == "look_up"
    first, second = (call.json() for call in harness.server.to(EXAMPLE.look_up_route))
    assert first == {"datab": "2026-11-30", "datbi": "2026-12-02", "limit": 1000, "starting_after": 0}
    assert second == {**first, "starting_after": 2}


@pytest.mark.parametrize(
    "rows",
    [
        (),
        # Another transaction's; of another amount or currency; entered before or after; of no known day; without names.
        (request_row(START, id=1, xact_id="xk_another"),),
        (request_row(START, amount="10.00"),),
        (request_row(START, currency="USD"),),
        (request_row(START - A_DAY),),
        (request_row(START + A_DAY),),
        (request_row(START, entry_date="2026-12-01"),),
        (request_row(START, id=None, xact_id=None),),
        # Two requests for the same transaction: whose is whose?
        (request_row(START), request_row(START)),
        (request_row(START), request_row(START, id=None, xact_id=None)),
    ],
)
def test_other_rows_prove_nothing(rows: tuple[dict[str, Any], ...]) -> None:
    assert READER.finding(request_rows(request_row(START))) == "Found"
    assert READER.finding(request_rows(*rows)) != "Found"


@pytest.mark.parametrize("changes", [{"has_more": None}, {"total_count": 2}, {"code": 8}, {"Data": None}])
def test_a_list_that_does_not_say_its_end_proves_nothing(changes: dict[str, Any]) -> None:
    assert READER.finding(request_rows(request_row(START), **changes)) == "Inconclusive"
    assert READER.finding(request_rows(has_more=True)) == "Inconclusive"


@pytest.mark.parametrize("names", [{"xact_id": "435508***"}, {"id": "7", "reversed_id": "8"}])
def test_either_name_of_the_transaction_is_enough(names: dict[str, str]) -> None:
    assert READER.finding(request_rows(request_row(START, **names))) == "Found"


def test_after_another_request_for_the_same_transaction_the_row_may_be_its(harness: Harness) -> None:
    assert requested(harness, "key-1", "10.00").status == 200
    operation_id = unknown_order(harness, EXAMPLE, key="key-2")
    again = looked_up(harness, EXAMPLE, request_rows(request_row(START)), key="key-2")
    assert (again.status, findings(harness, operation_id)) == (202, ["inconclusive"])
