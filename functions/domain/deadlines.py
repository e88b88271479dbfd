"""Deadlines: when a case must have its first response, and when to warn before that."""

from datetime import datetime, timedelta

from functions.domain.decisions import Decision, Rules


class DeadlineTooLate(ValueError):
    """A grade's row allows more time than the shop promises (rules/limits.toml)."""


def due(grade: Decision, seen_at: datetime, rules: Rules) -> tuple[datetime, datetime]:
    """Return (warn at, due at) for a grade, counted from when the review was first visible to us."""
    within = timedelta(seconds=grade.number("respond_within"))
    longest = rules.decide("limits", {"of": "grades.respond_within"}).number("longest")
    if within > timedelta(seconds=longest):
        promised = f"{longest / 3600:g} hours"
        raise DeadlineTooLate(
            f"{grade.table}.{grade.row}: respond_within is {within}, more than the promised {promised}"
        )
    due_at = seen_at + within
    return due_at - timedelta(seconds=grade.number("warn_before")), due_at
