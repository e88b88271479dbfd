from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest

from functions.domain import polling
from functions.domain.polling import Shop
from functions.domain.reviews import Review

NOW = datetime(2026, 1, 5, 4, 7, 30, tzinfo=UTC)
SECOND, MINUTE, HOUR = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1)


def shop(**changes: Any) -> Shop:
    return Shop.model_validate({"shop_id": "s1", "platform": "taobao", "secret": "winback/dev/s1"} | changes)


def review(oid: int, posted_at: datetime = NOW - MINUTE, text: str = "很好") -> Review:
    return Review(
        shop_id="s1",
        platform="taobao",
        review_id=str(oid),
        rating="bad",
        text=text,
        posted_at=posted_at,
        first_seen_at=NOW,
    )


def polled(before: Shop, *reviews: Review, now: datetime = NOW) -> Shop:
    return polling.advanced(before, polling.next_window(before, now), reviews, now)


# When a shop is polled


def test_a_shop_is_polled_at_its_interval_within_the_minute() -> None:
    times = polling.poll_times(shop(interval_s=20), NOW)
    assert times == [NOW, NOW + 20 * SECOND, NOW + 40 * SECOND]


def test_an_interval_that_does_not_divide_the_minute_starts_anew_with_it() -> None:
    assert polling.poll_times(shop(interval_s=25), NOW) == [NOW, NOW + 25 * SECOND, NOW + 50 * SECOND]


def test_a_shop_with_a_long_interval_is_polled_only_in_the_minute_it_is_due() -> None:
    slow = shop(interval_s=300, polled_at=NOW)
    assert polling.poll_times(slow, NOW + 4 * MINUTE - SECOND) == []
    assert polling.poll_times(slow, NOW + 4 * MINUTE + SECOND) == [NOW + 5 * MINUTE]


def test_a_shop_that_was_never_polled_is_polled_at_once() -> None:
    assert polling.poll_times(shop(interval_s=300), NOW) == [NOW]


def test_no_poll_is_planned_before_a_pause_ends() -> None:
    resting = shop(paused_until=NOW + 30 * SECOND)
    assert polling.poll_times(resting, NOW) == [NOW + 40 * SECOND]


def test_a_poll_is_skipped_when_the_shop_was_polled_at_or_after_its_due_time() -> None:
    assert polling.reason_to_skip(shop(polled_at=NOW), due_at=NOW, now=NOW + SECOND) == "polled since"
    assert polling.reason_to_skip(shop(polled_at=NOW), due_at=NOW + SECOND, now=NOW + SECOND) is None


def test_a_poll_is_skipped_while_the_shop_is_paused_or_inactive() -> None:
    resting = shop(paused_until=NOW + SECOND, pause_reason="rate_limited")
    assert polling.reason_to_skip(resting, NOW, NOW) == "paused: rate_limited"
    assert polling.reason_to_skip(resting, NOW, NOW + SECOND) is None
    assert polling.reason_to_skip(shop(active=False), NOW, NOW) == "inactive"


# Which window is read


def test_a_poll_reads_from_the_overlap_before_the_cursor_to_now_in_whole_seconds() -> None:
    window = polling.next_window(shop(cursor_at=NOW - 20 * SECOND), NOW + timedelta(milliseconds=700))
    assert window == (NOW - 20 * SECOND - polling.OVERLAP, NOW)


def test_a_backlog_is_read_in_slices_that_join_without_a_gap() -> None:
    behind, covered = shop(cursor_at=NOW - 2 * HOUR), NOW - 2 * HOUR
    for _ in range(4):
        window = polling.next_window(behind, NOW)
        assert window.start < covered < window.end <= covered + polling.SLICE
        behind, covered = polled(behind), window.end
        assert (behind.polled_at == NOW) == (covered == NOW)
    assert covered == NOW


def test_a_new_shop_starts_with_the_last_day() -> None:
    assert polling.next_window(shop(), NOW).start == NOW - polling.SWEPT - polling.OVERLAP


def test_a_clock_that_went_back_does_not_move_the_cursor_back() -> None:
    ahead = shop(cursor_at=NOW + MINUTE)
    assert polled(ahead).cursor_at == NOW + MINUTE


# Which reviews are new


def test_a_review_read_again_in_the_overlap_is_not_new() -> None:
    after = polled(shop(cursor_at=NOW - 20 * SECOND), review(1), review(2))
    assert polling.unseen(after, [review(1), review(2), review(3)]) == [review(3)]


def test_an_edited_review_is_new() -> None:
    after = polled(shop(cursor_at=NOW - 20 * SECOND), review(1))
    assert polling.unseen(after, [review(1, text="差评")]) == [review(1, text="差评")]


def test_a_review_that_shows_twice_in_one_reading_is_new_once() -> None:
    assert polling.unseen(shop(), [review(1), review(1)]) == [review(1)]


def test_a_review_is_known_for_as_long_as_the_overlap_shows_it() -> None:
    current, now = shop(cursor_at=NOW - 20 * SECOND), NOW
    current = polled(current, review(1, posted_at=NOW), now=now)
    while (window := polling.next_window(current, now := now + 20 * SECOND)).start <= NOW:
        assert polling.unseen(current, [review(1, posted_at=NOW)]) == []
        current = polling.advanced(current, window, [review(1, posted_at=NOW)], now)
    assert now > NOW + polling.OVERLAP


def test_fingerprints_are_bounded_and_the_oldest_go_first() -> None:
    oldest = [review(n, NOW - MINUTE) for n in range(5)]
    others = [review(n, NOW - 30 * SECOND) for n in range(5, polling.MAX_SEEN + 5)]
    after = polled(shop(cursor_at=NOW - 20 * SECOND), *oldest, *others)
    assert len(after.seen) == 12 * polling.MAX_SEEN
    assert polling.unseen(after, oldest + others) == oldest


def test_a_review_that_the_platform_hides_for_a_moment_is_not_new_when_it_shows_again() -> None:
    first = polled(shop(cursor_at=NOW - 20 * SECOND), review(1, NOW))
    hidden = polled(first, now=NOW + 20 * SECOND)
    assert polling.unseen(hidden, [review(1, NOW)]) == []
    assert polled(hidden, now=NOW + polling.OVERLAP + SECOND).seen == b""


def test_a_reading_remembers_the_newest_review_and_since_when_we_watch() -> None:
    first = polled(shop(cursor_at=NOW - 20 * SECOND), review(1, NOW - 5 * SECOND), review(2))
    assert (first.last_review_at, first.watched_since) == (NOW - 5 * SECOND, NOW)
    later = polled(first, now=NOW + MINUTE)
    assert (later.last_review_at, later.watched_since) == (NOW - 5 * SECOND, NOW)


# Sweeps for late reviews


def watched(*reviews: Review) -> Shop:
    """Return a shop whose polls saw the reviews when they were posted, a sweep being due at NOW."""
    current = shop(cursor_at=NOW - 3 * HOUR, swept_at=NOW - HOUR)
    while current.cursor_at != NOW:
        window = polling.next_window(current, NOW)
        current = polling.advanced(
            current, window, [r for r in reviews if window.start <= r.posted_at <= window.end], NOW
        )
    return current


def sweep(current: Shop, *reviews: Review) -> tuple[Shop, list[Review]]:
    """Sweep the whole day, piece by piece; return what was found."""
    found: list[Review] = []
    while window := polling.sweep_window(current, NOW):
        shown = [review for review in reviews if window.start <= review.posted_at <= window.end]
        found += polling.missed(current, window, shown)
        current = polling.swept(current, window, shown, NOW)
    assert (current.swept_at, current.swept_to) == (NOW, None)
    return current, found


SEEN = [review(n, NOW - n * 17 * MINUTE) for n in range(1, 10)]


def test_a_sweep_after_gapless_polls_finds_nothing() -> None:
    assert sweep(watched(*SEEN), *SEEN)[1] == []


def test_a_sweep_brings_the_bucket_of_a_late_review_and_no_other() -> None:
    late = review(99, NOW - 4 * 17 * MINUTE + SECOND)
    after, found = sweep(watched(*SEEN), *SEEN, late)
    assert set(found) == {late, SEEN[3]}
    again = after.model_copy(update={"swept_at": NOW - HOUR})
    assert sweep(again, *SEEN, late)[1] == []


def test_a_sweep_finds_an_edit_that_came_after_the_overlap() -> None:
    edited = review(4, SEEN[3].posted_at, text="差评")
    assert sweep(watched(*SEEN), *SEEN[:3], edited, *SEEN[4:])[1] == [edited]


def test_a_sweep_covers_the_day_without_a_gap_up_to_what_the_next_poll_reads_again() -> None:
    current, pieces = watched(), []
    while window := polling.sweep_window(current, NOW):
        pieces.append(window)
        current = polling.swept(current, window, [], NOW)
    assert NOW - polling.SWEPT <= pieces[0].start < NOW - polling.SWEPT + polling.BUCKET
    assert all(later.start == earlier.end + SECOND for earlier, later in pairwise(pieces))
    next_read = polling.next_window(current, NOW).start
    assert next_read - polling.BUCKET <= pieces[-1].end < next_read
    assert len(pieces) == 6


def test_a_sweep_is_due_every_half_hour() -> None:
    assert polling.sweep_window(shop(cursor_at=NOW, swept_at=NOW - 29 * MINUTE), NOW) is None
    assert polling.sweep_window(shop(cursor_at=NOW, swept_at=NOW - 30 * MINUTE), NOW)


def test_what_a_shop_remembers_for_sweeps_stays_small() -> None:
    current, now = shop(cursor_at=NOW - 20 * SECOND), NOW
    for n in range(3 * 96):
        now += polling.BUCKET
        current = polled(current, review(n, now - MINUTE), now=now)
    assert len(current.digests) <= 12 * (96 + 1)


# Failures


def test_failures_in_a_row_double_the_pause_up_to_a_bound() -> None:
    failing, pauses = shop(), []
    for _ in range(8):
        failing = polling.paused(failing, "temporarily_unavailable", NOW)
        assert failing.paused_until
        pauses.append((failing.paused_until - NOW).total_seconds())
    assert pauses == [5, 10, 20, 40, 80, 160, 180, 180]


def test_a_pause_that_the_platform_names_is_kept_exactly() -> None:
    banned = polling.paused(shop(failures=5), "rate_limited", NOW, retry_after=61 * SECOND)
    assert banned.paused_until == NOW + 61 * SECOND


def test_success_ends_the_pause_and_the_doubling() -> None:
    after = polled(polling.paused(shop(cursor_at=NOW), "temporarily_unavailable", NOW))
    assert (after.paused_until, after.pause_reason, after.failures) == (None, None, 0)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"polled_at": NOW - 4 * MINUTE}, None),
        ({"polled_at": NOW - 6 * MINUTE}, "not polled"),
        ({}, "not polled"),
        ({"polled_at": NOW - 6 * MINUTE, "interval_s": 600}, None),
        ({"polled_at": NOW, "silent_after_s": 60, "last_review_at": NOW - 2 * MINUTE}, "no reviews"),
        ({"polled_at": NOW, "silent_after_s": 60, "watched_since": NOW - 2 * MINUTE}, "no reviews"),
        ({"polled_at": NOW, "silent_after_s": 180, "last_review_at": NOW - 2 * MINUTE}, None),
        ({"polled_at": NOW, "paused_until": NOW, "pause_reason": "session_expired"}, "session_expired"),
        ({"polled_at": NOW, "paused_until": NOW, "pause_reason": "configuration"}, "configuration"),
        ({"polled_at": NOW, "paused_until": NOW, "pause_reason": "rate_limited"}, None),
    ],
)
def test_a_shop_is_silent_when_we_may_be_missing_reviews(changes: dict[str, Any], reason: str | None) -> None:
    assert polling.reason_for_silence(shop(**changes), NOW) == reason


def test_an_empty_sweep_window_is_no_window() -> None:
    assert polling.sweep_window(shop(cursor_at=NOW - 2 * polling.SWEPT, swept_at=NOW - HOUR), NOW) is None
