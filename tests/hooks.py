"""Listening in on a client of the functions, or changing what it answers, for the time of a test."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Literal

from functions.runtime.clients import client


@contextmanager
def hooked(
    service: Literal["sqs", "secretsmanager"], event: str, handler: Callable[..., Any]
) -> Iterator[None]:
    """Call `handler` at botocore's `event`, such as "before-call.sqs.SendMessageBatch"."""
    events = client(service).meta.events
    events.register(event, handler)
    try:
        yield
    finally:
        events.unregister(event, handler)


@contextmanager
def sqs_refusing() -> Iterator[None]:
    """SQS answers that it did not take the first message of each batch."""
    refused = {"Failed": [{"Id": "0", "Code": "InternalError", "SenderFault": False}]}
    with hooked("sqs", "after-call.sqs.SendMessageBatch", lambda parsed, **_: parsed.update(refused)):
        yield
