"""The clock: a handler asks it once and passes the time on; everything below takes time as an argument."""

from datetime import UTC, datetime


def now() -> datetime:
    return datetime.now(UTC)
