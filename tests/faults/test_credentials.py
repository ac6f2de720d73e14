"""All processes together try a wrong secret only once. A rotation of the secret fails no order."""

import json
import threading
from typing import Any

import pytest
from vezne_cli.processes import ROOT
from vezne_sandbox.sandbox import PROVIDERS

from tests.faults.environment import OPERATIONS, Function
from tests.faults.orders import new_order

CREDENTIALS = json.loads((ROOT / "shared/vezne_sandbox/credentials.json").read_text())

pytestmark = pytest.mark.usefixtures("reconciled_at_the_end")


def rotated(function: Function) -> str:
    """The field of the provider's secret that a rotation changes."""
    return PROVIDERS[function.operation.partition(".")[0]].rotated


def put_secret(function: Function, value: str) -> None:
    """Make this value AWSCURRENT."""
    provider = function.operation.partition(".")[0]
    fields = {**CREDENTIALS[provider], rotated(function): value}
    secrets = function.environment.aws("secretsmanager")
    secrets.put_secret_value(SecretId=function.secret, SecretString=json.dumps(fields))


def accept(function: Function, *values: str) -> None:
    """Set the values that the provider accepts from now on. It refuses earlier tokens."""
    provider = function.operation.partition(".")[0]
    control = function.environment.sandbox
    control.seed(**{provider: {"credentials": {rotated(function): list(values)}}})
    control.revoke_tokens(provider)


def original(function: Function) -> str:
    value: str = CREDENTIALS[function.operation.partition(".")[0]][rotated(function)]
    return value


@pytest.mark.parametrize("function", ["vakifbank.pay"], indirect=True)
def test_all_processes_together_try_a_wrong_vakifbank_secret_once(function: Function, report: list[str]) -> None:
    control = function.environment.sandbox
    put_secret(function, "sandbox-wrong-secret")
    fleet = [function.fork() for _ in range(24)]
    for process in fleet:
        process.begin(new_order("vakifbank.pay").event)
    answers = [process.end() for process in fleet]
    assert {answer.status for answer in answers} == {502}
    assert {answer.slug for answer in answers} == {"provider-rejected-credentials"}
    assert control.state()["vakifbank"]["wrong_secrets"] == 1
    for process in [*fleet, function.fork()]:
        assert process.call(new_order("vakifbank.pay").event).status == 502
    assert control.state()["vakifbank"]["wrong_secrets"] == 1
    report += [f"VakıfBank: a wrong secret in {len(fleet) + 1} processes, 49 orders: 1 login with it, all told 502"]
    put_secret(function, original(function))
    for process in [*fleet, function.fork()]:
        assert process.call(new_order("vakifbank.pay").event).status == 200
    assert control.state()["vakifbank"]["wrong_secrets"] == 1
    assert len(control.bookings()) == 25


@pytest.mark.parametrize("function", ["vakifbank.pay"], indirect=True)
def test_an_html_page_at_the_login_pauses_all_logins_and_rejects_no_secret(
    function: Function, report: list[str]
) -> None:
    """One function logs in, and one more after the pause. The secret is not rejected."""
    control = function.environment.sandbox
    rule = control.rule("vakifbank.login", then="html", times=0)
    fleet = [function.fork() for _ in range(12)]
    for logins in (1, 2):
        orders = [new_order("vakifbank.pay") for _ in fleet]
        for process, order in zip(fleet, orders, strict=True):
            process.begin(order.event)
        answers = [process.end() for process in fleet]
        assert {(answer.status, answer.slug) for answer in answers} == {(503, "provider-unreachable")}
        assert {answer.body["money"] for answer in answers} == {"not_moved"}
        assert len(control.calls("vakifbank.login")) == logins
        item = function.item("secret#vakifbank")
        assert item is not None
        assert "rejected_version" not in item
        let_the_hold_end(function)
    control.remove_rules(rule["id"])
    for process in fleet:
        assert process.call(new_order("vakifbank.pay").event).status == 200
    assert len(control.bookings()) == len(fleet)
    report += [f"VakıfBank: a page of HTML at the login of {len(fleet)} processes, 24 orders: 2 logins, all told 503"]


def let_the_hold_end(function: Function) -> None:
    """Let the pause of logins end at once."""
    function.environment.aws("dynamodb").update_item(
        TableName=function.table,
        Key={"id": {"S": "secret#vakifbank"}},
        UpdateExpression="SET held_until = :past",
        ExpressionAttributeValues={":past": {"N": "1"}},
    )


@pytest.mark.parametrize("function", OPERATIONS, indirect=True)
def test_no_order_fails_while_the_secret_is_rotated(function: Function, report: list[str]) -> None:
    """The provider accepts both values, AWSCURRENT changes, the old value is refused. Orders never stop."""
    fleet = [function.fork() for _ in range(4)]
    orders = [[new_order(function.operation) for _ in range(12)] for _ in fleet]
    statuses: list[Any] = []

    def keep_ordering(index: int) -> None:
        statuses.extend(fleet[index].call(order.event).status for order in orders[index])

    threads = [threading.Thread(target=keep_ordering, args=(index,)) for index in range(len(fleet))]
    for thread in threads:
        thread.start()
    accept(function, original(function), "sandbox-new-secret")
    put_secret(function, "sandbox-new-secret")
    accept(function, "sandbox-new-secret")
    for thread in threads:
        thread.join()
    sent = [order for several in orders for order in several]
    assert statuses == [200] * len(sent)
    assert [order.times_booked(function.environment.sandbox) for order in sent] == [1] * len(sent)
    accept(function, original(function))
    report += [
        f"{function.operation}: {len(sent)} orders while the secret was rotated: all succeeded, each booked once"
    ]
