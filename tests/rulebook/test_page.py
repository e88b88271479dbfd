"""The page of the rules reads in Chinese too."""

from functions.rulebook import SHIPPED, Rulebook
from infra.rules.page import page
from infra.rules.words import ZH, chinese

RULES = Rulebook(SHIPPED)


def test_every_name_and_word_of_the_tables_has_its_chinese() -> None:
    tables = RULES.tables.values()
    names = {name for table in tables for name in (table.name, *table.facts, *table.outputs)}
    assert not names - ZH.keys()
    words = {word for table in tables for kind in table.facts.values() for word in kind.words}
    for table in tables:
        for row in table.rows:
            for name, value in row.then.items():
                if table.outputs[name].name == "word" and isinstance(value, str):
                    words.add(value)
                elif table.outputs[name].name == "names" and isinstance(value, list) and name != "media":
                    words |= set(value)
    brands = {"Judge.me", "Google Play", "App Store"}
    assert not {word for word in words if chinese(word).isascii() and chinese(word) not in brands}


def test_a_cell_reads_in_both_languages() -> None:
    written = page(RULES)
    assert (
        '<span class="en">has(guidance, benefit)</span><span class="zh">含评价引导、给好处</span>' in written
    )
    assert '<span class="en">grades.respond_within</span><span class="zh">分级与时限·' in written
    assert '<span class="en">(100.00..300.00]' not in written  # an amount needs no translation
