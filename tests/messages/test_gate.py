"""The gate: evasions are seen through, denials and near misses pass, and how often it is right."""

from pathlib import Path

import pytest

from functions.domain.gate import INTENTS, PhrasesError, check, forbidden, intents, parse
from functions.rulebook import load
from tests.messages.corpus import HERE, measured, messages

PHRASES = load().phrases


def said(text: str) -> list[str]:
    return [one.phrase for one in forbidden(check(text, PHRASES))]


def test_the_corpus_that_the_phrases_were_fitted_to() -> None:
    found = measured(HERE / "corpus.csv", lambda text: check(text, PHRASES))
    assert (found.missed, found.refused) == ([], [])


@pytest.mark.parametrize("file", sorted(HERE.glob("*.csv")), ids=lambda file: file.name)
def test_no_message_stands_in_a_corpus_twice_nor_in_another_one(file: Path) -> None:
    texts = [one.text for one in messages(file)]
    assert len(texts) == len(set(texts))
    others = {one.text for other in HERE.glob("*.csv") if other != file for one in messages(other)}
    assert not others & set(texts)


@pytest.mark.parametrize(
    "text",
    [
        "给您返 现",
        "给您返-现",
        "给您返。现".replace("。", "."),
        "給您返現",
        "fan xian",
        "返\u200b现",
        "给个⭐⭐⭐⭐⭐",
        "给个５星",
        "刪評",
        "加v信",
        "加 V 信",
    ],
)
def test_an_evasion_is_seen_through(text: str) -> None:
    assert said(text)


@pytest.mark.parametrize(
    "text",
    [
        "我们不返现",
        "送您5元券，与评价无关",
        "我们不会要求您删除评价",
        "好评返现是违规的，请举报",
        "感谢您的五星好评",
        "退款通过微信支付原路退回",
        "已给您返，现在请稍等",
        "您可以通过法律途径维权",
        "五星级酒店同款",
    ],
)
def test_a_denial_or_a_harmless_word_passes(text: str) -> None:
    assert said(text) == []


@pytest.mark.parametrize("text", ["能不能给个五星", "要不给个五星吧", "不好意思，给个五星", "不要忘记五星哦"])
def test_a_not_that_denies_nothing_does_not_help(text: str) -> None:
    assert said(text)


def test_what_is_found_is_named_with_its_place_reason_and_better_words() -> None:
    text = "亲，问题解决了，返-现 10元可以吗"
    (found, *_) = forbidden(check(text, PHRASES))
    assert text[found.start : found.end] == found.phrase == "返-现"
    assert found.intent == "cash_back"
    assert "art. 9" in found.reason
    assert found.better


def test_a_benefit_beside_guidance_is_refused_and_each_alone_is_not() -> None:
    benefit, guidance = "送您5元优惠券。", "方便的话能否帮忙更新评价？"
    assert said(benefit) == said(guidance) == []
    both = forbidden(check(benefit + guidance, PHRASES))
    assert "guidance_and_benefit" in {one.intent for one in both}


def test_what_the_gate_refuses_the_table_of_messages_refuses_too() -> None:
    facts = {
        "guidance_sent": False,
        "promotional": False,
        "opted_out": False,
        "consented": True,
        "promotional_last_30_days": 0,
        "awaits_answer": False,
        "names_way_out": True,
    }
    never = {intent.name for intent in PHRASES.intents if intent.never}
    for name in INTENTS:
        refusals = load().decide("messages", facts | {"says": [name]}).names("refusals")
        assert bool(refusals) == (name in never), name
    assert load().decide("messages", facts | {"says": ["guidance", "benefit"]}).names("refusals")


def test_templates_pass_the_same_table() -> None:
    for name, template in load().templates.items():
        assert forbidden(check(template.text, PHRASES)) == [], name
    assert intents(check(load().templates["guidance"].text, PHRASES), PHRASES) == ["guidance"]
    assert intents(check(load().templates["care"].text, PHRASES), PHRASES) == ["benefit"]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('never = false\nreason = "It speaks of a benefit"', "never = false"),
        ("[intent.threat]", "[intent.menace]"),
        ('of = ["guidance", "benefit"]', 'of = ["guidance"]'),
        ("[negation]", "[denial]"),
        ('"⭐" = "星"', '"⭐⭐" = "星"'),
        ("phrases = [\n", "phrases = [\n    '',\n"),
        ("phrases = [\n", "phrases = [\n    '(',\n"),
        ("phrases = [\n", "phrases = [\n    'x*',\n"),
        ("[negation]", "[hints]\nfine = ['x*']\n[negation]"),
        ("[negation]", "[hints]\nwrong = ['x']\n[negation]"),
    ],
)
def test_a_broken_table_is_not_taken(old: str, new: str) -> None:
    text = load().files["phrases.toml"]
    assert old in text
    with pytest.raises(PhrasesError, match=r"phrases\.toml"):
        parse(text.replace(old, new, 1), "phrases.toml")
