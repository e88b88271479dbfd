"""winback replay: give what failed too often another try, after its cause was mended.

Messages go from a dead-letter queue back to its queue: sent first, deleted after, so that dying in between
doubles one (harmless) and loses none. A case event needs no message: the case itself still knows in its
outbox what is left to do, so it is touched and the stream delivers it again.
"""

import argparse
from collections.abc import Callable
from typing import Any

import boto3
from botocore.exceptions import ClientError
from rich.console import Console

from infra.cli.main import UsageError

QUEUES = ("polls", "reviews", "notices")
_HIDDEN_S = 120


def run(given: argparse.Namespace) -> int:
    tell = Console().print
    sqs = boto3.client("sqs")
    for noun in QUEUES:
        moved = move(sqs, given.stage, noun, tell)
        tell(f"{noun}: {moved} moved back" if moved else f"{noun}: nothing failed")
    nudged = replay_cases(sqs, boto3.client("dynamodb"), given.stage)
    tell(f"case events: {nudged} cases told again" if nudged else "case events: nothing is left to do")
    return 0


def move(sqs: Any, stage: str, noun: str, tell: Callable[[str], None] = lambda _: None) -> int:
    """Send every dead letter of the queue to the queue again; return how many."""
    source, target = queue_url(sqs, stage, f"{noun}-dlq"), queue_url(sqs, stage, noun)
    moved = 0
    while messages := _receive(sqs, source):
        entries = [
            {"Id": str(at), "MessageBody": message["Body"]}
            | ({"MessageAttributes": given} if (given := message.get("MessageAttributes")) else {})
            for at, message in enumerate(messages)
        ]
        sent = sqs.send_message_batch(QueueUrl=target, Entries=entries)
        done = [messages[int(each["Id"])] for each in sent.get("Successful", [])]
        _delete(sqs, source, done)
        moved += len(done)
        tell(f"{noun}: {moved} moved back so far")
        if failed := sent.get("Failed"):
            raise UsageError(
                f"{target} refused {len(failed)} messages: {failed[0].get('Message')}; they stay in {source}"
            )
    return moved


def replay_cases(sqs: Any, dynamodb: Any, stage: str) -> int:
    """Touch every case that has something left to do, then drop the records of failed deliveries.

    What is held on purpose is no such thing: the case clock releases it.
    """
    source = queue_url(sqs, stage, "case-events-dlq")
    taken: list[dict[str, Any]] = []
    while messages := _receive(sqs, source):
        taken += messages
    nudged = sum(_nudge(dynamodb, f"winback-{stage}-cases"))
    for at in range(0, len(taken), 10):
        _delete(sqs, source, taken[at : at + 10])
    return nudged


def queue_url(sqs: Any, stage: str, noun: str) -> str:
    name = f"winback-{stage}-{noun}"
    try:
        return str(sqs.get_queue_url(QueueName=name)["QueueUrl"])
    except ClientError as error:
        raise UsageError(
            f"There is no queue {name} here: is stage {stage} deployed in this region?"
        ) from error


def _nudge(dynamodb: Any, table: str) -> list[bool]:
    pages = dynamodb.get_paginator("scan").paginate(
        TableName=table,
        FilterExpression="attribute_exists(pending)",
        ProjectionExpression="case_id",
        ConsistentRead=True,
    )
    return [_touch(dynamodb, table, item["case_id"]) for page in pages for item in page["Items"]]


def _touch(dynamodb: Any, table: str, case_id: dict[str, str]) -> bool:
    """Change only the version: the stream is silent about a write of the same values."""
    try:
        dynamodb.update_item(
            TableName=table,
            Key={"case_id": case_id},
            UpdateExpression="ADD version :one",
            ConditionExpression="attribute_exists(pending)",
            ExpressionAttributeValues={":one": {"N": "1"}},
        )
    except dynamodb.exceptions.ConditionalCheckFailedException:
        return False  # done in the meantime
    return True


def _receive(sqs: Any, url: str) -> list[dict[str, Any]]:
    answer = sqs.receive_message(
        QueueUrl=url,
        MaxNumberOfMessages=10,
        VisibilityTimeout=_HIDDEN_S,
        WaitTimeSeconds=1,
        MessageAttributeNames=["All"],
    )
    return list(answer.get("Messages", []))


def _delete(sqs: Any, url: str, messages: list[dict[str, Any]]) -> None:
    if messages:
        sqs.delete_message_batch(
            QueueUrl=url,
            Entries=[
                {"Id": str(at), "ReceiptHandle": each["ReceiptHandle"]} for at, each in enumerate(messages)
            ],
        )
