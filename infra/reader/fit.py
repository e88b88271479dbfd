"""Fitting: the n-grams' weights, and the head that weighs clauses, words and text as a whole."""

from collections import Counter
from collections.abc import Sequence, Set
from dataclasses import dataclass

import numpy as np
from scipy import sparse
from scipy.optimize import minimize

from functions.domain.causes import CAUSES
from functions.reading.clauses import clauses, grams, prepared
from functions.reading.lexicon import Lexicon
from functions.reading.model import LANES, Model
from functions.reading.signals import VERDICT, clause_signals, signals
from functions.reading.signs import Weights
from infra.reader.rows import Row

PRIMARY = 0.75  # of a row's weight, where there is a secondary cause
EVIDENCE = 0.5  # weight of an evidence phrase as a text of its own
HIDDEN = 0.7  # how far a row without a label that is not negative counts as free of complaints
USUAL = 2.0  # weight, in the head, of a row that is neither labelled nor picked
SEEN = 4  # in so many texts an n-gram must stand
L2_CAUSE, L2_BINARY, L2_HEAD, L2_EVIDENCE = 1 / 64, 1 / 32, 8.0, 1.0
WIDE = 0.85  # how near clauses are drawn to the best one: the smaller, the longer the phrases


class Vocabulary:
    """Which n-grams count, and how rare each is."""

    def __init__(self, texts: Sequence[str], seen: int = SEEN) -> None:
        found = Counter(gram for text in texts for gram in set(_grams(text)))
        kept = (gram for gram, count in found.items() if count >= seen and "\n" not in gram)
        # Those that are met most stand together in memory: reading is then a fiftieth quicker.
        self.rows = sorted(kept, key=lambda gram: (-found[gram], gram))
        self.index = {gram: at for at, gram in enumerate(self.rows)}
        counts = np.array([found[gram] for gram in self.rows])
        self.rarity = 1 + np.log((1 + len(texts)) / (1 + counts))

    def matrix(self, texts: Sequence[str]) -> sparse.csr_matrix:
        """Return one row a text, scaled as functions/reading/model.py does it."""
        at, starts = [], [0]
        for text in texts:
            at += [self.index[gram] for gram in _grams(text) if gram in self.index]
            starts.append(len(at))
        found = sparse.csr_matrix((np.ones(len(at)), at, starts), shape=(len(texts), len(self.rows)))
        norms = np.sqrt(np.maximum(found @ self.rarity**2, 1e-9))
        found.sum_duplicates()
        return sparse.diags(1 / norms) @ found @ sparse.diags(self.rarity)


def _grams(text: str) -> list[str]:
    text = prepared(text)
    return [gram for start, end in clauses(text) for gram in grams(text[start:end])]


def softmax_fit(
    x: sparse.csr_matrix, y: np.ndarray, weight: np.ndarray, l2: float, steps: int = 60
) -> tuple[np.ndarray, np.ndarray]:
    """Return weights and biases of a multinomial regression on soft targets."""
    x = sparse.csr_matrix(x, dtype=np.float32)
    width, kinds, back = x.shape[1], y.shape[1], x.T.tocsr()

    def loss(v: np.ndarray) -> tuple[float, np.ndarray]:
        w, b = v[: width * kinds].reshape(width, kinds), v[width * kinds :]
        logits = x @ w.astype(np.float32) + b
        logits -= logits.max(1, keepdims=True)
        powers = np.exp(logits)
        total = powers.sum(1, keepdims=True)
        slope = weight[:, None] * (powers / total - y)
        value = -(weight[:, None] * y * (logits - np.log(total))).sum() + l2 / 2 * (w**2).sum()
        return float(value), np.concatenate(
            [(back @ slope.astype(np.float32)).astype(float).ravel() + l2 * w.ravel(), slope.sum(0)]
        )

    found = minimize(
        loss,
        np.zeros((width + 1) * kinds),
        jac=True,
        method="L-BFGS-B",
        options={"maxiter": steps, "maxcor": 6},
    ).x
    return found[: width * kinds].reshape(width, kinds), found[width * kinds :]


def weigh(
    found: Sequence[Set[str]], kinds: np.ndarray, weight: np.ndarray, seen: int, l2: float
) -> list[Weights]:
    """Return what tells each kind but the first from the first; the bar is even odds.

    `found` are the n-grams of texts, `kinds` has a column for each kind. An n-gram counts that stands in
    so many texts.
    """
    counts = Counter(gram for each in found for gram in each)
    kept = sorted(gram for gram, count in counts.items() if count >= seen)
    index = {gram: at for at, gram in enumerate(kept)}
    columns = [sorted(index[gram] for gram in each if gram in index) for each in found]
    lengths = [len(each) for each in columns]
    starts = np.concatenate([[0], np.cumsum(lengths)])
    values = np.repeat(1 / np.sqrt(np.maximum(lengths, 1)), lengths)
    x = sparse.csr_matrix((values, np.concatenate(columns), starts), shape=(len(found), len(kept)))
    w, b = softmax_fit(x, kinds, weight, l2, steps=300)
    return [
        Weights(
            dict(zip(kept, np.rint(100 * (w[:, kind] - w[:, 0])).astype(int).tolist(), strict=True)),
            round(100 * float(b[kind] - b[0])),
        )
        for kind in range(1, kinds.shape[1])
    ]


def fit(rows: Sequence[Row], weak: Sequence[Row]) -> Model:
    """Return a model without a head: labelled rows teach all lanes, weak ones what is negative."""
    caused = [row for row in rows if row.cause in CAUSES]
    phrases = [row for row in caused if row.evidence]
    texts = [row.text for row in caused] + [row.evidence for row in phrases]
    everything = [*rows, *weak]
    vocabulary = Vocabulary([row.text for row in everything if row.counts])
    targets = np.array([_target(row, PRIMARY) for row in caused] + [_target(row, 1.0) for row in phrases])
    weights = np.array([1.0] * len(caused) + [EVIDENCE] * len(phrases))
    by_cause = softmax_fit(vocabulary.matrix(texts), targets, weights, L2_CAUSE)
    known = [row for row in everything if row.negative is not None]
    negative = _binary(
        vocabulary,
        [row.text for row in known],
        [bool(row.negative) for row in known],
        [row.weight for row in known],
    )
    said = [row for row in everything if row.complains is not None or row.negative is not None]
    complains = _binary(
        vocabulary, [row.text for row in said] + [row.evidence for row in phrases],
        [bool(row.negative if row.complains is None else row.complains) for row in said]
        + [True] * len(phrases),
        [row.weight * (HIDDEN if row.complains is None and not row.negative else 1) for row in said]
        + [EVIDENCE * row.weight for row in phrases],
    )  # fmt: skip
    lanes = np.column_stack([by_cause[0], negative[0], complains[0]]) * vocabulary.rarity[:, None]
    biases = [*by_cause[1], negative[1], complains[1]]
    return pack(vocabulary, lanes, biases)


def pack(vocabulary: Vocabulary, lanes: np.ndarray, biases: Sequence[float]) -> Model:
    """Return the model with one byte a weight."""
    scales = np.maximum(np.quantile(np.abs(lanes), 0.9995, axis=0), 1e-9) / 127
    bytes_ = np.clip(np.rint(lanes / scales), -127, 127).astype(int) + 128
    share = vocabulary.rarity**2
    scale = share.max() / 255
    stored = np.column_stack([bytes_, np.rint(share / scale)]).astype(np.uint8)
    if stored.shape[1] != len(LANES):
        raise ValueError("the lanes of functions/reading/model.py are others")
    return Model(
        vocabulary.rows,
        stored.tobytes(),
        [*map(float, scales), float(scale)],
        [float(each) for each in biases],
        {},
    )


def head(
    signals_: np.ndarray, targets: np.ndarray, weight: np.ndarray, l2: float = L2_HEAD
) -> list[list[float]]:
    """Return a row of weights for each kind, its constant last."""
    middle, width = signals_.mean(0), signals_.std(0) + 1e-6
    w, b = softmax_fit(sparse.csr_matrix((signals_ - middle) / width), targets, weight, l2, steps=300)
    w = w / width[:, None]
    return [
        [*map(float, w[:, kind]), float(b[kind] - middle @ w[:, kind])] for kind in range(targets.shape[1])
    ]


def see(rows: Sequence[Row], model: Model, lexicon: Lexicon) -> np.ndarray:
    return np.array([signals(prepared(row.text), model, lexicon).values for row in rows])


@dataclass(frozen=True)
class Ranked:
    """The clauses of a row with evidence: what is seen of each, and whether it holds some of the evidence."""

    signals: list[tuple[float, ...]]
    holds: list[bool]


def evidence(rows: Sequence[Row], model: Model, lexicon: Lexicon) -> list[Ranked]:
    """Return the rows in which some clauses hold the evidence and others do not."""
    found = []
    for row in rows:
        start = row.text.find(row.evidence) if row.evidence and row.cause in CAUSES else -1
        if start >= 0:
            end = start + len(row.evidence)
            seen = signals(prepared(row.text), model, lexicon)
            holds = [start < clause_end and clause_start < end for clause_start, clause_end in seen.spans]
            if any(holds) and not all(holds):
                found.append(Ranked(clause_signals(seen, CAUSES.index(row.cause), model), holds))
    return found


def evidence_head(rows: Sequence[Ranked]) -> list[list[float]]:
    """Return weights that rank the clauses of one text: those that hold evidence above its others.

    Only differences within a text count, so there is no constant.
    """
    x = np.array([signals_ for row in rows for signals_ in row.signals])
    x = x / (width := x.std(0) + 1e-6)
    holds = np.array([held for row in rows for held in row.holds])
    lengths = [len(row.holds) for row in rows]
    starts, own = np.cumsum([0, *lengths[:-1]]), np.repeat(np.arange(len(rows)), lengths)

    def loss(v: np.ndarray) -> tuple[float, np.ndarray]:
        scores = x @ v
        powers = np.exp(scores - np.maximum.reduceat(scores, starts)[own])
        everywhere = powers / np.add.reduceat(powers, starts)[own]
        right = np.maximum(np.add.reduceat(everywhere * holds, starts), 1e-12)
        slope = everywhere - everywhere * holds / right[own]
        return float(L2_EVIDENCE / 2 * v @ v - np.log(right).sum()), x.T @ slope + L2_EVIDENCE * v

    found = minimize(loss, np.zeros(x.shape[1]), jac=True, method="L-BFGS-B").x
    return [[*(float(WIDE * weight) for weight in found / width), 0.0]]


def _difference(two: list[list[float]]) -> list[list[float]]:
    return [[yes - no for no, yes in zip(*two, strict=True)]]


def heads(
    rows: Sequence[Row], seen: np.ndarray, usual: Sequence[Row], usual_seen: np.ndarray
) -> dict[str, list[list[float]]]:
    """Fit the head on signals that models without these rows gave.

    `usual` rows were not picked for being hard: without them praise would be taken for complaints.
    """
    caused = np.array([row.cause in CAUSES for row in rows])
    by_cause = head(
        seen[caused],
        np.array([_target(row, 0.85) for row in rows if row.cause in CAUSES]),
        np.ones(sum(caused)),
    )
    everything = np.concatenate([seen, usual_seen])
    weight = np.array([*(row.weight for row in rows), *[USUAL] * len(usual)])

    def tells(signals_: np.ndarray, said: Sequence[bool | None]) -> list[list[float]]:
        true = np.array([bool(each) for each in (*said, *(row.negative for row in usual))], float)
        return _difference(head(signals_, np.column_stack([1 - true, true]), weight))

    ((*weights, constant),) = tells(everything[:, :VERDICT], [row.negative for row in rows])
    negative = [*weights, *[0.0] * (seen.shape[1] - VERDICT), constant]
    (complains,) = tells(everything, [row.complains for row in rows])
    return {"text": [*_sure(by_cause, rows, seen), negative, complains]}


def _sure(by_cause: list[list[float]], rows: Sequence[Row], seen: np.ndarray) -> list[list[float]]:
    """Return the head sharpened so that its probabilities fit the rows labelled with most care."""
    careful = [at for at, row in enumerate(rows) if row.cause in CAUSES and row.negative and row.weight > 1]
    if not careful:
        return by_cause
    weights = np.array(by_cause)
    logits = seen[careful] @ weights[:, :-1].T + weights[:, -1]
    true = [CAUSES.index(rows[at].cause) for at in careful]

    def surprise(sharpness: float) -> float:
        scaled = sharpness * logits
        return float((np.log(np.exp(scaled).sum(1)) - scaled[np.arange(len(true)), true]).sum())

    best = min(np.arange(0.5, 2.55, 0.05), key=surprise)
    return [[float(best * weight) for weight in row] for row in by_cause]


def _binary(
    vocabulary: Vocabulary, texts: list[str], said: list[bool], weights: list[float]
) -> tuple[np.ndarray, float]:
    yes = np.array(said, float)
    w, b = softmax_fit(
        vocabulary.matrix(texts), np.column_stack([1 - yes, yes]), np.array(weights), L2_BINARY
    )
    return w[:, 1] - w[:, 0], b[1] - b[0]


def _target(row: Row, primary: float) -> np.ndarray:
    target = np.zeros(len(CAUSES))
    both = row.secondary in CAUSES and row.secondary != row.cause
    target[CAUSES.index(row.cause)] = primary if both else 1.0
    if both:
        target[CAUSES.index(row.secondary)] = 1 - primary
    return target
