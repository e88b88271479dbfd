"""winback shop: which shops a deployed stage watches, and with which credentials."""

import argparse
import json
import re
import tomllib
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import boto3
from botocore.exceptions import ClientError
from pydantic import ValidationError
from rich.console import Console
from rich.table import Table

from functions import rulebook
from functions.domain.calendars import Hours, zone
from functions.domain.deadlines import Clock
from functions.domain.reckoning import explain_deadline
from infra.cli.main import UsageError
from infra.cli.orders import fields_of

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
    given_credentials = credentials(given.credentials)
    if given.orders_key_file and not given.orders_url:
        raise UsageError("--orders-key-file needs --orders-url")
    if "Item" in _table(given.stage).get_item(Key={"shop_id": given.shop_id}, ConsistentRead=True):
        raise UsageError(_already(given))
    keep(boto3.client("secretsmanager"), str(item["secret"]), given_credentials)
    if given.orders_url:
        item |= fields_of(given.stage, given.shop_id, given.orders_url, given.orders_key_file)
    try:
        _table(given.stage).put_item(Item=item, ConditionExpression="attribute_not_exists(shop_id)")
    except ClientError as error:
        if error.response["Error"]["Code"] != "ConditionalCheckFailedException":
            raise
        raise UsageError(_already(given)) from error
    print(f"{given.shop_id} is watched from the next minute on.")
    return 0


def pause(given: argparse.Namespace) -> int:
    _update(given, "SET active = :active ADD version :one", {":active": False, ":one": 1})
    print(f"{given.shop_id} is no longer watched; `winback shop resume` takes up where it ended.")
    return 0


def resume(given: argparse.Namespace) -> int:
    if given.credentials:
        given_credentials = credentials(given.credentials)
        secrets = boto3.client("secretsmanager")
        keep(secrets, secret_name(given.stage, given.shop_id), given_credentials)
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
            item["shop_id"], item.get("name", ""), item.get("platform", ""),
            f"{item.get('interval_s', 20)} s",
            state(item, datetime.now(UTC)), item.get("polled_at", "never"),
            item.get("last_review_at", "none"),
        )  # fmt: skip
    Console().print(table if items else f"Stage {given.stage} has no shops; `winback shop add` adds one.")
    return 0


def hours(given: argparse.Namespace) -> int:
    """Set the shop's opening hours from a file, or show them. Cases that are open keep theirs."""
    if given.file is None:
        known = _hours(given)
        print(json.dumps(known.model_dump(mode="json"), indent=2, ensure_ascii=False) if known else
              f"{given.shop_id} has no hours: its clock runs round the clock.")  # fmt: skip
        return 0
    read = read_hours(given.file)
    _update(given, "SET hours = :hours", {":hours": read.model_dump(mode="json")})
    print(f"{given.shop_id}: cases that are opened from now on are due by these hours.")
    return 0


def due(given: argparse.Namespace) -> int:
    """Explain when a review of a grade would be due, line by line."""
    known = _hours(given)
    try:
        seen = datetime.fromisoformat(given.seen)
    except ValueError:
        raise UsageError(f"--seen {given.seen} is no time; write it like 2026-05-08T17:40") from None
    if seen.tzinfo is None:
        seen = seen.replace(tzinfo=zone((known or Hours()).zone))
    facts = {"cause": given.grade, "suspected_malicious": given.grade == "malicious"}
    clock = Clock(rulebook.load().decide("grades", facts), seen, known)
    print("\n".join(explain_deadline(clock, given.language)))
    return 0


def read_hours(path: Path) -> Hours:
    """Read a shop's hours. Raises UsageError, which names file, line and field, and how to mend it."""
    try:
        text = path.read_text(encoding="utf-8")
        raw = tomllib.loads(text)
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageError(f"{path} is not TOML: {error}") from error
    for name in raw.keys() - Hours.model_fields.keys():
        known = ", ".join(Hours.model_fields)
        raise UsageError(f"{path}{_line(text, name)}, {name}: there is no such field; there are {known}")
    try:
        return Hours.model_validate(raw)
    except ValidationError as error:
        faults = error.errors(include_url=False, include_input=False)
        raise UsageError("\n".join(_fault(path, text, fault) for fault in faults)) from error


def _fault(path: Path, text: str, fault: Any) -> str:
    said = fault["msg"].removeprefix("Value error, ")
    named = re.search(r"[\w-]+", said)  # a fault of one row names it first
    rows = [named[0] if named else "", *map(str, reversed(fault["loc"]))]
    line = next(filter(None, (_line(text, row) for row in rows)), "")
    field = ".".join(map(str, fault["loc"]))
    return f"{path}{line}{f', {field}' if field else ''}: {said}"


def _line(text: str, name: str) -> str:
    """Say in which line of a TOML file a row or a table of this name is, nothing where in none."""
    is_set = re.compile(rf'\s*\[?"?{re.escape(name)}"?\s*[\]=]')
    found = (f" line {number}" for number, line in enumerate(text.splitlines(), 1) if is_set.match(line))
    return next(found, "") if name else ""


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


def _hours(given: argparse.Namespace) -> Hours | None:
    item = _table(given.stage).get_item(Key={"shop_id": given.shop_id}, ConsistentRead=True).get("Item")
    if item is None:
        raise UsageError(_absent(given))
    try:
        return Hours.model_validate(item["hours"]) if "hours" in item else None
    except ValidationError as error:
        raise UsageError(
            f"the stored hours of {given.shop_id} cannot be read; set them anew with `winback shop hours`"
        ) from error


def _already(given: argparse.Namespace) -> str:
    return (
        f"{given.shop_id} is already there; `winback shop resume` gives it new credentials, "
        "`winback shop orders` another address for orders"
    )


def _absent(given: argparse.Namespace) -> str:
    return f"Stage {given.stage} has no shop {given.shop_id}; `winback shop list` shows them"


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
        raise UsageError(_absent(given)) from error
