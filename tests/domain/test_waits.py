"""Cases that wait for their customer."""

from datetime import datetime, timedelta

import pytest

from functions.domain.calendars import Hours
from functions.domain.cases import (
    Case,
    CaseClosed,
    Effect,
    acknowledge,
    new_version,
    reopen,
    resolve,
)
from functions.domain.erasure import forget_person
from functions.domain.exhibits import Erased
from functions.domain.waits import pause, resume
from functions.rulebook import load
from tests.builders import NOW, case, decision, review

RULES = load()
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
DUE = NOW - timedelta(seconds=5) + 2 * HOUR


def opened(**given: object) -> Case:
    grade = decision(then={"grade": "logistics_delay", "respond_within": 7200, "warn_before": 1800})
    return case(**{"decisions": (grade,)} | given)


def paused(since: datetime = NOW + 10 * MINUTE) -> Case:
    return pause(opened(), "a photo", "lin", since)


def test_whoever_waits_for_the_customer_has_taken_the_case() -> None:
    waiting = paused()
    assert (waiting.status, waiting.escalate_at, waiting.paused) == ("acknowledged", None, True)
    assert waiting.events["acknowledged"].by == "lin"
    assert (waiting.events["paused:1"].by, waiting.events["paused:1"].note) == ("lin", "a photo")


def test_waiting_twice_is_waiting_once() -> None:
    waiting = paused()
    assert pause(waiting, "another photo", "wang", NOW + HOUR) is waiting


def test_the_deadline_moves_by_exactly_the_time_that_the_case_waited() -> None:
    going_on = resume(paused(), "lin", NOW + 70 * MINUTE)
    assert (going_on.due_at, going_on.warn_at) == (DUE + HOUR, DUE + 30 * MINUTE)
    assert resume(going_on, "lin", NOW + 3 * HOUR) is going_on
    again = resume(pause(going_on, "a video", "lin", NOW + 80 * MINUTE), "lin", NOW + 90 * MINUTE)
    assert again.due_at == DUE + HOUR + 10 * MINUTE
    assert [event for event in again.events if event.startswith(("paused", "resumed"))] == [
        "paused:1",
        "resumed:1",
        "paused:2",
        "resumed:2",
    ]


def test_waiting_at_night_moves_nothing_where_the_shop_is_closed() -> None:
    office = Hours.model_validate({"week": {"mon-sun": ["09:00-18:00"]}})  # NOW is 16:00 in China
    waiting = pause(opened(hours=office), "a photo", "lin", NOW + 2 * HOUR)
    going_on = resume(waiting, "lin", NOW + 17 * HOUR)
    assert going_on.due_at == resume(waiting, "lin", NOW + 2 * HOUR).due_at == DUE


def test_what_the_customer_writes_ends_the_wait() -> None:
    heard = new_version(paused(), review(text="给你们照片"), NOW + 70 * MINUTE)
    assert not heard.paused
    assert heard.due_at == DUE + HOUR


def test_a_version_that_is_known_ends_no_wait() -> None:
    waiting = paused()
    assert new_version(waiting, review(), NOW + 70 * MINUTE) is waiting


def test_a_resolution_ends_the_wait_and_says_whether_it_came_in_time() -> None:
    done = resolve(paused(), "lin", "quality", "solved", None, NOW + 5 * HOUR)
    assert not done.paused
    assert done.resolved_at is not None
    assert done.resolved_at < done.due_at == DUE + 5 * HOUR - 10 * MINUTE


def test_a_case_that_nobody_works_on_does_not_wait() -> None:
    done = resolve(opened(), "lin", "quality", "solved", None, NOW)
    with pytest.raises(CaseClosed, match="is resolved: its clock no longer runs"):
        pause(done, "a photo", "lin", NOW)
    assert resume(done, "lin", NOW) is done


def test_a_re_opened_case_has_its_whole_time_again_in_the_hours_it_was_opened_with() -> None:
    office = Hours.model_validate({"week": {"mon-sun": ["09:00-18:00"]}})
    waiting = pause(opened(hours=office), "a photo", "lin", NOW)
    done = resolve(waiting, "lin", "quality", "solved", None, NOW + HOUR)
    again = reopen(done, "lin", "broke again", RULES, NOW + HOUR)  # 17:00 in China
    assert again.due_at == NOW + 18 * HOUR  # 10:00
    assert again.clock.reopened
    later = resume(pause(again, "a photo", "lin", NOW + 17 * HOUR), "lin", NOW + 19 * HOUR)
    assert later.due_at == NOW + 20 * HOUR


def test_pauses_in_the_wrong_order_of_two_clocks_do_not_overlap() -> None:
    first = resume(paused(NOW + 10 * MINUTE), "lin", NOW + 20 * MINUTE)
    second = pause(first, "a video", "lin", NOW + 19 * MINUTE)
    assert second.pauses[1].since == NOW + 20 * MINUTE
    assert acknowledge(second, "wang", NOW + 21 * MINUTE) is second


def test_why_we_waited_is_forgotten_with_the_person() -> None:
    gone = forget_person(pause(opened(), "王女士的照片", "lin", NOW), Erased(), NOW)
    assert "王女士" not in gone.model_dump_json()
    assert gone.paused


def test_an_alert_of_an_earlier_run_is_not_told_as_one_of_the_new_run() -> None:
    warned = opened(outbox={"alert:warning": Effect(kind="alert", at=NOW, name="warning")})
    again = reopen(resolve(warned, "lin", "quality", "unreachable", None, NOW), "lin", "again", RULES, NOW)
    assert again.outbox.keys() == {"stop:1"}
