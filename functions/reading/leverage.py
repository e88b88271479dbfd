"""Leverage: a review traded for a benefit, told apart from an angry demand.

Blackmail needs both in one sentence: the rating as a lever ("删评", "一直给差评") and a benefit that the
order does not owe ("红包", "给我打钱"), tied by a condition. A refund, an exchange, a complaint to the
authorities are rights; what a shop offers is not the customer's doing.
"""

import re

from functions.reading.lexicon import Hit

_SENTENCE = re.compile(r"[^。！？!?\n]+")
_CONDITION = re.compile(
    r"就|否则|不然|要不然|不给|再不|只要|如果|除非|才|换|给.{0,8}(?:删|改|撤)|(?:删|改|撤).{0,8}给|懂的"
)
_OFFERED = re.compile(
    r"(?:客服|卖家|商家|店家|老板|店铺|他们|对方|你们|卡片|售后|纸条|小卡).{0,14}"
    r"(?:返现|红包|给我发|让我|叫我|说给|要我|求我|承诺|答应|加我|打电话)"
    r"|好评返现|晒图返现|不是.{0,6}(?:要|想|图|为了)|不(?:图|要|稀罕|需要|想要|在乎).{0,6}(?:红包|钱|好处|返现|补偿)"
    r"|没有?(?:要|想|找).{0,8}(?:红包|钱|好处|返现)|没收|拒绝"
)


def blackmail(text: str, hits: list[Hit]) -> tuple[str, ...]:
    """Return the sentences that trade the review, and the whole phrases of the lexicon that do."""
    found = [text[hit.start : hit.end] for hit in hits if "blackmail" in hit.topics]
    levers = [hit for hit in hits if "leverage" in hit.topics]
    gains = [hit for hit in hits if "benefit" in hit.topics]
    if levers and gains:
        for sentence in _SENTENCE.finditer(text):
            start, end = sentence.span()
            both = all(any(start <= hit.start < end for hit in each) for each in (levers, gains))
            if both and _CONDITION.search(sentence[0]) and not _OFFERED.search(sentence[0]):
                found.append(sentence[0].strip("，, "))
    return tuple(dict.fromkeys(found))
