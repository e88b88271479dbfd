"""Contracts: what the code hands in to the tables that it asks, and what it can do with their answers.

A table may give less (fewer words) but nothing that the code would not know what to do with.
"""

from dataclasses import dataclass
from typing import Any

from functions.domain.causes import CAUSES
from functions.domain.channels import KINDS
from functions.domain.exhibits import EXHIBITS
from functions.domain.gate import INTENTS
from functions.domain.malice import COUNTERS, SIGNALS
from functions.domain.profiles import CHANNELS
from functions.domain.reachability import PLATFORMS, WAYS

_CAUSES = list(CAUSES)
_ALERTS = [
    *("first", "escalation", "repeat", "warning", "breach", "incident", "summary", "catch_up", "appeal"),
]
_ROLES = ["agent", "supervisor", "manager", "legal"]
_SIGNALS = list(SIGNALS)
_COUNTERS = list(COUNTERS)
_EXHIBITS = list(EXHIBITS)
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
    "malice": Contract({"signals": "int [0..]", "raised": "bool"}, {"suspected": "bool"}),
    "signals": Contract(
        {"signal": _SIGNALS, "count": "int [0..]", "percent": "int [0..100]"}, {"speaks": "bool"}
    ),
    "counter_evidence": Contract({"fact": _COUNTERS, "count": "int [0..]"}, {"speaks": "bool"}),
    "sources": Contract({"of": ["count"]}, {"within": "duration"}),
    "appeals": Contract(
        {"platform": ["taobao", "douyin", "jd", "kuaishou", "other"]},
        {
            **dict.fromkeys(("option", "link", "clause"), "text"),
            **dict.fromkeys(("needs", "helps"), "names"),
            **dict.fromkeys(("file_within", "warn_before", "answer_within"), "duration"),
        },
    ),
    "exhibits": Contract({"kind": _EXHIBITS}, {"media": "names", "megabytes": "int"}),
    "grades": Contract(
        {"cause": _CAUSES, "suspected_malicious": "bool"},
        {
            "grade": _CAUSES,
            "respond_within": "duration",
            "warn_before": "duration",
            "owner": _ROLES,
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
        {"kind": _ALERTS, "level": "int", "grade": _CAUSES},
        {"roles": "names", "template": "template?", "wait": "duration?"},
        fills=("grade", "how_bad", "due", "link", "product", "count"),
    ),
    "follow_up": Contract(
        {"step": ["guidance", "care", "silver", "repurchase", "give_up"]},
        {
            "after": "duration",
            "template": "template?",
            "without": "template?",
            "coupon": "fen?",
            "channels": "names",
        },
        fills=("product", "coupon", "code", "valid_until"),
        from_row=("coupon",),
    ),
    "contact": Contract(
        {"promotional": "bool"},
        dict.fromkeys(("from", "until", "hold", "apart", "again", "gap"), "duration"),
    ),
    "messages": Contract(
        {
            "says": {"set": list(INTENTS)},
            "guidance_sent": "bool",
            "promotional": "bool",
            "opted_out": "bool",
            "consented": "bool",
            "promotional_last_30_days": "int [0..]",
            "awaits_answer": "bool",
            "names_way_out": "bool",
        },
        {"refusals": "names"},
    ),
    "reachability": Contract(
        {"platform": list(PLATFORMS), "way": list(WAYS), "promotional": "bool"},
        {"open": "bool", "within": "duration?", "since": ["review", "order"], "once": "bool"},
    ),
    "drafts": Contract(
        {"cause": _CAUSES, "way": ["chat", "public_reply"]},
        {"template": "template?"},
        fills=("product", "solve"),
    ),
    "remedy_words": Contract(
        {"remedy": ["refund", "reship", "supervisor", "none"], "coupon": "fen"},
        {"template": "template?", "coupon_given": "template?"},
        fills=("coupon", "code", "valid_until"),
    ),
    "advice": Contract({"grade": _CAUSES}, {"say": "text"}),
    "channels": Contract(
        {"kind": list(KINDS)},
        {
            **dict.fromkeys(("a_minute", "a_second", "tries", "last_tries"), "int"),
            **dict.fromkeys(("block", "patience", "retry"), "duration"),
        },
    ),
    "links": Contract({"link": ["show", "act"]}, {"valid": "duration"}),
    "budgets": Contract(
        {"of": ["shop", "refund", "reship", "coupon", "gift", "card", "approval"]},
        {
            "per_day": "fen?",
            "per_case": "fen?",
            "hold": "duration?",
            "remind": "duration?",
            "lapse": "duration?",
        },
    ),
    "coupon_terms": Contract(
        {"coupon": ["apology", "care", "repurchase"]}, {"valid_for": "duration", "stackable": "bool"}
    ),
    "limits": Contract({"of": ["grades.respond_within"]}, {"longest": "duration?", "most": "fen?"}),
    "incidents": Contract(
        {"of": ["product", "customer"], "last_hour": "int", "opened": "bool", "quiet_for": "duration"},
        {"as": ["single", "opens", "joins"], "every": "duration?"},
    ),
    "inhibitions": Contract(
        {"kind": ["first", "escalation", "repeat", "warning"]},
        {"after_escalation": "duration?", "in_incident": "bool"},
    ),
    "hand_over": Contract({"role": _ROLES}, {"next": "names"}),
    "quiet": Contract(
        {"what": ["silence", "maintenance", "override", "look_again", "catch_up"], "hidden": "int"},
        {"longest": "duration?", "each": "bool?", "catch_up": "bool?"},
    ),
}
# Names among an output that the code knows; the alerts topic filters by role.
NAMES = {
    ("alerts", "roles"): tuple(_ROLES),
    ("hand_over", "next"): tuple(_ROLES),
    ("follow_up", "channels"): CHANNELS,
    ("appeals", "needs"): EXHIBITS,
    ("appeals", "helps"): EXHIBITS,
}
# Tables whose answer reaches a customer, however the file calls itself.
CUSTOMER_TABLES = {"remedies", "goodwill", "tiers", "follow_up", "late_parcels", "ambassadors", "referrals"}
TOPICS = {*CAUSES, "complaint", "neutral", "praise", "blackmail", "harm", "abuse"} - {
    "malicious",
    "other",
}
