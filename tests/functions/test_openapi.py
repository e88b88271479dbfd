"""docs/openapi.json says what the functions do, and the deployed API has exactly its routes."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from infra import openapi
from infra.constructs.page import PAGE_ROUTES

KEPT = Path(__file__).parents[2] / "docs" / "openapi.json"


def routes(described: Mapping[str, Any]) -> set[str]:
    return {f"{method.upper()} {path}" for path, ways in described["paths"].items() for method in ways}


def test_the_kept_description_is_the_one_the_functions_give() -> None:
    assert KEPT.read_text("utf-8") == openapi.text(), "python -m infra.openapi >docs/openapi.json"


def test_the_deployed_api_has_the_described_routes_and_no_others(template: Mapping[str, Any]) -> None:
    deployed = {
        resource["Properties"]["RouteKey"]
        for resource in template["Resources"].values()
        if resource["Type"] == "AWS::ApiGatewayV2::Route"
    }
    pages = {f"{method} {path}" for method, path in PAGE_ROUTES}  # for people, not for programs
    assert deployed - pages == routes(openapi.document())


def test_every_reference_leads_somewhere() -> None:
    described = openapi.document()
    names = {f'"#/components/schemas/{name}"' for name in described["components"]["schemas"]}
    used = {part for part in json.dumps(described).split() if part.startswith('"#/components')}
    assert {part.rstrip("},]") for part in used} <= names


def test_every_request_must_be_signed() -> None:
    described = openapi.document()
    (scheme,) = described["components"]["securitySchemes"].values()
    assert scheme["x-amazon-apigateway-authtype"] == "awsSigv4"
    assert described["security"] == [{"sigv4": []}]
