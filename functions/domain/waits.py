"""Waits: a case that waits for its customer, whose clock stands for so long."""

from datetime import datetime

from functions.domain.cases import Case, CaseClosed, Event, acknowledge, changed
from functions.domain.deadlines import Pause, ended


def pause(case: Case, why: str, by: str, now: datetime) -> Case:
    """Return the case waiting for its customer. Whoever waits has the case: that acknowledges it.

    Pausing again changes nothing. Raises CaseClosed for a case that nobody works on any more.
    """
    if not case.waiting:
        raise CaseClosed(f"{case.case_id} is {case.status}: its clock no longer runs")
    if case.paused:
        return case
    # `now` is another machine's than at the last resumption, which may be a little ahead.
    since = max([now, *(pause.until for pause in case.pauses if pause.until is not None)])
    return changed(
        acknowledge(case, by, now),
        {"pauses": (*case.pauses, Pause(since=since, why=why, by=by))},
        {f"paused:{len(case.pauses) + 1}": Event(at=now, kind="waits for the customer", by=by, note=why)},
    )


def resume(case: Case, by: str | None, now: datetime) -> Case:
    """Return the case with its clock running again. Where it runs already, nothing changes."""
    if not case.paused:
        return case
    event = Event(at=now, kind="waits no longer", by=by)
    return changed(case, ended(case.clock, now), {f"resumed:{len(case.pauses)}": event})
