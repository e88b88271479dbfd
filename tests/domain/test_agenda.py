"""What becomes due by the passing of time, on cases that stand in every way."""

from datetime import timedelta

import pytest

from functions.domain.agenda import advance, next_moment
from functions.domain.cases import Case, Effect, acknowledge, reopen, resolve
from functions.domain.pace import REAL, Pace
from functions.domain.waits import pause, resume
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


def sent(stands: Case) -> Case:
    """The case with every alert of its outbox told."""
    return stands.model_copy(update={"outbox": {}})


def chain(stands: Case, until: int) -> list[tuple[int, str]]:
    """What is alerted minute by minute, each told at once, and when."""
    told = []
    for minute in range(until):
        stands = after(stands, minute)
        told += [(minute, key) for key in stands.outbox if key.startswith("alert")]
        stands = sent(stands)
    return told


def test_the_chain_goes_up_a_level_at_a_time_and_then_repeats_until_somebody_acknowledges() -> None:
    far = opened(warn_at=NOW + 30 * DAY, due_at=NOW + 31 * DAY)
    assert chain(far, 460) == [
        (15, "alert:1"),
        (30, "alert:2"),
        (45, "alert:repeat:1"),
        (75, "alert:repeat:2"),
        (105, "alert:repeat:3"),
        (135, "alert:repeat:4"),
        (165, "alert:repeat:5"),
        (405, "alert:repeat:6"),
    ]
    one = sent(after(far, 45))
    assert chain(acknowledge(one, "lin", NOW), 460) == []


def test_a_chain_that_was_ended_never_starts_again_by_itself() -> None:  # OnCall #3111
    taken = acknowledge(sent(after(opened(), 15)), "lin", NOW + 16 * MINUTE)
    assert taken.escalate_at is None
    done = resolve(taken, "lin", "quality", "solved", None, NOW + 20 * MINUTE)
    grade = RULES.ask.grades(cause="quality", suspected_malicious=False)
    again = reopen(
        done.model_copy(update={"decisions": (grade,)}), "lin", "not solved", RULES, NOW + 30 * MINUTE
    )
    for stands in (taken, done, again):
        assert not [
            key for _, key in chain(stands, 200) if key.startswith(("alert:1", "alert:2", "alert:rep"))
        ]


def test_every_level_of_the_chain_comes_not_only_the_first() -> None:  # freescout #3762
    told = [key for _, key in chain(opened(), 60)]
    assert told == ["alert:1", "alert:2", "alert:repeat:1"]


def test_the_chain_waits_while_its_last_alert_does_and_counts_from_when_it_was_told() -> None:  # OnCall #1206
    held = Effect(kind="alert", at=NOW, level=0, after=NOW + 480 * MINUTE)
    one = opened(outbox={"alert:0": held}, warn_at=NOW + 30 * DAY, due_at=NOW + 31 * DAY)
    assert next_moment(one, REAL) == NOW + 480 * MINUTE
    assert after(one, 60) is one
    resumed = after(one, 480)
    assert resumed.outbox["alert:0"].after is None
    assert chain(sent(resumed), 540) == [(495, "alert:1"), (510, "alert:2"), (525, "alert:repeat:1")]


def test_a_chain_that_waits_does_not_have_the_clock_look_again_and_again() -> None:
    performed = opened(outbox={"alert:1": Effect(kind="alert", at=NOW, level=1)}, level=1, escalate_at=NOW)
    assert next_moment(performed, REAL) == performed.warn_at
    assert after(performed, 60).outbox.keys() == {"alert:1"}


def test_a_forgotten_case_reaches_the_manager_whatever_happened_to_the_looks() -> None:  # chatwoot #6889
    one, told = opened(), list[str]()
    for minute in (200, 400, 401, 403, 1000):
        before, one = one, after(one, minute)
        told += [key for key in one.outbox if key not in before.outbox and key in ("alert:1", "alert:2")]
        one = sent(one)
    assert told == ["alert:1", "alert:2"]


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


def test_a_case_that_nobody_was_told_of_does_not_expire() -> None:
    untold = opened(outbox={"alert:0": Effect(kind="alert", at=NOW, level=0)}, escalate_at=None)
    late = after(untold, 30 * 1440)
    assert {"warned", "breached"} <= late.events.keys()
    assert late.status == "open"


def test_a_resolved_case_has_nothing_ahead() -> None:
    done = resolve(opened(), "lin", "quality", "solved", None, NOW)
    assert next_moment(done, REAL) is None
    assert after(done, 10_000) is done


def test_no_deadline_runs_while_we_wait_for_the_customer() -> None:
    waiting = pause(opened(), "asked for a photo", "lin", NOW)
    assert next_moment(waiting, REAL) == NOW + 7 * DAY
    assert after(waiting, 7 * 1440 - 1) is waiting
    going_on = resume(waiting, "lin", NOW + DAY)
    assert going_on.due_at == waiting.due_at + DAY
    assert next_moment(going_on, REAL) == going_on.warn_at


def test_a_wait_that_everybody_forgot_ends_by_itself() -> None:
    waiting = pause(opened(), "asked for a photo", "lin", NOW)
    going_on = after(waiting, 7 * 1440)
    assert not going_on.paused
    assert going_on.due_at == waiting.due_at + 7 * DAY
    assert going_on.events.keys() - waiting.events.keys() == {"resumed:1"}


def test_a_case_that_waited_after_its_breach_is_not_given_up_at_once() -> None:
    breached = after(acknowledge(opened(), "lin", NOW), 120)
    going_on = after(pause(breached, "asked for a photo", "lin", NOW + 120 * MINUTE), 120 + 7 * 1440)
    assert going_on.waiting
    assert next_moment(going_on, REAL) == NOW + 120 * MINUTE + 14 * DAY


def test_at_a_compressed_pace_a_wait_still_takes_as_long_as_it_takes() -> None:
    waiting = pause(opened(), "asked for a photo", "lin", NOW)
    plain, resumed = next_moment(opened(status="acknowledged"), FAST), resume(waiting, "lin", NOW + MINUTE)
    assert plain is not None
    assert next_moment(resumed, FAST) == plain + MINUTE


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
