"""What a million reviews cost at list prices, with the arithmetic, from the calls counted in this run.

List prices of us-east-1 in USD, without free tiers, SMS and e-mail:
https://aws.amazon.com/dynamodb/pricing/on-demand/ https://aws.amazon.com/lambda/pricing/
https://aws.amazon.com/sqs/pricing/ https://aws.amazon.com/sns/pricing/
https://aws.amazon.com/step-functions/pricing/
The time a function is billed for is this machine's: moto answers at once, AWS after some milliseconds, so a
wait of CALL_MS is added for each call.
"""

import json
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from functions import case_events, rule_evaluator
from functions.domain.cases import case_id
from tests.bench.calls import BATCH, read_units, sizes_of, write_units
from tests.bench.small_stack import recorded, small_stack
from tests.builders import review
from tests.events import CONTEXT, reviews_event, stream_event

REVIEWS, BAD = 1_000_000, 100_000
WRITE_UNIT, READ_UNIT = 0.625e-6, 0.125e-6
SQS_REQUEST, SNS_REQUEST = 0.40e-6, 0.50e-6
TRANSITION = 25e-6
INVOCATION, GB_SECOND = 0.20e-6, 0.0000133334  # arm64
MEMORY_GB = 0.5
CALL_MS = 5  # assumed: an AWS call from a function in the same region, besides its CPU time
WORKFLOW = Path(__file__).parents[2] / "infra" / "workflows" / "follow_up.asl.json"
# The course of a case that is taken and resolved in time: the states it enters.
COURSE = ("AwaitAcknowledgement", "AwaitResolution", "BeforeGuidance", "Guidance", "Care", "Silver")
# Changes of such a case that reach case_events: opened; acknowledged, resolved; guidance, care, silver.
CHANGES = 6


def measure() -> Iterator[dict[str, Any]]:
    """Yield a line per post, USD for REVIEWS reviews of which BAD are bad, and their sum."""
    states = json.loads(WORKFLOW.read_text(encoding="utf-8"))["States"]
    assert set(COURSE) <= states.keys()
    good = [
        review(review_id=f"g{n}", customer_id=f"c{n}", stars=5, text="很好，物流快") for n in range(BATCH)
    ]
    bad = [review(review_id=f"b{n}", customer_id=f"c{n}") for n in range(BATCH)]
    changed = stream_event(*(case_id(one.key) for one in bad))
    with small_stack() as cloud:
        read_good = _run(lambda: rule_evaluator.handler(reviews_event(*good), CONTEXT), cloud)
        read_bad = _run(lambda: rule_evaluator.handler(reviews_event(*bad), CONTEXT), cloud)
        told = _run(lambda: case_events.handler(changed, CONTEXT), cloud)
        size = -(-max(sizes_of(cloud).values()) // 1024)
    goods, bads = REVIEWS - BAD, BAD
    steps = len(COURSE) + CHANGES - 1 + 2  # workflow's updates, records of effects, acknowledge and resolve
    posts = {
        "queue": (REVIEWS * 3 / BATCH * SQS_REQUEST, f"3 requests per {BATCH} reviews"),
        "evaluator": (
            (goods * _lambda(read_good) + bads * _lambda(read_bad)) / BATCH,
            f"{read_good['ms']:.0f} ms per {BATCH} good, {read_bad['ms']:.0f} ms per {BATCH} bad reviews",
        ),
        "case events": (bads * CHANGES * _lambda(told) / BATCH, f"{told['ms']:.0f} ms per {BATCH} changes"),
        "tables, reads": (
            (goods * read_good["reads"] + bads * (read_bad["reads"] + CHANGES * told["reads"]))
            / BATCH
            * READ_UNIT,
            "batched, consistent",
        ),
        "tables, writes": (
            bads * ((read_bad["writes"] + told["writes"]) / BATCH + steps * size) * WRITE_UNIT,
            f"opened, told, then {steps} updates of {size} KB",
        ),
        "alerts and messages": (bads * (1 / BATCH + 3) * SNS_REQUEST, "alerts ten a call, three messages"),
        "workflow": (bads * len(COURSE) * TRANSITION, f"{len(COURSE)} transitions per case"),
    }
    for post, (usd, how) in posts.items():
        yield {"post": post, "usd": round(usd, 2), "from": how}
    yield {"post": "sum", "usd": round(sum(usd for usd, _ in posts.values()), 2), "from": "all of these"}


def _run(run: Callable[[], object], cloud: Any) -> dict[str, float]:
    started = time.process_time()
    made = recorded(run)
    spent = 1000 * (time.process_time() - started)
    sizes = sizes_of(cloud)
    waiting = Counter(name for name, _, _ in made)
    return {
        "ms": spent + CALL_MS * waiting.total(),
        "reads": sum(map(read_units, made)),
        "writes": sum(write_units(call, sizes) for call in made),
    }


def _lambda(run: dict[str, float]) -> float:
    """USD of one invocation."""
    return INVOCATION + run["ms"] / 1000 * MEMORY_GB * GB_SECOND
