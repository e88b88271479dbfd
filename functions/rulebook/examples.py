"""Examples: the worked cases at the bottom of a table. The check needs them, deciding does not."""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from functions.domain.decisions import Fact
from functions.rulebook.cells import CellError
from functions.rulebook.faults import Fault, meant
from functions.rulebook.table import Table

_KEYS = ("name", "facts", "expect")


class Example(NamedTuple):
    place: int
    name: str
    facts: Mapping[str, Fact]
    expect: tuple[str, ...]  # one row; several or none where the table collects

    @property
    def row(self) -> str:
        """What the decision must call its row."""
        return ",".join(self.expect) or "none"


def examples_of(table: Table) -> tuple[list[Example], list[Fault]]:
    """Return the examples that can be read, and what is wrong with the others."""
    examples: list[Example] = []
    faults: list[Fault] = []
    for index, written in enumerate(table.source.data.get("case", [])):
        found = list(_faults(table, index, written, {example.name for example in examples}))
        if not found:
            facts = {name: table.facts[name].fact(value) for name, value in written["facts"].items()}
            expect = written["expect"]
            rows = tuple(expect) if isinstance(expect, list) else (expect,)
            examples.append(Example(index, written["name"], facts, rows))
        faults += found
    return examples, faults


def _faults(table: Table, index: int, case: Mapping[str, Any], seen: set[str]) -> Iterator[Fault]:
    for key, kind in (("name", str), ("facts", dict), ("expect", (str, list))):
        if not isinstance(case.get(key), kind):
            mend = "An example has `name`, `facts` and `expect`, the id of the row that decides it"
            yield fault(table, index, "example", f"there is no `{key}`", mend)
            return
    if case["name"] in seen:
        mend = "Every example needs its own name"
        yield fault(table, index, "duplicate-id", f"{case['name']!r} appears twice", mend, "name")
    yield from table.unknown_keys(case, _KEYS, "case", index, None)
    for name, value in case["facts"].items():
        if name not in table.facts:
            mend = f"The table knows {', '.join(table.facts)}{meant(name, table.facts)}"
            yield fault(table, index, "example", f"{name} is not declared as a fact", mend, "facts", name)
            continue
        try:
            table.facts[name].fact(value)
        except CellError as error:
            mend = f"{name} is {table.facts[name].wanted}"
            yield fault(table, index, "example", f"{name}: {error}", mend, "facts", name)
    if missing := [name for name in table.facts if name not in case["facts"]]:
        mend = 'An example names every fact; write "unknown" for one that is not known'
        yield fault(table, index, "example", f"it lacks {', '.join(missing)}", mend, "facts")
    ids = [row.get("id") for row in table.source.data["row"]]
    expect = case["expect"] if isinstance(case["expect"], list) else [case["expect"]]
    if unknown := [name for name in expect if name not in (*ids, "uncovered")]:
        mend = f"The rows are {', '.join(map(str, ids))}{meant(unknown[0], ids)}"
        yield fault(table, index, "example", f"there is no row {unknown[0]!r}", mend, "expect")


def fault(table: Table, index: int, kind: str, message: str, mend: str, *keys: str) -> Fault:
    """Return the fault of an example, at its line."""
    name = table.source.data["case"][index].get("name") or f"no. {index + 1}"
    line = table.source.line("case", index, *keys)
    return table.source.fault(line, kind, f"example {name!r}: {message}", mend)
