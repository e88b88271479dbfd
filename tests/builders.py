"""Builders: valid reviews, orders, profiles and cases; a test names only what matters to it."""

from datetime import UTC, datetime, timedelta
from typing import Any

from functions.domain.cases import Case, Effect, Event, case_id
from functions.domain.decisions import Decision
from functions.domain.profiles import Order, Profile
from functions.domain.reviews import Review

NOW = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
SHOP, CUSTOMER = "shop-1", "customer-1"


def review(**given: Any) -> Review:
    """A one-star review about slow delivery, seen 20 s after it was posted, 5 s ago."""
    return Review.model_validate(
        {
            "shop_id": SHOP,
            "platform": "taobao",
            "review_id": "review-1",
            "order_id": "order-1",
            "customer_id": CUSTOMER,
            "product_id": "product-1",
            "product_title": "保温杯",
            "price": 5990,
            "stars": 1,
            "text": "物流太慢了,等了十天",
            "posted_at": NOW - timedelta(seconds=25),
            "first_seen_at": NOW - timedelta(seconds=5),
            **given,
        }
    )


def order(**given: Any) -> Order:
    """An order of 59.90 yuan, two weeks old."""
    return Order.model_validate(
        {
            "shop_id": SHOP,
            "order_id": "order-1",
            "customer_id": CUSTOMER,
            "placed_at": NOW - timedelta(days=14),
            "total": 5990,
            **given,
        }
    )


def profile(**given: Any) -> Profile:
    """The profile of a customer about whom nothing is known."""
    return Profile.model_validate({"shop_id": SHOP, "customer_id": CUSTOMER, **given})


def decision(**given: Any) -> Decision:
    return Decision(
        **{
            "table": "grades",
            "row": "logistics",
            "why": "The guide promises two hours.",
            "then": {"grade": "logistics_delay", "respond_within": 7200},
            "facts": {"cause": "logistics_delay", "suspected_malicious": False, "order_value": None},
            "rulebook": "test",
            **given,
        }
    )


def case(**given: Any) -> Case:
    """A case just opened, with its first alert still to be sent, not saved yet.

    `review_id`, `shop_id`, `customer_id` and `text` are passed on to its review.
    """
    about = {
        name: given.pop(name) for name in ("review_id", "shop_id", "customer_id", "text") if name in given
    }
    written = given.pop("review", None) or review(**about)
    return Case.model_validate(
        {
            "case_id": case_id(written.key),
            "review": written,
            "versions": (written.version,),
            "cause": "logistics_delay",
            "evidence": ("物流太慢",),
            "grade": "logistics_delay",
            "owner": "agent",
            "tier": "new",
            "remedy": "refund",
            "coupon": 500,
            "decisions": (decision(),),
            "opened_at": NOW,
            "warn_at": written.first_seen_at + timedelta(minutes=90),
            "due_at": written.first_seen_at + timedelta(hours=2),
            "events": {
                "posted": Event(at=written.posted_at, kind="posted"),
                "seen": Event(at=written.first_seen_at, kind="seen"),
                "opened": Event(at=NOW, kind="opened"),
            },
            "outbox": {"alert:0": Effect(kind="alert", at=NOW, level=0)},
            **given,
        }
    )
