"""Fit what tells hints in messages: python -m infra.reader.hints --output WEIGHTS

Learns from messages that were written for it and from those that the gate's phrases were fitted to; none of
what is held out. Good messages teach sentence by sentence as well, because sentences are judged. Each part
of the hands that wrote both good and bad ones is judged by weights that never saw it. docs/decisions says
what was tried.
"""

import argparse
import csv
import json
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from functions.reading.hints import judge, plain, seen, sentences, surest
from functions.reading.signs import Weights
from functions.rulebook import load
from infra.reader.fit import weigh

ROOT = Path(__file__).parents[2]
MESSAGES = ROOT / "tests" / "messages"
CORPUS = "corpus"
FINE = "fine"
BAR = 0.5  # log-odds from which a sentence is told
SEEN = 5  # in so many texts an n-gram must stand
L2 = 0.05
PARTS = 6  # of the hands, each judged by weights without it; the corpus is one more


class Message(NamedTuple):
    hand: str
    intent: str
    pieces: list[set[str]]  # n-grams of the text, then of its sentences where there are several


def main(arguments: Sequence[str] | None = None) -> None:
    given = _parser().parse_args(arguments)
    rows = [*_rows(given.texts), *_rows(given.corpus), *_templates()]
    intents = sorted({row.intent for row in rows} - {FINE})
    print(f"{len(rows)} messages, {sum(row.intent != FINE for row in rows)} of them bad")
    fine, unfair = ({row.hand for row in rows if (row.intent == FINE) == good} for good in (True, False))
    hands = sorted((fine & unfair) - {CORPUS})
    parts = [set(hands[part::PARTS]) for part in range(PARTS)] + [{CORPUS}]
    judged = []
    for part in parts:
        weights = fit([row for row in rows if row.hand not in part], intents)
        judged += [(row, *_told(row, weights)) for row in rows if row.hand in part]
    for bar in (BAR - 0.5, BAR, BAR + 0.5):
        print(f"told from log-odds {bar}" + " (as shipped)" * (bar == BAR))
        for name, corpus in (("hands", False), ("corpus", True)):
            own = [(row.intent, told, score) for row, told, score in judged if (row.hand == CORPUS) == corpus]
            told = [(intent, told) for intent, told, score in own if score > bar]
            right = sum(intent != FINE for intent, _ in told)
            bad = sum(intent != FINE for intent, _, _ in own)
            named = sum(intent == told for intent, told in told)
            print(f"  {name:8s}{right} of {len(told)} are right, recall {right / bad:.2f}, {named} named so")
    final = fit(rows, intents)
    lanes = {
        intent: {"constant": one.constant - round(100 * BAR), "weights": list(one.weights.values())}
        for intent, one in final.items()
    }
    written = json.dumps(
        {"grams": list(final[intents[0]].weights), "intents": lanes},
        ensure_ascii=False,
        separators=(",", ":"),
    )
    given.output.write_text(written + "\n", encoding="utf-8")
    print(f"{given.output}: {len(final[intents[0]].weights)} n-grams, {given.output.stat().st_size:,} bytes")


def fit(rows: Sequence[Message], intents: Sequence[str]) -> dict[str, Weights]:
    """Return the weights of each intent, whose bar is even odds."""
    pieces = [
        (row.intent, piece)
        for row in rows
        for piece in (row.pieces if row.intent == FINE else row.pieces[:1])
    ]
    kinds = np.array([[float(intent == kind) for kind in (FINE, *intents)] for intent, _ in pieces])
    found = [piece for _, piece in pieces]
    return dict(zip(intents, weigh(found, kinds, np.ones(len(found)), SEEN, L2), strict=True))


def _told(row: Message, weights: dict[str, Weights]) -> tuple[str, float]:
    return max((surest(judge(piece, weights)) for piece in row.pieces), key=lambda both: both[1])


def _rows(path: Path) -> list[Message]:
    with path.open(encoding="utf-8", newline="") as file:
        return [
            _row(row.get("hand", CORPUS), row["intent"] or FINE, row["text"]) for row in csv.DictReader(file)
        ]


def _templates() -> list[Message]:
    return [_row("templates", FINE, template.text) for template in load().templates.values()]


def _row(hand: str, intent: str, text: str) -> Message:
    parts = [part[0] for part in sentences(text)]
    texts = [text, *parts] if len(parts) > 1 else [text]
    return Message(hand, intent, [seen(plain(each, load().phrases)) for each in texts])


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--texts", type=Path, default=MESSAGES / "hints.csv")
    parser.add_argument("--corpus", type=Path, default=MESSAGES / "corpus.csv")
    parser.add_argument("--output", type=Path, default=ROOT / "functions" / "reading" / "hints.json")
    return parser


if __name__ == "__main__":
    main()
