"""Reachability: which steps of a case can reach its customer, how and until when (rules/reachability.toml).

Worked out when the case opens, so that a step that cannot happen is planned another way at once, and asked
again right before a message goes out.
"""

from datetime import datetime, timedelta
from typing import Literal, NamedTuple, get_args

from pydantic import BaseModel, ConfigDict, Field

from functions.domain.decisions import Decision, Rules
from functions.domain.profiles import Channel, Order, Profile
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
    instead: str | None = Field(None, description="What happens instead of the way that was wanted first")

    @property
    def told(self) -> str:
        ends = f" until {self.until:%Y-%m-%d}" if self.until else ""
        by = f"by {self.way}{ends}" if self.way else "cannot happen"
        return f"{self.step}: {by}" + (f", {self.instead}" if self.instead else "") + f" ({self.why})"


class Window(NamedTuple):
    """Whether a way is open, until when (None: without end), and why."""

    open: bool
    until: datetime | None
    why: str

    def at(self, moment: datetime) -> bool:
        return self.open and (self.until is None or moment < self.until)


def window(review: Review, ended_at: datetime | None, way: Way, promotional: bool, rules: Rules) -> Window:
    """Return how long a way is open. `ended_at` is when the order ended; unknown, the review's time counts.

    A review is written after the order ended, so this is never earlier than what the platform counts from
    by more than the days a customer waited with the review: where it matters the order should be known.
    """
    facts = {"platform": _known(review.platform), "way": way, "promotional": promotional}
    decision = rules.decide("reachability", facts)
    within = decision.number("within")
    since = review.posted_at if decision.then["since"] == "review" else (ended_at or review.posted_at)
    return Window(
        decision.then["open"] is True, since + timedelta(seconds=within) if within else None, decision.why
    )


def plan(
    review: Review, profile: Profile, order: Order | None, due_at: datetime, rules: Rules
) -> tuple[Reach, ...]:
    """Return what can happen of each step, if the case is resolved when it is due."""
    ended_at = order.delivered_at if order is not None else None
    found = [_public_reply(review, due_at, rules)]
    at = due_at
    for step in STEPS[1:]:
        decision = rules.decide("follow_up", {"step": step})
        at += timedelta(seconds=decision.number("after"))
        found.append(_step(step, at, decision, review, profile, ended_at, rules))
    return tuple(found)


def channel(
    decision: Decision,
    review: Review,
    profile: Profile,
    ended_at: datetime | None,
    promotional: bool,
    rules: Rules,
    now: datetime,
) -> tuple[Channel | None, list[str]]:
    """Return the first of the step's channels that may and can be used now, and why the ones before not."""
    against: list[str] = []
    for name in decision.names("channels"):
        way: Channel = name  # type: ignore[assignment] # the rule check lets nothing else through
        if against_it := obstacle(way, review, profile, ended_at, promotional, rules, now):
            against.append(against_it)
        else:
            return way, against
    return None, against


def obstacle(
    way: Channel,
    review: Review,
    profile: Profile,
    ended_at: datetime | None,
    promotional: bool,
    rules: Rules,
    now: datetime,
) -> str | None:
    """Return what is against using a channel now, None where nothing is."""
    if way == "post":
        return "post: takes parcels, no messages"
    if promotional and not agreed(profile, way):
        return f"{way}: no consent"
    found = window(review, ended_at, way, promotional, rules)
    return None if found.at(now) else f"{way}: {found.why}"


def agreed(profile: Profile, way: Channel) -> bool:
    """Whether the customer agreed to promotional messages on the channel. No record is no consent."""
    consent = profile.consent.get(way)
    return consent is not None and consent.granted


def _public_reply(review: Review, at: datetime, rules: Rules) -> Reach:
    found = window(review, None, "public_reply", False, rules)
    if found.at(at):
        return Reach(step="public_reply", at=at, way="public_reply", until=found.until, why=found.why)
    instead = "a person replies in the platform's console" if not found.open else "a message in the chat"
    return Reach(step="public_reply", at=at, until=found.until, why=found.why, instead=instead)


def _step(
    step: Step,
    at: datetime,
    decision: Decision,
    review: Review,
    profile: Profile,
    ended_at: datetime | None,
    rules: Rules,
) -> Reach:
    promotional = rules.promotional(decision.text("template"))
    way, against = channel(decision, review, profile, ended_at, promotional, rules, at)
    if way is None or way == "post":
        instead = "not sent; ask for consent" if promotional else "a person replies in public"
        return Reach(step=step, at=at, why="; ".join(against) or "no channel", instead=instead)
    found = window(review, ended_at, way, promotional, rules)
    instead = f"by {way} instead of {decision.names('channels')[0]}" if against else None
    return Reach(
        step=step, at=at, way=way, until=found.until, why="; ".join((*against, found.why)), instead=instead
    )


def _known(platform: str) -> Platform:
    return platform if platform in PLATFORMS else "other"  # type: ignore[return-value]
