"""Random tables over a small grid of facts, small enough to go through every point."""

from collections.abc import Collection, Iterator
from itertools import product
from typing import Any

from hypothesis import strategies as st

from functions.domain.decisions import Fact

FACTS = {"a": "int? [0..9]", "b": '["x", "y", "unknown"]', "c": "bool", "d": '{ set = ["p", "q"] }'}
GRID: dict[str, list[Fact]] = {
    "a": [None, *range(10)],
    "b": [None, "x", "y"],
    "c": [False, True],
    "d": [[], ["p"], ["q"], ["p", "q"]],
}
number = st.integers(0, 9)
cells = {
    "a": st.one_of(
        number,
        st.builds("{} {}".format, st.sampled_from(["<", "<=", ">", ">="]), number),
        st.builds(
            "{}{}..{}{}".format, st.sampled_from(["[", "("]), number, number, st.sampled_from(["]", ")"])
        ),
        st.builds("not({})".format, number),
        st.lists(number, min_size=1, max_size=3),
        st.just("unknown"),
    ),
    "b": st.sampled_from(["x", "y", "unknown", "not(x)", "not(unknown)", "-"]),
    "c": st.booleans(),
    "d": st.sampled_from(["has(p)", "lacks(p)", "none", "has(p, q)", "not(has(q))"]),
}
row = st.fixed_dictionaries({}, optional={name: cells[name] for name in FACTS})
tables = st.tuples(st.sampled_from(["first", "unique"]), st.lists(row, min_size=1, max_size=6))


def written(hit: str, rows: list[dict[str, Any]], names: Collection[str] = FACTS) -> str:
    """Return a table of these rows, in TOML, with the facts that are named."""

    def value(cell: Any) -> str:
        if isinstance(cell, bool):
            return str(cell).lower()
        return str(cell) if isinstance(cell, int | list) else f'"{cell}"'

    kinds = ", ".join(
        f"{k} = {v}" if v[0] in "[{" else f'{k} = "{v}"' for k, v in FACTS.items() if k in names
    )
    text = f'about = "a"\nhit = "{hit}"\nfacts = {{ {kinds} }}\noutputs = {{ o = "int" }}\n'
    for place, when in enumerate(rows):
        tests = ", ".join(f"{name} = {value(cell)}" for name, cell in when.items())
        text += f'[[row]]\nid = "r{place}"\nwhy = "w"\nsource = "s"\n'
        text += f"when = {{ {tests} }}\nthen = {{ o = {place} }}\n"
    return text


def points(names: Collection[str] = GRID) -> Iterator[dict[str, Fact]]:
    for values in product(*(GRID[name] for name in names)):
        yield dict(zip(names, values, strict=True))
