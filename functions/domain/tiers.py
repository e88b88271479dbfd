"""Tiers: how much a customer has bought from the shop (rules/tiers.toml)."""

from datetime import datetime

from functions.domain.decisions import Decision, Rules
from functions.domain.profiles import Order, Profile, days_since_earlier_order, spent_12_months


def tier(profile: Profile, reviewed: Order | None, rules: Rules, now: datetime) -> Decision:
    """Return the decision whose `tier` is high_value, new, dormant or regular."""
    earlier = profile.orders - (1 if reviewed is not None else 0)
    return rules.ask.tiers(
        spent_12_months=spent_12_months(profile, now),
        earlier_orders=max(0, earlier),
        days_since_earlier_order=days_since_earlier_order(profile, reviewed, now),
    )
