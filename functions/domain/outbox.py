"""Outbox: what performing an effect comes to, and how the case remembers it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from functions.domain.cases import Case, Effect, Event


@dataclass(frozen=True)
class Done:
    """The effect is performed, or will never be: the event says which. `then` follows from it, by key."""

    event: Event
    then: Mapping[str, Effect] = field(default_factory=dict)


@dataclass(frozen=True)
class Held:
    """The effect must wait. It is performed, after all checks again, when the case clock releases it.

    The event says why; a wait that is only the plan has none. `then` comes before the effect, by key.
    """

    until: datetime
    event: Event | None
    then: Mapping[str, Effect] = field(default_factory=dict)


def due(case: Case) -> dict[str, Effect]:
    """Return the effects that nothing holds."""
    return {key: effect for key, effect in case.outbox.items() if effect.after is None}


def recorded(case: Case, came_to: Mapping[str, Done | Held]) -> Case:
    """Return the case with what became of its effects. What left its outbox meanwhile was recorded before."""
    here = {key: outcome for key, outcome in came_to.items() if key in case.outbox}
    if not here:
        return case
    outbox, events = dict(case.outbox), dict(case.events)
    for key, outcome in here.items():
        if isinstance(outcome, Held):
            outbox[key] = outbox[key].model_copy(update={"after": outcome.until})
            events |= _held(f"{key}:held", outcome.event, events) if outcome.event else {}
        else:
            del outbox[key]
            events[key] = outcome.event
        outbox |= {key: effect for key, effect in outcome.then.items() if key not in outbox | events}
    first = here.get("alert:0")
    alerted_at = first.event.at if isinstance(first, Done) and first.event.kind == "alerted" else None
    return case.model_copy(
        update={"outbox": outbox, "events": events, "alerted_at": case.alerted_at or alerted_at}
    )


def _held(key: str, event: Event, events: Mapping[str, Event]) -> dict[str, Event]:
    """Return the line to add: one for each reason that an effect waits for, from when that reason came."""
    place, number = key, 1
    while place in events:
        if events[place].note == event.note:
            return {}
        number += 1
        place = f"{key}:{number}"
    return {place: event}
