"""Case events: perform what the cases' outboxes ask for.

Trigger: the cases table's stream (only changes that leave something due in an outbox).
Effects: those of functions/effects: alerts and customer messages to SNS, benefits into the ledger, start and
stop of the follow-up workflow. Each effect has a key; once performed, its outbox entry is replaced by a line
of the case's timeline, or it is held until the case clock releases it. The stream only says which case to
look at: what counts is the case as it stands, so an event that comes again finds nothing left to do. Between
a publication and its record a crash repeats the publication, under the same key
(docs/decisions/0003-alerts-at-least-once.md).
"""

from collections import defaultdict
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from functools import partial
from typing import Any

from functions.domain.cases import Case, Effect
from functions.domain.outbox import Done, Held, due, recorded
from functions.effects import alerts, messages, money, workflow
from functions.effects.placing import Wanted
from functions.runtime.clock import now
from functions.runtime.observability import count, logger, observed, seconds
from functions.store import cases

_HANDS = 8  # cases worked on at once, below botocore's pool of 10 connections a client

Outcomes = dict[str, Done | Held]
Performer = Callable[[Case, str, Effect, datetime], Done | Held]

# Alerts are not here: they are performed for many cases together. Nor is "start", which waits and comes last.
PERFORMERS: dict[str, Performer] = {
    "stop": workflow.stop,
    "message": messages.perform,
    "grant": money.grant,
    "order": money.order,
}


class EffectsFailed(Exception):
    """Some effects could not be performed. Everything else is done; the batch comes again for these."""


@observed
def handler(event: dict[str, Any], context: Any) -> None:
    """Perform all that is outstanding. Raises EffectsFailed after having done whatever could be done."""
    touched = dict.fromkeys(record["dynamodb"]["Keys"]["case_id"]["S"] for record in event["Records"])
    outstanding = [case for case in cases.read_many(touched).values() if due(case)]
    failures: list[str] = []
    told = _tell(outstanding, failures)
    with ThreadPoolExecutor(_HANDS) as hands:  # each case is a few calls to wait for
        done = list(hands.map(lambda case: _finish(case, told[case.case_id], failures), outstanding))
    for before, after in zip(outstanding, done, strict=True):
        waited = "alert:0:held" in after.events  # on purpose, which is not being late
        if before.alerted_at is None and after.alerted_at is not None and not waited:
            seconds("PostedToAlert", (after.alerted_at - after.review.posted_at).total_seconds())
            seconds("SeenToAlert", (after.alerted_at - after.review.first_seen_at).total_seconds())
    if failures:
        raise EffectsFailed("; ".join(failures))


def _tell(outstanding: Sequence[Case], failures: list[str]) -> dict[str, Outcomes]:
    """Perform every outstanding alert; return case id -> outbox key -> what came of it."""
    wanted = [
        Wanted(case, key, effect)
        for case in outstanding
        for key, effect in due(case).items()
        if effect.kind == "alert"
    ]
    told: dict[str, Outcomes] = defaultdict(dict)
    for (case, key, _), outcome in alerts.perform(wanted):
        if isinstance(outcome, Exception):
            _failed(failures, case, key, outcome)
        else:
            told[case.case_id][key] = outcome
    return told


def _finish(case: Case, told: Outcomes, failures: list[str]) -> Case:
    """Perform the case's other effects, record all of them in one write, return the case as it then is.

    The workflow is started after that write: from then on it writes the case itself.
    """
    came_to, starts = dict(told), list[str]()
    for key, effect in due(case).items():
        try:
            if effect.kind in PERFORMERS:
                came_to[key] = PERFORMERS[effect.kind](case, key, effect, now())
            elif effect.kind == "start":
                if planned := workflow.planned(case, now()):
                    came_to[key] = planned
                else:
                    starts.append(key)
        except Exception as error:  # raised again for the whole batch, once the rest is done
            _failed(failures, case, key, error)
    case = cases.change(case.case_id, partial(recorded, came_to=came_to), known=case)
    # A start that came meanwhile, with a resolution, has yet to be planned: its own event does that.
    for key in (key for key in starts if key in due(case)):
        try:
            workflow.start(case)
        except Exception as error:  # as above
            _failed(failures, case, key, error)
    return case


def _failed(failures: list[str], case: Case, key: str, error: Exception) -> None:
    """Remember a failure. Names the case and the effect, never what the customer wrote."""
    logger.error(
        "effect failed", extra={"case_id": case.case_id, "effect": key, "error": type(error).__name__}
    )
    count("FailedEffects")
    failures.append(f"{case.case_id} {key}: {type(error).__name__}: {error}")
