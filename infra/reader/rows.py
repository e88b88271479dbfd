"""The rows that the reader learns from: labelled, with a corpus's own label, or with stars only."""

import csv
import gzip
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from functions.reading.clauses import unwritten

TRAINED_ON = Path(__file__).parent / "trained_on.txt"  # marks of the gold rows in the shipped model
_NEAR = 0.6  # share of common pieces from which two texts count as the same
_PIECE = 5  # characters


@dataclass(frozen=True)
class Row:
    """A text and what is known of it; None for what is not.

    `weight` is how far `negative` and `complains` are trusted. `counts` says whether the text has a say in
    which n-grams there are; a stream of one kind of goods has not.
    """

    id: str
    text: str
    negative: bool | None = None
    complains: bool | None = None
    cause: str | None = None
    secondary: str | None = None
    evidence: str = ""
    weight: float = 1.0
    counts: bool = True


def labelled(path: Path, texts: dict[str, str] | None = None, weight: float = 1.0) -> list[Row]:
    """Read rows labelled after the guide; where the file has ids only, `texts` has the texts.

    Such a file says where in the text the evidence stands (`evidence_start`, `evidence_end`), if it says it.
    """
    rows = []
    for row in _rows(path):
        text = row.get("text") or (texts or {}).get(row["id"])
        if text is None:
            raise ValueError(f"{path}: no text is given for row {row['id']}")
        cause = row["cause_primary"]
        rows.append(
            Row(
                row["id"], text, row["is_negative"] == "yes", row["has_complaint"] == "yes",
                cause if cause != "none" else None, row.get("cause_secondary") or None,
                row.get("evidence") or _place(row, text), float(row.get("weight") or weight),
            )
        )  # fmt: skip
    return rows


def _place(row: dict[str, str], text: str) -> str:
    start = row.get("evidence_start")
    return text[int(start) : int(row["evidence_end"])] if start else ""


def corpus(path: Path, weight: float) -> list[Row]:
    """Read rows with the corpus's own label: 0 bad, 1 good."""
    return [
        Row(row["id"], row["text"], negative=row["label"] == "0", weight=weight)
        for row in _rows(path)
        if row["label"] in "01"
    ]


def stream(path: Path, weight: float) -> list[Row]:
    """Read rows with stars: one and two are negative, five is not. What a platform wrote says nothing."""
    return [
        Row(row["comment_id"], row["text"], negative=row["stars"] in "12", weight=weight, counts=False)
        for row in _rows(path)
        if row["stars"] in "125" and not unwritten(row["text"])
    ]


def texts(*paths: Path) -> dict[str, str]:
    return {row.get("id") or row["comment_id"]: row["text"] for path in paths for row in _rows(path)}


def mark(row: Row) -> str:
    """Return what tells a gold row again without its text."""
    return sha256(row.text.encode()).hexdigest()[:12]


def apart(rows: Iterable[Row], kept_back: Iterable[Row]) -> list[Row]:
    """Return the rows that are not, nor nearly, among those kept back."""
    pieces = [_pieces(row.text) for row in kept_back]
    where = defaultdict(set)
    for at, each in enumerate(pieces):
        for piece in each:
            where[piece].add(at)
    return [row for row in rows if not _near(_pieces(row.text), pieces, where)]


def _near(own: set[str], others: list[set[str]], where: dict[str, set[int]]) -> bool:
    common = Counter(at for piece in own for at in where.get(piece, ()))
    return any(
        count > _NEAR * min(len(own), len(others[at]))
        and (min(len(own), len(others[at])) > 3 or own == others[at])
        for at, count in common.most_common(3)
    )


def _pieces(text: str) -> set[str]:
    letters = "".join(filter(str.isalnum, text))
    return {letters[at : at + _PIECE] for at in range(max(1, len(letters) - _PIECE + 1))}


def _rows(path: Path) -> Iterable[dict[str, str]]:
    with (
        gzip.open(path, "rt", encoding="utf-8")
        if path.suffix == ".gz"
        else path.open(encoding="utf-8") as file
    ):
        yield from csv.DictReader(file)
