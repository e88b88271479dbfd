"""Guardrails: what no table and no text may do, whoever wants it, and the law or promise behind it."""

import re
from collections.abc import Iterator

from functions.domain import gate
from functions.reading import hints
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


def forbidden_phrases(
    template: Template, source: Source, name: str, phrases: gate.Phrases
) -> Iterator[Fault]:
    """Yield what the gate finds in a template: the same that a colleague's own words pass."""
    line = source.line(None, 0, "text")
    found = hints.check(template.text, phrases)
    for one in gate.forbidden(found):
        kind = "benefit-in-guidance" if one.intent == "guidance_and_benefit" else "forbidden-phrase"
        yield source.fault(line, kind, f"the text says {one.phrase}. {one.reason}", one.better)
    gifts = [one.phrase for one in found if one.intent == "benefit"]
    if name == GUIDANCE and gifts and "guidance" not in gate.intents(found, phrases):
        message = f"review guidance speaks of {gifts[0]}: a benefit beside it would be a reward. {REWARD}"
        yield source.fault(line, "benefit-in-guidance", message, "Send the benefit in a message of its own")
