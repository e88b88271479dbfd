"""Remedies: what the shop offers (rules/remedies.toml) and adds as goodwill (rules/goodwill.toml).

Neither table can see the review: the same fault gets the same remedy, whatever the review says.
"""

from functions.domain.decisions import Decision, Rules


def remedy(order_value: int | None, suspected: bool, rules: Rules) -> Decision:
    """Return the decision with `remedy`, `coupon` (fen) and, for a supervisor, `suggestion`.

    `order_value` is fen, None where unknown.
    """
    return rules.ask.remedies(suspected_malicious=suspected, order_value=order_value)


def goodwill(tier: str, suspected: bool, rules: Rules) -> Decision:
    """Return the decision with `goodwill` and `cost_cap` (fen)."""
    return rules.ask.goodwill(suspected_malicious=suspected, tier=tier)
