"""Follow-ups: the waits of the workflow that follows a resolution (rules/follow_up.toml)."""

from pydantic import BaseModel, ConfigDict

from functions.domain.cases import Case
from functions.domain.decisions import Rules
from functions.domain.pace import Pace


class Plan(BaseModel):
    """The input of the follow-up workflow: the waits of one run, in seconds. `mark` ends the run's keys."""

    model_config = ConfigDict(frozen=True)

    case_id: str
    run: int
    mark: str
    guidance_after_s: int
    care_after_s: int
    silver_after_s: int


def plan(case: Case, rules: Rules, pace: Pace) -> Plan:
    """Return the waits of a case's follow-up, from the tables."""
    return Plan(
        case_id=case.case_id,
        run=case.run,
        mark=case.keyed(""),
        guidance_after_s=pace.seconds(_after("guidance", rules)),
        care_after_s=pace.seconds(_after("care", rules)),
        silver_after_s=pace.seconds(_after("silver", rules)),
    )


def _after(step: str, rules: Rules) -> int:
    return rules.decide("follow_up", {"step": step}).number("after")
