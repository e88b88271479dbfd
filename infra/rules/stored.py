"""Stored: a shop's cases as the system keeps them, decided again, and what rows on trial said about them."""

import argparse
import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import boto3

from functions.domain.cases import Case
from functions.domain.decisions import Decision, Fact
from functions.domain.money import yuan
from functions.domain.reading import Reading
from functions.domain.times import iso
from functions.domain.verdicts import complaint
from functions.rulebook import Rulebook
from functions.rulebook.regions import told
from functions.store.calls import batch_get
from functions.store.items import attributes, from_item
from infra.rules.deciding import Asked, cost, read

_DAY_S = 86400


def cases_of(shop: str, stage: str, since: datetime | None = None) -> list[Case]:
    """Return the shop's cases, the oldest first."""
    table = f"winback-{stage}-cases"
    pages = (
        boto3.client("dynamodb")
        .get_paginator("query")
        .paginate(
            TableName=table,
            IndexName="by_shop",
            KeyConditionExpression="shop_id = :shop AND opened_at >= :since",
            ExpressionAttributeValues=attributes({":shop": shop, ":since": iso(since) if since else "0"}),
            ProjectionExpression="case_id",
        )
    )
    keys = [{"case_id": item["case_id"]} for page in pages for item in page["Items"]]
    return sorted((from_item(Case, item) for item in batch_get(table, keys)), key=lambda case: case.opened_at)


def asked_again(case: Case, rules: Rulebook) -> Asked:
    """Return what the rules say on the facts that the case was decided from.

    The text is read again, unless it was edited since or its writer was erased. Raises TypeError where a
    table asks for facts that were not recorded, KeyError for a case without its decisions.
    """
    taken = {decision.table: decision.facts for decision in case.decisions}
    review, seen, malice = case.review, taken["detection"], taken["malice"]
    cause = str(taken["grades"]["cause"])
    if review.text and len(case.versions) == 1:
        reading = read(review.text, rules)
        cause, seen = reading.cause, {**seen, "complains": complaint(review, reading)}
        malice = {**malice, "signals": len(_signals(case, reading, rules))}
    value = taken["remedies"]["order_value"]
    return Asked(
        rules.decide("detection", seen),
        lambda: rules.decide("malice", malice),
        lambda: rules.decide("tiers", taken["tiers"]),
        cause,
        value if isinstance(value, int) else None,
    )


def _signals(case: Case, reading: Reading, rules: Rulebook) -> set[str]:
    """Return the signals that still speak; none where a person rejected them."""
    if case.malice is not None and case.malice.status == "rejected":
        return set()
    seen: set[tuple[str, int, int]] = {("blackmail_in_review", len(reading.blackmail), 0)}
    seen |= {(one.name, one.count, one.percent) for one in case.signals if one.name != "blackmail_in_review"}
    asked: list[dict[str, Fact]] = [
        {"signal": name, "count": count, "percent": percent} for name, count, percent in seen
    ]
    return {str(facts["signal"]) for facts in asked if rules.decide("signals", facts).then["speaks"] is True}


@dataclass(slots=True)
class Trial:
    """What a row on trial would have decided. Amounts are fen."""

    cases: int = 0
    cost: int = 0
    changes: Counter[str] = field(default_factory=Counter)  # "coupon 5.00 -> 8.00" -> cases


@dataclass(slots=True)
class Shadows:
    cases: int
    days: int
    rows: dict[str, Trial]
    gone: Counter[str]  # rows that the rules no longer have


def shadows(cases: list[Case], rules: Rulebook) -> Shadows:
    """Return what was recorded on the cases about rows on trial, what they would have changed and cost."""
    seconds = (cases[-1].opened_at - cases[0].opened_at).total_seconds() if cases else 0
    found = Shadows(len(cases), int(seconds // _DAY_S) + 1, {}, Counter())
    for case in cases:
        for decision in case.decisions:
            if decision.shadow is not None:
                _count(found, case, decision, rules)
    return found


def _count(found: Shadows, case: Case, decision: Decision, rules: Rulebook) -> None:
    name = f"{decision.table}.{decision.shadow}"
    table = rules.table(decision.table) if decision.table in rules.names else None
    row = next((row for row in table.rows if row.id == decision.shadow), None) if table else None
    if table is None or row is None:
        found.gone[name] += 1
        return
    trial = found.rows.setdefault(name, Trial())
    trial.cases += 1
    for output, value in row.then.items():
        if output in decision.then and value != (before := decision.then[output]):
            kind = table.outputs[output]
            trial.changes[f"{output} {told(before, kind)} -> {told(value, kind)}"] += 1
    taken: dict[str, Mapping[str, Any]] = {one.table: one.then for one in case.decisions}
    value = next(one.facts["order_value"] for one in case.decisions if one.table == "remedies")
    worth = value if isinstance(value, int) else None
    instead = {**taken, decision.table: row.then}
    trial.cost += cost(instead["remedies"], instead["goodwill"], worth)
    trial.cost -= cost(taken["remedies"], taken["goodwill"], worth)


def run(given: argparse.Namespace) -> int:
    """Print what rows on trial did on a shop's cases."""
    since = datetime.fromisoformat(given.since).replace(tzinfo=UTC) if given.since else None
    found = shadows(cases_of(given.shop, given.stage, since), Rulebook(given.rules))
    print(as_json(found) if given.format == "json" else as_text(found))
    return 0


def as_text(found: Shadows) -> str:
    lines = [f"{found.cases} cases in {found.days} days"]
    for name, trial in sorted(found.rows.items()):
        share = round(100 * trial.cases / found.cases)
        lines.append(
            f"{name}: would have decided {trial.cases} ({share} %), {yuan(trial.cost)} yuan, "
            f"{yuan(round(trial.cost / found.days))} a day"
        )
        lines += [f"  {count:>5}  {change}" for change, count in trial.changes.most_common()]
    lines += [
        f"{name}: decided {count}, but these rules no longer have it (--rules FOLDER names others)"
        for name, count in sorted(found.gone.items())
    ]
    if not found.rows and not found.gone:
        lines.append('no row on trial held for any of them (a row is on trial with mode = "shadow")')
    return "\n".join(lines)


def as_json(found: Shadows) -> str:
    shape = {
        "cases": found.cases,
        "days": found.days,
        "rows": {
            name: {"cases": trial.cases, "cost_fen": trial.cost, "changes": dict(trial.changes)}
            for name, trial in found.rows.items()
        },
        "gone": dict(found.gone),
    }
    return json.dumps(shape, ensure_ascii=False, indent=2)
