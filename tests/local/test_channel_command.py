"""winback shop channel: what it writes where, and what it refuses."""

import json
from pathlib import Path

import pytest
from botocore.exceptions import ClientError

from functions.runtime.clients import client
from functions.store import channels
from infra.cli.main import main
from tests.builders import SHOP
from tests.cloud import Cloud

ROBOT = "https://open.feishu.cn/open-apis/bot/v2/hook/hunter2"


def run(*words: str, stage: str = "local") -> int:
    return main(["shop", "channel", *words, "--stage", stage])


def held(name: str) -> dict[str, str]:
    answer = client("secretsmanager").get_secret_value(SecretId=f"winback/local/channels/{SHOP}/{name}")
    found: dict[str, str] = json.loads(answer["SecretString"])
    return found


def test_a_robot_is_added_with_its_address_in_the_secret_only(aws: Cloud, tmp_path: Path) -> None:
    key = tmp_path / "key"
    key.write_text("bot-secret\n")
    assert run("add", SHOP, "--kind", "feishu", "--url", ROBOT, "--key-file", str(key)) == 0
    assert held("feishu") == {"url": ROBOT, "key": "bot-secret"}
    assert "hunter2" not in json.dumps(aws.items("channels"), default=str)
    (one,) = channels.of_shop(SHOP)
    assert (one.channel, one.kind, one.place, one.every) == ("feishu", "feishu", 1, False)


def test_channels_are_tried_in_the_order_in_which_they_were_added(aws: Cloud) -> None:
    for name in ("second", "first"):
        assert run("add", SHOP, "--kind", "feishu", "--name", name, "--url", ROBOT) == 0
    assert [each.channel for each in channels.of_shop(SHOP)] == ["second", "first"]


def test_a_channel_added_again_gets_the_new_address_and_keeps_its_place(aws: Cloud) -> None:
    for url in (ROBOT, f"{ROBOT}2"):
        assert run("add", SHOP, "--kind", "feishu", "--url", url) == 0
    assert held("feishu")["url"] == f"{ROBOT}2"
    assert len(channels.of_shop(SHOP)) == 1


def test_a_webhook_without_a_key_gets_one_that_is_shown_once(
    aws: Cloud, capsys: pytest.CaptureFixture[str]
) -> None:
    url = "https://desk.example.com/alerts"
    assert run("add", SHOP, "--kind", "webhook", "--url", url, "--every") == 0
    assert held("webhook")["key"] in capsys.readouterr().out
    assert run("list", SHOP) == 0
    assert held("webhook")["key"] not in capsys.readouterr().out
    assert channels.of_shop(SHOP)[0].every


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (("--kind", "feishu", "--url", "https://evil.example.com/"), "a feishu robot lives at"),
        (("--kind", "webhook", "--url", "http://desk.example.com/"), "not https"),
        (("--kind", "feishu", "--url", ROBOT, "--name", "../x"), "no channel name"),
        (("--kind", "feishu", "--url", ROBOT, "--key-file", "/nowhere"), "cannot be read"),
    ],
)
def test_what_cannot_be_is_refused_with_the_reason(
    aws: Cloud, capsys: pytest.CaptureFixture[str], words: tuple[str, ...], why: str
) -> None:
    assert run("add", SHOP, *words, stage="dev") == 2
    assert why in capsys.readouterr().err


def test_a_removed_channel_and_its_secret_are_gone(aws: Cloud, capsys: pytest.CaptureFixture[str]) -> None:
    run("add", SHOP, "--kind", "feishu", "--url", ROBOT)
    assert run("remove", SHOP, "feishu") == 0
    assert channels.of_shop(SHOP) == []
    with pytest.raises(ClientError, match="deleted"):
        held("feishu")
    assert run("remove", SHOP, "feishu") == 2
    assert "has no channel feishu" in capsys.readouterr().err
    assert run("add", SHOP, "--kind", "feishu", "--url", ROBOT) == 0, "its name is free again"
