"""House rules of template.yaml: how each final record comes into the archive, by outbox and Firehose."""

import json
from collections.abc import Callable
from dataclasses import replace

import pytest
from vezne.orders.record import DECLINED, FINAL, NOT_EXECUTED, PROCESSING, SUCCEEDED, Record, to_item
from vezne.orders.transitions import Write, acquire_lease, finalise, mark_unknown
from vezne_cli import export
from vezne_cli.emulator import piped
from vezne_cli.template import Template, source

from tests.support.template import attribute, properties, statements, transformed

KEY = attribute("Key")
CLAIMED = Record(
    id="op_1", operation="bank.pay", principal="client", fingerprint="f", status=PROCESSING, owner="me",
    lease_until=9.0, may_arrive_until=9.0, created_at=0.0, updated_at=0.0, lookup_fields={}, next_look_up=9.0,
)  # fmt: skip
LATER: dict[str, Callable[[Record], Write]] = {
    "unknown": lambda record: mark_unknown(record, 1.0, 2.0),
    "taken over": lambda record: acquire_lease(record, 1.0, "other", 2.0),
    "succeeded": lambda record: finalise(record, 1.0, SUCCEEDED, {"result": {"amount": 5}}),
    "declined": lambda record: finalise(record, 1.0, DECLINED, {"code": "", "text": ""}),
    "not executed": lambda record: finalise(record, 1.0, NOT_EXECUTED, {}),
}


@pytest.fixture(scope="module")
def system() -> Template:
    return transformed(source())


@pytest.mark.parametrize("fields", [{}, {"amount": "1.00"}, {"amount": "1.00", "currency": "TRY"}], ids=str)
@pytest.mark.parametrize("change", LATER)
def test_every_record_that_the_pipe_passes_has_what_the_outbox_tells(
    system: Template, change: str, fields: dict[str, str]
) -> None:
    """AWS does not say what a pipe makes of a path that is missing."""
    claimed = replace(CLAIMED, lookup_fields=fields)
    write = LATER[change](claimed)
    claim, values = to_item(claimed), write.request["ExpressionAttributeValues"]
    # What the update sets, and what stays as it was claimed.
    image = {**claim, "status": values[":status"], "updated_at": values[":updated"], "told": values[":told"]}
    seen = {"eventName": "MODIFY", "dynamodb": {"OldImage": claim, "NewImage": image}}
    message = piped(properties(system, "OutboxPipe"), seen)
    assert message is not None
    assert all(isinstance(value, str) for value in message.values())
    assert message["status"] == write.record.status
    assert message["amount"] == fields.get("amount", "5" if change == "succeeded" else "")
    assert message["settled_by"] == ("answer" if write.record.final else "")


def test_the_archive_is_told_what_is_final_and_nothing_else(system: Template) -> None:
    subscription = properties(system, "RecordsSubscription")
    assert subscription["TopicArn"] == {"Ref": "Outbox"}
    assert (subscription["Protocol"], subscription["Endpoint"]) == ("firehose", attribute("RecordsToArchive"))
    # Else each line were the envelope of SNS.
    assert subscription["RawMessageDelivery"] is True
    assert subscription["FilterPolicyScope"] == "MessageBody"
    assert set(subscription["FilterPolicy"]) == {"status"}
    assert set(subscription["FilterPolicy"]["status"]) == FINAL
    assert subscription["RedrivePolicy"] == {"deadLetterTargetArn": attribute("OutboxDeadLetters")}
    (allowed,) = properties(system, "OutboxDeadLettersPolicy")["PolicyDocument"]["Statement"]
    assert allowed["Principal"] == {"Service": "sns.amazonaws.com"}
    assert allowed["Condition"] == {"ArnEquals": {"aws:SourceArn": {"Ref": "Outbox"}}}
    # Only a standard topic has such a subscription.
    assert "FifoTopic" not in properties(system, "Outbox")


def test_final_records_come_into_the_archive_where_export_reads_them(system: Template) -> None:
    stream = properties(system, "RecordsToArchive")
    assert stream["DeliveryStreamEncryptionConfigurationInput"] == {"KeyType": "CUSTOMER_MANAGED_CMK", "KeyARN": KEY}
    to = stream["ExtendedS3DestinationConfiguration"]
    assert to["BucketARN"] == attribute("Archive")
    # `ArchivedRecords` starts at the day of a delivery.
    assert to["Prefix"] == export.PREFIX + "!{timestamp:yyyy/MM/dd}/"
    assert not to["ErrorOutputPrefix"].startswith(export.PREFIX)
    assert to["CompressionFormat"] == "GZIP"
    assert to["ProcessingConfiguration"] == {"Enabled": True, "Processors": [{"Type": "AppendDelimiterToRecord"}]}
    # The key of the bucket, by its default.
    assert "EncryptionConfiguration" not in to
    logs = to["CloudWatchLoggingOptions"]
    assert (logs["LogGroupName"], logs["LogStreamName"]) == (
        {"Ref": "RecordsToArchiveLogs"},
        {"Ref": "RecordsToArchiveErrors"},
    )


def test_who_brings_records_into_the_archive_may_do_only_that(system: Template) -> None:
    granted = {
        (action, json.dumps(resource))
        for role in ("RecordsToArchiveRole", "RecordsSubscriptionRole")
        for statement in statements(system, role)
        for action in statement["Action"]
        for resource in statement["Resource"]
    }
    bucket, stream = json.dumps(attribute("Archive")), json.dumps(attribute("RecordsToArchive"))
    objects = [json.dumps({"Fn::Sub": f"${{Archive.Arn}}/{prefix}/*"}) for prefix in ("records", "failed-records")]
    assert granted == {
        *((f"s3:{action}", it) for action in ("PutObject", "AbortMultipartUpload") for it in objects),
        *((f"s3:{action}", bucket) for action in ("GetBucketLocation", "ListBucket", "ListBucketMultipartUploads")),
        ("logs:PutLogEvents", json.dumps(attribute("RecordsToArchiveLogs"))),
        *((f"kms:{action}", json.dumps(KEY)) for action in ("Decrypt", "GenerateDataKey")),
        *(
            (f"firehose:{action}", stream)
            for action in ("DescribeDeliveryStream", "ListTagsForDeliveryStream", "PutRecord", "PutRecordBatch")
        ),
    }
