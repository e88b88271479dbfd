"""What a million reviews cost at list prices, with the arithmetic: whole lives of cases, every call counted.

Ten complaints of the demo, of consenting customers, are decided, alerted, taken, solved and followed up to
their end on moto, through the deployed handlers, the workflow's own updates and the case clock, time set
forward from one moment to the next. List prices of us-east-1 in USD, without free tiers, SMS and e-mail:
https://aws.amazon.com/dynamodb/pricing/on-demand/ https://aws.amazon.com/lambda/pricing/
https://aws.amazon.com/sqs/pricing/ https://aws.amazon.com/sns/pricing/
https://aws.amazon.com/step-functions/pricing/
The time a function is billed for is this machine's: moto answers at once, AWS after some milliseconds, so a
wait of CALL_MS is added for each call.
"""

import csv
import json
import re
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple
from unittest.mock import patch

from functions import case_clock, case_events, order_sender, rule_evaluator
from functions.domain.cases import Case, acknowledge, case_id, resolve
from functions.domain.profiles import Channel, Consent
from functions.domain.reviews import Review
from functions.domain.times import iso
from functions.runtime.clients import client
from functions.store import cases, customers
from tests.bench.calls import BATCH
from tests.bench.meter import Meter
from tests.bench.small_stack import small_stack
from tests.builders import NOW, profile, review
from tests.cloud import Cloud
from tests.events import CONTEXT, queue_event, reviews_event, stream_event

REVIEWS, BAD = 1_000_000, 100_000
WRITE_UNIT, READ_UNIT = 0.625e-6, 0.125e-6
SQS_REQUEST, SNS_REQUEST = 0.40e-6, 0.50e-6
TRANSITION = 25e-6
INVOCATION, GB_SECOND = 0.20e-6, 0.0000133334  # arm64
MEMORY_GB = 0.5
CALL_MS = 5  # assumed: an AWS call from a function in the same region, besides its CPU time
_INFRA = Path(__file__).parents[2] / "infra"
WORKFLOW = _INFRA / "workflows" / "follow_up.asl.json"
SAMPLES = _INFRA / "local" / "samples" / "reviews.csv"
# The course of a case that is taken and solved in time: the states it enters, and how long each waits.
COURSE = (("Care", timedelta(days=30)), ("Silver", timedelta(days=4)))
UNTIL_CARE = timedelta(days=3, hours=2, minutes=2)
TAKEN_AFTER, SOLVED_AFTER = timedelta(minutes=5), timedelta(hours=1)


class Life:
    """The cases of one run, their world's clock and what everything took."""

    def __init__(self, cloud: Cloud, start: datetime = NOW) -> None:
        self.cloud, self.now, self.meter = cloud, start, Meter(cloud)
        self.ms: Counter[str] = Counter()
        self.invocations: Counter[str] = Counter()
        self.transitions = 0
        self._delivered: dict[str, int] = {}

    def run(self, name: str, handler: Callable[[], object], invocations: float = 1) -> None:
        before, started = self.meter.calls.total(), time.process_time()
        handler()
        spent = 1000 * (time.process_time() - started)
        self.ms[name] += round(spent + CALL_MS * (self.meter.calls.total() - before))
        self.invocations[name] += invocations  # type: ignore[assignment]

    def follow(self) -> None:
        """Deliver each write that leaves something to perform, as the stream does, until there is none."""
        while pending := self._written():
            self.run("case_events", lambda: case_events.handler(stream_event(*pending), CONTEXT))
            for order in self.cloud.queued("orders"):
                self.run("order_sender", partial(order_sender.handler, queue_event(order), CONTEXT))

    def pass_time(self, span: timedelta) -> None:
        """Set the clock forward, from one moment of the agenda to the next."""
        end = self.now + span
        while (moment := self._next()) and moment <= end:
            self.now = moment
            self.run("case_clock", lambda: case_clock.look(self.now))
            self.follow()
        self.now = end

    def enter(self, state: dict[str, Any], number: str) -> None:
        """Make the workflow's update."""
        self.transitions += 1
        client("dynamodb").update_item(**_filled(state["Arguments"], number, self.now))

    def _next(self) -> datetime | None:
        moments = [item["agenda_at"] for item in self._cases() if "agenda_at" in item]
        return datetime.fromisoformat(min(moments)) if moments else None

    def _written(self) -> list[str]:
        written = {
            item["case_id"]: item["version"]
            for item in self._cases()
            if item.get("pending") and self._delivered.get(item["case_id"]) != item["version"]
        }
        self._delivered |= written
        return list(written)

    def _cases(self) -> list[dict[str, Any]]:
        """Look at the cases where AWS would know by itself: that costs nothing."""
        with self.meter.paused():
            return self.cloud.items("cases")


def complaints(seen_at: datetime) -> list[Review]:
    """Return the complaints among the demo's reviews, each by a customer and on a product of its own."""
    with SAMPLES.open(encoding="utf-8", newline="") as file:
        first = {
            row["review_id"]: row for row in reversed([*csv.DictReader(file)]) if row["rating"] != "good"
        }
    return [
        review(
            **{name: row[name] for name in ("review_id", "order_id", "product_title", "text")},
            customer_id=f"c{row['review_id']}",
            product_id=row["review_id"],
            posted_at=seen_at - timedelta(seconds=20),
            first_seen_at=seen_at,
        )
        for row in reversed(first.values())
    ]


class Bill(NamedTuple):
    """What ten reviews take."""

    calls: Mapping[str, float]
    reads: float
    writes: float
    transitions: float
    invocations: float
    ms: float

    @property
    def functions(self) -> float:
        return self.invocations * INVOCATION + self.ms / 1000 * MEMORY_GB * GB_SECOND


def measure() -> Iterator[dict[str, Any]]:
    """Yield a line per post, USD for REVIEWS reviews of which BAD are bad, and their sum."""
    good, bad = _played()
    yield from _posts(_bill(good), _bill(bad))
    yield {"write_units_per_bad_review": {name: n / BATCH for name, n in bad.meter.written.most_common()}}
    calls = sorted(bad.meter.calls.items())
    yield {"calls_per_bad_review": {name: round(n / BATCH, 2) for name, n in calls}}


def counted(per_case: Mapping[str, float]) -> Iterator[dict[str, Any]]:
    """Yield the same posts for calls, invocations and transitions of a case as a running system had them.

    What a call takes of capacity and time is that of the same kind of call in the lives played here. A
    batched read takes it for each of its keys: how many cases share one depends on how many come at once.
    """
    good, bad = _played()
    played = _bill(bad)
    calls = {
        name: n * BATCH
        for name, n in per_case.items()
        if name.partition(".")[0] not in ("keys", "lambda", "states")
    }
    units = Counter[str]()
    for name, n in bad.meter.written.items():
        operation = name.partition(" ")[0]
        units["dynamodb." + ("TransactWriteItems" if operation.startswith("Transact") else operation)] += n
    had, took = (
        {operation: of.get(f"dynamodb.{operation}", 0.0) for operation in bad.meter.read}
        for of in (calls, played.calls)
    )
    had["BatchGetItem"], took["BatchGetItem"] = per_case["keys"] * BATCH, bad.meter.keys
    yield from _posts(
        _bill(good),
        Bill(
            calls,
            reads=sum(
                units / took[operation] * had[operation] for operation, units in bad.meter.read.items()
            ),
            writes=sum(units[name] / played.calls[name] * calls[name] for name in units),
            transitions=per_case["states.transition"] * BATCH,
            invocations=per_case["lambda.Invoke"] * BATCH,
            ms=played.ms * sum(calls.values()) / sum(played.calls.values()),
        ),
    )


def _played() -> tuple["Life", "Life"]:
    """Play ten good reviews and ten bad ones to their end."""
    with small_stack() as cloud:
        good = Life(cloud)
        praise = [
            review(review_id=f"g{n}", customer_id=f"c{n}", stars=5, text="很好，物流快") for n in range(BATCH)
        ]
        with good.meter.running():
            good.run("rule_evaluator", lambda: rule_evaluator.handler(reviews_event(*praise), CONTEXT))
        bad = Life(cloud)
        live(bad, complaints(NOW)[:BATCH])
        ended = Counter(item["status"] for item in cloud.items("cases"))
        assert ended == {"closed": BATCH}, ended
    return good, bad


def _bill(life: Life) -> Bill:
    meter = life.meter
    invocations, ms = sum(life.invocations.values()), sum(life.ms.values())
    return Bill(meter.calls, meter.reads, meter.writes, life.transitions, invocations, ms)


def _posts(good: Bill, bad: Bill) -> Iterator[dict[str, Any]]:
    goods, bads = (REVIEWS - BAD) / BATCH, BAD / BATCH
    told = bad.calls.get("sns.Publish", 0) + bad.calls.get("sns.PublishBatch", 0) * BATCH
    posts = {
        "queue": (REVIEWS * 3 / BATCH * SQS_REQUEST, f"3 requests per {BATCH} reviews"),
        "functions": (
            goods * good.functions + bads * bad.functions,
            f"{good.ms:.0f} ms per {BATCH} good, {bad.ms:.0f} ms and {bad.invocations:.0f} calls for bad",
        ),
        "tables, reads": (
            (goods * good.reads + bads * bad.reads) * READ_UNIT,
            f"{bad.reads / BATCH:.0f} units per bad review",
        ),
        "tables, writes": (
            (goods * good.writes + bads * bad.writes) * WRITE_UNIT,
            f"{bad.writes / BATCH:.0f} units per bad review, none per good one",
        ),
        "alerts and messages": (bads * told * SNS_REQUEST, f"{told / BATCH:.1f} per bad review"),
        "notices and orders": (bads * BATCH * 6 * SQS_REQUEST, "3 requests for an alert, 3 for an order"),
        "workflow": (
            bads * bad.transitions * TRANSITION,
            f"{bad.transitions / BATCH:g} transitions per bad review",
        ),
    }
    for post, (usd, how) in posts.items():
        yield {"post": post, "usd": round(usd, 2), "from": how}
    yield {"post": "sum", "usd": round(sum(usd for usd, _ in posts.values()), 2), "from": "all of these"}


def live(life: Life, written: list[Review]) -> None:
    """Have these bad reviews decided, taken, solved and followed up to their end."""
    states = json.loads(WORKFLOW.read_text(encoding="utf-8"))["States"]
    agreed = Consent(granted=True, at=life.now, source="order form")
    consent: dict[Channel, Consent] = {"sms": agreed, "chat": agreed}
    for one in written:
        customers.save(profile(customer_id=one.customer_id, consent=consent))
    numbers = [case_id(one.key) for one in written]
    with ExitStack() as patched:
        for module in ("case_events", "rule_evaluator", "order_sender", "effects.alerts", "runtime.clock"):
            patched.enter_context(patch(f"functions.{module}.now", lambda: life.now))
        patched.enter_context(patch("functions.case_events._HANDS", 1))  # moto's transactions know no threads
        patched.enter_context(life.meter.running())
        life.run("rule_evaluator", lambda: rule_evaluator.handler(reviews_event(*written), CONTEXT))
        life.follow()
        life.pass_time(TAKEN_AFTER)
        for number in numbers:
            life.run("cases_api", partial(cases.change, number, partial(acknowledge, by="li", now=life.now)))
        life.follow()
        life.pass_time(SOLVED_AFTER)
        for number in numbers:
            life.run("cases_api", partial(cases.change, number, partial(_solved, now=life.now)))
        life.follow()
        life.pass_time(UNTIL_CARE)
        for state, wait in COURSE:
            for number in numbers:
                life.enter(states[state], number)
            life.follow()
            life.pass_time(wait)


def _solved(case: Case, now: datetime) -> Case:
    return resolve(case, "li", "logistics_delay", "solved", None, now)


def _filled(value: Any, number: str, now: datetime) -> Any:
    """A state's arguments as Step Functions fills them in for the first run of a case."""
    match value:
        case {"Bool": truth}:
            return {"BOOL": truth}
        case dict():
            return {name: _filled(each, number, now) for name, each in value.items()}
        case "${CasesTable}":
            return "winback-local-cases"
        case str() if "Input.case_id" in value:
            return number
        case str() if marked := re.match(r"\{% '([^']+)' &", value):
            return marked[1] + ("1" if "Input.run" in value else "")
        case str() if "Input.run" in value:
            return "1"
        case str() if "Task.Token" in value:
            return "token"
        case str() if "$now()" in value:
            return iso(now)
    return value
