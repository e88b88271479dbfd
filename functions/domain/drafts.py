"""Drafts: what a colleague may start from when writing to a customer: sorry, solve, smile.

Filled from the case: its product, its cause, the remedy that was decided, and the coupon once it is given.
Never a word about the review.
"""

from datetime import datetime, tzinfo
from typing import Literal

from pydantic import BaseModel, Field

from functions.domain.benefits import usable
from functions.domain.cases import Case
from functions.domain.decisions import Rules
from functions.domain.ledger import State
from functions.domain.money import yuan
from functions.domain.wording import named, product


class Draft(BaseModel):
    way: Literal["chat", "public_reply"]
    template: str = Field(description="The file of rules/templates/ that it was made from")
    text: str


def drafts(case: Case, given: State | None, rules: Rules, clock: tzinfo, now: datetime) -> list[Draft]:
    """Return a draft for the customer alone and one for all to read. `given` is how the coupon stands."""
    # What legal looks at is answered without promising or conceding anything.
    cause = "malicious" if case.suspected_malicious else case.confirmed_cause or case.cause
    worded = rules.ask.remedy_words(remedy=case.remedy, coupon=case.coupon)
    solve = rules.render(worded.text("template"), {"coupon": yuan(case.coupon)})
    if given is not None and usable(given, now):
        solve += rules.render(worded.text("coupon_given"), named(given, clock))
    values = {"product": product(case), "solve": solve}
    ways: tuple[Literal["chat", "public_reply"], ...] = ("chat", "public_reply")
    found = []
    for way in ways:
        template = rules.ask.drafts(cause=cause, way=way).text("template")
        found.append(Draft(way=way, template=template, text=rules.render(template, values)))
    return found
