from datetime import timedelta
from typing import Any
from unittest.mock import patch

import pytest

from functions.domain.profiles import Order, Profile
from functions.runtime.clients import client
from functions.store import customers
from functions.store.errors import StaleWrite
from tests.builders import CUSTOMER, NOW, SHOP, order, profile
from tests.cloud import Cloud
from tests.crash import dying_after, effects

pytestmark = pytest.mark.usefixtures("aws")


def take(*orders: Order) -> list[bool]:
    return customers.take(orders, NOW)


def kept() -> Profile:
    found = customers.profile(SHOP, CUSTOMER)
    assert found is not None
    return found


def test_a_customer_nobody_knows_has_no_profile() -> None:
    assert customers.profile(SHOP, CUSTOMER) is None


def test_a_profile_changed_meanwhile_is_not_overwritten() -> None:
    saved = customers.save(profile())
    customers.save(saved)
    with pytest.raises(StaleWrite) as raised:
        customers.save(saved)
    assert CUSTOMER not in str(raised.value)


def test_a_new_profile_does_not_overwrite_one_that_somebody_else_began() -> None:
    customers.save(profile(needs=("quiet",)))
    with pytest.raises(StaleWrite):
        customers.save(profile())
    assert kept().needs == ("quiet",)


# Orders


def test_an_order_is_recorded_and_counts_in_the_profile(aws: Cloud) -> None:
    assert take(order()) == [True]
    assert (kept().orders, kept().version) == (1, 1)
    assert customers.export(SHOP, CUSTOMER) == (kept(), [order()])


def test_the_same_order_again_writes_nothing() -> None:
    take(order())
    assert effects(lambda: take(order())) == []
    assert take(order()) == [False]
    assert (kept().orders, kept().version) == (1, 1)


def test_several_orders_of_a_customer_are_one_write() -> None:
    orders = [order(order_id=str(number)) for number in range(99)]
    assert effects(lambda: take(*orders)) == ["dynamodb.TransactWriteItems"]
    assert kept().orders == 99


def test_a_return_and_a_corrected_total_replace_the_order() -> None:
    assert take(order(), order(), order(returned=True, total=100)) == [True, False, True]
    assert (kept().orders, kept().returns) == (1, 1)
    assert sum(day.spent for day in kept().days.values()) == 100
    assert customers.export(SHOP, CUSTOMER)[1] == [order(returned=True, total=100)]


@pytest.mark.parametrize("orders", [[], [order(), order(customer_id="other")], [order()] * 100])
def test_orders_are_taken_for_one_customer_at_a_time_and_not_too_many(orders: list[Order]) -> None:
    with pytest.raises(ValueError, match="1 to 99 orders of one customer"):
        take(*orders)


def test_an_order_is_taken_again_on_top_of_what_others_wrote_meanwhile() -> None:
    customers.save(profile())
    dynamodb = client("dynamodb")
    write, others = dynamodb.transact_write_items, [profile(version=1, needs=("quiet",))]

    def write_late(**parameters: Any) -> Any:
        if others:
            customers.save(others.pop())
        return write(**parameters)

    with patch.object(dynamodb, "transact_write_items", write_late):
        assert take(order()) == [True]
    assert (kept().orders, kept().needs) == (1, ("quiet",))


def test_an_order_is_given_back_when_others_keep_changing_the_profile() -> None:
    with (
        patch.object(customers, "transact", side_effect=StaleWrite("it")) as write,
        pytest.raises(StaleWrite),
    ):
        take(order())
    assert write.call_count == 5


# Reading for a batch of reviews


def test_profiles_and_orders_of_a_batch_come_in_one_call() -> None:
    take(order())
    buyers: list[customers.Buyer] = [
        (SHOP, CUSTOMER, "order-1"),
        (SHOP, CUSTOMER, "order-2"),
        (SHOP, CUSTOMER, None),
        (SHOP, "stranger", "order-1"),
    ]
    dynamodb = client("dynamodb")
    with patch.object(dynamodb, "batch_get_item", wraps=dynamodb.batch_get_item) as read:
        found = customers.profile_and_order([*buyers, *buyers])
    assert read.call_count == 1
    stranger = Profile(shop_id=SHOP, customer_id="stranger")
    assert found == dict(
        zip(buyers, [(kept(), order()), (kept(), None), (kept(), None), (stranger, None)], strict=True)
    )


# Erasure


def test_erasing_a_customer_leaves_nothing_of_them_and_everything_of_others(aws: Cloud) -> None:
    take(*(order(order_id=str(number)) for number in range(3)))
    customers.take([order(customer_id="other")], NOW)
    assert customers.erase(kept()) == 3
    assert {item["customer"] for item in aws.items("customers")} == {f"{SHOP}#other"}


def test_a_customer_with_very_many_orders_is_erased_too(aws: Cloud) -> None:
    for start in range(0, 150, 75):
        take(*(order(order_id=str(number)) for number in range(start, start + 75)))
    assert customers.erase(kept()) == 150
    assert aws.items("customers") == []


def test_an_erasure_that_broke_off_is_done_again_from_the_profile(aws: Cloud) -> None:
    for start in range(0, 150, 75):
        take(*(order(order_id=str(number)) for number in range(start, start + 75)))
    with dying_after(1):
        customers.erase(kept())
    customers.erase(kept())
    assert aws.items("customers") == []


def test_an_erasure_does_not_miss_an_order_that_comes_meanwhile() -> None:
    take(order())
    before = kept()
    take(order(order_id="late", placed_at=NOW - timedelta(days=1)))
    with pytest.raises(StaleWrite):
        customers.erase(before)
    customers.erase(kept())
    assert customers.export(SHOP, CUSTOMER) == (None, [])
