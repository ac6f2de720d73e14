"""Outcomes from the table to a subscriber: stream, pipe with its filters and template, topic, queue."""

import json
import time
from collections.abc import Iterator

import pytest
from vezne_cli import export
from vezne_cli.golden import golden_event
from vezne_cli.stack import Stack

from tests.end_to_end.test_events import due
from tests.support.operations import OPERATIONS
from tests.support.order import new_order

Message = dict[str, str]


class Subscriber:
    """A queue that subscribes to the outbox topic."""

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
        self._messages: list[Message] = []

    def told_of(self, operation_id: str, last_status: str, seconds: float = 30) -> list[Message]:
        """The messages about an operation, in the order of arrival, up to the one with this status."""
        deadline = time.monotonic() + seconds
        while True:
            found = [it for it in self._messages if it["operation_id"] == operation_id]
            if any(last_status in (it.get("status"), it.get("class")) for it in found):
                return found
            assert time.monotonic() < deadline, found
            self._receive()

    def heard(self) -> list[Message]:
        """All messages until now."""
        return self._messages

    def _receive(self) -> None:
        answer = self._queues.receive_message(QueueUrl=self.url, MaxNumberOfMessages=10, WaitTimeSeconds=1)
        for message in answer.get("Messages", []):
            self._messages.append(json.loads(json.loads(message["Body"])["Message"]))
            self._queues.delete_message(QueueUrl=self.url, ReceiptHandle=message["ReceiptHandle"])

    def leave(self) -> None:
        self._topics.unsubscribe(SubscriptionArn=self.subscription)
        self._queues.delete_queue(QueueUrl=self.url)


@pytest.fixture(scope="module")
def subscriber(whole_stack: Stack) -> Iterator[Subscriber]:
    made = Subscriber(whole_stack)
    yield made
    made.leave()


@pytest.mark.parametrize("operation", OPERATIONS)
def test_an_outcome_is_published_once_and_without_other_data(
    stack: Stack, token: str, subscriber: Subscriber, operation: str
) -> None:
    one = new_order(operation, sandbox=stack.sandbox)
    resource = stack.request("POST", one.path, token=token, key=one.key, body=one.body).json()
    key = {"id": {"S": resource["operation_id"]}}
    told = stack.aws("dynamodb").get_item(TableName=stack.table, Key=key)["Item"]["told"]
    # The claim was in the stream, too. The filters do not pass it on.
    assert subscriber.told_of(resource["operation_id"], "succeeded") == [
        {
            **{name: resource[name] for name in ("operation_id", "operation", "status", "created_at", "updated_at")},
            **{name: told["M"][name]["S"] for name in ("day", "amount", "currency", "settled_by")},
        }
    ]


def test_a_final_order_is_a_line_of_the_archive(stack: Stack, token: str, subscriber: Subscriber) -> None:
    """What has left the table is the same line, but for the provider's reference. Nothing else is in the archive."""
    one = new_order("paynet.capture")
    resource = stack.request("POST", one.path, token=token, key=one.key, body=one.body).json()
    subscriber.told_of(resource["operation_id"], "succeeded")
    client, bucket = stack.aws("s3"), stack.outputs["ArchiveBucket"]
    listed = client.list_objects_v2(Bucket=bucket, Prefix=export.PREFIX)["Contents"]
    texts = [client.get_object(Bucket=bucket, Key=it["Key"])["Body"].read().decode() for it in listed]
    lines = [export.archived_line(message) for text in texts for message in export.documents(text)]
    assert None not in lines
    (line,) = [line for line in lines if line and line["id"] == resource["operation_id"]]
    money = {"amount": str(one.body["amount"]), "currency": "TRY"}
    known = {name: resource[name] for name in ("operation", "status", "created_at")}
    assert line.items() >= {**known, **money, "settled_by": "answer"}.items()


def test_a_declined_order_is_published(stack: Stack, token: str, subscriber: Subscriber) -> None:
    one = new_order("paynet.capture")
    stack.sandbox.rule("paynet.capture", "refuse")
    refused = stack.request("POST", one.path, token=token, key=one.key, body=one.body)
    assert refused.status_code == 402, refused.text
    assert [it["status"] for it in subscriber.told_of(refused.json()["operation_id"], "declined")] == ["declined"]


def test_an_unknown_outcome_and_its_final_outcome_are_published(
    stack: Stack, token: str, subscriber: Subscriber
) -> None:
    one = new_order("paynet.capture")
    stack.sandbox.rule("paynet.capture", "reset")
    stack.sandbox.rule("paynet.check", "status_500", times=0)
    unknown = stack.request("POST", one.path, token=token, key=one.key, body=one.body)
    assert unknown.status_code == 202, unknown.text
    operation_id = unknown.json()["operation_id"]
    # A look-up that finds nothing changes the record, but not its status.
    due(stack, operation_id)
    assert stack.invoke("paynet.capture", golden_event("paynet.capture", "sweep"))["final"] == 0
    stack.sandbox.remove_rules()
    due(stack, operation_id)
    assert stack.invoke("paynet.capture", golden_event("paynet.capture", "sweep"))["final"] == 1

    messages = subscriber.told_of(operation_id, "succeeded")
    assert [it["status"] for it in messages] == ["unknown", "succeeded"]
    assert [it["updated_at"] for it in messages] == sorted(it["updated_at"] for it in messages)


def test_a_finding_is_published_without_amount_and_reference(stack: Stack, subscriber: Subscriber) -> None:
    """As a reconciliation keeps it, with what does not leave."""
    known = {"class": "missing_there", "provider": "paynet", "date": "2026-11-26", "operation_id": "op_3njcfound"}
    inside = {"our_amount": "12.50", "reference": "R-1", "name": "id=5", "found_at": "now"}
    item = {name: {"S": it} for name, it in {"id": "finding#paynet#a", **known, **inside}.items()}
    stack.aws("dynamodb").put_item(TableName=stack.table, Item=item)
    try:
        told = subscriber.told_of("op_3njcfound", "missing_there")
        assert told == [{"event": "reconciliation.finding", **known}]
    finally:
        stack.aws("dynamodb").delete_item(TableName=stack.table, Key={"id": item["id"]})


def test_only_outcomes_of_operations_are_published(stack: Stack, subscriber: Subscriber) -> None:
    def write(record_id: str, status: str) -> None:
        names = {"id": record_id, "operation": "paynet.capture", "status": status, "created_at": "a", "updated_at": "b"}
        told = {"told": {"M": {name: {"S": ""} for name in ("day", "amount", "currency", "settled_by")}}}
        item = {**{name: {"S": it} for name, it in names.items()}, **told}
        stack.aws("dynamodb").put_item(TableName=stack.table, Item=item)

    def remove(record_id: str) -> None:
        stack.aws("dynamodb").delete_item(TableName=stack.table, Key={"id": {"S": record_id}})

    names = ["op_3njckept", "op_3njcback", "guard#paynet.capture#x", "secret#vakifbank", "op_3njclast"]
    kept, back, guard, secret, last = names
    try:
        write(kept, "processing")
        for name in (back, guard, secret, last):
            write(name, "unknown")
        write(back, "unknown")
        for name in (guard, secret):
            write(name, "succeeded")
        remove(kept)
        write(last, "succeeded")
        assert [it["status"] for it in subscriber.told_of(last, "succeeded")] == ["succeeded"]
        assert {it["operation_id"] for it in subscriber.heard()} & set(names) == {last}
    finally:
        for name in names:
            remove(name)
