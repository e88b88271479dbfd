"""Deadlines: when a case must have its first response, and when to warn before that."""

from datetime import datetime, timedelta

from functions.domain.decisions import Decision

LONGEST = timedelta(hours=24)  # the shop promises an answer within 24 hours, whatever a table says


class DeadlineTooLate(ValueError):
    """A grade's row allows more time than the shop's 24-hour promise."""


def due(grade: Decision, seen_at: datetime) -> tuple[datetime, datetime]:
    """Return (warn at, due at) for a grade, counted from when the review was first visible to us."""
    within = timedelta(seconds=grade.number("respond_within"))
    if within > LONGEST:
        raise DeadlineTooLate(
            f"{grade.table}.{grade.row}: respond_within is {within}, more than the promised 24 hours"
        )
    due_at = seen_at + within
    return due_at - timedelta(seconds=grade.number("warn_before")), due_at
