"""Deciding: what one rulebook says about one review, whoever tells what is known of it."""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from functools import lru_cache
from typing import NamedTuple

from functions.domain.decisions import Decision, Output
from functions.domain.malice import signals, suspicion
from functions.domain.profiles import Order, Profile
from functions.domain.reading import Reading
from functions.domain.remedies import goodwill, remedy
from functions.domain.reviews import Review
from functions.domain.tiers import tier
from functions.domain.verdicts import complaint
from functions.rulebook import Rulebook


@dataclass(frozen=True, slots=True)
class Outcome:
    """What is decided on one review. Amounts are fen.

    `cost` is the coupon, what is refunded, the value of what is sent again, and the cap of the goodwill; a
    supervisor's case costs its suggestion.
    """

    bad: bool = False
    grade: str = ""
    owner: str = ""
    deadline_s: int = 0
    remedy: str = ""
    coupon: int = 0
    goodwill: str = ""
    cost: int = 0
    rows: tuple[str, ...] = ()


class Asked(NamedTuple):
    """The decisions that follow from what is known, and what the other tables are then asked about."""

    detection: Decision
    malice: Callable[[], Decision]  # only a bad review needs these
    tier: Callable[[], Decision]
    cause: str
    order_value: int | None


def asked(review: Review, order: Order | None, profile: Profile, rules: Rulebook, now: datetime) -> Asked:
    reading = read(review.text, rules)
    seen = {"stars": review.stars, "rating": review.rating, "complains": complaint(review, reading)}
    return Asked(
        rules.decide("detection", seen),
        lambda: suspicion(signals(review, reading, profile, rules, now), False, rules),
        lambda: tier(profile, order, rules, now),
        reading.cause,
        order.total if order is not None else review.price,
    )


@lru_cache(maxsize=65536)
def read(text: str, rules: Rulebook) -> Reading:
    return rules.read(text)


def decided(known: Asked, rules: Rulebook, shadow: Counter[str] | None) -> Outcome:
    """Return what the rules decide; with a counter, what they would decide with the rows on trial live."""
    tried: list[str] = []

    def answer(decision: Decision) -> Decision:
        if shadow is None or decision.shadow is None:
            return decision
        name = f"{decision.table}.{decision.shadow}"
        shadow[name] += 1
        tried.append(name)
        row = next(row for row in rules.table(decision.table).rows if row.id == decision.shadow)
        return replace(decision, row=row.id, why=row.why, then=row.then)

    if answer(known.detection).then["bad"] is not True:
        return Outcome()
    suspected = answer(known.malice()).then["suspected"] is True
    grade = answer(rules.ask.grades(cause=known.cause, suspected_malicious=suspected))
    customer = answer(known.tier())
    offer = answer(remedy(known.order_value, suspected, rules))
    extra = answer(goodwill(customer.text("tier"), suspected, rules))
    return Outcome(
        bad=True,
        grade=grade.text("grade"),
        owner=grade.text("owner"),
        deadline_s=grade.number("respond_within"),
        remedy=offer.text("remedy"),
        coupon=offer.number("coupon") or offer.number("suggested_coupon"),
        goodwill=extra.text("goodwill"),
        cost=cost(offer.then, extra.then, known.order_value),
        rows=tuple(tried),
    )


def cost(offer: Mapping[str, Output], extra: Mapping[str, Output], order_value: int | None) -> int:
    """Return what a remedy and a goodwill cost, in fen."""
    chosen = offer["suggestion"] if offer["remedy"] == "supervisor" else offer["remedy"]
    goods = order_value or 0 if chosen in ("refund", "reship") else 0
    return goods + (_fen(offer, "coupon") or _fen(offer, "suggested_coupon")) + _fen(extra, "cost_cap")


def _fen(then: Mapping[str, Output], name: str) -> int:
    amount = then.get(name)
    return amount if isinstance(amount, int) else 0
