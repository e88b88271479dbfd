"""The poller between the template's table and queues and a simulated Taobao."""

import json
import logging
from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from typing import Any

import boto3
import pytest

from functions import review_poller
from functions.domain.polling import Shop
from functions.domain.reviews import Review
from functions.domain.times import iso
from functions.runtime import clock as real_clock
from functions.runtime import credentials, queues
from functions.runtime.clients import client
from functions.runtime.queues import Undelivered
from functions.runtime.settings import setting
from functions.store import shops
from functions.store.items import attributes
from infra.local.simulators.faults import Fault
from infra.local.simulators.taobao import TaobaoSimulator
from tests.clocks import NOON, Clock
from tests.cloud import Cloud
from tests.crash import dying_after, effects
from tests.events import CONTEXT, queue_event
from tests.hooks import hooked, sqs_refusing

SECOND, MINUTE, HOUR = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1)
SECRET = "winback/local/s1"


class World:
    """One shop, its Taobao and the cloud, at one moment."""

    def __init__(self, aws: Cloud, clock: Clock, taobao: TaobaoSimulator) -> None:
        self.aws, self.clock, self.taobao = aws, clock, taobao
        self.messages: list[Review] = []
        self._taken = 0

    @property
    def now(self) -> datetime:
        return self.clock.now()

    @property
    def shop(self) -> Shop:
        shop = shops.get("s1")
        assert shop
        return shop

    def configure(self, **changes: Any) -> None:
        credentials.forget()
        item = {"shop_id": "s1", "platform": "taobao", "active": True, "secret": SECRET, "interval_s": 20}
        item |= {"api_url": self.taobao.url, "cursor_at": iso(NOON - MINUTE)} | changes
        client("dynamodb").put_item(TableName=setting("WINBACK_SHOPS_TABLE"), Item=attributes(item))
        boto3.client("secretsmanager").create_secret(Name=SECRET, SecretString=self.taobao.secret)

    def publish(self, *oids: int, **fields: Any) -> None:
        for oid in oids:
            self.taobao.publish({"oid": oid, "created": self.now, "result": "bad"} | fields)

    def deliver(self, due_at: datetime | None = None) -> None:
        poll = {"shop_id": "s1", "due_at": iso(due_at or self.now)}
        review_poller.handler(queue_event(json.dumps(poll)), CONTEXT)

    def poll(self) -> list[str]:
        """Poll now; return the ids of the reviews that were queued."""
        self.deliver()
        return self.take()

    def note(self, params: dict[str, Any], **_: object) -> None:
        """Keep what SQS is given: emptying a queue of moto's takes minutes when it is long."""
        self.messages += [Review.model_validate_json(entry["MessageBody"]) for entry in params["Entries"]]

    def note_instead(self, _url: str, messages: Iterable[queues.Message]) -> None:
        """Stand in for the queue where a test is about many reviews."""
        self.messages += [Review.model_validate_json(message.body) for message in messages]

    def take(self) -> list[str]:
        """Return the ids of the reviews that were queued since the last take."""
        taken, self._taken = self.messages[self._taken :], len(self.messages)
        return sorted((review.review_id for review in taken), key=int)

    def polls(self, times: int, every: timedelta = 20 * SECOND) -> list[str]:
        """Poll so often, moving the clock on after each; return the ids that were queued."""
        found: list[str] = []
        for _ in range(times):
            found += self.poll()
            self.clock.sleep(every.total_seconds())
        return found

    def calls(self) -> int:
        return self.taobao.counts.total()


@pytest.fixture
def world(aws: Cloud, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    clock = Clock()
    monkeypatch.setattr(real_clock, "now", clock.now)
    with TaobaoSimulator(clock=clock.now, sleep=clock.sleep) as taobao:
        world = World(aws, clock, taobao)
        world.configure()
        with hooked("sqs", "before-parameter-build.sqs.SendMessageBatch", world.note):
            yield world


def test_new_reviews_are_queued_once_and_the_cursor_follows(world: World, aws: Cloud) -> None:
    world.publish(1, 2)
    assert world.poll() == ["1", "2"]
    assert aws.queued("reviews") == [review.model_dump_json() for review in world.messages]
    assert (world.shop.cursor_at, world.shop.polled_at, world.shop.last_review_at) == (NOON, NOON, NOON)
    world.clock.sleep(20)
    world.publish(3)
    assert world.poll() == ["3"]
    assert [review.first_seen_at for review in world.messages] == [NOON, NOON, NOON + 20 * SECOND]


def test_an_edit_is_queued_as_a_new_version(world: World) -> None:
    world.publish(1, content="好")
    world.poll()
    world.clock.sleep(20)
    world.publish(1, content="用了两天就坏，差评", created=NOON)
    assert world.poll() == ["1"]
    first, second = world.messages
    assert first.key == second.key
    assert first.version != second.version


def test_nothing_new_sends_nothing(world: World) -> None:
    world.publish(1)
    world.poll()
    world.clock.sleep(20)
    assert effects(world.deliver) == ["dynamodb.UpdateItem"]


def test_an_event_delivered_twice_polls_once(world: World) -> None:
    world.publish(1)
    world.deliver(due_at=NOON)
    calls = world.calls()
    world.clock.sleep(5)
    assert effects(lambda: world.deliver(due_at=NOON)) == []
    assert (world.calls(), world.take()) == (calls, ["1"])


@pytest.mark.parametrize(
    "changes",
    [
        {"active": False},
        {"paused_until": iso(NOON + SECOND), "pause_reason": "rate_limited"},
        {"polled_at": iso(NOON)},
        {"shop_id": "another"},
    ],
)
def test_a_shop_that_is_not_to_be_polled_is_left_alone(
    aws: Cloud, world: World, changes: dict[str, Any]
) -> None:
    aws.empty()
    world.configure(**changes)
    assert effects(world.deliver) == []
    assert world.calls() == 0


# Backlog, many rows, late rows


def test_a_backlog_is_read_in_slices_and_nothing_twice(world: World, aws: Cloud) -> None:
    aws.empty()
    world.configure(cursor_at=iso(NOON - 3 * HOUR))
    for minute in range(180):
        world.publish(minute + 1, created=NOON - minute * MINUTE)
    assert world.poll() == [str(n) for n in range(1, 181)]
    assert (world.shop.cursor_at, world.calls()) == (NOON, 6)


def test_a_long_backlog_is_left_to_several_polls(world: World, aws: Cloud) -> None:
    aws.empty()
    world.configure(cursor_at=iso(NOON - 24 * HOUR))
    world.publish(1)
    assert (world.poll(), world.shop.polled_at) == ([], None)
    assert world.poll() == []
    assert (world.poll(), world.shop.polled_at) == (["1"], NOON)


def test_more_rows_than_a_query_yields_are_all_queued_once(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queues, "send", world.note_instead)
    for oid in range(1, 1801):
        world.publish(oid, created=NOON - oid % 30 * SECOND)
    assert world.poll() == [str(oid) for oid in range(1, 1801)]
    world.clock.sleep(20)
    assert world.poll() == []


def test_a_row_later_than_the_overlap_is_found_by_a_sweep(world: World) -> None:
    world.publish(1)
    world.polls(1)
    world.publish(2, created=NOON + SECOND, visible_at=NOON + 10 * MINUTE)
    assert world.polls(60, every=MINUTE).count("2") == 1


def test_sweeps_queue_nothing_that_the_polls_saw(world: World) -> None:
    for n in range(1, 13):
        world.publish(n)
        world.polls(1, every=10 * MINUTE)
    world.polls(12)
    assert Counter(review.review_id for review in world.messages) == {str(n): 1 for n in range(1, 13)}


# Faults: once they clear, nothing is lost and nothing doubled

FAULTS = {
    "rate limit": Fault(kind="rate_limit", ban_s=45, after_calls=2, calls=1),
    "rate limit on a later page": Fault(kind="rate_limit", ban_s=30, after_calls=4, calls=1),
    "session expired": Fault(kind="session_expired", from_s=30, for_s=70),
    "http 500": Fault(kind="http_500", from_s=30, for_s=70),
    "malformed": Fault(kind="malformed_json", every=3),
    "isp": Fault(kind="isp_error", every=2),
    "slow": Fault(kind="slow", seconds=5, every=4),
    "duplicate rows": Fault(kind="duplicate_rows"),
    "late rows": Fault(kind="late_rows", seconds=70, from_s=20, for_s=100),
}


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS.keys())
def test_once_a_fault_clears_nothing_is_lost_and_nothing_doubled(
    world: World, monkeypatch: pytest.MonkeyPatch, fault: Fault
) -> None:
    monkeypatch.setattr(queues, "send", world.note_instead)
    world.taobao.faults = (fault,)
    for poll in range(12):
        world.publish(*range(40 * poll + 1, 40 * poll + 41))
        world.polls(1)
    world.taobao.faults = ()
    world.polls(12)
    queued = Counter(int(review.review_id) for review in world.messages)
    assert queued == dict.fromkeys(range(1, 481), 1)
    assert world.shop.pause_reason is None


def test_a_ban_is_respected_for_as_long_as_it_lasts(world: World) -> None:
    world.taobao.faults = (Fault(kind="rate_limit", ban_s=45, calls=1),)
    world.publish(1)
    assert world.poll() == []
    assert (world.shop.paused_until, world.shop.pause_reason) == (NOON + 46 * SECOND, "rate_limited")
    world.clock.sleep(20)
    assert world.polls(2) == []
    assert (world.calls(), world.shop.cursor_at) == (1, NOON - MINUTE)
    assert world.poll() == ["1"]
    assert world.shop.paused_until is None


def test_a_session_that_expired_pauses_the_shop_for_a_minute_at_a_time(world: World) -> None:
    world.taobao.session = "another"
    world.publish(1)
    assert world.poll() == []
    assert (world.shop.paused_until, world.shop.pause_reason) == (NOON + MINUTE, "session_expired")
    boto3.client("secretsmanager").put_secret_value(SecretId=SECRET, SecretString=world.taobao.secret)
    assert world.polls(4) == ["1"]


def test_a_renewed_session_is_used_at_once(world: World) -> None:
    world.poll()
    world.taobao.session = "renewed"
    boto3.client("secretsmanager").put_secret_value(SecretId=SECRET, SecretString=world.taobao.secret)
    world.clock.sleep(20)
    world.publish(1)
    assert world.poll() == ["1"]
    assert world.shop.pause_reason is None


def test_the_secret_is_not_read_for_every_poll(world: World) -> None:
    reads: list[str] = []
    with hooked(
        "secretsmanager", "before-call.secretsmanager.GetSecretValue", lambda **_: reads.append("read")
    ):
        world.polls(15)
        assert len(reads) == 1
        world.polls(1)
        assert len(reads) == 2


@pytest.mark.parametrize(
    ("changes", "mend"),
    [
        ({"secret": "winback/local/none"}, "Secrets Manager has no secret named winback/local/none"),
        ({"platform": "nowhere"}, "no connector for platform 'nowhere'"),
    ],
)
def test_a_mistake_in_the_configuration_pauses_the_shop_and_names_the_mend(
    world: World, aws: Cloud, changes: dict[str, Any], mend: str
) -> None:
    aws.empty()
    world.configure(**changes)
    lines = logged(world.deliver)
    assert mend in lines
    assert (world.shop.paused_until, world.shop.pause_reason) == (NOON + 5 * MINUTE, "configuration")


def test_temporary_failures_back_off_and_are_counted(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    world.taobao.faults = (Fault(kind="http_500"),)
    world.polls(30)
    assert world.shop.failures == world.calls() < 12
    assert capsys.readouterr().out.count('"PollFailures":[1.0]') == world.calls()
    assert world.shop.polled_at is None


# Dying and coming again


def test_dying_after_any_effect_and_a_retry_ends_the_same(world: World, aws: Cloud) -> None:
    def begin() -> None:
        aws.empty()
        world.configure(cursor_at=iso(NOON - HOUR))
        world.messages.clear()

    def end() -> tuple[set[tuple[str, str]], Shop]:
        return {(review.key, review.version) for review in world.messages}, world.shop

    for n in range(25):
        world.publish(n + 1, created=NOON - n * 2 * MINUTE)
    begin()
    names = effects(world.deliver)
    expected = end()
    assert names == [
        *["sqs.SendMessageBatch", "dynamodb.UpdateItem"],
        *["sqs.SendMessageBatch"] * 2,
        "dynamodb.UpdateItem",
    ]
    assert len(expected[0]) == 25
    for n in range(1, len(names) + 1):
        begin()
        with dying_after(n):
            world.deliver()
        world.deliver()
        assert end() == expected, f"after {n} {names[n - 1]}"


def test_dying_after_any_effect_of_a_sweep_and_a_retry_ends_the_same(world: World, aws: Cloud) -> None:
    def begin() -> None:
        aws.empty()
        world.configure(cursor_at=iso(NOON - 20 * SECOND), swept_at=iso(NOON - 31 * MINUTE))
        world.messages.clear()

    def end() -> tuple[set[tuple[str, str]], Shop]:
        world.clock.sleep(20)
        world.polls(8)
        world.clock.sleep(-180)
        return {(review.key, review.version) for review in world.messages}, world.shop

    world.publish(1)
    world.publish(2, created=NOON - 23 * HOUR)
    begin()
    names = effects(world.deliver)
    expected = end()
    assert len(expected[0]) == 2
    assert names == ["sqs.SendMessageBatch", "dynamodb.UpdateItem"] * 2
    for n in range(1, len(names) + 1):
        begin()
        with dying_after(n):
            world.deliver()
        world.deliver()
        queued, shop = end()
        assert queued == expected[0]
        assert (shop.cursor_at, shop.digests) == (expected[1].cursor_at, expected[1].digests)


def test_reviews_that_sqs_refuses_keep_the_cursor_where_it_was(world: World) -> None:
    world.publish(1)
    with sqs_refusing(), pytest.raises(Undelivered):
        world.deliver()
    assert world.shop.cursor_at == NOON - MINUTE


def test_a_poll_that_was_overtaken_by_another_changes_nothing(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.publish(1)
    read = review_poller.read

    def overtaken(*args: Any) -> list[Review]:
        monkeypatch.setattr(review_poller, "read", read)
        world.clock.sleep(10)
        world.deliver()
        return read(*args)

    monkeypatch.setattr(review_poller, "read", overtaken)
    world.deliver(due_at=NOON)
    assert world.shop.cursor_at == NOON + 10 * SECOND
    assert set(world.take()) == {"1"}
    assert world.polls(3) == []


# Logs


def logged(run: Any) -> str:
    lines: list[str] = []

    class Listening(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            lines.append(json.dumps(vars(record), default=str, ensure_ascii=False))

    listening = Listening()
    logging.getLogger("winback").addHandler(listening)
    try:
        run()
    finally:
        logging.getLogger("winback").removeHandler(listening)
    return "\n".join(lines)


@pytest.mark.parametrize("kind", ["session_expired", "malformed_json", "http_500", None])
def test_logs_hold_no_review_text_and_no_credentials(world: World, kind: Any) -> None:
    world.publish(1, content="质量差，退货", nick="t**t", ouid="AAF1")
    world.taobao.faults = (Fault(kind=kind),) if kind else ()
    lines = logged(world.deliver)
    assert "s1" in lines
    for private in ("质量差", "AAF1", *json.loads(world.taobao.secret).values()):
        assert private not in lines
