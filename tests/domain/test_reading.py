import pytest

from functions.domain.reading import read

WORDS = {
    "logistics_delay": ("太慢了", "物流慢"),
    "quality": ("坏了", "质量差"),
    "damaged_lost": ("破损",),
    "complaint": ("差评", "投诉"),
    "blackmail": ("返现删评",),
}


def test_a_complaint_behind_praise_is_found() -> None:
    reading = read("东西好，但是物流慢", WORDS)
    assert (reading.complains, reading.cause, reading.evidence) == (True, "logistics_delay", ("物流慢",))


def test_the_cause_with_most_words_wins() -> None:
    assert read("物流慢，质量差，用一次就坏了", WORDS).cause == "quality"


def test_a_tie_goes_to_the_cause_said_first() -> None:
    assert read("坏了，而且物流慢", WORDS).cause == "quality"
    assert read("物流慢，而且坏了", WORDS).cause == "logistics_delay"


@pytest.mark.parametrize("text", ["没有破损", "一点没破损", "包装完好无破损", "不会给差评", "", "很好"])
def test_a_negated_word_is_no_complaint(text: str) -> None:
    assert not read(text, WORDS).complains


def test_a_complaint_without_a_cause_is_other() -> None:
    reading = read("差评", WORDS)
    assert (reading.complains, reading.cause, reading.evidence) == (True, "other", ("差评",))


def test_blackmail_is_a_signal_beside_the_cause() -> None:
    reading = read("质量差，返现删评", WORDS)
    assert (reading.cause, reading.blackmail) == ("quality", ("返现删评",))


def test_an_empty_lexicon_finds_nothing() -> None:
    assert not read("差评", {}).complains
