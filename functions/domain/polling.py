"""Polling: when a shop is polled, which window is read next, and which of its rows are new.

Nothing here knows a platform. A shop's state advances only through the functions below, and only
after the reviews of a window are safely queued. Dying in between costs duplicates, never a review.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import NamedTuple

from pydantic import BaseModel, ConfigDict, Field

from functions.domain.reviews import Review
from functions.domain.times import Time

PLANNED = timedelta(minutes=1)  # the planner runs once a minute
OVERLAP = timedelta(minutes=2)  # every poll reads this much again: rows appear a little out of order
SLICE = timedelta(minutes=30)  # a backlog is read and saved in pieces of this size
SLICES_A_POLL = 20  # the rest of a long backlog waits for the next poll, well before the function's timeout
SWEEP_EVERY = timedelta(minutes=30)  # rows that appear later than OVERLAP are found by a sweep
SWEPT = timedelta(hours=24)  # how far a sweep, or the first poll of a new shop, looks back
SWEPT_A_POLL = timedelta(hours=4)  # a poll does no more of a sweep, however busy the shop
BUCKET = timedelta(minutes=15)  # a sweep compares reviews in buckets of this size
MAX_SEEN = 2000  # fingerprints kept; dropping one costs a harmless duplicate
FIRST_BACK_OFF = timedelta(seconds=5)
LONGEST_BACK_OFF = timedelta(minutes=3)
UNPOLLED_TOO_LONG = timedelta(minutes=5)
NEEDS_A_PERSON = ("session_expired", "configuration")  # pauses that no waiting ends

_EMPTY = bytes(8)


class Shop(BaseModel):
    """A shop: what its owner configured and how far polling has come.

    `seen` packs the reviews of the last OVERLAP before the cursor: when posted, in seconds since
    1970, and fingerprint, 4 + 8 bytes. `digests` packs what the polls of the last day saw: number of
    the bucket and exclusive or of the fingerprints in it, 4 + 8 bytes.
    """

    model_config = ConfigDict(frozen=True)

    shop_id: str = Field(min_length=1)
    platform: str = Field(min_length=1)
    name: str = ""
    active: bool = True
    interval_s: int = Field(20, ge=1)
    secret: str = Field(min_length=1, description="Name of the credentials in Secrets Manager")
    api_url: str = Field("", description="Empty: the platform's own address")
    silent_after_s: int | None = Field(None, ge=1, description="Without a review for so long is suspicious")

    cursor_at: Time | None = None
    seen: bytes = b""
    digests: bytes = b""
    polled_at: Time | None = Field(None, description="The last poll that read everything up to its time")
    watched_since: Time | None = None
    last_review_at: Time | None = None
    swept_at: Time | None = Field(None, description="When the last sweep began")
    swept_to: Time | None = Field(None, description="How far a sweep that is still going on has come")
    paused_until: Time | None = None
    pause_reason: str | None = None
    failures: int = Field(0, ge=0, description="Failed polls in a row")
    version: int = Field(0, ge=0)


class Window(NamedTuple):
    """Both ends belong to it; whole seconds, as platforms count them."""

    start: datetime
    end: datetime


def poll_times(shop: Shop, minute: datetime) -> list[datetime]:
    """Return when to poll the shop within the minute that starts at `minute`, earliest first."""
    interval = timedelta(seconds=shop.interval_s)
    due, times = minute, []
    if interval > PLANNED and shop.polled_at:
        due = max(minute, shop.polled_at + interval)
    while due < minute + PLANNED:
        if not shop.paused_until or due >= shop.paused_until:
            times.append(due)
        due += interval
    return times


def reason_to_skip(shop: Shop, due_at: datetime, now: datetime) -> str | None:
    """Return why a poll that was due at `due_at` has nothing to do, or None when it has."""
    if not shop.active:
        return "inactive"
    if shop.polled_at and shop.polled_at >= due_at:
        return "polled since"
    if shop.paused_until and now < shop.paused_until:
        return f"paused: {shop.pause_reason}"
    return None


def reason_for_silence(shop: Shop, now: datetime) -> str | None:
    """Return why we may be missing this shop's reviews, or None. Short pauses are no reason."""
    if shop.paused_until and shop.pause_reason in NEEDS_A_PERSON:
        return shop.pause_reason
    too_long = max(UNPOLLED_TOO_LONG, timedelta(seconds=2 * shop.interval_s))
    if not shop.polled_at or now - shop.polled_at > too_long:
        return "not polled"
    latest = shop.last_review_at or shop.watched_since
    if shop.silent_after_s and latest and now - latest > timedelta(seconds=shop.silent_after_s):
        return "no reviews"
    return None


def next_window(shop: Shop, now: datetime) -> Window:
    """Return the window to read next: from OVERLAP before the cursor, at most one SLICE beyond it."""
    now = now.replace(microsecond=0)
    cursor = shop.cursor_at or now - SWEPT
    return Window(cursor - OVERLAP, max(cursor, min(now, cursor + SLICE)))


def unseen(shop: Shop, reviews: Iterable[Review]) -> list[Review]:
    """Return the reviews that the polls before this one did not show, each version once."""
    known = {mark for _, mark in _unpacked(shop.seen)}
    return [review for mark, review in _marked(reviews).items() if mark not in known]


def advanced(shop: Shop, window: Window, reviews: Sequence[Review], now: datetime) -> Shop:
    """Return the shop after all `reviews` of the window were read and the unseen ones queued."""
    # What an earlier poll saw stays known for its time, even if this one did not show it.
    seen = {*_unpacked(shop.seen), *((_second(r), mark) for mark, r in _marked(reviews).items())}
    digests = dict(_unpacked(shop.digests))
    for review in unseen(shop, reviews):
        bucket = _bucket(review.posted_at)
        digests[bucket] = _xor(digests.get(bucket, _EMPTY), fingerprint(review))
    caught_up = window.end >= now.replace(microsecond=0)
    return shop.model_copy(
        update={
            "cursor_at": window.end,
            "seen": _packed(seen, oldest=int((window.end - OVERLAP).timestamp()))[-12 * MAX_SEEN :],
            "digests": _packed(digests.items(), oldest=_bucket(now - SWEPT)),
            "polled_at": now if caught_up else shop.polled_at,
            "watched_since": shop.watched_since or now,
            # A new shop's first polls read as much as a sweep does.
            "swept_at": shop.swept_at or now,
            "last_review_at": _latest(shop, reviews),
            "paused_until": None,
            "pause_reason": None,
            "failures": 0,
        }
    )


def sweep_window(shop: Shop, now: datetime) -> Window | None:
    """Return the window of whole buckets to sweep now, or None while no sweep is due.

    Sweeps end before what the next poll reads again, so that no review is looked at from both sides.
    """
    if not shop.swept_at or not shop.cursor_at:
        return None
    if not shop.swept_to and now - shop.swept_at < SWEEP_EVERY:
        return None
    start = _bucket(shop.swept_to) if shop.swept_to else _bucket(now - SWEPT) + 1
    end = min(_sweep_end(shop), start + SWEPT_A_POLL // BUCKET)
    return Window(_start_of(start), _start_of(end) - timedelta(seconds=1)) if start < end else None


def missed(shop: Shop, window: Window, reviews: Iterable[Review]) -> list[Review]:
    """Return the swept reviews of every bucket that does not hold what the polls saw.

    A late row brings its whole bucket again: duplicates are harmless, and one number for a bucket
    instead of one for each review keeps the shop's item small.
    """
    known = dict(_unpacked(shop.digests))
    return [
        review
        for bucket, marks in _by_bucket(window, reviews).items()
        if _digest(marks) != known.get(bucket, _EMPTY)
        for review in marks.values()
    ]


def swept(shop: Shop, window: Window, reviews: Sequence[Review], now: datetime) -> Shop:
    """Return the shop after the sweep of the window, its `missed` reviews being queued."""
    digests = dict(_unpacked(shop.digests))
    digests |= {bucket: _digest(marks) for bucket, marks in _by_bucket(window, reviews).items()}
    swept_to = window.end + timedelta(seconds=1)
    return shop.model_copy(
        update={
            "digests": _packed(digests.items(), oldest=_bucket(now - SWEPT)),
            "swept_at": shop.swept_at if shop.swept_to else now,
            "swept_to": swept_to if _bucket(swept_to) < _sweep_end(shop) else None,
            "last_review_at": _latest(shop, reviews),
        }
    )


def paused(shop: Shop, reason: str, now: datetime, *, retry_after: timedelta | None = None) -> Shop:
    """Return the shop paused for `retry_after`, or for a time that doubles with each failure in a row."""
    doubled = min(FIRST_BACK_OFF * 2 ** min(shop.failures, 10), LONGEST_BACK_OFF)
    return shop.model_copy(
        update={
            "paused_until": now + (doubled if retry_after is None else retry_after),
            "pause_reason": reason,
            "failures": shop.failures + 1,
        }
    )


def fingerprint(review: Review) -> bytes:
    """Return 8 bytes that name this version of this review."""
    return sha256(f"{review.key}\x1f{review.version}".encode()).digest()[:8]


def _marked(reviews: Iterable[Review]) -> dict[bytes, Review]:
    return {fingerprint(review): review for review in reviews}


def _second(review: Review) -> int:
    return int(review.posted_at.timestamp())


def _latest(shop: Shop, reviews: Iterable[Review]) -> datetime | None:
    times = [review.posted_at for review in reviews]
    return max([*times, shop.last_review_at] if shop.last_review_at else times, default=None)


def _bucket(moment: datetime) -> int:
    return int(moment.timestamp() // BUCKET.total_seconds())


def _start_of(bucket: int) -> datetime:
    return datetime.fromtimestamp(bucket * BUCKET.total_seconds(), UTC)


def _sweep_end(shop: Shop) -> int:
    return _bucket(shop.cursor_at - OVERLAP) if shop.cursor_at else 0


def _by_bucket(window: Window, reviews: Iterable[Review]) -> dict[int, dict[bytes, Review]]:
    buckets: dict[int, dict[bytes, Review]] = {}
    for mark, review in _marked(reviews).items():
        if window.start <= review.posted_at <= window.end:
            buckets.setdefault(_bucket(review.posted_at), {})[mark] = review
    return buckets


def _digest(marks: Iterable[bytes]) -> bytes:
    total = _EMPTY
    for mark in marks:
        total = _xor(total, mark)
    return total


def _xor(left: bytes, right: bytes) -> bytes:
    return bytes(a ^ b for a, b in zip(left, right, strict=True))


def _unpacked(entries: bytes) -> Iterator[tuple[int, bytes]]:
    for at in range(0, len(entries), 12):
        yield int.from_bytes(entries[at : at + 4]), entries[at + 4 : at + 12]


def _packed(entries: Iterable[tuple[int, bytes]], oldest: int) -> bytes:
    return b"".join(number.to_bytes(4) + mark for number, mark in sorted(entries) if number >= oldest)
