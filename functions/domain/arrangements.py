"""Arrangements: what people ask a desk for, and what it shows them."""

from pydantic import BaseModel, ConfigDict, Field

from functions.domain.duty import SHANGHAI, Override, Overview, Person, Role, Rota, Shift
from functions.domain.silences import Maintenance, Matchers, Silence
from functions.domain.times import Time
from functions.domain.windows import Weekly, Zone

_NAME = Field(min_length=1, max_length=80, description="Who does it, as colleagues know them")
_REASON = Field(min_length=2, max_length=200, description="Why; it stands on the timeline of what waits")


class Given(BaseModel):
    model_config = ConfigDict(extra="forbid")

    by: str = _NAME


class NewSilence(Given):
    """Hold the alerts that all matchers hold for. An end is required; nothing is silent for ever."""

    reason: str = _REASON
    matchers: Matchers = Matchers()
    whole_shop: bool = Field(False, description="Required where no matcher is given")
    starts: Time | None = Field(None, description="Now, where it is left out")
    ends: Time
    time_zone: Zone = SHANGHAI


class NewMaintenance(Given):
    reason: str = _REASON
    weekly: Weekly | None = Field(None, description="All the time from `starts` to `ends` without it")
    starts: Time | None = None
    ends: Time
    time_zone: Zone = SHANGHAI


class NewOverride(Given):
    """`people` in place of one person of the rota, or of everybody of the role; nobody where it is empty."""

    reason: str = _REASON
    role: Role
    people: list[Person] = Field([], max_length=20)
    instead_of: Person | None = None
    starts: Time | None = None
    ends: Time


class NewRota(Given):
    """The whole rota, in place of the one before. A role without a shift is always there."""

    time_zone: Zone = SHANGHAI
    shifts: list[Shift] = Field(max_length=200)


class Silenced(Silence):
    """A silence with what it does: `hides` cases wait because of it now, `matched` ever waited."""

    hides: int
    matched: int


class MadeSilence(Silence):
    matches: int = Field(description="Open cases that it holds for now, of the 100 due next")


class GoingOn(BaseModel):
    item: str
    opened_at: Time | None
    led_by: str | None = Field(description="The case that speaks for it")
    told_at: Time | None
    reviews: int


class View(BaseModel):
    """The desk as it is now."""

    on_duty: list[Overview]
    rota: Rota | None
    overrides: list[Override]
    silences: list[Silenced]
    maintenance: list[Maintenance]
    incidents: list[GoingOn]
    waiting: int = Field(description="Cases that a silence or a maintenance window hides now")
