"""The demo's stories, each on the running system, each judged by what it says must come of it."""

from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from infra.local.plots import PLOTS
from infra.local.stories import Scene, Told, play, scenes
from tests.system.running import System

pytestmark = pytest.mark.system


@pytest.fixture(scope="module")
def told(system: System) -> Iterator[dict[str, Told]]:
    with ExitStack() as running:
        stage: Iterator[Scene] = scenes(
            running, system.target, system.stack, system.supervisor, system.shop_system, system.legal
        )
        yield {each.story.name: each for each in play(PLOTS, stage)}


@pytest.mark.parametrize("name", [story.name for story in PLOTS])
def test_the_story_ends_as_it_must(told: dict[str, Told], name: str) -> None:
    assert told[name].wrong == [], [
        f"{event['kind']} {event.get('note') or ''}" for event in told[name].case.get("timeline", [])
    ]
