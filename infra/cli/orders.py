"""winback shop orders: the shop's own order system, which refunds and new parcels are asked of.

The signing key goes to Secrets Manager, never to the table.
"""

import argparse
import secrets
from base64 import b64decode, b64encode
from binascii import Error
from pathlib import Path
from typing import Any

import boto3
from botocore.exceptions import ClientError

from functions.channels import unsafe
from functions.domain.orders import KEY_PREFIX
from infra.cli.main import UsageError


def run(given: argparse.Namespace) -> int:
    table = boto3.resource("dynamodb").Table(f"winback-{given.stage}-shops")
    fields = {} if given.none else fields_of(given.stage, given.shop_id, given.url, given.key_file)
    changes = "SET orders_url = :orders_url, orders_secret = :orders_secret"
    more: dict[str, Any] = {
        "ExpressionAttributeValues": {f":{name}": value for name, value in fields.items()}
    }
    try:
        table.update_item(
            Key={"shop_id": given.shop_id},
            UpdateExpression="REMOVE orders_url, orders_secret" if given.none else changes,
            ConditionExpression="attribute_exists(shop_id)",
            **({} if given.none else more),
        )
    except ClientError as error:
        if error.response["Error"]["Code"] != "ConditionalCheckFailedException":
            raise
        raise UsageError(
            f"Stage {given.stage} has no shop {given.shop_id}; `winback shop list` shows them"
        ) from error
    told = "a person carries them out, from the pick list" if given.none else f"go to {given.url}"
    print(f"Refunds and new parcels of {given.shop_id}: {told}.")
    return 0


def fields_of(stage: str, shop_id: str, url: str, key_file: Path | None) -> dict[str, str]:
    """Keep the signing key, read from the file or made and shown once; return the shop's fields."""
    if stage != "local" and (reason := unsafe("webhook", url)):
        raise UsageError(f"the address for orders is not allowed: {reason}")
    key = _read(key_file) if key_file else KEY_PREFIX + b64encode(secrets.token_bytes(32)).decode()
    name = f"winback/{stage}/{shop_id}-orders"
    _keep(boto3.client("secretsmanager"), name, key)
    if key_file is None:
        print(f"Orders are signed with {key} (Standard Webhooks): give it to the receiver, "
              "it is not shown again.")  # fmt: skip
    return {"orders_url": url, "orders_secret": name}


def _read(path: Path) -> str:
    """Read a signing key. Raises UsageError, which never quotes it."""
    try:
        key = path.read_text(encoding="utf-8").strip()
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}") from error
    try:
        if not key.startswith(KEY_PREFIX) or not b64decode(key.removeprefix(KEY_PREFIX), validate=True):
            raise Error
    except Error:
        raise UsageError(f"{path} holds no key of Standard Webhooks: {KEY_PREFIX} and base64") from None
    return key


def _keep(manager: Any, name: str, key: str) -> None:
    try:
        manager.create_secret(Name=name, SecretString=key)
    except manager.exceptions.ResourceExistsException:
        manager.put_secret_value(SecretId=name, SecretString=key)
