"""Signals: the numbers about a text that the model's head weighs, the same in training and at run time."""

import re
from bisect import bisect_left
from itertools import accumulate
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


class Signals(NamedTuple):
    values: list[float]
    hits: list[Hit]
    scale: float  # makes logits of the whole text's sums, but for the biases
    # Of each clause:
    spans: list[tuple[int, int]]
    sums: list[tuple[int, ...]]
    scales: list[float]
    complains: list[float]  # the probability that it complains, seen alone
    turns: list[bool]  # whether it stands behind a "but"


def signals(text: str, model: Model, lexicon: Lexicon) -> Signals:
    """Return the signals of a text in small letters.

    A sum over the text takes one furious clause for many mild ones. That each clause has its say, whatever
    its length or its heat, is what tells a text that blames from one that praises and blames.
    """
    spans = clauses(text)
    packed = [model.packed(text[start:end]) for start, end in spans]
    sums, scales = [], []
    for each in packed:
        lanes, scale = model.sums(each)
        sums.append(lanes)
        scales.append(scale)
    bias = model.biases[_COMPLAINS]
    logits = [lanes[_COMPLAINS] * scale + bias for lanes, scale in zip(sums, scales, strict=True)]
    complains = list(map(logistic, logits))
    spoken = [  # of each cause, the more the clause complains
        [lane * part for lane in lanes[:_NEGATIVE]]
        for lanes, part in zip(sums, map(mul, complains, scales), strict=True)
    ]
    contrasts = [contrast.start() for contrast in _CONTRAST.finditer(text)]
    turns = [bool(contrasts) and any(start <= at < end for at in contrasts) for start, end in spans]
    hits = lexicon.hits(text)
    counts = dict.fromkeys(TOPICS, 0)
    for hit in hits:
        for topic in hit.topics:
            if counts.get(topic, _MOST) < _MOST:
                counts[topic] += 1
    letters = [end - start for start, end in spans]
    lanes, scale = model.sums(sum(packed))
    *causes, negative = [
        lane * scale + bias for lane, bias in zip(lanes[:_COMPLAINS], model.biases, strict=False)
    ]
    values = [
        negative, counts.pop("complaint"),
        sum(complains) / (len(spans) or 1), sum(map(mul, logits, letters)) / (sum(letters) or 1),
        *causes, *(map(max, zip(*spoken, strict=True)) if spoken else causes), *counts.values(),
        max(logits, default=0.0), bool(contrasts), log(1 + len(spans)),
    ]  # fmt: skip
    return Signals(values, hits, scale, spans, sums, scales, complains, turns)


def clause_signals(seen: Signals, cause: int, model: Model) -> list[tuple[float, ...]]:
    """Return for each clause what tells whether it is the evidence for a cause."""
    bias, whole = model.biases[cause], seen.scale
    sums = [lanes[cause] for lanes in seen.sums]
    owns = [
        logistic(each * scale + bias) * complains
        for each, scale, complains in zip(sums, seen.scales, seen.complains, strict=True)
    ]
    surest = max(owns, default=0.0) + 0.01
    named = [hit.start for hit in seen.hits if CAUSES[cause] in hit.topics]
    blamed = [hit.start for hit in seen.hits if "complaint" in hit.topics]
    before = accumulate(owns[:-1], initial=0.0)  # how much of this was said before
    rows = zip(seen.spans, sums, owns, before, seen.turns, strict=True)
    return [
        (
            log(own + 0.01), own / surest, each * whole, told,
            _within(named, start, end) if named else 0, _within(blamed, start, end) if blamed else 0,
            log(end - start), turns,
        )
        for (start, end), each, own, told, turns in rows
    ]  # fmt: skip


def _within(places: list[int], start: int, end: int) -> int:
    return bisect_left(places, end) - bisect_left(places, start)


def logistic(logit: float) -> float:
    return 0.5 + 0.5 * tanh(0.5 * logit)  # which no logit is too large for
