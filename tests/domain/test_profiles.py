from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from functions.domain.profiles import (
    Order,
    Profile,
    days_since_earlier_order,
    remember,
    spent_12_months,
    take_order,
)
from functions.domain.tiers import tier
from functions.rulebook import load
from tests.builders import review

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
NOBODY = Profile(shop_id="shop", customer_id="c")


def order(number: int = 1, days_ago: float = 1, total: int = 10_000, returned: bool = False) -> Order:
    return Order(
        shop_id="shop",
        order_id=f"o{number}",
        customer_id="c",
        placed_at=NOW - timedelta(days=days_ago),
        total=total,
        returned=returned,
    )


def after(*orders: Order) -> Profile:
    profile, known = NOBODY, dict[str, Order]()
    for one in orders:
        profile = take_order(profile, one, known.get(one.order_id), NOW)
        known[one.order_id] = one
    return profile


def test_spending_rolls_over_twelve_months() -> None:
    profile = after(order(1, 366, 50_000), order(2, 365, 20_000), order(3, 1, 30_000))
    assert spent_12_months(profile, NOW) == 50_000
    assert spent_12_months(profile, NOW + timedelta(days=1)) == 30_000
    assert profile.orders == 3


def test_an_order_delivered_twice_counts_once() -> None:
    assert after(order(), order()) == after(order())


def test_a_return_counts_once_and_a_corrected_total_replaces_the_first() -> None:
    profile = after(order(total=10_000), order(total=8_000, returned=True), order(total=8_000, returned=True))
    assert (profile.orders, profile.returns, spent_12_months(profile, NOW)) == (1, 1, 8_000)


orders = st.builds(
    order,
    number=st.integers(0, 8),
    days_ago=st.floats(0, 900),
    total=st.integers(0, 200_000),
    returned=st.booleans(),
)


@given(st.lists(orders, max_size=12, unique_by=lambda one: one.order_id), st.randoms())
def test_the_order_of_arrival_does_not_matter(arrived: list[Order], chance) -> None:
    shuffled = list(arrived)
    chance.shuffle(shuffled)
    assert after(*arrived) == after(*shuffled)


@given(st.lists(orders, max_size=12, unique_by=lambda one: one.order_id))
def test_spending_equals_the_sum_over_the_orders(arrived: list[Order]) -> None:
    horizon = (NOW - timedelta(days=365)).date()
    expected = sum(one.total for one in arrived if one.placed_at.date() >= horizon)
    assert spent_12_months(after(*arrived), NOW) == expected


def test_the_reviewed_order_does_not_make_a_customer_faithful() -> None:
    reviewed = order(2, 10)
    assert days_since_earlier_order(after(reviewed), reviewed, NOW) is None
    assert days_since_earlier_order(after(order(1, 200), reviewed), reviewed, NOW) == 200
    assert days_since_earlier_order(after(order(1, 500), reviewed), reviewed, NOW) == 500


def test_a_second_order_of_the_same_day_is_an_earlier_order() -> None:
    reviewed = order(2, 10)
    assert days_since_earlier_order(after(order(1, 10), reviewed), reviewed, NOW) == 10


def test_a_bad_review_is_remembered_once() -> None:
    once = remember(NOBODY, review())
    assert once.bad_reviews == (review().key,)
    assert remember(once, review(text="edited")) is once


def test_tiers_are_asked_in_the_order_high_value_new_dormant() -> None:
    reviewed = order(9, 5, total=5_000)
    tiers = {
        "high_value": after(order(1, 300, 95_000), reviewed),
        "new": after(reviewed),
        "dormant": after(order(1, 181, 5_000), reviewed),
        "regular": after(order(1, 100, 5_000), reviewed),
    }
    assert {name: tier(profile, reviewed, load(), NOW).then["tier"] for name, profile in tiers.items()} == {
        name: name for name in tiers
    }


def test_a_customer_nobody_knows_is_new() -> None:
    assert tier(NOBODY, None, load(), NOW).then["tier"] == "new"
