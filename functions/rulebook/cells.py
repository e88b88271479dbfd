"""Cells: the types, tests and values of a decision table, after DMN's unary tests (S-FEEL).

A type is `bool`, `int`, `days`, `fen`, `duration`, `text`, `names`, `template`, a list of allowed words or
`{ set = [words] }`; a `?` behind the name ("fen?") or the word "unknown" in the list means that the fact
may be unknown (None). A number may have a range: "int [1..5]".
A test is a value, a list of values, `< <= > >=` and a bound, an interval `[100..300)`, `not(...)`,
`unknown`, or `-` for anything; on a set `has(a, b)`, `lacks(a)` and `none`. Amounts are written in yuan
and kept in fen. What a test holds for is kept as a `Span`, so that it can be compared and subtracted.
"""

import re
from collections.abc import Callable
from itertools import chain, combinations
from math import inf
from typing import Any, NamedTuple

from functions.domain.decisions import Fact, Output
from functions.domain.money import fen
from functions.domain.times import duration

NUMBERS = ("int", "days", "fen", "duration")
OUTPUTS_ONLY = ("text", "names", "template")
_NAMES = (*NUMBERS, "bool", *OUTPUTS_ONLY)
_LARGEST_SET = 8  # words; a set of 8 has 256 values, which the proof goes through
_DECLARED = re.compile(r"(\w+)(\?)?(?:\s*\[\s*(\S*?)\s*\.\.\s*(\S*?)\s*\])?")
_BOUND = re.compile(r"(<=|>=|<|>)\s*(\S+)")
_INTERVAL = re.compile(r"([\[(])\s*(\S+?)\s*\.\.\s*(\S+?)\s*([\])])")
_CALL = re.compile(r"(not|has|lacks)\((.*)\)")

Value = bool | str | None | frozenset[str]
Range = tuple[float, float]  # both ends included; whole numbers, or infinite


class CellError(ValueError):
    """A cell that cannot be read; the text says what it must look like."""


class Span(NamedTuple):
    """The values of a fact that a test holds for: ranges of numbers, and single values (None is unknown)."""

    ranges: tuple[Range, ...] = ()
    values: frozenset[Value] = frozenset()

    def holds(self, fact: Fact) -> bool:
        if isinstance(fact, int) and not isinstance(fact, bool):
            return any(low <= fact <= high for low, high in self.ranges)
        value = frozenset(fact) if isinstance(fact, list) else fact
        return value in self.values

    @property
    def empty(self) -> bool:
        return not (self.ranges or self.values)

    def union(self, other: "Span") -> "Span":
        return Span(_merged([*self.ranges, *other.ranges]), self.values | other.values)


class FactType:
    """The type of a fact or an output: its name, allowed words, range, and whether it may be unknown."""

    def __init__(self, declared: Any) -> None:
        self.declared = declared
        self.words: tuple[str, ...] = ()
        self.optional = False
        self.least, self.most = -inf, inf
        if isinstance(declared, list) and declared and all(isinstance(word, str) for word in declared):
            self.name, self.words = "word", tuple(word for word in declared if word != "unknown")
            self.optional = "unknown" in declared
        elif isinstance(declared, dict) and declared.keys() == {"set"} and _words(declared["set"]):
            self.name, self.words = "set", tuple(declared["set"])
            if len(self.words) > _LARGEST_SET:
                raise CellError(f"a set has at most {_LARGEST_SET} words; use several facts")
        elif isinstance(declared, str) and (match := _DECLARED.fullmatch(declared)) and match[1] in _NAMES:
            self.name, self.optional = match[1], bool(match[2])
            self.least = 0 if self.name in ("fen", "duration") else -inf
            self._ranged(match)
        else:
            raise CellError(
                f"{declared!r} is no type; write bool, int, days, fen, duration, text, names or template "
                "(with ? behind it where it may be unknown), a list of words or { set = [words] }"
            )

    def _ranged(self, match: re.Match[str]) -> None:
        if match[3] is None:
            return
        if self.name not in NUMBERS:
            raise CellError(f"{match[0]!r}: only numbers have a range")
        self.least = self._number(match[3]) if match[3] else self.least
        self.most = self._number(match[4]) if match[4] else self.most
        if self.least > self.most:
            raise CellError(f"{match[0]!r}: the range ends before it begins")

    @property
    def numeric(self) -> bool:
        return self.name in NUMBERS

    @property
    def domain(self) -> Span:
        """Every value that a fact of this type can have."""
        unknown: frozenset[Value] = frozenset([None] if self.optional else [])
        if self.numeric:
            return Span(((self.least, self.most),), unknown)
        return Span(values=self.values)

    @property
    def values(self) -> frozenset[Value]:
        """The values of a type that has only a few; empty for numbers."""
        known: tuple[Value, ...] = self.words
        if self.name == "bool":
            known = (False, True)
        elif self.name == "set":
            sizes = (combinations(self.words, size) for size in range(len(self.words) + 1))
            known = tuple(frozenset(some) for some in chain.from_iterable(sizes))
        elif self.name != "word":
            return frozenset()
        return frozenset(known) | (frozenset([None]) if self.optional else frozenset())

    def value(self, written: Any) -> Output:
        """Return a written value as the code sees it: fen and seconds are whole numbers.

        Raises CellError where it does not fit the type.
        """
        match self.name:
            case "bool" if isinstance(written, bool):
                return written
            case _ if self.numeric:
                return self._within(self._number(written), written)
            case "word" if written in self.words:
                return str(written)
            case "text" | "template" if isinstance(written, str):
                return written
            case "names" if isinstance(written, list) and all(isinstance(name, str) for name in written):
                return list(written)
            case "set" if isinstance(written, list) and all(name in self.words for name in written):
                return list(written)
        raise CellError(f"{written!r} is not {self.wanted}")

    @property
    def wanted(self) -> str:
        """What a value must look like, in words."""
        some = ", ".join(self.words)
        return {
            "bool": "true or false",
            "int": "a whole number",
            "days": "a whole number of days",
            "fen": "an amount in yuan, such as 59.90",
            "duration": 'a duration, such as "2h"',
            "word": f"one of {some}",
            "set": f"a list of {some}",
            "names": "a list of names",
            "template": "the name of a file of templates/",
        }.get(self.name, "a text")

    def _number(self, written: Any) -> int:
        match self.name:
            case "int" | "days" if isinstance(written, int) and not isinstance(written, bool):
                return written
            case "int" | "days" if isinstance(written, str) and re.fullmatch(r"-?\d+", written):
                return int(written)
            case "fen" if isinstance(written, str):
                return _read(fen, written)
            case "duration" if isinstance(written, str):
                return _read(lambda text: int(duration(text).total_seconds()), written)
        raise CellError(f"{written!r} is not {self.wanted}" + (" (in quotes)" * (self.name == "fen")))

    def _within(self, number: int, written: Any) -> int:
        if not self.least <= number <= self.most:
            raise CellError(f"{written!r} is outside of what it can be ({self.declared})")
        return number

    def fact(self, written: Any) -> Fact:
        """Return the value of an example's fact; "unknown" is None."""
        if written == "unknown" and self.optional:
            return None
        return self.value(written)

    def accepts(self, fact: Fact) -> bool:
        """Whether a fact handed in by the code has this type."""
        if fact is None:
            return self.optional
        if self.numeric:
            whole = isinstance(fact, int) and not isinstance(fact, bool)
            return whole and self.least <= fact <= self.most  # type: ignore[operator]  # whole says int
        if self.name == "set":
            return isinstance(fact, list) and set(fact) <= set(self.words)
        return not isinstance(fact, list) and fact in self.values and fact.__class__ in (bool, str)


def _words(declared: Any) -> bool:
    return isinstance(declared, list) and bool(declared) and all(isinstance(word, str) for word in declared)


def _read(reader: Callable[[str], int], written: str) -> int:
    try:
        return reader(written)
    except ValueError as error:
        raise CellError(str(error)) from error


def span(written: Any, kind: FactType) -> Span:
    """Return what a cell holds for. Raises CellError where it cannot be read."""
    if written == "-":
        return kind.domain
    if written == "unknown" and kind.optional:
        return Span(values=frozenset([None]))
    if isinstance(written, list):
        return _any_of(written, kind)
    if isinstance(written, str):
        if call := _CALL.fullmatch(written):
            return _call(call[1], [item.strip() for item in call[2].split(",")], kind)
        if bound := _BOUND.fullmatch(written):
            return _bounded(kind, written, [(bound[1], bound[2])])
        if interval := _INTERVAL.fullmatch(written):
            lower = ">=" if interval[1] == "[" else ">"
            upper = "<=" if interval[4] == "]" else "<"
            return _bounded(kind, written, [(lower, interval[2]), (upper, interval[3])])
    if kind.name == "set":
        if written == "none":
            return Span(values=frozenset([frozenset()]))
        return _call("has", [written], kind)
    value = kind.value(written)
    if kind.numeric and isinstance(value, int):
        return Span(((value, value),))
    assert isinstance(value, bool | str)  # numbers and sets are done, lists are no facts
    return Span(values=frozenset([value]))


def _any_of(written: list[Any], kind: FactType) -> Span:
    if kind.name == "word" and all(one in kind.words for one in written):  # the usual list, read at once
        return Span(values=frozenset(written))
    held = Span()
    for one in written:
        held = held.union(span(one, kind))
    return held


def _call(name: str, items: list[Any], kind: FactType) -> Span:
    if name == "not":
        return _except(_any_of(items, kind), kind)
    if kind.name != "set":
        raise CellError(f"{name}(...) asks about a set, but the fact is {kind.name}")
    if unknown := [item for item in items if item not in kind.words]:
        raise CellError(f"{unknown[0]!r} is not one of {', '.join(kind.words)}")
    named, sets = frozenset(items), [value for value in kind.values if isinstance(value, frozenset)]
    return Span(values=frozenset(one for one in sets if (named <= one if name == "has" else not named & one)))


def _except(unwanted: Span, kind: FactType) -> Span:
    """Everything of the type that is not unwanted; what is unknown is wanted unless it is named."""
    if kind.numeric:
        gaps, low = [], kind.least
        for start, end in unwanted.ranges:
            gaps.append((low, start - 1))
            low = end + 1
        gaps.append((low, kind.most))
        return Span(_merged(gaps), kind.domain.values - unwanted.values)
    return Span(values=kind.values - unwanted.values)


def _bounded(kind: FactType, written: str, bounds: list[tuple[str, str]]) -> Span:
    if not kind.numeric:
        raise CellError(f"{written!r} compares, but the fact is {kind.name}, not a number")
    low, high = kind.least, kind.most
    for sign, bound in bounds:
        number = kind._number(bound)
        if sign in (">", ">="):
            low = max(low, number + (sign == ">"))
        else:
            high = min(high, number - (sign == "<"))
    return Span(((low, high),) if low <= high else ())


def _merged(ranges: list[Range]) -> tuple[Range, ...]:
    merged: list[Range] = []
    for low, high in sorted(one for one in ranges if one[0] <= one[1]):
        if merged and low <= merged[-1][1] + 1:
            merged[-1] = (merged[-1][0], max(high, merged[-1][1]))
        else:
            merged.append((low, high))
    return tuple(merged)
