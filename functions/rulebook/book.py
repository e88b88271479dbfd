"""The rulebook: all tables, the lexicons and the message templates of one folder, under one version."""

import string
import tomllib
from collections.abc import Mapping
from functools import cached_property
from hashlib import sha256
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from functions.domain.decisions import Decision, Fact
from functions.domain.reading import Reading
from functions.reading import LexiconError, Reader
from functions.reading.languages import Language
from functions.reading.lexicon import parse
from functions.rulebook.table import RuleError, Table, read_table

LEXICONS: Mapping[Language, str] = {
    "zh": "lexicon.toml",
    "en": "lexicon.en.toml",
    "pt": "lexicon.pt.toml",
}


class BlankVariable(ValueError):
    """A template has a variable without a value: the message must not go out."""


class Template(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    about: str = Field(min_length=1)
    promotional: bool = False
    text: str = Field(min_length=1)


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

    @cached_property
    def tables(self) -> dict[str, Table]:
        files = (path for path in sorted(self.folder.glob("*.toml")) if path.name not in LEXICONS.values())
        return {path.stem: read_table(path) for path in files}

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

    def read(self, text: str) -> Reading:
        return self.reader.read(text)

    @cached_property
    def templates(self) -> dict[str, Template]:
        templates = {}
        for path in sorted((self.folder / "templates").glob("*.toml")):
            try:
                templates[path.stem] = Template.model_validate(
                    tomllib.loads(path.read_text(encoding="utf-8"))
                )
            except (tomllib.TOMLDecodeError, ValidationError) as error:
                raise RuleError(f"templates/{path.name}: {error}") from error
        return templates

    def decide(self, table: str, facts: Mapping[str, Fact]) -> Decision:
        return self.tables[table].decide(facts, self.version)

    def promotional(self, template: str) -> bool:
        return self.templates[template].promotional

    def render(self, template: str, values: Mapping[str, str]) -> str:
        """Return the template's text with its variables filled.

        Raises BlankVariable where one has no value, KeyError for an unknown template.
        """
        text = self.templates[template].text.strip()
        used = {name for _, name, _, _ in string.Formatter().parse(text) if name is not None}
        if blank := sorted(name for name in used if not values.get(name)):
            raise BlankVariable(f"template {template}: no value for {', '.join(blank)}")
        return text.format_map(values)
