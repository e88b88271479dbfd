"""Batches of queue messages: one bad message fails alone and says why."""

from typing import Any

from aws_lambda_powertools.utilities.batch import BatchProcessor, EventType, FailureResponse

from functions.runtime.observability import count, logger


class QueueBatch(BatchProcessor):
    """Partial failure for SQS: failed messages come again, the others are done.

    Log lines carry the exception's own text, so exceptions must not quote reviews.
    """

    def __init__(self) -> None:
        super().__init__(event_type=EventType.SQS, raise_on_entire_batch_failure=False)

    def failure_handler(self, record: Any, exception: Any) -> FailureResponse:
        kind, error, _ = exception
        logger.error(
            "message failed",
            extra={"message_id": record.message_id, "error": kind.__name__, "reason": str(error)},
        )
        count("FailedMessages")
        return super().failure_handler(record, exception)
