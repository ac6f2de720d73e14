"""After the claim: the answer says what is known and no more, and no error of ours becomes "nothing was sent"."""

import json
from typing import Any

import pytest
from vezne.orders.record import DECLINED, PROCESSING, SUCCEEDED, UNKNOWN
from vezne.orders.store import LostOwnershipError
from vezne.providers.http import NotSentError, Provider, ProviderResponse

from tests.support.bench import Harness, operation_of, secrets_client
from tests.support.example import Example
from tests.support.operations import EXAMPLES
from tests.support.operations.haso_set_expenses import EXAMPLE as HASO
from tests.support.operations.kolaybi_collect import EXAMPLE as KOLAYBI
from tests.support.operations.paynet_capture import EXAMPLE as PAYNET
from tests.support.operations.vakifbank_pay import EXAMPLE as VAKIFBANK
from tests.support.provider_server import HANG_UP, Answering, Call, Reply, json_reply
from tests.support.wire import answered, findings, looked_up, unknown_order

each_operation = pytest.mark.parametrize("example", EXAMPLES, ids=str)
# One operation claims with a single write, one with a transaction, because it has a guard.
one_of_each_kind = pytest.mark.parametrize("example", [KOLAYBI, HASO], ids=str)


def calls(bench: Harness, example: Example) -> int:
    return len(bench.server.to(example.route))


def reply_of(answering: Answering, call: Call) -> Reply:
    return answering(call) if callable(answering) else answering


def log_in(bench: Harness, example: Example) -> None:
    """Have the function log in, so that the next calls are those of the order."""
    answered(bench, example, example.refusal, key="another-key")
    bench.server.calls.clear()
    bench.table_calls.clear()


# -------------------------------------------------------------------- numbers of calls


@each_operation
@pytest.mark.parametrize("outcome", ["succeeded", "declined", "unknown"])
def test_two_writes_and_one_call_per_order(bench: Harness, example: Example, outcome: str) -> None:
    log_in(bench, example)
    reply = {"succeeded": example.success, "declined": example.refusal, "unknown": HANG_UP}[outcome]
    answered(bench, example, reply)
    assert len(bench.server.calls) == 1
    assert bench.table_calls == bench.writes()
    assert len(bench.writes()) == 2


@each_operation
def test_a_replay_only_tries_the_claim_which_fails(bench: Harness, example: Example) -> None:
    answered(bench, example, example.success)
    bench.table_calls.clear()
    bench.server.calls.clear()
    assert bench.send(example).replayed
    assert len(bench.table_calls) == 1
    assert bench.server.calls == []


@each_operation
def test_the_claim_is_written_before_the_provider_is_called(bench: Harness, example: Example) -> None:
    seen: list[Any] = []

    def look(call: Call) -> Reply:
        seen.append(bench.record(bench.order(example).operation_id))
        return reply_of(example.success, call)

    answered(bench, example, look)
    (during,) = seen
    assert during.status == PROCESSING
    assert during.lease_until == bench.clock.now + 27
    assert during.next_look_up == during.lease_until + 3


# -------------------------------------------------------------------- the table fails when the outcome is to be written

TRUTHS = [("succeeded", 200), ("declined", 402)]


@each_operation
@pytest.mark.parametrize(("truth", "status"), TRUTHS)
def test_the_true_outcome_is_answered_even_if_it_cannot_be_written(
    bench: Harness, example: Example, truth: str, status: int
) -> None:
    def answer_and_break_the_table(call: Call) -> Reply:
        bench.fail_table("UpdateItem")
        bench.fail_table("TransactWriteItems")
        return reply_of(example.success if truth == "succeeded" else example.refusal, call)

    log_in(bench, example)
    response = answered(bench, example, answer_and_break_the_table)
    bench.heal_table()
    assert (response.status, response.replayed) == (status, False)
    operation_id = response.body["operation_id"]
    # Not written, so a look-up can still find it: the record is claimed, in the index, and never expires.
    (item,) = [item for item in bench.records() if item["id"]["S"] == operation_id]
    assert item["status"]["S"] == PROCESSING
    assert "unresolved" in item
    assert "expires_at" not in item


@each_operation
def test_an_outcome_that_was_not_written_is_found_by_the_next_look_up(bench: Harness, example: Example) -> None:
    def answer_and_break_the_table(call: Call) -> Reply:
        bench.fail_table("UpdateItem")
        bench.fail_table("TransactWriteItems")
        return reply_of(example.success, call)

    log_in(bench, example)
    first = answered(bench, example, answer_and_break_the_table)
    bench.heal_table()
    record = bench.record(first.body["operation_id"])
    bench.server.calls.clear()
    response = looked_up(bench, example, example.found(record))
    assert (response.status, response.body["status"]) == (200, "succeeded")
    assert calls(bench, example) == 0


@each_operation
@pytest.mark.parametrize("applied", [False, True], ids=["not applied", "applied, answer lost"])
@pytest.mark.parametrize("truth", ["succeeded", "declined", "unknown"])
def test_writing_the_outcome_is_tried_again(bench: Harness, example: Example, applied: bool, truth: str) -> None:
    reply = {"succeeded": example.success, "declined": example.refusal, "unknown": HANG_UP}[truth]

    def answer_and_break_the_table(call: Call) -> Reply:
        bench.fail_table("UpdateItem", times=2, applied=applied)
        bench.fail_table("TransactWriteItems", times=2, applied=applied)
        return reply_of(reply, call)

    log_in(bench, example)
    response = answered(bench, example, answer_and_break_the_table)
    bench.heal_table()
    assert response.status == {"succeeded": 200, "declined": 402, "unknown": 202}[truth]
    assert not response.replayed
    assert bench.record(bench.order(example).operation_id).status == truth


# -------------------------------------------------------------------- not sent


def cannot_connect(bench: Harness, monkeypatch: pytest.MonkeyPatch, example: Example) -> None:
    monkeypatch.setenv(f"{example.provider.upper()}_URL", "http://127.0.0.1:1")


@each_operation
def test_an_order_that_was_not_sent_leaves_no_record_and_no_guard(
    bench: Harness, example: Example, monkeypatch: pytest.MonkeyPatch
) -> None:
    log_in(bench, example)
    with monkeypatch.context() as patch:
        cannot_connect(bench, patch, example)
        response = bench.send(example)
    assert response.status == 503
    assert bench.store.find(bench.order(example).operation_id) is None
    # The key is free, and so is the same payment under another key.
    bench.server.on(example.route, example.refusal, example.success)
    assert bench.send(example, key="key-2").status == 402
    assert bench.send(example).status == 200


@each_operation
@pytest.mark.parametrize("applied", [False, True], ids=["not applied", "applied, answer lost"])
def test_not_sent_is_answered_even_if_the_delete_fails(
    bench: Harness, example: Example, monkeypatch: pytest.MonkeyPatch, applied: bool
) -> None:
    log_in(bench, example)
    bench.server.on(example.route, example.success)

    def refuse(*_: Any, **__: Any) -> None:
        bench.fail_table("DeleteItem", times=1, applied=applied)
        bench.fail_table("TransactWriteItems", times=1, applied=applied)
        raise NotSentError("ConnectionRefusedError")

    with monkeypatch.context() as patch:
        patch.setattr(Provider, "send", refuse)
        response = bench.send(example)
    bench.heal_table()
    assert (response.status, response.body["money"], response.body["retry"]) == (503, "not_moved", "same_key")
    assert bench.store.find(bench.order(example).operation_id) is None
    assert bench.send(example).status == 200


@each_operation
def test_a_connection_that_was_never_made_is_tried_once_more(
    bench: Harness, example: Example, monkeypatch: pytest.MonkeyPatch
) -> None:
    log_in(bench, example)
    real, tries = Provider.send, []

    def fail_once(self: Provider, *arguments: Any) -> Any:
        tries.append(1)
        if len(tries) == 1:
            raise NotSentError("ConnectTimeout")
        return real(self, *arguments)

    bench.server.on(example.route, example.success)
    monkeypatch.setattr(Provider, "send", fail_once)
    assert bench.send(example).status == 200
    assert len(tries) == 2
    assert calls(bench, example) == 1


@each_operation
def test_a_lost_answer_is_never_tried_again(bench: Harness, example: Example) -> None:
    log_in(bench, example)
    bench.server.on(example.route, HANG_UP, example.success)
    assert bench.send(example).status == 202
    assert calls(bench, example) == 1


# -------------------------------------------------------------------- the answer to the claim is lost


@each_operation
def test_a_claim_without_a_confirmation_is_taken_back(bench: Harness, example: Example) -> None:
    log_in(bench, example)
    guarded = operation_of(example.function).guards(bench.order(example)) != ()
    name = "TransactWriteItems" if guarded else "PutItem"
    bench.fail_table(name, times=1, applied=True)
    bench.server.on(example.route, example.success)
    response = bench.send(example)
    assert (response.status, response.slug) == (503, "store-unavailable")
    assert calls(bench, example) == 0
    assert bench.store.find(bench.order(example).operation_id) is None
    assert bench.send(example).status == 200


# -------------------------------------------------------------------- a former owner writes late


@each_operation
@pytest.mark.parametrize("reply", ["success", "refusal", "nothing"])
def test_a_former_owner_changes_nothing(bench: Harness, example: Example, reply: str) -> None:
    """It pauses in the call until its lease is over. By then another one has taken the record over and finished it."""

    def settle_meanwhile(call: Call) -> Reply:
        record = bench.record(bench.order(example).operation_id)
        bench.clock.advance(3600)
        taken = bench.store.acquire_lease(record, "somebody else", bench.clock.now + 27)
        bench.store.finalise(taken, SUCCEEDED, {"result": {"seen": "by somebody else"}})
        if reply == "nothing":
            return HANG_UP
        return reply_of(example.success if reply == "success" else example.refusal, call)

    log_in(bench, example)
    response = answered(bench, example, settle_meanwhile)
    record = bench.record(bench.order(example).operation_id)
    assert (record.owner, record.status) == ("somebody else", SUCCEEDED)
    assert record.outcome == {"result": {"seen": "by somebody else"}}
    assert (response.status, response.replayed) == (200, True)
    assert response.body["result"] == {"seen": "by somebody else"}


@each_operation
def test_a_former_owner_does_not_end_the_look_up_of_the_next(bench: Harness, example: Example) -> None:
    def acquire_lease_meanwhile(call: Call) -> Reply:
        record = bench.record(bench.order(example).operation_id)
        bench.clock.advance(3600)
        bench.store.acquire_lease(record, "somebody else", bench.clock.now + 27)
        return reply_of(example.success, call)

    log_in(bench, example)
    response = answered(bench, example, acquire_lease_meanwhile)
    record = bench.record(bench.order(example).operation_id)
    assert (record.owner, record.status) == ("somebody else", UNKNOWN)
    assert response.status == 202


@each_operation
@pytest.mark.parametrize("write", ["finalise", "mark_unknown", "release"])
def test_no_write_of_a_former_owner_is_accepted(bench: Harness, example: Example, write: str) -> None:
    former = bench.stand(example)
    bench.clock.advance(60)
    now = bench.store.acquire_lease(former, "somebody else", bench.clock.now + 27)
    before = bench.items()
    action = {
        "finalise": lambda: bench.store.finalise(former, DECLINED, {"code": "", "text": ""}),
        "mark_unknown": lambda: bench.store.mark_unknown(former, bench.clock.now + 60),
        "release": lambda: bench.store.release(former),
    }[write]
    with pytest.raises(LostOwnershipError):
        action()
    assert bench.items() == before
    assert bench.record(former.id).owner == now.owner


@each_operation
def test_a_record_that_its_owner_wrote_again_is_not_taken_over(bench: Harness, example: Example) -> None:
    seen = bench.stand(example)
    bench.store.mark_unknown(seen, bench.clock.now + 60)
    before = bench.items()
    with pytest.raises(LostOwnershipError):
        bench.store.acquire_lease(seen, "somebody else", bench.clock.now + 27)
    assert bench.items() == before


@each_operation
def test_a_final_record_is_not_taken_over(bench: Harness, example: Example) -> None:
    record = bench.stand(example)
    bench.store.finalise(record, DECLINED, {"code": "", "text": ""})
    with pytest.raises(LostOwnershipError):
        bench.store.acquire_lease(record, "somebody else", bench.clock.now + 27)
    assert bench.record(record.id).status == DECLINED


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
    bench: Harness, example: Example, monkeypatch: pytest.MonkeyPatch, step: str, truth: str
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

    log_in(bench, example)
    if step == "vezne.orders.execute._call":
        # It begins after the claim, but before the provider has the order.
        monkeypatch.setattr(step, fail)
    response = answered(bench, example, answer_and_break)
    assert response.status != 500
    certain = {"succeeded": 200, "declined": 402, "unknown": 202, "credentials": 502, "unreadable": 202}[truth]
    assert response.status in (202, certain)
    if response.status == 202:
        assert response.body["money"] == "unknown"
    assert response.body["operation_id"] == bench.order(example).operation_id


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
    bench: Harness, example: Example, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    known = unknown_order(bench, example)
    bench.server.on(example.look_up_route, HANG_UP)
    with monkeypatch.context() as patch:
        patch.setattr(step, fail)
        response = bench.send(example)
    assert (response.status, response.body["status"], response.body["operation_id"]) == (202, "unknown", known)
    assert bench.record(known).status == UNKNOWN


@each_operation
def test_a_look_up_that_fails_in_our_code_proves_nothing(
    bench: Harness, example: Example, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = unknown_order(bench, example)
    kind = type(bench._module(example.function).handler.__closure__[0].cell_contents)
    monkeypatch.setattr(kind, "look_up", fail)
    assert bench.send(example).status == 202
    assert findings(bench, known) == ["inconclusive"]


@each_operation
def test_a_second_call_that_fails_is_not_taken_for_one_that_was_not_sent(
    bench: Harness, example: Example, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After a refused login the order is sent again. If that fails, the order may have left, so the key is not free."""
    log_in(bench, example)
    real, order_calls = Provider.send, []

    def fail_at_the_second(self: Provider, prepared: Any, *arguments: Any) -> Any:
        if prepared.url.endswith(example.route.split(" ")[1]):
            order_calls.append(prepared)
            if len(order_calls) > 1:
                raise RuntimeError("a bug, after the bytes left")
            bench.put_secret(example.provider, {**json.loads(secret_of(bench, example))})
            return ProviderResponse(401, b"{}")
        return real(self, prepared, *arguments)

    monkeypatch.setattr(Provider, "send", fail_at_the_second)
    response = bench.send(example)
    assert len(order_calls) == 2
    assert (response.status, response.body.get("status")) == (202, "unknown")
    assert bench.record(bench.order(example).operation_id)


def secret_of(bench: Harness, example: Example) -> str:
    return str(secrets_client().get_secret_value(SecretId=bench._secret_ids[example.provider])["SecretString"])


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
def test_half_of_a_surrogate_pair_in_a_refusal(bench: Harness, example: Example, reply: Reply) -> None:
    """Nobody could get it: the answer of the function must be text."""
    body = reply.body.replace(b'"@"', b'"\\ud800"').replace(b'"x"', b'"\\ud800"')
    response = answered(bench, example, Reply(reply.status, body))
    json.dumps(response.body, ensure_ascii=False).encode()
    assert response.status in (202, 402)
    assert bench.record(response.body["operation_id"]).status in (DECLINED, UNKNOWN)
