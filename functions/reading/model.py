"""The statistical model: weights of n-grams, added up per clause, and a small head on top.

An n-gram carries one weight for each *lane*: the causes, "the text is negative", "it complains", and its
share of the norm. All lanes lie in one whole number (32 bits each), so that reading a clause is one sum.
infra/reader/train.py writes the file; rows of it hold nothing longer than four characters.
"""

import json
import sys
from collections.abc import Sequence
from functools import lru_cache
from operator import mul
from pathlib import Path
from struct import Struct

from functions.domain.causes import CAUSES
from functions.reading.clauses import grams

if sys.version_info >= (3, 12):
    from math import sumprod
else:

    def sumprod(one: Sequence[float], other: Sequence[float]) -> float:
        total: float = sum(map(mul, one, other))
        return total


LANES = (*CAUSES, "negative", "complains", "norm", "hits")
_LANES = Struct(f"<{len(LANES)}I")
_WIDTH = _LANES.size
_MIDDLE = 128  # a weight is stored as one byte around it
_MAGIC = b"WBREAD1\n"


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

    def packed(self, clause: str) -> int:
        """Return the sum of the weights of a clause's n-grams, all lanes in one number; such sums add up."""
        return sum(filter(None, map(self._packed.get, grams(clause))))

    def scores(self, packed: int) -> tuple[list[float], float]:
        """Return the logit of each lane for a sum of weights, and the norm that it was divided by."""
        *lanes, size, hits = _LANES.unpack(packed.to_bytes(_WIDTH, "little"))
        middle, norm = _MIDDLE * hits, (size * self.scales[-1]) ** 0.5 or 1.0
        return [
            (lane - middle) * scale / norm + bias
            for lane, scale, bias in zip(lanes, self.scales, self.biases, strict=False)
        ], norm

    def judge(self, name: str, signals: Sequence[float]) -> list[float]:
        """Return the logits of one part of the head; the last weight of a row is its constant."""
        return [row[-1] + sumprod(row[:-1], signals) for row in self.head[name]]

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
