"""Poll planner: plan each active shop's polls of the coming minute, and say which shops are silent.

Trigger: a schedule, every minute. Sends one delayed message for each poll to the polls queue.
"""

import json
from datetime import datetime
from math import ceil
from typing import Any

from functions.domain import polling
from functions.domain.times import iso, parse
from functions.runtime import clock, queues
from functions.runtime.observability import count, logger, observed
from functions.runtime.settings import setting
from functions.store import shops
from functions.store.shops import Watched


@observed
def handler(event: dict[str, Any], _context: object) -> None:
    # The event's own time: delivered twice, it plans the same polls, and the second of each is skipped.
    plan(minute=parse(event["time"]), now=clock.now())


def plan(minute: datetime, now: datetime) -> None:
    """Queue the polls of the minute that starts at `minute`. Raises Undelivered."""
    watched = shops.active()
    report_silence(watched, now)
    queues.send(
        setting("WINBACK_POLLS_QUEUE_URL"),
        (
            queues.Message(
                json.dumps({"shop_id": shop.shop_id, "due_at": iso(due_at)}),
                delay_s=max(0, ceil((due_at - now).total_seconds())),
            )
            for shop in watched.shops
            for due_at in polling.poll_times(shop, minute)
        ),
    )


def report_silence(watched: Watched, now: datetime) -> None:
    """Count the shops whose reviews we may be missing, zero included, and log which and why."""
    silent = watched.unreadable | {
        shop.shop_id: why for shop in watched.shops if (why := polling.reason_for_silence(shop, now))
    }
    count("SilentShops", len(silent))
    if silent:
        logger.warning("Shops are silent", extra={"shops": silent})
