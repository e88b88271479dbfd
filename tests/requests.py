"""Requests as the HTTP API hands them to a function, signed by somebody."""

import json
from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

from tests.events import CONTEXT

CALLER = "arn:aws:sts::123456789012:assumed-role/supervisors/wang"


def request(
    method: str, path: str, *, body: Any = None, query: dict[str, Any] | None = None
) -> dict[str, Any]:
    """Return the event of a request. A `body` that is text is sent as it is, any other one as JSON."""
    return {
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": path,
        "rawQueryString": urlencode(query or {}),
        "queryStringParameters": {name: str(value) for name, value in (query or {}).items()},
        "headers": {"content-type": "application/json"},
        "requestContext": {
            "authorizer": {"iam": {"userArn": CALLER}},
            "http": {"method": method, "path": path, "sourceIp": "127.0.0.1", "protocol": "HTTP/1.1"},
            "requestId": "request",
            "stage": "$default",
        },
        "body": body if isinstance(body, str) or body is None else json.dumps(body),
        "isBase64Encoded": False,
    }


def ask(
    handler: Callable[[dict[str, Any], Any], Any],
    method: str,
    path: str,
    *,
    body: Any = None,
    query: dict[str, Any] | None = None,
) -> tuple[int, Any]:
    """Return status and body of the answer."""
    answer = handler(request(method, path, body=body, query=query), CONTEXT)
    return answer["statusCode"], json.loads(answer["body"])
