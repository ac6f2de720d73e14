"""Outcomes on their way to a subscriber: table, stream, pipe, topic, queue.

MiniStack's pipe delivers, but applies neither the filters nor the input template. So the queue gets every change
whole; here the deployed filters are asked about each of them (by TestEventPattern), and the template is filled in.
"""

import json
import re
import time
from collections.abc import Iterator
from typing import Any

import pytest

from tests.end_to_end.examples import OPERATIONS, example
from tests.end_to_end.test_events import due, golden
from tests.stack import Stack
from tests.stack.build import STACK_NAME

Change = dict[str, Any]


class Subscriber:
    """A queue at the outbox topic."""

    def __init__(self, stack: Stack) -> None:
        self._queues, self._topics = stack.aws("sqs"), stack.aws("sns")
        topic = stack.outputs["OutboxTopicArn"]
        self.url = self._queues.create_queue(QueueName="subscriber")["QueueUrl"]
        attributes = self._queues.get_queue_attributes(QueueUrl=self.url, AttributeNames=["QueueArn"])["Attributes"]
        may_send = {
            "Effect": "Allow", "Principal": {"Service": "sns.amazonaws.com"}, "Action": "sqs:SendMessage",
            "Resource": attributes["QueueArn"], "Condition": {"ArnEquals": {"aws:SourceArn": topic}},
        }  # fmt: skip
        policy = json.dumps({"Version": "2012-10-17", "Statement": [may_send]})
        self._queues.set_queue_attributes(QueueUrl=self.url, Attributes={"Policy": policy})
        self.subscription = self._topics.subscribe(
            TopicArn=topic, Protocol="sqs", Endpoint=attributes["QueueArn"], ReturnSubscriptionArn=True
        )["SubscriptionArn"]
        self._changes: list[Change] = []

    def changes_of(self, operation_id: str, last_status: str, seconds: float = 30) -> list[Change]:
        """Every change of a record, in the order of their arrival, until the one with this status has come."""
        deadline = time.monotonic() + seconds
        while True:
            found = [it for it in self._changes if it["dynamodb"]["Keys"]["id"]["S"] == operation_id]
            if any(status_of(it) == last_status for it in found):
                return found
            assert time.monotonic() < deadline, [status_of(it) for it in found]
            self._receive()

    def _receive(self) -> None:
        answer = self._queues.receive_message(QueueUrl=self.url, MaxNumberOfMessages=10, WaitTimeSeconds=1)
        for message in answer.get("Messages", []):
            self._changes.append(json.loads(json.loads(message["Body"])["Message"]))
            self._queues.delete_message(QueueUrl=self.url, ReceiptHandle=message["ReceiptHandle"])

    def leave(self) -> None:
        self._topics.unsubscribe(SubscriptionArn=self.subscription)
        self._queues.delete_queue(QueueUrl=self.url)


@pytest.fixture(scope="module")
def subscriber(whole_stack: Stack) -> Iterator[Subscriber]:
    made = Subscriber(whole_stack)
    yield made
    made.leave()


def status_of(change: Change) -> str:
    status: str = change["dynamodb"].get("NewImage", {}).get("status", {}).get("S", "")
    return status


def told(stack: Stack, changes: list[Change]) -> list[dict[str, str]]:
    """What the pipe of the template makes of these changes on AWS."""
    deployed = stack.aws("cloudformation").get_template(StackName=STACK_NAME, TemplateStage="Processed")["TemplateBody"]
    pipe = (json.loads(deployed) if isinstance(deployed, str) else deployed)["Resources"]["OutboxPipe"]["Properties"]
    patterns = [it["Pattern"] for it in pipe["SourceParameters"]["FilterCriteria"]["Filters"]]
    template = pipe["TargetParameters"]["InputTemplate"]
    return [filled(template, it) for it in changes if any(fits(stack, it, pattern) for pattern in patterns)]


def fits(stack: Stack, change: Change, pattern: str) -> bool:
    # TestEventPattern wants the fields of an event around what a pipe matches by itself.
    event = {
        "id": "1", "account": "000000000000", "source": "x", "detail-type": "x", "time": "2026-11-22T00:00:00Z",
        "region": "eu-central-1", "resources": [], "detail": {}, **change,
    }  # fmt: skip
    answer = stack.aws("events").test_event_pattern(EventPattern=pattern, Event=json.dumps(event))
    result: bool = answer["Result"]
    return result


def filled(template: str, change: Change) -> dict[str, str]:
    """An unquoted path stands for its value as JSON, quotes included."""

    def value(match: re.Match[str]) -> str:
        found: Any = change
        for part in match[1].split("."):
            found = found[part]
        return json.dumps(found)

    message: dict[str, str] = json.loads(re.sub(r"<\$\.([\w.]+)>", value, template))
    return message


@pytest.mark.parametrize("operation", OPERATIONS)
def test_an_outcome_is_told_once_and_tells_nothing_else(
    stack: Stack, token: str, subscriber: Subscriber, operation: str
) -> None:
    one = example(operation)
    resource = stack.request("POST", one.path, token=token, key=one.key, body=one.body).json()
    changes = subscriber.changes_of(resource["operation_id"], "succeeded")
    # The claim came by, too: it is the filters that keep it back.
    assert [status_of(it) for it in changes] == ["processing", "succeeded"]
    assert told(stack, changes) == [
        {name: resource[name] for name in ("operation_id", "operation", "status", "updated_at")}
    ]


def test_a_refusal_is_told(stack: Stack, token: str, subscriber: Subscriber) -> None:
    one = example("paynet.capture")
    stack.sandbox.rule("paynet.capture", "refuse")
    refused = stack.request("POST", one.path, token=token, key=one.key, body=one.body)
    assert refused.status_code == 402, refused.text
    changes = subscriber.changes_of(refused.json()["operation_id"], "declined")
    assert [it["status"] for it in told(stack, changes)] == ["declined"]


def test_an_unknown_outcome_is_told_and_what_becomes_of_it(stack: Stack, token: str, subscriber: Subscriber) -> None:
    one = example("paynet.capture")
    stack.sandbox.rule("paynet.capture", "reset")
    stack.sandbox.rule("paynet.check", "status_500", times=0)
    unknown = stack.request("POST", one.path, token=token, key=one.key, body=one.body)
    assert unknown.status_code == 202, unknown.text
    operation_id = unknown.json()["operation_id"]
    # A look-up that finds nothing out changes the record, but not the status.
    due(stack, operation_id)
    assert stack.invoke("paynet.capture", golden("paynet.capture", "sweep"))["settled"] == 0
    stack.sandbox.remove_rules()
    due(stack, operation_id)
    assert stack.invoke("paynet.capture", golden("paynet.capture", "sweep"))["settled"] == 1

    changes = subscriber.changes_of(operation_id, "succeeded")
    assert [status_of(it) for it in changes].count("unknown") > 1
    messages = told(stack, changes)
    assert [it["status"] for it in messages] == ["unknown", "succeeded"]
    assert [it["updated_at"] for it in messages] == sorted(it["updated_at"] for it in messages)


def test_what_is_not_an_outcome_of_an_operation_is_not_told(stack: Stack) -> None:
    def change(name: str, record_id: str, before: str | None, after: str | None) -> Change:
        images = {"OldImage": before, "NewImage": after}
        return {
            "eventName": name,
            "dynamodb": {key: {"id": {"S": record_id}, "status": {"S": it}} for key, it in images.items() if it},
        }

    kept_back = [
        change("INSERT", "op_3njcx", None, "processing"),
        change("MODIFY", "op_3njcx", "unknown", "unknown"),
        change("REMOVE", "op_3njcx", "succeeded", None),
        change("MODIFY", "guard#paynet.capture#x", "unknown", "succeeded"),
        change("MODIFY", "secret#vakifbank", "unknown", "declined"),
    ]
    assert told(stack, kept_back) == []
