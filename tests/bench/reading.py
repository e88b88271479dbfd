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
ROUNDS, FEW, MANY = 7, 50, 5000
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
    reader.read(texts[0])
    ours = _microseconds(reader.read, texts)
    letters = sum(map(len, texts)) // len(texts)
    yield {"what": "reading a review", "us": round(ours, 1), "texts": len(texts), "letters": letters}
    if find_spec("snownlp"):
        from snownlp import SnowNLP

        SnowNLP(texts[0]).sentiments  # noqa: B018 (loads its model)
        theirs = _microseconds(lambda text: SnowNLP(text).sentiments, texts[:200], rounds=3)
        times = round(theirs / ours, 1)
        yield {"what": "SnowNLP, the sentiment alone", "us": round(theirs, 1), "times_ours": times}
    else:
        yield {"what": "SnowNLP", "us": None, "note": "not installed: pip install snownlp"}
    empty, library, loaded = map(_load_ms, ("pass", "import functions.reading", LOAD))
    yield {"what": "loading the model", "ms": round(loaded - library, 1)}
    yield {"what": "loading the library with pydantic", "ms": round(library - empty, 1)}
    yield {"what": "the shipped model", "bytes": (Path(model.__file__).parent / "model.bin").stat().st_size}
    few, many = (_with_words(texts, number) for number in (FEW, MANY))
    yield {
        "what": "growth with the lexicon",
        f"us_{FEW}_words": round(few[0], 1), f"us_{MANY}_words": round(many[0], 1),
        "ratio": round(many[0] / few[0], 2),
        f"words_alone_us_{FEW}": round(few[1], 2), f"words_alone_us_{MANY}": round(many[1], 2),
    }  # fmt: skip


def _texts() -> list[str]:
    given = os.environ.get("WINBACK_BENCH_TEXTS")
    if not given:
        return list(SAMPLE) * 40
    with Path(given).open(encoding="utf-8") as file:
        return [row["text"] for row in csv.DictReader(file)][:1000]


def _with_words(texts: list[str], number: int) -> tuple[float, float]:
    """Return microseconds a review and of the lexicon alone, with so many words drawn from a fixed seed."""
    draw = random.Random(1)
    letters = sorted(set("".join(texts)))
    words: set[str] = set()
    while len(words) < number:
        words.add("".join(draw.choices(letters, k=draw.randint(2, 4))))
    split = sorted(words)
    by_topic: dict[str, tuple[str, ...]] = {
        cause: tuple(split[at :: len(CAUSES)]) for at, cause in enumerate(CAUSES)
    }
    reader = Reader({"zh": by_topic})
    reader.read(texts[0])
    return _microseconds(reader.read, texts), _microseconds(Lexicon(by_topic).hits, texts)


def _microseconds(read: Callable[[str], object], texts: list[str], rounds: int = ROUNDS) -> float:
    best = float("inf")
    for _ in range(rounds):
        started = time.process_time()
        for text in texts:
            read(text)
        best = min(best, time.process_time() - started)
    return 1e6 * best / len(texts)


def _load_ms(code: str) -> float:
    best = float("inf")
    for _ in range(ROUNDS):
        before = getrusage(RUSAGE_CHILDREN)
        environment = os.environ | {"PYTHONPATH": str(ROOT)}
        subprocess.run([sys.executable, "-c", code], cwd=ROOT, env=environment, check=True)
        after = getrusage(RUSAGE_CHILDREN)
        best = min(best, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    return 1000 * best
