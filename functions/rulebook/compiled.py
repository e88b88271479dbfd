"""Compiled: a decision table as the source of one Python function, and that function.

A table whose facts have few values becomes a look-up, any other a chain of comparisons. Both check the
facts on the way. `winback rules show --source` prints what came out.
"""

from collections.abc import Callable, Mapping
from itertools import product
from math import inf, prod
from typing import TYPE_CHECKING, Any

from functions.domain.decisions import Decision, Fact, Output
from functions.rulebook.cells import FactType, Span
from functions.rulebook.faults import NoRowHolds

if TYPE_CHECKING:
    from functions.rulebook.table import Row, Table

Decider = Callable[[Mapping[str, Fact]], Decision]
UNCOVERED = "uncovered"  # the row's name in a decision about a declared gap
_LARGEST_LOOK_UP = 512
_FEW = ("bool", "word")


def decider(table: "Table", rulebook: str) -> Decider:
    """Return the function of a table. It raises TypeError for wrong facts, NoRowHolds for a gap."""
    text, names = source(table, rulebook)
    exec(compile(text, f"<{table.file}>", "exec"), names)  # noqa: S102  # our own text, from checked cells
    decide: Decider = names["decide"]
    return decide


def source(table: "Table", rulebook: str) -> tuple[str, dict[str, Any]]:
    """Return a table's Python source and the values that it refers to."""
    names: dict[str, Any] = {
        "Decision": Decision,
        "new": object.__new__,
        "refuse": lambda facts: refuse(table, facts),
        "gap": lambda facts: gap(table, facts),
        "V": rulebook,
    }
    if answers := _answers(table, rulebook):
        names["ANSWERS"] = answers
        body = _look_up(table)
    else:
        body = _facts(table)
        body += _collected(table, names) if table.hit == "collect" else _chain(table, names)
    return "\n".join([f"def decide(facts):  # {table.file}", *body]) + "\n", names


def _facts(table: "Table") -> list[str]:
    """Return the lines that take the facts apart and refuse wrong ones."""
    lines = ["    try:"]
    for name, kind in table.facts.items():
        read = f"frozenset(facts[{name!r}])" if kind.name == "set" else f"facts[{name!r}]"
        lines.append(f"        {name} = {read}")
    lines += ["    except (KeyError, TypeError):", "        return refuse(facts)"]
    wrong = [f"len(facts) != {len(table.facts)}"]
    wrong += [_not_of(kind, name) for name, kind in table.facts.items()]
    return [*lines, f"    if {' or '.join(wrong)}:", "        return refuse(facts)"]


def _chain(table: "Table", names: dict[str, Any]) -> list[str]:
    shadowed = any(not row.live for row in table.rows)
    lines = ["    trial = None"] if shadowed else []
    lines.append("    while True:")  # left at the first row that holds
    for number, row in enumerate(table.rows):
        test = _test(row, table, names)
        if not row.live:
            lines += [f"        if trial is None and {test}:", f"            trial = {row.id!r}"]
            continue
        names[f"R{number}"] = (row.id, row.why, row.then)
        if test == "True":
            lines += [f"        row = R{number}  # {row.id}", "        break"]
            break
        lines += [f"        if {test}:", f"            row = R{number}  # {row.id}", "            break"]
    else:
        if table.uncovered is None:
            lines.append("        return gap(facts)")
        else:
            names["REST"] = (UNCOVERED, table.uncovered, dict.fromkeys(table.outputs))
            lines += ["        row = REST", "        break"]
    # As Decision(...) would do it, without the call: that is most of what deciding costs.
    return [
        *lines,
        "    decision = new(Decision)",
        f"    decision.table = {table.name!r}",
        "    decision.row, decision.why, decision.then = row",
        "    decision.facts = facts",
        "    decision.rulebook = V",
        f"    decision.shadow = {'trial' if shadowed else None}",
        "    return decision",
    ]


def _look_up(table: "Table") -> list[str]:
    return [
        "    try:",
        f"        if len(facts) == {len(table.facts)}:",
        f"            return ANSWERS{''.join(f'[facts[{name!r}]]' for name in table.facts)}",
        "    except (KeyError, TypeError):",
        "        pass",
        "    return refuse(facts)",
    ]


def _answers(table: "Table", rulebook: str) -> dict[Any, Any] | None:
    """Return every decision that a table of few values can take, None for any other table."""
    axes = [sorted(kind.values, key=repr) for kind in table.facts.values() if kind.name in _FEW]
    size = prod(map(len, axes))
    trial = any(not row.live for row in table.rows)
    plain = table.hit != "collect" and table.uncovered is None and len(axes) == len(table.facts)
    if not 0 < size <= _LARGEST_LOOK_UP or trial or not plain:
        return None
    answers: dict[Any, Any] = {}
    for point in product(*axes):
        values: dict[str, Any] = dict(zip(table.facts, point, strict=True))
        row = next((row for row in table.rows if _covers(row, values)), None)
        if row is None:
            return None
        inner = answers
        for value in point[:-1]:
            inner = inner.setdefault(value, {})
        inner[point[-1]] = Decision(table.name, row.id, row.why, row.then, values, rulebook)
    return answers


def _covers(row: "Row", values: Mapping[str, Any]) -> bool:
    return all(values[name] in span.values for name, span in row.spans.items())


def _collected(table: "Table", names: dict[str, Any]) -> list[str]:
    names["collected"] = lambda facts, rows, trial: collected(table, facts, rows, trial, names["V"])
    lines = ["    rows, trial = [], None"]
    for number, row in enumerate(table.rows):
        names[f"R{number}"] = row
        act = f"rows.append(R{number})" if row.live else f"trial = trial or {row.id!r}"
        lines += [f"    if {_test(row, table, names)}:", f"        {act}"]
    return [*lines, "    return collected(facts, rows, trial)"]


def collected(
    table: "Table", facts: Mapping[str, Fact], rows: list["Row"], trial: str | None, version: str
) -> Decision:
    """Return one decision of all rows that hold: words listed once, numbers added up, any yes is a yes."""
    then: dict[str, Output] = {}
    for name, kind in table.outputs.items():
        given = [row.then[name] for row in rows if row.then[name] is not None]
        if kind.name == "bool":
            then[name] = any(value is True for value in given)
        elif kind.numeric:
            then[name] = sum(value for value in given if isinstance(value, int))
        else:
            words = (value if isinstance(value, list) else [str(value)] for value in given)
            then[name] = list(dict.fromkeys(word for some in words for word in some))
    ids, why = ",".join(row.id for row in rows), " ".join(row.why for row in rows)
    return Decision(table.name, ids or "none", why or table.about, then, facts, version, trial)


def _test(row: "Row", table: "Table", names: dict[str, Any]) -> str:
    tests = [expression(name, test, table.facts[name], names) for name, test in row.spans.items()]
    return " and ".join(test for test in tests if test != "True") or "True"


def expression(name: str, span: Span, kind: FactType, names: dict[str, Any]) -> str:
    """Return the Python expression that is true for what a cell holds for."""
    if span == kind.domain:
        return "True"
    if kind.name == "set":  # {has(a)} are many sets: they get a name instead of being written out
        sets = f"S{len(names)}"
        names[sets] = span.values
        return f"{name} in {sets}"
    if not kind.numeric:
        return _one_of(name, span, kind)
    ranges = [_range(name, low, high, kind) for low, high in span.ranges]
    if kind.optional and ranges and None not in span.values:
        wanted = " or ".join(ranges)
        whole = span.ranges == kind.domain.ranges
        return f"{name} is not None" + (
            "" if whole else f" and {wanted}" if len(ranges) == 1 else f" and ({wanted})"
        )
    if None in span.values:
        ranges.insert(0, f"{name} is None")
    return ranges[0] if len(ranges) == 1 else f"({' or '.join(ranges)})"


def _range(name: str, low: float, high: float, kind: FactType) -> str:
    """Return the comparison with a range; the type has been checked, so its own bounds need no test."""
    if low == high:
        return f"{name} == {low}"
    if low == kind.least:
        return f"{name} <= {high}"
    return f"{name} >= {low}" if high == kind.most else f"{low} <= {name} <= {high}"


def _one_of(name: str, span: Span, kind: FactType) -> str:
    if kind.name == "bool" and not kind.optional:
        return name if True in span.values else f"not {name}"
    if len(span.values) == 1:
        (value,) = span.values
        same = "is" if value is None or isinstance(value, bool) else "=="
        return f"{name} {same} {value!r}"
    return f"{name} in {{{', '.join(sorted(map(repr, span.values)))}}}"


def _not_of(kind: FactType, name: str) -> str:
    """Return the expression that is true for a value which the type refuses."""
    known = f"{name} is not None and " if kind.optional else ""
    if kind.numeric:
        outside = []
        if kind.least != -inf:
            outside.append(f"{name} < {kind.least}")
        if kind.most != inf:
            outside.append(f"{name} > {kind.most}")
        return f"{known}({' or '.join([f'type({name}) is not int', *outside])})"
    if kind.name == "set":
        return f"not {name} <= {{{', '.join(map(repr, kind.words))}}}"
    if kind.name == "bool":
        return f"{known}{name} is not True and {name} is not False"
    return f"{name} not in {{{', '.join(sorted(map(repr, kind.values)))}}}"


def refuse(table: "Table", facts: Mapping[str, Fact]) -> Decision:
    """Raise TypeError: the facts are not those that the table declares."""
    if facts.keys() != table.facts.keys():
        other = ", ".join(sorted(facts.keys() ^ table.facts.keys()))
        raise TypeError(f"{table.name} is decided from {', '.join(table.facts)}; see: {other}")
    wrong = [f"{name} = {fact!r}" for name, fact in facts.items() if not table.facts[name].accepts(fact)]
    raise TypeError(f"{table.name}: {', '.join(wrong) or facts} is not of its type")


def gap(table: "Table", facts: Mapping[str, Fact]) -> Decision:
    """Raise NoRowHolds."""
    raise NoRowHolds(f"{table.file}: no row holds for {dict(facts)}; add one, or a last row without `when`")
