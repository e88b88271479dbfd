"""The command `winback`: play the demo, simulate a platform, look after shops, replay what failed."""

import argparse
import importlib
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

from functions.domain.causes import CAUSES

STAGES = ("dev", "prod", "local")
# Commands that declare their arguments in a module of their own, infra/cli/<name>.py.
OWN_ARGUMENTS = {
    "rules": "check, explain, replay, show and push the rule tables",
    "desk": "who is on duty, what is silenced, which incidents go on",
    "read": "read reviews of a file, and measure the reader",
    "evidence": "verify and fetch packs of evidence",
}


class UsageError(Exception):
    """The command cannot be carried out as given; the message says what would mend it."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; return 0, 1 when it did not do what it should, 2 when it cannot be tried."""
    arguments = sys.argv[1:] if arguments is None else arguments
    given = _parser(arguments).parse_args(arguments)
    from botocore.exceptions import BotoCoreError, ClientError  # imports are what makes --help slow

    from infra.local.deploy import DeployError
    from infra.local.emulator import EmulatorError
    from infra.local.stream import StreamError

    signal.signal(signal.SIGTERM, _interrupt)  # what was started is stopped, however we are asked to end
    module, function = given.run
    try:
        return int(getattr(importlib.import_module(module), function)(given))
    except (UsageError, StreamError) as error:
        print(f"winback: {error}", file=sys.stderr)
        return 2
    except (EmulatorError, DeployError) as error:
        print(f"winback: {error}", file=sys.stderr)
        return 1
    except ClientError as error:
        print(f"winback: AWS refused: {error}", file=sys.stderr)
        return 1
    except BotoCoreError as error:
        print(
            f"winback: AWS cannot be reached: {error}\n"
            "Set AWS_REGION and credentials (AWS_PROFILE, or `aws configure`).",
            file=sys.stderr,
        )
        return 1
    except KeyboardInterrupt:
        print("winback: stopped", file=sys.stderr)
        return 130


def _interrupt(_signal: int, _frame: object) -> None:
    raise KeyboardInterrupt


def _parser(arguments: Sequence[str]) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="winback", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    _demo(commands.add_parser("demo", help="run the whole system on this machine and play reviews into it"))
    _simulate(commands.add_parser("simulate", help="run a platform's simulator alone"))
    _shop(
        commands.add_parser("shop", help="add, list, pause and resume the shops of a deployed stage"),
        "channel" in arguments,
    )
    _replay(commands.add_parser("replay", help="give failed events of a deployed stage another try"))
    for name, help_text in OWN_ARGUMENTS.items():
        command = commands.add_parser(name, help=help_text)
        if name in arguments:  # their modules are slow to import
            importlib.import_module(f"infra.cli.{name}").arguments(command)
    return parser


def _demo(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--reviews", type=Path, metavar="FILE", help="CSV or CSV.gz; our own sample without")
    parser.add_argument("--limit", type=_count, metavar="N", help="play the first N rows only")
    parser.add_argument("--out", type=Path, metavar="FILE", help="write the summary as JSON")
    parser.add_argument("--faults", type=Path, metavar="FILE", help="faults that the platform is to show")
    parser.add_argument("--rate", type=_rate, metavar="R", help="reviews a second (2; long files 5)")
    parser.add_argument("--shop-count", type=_count, default=1, metavar="N", help="spread over N shops (1)")
    parser.add_argument(
        "--story", metavar="NAME", help="tell one case from beginning to end instead, or `all` of them"
    )
    parser.add_argument("--keep", action="store_true", help="leave it running until Ctrl-C")
    parser.set_defaults(run=("infra.local.demo", "run"))


def _simulate(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("platform", choices=["taobao"])
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--reviews", type=Path, required=True, metavar="FILE", help="CSV or CSV.gz")
    parser.add_argument("--faults", type=Path, metavar="FILE", help="faults to show, as TOML or JSON")
    parser.set_defaults(run=("infra.cli.simulate", "run"))


def _shop(parser: argparse.ArgumentParser, channel: bool) -> None:
    actions = parser.add_subparsers(required=True, metavar="ACTION")
    add = actions.add_parser("add", help="start watching a shop")
    add.add_argument("shop_id")
    add.add_argument("--platform", choices=["taobao"], default="taobao")
    add.add_argument("--name", required=True, help="what people call the shop")
    add.add_argument("--interval", type=_count, default=20, metavar="S", help="seconds between polls (20)")
    add.add_argument(
        "--silent-after", type=_count, default=86400, metavar="S", help="no review for this long alarms"
    )
    add.add_argument("--api-url", default="", help="the platform's address, if not its own")
    add.add_argument(
        "--orders-url", metavar="URL", help="the shop's order system, for refunds and new parcels"
    )
    add.add_argument(
        "--orders-key-file", type=Path, metavar="FILE", help="its signing key, whsec_… (none: one is made)"
    )
    add.set_defaults(run=("infra.cli.shop", "add"))
    orders = actions.add_parser("orders", help="where a shop takes orders for refunds and new parcels")
    orders.add_argument("shop_id")
    where = orders.add_mutually_exclusive_group(required=True)
    where.add_argument("--url", help="the address that takes signed orders")
    where.add_argument("--none", action="store_true", help="nowhere: a person carries them out")
    orders.add_argument(
        "--key-file", type=Path, metavar="FILE", help="the signing key, whsec_… (none: one is made)"
    )
    orders.set_defaults(run=("infra.cli.orders", "run"))
    resume = actions.add_parser("resume", help="watch it again, with new credentials if given")
    resume.add_argument("shop_id")
    resume.set_defaults(run=("infra.cli.shop", "resume"))
    for each in (add, resume):
        each.add_argument(
            "--credentials", type=Path, required=each is add, metavar="FILE",
            help='JSON: {"app_key": "...", "app_secret": "...", "session": "..."}; kept in Secrets Manager',
        )  # fmt: skip
    pause = actions.add_parser("pause", help="stop watching a shop")
    pause.add_argument("shop_id")
    pause.set_defaults(run=("infra.cli.shop", "pause"))
    listing = actions.add_parser("list", help="show all shops and how watching them goes")
    listing.set_defaults(run=("infra.cli.shop", "show"))
    channels = actions.add_parser("channel", help="the robots and systems that a shop's alerts go to")
    if channel:
        importlib.import_module("infra.cli.channel").arguments(channels)
    hours = actions.add_parser(
        "hours", help="show or set when a shop is open; deadlines count in these hours"
    )
    hours.add_argument("shop_id")
    wanted = hours.add_mutually_exclusive_group()
    wanted.add_argument("file", type=Path, nargs="?", metavar="FILE", help="TOML; see docs/operations.md")
    wanted.add_argument("--show", action="store_true", help="show them (so does leaving out FILE)")
    hours.set_defaults(run=("infra.cli.shop", "hours"))
    due = actions.add_parser("due", help="explain when a bad review would be due, line by line")
    due.add_argument("shop_id")
    due.add_argument(
        "--seen", required=True, metavar="TIME", help="such as 2026-05-08T17:40, the shop's time"
    )
    due.add_argument("--grade", required=True, choices=CAUSES)
    due.add_argument("--language", choices=["en", "zh"], default="en")
    due.set_defaults(run=("infra.cli.shop", "due"))
    for each in (add, orders, resume, pause, listing, hours, due):
        each.add_argument("--stage", choices=STAGES, default="dev")


def _replay(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--stage", choices=STAGES, default="dev")
    parser.set_defaults(run=("infra.cli.replay", "run"))


def _count(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"{text} is not a number from 1 on")
    return number


def _rate(text: str) -> float:
    number = float(text)
    if not 0 < number <= 1000:
        raise argparse.ArgumentTypeError(
            f"{text} is not a number of reviews a second, above 0 and at most 1000"
        )
    return number


if __name__ == "__main__":
    sys.exit(main())
