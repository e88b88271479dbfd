"""Times: aware UTC everywhere, ISO 8601 text that sorts."""

import re
from datetime import UTC, datetime, timedelta, timezone
from typing import Annotated

from pydantic import AwareDatetime, BeforeValidator, PlainSerializer, WithJsonSchema

# China has one time zone and no summer time, so no zone database is needed for it.
CHINA = timezone(timedelta(hours=8), "Asia/Shanghai")
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}


def iso(moment: datetime) -> str:
    """Return "2026-01-05T09:12:00.000000Z": fixed width, so that text order is time order.

    Raises ValueError for a time without zone.
    """
    if moment.tzinfo is None:
        raise ValueError(f"{moment!r} has no time zone")
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def parse(text: str) -> datetime:
    """Return the aware UTC time that `iso` wrote (any ISO 8601 time with a zone is taken)."""
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError(f"{text!r} has no time zone")
    try:
        return moment.astimezone(UTC)
    except OverflowError as error:
        raise ValueError(f"{text!r} is outside the calendar") from error


def duration(text: str) -> timedelta:
    """Return the duration written as a number and a unit: "90s", "15m", "2h", "3d"."""
    match = re.fullmatch(r"(\d+)([smhd])", text)
    if not match:
        raise ValueError(f"{text!r} is not a duration such as 90s, 15m, 2h or 3d")
    return timedelta(**{_UNITS[match[2]]: int(match[1])})


def _utc(value: object) -> object:
    if isinstance(value, datetime) and value.tzinfo is not None:
        return value.astimezone(UTC)
    return parse(value) if isinstance(value, str) else value


Time = Annotated[
    AwareDatetime,
    BeforeValidator(_utc),
    PlainSerializer(iso, when_used="json"),
    WithJsonSchema({"type": "string", "format": "date-time"}),
]
