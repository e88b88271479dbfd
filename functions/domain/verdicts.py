"""Verdicts: is a review bad, what is it about, and is that sure (rules/detection.toml, certainty.toml)."""

from pydantic import BaseModel, ConfigDict

from functions.domain.decisions import Decision, Rules
from functions.domain.reading import Reading
from functions.domain.reviews import Review


class Verdict(BaseModel):
    model_config = ConfigDict(frozen=True)

    bad: bool
    reading: Reading
    decision: Decision
    certainty: Decision

    @property
    def needs_check(self) -> bool:
        """Whether a person has to look at the cause before anybody relies on it."""
        return self.certainty.then["needs_check"] is True

    @property
    def said(self) -> str:
        """What was read out of the text, for the timeline: it may quote, alerts may not."""
        reading = self.reading
        evidence = ", ".join(f"“{phrase}”" for phrase in (*reading.evidence, *reading.blackmail))
        found = f"{reading.cause}, {reading.percent} % sure: {evidence or 'no words for it'}"
        return f"{found}. Please check the cause." if self.needs_check else f"{found}."


def judge(review: Review, rules: Rules) -> Verdict:
    """Return the verdict on one version of a review, by its rating and by what its text says."""
    reading = rules.read(review.text)
    decision = rules.ask.detection(
        stars=review.stars, rating=review.rating, complains=complaint(review, reading)
    )
    certainty = rules.ask.certainty(complains=reading.complains, confidence=reading.percent)
    return Verdict(bad=decision.then["bad"] is True, reading=reading, decision=decision, certainty=certainty)


def complaint(review: Review, reading: Reading) -> bool:
    """Return whether the text counts as a complaint beside the rating.

    Against a rating the model's word alone is not enough: praise that it has not met looks like a complaint
    to it, and each false alarm opens a case. A word that blames must stand where it complains.
    """
    rated = review.rating is not None or review.stars is not None
    return reading.complains and (reading.worded or not rated)
