"""The shipped reader, on texts written for these tests."""

from pathlib import Path

import pytest

from functions.domain.causes import CAUSES
from functions.reading import Reader
from functions.rulebook import Rulebook
from functions.rulebook.book import LEXICONS
from functions.rulebook.table import RuleError

RULES = Rulebook(Path(__file__).parents[2] / "rules")


@pytest.mark.parametrize(
    ("text", "cause"),
    [
        ("物流太慢了，等了半个月才到", "logistics_delay"),
        ("收到的时候瓶子碎了，洒了一箱", "damaged_lost"),
        ("质量太差，用了两天就坏了", "quality"),
        ("买的黑色，发错成白色", "wrong_missing"),
        ("尺码偏小，跟图片完全不一样", "size_mismatch"),
        ("客服态度恶劣，问什么都不回", "service_attitude"),
        ("刚买就降价，申请价保还不给", "price"),
    ],
)
def test_a_plain_complaint_is_negative_and_has_its_cause(text: str, cause: str) -> None:
    reading = RULES.read(text)
    assert (reading.negative, reading.complains, reading.cause) == (True, True, cause)
    assert reading.confidence > 0.5


def test_the_evidence_stands_in_the_text_where_it_says() -> None:
    text = "手机外观漂亮，颜色喜欢。但是物流太慢了，等了半个月才到！"
    reading = RULES.read(text)
    assert reading.phrases
    assert all(text[phrase.start : phrase.end] == phrase.text for phrase in reading.phrases)
    assert "慢" in reading.evidence[0]


@pytest.mark.parametrize("text", ["很好，很满意，会再来", "没有破损，包装完好，满意", "物流很快，衣服也合身"])
def test_praise_is_no_complaint(text: str) -> None:
    reading = RULES.read(text)
    assert (reading.complains, reading.negative) == (False, False)
    assert reading.severity == "none"


def test_a_complaint_inside_praise_is_hidden() -> None:
    reading = RULES.read("东西很好，很喜欢，就是物流有点慢")
    assert reading.hidden
    assert reading.cause == "logistics_delay"
    assert reading.severity == "mild"


def test_what_the_platform_wrote_says_nothing() -> None:
    assert RULES.read("此用户未及时填写评价内容") == RULES.read("")
    assert RULES.read("此用户未填写评价内容，客服态度恶劣，物流太慢").negative


def test_one_loud_clause_among_praise_does_not_make_a_text_negative() -> None:
    praised = "做工很精致，颜色好看，穿着舒服，尺码标准，客服热情，值得推荐"
    assert RULES.read(f"{praised}，就是物流太慢了").complains
    assert not RULES.read(f"{praised}，就是物流太慢了").negative
    assert RULES.read("物流太慢了，客服不理人，颜色好看").negative


@pytest.mark.parametrize(
    ("text", "severity"),
    [
        ("有点难闻", "mild"),
        ("太难闻", "plain"),
        ("有点难闻，物流太慢", "plain"),
        ("the delivery was a bit late", "mild"),
        ("the delivery was late", "plain"),
    ],
)
def test_what_is_only_weakened_is_mild(text: str, severity: str) -> None:
    assert RULES.read(text).severity == severity


def test_harm_is_severe() -> None:
    assert RULES.read("吃完就拉肚子，肉是臭的，太恶心了").severity == "severe"


@pytest.mark.parametrize("text", ["", "   ", "。。。！", "👍👍👍", "1", "İ" * 50, "差" * 100_000, "\x00\n"])
def test_any_text_can_be_read(text: str) -> None:
    reading = RULES.read(text)
    assert 0 <= reading.confidence <= 1
    assert all(text[phrase.start : phrase.end] == phrase.text for phrase in reading.phrases)


def test_a_word_that_is_sure_decides_by_itself() -> None:
    words = {**RULES.reader.words["zh"], "sure:price": ("大冤种",)}
    assert RULES.read("这次成了大冤种").cause != "price"
    reading = Reader({"zh": words}).read("这次成了大冤种")
    assert (reading.complains, reading.cause) == (True, "price")


@pytest.mark.parametrize(
    ("text", "cause", "language"),
    [
        ("Arrived three weeks late and nobody replied", "logistics_delay", "en"),
        ("The cup was broken on arrival, poorly packed", "damaged_lost", "en"),
        ("They sent me the wrong item", "wrong_missing", "en"),
        ("Ainda não recebi o produto, muito atraso", "logistics_delay", "pt"),
        ("O produto veio com defeito e parou de funcionar", "quality", "pt"),
        ("Comprei dois e veio apenas um", "wrong_missing", "pt"),
    ],
)
def test_other_languages_are_read_by_their_lexicon(text: str, cause: str, language: str) -> None:
    reading = RULES.read(text)
    assert (reading.language, reading.cause, reading.complains) == (language, cause, True)
    assert reading.evidence
    assert all(text[phrase.start : phrase.end] == phrase.text for phrase in reading.phrases)


@pytest.mark.parametrize("text", ["Great product, arrived on time", "Ótimo produto, chegou antes do prazo"])
def test_praise_in_other_languages_is_not_negative(text: str) -> None:
    assert not RULES.read(text).negative


def test_every_lexicon_has_words_for_every_cause_a_text_can_show() -> None:
    for language in LEXICONS:
        words = RULES.reader.words[language]
        assert set(words) >= {*CAUSES, "complaint", "praise", "blackmail", "harm", "abuse"} - {
            "malicious",
            "other",
        }
        assert all(words.values())


def test_a_broken_lexicon_is_a_fault_of_the_rules(tmp_path: Path) -> None:
    (tmp_path / "lexicon.toml").write_text("[price]\nwords = 3\n", encoding="utf-8")
    with pytest.raises(RuleError, match=r"lexicon\.toml: \[price\]"):
        Rulebook(tmp_path).read("贵")


def test_the_model_is_small_and_holds_no_text() -> None:
    model = RULES.reader.model
    assert max(map(len, model.rows)) <= 4
    assert len(model.dump()) <= 2_000_000
