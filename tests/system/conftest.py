"""One system for all tests of this folder, and for each test a shop of its own on a platform of its own."""

from collections.abc import Callable, Iterator
from itertools import count

import pytest

from infra.cli.main import main
from infra.local.api import api_of
from infra.local.deploy import deploy
from infra.local.emulator import emulator
from infra.local.simulators.taobao import TaobaoSimulator
from infra.local.watcher import Watcher
from tests.system.running import Ears, Shop, System, paced

# So short that every wait of the rules becomes the shortest one.
PACE = {"time_scale": "0.000001", "time_floor_s": "3"}
_shops = count(1)


@pytest.fixture(scope="session")
def system() -> Iterator[System]:
    with emulator() as target:
        stack = deploy(target, PACE)
        yield System(
            target,
            stack,
            Watcher(target, stack),
            api_of(target, stack, "Supervisor"),
            api_of(target, stack, "ShopSystem"),
            Ears(target, stack.outputs["AlertsTopicArn"], "winback-local-test-alerts"),
            Ears(target, stack.outputs["MessagesTopicArn"], "winback-local-test-messages"),
            api_of(target, stack, "Legal"),
        )


@pytest.fixture
def shop(system: System) -> Iterator[Shop]:
    """A shop that is watched for the length of one test."""
    with TaobaoSimulator() as simulator:
        shop = Shop(system, f"test-shop-{next(_shops)}", simulator)
        shop.open()
        yield shop
        shop.close()


@pytest.fixture
def winback(system: System, monkeypatch: pytest.MonkeyPatch) -> Callable[..., int]:
    """The command, for the stage that runs here."""
    for name, value in system.target.environment().items():
        monkeypatch.setenv(name, value)
    return lambda *words: main([*words, "--stage", "local"])


@pytest.fixture
def slow_deadlines(system: System) -> Iterator[None]:
    """Long enough to do something between a level of the chain (9 s) and the next."""
    with paced(system, scale=1 / 100, floor_s=3):
        yield
