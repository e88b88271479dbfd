"""Contracts: what the code hands in to the tables that it asks, and what it can do with their answers.

A table may give less (fewer words) but nothing that the code would not know what to do with.
"""

from dataclasses import dataclass
from typing import Any

from functions.domain.causes import CAUSES

_CAUSES = list(CAUSES)
_TIERS = ["high_value", "new", "dormant", "regular"]


@dataclass(frozen=True, slots=True)
class Contract:
    """The types of the facts that are handed in and of the outputs that are needed, as a table writes them.

    `fills` are the variables that the code fills in the table's templates; `from_row` those of them that
    come out of the deciding row and are blank where it gives none.
    """

    facts: dict[str, Any]
    outputs: dict[str, Any]
    fills: tuple[str, ...] = ()
    from_row: tuple[str, ...] = ()


CONTRACTS = {
    "detection": Contract(
        {"stars": "int?", "rating": ["good", "neutral", "bad", "unknown"], "complains": "bool"},
        {"bad": "bool"},
    ),
    "certainty": Contract({"complains": "bool", "confidence": "int"}, {"needs_check": "bool"}),
    "malice": Contract(
        {"blackmail": "bool", "orders": "int", "returned_percent": "int"},
        {"suspected": "bool", "signals": "names"},
    ),
    "grades": Contract(
        {"cause": _CAUSES, "suspected_malicious": "bool"},
        {
            "grade": _CAUSES,
            "respond_within": "duration",
            "warn_before": "duration",
            "owner": ["agent", "supervisor", "manager", "legal"],
            "follow_up": "bool",
        },
    ),
    "tiers": Contract(
        {"spent_12_months": "fen", "earlier_orders": "int", "days_since_earlier_order": "days?"},
        {"tier": _TIERS},
    ),
    "remedies": Contract(
        {"suspected_malicious": "bool", "order_value": "fen?"},
        {"remedy": ["refund", "reship", "supervisor", "none"], "coupon": "fen?"},
    ),
    "goodwill": Contract(
        {"suspected_malicious": "bool", "tier": _TIERS},
        {"goodwill": ["vip_gift", "buy_again_sms", "card_and_gift", "none"]},
    ),
    "alerts": Contract(
        {"kind": ["first", "escalation", "warning", "breach"], "level": "int", "grade": _CAUSES},
        {"roles": "names", "template": "template?", "wait": "duration?"},
        fills=("grade", "how_bad", "due", "case_id", "link", "product"),
    ),
    "follow_up": Contract(
        {"step": ["guidance", "care", "silver", "give_up"]},
        {"after": "duration", "template": "template?", "coupon": "fen?"},
        fills=("product", "coupon"),
        from_row=("coupon",),
    ),
    "contact": Contract({"promotional": "bool"}, {"from": "duration", "until": "duration"}),
    "limits": Contract({"of": ["grades.respond_within"]}, {"longest": "duration?", "most": "fen?"}),
}
# Names among an output that the code knows; the alerts topic filters by role.
NAMES = {("alerts", "roles"): ("agent", "supervisor", "manager", "legal")}
# Tables whose answer reaches a customer, however the file calls itself.
CUSTOMER_TABLES = {"remedies", "goodwill", "tiers", "follow_up", "late_parcels", "ambassadors", "referrals"}
TOPICS = {*CAUSES, "complaint", "neutral", "praise", "leverage", "benefit", "blackmail", "harm", "abuse"} - {
    "malicious",
    "other",
}
