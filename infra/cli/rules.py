"""`winback rules`: check, explain, replay, show, exchange and push the decision tables."""

import argparse
import json
import sys
import tomllib
from pathlib import Path
from typing import Any

from functions.rulebook import SHIPPED, Rulebook, RuleError
from functions.rulebook.cells import CellError
from functions.rulebook.check import check
from functions.rulebook.compiled import source
from functions.rulebook.explain import explain, for_customer, read_facts
from functions.rulebook.table import Table
from infra.cli.main import STAGES


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare `winback rules` and its actions."""
    parser.set_defaults(run=("infra.cli.rules", "run"))
    actions = parser.add_subparsers(required=True, metavar="ACTION", dest="action")
    checked = actions.add_parser(
        "check", help="find gaps, overlaps, dead rows and everything else that is wrong"
    )
    checked.add_argument("--format", choices=["text", "json"], default="text")
    told = actions.add_parser("explain", help="say which row decides, and what would change it")
    told.add_argument("table")
    told.add_argument(
        "--facts", nargs="+", required=True, metavar="FILE|KEY=VALUE", help="TOML or JSON, or pairs"
    )
    told.add_argument("--format", choices=["text", "json"], default="text")
    replayed = actions.add_parser("replay", help="decide past reviews by old and new rules, in yuan")
    replayed.add_argument(
        "--from", dest="old", required=True, metavar="OLD", help="git revision, folder, or `deployed`"
    )
    replayed.add_argument("--to", dest="new", default=str(SHIPPED), metavar="NEW", help="the same (rules/)")
    past = replayed.add_mutually_exclusive_group(required=True)
    past.add_argument("--reviews", type=Path, metavar="FILE", help="CSV or CSV.gz")
    past.add_argument("--shop", metavar="SHOP", help="the stored cases of a shop")
    replayed.add_argument("--limit", type=int, metavar="N", help="the first N rows only")
    replayed.add_argument("--format", choices=["text", "json"], default="text")
    replayed.add_argument("--html", type=Path, metavar="FILE", help="write a page with a chart")
    trial = actions.add_parser("shadow", help="what rows on trial would have decided on a shop's cases")
    trial.add_argument("--shop", required=True, metavar="SHOP")
    trial.add_argument("--since", metavar="DATE", help="cases opened from this day on (2026-11-01)")
    trial.add_argument("--format", choices=["text", "json"], default="text")
    shown = actions.add_parser("show", help="write the tables as one page, or print what they compile to")
    shown.add_argument("--html", type=Path, metavar="FILE", help="the page to write (rules.html)")
    shown.add_argument("--source", metavar="TABLE", help="print the Python that a table becomes")
    dmn = actions.add_parser("dmn", help="exchange tables with DMN 1.3 tools")
    way = dmn.add_mutually_exclusive_group(required=True)
    way.add_argument("--export", type=Path, metavar="FOLDER", help="write every table as a .dmn file")
    way.add_argument("--import", dest="read", type=Path, metavar="FILE", help="print a .dmn file as a table")
    pushed = actions.add_parser(
        "push", help="check the rules, upload them and roll them out, without a deployment"
    )
    pace = pushed.add_mutually_exclusive_group()
    pace.add_argument("--now", action="store_true", help="to all functions at once")
    pace.add_argument("--gradual", action="store_true", help="over ten minutes, watched by an alarm")
    status = actions.add_parser("status", help="which rulebook is in force, and what is on its way")
    back = actions.add_parser("rollback", help="take back what is on its way, else what was pushed last")
    back.add_argument(
        "--to", metavar="VERSION", help="this version instead; `bundled`: the one deployed with the code"
    )
    for each in (pushed, back):
        each.add_argument("--no-wait", action="store_true", help="do not wait for the end of the rollout")
    for each in (replayed, trial, pushed, status, back):
        each.add_argument("--stage", choices=STAGES, default="dev")
    for each in (checked, told, shown, trial, dmn, pushed, status):
        each.add_argument(
            "--rules", type=Path, default=SHIPPED, metavar="FOLDER", help="another folder of rules"
        )


def run(given: argparse.Namespace) -> int:
    """Return 0, 1 where the rules have faults, 2 where it cannot be tried."""
    try:
        return _ACTIONS[given.action](given)
    except (RuleError, CellError, OSError, tomllib.TOMLDecodeError, ValueError, TypeError) as error:
        print(f"winback rules: {error}", file=sys.stderr)
        return 2


def _check(given: argparse.Namespace) -> int:
    faults = check(given.rules)
    if given.format == "json":
        print(json.dumps([fault.as_dict() for fault in faults], ensure_ascii=False, indent=2))
    else:
        for fault in faults:
            print(fault)
        tables = len(Rulebook(given.rules).names)
        print(
            f"{len(faults)} faults"
            if faults
            else f"{tables} tables: no gap, no overlap, no dead row, no fault"
        )
    return 1 if faults else 0


def _explain(given: argparse.Namespace) -> int:
    rules = Rulebook(given.rules)
    table = _table(rules, given.table)
    facts = read_facts(table, _facts(given.facts, table))
    told = explain(table, facts, rules.version)
    customer = for_customer(table, told.decision) if told.decision else None
    chosen = told.decision.row.split(",") if told.decision else []
    chinese = "".join(row.why_zh for row in table.rows if row.id in chosen)
    if given.format == "json":
        shape = {
            "table": table.name,
            "row": told.decision.row if told.decision else None,
            "rulebook": rules.version,
            "agent": told.for_agent(),
            "why_zh": chinese,
            "customer": customer,
        }
        print(json.dumps(shape, ensure_ascii=False, indent=2))
        return 0
    print(
        "\n".join(
            [
                *told.for_agent(),
                *([f"理由：{chinese}"] if chinese else []),
                "",
                *(["To the customer:", customer] if customer else []),
            ]
        )
    )
    return 0


def _table(rules: Rulebook, name: str) -> Table:
    if name not in rules.names:
        raise ValueError(f"there is no table {name!r}; there are {', '.join(rules.names)}")
    return rules.table(name)


def _facts(written: list[str], table: Table) -> dict[str, Any]:
    if len(written) == 1 and "=" not in written[0]:
        text = Path(written[0]).read_text(encoding="utf-8")
        facts = json.loads(text) if written[0].endswith(".json") else tomllib.loads(text)
    else:
        facts = dict(pair.partition("=")[::2] for pair in written)
    if wrong := sorted(facts.keys() ^ table.facts.keys()):
        raise ValueError(f"{table.name} is decided from {', '.join(table.facts)}; see: {', '.join(wrong)}")
    return {name: facts[name] for name in table.facts}


def _replay(given: argparse.Namespace) -> int:
    from infra.rules import replay

    return replay.run(given)


def _shadow(given: argparse.Namespace) -> int:
    from infra.rules import stored

    return stored.run(given)


def _show(given: argparse.Namespace) -> int:
    rules = Rulebook(given.rules)
    if given.source:
        print(source(_table(rules, given.source), rules.version)[0], end="")
        return 0
    from infra.rules.page import page

    file = given.html or Path("rules.html")
    file.write_text(page(rules), encoding="utf-8")
    print(f"wrote {file}")
    return 0


def _dmn(given: argparse.Namespace) -> int:
    from infra.rules.dmn import exported, imported

    if given.read:
        print(imported(given.read.read_text(encoding="utf-8")), end="")
        return 0
    given.export.mkdir(parents=True, exist_ok=True)
    for table in Rulebook(given.rules).tables.values():
        (given.export / f"{table.name}.dmn").write_text(exported(table), encoding="utf-8")
    print(f"wrote {len(list(given.export.glob('*.dmn')))} tables to {given.export}")
    return 0


def _roll(given: argparse.Namespace) -> int:
    from infra.rules import rollout  # boto3 is slow to import

    actions = {"push": rollout.push, "status": rollout.status, "rollback": rollout.rollback}
    return actions[given.action](given)


_ACTIONS = {
    "check": _check,
    "explain": _explain,
    "replay": _replay,
    "shadow": _shadow,
    "show": _show,
    "dmn": _dmn,
    **dict.fromkeys(("push", "status", "rollback"), _roll),
}

if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="winback rules", description=__doc__)
    arguments(parser)
    sys.exit(run(parser.parse_args()))
