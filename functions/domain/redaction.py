"""Redaction: texts without telephone numbers, identity numbers, e-mails, names and addresses.

For the copy that leaves the house. It finds what has a form (numbers) or an announcement ("收货人:", "我叫",
"地址:"); it cannot find a bare name, so known names are handed in, and a person still reads the copy.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Any

_SURNAMES = (
    "王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗梁宋郑谢韩唐冯于董萧程曹袁邓许傅沈曾彭吕苏卢蒋蔡贾丁魏薛叶阎"
    "余潘杜戴夏钟汪田任姜范方石姚谭廖邹熊金陆郝孔白崔康毛邱秦江史顾侯邵孟龙万段雷钱汤尹黎易常武乔贺赖龚文"
)
_HASH = re.compile(r"(?=.*[a-f])[0-9a-f]{16,64}")  # digits inside one are no bank card
_PATTERNS: tuple[tuple[str, re.Pattern[str]], ...] = (
    ("[邮箱]", re.compile(r"[A-Za-z0-9_.+-]+@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+")),
    ("[身份证]", re.compile(r"(?<!\d)\d{17}[\dXx](?![\dXx])")),
    ("[银行卡]", re.compile(r"(?<!\d)\d(?:[ -]?\d){15,18}(?!\d)")),
    ("[电话]", re.compile(r"(?<!\d)(?:\+?86[- ]?)?1[3-9]\d(?:[- ]?\d{4}){2}(?!\d)")),
    ("[电话]", re.compile(r"(?<!\d)0\d{2,3}[- ]?\d{7,8}(?!\d)")),
    ("[电话]", re.compile(r"(?<!\d)400[- ]?\d{3,4}[- ]?\d{3,4}(?!\d)")),
    (
        r"\1[微信]",
        re.compile(r"((?:微信|加[Vv]|[Vv]信|QQ|qq)(?:号)?\s*[:：是]?\s*)[A-Za-z0-9_-]{5,20}"),
    ),
    (
        r"\1[地址]",
        re.compile(r"((?:收货|寄件|邮寄|家庭|联系)?地址\s*[:：是]\s*)[^\s,，。;；!！?？\n\"]{4,60}"),
    ),
    (
        "[地址]",
        re.compile(
            r"[\u4e00-\u9fa5]{2,8}(?:省|自治区|市|州)[\u4e00-\u9fa5\d]{1,12}(?:市|区|县|镇|乡|街道|路|村)"
            r"[\u4e00-\u9fa5\dA-Za-z-]{0,30}"
        ),
    ),
    (
        "[地址]",
        re.compile(
            r"[\u4e00-\u9fa5]{2,10}(?:路|街|道|巷|弄)\d+(?:号|弄)[\u4e00-\u9fa5\dA-Za-z-]{0,20}"
            r"|[\dA-Za-z]+(?:号楼|栋|幢|单元)[\dA-Za-z]*(?:单元)?[\dA-Za-z]*(?:室|户|号)?"
        ),
    ),
    (
        r"\1[姓名]",
        re.compile(r"((?:收货人|收件人|联系人|寄件人|姓名|我叫|我是)\s*[:：]?\s*)"
                   rf"[{_SURNAMES}][\u4e00-\u9fa5]{{1,2}}(?![\u4e00-\u9fa5])"),
    ),
    ("[姓名]", re.compile(rf"[{_SURNAMES}][\u4e00-\u9fa5]{{0,2}}(?:先生|女士|小姐)")),
)  # fmt: skip


def redacted(text: str, known: Iterable[str] = ()) -> str:
    """Return the text with what identifies a person replaced by what it was."""
    for name in sorted({name for name in known if len(name) > 1}, key=len, reverse=True):
        text = text.replace(name, "[姓名]")
    for mark, pattern in _PATTERNS:
        text = pattern.sub(mark, text)
    return text


def redacted_all(value: Any, known: Iterable[str], hidden: Iterable[str] = ()) -> Any:
    """Return a JSON value with all its texts redacted and the fields named in `hidden` left out."""
    known, hidden = tuple(known), frozenset(hidden)
    match value:
        case str() if _HASH.fullmatch(value):
            return value
        case str():
            return redacted(value, known)
        case Mapping():
            return {
                name: "[略]" if name in hidden and each is not None else redacted_all(each, known, hidden)
                for name, each in value.items()
            }
        case list() | tuple():
            return [redacted_all(each, known, hidden) for each in value]
    return value
