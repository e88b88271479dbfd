"""Figures: how right readings are, against rows labelled by hand, with bootstrap intervals."""

import random
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import mean

from functions.domain.causes import CAUSES
from functions.domain.reading import Reading
from infra.reader.rows import Row

RESAMPLES = 1000


@dataclass(frozen=True)
class Judged:
    """A row labelled by hand, and what was read in it without knowing."""

    row: Row
    reading: Reading

    @property
    def strict(self) -> bool:
        return self.reading.cause == self.row.cause

    @property
    def lenient(self) -> bool:
        return self.reading.cause in (self.row.cause, self.row.secondary)

    @property
    def overlaps(self) -> bool:
        """Whether the first phrase, the one in the CSV, shares a place with the gold evidence."""
        start = self.row.text.find(self.row.evidence)
        phrase = self.reading.phrases[0] if self.reading.phrases else None
        return phrase is not None and start < phrase.end and phrase.start < start + len(self.row.evidence)


Judgements = Sequence[Judged]


@dataclass(frozen=True)
class Figure:
    value: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.value:.3f} [{self.low:.3f}, {self.high:.3f}]"


@dataclass(frozen=True)
class OfCause:
    cause: str
    rows: int
    precision: Figure
    recall: Figure
    f1: Figure


def negatives(judged: Judgements) -> list[Judged]:
    return [each for each in judged if each.row.negative]


def figure(judged: Judgements, measure: Callable[[Judgements], float], seed: int = 1) -> Figure:
    """Return a measure with its 95 % interval, rows drawn anew with replacement."""
    if not judged:
        return Figure(float("nan"), float("nan"), float("nan"))
    draw = random.Random(seed)  # noqa: S311 (no secret hangs on it)
    drawn = sorted(measure(draw.choices(judged, k=len(judged))) for _ in range(RESAMPLES))
    return Figure(measure(judged), drawn[RESAMPLES // 40], drawn[-RESAMPLES // 40 - 1])


def overall(judged: Judgements) -> dict[str, Figure]:
    bad = negatives(judged)
    with_evidence = [each for each in bad if each.row.evidence]
    return {
        "is_negative F1": figure(
            judged,
            lambda rows: f1(rows, lambda each: bool(each.row.negative), lambda each: each.reading.negative),
        ),
        "has_complaint F1": figure(
            judged,
            lambda rows: f1(rows, lambda each: bool(each.row.complains), lambda each: each.reading.complains),
        ),
        "cause strict": figure(bad, strict),
        "cause lenient": figure(bad, lambda rows: mean(each.lenient for each in rows)),
        "cause macro-F1": figure(bad, macro_f1),
        "evidence overlap": figure(with_evidence, lambda rows: mean(each.overlaps for each in rows)),
        "calibration error": figure(bad, calibration_error),
        "strict at 90 % coverage": figure(bad, lambda rows: strict(covered(rows, 0.9))),
    }


def f1(rows: Judgements, is_so: Callable[[Judged], bool], said: Callable[[Judged], bool]) -> float:
    pairs = Counter((is_so(each), said(each)) for each in rows)
    total = 2 * pairs[True, True] + pairs[True, False] + pairs[False, True]
    return 2 * pairs[True, True] / total if total else 0.0


def strict(rows: Judgements) -> float:
    return mean(each.strict for each in rows)


def macro_f1(rows: Judgements) -> float:
    """Over the causes that the labels name."""
    return mean(_f1_of(rows, cause) for cause in {each.row.cause for each in rows})


def _f1_of(rows: Judgements, cause: str | None) -> float:
    return f1(rows, lambda each: each.row.cause == cause, lambda each: each.reading.cause == cause)


def of_causes(judged: Judgements) -> list[OfCause]:
    bad = negatives(judged)

    seen = {each.row.cause for each in bad} | {each.reading.cause for each in bad}
    return [_of_cause(cause, bad) for cause in CAUSES if cause in seen]


def _of_cause(cause: str, bad: list[Judged]) -> OfCause:
    def right(rows: list[Judged]) -> float:
        return strict(rows) if rows else 0.0

    return OfCause(
        cause,
        sum(each.row.cause == cause for each in bad),
        figure(bad, lambda rows: right([each for each in rows if each.reading.cause == cause])),
        figure(bad, lambda rows: right([each for each in rows if each.row.cause == cause])),
        figure(bad, lambda rows: _f1_of(rows, cause)),
    )


def confusion(judged: Judgements) -> Counter[tuple[str, str]]:
    """Count (labelled, read) causes of the negative rows."""
    return Counter(
        (each.row.cause or "none", each.reading.cause if each.reading.complains else "none")
        for each in negatives(judged)
    )


def covered(rows: Judgements, share: float) -> list[Judged]:
    """Return the rows that are surest, this share of all."""
    by_confidence = sorted(rows, key=lambda each: each.reading.confidence, reverse=True)
    return by_confidence[: max(1, int(share * len(rows)))]


@dataclass(frozen=True)
class Bin:
    said: float  # mean confidence
    right: float  # share that is right
    rows: int


def reliability(rows: Judgements, bins: int = 10) -> list[Bin]:
    found: list[list[Judged]] = [[] for _ in range(bins)]
    for each in rows:
        found[min(bins - 1, int(each.reading.confidence * bins))].append(each)
    return [
        Bin(mean(each.reading.confidence for each in part), strict(part), len(part)) for part in found if part
    ]


def calibration_error(rows: Judgements) -> float:
    return sum(part.rows / len(rows) * abs(part.said - part.right) for part in reliability(rows))


def worst(judged: Judgements, most: int = 20) -> list[Judged]:
    """Return the negative rows that were read wrongly with the most confidence."""
    wrong = [each for each in negatives(judged) if not each.lenient]
    return sorted(wrong, key=lambda each: each.reading.confidence, reverse=True)[:most]
