"""Alarms: what wakes a person, all to the operations topic."""

from aws_cdk import Duration
from aws_cdk.aws_cloudwatch import (
    Alarm,
    ComparisonOperator,
    IMetric,
    MathExpression,
    Metric,
    TreatMissingData,
)
from aws_cdk.aws_cloudwatch_actions import SnsAction
from constructs import Construct

from infra.constructs.api import Api
from infra.constructs.functions import Functions
from infra.constructs.messaging import Messaging
from infra.constructs.workflows import FollowUp
from infra.stages import Stage

_MINUTE = Duration.minutes(1)
_FIVE_MINUTES = Duration.minutes(5)
_WEEK = Duration.days(7)


def business(stage: Stage, name: str, statistic: str, period: Duration = _FIVE_MINUTES) -> Metric:
    """Return a metric that the functions write to their logs (functions/runtime/observability.py)."""
    return Metric(
        namespace=f"Winback/{stage.name}",
        metric_name=name,
        dimensions_map={"service": "winback"},
        statistic=statistic,
        period=period,
    )


class Alarms(Construct):
    def __init__(
        self,
        scope: Construct,
        name: str,
        *,
        stage: Stage,
        functions: Functions,
        messaging: Messaging,
        follow_up: FollowUp,
        api: Api,
    ) -> None:
        super().__init__(scope, name)
        self._stage, self._action = stage, SnsAction(messaging.operations)
        self.all: list[Alarm] = []
        self._promise()
        self._channels()
        self._sources()
        self._functions(functions)
        self._desks()
        self._messages(messaging)
        self._follow_up(follow_up)
        self._reading()
        self._money()
        self._alarm(
            "api-errors",
            "The API answered with a server error (5xx)",
            api.http.metric_server_error(period=_FIVE_MINUTES, statistic="Sum"),
            at_least=1,
        )

    def _promise(self) -> None:
        """The supervisor hears of a bad review within a minute."""
        self._alarm(
            "late-for-the-customer",
            "Alerts leave more than 60 s after the review was posted (p99): the promise is broken",
            business(self._stage, "PostedToAlert", "p99"),
            at_least=60,
        )
        self._alarm(
            "late-in-our-hands",
            "Alerts leave more than 5 s after we saw the review (p99), three times in a row: find out why "
            "before the minute is used up",
            business(self._stage, "SeenToAlert", "p99"),
            at_least=5,
            times=3,
        )

    def _channels(self) -> None:
        """What the people's own channels do with alerts; without channels there is nothing to see here."""
        self._alarm(
            "alerts-undelivered",
            "No channel of a shop took an alert: look at the case, mend the channel (winback shop channel)",
            business(self._stage, "UndeliveredAlerts", "Sum"),
            at_least=1,
        )
        self._alarm(
            "channel-fails",
            "A channel refuses alerts (wrong address, key, keyword) or stays silent: the next one gets them",
            business(self._stage, "ChannelFailures", "Sum"),
            at_least=1,
        )
        self._alarm(
            "late-at-the-channel",
            "Alerts reach their channel more than 60 s after we saw the review (p99)",
            business(self._stage, "SeenToDelivered", "p99"),
            at_least=60,
        )

    def _sources(self) -> None:
        self._alarm(
            "silent-shops",
            "A shop is paused, was not polled for 5 minutes or has no reviews for longer than it may; or "
            "nothing is planned at all, since the planner reports every minute",
            business(self._stage, "SilentShops", "Maximum", _MINUTE),
            at_least=1,
            times=2,
            missing=TreatMissingData.BREACHING,
        )

        self._alarm(
            "hours-in-doubt",
            "Deadlines were set without knowing a shop's hours: they cannot be read, or a year's holidays "
            "are not known. The log of the rule evaluator names shop and year; see docs/operations.md",
            business(self._stage, "HoursInDoubt", "Sum"),
            at_least=1,
        )

    def _functions(self, functions: Functions) -> None:
        for module, function in functions.all.items():
            self._alarm(
                f"{module.replace('_', '-')}-errors",
                f"functions/{module}.py raised or timed out; see its log",
                function.metric_errors(period=_FIVE_MINUTES, statistic="Sum"),
                at_least=1,
            )
        self._alarm(
            "case-events-behind",
            "Effects of cases wait for more than 30 s in the stream: alerts are late",
            functions.case_events.metric("IteratorAge", statistic="Maximum", period=_MINUTE),
            at_least=30_000,
            times=2,
        )

        self._alarm(
            "case-clock-behind",
            "Deadlines, escalations and held effects are more than 2 minutes late",
            business(self._stage, "ClockLag", "Maximum"),
            at_least=120,
        )

    def _desks(self) -> None:
        self._alarm(
            "nobody-on-duty",
            "Alerts wait because nobody of their whole chain is on duty: see `winback desk show` and mend "
            "the rota",
            business(self._stage, "NobodyOnDuty", "Sum"),
            at_least=1,
        )
        self._alarm(
            "desk-unreadable",
            "A desk holds what this version cannot read: its shop is alerted as if nothing were arranged",
            business(self._stage, "UnreadableDesks", "Sum"),
            at_least=1,
        )

    def _messages(self, messaging: Messaging) -> None:
        for noun, queue in messaging.dead_letters.items():
            self._alarm(
                noun,
                f"{noun} holds a message that failed too often: mend the cause, then redrive it",
                queue.metric_approximate_number_of_messages_visible(period=_MINUTE, statistic="Maximum"),
                at_least=1,
            )

    def _follow_up(self, follow_up: FollowUp) -> None:
        machine = follow_up.machine
        for name, what, metric in (
            ("follow-up-failed", "failed", machine.metric_failed),
            ("follow-up-timed-out", "timed out", machine.metric_timed_out),
            ("follow-up-throttled", "were throttled", machine.metric_throttled),
        ):
            self._alarm(
                name,
                f"Follow-ups of cases {what}: their escalations and messages do not come",
                metric(period=_FIVE_MINUTES, statistic="Sum"),
                at_least=1,
            )

    def _money(self) -> None:
        self._alarm(
            "approvals-overdue",
            "A benefit waits for its approval longer than rules/budgets.toml allows: a customer waits for it",
            business(self._stage, "ApprovalsOverdue", "Sum"),
            at_least=1,
        )
        self._alarm(
            "orders-not-taken",
            "Shops' own systems refused orders three times in five minutes; the orders come again",
            business(self._stage, "OrdersNotTaken", "Sum"),
            at_least=3,
        )

    def _reading(self) -> None:
        """What people confirm against what was read: the reader ages as goods and words change."""
        self._alarm(
            "causes-corrected",
            "In a week with 20 or more resolved cases, people corrected the cause in 3 of 10 or more: "
            "label rows (`winback read feedback`) and train the reader anew",
            MathExpression(
                expression="IF(confirmed >= 20, 100 * corrected / confirmed, 0)",
                label="Causes corrected, percent of a week",
                using_metrics={
                    "confirmed": business(self._stage, "CausesConfirmed", "Sum", _WEEK),
                    "corrected": business(self._stage, "CausesCorrected", "Sum", _WEEK),
                },
                period=_WEEK,
            ),
            at_least=30,
        )

    def _alarm(
        self,
        name: str,
        description: str,
        metric: IMetric,
        *,
        at_least: float,
        times: int = 1,
        missing: TreatMissingData = TreatMissingData.NOT_BREACHING,
    ) -> None:
        alarm = Alarm(
            self,
            name,
            alarm_name=self._stage.physical(name),
            alarm_description=description,
            metric=metric,
            threshold=at_least,
            comparison_operator=ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
            evaluation_periods=times,
            treat_missing_data=missing,
        )
        alarm.add_alarm_action(self._action)
        alarm.add_ok_action(self._action)
        self.all.append(alarm)
