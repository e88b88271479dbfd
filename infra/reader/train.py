"""Train the reader's model: python -m infra.reader.train --gold FILE --labelled FILE ... --output MODEL

The files stay where they are; the model holds weights and n-grams of at most four characters. What is
printed is measured on gold rows by models that never saw them, through the code that runs in the Lambda; a
split alone moves a figure by as much as most changes do, so it is the mean of several. docs/decisions says
what was tried.
"""

import argparse
from collections.abc import Mapping, Sequence
from dataclasses import astuple
from pathlib import Path
from statistics import mean

import numpy as np

from functions.reading import Lexicon, Reader
from functions.reading.lexicon import parse
from infra.reader import fit
from infra.reader.figures import Figure, Judged, of_causes, overall
from infra.reader.rows import TRAINED_ON, Row, apart, corpus, labelled, mark, stream, texts

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
FOLDS = 5
SEEDS = 11, 12, 13, 14  # of the splits; the first one's rows teach the shipped head
USUAL = 20  # every so many-th weak row teaches the head instead of the n-grams
GOLD, CORPUS, STREAM = 2.0, 0.4, 0.1  # how far a row of each kind is trusted; other labelled rows: 1


def main(arguments: Sequence[str] | None = None) -> None:
    given = _parser().parse_args(arguments)
    gold = labelled(given.gold, weight=GOLD)
    rows, weak = _others(given, gold)
    print(f"{len(gold)} gold rows, {len(rows)} labelled ones, {len(weak)} with a corpus's label or stars")
    words = parse(given.lexicon.read_text(encoding="utf-8"), given.lexicon.name)
    measured = []
    for seed in SEEDS:
        print(f"split {seed}", flush=True)
        judged, made = cross_validate(gold, rows, weak, words, seed)
        measured.append(overall(judged))
        if seed == SEEDS[0]:
            by_cause, heads = of_causes(judged), made
    for name in measured[0]:
        each = [figures[name] for figures in measured]
        middle = Figure(*(mean(sizes) for sizes in zip(*map(astuple, each), strict=True)))
        print(f"{name:26s}{middle}  splits {' '.join(f'{figure.value:.3f}' for figure in each)}")
    print(f"causes, split {SEEDS[0]}")
    for each_cause in by_cause:
        print(
            f"{each_cause.cause:18s}{each_cause.rows:4d}  precision {each_cause.precision}"
            f"  recall {each_cause.recall}  F1 {each_cause.f1}"
        )
    model = fit.fit([*gold, *rows], [row for at, row in enumerate(weak) if at % USUAL])
    model.head = heads
    given.output.write_bytes(model.dump())
    TRAINED_ON.write_text("".join(f"{mark(row)}\n" for row in sorted(gold, key=mark)), encoding="utf-8")
    print(f"{given.output}: {len(model.rows)} n-grams, {given.output.stat().st_size:,} bytes")


Head = dict[str, list[list[float]]]


def cross_validate(
    gold: Sequence[Row],
    rows: Sequence[Row],
    weak: Sequence[Row],
    words: Mapping[str, tuple[str, ...]],
    seed: int,
) -> tuple[list[Judged], Head]:
    """Return what was read in the gold rows without knowing them, and the head that all rows teach."""
    lexicon, everything = Lexicon(words), [*gold, *rows]
    parts = [
        part.tolist()
        for part in np.array_split(np.random.default_rng(seed).permutation(len(everything)), FOLDS)
    ]
    usual, weak = list(weak[::USUAL]), [row for at, row in enumerate(weak) if at % USUAL]
    seen, phrases, models = [], [], []
    for number, part in enumerate(parts):
        model = fit.fit(_without(everything, part), weak)
        held_out = [everything[at] for at in part]
        seen.append(fit.see(held_out, model, lexicon))
        phrases.append(fit.evidence(held_out, model, lexicon))
        models.append(model)
        print(f"part {number + 1} of {FOLDS} read", flush=True)
    usual_seen = fit.see(usual, models[0], lexicon)

    def head(of: Sequence[int]) -> Head:
        """Return the head that these parts teach."""
        return fit.heads(
            [everything[at] for number in of for at in parts[number]],
            np.concatenate([seen[number] for number in of]),
            usual,
            usual_seen,
        ) | {"evidence": fit.evidence_head([each for number in of for each in phrases[number]])}

    judged = []
    for number, part in enumerate(parts):
        models[number].head = head([other for other in range(FOLDS) if other != number])
        reader = Reader({"zh": words}, models[number])
        judged += [Judged(everything[at], reader.read(everything[at].text)) for at in part if at < len(gold)]
    return judged, head(range(FOLDS))


def _without(rows: Sequence[Row], left_out: Sequence[int]) -> list[Row]:
    out = set(left_out)
    return [row for at, row in enumerate(rows) if at not in out]


def _others(given: argparse.Namespace, gold: Sequence[Row]) -> tuple[list[Row], list[Row]]:
    """Return the labelled and the weak rows that are not, nor nearly, gold ones."""
    known = texts(*given.texts)
    found: dict[str, Row] = {row.id: row for path in given.labelled for row in labelled(path, known)}
    rows = apart(found.values(), gold)
    weak = [row for path in given.corpus for row in corpus(path, CORPUS)]
    weak += [row for path in given.stream for row in stream(path, STREAM)]
    return rows, [row for row in apart(weak, gold) if row.id not in found]


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--gold", type=Path, required=True, help="rows labelled with care; measured on, too")
    parser.add_argument(
        "--labelled",
        type=Path,
        nargs="+",
        default=[HERE / "labels.csv"],
        help="rows labelled after the guide",
    )
    parser.add_argument(
        "--texts", type=Path, nargs="*", default=[], help="where the labelled rows' texts are"
    )
    parser.add_argument("--corpus", type=Path, nargs="*", default=[], help="rows with a corpus's label")
    parser.add_argument("--stream", type=Path, nargs="*", default=[], help="rows with stars")
    parser.add_argument("--lexicon", type=Path, default=ROOT / "rules" / "lexicon.toml")
    parser.add_argument("--output", type=Path, default=ROOT / "functions" / "reading" / "model.bin")
    return parser


if __name__ == "__main__":
    main()
