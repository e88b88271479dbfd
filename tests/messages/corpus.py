"""The gate's messages: what phrases were fitted to, what hints learned from, what neither ever saw."""

import csv
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from functions.domain.gate import Found, forbidden
from functions.rulebook import load

HERE = Path(__file__).parent
HELD_OUT = sorted(path.name for path in HERE.glob("held_out*.csv"))


class Message(NamedTuple):
    bad: bool
    intent: str
    text: str


class Measured(NamedTuple):
    bad: Counter[str]  # by intent
    good: int
    missed: list[Message]
    refused: list[str]

    @property
    def precision(self) -> float:
        """Of what is refused, how much is bad."""
        return self._right / (self._right + len(self.refused))

    @property
    def recall(self) -> float:
        """Of what is bad, how much is refused."""
        return self._right / self.bad.total()

    @property
    def recalls(self) -> dict[str, float]:
        """The recall of each intent."""
        missed = Counter(one.intent for one in self.missed)
        return {intent: 1 - missed[intent] / count for intent, count in sorted(self.bad.items())}

    @property
    def _right(self) -> int:
        return self.bad.total() - len(self.missed)


def messages(file: Path) -> list[Message]:
    """Read a file with verdict, intent and text."""
    with file.open(encoding="utf-8", newline="") as opened:
        return [
            Message(row["verdict"] == "bad", row["intent"], row["text"]) for row in csv.DictReader(opened)
        ]


def measured(file: Path, check: Callable[[str], list[Found]] | None = None) -> Measured:
    """Return how the gate does: what it refuses should be the bad messages."""
    rows, check = messages(file), check or load().check
    refused = {one.text for one in rows if forbidden(check(one.text))}
    return Measured(
        Counter(one.intent for one in rows if one.bad),
        sum(not one.bad for one in rows),
        [one for one in rows if one.bad and one.text not in refused],
        [one.text for one in rows if not one.bad and one.text in refused],
    )
