"""Check: everything that is wrong with a folder of rules, each fault at its place, with its mend.

`winback rules check` prints it; the CDK app refuses to synthesise and AppConfig to take rules with faults.
"""

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from functions.domain import gate
from functions.reading import LexiconError
from functions.reading.lexicon import words_of
from functions.rulebook.book import LEXICONS, PHRASES, Template, read_template
from functions.rulebook.cells import FactType
from functions.rulebook.contracts import CONTRACTS, NAMES, TOPICS, Contract
from functions.rulebook.faults import Fault, RuleError
from functions.rulebook.guardrails import forbidden_facts, forbidden_phrases
from functions.rulebook.proof import prove
from functions.rulebook.regions import told
from functions.rulebook.source import Source, unreadable
from functions.rulebook.table import Row, Table


def check(folder: Path) -> list[Fault]:
    """Return the faults of a folder of rules, ordered by file and line; empty when it may be used."""
    files = {path.name: path.read_text(encoding="utf-8") for path in sorted(folder.glob("*.toml"))}
    faults: list[Fault] = []
    lexicons = {name: files.pop(name, None) for name in LEXICONS.values()}
    phrases, faults[:] = _phrases(files.pop(PHRASES, None))
    tables: dict[str, Table] = {}
    broken: set[str] = set()
    for file, text in files.items():
        table, found = Table.read(file.removesuffix(".toml"), text, file)
        faults += found
        if table is None:
            broken.add(file.removesuffix(".toml"))
        else:
            tables[table.name] = table
            faults += prove(table)
            faults += forbidden_facts(table)
    templates, sources, found = _templates(folder, phrases)
    faults += found
    for name, contract in CONTRACTS.items():
        if name in tables:
            faults += _kept(tables[name], contract)
        elif name not in broken:
            mend = "Put it back; the code asks it"
            faults.append(Fault(f"{name}.toml", 1, "table-missing", "there is no such table", mend))
    if not broken:  # a table that cannot be read names no templates
        faults += _limited(tables)
        faults += _filled(tables, templates, sources)
    for name, words in lexicons.items():
        faults += _lexicon(name, words)
    return sorted(faults, key=lambda fault: (fault.file, fault.line, fault.kind))


def _kept(table: Table, contract: Contract) -> Iterator[Fault]:
    """Yield where a table and the code that asks it do not fit together."""
    source = table.source
    given = {name: FactType(kind) for name, kind in contract.facts.items()}
    if table.name != "limits" and table.facts.keys() != given.keys():
        other = sorted(table.facts.keys() ^ given.keys())
        line = source.line("facts", 0, *(name for name in other[:1] if name in table.facts))
        message = f"the code hands in {', '.join(given)}; see {', '.join(other)}"
        yield source.fault(line, "facts-differ", message, "Declare exactly these facts")
    for name, kind in given.items():
        if name in table.facts and not _takes(table.facts[name], kind):
            message = f"the code hands in {name} as {_as_written(kind)}"
            line = source.line("facts", 0, name)
            yield source.fault(line, "facts-differ", message, f"Declare {name} = {_as_written(kind)}")
    for name, declared in contract.outputs.items():
        needed = FactType(declared)
        if name not in table.outputs:
            mend = f"Declare {name} = {_as_written(needed)} under [outputs]"
            yield source.fault(source.line("outputs"), "output-lacking", f"the code needs {name}", mend)
        elif not _takes(needed, table.outputs[name]):
            message = f"the code takes {name} as {_as_written(needed)}"
            if odd := [word for word in table.outputs[name].words if word not in needed.words]:
                message += f" and does not know {', '.join(odd)}"
            line = source.line("outputs", 0, name)
            yield source.fault(line, "output-refused", message, f"Declare {name} = {_as_written(needed)}")
    for (owner, output), known in NAMES.items():
        for row in table.rows if owner == table.name else ():
            value = row.then.get(output)
            if odd := [one for one in value if one not in known] if isinstance(value, list) else []:
                message = f"{output}: nobody is {odd[0]!r}"
                mend = f"Name some of {', '.join(known)}"
                yield table.row_fault(row.place, "output-refused", message, mend, "then", output)


def _takes(wide: FactType, narrow: FactType) -> bool:
    """Whether everything of the narrow type is also of the wide one."""
    same = wide.name == narrow.name and (wide.optional or not narrow.optional)
    return (
        same
        and set(narrow.words) <= set(wide.words)
        and wide.least <= narrow.least
        and narrow.most <= wide.most
    )


def _as_written(kind: FactType) -> str:
    declared: Any = kind.declared
    return f'"{declared}"' if isinstance(declared, str) else str(list(declared)).replace("'", '"')


def _limited(tables: dict[str, Table]) -> Iterator[Fault]:
    """Yield amounts and durations beyond rules/limits.toml."""
    limits = tables.get("limits")
    if limits is None or "of" not in limits.facts or not {"longest", "most"} <= limits.outputs.keys():
        return
    for of in limits.facts["of"].words:
        table, *row, output = of.split(".")
        if table not in tables or output not in tables[table].outputs:
            message = f"{of} limits nothing: there is no such table or output"
            line = limits.source.line("facts", 0, "of")
            yield limits.source.fault(line, "limit-idle", message, "Write table.output or table.row.output")
            continue
        limit = limits.decide({"of": of}, "check")
        kind = tables[table].outputs[output]
        most = limit.then["longest" if kind.name == "duration" else "most"]
        for one in tables[table].rows:
            value = one.then[output]
            over = isinstance(value, int) and isinstance(most, int) and value > most
            if over and row in ([], [one.id]):
                message = f"{output}: {told(value, kind)} is more than {told(most, kind)}. {limit.why}"
                mend = f"Lower it, or change row {limit.row!r} of limits.toml if the shop wants more"
                yield tables[table].row_fault(one.place, "over-limit", message, mend, "then", output)


def _templates(
    folder: Path, phrases: gate.Phrases | None
) -> tuple[dict[str, Template], dict[str, Source], list[Fault]]:
    templates: dict[str, Template] = {}
    sources: dict[str, Source] = {}
    faults: list[Fault] = []
    for path in sorted(folder.glob("templates/*.toml")):
        name, file = path.stem, f"templates/{path.name}"
        try:
            sources[name] = Source(file, path.read_text(encoding="utf-8"))
            templates[name] = read_template(path)
        except tomllib.TOMLDecodeError as error:
            faults.append(unreadable(file, error))
        except RuleError as error:
            message = str(error).removeprefix(f"{file}: ").partition("; ")[0]
            mend = (
                "A template has `about`, `text` with variables such as {product}, and perhaps `promotional`"
            )
            faults.append(
                sources[name].fault(sources[name].line(None, 0, "text"), "template-broken", message, mend)
            )
        else:
            if phrases is not None:
                faults += forbidden_phrases(templates[name], sources[name], name, phrases)
    return templates, sources, faults


def _filled(
    tables: dict[str, Table], templates: dict[str, Template], sources: dict[str, Source]
) -> Iterator[Fault]:
    """Yield rows that name a template which is not there or whose variables nobody fills."""
    named: set[str] = set()
    for table in tables.values():
        outputs = [name for name, kind in table.outputs.items() if kind.name == "template"]
        for row in table.rows:
            for name in (row.then[output] for output in outputs):
                if isinstance(name, str):
                    named.add(name)
                    yield from _row_filled(table, row, name, templates, sources)
    for name in sorted(templates.keys() - named):
        mend = "Delete the file, or name it in a row"
        yield sources[name].fault(1, "template-unused", "no row names this template", mend)


def _row_filled(
    table: Table, row: Row, name: str, templates: dict[str, Template], sources: dict[str, Source]
) -> Iterator[Fault]:
    if name not in templates:
        if name not in sources:
            mend = f"Write templates/{name}.toml, or name one of {', '.join(templates)}"
            yield table.row_fault(
                row.place, "template-unknown", f"there is no template {name!r}", mend, "then"
            )
        return
    contract = CONTRACTS.get(table.name)
    for variable in sorted(templates[name].variables):
        if contract is None or variable not in contract.fills:
            mend = f"Use {', '.join(f'{{{one}}}' for one in contract.fills) if contract else 'none'}"
            line = sources[name].line(None, 0, "text")
            yield sources[name].fault(line, "variable-unknown", f"nobody fills {{{variable}}}", mend)
        elif variable in contract.from_row and row.then.get(variable) is None:
            message = f"template {name!r} says {{{variable}}}, but the row gives no {variable}"
            mend = f"Add {variable} to `then`, or take the variable out of the text"
            yield table.row_fault(row.place, "variable-blank", message, mend, "then")


def _phrases(text: str | None) -> tuple[gate.Phrases | None, list[Fault]]:
    mend = "See the head of phrases.toml for what a section holds"
    if text is None:
        return None, [Fault(PHRASES, 1, "phrases", "there are no phrases", "Put it back; the gate needs it")]
    try:
        source = Source(PHRASES, text)
    except tomllib.TOMLDecodeError as error:
        return None, [unreadable(PHRASES, error)]
    try:
        return gate.parse(text, PHRASES), []
    except gate.PhrasesError as error:
        message = str(error).removeprefix(f"{PHRASES}: ")
        section = re.match(r"\[(.+?)\]", message)
        line = source.line(section[1]) if section else 1
        return None, [source.fault(line, "phrases", message, mend)]


def _lexicon(file: str, text: str | None) -> Iterator[Fault]:
    """Only the first language is required; a pack for another one may be left out or hold fewer topics."""
    required = file == LEXICONS["zh"]
    if text is None:
        if required:
            yield Fault(file, 1, "lexicon", "there is no lexicon", "Put it back; reviews are read by it")
        return
    try:
        source = Source(file, text)
    except tomllib.TOMLDecodeError as error:
        yield unreadable(file, error)
        return
    for topic in source.data:
        line = source.line(topic)
        if topic not in TOPICS:
            mend = f"Use {', '.join(sorted(TOPICS))}"
            yield source.fault(line, "lexicon", f"nothing is called {topic!r}", mend)
            continue
        try:
            words_of(topic, source.data[topic], file)
        except LexiconError:
            mend = 'Every topic is a [section] with words = ["...", "..."]'
            yield source.fault(line, "lexicon", f"{topic} has no words, or a blank one", mend)
    for topic in sorted(TOPICS - source.data.keys()) if required else ():
        yield source.fault(1, "lexicon", f"the topic {topic} is missing", "Add it, with its words")
