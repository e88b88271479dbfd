"""A clock that stands still until a test moves it."""

from datetime import UTC, datetime, timedelta

NOON = datetime(2026, 1, 5, 4, tzinfo=UTC)  # twelve o'clock in China


class Clock:
    def __init__(self) -> None:
        self._now = NOON

    def now(self) -> datetime:
        return self._now

    def sleep(self, seconds: float) -> None:
        self._now += timedelta(seconds=seconds)
