"""The gate's two corpora: one that its phrases were fitted to, one written afterwards that they were not."""

import csv
from pathlib import Path
from typing import NamedTuple

from functions.domain.gate import check, forbidden
from functions.rulebook import load

HERE = Path(__file__).parent


class Measured(NamedTuple):
    name: str
    bad: int
    good: int
    missed: list[str]
    refused: list[str]

    @property
    def precision(self) -> float:
        """Of what the gate refuses, how much is bad."""
        return self._right / (self._right + len(self.refused))

    @property
    def recall(self) -> float:
        """Of what is bad, how much the gate refuses."""
        return self._right / self.bad

    @property
    def told(self) -> str:
        about = f"gate on {self.name}: {self.bad} bad and {self.good} good messages"
        return f"{about}, precision {self.precision:.3f}, recall {self.recall:.3f}"

    @property
    def _right(self) -> int:
        return self.bad - len(self.missed)


def messages(name: str) -> list[tuple[str, str]]:
    """Return verdict and text of each message."""
    with (HERE / name).open(encoding="utf-8", newline="") as file:
        return [(row["verdict"], row["text"]) for row in csv.DictReader(file)]


def measured(name: str) -> Measured:
    """Return how the shipped phrases do on a corpus: what they refuse should be the bad messages."""
    phrases = load().phrases
    rows = messages(name)
    refused = {text for _, text in rows if forbidden(check(text, phrases))}
    bad = [text for verdict, text in rows if verdict == "bad"]
    good = [text for verdict, text in rows if verdict == "good"]
    return Measured(
        name,
        len(bad),
        len(good),
        [text for text in bad if text not in refused],
        [text for text in good if text in refused],
    )
