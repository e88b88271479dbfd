"""Profile API: the shop's systems send orders, and read, annotate, export and erase customers.

Trigger: the HTTP API, signed requests only. Writes customers; an erasure also takes the person out of
their cases, whose numbers and decisions stay, and removes their exhibits from the evidence bucket.
"""

from collections import defaultdict
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Annotated, Any, Literal

from aws_lambda_powertools.event_handler.openapi.params import Body, Path
from pydantic import BaseModel, ConfigDict, Field, SkipValidation, ValidationError

from functions.domain.cases import Outcome, Status, case_id
from functions.domain.causes import Cause
from functions.domain.decisions import Decision
from functions.domain.erasure import forget_person
from functions.domain.history import Entry
from functions.domain.money import Fen
from functions.domain.profiles import Channel, Consent, Order, Profile
from functions.domain.reviews import Review
from functions.domain.times import Time
from functions.runtime.api import Mend, documented, mends, resolver
from functions.runtime.clock import now
from functions.runtime.errors import Unknown
from functions.runtime.observability import logger, observed
from functions.store import cases, customers, evidence, messages, shops
from functions.store.calls import TRANSACTION
from functions.store.errors import StaleWrite

app = resolver({StaleWrite: HTTPStatus.CONFLICT})

_ATTEMPTS = 5
_CUSTOMER = "/shops/<shop_id>/customers/<customer_id>"
# A shop's name is a part of keys such as shop#customer.
Shop = Annotated[str, Path(min_length=1, max_length=100, pattern=r"^[^#]+$")]
Customer = Annotated[str, Path(min_length=1, max_length=200)]
Word = Annotated[str, Field(min_length=1, max_length=200)]
Amount = Annotated[Fen, Field(le=10**10)]


class GivenOrder(BaseModel):
    """An order of the shop; sent again when it is returned or corrected. The total is fen."""

    model_config = ConfigDict(extra="forbid")

    order_id: Word
    customer_id: Word
    placed_at: Annotated[Time, Field(ge=datetime(2000, 1, 1, tzinfo=UTC))]
    total: Amount
    returned: bool = False
    promised_by: Time | None = None
    delivered_at: Time | None = None


class Orders(BaseModel):
    model_config = ConfigDict(extra="forbid")

    # Described here, but checked one by one, so that one wrong order does not keep out the others.
    orders: list[SkipValidation[GivenOrder]] = Field(min_length=1, max_length=100)


class Taken(BaseModel):
    """What became of one order; `unchanged` if it was known like this."""

    index: int
    result: Literal["accepted", "unchanged", "error"]
    problems: list[Mend] = []


class Receipt(BaseModel):
    accepted: int
    unchanged: int
    errors: int
    orders: list[Taken]


class GivenConsent(BaseModel):
    model_config = ConfigDict(extra="forbid")

    granted: bool
    source: Word = Field(description="Where the customer said so, for example 'order form'")


class Annotation(BaseModel):
    """What to change; what is left out stays."""

    model_config = ConfigDict(extra="forbid")

    preferences: dict[Word, Annotated[str, Field(max_length=500)] | None] = Field(
        {}, max_length=50, description="null takes a preference away"
    )
    needs: Annotated[list[Word], Field(max_length=50)] | None = Field(None, description="Replaces all")
    consent: dict[Channel, GivenConsent] = {}
    opted_out: bool | None = Field(None, description="true: no message of any kind any more")


class ExportedCase(BaseModel):
    """What was decided about one of the customer's reviews. Amounts are fen."""

    model_config = ConfigDict(from_attributes=True)

    case_id: str
    review: Review
    status: Status
    cause: Cause
    confirmed_cause: Cause | None
    outcome: Outcome | None
    grade: str
    tier: str
    remedy: str
    coupon: int
    goodwill: str
    decisions: tuple[Decision, ...]
    opened_at: Time
    resolved_at: Time | None
    closed_at: Time | None


class Export(BaseModel):
    profile: Profile
    orders: list[Order]
    messages: list[Entry] = Field(description="What the shop wrote to the customer, and they to it")
    cases: list[ExportedCase]


class Erasure(BaseModel):
    """What this call erased; nothing when all was gone before."""

    profile: bool
    orders: int
    cases: int


@app.get(_CUSTOMER, summary="Read a customer", responses=documented(HTTPStatus.NOT_FOUND))
def read_customer(shop_id: Shop, customer_id: Customer) -> Profile:
    return _known(customers.profile(shop_id, customer_id))


@app.patch(
    _CUSTOMER,
    summary="Annotate a customer",
    description="Begins the profile of an unknown customer: an opt-out must never be refused.",
    responses=documented(HTTPStatus.CONFLICT),
)
def annotate_customer(
    shop_id: Shop, customer_id: Customer, annotation: Annotated[Annotation, Body()]
) -> Profile:
    moment = now()
    _everywhere(shop_id, customer_id, annotation.opted_out, moment)
    for _ in range(_ATTEMPTS):
        profile = customers.profile(shop_id, customer_id) or Profile(shop_id=shop_id, customer_id=customer_id)
        annotated = _annotated(profile, annotation, moment)
        if annotated == profile and profile.version:
            return profile
        try:
            return customers.save(annotated)
        except StaleWrite as error:
            stale = error
    raise stale


@app.get(f"{_CUSTOMER}/export", summary="Export a customer", responses=documented(HTTPStatus.NOT_FOUND))
def export_customer(shop_id: Shop, customer_id: Customer) -> Export:
    found, orders = customers.export(shop_id, customer_id)
    profile = _known(found)
    known = cases.read_many(map(case_id, profile.bad_reviews)).values()
    return Export(
        profile=profile,
        orders=orders,
        messages=messages.history(shop_id, customer_id),
        cases=[ExportedCase.model_validate(case) for case in sorted(known, key=lambda case: case.opened_at)],
    )


@app.delete(
    _CUSTOMER,
    summary="Erase a customer",
    description="Profile, orders, exhibits and packs go, cases stay without the person. What is locked as "
    "evidence stays until its time is up, as the case then says. May be repeated at any time.",
    responses=documented(HTTPStatus.CONFLICT),
)
def erase_customer(shop_id: Shop, customer_id: Customer) -> Erasure:
    forgotten = 0
    for _ in range(_ATTEMPTS):
        profile = customers.profile(shop_id, customer_id)
        if profile is None:
            return Erasure(profile=False, orders=0, cases=forgotten)
        # The profile knows the cases, so it goes last.
        forgotten += _forget(profile, now())
        try:
            orders = customers.erase(profile)
        except StaleWrite as error:
            stale = error
        else:
            logger.info("customer erased", extra={"shop_id": shop_id, "orders": orders, "cases": forgotten})
            return Erasure(profile=True, orders=orders, cases=forgotten)
    raise stale


@app.post(
    "/shops/<shop_id>/orders",
    summary="Take in orders",
    description="Each order is taken or refused by itself. Sending one again changes nothing.",
    responses=documented(),
)
def take_orders(shop_id: Shop, given: Annotated[Orders, Body()]) -> Receipt:
    taken: dict[int, Taken] = {}
    by_customer: defaultdict[str, list[tuple[int, Order]]] = defaultdict(list)
    for index, fields in enumerate(given.orders):
        try:
            order = Order(shop_id=shop_id, **GivenOrder.model_validate(fields).model_dump())
        except ValidationError as error:
            problems = mends(list(error.errors(include_input=False)))
            taken[index] = Taken(index=index, result="error", problems=problems)
        else:
            by_customer[order.customer_id].append((index, order))
    for orders in by_customer.values():
        for start in range(0, len(orders), TRANSACTION - 1):
            taken |= _taken(orders[start : start + TRANSACTION - 1])
    results = [taken[index].result for index in range(len(given.orders))]
    return Receipt(
        accepted=results.count("accepted"),
        unchanged=results.count("unchanged"),
        errors=results.count("error"),
        orders=[taken[index] for index in range(len(given.orders))],
    )


@observed
def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    return app.resolve(event, context)


def _known(profile: Profile | None) -> Profile:
    if profile is None:
        raise Unknown("There is no such customer.")
    return profile


def _annotated(profile: Profile, annotation: Annotation, moment: datetime) -> Profile:
    """Return the annotated profile. What it says already keeps its time and its proof."""
    preferences = {
        name: value
        for name, value in (profile.preferences | annotation.preferences).items()
        if value is not None
    }
    consent = profile.consent | {
        channel: Consent(granted=given.granted, at=moment, source=given.source)
        for channel, given in annotation.consent.items()
        if (known := profile.consent.get(channel)) is None
        or (known.granted, known.source) != (given.granted, given.source)
    }
    opted_out_at = profile.opted_out_at
    if annotation.opted_out is not None:
        opted_out_at = (opted_out_at or moment) if annotation.opted_out else None
    needs = profile.needs if annotation.needs is None else tuple(annotation.needs)
    return profile.model_copy(
        update={
            "preferences": preferences,
            "needs": needs,
            "consent": consent,
            "opted_out_at": opted_out_at,
        }
    )


def _everywhere(shop_id: str, customer_id: str, opted_out: bool | None, moment: datetime) -> None:
    """An opt-out ends promotion in all shops of the owner; only the customer's own word takes it back."""
    shop = shops.get(shop_id) if opted_out is not None else None
    if shop is not None and opted_out:
        messages.opt_out(shop.platform, customer_id, moment)
    elif shop is not None:
        messages.opt_in(shop.platform, customer_id)


def _forget(profile: Profile, moment: datetime) -> int:
    """Take the person out of all their cases; return how many had to be changed."""
    forgotten = 0
    for _ in range(_ATTEMPTS):
        known = cases.read_many(map(case_id, profile.bad_reviews)).values()
        impersonal = [(case, forget_person(case, evidence.erase(case.case_id), moment)) for case in known]
        changed = [after for before, after in impersonal if after is not before]
        if not changed:
            return forgotten
        for case in changed:
            with suppress(StaleWrite):  # the next round reads it again
                cases.save(case)
                forgotten += 1
    raise StaleWrite("a case of the customer")


def _taken(orders: Sequence[tuple[int, Order]]) -> dict[int, Taken]:
    """Take orders of one customer."""
    try:
        news = customers.take([order for _, order in orders], now())
    except StaleWrite as error:
        problem = Mend(field="", mend=str(error))
        return {index: Taken(index=index, result="error", problems=[problem]) for index, _ in orders}
    return {
        index: Taken(index=index, result="accepted" if is_new else "unchanged")
        for (index, _), is_new in zip(orders, news, strict=True)
    }
