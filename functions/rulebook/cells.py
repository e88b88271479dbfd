"""Cells: the tests and values of a decision table, after DMN's unary tests (S-FEEL).

A fact's type is `bool`, `int`, `days`, `fen`, `duration` or a list of allowed words; a `?` behind a
type ("fen?") or the word "unknown" in the list means that the fact may be unknown (None).
A test is a value, a list of values, `< <= > >=` and a bound, an interval `[100..300)`, `not(...)`,
`unknown`, or `-` for anything. Amounts are written in yuan and kept in fen.
"""

import re
from collections.abc import Callable
from typing import Any

from functions.domain.decisions import Fact, Output
from functions.domain.money import fen
from functions.domain.times import duration

Test = Callable[[Fact], bool]

_BOUND = re.compile(r"(<=|>=|<|>)\s*(\S+)")
_INTERVAL = re.compile(r"([\[(])\s*(\S+?)\s*\.\.\s*(\S+?)\s*([\])])")
_NOT = re.compile(r"not\((.*)\)")
_COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    "<": lambda left, right: left < right,
    "<=": lambda left, right: left <= right,
    ">": lambda left, right: left > right,
    ">=": lambda left, right: left >= right,
}
NUMBERS = ("int", "days", "fen", "duration")


class CellError(ValueError):
    """A cell that cannot be read; the text says what it must look like."""


class FactType:
    """The type of a fact or an output: its name, the allowed words, and whether it may be unknown."""

    def __init__(self, declared: Any) -> None:
        self.words: tuple[str, ...] = ()
        self.optional = False
        if isinstance(declared, list) and declared and all(isinstance(word, str) for word in declared):
            self.name, self.words = "word", tuple(word for word in declared if word != "unknown")
            self.optional = "unknown" in declared
        elif isinstance(declared, str) and declared.removesuffix("?") in (*NUMBERS, "bool", "text", "names"):
            self.name, self.optional = declared.removesuffix("?"), declared.endswith("?")
        else:
            raise CellError(
                f"{declared!r} is no type; write bool, int, days, fen, duration, text, names "
                "(with ? behind it where it may be unknown) or a list of words"
            )

    def value(self, written: Any) -> Output:
        """Return a written value as the code sees it: fen and seconds are whole numbers.

        Raises CellError where it does not fit the type.
        """
        match self.name:
            case "bool" if isinstance(written, bool):
                return written
            case "int" | "days" if isinstance(written, int) and not isinstance(written, bool):
                return written
            case "int" | "days" if isinstance(written, str) and re.fullmatch(r"-?\d+", written):
                return int(written)
            case "fen" if isinstance(written, str):
                return _read(fen, written)
            case "duration" if isinstance(written, str):
                return _read(lambda text: int(duration(text).total_seconds()), written)
            case "word" if written in self.words:
                return str(written)
            case "text" if isinstance(written, str):
                return written
            case "names" if isinstance(written, list) and all(isinstance(name, str) for name in written):
                return list(written)
        expected = "one of " + ", ".join(self.words) if self.words else self.name
        raise CellError(f"{written!r} is not {expected}")

    def fact(self, written: Any) -> Fact:
        """Return the value of an example's fact; "unknown" is None."""
        if written == "unknown" and self.optional:
            return None
        value = self.value(written)
        if isinstance(value, list):
            raise CellError("a fact cannot be a list")
        return value

    def accepts(self, fact: Fact) -> bool:
        """Whether a fact handed in by the code has this type."""
        if fact is None:
            return self.optional
        if self.name == "word":
            return fact in self.words
        if self.name in NUMBERS:
            return isinstance(fact, int) and not isinstance(fact, bool)
        return isinstance(fact, bool) if self.name == "bool" else isinstance(fact, str)


def _read(reader: Callable[[str], int], written: str) -> int:
    try:
        return reader(written)
    except ValueError as error:
        raise CellError(str(error)) from error


def test(written: Any, kind: FactType) -> Test:
    """Return the test that a cell writes down. Raises CellError where it cannot be read."""
    if written == "-":
        return lambda _: True
    if written == "unknown" and kind.optional:
        return lambda fact: fact is None
    if isinstance(written, list):
        tests = [test(one, kind) for one in written]
        return lambda fact: any(one(fact) for one in tests)
    if isinstance(written, str):
        if inner := _NOT.fullmatch(written):
            unwanted = test(_items(inner[1]), kind)
            return lambda fact: not unwanted(fact)
        if bound := _BOUND.fullmatch(written):
            return _bounds(kind, written, [(bound[1], bound[2])])
        if interval := _INTERVAL.fullmatch(written):
            lower = ">=" if interval[1] == "[" else ">"
            upper = "<=" if interval[4] == "]" else "<"
            return _bounds(kind, written, [(lower, interval[2]), (upper, interval[3])])
    value = kind.value(written)
    return lambda fact: fact == value


def _items(text: str) -> Any:
    items = [item.strip() for item in text.split(",")]
    return items if len(items) > 1 else items[0]


def _bounds(kind: FactType, written: str, bounds: list[tuple[str, str]]) -> Test:
    if kind.name not in NUMBERS:
        raise CellError(f"{written!r} compares, but the fact is {kind.name}, not a number")
    checks = [(_COMPARE[sign], kind.value(bound)) for sign, bound in bounds]
    return lambda fact: fact is not None and all(holds(fact, bound) for holds, bound in checks)
