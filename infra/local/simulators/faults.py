"""Faults: what a simulated platform does wrong, and when. A schedule gives the same faults every time."""

import tomllib
from pathlib import Path
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

Kind = Literal[
    "rate_limit",
    "session_expired",
    "http_500",
    "malformed_json",
    "isp_error",
    "slow",
    "duplicate_rows",
    "late_rows",
]
_NEEDS = {"rate_limit": "ban_s", "slow": "seconds", "late_rows": "seconds"}


class Fault(BaseModel):
    """One entry of the schedule. All the conditions that it names must hold; calls count from 1.

    `after_calls` = 10 with `calls` = 3 strikes calls 11, 12 and 13; `every` = 5 strikes every fifth
    call; `from_s` and `for_s` count seconds since the simulator started.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Kind
    after_calls: int = Field(0, ge=0)
    calls: int | None = Field(None, ge=1)
    every: int | None = Field(None, ge=1)
    from_s: float = Field(0, ge=0)
    for_s: float | None = Field(None, gt=0)
    ban_s: int | None = Field(None, ge=1, description="rate_limit: how long the ban lasts")
    seconds: float | None = Field(None, gt=0, description="slow: the delay; late_rows: how late rows show")

    @model_validator(mode="after")
    def _complete(self) -> Self:
        needed = _NEEDS.get(self.kind)
        if needed and getattr(self, needed) is None:
            raise ValueError(f"a fault of kind {self.kind} needs {needed}")
        return self

    def strikes(self, call: int, elapsed_s: float) -> bool:
        """Say whether the fault strikes the `call`-th call, `elapsed_s` seconds after the start."""
        return (
            call > self.after_calls
            and (self.calls is None or call <= self.after_calls + self.calls)
            and (self.every is None or call % self.every == 0)
            and elapsed_s >= self.from_s
            and (self.for_s is None or elapsed_s < self.from_s + self.for_s)
        )


class _Schedule(BaseModel):
    model_config = ConfigDict(extra="forbid")

    fault: tuple[Fault, ...] = ()


def load(path: Path) -> tuple[Fault, ...]:
    """Return the [[fault]] entries of a TOML file. Raises ValueError that names what is wrong."""
    return _Schedule.model_validate(tomllib.loads(path.read_text(encoding="utf-8"))).fault
