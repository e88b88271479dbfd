"""Chain: who is alerted next while nobody has taken a case, level by level, then again and again.

The next level counts from when the one before was told, not from when it was due: while an alert of the
chain waits (a silence, an incident, nobody on duty), nobody has been told anything they could have
reacted to. The acknowledgement ends the chain; nothing here starts it again.
"""

from datetime import datetime
from itertools import count

from functions.domain.alerts import CHAIN, kind_of, route
from functions.domain.cases import Case, Effect, Event, changed
from functions.domain.decisions import Rules
from functions.domain.pace import Pace


def next_at(case: Case) -> datetime | None:
    """Return when the chain goes on; None where it has ended or waits for its last alert to go out."""
    return None if case.status != "open" or _telling(case.outbox) else case.escalate_at


def repeating(case: Case) -> bool:
    """Whether everybody of the chain was told."""
    return case.keyed("repeated:1") in case.events


def go_on(case: Case, rules: Rules, pace: Pace, now: datetime) -> Case:
    """Return the case with the next level alerted, or at the end of the chain everybody once more."""
    level = case.level + 1
    step = route("escalation", level, case.grade, rules)
    if step.names("roles"):
        effect = Effect(kind="alert", at=now, level=level)
        return _alerted(case, f"alert:{level}", effect, f"escalated:{level}", rules, pace, now)
    number = next(n for n in count(1) if case.keyed(f"repeated:{n}") not in case.events)
    if not route("repeat", number, case.grade, rules).names("roles"):
        return case.model_copy(update={"escalate_at": None})
    effect = Effect(kind="alert", at=now, level=number, name="repeat")
    return _alerted(case, f"alert:repeat:{number}", effect, f"repeated:{number}", rules, pace, now)


def released(case: Case, before: Case, rules: Rules, pace: Pace, now: datetime) -> Case:
    """Return the case with the time to react counted from now, where an alert of its chain waited."""
    for key, effect in case.outbox.items():
        held = before.outbox[key].after is not None and effect.after is None
        if held and case.status == "open" and _of_chain(effect):
            wait = route(kind_of(effect), effect.level or 0, case.grade, rules).number("wait")
            return case.model_copy(update={"escalate_at": now + pace.wait(wait)})
    return case


def _alerted(
    case: Case, key: str, effect: Effect, event: str, rules: Rules, pace: Pace, now: datetime
) -> Case:
    kind = kind_of(effect)
    step = route(kind, effect.level or 0, case.grade, rules)
    said = "escalated" if kind == "escalation" else "repeated"
    return changed(
        case,
        {
            "level": effect.level if kind == "escalation" else case.level,
            "escalate_at": now + pace.wait(step.number("wait")),
            "outbox": case.outbox | {case.keyed(key): effect},
        },
        {case.keyed(event): Event(at=now, kind=said)},
    )


def _telling(outbox: dict[str, Effect]) -> bool:
    return any(_of_chain(effect) for effect in outbox.values())


def _of_chain(effect: Effect) -> bool:
    return effect.kind == "alert" and kind_of(effect) in CHAIN
