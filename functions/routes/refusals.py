"""Refusals of what people write: what the gate found, and that it is noted on the case without its words."""

import json
from datetime import datetime
from http import HTTPStatus

from aws_lambda_powertools.event_handler import Response

from functions.domain.cases import Event, changed
from functions.domain.gate import Found, forbidden
from functions.runtime.api import Refusal
from functions.runtime.observability import count, logger
from functions.store import cases


class Blocked(Exception):
    """The gate found something in a text that no customer may read."""

    def __init__(self, found: list[Found]) -> None:
        super().__init__("The text says what no message may say.")
        self.found = found


class NotNow(Exception):
    """The message cannot be sent, or not taken back any more."""


class BlockedText(Refusal):
    """A text that the gate refused: each phrase, where it stands, why it may not, and better words."""

    found: list[Found]


def blocked(error: Blocked) -> Response[str]:
    body = BlockedText(
        statusCode=HTTPStatus.UNPROCESSABLE_ENTITY, message=str(error), fields=[], found=error.found
    )
    return Response(
        status_code=HTTPStatus.UNPROCESSABLE_ENTITY,
        content_type="application/json",
        body=json.dumps(body.model_dump(mode="json"), ensure_ascii=False),
    )


def note_blocked(case_id: str, by: str, found: list[Found], moment: datetime) -> None:
    """Count the attempt and note it on the case: what was tried, by whom, and none of the words."""
    intents = ", ".join(sorted({one.intent for one in forbidden(found)}))
    event = Event(at=moment, kind="message blocked", by=by, note=intents)
    cases.change(case_id, lambda case: changed(case, {}, {f"blocked:{moment:%Y%m%dT%H%M%S%f}": event}))
    logger.warning("message blocked", extra={"case_id": case_id, "intents": intents})
    count("MessagesBlocked")
