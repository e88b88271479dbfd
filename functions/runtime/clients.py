"""AWS clients: one for each service, made at its first use and kept for the life of the process."""

from functools import cache
from threading import Lock
from typing import TYPE_CHECKING, Any, Literal, overload

import boto3
from botocore.config import Config

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_secretsmanager import SecretsManagerClient
    from mypy_boto3_sns import SNSClient
    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_stepfunctions import SFNClient

_making = Lock()

# Short timeouts: every call here answers in milliseconds, and a queue or stream brings the event again.
_CONFIG = Config(
    retries={"mode": "standard", "total_max_attempts": 4},
    connect_timeout=2,
    read_timeout=10,
)
# Links carry the region's own address and the newer signature, which also binds a file's size and checksum.
_S3 = Config(signature_version="s3v4", s3={"addressing_style": "virtual"})


@overload
def client(service: Literal["dynamodb"]) -> "DynamoDBClient": ...
@overload
def client(service: Literal["s3"]) -> "S3Client": ...
@overload
def client(service: Literal["secretsmanager"]) -> "SecretsManagerClient": ...
@overload
def client(service: Literal["sns"]) -> "SNSClient": ...
@overload
def client(service: Literal["sqs"]) -> "SQSClient": ...
@overload
def client(service: Literal["stepfunctions"]) -> "SFNClient": ...
def client(service: str) -> Any:
    """Return the client of the AWS service, always the same one. Threads may share it."""
    with _making:  # botocore's clients are safe in threads, making them is not
        return _made(service)


def forget() -> None:
    """Drop all clients: the next call makes new ones (after a change of credentials or endpoint)."""
    _made.cache_clear()


@cache
def _made(service: str) -> Any:
    config = _CONFIG.merge(_S3) if service == "s3" else _CONFIG
    return boto3.client(service, config=config)  # type: ignore[call-overload]
