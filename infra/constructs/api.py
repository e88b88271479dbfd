"""API: the HTTP API before the functions. Its routes ask for a signed request unless they say otherwise."""

import json
from typing import cast

from aws_cdk import Stack
from aws_cdk.aws_apigatewayv2 import (
    CfnStage,
    HttpApi,
    HttpMethod,
    HttpNoneAuthorizer,
    HttpStage,
    ThrottleSettings,
)
from aws_cdk.aws_apigatewayv2_authorizers import HttpIamAuthorizer
from aws_cdk.aws_apigatewayv2_integrations import HttpLambdaIntegration
from aws_cdk.aws_iam import ManagedPolicy, PolicyStatement
from aws_cdk.aws_kms import IKey
from aws_cdk.aws_lambda import Function
from aws_cdk.aws_logs import LogGroup
from constructs import Construct

from infra.constructs.findings import accept, accept_star
from infra.constructs.functions import Functions
from infra.stages import Stage

_CUSTOMER = "/shops/{shop_id}/customers/{customer_id}"
CASES_ROUTES = (
    ("GET", "/cases"),
    ("GET", "/cases/{case_id}"),
    ("POST", "/cases/{case_id}/acknowledge"),
    ("POST", "/cases/{case_id}/resolve"),
    ("POST", "/cases/{case_id}/reopen"),
    ("GET", "/cases/{case_id}/deadline"),
    ("POST", "/cases/{case_id}/wait"),
    ("POST", "/cases/{case_id}/resume"),
    ("POST", "/decisions"),
)
PROFILE_ROUTES = (
    ("GET", _CUSTOMER),
    ("PATCH", _CUSTOMER),
    ("DELETE", _CUSTOMER),
    ("GET", f"{_CUSTOMER}/export"),
    ("POST", "/shops/{shop_id}/orders"),
)
# Who asked for what and how it went: no query string, no body, and the route instead of the path,
# which holds customer numbers.
_LOGGED = {
    "requestId": "$context.requestId",
    "requestTime": "$context.requestTime",
    "caller": "$context.identity.caller",
    "route": "$context.routeKey",
    "status": "$context.status",
    "latencyMs": "$context.responseLatency",
    "bytes": "$context.responseLength",
}


class Api(Construct):
    """`supervisor` and `shop_system` are policies to attach to the roles of those who call."""

    def __init__(self, scope: Construct, name: str, *, stage: Stage, functions: Functions, key: IKey) -> None:
        super().__init__(scope, name)
        self.http = HttpApi(
            self,
            "Http",
            api_name=stage.physical("api"),
            create_default_stage=False,
            default_authorizer=HttpIamAuthorizer(),
        )
        self.log_group = LogGroup(
            self,
            "Log",
            log_group_name=f"/aws/vendedlogs/{stage.physical('api')}",
            encryption_key=key,
            retention=stage.log_retention,
            removal_policy=stage.removal,
        )
        default = HttpStage(
            self,
            "Default",
            http_api=self.http,
            stage_name="$default",
            auto_deploy=True,
            throttle=ThrottleSettings(rate_limit=100, burst_limit=200),
        )
        self._stage = cast("CfnStage", default.node.default_child)
        self._stage.access_log_settings = CfnStage.AccessLogSettingsProperty(
            destination_arn=self.log_group.log_group_arn, format=json.dumps(_LOGGED)
        )
        self.serve(functions.cases_api, CASES_ROUTES)
        self.serve(functions.profile_api, PROFILE_ROUTES)
        self.supervisor = self.callers(
            "Supervisor", "Read, acknowledge and resolve cases, try decisions", CASES_ROUTES
        )
        self.shop_system = self.callers(
            "ShopSystem", "Send orders, read, annotate, export and erase customers", PROFILE_ROUTES
        )

    @property
    def url(self) -> str:
        """The address of the API without a closing slash."""
        return self.http.api_endpoint

    def serve(self, function: Function, routes: tuple[tuple[str, str], ...]) -> None:
        integration = HttpLambdaIntegration(function.node.id, function)
        for method, path in routes:
            self.http.add_routes(path=path, methods=[HttpMethod(method)], integration=integration)

    def open_to_all(self, function: Function, routes: tuple[tuple[str, str], ...], reason: str) -> None:
        """Serve routes that ask for no signature, seldom enough that nobody can try many tokens."""
        integration = HttpLambdaIntegration(function.node.id, function)
        for method, path in routes:
            for route in self.http.add_routes(
                path=path,
                methods=[HttpMethod(method)],
                integration=integration,
                authorizer=HttpNoneAuthorizer(),
            ):
                accept(route, "APIG4", reason)
                self._stage.node.add_dependency(route)  # its settings name the route
        self._stage.route_settings = {
            f"{method} {path}": {"ThrottlingRateLimit": 20, "ThrottlingBurstLimit": 40}
            for method, path in routes
        }

    def admit(self, callers: ManagedPolicy, routes: tuple[tuple[str, str], ...]) -> None:
        """Let the callers of this policy call these routes too."""
        resources = [self._arn(method, path) for method, path in routes]
        callers.add_statements(PolicyStatement(actions=["execute-api:Invoke"], resources=resources))
        for resource in resources:
            if "*" in resource:
                accept_star(callers, resource, "The stars stand for the numbers in a route's path")

    def callers(self, name: str, description: str, routes: tuple[tuple[str, str], ...]) -> ManagedPolicy:
        policy = ManagedPolicy(self, name, description=description)
        self.admit(policy, routes)
        return policy

    def _arn(self, method: str, path: str) -> str:
        parts = ["*" if part.startswith("{") else part for part in path.split("/")]
        return Stack.of(self).format_arn(
            service="execute-api",
            resource=self.http.api_id,
            resource_name=f"$default/{method}{'/'.join(parts)}",
        )
