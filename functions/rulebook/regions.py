"""Regions: sets of facts as boxes, exact however many values a fact has.

Along each fact the values between two bounds that the table uses are alike, so they make one atom. A set of
values of one fact is then a bit mask over its atoms, and a box has one mask per fact. Boxes are subtracted
from each other instead of going through every combination of atoms.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import inf
from typing import Any

from functions.domain.decisions import Fact
from functions.domain.money import yuan
from functions.rulebook.cells import FactType, Range, Span, Value

Box = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Axis:
    """One fact: its atoms, each a range of numbers or a single value (None: unknown)."""

    name: str
    kind: FactType
    atoms: tuple[Range | Value, ...]

    @property
    def whole(self) -> int:
        return (1 << len(self.atoms)) - 1

    def mask(self, span: Span) -> int:
        bits = 0
        for place, atom in enumerate(self.atoms):
            if isinstance(atom, tuple):
                held = any(low <= atom[0] and atom[1] <= high for low, high in span.ranges)
            else:
                held = atom in span.values
            bits |= held << place
        return bits

    def place(self, fact: Fact) -> int:
        """Return the atom that a fact of the type lies in."""
        value = frozenset(fact) if isinstance(fact, list) else fact
        for place, atom in enumerate(self.atoms):
            if isinstance(atom, tuple):
                if value is not None and atom[0] <= value <= atom[1]:  # type: ignore[operator]  # a number
                    return place
            elif atom == value and (atom is None) == (value is None):
                return place
        raise ValueError(f"{self.name} cannot be {fact!r}")

    def example(self, mask: int) -> Fact:
        """Return a value out of the mask: a number next to a bound that the table uses, if there is one."""
        chosen = [atom for place, atom in enumerate(self.atoms) if mask >> place & 1]
        for atom in chosen:
            if isinstance(atom, tuple):
                return int(atom[0] if atom[0] != -inf else atom[1] if atom[1] != inf else 0)
        for atom in chosen:
            if atom is not None:
                return sorted(atom) if isinstance(atom, frozenset) else atom  # type: ignore[return-value]
        return None

    def words(self, mask: int) -> str:
        """Return the region in plain words: "order_value > 300.00"; empty where it is anything."""
        if mask == self.whole:
            return ""
        said: list[str] = []
        ranges = [
            atom for place, atom in enumerate(self.atoms) if mask >> place & 1 and isinstance(atom, tuple)
        ]
        for low, high in _joined(ranges):
            said.append(self._range(low, high))
        values = [
            atom for place, atom in enumerate(self.atoms) if mask >> place & 1 and not isinstance(atom, tuple)
        ]
        if values:
            named = [told(value, self.kind) for value in values]
            said.append(f"{self.name} is {' or '.join(named)}")
        return " or ".join(said)

    def _range(self, low: float, high: float) -> str:
        """Say a range with the bounds as somebody would write them: above 300.00, not from 300.01."""
        least, most = low <= self.kind.least, high >= self.kind.most
        if least and most:
            return f"{self.name} is known"
        if low == high:
            return f"{self.name} = {told(int(low), self.kind)}"
        fine = self.kind.name in ("fen", "duration")
        beyond = fine and not least and low % 100 != 0  # 300.01 and more is said as above 300.00
        above = f"> {told(int(low) - 1, self.kind)}" if beyond else f">= {_maybe(low, self.kind)}"
        below = f"<= {_maybe(high, self.kind)}"
        if most:
            return f"{self.name} {above}"
        return f"{self.name} {below}" if least else f"{self.name} {above} and {below}"


def _maybe(number: float, kind: FactType) -> str:
    return told(int(number), kind) if abs(number) != inf else ""


def told(value: Any, kind: FactType) -> str:
    """Return a value as it is written in a table."""
    if value is None:
        return "unknown"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, frozenset | list | tuple):
        return "[" + ", ".join(sorted(value) if isinstance(value, frozenset) else value) + "]"
    if kind.name == "fen":
        return yuan(value)
    if kind.name == "duration":
        unit, name = next(
            (u, n) for u, n in ((86400, "d"), (3600, "h"), (60, "m"), (1, "s")) if value % u == 0
        )
        return f"{value // unit}{name}" if value else "0s"
    return str(value)


class Space:
    """All facts of a table. A box has one mask per axis; a region is a list of boxes that do not overlap."""

    def __init__(self, facts: Mapping[str, FactType], tests: Iterable[Mapping[str, Span]]) -> None:
        used = list(tests)
        self.axes = [
            Axis(name, kind, _atoms(kind, [spans[name] for spans in used if name in spans]))
            for name, kind in facts.items()
        ]
        self.all: Box = tuple(axis.whole for axis in self.axes)

    def box(self, spans: Mapping[str, Span]) -> Box:
        return tuple(axis.mask(spans[axis.name]) if axis.name in spans else axis.whole for axis in self.axes)

    def example(self, box: Box) -> dict[str, Fact]:
        return {axis.name: axis.example(mask) for axis, mask in zip(self.axes, box, strict=True)}

    def words(self, box: Box) -> str:
        said = (axis.words(mask) for axis, mask in zip(self.axes, box, strict=True))
        return " and ".join(filter(None, said)) or "any facts"

    def told(self, facts: Mapping[str, Fact]) -> str:
        return ", ".join(f"{axis.name} = {told(facts[axis.name], axis.kind)}" for axis in self.axes)


def _atoms(kind: FactType, spans: Sequence[Span]) -> tuple[Range | Value, ...]:
    if not kind.numeric:
        order: Callable[[Value], Any] = lambda value: (value is None, repr(value))  # noqa: E731
        return tuple(sorted(kind.values, key=order))
    starts = {kind.least}
    for span in spans:
        for low, high in span.ranges:
            starts |= {start for start in (low, high + 1) if kind.least < start <= kind.most}
    ordered = sorted(starts - {inf})
    ends = [*(start - 1 for start in ordered[1:]), kind.most]
    ranges: list[Range | Value] = list(zip(ordered, ends, strict=True))
    return tuple(ranges + ([None] if kind.optional else []))


def _joined(ranges: list[Range]) -> list[Range]:
    joined: list[Range] = []
    for low, high in ranges:
        if joined and joined[-1][1] + 1 == low:
            joined[-1] = (joined[-1][0], high)
        else:
            joined.append((low, high))
    return joined


def meet(left: Box, right: Box) -> Box | None:
    """Return what both boxes have, None where that is nothing."""
    both = tuple(one & other for one, other in zip(left, right, strict=True))
    return both if all(both) else None


def without(region: list[Box], taken: Box) -> list[Box]:
    """Return a region without a box, as boxes that do not overlap."""
    left: list[Box] = []
    for box in region:
        if meet(box, taken) is None:
            left.append(box)
            continue
        rest = list(box)
        for axis, mask in enumerate(taken):
            if outside := rest[axis] & ~mask:
                left.append((*rest[:axis], outside, *rest[axis + 1 :]))
            rest[axis] &= mask
    return left


def joined(region: list[Box]) -> list[Box]:
    """Return the region in fewer, larger boxes where two differ along one fact only: shorter to tell."""
    boxes = list(region)
    merged = True
    while merged:
        merged = False
        for first in range(len(boxes)):
            for second in range(first + 1, len(boxes)):
                differ = [
                    n for n, (a, b) in enumerate(zip(boxes[first], boxes[second], strict=True)) if a != b
                ]
                if len(differ) == 1:
                    (axis,) = differ
                    box = list(boxes[first])
                    box[axis] |= boxes[second][axis]
                    boxes[first] = tuple(box)
                    del boxes[second]
                    merged = True
                    break
            if merged:
                break
    return boxes
