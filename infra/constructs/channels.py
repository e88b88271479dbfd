"""Channels: from the alerts topic through a queue to the function that posts to the shops' channels."""

from aws_cdk.aws_iam import PolicyStatement, ServicePrincipal
from aws_cdk.aws_sns import Subscription, SubscriptionProtocol
from constructs import Construct

from infra.constructs.functions import Functions, allow
from infra.constructs.messaging import Messaging
from infra.constructs.storage import Storage


class Channels(Construct):
    def __init__(
        self,
        scope: Construct,
        name: str,
        *,
        storage: Storage,
        messaging: Messaging,
        functions: Functions,
    ) -> None:
        super().__init__(scope, name)
        queue = messaging.notices.queue
        # Not SqsSubscription: it writes the topic into the policy of the key that encrypts the topic.
        queue.add_to_resource_policy(
            PolicyStatement(
                principals=[ServicePrincipal("sns.amazonaws.com")],
                actions=["sqs:SendMessage"],
                resources=[queue.queue_arn],
                conditions={"ArnEquals": {"aws:SourceArn": messaging.alerts.topic_arn}},
            )
        )
        Subscription(
            self,
            "Alerts",
            topic=messaging.alerts,
            endpoint=queue.queue_arn,
            protocol=SubscriptionProtocol.SQS,
            raw_message_delivery=True,
        )
        self.function = functions.add(
            "alert_sender",
            seconds=30,
            environment={
                "WINBACK_CHANNELS_TABLE": storage.channels.table_name,
                "WINBACK_CASES_TABLE": storage.cases.table_name,
                "WINBACK_NOTICES_QUEUE_URL": queue.queue_url,
            },
            decides=True,
        )
        allow(self.function, storage.channels.table_arn, "dynamodb:PutItem", "dynamodb:Query")
        allow(self.function, storage.cases.table_arn, "dynamodb:BatchGetItem", "dynamodb:PutItem")
        allow(self.function, queue.queue_arn, "sqs:SendMessage")
        functions.let_read_secrets(self.function, "channels/")
