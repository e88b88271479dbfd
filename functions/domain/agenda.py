"""Agenda: what becomes due on a case by the passing of time alone, and when to look at it next.

Everything follows from how the case stands, so looking late, twice or at the wrong moment does no harm,
and nothing that was taken back in the meantime can still happen.
"""

from datetime import datetime, timedelta

from functions.domain import appeals, chain
from functions.domain.cases import Case, Effect, Event, changed
from functions.domain.decisions import Rules
from functions.domain.pace import REAL, Pace
from functions.domain.waits import resume


def next_moment(case: Case, pace: Pace) -> datetime | None:
    """Return when the case clock has to look at the case again; None where nothing is ahead."""
    moments = [effect.after for effect in case.outbox.values() if effect.after is not None]
    if (at := chain.next_at(case)) is not None:
        moments.append(at)
    if deadline := _deadline(case, pace):
        moments.append(deadline[1])
    if case.paused:
        moments.append(_wait_ends(case, pace))
    if moment := appeals.next_moment(case):
        moments.append(moment)
    return min(moments, default=None)


def advance(case: Case, rules: Rules, pace: Pace, now: datetime) -> Case:
    """Return the case with everything in its outbox that is due by now; the same case where nothing is."""
    case = appeals.advance(chain.released(_released(case, now), case, rules, pace, now), now)
    if (at := chain.next_at(case)) is not None and at <= now:
        case = chain.go_on(case, rules, pace, now)
    if case.paused and _wait_ends(case, pace) <= now:
        case = resume(case, None, now)
    while (deadline := _deadline(case, pace)) and deadline[1] <= now:
        name, _ = deadline
        case = _expired(case, now) if name == "expired" else _told(case, name, now)
    return case


_ALERTS = {"warned": "warning", "breached": "breach"}


def _deadline(case: Case, pace: Pace) -> tuple[str, datetime] | None:
    """Return the next of the moments of a case that nobody resolves: warned, breached, expired.

    At a compressed pace they are moved towards the beginning by the same factor as the waits, but stay
    behind the chain of alerts and apart from each other, as they are in reality. The time that the case
    waited for its customer is not compressed: it passed as it is.
    """
    if not case.waiting or case.paused:
        return None
    names = ("warned", "breached", "expired")
    name = next(name for name in names if case.keyed(name) not in case.events)
    if name == "expired" and case.keyed("alert:0") in case.outbox:
        return None  # nobody was told of it yet
    # Whoever waited for the customer after the breach has the whole time to give up again.
    since = max([case.due_at, *(each.until for each in case.pauses if each.until)])
    expires_at = since + timedelta(seconds=case.give_up_s)
    at = dict(zip(names, (case.warn_at, case.due_at, expires_at), strict=True))[name]
    if pace == REAL:
        return name, at
    behind = [event.at for key, event in case.events.items() if key in map(case.keyed, names)]
    if (on := chain.next_at(case)) is not None and not chain.repeating(case):
        behind.append(on)
    waited = (each.until - each.since for each in case.pauses if each.until and each.since >= case.began_at)
    began = case.began_at + sum(waited, timedelta())
    moved = began + pace.wait((at - began).total_seconds())
    return name, max(moved, *(moment + pace.wait(0) for moment in behind)) if behind else moved


def _wait_ends(case: Case, pace: Pace) -> datetime:
    """When a wait for the customer ends by itself: one that everybody forgot must not hide a case."""
    return case.pauses[-1].since + pace.wait(case.give_up_s)


def _released(case: Case, now: datetime) -> Case:
    outbox = {
        key: effect.model_copy(update={"after": None}) if effect.after and effect.after <= now else effect
        for key, effect in case.outbox.items()
    }
    return case if outbox == case.outbox else case.model_copy(update={"outbox": outbox})


def _told(case: Case, name: str, now: datetime) -> Case:
    alert = _ALERTS[name]
    effect = Effect(kind="alert", at=now, name=alert)
    return changed(
        case,
        {"outbox": case.outbox | {case.keyed(f"alert:{alert}"): effect}},
        {case.keyed(name): Event(at=now, kind=name)},
    )


def _expired(case: Case, now: datetime) -> Case:
    """Nobody resolved the case for too long: it is closed, with every alert on record."""
    return changed(
        case,
        {"status": "closed", "closed_at": now, "outcome": "expired", "escalate_at": None},
        {case.keyed("expired"): Event(at=now, kind="closed", note="expired")},
    )
