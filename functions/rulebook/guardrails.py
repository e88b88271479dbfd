"""Guardrails: what no table and no text may do, whoever wants it, and the law or promise behind it."""

import re
from collections.abc import Iterator

from functions.rulebook.book import Template
from functions.rulebook.contracts import CUSTOMER_TABLES
from functions.rulebook.faults import Fault
from functions.rulebook.source import Source
from functions.rulebook.table import Table

REWARD = (
    "Rewarding the change of a review is forbidden (Anti-Unfair Competition Law; Interim Provisions on "
    "Online Unfair Competition art. 9; platform rules; 16 CFR 465.4)"
)
_REVIEW = re.compile(
    r"(^|_)(stars?|rating|rated|score|reviews?|complains?|complaint|bad|cause|evidence|sentiment|edited|"
    r"converted|improved|upgraded|deleted|grade|text)(_|$)"
)
_BENEFIT = re.compile(
    r"(^|_)(remedy|coupon|goodwill|cost_cap|gift|reward|refund|cash|voucher|points|discount)(_|$)"
)
# The same in tests/rules: a message with one of these never goes out.
PHRASES = ("五星", "返现", "删评", "改好评", "好评")
_GIFTS = ("券", "红包", "优惠", "礼", "退款", "{coupon}")
GUIDANCE = "guidance"


def benefits_of(table: Table) -> bool:
    """Whether a customer gains by the table. Staff may be paid by what a review became, customers never."""
    gains = any(_BENEFIT.search(name) for name in table.outputs)
    return table.name in CUSTOMER_TABLES or table.benefit == "customer" or gains


def forbidden_facts(table: Table) -> Iterator[Fault]:
    if not benefits_of(table):
        return
    mend = "Decide it from the order, the tier or the customer's own word of satisfaction"
    for name, kind in table.facts.items():
        line = table.source.line("facts", 0, name)
        if _REVIEW.search(name):
            message = f"a customer's benefit cannot see {name}. {REWARD}"
            yield table.source.fault(line, "forbidden-fact", message, mend)
        elif named := [word for word in kind.words if _REVIEW.search(word)]:
            message = f"a customer's benefit cannot ask {name} for {named[0]}. {REWARD}"
            yield table.source.fault(line, "forbidden-fact", message, mend)


def forbidden_phrases(template: Template, source: Source, name: str) -> Iterator[Fault]:
    line = source.line(None, 0, "text")
    for phrase in PHRASES:
        if phrase in template.text:
            mend = "Ask how the customer is, not for a rating"
            yield source.fault(line, "forbidden-phrase", f"the text says {phrase}. {REWARD}", mend)
    gifts = [gift for gift in _GIFTS if gift in template.text]
    if name == GUIDANCE and gifts:
        message = f"review guidance speaks of {gifts[0]}: a benefit beside it would be a reward. {REWARD}"
        yield source.fault(line, "benefit-in-guidance", message, "Send the benefit in a message of its own")
