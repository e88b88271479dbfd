"""Faults: what is wrong with a rules file, where, and how to mend it."""

from collections.abc import Iterable
from typing import NamedTuple


class RuleError(ValueError):
    """A rules file that cannot be used: names the file, the line, the row, and how to mend it."""


class NoRowHolds(LookupError):
    """No row of a table covers the facts."""


class Fault(NamedTuple):
    file: str
    line: int
    kind: str  # one of KINDS
    message: str
    mend: str
    row: str | None = None

    def __str__(self) -> str:
        row = f"row {self.row!r}: " if self.row else ""
        message, mend = (said.rstrip(".") for said in (self.message, self.mend))
        return f"{self.file}:{self.line}: {row}{message}. {mend}. [{self.kind}]"

    def as_dict(self) -> dict[str, object]:
        return self._asdict()


def meant(word: object, known: Iterable[object]) -> str:
    """Return which known word was meant, as the end of a sentence; "" where none is close."""
    from difflib import get_close_matches  # only faults need it

    close = get_close_matches(str(word), [str(one) for one in known], 1)
    return f" - {close[0]!r} may be meant" if close else ""


# kind -> what it means; every one has a broken table in tests/rulebook/broken.py
KINDS = {
    "toml": "the file is not TOML",
    "key": "a key that no table, row or example has",
    "missing": "about, facts, outputs or rows are missing",
    "hit": "an unknown hit policy or mode",
    "type": "a fact or an output has no such type",
    "row-incomplete": "a row lacks id, why, source or then",
    "duplicate-id": "two rows or two examples have the same name",
    "unknown-fact": "`when` names a fact that the table does not declare",
    "unknown-output": "`then` names an output that the table does not declare",
    "cell": "a cell that cannot be read, or does not fit its fact",
    "empty-cell": "a cell that holds for nothing",
    "output": "an output that does not fit its type",
    "output-missing": "`then` lacks an output",
    "example": "an example that cannot be read",
    "uncovered": "facts for which no row holds",
    "uncovered-needless": "a gap is declared, but there is none",
    "uncovered-outputs": "a gap is declared, but an output must not be unknown",
    "overlap": "two rows of a `unique` table hold for the same facts",
    "masked": "one earlier row takes everything that a row holds for",
    "never-reached": "earlier rows together take everything that a row holds for",
    "row-without-example": "no example is decided by the row",
    "example-wrong": "an example is decided by another row",
    "table-missing": "the code asks a table that is not there",
    "facts-differ": "the code hands in other facts",
    "output-lacking": "the code needs an output that the table does not give",
    "output-refused": "the code does not know what to do with an output",
    "over-limit": "an amount or a duration beyond rules/limits.toml",
    "limit-idle": "a limit that limits nothing",
    "template-unknown": "a template that does not exist",
    "template-unused": "a template that no row names",
    "template-broken": "a template that cannot be read",
    "variable-unknown": "a template's variable that nobody fills",
    "variable-blank": "a template's variable that stays empty for a row",
    "forbidden-fact": "a customer's benefit decided by what the review says",
    "benefit-in-guidance": "review guidance and a benefit in one message",
    "phrases": "the table of phrases is missing or cannot be read",
    "forbidden-phrase": "a text asks for a rating or offers money for a review",
    "lexicon": "a topic of the lexicon that is missing, unknown or empty",
}
