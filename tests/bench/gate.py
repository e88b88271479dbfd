"""Gate: how often it is right on messages that it never saw, and what a check costs.

Reads the messages of $WINBACK_BENCH_MESSAGES (a CSV with verdict, intent and text; several are parted by
colons) instead of our own. "phrases" is what the phrases of rules/phrases.toml do alone.
"""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from time import process_time
from typing import Any

from functions.domain import gate
from functions.reading import hints
from functions.rulebook import load
from tests.messages.corpus import HELD_OUT, HERE, measured, messages

ROUNDS = 5
LOAD = """
from time import process_time
from functions.reading import hints
start = process_time()
hints.shipped()
print(process_time() - start)
"""


def measure() -> Iterator[dict[str, Any]]:
    rules = load()

    def alone(text: str) -> list[gate.Found]:
        return gate.check(text, rules.phrases)

    for file in _files():
        phrases, found = measured(file, alone), measured(file, rules.check)
        yield {
            "messages": file.name,
            "bad": found.bad.total(),
            "good": found.good,
            "precision": round(found.precision, 3),
            "recall": round(found.recall, 3),
            "phrases_precision": round(phrases.precision, 3),
            "phrases_recall": round(phrases.recall, 3),
            "recalls": {intent: round(share, 2) for intent, share in found.recalls.items()},
            "missed": [one.text for one in found.missed],
            "refused": found.refused,
        }
    texts = [one.text for one in messages(HERE / "corpus.csv")]
    rules.check(texts[0])
    whole, part = (min(_microseconds(check, texts) for _ in range(ROUNDS)) for check in (rules.check, alone))
    yield {"check_us": round(whole), "phrases_us": round(part), "ratio": round(whole / part, 2)}
    took = min(float(subprocess.check_output([sys.executable, "-c", LOAD])) for _ in range(ROUNDS))
    size = (Path(hints.__file__).parent / "hints.json").stat().st_size
    yield {"what": "the weights", "bytes": size, "load_ms": round(1000 * took, 1)}


def _files() -> list[Path]:
    given = os.environ.get("WINBACK_BENCH_MESSAGES")
    return [Path(each) for each in given.split(":")] if given else [HERE / name for name in HELD_OUT]


def _microseconds(check: Callable[[str], Any], texts: list[str]) -> float:
    start = process_time()
    for text in texts:
        check(text)
    return (process_time() - start) / len(texts) * 1e6
