"""Clauses: how a text is cut before it is read, in training and at run time alike."""

import re
from operator import add

_CLAUSE = re.compile(r"[^，。！？；、,.!?;:：~～…\s（）()【】\"“”]+")
_MOST = 60  # clauses of one text that are read; a longer one repeats itself


def clauses(text: str) -> list[tuple[int, int]]:
    """Return the start and end of each clause, punctuation and blanks left out."""
    return [match.span() for match in _CLAUSE.finditer(text)][:_MOST]


def grams(clause: str) -> set[str]:
    """Return the n-grams of a clause, 1 to 4 characters long: no longer piece of a text is in the model."""
    twos = list(map(add, clause, clause[1:]))
    threes = list(map(add, twos, clause[2:]))
    found = set(clause)
    found.update(twos, threes, map(add, threes, clause[3:]))
    return found
