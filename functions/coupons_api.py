"""Coupons API: what the shop's own system reads and reports: coupons, their use, orders carried out.

Trigger: the HTTP API, signed requests only. Effects: lines of the ledger, each in one transaction with the
case's line of it. Reporting the same again changes nothing.
"""

from datetime import datetime
from http import HTTPStatus
from typing import Annotated, Any

from aws_lambda_powertools.event_handler.openapi.params import Body
from pydantic import BaseModel, ConfigDict, Field

from functions.domain.benefits import usable
from functions.domain.cases import Case, case_id
from functions.domain.ledger import (
    Line,
    NoSuchBenefit,
    NotPossible,
    State,
    delivery,
    parts,
    states,
    then,
    there,
)
from functions.domain.times import Time
from functions.runtime.api import caller, documented, resolver
from functions.runtime.clock import now
from functions.runtime.errors import Unknown
from functions.runtime.observability import observed
from functions.store import customers, ledger
from functions.store.errors import StaleWrite

app = resolver(
    {
        StaleWrite: HTTPStatus.CONFLICT,
        NotPossible: HTTPStatus.CONFLICT,
        NoSuchBenefit: HTTPStatus.NOT_FOUND,
    }
)
_REFUSALS = documented(HTTPStatus.NOT_FOUND, HTTPStatus.CONFLICT)


class Delivery(BaseModel):
    model_config = ConfigDict(extra="forbid")

    note: str | None = Field(None, max_length=500, description="No name and no number of a customer")


class Use(BaseModel):
    model_config = ConfigDict(extra="forbid")

    order_id: str = Field(min_length=1, max_length=80, description="The order that the coupon is used for")


class Coupon(BaseModel):
    """A coupon of a customer. It has nothing to do with any review. `value` is fen."""

    key: str = Field(description="Report its use to /benefits/{key}/redeemed")
    code: str
    value: int
    valid_until: Time
    stackable: bool
    used: bool
    usable: bool


class Coupons(BaseModel):
    coupons: list[Coupon]


@app.get(
    "/shops/<shop_id>/customers/<customer_id>/coupons",
    summary="Coupons of a customer",
    responses=documented(HTTPStatus.NOT_FOUND),
)
def list_coupons(shop_id: str, customer_id: str) -> Coupons:
    profile, moment = customers.profile(shop_id, customer_id), now()
    if profile is None:
        raise Unknown("There is no such customer.")
    given = (
        stands
        for key in profile.bad_reviews
        for stands in states(ledger.lines(shop_id, case_id(key))).values()
        if stands.code is not None and stands.committed
    )
    return Coupons(coupons=[_coupon(stands, moment) for stands in given])


@app.post("/benefits/<key>/delivered", summary="Report an order as carried out", responses=_REFUSALS)
def delivered(key: str, said: Annotated[Delivery, Body()]) -> State:
    by, moment = caller(app, "shop system"), now()
    return ledger.decide(*parts(key), lambda _case, stands: delivery(stands, by, moment), note=said.note)


@app.post("/benefits/<key>/redeemed", summary="Report a coupon as used, once", responses=_REFUSALS)
def redeemed(key: str, use: Annotated[Use, Body()]) -> State:
    by, moment, order = caller(app, "shop system"), now(), ledger.order_digest(use.order_id)

    def decide(case: Case, stands: State | None) -> Line | None:
        stands = there(stands)
        if stands.standing == "redeemed" and stands.used_for == order:
            return None
        if stands.standing == "effective" and stands.code and not usable(stands, moment):
            raise NotPossible(f"{stands.key} was valid until {stands.valid_until:%Y-%m-%d %H:%M} UTC")
        return then(stands, "redeemed", by, moment, used_for=order)

    return ledger.decide(*parts(key), decide, note=None)


@observed
def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    return app.resolve(event, context)


def _coupon(stands: State, moment: datetime) -> Coupon:
    return Coupon.model_validate(
        stands.model_dump(include={"code", "valid_until", "stackable"})
        | {
            "key": stands.key,
            "value": stands.cost,
            "used": stands.standing == "redeemed",
            "usable": usable(stands, moment),
        }
    )
