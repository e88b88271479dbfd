# ruff: noqa: E501  # style sheets and markup
"""Chart: a replay as one small HTML page that needs nothing else."""

from html import escape
from typing import TYPE_CHECKING

from functions.domain.money import yuan

if TYPE_CHECKING:
    from infra.rules.replay import Replay

_STYLE = """body{font:15px/1.5 system-ui,"PingFang SC","Noto Sans CJK SC",sans-serif;margin:2rem auto;max-width:60rem;
padding:0 1rem;color:#1c2430}h1{font-size:1.4rem}.sum{display:flex;gap:1rem;flex-wrap:wrap}.sum div{background:#f2f5f9;
border-radius:.6rem;padding:.8rem 1.2rem}.sum b{display:block;font-size:1.5rem}table{border-collapse:collapse;width:100%}
td,th{text-align:left;padding:.3rem .6rem;border-bottom:1px solid #dde3ea}svg{width:100%;height:auto}"""
_HEIGHT, _WIDTH = 240, 900
_ROWS = 500


def page(result: "Replay") -> str:
    per_day = result.per_day
    boxes = {
        "difference a day, yuan": f"{'+' if per_day > 0 else ''}{yuan(per_day)}",
        "cases that change": str(len(result.flips)),
        "cost before, yuan": yuan(result.cost[0]),
        "cost after, yuan": yuan(result.cost[1]),
        "reviews": str(result.reviews),
    }
    summary = "".join(f"<div><b>{escape(value)}</b>{escape(name)}</div>" for name, value in boxes.items())
    changed = ", ".join(f"{count} {name}" for name, count in result.changes.items() if count) or "nothing"
    rows = "".join(
        f"<tr><td>{flip.day}</td><td>{escape(flip.order_id)}</td><td>{yuan(flip.value or 0)}</td>"
        f"<td>{escape(', '.join(flip.changed))}</td><td>{escape(flip.old.remedy)} {yuan(flip.old.cost)}</td>"
        f"<td>{escape(flip.new.remedy)} {yuan(flip.new.cost)}</td></tr>"
        for flip in result.flips[:_ROWS]
    )
    trial = "".join(
        f"<p>On trial <b>{escape(row)}</b>: would decide {count} cases, {yuan(result.shadow_cost[row])} yuan.</p>"
        for row, count in sorted(result.shadow.items())
    )
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>Rules replayed</title><style>{_STYLE}</style>'
        f"<h1>Rules {result.old} → {result.new}</h1>"
        f'<div class="sum">{summary}</div><p>Changes: {escape(changed)}.</p>{_bars(result)}{trial}'
        "<table><tr><th>day</th><th>order</th><th>value</th><th>changes</th><th>before</th><th>after</th></tr>"
        f"{rows}</table></html>"
    )


def _bars(result: "Replay") -> str:
    """Cost by month, before (grey) and after (blue)."""
    months = sorted(result.months.items())
    most = max((amount for _, pair in months for amount in pair), default=0) or 1
    step = _WIDTH / max(1, len(months))
    parts = []
    for place, (month, pair) in enumerate(months):
        for side, (amount, colour) in enumerate(zip(pair, ("#9aa7b5", "#1f6feb"), strict=True)):
            height = amount / most * (_HEIGHT - 40)
            x, y = place * step + step * (0.12 + 0.38 * side), _HEIGHT - 20 - height
            parts.append(
                f'<rect x="{x:.1f}" y="{y:.1f}" width="{step * 0.36:.1f}" height="{height:.1f}" fill="{colour}">'
                f"<title>{month}: {yuan(amount)} yuan</title></rect>"
            )
        parts.append(f'<text x="{(place + 0.1) * step:.1f}" y="{_HEIGHT - 5}" font-size="12">{month}</text>')
    label = '<text x="0" y="12" font-size="12">yuan a month: grey before, blue after</text>'
    return f'<svg viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img">{label}{"".join(parts)}</svg>'
