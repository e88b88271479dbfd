"""Calendars: when a shop is open, and time that counts in its opening hours only.

A shop without `Hours` is open round the clock. With them it is open when the clock on its wall says so:
on a night when that clock is put back, an hour that it shows twice is open twice.
"""

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from functools import lru_cache
from itertools import pairwise
from typing import Annotated, Any, Literal, NamedTuple

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

Weekday = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
WEEK: tuple[Weekday, ...] = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
ROUND_THE_CLOCK = "round the clock"
ALL_DAY = ("00:00-24:00",)

_SHIFT = re.compile(r"((?:[01]\d|2[0-3]):[0-5]\d)-((?:[01]\d|2[0-3]):[0-5]\d|24:00)")
_REACH = timedelta(hours=15)  # no zone is farther from UTC
_STEP = timedelta(hours=6)  # no zone changes its distance to UTC twice within
_NEVER = 400  # days in a row without an opening


class NeverOpen(ValueError):
    """A calendar under which no deadline would ever come."""


def _shifts(where: str, given: object) -> tuple[str, ...]:
    if given == ROUND_THE_CLOCK:
        return ALL_DAY
    if not isinstance(given, list | tuple):
        raise ValueError(f'{where}: write ["09:00-12:00", "13:30-18:00"] or "{ROUND_THE_CLOCK}"')
    for place, shift in enumerate(given, 1):
        match = _SHIFT.fullmatch(str(shift))
        if match is None:
            raise ValueError(f'{where}, shift {place}: {shift!r} is no shift; write it like "09:00-12:00"')
        if match[1] >= match[2]:
            raise ValueError(
                f"{where}, shift {place}: {shift} ends before it begins; a shift past midnight is two, "
                f'"{match[1]}-24:00" and "00:00-{match[2]}" on the next day'
            )
    shifts = tuple(sorted(map(str, given)))
    for earlier, later in pairwise(shifts):
        if later[:5] < earlier[6:]:
            raise ValueError(f"{where}: {earlier} and {later} overlap; make them one shift")
    return shifts


def _week(given: object) -> object:
    """Take "mon-fri" for five days, and leave out the days that are closed."""
    if not isinstance(given, Mapping):
        return given
    week: dict[str, tuple[str, ...]] = {}
    for name, shifts in given.items():
        first, _, last = str(name).partition("-")
        last = last or first
        if first not in WEEK or last not in WEEK or WEEK.index(first) > WEEK.index(last):
            raise ValueError(f'{name!r} is no day; write mon, tue, wed, thu, fri, sat, sun or "mon-fri"')
        for day in WEEK[WEEK.index(first) : WEEK.index(last) + 1]:
            if day in week:
                raise ValueError(f"{name}: {day} is there twice; keep one of them")
            week[day] = _shifts(str(name), shifts)
    return {day: week[day] for day in WEEK if week.get(day)}


def _days(given: object) -> object:
    if not isinstance(given, Mapping):
        return given
    return {day: _shifts(str(day), shifts) for day, shifts in given.items()}


def _zone_name(given: object) -> object:
    try:
        zone(str(given))
    except (LookupError, ValueError, OSError):
        raise ValueError(f'{given!r} is no time zone; write its IANA name, such as "Asia/Shanghai"') from None
    return given


class Hours(BaseModel):
    """When a shop works, on the clock of its own zone.

    What `days` says of a date counts more than the holidays, and they more than the week.
    """

    model_config = ConfigDict(frozen=True)

    zone: Annotated[str, BeforeValidator(_zone_name)] = Field("Asia/Shanghai", description="IANA name")
    week: Annotated[dict[Weekday, tuple[str, ...]], BeforeValidator(_week)] = Field(
        dict.fromkeys(WEEK, ALL_DAY), description='Shifts such as "09:00-12:00"; a day left out is closed'
    )
    holidays: Literal["CN"] | None = Field(
        None, description="CN: closed on public holidays, at work on the make-up days (调休)"
    )
    make_up_as: Weekday = Field("mon", description="The day whose shifts a make-up day has")
    days: Annotated[dict[date, tuple[str, ...]], BeforeValidator(_days)] = Field(
        {}, description="Single dates, sales for example, with their own shifts; none: closed"
    )

    @model_validator(mode="after")
    def _opens(self) -> "Hours":
        if not self.week:
            raise NeverOpen('week: the shop never opens; give at least one day a shift ("09:00-18:00")')
        if self.holidays and self.make_up_as not in self.week:
            raise ValueError(
                f"make_up_as: {self.make_up_as} has no shift in the week; name a day that has one, "
                f"{' or '.join(self.week)}"
            )
        return self


class Day(NamedTuple):
    """A date in a shop's life: its shifts and what they come from.

    `name` is the holiday's Chinese name, for a holiday and for the make-up day it costs.
    """

    date: date
    shifts: tuple[str, ...]
    source: Literal["week", "days", "holiday", "make_up", "unknown"]
    name: str = ""


class Span(NamedTuple):
    start: datetime
    end: datetime


def day(hours: Hours, at: date) -> Day:
    """Return the date's shifts. Where the holidays of its year are not known, the week's, as "unknown"."""
    if at in hours.days:
        return Day(at, hours.days[at], "days")
    planned = hours.week.get(WEEK[at.weekday()], ())
    if hours.holidays is None:
        return Day(at, planned, "week")
    if not is_known(at.year):
        return Day(at, planned, "unknown")
    off, name = _chinese(at)
    if not name:
        return Day(at, planned, "week")
    return Day(at, (), "holiday", name) if off else Day(at, hours.week[hours.make_up_as], "make_up", name)


@lru_cache(512)
def _chinese(at: date) -> tuple[bool, str]:
    """Return whether China is off on the date, and the holiday that this is about; none on ordinary days."""
    import chinese_calendar  # only shops that keep Chinese holidays need it

    off, name = chinese_calendar.get_holiday_detail(at)
    return off, chinese_calendar.Holiday(name).chinese if name else ""


@lru_cache
def is_known(year: int) -> bool:
    """Whether the Chinese holidays of the year are known: they are announced in the November before."""
    import chinese_calendar

    try:
        chinese_calendar.is_workday(date(year, 1, 1))
    except NotImplementedError:
        return False
    return True


def unknown_years(hours: Hours | None, start: datetime, end: datetime) -> list[int]:
    """Return the years between the two times for which the shop's holidays are not known."""
    if hours is None or hours.holidays is None:
        return []
    first, last = (moment.astimezone(zone(hours.zone)).year for moment in (start, end))
    return [year for year in range(first, last + 1) if not is_known(year)]


def open_on(hours: Hours, at: date) -> list[Span]:
    """Return the spans (UTC) of the date in which the shop is open, in order."""
    midnight = datetime.combine(at, time(), UTC)
    spans: list[Span] = []
    for shift in day(hours, at).shifts:
        opens, closes = midnight + _since_midnight(shift[:5]), midnight + _since_midnight(shift[6:])
        for start, end, offset in _stretches(hours.zone, at):
            span = Span(max(opens - offset, start), min(closes - offset, end))
            if span.start < span.end:
                spans.append(span)
    merged: list[Span] = []
    for span in sorted(spans):
        if merged and merged[-1].end == span.start:
            merged[-1] = Span(merged[-1].start, span.end)
        else:
            merged.append(span)
    return merged


def open_spans(hours: Hours | None, start: datetime) -> Iterator[Span]:
    """Yield the spans (UTC) from `start` on in which the shop is open, without end.

    Raises NeverOpen when there is none for more than a year.
    """
    start = start.astimezone(UTC)
    if hours is None:
        yield Span(start, datetime.max.replace(tzinfo=UTC))
        return
    at = start.astimezone(zone(hours.zone)).date()
    closed = 0
    while closed < _NEVER:
        closed += 1
        for span in open_on(hours, at):
            if span.end > start:
                closed = 0
                yield Span(max(span.start, start), span.end)
        at += timedelta(days=1)
    raise NeverOpen(f"no opening within {_NEVER} days before {at}; check the shop's hours")


def add_open_time(start: datetime, seconds: float, hours: Hours | None) -> datetime:
    """Return the first moment at which the shop was open for `seconds` since `start`.

    A time that ends with a shift ends at its closing, not at the next opening; no time at all ends at the
    first moment that is open.
    """
    reached = reach(open_spans(hours, start), timedelta(seconds=seconds))
    assert reached is not None  # open_spans has no end
    return reached


def open_time_between(start: datetime, end: datetime, hours: Hours | None) -> float:
    """Return for how many seconds between the two times the shop is open; 0 when `end` is not later."""
    total = timedelta()
    for span in open_spans(hours, start):
        if span.start >= end:
            break
        total += min(span.end, end) - span.start
    return total.total_seconds()


def reach(spans: Iterator[Span], wanted: timedelta) -> datetime | None:
    """Return when the spans have lasted for `wanted`, None when they end before."""
    for start, end in spans:
        if wanted <= end - start:
            return start + wanted
        wanted -= end - start
    return None


def zone(name: str) -> tzinfo:
    """Return the time zone. Raises LookupError, ValueError or OSError for a name that is none."""
    from zoneinfo import ZoneInfo  # slow to import, and most shops are open round the clock

    return ZoneInfo(name)


def _since_midnight(wall: str) -> timedelta:
    return timedelta(hours=int(wall[:2]), minutes=int(wall[3:]))


@lru_cache(512)
def _stretches(name: str, at: date) -> tuple[tuple[datetime, datetime, timedelta], ...]:
    """Return stretches of UTC around the date within which the zone's distance to UTC stays the same."""
    place = zone(name)
    start = datetime.combine(at, time(), UTC) - _REACH
    end = start + timedelta(days=1) + 2 * _REACH
    found: list[tuple[datetime, datetime, timedelta]] = []
    since, moment = start, start
    while moment < end:
        following = min(moment + _STEP, end)
        if _offset(place, moment) != _offset(place, following):
            change = _change(place, moment, following)
            found.append((since, change, _offset(place, moment)))
            since = change
        moment = following
    return (*found, (since, end, _offset(place, end)))


def _change(place: tzinfo, before: datetime, after: datetime) -> datetime:
    """Return the second at which the distance to UTC changes between the two times."""
    offset = _offset(place, before)
    while after - before > timedelta(seconds=1):
        middle = before + timedelta(seconds=(after - before) // timedelta(seconds=2))
        before, after = (middle, after) if _offset(place, middle) == offset else (before, middle)
    return after


def _offset(place: tzinfo, moment: datetime) -> timedelta:
    offset: Any = moment.astimezone(place).utcoffset()
    return timedelta() if offset is None else offset
