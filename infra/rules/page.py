# ruff: noqa: E501  # style sheets and markup
"""Page: the rulebook as one static HTML page that a supervisor can read, filter and switch to Chinese."""

import re
from html import escape
from typing import Any

from functions.rulebook import Rulebook
from functions.rulebook.regions import told
from functions.rulebook.table import Row, Table
from infra.rules.words import ZH, chinese

_STYLE = """:root{--ink:#1c2430;--line:#dde3ea;--soft:#f4f6f9;--blue:#1f6feb}*{box-sizing:border-box}
body{font:15px/1.5 system-ui,"PingFang SC","Noto Sans CJK SC",sans-serif;color:var(--ink);margin:0}
header{position:sticky;top:0;background:#fff;border-bottom:1px solid var(--line);padding:.8rem 1.5rem;display:flex;
gap:1rem;align-items:center;z-index:1}header h1{font-size:1.15rem;margin:0;flex:1}input{font:inherit;padding:.35rem
.7rem;border:1px solid var(--line);border-radius:.5rem;width:16rem}button{font:inherit;padding:.35rem .9rem;border:1px
solid var(--line);border-radius:.5rem;background:#fff;cursor:pointer;white-space:nowrap}main{display:grid;grid-template-columns:13rem 1fr;
gap:2rem;padding:1rem 1.5rem}main>div{min-width:0}nav{position:sticky;top:4.5rem;align-self:start;max-height:85vh;overflow:auto}
nav a{display:block;color:var(--blue);text-decoration:none;padding:.12rem 0}section{margin:0 0 2.2rem;
scroll-margin-top:5rem}h2{font-size:1.1rem;margin:.2rem 0}p{margin:.2rem 0 .6rem;color:#51606f;max-width:60rem}
.scroll{overflow-x:auto}table{border-collapse:collapse;width:100%}th,td{text-align:left;vertical-align:top;
padding:.4rem .6rem;border-bottom:1px solid var(--line)}th{background:var(--soft);font-weight:600;word-break:keep-all}
th.out,td.out{background:#eef5ff}th:first-child,td:first-child{position:sticky;left:0;background:#fff}th:first-child{background:var(--soft)}td.any{color:#a6b0bb}td.why{min-width:16rem}td.text{min-width:12rem}small{color:#7a8794}
.tag{background:#fff3cd;border-radius:.4rem;padding:0 .4rem;font-size:.8rem}body.zh .en,body:not(.zh) .zh{display:none}
@media(max-width:800px){header{flex-wrap:wrap;gap:.5rem;padding:.6rem 1rem}input{order:1;width:100%}
main{grid-template-columns:1fr;gap:1rem;padding:1rem}nav{position:static;max-height:none;display:flex;flex-wrap:wrap;
gap:0 1rem}section{scroll-margin-top:7rem}}"""
_SCRIPT = """const q=document.querySelector('input');
q.oninput=()=>{const w=q.value.toLowerCase();document.querySelectorAll('section').forEach(s=>{let any=0;
const head=s.querySelector('h2').textContent.toLowerCase().includes(w);
s.querySelectorAll('tbody tr').forEach(r=>{const hit=head||r.textContent.toLowerCase().includes(w);
r.hidden=!hit;any+=hit});s.hidden=!any})};
document.querySelector('button').onclick=()=>{const zh=document.body.classList.toggle('zh');
document.documentElement.lang=zh?'zh-CN':'en'}"""
_HITS = {
    "first": ("The first row that holds decides.", "从上到下，第一条成立的行生效。"),
    "unique": ("Exactly one row holds.", "只会有一条成立。"),
    "collect": ("Every row that holds counts.", "所有成立的行都算数。"),
}


def page(rules: Rulebook) -> str:
    """Return the whole page; it needs no other file."""
    tables = rules.tables.values()
    links = "".join(f'<a href="#{table.name}">{_name(table.name)}</a>' for table in tables)
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" '
        f'content="width=device-width"><title>Winback rules {rules.version}</title><style>{_STYLE}</style></head>'
        f"<body><header><h1>{_both('The rules', '规则表')} <small>{rules.version}</small></h1>"
        f'<input type="search" placeholder="filter · 筛选" aria-label="filter">'
        f"<button>{_both('中文', 'English')}</button></header><main><nav>{links}</nav>"
        f"<div>{''.join(map(_section, tables))}</div></main><script>{_SCRIPT}</script></body></html>"
    )


def _section(table: Table) -> str:
    facts = "".join(f"<th>{_name(name)}</th>" for name in table.facts)
    outputs = "".join(f'<th class="out">{_name(name)}</th>' for name in table.outputs)
    rows = "".join(_row(table, row) for row in table.rows)
    gap = f" {_both('Otherwise:', '其余：')} {escape(str(table.uncovered))}." if table.uncovered else ""
    return (
        f'<section id="{table.name}"><h2>{_name(table.name)} <small>{table.file}</small></h2>'
        f"<p>{_both(table.about, table.about_zh or table.about)}</p>"
        f'<p>{_both(*_HITS[table.hit])}{gap}</p><div class="scroll"><table>'
        f"<thead><tr><th>{_both('row', '行')}</th>{facts}{outputs}<th>{_both('why', '理由')}</th></tr></thead>"
        f"<tbody>{rows}</tbody></table></div></section>"
    )


def _row(table: Table, row: Row) -> str:
    tests = row.written.get("when", {})
    cells = "".join(
        f"<td>{_cell(tests[name])}</td>" if name in tests else '<td class="any">–</td>'
        for name in table.facts
    )
    outputs = "".join(
        f'<td class="out{" text" * (kind.name == "text")}">{_value(row.then[name], table, name)}</td>'
        for name, kind in table.outputs.items()
    )
    trial = "" if row.live else f' <span class="tag">{_both("on trial", "试行")}</span>'
    why = f"{_both(row.why, row.why_zh or row.why)} <small>{escape(row.source)}</small>"
    return f'<tr><td><code>{escape(row.id)}</code>{trial}</td>{cells}{outputs}<td class="why">{why}</td></tr>'


_CALL = re.compile(r"(has|lacks|not)\((.+)\)")
_CALLS = {"has": "含", "lacks": "不含", "not": "非"}


def _cell(written: Any) -> str:
    if isinstance(written, bool):
        return _both("yes", "是") if written else _both("no", "否")
    if isinstance(written, list):
        return "<br>".join(_cell(one) for one in written)
    if call := _CALL.fullmatch(str(written)):
        words = "、".join(chinese(word.strip()) for word in call[2].split(","))
        return _both(call[0], f"{_CALLS[call[1]]}{words}")
    return _word(str(written))


def _value(value: Any, table: Table, name: str) -> str:
    if value is None:
        return "–"
    if isinstance(value, bool):
        return _cell(value)
    if isinstance(value, list):
        return ", ".join(map(_word, value)) or _both("nobody", "无")
    return _word(told(value, table.outputs[name]))


def _word(word: str) -> str:
    return escape(word) if chinese(word) == word else _both(word, chinese(word))


def _name(name: str) -> str:
    return _both(name.replace("_", " "), ZH.get(name, name))


def _both(english: str, chinese: str) -> str:
    return f'<span class="en">{escape(english)}</span><span class="zh">{escape(chinese)}</span>'
