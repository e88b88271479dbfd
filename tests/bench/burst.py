"""A thousand bad reviews in one minute on the running system: how long until each alert, and what it all cost.

Everything is deployed on the emulator; people take and solve every case at once, and the follow-up runs to its
end. All AWS calls, workflow transitions and invocations are counted by the emulator, so the cost is that of
what really happened, at list prices (tests/bench/prices.py).
"""

import csv
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from rich.console import Console

from infra.local.api import api_of
from infra.local.demo import Tempo, open_shops, play, system, warm_up
from infra.local.player import Player
from infra.local.simulators.taobao import TaobaoSimulator
from infra.local.stream import read
from infra.local.supervisor import Supervisor
from infra.local.watcher import Watcher, quantiles
from tests.bench import prices

REVIEWS, SECONDS = 1000, 60
_TEXTS = ("物流太慢了，等了{}天", "质量太差，用了{}天就坏", "少发了{}件，客服不理", "尺码偏小{}号，穿不了")


def measure() -> Iterator[dict[str, Any]]:
    """Yield the latencies in seconds, the calls per case and the cost in USD per million reviews."""
    with ExitStack() as running:
        folder = Path(running.enter_context(tempfile.TemporaryDirectory()))
        stream = read(_written(folder / "burst.csv"), None)
        tempo = Tempo(REVIEWS / SECONDS, floor_s=15, react_s=2.0)
        console = Console(quiet=True)
        target, stack = system(running, console, tempo)
        shops = {"burst": running.enter_context(TaobaoSimulator())}
        watcher = Watcher(target, stack)
        open_shops(target, stack, shops)
        warm_up(target)
        player = Player(stream, shops, api_of(target, stack, "ShopSystem"), tempo.rate)
        people = Supervisor(
            target,
            stack.outputs["AlertsTopicArn"],
            api_of(target, stack, "Supervisor"),
            tempo.react_s,
            everything_solved=True,
        )
        people.start()
        running.callback(people.stop)
        report = play(console, player, people, watcher)
        seen = [(c.alerted_at - c.review.first_seen_at).total_seconds() for c in report.cases if c.alerted_at]
    yield {
        "reviews": REVIEWS,
        "in_s": SECONDS,
        "cases": len(report.cases),
        "wrong": report.wrong,
        "seen_to_alert_s": quantiles(seen),
        "posted_to_alert_s": quantiles(report.posted_to_alert),
    }
    calls = report.summary["aws_calls"]
    cases = len(report.cases)
    yield {"per_case": {name: round(total / cases, 2) for name, total in calls.items()}}
    yield from prices.of_a_million(calls, cases)


def _written(path: Path) -> Path:
    """Reviews of many products and customers, so that no two have to do with each other."""
    with path.open("w", encoding="utf-8", newline="") as file:
        rows = csv.writer(file)
        rows.writerow("review_id order_id customer_id product_id product_title price rating text".split())
        for number in range(REVIEWS):
            text = _TEXTS[number % len(_TEXTS)].format(2 + number % 9)
            rows.writerow(
                (number, number, f"c-{number}", number % 200, f"商品{number % 200}", "59.90", "bad", text)
            )
    return path
