"""Hints: what no phrase names is told, named like a phrase, and how often that is right.

Messages in held_out*.csv taught neither phrases nor weights (infra/reader/hints.py leaves them out): what is
found in them is what is found in new ones.
"""

import pytest

from functions.domain import gate
from functions.reading.hints import plain, seen, sentences, shipped
from functions.reading.signs import Signs
from functions.rulebook import Rulebook, load
from tests.messages.corpus import HELD_OUT, HERE, measured, messages

RULES = load()
HINT = "评论区那条能不能别让它待在那儿了"
FILLED = {
    "solve": RULES.templates["remedy-refund"].text,
    "coupon": "5.00",
    "code": "K7M3-9XTR",
    "valid_until": "2026年12月1日18:00",
}
TITLES = [
    "保温杯",
    "【买一送一】面膜 礼盒装",
    "红包封面定制",
    "儿童微信电话手表",
    "满天星花束 送女友",
    "差评师小说 正版",
    "星星灯 五角星",
    "打分器 评价卡片",
    "律师袍",
    "二维码收款牌",
]


@pytest.mark.parametrize("file", HELD_OUT)
def test_what_the_gate_refuses_of_new_messages_is_bad(file: str) -> None:
    found = measured(HERE / file)
    # Most good ones are near misses on purpose: one refusal in seven of those is wrong.
    assert found.precision >= 0.8
    assert found.recall >= 0.9


@pytest.mark.parametrize("file", HELD_OUT)
def test_hints_find_what_no_phrase_names(file: str) -> None:
    phrases = measured(HERE / file, lambda text: gate.check(text, RULES.phrases))
    assert measured(HERE / file).recall >= phrases.recall + 0.1


def test_the_messages_that_hints_were_learned_from() -> None:
    found = measured(HERE / "hints.csv")
    assert min(found.bad.total(), found.good) >= 1000
    assert found.precision >= 0.95
    assert min(found.recalls.values()) >= 0.9


def test_a_hint_is_named_with_its_sentence_intent_reason_and_better_words() -> None:
    assert gate.check(HINT, RULES.phrases) == []
    text = f"您好，碗今天补发。 {HINT}？祝您愉快！"
    (found,) = gate.forbidden(RULES.check(text))
    assert text[found.start : found.end] == found.phrase == HINT
    intent = next(one for one in RULES.phrases.intents if one.name == "delete_review")
    assert (found.intent, found.reason, found.better) == (intent.name, intent.reason, intent.better)


def test_what_a_phrase_has_named_is_not_named_again() -> None:
    found = gate.forbidden(RULES.check(f"麻烦您把差评删掉。{HINT}"))
    assert [one.phrase for one in found] == ["差评删", HINT]


def test_a_hint_spread_over_sentences_is_told_by_the_whole_text() -> None:
    parts = ["碗补寄了，还送了您两双筷子。", "方便的话来评价里说说。"]
    assert [gate.forbidden(RULES.check(part)) for part in parts] == [[], []]
    (found,) = gate.forbidden(RULES.check("".join(parts)))
    assert found.intent == "guidance_and_benefit"
    assert f"{found.phrase}。" in parts


def test_an_evasion_does_not_help_a_hint() -> None:
    disguised = "评*论 区那 条能-不-能别 让它 待在那儿了"
    assert seen(plain(disguised, RULES.phrases)) == seen(plain(HINT, RULES.phrases))
    assert gate.forbidden(RULES.check(disguised))


def test_the_owners_of_the_table_can_let_a_sentence_pass() -> None:
    files = dict(RULES.files)
    assert gate.forbidden(Rulebook(files).check(HINT))
    files["phrases.toml"] += "\n[hints]\nfine = ['待在那儿']\n"
    assert gate.forbidden(Rulebook(files).check(HINT)) == []


def test_to_give_something_is_lawful_where_no_review_is_spoken_of() -> None:
    given = "再多补您二十块，您看合适不，怎么样都好商量"
    assert gate.forbidden(RULES.check(given)) == []
    assert gate.forbidden(RULES.check(f"{given}，评价那边您给弄漂亮"))


def test_the_owners_of_the_table_can_turn_hints_off() -> None:
    files = dict(RULES.files)
    files["phrases.toml"] += "\n[hints]\nfine = ['[^,]']\n"
    rules = Rulebook(files)
    texts = [one.text for one in messages(HERE / HELD_OUT[0])]
    assert [rules.check(text) for text in texts] == [gate.check(text, RULES.phrases) for text in texts]


def test_to_ask_for_a_review_is_lawful_where_nothing_is_given() -> None:
    ask, given = "泡过几次之后来评论里写写口感吧", "茶样一罐送您，"
    assert gate.forbidden(RULES.check(ask)) == []
    assert gate.forbidden(RULES.check(given + ask))


def test_an_intent_that_the_table_does_not_know_is_not_told() -> None:
    text = "碗补寄了，还送了您两双筷子。方便的话来评价里说说。"
    assert gate.forbidden(RULES.check(text))
    files = dict(RULES.files)
    files["phrases.toml"] = files["phrases.toml"].partition("[together.")[0]
    assert gate.forbidden(Rulebook(files).check(text)) == []


@pytest.mark.parametrize(
    "name", [name for name in sorted(RULES.templates) if not name.startswith(("alert-", "remedy-"))]
)
def test_what_is_sent_by_itself_hints_at_nothing_whatever_the_product_is_called(name: str) -> None:
    for title in TITLES:
        text = RULES.templates[name].text.format_map(FILLED | {"product": title})
        by_phrases = gate.forbidden(gate.check(text, RULES.phrases))
        assert gate.forbidden(RULES.check(text)) == by_phrases, title


@pytest.mark.parametrize(
    "text",
    [
        "",
        "。！？",
        "您评几颗都可以，先给您换货",
        "有人打电话说给钱让您删评论，那不是我们，请别理",
        "退款和您写什么评价没有关系，请放心",
        "谢谢您夸我们的橙子甜",
    ],
)
def test_a_near_miss_passes(text: str) -> None:
    assert gate.forbidden(RULES.check(text)) == []


def test_sentences_are_parted_where_they_end() -> None:
    found = sentences("好的。 明天到！\n\n您看行吗？嗯")
    assert [part[0] for part in found] == ["好的", " 明天到", "您看行吗", "嗯"]


def test_signs_stand_for_words_and_numbers() -> None:
    signs = Signs("B 差评\nU 删 删掉")
    assert signs.write("给200块删掉差评，改3次") == "给$UB，改#次"
    assert list(signs.named("差评删掉")) == ["B", "U"]


def test_no_longer_piece_of_a_message_is_in_the_weights() -> None:
    assert max(len(gram) for weights in shipped().values() for gram in weights.weights) <= 4


def test_every_weighed_intent_is_one_that_is_forbidden() -> None:
    never = {one.name for one in RULES.phrases.intents if one.never}
    assert shipped().keys() == never | {one.name for one in RULES.phrases.together}
    known = {one.intent for one in messages(HERE / "hints.csv") if one.bad}
    assert known == shipped().keys()
