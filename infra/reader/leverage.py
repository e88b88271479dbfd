"""Fit what tells blackmail: python -m infra.reader.leverage --reviews FILE ... --output WEIGHTS

Learns from constructed texts and, as texts that are none, from real reviews that name both a lever
and a gain. Each hand's texts are judged by weights that never saw that hand, the reviews by weights
without their part. The hand that is kept back teaches nothing: the tests measure on it.
docs/decisions says what was tried.
"""

import argparse
import csv
import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from functions.reading.clauses import prepared
from functions.reading.leverage import may_trade, with_signs
from functions.reading.signs import Weights, grams
from infra.reader.fit import weigh
from infra.reader.rows import texts

ROOT = Path(__file__).parents[2]
FIRST, KEPT_BACK = "first hand", ("fourth hand", "fifth hand", "sixth hand")
BAR = 2.0  # log-odds from which a text is told: 0.97 of those told of two hands not seen were right
SEEN = 4  # in so many texts an n-gram must stand
REVIEW = 0.5  # weight of a real review; a constructed text has 1
L2 = 0.02
PARTS = 4  # of the reviews, each judged by weights without it


def main(arguments: Sequence[str] | None = None) -> None:
    given = _parser().parse_args(arguments)
    hands = _hands(given.texts)
    reviews = [
        each for each in dict.fromkeys(map(_signed, texts(*given.reviews).values())) if may_trade(each)
    ]
    everything = [row for rows in hands.values() for row in rows]
    print(f"{len(everything)} constructed texts by {len(hands)} hands, {len(reviews)} reviews")
    scores = {}
    for hand, own in hands.items():
        others = [row for other, rows in hands.items() if other != hand for row in rows]
        scores[hand] = _judge(fit(others, reviews), [text for text, _ in own])
    for bar in (BAR - 0.5, BAR, BAR + 0.5):
        print(f"told from log-odds {bar}" + " (as shipped)" * (bar == BAR))
        for hand, own in hands.items():
            said, told = np.array([said for _, said in own]), scores[hand] > bar
            right = int(sum(said & told))
            print(f"  {hand:12s}{right} of {sum(told)} are right, recall {right / sum(said):.2f}")
    false = 0
    for part in range(PARTS):
        rest = [each for at, each in enumerate(reviews) if at % PARTS != part]
        false += int(sum(_judge(fit(everything, rest), reviews[part::PARTS]) > BAR))
    print(f"{false} of {len(reviews)} reviews are told")
    final = fit(everything, reviews)
    final = final._replace(constant=final.constant - round(100 * BAR))
    given.output.write_text(
        json.dumps(final._asdict(), ensure_ascii=False, indent=0, sort_keys=True) + "\n", encoding="utf-8"
    )
    print(f"{given.output}: {len(final.weights)} n-grams, {given.output.stat().st_size:,} bytes")


def fit(rows: Sequence[tuple[str, bool]], reviews: Sequence[str]) -> Weights:
    """Return weights whose bar is even odds. `rows` are texts with signs and whether they are blackmail."""
    found = [grams(text) for text in (*(text for text, _ in rows), *reviews)]
    said = np.array([*(said for _, said in rows), *(False for _ in reviews)], float)
    weight = np.array([1.0] * len(rows) + [REVIEW] * len(reviews))
    (weights,) = weigh(found, np.column_stack([1 - said, said]), weight, SEEN, L2)
    return weights


def _judge(weights: Weights, texts: Sequence[str]) -> np.ndarray:
    return np.array([weights.judge(grams(text)) if may_trade(text) else -np.inf for text in texts])


def _hands(path: Path) -> dict[str, list[tuple[str, bool]]]:
    hands: dict[str, list[tuple[str, bool]]] = {}
    with path.open(encoding="utf-8") as file:
        for row in csv.DictReader(file):
            hand = row["kind"] if row["kind"].endswith(" hand") else FIRST
            if hand not in KEPT_BACK:
                hands.setdefault(hand, []).append((_signed(row["text"]), row["blackmail"] == "yes"))
    return hands


def _signed(text: str) -> str:
    return with_signs(prepared(text))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--texts", type=Path, default=ROOT / "tests" / "reading" / "blackmail.csv")
    parser.add_argument("--reviews", type=Path, nargs="+", required=True, help="real reviews, none blackmail")
    parser.add_argument("--output", type=Path, default=ROOT / "functions" / "reading" / "leverage.json")
    return parser


if __name__ == "__main__":
    main()
