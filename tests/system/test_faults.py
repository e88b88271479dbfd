"""Whatever a platform does wrong: once it is over, nothing is lost and nothing is doubled."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from functions.domain.times import iso
from infra.local.simulators.faults import Fault
from infra.local.simulators.taobao import METHOD, MOST_ROWS, TaobaoSimulator
from tests.system.running import Shop, nothing_lost_nothing_twice, now

pytestmark = pytest.mark.system


@pytest.fixture(autouse=True)
def no_trouble(shop: Shop) -> Iterator[None]:
    """A platform's fault fails no invocation and leaves no dead letter."""
    before = shop.system.trouble()
    yield
    assert shop.system.trouble() == before


def write_some(shop: Shop) -> None:
    for _ in range(6):
        shop.write()
        shop.complain()


def asked(simulator: TaobaoSimulator, outcome: str) -> int:
    return simulator.counts[METHOD, outcome]


@pytest.mark.parametrize(
    ("fault", "outcome", "reason"),
    [
        (Fault(kind="rate_limit", ban_s=4), "error:7", "rate_limited"),
        (Fault(kind="http_500"), "http_500", "temporarily_unavailable"),
        (Fault(kind="malformed_json"), "malformed_json", "malformed_answer"),
        (Fault(kind="isp_error"), "error:15", "temporarily_unavailable"),
    ],
    ids=lambda given: given.kind if isinstance(given, Fault) else "",
)
def test_a_fault_pauses_the_shop_and_then_everything_is_found(
    shop: Shop, fault: Fault, outcome: str, reason: str
) -> None:
    write_some(shop)
    shop.simulator.faults = (fault,)
    shop.poll_until(lambda: shop.state.get("pause_reason") == reason)
    shop.simulator.faults = ()
    assert asked(shop.simulator, outcome) >= 1
    assert shop.cases() == []
    write_some(shop)
    shop.settle()
    nothing_lost_nothing_twice(shop)
    assert "pause_reason" not in shop.state


def test_nobody_asks_a_platform_during_the_ban_that_it_named(shop: Shop) -> None:
    shop.simulator.faults = (Fault(kind="rate_limit", ban_s=8),)
    shop.poll_until(lambda: "pause_reason" in shop.state)
    shop.simulator.faults = ()
    write_some(shop)
    shop.settle()
    assert asked(shop.simulator, "error:7") == 1


def test_an_expired_session_waits_for_the_renewed_secret(
    shop: Shop, winback: Callable[..., int], tmp_path: Path
) -> None:
    shop.poll_until(lambda: "polled_at" in shop.state)
    write_some(shop)
    shop.simulator.session = "renewed"
    shop.poll_until(lambda: shop.state.get("pause_reason") == "session_expired")
    assert shop.cases() == []
    credentials = tmp_path / "credentials.json"
    credentials.write_text(shop.simulator.secret)
    assert winback("shop", "resume", shop.shop_id, "--credentials", str(credentials)) == 0
    shop.settle()
    nothing_lost_nothing_twice(shop)


def test_rows_that_are_shown_twice_count_once(shop: Shop) -> None:
    shop.simulator.faults = (Fault(kind="duplicate_rows"),)
    write_some(shop)
    shop.settle()
    shop.poll()
    shop.settle()
    nothing_lost_nothing_twice(shop)


def test_rows_that_show_a_little_late_are_found_by_the_next_polls(shop: Shop) -> None:
    shop.simulator.faults = (Fault(kind="late_rows", seconds=6),)
    write_some(shop)
    shop.poll_until(lambda: "polled_at" in shop.state)
    assert shop.cases() == []
    shop.settle()
    nothing_lost_nothing_twice(shop)


def test_rows_that_show_after_their_window_was_read_are_found_by_the_sweep(shop: Shop) -> None:
    shop.poll_until(lambda: "polled_at" in shop.state)
    for _ in range(3):
        for write in (shop.write, shop.complain):
            write(created=now() - timedelta(minutes=40), visible_at=now())
    shop.change(swept_at=iso(now() - timedelta(minutes=31)))
    shop.settle()
    nothing_lost_nothing_twice(shop)


def test_a_window_with_more_rows_than_the_platform_shows_is_read_completely(shop: Shop) -> None:
    start = now() - timedelta(minutes=25)
    shop.change(cursor_at=iso(start))
    for number in range(MOST_ROWS + 100):
        write = shop.complain if number % 100 == 0 else shop.write
        write(created=start + timedelta(seconds=number * 0.9))
    shop.settle()
    nothing_lost_nothing_twice(shop)
