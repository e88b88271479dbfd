"""What all tests share: the template, and the deployed stack in small."""

from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from functions.runtime import clients, credentials
from functions.store import shops
from tests.cloud import ENDPOINT, REGION, Cloud


@pytest.fixture(scope="session")
def template() -> Mapping[str, Any]:
    """The synthesised template of the local stage."""
    from infra.synth import template  # takes seconds, which tests without it need not wait for

    return template("local")


@pytest.fixture(scope="session")
def no_earlier_clients() -> None:
    """Clients that were made with anybody's real credentials must not meet the tests."""
    clients.forget()


@pytest.fixture
def aws(
    template: Mapping[str, Any], no_earlier_clients: None, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Cloud]:
    """The template's tables, queues, topics and workflow, all empty, and the functions' environment."""
    cloud = Cloud(template)
    for name, value in {
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
        "AWS_DEFAULT_REGION": REGION,
        **({"AWS_ENDPOINT_URL_DYNAMODB": ENDPOINT} if ENDPOINT else {}),
        **cloud.environment,
    }.items():
        monkeypatch.setenv(name, value)
    for name in ("AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_ENDPOINT_URL", "WINBACK_RULEBOOK"):
        monkeypatch.delenv(name, raising=False)
    shops.forget()
    credentials.forget()
    cloud.start()
    yield cloud
    cloud.stop()
