"""Tables: one decision table, read from TOML, with its worked examples.

The first row whose tests all hold decides, unless the table says otherwise. See rules/README.md.
"""

import re
import tomllib
from collections.abc import Iterator, Mapping
from functools import cached_property
from keyword import iskeyword
from typing import TYPE_CHECKING, Any, NamedTuple

from functions.domain.decisions import Decision, Fact, Output
from functions.rulebook.cells import OUTPUTS_ONLY, CellError, FactType, Span, span
from functions.rulebook.compiled import Asked, compiled, named
from functions.rulebook.faults import Fault, NoRowHolds, RuleError, meant
from functions.rulebook.source import Source, unreadable

if TYPE_CHECKING:
    from functions.rulebook.examples import Example

__all__ = ["NoRowHolds", "Row", "RuleError", "Table"]

HITS = ("first", "unique", "collect")
BENEFITS = ("customer", "staff")
_KEYS = ("about", "about_zh", "hit", "uncovered", "benefit", "facts", "outputs", "row", "case")
_ROW_KEYS = ("id", "why", "why_zh", "when", "then", "source", "mode")
_MODES = ("live", "shadow")
_SHAPES = {"about": str, "facts": dict, "outputs": dict, "row": list}
_LISTED = {"row": "row", "case": "example"}
_NAME = re.compile(r"[a-z][a-z0-9_]*")
_RESERVED = (
    "answer", "bisect", "collected", "decision", "facts", "frozenset", "gap", "len", "new", "refuse", "row",
    "rows", "trial", "type",
)  # fmt: skip


# Named tuples: a function's start pays for every dataclass.
class Row(NamedTuple):
    """A row ready to decide. `spans` are its tests, `then` has every output of the table."""

    place: int  # among the rows as written
    id: str
    why: str
    source: str
    spans: Mapping[str, Span]
    then: Mapping[str, Output]
    live: bool
    written: Mapping[str, Any]

    @property
    def why_zh(self) -> str:
        """The reason in Chinese, "" where the row has none."""
        return str(self.written.get("why_zh", ""))

    def holds(self, facts: Mapping[str, Fact]) -> bool:
        return all(test.holds(facts[name]) for name, test in self.spans.items())


class Table:
    """A decision table. Raises RuleError where the text cannot be read as one."""

    def __init__(self, name: str, text: str, file: str) -> None:
        faults = list(self._read(name, text, file))
        if faults:
            raise RuleError(str(faults[0]))

    @classmethod
    def read(cls, name: str, text: str, file: str) -> tuple["Table | None", list[Fault]]:
        """Return the table, None where it is too broken to go on with, and its faults."""
        table = cls.__new__(cls)
        faults = [*table._read(name, text, file)]
        whole = not faults
        if hasattr(table, "rows"):
            faults += table.example_faults
        return (table if whole else None), faults

    def _read(self, name: str, text: str, file: str) -> Iterator[Fault]:
        try:
            self.source = source = Source(file, text)
        except tomllib.TOMLDecodeError as error:
            yield unreadable(file, error)
            return
        data = source.data
        self.name, self.file, self.about = name, file, data.get("about", "")
        self.hit, self.uncovered = data.get("hit", "first"), data.get("uncovered")
        self.benefit: str | None = data.get("benefit")
        yield from self.unknown_keys(data, _KEYS, None, 0, None)
        for key, shape in _SHAPES.items():
            if not isinstance(data.get(key), shape) or not data[key]:
                mend = "Start the file with `about`, then [facts], [outputs] and at least one [[row]]"
                yield source.fault(source.line(), "missing", f"there is no `{key}`", mend)
                return
        for key in ("row", "case"):
            if not all(isinstance(one, dict) for one in _listed(data.get(key, []))):
                mend = f"Head each {_LISTED[key]} with [[{key}]]"
                yield source.fault(
                    source.line(key), "missing", f"`{key}` is no list of {_LISTED[key]}s", mend
                )
                return
        if not isinstance(self.uncovered, str | None):
            mend = 'Write uncovered = "the reason", or delete it'
            line = source.line(None, 0, "uncovered")
            yield source.fault(line, "missing", "`uncovered` gives no reason", mend)
        for key, allowed in (("hit", HITS), ("benefit", BENEFITS)):
            if data.get(key) not in (None, *allowed):
                message = f"{key} = {data[key]!r} is unknown"
                yield source.fault(
                    source.line(None, 0, key), "hit", message, f"Write one of {_some(allowed)}"
                )
        self.facts: dict[str, FactType] = {}
        self.outputs: dict[str, FactType] = {}
        for section, kinds in (("facts", self.facts), ("outputs", self.outputs)):
            for key, declared in data[section].items():
                try:
                    kind = FactType(declared)
                    reserved = section == "facts" and (iskeyword(key) or key in _RESERVED)
                    if not _NAME.fullmatch(key) or reserved:
                        raise CellError(f"{key!r} cannot be a name; use other small letters, digits and _")
                    if section == "facts" and kind.name in OUTPUTS_ONLY:
                        raise CellError(f"a fact cannot be {kind.name}; list the words that it can be")
                except CellError as error:
                    line = source.line(section, 0, key)
                    message, _, mend = str(error).partition("; ")
                    yield source.fault(line, "type", f"{section}.{key}: {message}", _sentence(mend))
                else:
                    kinds[key] = kind
        if len(self.facts) + len(self.outputs) < len(data["facts"]) + len(data["outputs"]):
            return
        yield from self._read_rows()

    def _read_rows(self) -> Iterator[Fault]:
        self.rows: list[Row] = []
        seen: set[str] = set()
        blank = dict.fromkeys(self.outputs)
        for index, written in enumerate(self.source.data["row"]):
            row_id = written.get("id")
            faults = list(self._row_faults(index, written, row_id, seen))
            seen.add(str(row_id))
            spans: dict[str, Span] = {}
            tests = written.get("when", {})
            if not isinstance(tests, dict):
                mend = 'Write when = { fact = "what it must be" }, or delete it'
                faults.append(self.row_fault(index, "cell", "`when` has no tests", mend, "when"))
                tests = {}
            for name, cell in tests.items():
                if name not in self.facts:
                    mend = f"The table knows {', '.join(self.facts)}{meant(name, self.facts)}"
                    message = f"{name} is not declared as a fact"
                    faults.append(self.row_fault(index, "unknown-fact", message, mend, "when", name))
                    continue
                try:
                    spans[name] = span(cell, self.facts[name])
                except CellError as error:
                    kind = self.facts[name]
                    close = meant(cell, kind.words)
                    mend = f"{name} is {kind.wanted}{close}; rules/README.md shows what a cell can be"
                    message = f"{name}: {error}"
                    faults.append(self.row_fault(index, "cell", message, mend, "when", name))
                    continue
                if spans[name].empty:
                    message, mend = f"{name}: {cell!r} holds for nothing", "Exchange the bounds, or delete it"
                    faults.append(self.row_fault(index, "empty-cell", message, mend, "when", name))
            then: dict[str, Output] = dict(blank)
            if isinstance(written.get("then"), dict):
                faults += self._outputs(index, written["then"], then)
            yield from faults
            if not faults:
                live = written.get("mode", "live") == "live"
                self.rows.append(
                    Row(index, row_id, written["why"], written["source"], spans, then, live, written)
                )

    def _row_faults(self, index: int, row: Mapping[str, Any], row_id: Any, seen: set[str]) -> Iterator[Fault]:
        for key in ("id", "why", "source", "then"):
            given = row.get(key)
            if not (isinstance(given, dict) if key == "then" else isinstance(given, str) and given):
                mend = f"Give it {'an' if key == 'id' else 'a'} `{key}`: {_PURPOSE[key]}"
                yield self.row_fault(index, "row-incomplete", f"there is no `{key}`", mend, key)
        if "why_zh" in row and not (isinstance(row["why_zh"], str) and row["why_zh"]):
            yield self.row_fault(index, "row-incomplete", "`why_zh` is empty", "Say it in Chinese", "why_zh")
        if isinstance(row_id, str) and row_id in seen:
            mend = "Every row needs its own id"
            yield self.row_fault(index, "duplicate-id", f"the id {row_id!r} appears twice", mend, "id")
        yield from self.unknown_keys(row, _ROW_KEYS, "row", index, row_id)
        if row.get("mode", "live") not in _MODES:
            mend = f"Write one of {_some(_MODES)}"
            yield self.row_fault(index, "hit", f"mode = {row['mode']!r} is unknown", mend, "mode")

    def _outputs(self, index: int, written: Mapping[str, Any], then: dict[str, Output]) -> Iterator[Fault]:
        for name, value in written.items():
            if name not in self.outputs:
                mend = f"The table gives {', '.join(self.outputs)}{meant(name, self.outputs)}"
                message = f"{name} is not declared as an output"
                yield self.row_fault(index, "unknown-output", message, mend, "then", name)
                continue
            try:
                then[name] = self.outputs[name].value(value)
            except CellError as error:
                mend = f"{name} is {self.outputs[name].wanted}{meant(value, self.outputs[name].words)}"
                yield self.row_fault(index, "output", f"{name}: {error}", mend, "then", name)
        for name, kind in self.outputs.items():
            if not kind.optional and name not in written:
                mend = f"Add {name} to `then`, or put ? behind its type where it may be left out"
                yield self.row_fault(index, "output-missing", f"`then` lacks {name}", mend, "then")

    def unknown_keys(
        self,
        given: Mapping[str, Any],
        known: tuple[str, ...],
        section: str | None,
        index: int,
        row: str | None,
    ) -> Iterator[Fault]:
        for key in given:
            if key not in known:
                mend = f"Write one of {_some(known)}{meant(key, known)}"
                line = self.source.line(section, index, key)
                if section is None and isinstance(given[key], dict | list):
                    line = self.source.line(key)
                yield self.source.fault(line, "key", f"{key!r} means nothing here", mend, row)

    @property
    def examples(self) -> "list[Example]":
        """The examples that can be read."""
        return self._examples[0]

    @property
    def example_faults(self) -> list[Fault]:
        return self._examples[1]

    @cached_property
    def _examples(self) -> "tuple[list[Example], list[Fault]]":
        from functions.rulebook.examples import examples_of  # deciding needs no examples

        return examples_of(self)

    def row_fault(self, index: int, kind: str, message: str, mend: str, *keys: str) -> Fault:
        row_id = self.source.data["row"][index].get("id") or f"no. {index + 1}"
        line = self.source.line("row", index, *keys)
        if line == self.source.line("row", index):
            line = self.source.line("row", index, "id")
        return self.source.fault(line, kind, message, mend, row_id)

    @property
    def about_zh(self) -> str:
        return str(self.source.data.get("about_zh", ""))

    def compiled(self, rulebook: str) -> Asked:
        """Return the function that decides, under the rulebook's version."""
        return compiled(self, rulebook)

    def decide(self, facts: Mapping[str, Fact], rulebook: str) -> Decision:
        """Return the decision on the facts; slow, for a table used once.

        Raises TypeError for facts that the table does not declare so, NoRowHolds for a gap.
        """
        return self.compiled(rulebook)(**named(self, facts))


_PURPOSE = {
    "id": "a short name by which alerts, cases and reports call the row",
    "why": "one sentence that a customer could be told",
    "source": "who decided so, or where it is written",
    "then": "what the row decides",
}


def _listed(written: Any) -> list[Any]:
    return written if isinstance(written, list) else [None]


def _some(words: tuple[str, ...]) -> str:
    return ", ".join(words)


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:] or "rules/README.md lists the types"
