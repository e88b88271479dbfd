"""Precision: how often each signal of malice was right, as people and platforms judged, with its interval."""

from collections.abc import Iterable
from math import sqrt

from pydantic import BaseModel, ConfigDict, Field

from functions.domain.cases import Case
from functions.domain.malice import SIGNALS, SignalName

_Z = 1.959964  # 95 %, two-sided


class Share(BaseModel):
    """`part` of `whole`, and where the true share lies (Wilson's interval, 95 %); null of nothing."""

    model_config = ConfigDict(frozen=True)

    part: int
    whole: int
    share: float | None
    low: float | None
    high: float | None


class Precision(BaseModel):
    """What became of the cases with a signal: people's word, and platforms' answers to the appeals."""

    model_config = ConfigDict(frozen=True)

    signal: SignalName
    waiting: int = Field(description="Suspected, not judged yet")
    confirmed: int
    rejected: int
    accepted: int = Field(description="Appeals that the platform accepted")
    refused: int = Field(description="Appeals that the platform rejected")
    by_people: Share = Field(description="Confirmed among those that a person judged")
    by_platforms: Share = Field(description="Accepted among the appeals that were answered")


def precision(cases: Iterable[Case]) -> list[Precision]:
    """Return the measured precision of every signal over cases that were ever suspected."""
    judged = [case for case in cases if case.malice is not None]
    return [_of(name, [case for case in judged if name in _names(case)]) for name in SIGNALS]


def wilson(part: int, whole: int) -> Share:
    """Return the share with Wilson's score interval (E. B. Wilson 1927, JASA 22, 209-212)."""
    if not whole:
        return Share(part=part, whole=whole, share=None, low=None, high=None)
    p, square = part / whole, _Z * _Z
    centre = (p + square / (2 * whole)) / (1 + square / whole)
    half = _Z * sqrt(p * (1 - p) / whole + square / (4 * whole * whole)) / (1 + square / whole)
    low, high = max(0.0, centre - half), min(1.0, centre + half)
    return Share(part=part, whole=whole, share=round(p, 4), low=round(low, 4), high=round(high, 4))


def _of(name: SignalName, cases: list[Case]) -> Precision:
    said = [case.malice.status for case in cases if case.malice is not None]
    answers = [case.dossier.appeal.status for case in cases if case.dossier.appeal is not None]
    confirmed, rejected = said.count("confirmed"), said.count("rejected")
    accepted, refused = answers.count("accepted"), answers.count("rejected")
    return Precision(
        signal=name,
        waiting=said.count("suspected"),
        confirmed=confirmed,
        rejected=rejected,
        accepted=accepted,
        refused=refused,
        by_people=wilson(confirmed, confirmed + rejected),
        by_platforms=wilson(accepted, accepted + refused),
    )


def _names(case: Case) -> set[SignalName]:
    return {signal.name for signal in case.signals}
