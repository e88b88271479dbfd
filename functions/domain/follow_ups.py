"""Follow-ups: the waits of the workflow that follows a resolution (rules/follow_up.toml)."""

from datetime import timedelta

from pydantic import BaseModel, ConfigDict

from functions.domain.cases import Case
from functions.domain.decisions import Rules
from functions.domain.pace import Pace
from functions.domain.times import Time


class Plan(BaseModel):
    """The input of the follow-up workflow: the times of one run. `mark` ends the run's keys.

    It begins with the resolution: the wait before the care, in seconds, has the guidance's in it.
    """

    model_config = ConfigDict(frozen=True)

    case_id: str
    run: int
    mark: str
    guidance_at: Time
    until_care_s: int
    until_silver_s: int


def plan(case: Case, rules: Rules, pace: Pace) -> Plan:
    """Return the times of a resolved case's follow-up, from the tables."""
    guidance, care, silver = (
        pace.seconds(rules.ask.follow_up(step=step).number("after"))
        for step in ("guidance", "care", "silver")
    )
    if case.resolved_at is None:
        raise ValueError(f"{case.case_id} is not resolved: nothing follows yet")
    return Plan(
        case_id=case.case_id,
        run=case.run,
        mark=case.keyed(""),
        guidance_at=case.resolved_at + timedelta(seconds=guidance),
        until_care_s=guidance + care,
        until_silver_s=silver,
    )


def execution(case_id: str, run: int) -> str:
    """Return the name of a run's workflow: there is never a second one of it."""
    return f"{case_id}-{run}"
