"""Each channel against its simulated robot, which checks what the real one checks."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from functions.channels import CHANNELS, Address, Overloaded, Refused, Unavailable, unsafe
from functions.domain.alerts import Alert
from functions.domain.channels import KINDS, Kind
from infra.local.simulators.robots import Robots

NOW = datetime(2026, 3, 2, 8, tzinfo=UTC)
ALERT = Alert(
    key="WB-ABCDEFGHIJKL:first:0",
    case_id="WB-ABCDEFGHIJKL",
    shop_id="shop-1",
    grade="quality",
    kind="first",
    roles=("agent",),
    due_at=NOW,
    sms="【Winback】质量·1星：保温杯 https://example.com/p/token",
)


@pytest.fixture
def robots() -> Iterator[Robots]:
    with Robots(clock=lambda: NOW) as running:
        yield running


def send(robots: Robots, kind: Kind, at: datetime = NOW) -> None:
    CHANNELS[kind](Address.of(robots.channel_secret(kind)), ALERT, at)


@pytest.mark.parametrize("kind", KINDS)
def test_the_robot_takes_what_we_send(robots: Robots, kind: Kind) -> None:
    send(robots, kind)
    assert [heard.text for heard in robots.heard[kind]] == [ALERT.sms]


def test_a_webhook_can_tell_repetitions_by_their_id(robots: Robots) -> None:
    send(robots, "webhook")
    send(robots, "webhook", NOW + timedelta(seconds=40))
    assert [heard.key for heard in robots.heard["webhook"]] == [ALERT.key, ALERT.key]


@pytest.mark.parametrize("kind", ["feishu", "dingtalk", "webhook"])
def test_a_wrong_key_is_refused_for_good(robots: Robots, kind: Kind) -> None:
    address = Address.of(robots.channel_secret(kind))
    robots.secret = "another"
    with pytest.raises(Refused):
        CHANNELS[kind](address, ALERT, NOW)


@pytest.mark.parametrize("kind", ["feishu", "dingtalk", "webhook"])
def test_an_old_signature_is_worth_nothing(robots: Robots, kind: Kind) -> None:
    with pytest.raises(Refused):
        send(robots, kind, NOW - timedelta(hours=2))


def test_a_robot_that_is_gone_refuses_for_good(robots: Robots) -> None:
    for kind, url in (("wecom", "?key=other"), ("dingtalk", "?access_token=other")):
        address = Address(robots.url(kind).partition("?")[0] + url, "bot-secret")
        with pytest.raises(Refused):
            CHANNELS[kind](address, ALERT, NOW)  # type: ignore[index]


@pytest.mark.parametrize("kind", ["wecom", "dingtalk"])
def test_the_twenty_first_message_of_a_minute_is_too_much(robots: Robots, kind: Kind) -> None:
    for _ in range(20):
        send(robots, kind)
    with pytest.raises(Overloaded):
        send(robots, kind)


@pytest.mark.parametrize(
    ("kind", "code"), [("feishu", 11232), ("wecom", 45009), ("dingtalk", 130101), ("feishu", 99991400)]
)
def test_too_many_is_told_from_wrong(robots: Robots, kind: Kind, code: int) -> None:
    robots.codes[kind] = code
    with pytest.raises(Overloaded, match=str(code)):
        send(robots, kind)


@pytest.mark.parametrize(("kind", "code"), [("feishu", 19024), ("wecom", 93000), ("dingtalk", 310000)])
def test_what_a_person_must_mend_is_told_from_what_passes(robots: Robots, kind: Kind, code: int) -> None:
    robots.codes[kind] = code
    with pytest.raises(Refused, match=str(code)):
        send(robots, kind)


@pytest.mark.parametrize("kind", KINDS)
def test_a_fault_of_theirs_passes(robots: Robots, kind: Kind) -> None:
    robots.broken[kind] = 502
    with pytest.raises(Unavailable, match="HTTP 502"):
        send(robots, kind)
    robots.broken[kind] = 429
    with pytest.raises(Overloaded):
        send(robots, kind)


@pytest.mark.parametrize("kind", KINDS)
def test_what_went_wrong_never_names_the_address(kind: Kind) -> None:
    with pytest.raises(Unavailable) as failed:
        CHANNELS[kind](Address("http://127.0.0.1:9/hook?key=hunter2", "c2VjcmV0"), ALERT, NOW)
    assert "hunter2" not in str(failed.value)
    assert "127.0.0.1" not in str(failed.value)
    assert failed.value.__cause__ is None


@pytest.mark.parametrize("secret", ["", "[]", "{}", '"text"', "hunter2"])
def test_a_secret_that_holds_no_address_is_refused_unquoted(secret: str) -> None:
    with pytest.raises(Refused) as refused:
        Address.of(secret)
    assert "hunter2" not in str(refused.value)


@pytest.mark.parametrize(
    ("kind", "url", "allowed"),
    [
        ("feishu", "https://open.feishu.cn/open-apis/bot/v2/hook/x", True),
        ("feishu", "https://open.larksuite.com/open-apis/bot/v2/hook/x", True),
        ("feishu", "https://open.feishu.cn.evil.com/hook/x", False),
        ("wecom", "https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key=x", True),
        ("dingtalk", "http://oapi.dingtalk.com/robot/send?access_token=x", False),
        ("webhook", "https://desk.example.com/alerts", True),
        ("webhook", "http://desk.example.com/alerts", False),
        ("webhook", "https://169.254.169.254/latest/meta-data", False),
        ("webhook", "https://[::1]/", False),
        ("webhook", "https://localhost/", False),
        ("webhook", "https://db.internal/", False),
        ("webhook", "https://desk.example.com:8443/", False),
        ("webhook", "https://user@desk.example.com/", False),
        ("webhook", "https://desk.example.com:x/", False),
        ("webhook", "file:///etc/passwd", False),
    ],
)
def test_we_post_to_public_names_over_tls_only(kind: Kind, url: str, allowed: bool) -> None:
    assert (unsafe(kind, url) is None) is allowed
