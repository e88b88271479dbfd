"""Gate: what a text to a customer says that it must not, where, why, and how to say it better.

The phrases are rules/phrases.toml. They are looked for in a text whose evasions are undone first: full
width letters, other spellings of a character ("評", "⭐"), spaces and signs between characters ("返 现",
"五*星"). A phrase behind a negation ("不会返现") or one that the text disowns ("好评返现是违规的") is not
meant. What goes round the phrases is told by functions/reading/hints.py, which asks here first.
"""

import re
import tomllib
import unicodedata
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from pydantic import BaseModel, ConfigDict, Field

# What the code knows of the intents: rules/messages.toml decides by them.
INTENTS = (
    "five_stars",
    "cash_back",
    "delete_review",
    "change_review",
    "threat",
    "off_platform",
    "benefit",
    "guidance",
)
_BREAK = ","  # what a comma, a full stop or a new line becomes; phrases do not reach across
_BREAKS = "。！？!?；;，,：:\n\r…"
_SECTIONS = {"about", "spelling", "negation", "intent", "together", "hints"}
_HOW = {"never", "reason", "better", "phrases", "although", "fine"}


class PhrasesError(ValueError):
    """A fault in the table of phrases; names the section."""


class Found(BaseModel):
    """A phrase in a text, or a sentence that hints.

    `start` and `end` count characters of the text as it was written.
    """

    model_config = ConfigDict(frozen=True)

    intent: str
    phrase: str
    start: int
    end: int
    reason: str
    better: str
    never: bool = Field(description="Whether it alone keeps the text from going out")


class Intent(NamedTuple):
    """What a text may be up to. `although` are phrases that count even behind a negation, `fine` those
    around which a phrase is harmless."""

    name: str
    never: bool
    reason: str
    better: str
    phrases: re.Pattern[str]
    although: re.Pattern[str] | None
    fine: re.Pattern[str] | None


class Together(NamedTuple):
    """Intents that are harmless apart."""

    name: str
    of: frozenset[str]
    reason: str
    better: str
    never: bool = True


class Phrases(NamedTuple):
    spelling: Mapping[str, str]
    before: re.Pattern[str]
    after: re.Pattern[str]
    intents: tuple[Intent, ...]
    together: tuple[Together, ...]
    harmless: re.Pattern[str] | None
    """Where it holds in a sentence, the sentence hints at nothing (functions/reading/hints.py)."""


class Reading(NamedTuple):
    """A text as the phrases see it, and where each of its characters stood."""

    text: str
    places: tuple[int, ...]


def check(text: str, phrases: Phrases) -> list[Found]:
    """Return every phrase found, in the order of the text; what forbids is `never`."""
    seen = plain(text, phrases.spelling)
    found = [
        Found(
            intent=intent.name,
            phrase=text[seen.places[start] : seen.places[end - 1] + 1],
            start=seen.places[start],
            end=seen.places[end - 1] + 1,
            reason=intent.reason,
            better=intent.better,
            never=intent.never,
        )
        for intent in phrases.intents
        for start, end in _meant(seen.text, intent, phrases)
    ]
    said = {one.intent for one in found}
    for pair in phrases.together:
        if pair.of <= said:
            first = [next(one for one in found if one.intent == name) for name in sorted(pair.of)]
            found += [
                one.model_copy(
                    update={
                        "intent": pair.name,
                        "reason": pair.reason,
                        "better": pair.better,
                        "never": pair.never,
                    }
                )
                for one in first
            ]
    return sorted(found, key=lambda one: (one.start, one.intent))


def forbidden(found: list[Found]) -> list[Found]:
    """Return what keeps the text from going out."""
    return [one for one in found if one.never]


def intents(found: list[Found], phrases: Phrases) -> list[str]:
    """Return what the text is up to, each intent once, as rules/messages.toml asks for it."""
    said = {one.intent for one in found}
    return [intent.name for intent in phrases.intents if intent.name in said]


def _meant(text: str, intent: Intent, phrases: Phrases) -> Iterator[tuple[int, int]]:
    harmless = [match.span() for match in intent.fine.finditer(text)] if intent.fine else []
    taken: list[tuple[int, int]] = []
    for pattern, negatable in ((intent.although, False), (intent.phrases, True)):
        for match in pattern.finditer(text) if pattern else ():
            start, end = match.span()
            if any(start < other_end and other_start < end for other_start, other_end in taken):
                continue
            if any(low < end <= high for low, high in harmless):
                continue
            if negatable and _disowned(text, start, end, phrases):
                continue
            taken.append((start, end))
            yield start, end


def _disowned(text: str, start: int, end: int, phrases: Phrases) -> bool:
    """Whether the clause denies what it says there; the denial may stand inside what was found."""
    clause = text.rfind(_BREAK, 0, start) + 1
    denied = any(phrases.before.search(text[clause:place]) for place in (start, max(start, end - 2)))
    stop = text.find(_BREAK, end)
    after = text[end : stop if stop >= 0 else len(text)]
    return denied or phrases.after.match(after) is not None


def plain(text: str, spelling: Mapping[str, str]) -> Reading:
    """Return a text with its evasions undone, a comma for whatever parts clauses."""
    letters: list[str] = []
    places: list[int] = []
    gap = False
    for place, written in enumerate(text):
        for plain in unicodedata.normalize("NFKC", written).lower():
            for letter in spelling.get(plain, plain):
                if letter in _BREAKS or written in _BREAKS:
                    letter, gap = _BREAK, False
                elif not letter.isalnum():
                    gap = True
                    continue
                # A space counts only between two words in letters; elsewhere it is decoration or evasion.
                if gap and letters and letter.isascii() and letters[-1].isascii() and letters[-1] != _BREAK:
                    letters.append(" ")
                    places.append(place - 1)
                gap = False
                letters.append(letter)
                places.append(place)
    return Reading("".join(letters), tuple(places))


def parse(text: str, file: str) -> Phrases:
    """Return the phrases of a table. Raises PhrasesError."""
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise PhrasesError(f"{file}: {error}") from error
    if unknown := data.keys() - _SECTIONS:
        raise PhrasesError(f"{file}: {', '.join(sorted(unknown))} means nothing here")
    spelling = data.get("spelling", {})
    if not all(isinstance(to, str) and len(of) == 1 for of, to in spelling.items()):
        raise PhrasesError(f"{file}: [spelling] reads one character as others")
    negation = data.get("negation", {})
    before, after = (_any(negation, name, f"{file}: [negation]") for name in ("before", "after"))
    if before is None or after is None:
        raise PhrasesError(f"{file}: [negation] needs before and after")
    intents = tuple(_intent(name, given, file) for name, given in data.get("intent", {}).items())
    names = {intent.name for intent in intents}
    if names != set(INTENTS):
        raise PhrasesError(f"{file}: the intents are {', '.join(INTENTS)}")
    together = tuple(_together(name, given, names, file) for name, given in data.get("together", {}).items())
    hints = data.get("hints", {})
    if unknown := hints.keys() - {"fine"}:
        raise PhrasesError(f"{file}: [hints] {', '.join(sorted(unknown))} means nothing here")
    harmless = _any(hints, "fine", f"{file}: [hints]")
    return Phrases(spelling, before, re.compile(after.pattern), intents, together, harmless)


def _intent(name: str, given: Mapping[str, Any], file: str) -> Intent:
    where = f"{file}: [intent.{name}]"
    if unknown := given.keys() - _HOW:
        raise PhrasesError(f"{where} {', '.join(sorted(unknown))} means nothing here")
    phrases = _any(given, "phrases", where)
    if phrases is None:
        raise PhrasesError(f"{where} needs phrases")
    return Intent(
        name,
        given.get("never", True) is True,
        _text(given, "reason", where),
        _text(given, "better", where),
        phrases,
        _any(given, "although", where),
        _any(given, "fine", where),
    )


def _together(name: str, given: Mapping[str, Any], names: set[str], file: str) -> Together:
    where = f"{file}: [together.{name}]"
    of = frozenset(given.get("of", ()))
    if len(of) < 2 or not of <= names:
        raise PhrasesError(f"{where} needs of = two or more intents")
    return Together(name, of, _text(given, "reason", where), _text(given, "better", where))


def _text(given: Mapping[str, Any], key: str, where: str) -> str:
    if not isinstance(given.get(key), str) or not given[key].strip():
        raise PhrasesError(f"{where} needs {key}")
    return str(given[key])


def _any(given: Mapping[str, Any], key: str, where: str) -> re.Pattern[str] | None:
    """Return one pattern that holds where any of a list does; None where there is no list."""
    written = given.get(key)
    if written is None:
        return None
    if not isinstance(written, list) or not all(isinstance(one, str) and one for one in written or [""]):
        raise PhrasesError(f"{where} {key} is a list of phrases, none of them empty")
    for one in written:
        try:
            if re.compile(one).match(""):
                raise PhrasesError(f"{where} {one!r} holds everywhere")
        except re.error as error:
            raise PhrasesError(f"{where} {one!r} cannot be read: {error}") from error
    return re.compile("|".join(f"(?:{one})" for one in written))
