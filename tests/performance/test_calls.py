"""The calls of an order: two writes and one provider call, no more, whatever the time is."""

from collections.abc import Iterator

import pytest
from vezne.providers import credentials

from tests.support.example import Example
from tests.support.harness import Harness, forget_everything
from tests.support.operations import EXAMPLES
from tests.support.operations.vakifbank_pay import EXAMPLE as VAKIFBANK

# Looks for a shared token before and after it takes the right to log in, and shares the new one.
SHARING = ["GetSecretValue", "GetSecretValue", "PutSecretValue"]


@pytest.fixture
def secret_reads() -> Iterator[list[str]]:
    """The calls to Secrets Manager, in order."""
    names: list[str] = []
    events = credentials._client().meta.events

    def note(model: object, **_: object) -> None:
        names.append(getattr(model, "name", ""))

    events.register("before-call.secrets-manager", note)
    yield names
    events.unregister("before-call.secrets-manager", note)


@pytest.mark.parametrize("example", EXAMPLES, ids=str)
def test_an_order_takes_two_writes_and_one_provider_call(
    harness: Harness, secret_reads: list[str], example: Example
) -> None:
    """The first order of a function also reads the secret and logs in. Later ones have no further call."""
    orders = [example.order(mark) for mark in ("first", "second", "third")]
    for order in orders:
        harness.server.on(example.route_of(order.fields), example.success)
    assert harness.send_order(orders[0]).status == 200
    assert secret_reads == ["GetSecretValue", *(SHARING if example.operation == "vakifbank.pay" else [])]
    for order in orders[1:]:
        harness.table_calls.clear()
        harness.server.calls.clear()
        secret_reads.clear()
        assert harness.send_order(order).status == 200
        # One that asks first looks for its own record before that, and asks the provider once.
        asks = [example.asked_first[0]] if example.asked_first else []
        assert len(harness.table_calls) == 2 + len(asks), harness.table_calls
        assert len(harness.writes()) == 2
        assert [call.route for call in harness.server.calls] == [*asks, example.route_of(order.fields)]
        assert secret_reads == []


def test_a_new_instance_takes_a_token_that_is_shared_by_one_read(harness: Harness, secret_reads: list[str]) -> None:
    """It neither logs in nor touches the memory of logins."""
    orders = [VAKIFBANK.order(mark) for mark in ("first", "second")]
    harness.server.on(VAKIFBANK.route, VAKIFBANK.success)
    assert harness.send_order(orders[0]).status == 200
    forget_everything()
    harness.table_calls.clear()
    harness.server.calls.clear()
    secret_reads.clear()
    assert harness.send_order(orders[1]).status == 200
    assert secret_reads == ["GetSecretValue"] * 2
    # The breaker, and the order's two writes.
    assert harness.table_calls == ["GetItem", "TransactWriteItems", "TransactWriteItems"]
    assert [call.route for call in harness.server.calls] == [VAKIFBANK.route]


@pytest.mark.parametrize("example", EXAMPLES, ids=str)
def test_a_replay_takes_one_call_and_asks_no_provider(
    harness: Harness, secret_reads: list[str], example: Example
) -> None:
    harness.server.on(example.route, example.success)
    assert harness.send(example).status == 200
    harness.table_calls.clear()
    harness.server.calls.clear()
    secret_reads.clear()
    answer = harness.send(example)
    assert answer.status == 200
    assert answer.replayed
    assert len(harness.table_calls) == 1, harness.table_calls
    assert harness.server.calls == []
    assert secret_reads == []


def test_a_status_read_takes_one_call(harness: Harness, secret_reads: list[str]) -> None:
    example = EXAMPLES[0]
    harness.server.on(example.route, example.success)
    operation_id = harness.send(example).body["operation_id"]
    harness.table_calls.clear()
    secret_reads.clear()
    assert harness.read(operation_id).status == 200
    assert harness.table_calls == ["GetItem"]
    assert secret_reads == []


def test_a_sweep_with_nothing_unknown_takes_one_query_per_shard_and_lane(harness: Harness) -> None:
    """Four workers together make as many calls as one. The first also counts, every five minutes."""
    example = EXAMPLES[0]
    # An instance that has already read the breaker.
    assert harness.sweep(example, worker=(3, 4))["looked_up"] == 0
    taken = []
    for number in range(4):
        harness.table_calls.clear()
        assert harness.sweep(example, worker=(number, 4))["looked_up"] == 0
        taken.append(harness.table_calls.count("Query"))
        assert len(harness.table_calls) == taken[-1]
    census, share = 8 * 2, 2 * 2
    assert taken == [census + share, share, share, share]
    harness.clock.advance(60)
    harness.table_calls.clear()
    harness.sweep(example)
    assert harness.table_calls == ["Query"] * 8 * 2
