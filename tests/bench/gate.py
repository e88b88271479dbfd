"""Gate: how often it is right on messages nothing was fitted to, and what a check costs."""

import time
from collections.abc import Iterator
from typing import Any

from functions.domain.gate import check
from functions.rulebook import load
from tests.messages.corpus import measured, messages


def measure() -> Iterator[dict[str, Any]]:
    for name in ("corpus.csv", "held_out.csv"):
        found = measured(name)
        yield {
            "messages": name,
            "bad": found.bad,
            "good": found.good,
            "precision": round(found.precision, 3),
            "recall": round(found.recall, 3),
            "missed": found.missed,
            "refused": found.refused,
        }
    texts, phrases = [text for _, text in messages("corpus.csv")], load().phrases
    start = time.perf_counter()
    for text in texts:
        check(text, phrases)
    yield {"check_us": round((time.perf_counter() - start) / len(texts) * 1e6)}
