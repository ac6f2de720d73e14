"""What a second request finds under its key, and its answer: one test for each case."""

import json
from typing import Any

import pytest
from vezne.orders.record import DECLINED, NOT_EXECUTED, SUCCEEDED
from vezne.orders.store import CLOCK_MARGIN_SECONDS
from vezne_cli.catalogue import ORDERS

from tests.support.example import Example
from tests.support.harness import Harness, table_client
from tests.support.operations import EXAMPLES, PROVABLE
from tests.support.operations.kolaybi_collect import EXAMPLE as KOLAYBI
from tests.support.operations.vakifbank_pay import EXAMPLE as VAKIFBANK
from tests.support.provider_server import HANG_UP, Call, Reply
from tests.support.wire import findings, unknown_order

each_operation = pytest.mark.parametrize("example", EXAMPLES, ids=str)
each_provable = pytest.mark.parametrize("example", PROVABLE, ids=str)
SENDS_AGAIN = [name for name, order in ORDERS.items() if order.declaration.resend_is_safe]
resending = pytest.mark.parametrize("example", [it for it in EXAMPLES if it.operation in SENDS_AGAIN], ids=str)
not_resending = pytest.mark.parametrize("example", [it for it in PROVABLE if it.operation not in SENDS_AGAIN], ids=str)


def calls(harness: Harness, example: Example) -> int:
    return len(harness.server.to(example.route))


# -------------------------------------------------------------------- another fingerprint


@each_operation
def test_second_request_another_fingerprint(harness: Harness, example: Example) -> None:
    harness.server.on(example.route, example.success)
    first = harness.send(example)
    assert first.status == 200
    response = harness.send(example, example.other_body)
    assert (response.status, response.slug) == (422, "idempotency-key-reused")
    assert (response.body["money"], response.body["retry"]) == ("not_moved", "new_key")
    assert response.body["operation_id"] == first.body["operation_id"]
    assert calls(harness, example) == 1


@each_operation
@pytest.mark.parametrize("lease", [27.0, -60.0], ids=["lease alive", "lease over"])
def test_second_request_while_the_first_is_not_final(harness: Harness, example: Example, lease: float) -> None:
    standing = harness.stand(example, lease=lease)
    harness.server.on(example.look_up_route, example.found(standing))
    response = harness.send(example, example.other_body)
    assert (response.status, response.slug) == (422, "idempotency-key-reused")
    assert (response.body["money"], response.body["retry"]) == ("unknown", "never")
    assert response.body["operation_id"] == standing.id
    assert harness.record(standing.id) == standing
    assert harness.server.to(example.look_up_route) == []
    assert calls(harness, example) == 0


# -------------------------------------------------------------------- final


@each_operation
def test_second_request_succeeded(harness: Harness, example: Example) -> None:
    harness.server.on(example.route, example.success)
    first = harness.send(example)
    harness.clock.advance(89 * 24 * 3600)
    again = harness.send(example)
    assert (first.status, first.replayed) == (200, False)
    assert (again.status, again.replayed) == (200, True)
    assert again.body == first.body
    assert calls(harness, example) == 1


@each_operation
def test_second_request_declined(harness: Harness, example: Example) -> None:
    harness.server.on(example.route, example.refusal, example.success)
    first = harness.send(example)
    again = harness.send(example)
    assert (first.status, first.replayed, first.body["provider_code"]) == (402, False, example.refusal_code)
    assert (again.status, again.replayed) == (402, True)
    assert again.body == first.body
    assert calls(harness, example) == 1


@each_operation
def test_second_request_not_executed(harness: Harness, example: Example) -> None:
    standing = harness.stand(example)
    harness.store.finalise(standing, NOT_EXECUTED, {})
    response = harness.send(example)
    assert (response.status, response.slug, response.replayed) == (402, "not-executed", True)
    assert (response.body["money"], response.body["retry"]) == ("not_moved", "new_key")
    assert calls(harness, example) == 0


@each_operation
@pytest.mark.parametrize("status", [SUCCEEDED, DECLINED, NOT_EXECUTED])
def test_only_a_final_record_expires(harness: Harness, example: Example, status: str) -> None:
    standing = harness.stand(example)
    (item,) = harness.records()
    assert "expires_at" not in item
    harness.store.finalise(standing, status, {"result": {}})
    (item,) = harness.records()
    assert int(item["expires_at"]["N"]) == int(harness.clock.now) + 90 * 24 * 3600
    assert "unresolved" not in item
    assert "next_look_up" not in item


@each_operation
def test_a_final_record_is_kept_for_kept_days(
    harness: Harness, example: Example, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KEPT_DAYS", "365")
    harness.store.finalise(harness.stand(example), SUCCEEDED, {"result": {}})
    (item,) = [it for it in harness.records() if "outcome" in it]
    assert int(item["expires_at"]["N"]) == int(harness.clock.now) + 365 * 24 * 3600


# -------------------------------------------------------------------- processing, and the record is its own


@each_operation
def test_second_request_our_own_write_retried_by_the_sdk(harness: Harness, example: Example) -> None:
    """The first try was applied, but its answer was lost. The second try of the SDK finds the record of the first."""
    name = "PutItem" if example.operation == "kolaybi.collect" else "TransactWriteItems"
    if example.operation == "vakifbank.pay":
        name = "PutItem"

    def apply_it_once_before(request: dict[str, Any]) -> None:
        request.pop("ClientRequestToken", None)
        write = table_client().put_item if name == "PutItem" else table_client().transact_write_items
        write(**request)

    harness.server.on(example.route, example.success)
    harness.before_next(name, apply_it_once_before)
    response = harness.send(example)
    assert (response.status, response.replayed) == (200, False)
    assert calls(harness, example) == 1
    assert harness.record(response.body["operation_id"]).status == SUCCEEDED


# -------------------------------------------------------------------- processing, lease alive


@each_operation
@pytest.mark.parametrize("passed", [0, 20, 27, 27 + CLOCK_MARGIN_SECONDS - 0.1])
def test_second_request_processing(harness: Harness, example: Example, passed: float) -> None:
    standing = harness.stand(example)
    harness.clock.advance(passed)
    response = harness.send(example)
    assert (response.status, response.slug) == (409, "in-progress")
    assert (response.body["money"], response.body["retry"]) == ("unknown", "same_key")
    assert response.body["operation_id"] == standing.id
    assert 1 <= int(response.headers["Retry-After"]) <= 5
    assert harness.record(standing.id) == standing
    assert calls(harness, example) == 0
    assert harness.server.to(example.look_up_route) == []


# -------------------------------------------------------------------- unknown, or a lease that ran out


@each_provable
def test_second_request_unknown_and_found(harness: Harness, example: Example) -> None:
    known = unknown_order(harness, example)
    harness.server.on(example.look_up_route, example.found(harness.record(known)))
    response = harness.send(example)
    assert (response.status, response.body["status"], response.replayed) == (200, "succeeded", False)
    assert harness.record(known).status == SUCCEEDED
    assert findings(harness, known) == ["found"]
    assert calls(harness, example) == 0
    assert harness.send(example).replayed


@each_provable
def test_second_request_lease_over_and_found(harness: Harness, example: Example) -> None:
    """The function was killed, so no outcome was written."""
    standing = harness.stand(example)
    harness.clock.advance(27 + CLOCK_MARGIN_SECONDS)
    harness.server.on(example.look_up_route, example.found(standing))
    response = harness.send(example)
    assert (response.status, response.body["status"]) == (200, "succeeded")
    assert harness.record(standing.id).owner != standing.owner
    assert calls(harness, example) == 0


@not_resending
def test_second_request_no_evidence(harness: Harness, example: Example) -> None:
    known = unknown_order(harness, example)
    harness.server.on(example.look_up_route, example.not_found)
    response = harness.send(example)
    assert (response.status, response.body["status"]) == (202, "unknown")
    assert (response.body["money"], response.body["retry"]) == ("unknown", "same_key")
    assert harness.record(known).status == "unknown"
    assert findings(harness, known) == ["not_found"]
    assert calls(harness, example) == 0


@each_operation
@pytest.mark.parametrize("reply", [HANG_UP, Reply(401), Reply(500, b"{}"), Reply(200, b"<html>")], ids=str)
def test_second_request_look_up_fails(harness: Harness, example: Example, reply: Reply) -> None:
    known = unknown_order(harness, example)
    harness.server.on(example.look_up_route, reply)
    response = harness.send(example)
    assert (response.status, response.body["status"]) == (202, "unknown")
    assert findings(harness, known) == ["inconclusive"]
    assert calls(harness, example) == 0


@each_operation
def test_second_request_another_request_takes_it_over_first(harness: Harness, example: Example) -> None:
    standing = harness.stand(example)
    harness.clock.advance(60)

    def take_it(_: dict[str, Any]) -> None:
        harness.store.acquire_lease(standing, "a third invocation", harness.clock.now + 27)

    harness.before_next("UpdateItem", take_it)
    if example.operation == "vakifbank.pay":
        # A login would write to the table first. With a token the take-over is the first update.
        harness.handle(example.function, {"detail-type": "Scheduled Event"}, seconds=0)
        _log_in(harness, example)
        harness.before_next("UpdateItem", take_it)
    response = harness.send(example)
    assert (response.status, response.body["status"], response.replayed) == (202, "unknown", True)
    assert harness.record(standing.id).owner == "a third invocation"
    assert harness.server.to(example.look_up_route) == []
    assert calls(harness, example) == 0


def _log_in(harness: Harness, example: Example) -> None:
    """Have the function log in, by an order that is refused."""
    harness.server.on(example.route, example.refusal)
    harness.send(example, key="another-key")
    harness.server.calls.clear()


# -------------------------------------------------------------------- the provider refuses doubles


@resending
def test_a_look_up_that_ends_too_late_leaves_the_lease_of_the_next(harness: Harness, example: Example) -> None:
    known = unknown_order(harness, example)
    harness.clock.advance(60)

    def acquire_lease_meanwhile(_: Call) -> Reply:
        found = example.found(harness.record(known))
        harness.clock.advance(3600)
        harness.store.acquire_lease(harness.record(known), "somebody else", harness.clock.now + 27)
        return found

    harness.server.on(example.look_up_route, acquire_lease_meanwhile)
    response = harness.send(example)
    record = harness.record(known)
    assert (record.owner, record.lease_until > harness.clock.now) == ("somebody else", True)
    assert (response.status, response.body["status"]) == (202, "unknown")
    assert calls(harness, example) == 0


@resending
def test_second_request_not_there_is_sent_again_under_the_same_reference(harness: Harness, example: Example) -> None:
    harness.server.on(example.route, HANG_UP)
    harness.send(example)
    (first,) = harness.server.to(example.route)
    harness.server.on(example.look_up_route, example.not_found)
    harness.server.on(example.route, example.success)
    response = harness.send(example)
    assert (response.status, response.body["status"]) == (200, "succeeded")
    second = harness.server.to(example.route)[1]
    assert second.body == first.body
    order = [call.route for call in harness.server.calls if call.route in (example.route, example.look_up_route)]
    assert order == [example.route, example.look_up_route, example.route]
    assert findings(harness, response.body["operation_id"]) == ["not_found"]


@resending
@pytest.mark.parametrize("answer", ["refusal", "nothing"])
def test_second_request_only_a_success_of_the_second_sending_counts(
    harness: Harness, example: Example, answer: str
) -> None:
    """The second may be refused as a double: the first may have been booked meanwhile."""
    known = unknown_order(harness, example)
    harness.server.on(example.look_up_route, example.not_found)
    harness.server.on(example.route, example.refusal if answer == "refusal" else HANG_UP)
    response = harness.send(example)
    assert (response.status, response.body["status"]) == (202, "unknown")
    assert harness.record(known).status == "unknown"
    assert harness.record(known).next_look_up is not None


@resending
def test_second_request_no_other_sends_while_the_second_is_running(harness: Harness, example: Example) -> None:
    known = unknown_order(harness, example)
    harness.server.on(example.look_up_route, example.not_found)
    seen: list[Any] = []

    def look_from_outside(call: Any) -> Any:
        seen.append(harness.record(known))
        return example.success(call)

    harness.server.on(example.route, look_from_outside)
    harness.send(example)
    (during,) = seen
    assert during.lease_until > harness.clock.now
    # It was sent again, so "not found" proves nothing before this lease ends.
    assert during.may_arrive_until == during.lease_until


# -------------------------------------------------------------------- a request that cannot be prepared


@pytest.mark.parametrize("example", [KOLAYBI, VAKIFBANK], ids=str)
@pytest.mark.parametrize(
    ("standing", "status"), [("succeeded", 200), ("declined", 402), ("unknown", 202), ("processing", 409)]
)
@pytest.mark.parametrize("failure", ["secret", "time", "login", "bug"])
def test_a_stopped_attempt_proves_nothing_about_an_earlier_one(
    harness: Harness, monkeypatch: pytest.MonkeyPatch, example: Example, standing: str, status: int, failure: str
) -> None:
    first = harness.stand(example)
    if standing in ("succeeded", "declined"):
        harness.store.finalise(first, standing, {"result": {}, "code": "1", "text": "x"})
    if standing == "unknown":
        harness.store.mark_unknown(first, harness.clock.now + 60)
    seconds = 27.0
    if failure == "secret":
        harness.put_secret(example.provider, "not JSON")
    elif failure == "time":
        seconds = 2.0
    elif failure == "login":
        harness.put_secret(example.provider, json.dumps({"broken": "x"}))
    else:
        monkeypatch.setattr("vezne.providers.http.Provider.prepare", _fail)
    response = harness.send(example, seconds=seconds)
    assert response.status == status
    assert response.body["operation_id"] == first.id
    assert calls(harness, example) == 0


def _fail(*_: Any, **__: Any) -> None:
    raise RuntimeError("a bug")
