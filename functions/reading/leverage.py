"""Leverage: a review traded for a benefit, told apart from an angry demand.

Blackmail needs both in one sentence: the rating as a lever ("删评", "一直给差评") and a benefit that the
order does not owe ("红包", "给我打钱"), tied by a condition. A refund, an exchange, a complaint to the
authorities are rights; what a shop offers is not the customer's doing.
"""

import re

from functions.reading.lexicon import Hit

_SENTENCE = re.compile(r"[^。！\n]+")
_MONEY = re.compile(
    r"(?:给|拿|要|至少|转|打)[^，,。不没]{0,4}[一二两三四五六七八九十百千几\d]+(?:百|千|万|块|元)"
)
_CONDITION = re.compile(
    r"就[^是]{0,6}(?:删|改|撤|打|找|叫|挂|去|发|不再|等着|不打|一直|天天|换|让|把)|否则|不然|要不然|要么|休想"
    r"|不(?:给|发|送|免单|补偿|返|打钱|转|表示|赔|到位|想要).{0,14}(?:就|等|差评|一星|不[删改撤]|挂|免谈|天天|找人)"
    r"|(?:马上|立马|立刻|秒|随你|可以|才|想让我|想要?我?|要我?|先)[^，,]{0,3}(?:删|改|撤|五星|好评|差评|追评|写|转|发个|送)"
    r"|(?:红包|钱|现金|打款|好处).{0,6}(?:到位|到账|够大|到了|就|才)|给.{0,8}(?:删|改|撤)|懂的|一手交"
    r"|(?:删|改|撤|换|买).{0,10}(?:至少|拿钱|现金|免谈|好评$)|没有红包|什么时候(?:返|给|打)|变好评|职业|私了|随你们写"
)
_OFFERED = re.compile(
    r"(?:客服|卖家|商家|店家|老板|店铺|他们|对方|卡片|小卡|售后|纸条|有人|听说).{0,14}"
    r"(?:说给|说送|说加|让我|叫我|要我|求我|承诺|答应|给我发|送了|给我五|打电话|让给|花钱)"
    r"|好评返现|晒图返现|不是.{0,6}(?:要|想|图|为了)|不(?:图|要|稀罕|需要|想要|在乎)(?:他们?的?)?(?:红包|钱|好处|返现|补偿|现金)"
    r"|没有?(?:要|想|找|收).{0,8}(?:红包|钱|好处|返现|补偿)|拒绝|谢谢|下次|希望|物超所值"
)


def blackmail(text: str, hits: list[Hit]) -> tuple[str, ...]:
    """Return the sentences that trade the review, and the whole phrases of the lexicon that do."""
    found = [text[hit.start : hit.end] for hit in hits if "blackmail" in hit.topics]
    levers = [hit for hit in hits if "leverage" in hit.topics]
    gains = [hit for hit in hits if "benefit" in hit.topics]
    if levers:
        for sentence in _SENTENCE.finditer(text):
            start, end = sentence.span()
            lever = any(start <= hit.start < end for hit in levers)
            gain = any(start <= hit.start < end for hit in gains) or _MONEY.search(sentence[0])
            if lever and gain and _CONDITION.search(sentence[0]) and not _OFFERED.search(sentence[0]):
                found.append(sentence[0].strip("，, "))
    return tuple(dict.fromkeys(found))
