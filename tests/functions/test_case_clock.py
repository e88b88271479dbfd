"""The case clock on the template's tables and queues."""

from datetime import timedelta

import pytest

from functions import case_clock
from functions.domain.cases import Case, Effect, acknowledge
from functions.domain.times import iso
from functions.runtime import clock
from functions.store import cases
from tests.builders import NOW, case
from tests.cloud import Cloud
from tests.crash import dying_after, effects
from tests.events import CONTEXT, queue_event

MINUTE = {"time": "2026-03-02T08:00:00Z"}
LATER = NOW + timedelta(minutes=20)


@pytest.fixture(autouse=True)
def _clock(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clock, "now", lambda: LATER)


def opened(number: int = 1) -> Case:
    at = NOW + timedelta(minutes=15)
    return cases.open_case(case(review_id=f"r{number}", outbox={}, escalate_at=at), None)


def tick() -> None:
    case_clock.handler(queue_event("{}"), CONTEXT)


def test_every_minute_sends_the_ticks_until_the_next_one(aws: Cloud) -> None:
    case_clock.handler(MINUTE, CONTEXT)
    assert aws.queued("ticks") == []  # all of them delayed
    assert [message.delay_s for message in case_clock.ticks()] == list(range(3, 60, 3))


def test_what_is_due_is_asked_for_and_its_next_moment_noted(aws: Cloud) -> None:
    one, two = opened(1), opened(2)
    cases.save(acknowledge(two, "lin", NOW))
    tick()
    (escalated,) = [each for each in aws.items("cases") if each.get("pending")]
    assert (escalated["case_id"], set(escalated["outbox"])) == (one.case_id, {"alert:1"})
    assert escalated["agenda_at"] == iso(one.warn_at)  # the chain goes on once its alert is told


def test_a_tick_that_comes_twice_changes_nothing_more(aws: Cloud) -> None:
    opened()
    tick()
    before = aws.items("cases")
    assert effects(tick) == []
    assert aws.items("cases") == before


def test_dying_after_any_write_and_ticking_again_ends_the_same(aws: Cloud) -> None:
    for number in (1, 2, 3):
        opened(number)
    names = effects(tick)
    expected = aws.items("cases")
    assert set(names) == {"dynamodb.PutItem"}
    for n in range(1, len(names) + 1):
        aws.empty()
        for number in (1, 2, 3):
            opened(number)
        with dying_after(n):
            tick()
        tick()
        assert aws.items("cases") == expected


def test_an_acknowledgement_between_reading_and_writing_wins(
    aws: Cloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = opened()
    read = cases.read_many

    def reading_just_before(case_ids: list[str]) -> dict[str, Case]:
        found = read(case_ids)
        current = read([one.case_id])[one.case_id]
        if current.status == "open":
            cases.save(acknowledge(current, "lin", NOW))
        return found

    monkeypatch.setattr(cases, "read_many", reading_just_before)
    tick()
    (item,) = aws.items("cases")
    assert (item["status"], item["outbox"]) == ("acknowledged", {})


def test_a_held_effect_is_released(aws: Cloud) -> None:
    held = Effect(kind="message", at=NOW, name="care", after=NOW + timedelta(minutes=19))
    cases.open_case(case(status="resolved", outbox={"message:care": held}), None)
    tick()
    (item,) = aws.items("cases")
    assert item["pending"] is True
    assert "after" not in item["outbox"]["message:care"]
    assert "agenda_at" not in item
