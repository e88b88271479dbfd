"""On the running system: what a case takes of AWS, and how fast alerts are while bad reviews pour in.

The deployed template on the local emulator, with a simulated Taobao. Everything shares one machine, so
seconds say little about AWS; beside each stands what a lone review took in the same run.

A life of five weeks passes in minutes, and must take what it takes in five weeks. So the waits that follow
one another stay further apart than looks of the case clock, none still lasts where in reality it is long over
(a day since the last message, once a month has passed), and it is day in the shop: what goes a day after a
message in the daytime goes in the daytime. Each life is one that is taken and solved in time. "besides" says
what happened all the same that is no part of such a life.
"""

import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

from functions.domain.calendars import Hours
from functions.domain.cases import Case
from functions.domain.windows import zone
from functions.store.items import attributes
from infra.local.api import api_of
from infra.local.demo import INTERVAL_S, await_that, open_shops, warm_up
from infra.local.deploy import Deployed, deploy
from infra.local.emulator import Emulator, emulator
from infra.local.simulators.taobao import TaobaoSimulator
from infra.local.simulators.taobao_rows import Row
from infra.local.watcher import Watcher, quantiles
from tests.bench import cost

SHOP, COMPLAINT = "shop-1", "物流太慢了"
LIVES, IDLE_S = 40, 60
LONE, APART_S = 12, 7  # not a divisor of the interval between polls, so that all waits for one are met
BURST, BURST_S = 1_000, 60
_LONG_S = 900
# A month takes a minute, the short waits half of one. And none: nothing but first alerts happens.
_WHOLE_LIFE = {"time_scale": "0.000025", "time_floor_s": "30"}
_DAYTIME = range(10, 19)  # hours: messages go from 9 to 20
_ZONES = ("Asia/Shanghai", "Europe/London", "America/Los_Angeles")  # in one of them it is day
_ONLY_ALERTS = {"time_scale": "1", "time_floor_s": "0"}


def lives() -> Iterator[dict[str, Any]]:
    """Yield calls, transitions and cost per case."""
    with _system(_WHOLE_LIFE) as (target, stack, watcher, taobao):
        yield from _lives(target, stack, watcher, taobao)


def burst() -> Iterator[dict[str, Any]]:
    """Yield seconds to the alert, alone and in the burst."""
    with _system(_ONLY_ALERTS) as (_, _, watcher, taobao):
        yield from _burst(watcher, taobao)


def _lives(
    target: Emulator, stack: Deployed, watcher: Watcher, taobao: TaobaoSimulator
) -> Iterator[dict[str, Any]]:
    _open_by_day(target, stack)
    people, orders = api_of(target, stack, "Supervisor"), api_of(target, stack, "ShopSystem")
    wish = {"consent": {"sms": {"granted": True, "source": "order form"}}}
    for number in range(LIVES):
        orders.call("PATCH", f"/shops/{SHOP}/customers/buyer-{number}", wish)
    before, began = _counts(target), time.monotonic()
    time.sleep(IDLE_S)
    idle = {name: total / (time.monotonic() - began) for name, total in (_counts(target) - before).items()}
    before, began = _counts(target), time.monotonic()
    _write(taobao, range(LIVES), every_s=0.2)
    solved = set[str]()
    while len(solved) < LIVES:
        alerted = {case.case_id for case in _alerted(watcher)} - solved
        for case_id in alerted:
            people.post(f"/cases/{case_id}/acknowledge", {"by": "li"})
        for case_id in alerted:
            said = {"by": "li", "cause": "logistics_delay", "outcome": "solved"}
            people.post(f"/cases/{case_id}/resolve", said)
        solved |= alerted
    _until(lambda: all(case.status == "closed" and not case.outbox for case in watcher.cases()), "not closed")
    took = time.monotonic() - began
    of_cases = {name: total - idle.get(name, 0) * took for name, total in (_counts(target) - before).items()}
    per_case = {name: total / LIVES for name, total in of_cases.items()}
    yield {
        "what": f"AWS calls of {LIVES} whole lives, per case, without what an idle system calls",
        "per_case": {name: round(total, 2) for name, total in sorted(per_case.items())},
        "idle_per_minute": {name: round(60 * total, 1) for name, total in sorted(idle.items())},
        "besides": dict(Counter(what for case in watcher.cases() for what in _besides(case))),
    }
    yield from cost.counted(per_case)


def _burst(watcher: Watcher, taobao: TaobaoSimulator) -> Iterator[dict[str, Any]]:
    _write(taobao, range(LONE), APART_S)
    _until(lambda: len(_alerted(watcher)) == LONE, "lone reviews were not alerted")
    alone = {case.case_id for case in _alerted(watcher)}
    lone = _latency(_alerted(watcher))
    began = time.monotonic()
    _write(taobao, range(LONE, LONE + BURST), BURST_S / BURST)
    wrote_s = time.monotonic() - began
    _until(lambda: len(_alerted(watcher)) == LONE + BURST, "the burst was not alerted")
    burst = _latency([case for case in _alerted(watcher) if case.case_id not in alone])
    yield {
        "what": f"seconds to the alert, {BURST} bad reviews in {wrote_s:.0f} s",
        "alone": lone,
        "burst": burst,
        "p99_ratio": {name: round(burst[name]["p99"] / lone[name]["p99"], 1) for name in burst},
        "wrong": dict(watcher.errors()) | {"dead letters": watcher.dead_letters()},
    }


def _latency(cases: list[Case]) -> dict[str, dict[str, float]]:
    starts: dict[str, Callable[[Case], datetime]] = {
        "posted": lambda case: case.review.posted_at,
        "seen": lambda case: case.review.first_seen_at,
    }
    return {
        name: quantiles(
            [(case.alerted_at - start(case)).total_seconds() for case in cases if case.alerted_at]
        )
        for name, start in starts.items()
    }


def _write(taobao: TaobaoSimulator, numbers: range, every_s: float) -> None:
    """Publish a bad review for each number, each by a customer of its own about a product of its own."""
    began = time.monotonic()
    for place, number in enumerate(numbers):
        time.sleep(max(0.0, began + place * every_s - time.monotonic()))
        row = {"oid": 2**60 + number, "result": "bad", "content": COMPLAINT, "num_iid": 2**60 + number}
        taobao.publish(Row.of(row | {"ouid": f"buyer-{number}"}, datetime.now(UTC)))


def _alerted(watcher: Watcher) -> list[Case]:
    return [case for case in watcher.cases() if case.alerted_at]


def _besides(case: Case) -> Iterator[str]:
    """Yield what is no part of a life in real time: what waited twice, an alert that nobody reacted to."""
    for key, event in case.events.items():
        if ":held:" in key or key == "message:repurchase:held" or key.startswith(("escalated", "warned")):
            yield f"{event.kind}: {event.note}".partition(", until")[0]


def _open_by_day(target: Emulator, stack: Deployed) -> None:
    """Have the shop never close, in a time zone where it is day."""
    name = next(name for name in _ZONES if datetime.now(zone(name)).hour in _DAYTIME)
    hours = Hours.model_validate({"zone": name, "week": {"mon-sun": ["00:00-24:00"]}})
    target.client("dynamodb").update_item(
        TableName=stack.outputs["ShopsTable"],
        Key=attributes({"shop_id": SHOP}),
        UpdateExpression="SET hours = :hours",
        ExpressionAttributeValues=attributes({":hours": hours.model_dump(mode="json", exclude_none=True)}),
    )


def _counts(target: Emulator) -> Counter[str]:
    calls = target.calls()
    return Counter(calls["system"] | {"keys": calls["keys"].get("system", 0)})


def _until(holds: Callable[[], bool], otherwise: str) -> None:
    def resting() -> bool:
        time.sleep(2)  # looking on costs the emulator as much as working does
        return holds()

    await_that(resting, _LONG_S, otherwise)


@contextmanager
def _system(pace: dict[str, str]) -> Iterator[tuple[Emulator, Deployed, Watcher, TaobaoSimulator]]:
    with emulator() as target, TaobaoSimulator() as taobao:
        stack = deploy(target, pace)
        watcher = Watcher(target, stack)
        open_shops(target, stack, {SHOP: taobao})
        await_that(lambda: "polled_at" in watcher.shop(SHOP), 6 * INTERVAL_S, "the shop was not polled")
        warm_up(target)
        yield target, stack, watcher, taobao
