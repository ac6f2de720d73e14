"""House rules of template.yaml: what tells somebody, gradual deployments, the dashboard."""

import json
import re
from typing import Any

import pytest
from vezne.orders.breaker import STATE_FIGURES
from vezne.orders.census import SECONDS_BETWEEN
from vezne.orders.reconcile import SECONDS_TO_STOP
from vezne_cli.catalogue import PROVIDERS
from vezne_cli.dashboard import body
from vezne_cli.template import Template, source

from tests.support.template import (
    FUNCTIONS,
    ORDERS,
    RECONCILERS,
    ROOT,
    attribute,
    of_type,
    properties,
    statements,
    transformed,
)

NAMESPACE = {"Fn::Sub": "Vezne/${AWS::StackName}"}
METRIC_IN_SEARCH = re.compile(
    r"SEARCH\('\{\"Vezne/\$\{AWS::StackName\}\",([a-z,]+)\} MetricName=\"(\w+)\"', '(\w+)', (?:300|86400)\)"
)


@pytest.fixture(scope="module")
def system() -> Template:
    return transformed(source())


@pytest.fixture(scope="module")
def alarms(system: Template) -> dict[str, Any]:
    return {name: it["Properties"] for name, it in of_type(system, "AWS::CloudWatch::Alarm").items()}


def dimensions(alarm: dict[str, Any]) -> dict[str, Any]:
    return {it["Name"]: it["Value"] for it in alarm["Dimensions"]}


def counted() -> set[str]:
    """The metrics of our own code, by their names in it."""
    code = "".join(path.read_text() for path in sorted((ROOT / "shared" / "vezne").rglob("*.py")))
    names = set(re.findall(r'emit_(?:metric|fault|of_provider|by_provider)\(\s*"(\w+)"', code)) | set(
        re.findall(r'single_metric\(name="(\w+)"', code)
    )
    # "OrderSucceeded" and its like are made of the status.
    assert "Order{" in code
    return names | {"OrderSucceeded", "OrderDeclined", "OrderNotExecuted"}


# ------------------------------------------------------------------ alarms


def test_every_alarm_tells_the_topic(alarms: dict[str, Any]) -> None:
    for name, alarm in alarms.items():
        assert alarm["AlarmActions"] == [{"Ref": "AlarmTopic"}], name
        assert alarm.get("ActionsEnabled", True) is True
        assert alarm["AlarmDescription"]
        assert alarm["TreatMissingData"] in ("notBreaching", "breaching", "ignore")


@pytest.mark.parametrize("provider", PROVIDERS)
def test_each_provider_has_its_alarm_on_refused_logins(alarms: dict[str, Any], provider: str) -> None:
    alarm = alarms[f"{provider.capitalize()}CredentialsRejected"]
    assert (alarm["Namespace"], alarm["MetricName"]) == (NAMESPACE, "CredentialsRejected")
    assert dimensions(alarm) == {"provider": provider, "service": "vezne"}


@pytest.mark.parametrize("provider", PROVIDERS)
def test_each_provider_has_its_alarms_on_its_breaker(alarms: dict[str, Any], provider: str) -> None:
    """When it has been open for more than a minute, and when it has opened more than 3 times in 15 minutes."""
    for name, looked_at in {
        "BreakerOpen": ("BreakerState", "Maximum", 60, 2, 0),
        "BreakerOpensOften": ("BreakerOpened", "Sum", 900, 1, 3),
    }.items():
        alarm = alarms[f"{provider.capitalize()}{name}"]
        facts = ("MetricName", "Statistic", "Period", "EvaluationPeriods", "Threshold")
        assert tuple(alarm[fact] for fact in facts) == looked_at
        assert alarm["ComparisonOperator"] == "GreaterThanThreshold"
        assert dimensions(alarm) == {"provider": provider, "service": "vezne"}
    assert STATE_FIGURES == {"closed": 0, "trial": 1, "open": 2}


@pytest.mark.parametrize("name", ORDERS)
def test_each_operation_has_its_alarms(alarms: dict[str, Any], name: str) -> None:
    # One operation's name may begin another's: KolaybiCollect, KolaybiCollectInvoice.
    longer = tuple(each for each in ORDERS if each.startswith(name) and each != name)
    own = {
        alarm["MetricName"]: alarm
        for key, alarm in alarms.items()
        if key.startswith(name) and not key.startswith(longer)
    }
    assert own.keys() == {
        "Errors", "DestinationDeliveryFailures", "Throttles", "Duration", "OrderUnknown", "SweepHeartbeat",
    }  # fmt: skip
    for metric, alarm in own.items():
        if alarm["Namespace"] == "AWS/Lambda":
            assert dimensions(alarm)["FunctionName"] == {"Ref": name}, metric
        else:
            assert alarm["Namespace"] == NAMESPACE
            assert dimensions(alarm) == {"operation": ORDERS[name][0], "service": "vezne"}, metric
    # No sweep is itself the alarm, and does not make an old unknown look new.
    assert own["SweepHeartbeat"]["TreatMissingData"] == "breaching"
    assert own["SweepHeartbeat"]["ComparisonOperator"] == "LessThanThreshold"


@pytest.mark.parametrize("provider", PROVIDERS)
def test_each_provider_has_its_alarms_on_what_its_operations_leave(alarms: dict[str, Any], provider: str) -> None:
    """The age, the delay and the number of unknown outcomes: of the operation that has most. And standing orders."""
    for name, looked_at in {
        "UnknownAge": ("OldestUnknownAge", "Maximum", {"Ref": "UnknownAgeAlarmSeconds"}, "ignore"),
        "Overdue": ("OverdueSeconds", "Maximum", 900, "notBreaching"),
        "Backlog": ("Unresolved", "Maximum", 500, "notBreaching"),
        "StandingOrderFailed": ("StandingOrderFailed", "Sum", 0, "notBreaching"),
    }.items():
        alarm = alarms[f"{provider.capitalize()}{name}"]
        facts = ("MetricName", "Statistic", "Threshold", "TreatMissingData")
        assert tuple(alarm[fact] for fact in facts) == looked_at
        assert alarm["ComparisonOperator"] == "GreaterThanThreshold"
        assert dimensions(alarm) == {"provider": provider, "service": "vezne"}
        # Each operation's census falls into each period, so that one without unknown outcomes does not hide another.
        assert alarm["Statistic"] == "Sum" or alarm["Period"] >= 2 * SECONDS_BETWEEN


def test_a_missing_sweep_is_told_after_three_of_the_longest_intervals(alarms: dict[str, Any]) -> None:
    pattern = source()["Parameters"]["SweepSchedule"]["AllowedPattern"]
    assert re.fullmatch(pattern, "rate(10 minutes)")
    assert not re.fullmatch(pattern, "rate(11 minutes)")
    assert not re.fullmatch(pattern, "rate(1 hour)")
    for name in ORDERS:
        alarm = alarms[f"{name}SweepMissing"]
        assert (alarm["Period"], alarm["EvaluationPeriods"]) == (600, 3)


@pytest.mark.parametrize("provider", PROVIDERS)
def test_each_provider_has_its_alarms_on_what_a_reconciliation_finds(alarms: dict[str, Any], provider: str) -> None:
    for name, metric in {
        "Contradictions": "ReconciliationFindings",
        "ListNotWhole": "ReconciliationIncomplete",
        "ListNotRead": "ReconciliationFailed",
    }.items():
        alarm = alarms[f"{provider.capitalize()}{name}"]
        facts = ("MetricName", "Threshold", "ComparisonOperator", "TreatMissingData")
        assert tuple(alarm[fact] for fact in facts) == (metric, 0, "GreaterThanThreshold", "notBreaching")
        assert dimensions(alarm) == {"provider": provider, "service": "vezne"}


@pytest.mark.parametrize("name", RECONCILERS)
def test_a_reconciliation_that_does_not_come_crashes_or_is_cut_off_is_told(
    system: Template, alarms: dict[str, Any], name: str
) -> None:
    missing = alarms[f"{name}Missing"]
    assert (missing["MetricName"], missing["Statistic"]) == ("ReconciliationFinished", "Sum")
    assert dimensions(missing) == {"provider": RECONCILERS[name].partition(".")[0], "service": "vezne"}
    # A night's run may be as much as two hours later than that of the night before.
    assert missing["Period"] * missing["EvaluationPeriods"] == 26 * 3600
    assert (missing["ComparisonOperator"], missing["Threshold"]) == ("LessThanThreshold", 1)
    assert missing["TreatMissingData"] == "breaching"
    limit = properties(system, name)["Timeout"] * 1000
    assert limit - SECONDS_TO_STOP * 1000 < alarms[f"{name}Long"]["Threshold"] < limit
    for alarm in ("Crashed", "Long"):
        assert dimensions(alarms[f"{name}{alarm}"]) == {"FunctionName": {"Ref": name}}
    assert alarms[f"{name}Crashed"]["MetricName"] == "Errors"


def test_an_alarm_of_ours_looks_at_a_metric_that_the_code_counts(alarms: dict[str, Any]) -> None:
    ours = {alarm["MetricName"] for alarm in alarms.values() if alarm["Namespace"] == NAMESPACE}
    assert ours == {
        "OrderUnknown", "OldestUnknownAge", "SweepHeartbeat", "CredentialsRejected", "Internal", "OutcomeNotWritten",
        "StandingOrderFailed", "OverdueSeconds", "Unresolved", "BreakerState", "BreakerOpened",
        "ReconciliationFindings", "ReconciliationIncomplete", "ReconciliationFailed", "ReconciliationFinished",
    }  # fmt: skip
    assert ours <= counted()


def test_the_whole_has_its_alarms(system: Template, alarms: dict[str, Any]) -> None:
    queues = [alarm["Dimensions"] for alarm in alarms.values() if alarm["Namespace"] == "AWS/SQS"]
    assert queues == [
        [{"Name": "QueueName", "Value": attribute(queue, "QueueName")}]
        for queue in ("DeadLetters", "OutboxDeadLetters")
    ]
    assert alarms["ServerErrors"]["MetricName"] == "5XXError"
    assert dimensions(alarms["ServerErrors"]) == {"ApiName": {"Ref": "AWS::StackName"}, "Stage": {"Ref": "StageName"}}
    of_pipes = [alarm for alarm in alarms.values() if alarm["Namespace"] == "AWS/EventBridge/Pipes"]
    for pipe in of_type(system, "AWS::Pipes::Pipe"):
        own = {alarm["MetricName"] for alarm in of_pipes if dimensions(alarm) == {"PipeName": {"Ref": pipe}}}
        assert own == {"ExecutionFailed", "ExecutionPartiallyFailed", "ExecutionThrottled"}, pipe


def test_it_is_told_when_final_records_do_not_come_into_the_archive(system: Template, alarms: dict[str, Any]) -> None:
    alarm = alarms["RecordsLate"]
    facts = ("Namespace", "MetricName", "Statistic", "ComparisonOperator")
    assert tuple(alarm[fact] for fact in facts) == (
        "AWS/Firehose", "DeliveryToS3.DataFreshness", "Maximum", "GreaterThanThreshold",
    )  # fmt: skip
    assert dimensions(alarm) == {"DeliveryStreamName": {"Ref": "RecordsToArchive"}}
    buffered = properties(system, "RecordsToArchive")["ExtendedS3DestinationConfiguration"]["BufferingHints"]
    # Not while it only waits for more, and long before Firehose drops what is a day old.
    assert 2 * buffered["IntervalInSeconds"] < alarm["Threshold"] < 12 * 3600


def test_it_is_told_when_the_instances_of_the_account_run_out(alarms: dict[str, Any]) -> None:
    """The metric is the account's, without a dimension, and to be read by its maximum. It counts what is reserved."""
    alarm = alarms["ConcurrencyClaimed"]
    facts = ("Namespace", "MetricName", "Statistic", "Period", "EvaluationPeriods", "ComparisonOperator")
    assert tuple(alarm[fact] for fact in facts) == (
        "AWS/Lambda", "ClaimedAccountConcurrency", "Maximum", 60, 1, "GreaterThanThreshold",
    )  # fmt: skip
    assert "Dimensions" not in alarm
    assert alarm["Threshold"] == {"Ref": "ClaimedConcurrencyAlarm"}
    # Four fifths of what an account has at first.
    assert source()["Parameters"]["ClaimedConcurrencyAlarm"]["Default"] == 800
    assert all(word in alarm["AlarmDescription"] for word in ("throttled", "OrderConcurrency", "limit"))


def test_a_standing_order_that_is_lost_is_told(system: Template, alarms: dict[str, Any]) -> None:
    rules = {name for name in of_type(system, "AWS::Events::Rule") if not name.endswith(("Sweep", "Night"))}
    watched = [alarm for alarm in alarms.values() if alarm["MetricName"] == "InvocationsFailedToBeSentToDlq"]
    assert [alarm["Dimensions"] for alarm in watched] == [
        [{"Name": "RuleName", "Value": {"Ref": name}}] for name in sorted(rules)
    ]
    assert rules


def test_a_call_near_its_time_limit_is_told_before_it_is_cut_off(alarms: dict[str, Any]) -> None:
    for name in ORDERS:
        alarm = alarms[f"{name}Duration"]
        assert alarm["Statistic"] == "Maximum"
        assert 55_000 <= alarm["Threshold"] < 58_000


def test_only_alarms_may_publish_to_the_alarm_topic(system: Template) -> None:
    (statement,) = properties(system, "AlarmTopicPolicy")["PolicyDocument"]["Statement"]
    assert statement["Principal"] == {"Service": "cloudwatch.amazonaws.com"}
    assert statement["Condition"] == {"StringEquals": {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}}


def test_two_stacks_of_one_account_do_not_add_up(system: Template) -> None:
    for name in FUNCTIONS:
        assert properties(system, name)["Environment"]["Variables"]["POWERTOOLS_METRICS_NAMESPACE"] == NAMESPACE


# ------------------------------------------------------------------ gradual deployment


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_new_version_is_rolled_back_by_alarms(system: Template, name: str) -> None:
    group = properties(system, f"{name}DeploymentGroup")
    watched = {alarm["Name"]["Ref"] for alarm in group["AlarmConfiguration"]["Alarms"]}
    expected = {"InternalErrors", "ServerErrors"}
    if name in ORDERS:
        expected |= {f"{name}Errors", f"{name}NewUnknown"}
    assert watched == expected
    assert group["AlarmConfiguration"]["Enabled"] is True
    assert "DEPLOYMENT_STOP_ON_ALARM" in group["AutoRollbackConfiguration"]["Events"]
    assert group["ServiceRoleArn"] == attribute("DeploymentRole")
    alias = system["Resources"][f"{name}Aliaslive"]
    assert alias["UpdatePolicy"]["CodeDeployLambdaAliasUpdate"]["DeploymentGroupName"] == {
        "Ref": f"{name}DeploymentGroup"
    }


def test_the_deployment_role_moves_our_aliases_and_looks_at_our_alarms(system: Template) -> None:
    move, look = statements(system, "DeploymentRole")
    assert move["Action"] == ["lambda:GetAlias", "lambda:UpdateAlias", "lambda:GetProvisionedConcurrencyConfig"]
    (resource,) = move["Resource"]
    separator, arns = resource["Fn::Split"]
    wanted = [arn for name in FUNCTIONS for arn in (f"${{{name}.Arn}}", f"${{{name}.Arn}}:live")]
    assert sorted(arns["Fn::Sub"].split(separator)) == sorted(wanted)
    # Narrower, CloudWatch documents, it could not return composite alarms: a denial would stop every deployment.
    assert look["Action"] == ["cloudwatch:DescribeAlarms"]
    assert look["Resource"] == ["*"]


def test_gradual_deployment_is_the_default_and_can_be_switched_off() -> None:
    assert source()["Parameters"]["GradualDeployment"]["Default"] == "true"
    switched_off = transformed(source(), GradualDeployment="false")
    assert not of_type(switched_off, "AWS::CodeDeploy::DeploymentGroup")
    assert len(of_type(switched_off, "AWS::Lambda::Alias")) == len(FUNCTIONS)


# ------------------------------------------------------------------ dashboard


def widgets() -> list[dict[str, Any]]:
    text = body(source()).replace("${UnknownAgeAlarmSeconds}", "1800")
    read: list[dict[str, Any]] = json.loads(text)["widgets"]
    return read


def test_the_dashboard_shows_what_the_business_asks_for() -> None:
    searches = {
        widget["properties"]["title"]: METRIC_IN_SEARCH.findall(json.dumps(widget).replace('\\"', '"'))
        for widget in widgets()
    }
    assert searches["Orders by outcome"] == [
        ("operation,service", f"Order{outcome}", "Sum")
        for outcome in ("Succeeded", "Declined", "Unknown", "NotExecuted")
    ]
    assert searches["Provider latency, p50 and p99"] == [
        ("operation,service", "ProviderLatency", "p50"),
        ("operation,service", "ProviderLatency", "p99"),
    ]
    assert searches["Age of the oldest unknown outcome"] == [("provider,service", "OldestUnknownAge", "Maximum")]
    assert searches["Unknown outcomes, and those that only a person can decide (of the day)"] == [
        ("provider,service", "Unresolved", "Maximum"),
        ("operation,service", "Unprovable", "Maximum"),
    ]
    assert searches["Amounts of orders that succeeded, by currency and operation"] == [
        ("currency,operation,service", "SucceededAmount", "Sum")
    ]
    assert searches["Breakers (0 closed, 1 trial, 2 open) and orders refused"] == [
        ("provider,service", "BreakerState", "Maximum"),
        ("provider,service", "BreakerRefused", "Sum"),
    ]
    assert searches["Reconciliations: contradictions, and lists not read to the end"] == [
        ("provider,service", "ReconciliationFindings", "Maximum"),
        ("provider,service", "ReconciliationIncomplete", "Sum"),
    ]
    assert {metric for found in searches.values() for _, metric, _ in found} <= counted()


def test_widgets_do_not_cover_each_other() -> None:
    cells = [
        (x, y)
        for widget in widgets()
        for x in range(widget["x"], widget["x"] + widget["width"])
        for y in range(widget["y"], widget["y"] + widget["height"])
    ]
    assert len(cells) == len(set(cells))
    assert all(x < 24 for x, _ in cells)
