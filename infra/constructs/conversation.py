"""Conversation: what is written to customers and what they write back, as an API of its own."""

from constructs import Construct

from infra.constructs.api import Api
from infra.constructs.functions import Functions, allow
from infra.constructs.storage import Storage

_CUSTOMER = "/shops/{shop_id}/customers/{customer_id}"
# Colleagues write; the platform's chat or the text message provider hands on what comes back.
WRITING_ROUTES = (
    ("GET", "/cases/{case_id}/drafts"),
    ("POST", "/cases/{case_id}/messages"),
    ("DELETE", "/cases/{case_id}/messages/{name}"),
    ("POST", "/cases/{case_id}/reply"),
    ("POST", "/messages/check"),
)
INBOUND_ROUTES = (
    ("POST", f"{_CUSTOMER}/opt-out"),
    ("POST", f"{_CUSTOMER}/reply"),
)


class Conversation(Construct):
    def __init__(self, scope: Construct, name: str, *, functions: Functions, storage: Storage) -> None:
        super().__init__(scope, name)
        tables = {
            "WINBACK_CASES_TABLE": storage.cases.table_name,
            "WINBACK_CUSTOMERS_TABLE": storage.customers.table_name,
            "WINBACK_LEDGER_TABLE": storage.ledger.table_name,
            "WINBACK_SHOPS_TABLE": storage.shops.table_name,
        }
        self.messages_api = functions.add("messages_api", seconds=29, environment=tables, decides=True)
        functions.let_read_secrets(functions.case_events)  # a public reply is signed as the shop
        allow(self.messages_api, storage.cases.table_arn, "dynamodb:BatchGetItem", "dynamodb:PutItem")
        allow(
            self.messages_api,
            storage.customers.table_arn,
            "dynamodb:BatchGetItem",
            "dynamodb:GetItem",
            "dynamodb:PutItem",
            "dynamodb:Query",
        )
        allow(self.messages_api, storage.ledger.table_arn, "dynamodb:Query")
        allow(self.messages_api, storage.shops.table_arn, "dynamodb:GetItem")

    def serve(self, api: Api) -> None:
        api.serve(self.messages_api, (*WRITING_ROUTES, *INBOUND_ROUTES))
        api.admit(api.supervisor, WRITING_ROUTES)
        api.admit(api.shop_system, INBOUND_ROUTES)
