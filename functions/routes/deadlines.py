"""Routes about deadlines: why a case is due when it is, and waiting for its customer."""

from http import HTTPStatus
from typing import Annotated

from aws_lambda_powertools.event_handler.openapi.params import Body, Query
from aws_lambda_powertools.event_handler.router import APIGatewayHttpRouter
from pydantic import BaseModel, ConfigDict, Field

from functions.domain.cases import Case, Status
from functions.domain.deadlines import Pause
from functions.domain.reckoning import Language, explain_deadline
from functions.domain.times import Time
from functions.domain.waits import pause, resume
from functions.runtime.api import caller, documented
from functions.runtime.clock import now
from functions.store import cases

router = APIGatewayHttpRouter()  # type: ignore[no-untyped-call]
_NAME = Field(min_length=1, max_length=80, description="Who does it, as colleagues know them")
_CHANGES = documented(HTTPStatus.NOT_FOUND, HTTPStatus.CONFLICT)


class Waiting(BaseModel):
    model_config = ConfigDict(extra="forbid")

    by: str = _NAME
    why: str = Field(min_length=1, max_length=200, description="What the customer was asked for")


class Resumption(BaseModel):
    model_config = ConfigDict(extra="forbid")

    by: str = _NAME


class Due(BaseModel):
    """When a case is due, and why. While it waits for its customer, `due_at` is the earliest it can be."""

    case_id: str
    status: Status
    waits: bool = Field(description="Whether the clock stands, because the case waits for its customer")
    warn_at: Time
    due_at: Time
    pauses: list[Pause]
    lines: list[str] = Field(description="The reckoning, line by line, in the shop's own time")


@router.get(
    "/cases/<case_id>/deadline",
    summary="Explain when a case is due",
    responses=documented(HTTPStatus.NOT_FOUND),
)
def read_deadline(case_id: str, language: Annotated[Language, Query()] = "en") -> Due:
    return _due(cases.change(case_id, lambda case: case), language)


@router.post(
    "/cases/<case_id>/wait",
    summary="Wait for the customer",
    description="Stops the clock and takes the case on. The customer's next words in the review, `resume` or "
    "the end of the longest wait start the clock again. Once more changes nothing.",
    responses=_CHANGES,
)
def wait_for_customer(case_id: str, waiting: Annotated[Waiting, Body()]) -> Due:
    by, moment = caller(router, waiting.by), now()
    return _due(cases.change(case_id, lambda case: pause(case, waiting.why, by, moment)))


@router.post(
    "/cases/<case_id>/resume",
    summary="Go on after waiting for the customer",
    description="Starts the clock again. Once more changes nothing.",
    responses=_CHANGES,
)
def go_on(case_id: str, resumption: Annotated[Resumption, Body()]) -> Due:
    by, moment = caller(router, resumption.by), now()
    return _due(cases.change(case_id, lambda case: resume(case, by, moment)))


def _due(case: Case, language: Language = "en") -> Due:
    return Due(
        case_id=case.case_id,
        status=case.status,
        waits=case.paused,
        warn_at=case.warn_at,
        due_at=case.due_at,
        pauses=list(case.pauses),
        lines=explain_deadline(case.clock, language, case.resolved_at or case.closed_at),
    )
