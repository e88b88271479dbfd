"""Replay: decide a file of orders and reviews by two rulebooks, and say what changes, in cases and in yuan.

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
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

from functions.domain.decisions import Decision
from functions.domain.malice import signals, suspicion
from functions.domain.money import yuan
from functions.domain.profiles import Order, Profile, take_order
from functions.domain.reading import Reading
from functions.domain.remedies import goodwill, remedy
from functions.domain.reviews import Review
from functions.domain.tiers import tier
from functions.rulebook import Rulebook
from infra.rules.orders import Told, orders

ROOT = Path(__file__).parents[2]
COMPARED = ("bad", "grade", "owner", "deadline_s", "remedy", "coupon", "goodwill")
_FLIPS_PRINTED = 20


@dataclass(frozen=True, slots=True)
class Outcome:
    """What is decided on one review. Amounts are fen.

    `cost` is the coupon, what is refunded, the value of what is sent again, and the cap of the goodwill; a
    supervisor's case costs its suggestion.
    """

    bad: bool = False
    grade: str = ""
    owner: str = ""
    deadline_s: int = 0
    remedy: str = ""
    coupon: int = 0
    goodwill: str = ""
    cost: int = 0
    rows: tuple[str, ...] = ()


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


@dataclass(slots=True)
class Replay:
    old: str
    new: str
    orders: int = 0
    reviews: int = 0
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
    known: dict[str, Order] = {}
    days = [one.at.date() for one in told if one.review is not None]
    result.days = (days[-1] - days[0]).days + 1 if days else 1
    same = old.version == new.version
    for one in told:
        customer = one.order.customer_id
        profile = profiles.get(customer) or Profile(shop_id=one.order.shop_id, customer_id=customer)
        if one.review is None:
            result.orders += 1
            profiles[customer] = take_order(profile, one.order, None, one.at)
            known[one.order.order_id] = one.order
            continue
        result.reviews += 1
        before = decided(one.review, one.order, profile, old, one.at, None)
        after = before if same else decided(one.review, one.order, profile, new, one.at, None)
        _count(result, one, before, after)
        trial = decided(one.review, one.order, profile, new, one.at, result.shadow)
        for row in trial.rows:
            result.shadow_cost[row] += trial.cost - after.cost
    return result


def _count(result: Replay, one: Told, before: Outcome, after: Outcome) -> None:
    result.cases = (result.cases[0] + before.bad, result.cases[1] + after.bad)
    result.cost = (result.cost[0] + before.cost, result.cost[1] + after.cost)
    month = result.months.setdefault(one.at.strftime("%Y-%m"), [0, 0])
    month[0] += before.cost
    month[1] += after.cost
    flip = Flip(one.order.order_id, one.at.date().isoformat(), one.order.total, before, after)
    if flip.changed:
        result.flips.append(flip)


def decided(
    review: Review,
    order: Order,
    profile: Profile,
    rules: Rulebook,
    now: datetime,
    shadow: Counter[str] | None,
) -> Outcome:
    """Return what the rules decide; with a counter, what they would decide with the rows on trial live."""
    reading = _reading(review.text, rules)
    tried: list[str] = []

    def answer(decision: Decision) -> Decision:
        if shadow is None or decision.shadow is None:
            return decision
        name = f"{decision.table}.{decision.shadow}"
        shadow[name] += 1
        tried.append(name)
        row = next(row for row in rules.table(decision.table).rows if row.id == decision.shadow)
        return replace(decision, row=row.id, why=row.why, then=row.then)

    seen = {"stars": review.stars, "rating": review.rating, "complains": reading.complains}
    if answer(rules.decide("detection", seen)).then["bad"] is not True:
        return Outcome()
    found = signals(review, reading, profile, rules, now)
    suspected = answer(suspicion(found, False, rules)).then["suspected"] is True
    grade = answer(rules.decide("grades", {"cause": reading.cause, "suspected_malicious": suspected}))
    customer = answer(tier(profile, order, rules, now))
    offer = answer(remedy(order.total, suspected, rules))
    extra = answer(goodwill(customer.text("tier"), suspected, rules))
    chosen = offer.text("remedy")
    suggested = offer.text("suggestion") if chosen == "supervisor" else chosen
    goods = order.total if suggested in ("refund", "reship") else 0
    coupon = offer.number("coupon") or offer.number("suggested_coupon")
    return Outcome(
        bad=True,
        grade=grade.text("grade"),
        owner=grade.text("owner"),
        deadline_s=grade.number("respond_within"),
        remedy=chosen,
        coupon=coupon,
        goodwill=extra.text("goodwill"),
        cost=coupon + goods + extra.number("cost_cap"),
        rows=tuple(tried),
    )


@lru_cache(maxsize=65536)
def _reading(text: str, rules: Rulebook) -> Reading:
    return rules.read(text)


def rules_of(name: str, stack: ExitStack) -> Rulebook:
    """Return the rulebook of a folder or of a git revision. Raises ValueError."""
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
        result = replay(
            orders(given.reviews, given.limit), rules_of(given.old, stack), rules_of(given.new, stack)
        )
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
    lines += [
        f"on trial {row}: would decide {count} cases, {yuan(result.shadow_cost[row])} yuan"
        for row, count in sorted(result.shadow.items())
    ]
    for flip in result.flips[:_FLIPS_PRINTED]:
        said = ", ".join(
            f"{name} {getattr(flip.old, name)} -> {getattr(flip.new, name)}" for name in flip.changed
        )
        value = yuan(flip.value) if flip.value is not None else "unknown"
        lines.append(f"  {flip.day} {flip.order_id} ({value} yuan): {said}")
    if len(result.flips) > _FLIPS_PRINTED:
        lines.append(f"  and {len(result.flips) - _FLIPS_PRINTED} more (--format json has all)")
    return "\n".join(lines)
