"""A short form of the drill of `make outage`, and tests of its models."""

import pytest
from vezne_cli.catalogue import ORDERS

from tests.faults.outage import seams
from tests.faults.outage.clock import Clock
from tests.faults.outage.environment import Environment, Traffic
from tests.faults.outage.fleet import COLD_START_SECONDS, WAY_SECONDS, Fleet, Function, Throttle
from tests.faults.outage.providers import LOGIN, ORDER, Sickness
from tests.faults.outage.scenarios import BESIDE, BY_SANDBOX, NOTHING, OURS, SICK, kept_promise
from tests.support.operations import of


def outage(sickness: Sickness, *, breaker: str, minutes: int) -> Environment:
    """Simulate an outage of the first provider, with a minute before it and three after it."""
    environment = Environment([Traffic(SICK, 1, 20), Traffic(BESIDE, 0.5, 20)], 60 * minutes + 240, seed=1)
    provider = environment.providers[ORDERS[SICK].provider]
    with seams.in_place(environment, breaker=breaker != NOTHING):
        environment.start()
        environment.run_for(60)
        provider.sickness = sickness
        environment.run_for(60 * minutes)
        provider.sickness = None
        environment.run_for(210)
    return environment


@pytest.fixture(scope="module")
def without() -> Environment:
    return outage(Sickness("hang", books=True), breaker=NOTHING, minutes=1)


@pytest.fixture(scope="module")
def protected() -> Environment:
    return outage(Sickness("hang", books=True), breaker=OURS, minutes=6)


def test_an_outage_doubles_and_loses_no_order(without: Environment, protected: Environment) -> None:
    assert kept_promise(without) == (0, 0, 0)
    assert kept_promise(protected) == (0, 0, 0)


def test_without_the_breaker_every_order_becomes_unknown(without: Environment) -> None:
    assert 57 <= without.metrics[SICK]["OrderUnknown"] <= 80


def test_the_breaker_leaves_few_unknown_outcomes_and_opens_once(protected: Environment) -> None:
    assert 1 <= protected.metrics[SICK]["OrderUnknown"] <= 15
    assert len(protected.openings) == 1
    # These are the first orders, and inquiries that probe. An hour has about 120 probes.
    assert protected.providers[ORDERS[SICK].provider].sick_calls <= 40
    assert protected.clients[SICK].orders[-1].status == 200


def test_the_other_provider_is_not_affected(without: Environment, protected: Environment) -> None:
    for environment in (without, protected):
        beside = environment.clients[BESIDE]
        assert {order.status for order in beside.orders} == {200}
    assert [len(each.clients[BESIDE].orders) for each in (without, protected)] == [150, 300]


def test_a_slow_provider_is_used_while_it_is_slow() -> None:
    """Inquiries are slow as well, so that each probe is answered late."""
    environment = Environment([Traffic(SICK, 1, 20)], 180, seed=4)
    with seams.in_place(environment):
        environment.providers[ORDERS[SICK].provider].sickness = Sickness("slow")
        environment.start(sweeps=False)
        environment.run_for(210)
    orders = environment.clients[SICK].orders
    assert len(environment.openings) == 1
    assert {order.status for order in orders} == {200}
    assert environment.metrics[SICK]["OrderUnknown"] == 0


def test_a_share_keeps_the_instances_of_the_others() -> None:
    def hung(share: int | None) -> Environment:
        environment = Environment([Traffic(SICK, 5, 20), Traffic(BESIDE, 1, 20)], 20, seed=5, instances=28, share=share)
        with seams.in_place(environment):
            environment.providers[ORDERS[SICK].provider].sickness = Sickness("hang")
            environment.start(sweeps=False)
            environment.run_for(25)
        return environment

    assert hung(None).fleet.throttled[BESIDE] > 0
    protected = hung(10)
    assert protected.fleet.throttled[BESIDE] == 0
    assert protected.fleet.throttled[SICK] > 0
    assert protected.metrics[SICK]["OrderUnknown"] <= 11


@pytest.mark.parametrize("operation", BY_SANDBOX)
def test_the_other_providers_take_part_as_their_sandboxes(operation: str) -> None:
    environment = Environment([Traffic(operation, 1, 20)], 10, seed=6)
    with seams.in_place(environment):
        environment.providers[ORDERS[operation].provider].sickness = Sickness("hang", frozenset({ORDER}), books=True)
        environment.start()
        environment.run_for(4)
        environment.providers[ORDERS[operation].provider].sickness = None
        environment.run_for(120)
    # What nothing that can be read proves stays unknown.
    ended = 202 if of(operation).never_proved else 200
    assert {order.status for order in environment.clients[operation].orders} == {ended}
    assert kept_promise(environment) == (0, 0, 0)
    assert environment.metrics[operation]["OrderUnknown"] >= 3


def test_a_healthy_provider_costs_no_write_of_the_breaker() -> None:
    environment = Environment([Traffic(SICK, 1, 20)], 60, seed=2)
    with seams.in_place(environment):
        environment.start(sweeps=False)
        environment.run_for(70)
    # The claim and the outcome of each order, and no other write.
    assert sum(count for name, count in environment.table.calls.items() if name != "get_item") == 120
    assert environment.table.calls["get_item"] == environment.fleet.cold_starts[SICK]


def test_a_cold_fleet_logs_in_once_and_refuses_no_order() -> None:
    """At 20 orders a second each instance that waits for a login makes the next order start another one."""
    environment = Environment([Traffic(BESIDE, 20, 200)], 30, seed=4)
    with seams.in_place(environment):
        environment.start(sweeps=False)
        environment.run_for(40)
    assert environment.providers[ORDERS[BESIDE].provider].calls[LOGIN] == 1
    assert {order.status for order in environment.clients[BESIDE].orders} == {200}
    assert environment.clients[BESIDE].not_sent == []
    assert environment.fleet.cold_starts[BESIDE] > 10


def test_a_run_can_be_repeated() -> None:
    def counted() -> tuple[object, ...]:
        environment = Environment([Traffic(SICK, 2, 20)], 20, seed=3)
        with seams.in_place(environment):
            environment.providers[ORDERS[SICK].provider].sickness = Sickness("502", share=0.5)
            environment.start()
            environment.run_for(50)
        return environment.metrics[SICK], environment.table.calls, environment.clients[SICK].answers

    assert counted() == counted()


def test_calls_wait_at_the_same_time() -> None:
    clock, told = Clock(), []

    def call(name: str, seconds: float) -> None:
        clock.wait(seconds)
        told.append((name, clock.now))

    begins = clock.now
    clock.begin(lambda: call("long", 20))
    clock.after(5, lambda: clock.begin(lambda: call("short", 1)))
    clock.run(begins + 60)
    clock.close()
    assert told == [("short", begins + 6), ("long", begins + 20)]


def test_the_gateway_admits_a_burst_and_then_its_rate() -> None:
    throttle = Throttle(rate=20, burst=40)
    assert sum(throttle.admits(0.0) for _ in range(100)) == 40
    assert sum(throttle.admits(second) for second in (0.5, 1.0) for _ in range(100)) == 20
    assert throttle.refused == 240


def fleet_of(*limits: int | None, instances: int) -> Fleet:
    def handle(seconds: float, instance: object) -> str:
        instance.wait(seconds)  # type: ignore[attr-defined]
        return "done"

    functions = [Function(f"function-{number}", handle, [], limit) for number, limit in enumerate(limits)]
    return Fleet(Clock(), functions, instances)


def test_an_account_and_a_function_each_have_a_limit_of_instances() -> None:
    fleet, answers = fleet_of(None, 1, instances=3), []
    for name in ["function-0"] * 3 + ["function-1"] * 2:
        fleet.invoke(name, 1.0, 27.0, answers.append)
    fleet.clock.run(fleet.clock.now + 5)
    fleet.clock.close()
    assert dict(fleet.throttled) == {"function-0": 1, "function-1": 1}
    assert sorted(map(str, answers)) == ["None", "None", "done", "done", "done"]


def test_a_call_is_killed_when_its_time_is_over() -> None:
    fleet, ended = fleet_of(None, instances=3), []
    begins = fleet.clock.now
    fleet.invoke("function-0", 100.0, 27.0, lambda answer: ended.append((answer, fleet.clock.now - begins)))
    fleet.clock.run(begins + 60)
    fleet.clock.close()
    assert ended == [(None, pytest.approx(COLD_START_SECONDS + 27))]
    assert fleet.killed["function-0"] == 1
    assert WAY_SECONDS < COLD_START_SECONDS
