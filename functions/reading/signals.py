"""Signals: the numbers about a text that the model's head weighs, the same in training and at run time."""

import re
from bisect import bisect_left
from math import log, tanh
from operator import mul
from typing import NamedTuple

from functions.domain.causes import CAUSES
from functions.reading.clauses import clauses
from functions.reading.lexicon import Hit, Lexicon
from functions.reading.model import Model

TOPICS = ("complaint", *(cause for cause in CAUSES if cause not in ("malicious", "other")), "praise")
VERDICT = 4  # so many signals, the first ones, tell whether the text is negative
_NEGATIVE, _COMPLAINS = len(CAUSES), len(CAUSES) + 1
_CONTRAST = re.compile("但|可是|就是|不过|只是|然而|除了|可惜|唯一|美中不足")
_MOST = 3  # words of one topic that count


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


def signals(text: str, model: Model, lexicon: Lexicon) -> Signals:
    """Return the signals of a text in small letters.

    A sum over the text takes one furious clause for many mild ones. That each clause has its say, whatever
    its length or its heat, is what tells a text that blames from one that praises and blames.
    """
    found = []
    whole = 0
    spoken: list[list[float]] = []  # by clause, how much of each cause, the more it complains
    complaints: list[float] = []  # logits, by clause
    bias = model.biases[_COMPLAINS]
    contrasts = [contrast.start() for contrast in _CONTRAST.finditer(text)]
    for start, end in clauses(text):
        packed = model.packed(text[start:end])
        whole += packed
        lanes, scale = model.sums(packed)
        complaints.append(lanes[_COMPLAINS] * scale + bias)
        complains = logistic(complaints[-1])
        turns = bool(contrasts) and any(start <= place < end for place in contrasts)
        found.append(Clause(start, end, lanes, scale, complains, turns))
        part = complains * scale
        spoken.append([lane * part for lane in lanes[:_NEGATIVE]])
    lanes, scale = model.sums(whole)
    *causes, negative = [
        lane * scale + bias for lane, bias in zip(lanes[:_COMPLAINS], model.biases, strict=False)
    ]
    hits = lexicon.hits(text)
    counts = dict.fromkeys(TOPICS, 0)
    for hit in hits:
        for topic in hit.topics:
            if counts.get(topic, _MOST) < _MOST:
                counts[topic] += 1
    letters = [clause.end - clause.start for clause in found]
    values = [
        negative, counts.pop("complaint"),
        sum(clause.complains for clause in found) / (len(found) or 1),
        sum(map(mul, complaints, letters)) / (sum(letters) or 1),
        *causes, *(map(max, zip(*spoken, strict=True)) if spoken else causes), *counts.values(),
        max(complaints, default=0.0), float(bool(contrasts)), log(1 + len(found)),
    ]  # fmt: skip
    return Signals(values, found, hits, scale)


def clause_signals(seen: Signals, cause: int, model: Model) -> list[tuple[float, ...]]:
    """Return for each clause what tells whether it is the evidence for a cause."""
    bias = model.biases[cause]
    owns = [logistic(clause.lanes[cause] * clause.scale + bias) * clause.complains for clause in seen.clauses]
    surest = max(owns, default=0.0) + 0.01
    named = [hit.start for hit in seen.hits if CAUSES[cause] in hit.topics]
    blamed = [hit.start for hit in seen.hits if "complaint" in hit.topics]
    found: list[tuple[float, ...]] = []
    told = 0.0  # how much of this was said before
    for clause, own in zip(seen.clauses, owns, strict=True):
        found.append(
            (
                log(own + 0.01), own / surest, clause.lanes[cause] * seen.scale, told,
                _within(clause, named), _within(clause, blamed),
                log(clause.end - clause.start), clause.turns,
            )
        )  # fmt: skip
        told += own
    return found


def _within(clause: Clause, places: list[int]) -> int:
    return bisect_left(places, clause.end) - bisect_left(places, clause.start) if places else 0


def logistic(logit: float) -> float:
    return 0.5 + 0.5 * tanh(0.5 * logit)  # which no logit is too large for
