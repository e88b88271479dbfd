"""Case clock: see that what becomes due by the passing of time alone is done.

Trigger: a schedule, every minute, and the ticks in between, which the minute sends to the ticks queue.
Effects: a case on which something is due by now is written with that in its outbox: the next level of the
chain of alerts, the warning, the breach, the end, effects that were held until now. Its stream sets off the
rest. What is due follows from the case as it stands, so a tick that comes late, twice or never does no harm:
the next one does the same work.
"""

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from typing import Any

from functions.domain.agenda import advance
from functions.domain.cases import Case
from functions.runtime import clock, queues
from functions.runtime.observability import count, observed, seconds
from functions.runtime.settings import number, setting
from functions.store import cases, rulebooks
from functions.store.pace import pace

_MINUTE = 60
_HANDS = 8  # cases written at once, below botocore's pool of 10 connections a client


@observed
def handler(event: dict[str, Any], context: Any) -> None:
    if "Records" not in event:
        queues.send(setting("WINBACK_TICKS_QUEUE_URL"), ticks())
    look(clock.now())


def look(now: datetime) -> None:
    """Advance every case on which something is due by now."""
    rules, tempo, due = rulebooks.current(), pace(), cases.on_agenda(now)

    def move(case: Case) -> Case:
        # A copy where nothing is due after all: writing it puts the case to its right place on the agenda.
        return cases.change(
            case.case_id,
            lambda stands: advance(stands, rules, tempo, now).model_copy(),
            known=case,
        )

    with ThreadPoolExecutor(_HANDS) as hands:
        moved = list(hands.map(move, cases.read_many(due).values()))
    count("CasesAdvanced", len(moved))
    if due:
        seconds("ClockLag", (now - min(due.values())).total_seconds())


def ticks() -> Iterator[queues.Message]:
    """Yield the looks between this minute and the next."""
    step = int(number("WINBACK_TICK_S", 15))
    for delay in range(step, _MINUTE, step):
        yield queues.Message(json.dumps({"tick": delay}), delay_s=delay)
