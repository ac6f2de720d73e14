"""After the claim: the answer says what is known and no more, and no error of ours becomes "nothing was sent"."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from vezne.orders.record import DECLINED, PROCESSING, SUCCEEDED, UNKNOWN
from vezne.orders.store import LostOwnershipError
from vezne.providers.http import NotSentError, Provider, ProviderResponse

from tests.support.example import Example
from tests.support.harness import Harness, operation_of, secrets_client
from tests.support.operations import EXAMPLES, PROVABLE
from tests.support.operations.haso_set_expenses import EXAMPLE as HASO
from tests.support.operations.kolaybi_collect import EXAMPLE as KOLAYBI
from tests.support.operations.paynet_capture import EXAMPLE as PAYNET
from tests.support.operations.vakifbank_pay import EXAMPLE as VAKIFBANK
from tests.support.provider_server import HANG_UP, Answering, Call, Reply, json_reply
from tests.support.wire import answered, findings, looked_up, unknown_order

each_operation = pytest.mark.parametrize("example", EXAMPLES, ids=str)
each_provable = pytest.mark.parametrize("example", PROVABLE, ids=str)
# One operation claims with a single write, one with a transaction, because it has a guard.
one_of_each_kind = pytest.mark.parametrize("example", [KOLAYBI, HASO], ids=str)


def calls(harness: Harness, example: Example) -> int:
    return len(harness.server.to(example.route))


def reply_of(answering: Answering, call: Call) -> Reply:
    return answering(call) if callable(answering) else answering


def breaking_the_table(harness: Harness, reply: Answering, **fault: Any) -> Callable[[Call], Reply]:
    """The provider answers so, and the table fails from then on."""

    def answer(call: Call) -> Reply:
        harness.fail_table("UpdateItem", **fault)
        harness.fail_table("TransactWriteItems", **fault)
        return reply_of(reply, call)

    return answer


def log_in(harness: Harness, example: Example) -> None:
    """Have the function log in, so that the next calls are those of the order."""
    answered(harness, example, example.refusal, key="another-key")
    harness.server.calls.clear()
    harness.table_calls.clear()


# -------------------------------------------------------------------- numbers of calls


@each_operation
@pytest.mark.parametrize("outcome", ["succeeded", "declined", "unknown"])
def test_two_writes_and_one_call_per_order(harness: Harness, example: Example, outcome: str) -> None:
    log_in(harness, example)
    reply = {"succeeded": example.success, "declined": example.refusal, "unknown": HANG_UP}[outcome]
    answered(harness, example, reply)
    # Only an operation that asks first reads anything: whether there is a record, and then the provider.
    asks = len(harness.server.calls) - len(harness.server.to(example.route))
    assert (asks, len(harness.server.to(example.route))) == (1 if example.asked_first else 0, 1)
    assert [call for call in harness.table_calls if call not in harness.writes()] == ["GetItem"] * asks
    assert len(harness.writes()) == 2


@each_operation
def test_a_replay_only_tries_the_claim_which_fails(harness: Harness, example: Example) -> None:
    answered(harness, example, example.success)
    harness.table_calls.clear()
    harness.server.calls.clear()
    assert harness.send(example).replayed
    assert len(harness.table_calls) == 1
    assert harness.server.calls == []


@each_operation
def test_the_claim_is_written_before_the_provider_is_called(harness: Harness, example: Example) -> None:
    seen: list[Any] = []

    def look(call: Call) -> Reply:
        seen.append(harness.record(harness.order(example).operation_id))
        return reply_of(example.success, call)

    answered(harness, example, look)
    (during,) = seen
    assert during.status == PROCESSING
    assert during.lease_until == harness.clock.now + 27
    assert during.next_look_up == during.lease_until + 3


# -------------------------------------------------------------------- the table fails when the outcome is to be written

TRUTHS = [("succeeded", 200), ("declined", 402)]


@each_operation
@pytest.mark.parametrize(("truth", "status"), TRUTHS)
def test_the_true_outcome_is_answered_even_if_it_cannot_be_written(
    harness: Harness, example: Example, truth: str, status: int
) -> None:
    reply = example.success if truth == "succeeded" else example.refusal
    log_in(harness, example)
    response = answered(harness, example, breaking_the_table(harness, reply))
    harness.heal_table()
    assert (response.status, response.replayed) == (status, False)
    operation_id = response.body["operation_id"]
    # Not written, so a look-up can still find it: the record is claimed, in the index, and never expires.
    (item,) = [item for item in harness.records() if item["id"]["S"] == operation_id]
    assert item["status"]["S"] == PROCESSING
    assert "unresolved" in item
    assert "expires_at" not in item


@each_provable
def test_an_outcome_that_was_not_written_is_found_by_the_next_look_up(harness: Harness, example: Example) -> None:
    log_in(harness, example)
    first = answered(harness, example, breaking_the_table(harness, example.success))
    harness.heal_table()
    record = harness.record(first.body["operation_id"])
    harness.server.calls.clear()
    response = looked_up(harness, example, example.found(record))
    assert (response.status, response.body["status"]) == (200, "succeeded")
    assert calls(harness, example) == 0


@each_operation
@pytest.mark.parametrize("applied", [False, True], ids=["not applied", "applied, answer lost"])
@pytest.mark.parametrize("truth", ["succeeded", "declined", "unknown"])
def test_writing_the_outcome_is_tried_again(harness: Harness, example: Example, applied: bool, truth: str) -> None:
    reply = {"succeeded": example.success, "declined": example.refusal, "unknown": HANG_UP}[truth]
    log_in(harness, example)
    response = answered(harness, example, breaking_the_table(harness, reply, times=2, applied=applied))
    harness.heal_table()
    assert response.status == {"succeeded": 200, "declined": 402, "unknown": 202}[truth]
    assert not response.replayed
    assert harness.record(harness.order(example).operation_id).status == truth


# -------------------------------------------------------------------- not sent


def cannot_connect(harness: Harness, monkeypatch: pytest.MonkeyPatch, example: Example) -> None:
    monkeypatch.setenv(f"{example.provider.upper()}_URL", "http://127.0.0.1:1")


@each_operation
def test_an_order_that_was_not_sent_leaves_no_record_and_no_guard(
    harness: Harness, example: Example, monkeypatch: pytest.MonkeyPatch
) -> None:
    log_in(harness, example)
    with monkeypatch.context() as patch:
        cannot_connect(harness, patch, example)
        response = harness.send(example)
    assert response.status == 503
    assert harness.store.find(harness.order(example).operation_id) is None
    # The key is free, and so is the same payment under another key.
    harness.server.on(example.route, example.refusal, example.success)
    assert harness.send(example, key="key-2").status == 402
    assert harness.send(example).status == 200


@each_operation
@pytest.mark.parametrize("applied", [False, True], ids=["not applied", "applied, answer lost"])
def test_not_sent_is_answered_even_if_the_delete_fails(
    harness: Harness, example: Example, monkeypatch: pytest.MonkeyPatch, applied: bool
) -> None:
    log_in(harness, example)
    harness.server.on(example.route, example.success)

    def refuse(*_: Any, **__: Any) -> None:
        harness.fail_table("DeleteItem", times=1, applied=applied)
        harness.fail_table("TransactWriteItems", times=1, applied=applied)
        raise NotSentError("ConnectionRefusedError")

    with monkeypatch.context() as patch:
        patch.setattr(Provider, "send", refuse)
        response = harness.send(example)
    harness.heal_table()
    assert (response.status, response.body["money"], response.body["retry"]) == (503, "not_moved", "same_key")
    assert harness.store.find(harness.order(example).operation_id) is None
    assert harness.send(example).status == 200


@each_operation
def test_a_connection_that_was_never_made_is_tried_once_more(
    harness: Harness, example: Example, monkeypatch: pytest.MonkeyPatch
) -> None:
    log_in(harness, example)
    real, tries = Provider.send, []

    def fail_once(self: Provider, *arguments: Any) -> Any:
        tries.append(1)
        if len(tries) == 1:
            raise NotSentError("ConnectTimeout")
        return real(self, *arguments)

    harness.server.on(example.route, example.success)
    monkeypatch.setattr(Provider, "send", fail_once)
    assert harness.send(example).status == 200
    # What is asked first is tried once more itself.
    assert len(tries) == (3 if example.asked_first else 2)
    assert calls(harness, example) == 1


# -------------------------------------------------------------------- the answer to the claim is lost


@each_operation
def test_a_claim_without_a_confirmation_is_taken_back(harness: Harness, example: Example) -> None:
    log_in(harness, example)
    guarded = operation_of(example.function).guards(harness.order(example)) != ()
    name = "TransactWriteItems" if guarded else "PutItem"
    harness.fail_table(name, times=1, applied=True)
    harness.server.on(example.route, example.success)
    response = harness.send(example)
    assert (response.status, response.slug) == (503, "store-unavailable")
    assert calls(harness, example) == 0
    assert harness.store.find(harness.order(example).operation_id) is None
    assert harness.send(example).status == 200


# -------------------------------------------------------------------- a former owner writes late


@each_operation
@pytest.mark.parametrize("reply", ["success", "refusal", "nothing"])
def test_a_former_owner_changes_nothing(harness: Harness, example: Example, reply: str) -> None:
    """It pauses in the call until its lease is over. By then another one has taken the record over and finished it."""

    def finalise_meanwhile(call: Call) -> Reply:
        record = harness.record(harness.order(example).operation_id)
        harness.clock.advance(3600)
        taken = harness.store.acquire_lease(record, "somebody else", harness.clock.now + 27)
        harness.store.finalise(taken, SUCCEEDED, {"result": {"seen": "by somebody else"}})
        if reply == "nothing":
            return HANG_UP
        return reply_of(example.success if reply == "success" else example.refusal, call)

    log_in(harness, example)
    response = answered(harness, example, finalise_meanwhile)
    record = harness.record(harness.order(example).operation_id)
    assert (record.owner, record.status) == ("somebody else", SUCCEEDED)
    assert record.outcome == {"result": {"seen": "by somebody else"}}
    assert (response.status, response.replayed) == (200, True)
    assert response.body["result"] == {"seen": "by somebody else"}


@each_operation
def test_a_former_owner_does_not_end_the_look_up_of_the_next(harness: Harness, example: Example) -> None:
    def acquire_lease_meanwhile(call: Call) -> Reply:
        record = harness.record(harness.order(example).operation_id)
        harness.clock.advance(3600)
        harness.store.acquire_lease(record, "somebody else", harness.clock.now + 27)
        return reply_of(example.success, call)

    log_in(harness, example)
    response = answered(harness, example, acquire_lease_meanwhile)
    record = harness.record(harness.order(example).operation_id)
    assert (record.owner, record.status) == ("somebody else", UNKNOWN)
    assert response.status == 202


@each_operation
@pytest.mark.parametrize("write", ["finalise", "mark_unknown", "release"])
def test_no_write_of_a_former_owner_is_accepted(harness: Harness, example: Example, write: str) -> None:
    former = harness.stand(example)
    harness.clock.advance(60)
    now = harness.store.acquire_lease(former, "somebody else", harness.clock.now + 27)
    before = harness.items()
    action = {
        "finalise": lambda: harness.store.finalise(former, DECLINED, {"code": "", "text": ""}),
        "mark_unknown": lambda: harness.store.mark_unknown(former, harness.clock.now + 60),
        "release": lambda: harness.store.release(former),
    }[write]
    with pytest.raises(LostOwnershipError):
        action()
    assert harness.items() == before
    assert harness.record(former.id).owner == now.owner


@each_operation
@pytest.mark.parametrize("status", [UNKNOWN, DECLINED])
def test_a_record_that_its_owner_wrote_again_is_not_taken_over(harness: Harness, example: Example, status: str) -> None:
    seen = harness.stand(example)
    if status == UNKNOWN:
        harness.store.mark_unknown(seen, harness.clock.now + 60)
    else:
        harness.store.finalise(seen, status, {"code": "", "text": ""})
    before = harness.items()
    with pytest.raises(LostOwnershipError):
        harness.store.acquire_lease(seen, "somebody else", harness.clock.now + 27)
    assert harness.items() == before


# -------------------------------------------------------------------- anything fails at any step


def fail(*_: Any, **__: Any) -> None:
    raise RuntimeError("a bug")


STEPS = [
    "vezne.orders.execute._call",
    "vezne.orders.execute.finalise",
    "vezne.orders.store.Store.finalise",
    "vezne.orders.store._owned_update",
    "vezne.orders.record.to_item",
    "vezne.orders.finalise.record_final_outcome",
    "vezne.orders.finalise.count",
    "vezne.platform.telemetry.metrics.add_metric",
    "vezne.platform.telemetry.metrics.flush_metrics",
    "vezne.api.handle_order._report_response",
    "vezne.api.handle_order.problem_response",
]


@one_of_each_kind
@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("truth", ["succeeded", "declined", "unknown", "credentials", "unreadable"])
def test_no_failure_after_the_claim_denies_it(
    harness: Harness, example: Example, monkeypatch: pytest.MonkeyPatch, step: str, truth: str
) -> None:
    """The step fails after the provider has received the order."""
    reply: Answering = {
        "succeeded": example.success,
        "declined": example.refusal,
        "unknown": HANG_UP,
        "credentials": Reply(401, b"{}"),
        "unreadable": Reply(200, b"{"),
    }[truth]

    def answer_and_break(call: Call) -> Reply:
        monkeypatch.setattr(step, fail)
        return reply_of(reply, call)

    log_in(harness, example)
    if step == "vezne.orders.execute._call":
        # It begins after the claim, but before the provider has the order.
        monkeypatch.setattr(step, fail)
    response = answered(harness, example, answer_and_break)
    assert response.status != 500
    certain = {"succeeded": 200, "declined": 402, "unknown": 202, "credentials": 502, "unreadable": 202}[truth]
    assert response.status in (202, certain)
    if response.status == 202:
        assert response.body["money"] == "unknown"
    assert response.body["operation_id"] == harness.order(example).operation_id


@each_operation
@pytest.mark.parametrize(
    "step",
    [
        "vezne.orders.execute.look_up_and_record",
        "vezne.orders.look_up._evidence",
        "vezne.orders.store.Store.mark_unknown",
        "vezne.orders.finalise.write_with_retries",
    ],
)
def test_no_failure_while_looking_up_denies_an_order(
    harness: Harness, example: Example, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    known = unknown_order(harness, example)
    harness.server.on(example.look_up_route, HANG_UP)
    with monkeypatch.context() as patch:
        patch.setattr(step, fail)
        response = harness.send(example)
    assert (response.status, response.body["status"], response.body["operation_id"]) == (202, "unknown", known)
    assert harness.record(known).status == UNKNOWN


@each_operation
def test_a_look_up_that_fails_in_our_code_proves_nothing(
    harness: Harness, example: Example, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = unknown_order(harness, example)
    kind = type(harness._module(example.function).handler.__closure__[0].cell_contents)
    monkeypatch.setattr(kind, "look_up", fail)
    assert harness.send(example).status == 202
    assert findings(harness, known) == ["inconclusive"]


@each_operation
def test_a_second_call_that_fails_is_not_taken_for_one_that_was_not_sent(
    harness: Harness, example: Example, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After a refused login the order is sent again. If that fails, the order may have left, so the key is not free."""
    log_in(harness, example)
    real, order_calls = Provider.send, []

    def fail_at_the_second(self: Provider, prepared: Any, *arguments: Any) -> Any:
        if prepared.url.endswith(example.route.split(" ")[1]):
            order_calls.append(prepared)
            if len(order_calls) > 1:
                raise RuntimeError("a bug, after the bytes left")
            harness.put_secret(example.provider, {**json.loads(secret_of(harness, example))})
            return ProviderResponse(401, b"{}")
        return real(self, prepared, *arguments)

    monkeypatch.setattr(Provider, "send", fail_at_the_second)
    response = harness.send(example)
    assert len(order_calls) == 2
    assert (response.status, response.body.get("status")) == (202, "unknown")
    assert harness.record(harness.order(example).operation_id)


def secret_of(harness: Harness, example: Example) -> str:
    return str(secrets_client().get_secret_value(SecretId=harness._secret_ids[example.provider])["SecretString"])


# -------------------------------------------------------------------- answers that are no valid text


@pytest.mark.parametrize(
    ("example", "reply"),
    [
        (KOLAYBI, json_reply({"success": False, "message": "x"}, 422)),
        (VAKIFBANK, json_reply({"Header": {"StatusCode": "ACBH000645", "StatusDescription": "@"}}, 400)),
        (HASO, json_reply({"Success": False, "Errors": ["@"]})),
        (PAYNET, json_reply({"type": "api_error", "code": 400, "result_code": 11, "message": "@"}, 400)),
    ],
    ids=lambda it: str(it) if isinstance(it, Example) else "",
)
def test_half_of_a_surrogate_pair_in_a_refusal(harness: Harness, example: Example, reply: Reply) -> None:
    """Nobody could get it: the answer of the function must be text."""
    body = reply.body.replace(b'"@"', b'"\\ud800"').replace(b'"x"', b'"\\ud800"')
    response = answered(harness, example, Reply(reply.status, body))
    json.dumps(response.body, ensure_ascii=False).encode()
    assert response.status in (202, 402)
    assert harness.record(response.body["operation_id"]).status in (DECLINED, UNKNOWN)
