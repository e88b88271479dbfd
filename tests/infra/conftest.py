"""The stages' templates, each made once."""

import pytest

from infra import synth
from tests.infra.deployed import Deployed


@pytest.fixture(scope="session")
def prod() -> Deployed:
    return Deployed(synth.template("prod"))


@pytest.fixture(scope="session")
def local() -> Deployed:
    return Deployed(synth.template("local"))


@pytest.fixture(scope="session", params=["prod", "local"])
def stack(request: pytest.FixtureRequest) -> Deployed:
    """Each of the templates in turn."""
    return Deployed(synth.template(request.param))
