"""Tables: one decision table, read from TOML, with its worked examples.

The first row whose tests all hold decides. See rules/README.md for the format.
"""

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from functions.domain.decisions import Decision, Fact, Output
from functions.rulebook.cells import CellError, FactType, Test, test


class RuleError(ValueError):
    """A fault in a rules file: names the file, the row and the field, and how to mend it."""


class NoRowHolds(LookupError):
    """No row of a table covers the facts."""


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class _Row(_Strict):
    id: str = Field(min_length=1)
    why: str = Field(min_length=1)
    when: dict[str, Any] = Field(default_factory=dict)
    then: dict[str, Any]
    source: str = Field(min_length=1)


class Example(_Strict):
    name: str = Field(min_length=1)
    facts: dict[str, Any]
    expect: str


class _File(_Strict):
    about: str = Field(min_length=1)
    facts: dict[str, Any] = Field(min_length=1)
    outputs: dict[str, Any] = Field(min_length=1)
    row: list[_Row] = Field(min_length=1)
    case: list[Example] = Field(default_factory=list)


class Row:
    """A row ready to decide: its tests as functions, its outputs as typed values."""

    def __init__(self, source: _Row, facts: Mapping[str, FactType], outputs: Mapping[str, FactType]) -> None:
        self.id, self.why = source.id, source.why
        self.tests: dict[str, Test] = {
            name: _cell(name, facts, lambda kind, name=name: test(source.when[name], kind))
            for name in source.when
        }
        missing = [name for name, kind in outputs.items() if name not in source.then and not kind.optional]
        if missing:
            raise CellError(f"`then` lacks {', '.join(missing)}")
        self.then: dict[str, Output] = {
            name: _cell(name, outputs, lambda kind, name=name: kind.value(source.then[name]))
            for name in source.then
        }

    def holds(self, facts: Mapping[str, Fact]) -> bool:
        return all(passes(facts[name]) for name, passes in self.tests.items())


class Table:
    """A decision table. Raises RuleError where the text cannot be read as one."""

    def __init__(self, name: str, text: str, file: str) -> None:
        try:
            source = _File.model_validate(tomllib.loads(text))
        except tomllib.TOMLDecodeError as error:
            raise RuleError(f"{file}: {error}") from error
        except ValidationError as error:
            raise RuleError(f"{file}: {_first(error)}") from error
        self.name, self.about, self.file = name, source.about, file
        self.facts = _types(file, "facts", source.facts)
        self.outputs = _types(file, "outputs", source.outputs)
        self.rows: list[Row] = []
        for row in source.row:
            if row.id in (earlier.id for earlier in self.rows):
                raise RuleError(f"{file}: row {row.id!r} appears twice; every row needs its own id")
            try:
                self.rows.append(Row(row, self.facts, self.outputs))
            except CellError as error:
                raise RuleError(f"{file}: row {row.id!r}: {error}") from error
        self.examples = source.case

    def decide(self, facts: Mapping[str, Fact], rulebook: str) -> Decision:
        """Return the decision of the first row that holds.

        Raises TypeError for facts that the table does not declare so, NoRowHolds for a gap.
        """
        if facts.keys() != self.facts.keys():
            wrong = ", ".join(sorted(facts.keys() ^ self.facts.keys()))
            raise TypeError(f"{self.name} is decided from {', '.join(self.facts)}; see: {wrong}")
        for name, fact in facts.items():
            if not self.facts[name].accepts(fact):
                raise TypeError(f"{self.name}: {name} = {fact!r} is not of its type")
        for row in self.rows:
            if row.holds(facts):
                return Decision(
                    table=self.name,
                    row=row.id,
                    why=row.why,
                    then=dict.fromkeys(self.outputs) | row.then,
                    facts=dict(facts),
                    rulebook=rulebook,
                )
        raise NoRowHolds(
            f"{self.file}: no row holds for {dict(facts)}; add one, or a last row without `when`"
        )

    def example_facts(self, example: Example) -> dict[str, Fact]:
        """Return an example's facts as the code would hand them in; raises RuleError."""
        try:
            return {
                name: _cell(name, self.facts, lambda kind, name=name: kind.fact(example.facts[name]))
                for name in example.facts
            }
        except CellError as error:
            raise RuleError(f"{self.file}: case {example.name!r}: {error}") from error


def read_table(path: Path) -> Table:
    return Table(path.stem, path.read_text(encoding="utf-8"), path.name)


def _types(file: str, section: str, declared: Mapping[str, Any]) -> dict[str, FactType]:
    types = {}
    for name, kind in declared.items():
        try:
            types[name] = FactType(kind)
        except CellError as error:
            raise RuleError(f"{file}: [{section}] {name}: {error}") from error
    return types


def _cell(name: str, types: Mapping[str, FactType], read: Any) -> Any:
    if name not in types:
        raise CellError(f"{name} is not declared; the table knows {', '.join(types)}")
    try:
        return read(types[name])
    except CellError as error:
        raise CellError(f"{name}: {error}") from error


def _first(error: ValidationError) -> str:
    fault = error.errors()[0]
    return f"{'.'.join(map(str, fault['loc']))}: {fault['msg']}"
