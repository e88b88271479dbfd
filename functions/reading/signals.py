"""Signals: the numbers about a text that the model's head weighs, the same in training and at run time."""

from math import exp, log
from typing import NamedTuple

from functions.domain.causes import CAUSES
from functions.reading.clauses import clauses
from functions.reading.lexicon import Hit, Lexicon
from functions.reading.model import Model, Scores

TOPICS = (*(cause for cause in CAUSES if cause not in ("malicious", "other")), "complaint", "praise")
_CAUSES, _NEGATIVE, _COMPLAINS = range(len(CAUSES)), len(CAUSES), len(CAUSES) + 1
_CONTRAST = ("但", "可是", "就是", "不过", "只是", "然而", "除了", "可惜", "唯一", "美中不足")


class Clause(NamedTuple):
    start: int
    end: int
    sums: Scores
    complains: float  # the probability that this clause alone complains


class Signals(NamedTuple):
    values: list[float]
    clauses: list[Clause]
    hits: list[Hit]
    norm: float


def signals(text: str, model: Model, lexicon: Lexicon) -> Signals:
    """Return the signals of a text in small letters."""
    found = []
    totals = [0.0] * len(model.scales)
    shares = [0.0] * len(CAUSES)  # of the complaining clauses, which cause they speak of
    worst, best, last, turned = -4.0, 4.0, 0.0, -4.0
    after_contrast = False
    for start, end in clauses(text):
        clause = text[start:end]
        sums = model.clause(clause)
        logits = model.normed(sums)
        complains = logistic(logits[_COMPLAINS])
        found.append(Clause(start, end, sums, complains))
        totals = [total + part for total, part in zip(totals, sums, strict=True)]
        for cause, share in enumerate(softmax(logits[: len(CAUSES)])):
            shares[cause] += complains * share
        last = logits[_NEGATIVE]
        worst, best = max(worst, last), min(best, last)
        after_contrast = after_contrast or any(word in clause for word in _CONTRAST)
        if after_contrast:
            turned = max(turned, last)
    logits = model.normed(tuple(totals))
    hits = lexicon.hits(text)
    counts = dict.fromkeys(TOPICS, 0)
    weak = 0
    for hit in hits:
        weak += hit.weak
        for topic in hit.topics:
            if topic in counts:
                counts[topic] += 1
    all_shares = sum(shares) + 0.1
    values = [
        *logits[:-1],
        *softmax(logits[: len(CAUSES)]),
        *[share / all_shares for share in shares],
        *[min(count, 3) for count in counts.values()],
        max(worst, -4.0), min(best, 4.0), last, turned,
        float(after_contrast), min(weak, 2), log(1 + len(found)), log(1 + len(text)),
    ]  # fmt: skip
    return Signals(values, found, hits, (totals[-1] or 1.0) ** 0.5)


def softmax(logits: list[float]) -> list[float]:
    top = max(logits)
    powers = [exp(logit - top) for logit in logits]
    total = sum(powers)
    return [power / total for power in powers]


def logistic(logit: float) -> float:
    return 1 / (1 + exp(-max(-40.0, min(40.0, logit))))
