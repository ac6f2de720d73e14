"""Events that no client sends: sweeps and standing orders, through the deployed rules and alias."""

import json
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from decimal import Decimal
from typing import Any

import pytest
from vezne_cli.catalogue import ORDERS
from vezne_cli.golden import golden_event
from vezne_cli.stack import Stack

from tests.support.operations import OPERATIONS
from tests.support.order import new_order


def wait_until(condition: Callable[[], Any], seconds: float = 60) -> Any:
    deadline = time.monotonic() + seconds
    while not (value := condition()):
        assert time.monotonic() < deadline, "the condition did not become true"
        time.sleep(0.1)
    return value


def rule_named(stack: Stack, logical_name: str) -> dict[str, Any]:
    rules = stack.aws("events").list_rules()["Rules"]
    (rule,) = [rule for rule in rules if f"-{logical_name}-" in rule["Name"]]
    found: dict[str, Any] = rule
    return found


def due(stack: Stack, operation_id: str) -> None:
    """End the lease of a record and make its next look-up due, as if time had passed."""
    stack.aws("dynamodb").update_item(
        TableName=stack.table,
        Key={"id": {"S": operation_id}},
        UpdateExpression="SET next_look_up = :past, lease_until = :past",
        ExpressionAttributeValues={":past": {"N": "1"}},
    )


@pytest.mark.parametrize("operation", OPERATIONS)
def test_a_sweep_finalises_an_unknown_outcome(stack: Stack, token: str, operation: str) -> None:
    one = new_order(operation, sandbox=stack.sandbox)
    stack.sandbox.rule(operation, "reset")
    answer = stack.request("POST", one.path, token=token, key=one.key, body=one.body)
    assert answer.status_code == 202, answer.text
    operation_id = answer.json()["operation_id"]

    due(stack, operation_id)
    report = stack.invoke(operation, golden_event(operation, "sweep"))
    read = stack.request("GET", f"/operations/{operation_id}", token=token).json()
    if one.example.never_proved:
        # Nothing that can be read proves it: it is looked at, and stays listed.
        assert report["still_unknown"] >= 1
        assert read["status"] == "unknown", read
    else:
        assert report["final"] >= 1
        assert read["status"] == "succeeded", read
    assert len(stack.sandbox.bookings(one.provider, one.reference)) == 1


@pytest.mark.parametrize("operation", OPERATIONS)
def test_the_deployed_sweep_rules_invoke_their_function(stack: Stack, operation: str) -> None:
    for name, state, workers in (("Sweep", "ENABLED", range(4)), ("MoreSweep", "DISABLED", range(4, 8))):
        rule = rule_named(stack, f"{ORDERS[operation].logical_name}{name}")
        assert rule["State"] == state
        targets = stack.aws("events").list_targets_by_rule(Rule=rule["Name"])["Targets"]
        assert all(target["Arn"].endswith(f":function:{stack.functions[operation]}:live") for target in targets)
        sent = [json.loads(target["Input"])["sweep"] for target in targets]
        assert sorted(sent, key=str) == [{"worker": worker, "of": 4} for worker in workers]


@contextmanager
def triggered_by_a_test(stack: Stack, rule: dict[str, Any]) -> Iterator[Callable[[], None]]:
    """Let an event trigger the rule instead of time. Its targets and their input stay as deployed."""
    events = stack.aws("events")
    source = f"test.{uuid.uuid4().hex}"

    def trigger() -> None:
        entry = {"Source": source, "DetailType": "Scheduled Event", "Detail": "{}"}
        assert events.put_events(Entries=[entry])["FailedEntryCount"] == 0

    events.put_rule(Name=rule["Name"], EventPattern=json.dumps({"source": [source]}), State="ENABLED")
    try:
        yield trigger
    finally:
        events.put_rule(Name=rule["Name"], ScheduleExpression=rule["ScheduleExpression"], State=rule["State"])


def test_the_sweep_rule_finalises_an_unknown_outcome(stack: Stack, token: str) -> None:
    one = new_order("paynet.capture")
    stack.sandbox.rule("paynet.capture", "reset")
    answer = stack.request("POST", one.path, token=token, key=one.key, body=one.body)
    operation_id = answer.json()["operation_id"]
    due(stack, operation_id)

    def final() -> bool:
        read = stack.request("GET", f"/operations/{operation_id}", token=token)
        return bool(read.json()["status"] == "succeeded")

    assert not final()
    with triggered_by_a_test(stack, rule_named(stack, "PaynetCaptureSweep")) as trigger:
        trigger()
        wait_until(final)
    assert len(stack.sandbox.bookings("paynet", one.reference)) == 1


@pytest.mark.parametrize("operation", OPERATIONS)
def test_a_standing_order_is_executed_once_per_occurrence(stack: Stack, operation: str) -> None:
    event = golden_event(operation, "standing_order")
    event["standing_order"]["name"] = f"test-{uuid.uuid4().hex}"
    before = len(stack.sandbox.bookings(operation.split(".", maxsplit=1)[0]))
    first = stack.invoke(operation, event)
    again = stack.invoke(operation, event)
    assert first["status"] == "succeeded"
    assert again == first
    assert len(stack.sandbox.bookings(operation.split(".", maxsplit=1)[0])) == before + 1


def test_the_example_rule_collects_when_it_is_enabled(stack: Stack) -> None:
    rule = rule_named(stack, "MonthlyCollectionExample")
    assert rule["State"] == "DISABLED"
    (target,) = stack.aws("events").list_targets_by_rule(Rule=rule["Name"])["Targets"]
    order = json.loads(target["InputTransformer"]["InputTemplate"])["standing_order"]
    associate_id = str(order["request"]["associate_id"])

    def collected() -> list[Decimal]:
        return [Decimal(booking["amount"]) for booking in stack.sandbox.bookings("kolaybi", associate_id)]

    before = collected()
    with triggered_by_a_test(stack, rule) as trigger:
        trigger()
        wait_until(lambda: len(collected()) > len(before))
    assert collected() == [*before, Decimal(order["request"]["amount"])]


def test_a_standing_order_that_cannot_succeed_becomes_a_dead_letter(stack: Stack) -> None:
    event = golden_event("paynet.capture", "standing_order")
    name = f"test-{uuid.uuid4().hex}"
    event["standing_order"]["name"] = name
    stack.sandbox.rule("paynet.capture", "refuse", times=0)
    calls = len(stack.sandbox.calls("paynet.capture"))
    # $LATEST has the same code. MiniStack sends no failed event of a published version to the dead letters.
    stack.aws("lambda").invoke(
        FunctionName=stack.functions["paynet.capture"], InvocationType="Event", Payload=json.dumps(event).encode()
    )

    def dead_letter() -> Any:
        answer = stack.aws("sqs").receive_message(QueueUrl=stack.outputs["DeadLettersUrl"], WaitTimeSeconds=1)
        for message in answer.get("Messages", []):
            if name in message["Body"]:
                return json.loads(message["Body"])
        return None

    letter = wait_until(dead_letter, 90)
    assert letter["requestPayload"] == event
    # The first call was declined. The two retries found that in the record, and sent nothing.
    assert len(stack.sandbox.calls("paynet.capture")) == calls + 1
