"""A sick provider, from the caller's side: what opens its breaker, what is answered meanwhile, and how it closes."""

import json
import time
from collections.abc import Callable

import pytest
from vezne.orders import breaker as breaker_module, store as store_module
from vezne.orders.breaker_item import CLOSED, OPEN, TRIAL, decide
from vezne.providers.paynet import client as paynet
from vezne_cli.catalogue import PROVIDERS

from tests.support.example import Example
from tests.support.harness import Harness, forget_everything
from tests.support.operations import EXAMPLES
from tests.support.operations.haso_set_expenses import EXAMPLE as SET_EXPENSES
from tests.support.operations.kolaybi_collect import EXAMPLE as COLLECT
from tests.support.operations.paynet_capture import EXAMPLE as CAPTURE
from tests.support.operations.vakifbank_pay import EXAMPLE as PAY
from tests.support.provider_server import HANG_UP, Answering, Reply, json_reply
from tests.support.providers import LOGINS

each_operation = pytest.mark.parametrize("example", EXAMPLES, ids=str)
BAD_GATEWAY = Reply(502, b"<html>", {"Content-Type": "text/html"})


@pytest.fixture
def sick(harness: Harness) -> Harness:
    """A harness whose breakers open."""
    harness.let_breakers_open()
    return harness


def open_it(harness: Harness, example: Example) -> None:
    harness.server.on(example.route, BAD_GATEWAY)
    for number in range(3):
        assert harness.send(example, key=f"bad-{number}").status == 202
        if harness.breaker(example.provider).state == CLOSED:
            # Its guard is held by an unknown order; another one of it would not be sent.
            harness.server.calls.clear()
            for record in harness.records():
                harness.delete(record["id"]["S"])
            for guard in harness.guards():
                harness.delete(guard["id"]["S"])
    assert harness.breaker(example.provider).state == OPEN
    harness.server.calls.clear()


def probe_of(example: Example) -> tuple[str, Answering]:
    """The route of the provider's probe, and an answer to it."""
    if example.provider == "kolaybi":
        return "GET /kolaybi/v1/vaults", json_reply({"data": []})
    if example.provider == "haso":
        # The plan, whatever the order.
        return SET_EXPENSES.look_up_route, SET_EXPENSES.not_found
    if example.asked_first:
        # It asks first what the probe asks.
        return example.asked_first
    return example.look_up_route, example.not_found


@each_operation
def test_while_it_is_open_nothing_is_sent_and_the_answer_says_so(sick: Harness, example: Example) -> None:
    open_it(sick, example)
    answer = sick.send(example, key="another")
    assert (answer.status, answer.slug) == (503, "provider-down")
    assert (answer.body["money"], answer.body["retry"]) == ("not_moved", "same_key")
    assert 5 <= int(answer.headers["Retry-After"]) <= 10
    assert sick.server.calls == []
    assert sick.store.find(answer.body["operation_id"]) is None


@each_operation
def test_a_repeat_of_an_unknown_order_is_not_looked_up_while_it_is_open(sick: Harness, example: Example) -> None:
    open_it(sick, example)
    answer = sick.send(example, key="bad-2")
    assert answer.status == 202
    assert answer.body["status"] == "unknown"
    assert sick.server.calls == []


@each_operation
def test_a_repeat_is_told_to_wait_longer_the_longer_the_order_is_unknown(sick: Harness, example: Example) -> None:
    """No look-up sets the next time while the breaker is open. Clients that come every 5 s would be a storm."""
    open_it(sick, example)
    sick.store.update_item(decide(example.provider, sick.clock.now, OPEN, "me", "a test"))
    waits = []
    for _ in range(9):
        answer = sick.send(example, key="bad-2")
        assert (answer.status, answer.body["status"]) == (202, "unknown")
        waits.append(int(answer.headers["Retry-After"]))
        sick.clock.advance(waits[-1])
    assert waits == [5, 10, 20, 40, 80, 160, 300, 300, 300]
    assert sick.server.calls == []


@each_operation
def test_a_good_probe_lets_orders_through_one_by_one_and_the_third_closes_it(sick: Harness, example: Example) -> None:
    sick.let_breakers_open()
    sick.store.update_item(decide(example.provider, sick.clock.now, OPEN, "me", "a test"))
    sick.store.update_item(
        {
            "Key": {"id": {"S": f"breaker#{example.provider}"}},
            "UpdateExpression": "SET #until = :now",
            "ExpressionAttributeNames": {"#until": "until"},
            "ExpressionAttributeValues": {":now": {"N": str(sick.clock.now)}},
        }
    )
    route, reply = probe_of(example)
    sick.server.on(route, reply)
    states = []
    for mark in ("first", "second", "third"):
        order = example.order(mark)
        sick.server.on(example.route_of(order.fields), example.success)
        assert sick.send_order(order).status == 200
        states.append(sick.breaker(example.provider).state)
    assert states == [TRIAL, TRIAL, CLOSED]
    asked_by_the_orders = len(states) if example.asked_first else 0
    assert len(sick.server.to(route)) == 1 + asked_by_the_orders


@each_operation
def test_a_bad_probe_sends_no_order(sick: Harness, example: Example) -> None:
    open_it(sick, example)
    sick.clock.advance(6)
    sick.server.on(probe_of(example)[0], BAD_GATEWAY)
    assert sick.send(example, key="another").slug == "provider-down"
    assert [call.route for call in sick.server.calls if "oauth" not in call.path] == [probe_of(example)[0]]
    assert sick.breaker(example.provider).probe_step == 1


@pytest.mark.parametrize("reply", [HANG_UP, json_reply({}, 500), Reply(200, b"<html>")], ids=["lost", "500", "HTML"])
@pytest.mark.parametrize("example", [COLLECT, PAY], ids=str)
def test_a_failed_login_is_bad(sick: Harness, example: Example, reply: Reply) -> None:
    sick.server.on(LOGINS[example.provider][0], reply)
    assert sick.send(example).slug == "provider-unreachable"
    assert sick.breaker(example.provider).bad == 1


def unreachable(monkeypatch: pytest.MonkeyPatch, _: Harness) -> None:
    monkeypatch.setenv("PAYNET_URL", "http://127.0.0.1:1")


def not_configured(monkeypatch: pytest.MonkeyPatch, _: Harness) -> None:
    monkeypatch.setenv("PAYNET_URL", "")


def bad_secret(_: pytest.MonkeyPatch, harness: Harness) -> None:
    harness.put_secret("paynet", "no JSON")


def key_refused(_: pytest.MonkeyPatch, harness: Harness) -> None:
    harness.server.on(CAPTURE.route, Reply(401, b"{}"))


def refused(_: pytest.MonkeyPatch, harness: Harness) -> None:
    harness.server.on(CAPTURE.route, CAPTURE.refusal)


def unreadable(_: pytest.MonkeyPatch, harness: Harness) -> None:
    harness.server.on(CAPTURE.route, Reply(200, b"<html>"))


def cut(_: pytest.MonkeyPatch, harness: Harness) -> None:
    harness.server.on(CAPTURE.route, HANG_UP)


def table_fails(_: pytest.MonkeyPatch, harness: Harness) -> None:
    harness.fail_table("TransactWriteItems")


@pytest.mark.parametrize(
    ("trouble", "bad"),
    [
        (unreachable, 1),
        (cut, 1),
        (unreadable, 1),
        (not_configured, 0),
        (bad_secret, 0),
        (key_refused, 0),
        (refused, 0),
        (table_fails, 0),
    ],
)
def test_what_is_bad_is_the_providers(
    sick: Harness, monkeypatch: pytest.MonkeyPatch, trouble: Callable[[pytest.MonkeyPatch, Harness], None], bad: int
) -> None:
    trouble(monkeypatch, sick)
    sick.send(CAPTURE)
    assert sick.breaker("paynet").bad == bad


def test_another_function_that_is_logging_in_is_not_bad(sick: Harness, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("vezne.providers.login_lock._LONGEST_WAIT_SECONDS", 0.0)
    sick.put(
        {
            "id": {"S": "secret#vakifbank"},
            "trial": {"S": "other"},
            "trial_until": {"N": str(int(time.time()) + 30)},
        }
    )
    assert sick.send(PAY).slug == "provider-unreachable"
    assert sick.breaker("vakifbank").bad == 0


def test_our_own_time_is_not_bad(sick: Harness) -> None:
    assert sick.send(CAPTURE, seconds=5.0).slug == "not-enough-time"
    assert sick.breaker("paynet").bad == 0


def test_a_breaker_that_cannot_be_read_stops_nothing(sick: Harness) -> None:
    sick.server.on(CAPTURE.route, CAPTURE.success)
    sick.fail_table("GetItem")
    assert sick.send(CAPTURE).status == 200


def test_a_breaker_that_cannot_be_written_changes_no_answer(sick: Harness, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise store_module.StoreUnavailableError("down")

    monkeypatch.setattr(sick.store, "update_item", fail)
    sick.server.on(CAPTURE.route, HANG_UP)
    assert sick.send(CAPTURE).status == 202


def test_a_breaker_that_fails_by_a_fault_of_ours_stops_nothing(sick: Harness, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(breaker_module, "from_item", lambda _: 1 / 0)
    sick.server.on(CAPTURE.route, CAPTURE.success)
    assert sick.send(CAPTURE).status == 200


@each_operation
def test_a_healthy_provider_costs_no_call_more(sick: Harness, example: Example) -> None:
    """The breaker is read with the secret, and never again while all is well.

    An order that asks first looks for its own record before that.
    """
    own = 1 if example.asked_first else 0
    orders = [example.order(f"healthy-{number}") for number in range(3)]
    for order in orders:
        sick.server.on(example.route_of(order.fields), example.success)
    assert sick.send_order(orders[0]).status == 200
    assert sick.table_calls.count("GetItem") == 1 + own
    sick.table_calls.clear()
    for order in orders[1:]:
        assert sick.send_order(order).status == 200
    assert sick.table_calls.count("GetItem") == 2 * own
    assert (len(sick.writes()), len(sick.table_calls)) == (4, 4 + 2 * own)
    assert sick.breaker(example.provider).gen == 0


def test_a_sweep_only_probes_while_it_is_open(sick: Harness) -> None:
    open_it(sick, CAPTURE)
    sick.clock.advance(3600)
    sick.server.on(probe_of(CAPTURE)[0], BAD_GATEWAY)
    assert sick.sweep(CAPTURE)["looked_up"] == 0
    assert len(sick.server.calls) == 1
    sick.clock.advance(3600)
    sick.server.on(probe_of(CAPTURE)[0], CAPTURE.not_found)
    assert sick.sweep(CAPTURE)["looked_up"] == 1


def test_an_inquiry_after_a_failed_call_is_tried_once(harness: Harness) -> None:
    harness.server.on(CAPTURE.look_up_route, BAD_GATEWAY)
    event = {"multiValueQueryStringParameters": {"xact_id": ["x"]}, "requestContext": {"authorizer": {"claims": {
        "client_id": "c", "scope": "vezne/any principal/c"}}}}  # fmt: skip
    for calls in (2, 3, 4):
        assert harness.handle("paynet_check", event)["statusCode"] == 503
        assert len(harness.server.calls) == calls
    harness.server.on(CAPTURE.look_up_route, CAPTURE.not_found)
    harness.handle("paynet_check", event)
    assert not paynet.PROVIDER.failing
    forget_everything()


def test_health_tells_each_provider_with_any_scope(sick: Harness) -> None:
    shown = dict(zip(sorted(PROVIDERS), ("down", "degraded", "up"), strict=False))
    for provider, state in zip(shown, (OPEN, TRIAL, CLOSED), strict=True):
        sick.store.update_item(decide(provider, sick.clock.now, state, "me", "a test"))
    event = {"resource": "/health", "requestContext": {"authorizer": {"claims": {"client_id": "c"}}}}
    answer = sick.handle("get_operation", event)
    assert answer["statusCode"] == 200
    told = json.loads(answer["body"])["providers"]
    assert told.keys() == PROVIDERS.keys()
    for provider, known in told.items():
        since = {"since": "2026-12-01T06:00:00.000Z"} if provider in shown else {}
        assert known == {"status": shown.get(provider, "up"), **since}
    sick.fail_table("GetItem")
    assert sick.handle("get_operation", event)["statusCode"] == 503
    assert sick.handle("get_operation", {"resource": "/health"})["statusCode"] == 403
