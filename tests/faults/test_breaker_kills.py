"""A function process is killed at each step of the breaker. The promise holds, and the breaker recovers."""

import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import pytest
from vezne.orders.breaker_item import CLOSED, OPEN, TRIAL, BreakerItem, breaker_id, from_item

from tests.faults.environment import OPERATIONS, Environment, Function
from tests.faults.orders import new_order
from tests.faults.reconciled import reconciled_functions
from tests.faults.verdict import RETRY_AT, Trial

ENDS = ("breaker.before", "breaker.after")


def healthy() -> BreakerItem:
    return BreakerItem(window=int(time.time() // 10))


def nearly_sick() -> BreakerItem:
    return BreakerItem(window=int(time.time() // 10), bad=4)


def probe_is_due() -> BreakerItem:
    return BreakerItem(state=OPEN, gen=1, since=time.time() - 10, until=time.time() - 5)


def in_trial() -> BreakerItem:
    return BreakerItem(state=TRIAL, gen=2, since=time.time() - 10, until=time.time() - 5)


@dataclass(frozen=True)
class Kill:
    """A kill of an order's function: the breaker before it, the provider's fault, and the step."""

    before: Callable[[], BreakerItem]
    fault: str
    step: str
    nth: int = 1

    @property
    def plan(self) -> dict[str, object]:
        return {"at": self.step, "nth": self.nth}


KILLS = {
    **{f"report of a bad end, {end}": Kill(healthy, "bad_gateway_html", end) for end in ENDS},
    **{f"opening, {end}": Kill(nearly_sick, "bad_gateway_html", end, 2) for end in ENDS},
    **{f"taking the probe, {end}": Kill(probe_is_due, "", end) for end in ENDS},
    "the probe was sent": Kill(probe_is_due, "", "look_up.left"),
    "the probe was answered": Kill(probe_is_due, "", "look_up.came"),
    **{f"end of the probe, {end}": Kill(probe_is_due, "", end, 2) for end in ENDS},
    **{f"taking the trial, {end}": Kill(in_trial, "", end) for end in ENDS},
    **{f"the trial at {step}": Kill(in_trial, "", step)
       for step in ("claim.before", "claim.after", "order.left", "finalise.before", "finalise.after")},
    **{f"end of a good trial, {end}": Kill(in_trial, "", end, 2) for end in ENDS},
    **{f"end of a bad trial, {end}": Kill(in_trial, "bad_gateway_html", end, 2) for end in ENDS},
}  # fmt: skip


def put(function: Function, state: BreakerItem) -> None:
    values = {name: {"N": str(value)} for name in BreakerItem.__slots__
              if (value := getattr(state, name)) and not isinstance(value, str)}  # fmt: skip
    item = {"id": {"S": breaker_id(function.operation.partition(".")[0])}, "state": {"S": state.state}, **values}
    function.environment.aws("dynamodb").put_item(TableName=function.table, Item=item)


def standing(function: Function) -> BreakerItem:
    return from_item(function.item(breaker_id(function.operation.partition(".")[0])) or {})


def healed_after(function: Function, offset: float) -> str:
    """The state of the breaker after some more orders, one each minute."""
    for minute in range(1, 9):
        Trial(function, new_order(function.operation)).send(clock=offset + 60 * minute)
        if standing(function).state == CLOSED:
            break
    return standing(function).state


def try_one(function: Function, kill: Kill) -> list[str]:
    """Describe each contradiction of the promise, and a breaker that does not recover."""
    put(function, kill.before())
    trial = Trial(function, new_order(function.operation))
    if kill.fault:
        function.environment.sandbox.rule(function.operation, match=trial.order.reference, then=kill.fault)
    trial.send(plan=kill.plan, cold=True)
    if not trial.told[-1].endswith("killed"):
        return [f"not killed: {trial.told}"]
    trial.retry(RETRY_AT)
    state = healed_after(function, RETRY_AT)
    trial.retry(2 * RETRY_AT + 600)
    trial.sweep_until_quiet()
    trial.end()
    return [*trial.verdict, *([] if state == CLOSED else [f"the breaker is {state}"])]


def try_all(function: Function) -> dict[str, list[str]]:
    return {name: try_one(function, kill) for name, kill in KILLS.items()}


@pytest.mark.timeout(1200)
def test_a_kill_at_any_step_of_the_breaker_keeps_the_promise_and_the_breaker_recovers(
    environment: Environment, report: list[str], unknown: Counter[str]
) -> None:
    environment.sandbox.reset()
    functions = [environment.function(name) for name in OPERATIONS]
    with ThreadPoolExecutor(len(functions)) as pool:
        tried = dict(zip(OPERATIONS, pool.map(try_all, functions), strict=True))
    report.append(f"Breakers: killed at {len(KILLS)} steps with each of {len(OPERATIONS)} operations.")
    wrong = [
        f"{operation}, {name}: {said}"
        for operation, all_said in tried.items()
        for name, said in all_said.items()
        if said
    ]
    assert wrong == []
    unknown.update(reconciled_functions(functions))
