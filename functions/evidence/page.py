"""The page of a pack: what is in it, in Chinese, for whoever opens index.html. It loads nothing."""

from collections.abc import Callable, Iterable, Mapping
from html import escape
from typing import Any

from functions.domain.cases import Case
from functions.domain.exhibits import Exhibit
from functions.domain.malice import Signal
from functions.domain.times import CHINA, parse

KINDS = {
    "chat_screenshot": "聊天截图",
    "chat_export": "聊天记录导出",
    "call_recording": "通话录音",
    "logistics_record": "物流记录",
    "quality_report": "质检报告",
    "unboxing_video": "开箱视频",
    "customer_photo": "买家图片",
    "other": "其他",
}
SIGNALS = {
    "blackmail_in_review": "评价中以评价要挟",
    "blackmail_in_chat": "聊天中以评价要挟",
    "abnormal_returns": "退货率异常",
    "bulk_from_one_source": "同一来源集中差评",
}
_SOURCES = {
    "review_text": "评价原文",
    "chat": "聊天记录",
    "orders": "订单历史",
    "reviews": "评价历史",
    "shop_system": "店铺系统提供的来源",
}
AGAINST = {
    "kept_orders": "未退货的订单",
    "concrete_fault": "指出了可核实的具体问题",
    "customer_photos": "买家提供图片",
    "shop_offered": "店铺一方曾主动许诺好处",
}
PLATFORMS = {
    "taobao": "淘宝/天猫",
    "douyin": "抖店",
    "jd": "京东",
    "kuaishou": "快手小店",
    "other": "其他平台",
}
_STATUS = {
    "suspected": "疑似恶意，待人工确认",
    "confirmed": "已由人工确认为恶意",
    "rejected": "人工已排除恶意",
}
_ROLES = {"original": "原件", "record": "记录", "redacted": "脱敏副本", "page": "页面"}
_EVENTS = {
    "posted": "买家发布评价",
    "seen": "系统首次看到评价",
    "opened": "立案",
    "read": "文本判读",
    "review edited": "买家修改评价",
    "alerted": "已通知",
    "acknowledged": "已受理",
    "signal of malice": "恶意信号",
    "malice suspected": "疑似恶意",
    "malice confirmed": "人工确认恶意",
    "malice rejected": "人工排除恶意",
    "graded again": "重新分级",
    "exhibit recorded": "证据入库",
    "follow-up started": "跟进流程启动",
}
_STYLE = """
body{font:15px/1.6 "PingFang SC","Microsoft YaHei","Noto Sans CJK SC",sans-serif;margin:0;
color:#1d2129;background:#f4f5f7}
main{max-width:1080px;margin:0 auto;padding:24px}
h1{font-size:24px;margin:0 0 4px}h2{font-size:17px;margin:0 0 10px}
section{background:#fff;border:1px solid #e2e5ea;border-radius:8px;padding:18px 20px;margin:16px 0;
overflow-x:auto}
table{border-collapse:collapse;width:100%}
th,td{text-align:left;vertical-align:top;padding:6px 10px;border-bottom:1px solid #eceef2}
th{color:#5b6472;font-weight:500;white-space:nowrap}
code{font:12px/1.5 Consolas,Menlo,monospace;word-break:break-all}
.sub{color:#5b6472;margin:0}.ok{color:#14763b}.no{color:#b3261e;font-weight:600}
blockquote{margin:0;padding:8px 14px;border-left:3px solid #c4c9d2;background:#fafbfc}
ul{margin:0;padding-left:20px}
"""


def page(
    case: Case,
    given: Mapping[str, Any],
    entries: Iterable[Mapping[str, Any]],
    path_of: Callable[[int, Exhibit], str],
    by_hand: Iterable[str],
) -> str:
    """Return the page of what is in the pack; `entries` are those before the page itself."""
    asked = given["checklist"]
    parts = [
        f"<h1>证据包 {escape(case.case_id)}</h1>"
        f'<p class="sub">{escape(PLATFORMS[asked["platform"]])} · 店铺 {escape(case.shop_id)} · '
        f"{_STATUS[case.malice.status] if case.malice else '未判定为疑似恶意'}</p>",
        _section("评价原文", _review(case)),
        _section("恶意信号与反证", _signals(case)),
        _section("平台申诉清单", _checklist(asked)),
        _section("证据与收集记录", _exhibits(case, path_of)),
        _section("时间线", _timeline(given["timeline"])),
        _section("文件与哈希（SHA-256）", _files(entries)),
        _section("对外提供之前", _before_leaving(by_hand)),
        _section("如何校验", _HOW),
    ]
    return (
        '<!doctype html>\n<html lang="zh-CN"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        '<meta http-equiv="Content-Security-Policy" '
        "content=\"default-src 'none'; style-src 'unsafe-inline'\">"
        f"<title>证据包 {escape(case.case_id)}</title><style>{_STYLE}</style></head>"
        f"<body><main>{''.join(parts)}</main></body></html>\n"
    )


_HOW = (
    "<p>在任何一台装有 Winback 的电脑上离线运行：<code>winback evidence verify 证据包.zip</code>。"
    "它逐一核对每个文件的哈希、哈希链与清单，并指出被修改、缺失、增加或调换顺序的文件。</p>"
    "<p>哈希链的最后一环（head）同时记录在案件时间线中；加上 <code>--head</code> 一并核对，"
    "即可证明整个证据包自生成以来未被改动。</p>"
)


def _review(case: Case) -> str:
    review = case.review
    stars = f"{review.stars} 星" if review.stars is not None else str(review.rating or "未评分")
    return f"<blockquote>{escape(review.text) or '（无文字或已删除）'}</blockquote>" + _table(
        (),
        [
            ("评分", stars),
            ("商品", escape(review.product_title)),
            ("评价编号", f"<code>{escape(review.review_id)}</code>"),
            ("订单编号", f"<code>{escape(review.order_id or '—')}</code>"),
            ("发布时间", _time(review.posted_at)),
            ("首次看到", _time(review.first_seen_at)),
            ("版本数", str(len(case.versions))),
        ],
    )


def _signals(case: Case) -> str:
    rows = [
        (
            SIGNALS[signal.name],
            _SOURCES[signal.source] + (f"（{escape(signal.by)} 提交）" if signal.by else ""),
            escape(signal.detail) or _counted(signal),
            _list(f"{AGAINST[each.fact]}：{each.count}" for each in signal.counter) or "无",
            _time(signal.at),
        )
        for signal in case.signals
    ]
    word = ""
    if case.malice is not None:
        who = escape(case.malice.by) if case.malice.by else "规则"
        note = f"：{escape(case.malice.note)}" if case.malice.note else ""
        word = f"<p><b>{_STATUS[case.malice.status]}</b>（{who}，{_time(case.malice.at)}）{note}</p>"
    return word + _table(("信号", "来源", "内容", "反证", "时间"), rows)


def _counted(signal: Signal) -> str:
    match signal.name:
        case "abnormal_returns":
            return f"{signal.count} 笔订单，退货率 {signal.percent}%"
        case "bulk_from_one_source":
            return f"{signal.count} 条差评"
    return f"{signal.count} 处（原文已删除）"


def _checklist(asked: Mapping[str, Any]) -> str:
    rows = [
        (
            KINDS[item["kind"]],
            "必需" if item["needed"] else "有则更好",
            _there(item),
        )
        for item in asked["items"]
    ]
    link = f'<a href="{escape(asked["link"])}">{escape(asked["link"])}</a>' if asked["link"] else "见平台后台"
    return (
        f"<p>申诉选项：<b>{escape(asked['option'])}</b>；依据：{escape(asked['clause'])}；入口：{link}</p>"
        + _table(("材料", "要求", "状态"), rows)
    )


def _there(item: Mapping[str, Any]) -> str:
    if item["there"]:
        return f'<span class="ok">已有 {item["there"]} 份</span>'
    return '<span class="no">缺少</span>' if item["needed"] else "无"


def _exhibits(case: Case, path_of: Callable[[int, Exhibit], str]) -> str:
    rows = []
    for number, exhibit in enumerate(case.dossier.exhibits, 1):
        path = path_of(number, exhibit)
        rows.append(
            (
                str(number),
                f'{KINDS[exhibit.kind]}<br><a href="{path}">{escape(exhibit.file_name) or path}</a>',
                f"{exhibit.size:,} 字节",
                f"{escape(exhibit.collected_by) or '—'}<br>{_time(exhibit.collected_at)}",
                f"{_time(exhibit.stored_at)}<br><code>{escape(exhibit.version)}</code>",
                escape(exhibit.note),
            )
        )
    return _table(("#", "证据", "大小", "收集人/收集时间", "入库时间/版本", "来源说明"), rows)


def _timeline(events: Iterable[Mapping[str, Any]]) -> str:
    rows = [
        (
            _time(parse(event["at"])),
            escape(_EVENTS.get(event["kind"], event["kind"])),
            escape(event["by"] or "系统"),
            escape(event["note"] or ""),
        )
        for event in events
    ]
    return _table(("时间（北京时间）", "事件", "谁", "说明"), rows)


def _files(entries: Iterable[Mapping[str, Any]]) -> str:
    rows = [
        (
            str(entry["n"]),
            _ROLES[entry["role"]],
            f'<a href="{escape(entry["path"])}">{escape(entry["path"])}</a>',
            f"{entry['size']:,}",
            f"<code>{entry['sha256']}</code>",
        )
        for entry in entries
    ]
    return _table(("#", "类别", "文件", "字节", "SHA-256"), rows)


def _before_leaving(by_hand: Iterable[str]) -> str:
    rows = [f"<code>{escape(path)}</code>" for path in by_hand]
    if not rows:
        return "<p>文字材料的脱敏副本在 <code>redacted/</code>。对外提供前请人工通读一遍。</p>"
    return (
        "<p>文字材料的脱敏副本在 <code>redacted/</code>，请人工通读。以下图片、录音、视频或 PDF "
        f"<b>需要人工遮挡</b>姓名、电话和地址：</p><ul>{''.join(f'<li>{row}</li>' for row in rows)}</ul>"
    )


def _section(title: str, inside: str) -> str:
    return f"<section><h2>{title}</h2>{inside}</section>"


def _table(head: Iterable[str], rows: Iterable[tuple[str, ...]]) -> str:
    """The cells are HTML already."""
    titles = "".join(f"<th>{title}</th>" for title in head)
    body = "".join(f"<tr>{''.join(f'<td>{cell}</td>' for cell in row)}</tr>" for row in rows)
    return f"<table>{f'<tr>{titles}</tr>' if titles else ''}{body or '<tr><td>无</td></tr>'}</table>"


def _list(lines: Iterable[str]) -> str:
    items = "".join(f"<li>{escape(line)}</li>" for line in lines)
    return f"<ul>{items}</ul>" if items else ""


def _time(at: Any) -> str:
    return str(at.astimezone(CHINA).strftime("%Y-%m-%d %H:%M:%S"))
