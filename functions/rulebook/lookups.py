"""Look-ups: what a table answers, laid out by the values of its facts before anybody asks."""

from bisect import bisect_right
from collections.abc import Iterator, Mapping
from itertools import product
from math import prod
from typing import TYPE_CHECKING, Any

from functions.domain.decisions import Decision, Output

if TYPE_CHECKING:
    from functions.rulebook.table import Row, Table

UNCOVERED = "uncovered"  # the row's name in a decision about a declared gap
FEW = ("bool", "word")  # facts of these types have few values
_MOST_ANSWERS = 512
_MOST_PLACES = 4096
_LONG = 16  # rows; a shorter chain of comparisons is as fast, and easier to read


def answers(table: "Table", rulebook: str) -> dict[str, Any]:
    """Return every decision that a table of few values can take; nothing for any other table."""
    axes = [kind.values for kind in table.facts.values()]
    size = prod(map(len, axes))  # none for a number
    few = all(kind.name in FEW for kind in table.facts.values())
    if not few or not _plain(table) or size > _MOST_ANSWERS:
        return {}
    rows = dict(_covered(table, list(table.facts)))
    if len(rows) < size:
        return {}
    answers = {}
    for point, row in rows.items():
        facts: dict[str, Any] = dict(zip(table.facts, point, strict=True))
        answers[point] = Decision(table.name, *said(row), facts, rulebook)
    return {"ANSWERS": _nested(answers)}


def places(table: "Table") -> dict[str, Any]:
    """Return the bounds of a table's one number and the rows between them, by the facts of few values.

    The last of those rows is for an unknown number. Nothing for any other table.
    """
    numbers = [name for name, kind in table.facts.items() if kind.numeric]
    few = [name for name, kind in table.facts.items() if kind.name in FEW]
    if len(table.rows) < _LONG or len(numbers) != 1 or len(few) + 1 < len(table.facts) or not _plain(table):
        return {}
    (number,) = numbers
    spans = {row.place: row.spans.get(number, table.facts[number].domain) for row in table.rows}
    ranges = [one for span in spans.values() for one in span.ranges]
    bounds = sorted({bound for low, high in ranges for bound in (low, high + 1)})
    points = list(product(*(table.facts[name].values for name in few)))
    if len(points) * len(bounds) > _MOST_PLACES:
        return {}
    places = {point: [rest(table)] * (len(bounds) + 2) for point in points}
    for point, row in _covered(table, few):
        for low, high in spans[row.place].ranges:
            start, end = bisect_right(bounds, low), bisect_right(bounds, high) + 1
            places[point][start:end] = [said(row)] * (end - start)
        if None in spans[row.place].values:
            places[point][-1] = said(row)
    return {"BOUNDS": bounds, "ROWS": _nested(places), "bisect": bisect_right}


def _plain(table: "Table") -> bool:
    """Whether one row decides and none is on trial."""
    return table.hit != "collect" and all(row.live for row in table.rows)


def _covered(table: "Table", names: list[str]) -> Iterator[tuple[tuple[Any, ...], "Row"]]:
    """Yield the values of the facts that a row holds for, with the row; the first row comes last."""
    for row in reversed(table.rows):
        values = (row.spans[name].values if name in row.spans else table.facts[name].values for name in names)
        for point in product(*values):
            yield point, row


def _nested(flat: dict[tuple[Any, ...], Any]) -> Any:
    """{(a, b): x} -> {a: {b: x}}; {(): x} -> x."""
    if () in flat:
        return flat[()]
    inner: dict[Any, Any] = {}
    for (first, *rest), value in flat.items():
        inner.setdefault(first, {})[tuple(rest)] = value
    return {first: _nested(some) for first, some in inner.items()}


def said(row: "Row") -> tuple[str, str, Mapping[str, Output]]:
    return row.id, row.why, row.then


def rest(table: "Table") -> tuple[str, str, Mapping[str, Output]] | None:
    """Return what is said where no row holds, None where that is a fault."""
    return None if table.uncovered is None else (UNCOVERED, table.uncovered, dict.fromkeys(table.outputs))
