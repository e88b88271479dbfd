"""Train the reader's model: python -m infra.reader.train --gold FILE --labelled FILE ... --output MODEL

The files stay where they are; the model holds weights and n-grams of up to four characters. What is
printed is measured on gold rows by models that never saw them, through the code that runs in the Lambda.
docs/decisions says what was tried.
"""

import argparse
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from functions.reading import Lexicon, Model, Reader
from functions.reading.lexicon import parse
from infra.reader import fit
from infra.reader.figures import Judged, of_causes, overall
from infra.reader.rows import TRAINED_ON, Row, apart, corpus, labelled, mark, stream, texts

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
FOLDS, SEED = 5, 11
USUAL = 20  # every so many-th weak row teaches the head instead of the n-grams
GOLD, CORPUS, STREAM = 2.0, 0.4, 0.1  # how far a row of each kind is trusted; other labelled rows: 1


def main(arguments: Sequence[str] | None = None) -> None:
    given = _parser().parse_args(arguments)
    gold = labelled(given.gold, weight=GOLD)
    rows, weak = _others(given, gold)
    print(f"{len(gold)} gold rows, {len(rows)} labelled ones, {len(weak)} with a corpus's label or stars")
    words = parse(given.lexicon.read_text(encoding="utf-8"), given.lexicon.name)
    judged, model = train(gold, rows, weak, words)
    for name, figure in overall(judged).items():
        print(f"{name:26s}{figure}")
    for each in of_causes(judged):
        print(
            f"{each.cause:18s}{each.rows:4d}  precision {each.precision}  recall {each.recall}  F1 {each.f1}"
        )
    given.output.write_bytes(model.dump())
    TRAINED_ON.write_text("".join(f"{mark(row)}\n" for row in sorted(gold, key=mark)), encoding="utf-8")
    print(f"{given.output}: {len(model.rows)} n-grams, {given.output.stat().st_size:,} bytes")


def train(
    gold: Sequence[Row], rows: Sequence[Row], weak: Sequence[Row], words: Mapping[str, tuple[str, ...]]
) -> tuple[list[Judged], Model]:
    """Return what was read in the gold rows without knowing them, and the model of everything."""
    lexicon, everything = Lexicon(words), [*gold, *rows]
    parts = [
        part.tolist()
        for part in np.array_split(np.random.default_rng(SEED).permutation(len(everything)), FOLDS)
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
    judged = []
    for number, part in enumerate(parts):
        others = [other for other in range(FOLDS) if other != number]
        models[number].head = fit.heads(
            [everything[at] for other in others for at in parts[other]],
            np.concatenate([seen[other] for other in others]),
            usual,
            usual_seen,
        ) | {"evidence": fit.evidence_head([each for other in others for each in phrases[other]])}
        reader = Reader({"zh": words}, models[number])
        judged += [Judged(everything[at], reader.read(everything[at].text)) for at in part if at < len(gold)]
    final = fit.fit(everything, weak)
    final.head = fit.heads(
        [everything[at] for part in parts for at in part], np.concatenate(seen), usual, usual_seen
    )
    final.head["evidence"] = fit.evidence_head([each for part in phrases for each in part])
    return judged, final


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
