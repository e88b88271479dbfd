"""Compiled: a decision table as the source of one Python function, and that function.

A table whose facts have few values becomes a look-up of ready decisions. Where one more fact is a number and
the rows are many, the number is cut at the bounds that they use, and the row is looked up. Any other table
becomes a chain of comparisons. All check the facts on the way.
`winback rules show --source` prints what came out.
"""

from collections.abc import Callable, Mapping
from math import inf
from typing import TYPE_CHECKING, Any

from functions.domain.decisions import Decision, Fact, Output
from functions.rulebook.cells import FactType, Span
from functions.rulebook.faults import NoRowHolds
from functions.rulebook.lookups import FEW, answers, places, rest, said

if TYPE_CHECKING:
    from functions.rulebook.table import Row, Table

Asked = Callable[..., Decision]  # its keyword arguments are the table's facts


def compiled(table: "Table", rulebook: str) -> Asked:
    """Return the function of a table, whose keyword arguments are the table's facts.

    Other names or values are a TypeError, a gap raises NoRowHolds.
    """
    text, names = source(table, rulebook)
    exec(compile(text, f"<{table.file}>", "exec"), names)  # noqa: S102  # our own text, from checked cells
    decide: Asked = names["decide"]
    decide.__qualname__ = table.name  # Python's own errors say so
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
    facts = f"{{{', '.join(f'{name!r}: {name}' for name in table.facts)}}}"
    few = "".join(f"[{name}]" for name, kind in table.facts.items() if kind.name in FEW)
    if found := answers(table, rulebook):
        body = _answered(table, facts, f"ANSWERS{few}")
    elif found := places(table):
        body = [*_checked(table, facts, f"rows = ROWS{few}"), *_placed(table), *_decision(table)]
    elif table.hit == "collect":
        body = [*_checked(table, facts), *_collected(table, names)]
    else:
        body = [*_checked(table, facts), *_chain(table, names)]
    named_facts = f"*, {', '.join(table.facts)}" if table.facts else ""
    return "\n".join([f"def decide({named_facts}):  # {table.file}", *body]) + "\n", names | found


def _answered(table: "Table", facts: str, answer: str) -> list[str]:
    """Return the lines that look a decision up."""
    right = []
    for name, kind in table.facts.items():
        if kind.name == "bool":  # else 1 would be taken for true
            unknown = f" or {name} is None" * kind.optional
            right.append(f"({name} is True or {name} is False{unknown})")
    asked = f"        if {' and '.join(right) or 'True'}:"
    failing = ["    except (KeyError, TypeError):", "        pass", f"    return refuse({facts})"]
    return ["    try:", asked, f"            return {answer}", *failing]


def _checked(table: "Table", facts: str, found: str = "") -> list[str]:
    """Return the lines that refuse wrong facts.

    `found` looks something up with those of few values: a word that is none of a table's fails there.
    """
    lines, reads, wrong = [f"    facts = {facts}"], [], []
    for name, kind in table.facts.items():
        if kind.name == "set":
            reads.append(f"        {name} = frozenset({name})")
        if not (found and kind.name == "word"):
            wrong.append(_not_of(kind, name))
    if found:
        reads.append(f"        {found}")
    if reads:
        lines += ["    try:", *reads, "    except (KeyError, TypeError):", "        return refuse(facts)"]
    return [*lines, f"    if {' or '.join(wrong)}:", "        return refuse(facts)"] if wrong else lines


def _placed(table: "Table") -> list[str]:
    ((name, kind),) = ((name, kind) for name, kind in table.facts.items() if kind.numeric)
    unknown = f"-1 if {name} is None else " * kind.optional
    lines = [f"    row = rows[{unknown}bisect(BOUNDS, {name})]"]
    return [*lines, "    if row is None:", "        return gap(facts)"]


def _chain(table: "Table", names: dict[str, Any]) -> list[str]:
    shadowed = any(not row.live for row in table.rows)
    lines = ["    trial = None"] if shadowed else []
    lines.append("    while True:")  # left at the first row that holds
    for number, row in enumerate(table.rows):
        test = _test(row, table, names)
        if not row.live:
            lines += [f"        if trial is None and {test}:", f"            trial = {row.id!r}"]
            continue
        names[f"R{number}"] = said(row)
        if test == "True":
            lines += [f"        row = R{number}  # {row.id}", "        break"]
            break
        lines += [f"        if {test}:", f"            row = R{number}  # {row.id}", "            break"]
    else:
        names["REST"] = rest(table)
        last = ["row = REST", "break"] if names["REST"] else ["return gap(facts)"]
        lines += [f"        {line}" for line in last]
    return [*lines, *_decision(table, "trial" if shadowed else "None")]


def _decision(table: "Table", shadow: str = "None") -> list[str]:
    """Return what Decision(...) would do, without the call: that is most of what deciding costs."""
    return [
        "    decision = new(Decision)",
        f"    decision.table = {table.name!r}",
        "    decision.row, decision.why, decision.then = row",
        "    decision.facts = facts",
        "    decision.rulebook = V",
        f"    decision.shadow = {shadow}",
        "    return decision",
    ]


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
    # Not a set: what cannot be hashed could not be looked for.
    return f"{name} not in ({', '.join(sorted(map(repr, kind.values)))},)"


def named(table: "Table", facts: Mapping[str, Fact]) -> Mapping[str, Fact]:
    """Return the facts. Raises TypeError if they are others than the table declares."""
    if facts.keys() != table.facts.keys():
        other = ", ".join(sorted(facts.keys() ^ table.facts.keys()))
        raise TypeError(f"{table.name} is decided from {', '.join(table.facts)}; see: {other}")
    return facts


def refuse(table: "Table", facts: Mapping[str, Fact]) -> Decision:
    """Raise TypeError: a fact is not of the type that the table declares."""
    wrong = [f"{name} = {fact!r}" for name, fact in facts.items() if not table.facts[name].accepts(fact)]
    raise TypeError(f"{table.name}: {', '.join(wrong)} is not of its type")


def gap(table: "Table", facts: Mapping[str, Fact]) -> Decision:
    """Raise NoRowHolds."""
    raise NoRowHolds(f"{table.file}: no row holds for {dict(facts)}; add one, or a last row without `when`")
