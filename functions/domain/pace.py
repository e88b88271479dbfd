"""Pace: how fast waits pass. A deployed shop has the real pace, a demo compresses the long waits."""

from datetime import timedelta

from pydantic import BaseModel, ConfigDict


class Pace(BaseModel):
    model_config = ConfigDict(frozen=True)

    scale: float = 1.0
    floor_s: int = 0

    def seconds(self, wait: float) -> int:
        """Return how long a wait of so many seconds takes, in whole seconds, one at least."""
        return max(1, self.floor_s, round(wait * self.scale))

    def shrunk(self, span: timedelta) -> timedelta:
        """Return how long a span of time lasts in which things are counted; it may become very short."""
        return max(timedelta(microseconds=1), span * self.scale)

    def wait(self, seconds: float) -> timedelta:
        return timedelta(seconds=self.seconds(seconds))


REAL = Pace()
