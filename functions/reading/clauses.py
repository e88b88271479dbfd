"""Clauses: how a text is prepared and cut before it is read, in training and at run time alike."""

import re
from operator import add

_CLAUSE = re.compile(r"[^，。！？；、,.!?;:：~～…\s（）()【】\"“”]+")
_LONGEST = 2000  # characters that are read; platforms allow 500
# What denies a fault is praise, but is made of the same n-grams as a complaint: "不是很慢", "没有破损". It is
# read as marks instead, which the model knows as n-grams of their own.
_DENIED = re.compile(
    "(?:并没有|没有?|毫无|无|并不|不是|不算|不会|不怎么|不|未)(?:什么|任何|发现|看到|出现|觉得|感觉|一点|明显|是)?(?:很|太|那么|特别)?"
    "(?:慢|破损|损坏|磕碰|变形|划痕|瑕疵|色差|掉色|褪色|起球|缩水|线头|异味|味道大|难闻|臭|噪音|吵|卡顿|卡|发热|漏水|漏电"
    "|掉毛|破|坏|差(?!钱|不多|多少)|贵|问题|毛病|后悔|失望|延误|硬|油腻|腻|咸|质量问题)"
)
# What a platform writes where the customer wrote nothing: "此用户未及时填写评价内容", "系统默认好评!".
_UNWRITTEN = re.compile(
    r"(?:[此该]用户|您|评价方|买家)(?:没有|未)(?:及时)?(?:填写|做出|作出)(?:评[价论])?(?:内容)?[，,]?(?:(?:系统)?默认好评)?[!！。.]?"
    r"|系统默认好评[!！。.]?|该用户觉得商品(?:不错|较好|非常好|很好|一般)"
)
_MOST = 60  # clauses of one text that are read; a longer one repeats itself


def clauses(text: str) -> list[tuple[int, int]]:
    """Return the start and end of each clause, punctuation and blanks left out."""
    return [match.span() for match in _CLAUSE.finditer(text)][:_MOST]


def unwritten(text: str) -> bool:
    """Return whether the platform wrote a text, the customer none."""
    return _UNWRITTEN.fullmatch(text.strip()) is not None


def prepared(text: str) -> str:
    """Return the text in small letters without denials of faults, every place as it was."""
    text = text[:_LONGEST]
    small = text.lower()
    if len(small) != len(text):  # a few letters get longer in small: places would shift
        small = text
    return _DENIED.sub(lambda found: "〇" * len(found[0]), small)


def grams(clause: str) -> set[str]:
    """Return the characters and pairs of a clause, its first two and three and its last three characters.

    No longer piece of a text is in the model. A blank stands before the clause, so that how it begins is told
    from what stands inside.
    """
    clause = f" {clause}"
    return {*clause, *map(add, clause, clause[1:]), clause[:3], clause[:4], clause[-3:]}
