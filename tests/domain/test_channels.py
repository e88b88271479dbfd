"""Channels: who gets an alert, when it may be sent, and when nobody needs it any more."""

from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.domain.alerts import Alert
from functions.domain.cases import Case, acknowledge, resolve
from functions.domain.channels import (
    KINDS,
    Channel,
    Kind,
    block,
    claim,
    first_targets,
    limits,
    needless,
    next_after,
    retry_in,
    with_receipt,
)
from functions.rulebook import load
from tests.builders import NOW, case

RULES = load()


def channel(name: str = "feishu", place: int = 1, *, every: bool = False, kind: Kind = "feishu") -> Channel:
    return Channel(shop_id="shop-1", channel=name, kind=kind, place=place, every=every, secret="s")


def alert(kind: str = "first") -> Alert:
    return Alert(
        key=f"WB-1:{kind}:0", case_id="WB-1", shop_id="shop-1", grade="quality", kind=kind, roles=("agent",),
        due_at=NOW, sms="text",
    )  # fmt: skip


LISTED = [channel("a", 1), channel("b", 2), channel("log", 3, every=True), channel("c", 4)]


def test_an_alert_goes_to_the_first_of_the_list_and_to_whoever_gets_every_one() -> None:
    assert [each.channel for each in first_targets(LISTED[::-1])] == ["a", "log"]
    assert first_targets([]) == []


def test_what_a_channel_does_not_take_goes_to_the_next_of_the_list() -> None:
    following = [next_after(each, LISTED) for each in LISTED]
    assert [each.channel if each else None for each in following] == ["b", "c", None, None]


@pytest.mark.parametrize("kind", KINDS)
@given(
    gaps=st.lists(st.integers(0, 3_000), min_size=1, max_size=130),
    late=st.lists(st.integers(0, 9_000), min_size=1, max_size=20),
)
def test_however_late_the_queue_is_no_minute_and_no_second_holds_too_many(
    kind: Kind, gaps: list[int], late: list[int]
) -> None:
    allowed, now, one, sent = limits(kind, RULES), NOW, channel(kind=kind), []
    queue: list[tuple[datetime, datetime | None]] = []
    for gap in gaps:
        now += timedelta(milliseconds=gap)
        queue.append((now, None))
    looks = 0
    while queue:
        looks += 1
        assert looks <= 20 * len(gaps), "messages put each other off for ever"
        queue.sort(key=lambda each: each[0])
        now, slot = queue.pop(0)
        at, one = claim(one, slot, allowed, now)
        assert at >= now
        if at == now:
            sent.append(now)
        else:
            queue.append((at + timedelta(milliseconds=late[len(queue) % len(late)]), at))
    assert len(sent) == len(gaps)
    for number, seconds in ((allowed.a_minute, 60), (allowed.a_second, 1)):
        for early, after in zip(sent, sent[number:], strict=False):
            assert after - early > timedelta(seconds=seconds)


def test_messages_that_are_all_late_do_not_put_each_other_off() -> None:
    allowed = limits("feishu", RULES)
    slots = tuple(NOW + timedelta(milliseconds=100 * number) for number in range(2 * allowed.a_second))
    late = channel().model_copy(update={"booked": slots})
    at, after = claim(late, slots[0], allowed, now := slots[-1] + timedelta(seconds=1))
    assert (at, after.sent, after.booked) == (now, (now,), slots[1:])


def test_an_idle_channel_sends_at_once() -> None:
    assert claim(channel(), None, limits("feishu", RULES), NOW)[0] == NOW


def test_a_blocked_robot_gets_a_rest() -> None:
    allowed = limits("dingtalk", RULES)
    blocked = block(channel(kind="dingtalk"), allowed, NOW)
    assert claim(blocked, None, allowed, NOW)[0] == NOW + timedelta(minutes=10)


def test_attempts_come_at_growing_distances() -> None:
    allowed = limits("feishu", RULES)
    waits = [retry_in(attempt, allowed) for attempt in range(1, 10)]
    assert waits == [5, 10, 20, 40, 80, 160, 320, 640, 900]


TAKEN = acknowledge(case(), "wang", NOW)
SOLVED = resolve(TAKEN, "wang", "quality", "solved", None, NOW)


@pytest.mark.parametrize(
    ("stands", "kind", "needed"),
    [
        (case(), "first", True),
        (TAKEN, "first", False),
        (TAKEN, "escalation", False),
        (TAKEN, "warning", True),
        (TAKEN, "breach", True),
        (SOLVED, "breach", False),
        (SOLVED, "first", False),
    ],
)
def test_an_alert_is_sent_only_while_somebody_needs_it(stands: Case, kind: str, needed: bool) -> None:
    assert (needless(stands, alert(kind)) is None) is needed


def test_a_receipt_is_noted_once() -> None:
    once = with_receipt(case(), "feishu", alert(), "delivered", None, NOW)
    assert with_receipt(once, "feishu", alert(), "not delivered", "late", NOW) is once
    other = with_receipt(once, "wecom", alert(), "delivered", None, NOW)
    assert [event.by for event in other.timeline if event.kind == "delivered"] == ["feishu", "wecom"]
