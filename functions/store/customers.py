"""Customers: the profile of each customer and, in the same partition, their orders.

Their messages (functions/store/messages.py) are there too, and go with them.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from functions.domain.profiles import Order, Profile, customer_key, take_order
from functions.runtime.clients import client
from functions.runtime.settings import setting
from functions.store.calls import TRANSACTION, batch_get, pages, transact
from functions.store.errors import StaleWrite, stale_write
from functions.store.items import attributes, from_item, to_item

if TYPE_CHECKING:
    from functions.store.items import Item

Buyer = tuple[str, str, str | None]  # shop, customer, the order in question

_PROFILE, _ORDER = "profile", "order#"
_WHO = "the customer's profile"  # never their id: errors are logged
_ATTEMPTS = 5


def profile(shop_id: str, customer_id: str) -> Profile | None:
    answer = client("dynamodb").get_item(
        TableName=_table(), Key=_key(shop_id, customer_id, _PROFILE), ConsistentRead=True
    )
    return from_item(Profile, answer["Item"]) if "Item" in answer else None


def profile_and_order(buyers: Iterable[Buyer]) -> dict[Buyer, tuple[Profile, Order | None]]:
    """Return what is known of each buyer, an empty profile where nothing is. One call for up to 50."""
    buyers = set(buyers)
    return _known(buyers, batch_get(_table(), _keys(buyers)))


def profile_order_and_mark(buyer: Buyer, mark: "Item") -> tuple[Profile, Order | None, bool]:
    """Return what is known of the buyer, and whether there is an item under the key `mark`. One call."""
    items = batch_get(_table(), [*_keys({buyer}), mark])
    profile, order = _known({buyer}, items)[buyer]
    return profile, order, any(mark.items() <= item.items() for item in items)


def _keys(buyers: set[Buyer]) -> list["Item"]:
    keys = {(shop, customer, _PROFILE) for shop, customer, _ in buyers}
    keys |= {(shop, customer, _ORDER + order) for shop, customer, order in buyers if order}
    return [_key(*key) for key in sorted(keys)]


def _known(buyers: set[Buyer], items: Iterable["Item"]) -> dict[Buyer, tuple[Profile, Order | None]]:
    profiles, orders = _read(items)
    known = {(each.shop_id, each.customer_id): each for each in profiles}
    placed = {(each.shop_id, each.customer_id, each.order_id): each for each in orders}
    return {
        (shop, customer, order): (
            known.get((shop, customer)) or Profile(shop_id=shop, customer_id=customer),
            placed.get((shop, customer, order)) if order else None,
        )
        for shop, customer, order in buyers
    }


def save(profile: Profile) -> Profile:
    """Save the profile unless it was changed since it was read. Raises StaleWrite."""
    with stale_write(_WHO):
        client("dynamodb").put_item(**_put(profile))
    return profile.model_copy(update={"version": profile.version + 1})


def saving(profile: Profile) -> tuple[Any, StaleWrite]:
    """Return the saving of the profile as a part of a transaction."""
    return {"Put": _put(profile)}, StaleWrite(_WHO)


def take(orders: Sequence[Order], now: datetime) -> list[bool]:
    """Record orders of one customer and their profile in one transaction; True where an order was news.

    Raises StaleWrite when others keep changing the profile.
    """
    if len({(order.shop_id, order.customer_id) for order in orders}) != 1 or len(orders) >= TRANSACTION:
        raise ValueError(f"takes 1 to {TRANSACTION - 1} orders of one customer at a time")
    for _ in range(_ATTEMPTS - 1):
        try:
            return _take(orders, now)
        except StaleWrite:
            continue  # read again, decide again
    return _take(orders, now)


def _take(orders: Sequence[Order], now: datetime) -> list[bool]:
    known = profile_and_order((order.shop_id, order.customer_id, order.order_id) for order in orders)
    recorded = {order.order_id: order for _, order in known.values() if order is not None}
    after = next(iter(known.values()))[0]
    news, changed = list[bool](), dict[str, Order]()
    for order in orders:
        earlier = recorded.get(order.order_id)
        news.append(order != earlier)
        if order != earlier:
            after = take_order(after, order, earlier, now)
            recorded[order.order_id] = changed[order.order_id] = order
    if changed:
        # The profile's version guards the orders too: nobody writes one without the other.
        puts = ({"Put": {"TableName": _table(), "Item": _order_item(order)}} for order in changed.values())
        transact(saving(after), *((put, StaleWrite(_WHO)) for put in puts))
    return news


def export(shop_id: str, customer_id: str) -> tuple[Profile | None, list[Order]]:
    """Return the customer's profile and orders."""
    profiles, orders = _read(pages(**_partition(shop_id, customer_id), ConsistentRead=True))
    return next(iter(profiles), None), orders


def erase(profile: Profile) -> int:
    """Delete a customer's orders, messages and profile; return the number of orders.

    The profile goes last, or with the last orders, so that an erasure that broke off is found and done
    again. Raises StaleWrite when the profile was changed since it was read: there may be more to erase.
    """
    query = _partition(profile.shop_id, profile.customer_id)
    query["ExpressionAttributeNames"] |= {"#item": "item"}
    items = [item["item"]["S"] for item in pages(**query, ProjectionExpression="#item", ConsistentRead=True)]
    others = [
        {"Delete": {"TableName": _table(), "Key": _key(profile.shop_id, profile.customer_id, item)}}
        for item in items
        if item != _PROFILE
    ]
    last = {
        "Delete": {
            "TableName": _table(),
            "Key": _key(profile.shop_id, profile.customer_id, _PROFILE),
            **_unchanged(profile),
        }
    }
    deletes = [*others, last]
    for start in range(0, len(deletes), TRANSACTION):
        transact(*((delete, StaleWrite(_WHO)) for delete in deletes[start : start + TRANSACTION]))
    return sum(item.startswith(_ORDER) for item in items)


def _put(profile: Profile) -> dict[str, Any]:
    saved = profile.model_copy(update={"version": profile.version + 1})
    item = to_item(saved, customer=customer_key(profile.shop_id, profile.customer_id), item=_PROFILE)
    return {"TableName": _table(), "Item": item, **_unchanged(profile)}


def _unchanged(profile: Profile) -> dict[str, Any]:
    if profile.version == 0:
        return {"ConditionExpression": "attribute_not_exists(customer)"}
    return {
        "ConditionExpression": "#version = :read",
        "ExpressionAttributeNames": {"#version": "version"},
        "ExpressionAttributeValues": attributes({":read": profile.version}),
    }


def _order_item(order: Order) -> "Item":
    return to_item(
        order, customer=customer_key(order.shop_id, order.customer_id), item=_ORDER + order.order_id
    )


def _key(shop_id: str, customer_id: str, item: str) -> "Item":
    return attributes({"customer": customer_key(shop_id, customer_id), "item": item})


def _partition(shop_id: str, customer_id: str) -> dict[str, Any]:
    return {
        "TableName": _table(),
        "KeyConditionExpression": "#customer = :customer",
        "ExpressionAttributeNames": {"#customer": "customer"},
        "ExpressionAttributeValues": attributes({":customer": customer_key(shop_id, customer_id)}),
    }


def _read(items: Iterable["Item"]) -> tuple[list[Profile], list[Order]]:
    profiles, orders = list[Profile](), list[Order]()
    for item in items:
        if item["item"]["S"] == _PROFILE:
            profiles.append(from_item(Profile, item))
        elif item["item"]["S"].startswith(_ORDER):
            orders.append(from_item(Order, item))
    return profiles, orders


def _table() -> str:
    return setting("WINBACK_CUSTOMERS_TABLE")
