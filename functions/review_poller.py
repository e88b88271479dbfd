"""Review poller: read what a shop's platform shows since the last poll and queue what is new.

Trigger: the polls queue, one message at a time. Sends each new review to the reviews queue; only then
saves the shop's cursor. Whatever the platform answers ends in the shop's state, not in a dead letter.
"""

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from functions.domain import polling
from functions.domain.polling import Shop, Window
from functions.domain.reviews import Review
from functions.domain.times import parse
from functions.platforms import CONNECTORS
from functions.platforms.errors import ConfigurationError, PlatformError, SessionExpired
from functions.runtime import clock, queues
from functions.runtime.credentials import MissingSecret, secret
from functions.runtime.observability import count, logger, observed
from functions.runtime.settings import setting
from functions.store import shops
from functions.store.errors import StaleWrite


@observed
def handler(event: dict[str, Any], _context: object) -> None:
    for record in event["Records"]:
        message = json.loads(record["body"])
        poll(message["shop_id"], due_at=parse(message["due_at"]), now=clock.now())


def poll(shop_id: str, due_at: datetime, now: datetime) -> None:
    """Poll the shop, unless that was done since `due_at` or the shop is paused."""
    shop = shops.get(shop_id)
    if shop is None:
        logger.warning("A poll names a shop that does not exist", extra={"shop": shop_id})
        return
    if why := polling.reason_to_skip(shop, due_at, now):
        logger.debug("Poll skipped", extra={"shop": shop_id, "why": why})
        return
    try:
        try:
            for _ in range(polling.SLICES_A_POLL):
                shop = catch_up(shop, now)
                if shop.polled_at == now:
                    sweep(shop, now)
                    break
        except PlatformError as error:
            pause(shop, error, now)
    except StaleWrite:
        # A faster poll of the same shop saved first; what this one queued again is harmless.
        logger.info("Another poll was faster", extra={"shop": shop_id})


def catch_up(shop: Shop, now: datetime) -> Shop:
    """Read the next window, queue its new reviews, save the cursor; return the shop as saved."""
    window = polling.next_window(shop, now)
    reviews = read(shop, window, now)
    queue(shop, polling.unseen(shop, reviews))
    return shops.save_state(polling.advanced(shop, window, reviews, now))


def sweep(shop: Shop, now: datetime) -> None:
    """When it is time, look for reviews of the last day that appeared too late for any poll."""
    window = polling.sweep_window(shop, now)
    if window:
        reviews = read(shop, window, now)
        queue(shop, polling.missed(shop, window, reviews))
        shops.save_state(polling.swept(shop, window, reviews, now))


def read(shop: Shop, window: Window, now: datetime) -> list[Review]:
    """Return all reviews of the window. Raises PlatformError."""
    connector = CONNECTORS.get(shop.platform)
    if connector is None:
        raise ConfigurationError(
            f"no connector for platform {shop.platform!r}: known are {', '.join(CONNECTORS)}"
        )
    try:
        known = secret(shop.secret, now)
        try:
            return connector(shop, known, window, now)
        except SessionExpired:
            renewed = secret(shop.secret, now, fresh=True)
            if renewed == known:
                raise
            return connector(shop, renewed, window, now)
    except MissingSecret as error:
        raise ConfigurationError(f"{error}: store the shop's credentials there") from error


def queue(shop: Shop, reviews: Sequence[Review]) -> None:
    """Send the reviews to the evaluator. Raises Undelivered."""
    if reviews:
        queues.send(
            setting("WINBACK_REVIEWS_QUEUE_URL"), (queues.Message(r.model_dump_json()) for r in reviews)
        )
        count("ReviewsSeen", len(reviews))
        logger.info("Reviews queued", extra={"shop": shop.shop_id, "reviews": len(reviews)})


def pause(shop: Shop, error: PlatformError, now: datetime) -> None:
    """Record that the platform refused: no poll of this shop until the pause ends."""
    rested = polling.paused(shop, error.reason, now, retry_after=error.retry_after)
    count("PollFailures")
    logger.warning(
        "Poll failed",
        extra={
            "shop": shop.shop_id,
            "reason": error.reason,
            "mend": str(error),
            "until": rested.paused_until,
        },
    )
    shops.save_state(rested)
