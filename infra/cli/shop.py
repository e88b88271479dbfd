"""winback shop: which shops a deployed stage watches, and with which credentials."""

import argparse
import json
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import boto3
from botocore.exceptions import ClientError
from rich.console import Console
from rich.table import Table

from infra.cli.main import UsageError

CREDENTIALS = ("app_key", "app_secret", "session")


def add(given: argparse.Namespace) -> int:
    if not re.fullmatch(r"[A-Za-z0-9_-]{1,64}", given.shop_id):
        raise UsageError(f"{given.shop_id!r} is no shop id: 1 to 64 letters, digits, - or _")
    item = {
        "shop_id": given.shop_id,
        "platform": given.platform,
        "name": given.name,
        "active": True,
        "interval_s": given.interval,
        "secret": secret_name(given.stage, given.shop_id),
        "api_url": given.api_url,
        "time_zone": "Asia/Shanghai",
        "silent_after_s": given.silent_after,
        "version": 0,
    }
    keep(boto3.client("secretsmanager"), item["secret"], credentials(given.credentials))
    try:
        _table(given.stage).put_item(Item=item, ConditionExpression="attribute_not_exists(shop_id)")
    except ClientError as error:
        if error.response["Error"]["Code"] != "ConditionalCheckFailedException":
            raise
        raise UsageError(
            f"{given.shop_id} is already there; `winback shop resume` gives it new credentials"
        ) from error
    print(f"{given.shop_id} is watched from the next minute on.")
    return 0


def pause(given: argparse.Namespace) -> int:
    _update(given, "SET active = :active ADD version :one", {":active": False, ":one": 1})
    print(f"{given.shop_id} is no longer watched; `winback shop resume` takes up where it ended.")
    return 0


def resume(given: argparse.Namespace) -> int:
    if given.credentials:
        secrets = boto3.client("secretsmanager")
        keep(secrets, secret_name(given.stage, given.shop_id), credentials(given.credentials))
    _update(
        given,
        "SET active = :active REMOVE paused_until, pause_reason ADD version :one",
        {":active": True, ":one": 1},
    )
    print(f"{given.shop_id} is watched from the next minute on.")
    return 0


def show(given: argparse.Namespace) -> int:
    table = Table("shop", "name", "platform", "every", "state", "polled", "last review")
    items: list[dict[str, Any]] = _table(given.stage).scan(ConsistentRead=True)["Items"]
    for item in sorted(items, key=lambda item: str(item["shop_id"])):
        table.add_row(
            item["shop_id"], item.get("name", ""), item["platform"], f"{item.get('interval_s', 20)} s",
            state(item, datetime.now(UTC)), item.get("polled_at", "never"),
            item.get("last_review_at", "none"),
        )  # fmt: skip
    Console().print(table if items else f"Stage {given.stage} has no shops; `winback shop add` adds one.")
    return 0


def state(item: dict[str, Any], now: datetime) -> str:
    if not item.get("active", True):
        return "paused by hand"
    until = item.get("paused_until")
    if until and datetime.fromisoformat(until) > now:
        return f"{item.get('pause_reason', 'paused')} until {until}"
    return "watched"


def secret_name(stage: str, shop_id: str) -> str:
    return f"winback/{stage}/{shop_id}"


def credentials(path: Path) -> dict[str, str]:
    """Read a credentials file. Raises UsageError, which never quotes its contents."""
    try:
        given = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}") from error
    except ValueError as error:
        raise UsageError(f"{path} is not JSON") from error
    missing = [name for name in CREDENTIALS if not isinstance(given, dict) or not given.get(name)]
    if missing:
        raise UsageError(
            f"{path} lacks {', '.join(missing)}; it is to be an object with {', '.join(CREDENTIALS)}"
        )
    return {name: str(given[name]) for name in CREDENTIALS}


def keep(secrets: Any, name: str, values: dict[str, str]) -> None:
    """Put the credentials into Secrets Manager, new or in place of the old ones."""
    text = json.dumps(values)
    try:
        secrets.create_secret(Name=name, SecretString=text)
    except secrets.exceptions.ResourceExistsException:
        secrets.put_secret_value(SecretId=name, SecretString=text)


def _table(stage: str) -> Any:
    return boto3.resource("dynamodb").Table(f"winback-{stage}-shops")


def _update(given: argparse.Namespace, expression: str, values: dict[str, Any]) -> None:
    try:
        _table(given.stage).update_item(
            Key={"shop_id": given.shop_id},
            UpdateExpression=expression,
            ExpressionAttributeValues=values,
            ConditionExpression="attribute_exists(shop_id)",
        )
    except ClientError as error:
        if error.response["Error"]["Code"] != "ConditionalCheckFailedException":
            raise
        raise UsageError(
            f"Stage {given.stage} has no shop {given.shop_id}; `winback shop list` shows them"
        ) from error
