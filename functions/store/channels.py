"""The channels table: the shops' notification channels, each with its configuration and booked slots."""

from functions.domain.channels import Channel
from functions.runtime.clients import client
from functions.runtime.settings import setting
from functions.store.errors import stale_write
from functions.store.items import attributes, from_item, to_item


def of_shop(shop_id: str) -> list[Channel]:
    """Return the shop's channels in the order in which they are tried. Raises Unreadable."""
    answer = client("dynamodb").query(
        TableName=setting("WINBACK_CHANNELS_TABLE"),
        KeyConditionExpression="shop_id = :shop",
        ExpressionAttributeValues=attributes({":shop": shop_id}),
        ConsistentRead=True,
    )
    return sorted((from_item(Channel, item) for item in answer["Items"]), key=lambda each: each.place)


def save(channel: Channel) -> Channel:
    """Save the channel unless it was changed or removed since it was read. Raises StaleWrite."""
    saved = channel.model_copy(update={"version": channel.version + 1})
    with stale_write(f"channel {channel.channel} of {channel.shop_id}"):
        client("dynamodb").put_item(
            TableName=setting("WINBACK_CHANNELS_TABLE"),
            Item=to_item(saved),
            ConditionExpression="#version = :read",
            ExpressionAttributeNames={"#version": "version"},
            ExpressionAttributeValues=attributes({":read": channel.version}),
        )
    return saved
