"""Storage: the key of all personal data, and the tables."""

from aws_cdk import Aws, RemovalPolicy, aws_iam
from aws_cdk.aws_dynamodb import (
    Attribute,
    AttributeType,
    BillingMode,
    PointInTimeRecoverySpecification,
    ProjectionType,
    StreamViewType,
    Table,
    TableEncryption,
)
from aws_cdk.aws_kms import Key
from constructs import Construct

from infra.stages import Stage


class Storage(Construct):
    """The tables, and the one key that encrypts whatever this stack stores.

    `Table` rather than `TableV2`: it takes a customer's key in a stack without a fixed region.
    """

    def __init__(self, scope: Construct, name: str, *, stage: Stage) -> None:
        super().__init__(scope, name)
        self._stage = stage
        self.key = _key(self, stage)
        self.shops = self._table("shops", partition="shop_id")
        self.customers = self._table("customers", partition="customer", sort="item")
        self.desk = self._table("desk", partition="shop_id", sort="item", expires="expires_at")
        self.channels = self._table("channels", partition="shop_id", sort="channel")
        self.cases = self._table("cases", partition="case_id", stream=StreamViewType.NEW_IMAGE)
        self.cases_stream_arn = str(self.cases.table_stream_arn)
        self._index(self.cases, "by_shop", partition="shop_id", sort="opened_at")
        # Sparse: `due_shop` exists only while a case is open or acknowledged.
        self._index(self.cases, "due", partition="due_shop", sort="due_at")
        # Sparse: only while the passing of time may bring something. Four partitions for all shops.
        self._index(self.cases, "agenda", partition="agenda", sort="agenda_at", holds=())
        # Sparse: only of cases that were ever suspected of malice.
        self._index(self.cases, "suspected", partition="suspected_shop", sort="opened_at", holds=())
        self.ledger = self._table("ledger", partition="book", sort="line")
        # Whole lines: they are small, never change, and a page of a day is one query.
        self.ledger.add_global_secondary_index(
            index_name="by_day", partition_key=_text("day_book"), sort_key=_text("at")
        )

    def _table(
        self,
        noun: str,
        *,
        partition: str,
        sort: str | None = None,
        stream: StreamViewType | None = None,
        expires: str | None = None,
    ) -> Table:
        return Table(
            self,
            noun.title(),
            table_name=self._stage.physical(noun),
            partition_key=_text(partition),
            sort_key=_text(sort) if sort else None,
            billing_mode=BillingMode.PAY_PER_REQUEST,
            encryption=TableEncryption.CUSTOMER_MANAGED,
            encryption_key=self.key,
            point_in_time_recovery_specification=PointInTimeRecoverySpecification(
                point_in_time_recovery_enabled=True
            ),
            deletion_protection=self._stage.protected,
            removal_policy=self._stage.removal,
            stream=stream,
            time_to_live_attribute=expires,
        )

    def _index(
        self,
        table: Table,
        name: str,
        *,
        partition: str,
        sort: str,
        holds: tuple[str, ...] = ("status", "grade"),
    ) -> None:
        """Keys and what lists filter by; a list then reads its cases. Holding whole cases in an index would
        have every update of a case written three times."""
        table.add_global_secondary_index(
            index_name=name,
            partition_key=_text(partition),
            sort_key=_text(sort),
            projection_type=ProjectionType.INCLUDE if holds else ProjectionType.KEYS_ONLY,
            non_key_attributes=list(holds) or None,
        )


def _text(name: str) -> Attribute:
    return Attribute(name=name, type=AttributeType.STRING)


def _key(scope: Construct, stage: Stage) -> Key:
    """One key for tables, queues, topics and logs: 1 USD a month, where one for each would be a dozen.

    A role needs no right to the key itself: who may use a table, queue or topic may, through that
    service, also use the key. AWS's own keys (aws/dynamodb, aws/sqs) have the same policy, but can
    neither be used by alarms and topics nor be withdrawn.
    """
    key = Key(
        scope,
        "Key",
        alias=f"winback/{stage.name}",
        description=f"Encrypts what Winback ({stage.name}) stores",
        enable_key_rotation=True,
        removal_policy=RemovalPolicy.RETAIN if stage.protected else RemovalPolicy.DESTROY,
    )
    use = ["kms:Decrypt", "kms:DescribeKey", "kms:Encrypt", "kms:GenerateDataKey*", "kms:ReEncrypt*"]
    key.add_to_resource_policy(
        aws_iam.PolicyStatement(
            sid="ThroughTheServicesThatStore",
            principals=[aws_iam.AnyPrincipal()],
            actions=[*use, "kms:CreateGrant"],
            resources=["*"],
            conditions={
                "StringEquals": {
                    "kms:CallerAccount": Aws.ACCOUNT_ID,
                    "kms:ViaService": [
                        f"{service}.{Aws.REGION}.amazonaws.com"
                        for service in ("dynamodb", "s3", "sns", "sqs")
                    ],
                }
            },
        )
    )
    key.add_to_resource_policy(
        aws_iam.PolicyStatement(
            sid="AlarmsToTopicsAndTopicsToQueues",
            principals=[
                aws_iam.ServicePrincipal("cloudwatch.amazonaws.com"),
                aws_iam.ServicePrincipal("sns.amazonaws.com"),
            ],
            actions=["kms:Decrypt", "kms:GenerateDataKey*"],
            resources=["*"],
            conditions={"StringEquals": {"aws:SourceAccount": Aws.ACCOUNT_ID}},
        )
    )
    key.add_to_resource_policy(
        aws_iam.PolicyStatement(
            sid="LogGroups",
            principals=[aws_iam.ServicePrincipal(f"logs.{Aws.REGION}.amazonaws.com")],
            actions=use,
            resources=["*"],
            conditions={
                "ArnLike": {
                    "kms:EncryptionContext:aws:logs:arn": (
                        f"arn:{Aws.PARTITION}:logs:{Aws.REGION}:{Aws.ACCOUNT_ID}:log-group:*"
                        f"winback-{stage.name}-*"
                    )
                }
            },
        )
    )
    return key
