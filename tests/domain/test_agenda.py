"""What becomes due by the passing of time, on cases that stand in every way."""

from datetime import timedelta

import pytest

from functions.domain.agenda import advance, next_moment
from functions.domain.cases import Case, Effect, Pause, acknowledge, resolve
from functions.domain.pace import REAL, Pace
from functions.rulebook import load
from tests.builders import NOW, case

RULES = load()
FAST = Pace(scale=1 / 86400, floor_s=5)
MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)


def opened(**given: object) -> Case:
    return case(**{"outbox": {}, "escalate_at": NOW + 15 * MINUTE, "give_up_s": 7 * 86400} | given)


def after(stands: Case, minutes: float, pace: Pace = REAL) -> Case:
    return advance(stands, RULES, pace, NOW + minutes * MINUTE)


def test_nothing_is_due_before_its_time() -> None:
    one = opened()
    assert after(one, 14.9) is one
    assert next_moment(one, REAL) == NOW + 15 * MINUTE


def test_the_chain_goes_up_a_level_at_a_time_and_ends() -> None:
    one, told = opened(), list[str]()
    for minutes in range(0, 80, 5):
        one = after(one, minutes)
        told += [key for key in one.outbox if key not in told]
    assert told == ["alert:1", "alert:2"]
    assert (one.level, one.escalate_at) == (2, None)


def test_a_clock_that_was_late_does_not_alert_several_levels_at_once() -> None:
    late = after(opened(), 60)
    assert late.outbox.keys() == {"alert:1"}
    assert late.escalate_at == NOW + 75 * MINUTE


def test_nothing_escalates_after_the_acknowledgement() -> None:
    taken = acknowledge(opened(), "lin", NOW + MINUTE)
    assert after(taken, 60) is taken


def test_warning_breach_and_end_come_once_each_in_their_order() -> None:
    one = acknowledge(opened(), "lin", NOW)
    told = []
    for minutes in (80, 90, 91, 121, 122, 8 * 1440, 8 * 1440 + 1):
        before, one = one, after(one, minutes)
        told.append(one.events.keys() - before.events.keys())
    assert told == [set(), {"warned"}, set(), {"breached"}, set(), {"expired"}, set()]
    assert (one.status, one.outcome) == ("closed", "expired")
    assert next_moment(one.model_copy(update={"outbox": {}}), REAL) is None


def test_the_end_wakes_the_workflow() -> None:
    one = after(opened(task_token="token"), 8 * 1440)
    assert [effect.token for effect in one.outbox.values() if effect.kind == "wake"] == ["token"]


def test_a_resolved_case_has_nothing_ahead() -> None:
    done = resolve(opened(), "lin", "quality", "solved", None, NOW)
    assert next_moment(done, REAL) is None
    assert after(done, 10_000) is done


def test_no_deadline_runs_while_we_wait_for_the_customer() -> None:
    waiting = acknowledge(opened(pauses=(Pause(since=NOW, why="asked for a photo"),)), "lin", NOW)
    assert next_moment(waiting, REAL) is None
    assert after(waiting, 10_000) is waiting


def test_a_held_effect_is_released_in_its_time_whatever_the_case_is_by_then() -> None:
    held = Effect(kind="message", at=NOW, name="silver", after=NOW + 10 * MINUTE)
    closed = opened(status="closed", outbox={"message:silver": held})
    assert next_moment(closed, REAL) == NOW + 10 * MINUTE
    assert after(closed, 9) is closed
    assert after(closed, 10).outbox["message:silver"].after is None


@pytest.mark.parametrize("pace", [REAL, FAST])
def test_looking_again_at_the_same_moment_changes_nothing(pace: Pace) -> None:
    for minutes in (0, 15, 31, 90, 120, 8 * 1440):
        once = after(opened(), minutes, pace)
        assert after(once, minutes, pace) in (once, after(once, minutes, pace))
        assert after(once, minutes, pace).outbox.keys() == once.outbox.keys()


def test_a_compressed_pace_keeps_the_order_of_things() -> None:
    one = opened(escalate_at=None)
    seen = [next_moment(one, FAST)]
    for _ in range(3):
        moment = next_moment(one, FAST)
        assert moment is not None
        one = advance(one, RULES, FAST, moment)
        seen.append(next_moment(one, FAST))
    times = [moment for moment in seen if moment is not None]
    assert times == sorted(set(times))
    assert one.outcome == "expired"
    assert times[-1] <= NOW + timedelta(seconds=30)
