"""DMN: a decision table as DMN 1.3 XML, which dmn-js and other modellers open, and back.

What DMN has no place for (our types, the mode, the examples) travels in attributes and elements of our own
namespace; a table from elsewhere is read without them, with types guessed from its cells.
"""

import json
import re
import tomllib
from typing import Any
from xml.etree import ElementTree as Xml

from functions.rulebook.cells import CellError, FactType
from functions.rulebook.faults import RuleError
from functions.rulebook.table import Table

MODEL = "https://www.omg.org/spec/DMN/20191111/MODEL/"
DI, DC = "https://www.omg.org/spec/DMN/20191111/DMNDI/", "http://www.omg.org/spec/DMN/20180521/DC/"
OURS = "https://winback.example/dmn"
_TYPES = {
    "bool": "boolean",
    "word": "string",
    "text": "string",
    "template": "string",
    "duration": "dayTimeDuration",
}
_UNITS = {"d": "P{}D", "h": "PT{}H", "m": "PT{}M", "s": "PT{}S"}
_HITS = {"first": "FIRST", "unique": "UNIQUE", "collect": "COLLECT"}
_TOKEN = re.compile(r'"[^"]*"|[^,]+')


def exported(table: Table) -> str:
    """Return the table as a DMN 1.3 document with one decision."""
    for prefix, namespace in (("", MODEL), ("dmndi", DI), ("dc", DC), ("winback", OURS)):
        Xml.register_namespace(prefix, namespace)
    root = _put(None, "definitions", id=f"winback_{table.name}", name=table.name, namespace=OURS)
    decision = _put(root, "decision", id=table.name, name=table.name)
    _put(decision, "description", table.about)
    inner = _put(decision, "decisionTable", id=f"{table.name}_table", hitPolicy=_HITS[table.hit])
    kept = {
        key: table.source.data[key]
        for key in ("about_zh", "uncovered", "benefit", "case")
        if key in table.source.data
    }
    if kept:
        extension = _put(inner, "extensionElements")
        Xml.SubElement(extension, f"{{{OURS}}}kept").text = json.dumps(kept, ensure_ascii=False)
    for name, kind in table.facts.items():
        clause = _put(inner, "input", id=f"in_{name}", label=name)
        clause.set(f"{{{OURS}}}type", json.dumps(kind.declared, ensure_ascii=False))
        expression = _put(clause, "inputExpression", id=f"ex_{name}", typeRef=_type(kind))
        _put(expression, "text", name)
        _values(clause, "inputValues", f"iv_{name}", kind)
    for name, kind in table.outputs.items():
        clause = _put(inner, "output", id=f"out_{name}", label=name, name=name, typeRef=_type(kind))
        clause.set(f"{{{OURS}}}type", json.dumps(kind.declared, ensure_ascii=False))
        _values(clause, "outputValues", f"ov_{name}", kind)
    _put(inner, "annotation", name="why")
    _put(inner, "annotation", name="source")
    for place, row in enumerate(table.source.data["row"]):
        rule = _put(inner, "rule", id=f"row_{place}")
        rule.set(f"{{{OURS}}}id", row["id"])
        rule.set(f"{{{OURS}}}mode", row.get("mode", "live"))
        if "why_zh" in row:
            rule.set(f"{{{OURS}}}why_zh", row["why_zh"])
        _put(rule, "description", row["why"])  # what dmn-js shows and edits as the row's annotation
        for name, kind in table.facts.items():
            entry = _put(rule, "inputEntry", id=f"r{place}_{name}")
            _put(entry, "text", _cell(row.get("when", {}).get(name, "-"), kind))
        for name, kind in table.outputs.items():
            entry = _put(rule, "outputEntry", id=f"r{place}_o_{name}")
            _put(entry, "text", _feel(row["then"][name], kind) if name in row["then"] else "null")
        for key in ("why", "source"):
            _put(_put(rule, "annotationEntry"), "text", row[key])
    diagram = Xml.SubElement(Xml.SubElement(root, f"{{{DI}}}DMNDI"), f"{{{DI}}}DMNDiagram", {"id": "diagram"})
    shape = Xml.SubElement(diagram, f"{{{DI}}}DMNShape", {"id": "shape", "dmnElementRef": table.name})
    Xml.SubElement(shape, f"{{{DC}}}Bounds", {"x": "160", "y": "80", "width": "180", "height": "80"})
    Xml.indent(root)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + Xml.tostring(root, encoding="unicode") + "\n"


def _put(parent: Xml.Element | None, tag: str, text: str | None = None, **attributes: str) -> Xml.Element:
    name = f"{{{MODEL}}}{tag}"
    element = Xml.Element(name, attributes) if parent is None else Xml.SubElement(parent, name, attributes)
    element.text = text
    return element


def _type(kind: FactType) -> str:
    return "number" if kind.numeric and kind.name != "duration" else _TYPES.get(kind.name, "Any")


def _values(clause: Xml.Element, tag: str, name: str, kind: FactType) -> None:
    if kind.name == "word":
        _put(_put(clause, tag, id=name), "text", ",".join(json.dumps(word) for word in kind.words))


def _cell(cell: Any, kind: FactType) -> str:
    """Return a test as S-FEEL; a test of a set as a FEEL expression."""
    if isinstance(cell, list):
        return (
            ",".join(_cell(one, kind) for one in cell)
            if kind.name != "set"
            else " or ".join(f"({_cell(one, kind)})" for one in cell)
        )
    if cell == "-":
        return "-"
    if cell == "unknown" and kind.optional:
        return "null"
    text = str(cell)
    if call := re.fullmatch(r"(not|has|lacks)\((.*)\)", text):
        items = [item.strip() for item in call[2].split(",")]
        if call[1] == "not":
            return f"not({','.join(_cell(item, kind) for item in items)})"
        wanted = [f'list contains(?, "{item}")' for item in items]
        return " and ".join(wanted if call[1] == "has" else [f"not({one})" for one in wanted])
    if kind.name == "set":
        return "count(?) = 0" if text == "none" else f'list contains(?, "{text}")'
    if bound := re.fullmatch(r"(<=|>=|<|>)\s*(\S+)", text):
        return f"{bound[1]} {_feel(bound[2], kind)}"
    if interval := re.fullmatch(r"([\[(])\s*(\S+?)\s*\.\.\s*(\S+?)\s*([\])])", text):
        return f"{interval[1]}{_feel(interval[2], kind)}..{_feel(interval[3], kind)}{interval[4]}"
    return _feel(cell, kind)


def _feel(value: Any, kind: FactType) -> str:
    """Return a value as a FEEL literal."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        return json.dumps(value, ensure_ascii=False)
    if kind.name == "duration":
        return f'duration("{_UNITS[value[-1]].format(value[:-1])}")'
    return str(value) if kind.numeric else json.dumps(value, ensure_ascii=False)


def imported(text: str) -> str:
    """Return the first decision table of a DMN document as TOML. Raises RuleError where it cannot be one."""
    try:
        root = Xml.fromstring(text)  # noqa: S314  # a file that the user names; expat bounds its entities
    except Xml.ParseError as error:
        raise RuleError(f"not XML: {error}") from error
    at = {"d": root.tag.partition("}")[0].strip("{")}
    decision = root.find(".//d:decision[d:decisionTable]", at)
    inner = decision.find("d:decisionTable", at) if decision is not None else None
    if decision is None or inner is None:
        raise RuleError("there is no decision table in it")
    kept = json.loads(inner.findtext(f".//{{{OURS}}}kept") or "{}")
    rules = inner.findall("d:rule", at)
    inputs, outputs = inner.findall("d:input", at), inner.findall("d:output", at)
    facts = {_name(c.findtext("d:inputExpression/d:text", "", at)): (c, n) for n, c in enumerate(inputs)}
    gives = {_name(c.get("name") or c.get("label") or f"output_{n}"): (c, n) for n, c in enumerate(outputs)}
    cells = [
        [entry.findtext("d:text", "", at).strip() for entry in rule.findall("d:inputEntry", at)]
        for rule in rules
    ]
    answers = [
        [entry.findtext("d:text", "", at).strip() for entry in rule.findall("d:outputEntry", at)]
        for rule in rules
    ]
    kinds = {name: _kind(c, [row[n] for row in cells], "inputValues", at) for name, (c, n) in facts.items()}
    types = {
        name: _kind(c, [row[n] for row in answers], "outputValues", at) for name, (c, n) in gives.items()
    }
    policy = {hit: name for name, hit in _HITS.items()}.get(inner.get("hitPolicy", "UNIQUE"))
    if policy is None:
        raise RuleError(
            f"hit policy {inner.get('hitPolicy')} is not known; there are {', '.join(_HITS.values())}"
        )
    about = decision.findtext("d:description", "", at) or decision.get("name") or "imported"
    lines = [f"about = {_toml(about)}"] + ([f"hit = {_toml(policy)}"] if policy != "first" else [])
    lines += [f"{key} = {_toml(kept[key])}" for key in ("about_zh", "benefit", "uncovered") if key in kept]
    for section, declared in (("facts", kinds), ("outputs", types)):
        lines += [
            "",
            f"[{section}]",
            *(f"{name} = {_toml(kind.declared)}" for name, kind in declared.items()),
        ]
    for place, rule in enumerate(rules):
        notes = [entry.findtext("d:text", "", at) for entry in rule.findall("d:annotationEntry", at)]
        why = rule.findtext("d:description", "", at) or (notes[0] if notes else "") or "as imported"
        when = {n: _test(cells[place][facts[n][1]], kind) for n, kind in kinds.items()}
        then = {n: _output(answers[place][gives[n][1]], kind) for n, kind in types.items()}
        shown = {n: cell for n, cell in when.items() if cell != "-"}
        lines += [
            "",
            "[[row]]",
            f"id = {_toml(rule.get(f'{{{OURS}}}id') or f'row-{place + 1}')}",
            f"why = {_toml(why)}",
        ]
        if translated := rule.get(f"{{{OURS}}}why_zh"):
            lines.append(f"why_zh = {_toml(translated)}")
        lines += [f"when = {_toml(shown)}"] if shown else []
        lines += [f"then = {_toml({n: value for n, value in then.items() if value is not None})}"]
        lines += [f"source = {_toml((notes[1:2] or [''])[0] or 'DMN')}"]
        lines += ['mode = "shadow"'] if rule.get(f"{{{OURS}}}mode") == "shadow" else []
    for case in kept.get("case", []):
        lines += ["", "[[case]]", *(f"{key} = {_toml(value)}" for key, value in case.items())]
    written = "\n".join(lines) + "\n"
    tomllib.loads(written)
    return written


def _kind(clause: Xml.Element, cells: list[str], values: str, at: dict[str, str]) -> FactType:
    """Return the type: ours where it came with the file, else guessed from typeRef, values and cells."""
    declared: Any = clause.get(f"{{{OURS}}}type")
    if declared is not None:
        declared = json.loads(declared)
    else:
        expression = clause.find("d:inputExpression", at)
        ref = (expression if expression is not None else clause).get("typeRef", "string")
        text = clause.findtext(f"d:{values}/d:text", "", at) or ",".join(cells)
        optional = "?" if "null" in cells else ""
        if ref in ("number", "integer", "long", "double"):
            declared = ("fen" if any(re.search(r"\d\.\d", cell) for cell in cells) else "int") + optional
        elif ref == "boolean":
            declared = "bool" + optional
        elif "uration" in ref:
            declared = "duration" + optional
        else:
            declared = list(dict.fromkeys(re.findall(r'"([^"]*)"', text))) + (["unknown"] if optional else [])
    try:
        return FactType(declared)
    except CellError as error:
        raise RuleError(f"{clause.get('label') or clause.get('name')}: {error}") from error


def _test(text: str, kind: FactType) -> Any:
    """Return a unary test as a cell. Raises RuleError for FEEL beyond unary tests."""
    if text in ("", "-"):
        return "-"
    if kind.name == "set":
        return _set_test(text)
    if call := re.fullmatch(r"not\((.*)\)", text):
        items = [_literal(item.strip(), kind) for item in _TOKEN.findall(call[1])]
        return f"not({', '.join(map(str, items))})"
    items = [item.strip() for item in _TOKEN.findall(text)]
    tests = [_literal(item, kind) for item in items]
    return tests if len(tests) > 1 else tests[0]


def _set_test(text: str) -> Any:
    if " or " in text:
        return [_set_test(part.strip()[1:-1]) for part in text.split(" or ")]
    if text == "count(?) = 0":
        return "none"
    named = re.findall(r'list contains\(\?, "([^"]*)"\)', text)
    if not named:
        raise RuleError(f"{text!r} is no test of a set that can be read")
    return f"{'lacks' if text.startswith('not(') else 'has'}({', '.join(named)})"


def _literal(text: str, kind: FactType) -> Any:
    text = re.sub(r'duration\("P(?:(\d+)D|T(\d+)([HMS]))"\)', _duration, text)
    if text == "null":
        return "unknown"
    if text in ("true", "false"):
        return text == "true"
    if re.fullmatch(r"-?\d+", text) and kind.name in ("int", "days"):
        return int(text)
    return json.loads(text) if text.startswith('"') else text


def _duration(match: re.Match[str]) -> str:
    return f"{match[1]}d" if match[1] else f"{match[2]}{match[3].lower()}"


def _output(text: str, kind: FactType) -> Any:
    if text in ("", "null"):
        return None
    return json.loads(text) if text.startswith("[") else _literal(text, kind)


def _name(text: str) -> str:
    return re.sub(r"[^a-z0-9]+", "_", text.strip().lower()).strip("_") or "fact"


def _toml(value: Any) -> str:
    if isinstance(value, dict):
        return (
            "{ " + ", ".join(f"{key} = {_toml(one)}" for key, one in value.items()) + " }" if value else "{}"
        )
    if isinstance(value, list):
        return "[" + ", ".join(map(_toml, value)) + "]"
    return json.dumps(value, ensure_ascii=False)
