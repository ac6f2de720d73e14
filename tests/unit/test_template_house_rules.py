"""Rules that every resource of template.yaml keeps, also one that is added later and named in no other test."""

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
import yaml
from vezne_cli.catalogue import PROVIDERS
from vezne_cli.processes import ROOT
from vezne_cli.template import Template, expanded, source

from tests.support.template import RECONCILERS, URLS, attribute, of_type, transformed

# All that a function is told: names and addresses. A switch such as POWERTOOLS_IDEMPOTENCY_DISABLED or
# POWERTOOLS_LOGGER_LOG_EVENT is not among them, and what is secret is in its own place.
VARIABLES = {
    "TABLE_NAME": [{"Ref": "IdempotencyRecords"}],
    "SECRET_ID": [attribute(provider.secret, "Id") for provider in PROVIDERS.values()],
    "LOGIN_SECRET_ID": [attribute(one.token_secret, "Id") for one in PROVIDERS.values() if one.token_secret],
    **{variable: [{"Ref": name}] for variable, name in URLS.items()},
    "ARCHIVE_BUCKET": [{"Ref": "Archive"}],
    "KEPT_DAYS": [{"Ref": "KeptDays"}],
    "VAKIFBANK_LIST_IS_COMPLETE": [{"Ref": "VakifbankListIsComplete"}],
    "CARD_PAYMENTS": [{"Ref": "CardPayments"}],
    "FIRST_CLIENT_ID": [{"Fn::If": ["HasFirstClient", {"Ref": "Client"}, ""]}],
    "SCOPES": [{"Fn::Join": [" ", source()["Resources"]["Client"]["Properties"]["AllowedOAuthScopes"]]}],
    "POWERTOOLS_SERVICE_NAME": ["vezne"],
    "POWERTOOLS_METRICS_NAMESPACE": [{"Fn::Sub": "Vezne/${AWS::StackName}"}],
    "POWERTOOLS_LOG_LEVEL": [{"Ref": "LogLevel"}],
}  # fmt: skip

# The statements whose resource is "*", and their one call.
READ_EVERYWHERE = {("DeploymentRole", "LookAtTheAlarms"): "cloudwatch:DescribeAlarms"}

# So that one person can read it in one sitting. Past this, look first for what is said twice: a loop, an anchor or a
# row of a mapping says it once.
LONGEST = 1700

# CloudFormation refuses a template with more resources. AWS: "CloudFormation quotas".
MOST_RESOURCES = 500

OBJECTS = re.compile(r"\$\{Archive\.Arn\}/(\w+/\$\{Of\}/|(failed-)?records/)?\*")


@pytest.fixture(scope="module")
def system() -> Template:
    return transformed(source())


def policies(system: Template) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every statement of every policy of the template, with the resource that has it."""

    def statements(value: Any) -> Iterator[dict[str, Any]]:
        if isinstance(value, dict):
            found = value.get("Statement", [])
            yield from found if isinstance(found, list) else [found]
            for inner in value.values():
                yield from statements(inner)
        elif isinstance(value, list):
            for inner in value:
                yield from statements(inner)

    for name, resource in system["Resources"].items():
        for statement in statements(resource.get("Properties", {})):
            if "Effect" in statement:
                yield name, statement


def test_the_template_can_be_read_as_a_whole() -> None:
    assert len((ROOT / "template.yaml").read_text().splitlines()) <= LONGEST


def test_cloudformation_takes_so_many_resources(system: Template) -> None:
    assert len(system["Resources"]) <= MOST_RESOURCES


def test_no_policy_allows_everything_or_everybody(system: Template) -> None:
    found = list(policies(system))
    assert len(found) > 50
    for name, statement in found:
        assert "NotAction" not in statement, name
        assert "NotResource" not in statement, name
        assert "NotPrincipal" not in statement, name
        assert statement["Effect"] == "Deny" or "*" not in json.dumps(statement["Action"]), name
        # Everybody may be denied something.
        assert statement["Effect"] == "Deny" or "*" not in json.dumps(statement.get("Principal")), name
        # In a key's own policy "*" means this key.
        if system["Resources"][name]["Type"] == "AWS::KMS::Key" or (name, statement.get("Sid")) in READ_EVERYWHERE:
            continue
        # Objects of the archive are named by the beginning of their names.
        assert "*" not in OBJECTS.sub("", json.dumps(statement.get("Resource"))), name


def test_what_is_allowed_everywhere_only_reads(system: Template) -> None:
    found = {(name, it["Sid"]): it for name, it in policies(system) if (name, it.get("Sid")) in READ_EVERYWHERE}
    assert {key: (it["Action"], it["Resource"]) for key, it in found.items()} == {
        key: (action, "*") for key, action in READ_EVERYWHERE.items()
    }


def test_every_function_is_told_only_what_is_on_the_list(system: Template) -> None:
    functions = of_type(system, "AWS::Lambda::Function")
    assert functions
    for name, it in functions.items():
        for variable, value in it["Properties"]["Environment"]["Variables"].items():
            assert value in VARIABLES[variable], (name, variable)


def test_every_function_has_limits_a_role_and_a_log(system: Template) -> None:
    functions = of_type(system, "AWS::Lambda::Function")
    assert functions
    for name, it in functions.items():
        function = it["Properties"]
        assert function["Runtime"] == "python3.13", name
        assert 1 < function["Timeout"] < 60 or (name in RECONCILERS and function["Timeout"] == 900), name
        assert function["Role"] == attribute(f"{name}Role", "Arn"), name
        assert function["LoggingConfig"]["LogGroup"] == {"Ref": f"{name}Logs"}, name


def test_failed_asynchronous_events_go_to_the_dead_letters(system: Template) -> None:
    """A function that a rule invokes, and no other: the others never write a dead letter, and have no right to."""
    aliases = {name: it["Properties"] for name, it in of_type(system, "AWS::Lambda::Alias").items()}
    invoked = {
        aliases[target["Arn"]["Ref"]]["FunctionName"]["Ref"]: aliases[target["Arn"]["Ref"]]["Name"]
        for rule in of_type(system, "AWS::Events::Rule").values()
        for target in rule["Properties"]["Targets"]
    }
    configs = {it["Properties"]["FunctionName"]["Ref"]: it["Properties"]
               for it in of_type(system, "AWS::Lambda::EventInvokeConfig").values()}  # fmt: skip
    assert invoked
    assert {name: config["Qualifier"] for name, config in configs.items()} == invoked
    for name, config in configs.items():
        assert config["DestinationConfig"]["OnFailure"]["Destination"] == attribute("DeadLetters"), name
        assert config["MaximumRetryAttempts"] <= 2, name
    senders = {name for name, statement in policies(system) if attribute("DeadLetters") == statement.get("Resource")}
    assert senders == {f"{name}Role" for name in invoked} | {"DeadLettersPolicy"}


def test_no_two_functions_share_a_role_or_a_log(system: Template) -> None:
    functions = [it["Properties"] for it in of_type(system, "AWS::Lambda::Function").values()]
    for shared in (lambda it: it["Role"], lambda it: it["LoggingConfig"]["LogGroup"]):
        assert len({json.dumps(shared(it)) for it in functions}) == len(functions)


def test_every_table_can_be_brought_back(system: Template) -> None:
    tables = of_type(system, "AWS::DynamoDB::Table")
    assert tables
    for name, it in tables.items():
        table = it["Properties"]
        protected = {"Fn::If": ["DataProtected", True, False]}
        assert table["PointInTimeRecoverySpecification"]["PointInTimeRecoveryEnabled"] == protected, name
        assert table["DeletionProtectionEnabled"] == protected, name
        assert table["SSESpecification"]["KMSMasterKeyId"], name
    assert not of_type(system, "AWS::Serverless::SimpleTable")


def test_every_skipped_check_has_its_reason() -> None:
    """Checkov's suppressions are a list of decisions, not a way to be rid of findings."""
    text = (ROOT / ".checkov.yaml").read_text()
    listed = yaml.safe_load(text)["skip-check"]
    assert sorted(listed) == ["CKV_AWS_115", "CKV_AWS_116", "CKV_AWS_117", "CKV_AWS_173"]
    for check in listed:
        (reason,) = re.findall(rf"((?:  #.*\n)+)  - {check}$", text, re.MULTILINE)
        assert len(reason) > 80, check
    skipped = [
        skip
        for resource in expanded(source())["Resources"].values()
        for skip in resource.get("Metadata", {}).get("checkov", {}).get("skip", [])
    ]
    assert sorted(skip["id"] for skip in skipped) == ["CKV_AWS_120", "CKV_AWS_18", "CKV_AWS_28", "CKV_AWS_73"]
    assert all(len(skip["comment"]) > 30 for skip in skipped)
