"""Bad parameters are refused before anything is created, and a creation that fails leaves nothing behind."""

import json
from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import Any

import pytest
from botocore.exceptions import ClientError, WaiterError
from samtranslator.yaml_helper import yaml_parse
from vezne_cli.build import BUCKET
from vezne_cli.catalogue import URLS
from vezne_cli.connection import STACK_NAME
from vezne_cli.stack import Stack
from vezne_cli.template import expanded, source

LIVE = {
    "StageName": "live",
    **dict.fromkeys(URLS.values(), "https://live.example"),
    "HasoUrl": "https://haso.example/servis",
    "GradualDeployment": "false",
}
SHARES = {**LIVE, "OrderConcurrency": "90", "InquiryConcurrency": "10", "ClaimedConcurrencyAlarm": "800"}
TEST = {"StageName": "test", "HasoUrl": "https://haso.example/servis"}
CERTIFICATE = "arn:aws:acm:eu-central-1:123456789012:certificate/a-b"
NAME = "refused"


def deployed_template(stack: Stack) -> dict[str, Any]:
    """The deployed template, without the one type that MiniStack refuses before it checks a rule."""
    deployed = stack.aws("cloudformation").get_template(StackName=STACK_NAME, TemplateStage="Original")
    body = deployed["TemplateBody"]
    template = expanded(yaml_parse(body) if isinstance(body, str) else body)
    del template["Resources"]["WebAclAssociation"]
    return template


def put(stack: Stack, template: dict[str, Any], name: str) -> str:
    """Put the template where CloudFormation can read it. Returns the URL."""
    stack.aws("s3").put_object(Bucket=BUCKET, Key=name, Body=json.dumps(template))
    return f"{stack.aws_endpoint_url}/{BUCKET}/{name}"


@pytest.fixture(scope="module")
def template_url(whole_stack: Stack) -> str:
    return put(whole_stack, deployed_template(whole_stack), "parameters.json")


@pytest.fixture
def cloudformation(whole_stack: Stack) -> Iterator[Any]:
    client = whole_stack.aws("cloudformation")
    yield client
    with suppress(ClientError):
        client.delete_stack(StackName=NAME)


def propose(cloudformation: Any, template_url: str, parameters: Mapping[str, str]) -> None:
    """Do what `sam deploy` does first. It creates nothing."""
    cloudformation.create_change_set(
        StackName=NAME,
        ChangeSetName="parameters",
        ChangeSetType="CREATE",
        TemplateURL=template_url,
        Capabilities=["CAPABILITY_IAM"],
        Parameters=[{"ParameterKey": name, "ParameterValue": value} for name, value in parameters.items()],
    )


@pytest.mark.parametrize("parameters", [LIVE, TEST, SHARES], ids=["live", "test", "with shares"])
def test_good_parameters_are_accepted(cloudformation: Any, template_url: str, parameters: dict[str, str]) -> None:
    propose(cloudformation, template_url, {**defaults(), **parameters})


@pytest.mark.parametrize(
    ("parameters", "reason"),
    [
        ({**TEST, "StageName": "production"}, "StageName"),
        ({**TEST, "HasoUrl": ""}, "HasoUrl"),
        ({**LIVE, "HasoUrl": "http://haso.example/servis"}, "HasoUrl"),
        ({**LIVE, "PaynetUrl": "http://api.paynet.com.tr"}, "PaynetUrl"),
        ({**LIVE, "PaynetUrl": "https://pts-api.paynet.com.tr"}, "PaynetUrl"),
        ({**LIVE, "ProtectData": "false"}, "ProtectData"),
        ({**LIVE, "Firewall": "false"}, "Firewall"),
        ({**LIVE, "LogLevel": "DEBUG"}, "LogLevel"),
        ({**TEST, "LogLevel": "WARN"}, "LogLevel"),
        ({**TEST, "PaynetUrl": "https://api.paynet.com.tr"}, "PaynetUrl"),
        ({**TEST, "StageName": "local", "PaynetUrl": "https://api.paynet.com.tr"}, "PaynetUrl"),
        ({**TEST, "SweepSchedule": "rate(365 days)"}, "SweepSchedule"),
        ({**TEST, "SweepSchedule": "rate(1 hour)"}, "SweepSchedule"),
        ({**TEST, "DomainName": "pay.example.com"}, "CertificateArn"),
        ({**TEST, "TruststoreUri": "s3://bucket/truststore.pem"}, "DomainName"),
        ({**TEST, "OwnershipCertificateArn": CERTIFICATE}, "TruststoreUri"),
        ({**TEST, "OrderConcurrency": "0"}, "OrderConcurrency"),
        ({**TEST, "OrderConcurrency": "9"}, "OrderConcurrency"),
        ({**TEST, "InquiryConcurrency": "0"}, "InquiryConcurrency"),
    ],
)
def test_bad_parameters_are_refused(
    cloudformation: Any, template_url: str, parameters: dict[str, str], reason: str
) -> None:
    with pytest.raises(ClientError) as refused:
        propose(cloudformation, template_url, {**defaults(), **parameters})
    assert refused.value.response["Error"]["Code"] == "ValidationError"
    assert reason in str(refused.value)
    names = [stack["StackName"] for stack in cloudformation.describe_stacks()["Stacks"]]
    assert names == [STACK_NAME]


def defaults() -> dict[str, str]:
    """The template's own defaults, instead of the local stack's."""
    parameters = source()["Parameters"]
    return {name: str(it["Default"]) for name, it in parameters.items() if "Default" in it}


def test_a_first_deployment_that_fails_leaves_nothing_behind(whole_stack: Stack, cloudformation: Any) -> None:
    """Retained resources have names that nobody would look for."""
    template = deployed_template(whole_stack)
    resources = template["Resources"]
    kept = {name for name, it in resources.items() if it.get("DeletionPolicy") == "RetainExceptOnCreate"}
    assert len(kept) > 20
    # No signal comes, so the creation fails after a second.
    resources["Never"] = {"Type": "AWS::CloudFormation::WaitConditionHandle"}
    resources["Fails"] = {
        "Type": "AWS::CloudFormation::WaitCondition",
        "DependsOn": sorted(kept),
        "Properties": {"Handle": {"Ref": "Never"}, "Timeout": "1", "Count": 1},
    }
    parameters = {**defaults(), **TEST, "GatewayLogRole": "false", "GradualDeployment": "false", "ProtectData": "false"}
    cloudformation.create_stack(
        StackName=NAME,
        TemplateURL=put(whole_stack, template, "failing.json"),
        Capabilities=["CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND"],
        Parameters=[{"ParameterKey": name, "ParameterValue": value} for name, value in parameters.items()],
    )
    with suppress(WaiterError):
        cloudformation.get_waiter("stack_create_complete").wait(StackName=NAME, WaiterConfig={"Delay": 1})
    (stack,) = cloudformation.describe_stacks(StackName=NAME)["Stacks"]
    assert stack["StackStatus"] == "ROLLBACK_COMPLETE"
    pages = cloudformation.get_paginator("describe_stack_events").paginate(StackName=NAME)
    events = {(it["LogicalResourceId"], it["ResourceStatus"]) for page in pages for it in page["StackEvents"]}
    assert {name for name in kept if (name, "DELETE_COMPLETE") not in events} == set()
    assert not [name for name in whole_stack.aws("dynamodb").list_tables()["TableNames"] if name.startswith(NAME)]
