"""Desks: what a shop's people have arranged for its alerts, and what happens to an alert because of it.

`place` decides about one alert from the state alone. It is asked each time just before sending, so an
alert that waited is judged anew: nothing goes out that matters no longer, nothing is lost that does.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Literal, NamedTuple

from pydantic import BaseModel, ConfigDict

from functions.domain.alerts import kind_of, route
from functions.domain.cases import WAITING, Case, Effect
from functions.domain.decisions import Rules
from functions.domain.duty import Duty, next_there, on_duty, there
from functions.domain.incidents import Incident, is_open, stands
from functions.domain.silences import Hidden, Maintenance, Quiet, Silence, quiet
from functions.domain.times import iso
from functions.domain.windows import local

_CHAIN = ("first", "escalation", "repeat")  # what an acknowledgement ends
# A case that joins while its incident is being told may not be among those counted: the next one counts it.
_SETTLED = timedelta(minutes=1)


class Desk(BaseModel):
    """`incidents` are those that the case in question may belong to, with the case among their members."""

    model_config = ConfigDict(frozen=True)

    shop_id: str
    duty: Duty = Duty()
    silences: tuple[Silence, ...] = ()
    maintenance: tuple[Maintenance, ...] = ()
    hidden: tuple[Hidden, ...] = ()
    incidents: tuple[Incident, ...] = ()


class Telling(NamedTuple):
    """One alert to publish: as what, to whom, and of how many cases it speaks."""

    kind: str
    roles: tuple[str, ...]
    people: tuple[str, ...]
    cases: int = 1


class Claim(NamedTuple):
    """To be the one who tells of many cases: to be written before sending, unless somebody else was first."""

    item: str
    by: str
    told_at: datetime | None  # as it was read
    opens: bool = False


class Send(NamedTuple):
    tellings: tuple[Telling, ...]
    note: str | None = None
    claims: tuple[Claim, ...] = ()


class Hold(NamedTuple):
    """Not before `until`. It is judged `again` before that too: silences are lifted, rotas change."""

    until: datetime
    why: str
    cause: Literal["quiet", "inhibited", "nobody_on_duty"]
    quiet: Quiet | None = None

    def again(self, rules: Rules, now: datetime) -> datetime:
        """Return when to judge the alert anew."""
        after = rules.decide("quiet", {"what": "look_again", "hidden": 0}).number("longest")
        return min(self.until, now + timedelta(seconds=after))


class Bundle(NamedTuple):
    """Told together with others under `item`: in the summary at `until`, or already where that is None."""

    item: str
    why: str
    until: datetime | None = None


class Drop(NamedTuple):
    why: str


Placement = Send | Hold | Bundle | Drop


def place(case: Case, effect: Effect, desk: Desk, rules: Rules, now: datetime) -> Placement:
    """Return what is to happen to an alert of the case, as things stand now."""
    kind = kind_of(effect)
    if reason := pointless(case, kind, now):
        return Drop(reason)
    if still := quiet(desk.silences, desk.maintenance, case, kind, now):
        return Hold(still.ends, still.note, "quiet", still)
    if until := _inhibited(case, kind, desk, rules, now):
        return until
    told, claims = [(kind, 1)], list[Claim]()
    notes = list[str]()
    if over := _just_over(case, effect, desk, now):
        count = len(over.cases)
        after = rules.decide("quiet", {"what": "catch_up", "hidden": count})
        first, mine = over.told_by is None, over.told_by == claimant(case, effect)
        if kind == "first" and not after.then["each"]:
            told = []
        if after.then["catch_up"] and (first or mine):
            told.insert(0, ("catch_up", count))
            claims += [Claim(over.item, claimant(case, effect), None)] if first else []
        if not told:
            return Bundle(over.item, f"told with the {count} cases that were {over.note}")
        notes.append(f"was {over.note}")
    elif kind == "first" and (bundled := _bundled(case, effect, desk, rules, now)):
        if not isinstance(bundled, _Speaks):
            return bundled
        told, claims = [(bundled.kind, bundled.cases)], list(bundled.claims)
    return _to_whoever_is_there(case, effect, told, claims, notes, desk, rules, now)


def claimant(case: Case, effect: Effect) -> str:
    """Return who tells: the same for the same effect, however often it is performed."""
    return f"{case.case_id}/{kind_of(effect)}/{effect.level or 0}/{iso(effect.at)}"


def pointless(case: Case, kind: str, now: datetime) -> str | None:
    """Return why the alert matters no longer."""
    if case.status not in WAITING:
        return f"the case is {case.status}"
    if kind in _CHAIN and case.status != "open":
        event = case.events.get("acknowledged")
        return f"{event.by} has taken the case" if event is not None else "somebody has taken the case"
    if kind == "warning" and now >= case.due_at:
        return "the deadline has passed: its breach is told instead"
    return None


def _inhibited(case: Case, kind: str, desk: Desk, rules: Rules, now: datetime) -> Hold | None:
    if kind == "breach":  # the table of inhibitions cannot name it either
        return None
    rule = rules.decide("inhibitions", {"kind": kind})
    if escalated := _escalated_at(case):
        until = escalated + timedelta(seconds=rule.number("after_escalation"))
        if now < until:
            return Hold(until, "inhibited: the case has just been escalated", "inhibited")
    for incident in desk.incidents if rule.then["in_incident"] else ():
        if incident.has(case) and incident.lead != case.case_id and is_open(incident, rules, now):
            every = stands(incident, case, rules).number("every")
            why = f"inhibited: {incident.lead} speaks for the incident of {incident.size} reviews"
            return Hold(now + timedelta(seconds=max(every, 60)), why, "inhibited")
    return None


def _escalated_at(case: Case) -> datetime | None:
    """Return when the last escalation went out, which the timeline keeps under the effect's key."""
    sent = [
        event.at
        for key, event in case.events.items()
        if event.kind == "alerted" and (event.note or "").startswith("escalation")
        if key.startswith("alert:")
    ]
    return max(sent, default=None)


def _just_over(case: Case, effect: Effect, desk: Desk, now: datetime) -> Hidden | None:
    """Return the quiet time that hid this alert and has ended."""
    over = (
        each
        for each in desk.hidden
        if case.case_id in each.cases and each.ends <= now and effect.at < each.ends
    )
    return max(over, key=lambda each: each.ends, default=None)


class _Speaks(NamedTuple):
    kind: str
    cases: int
    claims: tuple[Claim, ...]


def _bundled(case: Case, effect: Effect, desk: Desk, rules: Rules, now: datetime) -> _Speaks | Bundle | None:
    """Return how an incident takes the case in; None for a case that stands alone.

    A re-opened case is no new review.
    """
    if case.run > 1:
        return None
    me = claimant(case, effect)
    for incident in desk.incidents:
        if not incident.has(case):
            continue
        stand = stands(incident, case, rules)
        if incident.told_by == me:  # claimed before, perhaps not sent
            kind = "incident" if incident.told_at == incident.opened_at else "summary"
            return _Speaks(kind, incident.size, ())
        if stand.text("as") == "opens":
            claim = Claim(incident.item, me, incident.told_at, opens=True)
            return _Speaks("incident", incident.count(now), (claim,))
        if stand.text("as") == "joins" and incident.told_at is not None:
            return _joined(case, incident, me, timedelta(seconds=stand.number("every")), now)
    return None


def _joined(case: Case, incident: Incident, me: str, every: timedelta, now: datetime) -> _Speaks | Bundle:
    assert incident.told_at is not None
    why = f"bundled: one of {incident.size} in an incident on one {incident.of}, led by {incident.lead}"
    if incident.told_at >= case.opened_at + _SETTLED:
        return Bundle(incident.item, f"{why}, told at {iso(incident.told_at)}")
    if now >= incident.told_at + every:
        return _Speaks("summary", incident.size, (Claim(incident.item, me, incident.told_at),))
    return Bundle(incident.item, why, incident.told_at + every)


def _to_whoever_is_there(
    case: Case,
    effect: Effect,
    told: Sequence[tuple[str, int]],
    claims: Sequence[Claim],
    notes: Sequence[str],
    desk: Desk,
    rules: Rules,
    now: datetime,
) -> Send | Hold:
    tellings, said = list[Telling](), list(notes)
    for kind, count in told:
        wanted = route(kind, effect.level or 0, case.grade, rules).names("roles")
        roles = recipients(desk.duty, wanted, rules, now)
        if not roles:
            at = next_there(desk.duty, chain_of(wanted, rules), now)
            until = local(at, desk.duty.time_zone)
            return Hold(at, f"nobody is on duty until {until}", "nobody_on_duty")
        if away := [role for role in wanted if role not in roles]:
            said.append(f"no {' or '.join(away)} on duty")
        people = dict.fromkeys(person for role in roles for person in on_duty(desk.duty, role, now))
        tellings.append(Telling(kind, roles, tuple(people), count))
    return Send(tuple(tellings), "; ".join(said) or None, tuple(claims))


def recipients(duty: Duty, roles: Iterable[str], rules: Rules, now: datetime) -> tuple[str, ...]:
    """Return the roles that are there: each role itself, or who stands in for it."""
    found: dict[str, None] = {}
    for role in roles:
        for each in chain_of([role], rules):
            if there(duty, each, now):
                found[each] = None
                break
    return tuple(found)


def chain_of(roles: Iterable[str], rules: Rules) -> tuple[str, ...]:
    """Return the roles and all who stand in for them, in order."""
    waiting, chain = list(roles), dict[str, None]()
    while waiting:
        role = waiting.pop(0)
        if role not in chain:
            chain[role] = None
            waiting += rules.decide("hand_over", {"role": role}).names("next")
    return tuple(chain)
