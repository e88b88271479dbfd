"""The command `winback`, on moto."""

import json
from pathlib import Path
from typing import Any

import pytest

from functions.domain.times import iso
from functions.runtime.clients import client
from functions.store import shops
from functions.store.errors import StaleWrite
from infra.cli import replay
from infra.cli.main import main
from tests.builders import NOW
from tests.cloud import Cloud

STAGE = ("--stage", "local")


@pytest.fixture
def credentials(tmp_path: Path) -> Path:
    path = tmp_path / "credentials.json"
    path.write_text('{"app_key": "1", "app_secret": "s3cret", "session": "6100"}')
    return path


def test_an_added_shop_can_be_polled(aws: Cloud, credentials: Path) -> None:
    assert main(["shop", "add", "tea", "--name", "茶", "--credentials", str(credentials), *STAGE]) == 0
    shop = shops.get("tea")
    assert shop is not None
    assert (shop.platform, shop.interval_s, shop.secret, shop.active) == (
        "taobao",
        20,
        "winback/local/tea",
        True,
    )
    kept = client("secretsmanager").get_secret_value(SecretId=shop.secret)["SecretString"]
    assert json.loads(kept)["session"] == "6100"


def test_a_shop_that_is_there_keeps_its_state_when_added_again(
    aws: Cloud, credentials: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["shop", "add", "tea", "--name", "茶", "--credentials", str(credentials), *STAGE]
    assert main(words) == 0
    shop = shops.get("tea")
    assert shop is not None
    shops.save_state(shop.model_copy(update={"cursor_at": NOW}))
    assert main(words) == 2
    assert "already there" in capsys.readouterr().err
    kept = shops.get("tea")
    assert kept is not None
    assert kept.cursor_at == NOW


def test_a_resumed_shop_is_polled_at_once_and_its_running_poll_saves_nothing(
    aws: Cloud, credentials: Path
) -> None:
    main(["shop", "add", "tea", "--name", "茶", "--credentials", str(credentials), *STAGE])
    before = shops.get("tea")
    assert before is not None
    paused = shops.save_state(
        before.model_copy(update={"paused_until": NOW, "pause_reason": "session_expired"})
    )
    assert main(["shop", "resume", "tea", "--credentials", str(credentials), *STAGE]) == 0
    after = shops.get("tea")
    assert after is not None
    assert (after.active, after.paused_until, after.pause_reason) == (True, None, None)
    with pytest.raises(StaleWrite):
        shops.save_state(paused)


def test_a_paused_shop_is_not_polled(aws: Cloud, credentials: Path) -> None:
    main(["shop", "add", "tea", "--name", "茶", "--credentials", str(credentials), *STAGE])
    assert main(["shop", "pause", "tea", *STAGE]) == 0
    watched, _ = shops.active()
    assert watched == []


@pytest.mark.parametrize(
    ("content", "said"),
    [("{", "is not JSON"), ("{}", "lacks app_key, app_secret, session"), ("[1]", "lacks")],
)
def test_wrong_credentials_are_answered_without_repeating_them(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], content: str, said: str
) -> None:
    path = tmp_path / "wrong.json"
    path.write_text(content)
    assert main(["shop", "add", "tea", "--name", "茶", "--credentials", str(path), *STAGE]) == 2
    assert said in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["shop", "pause", "nobody", *STAGE], "has no shop nobody"),
        (["replay", "--stage", "prod"], "is stage prod deployed"),
        (["simulate", "taobao", "--port", "0", "--reviews", "absent.csv"], "cannot be read"),
        (["demo", "--reviews", "absent.csv"], "cannot be read"),
    ],
)
def test_what_cannot_be_tried_is_said_with_its_mend(
    aws: Cloud, capsys: pytest.CaptureFixture[str], words: list[str], said: str
) -> None:
    assert main(words) == 2
    assert said in capsys.readouterr().err


def test_a_dead_letter_goes_back_to_its_queue(aws: Cloud) -> None:
    sqs = client("sqs")
    dead = sqs.get_queue_url(QueueName="winback-local-reviews-dlq")["QueueUrl"]
    for number in range(23):
        sqs.send_message(QueueUrl=dead, MessageBody=str(number))
    assert replay.move(sqs, "local", "reviews") == 23
    assert sorted(map(int, aws.queued("reviews"))) == list(range(23))
    assert aws.queued("reviews-dlq") == []


def test_a_letter_that_is_refused_stays_dead(aws: Cloud) -> None:
    sqs = client("sqs")
    dead = sqs.get_queue_url(QueueName="winback-local-reviews-dlq")["QueueUrl"]
    sqs.send_message(QueueUrl=dead, MessageBody="stays")

    class Refusing:
        def __getattr__(self, name: str) -> Any:
            return getattr(sqs, name)

        def send_message_batch(self, **_: Any) -> Any:
            return {"Failed": [{"Id": "0", "Message": "no"}]}

    with pytest.raises(Exception, match="refused 1 messages: no"):
        replay.move(Refusing(), "local", "reviews")
    attributes = sqs.get_queue_attributes(QueueUrl=dead, AttributeNames=["All"])["Attributes"]
    assert attributes["ApproximateNumberOfMessagesNotVisible"] == "1"


def test_only_cases_with_something_left_to_do_are_told_again(aws: Cloud) -> None:
    table = client("dynamodb")
    effect = {"M": {"kind": {"S": "alert"}, "at": {"S": iso(NOW)}}}
    for name, outbox in (("left", {"alert:0": effect}), ("held", {"alert:0": effect}), ("done", {})):
        item: Any = {"case_id": {"S": name}, "outbox": {"M": outbox}, "version": {"N": "1"}}
        pending: Any = {"pending": {"BOOL": True}} if name == "left" else {}
        table.put_item(TableName="winback-local-cases", Item=item | pending)
    dead = client("sqs").get_queue_url(QueueName="winback-local-case-events-dlq")["QueueUrl"]
    client("sqs").send_message(QueueUrl=dead, MessageBody="{}")

    assert replay.replay_cases(client("sqs"), table, "local") == 1
    touched = {item["case_id"]: item["version"] for item in aws.items("cases")}
    assert touched == {"left": 2, "held": 1, "done": 1}
    assert aws.queued("case-events-dlq") == []
