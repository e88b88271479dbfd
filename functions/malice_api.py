"""Malice API: people judge suspicions, hand in chats and file appeals; it tells how right the signals were.

Trigger: the HTTP API, signed requests only. Writes cases; the cases table's stream sets off the rest. A
chat is read and forgotten: only the words that trade the review are kept, on the case.
"""

from collections.abc import Callable
from functools import partial
from http import HTTPStatus
from typing import Annotated, Any, Literal

from aws_lambda_powertools.event_handler.openapi.params import Body
from pydantic import BaseModel, ConfigDict, Field

from functions import rulebook
from functions.domain.appeals import Answer, Checklist, NoAppeal, answered, checklist, file
from functions.domain.cases import Case, Status
from functions.domain.exhibits import Appeal
from functions.domain.judgement import NotJudged, add_signal, confirm_malice, raise_suspicion, reject_malice
from functions.domain.malice import Malice, Said, Signal, bulk_signals, chat_signal
from functions.domain.precision import Precision, precision
from functions.domain.times import Time
from functions.runtime.api import caller, documented, resolver
from functions.runtime.clock import now
from functions.runtime.errors import Unknown
from functions.runtime.observability import observed
from functions.store import cases
from functions.store.errors import StaleWrite
from functions.store.pace import pace

app = resolver(
    {
        StaleWrite: HTTPStatus.CONFLICT,
        NotJudged: HTTPStatus.CONFLICT,
        NoAppeal: HTTPStatus.CONFLICT,
    }
)
_NAME = Field(min_length=1, max_length=80, description="Who does it, as colleagues know them")
_NOTE = Field(min_length=1, max_length=1000, description="What it rests on")
_JUDGED = {"suspected": raise_suspicion, "confirmed": confirm_malice, "rejected": reject_malice}


class Judgement(BaseModel):
    model_config = ConfigDict(extra="forbid")

    by: str = _NAME
    malice: Literal["suspected", "confirmed", "rejected"] = Field(
        description="`suspected` by a person, where one signal speaks for it; the others end the suspicion"
    )
    note: str = _NOTE


class Chat(BaseModel):
    model_config = ConfigDict(extra="forbid")

    by: str = _NAME
    messages: list[Said] = Field(min_length=1, max_length=500)


class Together(BaseModel):
    model_config = ConfigDict(extra="forbid")

    by: str = _NAME
    case_ids: list[str] = Field(min_length=2, max_length=100, description="Of reviews from one source")


class Marked(BaseModel):
    case_ids: list[str] = Field(description="The cases that have the signal now")


class Filing(BaseModel):
    model_config = ConfigDict(extra="forbid")

    by: str = _NAME
    reference: str | None = Field(None, max_length=100, description="The platform's number for it")


class Outcome(BaseModel):
    model_config = ConfigDict(extra="forbid")

    by: str = _NAME
    outcome: Answer
    note: str | None = Field(None, max_length=1000)


class Standing(BaseModel):
    """How a case stands between suspicion and appeal."""

    case_id: str
    status: Status
    grade: str
    owner: str
    due_at: Time
    remedy: str
    malice: Malice | None
    signals: list[Signal]
    appeal: Appeal | None
    checklist: Checklist
    missing: list[str]


class Signals(BaseModel):
    signals: list[Precision]


_REFUSALS = documented(HTTPStatus.NOT_FOUND, HTTPStatus.CONFLICT)


@app.get(
    "/cases/<case_id>/malice",
    summary="Read signals, judgement and appeal of a case",
    responses=documented(HTTPStatus.NOT_FOUND),
)
def read_malice(case_id: str) -> Standing:
    case = cases.read_many([case_id]).get(case_id)
    if case is None:
        raise Unknown(f"There is no case {case_id}.")
    return _standing(case)


@app.post(
    "/cases/<case_id>/malice",
    summary="Suspect, confirm or reject malice",
    description="Rejected, the case is graded again as a normal one. Once more changes nothing.",
    responses=_REFUSALS,
)
def judge_malice(case_id: str, said: Annotated[Judgement, Body()]) -> Standing:
    by, rules, tempo, moment = caller(app, said.by), rulebook.load(), pace(), now()
    judged = _JUDGED[said.malice]
    return _changed(case_id, lambda case: judged(case, by, said.note, rules, tempo, moment))


@app.post(
    "/cases/<case_id>/chat",
    summary="Hand in a chat to be read for blackmail",
    description="Only the customer's own words count, a plain demand for a refund does not.",
    responses=_REFUSALS,
)
def hand_in_chat(case_id: str, chat: Annotated[Chat, Body()]) -> Standing:
    rules, tempo, moment = rulebook.load(), pace(), now()
    found = chat_signal(chat.messages, caller(app, chat.by), rules, moment)
    if found is None:
        return read_malice(case_id)
    return _changed(case_id, lambda case: add_signal(case, found, rules, tempo, moment))


@app.post(
    "/shops/<shop_id>/sources",
    summary="Say that these reviews came from one source",
    description="From one address, device or account, as the shop's system knows; it is not asked which.",
    responses=documented(HTTPStatus.CONFLICT),
)
def report_source(shop_id: str, together: Annotated[Together, Body()]) -> Marked:
    by, rules, tempo, moment = caller(app, together.by), rulebook.load(), pace(), now()
    mine = {
        each.case_id: each for each in cases.read_many(together.case_ids).values() if each.shop_id == shop_id
    }
    posted = {case_id: case.review.posted_at for case_id, case in mine.items()}
    found = bulk_signals(posted, by, rules, moment)
    for case_id, signal in found.items():
        cases.change(
            case_id,
            partial(add_signal, found=signal, rules=rules, pace=tempo, now=moment),
            known=mine[case_id],
        )
    return Marked(case_ids=sorted(found))


@app.post(
    "/cases/<case_id>/appeal/filing",
    summary="Record that the appeal was filed with the platform",
    responses=_REFUSALS,
)
def file_appeal(case_id: str, filing: Annotated[Filing, Body()]) -> Standing:
    by, rules, tempo, moment = caller(app, filing.by), rulebook.load(), pace(), now()
    return _changed(case_id, lambda case: file(case, by, filing.reference, rules, tempo, moment))


@app.post(
    "/cases/<case_id>/appeal/outcome",
    summary="Record the platform's answer",
    responses=_REFUSALS,
)
def answer_appeal(case_id: str, said: Annotated[Outcome, Body()]) -> Standing:
    by, moment = caller(app, said.by), now()
    return _changed(case_id, lambda case: answered(case, said.outcome, by, said.note, moment))


@app.get(
    "/shops/<shop_id>/signals",
    summary="How often each signal of malice was right",
    description="By people's judgements and by platforms' answers, each with Wilson's interval (95 %).",
    responses=documented(),
)
def measure_signals(shop_id: str) -> Signals:
    return Signals(signals=precision(cases.ever_suspected(shop_id)))


@observed
def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    return app.resolve(event, context)


def _changed(case_id: str, how: Callable[[Case], Case]) -> Standing:
    return _standing(cases.change(case_id, how))


def _standing(case: Case) -> Standing:
    asked = checklist(case, rulebook.load())
    return Standing(
        **case.model_dump(include={"case_id", "status", "grade", "owner", "due_at", "remedy"}),
        malice=case.malice,
        signals=list(case.signals),
        appeal=case.dossier.appeal,
        checklist=asked,
        missing=list(asked.missing),
    )
