"""Replay: decide past reviews or stored cases by two rulebooks, and say what changes, in cases and in yuan.

Nothing is sent or stored. Rows on trial (`mode = "shadow"`) of the new rules are decided and reported too.
"""

import argparse
import io
import json
import subprocess
import tarfile
import tempfile
from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import asdict, dataclass, field
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from functions.domain.cases import Case
from functions.domain.money import yuan
from functions.domain.profiles import Profile, take_order
from functions.rulebook import SHIPPED, Rulebook
from infra.rules.deciding import Asked, Outcome, asked, decided
from infra.rules.orders import Told, orders
from infra.rules.stored import asked_again, cases_of

ROOT = Path(__file__).parents[2]
COMPARED = ("bad", "grade", "owner", "deadline_s", "remedy", "coupon", "goodwill")
_FLIPS_PRINTED = 20


@dataclass(frozen=True, slots=True)
class Flip:
    order_id: str
    day: str
    value: int | None
    old: Outcome
    new: Outcome

    @property
    def changed(self) -> list[str]:
        return [name for name in COMPARED if getattr(self.old, name) != getattr(self.new, name)]

    @property
    def said(self) -> list[str]:
        """What changes, for people: "coupon 5.00 → 10.00"."""
        return [
            f"{name.removesuffix('_s')} {_told(name, self.old)} → {_told(name, self.new)}"
            for name in self.changed
        ]


def _told(name: str, outcome: Outcome) -> str:
    value = getattr(outcome, name)
    if name == "coupon":
        return yuan(value)
    if name == "deadline_s":
        return f"{value / 3600:g}h"
    return {True: "yes", False: "no"}.get(value, value) or "none"


@dataclass(slots=True)
class Replay:
    old: str
    new: str
    orders: int = 0
    reviews: int = 0
    left_out: int = 0  # stored cases that these rules ask other facts about
    cases: tuple[int, int] = (0, 0)
    cost: tuple[int, int] = (0, 0)
    days: int = 1
    months: dict[str, list[int]] = field(default_factory=dict)  # month -> cost by the old and the new rules
    flips: list[Flip] = field(default_factory=list)
    shadow: Counter[str] = field(default_factory=Counter)  # "remedies.big" -> cases that it would decide
    shadow_cost: Counter[str] = field(default_factory=Counter)

    @property
    def per_day(self) -> int:
        """Difference, fen per day."""
        return round((self.cost[1] - self.cost[0]) / self.days)

    @property
    def changes(self) -> dict[str, int]:
        counted = Counter(name for flip in self.flips for name in flip.changed)
        return {name: counted[name] for name in COMPARED}


def replay(told: list[Told], old: Rulebook, new: Rulebook) -> Replay:
    """Return what changes. Every customer's history is what the file told before the review."""
    result = Replay(old.version, new.version)
    profiles: dict[str, Profile] = {}
    result.days = _days([one.at for one in told if one.review is not None])
    for one in told:
        order, review = one.order, one.review
        customer = order.customer_id if order else review.customer_id if review else None
        shop = order.shop_id if order else "replay"
        profile = profiles.get(customer or "") or Profile(shop_id=shop, customer_id=customer or "unknown")
        if review is None:
            if order is not None:
                result.orders += 1
                profiles[order.customer_id] = take_order(profile, order, None, one.at)
            continue
        result.reviews += 1
        known = Known(order.order_id if order else review.review_id, one.at)
        _both(result, known, old, new, partial(asked, review, order, profile, now=one.at))
    return result


def replay_cases(cases: list[Case], old: Rulebook, new: Rulebook) -> Replay:
    """Return what changes for stored cases: the same facts, other rules. Good reviews are not stored."""
    result = Replay(old.version, new.version, days=_days([case.opened_at for case in cases]))
    for case in cases:
        try:
            _both(result, Known(case.case_id, case.opened_at), old, new, partial(asked_again, case))
        except (TypeError, KeyError):  # decided from other facts, or by other tables
            result.left_out += 1
        else:
            result.reviews += 1
    return result


class Known(NamedTuple):
    name: str
    at: datetime


def _both(result: Replay, known: Known, old: Rulebook, new: Rulebook, asking: Callable[..., Asked]) -> None:
    by_new = asking(rules=new)
    after = decided(by_new, new, None)
    before = after if old.version == new.version else decided(asking(rules=old), old, None)
    trial = decided(by_new, new, result.shadow)
    _count(result, known, by_new.order_value, before, after)
    for row in trial.rows:
        result.shadow_cost[row] += trial.cost - after.cost


def _count(result: Replay, known: Known, value: int | None, before: Outcome, after: Outcome) -> None:
    result.cases = (result.cases[0] + before.bad, result.cases[1] + after.bad)
    result.cost = (result.cost[0] + before.cost, result.cost[1] + after.cost)
    month = result.months.setdefault(known.at.strftime("%Y-%m"), [0, 0])
    month[0] += before.cost
    month[1] += after.cost
    flip = Flip(known.name, known.at.date().isoformat(), value, before, after)
    if flip.changed:
        result.flips.append(flip)


def _days(moments: list[datetime]) -> int:
    return (max(moments).date() - min(moments).date()).days + 1 if moments else 1


def rules_of(name: str, stack: ExitStack, stage: str = "dev") -> Rulebook:
    """Return the rulebook of a folder or of a git revision, or the deployed one. Raises ValueError."""
    if name == "deployed":
        from infra.rules.rollout import deployed

        return Rulebook(deployed(stage) or SHIPPED)
    if Path(name).is_dir():
        return Rulebook(Path(name))
    packed = subprocess.run(
        ["git", "-C", str(ROOT), "archive", name, "rules"], capture_output=True, check=False
    )
    if packed.returncode:
        raise ValueError(
            f"{name} is neither a folder nor a git revision with rules/: {packed.stderr.decode()}"
        )
    folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
    with tarfile.open(fileobj=io.BytesIO(packed.stdout)) as tar:
        tar.extractall(folder, filter="data")
    return Rulebook(folder / "rules")


def run(given: argparse.Namespace) -> int:
    with ExitStack() as stack:
        old, new = (rules_of(name, stack, given.stage) for name in (given.old, given.new))
        if given.shop:
            result = replay_cases(cases_of(given.shop, given.stage), old, new)
        else:
            result = replay(orders(given.reviews, given.limit), old, new)
    if given.html:
        from infra.rules.chart import page

        given.html.write_text(page(result), encoding="utf-8")
    show: Callable[[Replay], str] = as_json if given.format == "json" else as_text
    print(show(result))
    return 0


def as_json(result: Replay) -> str:
    shape: dict[str, Any] = {
        "from": result.old,
        "to": result.new,
        "orders": result.orders,
        "reviews": result.reviews,
        "left_out": result.left_out,
        "days": result.days,
        "cases": {"from": result.cases[0], "to": result.cases[1]},
        "cost_fen": {"from": result.cost[0], "to": result.cost[1]},
        "difference_fen_per_day": result.per_day,
        "changes": result.changes,
        "shadow": {
            row: {"cases": n, "cost_fen": result.shadow_cost[row]} for row, n in result.shadow.items()
        },
        "flips": [asdict(flip) | {"changed": flip.changed} for flip in result.flips],
    }
    return json.dumps(shape, ensure_ascii=False, indent=2)


def as_text(result: Replay) -> str:
    lines = [
        f"rules {result.old} -> {result.new}: "
        f"{result.orders} orders, {result.reviews} reviews, {result.days} days",
        f"cases {result.cases[0]} -> {result.cases[1]}",
        f"cost  {yuan(result.cost[0])} -> {yuan(result.cost[1])} yuan",
        f"difference {yuan(result.per_day)} yuan a day",
        f"{len(result.flips)} cases change: "
        + ", ".join(f"{n} {name}" for name, n in result.changes.items() if n),
    ]
    if result.left_out:
        lines.append(f"{result.left_out} cases left out: these rules ask about facts that they do not have")
    lines += [
        f"on trial {row}: would decide {count} cases, {yuan(result.shadow_cost[row])} yuan"
        for row, count in sorted(result.shadow.items())
    ]
    for flip in result.flips[:_FLIPS_PRINTED]:
        value = yuan(flip.value) if flip.value is not None else "unknown"
        lines.append(f"  {flip.day} {flip.order_id} ({value} yuan): {', '.join(flip.said)}")
    if len(result.flips) > _FLIPS_PRINTED:
        lines.append(f"  and {len(result.flips) - _FLIPS_PRINTED} more (--format json has all)")
    return "\n".join(lines)
