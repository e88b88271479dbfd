"""Signals: the numbers about a text that the model's head weighs, the same in training and at run time."""

import re
from bisect import bisect_left
from math import exp, log, tanh
from typing import NamedTuple

from functions.domain.causes import CAUSES
from functions.reading.clauses import clauses
from functions.reading.lexicon import Hit, Lexicon
from functions.reading.model import Model

TOPICS = (*(cause for cause in CAUSES if cause not in ("malicious", "other")), "complaint", "praise")
_CAUSES, _NEGATIVE, _COMPLAINS = range(len(CAUSES)), len(CAUSES), len(CAUSES) + 1
_CONTRAST = re.compile("但|可是|就是|不过|只是|然而|除了|可惜|唯一|美中不足")


class Clause(NamedTuple):
    start: int
    end: int
    logits: list[float]
    norm: float
    complains: float  # the probability that this clause alone complains
    turns: bool  # stands behind a "but"
    causes: list[float]  # the probability of each cause, if it does


class Signals(NamedTuple):
    values: list[float]
    clauses: list[Clause]
    hits: list[Hit]
    norm: float
    negative: float  # logit


def signals(text: str, model: Model, lexicon: Lexicon) -> Signals:
    """Return the signals of a text in small letters."""
    found = []
    whole = 0
    shares = [0.0] * len(CAUSES)  # of the complaining clauses, which cause they speak of
    worst, best, last, turned = -4.0, 4.0, 0.0, -4.0
    after_contrast = False
    for start, end in clauses(text):
        packed = model.packed(text[start:end])
        whole += packed
        logits, norm = model.scores(packed)
        complains = logistic(logits[_COMPLAINS])
        by_cause = softmax(logits[: len(CAUSES)])
        turns = _CONTRAST.search(text, start, end) is not None
        found.append(Clause(start, end, logits, norm, complains, turns, by_cause))
        shares = [share + complains * more for share, more in zip(shares, by_cause, strict=True)]
        last = logits[_NEGATIVE]
        worst, best = max(worst, last), min(best, last)
        after_contrast = after_contrast or turns
        if after_contrast:
            turned = max(turned, last)
    logits, norm = model.scores(whole)
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
    return Signals(values, found, hits, norm, logits[_NEGATIVE])


def clause_signals(seen: Signals, cause: int, model: Model) -> list[list[float]]:
    """Return for each clause what tells whether it is the evidence for a cause."""
    sums = [(clause.logits[cause] - model.biases[cause]) * clause.norm for clause in seen.clauses]
    owns = [clause.causes[cause] * clause.complains for clause in seen.clauses]
    most, surest = max(sums, default=0.0), max(owns, default=0.0)
    named = [hit.start for hit in seen.hits if CAUSES[cause] in hit.topics]
    blamed = [hit.start for hit in seen.hits if "complaint" in hit.topics]
    found = []
    told = 0.0  # how much of this was said before
    for place, (clause, own, total) in enumerate(zip(seen.clauses, owns, sums, strict=True)):
        size = clause.end - clause.start
        found.append(
            [
                own, log(own + 0.01), clause.complains, total / seen.norm, total / (most + 1.0),
                own / (surest + 0.01), told, _within(clause, named), _within(clause, blamed),
                float(place == 0), place / len(owns), log(size), float(size <= 2), float(clause.turns),
            ]
        )  # fmt: skip
        told += own
    return found


def _within(clause: Clause, places: list[int]) -> float:
    return float(bisect_left(places, clause.end) - bisect_left(places, clause.start))


def softmax(logits: list[float]) -> list[float]:
    top = max(logits)
    powers = [exp(logit - top) for logit in logits]
    total = sum(powers)
    return [power / total for power in powers]


def logistic(logit: float) -> float:
    return 0.5 + 0.5 * tanh(0.5 * logit)  # which no logit is too large for
