"""Signs: words of one kind written as one, and n-grams of what is written weighed by a linear model.

Which words are used matters less than how they hang together: with signs, "给五十我就删" and
"给200块我立刻撤" say the same. leverage.py tells by them what a review trades, hints.py what a message
hints at.
"""

import re
from collections.abc import Iterator, Mapping, Set
from math import sqrt
from operator import add
from typing import NamedTuple

from ahocorasick_rs import AhoCorasick, MatchKind

_DIGITS = "一二两俩三四五六七八九十百千万几半0-9"
_NUMBER = re.compile(rf"[{_DIGITS}]+(?:多|来)?(?:块钱|块|元|百|千|万)?")
_SUM = re.compile(rf"[块元百千万]|[{_DIGITS}]{{2}}")
_APART = re.compile(r"[，。！？；、,!?;:：~～…\s]+")


class Signs:
    """A table of signs: in each line a sign and words that it stands for.

    Signs are capitals: a text in small letters has none.
    """

    def __init__(self, table: str) -> None:
        by_word = {word: sign for sign, *words in map(str.split, table.strip().split("\n")) for word in words}
        self._sign_of = list(by_word.values())
        self._words = AhoCorasick(list(by_word), matchkind=MatchKind.LeftmostLongest)

    def write(self, small: str) -> str:
        """Return a text with signs for words and numbers, and one comma for all that parts clauses."""
        parts: list[str] = []
        at = 0
        for index, start, end in self._words.find_matches_as_indexes(small):
            parts += small[at:start], self._sign_of[index]
            at = end
        return _APART.sub("，", _NUMBER.sub(_number, "".join(parts) + small[at:]))

    def named(self, small: str) -> Iterator[str]:
        """Yield the signs of the words in a text."""
        return (self._sign_of[index] for index, _, _ in self._words.find_matches_as_indexes(small))


def grams(written: str, longest: int = 4) -> set[str]:
    """Return the n-grams of a text, 1 to `longest` signs or characters long, a blank before it."""
    written = f" {written}"
    found, pieces = set(written), list(written)
    for length in range(1, longest):
        pieces = list(map(add, pieces, written[length:]))
        found.update(pieces)
    return found


class Weights(NamedTuple):
    weights: Mapping[str, int]  # of n-grams, in hundredths
    constant: int  # hundredths; holds the bar: what is above zero is told

    def judge(self, grams: Set[str]) -> float:
        """Return how far above the bar a text with these n-grams is."""
        found = [weight for weight in map(self.weights.get, grams) if weight is not None]
        return (sum(found) / sqrt(len(found) or 1) + self.constant) / 100


def _number(found: re.Match[str]) -> str:
    return "$" if _SUM.search(found[0]) else "#"
