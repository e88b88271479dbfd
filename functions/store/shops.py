"""The shops table: configuration, which only its owners write, and polling state, which only polls write."""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from pydantic import ValidationError

from functions.domain.calendars import Hours
from functions.domain.order_systems import OrderSystem
from functions.domain.polling import Shop
from functions.runtime.clients import client
from functions.runtime.settings import setting
from functions.store.calls import batch_get
from functions.store.errors import Unreadable, stale_write
from functions.store.items import attributes, from_item, plain

_PACKED = ("seen", "digests")  # bytes
_STATE = {
    *("cursor_at", "polled_at", "watched_since", "last_review_at", "swept_at", "swept_to"),
    *("paused_until", "pause_reason", "failures", "version"),
}

_LAST = timedelta(seconds=60)  # for so long a changed calendar or address may go unnoticed
_opening: dict[str, tuple[datetime, Hours | None]] = {}
_systems: dict[str, tuple[datetime, OrderSystem]] = {}


class Watched(NamedTuple):
    """The active shops, and why some of them cannot be read, by shop id."""

    shops: list[Shop]
    unreadable: dict[str, str]


class Opening(NamedTuple):
    """The shops' hours, None round the clock, and why some of them cannot be read, by shop id."""

    hours: dict[str, Hours | None]
    unreadable: dict[str, str]


def get(shop_id: str) -> Shop | None:
    """Return the shop, or None when there is none of this id. Raises Unreadable."""
    answer = client("dynamodb").get_item(
        TableName=setting("WINBACK_SHOPS_TABLE"), Key=attributes({"shop_id": shop_id}), ConsistentRead=True
    )
    return _shop(answer["Item"]) if "Item" in answer else None


def order_system(shop_id: str, now: datetime) -> OrderSystem:
    """Return where the shop takes orders; nowhere, in China's time, for a shop that says nothing of it.

    Asks for each shop once a minute at most.
    """
    if shop_id not in _systems or _systems[shop_id][0] <= now:
        answer = client("dynamodb").get_item(
            TableName=setting("WINBACK_SHOPS_TABLE"), Key=attributes({"shop_id": shop_id})
        )
        system = from_item(OrderSystem, answer.get("Item", attributes({"shop_id": shop_id})))
        _systems[shop_id] = now + _LAST, system
    return _systems[shop_id][1]


def active() -> Watched:
    """Return all active shops. One with a mistake in its configuration does not hide the others."""
    watched = Watched([], {})
    pages = client("dynamodb").get_paginator("scan")
    for page in pages.paginate(
        TableName=setting("WINBACK_SHOPS_TABLE"),
        FilterExpression="active = :yes",
        ExpressionAttributeValues=attributes({":yes": True}),
    ):
        for item in page["Items"]:
            try:
                watched.shops.append(_shop(item))
            except Unreadable as error:
                watched.unreadable[item["shop_id"]["S"]] = str(error)
    return watched


def save_state(shop: Shop) -> Shop:
    """Save the shop's polling state, nothing else, and return the shop with its new version.

    Raises StaleWrite when another poll saved meanwhile, or the shop is gone.
    """
    saved = shop.model_copy(update={"version": shop.version + 1})
    state: dict[str, Any] = saved.model_dump(mode="json", include=_STATE)
    state |= {name: getattr(saved, name) or None for name in _PACKED}
    kept = {name: value for name, value in state.items() if value is not None}
    changes = "SET " + ", ".join(f"#{name} = :{name}" for name in kept)
    if gone := state.keys() - kept:
        changes += " REMOVE " + ", ".join(f"#{name}" for name in gone)
    unchanged = "#version = :read"
    if not shop.version:  # a shop that was never polled may have none yet
        unchanged = f"({unchanged} OR attribute_not_exists(#version))"
    with stale_write(f"shop {shop.shop_id}"):
        client("dynamodb").update_item(
            TableName=setting("WINBACK_SHOPS_TABLE"),
            Key=attributes({"shop_id": shop.shop_id}),
            UpdateExpression=changes,
            ConditionExpression=f"attribute_exists(shop_id) AND {unchanged}",
            ExpressionAttributeNames={f"#{name}": name for name in state},
            ExpressionAttributeValues=attributes(
                {":read": shop.version} | {f":{name}": value for name, value in kept.items()}
            ),
        )
    return saved


def hours(shop_ids: Iterable[str], now: datetime) -> Opening:
    """Return when the shops are open. Asks for each one once a minute at most; unknown ones never close."""
    wanted, unreadable = set(shop_ids), dict[str, str]()
    stale = [shop for shop in sorted(wanted) if shop not in _opening or _opening[shop][0] <= now]
    # The polls' state makes a shop's item large, and its hours seldom change: no consistent read.
    items = batch_get(
        setting("WINBACK_SHOPS_TABLE"),
        [attributes({"shop_id": shop}) for shop in stale],
        ConsistentRead=False,
        ProjectionExpression="shop_id, #hours",
        ExpressionAttributeNames={"#hours": "hours"},
    )
    found = {str(item["shop_id"]): item.get("hours") for item in map(plain, items)}
    for shop in stale:
        try:
            known = Hours.model_validate(found[shop]) if found.get(shop) is not None else None
        except ValidationError as error:
            unreadable[shop] = "; ".join(problem["msg"] for problem in error.errors(include_input=False))
        else:
            _opening[shop] = now + _LAST, known
    return Opening({shop: _opening[shop][1] for shop in wanted - unreadable.keys()}, unreadable)


def forget() -> None:
    """Ask again for what every shop says of itself."""
    _opening.clear()
    _systems.clear()


def _shop(item: Mapping[str, Any]) -> Shop:
    packed = {name: item[name]["B"] for name in _PACKED if name in item}
    plain = {name: value for name, value in item.items() if name not in _PACKED}
    return from_item(Shop, plain).model_copy(update=packed)
