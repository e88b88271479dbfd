"""Reviews per second through the evaluator on moto, against the bare AWS calls that it needs.

Few reviews, because moto copies its tables for every transaction.
"""

import time
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

from functions import rule_evaluator
from functions.runtime.clients import client
from tests.bench.small_stack import Call, recorded, small_stack
from tests.builders import review
from tests.events import CONTEXT, reviews_event

BATCHES, BATCH = 4, 10
SHARES = {"all good": 0, "one in ten bad": 1, "all bad": BATCH}


def measure() -> Iterator[dict[str, Any]]:
    """Yield a line per mix; `floor` replays the same calls with nothing around them."""
    for mix, bad in SHARES.items():
        events = [reviews_event(*_batch(number, bad)) for number in range(BATCHES)]
        with small_stack():
            calls = recorded(partial(_evaluate, events))
        with small_stack():
            floor = _seconds(partial(_repeat, calls))
        with small_stack():
            took = _seconds(partial(_evaluate, events))
        yield {
            "mix": mix,
            "reviews_per_s": round(BATCHES * BATCH / took),
            "floor_per_s": round(BATCHES * BATCH / floor),
            "ratio": round(took / floor, 2),
        }


def _batch(number: int, bad: int) -> Iterator[Any]:
    for place in range(BATCH):
        who = {"review_id": f"{number}-{place}", "customer_id": f"c{number}-{place}"}
        yield review(**who) if place < bad else review(**who, stars=5, text="很好，物流快，会再来")


def _evaluate(events: list[dict[str, Any]]) -> None:
    for event in events:
        rule_evaluator.handler(event, CONTEXT)


def _repeat(calls: list[Call]) -> None:
    bare: Any = client("dynamodb")
    for name, parameters, _ in calls:
        bare._make_api_call(name.partition(".")[2], parameters)


def _seconds(run: Callable[[], object]) -> float:
    started = time.perf_counter()
    run()
    return time.perf_counter() - started
