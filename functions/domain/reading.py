"""Reading: which causes a review's text complains about, and the words that say so.

A lexicon maps a topic (a cause, `complaint` or `blackmail`) to words. A word counts unless it is
negated just before it ("没有破损", "不慢").
"""

import re
from collections.abc import Mapping
from functools import lru_cache

from pydantic import BaseModel, ConfigDict

from functions.domain.causes import CAUSES, Cause

_NEGATED = re.compile(
    r"(?:没有?|不|未|无|毫无|并非|别|不用|不会|不是|不怎么)(?:什么|任何|很|太|是|觉得|会|给)?$"
)
_REACH = 6  # characters before a word that can negate it


class Reading(BaseModel):
    """What the text says: `cause` is the heaviest complaint, `evidence` the words that show it."""

    model_config = ConfigDict(frozen=True)

    complains: bool
    cause: Cause
    evidence: tuple[str, ...] = ()
    blackmail: tuple[str, ...] = ()


def read(text: str, words: Mapping[str, tuple[str, ...]]) -> Reading:
    """Return the reading of a text. The cause with most words wins, a tie goes to the first one said."""
    found: dict[str, list[str]] = {}
    pattern, topics = _compiled(tuple((topic, tuple(entries)) for topic, entries in words.items()))
    for match in pattern.finditer(text):
        before = text[max(0, match.start() - _REACH) : match.start()]
        if not _NEGATED.search(before):
            for topic in topics[match[0]]:
                found.setdefault(topic, []).append(match[0])
    blackmail = tuple(dict.fromkeys(found.pop("blackmail", [])))
    causes = [cause for cause in CAUSES if cause in found]
    order = list(found)
    heaviest = min(causes, key=lambda cause: (-len(found[cause]), order.index(cause)), default=None)
    return Reading(
        complains=bool(found or blackmail),
        cause=heaviest or "other",
        evidence=tuple(dict.fromkeys(found.get(heaviest or "complaint", []))),
        blackmail=blackmail,
    )


@lru_cache(maxsize=4)
def _compiled(
    words: tuple[tuple[str, tuple[str, ...]], ...],
) -> tuple[re.Pattern[str], dict[str, tuple[str, ...]]]:
    topics: dict[str, tuple[str, ...]] = {}
    for topic, entries in words:
        for entry in entries:
            topics[entry] = (*topics.get(entry, ()), topic)
    longest_first = sorted(topics, key=len, reverse=True)
    return re.compile("|".join(map(re.escape, longest_first)) or r"(?!)"), topics
