"""Malice: the signals that a review may be blackmail or an attack (rules/malice.toml).

A signal names its source. A plain demand for a refund is no signal. Only a person makes a suspected
case malicious.
"""

from functions.domain.decisions import Decision, Rules
from functions.domain.profiles import Profile
from functions.domain.reading import Reading


def suspicion(reading: Reading, profile: Profile, rules: Rules) -> Decision:
    """Return the decision with `suspected` (bool) and `signals` (names)."""
    return rules.decide(
        "malice",
        {
            "blackmail": bool(reading.blackmail),
            "orders": profile.orders,
            "returned_percent": 100 * profile.returns // profile.orders if profile.orders else 0,
        },
    )
