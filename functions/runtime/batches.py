"""Batches of queue messages: one bad message fails alone and says why.

Powertools' batch processor does the same, but importing it costs a fifth of a cold start.
"""

from collections.abc import Callable
from typing import Any

from functions.runtime.observability import count, logger

Record = dict[str, Any]


def each(event: dict[str, Any], handle: Callable[[Record], None]) -> dict[str, Any]:
    """Handle every message; answer which failed (SQS ReportBatchItemFailures), so that they come again.

    Log lines carry the exception's own text, so exceptions must not quote reviews.
    """
    failed: list[str] = []
    for record in event["Records"]:
        try:
            handle(record)
        except Exception as error:
            failed.append(record["messageId"])
            count("FailedMessages")
            logger.error(
                "message failed",
                extra={
                    "message_id": record["messageId"],
                    "error": type(error).__name__,
                    "reason": str(error),
                },
            )
    return {"batchItemFailures": [{"itemIdentifier": message_id} for message_id in failed]}
