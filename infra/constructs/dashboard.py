"""Dashboard: the business from left to right: reviews in, cases, alerts, follow-ups, what went wrong."""

from aws_cdk import Duration
from aws_cdk.aws_cloudwatch import (
    AlarmStatusWidget,
    Dashboard,
    GraphWidget,
    IMetric,
    IWidget,
    SingleValueWidget,
    TextWidget,
)
from constructs import Construct

from infra.constructs.alarms import Alarms, business
from infra.constructs.api import Api
from infra.constructs.functions import Functions
from infra.constructs.messaging import Messaging
from infra.constructs.workflows import FollowUp
from infra.stages import Stage

_PERIOD = Duration.minutes(5)
_TODAY = Duration.days(1)


class BusinessDashboard(Construct):
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
        alarms: Alarms,
    ) -> None:
        super().__init__(scope, name)

        def total(metric: str) -> IMetric:
            return business(stage, metric, "Sum")

        def latency(metric: str) -> list[IMetric]:
            return [business(stage, metric, f"p{share}") for share in (50, 95, 99)]

        machine = follow_up.machine
        Dashboard(
            self,
            "Dashboard",
            dashboard_name=stage.physical("business"),
            default_interval=Duration.hours(12),
            widgets=[
                [
                    TextWidget(
                        markdown=f"# Winback ({stage.name})\nReviews are polled, the bad ones become cases, "
                        "a supervisor is alerted within a minute, each case is followed up to its closing.",
                        width=24,
                        height=3,
                    )
                ],
                [
                    SingleValueWidget(
                        title="The last day",
                        metrics=[
                            business(stage, metric, "Sum", _TODAY)
                            for metric in (
                                "ReviewsSeen",
                                "BadReviews",
                                "CasesOpened",
                                "AlertsSent",
                                "MessagesSent",
                            )
                        ],
                        width=12,
                        height=4,
                    ),
                    AlarmStatusWidget(title="Alarms", alarms=list(alarms.all), width=12, height=4),
                ],
                [
                    _graph("1 Reviews seen", total("ReviewsSeen"), total("BadReviews")),
                    _graph(
                        "2 Sources",
                        business(stage, "SilentShops", "Maximum"),
                        *(total("PollFailures"), total("HoursInDoubt")),
                    ),
                    _graph(
                        "3 Cases and alerts",
                        *(total("CasesOpened"), total("CasesAdvanced"), total("AlertsSent")),
                        business(stage, "ClockLag", "Maximum"),
                    ),
                    _graph(
                        "Alerts that wait",
                        *(total("AlertsHeld"), total("AlertsSilenced"), total("AlertsBundled")),
                        *(total("NobodyOnDuty"), total("UnreadableDesks")),
                    ),
                ],
                [
                    _graph("Posted to alert (s): promised within 60", *latency("PostedToAlert")),
                    _graph("Seen to alert (s): aim 5", *latency("SeenToAlert")),
                    _graph(
                        "4 Follow-ups",
                        machine.metric_started(period=_PERIOD),
                        machine.metric_succeeded(period=_PERIOD),
                        machine.metric_failed(period=_PERIOD),
                        total("MessagesSent"),
                    ),
                ],
                [
                    _graph("Seen to channel (s): promised within 60", *latency("SeenToDelivered")),
                    _graph(
                        "Channels and links",
                        *(total("AlertsDelivered"), total("UndeliveredAlerts")),
                        *(total("ChannelFailures"), total("LinksRefused")),
                    ),
                ],
                [
                    _graph(
                        "5 Benefits",
                        *(total("BenefitsGranted"), total("BenefitsHeldForApproval")),
                        total("ApprovalsOverdue"),
                    ),
                    _graph("Committed (fen)", total("BudgetUsedFen")),
                    _graph("Orders at shops' own systems", total("OrdersTaken"), total("OrdersNotTaken")),
                ],
                [
                    _graph(
                        "Waiting in queues",
                        *(
                            work.queue.metric_approximate_age_of_oldest_message(label=noun, period=_PERIOD)
                            for noun, work in (
                                ("polls (s)", messaging.polls),
                                ("reviews (s)", messaging.reviews),
                                ("notices (s)", messaging.notices),
                            )
                        ),
                    ),
                    _graph(
                        "Failed too often",
                        *(
                            queue.metric_approximate_number_of_messages_visible(label=noun, period=_PERIOD)
                            for noun, queue in messaging.dead_letters.items()
                        ),
                    ),
                    _graph(
                        "Errors of functions",
                        *(
                            function.metric_errors(label=module, period=_PERIOD)
                            for module, function in functions.all.items()
                        ),
                    ),
                ],
                [
                    _graph(
                        "API",
                        api.http.metric_count(period=_PERIOD),
                        api.http.metric_client_error(period=_PERIOD),
                        api.http.metric_server_error(period=_PERIOD),
                    ),
                    _graph(
                        "Duration of functions (ms, p95)",
                        *(
                            function.metric_duration(label=module, statistic="p95", period=_PERIOD)
                            for module, function in functions.all.items()
                        ),
                    ),
                ],
            ],
        )


def _graph(title: str, *metrics: IMetric) -> IWidget:
    return GraphWidget(title=title, left=list(metrics), width=8, height=6)
