"""Verdicts: is a review bad, and what is it about (rules/detection.toml, rules/lexicon.toml)."""

from pydantic import BaseModel, ConfigDict

from functions.domain.decisions import Decision, Rules
from functions.domain.reading import Reading, read
from functions.domain.reviews import Review


class Verdict(BaseModel):
    model_config = ConfigDict(frozen=True)

    bad: bool
    reading: Reading
    decision: Decision


def judge(review: Review, rules: Rules) -> Verdict:
    """Return the verdict on one version of a review, by its rating and by what its text says."""
    reading = read(review.text, rules.words)
    decision = rules.decide(
        "detection", {"stars": review.stars, "rating": review.rating, "complains": reading.complains}
    )
    return Verdict(bad=decision.then["bad"] is True, reading=reading, decision=decision)
