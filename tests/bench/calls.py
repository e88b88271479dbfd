"""AWS calls and DynamoDB capacity per good and per bad review, from the queue to the sent alert."""

from collections.abc import Callable, Iterator
from typing import Any

from functions import case_events, rule_evaluator
from functions.domain.cases import case_id
from tests.bench.meter import Meter, bytes_of
from tests.bench.small_stack import small_stack
from tests.builders import review
from tests.cloud import Cloud
from tests.events import CONTEXT, reviews_event, stream_event

BATCH = 10


def measure() -> Iterator[dict[str, Any]]:
    """Yield the calls of a full batch of ten, per review."""
    good = [
        review(review_id=f"g{n}", customer_id=f"c{n}", stars=5, text="很好，物流快") for n in range(BATCH)
    ]
    bad = [
        review(review_id=f"b{n}", customer_id=f"c{n}", product_id=f"p{n}", order_id=None)
        for n in range(BATCH)
    ]
    changed = stream_event(*(case_id(one.key) for one in bad))
    with small_stack() as cloud:
        yield _line("good", lambda: rule_evaluator.handler(reviews_event(*good), CONTEXT), cloud)
        yield _line("bad, decided", lambda: rule_evaluator.handler(reviews_event(*bad), CONTEXT), cloud)
        yield _line("bad, alerted and started", lambda: case_events.handler(changed, CONTEXT), cloud)


def _line(what: str, run: Callable[[], object], cloud: Cloud) -> dict[str, Any]:
    with Meter(cloud).running() as meter:
        run()
    return {
        "review": what,
        "calls_per_review": {name: count / BATCH for name, count in sorted(meter.calls.items())},
        "write_units_per_review": meter.writes / BATCH,
        "read_units_per_review": meter.reads / BATCH,
        "case_bytes": largest(cloud),
    }


def largest(cloud: Cloud) -> int:
    """Return the bytes of the largest case."""
    from functions.store.items import attributes

    return max((bytes_of(attributes(item)) for item in cloud.items("cases")), default=0)
