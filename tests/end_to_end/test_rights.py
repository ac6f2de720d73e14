"""The rights of each function's role, checked by the emulator's own IAM with the deployed roles."""

import io
import json
import zipfile
from collections.abc import Iterator
from typing import Any

import pytest
from vezne.orders.record import operation_id
from vezne_cli.catalogue import FUNCTIONS, INQUIRIES, ORDERS, PROVIDERS, RECONCILERS, REFERENCE
from vezne_cli.connection import STACK_NAME
from vezne_cli.stack import Stack

from tests.support.operations import OPERATIONS

# Runs under a role of the template and tries calls. Result: name -> None if allowed, else the error code.
PROBE = """
import boto3
from botocore.exceptions import ClientError

def handler(event, context):
    answers = {}
    for name, (service, call, arguments) in event.items():
        try:
            getattr(boto3.client(service), call)(**arguments)
            answers[name] = None
        except ClientError as error:
            answers[name] = error.response["Error"]["Code"]
    return answers
"""
# SNS has its own error code.
DENIED = {"AccessDeniedException", "AccessDenied", "AuthorizationError"}
UNRESOLVED = {
    "IndexName": "unresolved-index",
    "KeyConditionExpression": "unresolved = :part",
    "ExpressionAttributeValues": {":part": {"S": "paynet.capture#0"}},
}
EVERY_FUNCTION = list(FUNCTIONS)
Calls = dict[str, tuple[str, str, dict[str, Any]]]


class Prober:
    """Tries AWS calls under the role of a deployed function."""

    def __init__(self, stack: Stack) -> None:
        self._stack = stack
        self._made: dict[str, str] = {}

    def __call__(self, operation: str, calls: Calls) -> dict[str, str | None]:
        functions = self._stack.aws("lambda")
        name = self._made.get(operation) or self._make(operation)
        answer = functions.invoke(FunctionName=name, Payload=json.dumps(calls).encode())
        payload: dict[str, str | None] = json.loads(answer["Payload"].read())
        assert "FunctionError" not in answer, payload
        return payload

    def _make(self, operation: str) -> str:
        functions, role = self._stack.aws("lambda"), role_of(self._stack, operation)
        archive = io.BytesIO()
        with zipfile.ZipFile(archive, "w") as file:
            file.writestr("app.py", PROBE)
        name = f"probe-{operation.replace('.', '-')}"
        functions.create_function(
            FunctionName=name, Role=role, Runtime="python3.13", Handler="app.handler", Timeout=25,
            Code={"ZipFile": archive.getvalue()},
        )  # fmt: skip
        functions.get_waiter("function_active_v2").wait(FunctionName=name)
        self._made[operation] = name
        return name

    def remove(self) -> None:
        for name in self._made.values():
            self._stack.aws("lambda").delete_function(FunctionName=name)


@pytest.fixture(scope="module")
def probe(whole_stack: Stack) -> Iterator[Prober]:
    prober = Prober(whole_stack)
    yield prober
    prober.remove()


def secret_calls(stack: Stack) -> Calls:
    return {
        provider: ("secretsmanager", "get_secret_value", {"SecretId": secret})
        for provider, secret in stack.secrets.items()
    }


@pytest.mark.parametrize("operation", EVERY_FUNCTION)
def test_a_function_reads_its_own_providers_secret_only(stack: Stack, probe: Prober, operation: str) -> None:
    answers = probe(operation, secret_calls(stack))
    own = operation.split(".", maxsplit=1)[0]
    assert {provider for provider, error in answers.items() if error is None} == {own} & stack.secrets.keys()
    assert {error for provider, error in answers.items() if provider != own} <= DENIED


@pytest.mark.parametrize("operation", EVERY_FUNCTION)
def test_a_function_reads_and_writes_the_token_of_its_own_provider_only(
    stack: Stack, probe: Prober, operation: str
) -> None:
    own = operation.split(".", maxsplit=1)[0]
    sharing = {name: physical_id(stack, one.token_secret) for name, one in PROVIDERS.items() if one.token_secret}
    assert sharing
    for name, token in sharing.items():
        secret = {"SecretId": token}
        allowed = probe(operation, {
            "read": ("secretsmanager", "get_secret_value", secret),
            "write": ("secretsmanager", "put_secret_value", {**secret, "SecretString": "{}"}),
        })  # fmt: skip
        denied = probe(operation, {
            "describe": ("secretsmanager", "describe_secret", secret),
            "change": ("secretsmanager", "update_secret", {**secret, "Description": "x"}),
            "delete": ("secretsmanager", "delete_secret", secret),
            "write the credentials": (
                "secretsmanager", "put_secret_value", {"SecretId": stack.secrets[name], "SecretString": "{}"}
            ),
        })  # fmt: skip
        assert {error is None for error in allowed.values()} == {name == own}
        assert {*allowed.values(), *denied.values()} - {None} <= DENIED
        assert None not in denied.values()


@pytest.mark.parametrize("operation", EVERY_FUNCTION)
def test_what_no_function_does_is_denied(stack: Stack, probe: Prober, operation: str) -> None:
    table, item = {"TableName": stack.table}, {"id": {"S": "op_none"}}
    by_id = {"KeyConditionExpression": "id = :id", "ExpressionAttributeValues": {":id": {"S": "a"}}}
    queue = {"QueueUrl": stack.outputs["DeadLettersUrl"]}
    secret = {"SecretId": next(iter(stack.secrets.values()))}
    function = {"FunctionName": stack.functions["paynet.capture"]}
    pool = {"UserPoolId": stack.outputs["UserPoolId"]}
    calls: Calls = {
        "scan": ("dynamodb", "scan", table),
        "scan of the index": ("dynamodb", "scan", {**table, "IndexName": "unresolved-index"}),
        "query of the table": ("dynamodb", "query", {**table, **by_id}),
        "batch read": ("dynamodb", "batch_get_item", {"RequestItems": {stack.table: {"Keys": [item]}}}),
        "batch write": (
            "dynamodb", "batch_write_item", {"RequestItems": {stack.table: [{"PutRequest": {"Item": item}}]}}
        ),
        "delete the table": ("dynamodb", "delete_table", table),
        "list secrets": ("secretsmanager", "list_secrets", {}),
        "write a secret": ("secretsmanager", "put_secret_value", {**secret, "SecretString": "{}"}),
        "read dead letters": ("sqs", "receive_message", queue),
        "empty dead letters": ("sqs", "purge_queue", queue),
        "invoke another function": ("lambda", "invoke", function),
        "change a function": ("lambda", "update_function_configuration", {**function, "Timeout": 5}),
        "read logs": ("logs", "describe_log_groups", {}),
        "make a client": ("cognito-idp", "create_user_pool_client", {**pool, "ClientName": "x"}),
        "list buckets": ("s3", "list_buckets", {}),
        "publish an outcome": ("sns", "publish", {"TopicArn": stack.outputs["OutboxTopicArn"], "Message": "{}"}),
        "publish an alarm": ("sns", "publish", {"TopicArn": stack.outputs["AlarmTopicArn"], "Message": "{}"}),
        "use the key": ("kms", "encrypt", {"KeyId": key_of(stack), "Plaintext": b"x".hex()}),
        "drop the key": ("kms", "schedule_key_deletion", {"KeyId": key_of(stack)}),
        "list the table's streams": ("dynamodbstreams", "list_streams", table),
    }  # fmt: skip
    answers = probe(operation, calls)
    assert {name: error for name, error in answers.items() if error not in DENIED} == {}


@pytest.mark.parametrize("operation", [*INQUIRIES, REFERENCE.name])
def test_a_function_without_orders_cannot_read_or_write_records(stack: Stack, probe: Prober, operation: str) -> None:
    table, key, queue = {"TableName": stack.table}, {"id": {"S": "secret#vakifbank"}}, stack.outputs["DeadLettersUrl"]
    answers = probe(operation, {
        "get": ("dynamodb", "get_item", {**table, "Key": key}),
        "put": ("dynamodb", "put_item", {**table, "Item": key}),
        "delete": ("dynamodb", "delete_item", {**table, "Key": key}),
        "query": ("dynamodb", "query", {**table, **UNRESOLVED}),
        "update": ("dynamodb", "update_item", {**table, "Key": key}),
        "write a dead letter": ("sqs", "send_message", {"QueueUrl": queue, "MessageBody": "x"}),
    })  # fmt: skip
    # Inquiries and orders of a provider share the memory of refused logins.
    shares = operation in INQUIRIES and PROVIDERS[INQUIRIES[operation].provider].locks_logins
    assert (answers.pop("update") is None) == shares
    assert set(answers.values()) <= DENIED


# Operation -> its own keys. All other items of the table belong to other operations.
KEYS = {
    name: [
        f"{operation_id('client', name, 'key')[:7]}{'a' * 22}",
        f"guard#{name}#a",
        *([f"secret#{order.provider}"] if PROVIDERS[order.provider].locks_logins else []),
    ]
    for name, order in ORDERS.items()
}
# What an operation's orders meet besides: the guard they share, and the records of the orders that may hold it.
SHARED = {
    name: [
        key
        for other, its in ORDERS.items()
        for key in KEYS[other]
        if (other in order.declaration.shares_guards_of and not key.startswith("secret#"))
        or (name in its.declaration.shares_guards_of and key.startswith("op_"))
        # A third operation that shares the same guard may hold it.
        or (
            other != name
            and its.declaration.shares_guards_of
            and key.startswith("op_")
            and set(its.declaration.shares_guards_of) & set(order.declaration.shares_guards_of)
        )
    ]
    for name, order in ORDERS.items()
}
EVERY_KEY = [key for keys in KEYS.values() for key in keys]


def transaction(table: dict[str, str], *keys: str) -> dict[str, Any]:
    puts = [{"Put": {**table, "Item": {"id": {"S": key}}}} for key in keys]
    return {"TransactItems": puts}


def calls_on(stack: Stack, key: str) -> Calls:
    """All calls that read or write one record. The last one deletes it."""
    table, item = {"TableName": stack.table}, {"id": {"S": key}}
    return {
        f"put {key}": ("dynamodb", "put_item", {**table, "Item": item}),
        f"get {key}": ("dynamodb", "get_item", {**table, "Key": item}),
        f"update {key}": ("dynamodb", "update_item", {**table, "Key": item}),
        f"transaction {key}": ("dynamodb", "transact_write_items", transaction(table, key)),
        f"delete {key}": ("dynamodb", "delete_item", {**table, "Key": item}),
    }


@pytest.mark.parametrize("operation", OPERATIONS)
def test_a_function_touches_its_own_records(stack: Stack, probe: Prober, operation: str) -> None:
    calls = {name: call for key in KEYS[operation] for name, call in calls_on(stack, key).items()}
    assert {name: error for name, error in probe(operation, calls).items() if error is not None} == {}


@pytest.mark.parametrize("operation", OPERATIONS)
def test_a_function_touches_no_other_operations_records(stack: Stack, probe: Prober, operation: str) -> None:
    others = [key for key in EVERY_KEY if key not in (*KEYS[operation], *SHARED[operation])]
    calls = {name: call for key in others for name, call in calls_on(stack, key).items()}
    # Nor in one transaction with its own record.
    calls |= {
        f"both {key}": ("dynamodb", "transact_write_items", transaction({"TableName": stack.table}, own, key))
        for own in KEYS[operation]
        for key in others
    }
    answers = probe(operation, calls)
    assert answers
    assert {name: error for name, error in answers.items() if error not in DENIED} == {}


@pytest.mark.parametrize("provider", RECONCILERS)
def test_a_reconciliation_touches_the_records_and_the_files_of_its_provider_only(
    stack: Stack, probe: Prober, provider: str
) -> None:
    own = [key for name in RECONCILERS[provider].statement.operations for key in KEYS[name]]
    reports = {
        name: [f"reconciliation#{name}#2026-11-26", f"finding#{name}#a"] for name in PROVIDERS
    }  # fmt: skip
    keys = [*EVERY_KEY, *(key for names in reports.values() for key in names)]
    calls = {name: call for key in keys for name, call in calls_on(stack, key).items()}
    bucket = {"Bucket": stack.outputs["ArchiveBucket"]}
    files = [f"{folder}/{name}/a" for folder in ("reconciliations", "parts", "others") for name in PROVIDERS]
    calls |= {f"write {file}": ("s3", "put_object", {**bucket, "Key": file, "Body": "x"}) for file in files}
    calls |= {f"remove {file}": ("s3", "delete_object", {**bucket, "Key": file}) for file in files}
    answers = probe(RECONCILERS[provider].name, calls)
    allowed = {name for name, error in answers.items() if error is None}
    assert allowed == {
        *(name for key in (*own, *reports[provider]) for name in calls_on(stack, key)),
        f"write reconciliations/{provider}/a",
        f"write parts/{provider}/a",
    }
    assert set(answers.values()) - {None} <= DENIED


def test_a_status_read_reads_operations_only(stack: Stack, probe: Prober) -> None:
    table = {"TableName": stack.table}
    answers = probe(
        "operations.read",
        {key: ("dynamodb", "get_item", {**table, "Key": {"id": {"S": key}}}) for key in EVERY_KEY},
    )
    assert {key for key, error in answers.items() if error is None} == {k for k in EVERY_KEY if k.startswith("op_")}
    assert set(answers.values()) - {None} <= DENIED


def test_an_inquiry_updates_the_memory_of_refused_logins_only(stack: Stack, probe: Prober) -> None:
    table = {"TableName": stack.table}
    try:
        answers = probe(
            "vakifbank.query",
            {key: ("dynamodb", "update_item", {**table, "Key": {"id": {"S": key}}}) for key in EVERY_KEY},
        )
    finally:
        stack.aws("dynamodb").delete_item(**table, Key={"id": {"S": "secret#vakifbank"}})
    assert {key for key, error in answers.items() if error is None} == {"secret#vakifbank"}
    assert set(answers.values()) - {None} <= DENIED


def test_an_inquiry_changes_only_what_a_login_writes_in_that_memory(stack: Stack, probe: Prober) -> None:
    memory = {"TableName": stack.table, "Key": {"id": {"S": "secret#vakifbank"}}}
    value = {"ExpressionAttributeValues": {":value": {"S": "x"}}}

    def update(**arguments: Any) -> tuple[str, str, dict[str, Any]]:
        return "dynamodb", "update_item", {**memory, **value, **arguments}

    try:
        answers = probe("vakifbank.query", {
            "what a login writes": update(UpdateExpression="SET rejected_version = :value REMOVE trial_until"),
            "by another name": update(UpdateExpression="SET #it = :value", ExpressionAttributeNames={"#it": "trial"}),
            "another attribute": update(UpdateExpression="SET trial = :value, client_id = :value"),
            "another by another name": update(
                UpdateExpression="SET #it.trial = :value", ExpressionAttributeNames={"#it": "outcome"}
            ),
            "a condition about another": update(
                UpdateExpression="SET trial = :value", ConditionExpression="attribute_not_exists(outcome)"
            ),
            "the whole item": update(UpdateExpression="SET trial = :value", ReturnValues="ALL_OLD"),
        })  # fmt: skip
    finally:
        stack.aws("dynamodb").delete_item(**memory)
    allowed = {name for name, error in answers.items() if error is None}
    assert allowed == {"what a login writes", "by another name"}
    assert set(answers.values()) - {None} <= DENIED


def role_of(stack: Stack, operation: str) -> str:
    function = stack.functions[operation]
    role: str = stack.aws("lambda").get_function_configuration(FunctionName=function)["Role"]
    return role


def key_of(stack: Stack) -> str:
    return physical_id(stack, "Key")


def physical_id(stack: Stack, logical_id: str) -> str:
    """The id that a resource of the template has in the stack."""
    resource = stack.aws("cloudformation").describe_stack_resource(StackName=STACK_NAME, LogicalResourceId=logical_id)
    known_as: str = resource["StackResourceDetail"]["PhysicalResourceId"]
    return known_as


def test_reading_an_operation_cannot_write(stack: Stack, probe: Prober) -> None:
    table, key, queue = {"TableName": stack.table}, {"id": {"S": "op_none"}}, stack.outputs["DeadLettersUrl"]
    answers = probe("operations.read", {
        "get": ("dynamodb", "get_item", {**table, "Key": key}),
        "put": ("dynamodb", "put_item", {**table, "Item": key}),
        "update": ("dynamodb", "update_item", {**table, "Key": key}),
        "delete": ("dynamodb", "delete_item", {**table, "Key": key}),
        "query": ("dynamodb", "query", {**table, **UNRESOLVED}),
        "transaction": ("dynamodb", "transact_write_items", {"TransactItems": [{"Put": {**table, "Item": key}}]}),
        "write a dead letter": ("sqs", "send_message", {"QueueUrl": queue, "MessageBody": "x"}),
    })  # fmt: skip
    assert answers.pop("get") is None
    assert set(answers.values()) <= DENIED


def test_a_function_may_query_the_unresolved_index(stack: Stack, probe: Prober) -> None:
    query: Calls = {"query": ("dynamodb", "query", {"TableName": stack.table, **UNRESOLVED})}
    assert {operation: probe(operation, query)["query"] for operation in OPERATIONS} == dict.fromkeys(OPERATIONS)
