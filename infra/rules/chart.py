# ruff: noqa: E501  # style sheets and markup
"""Chart: a replay as one small HTML page that needs nothing else."""

from html import escape
from typing import TYPE_CHECKING

from functions.domain.money import yuan

if TYPE_CHECKING:
    from infra.rules.replay import Flip, Replay

_STYLE = """body{font:15px/1.5 system-ui,"PingFang SC","Noto Sans CJK SC",sans-serif;margin:1.5rem auto;max-width:64rem;
padding:0 1rem;color:#1c2430}h1{font-size:1.3rem}h2{font-size:1.05rem;margin:1.4rem 0 .4rem}.sum{display:grid;gap:.8rem;grid-template-columns:repeat(auto-fit,minmax(9.5rem,1fr))}
.sum div{background:#f2f5f9;border-radius:.6rem;padding:.7rem 1rem}.sum b{display:block;font-size:1.2rem}
.scroll{overflow-x:auto}table{border-collapse:collapse;width:100%}td,th{text-align:left;padding:.3rem .6rem;white-space:nowrap;
border-bottom:1px solid #dde3ea}td.n,th.n{text-align:right;font-variant-numeric:tabular-nums}svg{display:block;width:100%;min-width:44rem;height:auto}
svg text{font-size:12px;fill:#51606f;text-anchor:middle}.dearer{fill:#d1584f}.cheaper{fill:#2e9e6b}code{color:#51606f}"""
_WIDTH, _HEIGHT, _EDGE = 960, 160, 22  # the edge holds a label
_ROWS = 500


def page(result: "Replay") -> str:
    boxes = {
        "difference a day, yuan": _signed(result.per_day),
        "cases that change": f"{len(result.flips):,}",
        "cost before, yuan": _amount(result.cost[0]),
        "cost after, yuan": _amount(result.cost[1]),
    }
    summary = "".join(f"<div><b>{escape(value)}</b>{escape(name)}</div>" for name, value in boxes.items())
    changed = ", ".join(f"{count:,} {name}" for name, count in result.changes.items() if count) or "nothing"
    played = f"{result.orders:,} orders, {result.reviews:,} reviews, {result.days:,} days; cases {result.cases[0]:,} → {result.cases[1]:,}."
    if result.left_out:
        played += f" {result.left_out:,} cases left out: these rules ask about facts that they do not have."
    trial = "".join(
        f"<p>On trial <b>{escape(row)}</b>: would decide {count:,} cases, {_signed(result.shadow_cost[row])} yuan.</p>"
        for row, count in sorted(result.shadow.items())
    )
    more = len(result.flips) - _ROWS
    rest = f"<p>And {more:,} more; <code>--format json</code> has all.</p>" if more > 0 else ""
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
        f"<title>Rules replayed</title><style>{_STYLE}</style></head>"
        f"<body><h1>Rules <code>{result.old}</code> → <code>{result.new}</code></h1>"
        f'<div class="sum">{summary}</div><p>{played} Changes: {escape(changed)}.</p>{trial}'
        f"<h2>After minus before, yuan a month</h2>{_bars(result)}"
        '<h2>Cases that change</h2><div class="scroll"><table><tr><th>day</th><th>what changes</th><th class="n">value</th>'
        '<th class="n">cost before</th><th class="n">after</th><th>order</th></tr>'
        f"{''.join(map(_row, result.flips[:_ROWS]))}</table></div>{rest}</body></html>"
    )


def _row(flip: "Flip") -> str:
    value = "–" if flip.value is None else yuan(flip.value)
    return (
        f"<tr><td>{flip.day}</td><td>{escape(', '.join(flip.said))}</td>"
        f'<td class="n">{value}</td><td class="n">{yuan(flip.old.cost)}</td><td class="n">{yuan(flip.new.cost)}</td>'
        f"<td><code>{escape(flip.order_id)}</code></td></tr>"
    )


def _bars(result: "Replay") -> str:
    """Draw the difference of every month: up and red where the new rules cost more, down and green where less."""
    months = sorted(result.months.items())
    differences = [after - before for _, (before, after) in months]
    highest, lowest = max([0, *differences]), min([0, *differences])
    scale = _HEIGHT / ((highest - lowest) or 1)
    step = _WIDTH / max(1, len(months))
    zero = _EDGE + highest * scale
    bottom = _EDGE + _HEIGHT + _EDGE
    parts = [f'<line x1="0" x2="{_WIDTH}" y1="{zero:.1f}" y2="{zero:.1f}" stroke="#9aa7b5"/>']
    for place, (month, (before, after)) in enumerate(months):
        difference = after - before
        height = abs(difference) * scale
        middle, top = (place + 0.5) * step, zero - height if difference > 0 else zero
        label = top - 6 if difference >= 0 else zero + height + 15
        parts.append(
            f'<rect class="{"dearer" if difference > 0 else "cheaper"}" x="{middle - 0.3 * step:.1f}" y="{top:.1f}" '
            f'width="{0.6 * step:.1f}" height="{height:.1f}"><title>{month}: {_amount(before)} → {_amount(after)} '
            f'yuan</title></rect><text x="{middle:.1f}" y="{label:.1f}">{_signed(round(difference, -2))[:-3]}</text>'
            f'<text x="{middle:.1f}" y="{bottom + 12}">{month}</text>'
        )
    drawn = f'<svg viewBox="0 0 {_WIDTH} {bottom + 20}" role="img" aria-label="difference by month">'
    return f'<div class="scroll">{drawn}{"".join(parts)}</svg></div>'


def _amount(fen: int) -> str:
    return f"{'-' if fen < 0 else ''}{abs(fen) // 100:,}.{abs(fen) % 100:02d}"


def _signed(fen: int) -> str:
    return f"{'+' if fen > 0 else ''}{_amount(fen)}"
