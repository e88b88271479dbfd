"""winback evidence: verify a pack of evidence offline, and fetch a case's pack from a deployed stage."""

import argparse
import os
from pathlib import Path

from rich.console import Console
from rich.text import Text

from functions import rulebook
from functions.evidence.pack import Altered, build
from functions.evidence.verify import verify as verified
from infra.cli.main import STAGES, UsageError


def arguments(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(required=True, metavar="ACTION")
    check = actions.add_parser("verify", help="say what of a pack was altered; needs no network")
    check.add_argument("pack", type=Path, metavar="PACK", help="the zip file")
    check.add_argument("--head", metavar="HASH", help="as recorded in the case's timeline")
    check.set_defaults(run=("infra.cli.evidence", "verify"))
    pack = actions.add_parser("pack", help="build the pack of a case here, from a deployed stage's store")
    pack.add_argument("case", metavar="CASE", help="its number, WB-...")
    pack.add_argument("--out", type=Path, required=True, metavar="FILE")
    pack.add_argument("--stage", choices=STAGES, default="dev")
    pack.set_defaults(run=("infra.cli.evidence", "pack"))


def verify(given: argparse.Namespace) -> int:
    """Print every finding. Return 0 for a pack without any, else 1."""
    if not given.pack.is_file():
        raise UsageError(f"there is no file {given.pack}")
    found = verified(given.pack, given.head)
    screen = Console(soft_wrap=True, highlight=False)
    if found.findings:
        for each in found.findings:
            # A forged name is data: nothing in it may steer the terminal.
            screen.print(Text(_printable(f"{each.what}: {each.path or 'the pack'}: {each.detail}")))
        screen.print(f"NOT GENUINE: {given.pack}, findings: {len(found.findings)}")
        return 1
    screen.print(f"{found.case_id}: {found.files} files, every one as the manifest says, the chain is whole.")
    screen.print(f"head {found.head}")
    if given.head is None:
        screen.print(
            "It is the pack that was built if the case's timeline records this head (--head compares it)."
        )
    else:
        screen.print("It is the pack that was built: the recorded head is this one.")
    return 0


def pack(given: argparse.Namespace) -> int:
    """Write the pack. Return 1 where an exhibit in the store is not what was recorded."""
    import boto3

    from functions.store import cases, evidence

    stacks = boto3.client("cloudformation").describe_stacks(StackName=f"Winback-{given.stage}")["Stacks"]
    outputs = {each["OutputKey"]: each["OutputValue"] for each in stacks[0]["Outputs"]}
    os.environ["WINBACK_CASES_TABLE"] = outputs["CasesTable"]
    os.environ["WINBACK_EVIDENCE_BUCKET"] = outputs["EvidenceBucket"]
    case = cases.read(given.case)
    if case is None:
        raise UsageError(f"stage {given.stage} has no case {given.case}")
    unfinished = given.out.with_name(given.out.name + ".part")
    try:
        with unfinished.open("wb") as file:
            built = build(case, rulebook.load(), lambda exhibit: evidence.chunks(case.case_id, exhibit), file)
    except Altered as error:
        unfinished.unlink()
        print(f"winback: {error}")
        return 1
    unfinished.replace(given.out)
    print(f"{given.out}: {built.size} bytes, {len(case.dossier.exhibits)} exhibits\nhead {built.head}")
    return 0


def _printable(text: str) -> str:
    return "".join(char if char.isprintable() else f"\\x{ord(char):02x}" for char in text)
