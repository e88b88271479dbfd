"""Story texts: the reader of today takes them for what the stories need, without the running system."""

import pytest

from functions.domain.verdicts import judge
from functions.rulebook import load
from infra.local import acts
from tests.builders import review


@pytest.mark.parametrize(
    ("text", "rating", "cause", "needs_check"),
    [
        (acts.SLOW, "bad", "logistics_delay", False),
        (acts.BROKEN, "bad", "quality", False),
        (acts.CRUSHED, "bad", "damaged_lost", False),
        (acts.WRONG, "bad", "wrong_missing", False),
        (acts.SMALL, "bad", "size_mismatch", False),
        (acts.RUDE, "bad", "service_attitude", False),
        (acts.DEAR, "bad", "price", False),
        (acts.HIDDEN, "good", "logistics_delay", False),
        (acts.BLAND, "neutral", "other", True),
    ],
)
def test_a_story_text_is_read_as_its_story_needs_it(
    text: str, rating: str, cause: str, needs_check: bool
) -> None:
    verdict = judge(review(text=text, stars=None, rating=rating), load())
    assert (verdict.bad, verdict.reading.cause, verdict.needs_check) == (True, cause, needs_check)


def test_the_blackmail_of_the_stories_is_told() -> None:
    verdict = judge(review(text=acts.BLACKMAIL, stars=None, rating="bad"), load())
    assert verdict.reading.blackmail
