"""View: a case as HTML. Whatever people wrote goes through `escape`; nothing here decides anything."""

import re
from base64 import b64encode
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from hashlib import sha256
from html import escape
from pathlib import Path
from string import Template
from typing import NamedTuple

from functions.domain.cases import Case, Event
from functions.domain.handling import worker
from functions.domain.links import Act
from functions.domain.money import yuan
from functions.domain.reviews import Review
from functions.domain.times import CHINA
from functions.page import words

_HERE = Path(__file__).parent
_PAGE = Template((_HERE / "page.html").read_text("utf-8").strip())
_STYLE = (_HERE / "page.css").read_text("utf-8").strip()
_SCRIPT = (_HERE / "page.js").read_text("utf-8").strip()
_NEAR = timedelta(minutes=30)


def _hash(text: str) -> str:
    return f"'sha256-{b64encode(sha256(text.encode()).digest()).decode()}'"


HEADERS: Mapping[str, str] = {
    "content-type": "text/html; charset=utf-8",
    "content-security-policy": (
        f"default-src 'none'; style-src {_hash(_STYLE)}; script-src {_hash(_SCRIPT)}; "
        "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "cache-control": "no-store",
    "referrer-policy": "no-referrer",
    "strict-transport-security": "max-age=31536000",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "x-robots-tag": "noindex, nofollow",
}


class Form(NamedTuple):
    """What the page's buttons send: the token of each act, the page's own, and the name typed last."""

    acts: Mapping[Act, str]
    page: str
    by: str = ""


def show(case: Case, form: Form, advice: str, now: datetime, notice: str = "", refusal: str = "") -> str:
    """Return the page of a case. `notice` says what was done, `refusal` why something was not."""
    parts = [
        f"<header><b>Winback</b><code>{escape(case.case_id)}</code></header>",
        f'<section class="notice">{escape(notice)}</section>' if notice else "",
        f'<section class="notice no">{escape(refusal)}</section>' if refusal else "",
        _standing(case, now),
        _said(case),
        _acts(case, form) if case.waiting else "",
        _offer(case, advice),
        _timeline(case, now),
        "<footer>链接仅供本店处理人员使用，请勿转发</footer>",
    ]
    return _page(f"{words.GRADES[case.grade]} {case.case_id}", parts)


def refused(title: str, text: str) -> str:
    """Return the page for a link that shows nothing."""
    body = f'<section class="empty"><h1>{escape(title)}</h1><p class="about">{escape(text)}</p></section>'
    return _page(title, ["<header><b>Winback</b></header>", body])


def _page(title: str, parts: Iterable[str]) -> str:
    body = "\n".join(filter(None, parts))
    return _PAGE.substitute(
        title=escape(title), style=_STYLE, script=_SCRIPT, body=f"<main>\n{body}\n</main>"
    )


def _standing(case: Case, now: datetime) -> str:
    tone = {"open": "hot", "acknowledged": "busy", "resolved": "good"}.get(case.status, "")
    chips = [
        f'<span class="chip {tone}">{words.STATUS[case.status]}</span>',
        f'<span class="chip">{words.OWNERS.get(case.owner, escape(case.owner))}处理</span>',
    ]
    if case.suspected_malicious and case.grade != "malicious":
        chips.append('<span class="chip hot">疑似恶意</span>')
    who = worker(case)
    handled = f'<p class="who">处理人：<b>{_name(who)}</b></p>' if who and case.waiting else ""
    top = f'<div class="top"><h1>{words.GRADES[case.grade]}</h1>{"".join(chips)}</div>'
    return f"<section>{top}{_clock(case, now)}{handled}</section>"


def _clock(case: Case, now: datetime) -> str:
    """The deadline is that of the first response: once somebody is at work, it is met or missed for good."""
    if not case.waiting:
        return ""
    if case.paused:
        return '<p class="who">正在等待客户回复，计时暂停。</p>'
    left = int((case.due_at - now).total_seconds())
    whole = max(1, int((case.due_at - case.review.first_seen_at).total_seconds()))
    tone = "late" if left < 0 else "warm" if left < _NEAR.total_seconds() else ""
    spent = min(whole, max(0, whole - left))
    return (
        f'<div class="{tone}"><div class="clock" id="clock" data-left="{left}">'
        f"<span><small>{'已超时' if left < 0 else '剩余时间'}</small><b>{_span(abs(left))}</b></span>"
        f"<span><small>响应时限</small><i>{_moment(case.due_at, now)}</i></span></div>"
        f'<progress max="{whole}" value="{spent}"></progress></div>'
    )


def _said(case: Case) -> str:
    """The review, or that it is gone: after an erasure there is no text and no evidence."""
    review = case.review
    if "erased" in case.events:
        text = '<p class="about">客户信息与评价内容已按要求删除</p>'
    else:
        text = f'<p class="said">{marked(review.text, case.evidence) or "（无文字）"}</p>'
    product = f"{escape(review.product_title)}<br>" if review.product_title else ""
    posted = review.posted_at.astimezone(CHINA).strftime("%-m月%-d日 %H:%M")
    return f'<section>{_stars(review)}{text}<p class="about">{product}{posted} 发布</p></section>'


def marked(text: str, evidence: Iterable[str]) -> str:
    """Return the text as HTML with the phrases that decided marked in it; a longer one before its parts."""
    phrases = sorted({phrase for phrase in evidence if phrase}, key=len, reverse=True)
    if not phrases:
        return escape(text)
    parts = re.split(f"({'|'.join(map(re.escape, phrases))})", text)
    return "".join(
        f"<mark>{escape(part)}</mark>" if place % 2 else escape(part) for place, part in enumerate(parts)
    )


def _stars(review: Review) -> str:
    if review.stars is None:
        return f'<p><span class="chip">{words.RATINGS.get(review.rating or "", "未评分")}</span></p>'
    given = f"{'★' * review.stars}<s>{'★' * (5 - review.stars)}</s>"
    return f'<p class="stars" role="img" aria-label="{review.stars} 星">{given}</p>'


def _offer(case: Case, advice: str) -> str:
    lines = {"方案": words.REMEDIES.get(case.remedy, escape(case.remedy))}
    suggested = next((each.then for each in case.decisions if each.table == "remedies"), {})
    if suggestion := suggested.get("suggestion"):
        coupon = suggested.get("suggested_coupon")
        also = f" + {yuan(coupon)} 元券" if isinstance(coupon, int) else ""
        lines["建议"] = f"{words.REMEDIES.get(str(suggestion), escape(str(suggestion)))}{also}"
    if case.coupon:
        lines["优惠券"] = f"{yuan(case.coupon)} 元"
    if case.goodwill in words.GOODWILL:
        lines["关怀"] = words.GOODWILL[case.goodwill]
    lines["客户"] = words.TIERS.get(case.tier, escape(case.tier))
    rows = "".join(f"<dt>{name}</dt><dd>{value}</dd>" for name, value in lines.items())
    check = '<p class="warn">系统对原因把握不大，请先核对。</p>' if case.needs_check else ""
    return f'<section><h2>处理建议</h2><dl>{rows}</dl><p class="advice">{escape(advice)}</p>{check}</section>'


def _acts(case: Case, form: Form) -> str:
    """One form, so that the name typed once goes with whichever button."""
    act: Act = "acknowledge" if case.status == "open" else "take_over"
    say, tone = ("认领", "") if act == "acknowledge" else ("接手", "second")
    field = (
        f'<input name="by" value="{escape(form.by)}" placeholder="您的姓名" aria-label="您的姓名" '
        'maxlength="40" autocomplete="name">'
    )
    causes = "".join(_option(key, text, key == case.cause) for key, text in words.GRADES.items())
    outcomes = "".join(_option(key, text, key == "solved") for key, text in words.OUTCOMES.items())
    return (
        f'<section><form method="post"><input type="hidden" name="page" value="{escape(form.page)}">'
        f'<div class="row">{field}<button class="{tone}" formaction="{form.acts[act]}">{say}</button></div>'
        "<details><summary>已解决</summary>"
        f'<label>确认的原因<select name="cause">{causes}</select></label>'
        f'<label>结果<select name="outcome">{outcomes}</select></label>'
        '<label>备注（可不填）<textarea name="note" maxlength="500"></textarea></label>'
        f'<button class="done" formaction="{form.acts["resolve"]}">确认已解决</button>'
        "</details></form></section>"
    )


def _option(value: str, text: str, chosen: bool) -> str:
    return f'<option value="{value}"{" selected" if chosen else ""}>{text}</option>'


def _timeline(case: Case, now: datetime) -> str:
    lines = "".join(_line(event, now) for event in case.timeline if words.EVENTS.get(event.kind, event.kind))
    return f"<section><h2>时间线</h2><ol>{lines}</ol></section>"


def _line(event: Event, now: datetime) -> str:
    by = f"<small>{_name(event.by)}</small>" if event.by else ""
    note = f"<small>{escape(event.note)}</small>" if event.note and event.kind == "resolved" else ""
    said = words.EVENTS.get(event.kind) or escape(event.kind)
    return f"<li><span>{said}{by}{note}</span><time>{_moment(event.at, now, seconds=True)}</time></li>"


def _name(by: str) -> str:
    """Without how it reached us: "王芳 (alert link)", "王芳 (arn:…)"."""
    return escape(re.sub(r" \([^()]*\)$", "", by))


def _moment(at: datetime, now: datetime, *, seconds: bool = False) -> str:
    local, today = at.astimezone(CHINA), now.astimezone(CHINA).date()
    clock = local.strftime("%H:%M:%S" if seconds else "%H:%M")
    if local.date() == today:
        return clock
    if local.date() == today + timedelta(days=1):
        return f"明天 {clock}"
    return local.strftime("%-m月%-d日 ") + clock


def _span(seconds: int) -> str:
    hours, rest = divmod(seconds, 3600)
    return f"{hours}:{rest // 60:02d}:{rest % 60:02d}" if hours else f"{rest // 60}:{rest % 60:02d}"
