import pytest

from functions.reading.lexicon import Lexicon, LexiconError, parse

WORDS = {"logistics_delay": ("慢", "物流慢"), "damaged_lost": ("破损",), "quality": ("差", "坏了")}


def topics(text: str) -> list[tuple[str, bool]]:
    return [(topic, hit.weak) for hit in Lexicon(WORDS).hits(text) for topic in hit.topics]


def test_the_longest_word_is_found_with_its_place() -> None:
    (hit,) = Lexicon(WORDS).hits("就是物流慢")
    assert (hit.start, hit.end) == (2, 5)


@pytest.mark.parametrize(
    "text",
    [
        "没有破损",
        "一点没破损",
        "包装完好无破损",
        "不是很慢",
        "并不慢",
        "没有任何破损",
        "不差",
        "没有发现破损",
    ],
)
def test_a_negated_word_does_not_count(text: str) -> None:
    assert topics(text) == []


@pytest.mark.parametrize("text", ["有点慢", "稍微慢", "比较慢"])
def test_a_weakened_word_counts_as_weak(text: str) -> None:
    assert topics(text) == [("logistics_delay", True)]


def test_a_negation_reaches_its_own_word_only() -> None:
    assert topics("没有破损，坏了") == [("quality", False)]


def test_words_of_other_languages_are_beginnings_of_words() -> None:
    english = Lexicon({"logistics_delay": ("late",), "damaged_lost": ("broken",)}, "en")
    assert [hit.topics for hit in english.hits(" it came late ")] == [("logistics_delay",)]
    assert english.hits(" the plate is great ") == []
    assert english.hits(" it was not broken ") == []


def test_a_faulty_lexicon_is_told_by_file_and_topic() -> None:
    with pytest.raises(LexiconError, match=r"lexicon\.toml: \[price\] needs words"):
        parse('[price]\nwords = ["贵", ""]', "lexicon.toml")
    with pytest.raises(LexiconError, match=r"lexicon\.toml"):
        parse("[price", "lexicon.toml")


def test_an_empty_lexicon_finds_nothing() -> None:
    assert Lexicon({}).hits("差评") == []
