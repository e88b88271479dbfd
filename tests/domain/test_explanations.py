from datetime import timedelta

from functions import rulebook
from functions.domain.explanations import AMOUNTS, DURATIONS, explain, milestones
from tests.builders import NOW, case, decision


def test_a_decision_is_explained_in_yuan_hours_and_words() -> None:
    told = explain(
        decision(
            table="remedies",
            row="small-order",
            why="A refund costs less.",
            then={"remedy": "refund", "coupon": 500, "signals": ["a", "b"], "follow_up": True, "x": None},
            facts={"order_value": 5990, "respond_within": 3600, "earlier_orders": 2},
        )
    )
    assert told == (
        "remedies: remedy refund, coupon 5.00 yuan, signals a and b, follow up yes. A refund costs less. "
        "(Row small-order; seen: order value 59.90 yuan, respond within 1:00:00, earlier orders 2.)"
    )


def test_every_amount_and_duration_of_the_case_tables_is_told_as_one() -> None:
    for name in ("detection", "malice", "grades", "tiers", "remedies", "goodwill"):
        table = rulebook.load().tables[name]
        kinds = {field: kind.name for field, kind in (table.facts | table.outputs).items()}
        assert {field for field, kind in kinds.items() if kind == "fen"} <= AMOUNTS
        assert {field for field, kind in kinds.items() if kind == "duration"} <= DURATIONS


def test_a_case_tells_only_the_steps_it_has_reached() -> None:
    opened = case(resolved_at=NOW + timedelta(hours=1))
    assert [milestone.step for milestone in milestones(opened)] == ["posted", "seen", "decided", "resolved"]
    assert milestones(opened)[-1].since_seen_s == 3605
