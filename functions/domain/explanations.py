"""Explanations: decisions in plain words, and how long a case's first steps took."""

from datetime import timedelta

from pydantic import BaseModel, ConfigDict, Field

from functions.domain.cases import Case
from functions.domain.decisions import Decision, Fact, Output
from functions.domain.money import yuan
from functions.domain.times import Time

# What the tables of a case count in fen and in seconds; tests compare this with the tables.
AMOUNTS = {"order_value", "spent_12_months", "coupon", "suggested_coupon", "cost_cap"}
DURATIONS = {"respond_within", "warn_before"}


class Milestone(BaseModel):
    """A step of the way from the review to its resolution."""

    model_config = ConfigDict(frozen=True)

    step: str = Field(description="posted, seen, decided, alerted, delivered, acknowledged or resolved")
    at: Time
    since_posted_s: float
    since_seen_s: float


def milestones(case: Case) -> list[Milestone]:
    """Return the steps that the case has reached, in order."""
    posted, seen = case.review.posted_at, case.review.first_seen_at
    reached = {
        "posted": posted,
        "seen": seen,
        "decided": case.opened_at,
        "alerted": case.alerted_at,
        "delivered": min(
            (each.at for each in case.events.values() if each.kind == "delivered"), default=None
        ),
        "acknowledged": case.acknowledged_at,
        "resolved": case.resolved_at,
    }
    return [
        Milestone(
            step=step,
            at=at,
            since_posted_s=(at - posted).total_seconds(),
            since_seen_s=(at - seen).total_seconds(),
        )
        for step, at in reached.items()
        if at is not None
    ]


def explain(decision: Decision) -> str:
    """Return what was decided, why, and from which facts, in one line."""
    then = ", ".join(
        f"{_words(name)} {_value(name, value)}" for name, value in decision.then.items() if value is not None
    )
    facts = ", ".join(f"{_words(name)} {_value(name, value)}" for name, value in decision.facts.items())
    return f"{decision.table}: {then}. {decision.why} (Row {decision.row}; seen: {facts}.)"


def _words(name: str) -> str:
    return name.replace("_", " ")


def _value(name: str, value: Fact | Output) -> str:
    match value:
        case None:
            return "unknown"
        case bool():
            return "yes" if value else "no"
        case int() if name in AMOUNTS:
            return f"{yuan(value)} yuan"
        case int() if name in DURATIONS:
            return str(timedelta(seconds=value))
        case list():
            return " and ".join(value) or "none"
    return _words(str(value))
