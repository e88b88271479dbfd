"""winback shop: shops are watched from the next minute on, by the clock alone."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.system.running import Shop, eventually, nothing_lost_nothing_twice

pytestmark = pytest.mark.system

# The clock's next minute, then the shop's own interval, with something to spare.
BY_THE_CLOCK_S = 150


def test_an_added_shop_is_polled_by_the_clock_until_it_is_paused(
    shop: Shop, winback: Callable[..., int], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shop.close()
    credentials = tmp_path / "credentials.json"
    credentials.write_text(shop.simulator.secret)
    added = (
        *("shop", "add", shop.shop_id, "--name", "保温杯旗舰店", "--credentials", str(credentials)),
        *("--api-url", shop.simulator.url),
    )
    assert winback(*added) == 0
    assert winback(*added) == 2  # it is there already
    shop.write()
    shop.complain()
    eventually(shop.everything_opened, BY_THE_CLOCK_S)
    eventually(shop.first_alerts)
    nothing_lost_nothing_twice(shop)

    assert winback("shop", "pause", shop.shop_id) == 0
    assert shop.state["active"] is False
    shop.complain()
    shop.poll()
    eventually(lambda: not shop.system.watcher.depth("PollsQueueUrl"), BY_THE_CLOCK_S)
    assert len(shop.cases()) == 1

    assert winback("shop", "resume", shop.shop_id) == 0
    shop.settle()
    nothing_lost_nothing_twice(shop)
    assert winback("shop", "list") == 0
    assert shop.shop_id in capsys.readouterr().out
    assert winback("shop", "pause", "nobody") == 2
