"""The statistical model: weights of n-grams, added up per clause, and a small head on top.

An n-gram carries one weight for each *lane*: the causes, "the text is negative", "it complains", and its
share of the norm. All lanes lie in one whole number (32 bits each), so that reading a clause is one sum.
infra/reader/train.py writes the file; rows of it hold nothing longer than four characters.
"""

import json
from collections.abc import Mapping, Sequence
from functools import lru_cache
from math import dist, hypot
from pathlib import Path
from struct import Struct

from functions.domain.causes import CAUSES
from functions.reading.clauses import grams

LANES = (*CAUSES, "negative", "complains", "norm")
_LANES = Struct(f"<{len(LANES)}i")
_WIDTH = _LANES.size
_UNIT = 2.0**-14  # of a weight within its lane
# Added to a sum, it makes every lane positive; its bits turned round after that, each lane has its own sign.
_SIGNS = int.from_bytes((1 << 31).to_bytes(4, "little") * len(LANES), "little")
_MAGIC = b"WBREAD1\n"


class Model:
    def __init__(
        self,
        rows: Sequence[str],
        weights: bytes,
        scales: Sequence[float],
        biases: Sequence[float],
        head: Mapping[str, Sequence[Sequence[float]]],
    ) -> None:
        """`weights` holds a byte for each lane of each row; `scales` turn them into numbers."""
        self.rows, self.weights = rows, weights
        self.scales, self.biases = tuple(scales), tuple(biases)
        self.head = head
        lanes = len(LANES)
        wide = bytearray(_WIDTH * len(rows))
        for lane in range(lanes):
            for place, wider in enumerate(self._wider(lane)):
                wide[4 * lane + place :: _WIDTH] = weights[lane::lanes].translate(wider)
        number, starts = int.from_bytes, range(0, len(wide), _WIDTH)
        self._packed = {
            row: number(wide[at : at + _WIDTH], "little") - _SIGNS
            for row, at in zip(rows, starts, strict=True)
        }

    def _wider(self, lane: int) -> list[bytes]:
        """Return what each stored byte of a lane becomes: the first bytes of all numbers, the second, ..."""
        middle, step = (0, 1.0) if LANES[lane] == "norm" else (128, self.scales[lane] / _UNIT)
        numbers = [(round((byte - middle) * step) + (1 << 31)).to_bytes(4, "little") for byte in range(256)]
        return [bytes(each) for each in zip(*numbers, strict=True)]

    def packed(self, clause: str) -> int:
        """Return the sum of the weights of a clause's n-grams, all lanes in one number; such sums add up."""
        return sum(filter(None, map(self._packed.get, grams(clause))))

    def sums(self, packed: int) -> tuple[tuple[int, ...], float]:
        """Return the sum of each lane, and what each times makes a logit of it, but for the lane's bias."""
        sums = _LANES.unpack(((packed + _SIGNS) ^ _SIGNS).to_bytes(_WIDTH, "little"))
        return sums, _UNIT / ((sums[-1] * self.scales[-1]) ** 0.5 or 1.0)

    @property
    def head(self) -> Mapping[str, Sequence[Sequence[float]]]:
        """The rows of weights of each part of the head, in each row its constant last."""
        return self._head

    @head.setter
    def head(self, parts: Mapping[str, Sequence[Sequence[float]]]) -> None:
        self._head = {name: [tuple(row) for row in rows] for name, rows in parts.items()}
        self._squares = {name: [hypot(*row) ** 2 for row in rows] for name, rows in parts.items()}

    def judge(self, name: str, signals: Sequence[float]) -> list[float]:
        """Return the logits of one part of the head, one a row.

        2ab = |a|² + |b|² - |a - b|², and of the sums over two sequences only math.dist is quick.
        """
        given = (*signals, 1.0)
        square = hypot(*given) ** 2
        rows = zip(self._head[name], self._squares[name], strict=True)
        return [(own + square - dist(row, given) ** 2) / 2 for row, own in rows]

    def rank(self, name: str, many: Sequence[Sequence[float]]) -> list[float]:
        """Return how far each of many is by a part of the head with one row, but for what all have."""
        row = self._head[name][0][:-1]
        return [(hypot(*signals) ** 2 - dist(row, signals) ** 2) / 2 for signals in many]

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
