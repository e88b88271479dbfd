"""What can go wrong at a platform, by what the poller must do about it. The message tells the mend."""

from datetime import timedelta
from typing import ClassVar


class PlatformError(Exception):
    """Nothing of the window was read: keep the cursor, wait, ask again.

    `retry_after` is how long to wait; None leaves it to a back-off that grows with each failure.
    """

    reason: ClassVar[str]
    retry_after: timedelta | None = None


class RateLimited(PlatformError):
    """The platform bans our calls for a time that it names: asking earlier may prolong the ban."""

    reason = "rate_limited"

    def __init__(self, message: str, retry_after: timedelta) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class SessionExpired(PlatformError):
    """The shop must authorise again. A look every minute notices the new session soon enough."""

    reason = "session_expired"
    retry_after = timedelta(minutes=1)


class ConfigurationError(PlatformError):
    """A person must change something: keys, permissions, the clock, or this code."""

    reason = "configuration"
    retry_after = timedelta(minutes=5)


class Declined(ConfigurationError):
    """The platform understood and does not want it, now or later; why is what it says."""


class TemporarilyUnavailable(PlatformError):
    """The platform, or the way to it, is down for the moment."""

    reason = "temporarily_unavailable"


class MalformedAnswer(PlatformError):
    """The answer is not what the platform documents. Often a passing proxy page; else a change of format."""

    reason = "malformed_answer"
