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
    totals = [0.0] * len(model.scales)
    shares = [0.0] * len(CAUSES)  # of the complaining clauses, which cause they speak of
    worst, best, last, turned = -4.0, 4.0, 0.0, -4.0
    after_contrast = False
    for start, end in clauses(text):
        clause = text[start:end]
        sums = model.clause(clause)
        logits = model.normed(sums)
        complains = logistic(logits[_COMPLAINS])
        by_cause = softmax(logits[: len(CAUSES)])
        turns = any(word in clause for word in _CONTRAST)
        found.append(Clause(start, end, sums, complains, turns, by_cause))
        totals = [total + part for total, part in zip(totals, sums, strict=True)]
        for cause, share in enumerate(by_cause):
            shares[cause] += complains * share
        last = logits[_NEGATIVE]
        worst, best = max(worst, last), min(best, last)
        after_contrast = after_contrast or turns
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
    return Signals(values, found, hits, (totals[-1] or 1.0) ** 0.5, logits[_NEGATIVE])


def clause_signals(seen: Signals, cause: int) -> list[list[float]]:
    """Return for each clause what tells whether it is the evidence for a cause."""
    most = max((clause.sums[cause] for clause in seen.clauses), default=0.0)
    surest = max((clause.causes[cause] * clause.complains for clause in seen.clauses), default=0.0)
    found = []
    told = 0.0  # how much of this was said before
    for place, clause in enumerate(seen.clauses):
        hits = [hit.topics for hit in seen.hits if clause.start <= hit.start < clause.end]
        own = clause.causes[cause] * clause.complains
        size = clause.end - clause.start
        found.append(
            [
                own, log(own + 0.01), clause.complains, clause.sums[cause] / seen.norm,
                clause.sums[cause] / (most + 1.0), own / (surest + 0.01), told,
                float(sum(CAUSES[cause] in topics for topics in hits)),
                float(sum("complaint" in topics for topics in hits)),
                float(place == 0), place / len(seen.clauses), log(size), float(size <= 2),
                float(clause.turns),
            ]
        )  # fmt: skip
        told += own
    return found


def softmax(logits: list[float]) -> list[float]:
    top = max(logits)
    powers = [exp(logit - top) for logit in logits]
    total = sum(powers)
    return [power / total for power in powers]


def logistic(logit: float) -> float:
    return 1 / (1 + exp(-max(-40.0, min(40.0, logit))))
