"""House rules of template.yaml, asserted on what SAM makes of it."""

import base64
import copy
import hashlib
import json
import os
import re
from pathlib import Path
from typing import Any

import pytest
from samtranslator.translator.transform import transform
from samtranslator.yaml_helper import yaml_parse

ROOT = Path(__file__).parents[2]
# Logical name of each function: its operation, method and route.
ROUTES = {
    "KolaybiCollect": ("kolaybi.collect", "post", "/kolaybi/associates/{associate_id}/collections"),
    "VakifbankPay": ("vakifbank.pay", "post", "/vakifbank/tos-payments"),
    "WalletgatePayBill": ("walletgate.pay_bill", "post", "/walletgate/bill-payments"),
    "HasoSetExpenses": ("haso.set_expenses", "post", "/haso/transactions/{transaction_code}/expenses"),
    "PaynetCapture": ("paynet.capture", "post", "/paynet/captures"),
    "GetOperation": ("operations.read", "get", "/operations/{operation_id}"),
}
ORDERS = [name for name in ROUTES if name != "GetOperation"]
SECRETS = {
    "KolaybiCollect": "KolaybiSecret",
    "VakifbankPay": "VakifbankSecret",
    "WalletgatePayBill": "WalletgateSecret",
    "HasoSetExpenses": "HasoSecret",
    "PaynetCapture": "PaynetSecret",
}
ITEM_ACTIONS = {"dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:UpdateItem", "dynamodb:DeleteItem"}
LOG_ACTIONS = {"logs:CreateLogStream", "logs:PutLogEvents"}

Template = dict[str, Any]


class NoManagedPolicies:
    """SAM asks for the managed policies of the account; ours names none."""

    def load(self) -> dict[str, str]:
        return {}


def source() -> Template:
    template: Template = yaml_parse((ROOT / "template.yaml").read_text())
    return template


def transformed(template: Template) -> Template:
    """What CloudFormation is given: local folders replaced by an upload, the rest expanded by SAM."""
    template = copy.deepcopy(template)
    for resource in template["Resources"].values():
        properties = resource.get("Properties", {})
        for folder in ("CodeUri", "ContentUri"):
            if isinstance(properties.get(folder), str):
                properties[folder] = {"Bucket": "artifacts", "Key": properties[folder]}
    os.environ.setdefault("AWS_DEFAULT_REGION", "eu-central-1")
    made: Template = transform(template, {"HasoUrl": "https://haso.example"}, NoManagedPolicies())
    return made


@pytest.fixture(scope="module")
def system() -> Template:
    return transformed(source())


def of_type(system: Template, resource_type: str) -> dict[str, Any]:
    return {name: it for name, it in system["Resources"].items() if it["Type"] == resource_type}


def properties(system: Template, name: str) -> dict[str, Any]:
    made: dict[str, Any] = system["Resources"][name]["Properties"]
    return made


def statements(system: Template, role: str) -> list[dict[str, Any]]:
    return [
        {**statement, "Action": as_list(statement["Action"]), "Resource": as_list(statement["Resource"])}
        for policy in properties(system, role).get("Policies", [])
        for statement in policy["PolicyDocument"]["Statement"]
    ]


def as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


# ------------------------------------------------------------------ access


def test_every_route_has_the_authorizer_and_exactly_its_scope(system: Template) -> None:
    body = properties(system, "Api")["Body"]
    routes = {
        (method, path): operation["security"]
        for path, methods in body["paths"].items()
        for method, operation in methods.items()
    }
    assert routes == {(method, path): [{"Tokens": [f"vezne/{name}"]}] for name, method, path in ROUTES.values()}


def test_the_authorizer_is_our_user_pool(system: Template) -> None:
    schemes = properties(system, "Api")["Body"]["components"]["securitySchemes"]
    authorizer = schemes["Tokens"]["x-amazon-apigateway-authorizer"]
    assert list(schemes) == ["Tokens"]
    assert authorizer["type"] == "cognito_user_pools"
    assert authorizer["providerARNs"] == [{"Fn::GetAtt": ["UserPool", "Arn"]}]


def test_every_scope_exists_and_the_first_client_has_them_all(system: Template) -> None:
    scopes = {f"vezne/{name}" for name, _, _ in ROUTES.values()}
    server = properties(system, "ResourceServer")
    assert {f"{server['Identifier']}/{scope['ScopeName']}" for scope in server["Scopes"]} == scopes
    client = properties(system, "Client")
    assert set(client["AllowedOAuthScopes"]) == scopes
    assert client["AllowedOAuthFlows"] == ["client_credentials"]
    assert client["GenerateSecret"] is True


def test_there_is_no_second_public_stage(system: Template) -> None:
    assert list(of_type(system, "AWS::ApiGateway::Stage")) == ["ApiStage"]
    assert properties(system, "ApiStage")["StageName"] == {"Ref": "StageName"}
    assert not of_type(system, "AWS::Lambda::Url")


def test_a_gateway_refusal_is_a_problem(system: Template) -> None:
    responses = properties(system, "Api")["Body"]["x-amazon-apigateway-gateway-responses"]
    for name, response in responses.items():
        problem = json.loads(response["responseTemplates"]["application/json"])
        assert response["responseParameters"]["gatewayresponse.header.Content-Type"] == "'application/problem+json'"
        assert problem.keys() - {"detail"} == {"type", "title", "status", "money", "retry"}, name
        assert problem["status"] == int(response["statusCode"]), name
        # A 4xx was refused at the door. A 5xx may have reached the function, so the money is unknown.
        assert problem["money"] == ("not_moved" if problem["status"] < 500 else "unknown"), name
        assert problem["retry"] in ("same_key", "never"), name
        if problem["money"] == "unknown":
            assert problem["retry"] == "same_key", name
    statuses = {name: response["statusCode"] for name, response in responses.items()}
    assert statuses["UNAUTHORIZED"] == "401"
    assert statuses["MISSING_AUTHENTICATION_TOKEN"] == "404"
    assert {"DEFAULT_4XX", "DEFAULT_5XX", "REQUEST_TOO_LARGE", "THROTTLED", "INTEGRATION_TIMEOUT"} <= statuses.keys()


# ------------------------------------------------------------------ rights


def test_each_function_has_a_role_of_its_own(system: Template) -> None:
    functions = of_type(system, "AWS::Lambda::Function")
    assert functions.keys() == ROUTES.keys()
    assert {name: it["Properties"]["Role"] for name, it in functions.items()} == {
        name: {"Fn::GetAtt": [f"{name}Role", "Arn"]} for name in functions
    }
    assert of_type(system, "AWS::IAM::Role").keys() == {f"{name}Role" for name in functions}


def test_no_role_has_a_wildcard_action_or_resource(system: Template) -> None:
    for role, it in of_type(system, "AWS::IAM::Role").items():
        assert "ManagedPolicyArns" not in it["Properties"], role
        assert it["Properties"]["AssumeRolePolicyDocument"]["Statement"] == [
            {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
        ]
        for statement in statements(system, role):
            assert "*" not in json.dumps([statement["Action"], statement["Resource"]]), (role, statement["Sid"])
            assert "NotAction" not in statement
            assert "NotResource" not in statement


@pytest.mark.parametrize("name", ROUTES)
def test_a_role_grants_just_what_its_function_does(system: Template, name: str) -> None:
    granted = {
        (action, json.dumps(resource))
        for statement in statements(system, f"{name}Role")
        for action in statement["Action"]
        for resource in statement["Resource"]
    }
    log = json.dumps({"Fn::GetAtt": [f"{name}Logs", "Arn"]})
    table = json.dumps({"Fn::GetAtt": ["IdempotencyRecords", "Arn"]})
    index = json.dumps({"Fn::Sub": "${IdempotencyRecords.Arn}/index/unresolved-index"})
    expected = {(action, log) for action in LOG_ACTIONS}
    expected.add(("sqs:SendMessage", json.dumps({"Fn::GetAtt": ["DeadLetters", "Arn"]})))
    if name in ORDERS:
        expected |= {(action, table) for action in ITEM_ACTIONS}
        expected.add(("dynamodb:Query", index))
        expected.add(("secretsmanager:GetSecretValue", json.dumps({"Fn::GetAtt": [SECRETS[name], "Id"]})))
    else:
        expected.add(("dynamodb:GetItem", table))
    assert granted == expected


@pytest.mark.parametrize("name", ORDERS)
def test_a_function_is_told_only_the_secret_it_may_read(system: Template, name: str) -> None:
    variables = properties(system, name)["Environment"]["Variables"]
    assert variables["SECRET_ID"] == {"Fn::GetAtt": [SECRETS[name], "Id"]}
    others = set(SECRETS.values()) - {SECRETS[name]}
    assert not any(other in json.dumps(properties(system, name)) for other in others)
    assert "SECRET_ID" not in properties(system, "GetOperation")["Environment"]["Variables"]


@pytest.mark.parametrize("name", ROUTES)
def test_records_are_fenced_by_the_operation(system: Template, name: str) -> None:
    (fenced,) = [
        it
        for it in statements(system, f"{name}Role")
        if it["Resource"] == [{"Fn::GetAtt": ["IdempotencyRecords", "Arn"]}]
    ]
    keys = as_list(fenced["Condition"]["ForAllValues:StringLike"]["dynamodb:LeadingKeys"])
    operation = ROUTES[name][0]
    if name == "GetOperation":
        assert keys == ["op_*"]
        return
    tag = base64.b32encode(hashlib.sha256(operation.encode()).digest()).decode().lower()[:4]
    extra = ["secret#vakifbank"] if name == "VakifbankPay" else []
    assert keys == [f"op_{tag}*", f"guard#{operation}#*", *extra]


# ------------------------------------------------------------------ versions


def versions(system: Template) -> dict[str, str]:
    """Function -> logical name of the version its alias runs; a new name is a new version."""
    return {
        alias["Properties"]["FunctionName"]["Ref"]: alias["Properties"]["FunctionVersion"]["Fn::GetAtt"][0]
        for alias in of_type(system, "AWS::Lambda::Alias").values()
    }


def with_another_layer(template: Template) -> Template:
    template = copy.deepcopy(template)
    template["Resources"]["VezneLayer"]["Properties"]["ContentUri"] = {"Bucket": "artifacts", "Key": "changed"}
    return template


def test_a_change_of_the_layer_alone_publishes_every_function() -> None:
    before, after = versions(transformed(source())), versions(transformed(with_another_layer(source())))
    assert before.keys() == after.keys() == ROUTES.keys()
    assert not set(before.values()) & set(after.values())


@pytest.mark.parametrize(
    ("resource", "flag"), [("VezneLayer", "PublishLambdaVersion"), ("PaynetCapture", "AutoPublishAliasAllProperties")]
)
def test_without_either_flag_the_alias_would_keep_the_old_layer(resource: str, flag: str) -> None:
    template = source()
    del template["Resources"][resource]["Properties"][flag]
    before, after = versions(transformed(template)), versions(transformed(with_another_layer(template)))
    assert before["PaynetCapture"] == after["PaynetCapture"]


def test_everything_invokes_the_alias(system: Template) -> None:
    for name in ROUTES:
        assert f"${{{name}Aliaslive}}" in json.dumps(properties(system, "Api")["Body"])
    for rule in of_type(system, "AWS::Events::Rule").values():
        for target in rule["Properties"]["Targets"]:
            assert target["Arn"]["Ref"].endswith("Aliaslive")


def test_the_function_ends_before_the_gateway_gives_up(system: Template) -> None:
    for it in of_type(system, "AWS::Lambda::Function").values():
        assert it["Properties"]["Timeout"] == 27
        assert it["Properties"]["Runtime"] == "python3.13"


# ------------------------------------------------------------------ events nobody waits for


def test_every_order_function_has_its_sweep(system: Template) -> None:
    rules = of_type(system, "AWS::Events::Rule")
    for name in ORDERS:
        sweep = rules[f"{name}Sweep"]["Properties"]
        assert sweep["ScheduleExpression"] == {"Ref": "SweepSchedule"}
        assert [target["Arn"] for target in sweep["Targets"]] == [{"Ref": f"{name}Aliaslive"}]
    assert source()["Parameters"]["SweepSchedule"]["Default"] == "rate(5 minutes)"


def test_retries_are_bounded_at_both_layers_and_end_in_our_queue(system: Template) -> None:
    queue = {"Fn::GetAtt": ["DeadLetters", "Arn"]}
    for name, rule in of_type(system, "AWS::Events::Rule").items():
        for target in rule["Properties"]["Targets"]:
            assert target["DeadLetterConfig"] == {"Arn": queue}, name
            assert target["RetryPolicy"]["MaximumRetryAttempts"] <= 10, name
            assert target["RetryPolicy"]["MaximumEventAgeInSeconds"] <= 21600, name
    for name in ROUTES:
        config = properties(system, f"{name}EventInvokeConfig")
        assert config["Qualifier"] == "live"
        assert config["MaximumRetryAttempts"] == 2
        assert config["DestinationConfig"] == {"OnFailure": {"Destination": queue}}


def test_the_standing_order_example_is_off_and_passes_on_its_time(system: Template) -> None:
    rule = properties(system, "MonthlyCollectionExample")
    assert rule["State"] == "DISABLED"
    transformer = rule["Targets"][0]["InputTransformer"]
    assert transformer["InputPathsMap"] == {"time": "$.time"}
    order = json.loads(transformer["InputTemplate"])["standing_order"]
    assert order["occurrence"] == "<time>"
    assert order["name"]
    assert order["request"]["amount"]


# ------------------------------------------------------------------ data


def test_what_must_not_be_lost_is_retained(system: Template) -> None:
    kept = ("AWS::DynamoDB::Table", "AWS::SecretsManager::Secret", "AWS::Cognito::UserPool", "AWS::SQS::Queue",
            "AWS::Logs::LogGroup")  # fmt: skip
    for resource_type in kept:
        resources = of_type(system, resource_type)
        assert resources, resource_type
        for name, it in resources.items():
            assert it["DeletionPolicy"] == it["UpdateReplacePolicy"] == "Retain", name


def test_the_table_keeps_unknown_outcomes_findable(system: Template) -> None:
    table = properties(system, "IdempotencyRecords")
    assert table["KeySchema"] == [{"AttributeName": "id", "KeyType": "HASH"}]
    (index,) = table["GlobalSecondaryIndexes"]
    assert index["IndexName"] == "unresolved-index"
    assert [key["AttributeName"] for key in index["KeySchema"]] == ["unresolved", "next_look_up"]
    assert index["Projection"] == {"ProjectionType": "INCLUDE", "NonKeyAttributes": ["created_at", "status"]}
    assert table["TimeToLiveSpecification"] == {"AttributeName": "expires_at", "Enabled": True}
    assert table["StreamSpecification"] == {"StreamViewType": "NEW_AND_OLD_IMAGES"}
    assert source()["Parameters"]["ProtectData"]["Default"] == "true"


def test_no_secret_is_in_the_template(system: Template) -> None:
    for name, it in of_type(system, "AWS::SecretsManager::Secret").items():
        assert it["Properties"]["SecretString"] == "{}", name
    for it in of_type(system, "AWS::Lambda::Function").values():
        names = it["Properties"]["Environment"]["Variables"].keys()
        assert not [name for name in names if re.search("KEY|PASSWORD|TOKEN|SALT", name)]


def test_each_function_logs_to_its_own_group(system: Template) -> None:
    for name in ROUTES:
        assert properties(system, name)["LoggingConfig"] == {"LogGroup": {"Ref": f"{name}Logs"}, "LogFormat": "JSON"}
        assert properties(system, f"{name}Logs")["RetentionInDays"] == {"Ref": "LogRetentionDays"}


# ------------------------------------------------------------------ parameters

URLS = ["KolaybiUrl", "VakifbankUrl", "WalletgateUrl", "WalletgateIdentityUrl", "HasoUrl", "PaynetUrl"]


@pytest.mark.parametrize("name", URLS)
def test_a_provider_is_reached_by_https_only_but_for_this_machine(name: str) -> None:
    pattern = source()["Parameters"][name]["AllowedPattern"]
    assert re.fullmatch(pattern, "https://api.example.com")
    assert re.fullmatch(pattern, "http://127.0.0.1:8080")
    for refused in (
        "",
        "http://api.example.com",
        "http://127.0.0.1.example.com:80",
        "https://",
        "https://a b",
        "https://a/",
    ):
        assert not re.fullmatch(pattern, refused), refused


def test_every_provider_but_haso_has_a_test_host_as_default() -> None:
    parameters = source()["Parameters"]
    for name in URLS:
        default = parameters[name].get("Default")
        assert (default is None) == (name == "HasoUrl")
        assert default is None or re.fullmatch(parameters[name]["AllowedPattern"], default)
