"""Batches, transactions and pages of DynamoDB, with the repetitions that botocore leaves to its callers."""

import random
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from functions.runtime.clients import client
from functions.store.errors import StaleWrite, Throttled

if TYPE_CHECKING:
    from functions.store.items import Item

Write = tuple[Any, Exception | Callable[["Item"], Exception]]

TRANSACTION = 100  # items in one TransactWriteItems
_BATCH = 100  # items in one BatchGetItem
_ATTEMPTS = 6
_FIRST_PAUSE_S = 0.02
_PASSING = {"TransactionConflict", "ThrottlingError", "ProvisionedThroughputExceeded"}


def batch_get(table: str, keys: Sequence["Item"], **how: Any) -> list["Item"]:
    """Return the items under the keys that exist, in any order, read consistently unless `how` says else."""
    found: list[Item] = []
    for start in range(0, len(keys), _BATCH):
        wanted: Any = {table: {"ConsistentRead": True, **how, "Keys": keys[start : start + _BATCH]}}
        for attempt in range(_ATTEMPTS):
            answer = client("dynamodb").batch_get_item(RequestItems=wanted)
            found += answer["Responses"].get(table, [])
            wanted = answer.get("UnprocessedKeys", {})
            if not wanted:
                break
            _pause(attempt)
        else:
            raise Throttled(f"{table} gave only a part of a batch, {_ATTEMPTS} times")
    return found


def transact(*writes: Write) -> None:
    """Write all or nothing. Each write comes with the exception that its failed condition means, or with what
    makes one of the item that stood there (where the write asks for that).

    The first failed one is raised. Waits for other transactions on the same items; raises StaleWrite
    when they do not end.
    """
    for attempt in range(_ATTEMPTS):
        try:
            client("dynamodb").transact_write_items(TransactItems=[write for write, _ in writes])
        except ClientError as error:
            reasons = _reasons(error)
            codes = [reason.get("Code") for reason in reasons]
            for reason, (_, refusal) in zip(reasons, writes, strict=False):
                if reason.get("Code") == "ConditionalCheckFailed":
                    stood = reason.get("Item", {})
                    raise refusal if isinstance(refusal, Exception) else refusal(stood) from error
            if not _PASSING.intersection(codes):
                raise
            _pause(attempt)
        else:
            return
    raise StaleWrite("an item of this transaction")


def pages(**query: Any) -> Iterator["Item"]:
    """Yield all items of a Query."""
    for page in client("dynamodb").get_paginator("query").paginate(**query):
        yield from page["Items"]


def _reasons(error: ClientError) -> list[dict[str, Any]]:
    """Why a transaction was cancelled, one reason a write; nothing for any other error."""
    response: Mapping[str, Any] = error.response
    return list(response.get("CancellationReasons", []))


def _pause(attempt: int) -> None:
    """Wait a random part of a time that doubles with each attempt, 1.3 s for all of them at most."""
    time.sleep(random.uniform(0, _FIRST_PAUSE_S * 2**attempt))  # noqa: S311 - spreads load, keeps no secret
