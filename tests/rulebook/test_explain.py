"""Decisions are explained by the row, by what the others lacked, and by the nearest change."""

import pytest

from functions.rulebook import SHIPPED, Rulebook
from functions.rulebook.cells import CellError
from functions.rulebook.explain import explain, for_customer, read_facts

RULES = Rulebook(SHIPPED)
REMEDIES = RULES.table("remedies")


def remedy(value: int | None, suspected: bool = False):
    return explain(REMEDIES, {"suspected_malicious": suspected, "order_value": value}, RULES.version)


def test_every_other_row_says_what_it_lacked() -> None:
    told = remedy(10_500)
    assert {other.row: other.why for other in told.others} == {
        "malicious": "needs suspected_malicious is true, but it is false",
        "small-order": "needs order_value <= 100.00, but it is 105.00",
        "large-order": "needs order_value > 300.00, but it is 105.00",
        "unknown-order": "needs order_value is unknown, but it is 105.00",
    }


@pytest.mark.parametrize(
    ("value", "nearest", "row"), [(10_500, "100.00", "small-order"), (29_000, "300.01", "large-order")]
)
def test_the_smallest_change_that_changes_the_outcome_comes_first(value, nearest, row) -> None:
    change = remedy(value).nearest[0]
    assert (change.fact, change.then, change.row) == ("order_value", nearest, row)


def test_the_nearest_change_does_change_the_outcome_and_one_fen_less_does_not() -> None:
    decide = RULES.table("remedies").compiled("v")
    before = decide(suspected_malicious=False, order_value=10_500).then
    assert decide(suspected_malicious=False, order_value=10_000).then != before
    assert decide(suspected_malicious=False, order_value=10_001).then == before


def test_a_row_that_holds_but_comes_later_is_told_as_such() -> None:
    assert "holds too, but comes after 'malicious'" in remedy(500, suspected=True).for_agent()[1]


def test_the_customer_hears_the_offer_and_never_a_suspicion() -> None:
    offered = remedy(10_500).decision
    suspected = remedy(10_500, suspected=True).decision
    assert offered is not None
    assert suspected is not None
    assert "补发" in for_customer(REMEDIES, offered)
    assert "10.00元" in for_customer(REMEDIES, offered)
    said = for_customer(REMEDIES, suspected)
    assert "人工复核" in said
    for word in ("恶意", "疑", "勒索", "malicious", "金额"):
        assert word not in said


def test_no_tier_nor_cost_reaches_the_customer() -> None:
    table = RULES.table("goodwill")
    decision = RULES.ask.goodwill(suspected_malicious=False, tier="high_value")
    said = for_customer(table, decision)
    assert "礼品" in said
    assert "30" not in said
    assert "high" not in said


def test_facts_are_read_as_a_table_writes_them() -> None:
    assert read_facts(REMEDIES, {"suspected_malicious": "false", "order_value": "59.90"}) == {
        "suspected_malicious": False,
        "order_value": 5990,
    }
    with pytest.raises(CellError):
        read_facts(REMEDIES, {"order_value": "cheap"})
