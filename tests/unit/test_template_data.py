"""House rules of template.yaml: what is stored, under which key, for how long, and what leaves by the outbox."""

import json
import re
from datetime import date
from typing import Any, cast

import pytest
from vezne.orders.journal import Archive, Journal
from vezne.orders.report import Report
from vezne_cli.template import Template, source

from tests.support.template import FUNCTIONS, attribute, of_type, properties, statements, transformed

OWN_IDENTIFIERS = {
    "Iban": "[A-Z]{2}[0-9]{2}[ 0-9A-Z]{11,34}",
    "LongNumber": r"\b[0-9]{4} ?[0-9]{4} ?[0-9]{4} ?[0-9]{2,7}\b|\b[0-9]{4} ?[0-9]{6} ?[0-9]{4,5}\b",
}


@pytest.fixture(scope="module")
def system() -> Template:
    return transformed(source())


def test_what_must_not_be_lost_is_retained(system: Template) -> None:
    kept = ("AWS::DynamoDB::Table", "AWS::SecretsManager::Secret", "AWS::Cognito::UserPool",
            "AWS::SQS::Queue", "AWS::Logs::LogGroup", "AWS::KMS::Key", "AWS::S3::Bucket")  # fmt: skip
    for resource_type in kept:
        resources = of_type(system, resource_type)
        assert resources, resource_type
        for name, it in resources.items():
            # A first deployment that fails and is taken back leaves nothing behind.
            assert it["DeletionPolicy"] == "RetainExceptOnCreate", name
            assert it["UpdateReplacePolicy"] == "Retain", name


def test_the_table_keeps_unknown_outcomes_findable(system: Template) -> None:
    table = properties(system, "IdempotencyRecords")
    assert table["KeySchema"] == [{"AttributeName": "id", "KeyType": "HASH"}]
    index, days, own = table["GlobalSecondaryIndexes"]
    assert index["IndexName"] == "unresolved-index"
    assert [key["AttributeName"] for key in index["KeySchema"]] == ["unresolved", "next_look_up"]
    assert index["Projection"] == {"ProjectionType": "INCLUDE", "NonKeyAttributes": ["created_at", "status"]}
    assert days["IndexName"] == "day-index"
    assert [key["AttributeName"] for key in days["KeySchema"]] == ["day", "id"]
    # Neither whose order it is, nor its evidence.
    assert not {"client_id", "evidence", "owner"} & set(days["Projection"]["NonKeyAttributes"])
    assert own["IndexName"] == "own-index"
    assert [key["AttributeName"] for key in own["KeySchema"]] == ["own", "own_at"]
    # Ids, times, statuses, and hashes of the clients' references.
    assert set(own["Projection"]["NonKeyAttributes"]) == {"operation", "status", "own_reference"}
    assert table["TimeToLiveSpecification"] == {"AttributeName": "expires_at", "Enabled": True}
    assert table["StreamSpecification"] == {"StreamViewType": "NEW_AND_OLD_IMAGES"}
    assert table["PointInTimeRecoverySpecification"] == {
        "PointInTimeRecoveryEnabled": {"Fn::If": ["DataProtected", True, False]}
    }
    assert table["DeletionProtectionEnabled"] == {"Fn::If": ["DataProtected", True, False]}
    assert source()["Parameters"]["ProtectData"]["Default"] == "true"


def test_no_secret_is_in_the_template(system: Template) -> None:
    for name, it in of_type(system, "AWS::SecretsManager::Secret").items():
        assert it["Properties"]["SecretString"] == "{}", name
    for it in of_type(system, "AWS::Lambda::Function").values():
        names = it["Properties"]["Environment"]["Variables"].keys()
        assert not [name for name in names if re.search("KEY|PASSWORD|TOKEN|SALT", name)]


def test_each_function_logs_to_its_own_group(system: Template) -> None:
    for name in FUNCTIONS:
        assert properties(system, name)["LoggingConfig"]["LogGroup"] == {"Ref": f"{name}Logs"}
        assert properties(system, f"{name}Logs")["RetentionInDays"] == {"Ref": "LogRetentionDays"}


def test_the_log_level_is_the_one_that_lambda_hands_to_the_functions(system: Template) -> None:
    for name, it in of_type(system, "AWS::Lambda::Function").items():
        logging = it["Properties"]["LoggingConfig"]
        assert logging["LogFormat"] == "JSON", name
        assert logging["ApplicationLogLevel"] == {"Ref": "LogLevel"}, name
    # A metric is a line without a level, which Lambda takes for INFO: with a higher one there were no metrics.
    assert source()["Parameters"]["LogLevel"]["AllowedValues"] == ["DEBUG", "INFO"]


# ------------------------------------------------------------------ key

KEY = attribute("Key")


def key_statements(system: Template) -> dict[str, dict[str, Any]]:
    return {it["Sid"]: it for it in properties(system, "Key")["KeyPolicy"]["Statement"]}


def test_everything_stored_is_under_our_key(system: Template) -> None:
    kinds = {
        "AWS::SecretsManager::Secret": "KmsKeyId",
        "AWS::Logs::LogGroup": "KmsKeyId",
        "AWS::SQS::Queue": "KmsMasterKeyId",
        "AWS::SNS::Topic": "KmsMasterKeyId",
    }
    for kind, name in kinds.items():
        for logical_name, it in of_type(system, kind).items():
            assert it["Properties"][name] == KEY, logical_name
    assert properties(system, "IdempotencyRecords")["SSESpecification"] == {
        "SSEEnabled": True,
        "SSEType": "KMS",
        "KMSMasterKeyId": KEY,
    }
    assert properties(system, "Key")["EnableKeyRotation"] is True


def test_the_key_is_used_through_a_service_only(system: Template) -> None:
    """Managing is for the account, which delegates by IAM; using is always narrowed by a condition."""
    using = re.compile("kms:(Encrypt|Decrypt|ReEncrypt|GenerateDataKey|CreateGrant)")
    for sid, statement in key_statements(system).items():
        actions = statement["Action"] if isinstance(statement["Action"], list) else [statement["Action"]]
        assert not [action for action in actions if "*" in action], sid
        assert statement["Principal"] != "*"
        uses = [action for action in actions if using.match(action)]
        assert bool(uses) == ("Condition" in statement), sid
        assert sid != "Manage" or not uses


def test_the_key_is_used_only_through_the_services_we_store_in(system: Template) -> None:
    condition = key_statements(system)["UseThroughOurServices"]["Condition"]["StringEquals"]
    assert condition["kms:CallerAccount"] == {"Ref": "AWS::AccountId"}
    assert [service["Fn::Sub"].split(".")[0] for service in condition["kms:ViaService"]] == [
        "dynamodb",
        "secretsmanager",
        "sqs",
        "sns",
        "s3",
    ]


def test_table_and_delivery_may_be_granted_the_key(system: Template) -> None:
    grant = key_statements(system)["GrantToTableAndDelivery"]
    assert grant["Action"] == "kms:CreateGrant"
    assert grant["Condition"]["Bool"] == {"kms:GrantIsForAWSResource": True}
    assert [service["Fn::Sub"].split(".")[0] for service in grant["Condition"]["StringEquals"]["kms:ViaService"]] == [
        "dynamodb",
        "firehose",
    ]


@pytest.mark.parametrize(
    ("sid", "service", "context", "names"),
    [
        ("LogsOfThisStack", {"Fn::Sub": "logs.${AWS::Region}.amazonaws.com"}, "aws:logs:arn", "${AWS::StackName}-*"),
        # A queue's name is short, so that a long stack name is not whole in it.
        ("DeadLetters", ["events.amazonaws.com", "sns.amazonaws.com"], "aws:sqs:arn", "*"),
        ("AlarmsOfThisStack", "cloudwatch.amazonaws.com", "aws:sns:topicArn", "${AWS::StackName}-*"),
    ],
)
def test_a_service_uses_the_key_for_this_stack_only(
    system: Template, sid: str, service: Any, context: str, names: str
) -> None:
    statement = key_statements(system)[sid]
    assert statement["Principal"] == {"Service": service}
    (arn,) = statement["Condition"]["ArnLike"].values()
    assert list(statement["Condition"]["ArnLike"]) == [f"kms:EncryptionContext:{context}"]
    assert arn["Fn::Sub"].endswith(f":{names}")
    assert "${AWS::AccountId}" in arn["Fn::Sub"]


def test_the_logs_may_use_the_key_as_their_documentation_asks(system: Template) -> None:
    """Encrypt*, Decrypt*, ReEncrypt*, GenerateDataKey* and Describe*, written out."""
    assert set(key_statements(system)["LogsOfThisStack"]["Action"]) == {
        "kms:Encrypt", "kms:Decrypt", "kms:ReEncryptFrom", "kms:ReEncryptTo", "kms:GenerateDataKey",
        "kms:GenerateDataKeyWithoutPlaintext", "kms:DescribeKey",
    }  # fmt: skip


# ------------------------------------------------------------------ archive


def test_the_archive_is_ours_alone_and_keeps_what_is_overwritten(system: Template) -> None:
    (name,) = of_type(system, "AWS::S3::Bucket")
    bucket = properties(system, name)
    assert bucket["VersioningConfiguration"] == {"Status": "Enabled"}
    assert set(bucket["PublicAccessBlockConfiguration"].values()) == {True}
    assert len(bucket["PublicAccessBlockConfiguration"]) == 4
    (encrypted,) = bucket["BucketEncryption"]["ServerSideEncryptionConfiguration"]
    assert encrypted == {
        "BucketKeyEnabled": True,
        "ServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": KEY},
    }
    (tls,) = properties(system, "ArchivePolicy")["PolicyDocument"]["Statement"]
    assert (tls["Effect"], tls["Principal"], tls["Action"]) == ("Deny", "*", "s3:*")
    assert tls["Resource"] == [attribute(name), {"Fn::Sub": "${Archive.Arn}/*"}]
    assert tls["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}


def test_a_lock_of_the_archive_is_for_who_wants_one(system: Template) -> None:
    bucket, nothing = properties(system, "Archive"), {"Ref": "AWS::NoValue"}
    assert bucket["ObjectLockEnabled"] == {"Fn::If": ["LocksArchive", True, nothing]}
    kept = {"DefaultRetention": {"Mode": "GOVERNANCE", "Days": {"Ref": "ArchiveLockDays"}}}
    locked = {"ObjectLockEnabled": "Enabled", "Rule": kept}
    assert bucket["ObjectLockConfiguration"] == {"Fn::If": ["LocksArchive", locked, nothing]}
    assert source()["Parameters"]["ArchiveLockDays"]["Default"] == ""


def test_only_the_parts_of_runs_are_deleted(system: Template) -> None:
    (rule,) = properties(system, "Archive")["LifecycleConfiguration"]["Rules"]
    assert (rule["Status"], rule["Prefix"], rule["ExpirationInDays"]) == ("Enabled", "parts/", 7)
    report = Report("paynet", date(2026, 11, 26), run="a")
    journal = Journal(cast("Archive", None), report)
    assert journal._part(1).startswith(rule["Prefix"])


# ------------------------------------------------------------------ logs


def test_every_log_masks_card_numbers_and_ibans(system: Template) -> None:
    groups = of_type(system, "AWS::Logs::LogGroup")
    assert groups.keys() == {f"{name}Logs" for name in FUNCTIONS} | {"AccessLogs", "RecordsToArchiveLogs"}
    for name, group in groups.items():
        policy = group["Properties"]["DataProtectionPolicy"]
        count, mask = policy["Statement"]
        # CloudWatch wants exactly these two, and the same identifiers in both.
        assert count["Operation"] == {"Audit": {"FindingsDestination": {}}}, name
        assert mask["Operation"] == {"Deidentify": {"MaskConfig": {}}}, name
        assert count["DataIdentifier"] == mask["DataIdentifier"]
        card, *own = mask["DataIdentifier"]
        assert card["Fn::Sub"].endswith(":data-identifier/CreditCardNumber")
        assert {it["Name"]: it["Regex"] for it in policy["Configuration"]["CustomDataIdentifier"]} == OWN_IDENTIFIERS
        assert own == list(OWN_IDENTIFIERS)


def test_our_own_patterns_are_such_as_the_logs_take() -> None:
    """AmazonCloudWatch/latest/logs/CWL-custom-data-identifiers.html, which leaves out parentheses."""
    assert len(OWN_IDENTIFIERS) <= 10
    for name, pattern in OWN_IDENTIFIERS.items():
        assert re.fullmatch("[a-zA-Z0-9_-]{1,128}", name)
        assert re.fullmatch(r"[a-zA-Z0-9_#=@/;, ^$?\[\]{}|\\*+.-]{1,200}", pattern), name


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("to TR330006100519786457841326 now", "to #now"),
        ("TR33 0006 1005 1978 6457 8413 26", "#"),
        # No word that tells of a card.
        ('{"note": "4111111111111111"}', '{"note": "#"}'),
        ('{"note": "4111 1111 1111 1111, 5105105105105100"}', '{"note": "#, #"}'),
        ("378282246310005 3782 822463 10005 3056 930902 5904", "# # #"),
        ("12345678901234 1234567890123456789", "# #"),
        # Without which nobody could read a log.
        ('{"timestamp": 1764180000123, "Timestamp": 1764180000124}', None),
        ("op_3njcnbxjglsd2oit2nz6nj63gv 2026-11-22T00:35:06.324Z", None),
        ("b7a12345-1234-4123-9123-123456789012 12345678-1234-4123-8123-123456789012", None),
        ("Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1", None),
        ("arn:aws:lambda:eu-central-1:123456789012:function:vezne-PaynetCapture-0123456789AB", None),
        ("411111******1111", None),
        ("Duration: 1234.56 ms Billed Duration: 1235 ms Memory Size: 512 MB", None),
    ],
)
def test_the_logs_mask_what_they_must_and_no_ids_or_times(text: str, masked: str | None) -> None:
    for pattern in OWN_IDENTIFIERS.values():
        text, before = re.sub(pattern, "#", text), text
        assert masked is not None or text == before, pattern
    assert masked in (None, text)


def test_access_logs_tell_who_and_how_it_ended_and_no_contents(system: Template) -> None:
    setting = properties(system, "ApiStage")["AccessLogSetting"]
    assert setting["DestinationArn"] == attribute("AccessLogs")
    line = json.loads(setting["Format"])
    assert {line["client_id"], line["status"], line["request_id"], line["refused_as"]} == {
        "$context.authorizer.claims.client_id", "$context.status", "$context.requestId", "$context.error.responseType",
    }  # fmt: skip
    # $context.path holds path parameters, the other two text of the request.
    assert not {"$context.path", "$context.error.message", "$context.authorizer.error"} & set(line.values())
    for settings in properties(system, "ApiStage")["MethodSettings"]:
        assert settings["DataTraceEnabled"] is False
        assert settings["LoggingLevel"] == "OFF"


# ------------------------------------------------------------------ outbox


def test_the_outbox_tells_nine_fields_and_nothing_more(system: Template) -> None:
    template = properties(system, "OutboxPipe")["TargetParameters"]["InputTemplate"]
    told = dict(re.findall(r'"(\w+)": <\$\.dynamodb\.NewImage\.([\w.]+)\.S>', template))
    assert told == {
        "operation_id": "id",
        **{name: name for name in ("operation", "status", "created_at", "updated_at")},
        **{name: f"told.M.{name}" for name in ("day", "amount", "currency", "settled_by")},
    }
    # Nothing else is in it: what is left are braces, commas and blanks.
    assert re.sub(r'"\w+": <[^>]+>', "", template).strip("{}, \n") == ""


def test_the_outbox_tells_of_a_finding_no_amount_and_no_reference(system: Template) -> None:
    template = properties(system, "FindingPipe")["TargetParameters"]["InputTemplate"]
    told = dict(re.findall(r'"(\w+)": <\$\.dynamodb\.NewImage\.(\w+)\.S>', template))
    assert told == {name: name for name in ("class", "provider", "date", "operation_id")}
    assert json.loads(re.sub("<[^>]+>", '""', template)).keys() == {"event", *told}


def test_no_more_read_the_stream_than_dynamodb_bears(system: Template) -> None:
    stream = attribute("IdempotencyRecords", "StreamArn")
    pipes = of_type(system, "AWS::Pipes::Pipe")
    assert [it["Properties"]["Source"] for it in pipes.values()] == [stream] * 2


@pytest.mark.parametrize("pipe", ["OutboxPipe", "FindingPipe"])
def test_the_outbox_loses_nothing_and_holds_nothing_up(system: Template, pipe: str) -> None:
    source_parameters = properties(system, pipe)["SourceParameters"]["DynamoDBStreamParameters"]
    assert source_parameters["StartingPosition"] == "TRIM_HORIZON"
    assert source_parameters["BatchSize"] <= 10
    assert 0 < source_parameters["MaximumRetryAttempts"] <= 100
    assert 0 < source_parameters["MaximumRecordAgeInSeconds"] <= 86400
    assert source_parameters["DeadLetterConfig"] == {"Arn": attribute("OutboxDeadLetters")}


def test_only_the_pipe_publishes_an_outcome(system: Template) -> None:
    allow, deny = properties(system, "OutboxPolicy")["PolicyDocument"]["Statement"]
    assert (allow["Effect"], allow["Principal"]) == ("Allow", {"AWS": attribute("OutboxRole")})
    assert (deny["Effect"], deny["Principal"], deny["Action"]) == ("Deny", "*", "sns:Publish")
    assert deny["Condition"] == {"ArnNotEquals": {"aws:PrincipalArn": attribute("OutboxRole")}}


def test_the_pipe_may_read_the_stream_and_publish_and_no_more(system: Template) -> None:
    granted = {
        (action, json.dumps(resource))
        for statement in statements(system, "OutboxRole")
        for action in statement["Action"]
        for resource in statement["Resource"]
    }
    stream = json.dumps(attribute("IdempotencyRecords", "StreamArn"))
    reading = ("DescribeStream", "GetRecords", "GetShardIterator", "ListStreams")
    assert granted == {
        *((f"dynamodb:{action}", stream) for action in reading),
        ("sns:Publish", json.dumps({"Ref": "Outbox"})),
        ("sqs:SendMessage", json.dumps(attribute("OutboxDeadLetters"))),
        ("kms:Decrypt", json.dumps(KEY)),
        ("kms:GenerateDataKey", json.dumps(KEY)),
    }
