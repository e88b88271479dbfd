"""Money API: what was given, what waits for a person, and people's decisions about it.

Trigger: the HTTP API, signed requests only. Effects: lines of the ledger, each in one transaction with the
change of its case; the cases table's stream sets off the rest. Saying the same again changes nothing.
"""

import unicodedata
from datetime import date
from http import HTTPStatus
from typing import Annotated, Any

from aws_lambda_powertools.event_handler.openapi.params import Body, Query
from pydantic import BaseModel, ConfigDict, Field

from functions.domain.benefits import (
    SHOP,
    Costs,
    Nothing,
    chosen,
    costs,
    limit_of,
)
from functions.domain.cases import Case
from functions.domain.ledger import (
    Benefit,
    Line,
    NoSuchBenefit,
    NotAllowed,
    NotPossible,
    State,
    Step,
    approval,
    delivery,
    first,
    parts,
    recall,
    states,
    then,
    there,
)
from functions.domain.money import Fen
from functions.runtime.api import caller, documented, resolver
from functions.runtime.clock import now
from functions.runtime.observability import observed
from functions.store import cases, ledger, rulebooks, shops
from functions.store.errors import BadToken, StaleWrite

app = resolver(
    {
        StaleWrite: HTTPStatus.CONFLICT,
        NotPossible: HTTPStatus.CONFLICT,
        NoSuchBenefit: HTTPStatus.NOT_FOUND,
        NotAllowed: HTTPStatus.FORBIDDEN,
        BadToken: HTTPStatus.BAD_REQUEST,
    }
)
_REFUSALS = documented(HTTPStatus.NOT_FOUND, HTTPStatus.CONFLICT)
_NAME = Field(min_length=1, max_length=80, description="Who does it, as colleagues know them")
_NOTE = Field(None, max_length=500, description="Why; no name and no number of a customer")


class Ruling(BaseModel):
    """A person's word on a benefit."""

    model_config = ConfigDict(extra="forbid")

    by: str = _NAME
    note: str | None = _NOTE


class Choice(Ruling):
    """What a person gives. `cost` is fen; a refund or new parcel costs the order's value if none is said."""

    step: Step = Field("remedy", description="One benefit per case and step")
    benefit: Benefit
    cost: Fen | None = None


class Given(BaseModel):
    """All benefits of a case. Amounts are fen."""

    benefits: list[State]
    costs: Costs


class History(BaseModel):
    lines: list[Line]
    next: str | None = Field(description="Hand it in as `next` for the following page; null on the last")


class Budget(BaseModel):
    """A budget of the day. Amounts are fen; `used` may be above `limit` by what a person approved."""

    row: str = Field(description="The table.row that gives, or `shop` for all of them together")
    used: int
    limit: int | None


class Balance(BaseModel):
    day: str
    shop: Budget
    rows: list[Budget]


class Undecided(BaseModel):
    benefits: list[State]
    next: str | None


Limit = Annotated[int, Query(ge=1, le=100)]
Start = Annotated[str | None, Query(alias="next")]


@app.get("/shops/<shop_id>/ledger", summary="Lines of a day, or of a case", responses=_REFUSALS)
def read_ledger(
    shop_id: str,
    day: Annotated[date | None, Query(description="Today in the shop's time zone if absent")] = None,
    case: Annotated[str | None, Query(description="All lines of this case, whatever the day")] = None,
    limit: Limit = 50,
    start: Start = None,
) -> History:
    if case is not None:
        return History(lines=ledger.lines(shop_id, case), next=None)
    page = ledger.of_day(shop_id, _day(shop_id, day), limit=limit, start=start)
    return History(lines=page.lines, next=page.next)


@app.get("/shops/<shop_id>/balance", summary="What of a day's budgets is used", responses=documented())
def read_balance(shop_id: str, day: Annotated[date | None, Query()] = None) -> Balance:
    on, rules = _day(shop_id, day), rulebooks.current()
    used = ledger.used(shop_id, on)
    rows = [
        Budget(row=row, used=counted.amount, limit=limit_of(counted.of, rules))
        for row, counted in sorted(used.items())
        if row != SHOP
    ]
    whole = used[SHOP].amount if SHOP in used else 0
    return Balance(day=on, shop=Budget(row=SHOP, used=whole, limit=limit_of(SHOP, rules)), rows=rows)


@app.get("/shops/<shop_id>/approvals", summary="What waits for an approval", responses=documented())
def list_approvals(shop_id: str, limit: Limit = 50, start: Start = None) -> Undecided:
    return Undecided(**ledger.waiting(shop_id, "approvals", limit=limit, start=start)._asdict())


@app.get("/shops/<shop_id>/picklist", summary="What a person has to send", responses=documented())
def list_picks(shop_id: str, limit: Limit = 50, start: Start = None) -> Undecided:
    return Undecided(**ledger.waiting(shop_id, "picks", limit=limit, start=start)._asdict())


@app.get("/cases/<case_id>/benefits", summary="What a case was given, and its cost", responses=_REFUSALS)
def read_benefits(case_id: str) -> Given:
    return _given(cases.existing(case_id))


@app.post(
    "/cases/<case_id>/benefits",
    summary="Give what the rules left to a person",
    description="Above the limits it waits for the approval of somebody else.",
    responses=_REFUSALS,
)
def give(case_id: str, choice: Annotated[Choice, Body()]) -> State:
    by, moment = caller(app, choice.by), now()

    def decide(case: Case, stands: State | None) -> Line | None:
        if stands is not None and not (stands.awaits_approval and stands.benefit is None):
            if (stands.granted_by, stands.benefit) == (by, choice.benefit):
                return None
            raise NotPossible(f"{stands.key} is {stands.standing}: one benefit per case and step")
        wanted = chosen(case, choice.step, choice.benefit, choice.cost, by)
        if isinstance(wanted, Nothing):
            raise NotPossible(wanted.why)
        if stands is None:
            day = shops.order_system(case.shop_id, moment).day(moment)
            return first(wanted, "proposed", moment, day)
        more = wanted.model_dump(include={"benefit", "row", "cost"})
        return then(stands, "proposed", by, moment, **more)

    return ledger.decide(case_id, choice.step, decide, note=choice.note, ask=True)


@app.post(
    "/benefits/<key>/approve",
    summary="Approve a benefit",
    description="Not by whoever granted it.",
    responses=documented(HTTPStatus.NOT_FOUND, HTTPStatus.CONFLICT, HTTPStatus.FORBIDDEN),
)
def approve(key: str, said: Annotated[Ruling, Body()]) -> State:
    by, moment = caller(app, said.by), now()

    def decide(case: Case, stands: State | None) -> Line | None:
        stands = there(stands)
        if stands.approved_by is not None:
            return None
        return approval(stands, by, _same(stands.granted_by, by), moment)

    return ledger.decide(*parts(key), decide, note=said.note, ask=True)


@app.post("/benefits/<key>/refuse", summary="Refuse a benefit", responses=_REFUSALS)
def refuse(key: str, said: Annotated[Ruling, Body()]) -> State:
    by, moment = caller(app, said.by), now()

    def decide(case: Case, stands: State | None) -> Line | None:
        stands = there(stands)
        return None if stands.standing == "refused" else then(stands, "refused", by, moment, note=said.note)

    return ledger.decide(*parts(key), decide, note=said.note, ask=True)


@app.post(
    "/benefits/<key>/recall",
    summary="Take a benefit back",
    description="Before it takes effect it is recalled, afterwards compensated. A used coupon stays used.",
    responses=_REFUSALS,
)
def take_back(key: str, said: Annotated[Ruling, Body()]) -> State:
    by, moment = caller(app, said.by), now()

    def decide(case: Case, stands: State | None) -> Line | None:
        stands = there(stands)
        if stands.standing in ("recalled", "correction"):
            return None
        return recall(stands, by, said.note, moment)

    return ledger.decide(*parts(key), decide, note=said.note)


@app.post("/benefits/<key>/sent", summary="Mark what a person sent", responses=_REFUSALS)
def sent(key: str, said: Annotated[Ruling, Body()]) -> State:
    by, moment = caller(app, said.by), now()
    return ledger.decide(*parts(key), lambda _case, stands: delivery(stands, by, moment), note=said.note)


@observed
def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    return app.resolve(event, context)


def _same(one: str, other: str) -> bool:
    """Whether two callers are one person: by name, since one identity may sign for a whole desk."""

    def name(of: str) -> str:
        return unicodedata.normalize("NFKC", of.partition(" (")[0]).strip().casefold()

    return name(one) == name(other)


def _given(case: Case) -> Given:
    lines = ledger.lines(case.shop_id, case.case_id)
    return Given(benefits=list(states(lines).values()), costs=costs(lines, now()))


def _day(shop_id: str, day: date | None) -> str:
    moment = now()
    return day.isoformat() if day else shops.order_system(shop_id, moment).day(moment)
