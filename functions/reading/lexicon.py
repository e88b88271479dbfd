"""Lexicons: the words of rules/lexicon*.toml, found in a text in one pass, with negation and degree.

A word counts unless a negation stands right before it ("没有破损", "不是很慢"); what weakens it ("有点慢")
is told apart from what strengthens it ("太慢").
"""

import re
import tomllib
from collections.abc import Mapping
from typing import NamedTuple

from ahocorasick_rs import AhoCorasick, MatchKind

_NEGATED = {
    "zh": re.compile(
        r"(?:没有?|不|未|无|毫无|并非|并不|别|不用|不会|不是|不算|不怎么|谈不上|没觉得)"
        r"(?:什么|任何|很|太|那么|是|觉得|会|给|出现|发现|有)?$"
    ),
    "en": re.compile(r"\b(?:not|no|never|without|isn't|wasn't|didn't|don't|nothing)(?: \w+)?[ -]$"),
    "pt": re.compile(r"\b(?:não|nao|sem|nunca|nem|nada)(?: \w+)? $"),
}
_WEAK = {
    "zh": re.compile(r"(?:有点|有些|稍微|略|略微|一点点?|比较)(?:儿|的)?$"),
    "en": re.compile(r"\b(?:a bit|slightly|a little|somewhat) $"),
    "pt": re.compile(r"\b(?:um pouco|pouco|meio) $"),
}
_REACH = {"zh": 6, "en": 20, "pt": 20}  # characters before a word that can negate or weaken it


NEUTRAL = "neutral"  # the topic of words that name a matter without blaming
SURE = "sure:"  # before the topic of words that decide by themselves


class LexiconError(ValueError):
    """A fault in a lexicon file; names the file and the topic."""


class Hit(NamedTuple):
    start: int
    end: int
    topics: tuple[str, ...]
    weak: bool


class Lexicon:
    """The words of one language. A topic is a cause, or one of the names in rules/README.md."""

    def __init__(self, words: Mapping[str, tuple[str, ...]], language: str = "zh") -> None:
        self.language, self.words = language, words
        topics: dict[str, tuple[str, ...]] = {}
        for topic, entries in words.items():
            for entry in entries:
                key = entry.lower() if language == "zh" else f" {entry.lower()}"
                topics[key] = (*topics.get(key, ()), topic)
        self._topics = list(topics.values())
        self._automaton = AhoCorasick(list(topics), matchkind=MatchKind.LeftmostLongest)

    def hits(self, text: str) -> list[Hit]:
        """Return the words that count, in order. `text` is in small letters."""
        found = []
        negated, weak, reach = _NEGATED[self.language], _WEAK[self.language], _REACH[self.language]
        for index, start, end in self._automaton.find_matches_as_indexes(text):
            before = text[max(0, start - reach) : start + (self.language != "zh")]
            if not negated.search(before):
                found.append(Hit(start, end, self._topics[index], weak.search(before) is not None))
        return found


def parse(text: str, file: str) -> dict[str, tuple[str, ...]]:
    """Return topic -> words of a lexicon file. Raises LexiconError."""
    try:
        topics = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise LexiconError(f"{file}: {error}") from error
    found: dict[str, tuple[str, ...]] = {}
    for topic, entry in topics.items():
        found |= words_of(topic, entry, file)
    return found


def words_of(topic: str, entry: object, file: str) -> dict[str, tuple[str, ...]]:
    """Return the words of one topic, and those that decide by themselves under SURE. Raises LexiconError."""
    words = entry.get("words") if isinstance(entry, dict) else None
    if (
        not isinstance(words, list)
        or not words
        or not all(isinstance(word, str) and word.strip() for word in words)
    ):
        raise LexiconError(f'{file}: [{topic}] needs words = ["...", "..."], none of them empty')
    sure = entry.get("sure") if isinstance(entry, dict) else None
    return {topic: tuple(words)} | ({SURE + topic: tuple(sure)} if sure else {})
