"""An order whose outcome is unknown: which reason is kept, and when it may be asked for again."""

import pytest

from tests.support.example import Example
from tests.support.harness import Harness
from tests.support.operations import EXAMPLES
from tests.support.provider_server import HANG_UP, Call, Reply, json_reply
from tests.support.wire import answered, findings, unknown_order

each_operation = pytest.mark.parametrize("example", EXAMPLES, ids=str)


def unanswered(harness: Harness, example: Example) -> str:
    """An order whose answer is lost and whose look-ups fail; its lease is over. Returns its operation id."""
    known = unknown_order(harness, example)
    harness.server.on(example.look_up_route, json_reply({}, 500))
    harness.clock.advance(30)
    return known


@each_operation
@pytest.mark.parametrize(
    ("reply", "reason"),
    [
        (HANG_UP, "ConnectionError"),
        (Reply(500, b"{}"), "http-500"),
        (Reply(502, b"<html>", {"Content-Type": "text/html"}), "http-502"),
        (Reply(200, b"<html>", {"Content-Type": "text/html"}), "unreadable"),
        (Reply(200, b""), "unreadable"),
    ],
    ids=["cut", "500", "a page of a gateway", "another page", "nothing"],
)
def test_the_reason_of_the_order_itself_is_the_first_evidence(
    harness: Harness, example: Example, reply: Reply, reason: str
) -> None:
    answer = answered(harness, example, reply)
    assert (answer.status, answer.headers["Retry-After"]) == (202, "5")
    (first,) = harness.record(answer.body["operation_id"]).evidence
    assert (first["asked"], first["finding"], first["reason"]) == ("order", "unknown", reason)
    # With the two writes of every order. VakıfBank's login has two more.
    assert harness.writes()[-2:] in (["PutItem", "UpdateItem"], ["TransactWriteItems", "UpdateItem"])


@each_operation
@pytest.mark.parametrize("status", [500, 503, 504])
def test_a_refusal_with_a_server_error_is_no_refusal(harness: Harness, example: Example, status: int) -> None:
    answer = answered(harness, example, Reply(status, example.refusal.body))
    assert (answer.status, answer.body["money"]) == (202, "unknown")


@each_operation
def test_a_success_beside_a_401_is_neither_a_success_nor_a_refused_login(harness: Harness, example: Example) -> None:

    def refuse(call: Call) -> Reply:
        reply = example.success(call)
        return Reply(401, reply.body, reply.headers)

    answer = answered(harness, example, refuse)
    assert (answer.status, answer.body["money"]) == (202, "unknown")
    assert len(harness.server.to(example.route)) == 1
    assert harness.record(answer.body["operation_id"]).evidence[0]["reason"] == "http-401 beside a success"


@each_operation
def test_repeats_for_two_minutes_cause_few_look_ups(harness: Harness, example: Example) -> None:
    known = unanswered(harness, example)
    waits = []
    for _ in range(120):
        answer = harness.send(example)
        assert answer.status == 202
        waits.append(int(answer.headers["Retry-After"]))
        harness.clock.advance(1)
    # At 0, 5, 15, 35 and 75 seconds.
    assert len(findings(harness, known)) == 5
    assert [wait for before, wait in zip([0, *waits], waits, strict=False) if wait > before] == [5, 10, 20, 40, 80]
    assert harness.read(known).status == 200


@each_operation
def test_each_repeat_after_retry_after_causes_a_look_up(harness: Harness, example: Example) -> None:
    known = unanswered(harness, example)
    waits = []
    for _ in range(9):
        waits.append(int(harness.send(example).headers["Retry-After"]))
        harness.clock.advance(waits[-1])
    assert waits == [5, 10, 20, 40, 80, 160, 300, 300, 300]
    assert len(findings(harness, known)) == 9


@each_operation
def test_the_status_route_answers_the_same_retry_after(
    harness: Harness, example: Example, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("vezne.api.handle_operations.Store", lambda: harness.store)
    known = unanswered(harness, example)
    assert harness.read(known).headers["Retry-After"] == "20"
    for _ in range(3):
        answer = harness.send(example)
        assert harness.read(known).headers["Retry-After"] == answer.headers["Retry-After"]
        harness.clock.advance(int(answer.headers["Retry-After"]))


@each_operation
def test_the_pauses_of_a_client_do_not_delay_a_sweep(harness: Harness, example: Example) -> None:
    known = unanswered(harness, example)
    harness.send(example)
    harness.clock.now = harness.record(known).next_look_up or 0.0
    assert harness.sweep(example)["looked_up"] == 1
