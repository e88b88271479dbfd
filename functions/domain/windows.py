"""Windows: times of the week as a shop's people say them, in the shop's own time zone."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from functools import cache
from typing import Annotated, Literal, NamedTuple

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from functions.domain import calendars

Day = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun", "workday", "restday"]
DAYS: tuple[Day, ...] = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
# The Chinese working calendar with its make-up days; beyond the years that are announced, Monday to Friday.
_WORKING = calendars.Hours(week=dict.fromkeys(DAYS[:5], calendars.ALL_DAY), holidays="CN")
_DAY = timedelta(days=1)
_MIDNIGHT = "24:00"


def _known_zone(name: str) -> str:
    zone(name)
    return name


Zone = Annotated[str, AfterValidator(_known_zone)]
OfDay = Annotated[str, Field(pattern=r"^(([01]\d|2[0-3]):[0-5]\d|24:00)$", examples=["09:00"])]


@cache
def zone(name: str) -> tzinfo:
    """Return the time zone of an IANA name. Raises ValueError for a name that is none."""
    try:
        return calendars.zone(name)
    except (LookupError, ValueError, OSError) as error:  # OSError: the name is a folder's
        raise ValueError(f"{name!r} is no time zone such as Asia/Shanghai") from error


def is_workday(day: date) -> bool:
    """Whether China works that day."""
    return bool(calendars.day(_WORKING, day).shifts)


class Span(NamedTuple):
    """From `starts` on, before `ends`; both in UTC."""

    starts: datetime
    ends: datetime

    def holds(self, moment: datetime) -> bool:
        return self.starts <= moment < self.ends


class Weekly(BaseModel):
    """On these days from one time until another; until the next day where the end is not the later one."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    days: tuple[Day, ...] = Field(DAYS, min_length=1)
    starts: OfDay
    ends: OfDay

    @model_validator(mode="after")
    def _has_a_length(self) -> "Weekly":
        if self.starts in (self.ends, _MIDNIGHT):
            raise ValueError(
                "starts and ends must differ, and nothing starts at 24:00; all day is 00:00-24:00"
            )
        return self

    def on(self, day: date) -> bool:
        """Whether a window begins on the day."""
        return DAYS[day.weekday()] in self.days or (
            bool({"workday", "restday"} & set(self.days))
            and ("workday" if is_workday(day) else "restday") in self.days
        )

    def spans(self, zone_name: str, since: datetime, until: datetime) -> Iterator[Span]:
        """Yield the windows that touch the time from `since` to `until`, in order.

        A window lasts from one time on the wall to another, however long that is when clocks change.
        """
        here = zone(zone_name)
        day = since.astimezone(here).date() - _DAY
        last = until.astimezone(here).date()
        while day <= last:
            if self.on(day):
                over_midnight = self.ends <= self.starts
                span = Span(
                    _moment(day, self.starts, here),
                    _moment(day + _DAY if over_midnight else day, self.ends, here),
                )
                if span.ends > since and span.starts <= until:
                    yield span
            day += _DAY

    def at(self, zone_name: str, moment: datetime) -> Span | None:
        """Return the window that the moment lies in."""
        return next((span for span in self.spans(zone_name, moment, moment) if span.holds(moment)), None)


def local(moment: datetime, zone_name: str) -> str:
    """Write a moment as the shop's clock shows it."""
    return moment.astimezone(zone(zone_name)).strftime("%Y-%m-%d %H:%M")


def next_contact(now: datetime, opens: int, closes: int, zone: tzinfo) -> datetime:
    """Return the earliest time in the daily contact window, given in seconds after the shop's midnight."""
    local = now.astimezone(zone)
    midnight = local.replace(hour=0, minute=0, second=0, microsecond=0, fold=0)
    since = (local.replace(tzinfo=None) - midnight.replace(tzinfo=None)).total_seconds()
    if since < opens:
        return (midnight + timedelta(seconds=opens)).astimezone(now.tzinfo)
    if since >= closes:
        return (midnight + timedelta(days=1, seconds=opens)).astimezone(now.tzinfo)
    return now


def _moment(day: date, clock: str, here: tzinfo) -> datetime:
    if clock == _MIDNIGHT:
        day, clock = day + _DAY, "00:00"
    return datetime.combine(day, time.fromisoformat(clock), here).astimezone(UTC)
