"""The reader: a text in, a reading out."""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from functools import cached_property
from math import exp

from functions.domain.causes import CAUSES, Cause
from functions.domain.reading import Phrase, Reading, Severity
from functions.reading.clauses import prepared, unwritten
from functions.reading.languages import Language, language
from functions.reading.leverage import blackmail
from functions.reading.lexicon import NEUTRAL, SURE, Hit, Lexicon
from functions.reading.model import Model, shipped
from functions.reading.signals import Signals, clause_signals, logistic, signals

_PHRASES = 3
_SURE = 8.0  # what a word that decides by itself adds to the logit of its cause
# How much less likely (logit) than the best clause one may be that is shown with it or beside it.
_NEAR, _FAR = 3.0, 1.5
_DOUBTFUL = 0.05  # probability of a complaint from which phrases are shown
_SPAN = 32  # characters of a phrase of several clauses
_ALSO = 0.2  # probability from which a second cause is named
# Probabilities of a complaint, of the clause and of the text, from which a word under a good rating counts.
_CLAUSE, _CLEARLY, _NEARLY_SURE, _BEYOND_DOUBT = 0.8, 0.8, 0.97, 0.99
_BLAMES = {*CAUSES, "complaint"}
_ANOTHER = re.compile(
    "之前|以前|原来|原先|上一?[台次个]|上次|老空调|旧空调|旧的|别家|别人家|其他家|人家的|不像"
)
_NEGATIVE, _COMPLAINS = len(CAUSES), len(CAUSES) + 1


class Reader:
    """Reads with one lexicon a language and, for Chinese, the statistical model."""

    def __init__(
        self, words: Mapping[Language, Mapping[str, tuple[str, ...]]], model: Model | None = None
    ) -> None:
        self.words = words
        self._given = model

    @cached_property
    def model(self) -> Model:
        return self._given or shipped()

    @cached_property
    def lexicons(self) -> dict[Language, Lexicon]:
        return {name: Lexicon(words, name) for name, words in self.words.items()}

    def read(self, text: str) -> Reading:
        small = "" if unwritten(text) else prepared(text)
        spoken = language(small)
        if spoken != "zh" and spoken in self.lexicons:
            return self._by_words(text, small, spoken)
        seen = signals(small, self.model, self.lexicons["zh"])
        if not seen.spans:
            return Reading(complains=False, cause="other")
        sure = {
            topic.removeprefix(SURE) for hit in seen.hits for topic in hit.topics if topic.startswith(SURE)
        }
        *logits, negates, complaint = self.model.judge("text", seen.values)
        for place, cause in enumerate(CAUSES if sure else ()):
            logits[place] += _SURE * (cause in sure)
        best, second, *_ = sorted(range(len(CAUSES)), key=logits.__getitem__, reverse=True)
        odds = [exp(logit - logits[best]) for logit in logits]
        total = sum(odds)
        negative = logistic(negates)
        complains = max(negative, logistic(complaint))
        said = complains >= 0.5 or bool(sure) or _turned(seen, CAUSES[best])
        return Reading(
            complains=said,
            negative=negative >= 0.5,
            cause=CAUSES[best],
            secondary=CAUSES[second] if odds[second] / total >= _ALSO else None,
            severity=_severity(said, negative, seen.hits),
            confidence=round(1 / total, 3),
            phrases=_phrases(text, seen, best, self.model) if said or complains >= _DOUBTFUL else (),
            blackmail=blackmail(text, small, seen.hits),
            abuse=_named("abuse", small, seen.hits),
            worded=_blamed(small, seen, complains) or bool(sure),
            language="zh",
        )

    def _by_words(self, text: str, small: str, spoken: Language) -> Reading:
        """Read by the lexicon alone; the more words agree, the surer."""
        padded = " " + "".join(letter if letter.isalnum() or letter == "'" else " " for letter in small)
        hits = self.lexicons[spoken].hits(padded)
        weights: Counter[str] = Counter()
        for hit in hits:
            for topic in hit.topics:
                weights[topic] += 1 if hit.weak else 2
        found = [cause for cause in CAUSES if weights[cause]]
        best = max(found, key=lambda cause: weights[cause], default="other")
        against = sum(weights[topic] for topic in (*found, "complaint"))
        complaining = [hit for hit in hits if best in hit.topics or (not found and "complaint" in hit.topics)]
        phrases = [
            Phrase(text=text[hit.start : hit.end - 1], start=hit.start, end=hit.end - 1, cause=best)
            for hit in complaining
        ]
        rest = sum(weights[cause] for cause in found if cause != best)
        return Reading(
            complains=against > 0,
            negative=against > weights["praise"],
            cause=best,
            secondary=next((cause for cause in found if cause != best), None),
            severity=_severity(against > 0, float(against > weights["praise"]), hits),
            confidence=round(min(0.9, (1 + weights[best]) / (2 + weights[best] + rest)), 3)
            if against
            else 0.7,
            phrases=tuple(phrases[:_PHRASES]),
            blackmail=tuple(_named("blackmail", padded[1:] + " ", hits, shift=-1)),
            abuse=tuple(_named("abuse", padded[1:] + " ", hits, shift=-1)),
            worded=_worded(hits),
            language=spoken,
        )


def _worded(hits: Sequence[Hit]) -> bool:
    return any(topic in (*CAUSES, "complaint") for hit in hits for topic in hit.topics)


def _blamed(text: str, seen: Signals, complains: float) -> bool:
    """Return whether a complaining clause has a word that blames, and the text or a "but" speaks for it.

    A word that only names a matter ("客服", "噪音") stands in praise as often: it needs a text that is nearly
    sure. What is said of another shop's or an earlier thing is no complaint about this one. Behind a "but" no
    word is needed where the model has no doubt.
    """
    for (start, end), alone, turns in zip(seen.spans, seen.complains, seen.turns, strict=True):
        if alone < _CLAUSE:
            continue
        hits = [hit for hit in seen.hits if start <= hit.start < end and not _BLAMES.isdisjoint(hit.topics)]
        clear = complains >= _CLEARLY or turns
        blames = any(NEUTRAL not in hit.topics for hit in hits)
        if (
            (hits and complains >= _NEARLY_SURE)
            or (blames and clear)
            or (turns and alone >= _BEYOND_DOUBT and complains >= _CLEARLY)
        ) and not _ANOTHER.search(text, start, end):
            return True
    return False


def _turned(seen: Signals, cause: Cause) -> bool:
    """Return whether a complaining clause behind a "but" has a word of the cause, whatever is praised."""
    return any(
        turns and alone >= 0.5 and any(start <= hit.start < end and cause in hit.topics for hit in seen.hits)
        for (start, end), alone, turns in zip(seen.spans, seen.complains, seen.turns, strict=True)
    )


def _phrases(text: str, seen: Signals, cause: int, model: Model) -> tuple[Phrase, ...]:
    """Return what shows the cause: the best clause with its like neighbours first, then others far off."""
    found = seen.spans
    weights = model.rank("evidence", clause_signals(seen, cause, model))
    first = last = best = max(range(len(weights)), key=weights.__getitem__)
    near, far = weights[best] - _NEAR, weights[best] - _FAR
    while beside := [
        at
        for at in (first - 1, last + 1)
        if 0 <= at < len(found)
        and weights[at] >= near
        and found[max(at, last)][1] - found[min(at, first)][0] <= _SPAN
    ]:
        at = max(beside, key=weights.__getitem__)
        first, last = min(at, first), max(at, last)
    others = [at for at, weight in enumerate(weights) if weight >= far and not first <= at <= last]
    others.sort(key=weights.__getitem__, reverse=True)
    shown = [(found[first][0], found[last][1]), *(found[at] for at in others[: _PHRASES - 1])]
    return tuple(
        Phrase(text=text[start:end], start=start, end=end, cause=CAUSES[cause]) for start, end in shown
    )


def _severity(complains: bool, negative: float, hits: list[Hit]) -> Severity:
    """Severe is what may hurt somebody or what is said in the strongest words, mild what is weakened."""
    if not complains:
        return "none"
    if any("harm" in hit.topics or "abuse" in hit.topics for hit in hits):
        return "severe"
    blaming = [hit.weak for hit in hits if not _BLAMES.isdisjoint(hit.topics)]
    if negative < 0.5 or (blaming and all(blaming)):
        return "mild"
    return "severe" if sum("complaint" in hit.topics for hit in hits) >= 3 else "plain"


def _named(topic: str, text: str, hits: list[Hit], shift: int = 0) -> tuple[str, ...]:
    return tuple(
        dict.fromkeys(text[hit.start : hit.end + shift].strip() for hit in hits if topic in hit.topics)
    )
