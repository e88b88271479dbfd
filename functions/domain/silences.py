"""Silences and maintenance windows: when alerts wait, who wanted that, why, and until when.

Nothing is quiet for ever: both end by themselves, and what they hid is told at their end. The breach of
a deadline is hidden only by a silence that names it.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Literal, NamedTuple

from pydantic import BaseModel, ConfigDict, Field

from functions.domain.cases import Case
from functions.domain.causes import Cause
from functions.domain.duty import SHANGHAI
from functions.domain.times import Time, iso
from functions.domain.windows import Span, Weekly, Zone, local

Kind = Literal["first", "escalation", "repeat", "warning", "breach"]
_BREACH = "breach"


class Matchers(BaseModel):
    """What is meant: every list that is not empty must hold the case's own value. All empty: the shop."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    grades: tuple[Cause, ...] = ()
    products: tuple[str, ...] = Field((), description="Product numbers")
    cases: tuple[str, ...] = Field((), description="Case numbers")
    kinds: tuple[Kind, ...] = Field((), description="Kinds of alerts; breach is hidden only if named")

    @property
    def whole_shop(self) -> bool:
        return not (self.grades or self.products or self.cases or self.kinds)

    def match(self, case: Case, kind: str) -> bool:
        if kind == _BREACH and kind not in self.kinds:
            return False
        wanted: tuple[tuple[Sequence[str], str | None], ...] = (
            (self.grades, case.grade),
            (self.products, case.review.product_id),
            (self.cases, case.case_id),
            (self.kinds, kind),
        )
        return all(not some or value in some for some, value in wanted)


class Silence(BaseModel):
    model_config = ConfigDict(frozen=True)

    silence_id: str
    matchers: Matchers
    by: str
    reason: str
    starts: Time
    ends: Time
    time_zone: Zone = Field(SHANGHAI, description="In which its end is told")


class Maintenance(BaseModel):
    """From `starts` to `ends` the whole shop is quiet: all the time, or each week in the `weekly` window."""

    model_config = ConfigDict(frozen=True)

    maintenance_id: str
    weekly: Weekly | None = None
    time_zone: Zone = SHANGHAI
    by: str
    reason: str
    starts: Time
    ends: Time

    def at(self, now: datetime) -> Span | None:
        """Return the quiet time that now lies in."""
        whole = Span(self.starts, self.ends)
        if not whole.holds(now):
            return None
        if self.weekly is None:
            return whole
        window = self.weekly.at(self.time_zone, now)
        return Span(window.starts, min(window.ends, self.ends)) if window else None


class Quiet(NamedTuple):
    """A reason for which an alert waits. `item` is the record of what it hid."""

    item: str
    ends: datetime
    note: str


class Hidden(BaseModel):
    """The cases that one quiet time hid; `told_by` is the case whose alert told of them at its end."""

    model_config = ConfigDict(frozen=True)

    item: str
    ends: Time
    note: str
    cases: frozenset[str] = frozenset()
    told_by: str | None = None


def quiet(
    silences: Sequence[Silence], windows: Sequence[Maintenance], case: Case, kind: str, now: datetime
) -> Quiet | None:
    """Return why the alert must wait, the reason that lasts longest; None where nothing is against it."""
    return max(_reasons(silences, windows, case, kind, now), key=lambda each: each.ends, default=None)


def _reasons(
    silences: Sequence[Silence], windows: Sequence[Maintenance], case: Case, kind: str, now: datetime
) -> Iterator[Quiet]:
    for silence in silences:
        if silence.starts <= now < silence.ends and silence.matchers.match(case, kind):
            until = local(silence.ends, silence.time_zone)
            note = f"silenced by {silence.by} until {until} because {silence.reason}"
            yield Quiet(f"quiet#{silence.silence_id}", silence.ends, note)
    if kind == _BREACH:
        return
    for window in windows:
        if span := window.at(now):
            until = local(span.ends, window.time_zone)
            note = f"maintenance by {window.by} until {until} because {window.reason}"
            yield Quiet(f"quiet#{window.maintenance_id}#{iso(span.starts)}", span.ends, note)
