"""Agenda: what becomes due on a case by the passing of time alone, and when to look at it next.

Everything follows from how the case stands, so looking late, twice or at the wrong moment does no harm,
and nothing that was taken back in the meantime can still happen.
"""

from datetime import datetime, timedelta

from functions.domain.cases import Case, Effect, Event, changed, woken
from functions.domain.decisions import Rules
from functions.domain.pace import REAL, Pace


def next_moment(case: Case, pace: Pace) -> datetime | None:
    """Return when the case clock has to look at the case again; None where nothing is ahead."""
    moments = [effect.after for effect in case.outbox.values() if effect.after is not None]
    if case.status == "open" and case.escalate_at is not None:
        moments.append(case.escalate_at)
    if deadline := _deadline(case, pace):
        moments.append(deadline[1])
    return min(moments, default=None)


def advance(case: Case, rules: Rules, pace: Pace, now: datetime) -> Case:
    """Return the case with everything in its outbox that is due by now; the same case where nothing is."""
    case = _released(case, now)
    if case.status == "open" and case.escalate_at is not None and case.escalate_at <= now:
        case = _escalated(case, rules, pace, now)
    while (deadline := _deadline(case, pace)) and deadline[1] <= now:
        name, _ = deadline
        case = _expired(case, now) if name == "expired" else _told(case, name, now)
    return case


_ALERTS = {"warned": "warning", "breached": "breach"}


def _deadline(case: Case, pace: Pace) -> tuple[str, datetime] | None:
    """Return the next of the moments of a case that nobody resolves: warned, breached, expired.

    At a compressed pace they are moved towards the beginning by the same factor as the waits, but stay
    behind the chain of alerts and apart from each other, as they are in reality.
    """
    if not case.waiting or case.paused:
        return None
    names = ("warned", "breached", "expired")
    name = next(name for name in names if case.keyed(name) not in case.events)
    expires_at = case.due_at + timedelta(seconds=case.give_up_s)
    at = dict(zip(names, (case.warn_at, case.due_at, expires_at), strict=True))[name]
    if pace == REAL:
        return name, at
    behind = [event.at for key, event in case.events.items() if key in map(case.keyed, names)]
    if case.status == "open" and case.escalate_at is not None:
        behind.append(case.escalate_at)
    moved = case.began_at + pace.wait((at - case.began_at).total_seconds())
    return name, max(moved, *(moment + pace.wait(0) for moment in behind)) if behind else moved


def _released(case: Case, now: datetime) -> Case:
    outbox = {
        key: effect.model_copy(update={"after": None}) if effect.after and effect.after <= now else effect
        for key, effect in case.outbox.items()
    }
    return case if outbox == case.outbox else case.model_copy(update={"outbox": outbox})


def _escalated(case: Case, rules: Rules, pace: Pace, now: datetime) -> Case:
    level = case.level + 1
    step = rules.decide("alerts", {"kind": "escalation", "level": level, "grade": case.grade})
    if not step.names("roles"):
        return case.model_copy(update={"escalate_at": None})
    effect = Effect(kind="alert", at=now, level=level)
    return changed(
        case,
        {
            "level": level,
            "escalate_at": now + pace.wait(step.number("wait")),
            "outbox": case.outbox | {case.keyed(f"alert:{level}"): effect},
        },
        {case.keyed(f"escalated:{level}"): Event(at=now, kind="escalated")},
    )


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
    return woken(
        changed(
            case,
            {"status": "closed", "closed_at": now, "outcome": "expired", "escalate_at": None},
            {case.keyed("expired"): Event(at=now, kind="closed", note="expired")},
        ),
        now,
    )
