"""A simulated Taobao per test, on loopback, with a clock that the test sets."""

from collections.abc import Iterator

import pytest

from infra.local.simulators.taobao import TaobaoSimulator
from tests.clocks import Clock


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def taobao(clock: Clock) -> Iterator[TaobaoSimulator]:
    with TaobaoSimulator(clock=clock.now, sleep=clock.sleep) as simulator:
        yield simulator
