"""APIs: what both API functions share, above all the one way from an exception to an answer."""

from collections.abc import Mapping
from functools import partial
from http import HTTPStatus
from typing import Any

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response
from aws_lambda_powertools.event_handler.api_gateway import BaseRouter
from aws_lambda_powertools.event_handler.openapi.exceptions import RequestValidationError
from pydantic import BaseModel

from functions.runtime.errors import Unknown

_JSON = "application/json"


class Mend(BaseModel):
    """What is wrong with a field and how to mend it."""

    field: str
    mend: str


class Refusal(BaseModel):
    """The body of every answer that is not a success."""

    statusCode: int  # noqa: N815 - as Powertools and API Gateway spell it
    message: str
    fields: list[Mend] = []


def resolver(refusals: Mapping[type[Exception], HTTPStatus]) -> APIGatewayHttpResolver:
    """Return a resolver that answers these exceptions (and wrong requests) with a Refusal.

    Any other exception fails the invocation: the caller gets a 500, the alarm rings.
    """
    app = APIGatewayHttpResolver(
        enable_validation=True, response_validation_error_http_code=HTTPStatus.INTERNAL_SERVER_ERROR
    )
    app.exception_handler(RequestValidationError)(_invalid)
    for kind, status in ({Unknown: HTTPStatus.NOT_FOUND} | dict(refusals)).items():
        app.exception_handler(kind)(partial(_refused, status))
    return app


def documented(*statuses: HTTPStatus) -> dict[int, Any]:
    """Return the OpenAPI of a route's answers: its success, these refusals, and that of a wrong request."""
    return {200: {"description": "Done"}} | {
        int(status): {
            "description": status.phrase,
            "content": {_JSON: {"model": Refusal}},
        }
        for status in (*statuses, HTTPStatus.UNPROCESSABLE_ENTITY)
    }


def caller(app: BaseRouter, name: str) -> str:
    """Return who asks: the name they give, with the identity that signed the request."""
    authorizer = app.current_event.raw_event.get("requestContext", {}).get("authorizer") or {}
    identity = (authorizer.get("iam") or {}).get("userArn")
    return f"{name} ({identity})" if identity else name


def mends(errors: list[Any]) -> list[Mend]:
    """Return pydantic's errors in short, without the values, which may be personal."""
    return [Mend(field=".".join(map(str, error["loc"])), mend=error["msg"]) for error in errors]


def _refused(status: HTTPStatus, error: Exception) -> Response[str]:
    return _response(Refusal(statusCode=status, message=str(error)))


def _invalid(error: RequestValidationError) -> Response[str]:
    fields = mends(list(error.errors()))
    named = ", ".join(field.field for field in fields)
    return _response(
        Refusal(
            statusCode=HTTPStatus.UNPROCESSABLE_ENTITY, message=f"Mend {named} and repeat.", fields=fields
        )
    )


def _response(refusal: Refusal) -> Response[str]:
    return Response(status_code=refusal.statusCode, content_type=_JSON, body=refusal.model_dump_json())
