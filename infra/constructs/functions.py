"""Functions: the Lambdas, what each one is told and what each one may do.

Rights are written action by action, for exactly the tables, indexes, queues, topics and workflow a
function uses; the ready-made grants of the CDK give more than that.
"""

from typing import cast

from aws_cdk import ArnFormat, Duration, Stack
from aws_cdk.aws_dynamodb import Table
from aws_cdk.aws_iam import PolicyStatement, Role, ServicePrincipal
from aws_cdk.aws_lambda import Function
from aws_cdk.aws_logs import LogGroup
from constructs import Construct

from infra.constructs.code import Dependencies, source
from infra.constructs.findings import accept, accept_star
from infra.constructs.messaging import Messaging, Work
from infra.constructs.storage import Storage
from infra.constructs.workflows import FollowUp
from infra.stages import Stage

# CPU grows with memory; a cold start is mostly Python imports and halves from 256 to 512 MB.
_MEMORY = 512


class Functions(Construct):
    def __init__(
        self,
        scope: Construct,
        name: str,
        *,
        stage: Stage,
        storage: Storage,
        messaging: Messaging,
        follow_up: FollowUp,
    ) -> None:
        super().__init__(scope, name)
        self._stage, self._key = stage, storage.key
        self._code = source(stage.target)
        self._layer = Dependencies(self, "Dependencies", target=stage.target)
        self.all: dict[str, Function] = {}
        self.deciding: list[Function] = []
        self._roles: dict[str, Role] = {}
        shops, customers, cases = storage.shops, storage.customers, storage.cases

        self.poll_planner = self.add(
            "poll_planner",
            seconds=30,
            environment=_tables(shops=shops) | _queues(polls=messaging.polls),
        )
        allow(self.poll_planner, shops.table_arn, "dynamodb:Scan")
        allow(self.poll_planner, messaging.polls.queue.queue_arn, "sqs:SendMessage")

        self.review_poller = self.add(
            "review_poller",
            seconds=60,
            environment=_tables(shops=shops) | _queues(reviews=messaging.reviews),
        )
        allow(self.review_poller, shops.table_arn, "dynamodb:GetItem", "dynamodb:UpdateItem")
        allow(self.review_poller, messaging.reviews.queue.queue_arn, "sqs:SendMessage")
        self.let_read_secrets(self.review_poller)

        self.rule_evaluator = self.add(
            "rule_evaluator",
            seconds=10,
            environment=_tables(cases=cases, customers=customers, shops=shops),
            decides=True,
        )
        allow(self.rule_evaluator, cases.table_arn, "dynamodb:BatchGetItem", "dynamodb:PutItem")
        allow(self.rule_evaluator, customers.table_arn, "dynamodb:BatchGetItem", "dynamodb:PutItem")
        allow(self.rule_evaluator, shops.table_arn, "dynamodb:BatchGetItem")  # their hours

        self.case_events = self.add(
            "case_events",
            seconds=30,
            environment=_tables(cases=cases, customers=customers, desk=storage.desk, ledger=storage.ledger)
            | {
                "WINBACK_ALERTS_TOPIC_ARN": messaging.alerts.topic_arn,
                "WINBACK_MESSAGES_TOPIC_ARN": messaging.messages.topic_arn,
                "WINBACK_FOLLOW_UP_ARN": follow_up.machine.state_machine_arn,
            },
            decides=True,
        )
        allow(self.case_events, cases.table_arn, "dynamodb:BatchGetItem", "dynamodb:PutItem")
        allow(
            self.case_events,
            customers.table_arn,
            "dynamodb:BatchGetItem",
            "dynamodb:ConditionCheckItem",
            "dynamodb:PutItem",
            "dynamodb:Query",
        )
        allow(self.case_events, cases.table_arn, "dynamodb:ConditionCheckItem")
        allow(
            self.case_events,
            storage.desk.table_arn,
            "dynamodb:BatchGetItem",
            "dynamodb:Query",
            "dynamodb:UpdateItem",
        )
        allow(self.case_events, [messaging.alerts.topic_arn, messaging.messages.topic_arn], "sns:Publish")
        allow(self.case_events, follow_up.machine.state_machine_arn, "states:StartExecution")
        allow(self.case_events, follow_up.executions_arn, "states:StopExecution")
        accept_star(self._roles["case_events"], follow_up.executions_arn, "every run of a case has its own")

        self.case_clock = self.add(
            "case_clock",
            seconds=30,
            environment=_tables(cases=cases)
            | _queues(ticks=messaging.ticks)
            | {"WINBACK_TICK_S": stage.tick_s},
            decides=True,
        )
        allow(self.case_clock, messaging.ticks.queue.queue_arn, "sqs:SendMessage")
        allow(self.case_clock, cases.table_arn, "dynamodb:BatchGetItem", "dynamodb:PutItem")
        allow(self.case_clock, _indexes(cases, "agenda"), "dynamodb:Query")

        self.cases_api = self.add(
            "cases_api",
            seconds=29,
            environment=_tables(cases=cases, customers=customers, shops=shops),
            decides=True,
        )
        allow(self.cases_api, cases.table_arn, "dynamodb:BatchGetItem", "dynamodb:PutItem")
        allow(self.cases_api, _indexes(cases, "by_shop", "due"), "dynamodb:Query")
        allow(self.cases_api, customers.table_arn, "dynamodb:BatchGetItem")
        allow(self.cases_api, shops.table_arn, "dynamodb:BatchGetItem")

        self.profile_api = self.add(
            "profile_api", seconds=29, environment=_tables(cases=cases, customers=customers, shops=shops)
        )
        allow(self.profile_api, shops.table_arn, "dynamodb:GetItem")
        allow(
            self.profile_api,
            customers.table_arn,
            "dynamodb:BatchGetItem",
            "dynamodb:DeleteItem",
            "dynamodb:GetItem",
            "dynamodb:PutItem",
            "dynamodb:Query",
        )
        # A person is exported with their cases and erased from them.
        allow(self.profile_api, cases.table_arn, "dynamodb:BatchGetItem", "dynamodb:PutItem")

        self.rules_validator = self.add("rules_validator", seconds=15, environment={})

    def add(
        self, module: str, *, seconds: int, environment: dict[str, str], decides: bool = False
    ) -> Function:
        """Return the Lambda of functions/<module>.py with a role that may only write its own log.

        One that `decides` does so by the rules that are rolled out (infra/constructs/rulebook.py).
        """
        noun = module.replace("_", "-")
        title = module.title().replace("_", "")
        log_group = LogGroup(
            self,
            f"{title}Log",
            log_group_name=f"/aws/lambda/{self._stage.physical(noun)}",
            encryption_key=self._key,
            retention=self._stage.log_retention,
            removal_policy=self._stage.removal,
        )
        role = Role(
            self,
            f"{title}Role",
            assumed_by=ServicePrincipal("lambda.amazonaws.com"),
        )
        log_group.grant_write(role)
        function = Function(
            self,
            title,
            function_name=self._stage.physical(noun),
            handler=f"functions.{module}.handler",
            code=self._code,
            layers=[self._layer],
            runtime=self._stage.target.runtime,
            architecture=self._stage.target.architecture,
            memory_size=_MEMORY,
            timeout=Duration.seconds(seconds),
            role=role,
            log_group=log_group,
            environment={
                "WINBACK_STAGE": self._stage.name,
                "POWERTOOLS_SERVICE_NAME": "winback",
                "POWERTOOLS_METRICS_NAMESPACE": f"Winback/{self._stage.name}",
                "POWERTOOLS_LOG_LEVEL": "INFO",
                "PYDANTIC_DISABLE_PLUGINS": "__all__",  # there are none; looking costs 20 ms at a cold start
                **self._stage.pace,
                **environment,
            },
        )
        accept(function, "L1", "The runtime is the Python that deploys, so that its byte code can be shipped")
        self.all[module], self._roles[module] = function, role
        if decides:
            self.deciding.append(function)
        return function

    def let_read_secrets(self, function: Function, under: str = "") -> None:
        """Let a function read the secrets that commands make for shops, under the stage's prefix."""
        secrets = Stack.of(self).format_arn(
            service="secretsmanager",
            resource="secret",
            arn_format=ArnFormat.COLON_RESOURCE_NAME,
            resource_name=f"winback/{self._stage.name}/{under}*",
        )
        allow(function, secrets, "secretsmanager:GetSecretValue")
        accept_star(
            cast("Role", function.role), secrets, "Shops and channels come and go without a deployment"
        )


def allow(function: Function, resources: str | list[str], *actions: str) -> None:
    """Add one statement to the function's role."""
    function.add_to_role_policy(
        PolicyStatement(
            actions=list(actions), resources=[resources] if isinstance(resources, str) else resources
        )
    )


def _tables(**tables: Table) -> dict[str, str]:
    return {f"WINBACK_{noun.upper()}_TABLE": table.table_name for noun, table in tables.items()}


def _queues(**queues: Work) -> dict[str, str]:
    return {f"WINBACK_{noun.upper()}_QUEUE_URL": work.queue.queue_url for noun, work in queues.items()}


def _indexes(table: Table, *names: str) -> list[str]:
    return [f"{table.table_arn}/index/{name}" for name in names]
