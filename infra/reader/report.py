"""The report of an evaluation: text for the terminal, one HTML page to keep."""

from collections.abc import Sequence
from html import escape

from functions.domain.causes import CAUSES
from infra.reader.figures import Judged, confusion, negatives, of_causes, overall, reliability, worst

_SIDE = 320  # of the plot, in pixels
_STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem }
table { border-collapse: collapse; margin: 1rem 0 }
td, th { border: 1px solid #ccc; padding: .25rem .6rem; text-align: right }
td:first-child, th:first-child { text-align: left }
mark { background: #ffe08a } .note { background: #fff3cd; padding: .6rem }
"""


def text(judged: Sequence[Judged], note: str = "") -> str:
    lines = [note] if note else []
    lines += [f"{name:26s}{figure}" for name, figure in overall(judged).items()]
    lines += ["", f"{'cause':18s}{'rows':>5s}  precision              recall                 F1"]
    lines += [
        f"{each.cause:18s}{each.rows:5d}  {each.precision}  {each.recall}  {each.f1}"
        for each in of_causes(judged)
    ]
    lines += ["", "labelled (down) and read (across):"]
    names, cells = _table(judged)
    lines.append(" " * 18 + "".join(f"{name[:9]:>10s}" for name in names))
    lines += [f"{name:18s}" + "".join(f"{cell or '.':>10}" for cell in row) for name, row in cells]
    lines += ["", "confidence said, share right, rows:"]
    lines += [f"  {part.said:.2f}  {part.right:.2f}  {part.rows}" for part in reliability(negatives(judged))]
    return "\n".join(lines)


def html(judged: Sequence[Judged], note: str = "") -> str:
    names, cells = _table(judged)
    figures = [[name, figure] for name, figure in overall(judged).items()]
    causes = [[each.cause, each.rows, each.precision, each.recall, each.f1] for each in of_causes(judged)]
    return "\n".join(
        [
            '<!doctype html><html lang="en"><meta charset="utf-8"><title>Reading</title>',
            f"<style>{_STYLE}</style>",
            f"<h1>How well reviews are read</h1><p>{len(judged)} rows, {len(negatives(judged))} negative. "
            "In brackets: 95 % bootstrap intervals.</p>",
            f'<p class="note">{escape(note)}</p>' if note else "",
            _html_table(["", "figure"], figures),
            "<h2>By cause</h2>", _html_table(["cause", "rows", "precision", "recall", "F1"], causes),
            "<h2>Confusion</h2><p>Labelled down, read across.</p>",
            _html_table(["", *names], [[name, *[cell or "" for cell in row]] for name, row in cells]),
            "<h2>Calibration</h2><p>Of the causes read with this confidence, how many are right. "
            "A bigger dot stands for more rows; on the line is perfect.</p>", _plot(judged),
            "<h2>Worst mistakes</h2>", *(_mistake(each) for each in worst(judged)),
            "</html>",
        ]
    )  # fmt: skip


def _table(judged: Sequence[Judged]) -> tuple[list[str], list[tuple[str, list[int]]]]:
    counts = confusion(judged)
    names = [name for name in (*CAUSES, "none") if any(name in pair for pair in counts)]
    return names, [(name, [counts[name, read] for read in names]) for name in names]


def _html_table(heading: Sequence[object], rows: Sequence[Sequence[object]]) -> str:
    def line(cells: Sequence[object], tag: str) -> str:
        return "<tr>" + "".join(f"<{tag}>{escape(str(cell))}</{tag}>" for cell in cells) + "</tr>"

    return "<table>" + line(heading, "th") + "".join(line(row, "td") for row in rows) + "</table>"


def _plot(judged: Sequence[Judged]) -> str:
    bad = negatives(judged)
    dots = "".join(
        f'<circle cx="{part.said * _SIDE:.1f}" cy="{(1 - part.right) * _SIDE:.1f}" '
        f'r="{3 + 12 * (part.rows / len(bad)) ** 0.5:.1f}" fill="#2a6" fill-opacity=".6">'
        f"<title>said {part.said:.2f}, right {part.right:.2f}, {part.rows} rows</title></circle>"
        for part in reliability(bad)
    )
    return (
        f'<svg viewBox="-40 -20 {_SIDE + 60} {_SIDE + 60}" width="{_SIDE + 60}" role="img" '
        f'aria-label="Calibration plot"><rect width="{_SIDE}" height="{_SIDE}" fill="#f7f7f7" stroke="#999"/>'
        f'<line x1="0" y1="{_SIDE}" x2="{_SIDE}" y2="0" stroke="#999" stroke-dasharray="4"/>{dots}'
        f'<text x="{_SIDE / 2}" y="{_SIDE + 30}" text-anchor="middle">confidence said</text>'
        f'<text x="-20" y="{_SIDE / 2}" text-anchor="middle" transform="rotate(-90 -20 {_SIDE / 2})">'
        "share right</text></svg>"
    )


def _mistake(each: Judged) -> str:
    shown, written = each.reading.phrases[:1], each.row.text
    if shown:
        start, end = shown[0].start, shown[0].end
        marked = f"{escape(written[:start])}<mark>{escape(written[start:end])}</mark>{escape(written[end:])}"
    else:
        marked = escape(written)
    return (
        f"<p>{marked}<br><small>{escape(each.row.id)}: labelled {each.row.cause}"
        f"{f' ({each.row.secondary})' if each.row.secondary else ''}, read {each.reading.cause} "
        f"with {each.reading.percent} %</small></p>"
    )
