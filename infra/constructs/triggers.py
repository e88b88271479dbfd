"""Triggers: what starts each function: the minute, the queues and the stream of the cases table."""

from typing import cast

from aws_cdk import Duration
from aws_cdk.aws_events import Rule, Schedule
from aws_cdk.aws_events_targets import LambdaFunction
from aws_cdk.aws_lambda import (
    CfnEventSourceMapping,
    EventSourceMapping,
    FilterCriteria,
    Function,
    StartingPosition,
)
from constructs import Construct

from infra.constructs.functions import Functions, allow
from infra.constructs.messaging import Messaging, Work
from infra.constructs.storage import Storage
from infra.stages import Stage

# At most so many at once: a burst of reviews must not take the account's whole concurrency.
_AT_ONCE = 20
_STREAM_RIGHTS = (
    "dynamodb:DescribeStream",
    "dynamodb:GetRecords",
    "dynamodb:GetShardIterator",
    "dynamodb:ListStreams",
)
_QUEUE_RIGHTS = ("sqs:DeleteMessage", "sqs:GetQueueAttributes", "sqs:ReceiveMessage")


class Triggers(Construct):
    def __init__(
        self,
        scope: Construct,
        name: str,
        *,
        stage: Stage,
        functions: Functions,
        messaging: Messaging,
        storage: Storage,
    ) -> None:
        super().__init__(scope, name)
        self._every_minute(stage, functions.poll_planner, functions.case_clock)
        self._queue("Ticks", messaging.ticks, functions.case_clock, batch=1)
        self._queue("Polls", messaging.polls, functions.review_poller, batch=1)
        self._queue("Reviews", messaging.reviews, functions.rule_evaluator, batch=10)
        self._queue("Notices", messaging.notices, functions.all["alert_sender"], batch=1)
        self._queue("Orders", messaging.orders, functions.all["order_sender"], batch=1)
        self._stream(storage, functions.case_events, messaging, stage)

    def _every_minute(self, stage: Stage, *woken: Function) -> None:
        """A minute that fails is not made up for: the next one does the same work."""
        for function in woken:
            function.configure_async_invoke(retry_attempts=0, max_event_age=Duration.minutes(1))
        Rule(
            self,
            "EveryMinute",
            rule_name=stage.physical("every-minute"),
            description="Plan the next minute's polls; look at the cases on which something is due",
            schedule=Schedule.rate(Duration.minutes(1)),
            targets=[
                LambdaFunction(function, retry_attempts=0, max_event_age=Duration.minutes(1))
                for function in woken
            ],
        )

    def _queue(self, name: str, work: Work, function: Function, *, batch: int) -> None:
        allow(function, work.queue.queue_arn, *_QUEUE_RIGHTS)
        EventSourceMapping(
            self,
            name,
            target=function,
            event_source_arn=work.queue.queue_arn,
            batch_size=batch,
            max_concurrency=_AT_ONCE,
            report_batch_item_failures=True,
        ).node.add_dependency(function.role)  # else the mapping may be made before its rights

    def _stream(self, storage: Storage, function: Function, messaging: Messaging, stage: Stage) -> None:
        """Only images with effects to perform. A poison record is found by halving, retried, set aside."""
        stream = storage.cases_stream_arn
        allow(function, stream, *_STREAM_RIGHTS)
        allow(function, messaging.failed_case_events.queue_arn, "sqs:SendMessage")
        mapping = EventSourceMapping(
            self,
            "Cases",
            target=function,
            event_source_arn=stream,
            starting_position=StartingPosition.TRIM_HORIZON,
            batch_size=100,
            parallelization_factor=4,
            bisect_batch_on_error=True,
            retry_attempts=10,
            max_record_age=stage.stream_record_age,
            filters=[FilterCriteria.filter({"dynamodb": {"NewImage": {"pending": {"BOOL": [True]}}}})],
        )
        mapping.node.add_dependency(function.role)
        # Not `on_failure`: it would also let the function read the queue's attributes and use its key.
        destination = CfnEventSourceMapping.OnFailureProperty(
            destination=messaging.failed_case_events.queue_arn
        )
        resource = cast("CfnEventSourceMapping", mapping.node.default_child)
        resource.destination_config = CfnEventSourceMapping.DestinationConfigProperty(on_failure=destination)
