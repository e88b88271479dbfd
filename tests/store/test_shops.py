from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from functions.domain.polling import Shop
from functions.runtime.clients import client
from functions.runtime.settings import setting
from functions.store import calls, shops
from functions.store.errors import StaleWrite, Unreadable
from functions.store.items import attributes
from tests.cloud import Cloud

NOW = datetime(2026, 1, 5, 4, tzinfo=UTC)
CONFIGURED = {
    "shop_id": "s1",
    "platform": "taobao",
    "name": "一号店",
    "active": True,
    "interval_s": 20,
    "secret": "winback/local/s1",
    "time_zone": "Asia/Shanghai",
    "silent_after_s": 3600,
}


def configure(**changes: Any) -> None:
    item = {name: value for name, value in (CONFIGURED | changes).items() if value is not None}
    client("dynamodb").put_item(TableName=setting("WINBACK_SHOPS_TABLE"), Item=attributes(item))


def stored(shop_id: str = "s1") -> Shop:
    shop = shops.get(shop_id)
    assert shop
    return shop


def test_a_configured_shop_is_read_with_its_defaults(aws: Cloud) -> None:
    configure(interval_s=None, silent_after_s=None)
    assert stored() == Shop(shop_id="s1", platform="taobao", name="一号店", secret="winback/local/s1")


def test_an_unknown_shop_is_none(aws: Cloud) -> None:
    assert shops.get("s1") is None


def test_the_whole_state_comes_back_as_it_was_saved(aws: Cloud) -> None:
    configure()
    after = stored().model_copy(
        update={
            "cursor_at": NOW,
            "seen": b"\x00\xff" * 8,
            "digests": b"\x01" * 12,
            "polled_at": NOW + timedelta(milliseconds=1),
            "watched_since": NOW,
            "last_review_at": NOW,
            "swept_at": NOW,
            "swept_to": NOW,
            "paused_until": NOW,
            "pause_reason": "rate_limited",
            "failures": 3,
        }
    )
    assert shops.save_state(after) == stored() == after.model_copy(update={"version": 1})


def test_what_is_no_longer_so_is_removed(aws: Cloud) -> None:
    configure()
    busy = shops.save_state(stored().model_copy(update={"seen": b"12345678", "paused_until": NOW}))
    shops.save_state(busy.model_copy(update={"seen": b"", "paused_until": None}))
    assert {"seen", "paused_until"}.isdisjoint(aws.items("shops")[0])


def test_saving_state_leaves_the_configuration_to_its_owner(aws: Cloud) -> None:
    configure()
    read = stored()
    configure(interval_s=60, name="新名")
    shops.save_state(read)
    assert (stored().interval_s, stored().name) == (60, "新名")
    assert aws.items("shops")[0]["time_zone"] == "Asia/Shanghai"


@pytest.mark.parametrize("version", [None, 0])
def test_of_two_polls_that_read_the_same_state_one_saves(aws: Cloud, version: int | None) -> None:
    configure(version=version)
    for _ in range(2):
        first = second = stored()
        shops.save_state(first.model_copy(update={"cursor_at": NOW}))
        with pytest.raises(StaleWrite):
            shops.save_state(second.model_copy(update={"cursor_at": NOW - timedelta(hours=1)}))
        assert stored().cursor_at == NOW


def test_a_shop_that_was_deleted_is_not_brought_back(aws: Cloud) -> None:
    configure()
    read = stored()
    client("dynamodb").delete_item(
        TableName=setting("WINBACK_SHOPS_TABLE"), Key=attributes({"shop_id": "s1"})
    )
    with pytest.raises(StaleWrite):
        shops.save_state(read)
    assert aws.items("shops") == []


def test_all_active_shops_are_found_on_however_many_pages(aws: Cloud) -> None:
    for number in range(6):
        # DynamoDB ends a page of a scan at one megabyte.
        configure(shop_id=f"s{number}", active=number % 2 == 0, name="店" * 100_000)
    found = shops.active()
    assert {shop.shop_id for shop in found.shops} == {"s0", "s2", "s4"}
    assert found.unreadable == {}


def test_a_mistake_in_one_shop_does_not_hide_the_others(aws: Cloud) -> None:
    configure()
    configure(shop_id="s2", interval_s=0)
    configure(shop_id="s3", secret=None)
    found = shops.active()
    assert [shop.shop_id for shop in found.shops] == ["s1"]
    assert found.unreadable.keys() == {"s2", "s3"}
    assert "interval_s" in found.unreadable["s2"]
    with pytest.raises(Unreadable, match="secret"):
        shops.get("s3")


# Hours


def test_hours_are_read_for_many_shops_at_once_and_kept_for_a_minute(
    aws: Cloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    configure(hours={"week": {"mon": ["09:00-12:00"]}})
    configure(shop_id="s2")
    asked = list[list[Any]]()
    read = calls.batch_get

    def counting(table: str, keys: Any, **how: Any) -> Any:
        asked.append(keys)
        return read(table, keys, **how)

    monkeypatch.setattr(shops, "batch_get", counting)
    opening = shops.hours(["s1", "s2", "s3"], NOW)
    assert opening.unreadable == {}
    assert opening.hours["s1"] is not None
    assert opening.hours["s1"].week == {"mon": ("09:00-12:00",)}
    assert (opening.hours["s2"], opening.hours["s3"]) == (None, None)
    assert shops.hours(["s1", "s3"], NOW + timedelta(seconds=59)).hours["s1"] == opening.hours["s1"]
    assert [len(keys) for keys in asked] == [3, 0]
    configure(hours={"week": {"tue": ["09:00-12:00"]}})
    later = shops.hours(["s1"], NOW + timedelta(seconds=60)).hours["s1"]
    assert later is not None
    assert later.week.keys() == {"tue"}


def test_hours_that_cannot_be_read_are_told_and_hide_no_others(aws: Cloud) -> None:
    configure(hours={"week": {}})
    configure(shop_id="s2", hours={})
    opening = shops.hours(["s1", "s2"], NOW)
    assert "the shop never opens" in opening.unreadable["s1"]
    assert opening.hours.keys() == {"s2"}
