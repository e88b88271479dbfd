"""Workflows: the follow-up of a case, from infra/workflows/follow_up.asl.json."""

from pathlib import Path

from aws_cdk import ArnFormat, Stack
from aws_cdk.aws_dynamodb import Table
from aws_cdk.aws_iam import PolicyStatement, Role, ServicePrincipal
from aws_cdk.aws_kms import IKey
from aws_cdk.aws_logs import LogGroup
from aws_cdk.aws_stepfunctions import DefinitionBody, LogLevel, LogOptions, StateMachine, StateMachineType
from constructs import Construct

from infra.constructs.findings import accept_star
from infra.stages import Stage

DEFINITION = Path(__file__).parents[1] / "workflows" / "follow_up.asl.json"


class FollowUp(Construct):
    """The machine waits in updates of the cases table and does nothing else: no Lambda is in it.

    `executions_arn` stands for all its executions.
    """

    def __init__(self, scope: Construct, name: str, *, stage: Stage, cases: Table, key: IKey) -> None:
        super().__init__(scope, name)
        role = Role(self, "Role", assumed_by=ServicePrincipal("states.amazonaws.com"))
        role.add_to_policy(PolicyStatement(actions=["dynamodb:UpdateItem"], resources=[cases.table_arn]))
        self.log_group = LogGroup(
            self,
            "Log",
            # The prefix keeps the log delivery's resource policy from growing with each workflow.
            log_group_name=f"/aws/vendedlogs/states/{stage.physical('follow-up')}",
            encryption_key=key,
            retention=stage.log_retention,
            removal_policy=stage.removal,
        )
        self.machine = StateMachine(
            self,
            "Machine",
            state_machine_name=stage.physical("follow-up"),
            state_machine_type=StateMachineType.STANDARD,
            definition_body=DefinitionBody.from_string(DEFINITION.read_text("utf-8")),
            definition_substitutions={"CasesTable": cases.table_name},
            role=role,
            logs=LogOptions(destination=self.log_group, level=LogLevel.ALL, include_execution_data=False),
            tracing_enabled=True,
        )
        self.executions_arn = Stack.of(self).format_arn(
            service="states",
            resource="execution",
            resource_name=f"{stage.physical('follow-up')}:*",
            arn_format=ArnFormat.COLON_RESOURCE_NAME,
        )
        accept_star(role, "*", "AWS names no resource for log delivery (logs:*LogDelivery) and X-Ray")
