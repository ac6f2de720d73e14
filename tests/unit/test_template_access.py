"""House rules of template.yaml: throttling, firewall, a domain of one's own, and what the parameters' rules refuse."""

import json
import re
from typing import Any

import pytest
from vezne_cli.catalogue import PROVIDERS
from vezne_cli.template import Template, source

from tests.support.template import INQUIRIES, ORDERS, ROUTES, URLS, attribute, properties, transformed


@pytest.fixture(scope="module")
def system() -> Template:
    return transformed(source())


# ------------------------------------------------------------------ throttling and concurrency


def test_every_route_is_throttled_by_itself(system: Template) -> None:
    """AWS takes what is said for all methods for each of them; to write one out again would say nothing more."""
    (settings,) = properties(system, "ApiStage")["MethodSettings"]
    assert (settings["HttpMethod"], settings["ResourcePath"]) == ("*", "/*")
    assert settings["ThrottlingRateLimit"] == {"Ref": "ThrottlingRate"}
    assert settings["ThrottlingBurstLimit"] == {"Ref": "ThrottlingBurst"}
    # Billed for each route, and read by nobody: alarm and dashboard are of the stage.
    assert not settings.get("MetricsEnabled")
    defaults = source()["Parameters"]
    assert 0 < defaults["ThrottlingRate"]["Default"] <= defaults["ThrottlingBurst"]["Default"] <= 1000


@pytest.mark.parametrize("name", ROUTES)
def test_functions_of_a_kind_have_the_same_share_of_the_instances(system: Template, name: str) -> None:
    """A share is a limit, too: a provider that hangs takes no instance of another function."""
    kinds = dict.fromkeys(ORDERS, ("LimitsOrders", "OrderConcurrency"))
    kinds |= dict.fromkeys(INQUIRIES, ("LimitsInquiries", "InquiryConcurrency"))
    if name not in kinds:
        # It calls no provider, so it does not hang: it takes what is left.
        assert "ReservedConcurrentExecutions" not in properties(system, name)
        return
    condition, parameter = kinds[name]
    assert properties(system, name)["ReservedConcurrentExecutions"] == {
        "Fn::If": [condition, {"Ref": parameter}, {"Ref": "AWS::NoValue"}]
    }
    assert system["Conditions"][condition] == {"Fn::Not": [{"Fn::Equals": [{"Ref": parameter}, ""]}]}


def test_by_default_no_instance_is_reserved() -> None:
    """AWS refuses a reservation that leaves less than 100 of the account's limit; a new account may have 10 in all."""
    for name in ("OrderConcurrency", "InquiryConcurrency"):
        assert source()["Parameters"][name]["Default"] == ""


def test_a_share_of_an_order_has_room_for_its_sweeps_and_an_order() -> None:
    """Rules of CloudFormation cannot compare numbers, so the smallest share is above the most workers."""
    parameters = source()["Parameters"]
    share, workers = parameters["OrderConcurrency"]["AllowedPattern"], parameters["SweepWorkers"]["AllowedPattern"]
    most_workers = max(number for number in range(100) if re.fullmatch(workers, str(number)))
    allowed = {number for number in range(20_000) if re.fullmatch(share, str(number))}
    assert most_workers == 8
    assert allowed == set(range(10, 10_000))
    assert not any(re.fullmatch(share, text) for text in ("-1", "010", "10.5"))


@pytest.mark.parametrize("name", ["OrderConcurrency", "InquiryConcurrency"])
def test_no_share_is_zero(name: str) -> None:
    """It would stop orders with 5xx answers that say nothing of the money, and the sweeps of what is unknown."""
    pattern = source()["Parameters"][name]["AllowedPattern"]
    assert not any(re.fullmatch(pattern, text) for text in ("0", "00", "-1"))
    assert re.fullmatch(pattern, "1000")


@pytest.mark.parametrize("name", ORDERS)
def test_the_sweep_rules_follow_the_number_of_workers(system: Template, name: str) -> None:
    for rule in ("Sweep", "MoreSweep"):
        needed = {"Fn::FindInMap": ["SweepRules", rule, {"Ref": "SweepWorkers"}]}
        assert properties(system, f"{name}{rule}")["State"] == needed


# ------------------------------------------------------------------ firewall


def test_the_firewall_is_on_by_default_and_stands_before_our_stage(system: Template) -> None:
    assert source()["Parameters"]["Firewall"]["Default"] == "true"
    for name in ("WebAcl", "WebAclAssociation"):
        assert system["Resources"][name]["Condition"] == "HasFirewall"
    association = properties(system, "WebAclAssociation")
    assert association["WebACLArn"] == attribute("WebAcl")
    assert association["ResourceArn"]["Fn::Sub"].endswith("::/restapis/${Api}/stages/${ApiStage}")


def test_the_firewall_has_the_rules_a_bank_asks_for(system: Template) -> None:
    acl = properties(system, "WebAcl")
    groups = {
        rule["Statement"]["ManagedRuleGroupStatement"]["Name"]: rule
        for rule in acl["Rules"]
        if "ManagedRuleGroupStatement" in rule["Statement"]
    }
    assert groups.keys() == {
        "AWSManagedRulesCommonRuleSet",
        "AWSManagedRulesKnownBadInputsRuleSet",
        "AWSManagedRulesAmazonIpReputationList",
    }
    # "None" leaves the group's own actions in force; "Count" would switch the whole group off.
    assert all(rule["OverrideAction"] == {"None": {}} for rule in groups.values())
    assert sorted(rule["Priority"] for rule in acl["Rules"]) == list(range(5))
    assert '"SampledRequestsEnabled": true' not in json.dumps(acl)


def rates(system: Template) -> list[dict[str, Any]]:
    """The rules that count requests, in the order in which the firewall asks them."""
    rules = [rule for rule in properties(system, "WebAcl")["Rules"] if "RateBasedStatement" in rule["Statement"]]
    return sorted(rules, key=lambda rule: rule["Priority"])


def test_a_storm_on_one_path_does_not_lock_its_sender_out_of_the_others(system: Template) -> None:
    """What a rule blocks, no later rule counts. So the path is asked before the address."""
    path, address = (rule["Statement"]["RateBasedStatement"] for rule in rates(system))
    assert path == {
        "AggregateKeyType": "CUSTOM_KEYS",
        "Limit": {"Ref": "RequestsPerPath"},
        "EvaluationWindowSec": 60,
        "CustomKeys": [
            {"IP": {}},
            # Another spelling of a path is the same path.
            {"UriPath": {"TextTransformations": [
                {"Priority": 0, "Type": "URL_DECODE"}, {"Priority": 1, "Type": "NORMALIZE_PATH"}
            ]}},
        ],
    }  # fmt: skip
    assert address == {"AggregateKeyType": "IP", "Limit": {"Ref": "RequestsPerAddress"}, "EvaluationWindowSec": 300}
    # Before the rules that answer 403, which says never.
    assert [rule["Priority"] for rule in rates(system)] == [0, 1]


def test_too_many_requests_are_told_to_come_later(system: Template) -> None:
    """By itself the gateway would answer its own 403, which says never. After the window nothing of before counts."""
    acl = properties(system, "WebAcl")
    for rule in rates(system):
        response = rule["Action"]["Block"]["CustomResponse"]
        assert response["ResponseCode"] == 429
        window = rule["Statement"]["RateBasedStatement"]["EvaluationWindowSec"]
        assert response["ResponseHeaders"] == [{"Name": "Retry-After", "Value": str(window)}]
        body = acl["CustomResponseBodies"][response["CustomResponseBodyKey"]]
        assert body["ContentType"] == "APPLICATION_JSON"
        responses = properties(system, "Api")["Body"]["x-amazon-apigateway-gateway-responses"]
        assert body["Content"] == responses["THROTTLED"]["responseTemplates"]["application/json"]


def test_the_firewall_lets_an_address_send_what_the_routes_take() -> None:
    """A whole back end sends from one address."""
    defaults = {name: it.get("Default") for name, it in source()["Parameters"].items()}
    a_path, an_address = defaults["RequestsPerPath"] / 60, defaults["RequestsPerAddress"] / 300
    assert a_path > defaults["ThrottlingRate"]
    # With GET /health and the reports.
    assert an_address > defaults["ThrottlingRate"] * (len(ROUTES) + 2)


def test_a_storm_on_all_paths_of_a_provider_stays_below_the_limit_of_an_address() -> None:
    defaults = {name: it.get("Default") for name, it in source()["Parameters"].items()}
    a_path, an_address = defaults["RequestsPerPath"] / 60, defaults["RequestsPerAddress"] / 300
    most = max(len(provider.orders) + len(provider.inquiries) for provider in PROVIDERS.values())
    # And an operation of another provider has its whole rate.
    assert most * a_path + defaults["ThrottlingRate"] < an_address


# ------------------------------------------------------------------ domain


def test_with_a_domain_the_default_endpoint_is_closed(system: Template) -> None:
    (server,) = properties(system, "Api")["Body"]["servers"]
    assert server["x-amazon-apigateway-endpoint-configuration"] == {
        "disableExecuteApiEndpoint": {"Fn::If": ["HasDomain", True, False]}
    }
    # A changed parameter alone makes no new deployment, and without one the endpoint would stay open.
    assert source()["Resources"]["Api"]["Properties"]["AlwaysDeploy"] is True
    domain = properties(system, "Domain")
    assert domain["SecurityPolicy"] == "TLS_1_2"
    assert domain["MutualTlsAuthentication"]["Fn::If"][0] == "HasMutualTls"
    # API Gateway asks for it beside an imported certificate, and refuses an empty one.
    assert domain["OwnershipVerificationCertificateArn"] == {
        "Fn::If": ["HasOwnershipCertificate", {"Ref": "OwnershipCertificateArn"}, {"Ref": "AWS::NoValue"}]
    }
    assert properties(system, "DomainMapping")["RestApiId"] == {"Ref": "Api"}
    assert "BasePath" not in properties(system, "DomainMapping")
    for name in ("Domain", "DomainMapping"):
        assert system["Resources"][name]["Condition"] == "HasDomain"


def test_the_stage_waits_for_the_role_of_its_access_logs(system: Template) -> None:
    waits = properties(system, "ApiStage")["Variables"]["LogRole"]
    assert waits == {"Fn::If": ["GivesGatewayLogRole", {"Ref": "GatewayAccount"}, "of-the-account"]}
    # The account's, not the stack's: it must not go with the stack.
    for name in ("GatewayAccount", "GatewayLogsRole"):
        assert system["Resources"][name]["DeletionPolicy"] == "Retain"


# ------------------------------------------------------------------ parameters


@pytest.mark.parametrize(
    ("name", "good", "bad"),
    [
        ("DomainName", ["", "pay.example.com"], ["pay", "https://pay.example.com", "Pay.Example.com"]),
        ("CertificateArn", ["", "arn:aws:acm:eu-central-1:123456789012:certificate/a-b"], ["certificate/a-b"]),
        ("OwnershipCertificateArn", ["", "arn:aws:acm:eu-central-1:123456789012:certificate/a-b"], ["certificate/a-b"]),
        ("TruststoreUri", ["", "s3://bucket/truststore.pem"], ["https://bucket/truststore.pem", "s3://bucket/x"]),
        ("AlarmEmail", ["", "oncall@example.com"], ["oncall", "on call@example.com"]),
        (
            "SweepSchedule",
            ["rate(1 minute)", "rate(5 minutes)"],
            ["rate(1 minutes)", "rate(1 hour)", "cron(* * *)"],
        ),
    ],
)
def test_a_parameter_is_checked_by_its_form(name: str, good: list[str], bad: list[str]) -> None:
    pattern = source()["Parameters"][name]["AllowedPattern"]
    assert all(re.fullmatch(pattern, value) for value in good)
    assert not [value for value in bad if re.fullmatch(pattern, value)]


def test_every_parameter_says_what_it_is_and_is_closed() -> None:
    for name, parameter in source()["Parameters"].items():
        assert parameter["Description"], name
        if parameter["Type"] == "String" and name != "TruststoreVersion":
            assert "AllowedValues" in parameter or "AllowedPattern" in parameter, name


def asserted(rule: dict[str, Any]) -> set[str]:
    return {str(assertion["Assert"]) for assertion in rule["Assertions"]}


def test_the_rules_name_only_parameters_that_exist() -> None:
    template = source()
    for rule in template["Rules"].values():
        for name in re.findall(r"'Ref': '(\w+)'", str(rule)):
            assert name in template["Parameters"]
        assert all(assertion["AssertDescription"] for assertion in rule["Assertions"])


def test_no_default_of_a_test_stack_is_a_live_host_and_every_test_host_is_refused_live() -> None:
    template = source()
    live = asserted(template["Rules"]["LiveStack"])
    # HASO has no default, and VakıfBank one host for both.
    for name in set(URLS.values()) - {"HasoUrl", "VakifbankUrl"}:
        default = template["Parameters"][name]["Default"]
        assert str({"Fn::Not": [{"Fn::Equals": [{"Ref": name}, default]}]}) in live


def test_no_stack_but_a_live_one_reaches_a_live_host() -> None:
    """Not even one whose stage is called local."""
    rule = source()["Rules"]["TestStack"]
    assert rule["RuleCondition"] == {"Fn::Not": [{"Fn::Equals": [{"Ref": "StageName"}, "live"]}]}
    for name, host in (("KolaybiUrl", "https://ofis-api.kolaybi.com"), ("PaynetUrl", "https://api.paynet.com.tr")):
        assert str({"Fn::Not": [{"Fn::Equals": [{"Ref": name}, host]}]}) in asserted(rule)
