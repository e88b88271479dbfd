"""Queues: send any number of messages in batches, and say so when one was not taken."""

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import TYPE_CHECKING, NamedTuple

from functions.runtime.clients import client

if TYPE_CHECKING:
    from mypy_boto3_sqs.type_defs import SendMessageBatchRequestEntryTypeDef

_BATCH = 10  # the most that SQS takes in one call


class Undelivered(Exception):
    """SQS took some messages but not all: whoever sends must come again with all of them."""


class Message(NamedTuple):
    body: str
    delay_s: int = 0


def send(queue_url: str, messages: Iterable[Message]) -> None:
    """Send all messages. Raises Undelivered when SQS refused any, after trying every one."""
    refused: list[str] = []
    for batch in _batches(messages):
        entries: list[SendMessageBatchRequestEntryTypeDef] = [
            {"Id": str(number), "MessageBody": message.body, "DelaySeconds": message.delay_s}
            for number, message in enumerate(batch)
        ]
        answer = client("sqs").send_message_batch(QueueUrl=queue_url, Entries=entries)
        refused += [entry["Code"] for entry in answer.get("Failed", [])]
    if refused:
        raise Undelivered(f"SQS refused {len(refused)} messages: {', '.join(sorted(set(refused)))}")


def _batches(messages: Iterable[Message]) -> Iterator[list[Message]]:
    waiting = iter(messages)
    while batch := list(islice(waiting, _BATCH)):
        yield batch
