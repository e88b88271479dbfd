"""The template's tables, queues and topics on moto, with every AWS call on record."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

from botocore.client import BaseClient

from infra.synth import template
from tests.cloud import REGION, Cloud

Call = tuple[str, dict[str, Any], dict[str, Any]]  # "service.Operation", parameters, answer


@contextmanager
def small_stack() -> Iterator[Cloud]:
    cloud = Cloud(template("local"))
    keys = {"AWS_ACCESS_KEY_ID": "testing", "AWS_SECRET_ACCESS_KEY": "testing", "AWS_DEFAULT_REGION": REGION}
    with patch.dict(os.environ, keys | cloud.environment):
        cloud.start()
        try:
            yield cloud
        finally:
            cloud.stop()


def recorded(run: Callable[[], object]) -> list[Call]:
    """Return the AWS calls that a run makes, in order."""
    made: list[Call] = []
    original = BaseClient._make_api_call  # type: ignore[attr-defined]

    def recording(client: Any, operation: str, parameters: dict[str, Any]) -> Any:
        answer = original(client, operation, parameters)
        made.append((f"{client.meta.service_model.service_name}.{operation}", parameters, answer))
        return answer

    with patch.object(BaseClient, "_make_api_call", recording):
        run()
    return made
