"""Events as Lambda delivers them, and a context to go with them."""

from types import SimpleNamespace
from typing import Any

from functions.domain.reviews import Review

CONTEXT = SimpleNamespace(
    function_name="test",
    memory_limit_in_mb=256,
    invoked_function_arn="arn:aws:lambda:eu-west-1:123456789012:function:test",
    aws_request_id="request",
)


def queue_event(*bodies: str) -> dict[str, Any]:
    """Messages m0, m1, … of an SQS event source."""
    return {
        "Records": [
            {
                "messageId": f"m{place}",
                "receiptHandle": f"r{place}",
                "body": body,
                "attributes": {},
                "messageAttributes": {},
                "eventSource": "aws:sqs",
                "eventSourceARN": "arn:aws:sqs:eu-west-1:123456789012:queue",
                "awsRegion": "eu-west-1",
            }
            for place, body in enumerate(bodies)
        ]
    }


def reviews_event(*reviews: Review) -> dict[str, Any]:
    return queue_event(*(review.model_dump_json() for review in reviews))


def stream_event(*case_ids: str) -> dict[str, Any]:
    """Changes of these cases, as the cases table's stream shows them."""
    return {
        "Records": [
            {
                "eventName": "MODIFY",
                "eventSource": "aws:dynamodb",
                "dynamodb": {
                    "Keys": {"case_id": {"S": case_id}},
                    "NewImage": {"case_id": {"S": case_id}, "pending": {"BOOL": True}},
                    "SequenceNumber": str(place),
                },
            }
            for place, case_id in enumerate(case_ids)
        ]
    }
