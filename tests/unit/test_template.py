"""House rules of template.yaml, asserted on what SAM makes of it: access, rights, versions, events, parameters."""

import ast
import base64
import copy
import hashlib
import json
import re
from pathlib import Path
from typing import Any

import pytest
from vezne.api.handle_order import ORDER_SECONDS
from vezne.orders.record import SHARDS, operation_tag
from vezne.orders.sweep import Worker, worker_of
from vezne_cli import catalogue, emulator
from vezne_cli.catalogue import SCOPES
from vezne_cli.template import Template, source

from tests.support.template import (
    FUNCTIONS,
    LOGIN_RECORDERS,
    ORDERS,
    PUBLIC,
    RECONCILERS,
    RECORDERS,
    ROOT,
    ROUTES,
    SECRETS,
    SHARED_TOKENS,
    URLS,
    as_list,
    attribute,
    of_type,
    properties,
    statements,
    transformed,
)

ITEM_ACTIONS = {"dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:UpdateItem", "dynamodb:DeleteItem"}
LOG_ACTIONS = {"logs:CreateLogStream", "logs:PutLogEvents"}
# What is lost of these is followed by the next.
FOLLOWED = re.compile(r"(Sweep|Night)$")
# What is in the account for others than functions, and what it may do is asserted by its own test.
# They bring final records into the archive: who assumes them.
RECORDS_ROLES = {"RecordsToArchiveRole": "firehose", "RecordsSubscriptionRole": "sns"}
OTHER_ROLES = {"GatewayLogsRole", "DeploymentRole", "OutboxRole", *RECORDS_ROLES}


@pytest.fixture(scope="module")
def system() -> Template:
    return transformed(source())


# ------------------------------------------------------------------ access


def test_every_route_has_the_authorizer_and_exactly_its_scope(system: Template) -> None:
    body = properties(system, "Api")["Body"]
    routes = {
        (method, path): operation["security"]
        for path, methods in body["paths"].items()
        for method, operation in methods.items()
    }
    public = {("get", path): [{"NONE": []}] for path in PUBLIC}
    assert routes == public | {
        (method, path): [{"Tokens": [f"vezne/{name}"]}] for name, method, path in ROUTES.values()
    } | {
        ("get", "/health"): [{"Tokens": properties(system, "Client")["AllowedOAuthScopes"]}],
        ("get", "/operations"): [{"Tokens": ["vezne/operations.read"]}],
        ("get", "/reconciliations/{provider}/{date}"): [{"Tokens": ["vezne/reconciliations.read"]}],
    }


def test_what_is_public_can_reach_nothing(system: Template) -> None:
    variables = properties(system, "Reference")["Environment"]["Variables"]
    assert {name for name in variables if not name.startswith("POWERTOOLS_")} == set()
    actions = {action for statement in statements(system, "ReferenceRole") for action in statement["Action"]}
    assert actions == LOG_ACTIONS


def test_the_authorizer_is_our_user_pool(system: Template) -> None:
    schemes = properties(system, "Api")["Body"]["components"]["securitySchemes"]
    authorizer = schemes["Tokens"]["x-amazon-apigateway-authorizer"]
    assert list(schemes) == ["Tokens"]
    assert authorizer["type"] == "cognito_user_pools"
    assert authorizer["providerARNs"] == [{"Fn::GetAtt": ["UserPool", "Arn"]}]


def test_every_scope_exists_and_the_first_client_has_them_all(system: Template) -> None:
    scopes = {f"vezne/{name}" for name in SCOPES}
    server = properties(system, "ResourceServer")
    assert {f"{server['Identifier']}/{scope['ScopeName']}" for scope in server["Scopes"]} == scopes
    client = properties(system, "Client")
    assert set(client["AllowedOAuthScopes"]) == scopes
    # A token cannot be called back.
    assert (client["AccessTokenValidity"], client["TokenValidityUnits"]) == (15, {"AccessToken": "minutes"})
    assert client["AllowedOAuthFlows"] == ["client_credentials"]
    assert client["GenerateSecret"] is True


def test_no_live_stack_has_a_client_with_every_scope(system: Template) -> None:
    live = {"Fn::Equals": [{"Ref": "StageName"}, "live"]}
    wanted = {"Fn::Equals": [{"Ref": "FirstClient"}, "true"]}
    assert system["Conditions"]["HasFirstClient"] == {"Fn::And": [wanted, {"Fn::Not": [live]}]}
    assert system["Resources"]["Client"]["Condition"] == "HasFirstClient"
    assert system["Outputs"]["ClientId"]["Condition"] == "HasFirstClient"
    # Taken away, it is gone: a client that were kept would go on getting tokens.
    assert "Retain" not in json.dumps({**system["Resources"]["Client"], "Properties": {}})


def test_a_function_with_operations_of_clients_knows_the_first_client(system: Template) -> None:
    known = {"Fn::If": ["HasFirstClient", {"Ref": "Client"}, ""]}
    for name in ("GetOperation", *ORDERS):
        assert properties(system, name)["Environment"]["Variables"]["FIRST_CLIENT_ID"] == known, name


def test_each_order_function_knows_how_long_a_final_operation_is_kept(system: Template) -> None:
    for name in (*ORDERS, *RECONCILERS):
        assert properties(system, name)["Environment"]["Variables"]["KEPT_DAYS"] == {"Ref": "KeptDays"}, name
    parameter = source()["Parameters"]["KeptDays"]
    # As long as a key is good. No back end sends an order again after a month.
    assert parameter["MinValue"] == 30
    assert parameter["Default"] == 90


def test_no_card_is_paid_unless_somebody_decided_so(system: Template) -> None:
    parameter = source()["Parameters"]["CardPayments"]
    assert (parameter["Default"], parameter["AllowedValues"]) == ("false", ["true", "false"])
    assert properties(system, "VakifbankPay")["Environment"]["Variables"]["CARD_PAYMENTS"] == {"Ref": "CardPayments"}


def test_absence_in_a_list_proves_nothing_unless_somebody_decided_so(system: Template) -> None:
    parameter = source()["Parameters"]["VakifbankListIsComplete"]
    assert (parameter["Default"], parameter["AllowedValues"]) == ("false", ["true", "false"])
    variables = properties(system, "VakifbankReconcile")["Environment"]["Variables"]
    assert variables["VAKIFBANK_LIST_IS_COMPLETE"] == {"Ref": "VakifbankListIsComplete"}


def test_there_is_no_second_public_stage(system: Template) -> None:
    assert list(of_type(system, "AWS::ApiGateway::Stage")) == ["ApiStage"]
    assert properties(system, "ApiStage")["StageName"] == {"Ref": "StageName"}
    assert not of_type(system, "AWS::Lambda::Url")


def test_a_gateway_refusal_is_a_problem(system: Template) -> None:
    responses = properties(system, "Api")["Body"]["x-amazon-apigateway-gateway-responses"]
    for name, response in responses.items():
        template, values = response["responseTemplates"]["application/json"]["Fn::Sub"]
        problem = json.loads(template)
        # A domain of one's own has the stage mapped away, and is then the only way in.
        assert values == {"StagePath": {"Fn::If": ["HasDomain", "", {"Fn::Sub": "/${StageName}"}]}}, name
        assert problem["type"].startswith("${StagePath}/problems/"), name
        assert response["responseParameters"]["gatewayresponse.header.Content-Type"] == "'application/problem+json'"
        assert problem.keys() - {"detail"} == {"type", "code", "title", "status", "money", "retry"}, name
        assert problem["status"] == int(response["statusCode"]), name
        # Nobody looked at the record, so only of what is always refused is it certain that no attempt moved anything.
        assert problem["money"] == ("not_moved" if problem["status"] in (400, 404, 413, 415) else "unknown"), name
        assert problem["retry"] in ("same_key", "never"), name
        if problem["status"] >= 500:
            assert problem["retry"] == "same_key", name
    statuses = {name: response["statusCode"] for name, response in responses.items()}
    assert statuses["UNAUTHORIZED"] == "401"
    assert statuses["MISSING_AUTHENTICATION_TOKEN"] == "404"
    assert {"DEFAULT_4XX", "DEFAULT_5XX", "REQUEST_TOO_LARGE", "THROTTLED", "INTEGRATION_TIMEOUT"} <= statuses.keys()
    # What the gateway refuses by validators and usage plans, of which there are none.
    assert not statuses.keys() & {
        "BAD_REQUEST_BODY", "BAD_REQUEST_PARAMETERS", "UNSUPPORTED_MEDIA_TYPE", "QUOTA_EXCEEDED", "INVALID_API_KEY",
    }  # fmt: skip
    assert "x-amazon-apigateway-request-validator" not in json.dumps(properties(system, "Api")["Body"])
    assert not of_type(system, "AWS::ApiGateway::UsagePlan")


# ------------------------------------------------------------------ rights


def test_each_function_has_a_role_of_its_own(system: Template) -> None:
    functions = of_type(system, "AWS::Lambda::Function")
    assert functions.keys() == {*FUNCTIONS}
    assert {name: it["Properties"]["Role"] for name, it in functions.items()} == {
        name: {"Fn::GetAtt": [f"{name}Role", "Arn"]} for name in functions
    }
    assert of_type(system, "AWS::IAM::Role").keys() == {f"{name}Role" for name in functions} | OTHER_ROLES


def test_no_role_has_a_wildcard_action_or_resource(system: Template) -> None:
    for role, it in of_type(system, "AWS::IAM::Role").items():
        assert ("ManagedPolicyArns" in it["Properties"]) == (role == "GatewayLogsRole"), role
        for statement in statements(system, role):
            assert "*" not in json.dumps(statement["Action"]), (role, statement["Sid"])
            if statement["Action"] != ["cloudwatch:DescribeAlarms"]:
                objects = statement["Sid"] in ("OwnReports", "Records")
                assert objects or "*" not in json.dumps(statement["Resource"]), role
            assert "NotAction" not in statement
            assert "NotResource" not in statement


def test_each_role_is_assumable_by_one_service(system: Template) -> None:
    services = {"GatewayLogsRole": "apigateway", "DeploymentRole": "codedeploy", "OutboxRole": "pipes", **RECORDS_ROLES}
    for role, it in of_type(system, "AWS::IAM::Role").items():
        (statement,) = it["Properties"]["AssumeRolePolicyDocument"]["Statement"]
        assert statement["Action"] == "sts:AssumeRole"
        assert statement["Principal"] == {"Service": f"{services.get(role, 'lambda')}.amazonaws.com"}


@pytest.mark.parametrize("name", [*ROUTES, *RECONCILERS])
def test_a_role_grants_just_what_its_function_does(system: Template, name: str) -> None:
    granted = {
        (action, json.dumps(resource))
        for statement in statements(system, f"{name}Role")
        for action in statement["Action"]
        for resource in statement["Resource"]
        if not action.startswith("kms:")
    }
    log = json.dumps(attribute(f"{name}Logs"))
    table = json.dumps(attribute("IdempotencyRecords"))
    index = json.dumps({"Fn::Sub": "${IdempotencyRecords.Arn}/index/unresolved-index"})
    expected = {(action, log) for action in LOG_ACTIONS}
    if name in ORDERS or name in RECONCILERS:
        expected |= {(action, table) for action in ITEM_ACTIONS}
        expected.add(("sqs:SendMessage", json.dumps(attribute("DeadLetters"))))
        expected.add(("dynamodb:Query", index))
    if name in RECONCILERS:
        expected.add(("dynamodb:Query", json.dumps({"Fn::Sub": "${IdempotencyRecords.Arn}/index/day-index"})))
        own = {"Of": RECONCILERS[name].partition(".")[0]}
        expected |= {
            (action, json.dumps({"Fn::Sub": [f"${{Archive.Arn}}/{prefix}/${{Of}}/*", own]}))
            for action in ("s3:GetObject", "s3:PutObject")
            for prefix in ("reconciliations", "parts")
        }
    if name in SECRETS:
        expected.add(("secretsmanager:GetSecretValue", json.dumps(attribute(SECRETS[name], "Id"))))
    if name in SHARED_TOKENS:
        token = json.dumps(attribute(SHARED_TOKENS[name], "Id"))
        expected |= {("secretsmanager:GetSecretValue", token), ("secretsmanager:PutSecretValue", token)}
    if name in LOGIN_RECORDERS:
        expected.add(("dynamodb:UpdateItem", table))
    if name == "GetOperation":
        expected.add(("dynamodb:GetItem", table))
        expected.add(("dynamodb:Query", json.dumps({"Fn::Sub": "${IdempotencyRecords.Arn}/index/own-index"})))
    assert granted == expected


@pytest.mark.parametrize("name", [*ROUTES, *RECONCILERS])
def test_a_role_may_use_the_key_only_for_what_it_may_reach(system: Template, name: str) -> None:
    uses: dict[str, list[Any]] = {}
    for statement in statements(system, f"{name}Role"):
        if not any(action.startswith("kms:") for action in statement["Action"]):
            continue
        assert statement["Resource"] == [attribute("Key")]
        narrowed = dict(statement["Condition"]["StringEquals"])
        service = narrowed.pop("kms:ViaService")["Fn::Sub"].removesuffix(".${AWS::Region}.amazonaws.com")
        uses.setdefault(service, []).append(narrowed)
    expected = {}
    if name in ORDERS or name in RECONCILERS:
        expected["sqs"] = [{"kms:EncryptionContext:aws:sqs:arn": attribute("DeadLetters")}]
    if name in RECONCILERS:
        expected["s3"] = [{"kms:EncryptionContext:aws:s3:arn": attribute("Archive")}]
    if name in RECORDERS:
        expected["dynamodb"] = [{"kms:EncryptionContext:aws:dynamodb:tableName": {"Ref": "IdempotencyRecords"}}]
    if name in SECRETS:
        secrets = [SECRETS[name], *([SHARED_TOKENS[name]] if name in SHARED_TOKENS else [])]
        expected["secretsmanager"] = [{"kms:EncryptionContext:SecretARN": attribute(one, "Id")} for one in secrets]
    assert uses == expected


@pytest.mark.parametrize("name", SECRETS)
def test_a_function_is_told_only_the_secret_it_may_read(system: Template, name: str) -> None:
    variables = properties(system, name)["Environment"]["Variables"]
    assert variables["SECRET_ID"] == {"Fn::GetAtt": [SECRETS[name], "Id"]}
    shared = attribute(SHARED_TOKENS[name], "Id") if name in SHARED_TOKENS else None
    assert variables.get("LOGIN_SECRET_ID") == shared
    others = {*SECRETS.values(), *SHARED_TOKENS.values()} - {SECRETS[name], SHARED_TOKENS.get(name)}
    assert ("TABLE_NAME" in variables) == (name in RECORDERS)
    assert not any(other in json.dumps(properties(system, name)) for other in others)
    assert "SECRET_ID" not in properties(system, "GetOperation")["Environment"]["Variables"]


def attributes_of_expressions(module: Path) -> set[str]:
    """The attributes that the expressions written out in this module name."""
    expressions = [
        constant.value
        for node in ast.walk(ast.parse(module.read_text()))
        if isinstance(node, ast.keyword) and str(node.arg).endswith("Expression")
        for constant in ast.walk(node.value)
        if isinstance(constant, ast.Constant) and isinstance(constant.value, str)
    ]
    return {name for text in expressions for name in emulator.attributes({"ConditionExpression": text})}


@pytest.mark.parametrize("name", RECORDERS)
def test_records_are_fenced_by_the_operation(system: Template, name: str) -> None:
    (fenced,) = [
        it
        for it in statements(system, f"{name}Role")
        if it["Resource"] == [{"Fn::GetAtt": ["IdempotencyRecords", "Arn"]}]
    ]
    operation = RECONCILERS.get(name) or ROUTES[name][0]
    if name in LOGIN_RECORDERS:
        written = attributes_of_expressions(ROOT / "shared" / "vezne" / "providers" / "login_lock.py")
        assert fenced["Condition"] == {
            "ForAllValues:StringEquals": {
                "dynamodb:LeadingKeys": "secret#vakifbank",
                "dynamodb:Attributes": sorted({"id"} | written),
            },
            "StringEqualsIfExists": {"dynamodb:ReturnValues": "NONE"},
        }
        return
    keys = as_list(fenced["Condition"]["ForAllValues:StringLike"]["dynamodb:LeadingKeys"])
    if name == "GetOperation":
        assert keys == ["op_*", "breaker#*", "reconciliation#*", "finding#*"]
        return
    if name in RECONCILERS:
        provider = operation.partition(".")[0]
        # An operation whose payments the provider's list does not show needs no right here.
        orders = catalogue.RECONCILERS[provider].statement.operations
        login = ["secret#vakifbank"] if provider == "vakifbank" else []
        guards = [f"guard#{order}#*" for order in orders]
        own = [f"reconciliation#{provider}#*", f"finding#{provider}#*"]
        assert sorted(keys) == sorted([*(f"op_{operation_tag(order)}*" for order in orders), *guards, *login, *own])
        assert system["Mappings"]["Functions"][name]["Provider"] == provider
        return
    tag = base64.b32encode(hashlib.sha256(operation.encode()).digest()).decode().lower()[:4]
    extra = ["secret#vakifbank"] if name == "VakifbankPay" else []
    breaker = f"breaker#{operation.partition('.')[0]}"
    # Who meets another operation's guard also reads the record that holds it, and may find it left behind.
    shared = catalogue.ORDERS[operation].declaration.shares_guards_of
    sharing = [each.name for each in catalogue.ORDERS.values() if operation in each.declaration.shares_guards_of]
    # Or a third operation holds it, which shares it as well.
    beside = [each.name for each in catalogue.ORDERS.values() if set(shared) & set(each.declaration.shares_guards_of)]
    beside = [one for one in beside if one != operation]
    records = [f"op_{operation_tag(one)}*" for one in [*shared, *sharing, *beside]]
    others = [f"guard#{one}#*" for one in shared]
    assert keys == [f"op_{tag}*", *records, f"guard#{operation}#*", *others, *extra, breaker]


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
    assert before.keys() == after.keys() == {*FUNCTIONS}
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
    """But for those that sweep, where the code ends an order after the same 27 s, and those that nobody waits for."""
    for name, it in of_type(system, "AWS::Lambda::Function").items():
        limits = dict.fromkeys(ORDERS, 58) | dict.fromkeys(RECONCILERS, 900)
        assert it["Properties"]["Timeout"] == limits.get(name, ORDER_SECONDS), name
        assert it["Properties"]["Runtime"] == "python3.13"
    assert ORDER_SECONDS == 27


# ------------------------------------------------------------------ events nobody waits for


def test_every_order_function_has_its_sweeps(system: Template) -> None:
    """Two rules with the workers that there may be: a rule has five targets at most."""
    for name in ORDERS:
        workers = []
        for rule in (f"{name}Sweep", f"{name}MoreSweep"):
            sweep = properties(system, rule)
            assert sweep["ScheduleExpression"] == {"Ref": "SweepSchedule"}
            assert len(sweep["Targets"]) <= 5
            assert {target["Arn"]["Ref"] for target in sweep["Targets"]} == {f"{name}Aliaslive"}
            workers += [worker_of(json.loads(sent(target["Input"], of="4"))) for target in sweep["Targets"]]
            assert properties(system, f"{rule}Permission")["SourceArn"] == attribute(rule)
        assert workers == [Worker(number, 4) for number in range(SHARDS)]
    parameters = source()["Parameters"]
    assert parameters["SweepSchedule"]["Default"] == "rate(1 minute)"
    declared = parameters["SweepWorkers"]
    assert declared["Default"] == "4"
    assert re.fullmatch(declared["AllowedPattern"], str(SHARDS))
    assert not any(re.fullmatch(declared["AllowedPattern"], other) for other in ("", "0", "9", "10"))


def sent(event: dict[str, Any], of: str) -> str:
    """The text of an event, with its own values and the number of workers filled in."""
    text, values = event["Fn::Sub"]
    for name, value in {**values, "SweepWorkers": of}.items():
        text = text.replace(f"${{{name}}}", value)
    return str(text)


def test_every_reconciliation_has_its_night_but_on_the_local_stack(system: Template) -> None:
    for name in RECONCILERS:
        rule = properties(system, f"{name}Night")
        assert rule["ScheduleExpression"] == {"Ref": "ReconciliationSchedule"}
        assert rule["State"] == {"Fn::If": ["NotLocal", "ENABLED", "DISABLED"]}
        (target,) = rule["Targets"]
        assert (target["Arn"], json.loads(target["Input"])) == ({"Ref": f"{name}Aliaslive"}, {"reconcile": {}})
        assert properties(system, f"{name}NightPermission")["SourceArn"] == attribute(f"{name}Night")
    assert source()["Conditions"]["NotLocal"] == {"Fn::Not": [{"Fn::Equals": [{"Ref": "StageName"}, "local"]}]}
    schedule = source()["Parameters"]["ReconciliationSchedule"]
    # Three times in the half hour after 03:30 in Istanbul, so that what was cut off is done in the same night.
    assert schedule["Default"] == "cron(30/10 0 * * ? *)"
    assert re.fullmatch(schedule["AllowedPattern"], schedule["Default"])


@pytest.mark.parametrize("workers", range(1, SHARDS + 1))
def test_a_rule_without_a_worker_that_is_needed_is_off(workers: int) -> None:
    rules = source()["Mappings"]["SweepRules"]
    needed = {rule: any(int(it[place]) < workers for place in "ABCD") for rule, it in rules.items()}
    assert {rule: it[str(workers)] == "ENABLED" for rule, it in rules.items()} == needed


def test_retries_are_bounded_at_both_layers_and_end_in_our_queue(system: Template) -> None:
    queue = {"Fn::GetAtt": ["DeadLetters", "Arn"]}
    for name, rule in of_type(system, "AWS::Events::Rule").items():
        for target in rule["Properties"]["Targets"]:
            assert target.get("DeadLetterConfig") == (None if FOLLOWED.search(name) else {"Arn": queue}), name
            assert target["RetryPolicy"]["MaximumRetryAttempts"] <= 10, name
            assert target["RetryPolicy"]["MaximumEventAgeInSeconds"] <= 21600, name
    for name in (*ORDERS, *RECONCILERS):
        config = properties(system, f"{name}EventInvokeConfig")
        assert config["Qualifier"] == "live"
        assert config["MaximumRetryAttempts"] == 2
        assert config["DestinationConfig"] == {"OnFailure": {"Destination": queue}}


def test_every_standing_order_may_put_what_it_cannot_hand_over_into_our_queue(system: Template) -> None:
    """By its ARN: the names that CloudFormation makes do not begin with a stack's whole name if that is long."""
    (statement,) = properties(system, "DeadLettersPolicy")["PolicyDocument"]["Statement"]
    assert statement["Principal"] == {"Service": "events.amazonaws.com"}
    assert statement["Condition"]["StringEquals"] == {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}
    (listed,) = statement["Condition"]["ArnEquals"].values()
    rules = [name for name in of_type(system, "AWS::Events::Rule") if not FOLLOWED.search(name)]
    assert sorted(arn["Fn::GetAtt"][0] for arn in listed) == sorted(rules)


def test_the_standing_order_example_is_off_and_passes_on_its_time(system: Template) -> None:
    rule = properties(system, "MonthlyCollectionExample")
    assert rule["State"] == "DISABLED"
    transformer = rule["Targets"][0]["InputTransformer"]
    assert transformer["InputPathsMap"] == {"time": "$.time"}
    order = json.loads(transformer["InputTemplate"])["standing_order"]
    assert order["occurrence"] == "<time>"
    assert order["name"]
    assert order["request"]["amount"]


# ------------------------------------------------------------------ parameters


@pytest.mark.parametrize("name", URLS.values())
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
    for name in URLS.values():
        default = parameters[name].get("Default")
        assert (default is None) == (name == "HasoUrl")
        assert default is None or re.fullmatch(parameters[name]["AllowedPattern"], default)
