"""Wording: the text of a follow-up step, naming the coupon that the customer was given for it.

Amount, code and validity are those of the ledger, never those of the tables: what was not given is not
promised. While somebody still decides about the coupon there is no text yet; where it will not come, the
step has the words of its row's `without`, or none.
"""

from dataclasses import dataclass
from datetime import datetime, tzinfo

from functions.domain import gate
from functions.domain.benefits import usable
from functions.domain.calendars import zone
from functions.domain.cases import Case
from functions.domain.decisions import Rules
from functions.domain.ledger import State
from functions.domain.money import yuan
from functions.domain.times import CHINA

_PRODUCT = "商品"
_COMING = ("proposed", "approved", "held")


@dataclass(frozen=True)
class Text:
    """What a step says; `note` is why it is not what was planned."""

    text: str
    promotional: bool
    says: tuple[str, ...]
    note: str | None = None


@dataclass(frozen=True)
class Lacking:
    """There is nothing to say: not yet where something is `awaited`."""

    why: str
    awaited: bool


def step_text(
    case: Case, step: str, given: State | None, rules: Rules, clock: tzinfo, now: datetime
) -> Text | Lacking:
    """Return the text of a step; `given` is how the step's own benefit stands.

    Raises rulebook.BlankVariable.
    """
    decision = rules.ask.follow_up(step=step)
    template, note = decision.text("template"), None
    values = {"product": product(case)}
    if decision.number("coupon"):
        lacking = _lacking(case, step, given, now)
        if lacking is None:
            values |= named(given, clock)
        elif lacking.awaited or not decision.then.get("without"):
            return lacking
        else:
            template, note = decision.text("without"), f"without a coupon: {lacking.why}"
    text = rules.render(template, values)
    # A product called 礼盒 offers nothing: only what would be forbidden is looked for in its name.
    bare = rules.check(rules.render(template, values | {"product": _PRODUCT}))
    said = {one.intent for one in (*bare, *gate.forbidden(rules.check(text)))}
    says = tuple(intent for intent in gate.INTENTS if intent in said)
    return Text(text, rules.promotional(template), says, note)


def named(coupon: State | None, clock: tzinfo) -> dict[str, str]:
    """Return what a text says of a coupon: yuan, code, and until when, by the shop's clock."""
    if coupon is None or coupon.code is None or coupon.valid_until is None:
        return {}
    ends = coupon.valid_until.astimezone(clock)
    until = f"{ends.year}年{ends.month}月{ends.day}日{ends:%H:%M}"
    return {"coupon": yuan(coupon.cost), "code": coupon.code, "valid_until": until}


def wall_clock(case: Case) -> tzinfo:
    """Return the time zone of the case's shop."""
    return zone(case.hours.zone) if case.hours is not None else CHINA


def product(case: Case) -> str:
    return case.review.product_title or _PRODUCT


def _lacking(case: Case, step: str, given: State | None, now: datetime) -> Lacking | None:
    """Return why the step's coupon cannot be named, None where it can."""
    if given is None:
        asked = any((one.kind, one.name) == ("grant", step) for one in case.outbox.values())
        return Lacking("its coupon is not given yet" if asked else "its coupon was not granted", asked)
    if usable(given, now):
        return None
    if given.standing in _COMING:
        return Lacking("its coupon is not given yet", awaited=True)
    lapsed = given.standing == "effective"
    return Lacking(f"its coupon is {'no longer valid' if lapsed else given.standing}", awaited=False)
