"""The rulebook: all tables, the lexicons and the message templates of one folder, under one version."""

import string
import tomllib
from collections.abc import Callable, Mapping
from functools import cached_property
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple

from functions.domain import gate
from functions.domain.decisions import Decision, Fact
from functions.domain.reading import Reading
from functions.reading import LexiconError, Reader
from functions.reading.languages import Language
from functions.reading.lexicon import parse
from functions.rulebook.faults import RuleError
from functions.rulebook.table import Table, read_table

LEXICONS: Mapping[Language, str] = {
    "zh": "lexicon.toml",
    "en": "lexicon.en.toml",
    "pt": "lexicon.pt.toml",
}
PHRASES = "phrases.toml"
_NO_TABLES = {*LEXICONS.values(), PHRASES}
Decider = Callable[[Mapping[str, Fact]], Decision]


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
    """The rules of one folder. `version` names its content (12 hex digits of a SHA-256)."""

    def __init__(self, folder: Path) -> None:
        files = sorted(folder.glob("**/*.toml"))
        if not files:
            raise RuleError(f"{folder} holds no rules; set WINBACK_RULES_DIR to a folder of *.toml tables")
        digest = sha256()
        for file in files:
            digest.update(file.relative_to(folder).as_posix().encode() + b"\0" + file.read_bytes() + b"\0")
        self.folder, self.version = folder, digest.hexdigest()[:12]
        tables = (path for path in files if path.parent == folder and path.name not in _NO_TABLES)
        self._paths = {path.stem: path for path in tables}
        self._tables: dict[str, Table] = {}
        self._deciders: dict[str, Decider] = {}  # compiled when first asked

    @property
    def names(self) -> tuple[str, ...]:
        """The tables' names, without reading them."""
        return tuple(self._paths)

    def table(self, name: str) -> Table:
        """Return a table, read when it is first asked for. Raises RuleError, KeyError."""
        if name not in self._tables:
            self._tables[name] = read_table(self._paths[name])
        return self._tables[name]

    @cached_property
    def tables(self) -> dict[str, Table]:
        return {name: self.table(name) for name in self._paths}

    @cached_property
    def reader(self) -> Reader:
        """Raises RuleError for a lexicon that cannot be read."""
        words = {}
        for language, name in LEXICONS.items():
            if (path := self.folder / name).exists():
                try:
                    words[language] = parse(path.read_text(encoding="utf-8"), name)
                except LexiconError as error:
                    raise RuleError(str(error)) from error
        return Reader(words)

    @cached_property
    def phrases(self) -> gate.Phrases:
        """What no text to a customer may say. Raises RuleError."""
        try:
            return gate.parse((self.folder / PHRASES).read_text(encoding="utf-8"), PHRASES)
        except (OSError, gate.PhrasesError) as error:
            raise RuleError(str(error)) from error

    def check(self, text: str) -> list[gate.Found]:
        """Say what a text to a customer is up to, with the phrases of rules/phrases.toml."""
        return gate.check(text, self.phrases)

    def read(self, text: str) -> Reading:
        return self.reader.read(text)

    @cached_property
    def templates(self) -> dict[str, Template]:
        return {path.stem: read_template(path) for path in sorted(self.folder.glob("templates/*.toml"))}

    def decide(self, table: str, facts: Mapping[str, Fact]) -> Decision:
        """Return the decision of a table; the facts become part of it and may not be changed afterwards.

        Raises TypeError for facts that the table does not declare so, NoRowHolds for a gap.
        """
        try:
            decide = self._deciders[table]
        except KeyError:
            decide = self.decider(table)
        return decide(facts)

    def decider(self, table: str) -> Decider:
        """Return the function that decides a table, for whoever asks it many times."""
        return self._deciders.setdefault(table, self.table(table).compiled(self.version))

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


def read_template(path: Path) -> Template:
    """Return a template. Raises RuleError."""
    name = f"templates/{path.name}"
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
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
