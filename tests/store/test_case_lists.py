"""Lists of a shop's cases, page by page."""

from datetime import timedelta
from typing import Any
from unittest.mock import patch

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from functions.store import cases
from functions.store.errors import BadToken
from tests.builders import NOW, SHOP, case

pytestmark = pytest.mark.usefixtures("aws")


def opened(**given: Any) -> None:
    cases.open_case(case(**given), None)


def listed(limit: int, **query: Any) -> list[str]:
    """Follow the pages of the shop's cases to the end."""
    found: list[str] = []
    start = None
    while True:
        page = cases.by_shop(SHOP, limit=limit, start=start, **query)
        assert len(page.cases) <= limit
        found += [one.review.review_id for one in page.cases]
        if page.next is None:
            return found
        assert len(page.cases) == limit, "a page before the last is full"
        start = page.next


def some_cases(count: int) -> None:
    for number in range(count):
        opened(
            review_id=str(number),
            opened_at=NOW + timedelta(minutes=number // 2),  # two each have the same time
            due_at=NOW + timedelta(hours=2, minutes=-number),
            grade="quality" if number % 3 == 0 else "logistics_delay",
            status="acknowledged" if number % 4 == 0 else "open",
        )


def test_the_newest_case_comes_first() -> None:
    some_cases(6)
    assert [{*pair} for pair in zip(*[iter(listed(50))] * 2, strict=True)] == [
        {"4", "5"},
        {"2", "3"},
        {"0", "1"},
    ]


def test_the_next_due_comes_first_and_only_waiting_cases_are_due() -> None:
    some_cases(4)
    opened(review_id="done", status="resolved", due_at=NOW)
    assert listed(50, sort="due") == ["3", "2", "1", "0"]
    assert "done" in listed(50)


def test_another_shops_cases_are_not_listed() -> None:
    opened(review_id="ours")
    opened(review_id="theirs", shop_id="shop-2")
    assert listed(50) == ["ours"]


def test_cases_are_listed_by_status_and_grade() -> None:
    some_cases(13)
    assert sorted(listed(2, status="acknowledged"), key=int) == ["0", "4", "8", "12"]
    assert sorted(listed(2, grade="quality", status="acknowledged"), key=int) == ["0", "12"]
    assert listed(2, grade="price") == []


def test_a_shop_without_cases_has_one_empty_page() -> None:
    assert cases.by_shop("nobody") == cases.Page([], None)


def test_a_page_filters_through_more_entries_than_are_read_at_once() -> None:
    some_cases(13)
    with patch.object(cases, "_STRIDE", 2):
        assert sorted(listed(3, status="acknowledged"), key=int) == ["0", "4", "8", "12"]


def test_a_page_ends_unfilled_rather_than_read_for_ever_and_the_next_goes_on() -> None:
    some_cases(13)
    found, start = list[str](), None
    with patch.object(cases, "_STRIDE", 2), patch.object(cases, "_STRIDES", 2):
        while True:
            page = cases.by_shop(SHOP, status="acknowledged", limit=10, start=start)
            found += [one.review.review_id for one in page.cases]
            start = page.next
            if start is None:
                break
            assert len(page.cases) < 10
    assert sorted(found, key=int) == ["0", "4", "8", "12"]


WHOLE: dict[Any, list[str]] = {}


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    limit=st.integers(1, 8),
    sort=st.sampled_from(["due", "opened"]),
    grade=st.sampled_from([None, "quality"]),
)
def test_pages_of_any_size_show_each_case_once_in_the_same_order(limit: int, sort: Any, grade: Any) -> None:
    if not cases.by_shop(SHOP, limit=1).cases:
        some_cases(7)
        WHOLE.clear()
    if (sort, grade) not in WHOLE:
        WHOLE[sort, grade] = listed(99, sort=sort, grade=grade)
    assert listed(limit, sort=sort, grade=grade) == WHOLE[sort, grade]


@pytest.mark.parametrize("token", ["", "x", "äöü", "AAAA", "eyJhIjoxfQ"])
def test_a_next_that_was_never_given_out_is_refused(token: str) -> None:
    with pytest.raises(BadToken):
        cases.by_shop(SHOP, start=token)


def test_a_next_belongs_to_its_list_and_its_filters() -> None:
    some_cases(4)
    token = cases.by_shop(SHOP, limit=1).next
    assert token is not None
    for other in ({"sort": "due"}, {"status": "open"}, {"grade": "quality"}):
        with pytest.raises(BadToken):
            cases.by_shop(SHOP, start=token, **other)  # type: ignore[arg-type]
    with pytest.raises(BadToken):
        cases.by_shop("shop-2", start=token)
    with pytest.raises(BadToken):
        cases.by_shop(SHOP, start=token[:-2] + ("A" if token[-2] != "A" else "B") + token[-1])
