"""Attributes of messages to topics: subscribers filter by them."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mypy_boto3_sns.type_defs import MessageAttributeValueTypeDef


def attributes(**values: str) -> "Iterator[tuple[str, MessageAttributeValueTypeDef]]":
    for name, value in values.items():
        yield name, {"DataType": "String", "StringValue": value}
