"""Messaging: the queues between the functions, each with its dead-letter queue, and the topics out."""

from dataclasses import dataclass

from aws_cdk import Duration
from aws_cdk.aws_kms import IKey
from aws_cdk.aws_sns import SubscriptionFilter, Topic
from aws_cdk.aws_sns_subscriptions import EmailSubscription, SmsSubscription
from aws_cdk.aws_sqs import DeadLetterQueue, Queue, QueueEncryption
from constructs import Construct

from infra.constructs.findings import accept
from infra.stages import Stage

# Time to notice, mend and redrive before anything is lost for good; also the most that SQS keeps.
_LONGEST = Duration.days(14)


@dataclass(frozen=True, kw_only=True)
class Work:
    """A queue and where its messages go after too many failures."""

    queue: Queue
    failed: Queue


class Messaging(Construct):
    def __init__(self, scope: Construct, name: str, *, key: IKey, stage: Stage) -> None:
        super().__init__(scope, name)
        self._key, self._stage = key, stage
        # Visibility is six times the consumer's timeout, as AWS advises for queues read by Lambda.
        # A poll that nobody took for an hour is of no use any more; a review is for as long as SQS can.
        self.polls = self._work("polls", visibility=360, tries=3, retention=Duration.hours(1))
        # The next minute sends new ones.
        self.ticks = self._work("ticks", visibility=180, tries=3, retention=Duration.hours(1))
        self.reviews = self._work("reviews", visibility=60, tries=5, retention=_LONGEST)
        # An alert that waited for four hours is history: its case has escalated long ago.
        self.notices = self._work("notices", visibility=180, tries=5, retention=Duration.hours(4))
        self.packs = self._work("packs", visibility=1800, tries=3, retention=_LONGEST)
        # The sender waits longer after each failure: 12 tries take an hour and a half.
        self.orders = self._work("orders", visibility=180, tries=12, retention=_LONGEST)
        self.failed_case_events = self._queue("case-events-dlq", retention=_LONGEST)
        accept(self.failed_case_events, "SQS3", "It is the dead-letter queue of the cases table's stream")
        self.alerts = self._topic("alerts")
        self.messages = self._topic("messages")
        self.operations = self._topic("operations")
        self._subscribe()

    @property
    def dead_letters(self) -> dict[str, Queue]:
        return {
            "polls-dlq": self.polls.failed,
            "reviews-dlq": self.reviews.failed,
            "ticks-dlq": self.ticks.failed,
            "notices-dlq": self.notices.failed,
            "packs-dlq": self.packs.failed,
            "orders-dlq": self.orders.failed,
            "case-events-dlq": self.failed_case_events,
        }

    def _work(self, noun: str, *, visibility: int, tries: int, retention: Duration) -> Work:
        failed = self._queue(f"{noun}-dlq", retention=_LONGEST)
        queue = self._queue(
            noun,
            retention=retention,
            visibility=Duration.seconds(visibility),
            failures=DeadLetterQueue(queue=failed, max_receive_count=tries),
        )
        return Work(queue=queue, failed=failed)

    def _queue(
        self,
        noun: str,
        *,
        retention: Duration,
        visibility: Duration | None = None,
        failures: DeadLetterQueue | None = None,
    ) -> Queue:
        return Queue(
            self,
            _title(noun),
            queue_name=self._stage.physical(noun),
            encryption=QueueEncryption.KMS,
            encryption_master_key=self._key,
            enforce_ssl=True,
            retention_period=retention,
            visibility_timeout=visibility,
            dead_letter_queue=failures,
            removal_policy=self._stage.removal,
        )

    def _topic(self, noun: str) -> Topic:
        return Topic(
            self,
            _title(noun),
            topic_name=self._stage.physical(noun),
            master_key=self._key,
            enforce_ssl=True,
        )

    def _subscribe(self) -> None:
        """Subscribe the people whom the context names. Others subscribe themselves, with such a filter."""
        supervisors = {"role": SubscriptionFilter.string_filter(allowlist=["supervisor"])}
        for address in self._stage.alert_emails:
            self.alerts.add_subscription(EmailSubscription(address, filter_policy=supervisors))
        for number in self._stage.alert_phones:
            self.alerts.add_subscription(SmsSubscription(number, filter_policy=supervisors))
        for address in self._stage.alarm_emails:
            self.operations.add_subscription(EmailSubscription(address))


def _title(noun: str) -> str:
    return noun.title().replace("-", "")
