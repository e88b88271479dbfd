"""Reading: what a review's text says, and the phrases in it that say so.

functions/reading makes readings; the domain only knows what one is.
"""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from functions.domain.causes import Cause

Severity = Literal["none", "mild", "plain", "severe"]


class Phrase(BaseModel):
    """A piece of the text, `text[start:end]`, and the cause it speaks of."""

    model_config = ConfigDict(frozen=True)

    text: str
    start: int
    end: int
    cause: Cause


class Reading(BaseModel):
    """`complains` of at least one thing; `negative` as a whole, which praise with one complaint is not.

    `cause` is the likeliest one even where the text complains of nothing: its rating may.
    """

    model_config = ConfigDict(frozen=True)

    complains: bool
    cause: Cause
    negative: bool = False
    secondary: Cause | None = None
    severity: Severity = "none"
    confidence: float = Field(1.0, ge=0, le=1, description="How likely the cause is the right one")
    phrases: tuple[Phrase, ...] = Field((), description="What shows the cause, the strongest first")
    blackmail: tuple[str, ...] = Field((), description="What trades the review for a benefit")
    abuse: tuple[str, ...] = Field(
        (), description="Insults and threats; beside a real cause no sign of malice"
    )
    worded: bool = Field(False, description="A complaining clause has a word of the lexicon that blames")
    language: Literal["zh", "en", "pt"] = "zh"

    @property
    def hidden(self) -> bool:
        """Whether a complaint hides in a text that is not negative as a whole."""
        return self.complains and not self.negative

    @property
    def percent(self) -> int:
        return round(100 * self.confidence)

    @property
    def evidence(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(phrase.text for phrase in self.phrases))
