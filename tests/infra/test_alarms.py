"""Alarms and the dashboard: what is watched exists, and somebody hears of it."""

import re
from pathlib import Path

from tests.infra.deployed import Deployed, text

ROOT = Path(__file__).parents[2]


def test_every_alarm_goes_to_the_operations_topic(stack: Deployed) -> None:
    operations = stack.named("SNS::Topic", "operations")[0]
    for alarm in stack.alarms().values():
        assert alarm["AlarmActions"] == [{"Ref": operations}]
        assert alarm["AlarmDescription"]


def test_the_promise_of_one_minute_is_watched(stack: Deployed) -> None:
    alarm = stack.alarms()["late-for-the-customer"]
    assert (alarm["MetricName"], alarm["ExtendedStatistic"], alarm["Threshold"]) == (
        "PostedToAlert",
        "p99",
        60,
    )
    assert alarm["TreatMissingData"] == "notBreaching"


def test_a_planner_that_says_nothing_is_as_bad_as_a_silent_shop(stack: Deployed) -> None:
    alarm = stack.alarms()["silent-shops"]
    assert (alarm["MetricName"], alarm["Threshold"], alarm["Period"]) == ("SilentShops", 1, 60)
    assert alarm["TreatMissingData"] == "breaching"


def test_everything_that_can_fail_has_an_alarm(stack: Deployed) -> None:
    assert {
        "api-errors",
        "case-events-behind",
        "case-events-dlq",
        "follow-up-failed",
        "follow-up-throttled",
        "follow-up-timed-out",
        "hours-in-doubt",
        "late-in-our-hands",
        "polls-dlq",
        "reviews-dlq",
    } <= set(stack.alarms())


def test_failures_while_deciding_take_a_rollout_back(stack: Deployed) -> None:
    (environment,) = stack.of("AppConfig::Environment").values()
    (monitor,) = environment["Monitors"]
    alarm = stack.resources[monitor["AlarmArn"]["Fn::GetAtt"][0]]["Properties"]
    assert alarm == stack.alarms()["rules-rollback"]
    watched = {metric["MetricStat"]["Metric"]["MetricName"] for metric in alarm["Metrics"][1:]}
    assert watched == {"Errors", "RulebookUnusable", "FailedMessages", "FailedEffects"}
    role = stack.resources[monitor["AlarmRoleArn"]["Fn::GetAtt"][0]]["Properties"]
    (looking,) = role["Policies"][0]["PolicyDocument"]["Statement"]
    assert (looking["Action"], looking["Resource"]) == ("cloudwatch:DescribeAlarms", monitor["AlarmArn"])


def test_a_rulebook_is_checked_before_it_is_rolled_out_step_by_step(stack: Deployed) -> None:
    (profile,) = stack.of("AppConfig::ConfigurationProfile").values()
    validator = stack.function_id("rules_validator")
    assert profile["Validators"] == [{"Type": "LAMBDA", "Content": {"Fn::GetAtt": [validator, "Arn"]}}]
    assert any(
        permission["Principal"] == "appconfig.amazonaws.com"
        and permission["FunctionName"] == {"Fn::GetAtt": [validator, "Arn"]}
        for permission in stack.of("Lambda::Permission").values()
    )
    _, gradual = stack.named("AppConfig::DeploymentStrategy", "gradual")
    assert gradual["GrowthFactor"] < 100
    assert gradual["FinalBakeTimeInMinutes"] > 0


def test_a_reader_that_people_keep_correcting_alarms(stack: Deployed) -> None:
    alarm = stack.alarms()["causes-corrected"]
    expressions = [metric.get("Expression") for metric in alarm["Metrics"]]
    assert "IF(confirmed >= 20, 100 * corrected / confirmed, 0)" in expressions
    assert alarm["Threshold"] == 30


def test_every_business_metric_that_is_watched_is_one_that_the_functions_write(stack: Deployed) -> None:
    sources = "".join(path.read_text("utf-8") for path in (ROOT / "functions").rglob("*.py"))
    written = set(re.findall(r'\b(?:count|seconds)\(\s*"(\w+)"', sources))
    watched = {
        alarm["MetricName"] for alarm in stack.alarms().values() if _is_business(alarm.get("Namespace"))
    }
    (dashboard,) = stack.of("CloudWatch::Dashboard").values()
    shown = set(re.findall(r'"Winback/\w+","(\w+)"', text(dashboard["DashboardBody"])))
    assert watched
    assert shown >= watched
    assert watched | shown <= written


def _is_business(namespace: str | None) -> bool:
    return namespace is not None and namespace.startswith("Winback/")
