"""Reading: time a review, against SnowNLP in the same run; time to load; size; growth with the lexicon.

Reads the review texts of $WINBACK_BENCH_TEXTS (a CSV with a column `text`), or our own sample without.
"""

import csv
import os
import random
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path
from resource import RUSAGE_CHILDREN, getrusage
from typing import Any

from functions.domain.causes import CAUSES
from functions.reading import Lexicon, Reader, model
from functions.rulebook import Rulebook

ROOT = Path(__file__).parents[2]
ROUNDS, FEW, MANY = 15, 50, 5000
LOAD = "from functions.reading.model import shipped; shipped()"
SAMPLE = (
    "物流太慢了，等了半个月才到，客服也不回复，再也不买了。",
    "东西很好，很喜欢，就是包装有点简陋，盒子压扁了",
    "质量不错，穿着舒服，尺码标准，物流快，五星好评！",
    "刚买一个星期就降价一百，申请价保不给，差评",
    "用了两天就坏了，申请退货，商家推卸责任不给退，安装师傅还多收了五十块钱，非常失望，大家不要买。",
)


def measure() -> Iterator[dict[str, Any]]:
    texts = _texts()
    reader = Rulebook(ROOT / "rules").reader
    letters = sum(map(len, texts)) // len(texts)
    if find_spec("snownlp"):
        from snownlp import SnowNLP

        few = texts[:50]
        ours, same, theirs = _microseconds(
            (reader.read, texts), (reader.read, few), (lambda text: SnowNLP(text).sentiments, few)
        )
        times = round(theirs / same, 1)
        rival = {
            "what": f"SnowNLP, the sentiment alone, of {len(few)}",
            "us": round(theirs, 1),
            "times_ours": times,
        }
    else:
        (ours,) = _microseconds((reader.read, texts))
        rival = {"what": "SnowNLP", "us": None, "note": "not installed: pip install snownlp"}
    yield {"what": "reading a review", "us": round(ours, 1), "texts": len(texts), "letters": letters}
    yield rival
    empty, library, loaded = _load_ms("pass", "import functions.reading", LOAD)
    yield {"what": "loading the model", "ms": round(loaded - library, 1)}
    yield {"what": "loading the library with pydantic", "ms": round(library - empty, 1)}
    yield {"what": "the shipped model", "bytes": (Path(model.__file__).parent / "model.bin").stat().st_size}
    few_words, many_words = _words(texts, FEW), _words(texts, MANY)
    few_all, many_all, few_alone, many_alone = _microseconds(
        (Reader({"zh": few_words}).read, texts), (Reader({"zh": many_words}).read, texts),
        (Lexicon(few_words).hits, texts), (Lexicon(many_words).hits, texts),
    )  # fmt: skip
    yield {
        "what": "growth with the lexicon",
        f"us_{FEW}_words": round(few_all, 1), f"us_{MANY}_words": round(many_all, 1),
        "ratio": round(many_all / few_all, 2),
        f"words_alone_us_{FEW}": round(few_alone, 2), f"words_alone_us_{MANY}": round(many_alone, 2),
    }  # fmt: skip


def _texts() -> list[str]:
    given = os.environ.get("WINBACK_BENCH_TEXTS")
    if not given:
        return list(SAMPLE) * 40
    with Path(given).open(encoding="utf-8") as file:
        return [row["text"] for row in csv.DictReader(file)][:1000]


def _words(texts: list[str], number: int) -> dict[str, tuple[str, ...]]:
    """Return so many words by topic, drawn from a fixed seed."""
    draw = random.Random(1)
    letters = sorted(set("".join(texts)))
    words: set[str] = set()
    while len(words) < number:
        words.add("".join(draw.choices(letters, k=draw.randint(2, 4))))
    split = sorted(words)
    return {cause: tuple(split[at :: len(CAUSES)]) for at, cause in enumerate(CAUSES)}


def _microseconds(*tasks: tuple[Callable[[str], object], list[str]]) -> list[float]:
    """Return the least time a text of each task. They take turns: the machine is slower at times."""
    best = [float("inf")] * len(tasks)
    for read, texts in tasks:
        read(texts[0])  # loads what it needs
    for _ in range(ROUNDS):
        for at, (read, texts) in enumerate(tasks):
            started = time.process_time()
            for text in texts:
                read(text)
            best[at] = min(best[at], 1e6 * (time.process_time() - started) / len(texts))
    return best


def _load_ms(*codes: str) -> list[float]:
    """Return the least time of a process of its own for each code; they take turns."""
    best = [float("inf")] * len(codes)
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    for _ in range(ROUNDS):
        for at, code in enumerate(codes):
            before = getrusage(RUSAGE_CHILDREN)
            subprocess.run([sys.executable, "-c", code], cwd=ROOT, env=environment, check=True)
            after = getrusage(RUSAGE_CHILDREN)
            spent = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
            best[at] = min(best[at], 1000 * spent)
    return best
