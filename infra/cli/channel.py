"""winback shop channel: through which channels a shop's alerts go, and in which order they are tried.

Addresses and keys go to Secrets Manager, never to the table: a robot's address is its password.
"""

import argparse
import re
import secrets
from base64 import b64encode
from pathlib import Path
from typing import Any

import boto3
from botocore.exceptions import ClientError
from rich.console import Console
from rich.table import Table

from functions.channels import unsafe
from functions.domain.channels import KINDS
from infra.cli.main import STAGES, UsageError
from infra.cli.shop import keep


def arguments(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(required=True, metavar="ACTION")
    new = actions.add_parser("add", help="send the shop's alerts to a robot or a system of its own")
    new.add_argument("shop_id")
    new.add_argument("--kind", choices=KINDS, required=True)
    new.add_argument("--url", required=True, help="the robot's address or the system's")
    new.add_argument(
        "--key-file", type=Path, metavar="FILE",
        help="what signs: the robot's secret (none: unsigned), the webhook's whsec_… (none: one is made)",
    )  # fmt: skip
    new.add_argument("--name", help="what the shop calls it (its kind)")
    new.add_argument("--every", action="store_true", help="it gets every alert, whatever the others take")
    new.set_defaults(run=("infra.cli.channel", "add"))
    listing = actions.add_parser("list", help="show the channels in the order in which they are tried")
    listing.add_argument("shop_id")
    listing.set_defaults(run=("infra.cli.channel", "show"))
    gone = actions.add_parser("remove", help="send nothing there any more, and drop its secret")
    gone.add_argument("shop_id")
    gone.add_argument("name")
    gone.set_defaults(run=("infra.cli.channel", "remove"))
    for each in (new, listing, gone):
        each.add_argument("--stage", choices=STAGES, default="dev")


def add(given: argparse.Namespace) -> int:
    name = given.name or given.kind
    if not re.fullmatch(r"[A-Za-z0-9_-]{1,32}", name):
        raise UsageError(f"{name!r} is no channel name: 1 to 32 letters, digits, - or _")
    if given.stage != "local" and (reason := unsafe(given.kind, given.url)):
        raise UsageError(f"the address is not allowed: {reason}")
    key = _key(given.key_file)
    if given.kind == "webhook" and not key:
        key = "whsec_" + b64encode(secrets.token_bytes(32)).decode()
        print(f"Signed with {key} (Standard Webhooks): give it to the receiver, it is not shown again.")
    keep(boto3.client("secretsmanager"), _secret(given, name), {"url": given.url, "key": key})
    table = _table(given.stage)
    places = [int(item["place"]) for item in _channels(table, given.shop_id)]
    item = {
        "shop_id": given.shop_id,
        "channel": name,
        "kind": given.kind,
        "place": max(places, default=0) + 1,
        "every": given.every,
        "secret": _secret(given, name),
        "version": 0,
    }
    try:
        table.put_item(Item=item, ConditionExpression="attribute_not_exists(shop_id)")
    except ClientError as error:
        if error.response["Error"]["Code"] != "ConditionalCheckFailedException":
            raise
        print(f"{name} was there already: it has a new address and key from five minutes on.")
        return 0
    print(f"Alerts of {given.shop_id} go to {name} from now on.")
    return 0


def show(given: argparse.Namespace) -> int:
    table = Table("channel", "kind", "gets", "last used", "blocked until")
    items = _channels(_table(given.stage), given.shop_id)
    first = True
    for item in items:
        gets = (
            "every alert"
            if item.get("every")
            else "new alerts"
            if first
            else "what those before did not take"
        )
        first = first and bool(item.get("every"))
        sent = item.get("sent") or ["never"]
        table.add_row(item["channel"], item["kind"], gets, sent[-1], item.get("blocked_until", ""))
    told = f"{given.shop_id} has no channels: its alerts go to the topic's subscribers only."
    Console().print(table if items else told)
    return 0


def remove(given: argparse.Namespace) -> int:
    key = {"shop_id": given.shop_id, "channel": given.name}
    if "Attributes" not in _table(given.stage).delete_item(Key=key, ReturnValues="ALL_OLD"):
        raise UsageError(
            f"{given.shop_id} has no channel {given.name}; `winback shop channel list` shows them"
        )
    boto3.client("secretsmanager").delete_secret(SecretId=_secret(given, given.name), RecoveryWindowInDays=7)
    print(f"{given.name} gets no more alerts of {given.shop_id}.")
    return 0


def _secret(given: argparse.Namespace, name: str) -> str:
    return f"winback/{given.stage}/channels/{given.shop_id}/{name}"


def _key(path: Path | None) -> str:
    if path is None:
        return ""
    try:
        return path.read_text(encoding="utf-8").strip()
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}") from error


def _table(stage: str) -> Any:
    return boto3.resource("dynamodb").Table(f"winback-{stage}-channels")


def _channels(table: Any, shop_id: str) -> list[dict[str, Any]]:
    answer = table.query(
        KeyConditionExpression="shop_id = :shop",
        ExpressionAttributeValues={":shop": shop_id},
        ConsistentRead=True,
    )
    return sorted(answer["Items"], key=lambda item: int(item["place"]))
