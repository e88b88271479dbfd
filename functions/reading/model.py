"""The statistical model: weights of n-grams, added up per clause, and a small head on top.

An n-gram carries one weight for each *lane*: the causes, "the text is negative", "it complains", and its
share of the norm. All lanes lie in one whole number (32 bits each), so that reading a clause is one sum.
infra/reader/train.py writes the file; rows of it hold nothing longer than four characters.
"""

import json
from collections.abc import Sequence
from functools import lru_cache
from operator import mul
from pathlib import Path

from functions.domain.causes import CAUSES
from functions.reading.clauses import grams

LANES = (*CAUSES, "negative", "complains", "norm", "hits")
_WIDTH = 4 * len(LANES)
_MIDDLE = 128  # a weight is stored as one byte around it
_MAGIC = b"WBREAD1\n"

Scores = tuple[float, ...]  # one a lane but "hits"; not yet divided by the norm


class Model:
    def __init__(
        self,
        rows: Sequence[str],
        weights: bytes,
        scales: Sequence[float],
        biases: Sequence[float],
        head: dict[str, list[list[float]]],
    ) -> None:
        """`weights` holds a byte for each lane but "hits" of each row; `scales` turn them into numbers."""
        self.rows, self.weights = rows, weights
        self.scales, self.biases, self.head = tuple(scales), tuple(biases), head
        lanes = len(LANES) - 1
        wide = bytearray(_WIDTH * len(rows))
        for lane in range(lanes):
            wide[4 * lane :: _WIDTH] = weights[lane::lanes]
        wide[4 * lanes :: _WIDTH] = b"\1" * len(rows)
        number, starts = int.from_bytes, range(0, len(wide), _WIDTH)
        self._packed = {
            row: number(wide[at : at + _WIDTH], "little") for row, at in zip(rows, starts, strict=True)
        }

    def clause(self, clause: str) -> Scores:
        """Return the sum of the weights of a clause's n-grams, lane by lane."""
        total = sum(filter(None, map(self._packed.get, grams(clause))))
        lanes = memoryview(total.to_bytes(_WIDTH, "little")).cast("I").tolist()
        middle = _MIDDLE * lanes.pop()
        return (
            *map(mul, [lane - middle for lane in lanes[:-1]], self.scales),
            lanes[-1] * self.scales[-1],
        )

    def normed(self, sums: Scores) -> list[float]:
        """Return the lanes' logits for these sums."""
        norm = (sums[-1] or 1.0) ** 0.5
        return [total / norm + bias for total, bias in zip(sums, self.biases, strict=False)]

    def judge(self, name: str, signals: Sequence[float]) -> list[float]:
        """Return the logits of one part of the head; the last weight of a row is its constant."""
        return [sum(map(mul, row, signals)) + row[-1] for row in self.head[name]]

    def dump(self) -> bytes:
        about = {"scales": self.scales, "biases": self.biases, "head": self.head, "rows": len(self.rows)}
        text = json.dumps(about) + "\n" + "\n".join(self.rows)
        encoded = text.encode()
        return _MAGIC + len(encoded).to_bytes(4, "little") + encoded + self.weights

    @classmethod
    def parse(cls, stored: bytes) -> "Model":
        if not stored.startswith(_MAGIC):
            raise ValueError("not a reader's model, or one of another version")
        start = len(_MAGIC) + 4
        end = start + int.from_bytes(stored[len(_MAGIC) : start], "little")
        first, _, rest = stored[start:end].decode().partition("\n")
        about = json.loads(first)
        rows = rest.split("\n") if rest else []
        return cls(rows, stored[end:], about["scales"], about["biases"], about["head"])


@lru_cache(maxsize=1)
def shipped() -> Model:
    return Model.parse((Path(__file__).parent / "model.bin").read_bytes())
