"""Follow-ups: what follows a resolution, and when (rules/follow_up.toml).

The case clock leads as far as the care: the guidance and the start of the workflow are effects that are held
until their time. From the care on the workflow leads.
"""

from datetime import datetime

from pydantic import BaseModel, ConfigDict

from functions.domain.cases import Case, Effect
from functions.domain.decisions import Rules
from functions.domain.outbox import Held
from functions.domain.pace import Pace


class Plan(BaseModel):
    """The input of the follow-up workflow. `mark` ends the run's keys."""

    model_config = ConfigDict(frozen=True)

    case_id: str
    run: int
    mark: str
    until_silver_s: int


def plan(case: Case, rules: Rules, pace: Pace) -> Plan:
    silver = pace.seconds(rules.ask.follow_up(step="silver").number("after"))
    return Plan(case_id=case.case_id, run=case.run, mark=case.keyed(""), until_silver_s=silver)


def before_care(case: Case, rules: Rules, pace: Pace, now: datetime) -> Held | None:
    """Return until when the workflow's start waits, and the guidance that comes before; None from then on."""
    if case.resolved_at is None:
        raise ValueError(f"{case.case_id} is not resolved: nothing follows yet")
    guidance, care = (
        pace.wait(rules.ask.follow_up(step=step).number("after")) for step in ("guidance", "care")
    )
    hold = pace.wait(rules.ask.contact(promotional=False).number("hold"))
    guidance_at = case.resolved_at + guidance
    care_at = guidance_at + hold + care
    if now >= care_at:
        return None
    message = Effect(kind="message", at=guidance_at, after=guidance_at + hold, name="guidance")
    return Held(care_at, None, {case.keyed("message:guidance"): message})


def execution(case_id: str, run: int) -> str:
    """Return the name of a run's workflow: there is never a second one of it."""
    return f"{case_id}-{run}"
