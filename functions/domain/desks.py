"""Desks: what a shop's people have arranged for its alerts, and what happens to an alert because of it.

`place` decides about one alert from the state alone. It is asked each time just before sending, so an
alert that waited is judged anew: nothing goes out that matters no longer, nothing is lost that does.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Literal, NamedTuple

from pydantic import BaseModel, ConfigDict

from functions.domain.alerts import CHAIN, kind_of, route
from functions.domain.cases import Case, Effect
from functions.domain.decisions import Rules
from functions.domain.duty import Duty, next_there, on_duty, there
from functions.domain.incidents import HOUR, Incident, around, going_on, stands
from functions.domain.pace import REAL, Pace
from functions.domain.silences import Hidden, Maintenance, Quiet, Silence, quiet
from functions.domain.times import iso
from functions.domain.windows import local

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
    """Not before `until`, judged anew `again` at the latest: silences are lifted, rotas change."""

    until: datetime
    why: str
    cause: Literal["quiet", "inhibited", "nobody_on_duty"]
    again: datetime
    quiet: Quiet | None = None


class Bundle(NamedTuple):
    """Told together with others under `item`: in the summary at `until`, or already where that is None."""

    item: str
    why: str
    until: datetime | None = None


class Drop(NamedTuple):
    why: str


Placement = Send | Hold | Bundle | Drop


class _Asked(NamedTuple):
    """What is asked about: one alert of one case, as things stand now."""

    case: Case
    effect: Effect
    desk: Desk
    rules: Rules
    now: datetime
    pace: Pace

    @property
    def kind(self) -> str:
        return kind_of(self.effect)

    @property
    def claimant(self) -> str:
        return claimant(self.case, self.effect)

    def roles(self, kind: str) -> Sequence[str]:
        return route(kind, self.effect.level or 0, self.case.grade, self.rules).names("roles")

    def hold(
        self,
        until: datetime,
        why: str,
        cause: Literal["quiet", "inhibited", "nobody_on_duty"],
        quiet: Quiet | None = None,
    ) -> Hold:
        look = self.rules.ask.quiet(what="look_again", hidden=0).number("longest")
        return Hold(until, why, cause, min(until, self.now + self.pace.wait(look)), quiet)


class _Says(NamedTuple):
    """What to tell, before it is known to whom: kinds of alerts and of how many cases each speaks."""

    told: tuple[tuple[str, int], ...]
    claims: tuple[Claim, ...] = ()
    note: str | None = None


def place(
    case: Case, effect: Effect, desk: Desk, rules: Rules, now: datetime, pace: Pace = REAL
) -> Placement:
    """Return what is to happen to an alert of the case, as things stand now."""
    hour = pace.shrunk(HOUR)
    incidents = tuple(each.model_copy(update={"hour": hour}) for each in desk.incidents)
    asked = _Asked(case, effect, desk.model_copy(update={"incidents": incidents}), rules, now, pace)
    if reason := pointless(case, asked.kind, now):
        return Drop(reason)
    if still := quiet(desk.silences, desk.maintenance, case, asked.kind, now):
        return asked.hold(still.ends, still.note, "quiet", still)
    if inhibited := _inhibited(asked):
        return inhibited
    says = _caught_up(asked) or _in_incident(asked) or _Says(((asked.kind, 1),))
    return says if isinstance(says, Bundle) else _to_whoever_is_there(asked, says)


def claimant(case: Case, effect: Effect) -> str:
    """Return who tells: the same for the same effect, however often it is performed."""
    return f"{case.case_id}/{kind_of(effect)}/{effect.level or 0}/{iso(effect.at)}"


def pointless(case: Case, kind: str, now: datetime) -> str | None:
    """Return why the alert matters no longer."""
    if kind == "appeal":  # its deadline is the platform's, whatever became of the case
        return None
    if not case.waiting:
        return f"the case is {case.status}"
    if kind in CHAIN and case.status != "open":
        taken = case.events.get(case.keyed("acknowledged")) or case.events.get(case.keyed("reopened"))
        return f"{taken.by if taken else 'somebody'} has taken the case"
    if kind == "warning" and now >= case.due_at:
        return "the deadline has passed: its breach is told instead"
    return None


def _inhibited(asked: _Asked) -> Hold | None:
    case, now = asked.case, asked.now
    if asked.kind in ("breach", "appeal"):  # the table of inhibitions cannot name them either
        return None
    rule = asked.rules.ask.inhibitions(kind=asked.kind)
    after = rule.number("after_escalation")
    if after and (escalated := _escalated_at(case)):
        until = escalated + asked.pace.wait(after)
        if now < until:
            return asked.hold(until, "inhibited: the case has just been escalated", "inhibited")
    for incident in asked.desk.incidents if rule.then["in_incident"] else ():
        goes_on = going_on(incident, asked.rules, now)
        if goes_on and incident.has(case) and incident.led_by != case.case_id:
            why = f"inhibited: {incident.led_by} speaks for an incident on the same {incident.of}"
            return asked.hold(now + asked.pace.wait(goes_on.number("every")), why, "inhibited")
    return None


def _escalated_at(case: Case) -> datetime | None:
    """Return when the last escalation went out, which the timeline keeps under the effect's key."""
    sent = [
        event.at
        for key, event in case.events.items()
        if key.startswith("alert:")
        and event.kind == "alerted"
        and (event.note or "").startswith("escalation")
    ]
    return max(sent, default=None)


def _caught_up(asked: _Asked) -> _Says | Bundle | None:
    """Return how an alert is told that a quiet time hid until it ended; None where none did."""
    case, me = asked.case, asked.claimant
    over = [
        each
        for each in asked.desk.hidden
        if case.case_id in each.cases and each.ends <= asked.now and asked.effect.at < each.ends
    ]
    if not over:
        return None
    hid = max(over, key=lambda each: each.ends)
    cases = len(hid.cases)
    rule = asked.rules.ask.quiet(what="catch_up", hidden=cases)
    told, claims = list[tuple[str, int]](), tuple[Claim, ...]()
    if rule.then["catch_up"] and hid.told_by in (None, me):
        told.append(("catch_up", cases))
        claims = (Claim(hid.item, me, None),) if hid.told_by is None else ()
    if asked.kind != "first" or rule.then["each"]:
        told.append((asked.kind, 1))
    if not told:
        return Bundle(hid.item, f"told with the {cases} cases that were {hid.note}")
    return _Says(tuple(told), claims, f"was {hid.note}")


def _in_incident(asked: _Asked) -> _Says | Bundle | None:
    """Return how an incident takes a new case in; None for one that stands alone."""
    case, me = asked.case, asked.claimant
    if asked.kind != "first":
        return None
    for incident in asked.desk.incidents:
        if not incident.has(case):
            continue
        if incident.told_by == me:  # claimed before, perhaps not sent
            opened = incident.told_at == incident.opened_at
            return _Says((("incident" if opened else "summary", incident.size),))
        stand = stands(incident, case, asked.rules)
        if stand.text("as") == "opens":
            claim = Claim(incident.item, me, incident.told_at, opens=True)
            return _Says((("incident", around(incident, case)),), (claim,))
        if stand.text("as") == "joins" and incident.told_at is not None:
            return _joined(asked, incident, incident.told_at, stand.number("every"))
    return None


def _joined(asked: _Asked, incident: Incident, told_at: datetime, every: int) -> _Says | Bundle:
    why = f"bundled into the incident on its {incident.of}, led by {incident.led_by}"
    if told_at >= asked.case.opened_at + _SETTLED:
        return Bundle(incident.item, f"{why}, told at {iso(told_at)}")
    summary_at = told_at + asked.pace.wait(every)
    if asked.now >= summary_at:
        return _Says((("summary", incident.size),), (Claim(incident.item, asked.claimant, told_at),))
    return Bundle(incident.item, why, summary_at)


def _to_whoever_is_there(asked: _Asked, says: _Says) -> Send | Hold:
    """Address what is told. Where nobody is there for an alert about many, whoever would get the single one
    gets it: telling of many together must not be later than telling of one."""
    duty, now = asked.desk.duty, asked.now
    own = asked.roles(asked.kind)
    tellings, notes = list[Telling](), [says.note] if says.note else []
    for kind, cases in says.told:
        wanted = asked.roles(kind)
        roles = recipients(duty, wanted, asked.rules, now) or recipients(duty, own, asked.rules, now)
        if not roles:
            at = next_there(duty, chain_of([*wanted, *own], asked.rules), now)
            why = f"nobody is on duty until {local(at, duty.time_zone)}"
            return asked.hold(at, why, "nobody_on_duty")
        if away := [role for role in wanted if role not in roles]:
            notes.append(f"no {' or '.join(away)} on duty")
        people = dict.fromkeys(person for role in roles for person in on_duty(duty, role, now))
        tellings.append(Telling(kind, roles, tuple(people), cases))
    return Send(tuple(tellings), "; ".join(dict.fromkeys(notes)) or None, says.claims)


def recipients(duty: Duty, roles: Iterable[str], rules: Rules, now: datetime) -> tuple[str, ...]:
    """Return the roles that are there: each role itself, or who stands in for it."""
    found: dict[str, None] = {}
    for role in roles:
        standing_in = (each for each in chain_of([role], rules) if there(duty, each, now))
        found |= dict.fromkeys([first] if (first := next(standing_in, None)) else [])
    return tuple(found)


def chain_of(roles: Iterable[str], rules: Rules) -> tuple[str, ...]:
    """Return the roles and all who stand in for them, in order."""
    waiting, chain = list(roles), dict[str, None]()
    while waiting:
        role = waiting.pop(0)
        if role not in chain:
            chain[role] = None
            waiting += rules.ask.hand_over(role=role).names("next")
    return tuple(chain)
