"""Deadlines: when a case must have its first response, and when to warn before that.

They are reckoned anew from what the case has recorded, never moved, so they cannot drift: the clock starts
when the review was first visible to us, runs in the shop's opening hours, stands while we wait for the
customer, and rings when it has run for as long as the grade allows.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from pydantic import BaseModel, ConfigDict, Field

from functions.domain.calendars import Hours, Span, open_spans, reach
from functions.domain.decisions import Decision, Rules
from functions.domain.times import Time


class DeadlineTooLate(ValueError):
    """A grade's row allows more time than the shop promises (rules/limits.toml)."""


class Pause(BaseModel):
    """A time in which the case waits for its customer and its clock stands."""

    model_config = ConfigDict(frozen=True)

    since: Time
    until: Time | None = Field(None, description="null: it still waits")
    why: str
    by: str | None = None


class Deadline(NamedTuple):
    """None where the clock stands before it gets there."""

    warn_at: datetime | None
    due_at: datetime | None


@dataclass(frozen=True, slots=True)
class Clock:
    """What a case has recorded that decides when it is due.

    `pauses` are in order and do not overlap; only the last may still be open.
    """

    grade: Decision
    started_at: datetime
    hours: Hours | None = None
    pauses: tuple[Pause, ...] = ()
    reopened: bool = False

    @property
    def within(self) -> timedelta:
        return timedelta(seconds=self.grade.number("respond_within"))

    @property
    def notice(self) -> timedelta:
        """How long before the deadline the warning comes."""
        return min(timedelta(seconds=self.grade.number("warn_before")), self.within)

    @property
    def waits(self) -> bool:
        return bool(self.pauses) and self.pauses[-1].until is None


def due(
    grade: Decision,
    started_at: datetime,
    rules: Rules,
    hours: Hours | None = None,
    pauses: tuple[Pause, ...] = (),
) -> tuple[datetime, datetime]:
    """Return (warn at, due at) for a grade, counted from when the review was first visible to us.

    The promised 24 hours are, as every deadline, hours in which the shop is open. Raises DeadlineTooLate.
    """
    clock = Clock(grade, started_at, hours, pauses)
    longest = rules.ask.limits(of="grades.respond_within").number("longest")
    if clock.within > timedelta(seconds=longest):
        promised = f"{longest / 3600:g} hours"
        raise DeadlineTooLate(
            f"{grade.table}.{grade.row}: respond_within is {clock.within}, more than the promised {promised}"
        )
    return _rings(clock)


def _rings(clock: Clock) -> tuple[datetime, datetime]:
    """Return (warn at, due at) of a clock that does not stand."""
    warn_at, due_at = deadline(clock)
    assert warn_at is not None
    assert due_at is not None
    return warn_at, due_at


def deadline(clock: Clock) -> Deadline:
    """Return when the clock has run for as long as the grade allows, and when to warn before that."""
    return Deadline(reach(running(clock), clock.within - clock.notice), reach(running(clock), clock.within))


def ran(clock: Clock, until: datetime) -> timedelta:
    """Return for how long the clock has run by then."""
    total = timedelta()
    for start, end in running(clock):
        if start >= until:
            break
        total += min(end, until) - start
    return total


def running(clock: Clock) -> Iterator[Span]:
    """Yield the spans in which the clock runs: the shop is open and nobody waits for the customer."""
    pauses = clock.pauses
    for start, end in open_spans(clock.hours, clock.started_at):
        # Pauses that are over before this span are over before all later ones.
        while pauses and pauses[0].until is not None and pauses[0].until <= start:
            pauses = pauses[1:]
        begin = start
        for pause in pauses:
            if pause.since >= end:
                break
            if begin < pause.since:
                yield Span(begin, pause.since)
            if pause.until is None:
                return
            begin = max(begin, pause.until)
        if begin < end:
            yield Span(begin, end)


def ended(clock: Clock, now: datetime) -> dict[str, Any]:
    """Return what changes of a case when its wait is over: the pauses, and the deadlines reckoned anew.

    Nothing where it does not wait.
    """
    if not clock.waits:
        return {}
    last = clock.pauses[-1]
    # `now` is another machine's than at the beginning, which may be a little ahead.
    over = last.model_copy(update={"until": max(now, last.since)})
    pauses = (*clock.pauses[:-1], over)
    warn_at, due_at = _rings(replace(clock, pauses=pauses))
    return {"pauses": pauses, "warn_at": warn_at, "due_at": due_at}
