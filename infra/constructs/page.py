"""Page: the case page behind an alert's link, and the keys that sign such links."""

from aws_cdk import ArnFormat, Stack
from aws_cdk.aws_lambda import Function
from aws_cdk.aws_secretsmanager import Secret, SecretStringGenerator
from constructs import Construct

from infra.constructs.api import Api
from infra.constructs.findings import accept
from infra.constructs.functions import Functions, allow
from infra.constructs.storage import Storage
from infra.stages import Stage

PAGE_ROUTES = (("GET", "/p/{token}"), ("POST", "/p/{token}"))


class Page(Construct):
    """The only routes without a signature: whoever holds a link may do what it is for, until it expires."""

    def __init__(
        self, scope: Construct, name: str, *, stage: Stage, storage: Storage, functions: Functions, api: Api
    ) -> None:
        super().__init__(scope, name)
        self._keys = stage.physical("link-keys")
        keys = Secret(
            self,
            "LinkKeys",
            secret_name=self._keys,
            description="Signs the links in alerts: docs/operations.md says how to change the key",
            generate_secret_string=SecretStringGenerator(
                secret_string_template='{"signs": 1}',  # noqa: S106 - the secret is generated
                generate_string_key="1",
                password_length=64,
                exclude_punctuation=True,
            ),
            removal_policy=stage.removal,
        )
        accept(keys, "SMG4", "A new key must be known before it signs, so a person rotates it, in two steps")
        self.function = functions.add(
            "case_page", seconds=10, environment={"WINBACK_CASES_TABLE": storage.cases.table_name}
        )
        allow(self.function, storage.cases.table_arn, "dynamodb:BatchGetItem", "dynamodb:PutItem")
        api.open_to_all(self.function, PAGE_ROUTES, "The signed token in the path is the permission")
        self.let_sign(self.function)
        self.let_sign(functions.case_events)
        functions.case_events.add_environment("WINBACK_CASE_LINK", stage.case_link or f"{api.url}/p/")

    def let_sign(self, function: Function) -> None:
        """Let the function sign links and check them."""
        arn = Stack.of(self).format_arn(
            service="secretsmanager",
            resource="secret",
            arn_format=ArnFormat.COLON_RESOURCE_NAME,
            resource_name=f"{self._keys}-??????",  # what AWS appends to a secret's name
        )
        function.add_environment("WINBACK_LINK_KEYS", self._keys)
        allow(function, arn, "secretsmanager:GetSecretValue")
