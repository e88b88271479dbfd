"""The rulebook: all tables, the lexicons and the message templates of one folder, under one version."""

import gc
import string
import tomllib
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from functions.domain.decisions import Decision, Fact
from functions.rulebook.compiled import Asked, named
from functions.rulebook.faults import RuleError
from functions.rulebook.files import Files, files_of, version_of
from functions.rulebook.table import Table

if TYPE_CHECKING:
    from functions.domain import gate
    from functions.domain.reading import Reading
    from functions.reading import Reader
    from functions.reading.languages import Language

LEXICONS: "Mapping[Language, str]" = {
    "zh": "lexicon.toml",
    "en": "lexicon.en.toml",
    "pt": "lexicon.pt.toml",
}
PHRASES = "phrases.toml"
_NO_TABLES = {*LEXICONS.values(), PHRASES}


class BlankVariable(ValueError):
    """A template has a variable without a value: the message must not go out."""


class Template(NamedTuple):
    about: str
    text: str
    promotional: bool = False

    @property
    def variables(self) -> set[str]:
        """The names in braces. Raises ValueError for a brace that is not closed."""
        return {name for _, name, _, _ in string.Formatter().parse(self.text) if name is not None}


class Rulebook:
    """The rules of one folder, or of a document. `version` names their content."""

    def __init__(self, rules: Path | Files) -> None:
        self.files = files = files_of(rules)
        if not files:
            raise RuleError(f"{rules} holds no rules; set WINBACK_RULES_DIR to a folder of *.toml tables")
        self.version = version_of(files)
        self._texts = {
            name.removesuffix(".toml"): text
            for name, text in files.items()
            if "/" not in name and name not in _NO_TABLES
        }
        self._tables: dict[str, Table] = {}
        self.ask = Ask(self)

    @property
    def names(self) -> tuple[str, ...]:
        """The tables' names, without reading them."""
        return tuple(self._texts)

    def table(self, name: str) -> Table:
        """Return a table, read when it is first asked for. Raises RuleError, KeyError."""
        if name not in self._tables:
            self._tables[name] = Table(name, self._texts[name], f"{name}.toml")
        return self._tables[name]

    @cached_property
    def tables(self) -> dict[str, Table]:
        """All tables. Raises RuleError."""
        collecting = gc.isenabled()
        gc.disable()  # reading makes only what stays; looking for garbage in it is a quarter of the time
        try:
            return {name: self.table(name) for name in self._texts}
        finally:
            if collecting:
                gc.enable()

    @cached_property
    def reader(self) -> "Reader":
        """Raises RuleError for a lexicon that cannot be read."""
        from functions.reading import LexiconError, Reader  # deciding needs no reading
        from functions.reading.lexicon import parse

        words = {}
        for language, name in LEXICONS.items():
            if name in self.files:
                try:
                    words[language] = parse(self.files[name], name)
                except LexiconError as error:
                    raise RuleError(str(error)) from error
        return Reader(words)

    @cached_property
    def phrases(self) -> "gate.Phrases":
        """What no text to a customer may say. Raises RuleError."""
        from functions.domain import gate

        if PHRASES not in self.files:
            raise RuleError(f"there is no {PHRASES}; the gate needs it")
        try:
            return gate.parse(self.files[PHRASES], PHRASES)
        except gate.PhrasesError as error:
            raise RuleError(str(error)) from error

    def check(self, text: str) -> "list[gate.Found]":
        """Say what a text to a customer is up to, in phrases of rules/phrases.toml or in hints."""
        from functions.reading import hints

        return hints.check(text, self.phrases)

    def read(self, text: str) -> "Reading":
        return self.reader.read(text)

    @cached_property
    def templates(self) -> dict[str, Template]:
        return {
            template: read_template(self.files[name], name) for template, name in templates_of(self.files)
        }

    def decide(self, table: str, facts: Mapping[str, Fact]) -> Decision:
        """Return the decision of a table on facts that come as a mapping; where they are known: `ask`.

        Raises KeyError for an unknown table, TypeError for facts that it does not declare so, NoRowHolds
        for a gap.
        """
        known = named(self.table(table), facts)
        function: Asked = getattr(self.ask, table)
        return function(**known)

    def promotional(self, template: str) -> bool:
        return self.templates[template].promotional

    def render(self, template: str, values: Mapping[str, str]) -> str:
        """Return the template's text with its variables filled.

        Raises BlankVariable where one has no value, KeyError for an unknown template.
        """
        chosen = self.templates[template]
        if blank := sorted(name for name in chosen.variables if not values.get(name)):
            raise BlankVariable(f"template {template}: no value for {', '.join(blank)}")
        return chosen.text.format_map(values)


class Ask:
    """The tables as functions of their facts: `rules.ask.goodwill(suspected_malicious=False, tier="new")`.

    A table is read and compiled when it is first asked. From then on its function is an attribute like any
    other: nothing stands between it and the caller, and Python finds it fastest (a __getattr__ would slow
    every look-up down).
    """

    if TYPE_CHECKING:

        def __getattr__(self, table: str) -> Asked: ...
        def __setattr__(self, table: str, function: Asked) -> None: ...

    def __init__(self, rules: Rulebook) -> None:
        for table in rules.names:
            setattr(self, table, self._at_first(rules, table))

    def _at_first(self, rules: Rulebook, table: str) -> Asked:
        def compile_and_ask(**facts: Fact) -> Decision:
            function = rules.table(table).compiled(rules.version)
            setattr(self, table, function)
            return function(**facts)

        return compile_and_ask


def templates_of(files: Files) -> list[tuple[str, str]]:
    """Return the templates' names, each with its file."""
    folder, end = "templates/", ".toml"
    return [(name[len(folder) : -len(end)], name) for name in sorted(files) if name.startswith(folder)]


def read_template(text: str, name: str) -> Template:
    """Return a template. Raises RuleError, which names the file."""
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise RuleError(f"{name}: {error}") from error
    if unknown := data.keys() - {"about", "text", "promotional"}:
        raise RuleError(
            f"{name}: {', '.join(sorted(unknown))} means nothing here; a template has about, text"
        )
    for key, kind in (("about", str), ("text", str), ("promotional", bool)):
        if not isinstance(data.get(key, False), kind) or data.get(key) == "":
            raise RuleError(f"{name}: there is no `{key}`, or it is not a {kind.__name__}")
    template = Template(data["about"], data["text"].strip(), data.get("promotional", False))
    try:
        template.variables  # noqa: B018  # parses the braces
    except ValueError as error:
        raise RuleError(f"{name}: {error}; write a variable as {{product}}") from error
    return template
