"""Cases: one bad review being mended, from the first star to the closing.

A case changes only through pure functions, here and in `agenda.py` and `outbox.py`, and, once it is resolved,
through the follow-up workflow's conditional updates. What must happen outside is put into the `outbox` in the
same write, for `functions/case_events.py` to perform; what must happen later is on its agenda, which the case
clock follows.
"""

from base64 import b32encode
from datetime import datetime
from hashlib import sha256
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from functions.domain.calendars import Hours
from functions.domain.causes import Cause
from functions.domain.deadlines import Clock, Pause, due, ended
from functions.domain.decisions import Decision, Rules
from functions.domain.exhibits import Dossier
from functions.domain.malice import Malice, Signal, signals, suspicion
from functions.domain.pace import REAL, Pace
from functions.domain.profiles import Order, Profile
from functions.domain.reachability import Addressee, Reach, plan, told
from functions.domain.remedies import goodwill, remedy
from functions.domain.reviews import Review
from functions.domain.tiers import tier
from functions.domain.times import Time, iso
from functions.domain.verdicts import Verdict

Status = Literal["open", "acknowledged", "resolved", "closed"]
WAITING: tuple[Status, ...] = ("open", "acknowledged")
Outcome = Literal["solved", "unreachable", "refused", "appealed", "expired"]


class Event(BaseModel):
    """One line of the case's timeline."""

    model_config = ConfigDict(frozen=True)

    at: Time
    kind: str
    by: str | None = None
    note: str | None = None


class Effect(BaseModel):
    """Something to do outside the case, once, under its key in the outbox."""

    model_config = ConfigDict(frozen=True)

    kind: Literal["alert", "start", "stop", "message", "grant", "order"]
    at: Time
    after: Time | None = Field(None, description="Held until then; the case clock releases it")
    level: int | None = None
    name: str | None = Field(None, description="warning or breach (alert), the step's name (message, grant)")
    text: str | None = Field(None, description="What a public reply says")


class Case(BaseModel):
    model_config = ConfigDict(frozen=True)

    case_id: str
    review: Review
    versions: tuple[str, ...] = Field(description="Every version of the review seen, the latest last")
    status: Status = "open"
    run: int = Field(1, description="How often it was begun; each run has its own follow-up workflow")
    cause: Cause
    evidence: tuple[str, ...] = ()
    confidence: int = Field(100, description="Percent: how likely the cause is the right one")
    needs_check: bool = Field(False, description="Whether a person is asked to check the cause")
    grade: str
    owner: str
    suspected_malicious: bool = False
    signals: tuple[Signal, ...] = ()
    malice: Malice | None = Field(None, description="Since it was suspected: what a person says of it")
    dossier: Dossier = Field(default_factory=Dossier)
    tier: str
    remedy: str
    coupon: int = Field(0, description="fen")
    goodwill: str = "none"
    follow_up: bool = Field(True, description="Whether guidance, care and silver membership follow")
    decisions: tuple[Decision, ...] = ()
    opened_at: Time = Field(description="When it was decided")
    warn_at: Time
    due_at: Time
    give_up_s: int = Field(0, description="So long after the breach a case that nobody resolved is closed")
    level: int = Field(0, description="How far the chain of alerts has gone")
    escalate_at: Time | None = Field(None, description="When the next level is alerted; None at the end")
    hours: Hours | None = Field(
        None, description="The shop's, as they were at the opening; null: never closed"
    )
    pauses: tuple[Pause, ...] = ()
    reach: tuple[Reach, ...] = Field((), description="What can reach the customer, planned at the opening")
    alerted_at: Time | None = None
    acknowledged_at: Time | None = None
    resolved_at: Time | None = None
    closed_at: Time | None = None
    confirmed_cause: Cause | None = None
    outcome: Outcome | None = None
    events: dict[str, Event] = Field(default_factory=dict)
    outbox: dict[str, Effect] = Field(default_factory=dict)
    used_links: dict[str, Time] = Field({}, description="Nonces of links that acted, with their expiry")
    version: int = 0

    @property
    def shop_id(self) -> str:
        return self.review.shop_id

    @property
    def waiting(self) -> bool:
        """Whether somebody still has to resolve it."""
        return self.status in WAITING

    @property
    def paused(self) -> bool:
        return bool(self.pauses) and self.pauses[-1].until is None

    @property
    def clock(self) -> Clock:
        """What decides when it is due."""
        grade = next(each for each in reversed(self.decisions) if each.table == "grades")
        again = self.run > 1
        return Clock(
            grade, self.began_at if again else self.review.first_seen_at, self.hours, self.pauses, again
        )

    def keyed(self, name: str) -> str:
        """Return the key of an effect or event that each run of the case has once."""
        return name if self.run == 1 else f"{name}@{self.run}"

    @property
    def began_at(self) -> datetime:
        """When this run of the case began: its opening or its last re-opening."""
        return self.opened_at if self.run == 1 else self.events[self.keyed("reopened")].at

    @property
    def timeline(self) -> list[Event]:
        return sorted(self.events.values(), key=lambda event: event.at)


class CaseClosed(ValueError):
    """The case is closed; nobody can work on it any more."""


def case_id(review_key: str) -> str:
    """Return the case number of a review: WB- and 12 letters or digits (60 bits of its hash)."""
    return "WB-" + b32encode(sha256(review_key.encode()).digest())[:12].decode()


def open_case(
    review: Review,
    verdict: Verdict,
    profile: Profile,
    order: Order | None,
    rules: Rules,
    now: datetime,
    pace: Pace = REAL,
    hours: Hours | None = None,
) -> Case:
    """Return the case of a bad review, with every decision taken and its first effects to perform.

    The order's total is the order value; where the order is unknown, the reviewed item's price.
    """
    reading = verdict.reading
    found = signals(review, reading, profile, rules, now)
    malice = suspicion(found, False, rules)
    suspected = malice.then["suspected"] is True
    grade = rules.ask.grades(cause=reading.cause, suspected_malicious=suspected)
    customer_tier = tier(profile, order, rules, now)
    offer = remedy(order.total if order is not None else review.price, suspected, rules)
    extra = goodwill(customer_tier.text("tier"), suspected, rules)
    warn_at, due_at = due(grade, review.first_seen_at, rules, hours)
    reach = plan(Addressee(review, profile, order), due_at, rules)
    first = rules.ask.alerts(kind="first", level=0, grade=grade.text("grade"))
    return Case(
        case_id=case_id(review.key),
        review=review,
        versions=(review.version,),
        cause=reading.cause,
        evidence=(*reading.evidence, *reading.blackmail),
        confidence=reading.percent,
        needs_check=verdict.needs_check,
        grade=grade.text("grade"),
        owner=grade.text("owner"),
        suspected_malicious=suspected,
        signals=found,
        malice=Malice(status="suspected", at=now) if suspected else None,
        tier=customer_tier.text("tier"),
        remedy=offer.text("remedy"),
        coupon=offer.number("coupon"),
        goodwill=extra.text("goodwill"),
        follow_up=grade.then["follow_up"] is True,
        decisions=(verdict.decision, verdict.certainty, malice, grade, customer_tier, offer, extra),
        opened_at=now,
        warn_at=warn_at,
        due_at=due_at,
        hours=hours,
        give_up_s=rules.ask.follow_up(step="give_up").number("after"),
        escalate_at=now + pace.wait(first.number("wait")),
        reach=reach,
        events={
            "posted": Event(at=review.posted_at, kind="posted"),
            "seen": Event(at=review.first_seen_at, kind="seen"),
            "opened": Event(at=now, kind="opened", note=f"{verdict.decision.row}, {grade.row}, {offer.row}"),
            "read": Event(at=now, kind="read", note=verdict.said),
            "planned": Event(at=now, kind="planned", note=told(reach)),
        },
        outbox={"alert:0": Effect(kind="alert", at=now, level=0)},
    )


def new_version(case: Case, review: Review, now: datetime) -> Case:
    """Return the case after its review was edited or appended to: noted, never a reason for a benefit.

    A version that was seen before changes nothing: it is an old message that came again.
    """
    if review.version in case.versions:
        return case
    note = f"rating {review.stars or review.rating}"
    if "erased" in case.events:
        review = review.without_person()
    return changed(
        case,
        {
            "review": review.model_copy(update={"first_seen_at": case.review.first_seen_at}),
            "versions": (*case.versions, review.version),
            **ended(case.clock, now),  # whoever writes is no longer waited for
        },
        {f"edited:{review.version}": Event(at=now, kind="review edited", note=note)},
    )


def acknowledge(case: Case, by: str, now: datetime) -> Case:
    """Return the case with `by` at work on it. Acknowledging again changes nothing."""
    if case.status != "open":
        return case
    return changed(
        case,
        {"status": "acknowledged", "acknowledged_at": now, "escalate_at": None},
        {case.keyed("acknowledged"): Event(at=now, kind="acknowledged", by=by)},
    )


def resolve(case: Case, by: str, cause: Cause, outcome: Outcome, note: str | None, now: datetime) -> Case:
    """Return the case resolved with the cause a person confirmed, its follow-up to be started. Where none
    follows (suspected malice) it is closed. Resolving again changes nothing.

    Raises CaseClosed for a case that was closed unresolved.
    """
    if case.resolved_at is not None:
        return case
    if case.status == "closed":
        raise CaseClosed(f"{case.case_id} was closed at {iso(case.closed_at or now)} without a resolution")
    start = {f"start:{case.run}": Effect(kind="start", at=now)} if case.follow_up else {}
    resolved = changed(
        case,
        {
            "status": "resolved",
            "resolved_at": now,
            "escalate_at": None,
            "acknowledged_at": case.acknowledged_at or now,
            "confirmed_cause": cause,
            "outcome": outcome,
            **ended(case.clock, now),
            "outbox": case.outbox | start | (_grants(case, now) if outcome == "solved" else {}),
        },
        {case.keyed("resolved"): Event(at=now, kind="resolved", by=by, note=note)},
    )
    if case.follow_up:
        return resolved
    closed = {case.keyed("closed"): Event(at=now, kind="closed", note="nothing follows")}
    return changed(resolved, {"status": "closed", "closed_at": now}, closed)


def _grants(case: Case, now: datetime) -> dict[str, Effect]:
    """What a solved case's customer gets; whatever was given in an earlier run is not given again."""
    gift = case.goodwill in ("vip_gift", "card_and_gift")
    wanted = {"remedy": case.remedy != "none", "coupon": case.coupon > 0, "goodwill": gift}
    steps = [step for step, given in wanted.items() if given]
    return {case.keyed(f"grant:{step}"): Effect(kind="grant", at=now, name=step) for step in steps}


def reopen(case: Case, by: str, why: str, rules: Rules, now: datetime) -> Case:
    """Return the case at work again, by whoever re-opened it, with its grade's time counted from now.

    The follow-up stops and the next resolution starts another. What was sent stays sent and what was given
    stays given. Re-opening a case at work changes nothing.
    """
    if case.waiting:
        return case
    warn_at, due_at = due(case.clock.grade, now, rules, case.hours, case.pauses)
    again = case.model_copy(update={"run": case.run + 1})
    # An alert that is still there would be told as one of the new run.
    kept = {key: effect for key, effect in case.outbox.items() if effect.kind not in ("alert", "start")}
    # Also where its start is not recorded yet: it may have been made.
    running = case.status == "resolved"
    stop = {f"stop:{case.run}": Effect(kind="stop", at=now)} if running else {}
    return changed(
        again,
        {
            "status": "acknowledged",
            "resolved_at": None,
            "closed_at": None,
            "outcome": None,
            "warn_at": warn_at,
            "due_at": due_at,
            "outbox": kept | stop,
        },
        {again.keyed("reopened"): Event(at=now, kind="reopened", by=by, note=why)},
    )


def changed(case: Case, update: dict[str, Any], events: dict[str, Event]) -> Case:
    return case.model_copy(update=update | {"events": case.events | events})
