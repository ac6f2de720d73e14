"""What each function's role may do and may not, asked of the emulator's own IAM with the deployed roles."""

import io
import json
import zipfile
from collections.abc import Iterator
from typing import Any

import pytest
from ministack.core.iam_evaluator import EvalContext, evaluate, parse_policy_document

from tests.end_to_end.examples import OPERATIONS
from tests.stack import Stack
from tests.stack.build import REGION, STACK_NAME
from tests.stack.stack import INQUIRIES

# Runs under a role of the template and tries calls: name -> None if allowed, else the error code.
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
# SNS has a word of its own.
DENIED = {"AccessDeniedException", "AccessDenied", "AuthorizationError"}
UNRESOLVED = {
    "IndexName": "unresolved-index",
    "KeyConditionExpression": "unresolved = :part",
    "ExpressionAttributeValues": {":part": {"S": "paynet.capture#0"}},
}
EVERY_FUNCTION = [*OPERATIONS, "operations.read", *INQUIRIES]
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


@pytest.mark.parametrize("operation", INQUIRIES)
def test_an_inquiry_knows_no_orders(stack: Stack, probe: Prober, operation: str) -> None:
    table, key = {"TableName": stack.table}, {"id": {"S": "secret#vakifbank"}}
    answers = probe(operation, {
        "get": ("dynamodb", "get_item", {**table, "Key": key}),
        "put": ("dynamodb", "put_item", {**table, "Item": key}),
        "delete": ("dynamodb", "delete_item", {**table, "Key": key}),
        "query": ("dynamodb", "query", {**table, **UNRESOLVED}),
        "update": ("dynamodb", "update_item", {**table, "Key": key}),
    })  # fmt: skip
    # It shares the memory of refused logins with vakifbank.pay.
    assert (answers.pop("update") is None) == (operation == "vakifbank.query")
    assert set(answers.values()) <= DENIED


# MiniStack does not tell its policies which keys a call touches (dynamodb:LeadingKeys). So its evaluator is asked here
# with the keys that DynamoDB names, about the policies as they are deployed.
TOUCHED = {
    "kolaybi.collect": ["op_3t5xaaaaaaaaaaaaaaaaaaaaaa", "guard#kolaybi.collect#a"],
    "vakifbank.pay": ["op_hnyvaaaaaaaaaaaaaaaaaaaaaa", "guard#vakifbank.pay#a", "secret#vakifbank"],
    "walletgate.pay_bill": ["op_ix5xaaaaaaaaaaaaaaaaaaaaaa", "guard#walletgate.pay_bill#a"],
    "haso.set_expenses": ["op_hpbhaaaaaaaaaaaaaaaaaaaaaa", "guard#haso.set_expenses#a"],
    "paynet.capture": ["op_3njcaaaaaaaaaaaaaaaaaaaaaa", "guard#paynet.capture#a"],
}


@pytest.mark.parametrize("operation", OPERATIONS)
@pytest.mark.parametrize("action", ["GetItem", "PutItem", "UpdateItem", "DeleteItem"])
def test_a_function_touches_its_own_records_only(stack: Stack, operation: str, action: str) -> None:
    own = {key for key in TOUCHED[operation] if allowed(stack, operation, f"dynamodb:{action}", [key])}
    assert own == set(TOUCHED[operation])
    for other in set(TOUCHED) - {operation}:
        for key in TOUCHED[other]:
            assert not allowed(stack, operation, f"dynamodb:{action}", [key]), key
            # Nor beside one of its own, as in a transaction.
            assert not allowed(stack, operation, f"dynamodb:{action}", [TOUCHED[operation][0], key])


@pytest.mark.parametrize("operation", ["operations.read", "vakifbank.query"])
def test_readers_are_fenced_too(stack: Stack, operation: str) -> None:
    action, own = {
        "operations.read": ("dynamodb:GetItem", {key for keys in TOUCHED.values() for key in keys if key[:3] == "op_"}),
        "vakifbank.query": ("dynamodb:UpdateItem", {"secret#vakifbank"}),
    }[operation]
    keys = {key for keys in TOUCHED.values() for key in keys}
    assert {key for key in keys if allowed(stack, operation, action, [key])} == own


def allowed(stack: Stack, operation: str, action: str, keys: list[str]) -> bool:
    """What the deployed policies of a function say to a call that touches these keys of the table."""
    iam = stack.aws("iam")
    role = role_of(stack, operation).rsplit("/", 1)[1]
    policies = [
        parse_policy_document(iam.get_role_policy(RoleName=role, PolicyName=name)["PolicyDocument"])
        for name in iam.list_role_policies(RoleName=role)["PolicyNames"]
    ]
    table = stack.aws("dynamodb").describe_table(TableName=stack.table)["Table"]["TableArn"]
    context = EvalContext(
        principal_arn=role_of(stack, operation), principal_type="AssumedRole", principal_account=table.split(":")[4],
        action=action, resource_arn=table, region=REGION, service_context={"dynamodb:leadingkeys": keys},
    )  # fmt: skip
    return bool(evaluate(context, policies).decision == "Allow")


def role_of(stack: Stack, operation: str) -> str:
    function = stack.functions[operation]
    role: str = stack.aws("lambda").get_function_configuration(FunctionName=function)["Role"]
    return role


def key_of(stack: Stack) -> str:
    resource = stack.aws("cloudformation").describe_stack_resource(StackName=STACK_NAME, LogicalResourceId="Key")
    key: str = resource["StackResourceDetail"]["PhysicalResourceId"]
    return key


def test_reading_an_operation_cannot_write(stack: Stack, probe: Prober) -> None:
    table, key = {"TableName": stack.table}, {"id": {"S": "op_none"}}
    answers = probe("operations.read", {
        "get": ("dynamodb", "get_item", {**table, "Key": key}),
        "put": ("dynamodb", "put_item", {**table, "Item": key}),
        "update": ("dynamodb", "update_item", {**table, "Key": key}),
        "delete": ("dynamodb", "delete_item", {**table, "Key": key}),
        "query": ("dynamodb", "query", {**table, **UNRESOLVED}),
        "transaction": ("dynamodb", "transact_write_items", {"TransactItems": [{"Put": {**table, "Item": key}}]}),
    })  # fmt: skip
    assert answers.pop("get") is None
    assert set(answers.values()) <= DENIED


def test_a_function_has_the_rights_it_uses(stack: Stack, probe: Prober) -> None:
    """The positive side, under the roles; the orders of the other modules show it for the functions themselves."""
    table, key = {"TableName": stack.table}, {"id": {"S": "op_3njcprobe"}}
    try:
        answers = probe("paynet.capture", {
            "put": ("dynamodb", "put_item", {**table, "Item": key}),
            "get": ("dynamodb", "get_item", {**table, "Key": key}),
            "update": ("dynamodb", "update_item", {**table, "Key": key}),
            "transaction": ("dynamodb", "transact_write_items", {"TransactItems": [{"Put": {**table, "Item": key}}]}),
            "delete": ("dynamodb", "delete_item", {**table, "Key": key}),
            "query": ("dynamodb", "query", {**table, **UNRESOLVED}),
        })  # fmt: skip
        assert set(answers.values()) == {None}
    finally:
        stack.aws("dynamodb").delete_item(**table, Key=key)
