"""Blackmail, on texts constructed for it: real ones are practically absent from public data.

Six hands wrote them. The texts of the last three teach nothing (infra/reader/leverage.py leaves them
out): what is found in them is what is found in new ones. Those of the others are in the weights.
"""

import csv
from pathlib import Path

import pytest

from functions.reading.clauses import prepared
from functions.reading.leverage import _BARS, shipped, with_signs
from functions.reading.signs import Weights, grams
from functions.rulebook import Rulebook

RULES = Rulebook(Path(__file__).parents[2] / "rules")
with (Path(__file__).parent / "blackmail.csv").open(encoding="utf-8") as file:
    ROWS = list(csv.DictReader(file))
HANDS = ("fourth hand", "fifth hand", "sixth hand")
NEW = [row for row in ROWS if row["kind"] in HANDS]
KNOWN = [row for row in ROWS if row["kind"] not in HANDS]


def counts(rows: list[dict[str, str]]) -> tuple[float, float]:
    """Return precision and recall."""
    said = [(row["blackmail"] == "yes", bool(RULES.read(row["text"]).blackmail)) for row in rows]
    both = said.count((True, True))
    return both / (both + said.count((False, True))), both / (both + said.count((True, False)))


@pytest.mark.parametrize("rows", [NEW, KNOWN], ids=["new", "known"])
def test_there_are_enough_texts_and_near_misses(rows: list[dict[str, str]]) -> None:
    assert min(sum(row["blackmail"] == said for row in rows) for said in ("yes", "no")) >= 75
    assert len({row["text"] for row in rows}) == len(rows)


@pytest.mark.parametrize("hand", HANDS)
def test_what_is_called_blackmail_by_a_new_hand_is_blackmail(hand: str) -> None:
    precision, recall = counts([row for row in NEW if row["kind"] == hand])
    assert precision >= 0.95
    assert recall >= 0.55, "one in three that is phrased in a new way is missed: a person has to notice"


def test_what_is_called_blackmail_by_the_known_hands_is_blackmail() -> None:
    precision, recall = counts(KNOWN)
    assert precision >= 0.99
    assert recall >= 0.7


def test_one_way_to_say_it_is_told_in_other_words() -> None:
    assert with_signs("给五十我就删") == with_signs("给200块我立刻撤回") == "给$我TU"


def test_a_text_without_a_lever_or_a_gain_is_not_told_whatever_it_weighs() -> None:
    assert RULES.read("要么给两百，要么等着").blackmail == ()
    assert RULES.read("不然就打一星，你们看着办").blackmail == ()


def test_the_sentence_that_trades_is_told_as_it_was_written() -> None:
    told = RULES.read("耳机 没有破损，音质OK。返我30，马上改五星；不返就一星，加我VX！发货快。").blackmail
    assert told == ("返我30，马上改五星；不返就一星，加我VX",)


def test_a_whole_phrase_of_the_lexicon_makes_it_surer_but_does_not_decide() -> None:
    assert RULES.read("质量差，返现删评").blackmail
    assert RULES.read("客服打电话说返现删评，我拒绝了，质量差就是差").blackmail == ()


def test_the_quick_look_at_characters_and_pairs_loses_nothing_that_is_told_in_the_end() -> None:
    signed = [with_signs(prepared(row["text"])) for row in ROWS]
    told = [text for text in signed if shipped().judge(grams(text)) > 0]
    (short, bar), (_, last) = _BARS
    assert len(told) > 1000
    assert last == 0
    assert min(shipped().judge(grams(text, short)) for text in told) > bar


def test_the_bar_is_what_the_mean_of_the_weights_has_to_reach() -> None:
    weights = Weights({"给": 300, "给$": 100, "钱": -50}, constant=-250)
    assert weights.judge(grams("给$")) == pytest.approx((400 / 2**0.5 - 250) / 100)
    assert weights.judge(grams("好")) == -2.5


def test_no_longer_piece_of_a_text_is_in_the_weights() -> None:
    assert max(map(len, shipped().weights)) <= 4


@pytest.mark.parametrize("text", ["不给退款就投诉到底", "要求退款", "必须赔我钱", "再不处理我就给差评"])
def test_an_angry_demand_is_not_blackmail(text: str) -> None:
    assert RULES.read(text).blackmail == ()


@pytest.mark.parametrize("text", ["傻逼商家，质量差得要死", "什么垃圾东西，全家都别买"])
def test_an_insult_is_told_but_is_no_blackmail(text: str) -> None:
    reading = RULES.read(text)
    assert reading.abuse
    assert reading.blackmail == ()
    assert reading.severity == "severe"
