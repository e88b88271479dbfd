"""Money: the functions around the ledger, what each may do, and who may call them."""

from aws_cdk.aws_dynamodb import Table
from constructs import Construct

from infra.constructs.api import Api
from infra.constructs.functions import Functions, allow
from infra.constructs.messaging import Messaging
from infra.constructs.storage import Storage

MONEY_ROUTES = (
    ("GET", "/shops/{shop_id}/ledger"),
    ("GET", "/shops/{shop_id}/balance"),
    ("GET", "/shops/{shop_id}/approvals"),
    ("GET", "/shops/{shop_id}/picklist"),
    ("GET", "/cases/{case_id}/benefits"),
    ("POST", "/cases/{case_id}/benefits"),
    ("POST", "/benefits/{key}/approve"),
    ("POST", "/benefits/{key}/refuse"),
    ("POST", "/benefits/{key}/recall"),
    ("POST", "/benefits/{key}/sent"),
)
COUPONS_ROUTES = (
    ("GET", "/shops/{shop_id}/customers/{customer_id}/coupons"),
    ("POST", "/benefits/{key}/delivered"),
    ("POST", "/benefits/{key}/redeemed"),
)
# Lines and lists are put, counters updated, lists emptied; every one of them under a condition.
_WRITES = ("dynamodb:DeleteItem", "dynamodb:PutItem", "dynamodb:Query", "dynamodb:UpdateItem")


class Money(Construct):
    """The grants themselves are effects of cases: case_events performs them."""

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
        ledger, orders = storage.ledger, messaging.orders.queue
        queue_url = {"WINBACK_ORDERS_QUEUE_URL": orders.queue_url}
        tables = _told(shops=storage.shops, cases=storage.cases, ledger=ledger)

        self.order_sender = functions.add("order_sender", seconds=30, environment=tables | queue_url)
        # Not DeleteItem: what is on the pick list never comes here.
        allow(
            self.order_sender, ledger.table_arn, "dynamodb:PutItem", "dynamodb:Query", "dynamodb:UpdateItem"
        )
        allow(self.order_sender, storage.cases.table_arn, "dynamodb:BatchGetItem", "dynamodb:PutItem")
        allow(self.order_sender, storage.shops.table_arn, "dynamodb:GetItem")
        allow(self.order_sender, orders.queue_arn, "sqs:ChangeMessageVisibility")
        functions.let_read_secrets(self.order_sender)

        for named, value in (_told(shops=storage.shops, ledger=ledger) | queue_url).items():
            functions.case_events.add_environment(named, value)
        allow(functions.case_events, ledger.table_arn, *_WRITES)
        allow(functions.case_events, storage.shops.table_arn, "dynamodb:GetItem")
        allow(functions.case_events, orders.queue_arn, "sqs:SendMessage")

        self.money_api = functions.add("money_api", seconds=29, environment=tables, decides=True)
        allow(self.money_api, ledger.table_arn, *_WRITES)
        allow(self.money_api, f"{ledger.table_arn}/index/by_day", "dynamodb:Query")
        allow(self.money_api, storage.cases.table_arn, "dynamodb:BatchGetItem", "dynamodb:PutItem")
        allow(self.money_api, storage.shops.table_arn, "dynamodb:GetItem")

        self.coupons_api = functions.add(
            "coupons_api",
            seconds=29,
            environment=_told(cases=storage.cases, customers=storage.customers, ledger=ledger),
        )
        allow(self.coupons_api, ledger.table_arn, *_WRITES)
        allow(self.coupons_api, storage.cases.table_arn, "dynamodb:BatchGetItem", "dynamodb:PutItem")
        allow(self.coupons_api, storage.customers.table_arn, "dynamodb:GetItem")

    def serve(self, api: Api) -> None:
        """Supervisors decide, the shop's system reads coupons and reports."""
        api.serve(self.money_api, MONEY_ROUTES)
        api.serve(self.coupons_api, COUPONS_ROUTES)
        api.admit(api.supervisor, MONEY_ROUTES)
        api.admit(api.shop_system, COUPONS_ROUTES)


def _told(**tables: Table) -> dict[str, str]:
    return {f"WINBACK_{noun.upper()}_TABLE": table.table_name for noun, table in tables.items()}
