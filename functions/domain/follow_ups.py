"""Follow-ups: the waits and messages after an alert (rules/follow_up.toml, rules/templates/)."""

from datetime import datetime, timedelta
from typing import Literal

from pydantic import BaseModel, ConfigDict

from functions.domain.alerts import CHINA
from functions.domain.cases import Case
from functions.domain.decisions import Rules
from functions.domain.money import yuan
from functions.domain.pace import Pace
from functions.domain.profiles import Profile
from functions.domain.times import Time

Step = Literal["guidance", "care", "silver"]


class Plan(BaseModel):
    """The input of the follow-up workflow: the waits of one run, in seconds. `mark` ends the run's keys."""

    model_config = ConfigDict(frozen=True)

    case_id: str
    run: int
    mark: str
    guidance_after_s: int
    care_after_s: int
    silver_after_s: int


def plan(case: Case, rules: Rules, pace: Pace) -> Plan:
    """Return the waits of a case's follow-up, from the tables."""
    return Plan(
        case_id=case.case_id,
        run=case.run,
        mark=case.keyed(""),
        guidance_after_s=pace.seconds(_after("guidance", rules)),
        care_after_s=pace.seconds(_after("care", rules)),
        silver_after_s=pace.seconds(_after("silver", rules)),
    )


def _after(step: str, rules: Rules) -> int:
    return rules.decide("follow_up", {"step": step}).number("after")


class Message(BaseModel):
    """A text for a customer, for the shop's sender. `key` is the same however often it is sent."""

    model_config = ConfigDict(frozen=True)

    key: str
    case_id: str
    shop_id: str
    customer_id: str
    step: str
    promotional: bool
    not_before: Time
    text: str


def refusal(profile: Profile, promotional: bool) -> str | None:
    """Return why this customer must not get the message, None where nothing is against it."""
    if profile.opted_out_at is not None:
        return "the customer opted out"
    if promotional and not any(consent.granted for consent in profile.consent.values()):
        return "no recorded consent to promotional messages"
    return None


def message(case: Case, step: str, rules: Rules, now: datetime) -> Message:
    """Return the message of a step. A promotional one must wait for the contact window.

    Raises ValueError for a case whose customer is unknown or was erased.
    """
    if case.review.customer_id is None:
        raise ValueError(f"{case.case_id} has no customer to write to")
    decision = rules.decide("follow_up", {"step": step})
    template = decision.text("template")
    promotional = rules.promotional(template)
    values = {"product": case.review.product_title or "商品", "coupon": yuan(decision.number("coupon"))}
    window = rules.decide("contact", {"promotional": promotional})
    return Message(
        key=f"{case.case_id}:{step}",
        case_id=case.case_id,
        shop_id=case.shop_id,
        customer_id=case.review.customer_id,
        step=step,
        promotional=promotional,
        not_before=next_contact(now, window.number("from"), window.number("until")),
        text=rules.render(template, values),
    )


def next_contact(now: datetime, opens: int, closes: int) -> datetime:
    """Return the earliest time in the daily contact window, given in seconds after midnight in China."""
    local = now.astimezone(CHINA)
    midnight = local.replace(hour=0, minute=0, second=0, microsecond=0)
    since = (local - midnight).total_seconds()
    if since < opens:
        return midnight + timedelta(seconds=opens)
    if since >= closes:
        return midnight + timedelta(days=1, seconds=opens)
    return now
