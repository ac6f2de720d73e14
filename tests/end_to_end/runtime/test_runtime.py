"""Every function in the real runtime loop of Lambda: cold start, warm call, time limit."""

import json
import os
import signal
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from vezne_cli.stack import Stack

from tests.end_to_end.golden import GOLDEN_EVENTS, GoldenEvent, assert_healthy, first_time
from tests.end_to_end.runtime.emulator import instance
from tests.support.order import new_order


@pytest.mark.parametrize("event", GOLDEN_EVENTS, ids=[event.path.name for event in GOLDEN_EVENTS])
def test_a_golden_event_cold_and_warm(stack: Stack, event: GoldenEvent, tmp_path: Path) -> None:
    first_time(stack)
    with instance(stack, event.operation, tmp_path) as function:
        assert function.runtimes() == []
        cold = function.invoke(event.content())
        assert_healthy(stack, event, cold.json())
        (process,) = function.runtimes()

        warm = function.invoke(event.content()).json()
        assert function.runtimes() == [process]
    if event.kind == "api" and event.pays:
        # The same order again gets the stored answer.
        assert warm["headers"]["Idempotent-Replayed"] == "true"
        assert warm["body"] == cold.json()["body"]
    elif event.pays:
        assert warm == cold.json()
    else:
        assert_healthy(stack, event, warm)
    # However often the order came, it moved money once.
    assert len(stack.sandbox.bookings()) == (1 if event.pays else 0)


def lease_is_over(stack: Stack, operation_id: str) -> None:
    """Let the lease of the killed function end at once."""
    stack.aws("dynamodb").update_item(
        TableName=stack.table,
        Key={"id": {"S": operation_id}},
        UpdateExpression="SET lease_until = :past, next_look_up = :past",
        ExpressionAttributeValues={":past": {"N": "1"}},
    )


def test_an_order_whose_function_was_killed_by_the_time_limit_is_unknown(stack: Stack, tmp_path: Path) -> None:
    one = new_order("paynet.capture")
    event = one.in_the_golden_event()
    stack.sandbox.rule("paynet.capture", "hang")
    before = len(stack.sandbox.calls("paynet.capture"))
    # Long enough for a cold start on a busy machine: the time limit holds for that, too.
    with instance(stack, one.operation, tmp_path, AWS_LAMBDA_FUNCTION_TIMEOUT="20") as function:
        with ThreadPoolExecutor(1) as pool:
            call = pool.submit(function.invoke, event)
            stack.sandbox.wait_for_calls("paynet.capture", before + 1)
            # The function would end in time. While it is stopped, only the time limit can end it.
            (process,) = function.runtimes()
            os.kill(process, signal.SIGSTOP)
            ended = call.result()
        assert "Task timed out after 20.00 seconds" in ended.text
        assert process not in function.runtimes()

        # The record is there. A client that asks during the lease is told to wait.
        (record,) = [item for item in stack.records() if item.get("clues", {}).get("M", {}).get("reference_no") ==
                     {"S": one.reference}]  # fmt: skip
        assert record["status"] == {"S": "processing"}
        assert "unresolved" in record
        early = function.invoke(event).json()
        (second,) = function.runtimes()
        assert second != process
        assert early["statusCode"] in (202, 409), early
        assert json.loads(early["body"])["money"] == "unknown"

        # After the lease it is looked up, and it stays unknown while the look-up finds nothing.
        lease_is_over(stack, record["id"]["S"])
        stack.sandbox.rule("paynet.check", "fail", times=0)
        unknown = function.invoke(event).json()
        assert unknown["statusCode"] == 202, unknown
        assert json.loads(unknown["body"])["money"] == "unknown"

        stack.sandbox.remove_rules()
        time.sleep(int(unknown["headers"]["Retry-After"]))
        repeated = function.invoke(event).json()
        assert repeated["statusCode"] == 200, repeated
        assert json.loads(repeated["body"])["status"] == "succeeded"
    assert len(stack.sandbox.bookings("paynet", one.reference)) == 1


def test_an_instance_takes_one_call_at_a_time(stack: Stack, tmp_path: Path) -> None:
    orders = [new_order("paynet.capture") for _ in range(6)]
    with instance(stack, "paynet.capture", tmp_path) as function:
        gate = threading.Barrier(len(orders))

        def send(one: Any) -> Any:
            gate.wait()
            return function.invoke(one.in_the_golden_event()).json()

        with ThreadPoolExecutor(len(orders)) as pool:
            answers = list(pool.map(send, orders))
        assert [answer["statusCode"] for answer in answers] == [200] * len(orders)
        assert len(function.runtimes()) == 1
    assert all(len(stack.sandbox.bookings("paynet", one.reference)) == 1 for one in orders)
