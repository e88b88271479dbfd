"""The rulebook in force: fetched now and then, never waited for, never missed."""

import io
import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from botocore.exceptions import EndpointConnectionError
from botocore.response import StreamingBody
from botocore.stub import Stubber

from functions.rulebook import SHIPPED, Rulebook, load
from functions.rulebook.files import files_of, packed
from functions.runtime.clients import client
from functions.runtime.observability import metrics
from functions.store import rulebooks


@pytest.fixture
def appconfig(aws, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stubber]:
    """AppConfig as it would answer; anything that is not expected is refused."""
    monkeypatch.setenv("WINBACK_RULEBOOK", "app/env/rules")
    monkeypatch.setenv("WINBACK_RULEBOOK_EVERY_S", "60")
    rulebooks.forget()
    with Stubber(client("appconfigdata")) as stubber:
        yield stubber
    metrics.clear_metrics()
    rulebooks.forget()


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The time, to be set."""
    now = [1000.0]
    monkeypatch.setattr("functions.store.rulebooks.time.time", lambda: now[0])
    return now


@pytest.fixture
def changed(tmp_path: Path) -> dict[str, str]:
    """Rules with another coupon."""
    files = dict(files_of(SHIPPED))
    files["remedies.toml"] = files["remedies.toml"].replace('coupon = "5.00"', 'coupon = "6.00"')
    return files


def expect_session(appconfig: Stubber) -> None:
    appconfig.add_response(
        "start_configuration_session",
        {"InitialConfigurationToken": "t0"},
        {
            "ApplicationIdentifier": "app",
            "EnvironmentIdentifier": "env",
            "ConfigurationProfileIdentifier": "rules",
            "RequiredMinimumPollIntervalInSeconds": 60,
        },
    )


def expect_answer(appconfig: Stubber, document: str, token: str, next_token: str, wanted: int = 60) -> None:
    body = document.encode()
    appconfig.add_response(
        "get_latest_configuration",
        {
            "Configuration": StreamingBody(io.BytesIO(body), len(body)),
            "NextPollConfigurationToken": next_token,
            "NextPollIntervalInSeconds": wanted,
        },
        {"ConfigurationToken": token},
    )


def unusable() -> int:
    counted = metrics.metric_set.get("RulebookUnusable", {}).get("Value", [])
    return int(sum(counted))


def coupon(rules: Rulebook) -> object:
    return rules.ask.remedies(suspected_malicious=False, order_value=5000).then["coupon"]


def test_without_a_configuration_the_bundled_rules_decide(aws, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("WINBACK_RULEBOOK", raising=False)
    rulebooks.forget()
    assert rulebooks.current() is load()


def test_a_pushed_rulebook_is_fetched_once_a_minute_and_only_when_it_is_new(
    appconfig: Stubber, clock: list[float], changed: dict[str, str]
) -> None:
    expect_session(appconfig)
    expect_answer(appconfig, packed(changed), "t0", "t1")
    rules = rulebooks.current()
    assert coupon(rules) == 600
    assert rules.version == Rulebook(changed).version != load().version
    clock[0] += 59
    assert rulebooks.current() is rules
    expect_answer(appconfig, "", "t1", "t2")
    clock[0] += 2
    assert rulebooks.current() is rules
    appconfig.assert_no_pending_responses()


def test_appconfig_is_not_asked_earlier_than_it_wants(
    appconfig: Stubber, clock: list[float], changed: dict[str, str]
) -> None:
    expect_session(appconfig)
    expect_answer(appconfig, packed(changed), "t0", "t1", wanted=300)
    rules = rulebooks.current()
    clock[0] += 299
    assert rulebooks.current() is rules
    expect_answer(appconfig, packed(None), "t1", "t2")
    clock[0] += 2
    assert rulebooks.current() is load()


def test_a_rolled_back_rulebook_gives_way_to_the_bundled_one(
    appconfig: Stubber, clock: list[float], changed: dict[str, str]
) -> None:
    expect_session(appconfig)
    expect_answer(appconfig, packed(changed), "t0", "t1")
    assert rulebooks.current() is not load()
    expect_answer(appconfig, packed(None), "t1", "t2")
    clock[0] += 61
    assert rulebooks.current() is load()


@pytest.mark.parametrize(
    "document",
    [
        "no json",
        "[]",
        json.dumps({"format": 1, "version": "x", "files": {"a.toml": "about = 1"}}),
        json.dumps({"format": 2}),
    ],
)
def test_what_is_no_rulebook_is_counted_and_the_rules_stay(
    appconfig: Stubber, clock: list[float], document: str
) -> None:
    expect_session(appconfig)
    expect_answer(appconfig, document, "t0", "t1")
    assert rulebooks.current() is load()
    assert unusable() == 1


def test_a_rulebook_with_faults_is_not_used(
    appconfig: Stubber, clock: list[float], changed: dict[str, str]
) -> None:
    expect_session(appconfig)
    expect_answer(appconfig, packed(changed), "t0", "t1")
    good = rulebooks.current()
    expect_answer(appconfig, packed({**changed, "remedies.toml": "about = 5"}), "t1", "t2")
    clock[0] += 61
    assert rulebooks.current() is good
    assert unusable() == 1


def test_an_unreachable_appconfig_is_asked_again_in_a_minute_with_a_new_session(
    appconfig: Stubber, clock: list[float], changed: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as broken:
        broken.setattr(rulebooks, "_fetched", unreachable)
        assert rulebooks.current() is load()
        assert rulebooks.current() is load()
    assert unusable() == 1
    expect_session(appconfig)
    expect_answer(appconfig, packed(changed), "t0", "t1")
    clock[0] += 61
    assert coupon(rulebooks.current()) == 600


def unreachable(*_: object) -> tuple[bytes, str, float]:
    raise EndpointConnectionError(endpoint_url="https://appconfigdata")


def test_that_nothing_was_pushed_yet_is_no_failure(appconfig: Stubber, clock: list[float]) -> None:
    expect_session(appconfig)
    appconfig.add_client_error("get_latest_configuration", "ResourceNotFoundException")
    assert rulebooks.current() is load()
    assert unusable() == 0


def test_a_folder_and_its_document_are_the_same_rulebook(tmp_path: Path) -> None:
    folder = Path(shutil.copytree(SHIPPED, tmp_path / "rules"))
    assert Rulebook(files_of(folder)).version == Rulebook(folder).version == load().version
