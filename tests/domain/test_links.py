"""Links: what was signed comes back, and nothing else opens anything."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.domain.cases import case_id
from functions.domain.links import ACTS, TOKEN_LENGTH, BadLink, Keys, Link, LinkExpired, read, token

NOW = datetime(2026, 3, 2, 8, 0, 30, tzinfo=UTC)
KEYS = Keys(1, {1: b"k" * 32})
LATER = NOW + timedelta(hours=2)
CASE, OTHER = case_id("taobao#shop-1#r1"), case_id("taobao#shop-1#r2")
SHOW = Link("show", CASE, LATER)
ACKNOWLEDGE = Link("acknowledge", CASE, LATER, b"nonce1")


@given(
    review=st.text(min_size=1),
    purpose=st.sampled_from(["show", *ACTS]),
    minutes=st.integers(1, 60 * 24 * 3650),
    nonce=st.binary(min_size=6, max_size=6),
    signs=st.integers(0, 7),
)
def test_a_token_says_what_was_signed(review, purpose, minutes, nonce, signs) -> None:
    keys = Keys(signs, {signs: b"x" * 32})
    moment = datetime(2026, 3, 2, tzinfo=UTC)
    link = Link(
        purpose, case_id(review), moment + timedelta(minutes=minutes), b"" if purpose == "show" else nonce
    )
    assert read(token(link, keys), keys, moment) == link


def test_a_token_that_shows_is_short_enough_for_a_text_message() -> None:
    assert len(token(SHOW, KEYS)) == TOKEN_LENGTH == 39
    assert token(SHOW, KEYS) == token(SHOW, KEYS), "an alert that is sent again says the same"


@given(
    place=st.integers(0, 46), put=st.sampled_from("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz-_")
)
def test_a_token_with_any_character_changed_is_refused(place: int, put: str) -> None:
    for whole in (token(SHOW, KEYS), token(ACKNOWLEDGE, KEYS)):
        changed = (whole[:place] + put + whole[place + 1 :])[: len(whole)]
        if changed != whole:
            with pytest.raises(BadLink):
                read(changed, KEYS, NOW)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "x",
        "A" * 39,
        "A" * 47,
        CASE,
        f"{CASE}{'A' * 23}",
        "../../etc/passwd",
        "差" * 39,
        f"{token(SHOW, KEYS)}\n",
    ],
)
def test_what_is_no_token_is_refused(text: str) -> None:
    with pytest.raises(BadLink):
        read(text, KEYS, NOW)


def test_a_token_of_another_key_is_refused() -> None:
    with pytest.raises(BadLink):
        read(token(SHOW, Keys(1, {1: b"another" * 5})), KEYS, NOW)


def test_a_token_ends_with_its_time() -> None:
    whole = token(SHOW, KEYS)
    assert read(whole, KEYS, LATER).case_id == CASE, "rounded up to the minute, never down"
    with pytest.raises(LinkExpired):
        read(whole, KEYS, LATER + timedelta(minutes=1))


def test_an_expired_forgery_is_a_forgery() -> None:
    """Else the answer would tell a guesser that the rest was right."""
    forged = token(SHOW, Keys(1, {1: b"another" * 5}))
    with pytest.raises(BadLink) as refused:
        read(forged, KEYS, LATER + timedelta(days=1))
    assert not isinstance(refused.value, LinkExpired)


def test_tokens_of_two_cases_share_nothing_that_could_be_swapped() -> None:
    one, other = token(ACKNOWLEDGE, KEYS), token(ACKNOWLEDGE._replace(case_id=OTHER), KEYS)
    for cut in (8, 15, 24, 39):
        with pytest.raises(BadLink):
            read(one[:cut] + other[cut:], KEYS, NOW)


def test_links_signed_before_a_rotation_work_until_the_old_key_is_dropped() -> None:
    whole = token(SHOW, KEYS)
    rotated = Keys(2, {1: b"k" * 32, 2: b"n" * 32})
    assert read(whole, rotated, NOW) == read(token(SHOW, rotated), rotated, NOW)
    with pytest.raises(BadLink):
        read(whole, Keys(2, {2: b"n" * 32}), NOW)


@pytest.mark.parametrize(
    "link", [SHOW._replace(case_id="WB-1"), SHOW._replace(nonce=b"nonce1"), ACKNOWLEDGE._replace(nonce=b"")]
)
def test_what_makes_no_sense_is_not_signed(link: Link) -> None:
    with pytest.raises(ValueError, match=r"wrong|no case number"):
        token(link, KEYS)
