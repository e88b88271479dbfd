import pytest

from functions.reading.languages import language


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("物流太慢", "zh"),
        ("ok 物流慢", "zh"),
        ("", "zh"),
        ("666!!!", "zh"),
        ("the parcel arrived late and i want my money back", "en"),
        ("terrible", "en"),
        ("o produto não chegou no prazo", "pt"),
        ("recebi errado", "pt"),
    ],
)
def test_the_language_is_told_by_script_and_common_words(text: str, expected: str) -> None:
    assert language(text) == expected
