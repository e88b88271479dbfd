"""The stack: puts the constructs together and says what others need to know of it."""

from aws_cdk import CfnOutput, Stack
from constructs import Construct

from infra.constructs.alarms import Alarms
from infra.constructs.api import Api
from infra.constructs.channels import Channels
from infra.constructs.conversation import Conversation
from infra.constructs.dashboard import BusinessDashboard
from infra.constructs.desk import Desk
from infra.constructs.evidence import Evidence
from infra.constructs.functions import Functions
from infra.constructs.messaging import Messaging
from infra.constructs.money import Money
from infra.constructs.page import Page
from infra.constructs.rulebook import RulebookConfiguration
from infra.constructs.storage import Storage
from infra.constructs.triggers import Triggers
from infra.constructs.workflows import FollowUp
from infra.stages import Stage


class Winback(Stack):
    def __init__(self, scope: Construct, *, stage: Stage) -> None:
        super().__init__(
            scope,
            f"Winback-{stage.name}",
            description="Winback: turns bad reviews into kept customers",
            env=stage.environment,
            synthesizer=stage.synthesizer,
            termination_protection=stage.protected,
            tags={"application": "winback", "stage": stage.name},
        )
        storage = Storage(self, "Storage", stage=stage)
        messaging = Messaging(self, "Messaging", stage=stage, key=storage.key)
        follow_up = FollowUp(self, "FollowUp", stage=stage, cases=storage.cases, key=storage.key)
        functions = Functions(
            self, "Functions", stage=stage, storage=storage, messaging=messaging, follow_up=follow_up
        )
        conversation = Conversation(self, "Conversation", functions=functions, storage=storage)
        Channels(self, "Channels", storage=storage, messaging=messaging, functions=functions)
        money = Money(self, "Money", storage=storage, messaging=messaging, functions=functions)
        Triggers(self, "Triggers", stage=stage, functions=functions, messaging=messaging, storage=storage)
        api = Api(self, "Api", stage=stage, functions=functions, key=storage.key)
        Desk(self, "Desk", functions=functions, storage=storage, api=api)
        conversation.serve(api)
        money.serve(api)
        Page(self, "Page", stage=stage, storage=storage, functions=functions, api=api)
        evidence = Evidence(
            self,
            "Evidence",
            stage=stage,
            storage=storage,
            messaging=messaging,
            functions=functions,
            api=api,
        )
        rulebook = RulebookConfiguration(self, "Rulebook", stage=stage, messaging=messaging)
        rulebook.check_with(functions.rules_validator)
        rulebook.read_by(functions.deciding)
        alarms = Alarms(
            self,
            "Alarms",
            stage=stage,
            functions=functions,
            messaging=messaging,
            follow_up=follow_up,
            api=api,
        )
        BusinessDashboard(
            self,
            "Business",
            stage=stage,
            functions=functions,
            messaging=messaging,
            follow_up=follow_up,
            api=api,
            alarms=alarms,
        )
        for name, value in {
            "ApiUrl": api.url,
            "ShopsTable": storage.shops.table_name,
            "CustomersTable": storage.customers.table_name,
            "CasesTable": storage.cases.table_name,
            "DeskTable": storage.desk.table_name,
            "PollsQueueUrl": messaging.polls.queue.queue_url,
            "ReviewsQueueUrl": messaging.reviews.queue.queue_url,
            "PollsDlqUrl": messaging.polls.failed.queue_url,
            "ReviewsDlqUrl": messaging.reviews.failed.queue_url,
            "ChannelsTable": storage.channels.table_name,
            "NoticesQueueUrl": messaging.notices.queue.queue_url,
            "NoticesDlqUrl": messaging.notices.failed.queue_url,
            "EvidenceBucket": evidence.bucket.bucket_name,
            "PacksQueueUrl": messaging.packs.queue.queue_url,
            "PacksDlqUrl": messaging.packs.failed.queue_url,
            "LegalPolicyArn": evidence.legal.managed_policy_arn,
            "LedgerTable": storage.ledger.table_name,
            "OrdersQueueUrl": messaging.orders.queue.queue_url,
            "OrdersDlqUrl": messaging.orders.failed.queue_url,
            "TicksDlqUrl": messaging.ticks.failed.queue_url,
            "CaseEventsDlqUrl": messaging.failed_case_events.queue_url,
            "AlertsTopicArn": messaging.alerts.topic_arn,
            "MessagesTopicArn": messaging.messages.topic_arn,
            "OperationsTopicArn": messaging.operations.topic_arn,
            "FollowUpArn": follow_up.machine.state_machine_arn,
            "SupervisorPolicyArn": api.supervisor.managed_policy_arn,
            "ShopSystemPolicyArn": api.shop_system.managed_policy_arn,
        }.items():
            CfnOutput(self, name, value=value)
