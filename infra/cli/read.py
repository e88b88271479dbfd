"""winback read: read the texts of a file, measure the reader on labelled rows, fetch confirmed causes.

A row that cannot be read is told by its line and kept in the output, its new columns empty. Columns of the
input that are called like new ones (labels, say) are kept as `given_NAME`.
"""

import argparse
import csv
import gzip
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import boto3
from rich.console import Console
from rich.progress import track

from functions import rulebook
from functions.domain.cases import Case
from functions.domain.reading import Reading
from functions.store.items import from_item
from infra.cli.main import STAGES, UsageError
from infra.reader.figures import Judged
from infra.reader.report import html, text
from infra.reader.rows import TRAINED_ON, labelled, mark

ADDED = ("is_negative", "has_complaint", "cause_primary", "cause_secondary", "confidence", "evidence")
GOOD_STARS = 4
FEEDBACK = (
    "id",
    "text",
    "is_negative",
    "has_complaint",
    "cause_primary",
    "cause_secondary",
    "evidence",
    "predicted",
    "confidence",
)


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare `winback read` and its parts."""
    parser.add_argument("--input", type=Path, metavar="FILE", help="CSV or CSV.gz with a text a row")
    parser.add_argument(
        "--output", type=Path, metavar="FILE", help="the same rows with what was read in them"
    )
    parser.add_argument("--text-column", default="text", metavar="NAME")
    parser.add_argument(
        "--stars-column", metavar="NAME", help="1 to 5: also tell which good ratings hide a complaint"
    )
    parser.set_defaults(run=("infra.cli.read", "run"))
    parts = parser.add_subparsers(metavar="PART")
    measure = parts.add_parser("evaluate", help="measure the reader on rows labelled by hand")
    measure.add_argument("--gold", type=Path, required=True, metavar="FILE")
    measure.add_argument(
        "--page", type=Path, default=Path("reading.html"), metavar="FILE", help="one HTML page (reading.html)"
    )
    measure.set_defaults(run=("infra.cli.read", "evaluate"))
    feedback = parts.add_parser("feedback", help="fetch the causes that people confirmed, as training rows")
    feedback.add_argument("--stage", choices=STAGES, default="dev")
    feedback.add_argument("--output", type=Path, required=True, metavar="FILE")
    feedback.set_defaults(run=("infra.cli.read", "feedback"))


def run(given: argparse.Namespace) -> int:
    if given.input is None or given.output is None:
        raise UsageError("read needs --input FILE.csv and --output FILE.csv, or one of evaluate, feedback")
    console = Console(stderr=True)
    rules, bad, count = rulebook.load(), 0, 0
    with _opened(given.input, "rt") as source, _opened(given.output, "wt") as target:
        lines = csv.reader(source)
        names = next(lines, [])
        text_at, stars_at = _column(names, given.text_column, given.input), None
        added = [*ADDED]
        if given.stars_column:
            stars_at = _column(names, given.stars_column, given.input)
            added.append("hidden_complaint")
        writer = csv.writer(target, lineterminator="\n")
        writer.writerow([*(f"given_{name}" if name in added else name for name in names), *added])
        for row in track(lines, "Reading", console=console):
            count += 1
            fault = _fault(row, names, stars_at)
            if fault:
                bad += 1
                console.print(f"line {lines.line_num}: {fault}")
                writer.writerow([*row, *[""] * (len(names) - len(row)), *[""] * len(added)])
                continue
            reading = rules.read(row[text_at])
            good = stars_at is not None and row[stars_at] != "" and float(row[stars_at]) >= GOOD_STARS
            hidden = [_yes(good and reading.complains)] if stars_at is not None else []
            writer.writerow([*row, *_columns(reading), *hidden])
    console.print(f"{count} rows read into {given.output}, {bad} of them kept as they were")
    return 1 if bad else 0


def evaluate(given: argparse.Namespace) -> int:
    try:
        rows = labelled(given.gold)
    except (OSError, KeyError, ValueError) as error:
        raise UsageError(
            f"{given.gold} cannot be used: {error!r}; see infra/reader/rows.py for its columns"
        ) from error
    rules = rulebook.load()
    judged = [Judged(row, rules.read(row.text)) for row in rows]
    known = set(TRAINED_ON.read_text(encoding="utf-8").split()) if TRAINED_ON.exists() else set()
    seen = sum(mark(row) in known for row in rows)
    note = (
        f"{seen} of the {len(rows)} rows were trained on: the figures flatter. Train without them to know."
        if seen
        else ""
    )
    print(text(judged, note))
    given.page.write_text(html(judged, note), encoding="utf-8")
    print(f"\n{given.page} shows the same, with plot and mistakes.")
    return 0


def feedback(given: argparse.Namespace) -> int:
    """Write one row a case whose cause a person confirmed and whose text was not erased."""
    count = 0
    with _opened(given.output, "wt") as target:
        writer = csv.writer(target, lineterminator="\n")
        writer.writerow(FEEDBACK)
        for case in confirmed(boto3.client("dynamodb"), f"winback-{given.stage}-cases"):
            count += 1
            agreed = case.confirmed_cause == case.cause
            writer.writerow(
                [
                    case.case_id, case.review.text, "yes", "yes", case.confirmed_cause, "",
                    case.evidence[0] if agreed and case.evidence else "", case.cause, case.confidence,
                ]
            )  # fmt: skip
    print(f"{count} confirmed rows in {given.output}; `python -m infra.reader.train --labelled` takes them.")
    return 0


def confirmed(dynamodb: Any, table: str) -> Iterator[Case]:
    for page in dynamodb.get_paginator("scan").paginate(TableName=table):
        for item in page["Items"]:
            case = from_item(Case, item)
            if case.confirmed_cause is not None and case.review.text:
                yield case


def _columns(reading: Reading) -> list[str]:
    return [
        _yes(reading.negative), _yes(reading.complains), reading.cause if reading.complains else "none",
        reading.secondary or "", f"{reading.confidence:.3f}", reading.evidence[0] if reading.evidence else "",
    ]  # fmt: skip


def _yes(said: bool) -> str:
    return "yes" if said else "no"


def _fault(row: list[str], names: list[str], stars_at: int | None) -> str | None:
    if len(row) != len(names):
        return f"{len(row)} columns where the first line has {len(names)}"
    if stars_at is not None and row[stars_at] != "":
        try:
            float(row[stars_at])
        except ValueError:
            return f"{names[stars_at]} is no number"
    return None


def _column(names: list[str], name: str, path: Path) -> int:
    if name not in names:
        raise UsageError(f"{path} has no column {name!r}; it has {', '.join(names) or 'no first line'}")
    return names.index(name)


@contextmanager
def _opened(path: Path, mode: str) -> Iterator[IO[str]]:
    opener: Any = gzip.open if path.suffix == ".gz" else open
    try:
        # A byte that is no UTF-8 spoils its own row only.
        file = opener(path, mode, encoding="utf-8", errors="replace", newline="")
    except OSError as error:
        raise UsageError(f"{path} cannot be opened: {error.strerror}") from error
    with file:
        yield file


def main() -> int:
    parser = argparse.ArgumentParser(prog="winback read", description=__doc__)
    arguments(parser)
    given = parser.parse_args()
    functions = {"run": run, "evaluate": evaluate, "feedback": feedback}
    return functions[given.run[1]](given)


if __name__ == "__main__":
    raise SystemExit(main())
