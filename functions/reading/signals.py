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
_NEGATIVE, _COMPLAINS = len(CAUSES), len(CAUSES) + 1
_CONTRAST = re.compile("但|可是|就是|不过|只是|然而|除了|可惜|唯一|美中不足")


class Clause(NamedTuple):
    start: int
    end: int
    lanes: list[int]
    scale: float  # makes logits of the lanes, but for the biases
    complains: float  # the probability that this clause alone complains
    turns: bool  # stands behind a "but"


class Signals(NamedTuple):
    values: list[float]
    clauses: list[Clause]
    hits: list[Hit]
    scale: float  # of the whole text's lanes
    negative: float  # logit


def signals(text: str, model: Model, lexicon: Lexicon) -> Signals:
    """Return the signals of a text in small letters."""
    found = []
    whole = 0
    spoken: list[list[float]] = []  # by clause, how much of each cause, the more it complains
    biases = model.biases
    verdicts: list[float] = []  # of each clause, how negative it is
    behind = -4.0  # the worst of those behind a "but"
    contrasts = [contrast.start() for contrast in _CONTRAST.finditer(text)]
    for start, end in clauses(text):
        packed = model.packed(text[start:end])
        whole += packed
        lanes, scale = model.sums(packed)
        complains = logistic(lanes[_COMPLAINS] * scale + biases[_COMPLAINS])
        turns = bool(contrasts) and any(start <= place < end for place in contrasts)
        found.append(Clause(start, end, lanes, scale, complains, turns))
        part = complains * scale
        spoken.append([lane * part for lane in lanes[:_NEGATIVE]])
        verdicts.append(lanes[_NEGATIVE] * scale + biases[_NEGATIVE])
        if contrasts and contrasts[0] < end:
            behind = max(behind, verdicts[-1])
    lanes, scale = model.sums(whole)
    logits = [lane * scale + bias for lane, bias in zip(lanes, biases, strict=True)]
    hits = lexicon.hits(text)
    counts = dict.fromkeys(TOPICS, 0)
    weak = 0
    for hit in hits:
        weak += hit.weak
        for topic in hit.topics:
            if topic in counts:
                counts[topic] += 1
    values = [
        *logits[:-1],
        *(map(max, zip(*spoken, strict=True)) if spoken else logits[:_NEGATIVE]),
        *[min(count, 3) for count in counts.values()],
        max([-4.0, *verdicts]), min([4.0, *verdicts]), verdicts[-1] if verdicts else 0.0, behind,
        float(bool(contrasts)), min(weak, 2), log(1 + len(found)), log(1 + len(text)),
    ]  # fmt: skip
    return Signals(values, found, hits, scale, logits[_NEGATIVE])


def clause_signals(seen: Signals, cause: int, model: Model) -> list[list[float]]:
    """Return for each clause what tells whether it is the evidence for a cause."""
    bias = model.biases[cause]
    owns = [logistic(clause.lanes[cause] * clause.scale + bias) * clause.complains for clause in seen.clauses]
    surest = max(owns, default=0.0) + 0.01
    named = [hit.start for hit in seen.hits if CAUSES[cause] in hit.topics]
    blamed = [hit.start for hit in seen.hits if "complaint" in hit.topics]
    found = []
    told = 0.0  # how much of this was said before
    for clause, own in zip(seen.clauses, owns, strict=True):
        found.append(
            [
                log(own + 0.01), own / surest, clause.lanes[cause] * seen.scale, told,
                _within(clause, named), _within(clause, blamed),
                log(clause.end - clause.start), float(clause.turns),
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
