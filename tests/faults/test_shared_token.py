"""One login for all processes together, also after a refused token, and after a kill at each step of a login."""

import json
import math
import time
from typing import Any

import pytest
from vezne.providers.shared_token import WRITE_SECONDS

from tests.faults.environment import Answer, Died, Function, FunctionProcess
from tests.faults.orders import new_order
from tests.support.order import Order

RACERS = 32
LOCK = {"id": {"S": "secret#vakifbank"}}
# What a kill at each step of a login leaves: whether the others can use its token.
STEPS = {
    "login.before": False, "login.head": False, "login.left": False, "login.came": False, "token.before": False,
    "token.after": True, "unlock.before": True, "unlock.after": True,
}  # fmt: skip

pytestmark = pytest.mark.usefixtures("reconciled_at_the_end")


def logins(function: Function) -> int:
    return len(function.environment.sandbox.calls("vakifbank.login"))


def shared(function: Function) -> dict[str, Any]:
    text = function.environment.aws("secretsmanager").get_secret_value(SecretId=function.token_secret)["SecretString"]
    fields: dict[str, Any] = json.loads(text)
    return fields


def writes(function: Function) -> int:
    """How often the token was written within the last minutes: each write moves its pace on."""
    return math.ceil((shared(function)["paced_until"] - time.time()) / WRITE_SECONDS)


def at_once(fleet: list[FunctionProcess]) -> tuple[list[Order], list[Answer]]:
    """An order for each process, all at the same moment."""
    orders = [new_order("vakifbank.pay") for _ in fleet]
    for process, order in zip(fleet, orders, strict=True):
        process.begin(order.event)
    return orders, [process.end() for process in fleet]


def bookings(function: Function, orders: list[Order]) -> list[int]:
    return [order.times_booked(function.environment.sandbox) for order in orders]


def let_the_login_be_over(function: Function) -> None:
    """As if the time of the function that was killed had passed."""
    function.environment.aws("dynamodb").update_item(
        TableName=function.table, Key=LOCK, UpdateExpression="SET trial_until = :past",
        ExpressionAttributeValues={":past": {"N": "1"}},
    )  # fmt: skip


@pytest.mark.parametrize("function", ["vakifbank.pay"], indirect=True)
def test_a_cold_fleet_logs_in_once(function: Function, report: list[str]) -> None:
    fleet = [function.fork() for _ in range(RACERS)]
    orders, answers = at_once(fleet)
    assert [answer.status for answer in answers] == [200] * RACERS
    assert (logins(function), writes(function)) == (1, 1)
    assert bookings(function, orders) == [1] * RACERS
    assert "trial" not in (function.item("secret#vakifbank") or {})
    report += [f"VakıfBank: {RACERS} processes start at once without a token: 1 login, all told 200"]


@pytest.mark.parametrize("function", ["vakifbank.pay"], indirect=True)
def test_a_refused_token_costs_one_login(function: Function, report: list[str]) -> None:
    """All processes have it in memory, it is still shared, and new processes read it there."""
    fleet = [function.fork() for _ in range(RACERS)]
    at_once(fleet)
    for rounds in (2, 3):
        function.environment.sandbox.revoke_tokens("vakifbank")
        fleet[:4] = [function.fork() for _ in range(4)]
        orders, answers = at_once(fleet)
        assert [answer.status for answer in answers] == [200] * RACERS
        assert (logins(function), writes(function)) == (rounds, rounds)
        assert bookings(function, orders) == [1] * RACERS
    report += [f"VakıfBank: tokens refused twice in {RACERS} processes: 1 login each time, all told 200"]


@pytest.mark.parametrize("function", ["vakifbank.pay"], indirect=True)
def test_a_kill_at_any_step_of_a_login_is_mended_by_the_next_function(function: Function, report: list[str]) -> None:
    environment = function.environment
    for step, shares in STEPS.items():
        environment.aws("secretsmanager").put_secret_value(SecretId=function.token_secret, SecretString="{}")
        environment.aws("dynamodb").delete_item(TableName=function.table, Key=LOCK)
        before, order = logins(function), new_order("vakifbank.pay")
        with pytest.raises(Died):
            function.fork().call(order.event, plan={"at": step})
        assert order.times_booked(environment.sandbox) == 0, step
        assert bool(shared(function)) == shares, step
        if not shares:
            let_the_login_be_over(function)
        # Where a token is shared, nobody waits for the end of the killed function's turn.
        orders, answers = at_once([function.fork() for _ in range(4)])
        assert [answer.status for answer in answers] == [200] * 4, step
        assert function.call(order.event).status == 200, step
        assert [*bookings(function, orders), order.times_booked(environment.sandbox)] == [1] * 5, step
        reached = not step.endswith(("before", "head")) or step in ("token.before", "unlock.before")
        assert logins(function) - before == (not shares) + reached, step
    report += [f"VakıfBank: killed at each of {len(STEPS)} steps of a login: 1 login mends it, and every order is paid"]
