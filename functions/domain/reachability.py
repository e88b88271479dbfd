"""Reachability: which steps of a case can reach its customer, how and until when (rules/reachability.toml).

Worked out when the case opens, so that a step that cannot happen is planned another way at once, and asked
again right before a message goes out.
"""

from datetime import datetime, timedelta
from typing import Literal, NamedTuple, get_args

from pydantic import BaseModel, ConfigDict, Field

from functions.domain.decisions import Decision, Rules
from functions.domain.profiles import CHANNELS, Channel, Order, Profile
from functions.domain.reviews import Review
from functions.domain.times import Time

Platform = Literal[
    "taobao",
    "jd",
    "kuaishou",
    "douyin",
    "pinduoduo",
    "xiaohongshu",
    "wechat",
    "judgeme",
    "google_play",
    "app_store",
    "other",
]
Way = Literal["public_reply", "chat", "sms", "email"]
Step = Literal["public_reply", "guidance", "care", "silver", "repurchase"]
PLATFORMS: tuple[Platform, ...] = get_args(Platform)
WAYS: tuple[Way, ...] = get_args(Way)
STEPS: tuple[Step, ...] = get_args(Step)


class Reach(BaseModel):
    """Whether a step can happen: by which way, until when, and what happens instead of what was wanted."""

    model_config = ConfigDict(frozen=True)

    step: Step
    at: Time = Field(description="When it is expected")
    way: Way | None = Field(None, description="null: it cannot happen as things stand")
    until: Time | None = Field(None, description="null: without end")
    why: str
    once: bool = Field(False, description="Whether it can be done once only, and not be changed")
    instead: str | None = Field(None, description="What happens instead of the way that was wanted first")

    @property
    def told(self) -> str:
        ends = f" until {self.until:%Y-%m-%d}" if self.until else ""
        once = ", once" if self.once else ""
        by = f"by {self.way}{ends}{once}" if self.way else "cannot happen"
        return f"{self.step}: {by}" + (f", {self.instead}" if self.instead else "") + f" ({self.why})"


class Window(NamedTuple):
    """Whether a way is open, until when (None: without end), and why."""

    open: bool
    until: datetime | None
    once: bool
    why: str

    def at(self, moment: datetime) -> bool:
        return self.open and (self.until is None or moment < self.until)


class Addressee(NamedTuple):
    """Whom a message is for, as far as it matters for reaching them."""

    review: Review
    profile: Profile
    order: Order | None


def window(to: Addressee, way: Way, promotional: bool, rules: Rules) -> Window:
    """Return how long a way is open.

    Where it is unknown when the order ended, the review's own time counts: it was written soon after.
    """
    facts = {"platform": _known(to.review.platform), "way": way, "promotional": promotional}
    decision = rules.decide("reachability", facts)
    within = decision.number("within")
    since = to.review.posted_at
    if decision.then["since"] == "order" and to.order is not None and to.order.delivered_at is not None:
        since = to.order.delivered_at
    until = since + timedelta(seconds=within) if within else None
    return Window(decision.then["open"] is True, until, decision.then["once"] is True, decision.why)


def plan(to: Addressee, due_at: datetime, rules: Rules) -> tuple[Reach, ...]:
    """Return what can happen of each step, if the case is resolved when it is due."""
    found = [_public_reply(to, due_at, rules)]
    at = due_at
    for step in STEPS[1:]:
        decision = rules.ask.follow_up(step=step)
        at += timedelta(seconds=decision.number("after"))
        found.append(_step(step, at, decision, to, rules))
    return tuple(found)


def told(reach: tuple[Reach, ...]) -> str:
    """Return what has to happen differently than the rules would have it, for the timeline."""
    return "; ".join(each.told for each in reach if each.instead) or "every step can reach the customer"


def channel(
    decision: Decision, to: Addressee, promotional: bool, rules: Rules, now: datetime
) -> tuple[Channel | None, list[str]]:
    """Return the first of the step's channels that may and can be used now, and why the ones before not."""
    against: list[str] = []
    for name in decision.names("channels"):
        way = next(one for one in CHANNELS if one == name)
        reason = obstacle(way, to, promotional, rules, now)
        if reason is None:
            return way, against
        against.append(reason)
    return None, against


def obstacle(way: Channel, to: Addressee, promotional: bool, rules: Rules, now: datetime) -> str | None:
    """Return what is against using a channel now, None where nothing is."""
    if way == "post":
        return "post: takes parcels, no messages"
    if promotional and not agreed(to.profile, way):
        return f"{way}: no consent"
    found = window(to, way, promotional, rules)
    return None if found.at(now) else f"{way}: {found.why}"


def agreed(profile: Profile, way: Channel) -> bool:
    """Whether the customer agreed to promotional messages on the channel. No record is no consent."""
    consent = profile.consent.get(way)
    return consent is not None and consent.granted


def _public_reply(to: Addressee, at: datetime, rules: Rules) -> Reach:
    found = window(to, "public_reply", False, rules)
    if found.at(at):
        return Reach(
            step="public_reply",
            at=at,
            way="public_reply",
            until=found.until,
            once=found.once,
            why=found.why,
        )
    instead = "a message in the chat" if found.open else "a person replies in the platform's console"
    return Reach(step="public_reply", at=at, until=found.until, why=found.why, instead=instead)


def _step(step: Step, at: datetime, decision: Decision, to: Addressee, rules: Rules) -> Reach:
    promotional = rules.promotional(decision.text("template"))
    way, against = channel(decision, to, promotional, rules, at)
    if way is None or way == "post":
        lacking = "not sent unless the customer consents" if promotional else "a person replies in public"
        return Reach(step=step, at=at, why="; ".join(against) or "no channel is named", instead=lacking)
    found = window(to, way, promotional, rules)
    instead = f"instead of {decision.names('channels')[0]}" if against else None
    why = "; ".join((*against, found.why))
    return Reach(step=step, at=at, way=way, until=found.until, why=why, instead=instead)


def _known(platform: str) -> Platform:
    return next((one for one in PLATFORMS if one == platform), "other")
