"""Duty: who of a shop is there to be alerted, by the rota and the swaps from it.

A role that the rota does not name is always there: forgetting to plan for somebody must not silence them.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from functions.domain.times import Time
from functions.domain.windows import Weekly, Zone

Role = Literal["agent", "supervisor", "manager", "legal"]
ROLES: tuple[Role, ...] = ("agent", "supervisor", "manager", "legal")
# A handle as colleagues know it, which subscriptions filter by; no telephone number, no name.
Person = Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9_.-]{0,31}$", examples=["wang.fang"])]
SHANGHAI = "Asia/Shanghai"
_TWO_WEEKS = timedelta(weeks=2)


class Shift(Weekly):
    """People of one role who are on duty together at a time of the week."""

    role: Role
    people: tuple[Person, ...] = Field(min_length=1)


class Rota(BaseModel):
    model_config = ConfigDict(frozen=True)

    time_zone: Zone = SHANGHAI
    shifts: tuple[Shift, ...] = ()
    by: str
    at: Time


class Override(BaseModel):
    """A change of the rota for a while: `people` in place of one person, or of everybody of the role.

    No people means that nobody takes over.
    """

    model_config = ConfigDict(frozen=True)

    override_id: str
    role: Role
    people: tuple[Person, ...] = ()
    instead_of: Person | None = None
    starts: Time
    ends: Time
    by: str
    reason: str
    at: Time


class Duty(BaseModel):
    """The rota with its overrides."""

    model_config = ConfigDict(frozen=True)

    rota: Rota | None = None
    overrides: tuple[Override, ...] = ()

    @property
    def time_zone(self) -> str:
        return self.rota.time_zone if self.rota is not None else SHANGHAI


def planned(duty: Duty, role: str) -> bool:
    """Whether the rota says anything about the role."""
    return duty.rota is not None and any(shift.role == role for shift in duty.rota.shifts)


def crew(duty: Duty, role: str) -> list[str]:
    """Return everybody of the role whom the rota or an override has on duty at some time."""
    shifts = duty.rota.shifts if duty.rota is not None else ()
    people = {person for shift in shifts if shift.role == role for person in shift.people}
    return sorted(people | {person for each in duty.overrides if each.role == role for person in each.people})


def on_duty(duty: Duty, role: str, now: datetime) -> tuple[str, ...]:
    """Return the people of the role who are on duty, each once, in the order of the rota.

    Overrides count in the order in which they were made: the last word holds.
    """
    people: dict[str, None] = {}
    for shift in duty.rota.shifts if duty.rota is not None else ():
        if shift.role == role and shift.at(duty.time_zone, now):
            people |= dict.fromkeys(shift.people)
    for override in sorted(duty.overrides, key=lambda each: (each.at, each.override_id)):
        if override.role != role or not override.starts <= now < override.ends:
            continue
        if override.instead_of is None:
            people = dict.fromkeys(override.people)
        elif override.instead_of in people:
            del people[override.instead_of]
            people |= dict.fromkeys(override.people)
    return tuple(people)


def there(duty: Duty, role: str, now: datetime) -> bool:
    """Whether an alert to the role reaches somebody."""
    return not planned(duty, role) or bool(on_duty(duty, role, now))


def next_there(duty: Duty, roles: Iterable[str], now: datetime) -> datetime:
    """Return when somebody of the roles is on duty next, `now` where somebody is.

    Only where a shift or an override starts or ends can that change, so only these moments are asked.
    Two weeks after the last override each shift has come: only then is there nothing to find.
    """
    roles = tuple(roles)
    if duty.rota is None or any(there(duty, role, now) for role in roles):
        return now
    until = max([now, *(override.ends for override in duty.overrides)]) + _TWO_WEEKS
    moments = {moment for each in duty.overrides for moment in (each.starts, each.ends)}
    for shift in duty.rota.shifts:
        if shift.role in roles:
            moments |= {span.starts for span in shift.spans(duty.time_zone, now, until)}
    later = sorted(moment for moment in moments if moment > now)
    return next((at for at in later if any(there(duty, role, at) for role in roles)), until)


class Overview(BaseModel):
    """When somebody of a role is on duty."""

    role: str
    planned: bool
    people: tuple[str, ...]
    next_at: Time | None = None


def overview(duty: Duty, roles: Iterable[str], now: datetime) -> list[Overview]:
    """Return who is there now and, where nobody is, when somebody will be."""
    found = []
    for role in roles:
        at = next_there(duty, [role], now)
        found.append(
            Overview(
                role=role,
                planned=planned(duty, role),
                people=on_duty(duty, role, now),
                next_at=at if at > now else None,
            )
        )
    return found
