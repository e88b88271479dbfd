"""The alert sender on the template's tables and queue, against simulated robots, in simulated time."""

import json
from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any

import pytest
from botocore.client import BaseClient

from functions import alert_sender
from functions.domain.alerts import Alert
from functions.domain.cases import Case, acknowledge
from functions.domain.channels import KINDS, Kind
from functions.domain.explanations import milestones
from functions.runtime import credentials
from functions.runtime.clients import client
from functions.store import cases, channels
from functions.store.cases import open_case
from functions.store.errors import StaleWrite
from functions.store.items import attributes
from infra.local.simulators.robots import Robots
from tests.builders import NOW, SHOP, case
from tests.cloud import Cloud
from tests.crash import Died, dying_after, effects
from tests.events import CONTEXT, queue_event


class Time:
    """A clock, and the messages that the queue delays until their time has come."""

    def __init__(self) -> None:
        self.now = NOW
        self.delayed: list[tuple[datetime, str]] = []

    def clock(self) -> datetime:
        return self.now

    def send(self, _url: str, messages: list[Any]) -> None:
        self.delayed += [(self.now + timedelta(seconds=each.delay_s), each.body) for each in messages]

    def pass_until_quiet(self, within: timedelta = timedelta(hours=2)) -> None:
        """Deliver what the queue holds, in order, each at its time."""
        end = self.now + within
        while self.delayed:
            self.delayed.sort(key=lambda each: each[0])
            at, body = self.delayed.pop(0)
            assert at <= end, "the queue never gets empty"
            self.now = max(self.now, at)
            handle(body)


@pytest.fixture(autouse=True)
def time(monkeypatch: pytest.MonkeyPatch) -> Time:
    ours = Time()
    monkeypatch.setattr(alert_sender, "now", ours.clock)
    monkeypatch.setattr(alert_sender, "send", ours.send)
    return ours


@pytest.fixture
def robots(time: Time) -> Iterator[Robots]:
    with Robots(clock=time.clock) as running:
        yield running


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch) -> dict[str, int]:
    found: dict[str, int] = {}

    def count(name: str, value: int = 1) -> None:
        found[name] = found.get(name, 0) + value

    monkeypatch.setattr(alert_sender, "count", count)
    return found


def handle(*bodies: str) -> None:
    assert alert_sender.handler(queue_event(*bodies), CONTEXT) == {"batchItemFailures": []}


def channel(robots: Robots, kind: Kind, place: int = 1, *, every: bool = False) -> None:
    name = f"winback/local/channels/{SHOP}/{kind}"
    client("secretsmanager").create_secret(Name=name, SecretString=robots.channel_secret(kind))
    item = {"shop_id": SHOP, "channel": kind, "kind": kind, "place": place, "every": every, "secret": name}
    client("dynamodb").put_item(TableName="winback-local-channels", Item=attributes(item | {"version": 0}))


def opened(number: int = 1) -> Case:
    return open_case(case(review_id=f"r{number}", outbox={}), None)


def alert(of: Case, kind: str = "first") -> str:
    """An alert as the topic puts it into the queue."""
    return Alert(
        key=f"{of.case_id}:{kind}:0", case_id=of.case_id, shop_id=SHOP, grade=of.grade, kind=kind,
        roles=("agent",), due_at=of.due_at, sms=f"【Winback】{of.case_id}",
    ).model_dump_json()  # fmt: skip


def told(of: Case) -> list[tuple[str, str | None, str | None]]:
    found = cases.read(of.case_id)
    assert found is not None
    receipts = (event for key, event in found.events.items() if key.startswith("delivered:"))
    return [(event.kind, event.by, event.note) for event in sorted(receipts, key=lambda each: each.at)]


@pytest.mark.parametrize("kind", KINDS)
def test_an_alert_reaches_the_channel_and_leaves_its_receipt(aws: Cloud, robots: Robots, kind: Kind) -> None:
    channel(robots, kind)
    one = opened()
    handle(alert(one))
    assert [heard.text for heard in robots.heard[kind]] == [f"【Winback】{one.case_id}"]
    assert told(one) == [("delivered", kind, None)]
    after = cases.read(one.case_id)
    assert after is not None
    assert ("delivered", NOW) in [(each.step, each.at) for each in milestones(after)]


def test_a_shop_without_channels_has_the_topic_only(aws: Cloud) -> None:
    one = opened()
    assert effects(lambda: handle(alert(one))) == []


def test_an_alert_delivered_twice_is_sent_once(aws: Cloud, robots: Robots) -> None:
    channel(robots, "feishu")
    one = opened()
    handle(alert(one), alert(one))
    assert effects(lambda: handle(alert(one))) == []
    assert len(robots.heard["feishu"]) == 1


def test_dying_after_any_effect_and_coming_again_ends_the_same(
    aws: Cloud, robots: Robots, time: Time
) -> None:
    """Only a message that the process did not live to note is sent again, with the same text."""

    def world() -> Case:
        aws.empty()
        credentials.forget()
        robots.heard.clear()
        channel(robots, "feishu")
        channel(robots, "webhook", 2, every=True)
        return opened()

    def run(one: Case) -> None:
        handle(alert(one))
        time.pass_until_quiet()

    one = world()
    names = effects(lambda: run(one))
    expected = told(one)
    assert {each[:2] for each in expected} == {("delivered", "feishu"), ("delivered", "webhook")}
    assert names.count("dynamodb.PutItem") == 4, "a slot and a receipt each"
    for n in range(1, len(names) + 1):
        one = world()
        with dying_after(n), suppress(IndexError):
            run(one)
        handle(alert(one))
        time.pass_until_quiet()
        assert told(one) == expected, f"died after {names[n - 1]}"
        for kind in ("feishu", "webhook"):
            assert len({heard.text for heard in robots.heard[kind]}) == 1


def test_dying_between_the_answer_and_its_receipt_repeats_the_message(
    aws: Cloud, robots: Robots, monkeypatch: pytest.MonkeyPatch
) -> None:
    channel(robots, "webhook")
    one = opened()

    def die(*_: object) -> None:
        raise Died("before the receipt")

    with monkeypatch.context() as dying:
        dying.setattr(alert_sender, "_receipt", die)
        with pytest.raises(Died):
            handle(alert(one))
    handle(alert(one))
    keys = [heard.key for heard in robots.heard["webhook"]]
    assert keys == [f"{one.case_id}:first:0"] * 2, "the receiver can tell"
    assert told(one) == [("delivered", "webhook", None)]


@pytest.mark.parametrize("kind", ["wecom", "dingtalk"])
def test_a_burst_stays_within_the_robots_twenty_a_minute_and_all_arrive(
    aws: Cloud, robots: Robots, time: Time, kind: Kind
) -> None:
    channel(robots, kind)
    many = [opened(number) for number in range(25)]
    handle(*(alert(one) for one in many))
    time.pass_until_quiet()
    heard = robots.heard[kind]
    assert len(heard) == 25
    assert robots.refusals[kind] == [], "the robot never had to say no"
    assert all(
        late.at - early.at > timedelta(minutes=1) for early, late in zip(heard, heard[20:], strict=False)
    )
    assert heard[-1].at - NOW < timedelta(minutes=2)
    assert all(told(one)[0][:2] == ("delivered", kind) for one in many)


def test_a_robot_that_others_use_up_is_left_alone_and_gets_it_later(
    aws: Cloud, robots: Robots, time: Time
) -> None:
    channel(robots, "dingtalk")
    one = opened()
    robots.codes["dingtalk"] = 130101
    handle(alert(one))
    del robots.codes["dingtalk"]
    time.pass_until_quiet()
    assert len(robots.refusals["dingtalk"]) == 1, "asked once, then not for ten minutes"
    (heard,) = robots.heard["dingtalk"]
    assert heard.at >= NOW + timedelta(minutes=10)
    assert told(one) == [("delivered", "dingtalk", None)]


def test_an_alert_does_not_wait_behind_a_blocked_robot_where_there_is_another_channel(
    aws: Cloud, robots: Robots, time: Time
) -> None:
    channel(robots, "dingtalk", 1)
    channel(robots, "wecom", 2)
    robots.codes["dingtalk"] = 130101
    one = opened()
    handle(alert(one))
    time.pass_until_quiet()
    assert time.now - NOW < timedelta(seconds=30)
    assert {each[:2] for each in told(one)} == {("not delivered", "dingtalk"), ("delivered", "wecom")}


def test_what_fails_for_a_moment_is_tried_again(aws: Cloud, robots: Robots, time: Time) -> None:
    channel(robots, "feishu")
    robots.broken["feishu"] = 503
    one = opened()
    handle(alert(one))
    assert told(one) == [], "nothing is claimed before it is so"
    del robots.broken["feishu"]
    time.pass_until_quiet()
    assert told(one) == [("delivered", "feishu", None)]
    assert robots.heard["feishu"][0].at == NOW + timedelta(seconds=5)


def test_a_message_that_was_not_sent_is_not_called_sent_and_the_next_channel_has_it(
    aws: Cloud, robots: Robots, time: Time, counted: dict[str, int]
) -> None:
    """SMS services report SUCCESS for what nobody got (aws-sdk-js 3012, notification-api 96)."""
    channel(robots, "wecom", 1)
    channel(robots, "feishu", 2)
    robots.codes["wecom"] = 93000  # HTTP 200 all the same
    one = opened()
    handle(alert(one))
    time.pass_until_quiet()
    assert sorted(told(one), key=str) == [
        ("delivered", "feishu", None),
        ("not delivered", "wecom", "errcode 93000; feishu is next"),
    ]
    assert counted == {"ChannelFailures": 1, "AlertsDelivered": 1}


def test_a_channel_that_stays_silent_gives_way_within_half_a_minute(
    aws: Cloud, robots: Robots, time: Time
) -> None:
    channel(robots, "feishu", 1)
    channel(robots, "webhook", 2)
    robots.broken["feishu"] = 502
    one = opened()
    handle(alert(one))
    time.pass_until_quiet()
    assert {each[:2] for each in told(one)} == {("not delivered", "feishu"), ("delivered", "webhook")}
    assert robots.heard["webhook"][0].at - NOW <= timedelta(seconds=30)


def test_an_alert_that_no_channel_takes_is_noted_and_counted(
    aws: Cloud, robots: Robots, time: Time, counted: dict[str, int]
) -> None:
    channel(robots, "feishu", 1)
    channel(robots, "webhook", 2)
    robots.broken |= {"feishu": 500, "webhook": 500}
    one = opened()
    handle(alert(one))
    time.pass_until_quiet()
    assert {each[:2] for each in told(one)} == {("not delivered", "feishu"), ("not delivered", "webhook")}
    assert counted == {"ChannelFailures": 2, "UndeliveredAlerts": 1}
    assert time.now - NOW > timedelta(minutes=30), "the last channel is tried for long"


def test_an_alert_that_waited_is_not_sent_after_the_acknowledgement(
    aws: Cloud, robots: Robots, time: Time
) -> None:
    """Alerts still sent after somebody took the case (grafana oncall 4654)."""
    channel(robots, "feishu")
    robots.broken["feishu"] = 503
    one = opened()
    handle(alert(one))
    del robots.broken["feishu"]
    cases.change(one.case_id, lambda each: acknowledge(each, "wang", time.now))
    time.pass_until_quiet()
    assert robots.heard["feishu"] == []
    assert told(one) == [("not needed", "feishu", "somebody is at work on it")]


def test_a_channel_without_its_secret_gives_way(aws: Cloud, robots: Robots, time: Time) -> None:
    channel(robots, "feishu", 1)
    channel(robots, "wecom", 2)
    client("secretsmanager").delete_secret(
        SecretId=f"winback/local/channels/{SHOP}/feishu", ForceDeleteWithoutRecovery=True
    )
    one = opened()
    handle(alert(one))
    time.pass_until_quiet()
    assert ("delivered", "wecom", None) in told(one)


def test_a_deployed_stage_posts_to_no_address_inside_a_network(
    aws: Cloud, robots: Robots, time: Time, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WINBACK_STAGE", "prod")
    channel(robots, "webhook")
    one = opened()
    handle(alert(one))
    assert robots.heard["webhook"] == []
    ((kind, _, note),) = told(one)
    assert (kind, note) == ("not delivered", "the address is not allowed: it is not https")


def test_a_channel_removed_meanwhile_ends_the_matter(aws: Cloud, robots: Robots, time: Time) -> None:
    channel(robots, "feishu")
    robots.broken["feishu"] = 503
    one = opened()
    handle(alert(one))
    client("dynamodb").delete_item(
        TableName="winback-local-channels", Key=attributes({"shop_id": SHOP, "channel": "feishu"})
    )
    time.pass_until_quiet()
    assert told(one) == []


def test_two_senders_at_once_book_different_slots(
    aws: Cloud, robots: Robots, time: Time, monkeypatch: pytest.MonkeyPatch
) -> None:
    channel(robots, "feishu")
    one, other = opened(1), opened(2)
    original, met = BaseClient._make_api_call, list[str]()  # type: ignore[attr-defined]

    def meeting(self: Any, operation: str, parameters: Any) -> Any:
        if operation == "PutItem" and parameters["TableName"].endswith("channels") and not met:
            met.append(operation)
            handle(alert(other))
        return original(self, operation, parameters)

    monkeypatch.setattr(BaseClient, "_make_api_call", meeting)
    handle(alert(one))
    (stored,) = aws.items("channels")
    assert len(stored["sent"]) == 2
    assert len(robots.heard["feishu"]) == 2


def test_in_a_crowd_an_alert_comes_again_soon_instead_of_failing(
    aws: Cloud, robots: Robots, time: Time, monkeypatch: pytest.MonkeyPatch
) -> None:
    channel(robots, "feishu")
    one = opened()

    def beaten(_: object) -> None:
        raise StaleWrite("channel")

    with monkeypatch.context() as crowd:
        crowd.setattr(channels, "save", beaten)
        handle(alert(one))
    assert [at - NOW for at, _ in time.delayed] == [timedelta(seconds=2)]
    time.pass_until_quiet()
    assert told(one) == [("delivered", "feishu", None)]


def test_nothing_logged_names_an_address_a_key_or_a_text(
    aws: Cloud, robots: Robots, time: Time, caplog: pytest.LogCaptureFixture
) -> None:
    channel(robots, "dingtalk", 1)
    channel(robots, "wecom", 2)
    robots.codes |= {"dingtalk": 310000, "wecom": 93000}
    handle(alert(opened()))
    time.pass_until_quiet()
    said = " ".join(str(vars(record)) for record in caplog.records)
    assert "310000" in said
    for secret in ("robot-1", "bot-secret", "127.0.0.1", "【Winback】"):
        assert secret not in said


def test_the_notice_that_goes_back_to_the_queue_is_read_again() -> None:
    notice = alert_sender._notice(alert(case()))
    assert alert_sender._notice(notice.model_dump_json()) == notice
    assert json.loads(alert(case()))["key"] == notice.alert.key
