"""winback demo: the whole system on this machine, played a stream of reviews, measured and told.

Everything is what AWS would run: the stack deployed by the CDK CLI, the schedule, queues, functions, stream,
workflow and API. Only time is compressed: waits of hours and days become seconds, polling stays as it is.
"""

import argparse
import json
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime

from rich.console import Console
from rich.live import Live

from functions.domain.times import iso
from infra.cli.main import UsageError
from infra.cli.shop import keep
from infra.cli.simulate import faults
from infra.local.api import Api, api_of, api_url
from infra.local.deploy import AT_ONCE, Deployed, deploy
from infra.local.emulator import Emulator, emulator
from infra.local.player import Player
from infra.local.plots import PLOTS
from infra.local.report import Report, measure, missing, progress, show, tell
from infra.local.simulators.taobao import TaobaoSimulator
from infra.local.stories import play as play_stories
from infra.local.stories import scenes
from infra.local.stream import SAMPLE, Stream, read
from infra.local.supervisor import Supervisor
from infra.local.watcher import Watcher

# 30 days become 30 seconds, 15 minutes the floor below.
TIME_SCALE = 1 / 86400
INTERVAL_S = 20  # a shop's default, so that the latencies are those of a deployed shop
_LONG = 500  # from so many reviews on, people need longer to react and the pace is higher
_SETTLE_S = 300
_FIRST_POLL_WITHIN_S = 120


@dataclass(frozen=True)
class Tempo:
    """How fast reviews come, how long the shortest wait lasts, how long a person takes for a step."""

    rate: float
    floor_s: int
    react_s: float


def run(given: argparse.Namespace) -> int:
    """Play the demo; 0 when everything came out as it must."""
    console = Console(highlight=False)
    if given.story:
        return tell_stories(console, given.story)
    stream = read(given.reviews or SAMPLE, given.limit)
    tempo = tempo_for(len(stream.reviews), given.rate)
    strikes = faults(given.faults)
    _introduce(console, stream, tempo)
    with ExitStack() as running:
        target, stack = _system(running, console, tempo)
        simulators = {
            f"shop-{number + 1}": running.enter_context(TaobaoSimulator())
            for number in range(given.shop_count)
        }
        watcher = Watcher(target, stack)
        open_shops(target, stack, simulators)
        _await_first_poll(console, watcher, list(simulators))
        warm_up(target)
        for simulator in simulators.values():
            simulator.faults = strikes
        player = Player(stream, simulators, api_of(target, stack, "ShopSystem"), tempo.rate)
        supervisor = Supervisor(
            target, stack.outputs["AlertsTopicArn"], api_of(target, stack, "Supervisor"), tempo.react_s
        )
        supervisor.start()
        running.callback(supervisor.stop)
        report = play(console, player, supervisor, watcher)
        api = supervisor.api
        show(console, report, api, stream)
        if given.out:
            given.out.write_text(
                json.dumps(report.summary, ensure_ascii=False, indent=2) + "\n", encoding="utf-8"
            )
            console.print(f"Summary: {given.out}")
        _where_to_look(console, target, stack, api, given.keep)
        return 0 if report.right else 1


def tell_stories(console: Console, name: str) -> int:
    """Play one story or all of them; 0 when each ended as it must."""
    chosen = PLOTS if name == "all" else [story for story in PLOTS if story.name == name]
    if not chosen:
        known = ", ".join(story.name for story in PLOTS)
        raise UsageError(f"there is no story {name!r}: choose all, or one of {known}")
    with ExitStack() as running:
        target, stack = _system(running, console, tempo_for(len(chosen), None))
        warm_up(target)
        begin_minute(target, "case-clock")
        callers = (api_of(target, stack, name) for name in ("Supervisor", "ShopSystem", "Legal"))
        stage = scenes(running, target, stack, *callers)
        failed = 0
        for number, told in enumerate(play_stories(chosen, stage), 1):
            console.rule(f"{number}/{len(chosen)} {told.story.name}: {told.story.about}")
            if told.case:
                tell(console, told.case)
            for fault in told.wrong:
                console.print(f"[red]wrong[/] {fault}")
            failed += bool(told.wrong)
    console.rule()
    console.print(
        f"[red]{failed} of {len(chosen)} stories did not end as they must.[/]"
        if failed
        else f"[green]{len(chosen)} of {len(chosen)} stories ended as they must.[/]"
    )
    return 1 if failed else 0


def tempo_for(reviews: int, rate: float | None) -> Tempo:
    if reviews >= _LONG:
        return Tempo(rate or 5.0, floor_s=15, react_s=2.0)
    return Tempo(rate or 2.0, floor_s=5, react_s=1.0)


def open_shops(target: Emulator, stack: Deployed, simulators: dict[str, TaobaoSimulator]) -> None:
    """Put each shop and its credentials where the system looks for them, and plan the first polls.

    The cursor starts now: the day before, which a first poll reads otherwise, is known to be empty.
    """
    now = datetime.now(UTC)
    for shop_id, simulator in simulators.items():
        secret = f"winback/local/{shop_id}"
        keep(target.client("secretsmanager"), secret, json.loads(simulator.secret))
        target.client("dynamodb").put_item(
            TableName=stack.outputs["ShopsTable"],
            Item={
                "shop_id": {"S": shop_id},
                "platform": {"S": "taobao"},
                "name": {"S": f"示例店铺 {shop_id}"},
                "active": {"BOOL": True},
                "interval_s": {"N": str(INTERVAL_S)},
                "secret": {"S": secret},
                "api_url": {"S": simulator.url},
                "time_zone": {"S": "Asia/Shanghai"},
                "silent_after_s": {"N": "86400"},
                "cursor_at": {"S": iso(now)},
            },
        )
    begin_minute(target)


def begin_minute(target: Emulator, *functions: str) -> None:
    """Have done what a minute starts, polls and looks at the agenda, without waiting for the schedule."""
    for function in functions or ("poll-planner", "case-clock"):
        answer = target.client("lambda").invoke(
            FunctionName=f"winback-local-{function}", Payload=json.dumps({"time": iso(datetime.now(UTC))})
        )
        if "FunctionError" in answer:
            raise RuntimeError(f"{function} failed: {answer['Payload'].read().decode()[:500]}")


def warm_up(target: Emulator) -> None:
    """Start the workers that decide and alert, with nothing to do: a shop that is open has them running.

    On a machine with few cores a burst of cold starts would be most of what the latencies measure.
    """
    workers = ["rule-evaluator"] * AT_ONCE + ["case-events"]
    with ThreadPoolExecutor(len(workers)) as calls:
        answers = calls.map(
            lambda noun: target.client("lambda").invoke(
                FunctionName=f"winback-local-{noun}", Payload=json.dumps({"Records": []})
            ),
            workers,
        )
        if failed := [answer["Payload"].read().decode() for answer in answers if "FunctionError" in answer]:
            raise RuntimeError(f"a function does not start: {failed[0][:500]}")


def play(console: Console, player: Player, supervisor: Supervisor, watcher: Watcher) -> Report:
    """Play the stream, wait until the system has done all that follows, return what came of it."""
    thread = threading.Thread(target=player.play, daemon=True)
    thread.start()
    started = time.monotonic()
    settle_by: float | None = None
    with Live(console=console, refresh_per_second=4, transient=True) as live:
        while True:
            looked_at = time.monotonic()
            workflows = watcher.workflows()
            live.update(progress(player, supervisor, watcher, workflows, time.monotonic() - started))
            if not thread.is_alive():
                settle_by = settle_by or time.monotonic() + _SETTLE_S
                if not missing(player, supervisor, watcher, workflows) or time.monotonic() > settle_by:
                    break
            # Looking on costs the emulator as much as working does: let it work most of the time.
            time.sleep(max(1.0, 3 * (time.monotonic() - looked_at)))
    return measure(player, supervisor, watcher)


def _system(running: ExitStack, console: Console, tempo: Tempo) -> tuple[Emulator, Deployed]:
    with console.status("Starting the emulator") as status:
        started = time.monotonic()
        target = running.enter_context(emulator())
        stack = deploy(
            target,
            {"time_scale": str(TIME_SCALE), "time_floor_s": str(tempo.floor_s)},
            tell=lambda step: status.update(f"{step} onto the emulator"),
        )
    console.print(f"Deployed onto {target.endpoint} in {time.monotonic() - started:.0f} s")
    return target, stack


def _await_first_poll(console: Console, watcher: Watcher, shops: list[str]) -> None:
    with console.status("Waiting for the first poll"):
        await_that(
            lambda: all("polled_at" in watcher.shop(shop) for shop in shops),
            _FIRST_POLL_WITHIN_S,
            "no shop was polled: see the logs of winback-local-review-poller",
        )


def await_that(holds: Callable[[], bool], within_s: float, otherwise: str) -> None:
    """Return once it holds. Raises TimeoutError."""
    deadline = time.monotonic() + within_s
    while not holds():
        if time.monotonic() > deadline:
            raise TimeoutError(otherwise)
        time.sleep(0.2)


def _introduce(console: Console, stream: Stream, tempo: Tempo) -> None:
    console.print(f"[bold]{stream.about}[/]: {len(stream.reviews)} reviews from {stream.path}")
    for note in stream.notes:
        console.print(f"  {note}")
    for mistake in stream.mistakes:
        console.print(f"  [yellow]left out[/] {mistake}")
    console.print(
        f"{tempo.rate:g} reviews a second; polls every {INTERVAL_S} s as in a deployed shop; a day of "
        f"waiting lasts a second, no wait less than {tempo.floor_s} s."
    )


def _where_to_look(console: Console, target: Emulator, stack: Deployed, api: Api, keep_running: bool) -> None:
    if not keep_running:
        console.print("`make demo KEEP=1` leaves it running to look around in.")
        return
    console.print(f"API: {api_url(target)}\nAWS endpoint: {target.endpoint} (keys test/test)", soft_wrap=True)
    console.print("The newest cases (the keys live for an hour):")
    # By its name, which curl takes for this machine and Python does not; a path with $default curl mis-signs.
    url = f"{stack.outputs['ApiUrl']}/cases?limit=5&shop=shop-1&sort=opened"
    console.print(api.curl(url), soft_wrap=True, markup=False)
    console.print("Ctrl-C stops it.")
    try:
        threading.Event().wait()
    except KeyboardInterrupt:
        console.print("Stopped.")
