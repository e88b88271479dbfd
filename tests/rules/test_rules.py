"""The shipped rules: every example holds, every row is hit by one."""

import re
import string
from pathlib import Path

import pytest

from functions.rulebook import Rulebook

RULES = Rulebook(Path(__file__).parents[2] / "rules")
EXAMPLES = [
    pytest.param(table, example, id=f"{table.name}: {example.name}")
    for table in RULES.tables.values()
    for example in table.examples
]


@pytest.mark.parametrize(("table", "example"), EXAMPLES)
def test_an_example_is_decided_by_the_row_it_names(table, example) -> None:
    assert table.decide(example.facts, RULES.version).row == example.row


@pytest.mark.parametrize("table", RULES.tables.values(), ids=RULES.tables.keys())
def test_everything_that_a_supervisor_reads_is_there_in_chinese(table) -> None:
    assert re.search("[一-龥]", table.about_zh)
    assert [row.id for row in table.rows if not re.search("[一-龥]", row.why_zh)] == []


@pytest.mark.parametrize("table", RULES.tables.values(), ids=RULES.tables.keys())
def test_every_row_is_hit_by_an_example(table) -> None:
    assert {row.id for row in table.rows} == {row for example in table.examples for row in example.expect}


def test_every_template_that_a_row_names_exists() -> None:
    named = {
        row.then[output]
        for table in RULES.tables.values()
        for row in table.rows
        for output in ("template", "without", "coupon_given")
        if row.then.get(output) is not None
    }
    assert named == set(RULES.templates)


def test_no_customer_text_promises_a_reward_for_a_review() -> None:
    for name, template in RULES.templates.items():
        for phrase in ("五星", "返现", "删评", "改好评", "好评"):
            assert phrase not in template.text, f"{name} says {phrase}"


def test_guidance_carries_no_benefit() -> None:
    variables = {name for _, name, _, _ in string.Formatter().parse(RULES.templates["guidance"].text)}
    assert "coupon" not in variables
    assert "券" not in RULES.templates["guidance"].text


def test_the_tables_that_give_benefits_cannot_see_the_review() -> None:
    seen = {fact for name in ("remedies", "goodwill", "tiers") for fact in RULES.tables[name].facts}
    assert not seen & {"stars", "rating", "complains", "bad", "review_state", "edited", "cause"}


@pytest.mark.parametrize("text", ["不给退款就投诉到底", "要求退款", "必须赔我钱", "再不处理我就给差评"])
def test_an_angry_demand_is_not_blackmail(text: str) -> None:
    assert RULES.read(text).blackmail == ()


@pytest.mark.parametrize("text", ["返现删评，懂的都懂", "给钱就删", "不给好处就再找十个人来"])
def test_trading_the_review_for_money_is_blackmail(text: str) -> None:
    assert RULES.read(text).blackmail
