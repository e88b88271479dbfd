"""Desk: the API before a shop's rota, silences and incidents."""

from constructs import Construct

from infra.constructs.api import Api
from infra.constructs.functions import Functions, allow
from infra.constructs.storage import Storage

_SHOP = "/shops/{shop_id}"
ROUTES = (
    ("GET", f"{_SHOP}/desk"),
    ("PUT", f"{_SHOP}/rota"),
    ("POST", f"{_SHOP}/overrides"),
    ("DELETE", f"{_SHOP}/overrides/{{override_id}}"),
    ("POST", f"{_SHOP}/silences"),
    ("DELETE", f"{_SHOP}/silences/{{silence_id}}"),
    ("POST", f"{_SHOP}/maintenance"),
    ("DELETE", f"{_SHOP}/maintenance/{{maintenance_id}}"),
)


class Desk(Construct):
    """`functions/desk_api.py` behind its routes, which supervisors may call."""

    def __init__(
        self, scope: Construct, name: str, *, functions: Functions, storage: Storage, api: Api
    ) -> None:
        super().__init__(scope, name)
        self.function = functions.add(
            "desk_api",
            seconds=29,
            environment={
                "WINBACK_CASES_TABLE": storage.cases.table_name,
                "WINBACK_DESK_TABLE": storage.desk.table_name,
            },
        )
        allow(
            self.function,
            storage.desk.table_arn,
            "dynamodb:PutItem",
            "dynamodb:Query",
            "dynamodb:UpdateItem",
        )
        # What silences hide, and what a new one would: cases are only read.
        allow(self.function, storage.cases.table_arn, "dynamodb:BatchGetItem")
        allow(self.function, f"{storage.cases.table_arn}/index/due", "dynamodb:Query")
        api.serve(self.function, ROUTES)
        api.admit(api.supervisor, ROUTES)
