"""Follow-ups: the waits and messages after an alert (rules/follow_up.toml, rules/templates/)."""

from datetime import datetime, timedelta
from typing import Literal

from pydantic import BaseModel, ConfigDict

from functions.domain.alerts import CHINA, route
from functions.domain.cases import Case
from functions.domain.decisions import Rules
from functions.domain.money import yuan
from functions.domain.profiles import Profile
from functions.domain.times import Time

Step = Literal["guidance", "care", "silver"]
_LONGEST_CHAIN = 10  # levels; a routing table without an end would alert for ever


class Pace(BaseModel):
    """How fast waits pass. A deployed shop has the real pace, a demo compresses the long waits."""

    model_config = ConfigDict(frozen=True)

    scale: float = 1.0
    floor_s: int = 0

    def seconds(self, wait: float) -> int:
        return max(1, self.floor_s, round(wait * self.scale))


class Escalation(BaseModel):
    model_config = ConfigDict(frozen=True)

    level: int
    wait_s: int


class Plan(BaseModel):
    """The input of the follow-up workflow: every wait in seconds, deadlines in epoch seconds."""

    model_config = ConfigDict(frozen=True)

    case_id: str
    run: int
    escalations: tuple[Escalation, ...]
    warn_at: int
    due_at: int
    give_up_s: int
    guidance_after_s: int
    care_after_s: int
    silver_after_s: int


def plan(case: Case, rules: Rules, pace: Pace) -> Plan:
    """Return the waits of a case's follow-up, from the tables.

    Deadlines are absolute so that nothing drifts however late the workflow starts; at a compressed
    pace they are moved towards the opening by the same factor as the waits.
    """
    opened = case.opened_at.timestamp()

    def moment(at: datetime) -> int:
        if pace == Pace():
            return round(at.timestamp())
        return round(opened) + pace.seconds(at.timestamp() - opened)

    warn_at = moment(case.warn_at)
    return Plan(
        case_id=case.case_id,
        run=case.run,
        escalations=_escalations(case, rules, pace),
        warn_at=warn_at,
        due_at=max(moment(case.due_at), warn_at + pace.floor_s),
        give_up_s=pace.seconds(_after("give_up", rules)),
        guidance_after_s=pace.seconds(_after("guidance", rules)),
        care_after_s=pace.seconds(_after("care", rules)),
        silver_after_s=pace.seconds(_after("silver", rules)),
    )


def _after(step: str, rules: Rules) -> int:
    return rules.decide("follow_up", {"step": step}).number("after")


def _escalations(case: Case, rules: Rules, pace: Pace) -> tuple[Escalation, ...]:
    levels: list[Escalation] = []
    while len(levels) < _LONGEST_CHAIN:
        level = len(levels)
        decision = route("escalation" if level else "first", level, case.grade, rules)
        if not decision.names("roles"):
            break
        levels.append(Escalation(level=level, wait_s=pace.seconds(decision.number("wait"))))
    return tuple(levels)


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
