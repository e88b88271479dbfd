"""Blackmail, on texts constructed for it: real ones are practically absent from public data.

Rows of kind `unseen` and `... fresh` were written before the words and patterns that now find them;
docs/decisions/0007-the-reader.md has what was found in each set before.
"""

import csv
from pathlib import Path

import pytest

from functions.rulebook import Rulebook

RULES = Rulebook(Path(__file__).parents[2] / "rules")
with (Path(__file__).parent / "blackmail.csv").open(encoding="utf-8") as file:
    ROWS = list(csv.DictReader(file))
FREE = [row for row in ROWS if row["kind"] == "unseen" or row["kind"].endswith("fresh")]
FITTED = [row for row in ROWS if row not in FREE]


def counts(rows: list[dict[str, str]]) -> tuple[float, float]:
    """Return precision and recall."""
    said = [(row["blackmail"] == "yes", bool(RULES.read(row["text"]).blackmail)) for row in rows]
    both = said.count((True, True))
    return both / (both + said.count((False, True))), both / (both + said.count((True, False)))


def test_there_are_enough_texts_and_near_misses() -> None:
    assert len(ROWS) >= 150
    assert min(sum(row["blackmail"] == said for row in ROWS) for said in ("yes", "no")) >= 75


def test_what_is_called_blackmail_is_blackmail() -> None:
    precision, recall = counts(FITTED)
    assert precision >= 0.95
    assert recall >= 0.9


def test_freely_written_near_misses_are_not_called_blackmail() -> None:
    precision, recall = counts(FREE)
    assert precision >= 0.95
    assert recall >= 0.7, "what is phrased in a new way is missed: a person has to notice"


@pytest.mark.parametrize("text", ["不给退款就投诉到底", "要求退款", "必须赔我钱", "再不处理我就给差评"])
def test_an_angry_demand_is_not_blackmail(text: str) -> None:
    assert RULES.read(text).blackmail == ()


@pytest.mark.parametrize("text", ["傻逼商家，质量差得要死", "什么垃圾东西，全家都别买"])
def test_an_insult_is_told_but_is_no_blackmail(text: str) -> None:
    reading = RULES.read(text)
    assert reading.abuse
    assert reading.blackmail == ()
    assert reading.severity == "severe"
