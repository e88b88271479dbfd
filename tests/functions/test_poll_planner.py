"""The planner on the template's table and queue: which polls a minute gets."""

import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from functions import poll_planner
from functions.domain.times import iso
from functions.runtime import clock
from functions.runtime.clients import client
from functions.runtime.queues import Undelivered
from functions.runtime.settings import setting
from functions.store.items import attributes
from tests.clocks import NOON
from tests.cloud import Cloud
from tests.events import CONTEXT
from tests.hooks import hooked, sqs_refusing

SECOND = timedelta(seconds=1)
EVENT = {"time": "2026-01-05T04:00:00Z", "source": "aws.events", "detail-type": "Scheduled Event"}

Sent = list[tuple[str, str, int]]


@pytest.fixture(autouse=True)
def _clock(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clock, "now", lambda: NOON)


@pytest.fixture
def sent(aws: Cloud) -> Iterator[Sent]:
    """(shop, due at, delay in seconds) of every message that SQS was given."""
    messages: Sent = []

    def note(params: dict[str, Any], **_: object) -> None:
        assert len(params["Entries"]) <= 10
        for entry in params["Entries"]:
            body = json.loads(entry["MessageBody"])
            messages.append((body["shop_id"], body["due_at"], entry["DelaySeconds"]))

    with hooked("sqs", "before-parameter-build.sqs.SendMessageBatch", note):
        yield messages


def configure(shop_id: str = "s1", **changes: Any) -> None:
    item = {"shop_id": shop_id, "platform": "taobao", "active": True, "secret": "x", "polled_at": iso(NOON)}
    client("dynamodb").put_item(
        TableName=setting("WINBACK_SHOPS_TABLE"), Item=attributes(item | {"interval_s": 20} | changes)
    )


def run() -> None:
    poll_planner.handler(EVENT, CONTEXT)


def silent(capsys: pytest.CaptureFixture[str]) -> int:
    [line] = [line for line in capsys.readouterr().out.splitlines() if "SilentShops" in line]
    [value] = json.loads(line)["SilentShops"]
    return int(value)


def test_each_active_shop_gets_its_polls_of_the_minute(sent: Sent) -> None:
    configure("s1")
    configure("s2", interval_s=30)
    configure("s3", active=False)
    run()
    assert sorted(sent) == [
        ("s1", iso(NOON), 0),
        ("s1", iso(NOON + 20 * SECOND), 20),
        ("s1", iso(NOON + 40 * SECOND), 40),
        ("s2", iso(NOON), 0),
        ("s2", iso(NOON + 30 * SECOND), 30),
    ]


def test_a_planner_that_starts_late_shortens_the_delays(sent: Sent, monkeypatch: pytest.MonkeyPatch) -> None:
    configure()
    monkeypatch.setattr(clock, "now", lambda: NOON + 25 * SECOND)
    run()
    assert [delay for _, _, delay in sent] == [0, 0, 15]


def test_the_same_event_twice_plans_polls_for_the_same_times(sent: Sent) -> None:
    configure()
    run()
    run()
    assert sent[:3] == sent[3:]


def test_many_shops_take_several_batches(sent: Sent, aws: Cloud) -> None:
    for number in range(25):
        configure(f"s{number}", interval_s=60)
    run()
    assert len(sent) == len(aws.queued("polls")) == 25


def test_a_message_that_sqs_refuses_fails_the_run(aws: Cloud) -> None:
    configure()
    with sqs_refusing(), pytest.raises(Undelivered, match="refused 1 messages: InternalError"):
        run()


def test_silence_is_reported_every_minute_zero_included(
    aws: Cloud, capsys: pytest.CaptureFixture[str]
) -> None:
    configure()
    run()
    assert silent(capsys) == 0


def test_silent_shops_are_counted_whatever_makes_them_silent(
    aws: Cloud, capsys: pytest.CaptureFixture[str]
) -> None:
    configure("fine")
    configure("off", active=False, polled_at=iso(NOON - 600 * SECOND))
    configure("unpolled", polled_at=iso(NOON - 301 * SECOND))
    configure("quiet", silent_after_s=60, last_review_at=iso(NOON - 61 * SECOND))
    configure("expired", paused_until=iso(NOON + SECOND), pause_reason="session_expired")
    configure("mistaken", interval_s=0)
    run()
    assert silent(capsys) == 4
