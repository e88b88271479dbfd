"""Rulebook: the rules as a configuration that is changed without deploying code.

AppConfig has a pushed rulebook checked by functions/rules_validator.py, gives it to more and more of the
functions' processes, and takes it back by itself when the alarm `rules-rollback` rings meanwhile.
"""

from collections.abc import Iterable

from aws_cdk import ArnFormat, Duration, Stack
from aws_cdk.aws_appconfig import (
    CfnApplication,
    CfnConfigurationProfile,
    CfnDeploymentStrategy,
    CfnEnvironment,
)
from aws_cdk.aws_cloudwatch import Alarm, ComparisonOperator, MathExpression, Metric, TreatMissingData
from aws_cdk.aws_cloudwatch_actions import SnsAction
from aws_cdk.aws_iam import PolicyDocument, PolicyStatement, Role, ServicePrincipal
from aws_cdk.aws_lambda import Function
from constructs import Construct

from infra.constructs.functions import allow
from infra.constructs.messaging import Messaging
from infra.stages import Stage

# Every two minutes a fifth of the processes more, then five minutes of watching.
_MINUTES, _PERCENT, _WATCHED_MINUTES = 10, 20, 5
# Those whose failing a rulebook shows in soonest: an alarm takes ten metrics, with the three of our own.
_WATCHED = (
    *("rule-evaluator", "case-events", "case-clock", "alert-sender"),
    *("cases-api", "messages-api", "money-api"),
)
_TOO_MANY = 3  # failures in one minute


class RulebookConfiguration(Construct):
    def __init__(self, scope: Construct, name: str, *, stage: Stage, messaging: Messaging) -> None:
        super().__init__(scope, name)
        self._stage = stage
        self.application = CfnApplication(
            self, "Application", name=stage.physical("rulebook"), description="The rules of rules/*.toml"
        )
        self.alarm = self._alarm(messaging)
        self.environment = CfnEnvironment(
            self,
            "Environment",
            application_id=self.application.ref,
            name=stage.name,
            description="Where the rules decide",
            monitors=[
                CfnEnvironment.MonitorsProperty(
                    alarm_arn=self.alarm.alarm_arn, alarm_role_arn=self._watcher().role_arn
                )
            ],
        )
        self._strategy("Gradual", "gradual", _MINUTES, _PERCENT, _WATCHED_MINUTES)
        self._strategy("Now", "now", 0, 100, 0)

    def check_with(self, validator: Function) -> None:
        """Let no rulebook in that this function refuses."""
        validator.add_permission("AppConfig", principal=ServicePrincipal("appconfig.amazonaws.com"))
        self.profile = CfnConfigurationProfile(
            self,
            "Rules",
            application_id=self.application.ref,
            name="rules",
            description="One document with all tables, word lists and templates",
            location_uri="hosted",
            validators=[
                CfnConfigurationProfile.ValidatorsProperty(type="LAMBDA", content=validator.function_arn)
            ],
        )

    def read_by(self, functions: Iterable[Function]) -> None:
        """Have the functions decide by what is rolled out."""
        place = [
            ("application", self.application.ref),
            ("environment", self.environment.ref),
            ("configuration", self.profile.ref),
        ]
        configuration = Stack.of(self).format_arn(
            service="appconfig",
            resource="/".join(f"{noun}/{name}" for noun, name in place),
            arn_format=ArnFormat.NO_RESOURCE_NAME,
        )
        for function in functions:
            function.add_environment("WINBACK_RULEBOOK", "/".join(name for _, name in place))
            function.add_environment("WINBACK_RULEBOOK_EVERY_S", self._stage.rulebook_every_s)
            allow(
                function,
                configuration,
                "appconfig:GetLatestConfiguration",
                "appconfig:StartConfigurationSession",
            )

    def _strategy(self, name: str, noun: str, minutes: int, percent: int, watched: int) -> None:
        CfnDeploymentStrategy(
            self,
            name,
            name=self._stage.physical(noun),
            deployment_duration_in_minutes=minutes,
            growth_factor=percent,
            growth_type="LINEAR",
            final_bake_time_in_minutes=watched,
            replicate_to="NONE",
        )

    def _alarm(self, messaging: Messaging) -> Alarm:
        """What a rulebook can break. The functions are named, not referred to: they depend on the rules."""
        minute = Duration.minutes(1)
        failing = {
            noun.replace("-", "_"): Metric(
                namespace="AWS/Lambda",
                metric_name="Errors",
                dimensions_map={"FunctionName": self._stage.physical(noun)},
                statistic="Sum",
                period=minute,
            )
            for noun in _WATCHED
        }
        for name, metric in (
            ("unusable", "RulebookUnusable"),
            ("messages", "FailedMessages"),
            ("effects", "FailedEffects"),
        ):
            failing[name] = Metric(
                namespace=f"Winback/{self._stage.name}",
                metric_name=metric,
                dimensions_map={"service": "winback"},
                statistic="Sum",
                period=minute,
            )
        alarm = Alarm(
            self,
            "Rollback",
            alarm_name=self._stage.physical("rules-rollback"),
            alarm_description=(
                "Deciding fails, or functions cannot use the rulebook that was rolled out: a rollout under "
                "way is taken back by itself; else see `winback rules status`"
            ),
            metric=MathExpression(
                expression=" + ".join(f"FILL({name}, 0)" for name in failing),
                label="Failures while deciding, a minute",
                using_metrics=failing,
                period=minute,
            ),
            threshold=_TOO_MANY,
            comparison_operator=ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
            evaluation_periods=1,
            treat_missing_data=TreatMissingData.NOT_BREACHING,
        )
        alarm.add_alarm_action(SnsAction(messaging.operations))
        alarm.add_ok_action(SnsAction(messaging.operations))
        return alarm

    def _watcher(self) -> Role:
        """AppConfig, looking at the alarm."""
        looking = PolicyStatement(actions=["cloudwatch:DescribeAlarms"], resources=[self.alarm.alarm_arn])
        return Role(
            self,
            "Watcher",
            assumed_by=ServicePrincipal("appconfig.amazonaws.com"),
            inline_policies={"alarm": PolicyDocument(statements=[looking])},
        )
