"""Cases API: supervisors list, read, acknowledge and resolve cases, and try decisions.

Trigger: the HTTP API, signed requests only. Writes cases; the cases table's stream sets off the rest.
Trying a decision writes nothing.
"""

from http import HTTPStatus
from typing import Annotated, Any

from aws_lambda_powertools.event_handler.openapi.exceptions import RequestValidationError
from aws_lambda_powertools.event_handler.openapi.params import Body, Query
from pydantic import BaseModel, ConfigDict, Field

from functions.domain.cases import (
    WAITING,
    Case,
    CaseClosed,
    Effect,
    Event,
    Outcome,
    Status,
    acknowledge,
    reopen,
)
from functions.domain.cases import open_case as opening
from functions.domain.cases import resolve as resolution
from functions.domain.causes import Cause
from functions.domain.decisions import Decision
from functions.domain.exhibits import Appeal, Dossier
from functions.domain.explanations import Milestone, explain, milestones
from functions.domain.profiles import Order, Profile
from functions.domain.reviews import Review
from functions.domain.times import Time
from functions.domain.verdicts import judge
from functions.routes import deadlines
from functions.rulebook import Rulebook
from functions.rulebook.explain import explain as weigh
from functions.rulebook.explain import for_customer
from functions.runtime.api import caller, documented, resolver
from functions.runtime.clock import now
from functions.runtime.observability import count, observed
from functions.store import cases, customers, rulebooks, shops
from functions.store.errors import BadToken, StaleWrite

app = resolver(
    {
        StaleWrite: HTTPStatus.CONFLICT,
        CaseClosed: HTTPStatus.CONFLICT,
        BadToken: HTTPStatus.BAD_REQUEST,
    }
)
app.include_router(deadlines.router)
_NAME = Field(min_length=1, max_length=80, description="Who does it, as colleagues know them")


class Summary(BaseModel):
    """A case in a list. Amounts are fen."""

    model_config = ConfigDict(from_attributes=True)

    case_id: str
    status: Status
    grade: str
    cause: Cause
    owner: str
    suspected_malicious: bool
    tier: str
    remedy: str
    coupon: int
    goodwill: str
    opened_at: Time
    due_at: Time
    alerted_at: Time | None
    acknowledged_at: Time | None
    resolved_at: Time | None


class Listing(BaseModel):
    cases: list[Summary]
    next: str | None = Field(description="Hand it in as `next` for the following page; null on the last")


class Detail(Case):
    """A whole case. Amounts are fen."""

    model_config = ConfigDict(frozen=True)

    used_links: dict[str, Time] = Field({}, exclude=True)
    outbox: dict[str, Effect] = Field(default_factory=dict, exclude=True)
    events: dict[str, Event] = Field(default_factory=dict, exclude=True)
    dossier: Dossier = Field(default_factory=Dossier, exclude=True)  # exhibits and packs are for legal
    appeal: Appeal | None
    history: list[Event] = Field(serialization_alias="timeline")
    latency: list[Milestone]
    outstanding: list[str] = Field(description="Effects that are still to be performed")
    explanation: list[str] = Field(description="Each decision in plain words")


class Acknowledgement(BaseModel):
    model_config = ConfigDict(extra="forbid")

    by: str = _NAME


class Resolution(BaseModel):
    model_config = ConfigDict(extra="forbid")

    by: str = _NAME
    cause: Cause = Field(description="The cause that a person confirmed")
    outcome: Outcome
    note: str | None = Field(None, max_length=2000)


class Reopening(BaseModel):
    model_config = ConfigDict(extra="forbid")

    by: str = _NAME
    why: str = Field(min_length=1, max_length=500)


class TriedReview(Review):
    model_config = ConfigDict(extra="forbid")

    platform: str = "trial"
    review_id: str = "trial"
    posted_at: Time = Field(default_factory=now)
    first_seen_at: Time = Field(default_factory=now)


class TriedOrder(Order):
    model_config = ConfigDict(extra="forbid")

    shop_id: str = "trial"
    order_id: str = "trial"
    customer_id: str = "trial"


class TriedProfile(Profile):
    model_config = ConfigDict(extra="forbid")

    shop_id: str = "trial"
    customer_id: str = "trial"


class Trial(BaseModel):
    """A review to decide on. Order and profile default to what is stored of the review's customer."""

    model_config = ConfigDict(extra="forbid")

    review: TriedReview
    order: TriedOrder | None = None
    profile: TriedProfile | None = Field(None, description="As it is with the order in it")


class Decided(BaseModel):
    """What would be decided. Amounts are fen; everything but `bad` is null for a good review."""

    bad: bool
    cause: Cause | None = None
    evidence: list[str] = []
    grade: str | None = None
    owner: str | None = None
    suspected_malicious: bool | None = None
    tier: str | None = None
    remedy: str | None = None
    coupon: int | None = None
    goodwill: str | None = None
    due_at: Time | None = None
    decisions: list[Decision]
    explanation: list[str]
    alternatives: list[str] = Field(
        [], description="What each other row lacked, what would change the outcome"
    )
    customer: str | None = Field(None, description="What a customer may be told of the remedy")


@app.get("/cases", summary="List a shop's cases", responses=documented(HTTPStatus.BAD_REQUEST))
def list_cases(
    shop: Annotated[str, Query(min_length=1)],
    status: Annotated[Status | None, Query()] = None,
    grade: Annotated[Cause | None, Query()] = None,
    sort: Annotated[
        cases.Sort, Query(description="`due`: open and acknowledged ones, next due first")
    ] = "opened",
    limit: Annotated[int, Query(ge=1, le=100)] = 50,
    start: Annotated[str | None, Query(alias="next")] = None,
) -> Listing:
    if sort == "due" and status not in (None, *WAITING):
        problem = f"with sort=due it is {' or '.join(WAITING)}: other cases are not due"
        raise RequestValidationError([{"loc": ("query", "status"), "msg": problem, "type": "value_error"}])
    page = cases.by_shop(shop, status=status, grade=grade, sort=sort, limit=limit, start=start)
    return Listing(cases=[Summary.model_validate(case) for case in page.cases], next=page.next)


@app.get("/cases/<case_id>", summary="Read a case", responses=documented(HTTPStatus.NOT_FOUND))
def read_case(case_id: str) -> Detail:
    return _detail(cases.existing(case_id))


@app.post(
    "/cases/<case_id>/acknowledge",
    summary="Take a case on",
    description="Stops the escalation. Once more changes nothing.",
    responses=documented(HTTPStatus.NOT_FOUND, HTTPStatus.CONFLICT),
)
def acknowledge_case(case_id: str, acknowledgement: Annotated[Acknowledgement, Body()]) -> Detail:
    by, moment = caller(app, acknowledgement.by), now()
    return _detail(cases.change(case_id, lambda case: acknowledge(_workable(case), by, moment)))


@app.post(
    "/cases/<case_id>/resolve",
    summary="Resolve a case",
    description="Starts the follow-up; closes a case that has none. Once more changes nothing.",
    responses=documented(HTTPStatus.NOT_FOUND, HTTPStatus.CONFLICT),
)
def resolve_case(case_id: str, said: Annotated[Resolution, Body()]) -> Detail:
    by, moment = caller(app, said.by), now()
    known = cases.existing(case_id)
    case = cases.change(
        case_id,
        lambda stands: resolution(stands, by, said.cause, said.outcome, said.note, moment),
        known=known,
    )
    if known.resolved_at is None:
        count("CausesConfirmed")
        count("CausesCorrected", int(case.confirmed_cause != case.cause))
    return _detail(case)


@app.post(
    "/cases/<case_id>/reopen",
    summary="Re-open a case",
    description="Stops the follow-up; the caller has the case again. Once more changes nothing.",
    responses=documented(HTTPStatus.NOT_FOUND, HTTPStatus.CONFLICT),
)
def reopen_case(case_id: str, said: Annotated[Reopening, Body()]) -> Detail:
    by, moment, rules = caller(app, said.by), now(), rulebooks.current()
    return _detail(cases.change(case_id, lambda case: reopen(case, by, said.why, rules, moment)))


@app.post("/decisions", summary="Try a decision; nothing is written", responses=documented())
def try_decision(trial: Annotated[Trial, Body()]) -> Decided:
    rules, review = rulebooks.current(), trial.review
    verdict = judge(review, rules)
    if not verdict.bad:
        return Decided(bad=False, decisions=[verdict.decision], explanation=[explain(verdict.decision)])
    profile, order = _customer(trial)
    moment = now()
    hours = shops.hours([review.shop_id], moment).hours.get(review.shop_id)
    case = opening(review, verdict, profile, order, rules, moment, hours=hours)
    return Decided(
        bad=True,
        cause=case.cause,
        evidence=list(case.evidence),
        grade=case.grade,
        owner=case.owner,
        suspected_malicious=case.suspected_malicious,
        tier=case.tier,
        remedy=case.remedy,
        coupon=case.coupon,
        goodwill=case.goodwill,
        due_at=case.due_at,
        decisions=list(case.decisions),
        explanation=[explain(decision) for decision in case.decisions],
        alternatives=_alternatives(case, rules),
        customer=_told(case, rules),
    )


def _alternatives(case: Case, rules: Rulebook) -> list[str]:
    told = (weigh(rules.table(one.table), one.facts, rules.version) for one in case.decisions)
    return [
        f"{one.table}: {line}"
        for one, weighed in zip(case.decisions, told, strict=True)
        for line in weighed.for_agent()[1:]
    ]


def _told(case: Case, rules: Rulebook) -> str | None:
    offers = (one for one in case.decisions if one.table == "remedies")
    return next((for_customer(rules.table(one.table), one) for one in offers), None)


@observed
def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    return app.resolve(event, context)


def _workable(case: Case) -> Case:
    if case.status == "closed":
        raise CaseClosed(f"{case.case_id} is closed")
    return case


def _customer(trial: Trial) -> tuple[Profile, Order | None]:
    """Return the given profile and order, or the stored ones where none are given."""
    profile, order, review = trial.profile, trial.order, trial.review
    if review.customer_id is None or (profile is not None and (order is not None or review.order_id is None)):
        return profile or Profile(shop_id=review.shop_id, customer_id="unknown"), order
    buyer = (review.shop_id, review.customer_id, review.order_id)
    stored = customers.profile_and_order([buyer])[buyer]
    return profile or stored[0], order or stored[1]


def _detail(case: Case) -> Detail:
    return Detail(
        **dict(case),
        appeal=case.dossier.appeal,
        history=case.timeline,
        latency=milestones(case),
        outstanding=sorted(case.outbox),
        explanation=[
            *(explain(decision) for decision in case.decisions),
            *(f"reach: {each.told}" for each in case.reach),
        ],
    )
