"""Profiles: what a shop remembers of a customer.

Orders are kept as one bucket a day for the rolling 12 months, so that spending is exact to the day
however orders arrive: late, twice (the order item under its own key refuses that) or out of order.
"""

from datetime import date, datetime, timedelta
from typing import Literal, get_args

from pydantic import BaseModel, ConfigDict, Field

from functions.domain.money import Fen
from functions.domain.reviews import Review
from functions.domain.times import Time

YEAR = timedelta(days=365)
Channel = Literal["sms", "chat", "email", "post"]
CHANNELS: tuple[Channel, ...] = get_args(Channel)


class Order(BaseModel):
    """An order as the shop's system reports it; reported again when it is returned."""

    model_config = ConfigDict(frozen=True)

    shop_id: str = Field(min_length=1)
    order_id: str = Field(min_length=1)
    customer_id: str = Field(min_length=1)
    placed_at: Time
    total: Fen
    returned: bool = False
    promised_by: Time | None = None
    delivered_at: Time | None = None


class Day(BaseModel):
    model_config = ConfigDict(frozen=True)

    orders: int = 0
    spent: Fen = 0


class Consent(BaseModel):
    """A customer's word on a channel, with its proof. No record means no promotional message."""

    model_config = ConfigDict(frozen=True)

    granted: bool
    at: Time
    source: str = Field(min_length=1, description="Where the customer said so, for example 'order form'")


class Profile(BaseModel):
    model_config = ConfigDict(frozen=True)

    shop_id: str = Field(min_length=1)
    customer_id: str = Field(min_length=1)
    orders: int = 0
    returns: int = 0
    last_order_at: Time | None = None
    days: dict[str, Day] = Field(default_factory=dict, description="ISO date -> orders of that day")
    older_order_on: date | None = Field(None, description="The last order day that left `days`")
    bad_reviews: tuple[str, ...] = ()
    bad_review_times: tuple[Time, ...] = Field((), description="When those of the last 12 months were posted")
    silver_since: Time | None = None
    preferences: dict[str, str] = Field(default_factory=dict)
    needs: tuple[str, ...] = ()
    consent: dict[Channel, Consent] = Field(default_factory=dict)
    opted_out_at: Time | None = None
    version: int = 0


def customer_key(shop_id: str, customer_id: str) -> str:
    return f"{shop_id}#{customer_id}"


def take_order(profile: Profile, order: Order, known: Order | None, now: datetime) -> Profile:
    """Return the profile after an order. `known` is what was recorded of the order before.

    Taking the same order twice changes nothing; a return counts once; a changed total is corrected.
    """
    if known is not None:
        profile = _book(profile, known, -1)
    profile = _book(profile, order, +1)
    horizon = (now - YEAR).date()
    gone = [date.fromisoformat(day) for day in profile.days if date.fromisoformat(day) < horizon]
    older = max((*gone, *([profile.older_order_on] if profile.older_order_on else [])), default=None)
    kept = {day: bucket for day, bucket in sorted(profile.days.items()) if date.fromisoformat(day) >= horizon}
    last = max(filter(None, (profile.last_order_at, order.placed_at)))
    return profile.model_copy(update={"days": kept, "older_order_on": older, "last_order_at": last})


def _book(profile: Profile, order: Order, sign: int) -> Profile:
    day = order.placed_at.date().isoformat()
    bucket = profile.days.get(day, Day())
    booked = Day(orders=max(0, bucket.orders + sign), spent=max(0, bucket.spent + sign * order.total))
    days = {name: value for name, value in (profile.days | {day: booked}).items() if value.orders}
    return profile.model_copy(
        update={
            "orders": profile.orders + sign,
            "returns": profile.returns + sign * order.returned,
            "days": days,
        }
    )


def spent_12_months(profile: Profile, now: datetime) -> int:
    """Return what the customer spent in the 365 days before `now`, fen."""
    horizon, today = (now - YEAR).date(), now.date()
    return sum(
        bucket.spent for day, bucket in profile.days.items() if horizon <= date.fromisoformat(day) <= today
    )


def days_since_earlier_order(profile: Profile, reviewed: Order | None, now: datetime) -> int | None:
    """Return the days since the last order other than the reviewed one; None where there is none.

    The reviewed order itself says nothing about how faithful a customer is, so it does not count.
    """
    days = dict(profile.days)
    if reviewed is not None and (day := reviewed.placed_at.date().isoformat()) in days:
        days[day] = days[day].model_copy(update={"orders": days[day].orders - 1})
    dates = [date.fromisoformat(day) for day, bucket in days.items() if bucket.orders > 0]
    if profile.older_order_on is not None:
        dates.append(profile.older_order_on)
    return (now.date() - max(dates)).days if dates else None


def remember(profile: Profile, review: Review) -> Profile:
    """Return the profile after a bad review. Remembering a review twice changes nothing."""
    if review.key in profile.bad_reviews:
        return profile
    recent = [at for at in profile.bad_review_times if review.posted_at - at < YEAR]
    return profile.model_copy(
        update={
            "bad_reviews": (*profile.bad_reviews, review.key),
            "bad_review_times": (*recent, review.posted_at),
        }
    )
