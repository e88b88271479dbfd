"""winback desk: who is on duty, what is silenced and why, through the stage's API."""

import argparse
import json
import re
import urllib.error
import urllib.request
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote

import boto3
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from rich.console import Console
from rich.table import Table

from functions.domain.times import duration, iso
from functions.domain.windows import local
from infra.cli.main import STAGES, UsageError

_CAN = {"grade": "grades", "product": "products", "case": "cases", "kind": "kinds"}


def arguments(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(required=True, metavar="ACTION")
    show = actions.add_parser("show", help="who is on duty, what is silenced, which incidents go on")
    show.set_defaults(run=("infra.cli.desk", "show"))
    silence = actions.add_parser("silence", help="hold alerts for a while, or end a silence")
    silence.add_argument("--end", metavar="ID", help="end this silence now")
    silence.add_argument("--for", dest="length", metavar="2h", help="how long, such as 30m, 2h or 3d")
    silence.add_argument("--reason", help="why; it stands on the timeline of what waits")
    silence.add_argument("--whole-shop", action="store_true", help="everything but breaches")
    for name in _CAN:
        silence.add_argument(f"--{name}", action="append", default=[], help="may be given several times")
    silence.set_defaults(run=("infra.cli.desk", "silence"))
    rota = actions.add_parser("rota", help="set the rota from a JSON file")
    rota.add_argument("file", type=Path, help='{"time_zone": "Asia/Shanghai", "shifts": [{"role": ...}]}')
    rota.set_defaults(run=("infra.cli.desk", "rota"))
    for each in (show, silence, rota):
        each.add_argument("--shop", required=True)
        each.add_argument("--stage", choices=STAGES, default="dev")
        each.add_argument("--api", metavar="URL", help="the API's address, if not the one the stage names")
    for each in (silence, rota):
        each.add_argument("--by", required=True, help="who does it, as colleagues know them")


def show(given: argparse.Namespace) -> int:
    desk = _ask(given, "GET", "desk")
    zone = (desk["rota"] or {}).get("time_zone", "Asia/Shanghai")
    duty = Table("role", "on duty", "next")
    for each in desk["on_duty"]:
        there = ", ".join(each["people"]) or ("nobody" if each["planned"] else "always there")
        duty.add_row(each["role"], there, _at(each["next_at"], zone))
    silences = Table("silence", "by", "until", "because", "hides now", "matched")
    for each in desk["silences"]:
        silences.add_row(
            each["silence_id"], each["by"].partition(" (")[0], _at(each["ends"], zone), each["reason"],
            str(each["hides"]), str(each["matched"]),
        )  # fmt: skip
    console = Console()
    console.print(duty)
    console.print(silences if desk["silences"] else "Nothing is silenced.")
    for each in desk["maintenance"]:
        console.print(
            f"{each['maintenance_id']}: maintenance until {_at(each['ends'], zone)}, {each['reason']}"
        )
    for each in desk["incidents"]:
        console.print(f"{each['item']}: {each['reviews']} reviews, led by {each['led_by']}")
    console.print(f"{desk['waiting']} cases are hidden now.")
    return 0


def silence(given: argparse.Namespace) -> int:
    if given.end:
        _ask(given, "DELETE", f"silences/{quote(given.end, safe='')}")
        print(f"{given.end} has ended; what it hid is told within minutes.")
        return 0
    if not given.length or not given.reason:
        raise UsageError("a silence needs --for and --reason; nothing is silent for ever or for no reason")
    try:
        ends = datetime.now(UTC) + duration(given.length)
    except ValueError as error:
        raise UsageError(str(error)) from error
    body = {
        "by": given.by,
        "reason": given.reason,
        "ends": iso(ends),
        "whole_shop": given.whole_shop,
        "matchers": {field: getattr(given, name) for name, field in _CAN.items()},
    }
    made = _ask(given, "POST", "silences", body)
    print(
        f"{made['silence_id']} is silent until {made['ends']}; it holds for {made['matches']} open cases now."
    )
    return 0


def rota(given: argparse.Namespace) -> int:
    try:
        wanted = json.loads(given.file.read_text(encoding="utf-8"))
    except OSError as error:
        raise UsageError(f"{given.file} cannot be read: {error.strerror}") from error
    except ValueError as error:
        raise UsageError(f"{given.file} is not JSON: {error}") from error
    if not isinstance(wanted, dict):
        raise UsageError(f"{given.file} is to hold an object with time_zone and shifts")
    for each in _ask(given, "PUT", "rota", wanted | {"by": given.by}):
        there = ", ".join(each["people"]) or ("nobody now" if each["planned"] else "always there")
        print(f"{each['role']}: {there}")
    return 0


def _at(moment: str | None, zone: str) -> str:
    return local(datetime.fromisoformat(moment), zone) if moment else ""


def _ask(given: argparse.Namespace, method: str, path: str, body: Any = None) -> Any:
    """Ask the stage's API with the caller's own credentials. Raises UsageError with what is to be mended."""
    if not re.fullmatch(r"[A-Za-z0-9_-]{1,64}", given.shop):
        raise UsageError(f"{given.shop!r} is no shop id")
    session = boto3.Session()
    url = f"{given.api or _api(given.stage)}/shops/{given.shop}/{path}"
    data = json.dumps(body, ensure_ascii=False).encode() if body is not None else b""
    request = AWSRequest(method, url, {"content-type": "application/json"}, data)
    keys = session.get_credentials()
    if keys is None:
        raise UsageError("there are no credentials to sign with: set AWS_PROFILE, or `aws configure`")
    SigV4Auth(keys, "execute-api", session.region_name or "us-east-1").add_auth(request)
    sent = urllib.request.Request(  # noqa: S310 - the address is the stack's own
        url, data or None, dict(request.headers.items()), method=method
    )
    try:
        with urllib.request.urlopen(sent, timeout=30) as answer:  # noqa: S310
            return json.loads(answer.read())
    except urllib.error.HTTPError as error:
        raise UsageError(_refusal(error.code, error.read())) from error


def _refusal(status: int, body: bytes) -> str:
    try:
        said = json.loads(body)
    except ValueError:
        said = {}
    mends = [f"{each['field'].partition('.')[2]}: {each['mend']}" for each in said.get("fields", [])]
    return "; ".join(mends) or said.get("message") or f"the API answered {status}"


def _api(stage: str) -> str:
    """Return the address of the stage's API: an output of its stack."""
    stacks = boto3.client("cloudformation").describe_stacks(StackName=f"Winback-{stage}")["Stacks"]
    outputs = {each["OutputKey"]: each["OutputValue"] for each in stacks[0].get("Outputs", [])}
    return str(outputs["ApiUrl"])
