"""Explain: which row decided and why, what each other row lacked, and what would have changed it.

There is a version for the shop's people and one that is safe to send to a customer.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from math import inf
from typing import Any

from functions.domain.decisions import Decision, Fact, Output
from functions.rulebook.cells import FactType, Span
from functions.rulebook.faults import NoRowHolds
from functions.rulebook.regions import Axis, Space, told
from functions.rulebook.table import Row, Table


@dataclass(frozen=True, slots=True)
class Lacked:
    """Why another row did not decide: the facts that its tests refused, or that it came too late."""

    row: str
    why: str


@dataclass(frozen=True, slots=True)
class Change:
    """The smallest change of one fact after which another row would decide."""

    fact: str
    now: str
    then: str
    row: str
    outcome: str


@dataclass(frozen=True, slots=True)
class Explanation:
    decision: Decision | None  # None where no row holds
    outcome: str
    others: tuple[Lacked, ...]
    nearest: tuple[Change, ...]  # one a fact, the smallest first

    def for_agent(self) -> list[str]:
        decision = self.decision
        if decision is None:
            lines = [f"No row holds: {self.outcome}"]
        else:
            lines = [f"{decision.table}: row {decision.row!r} decides: {self.outcome}. {decision.why}"]
            if decision.shadow:
                lines.append(f"On trial: row {decision.shadow!r} would decide instead.")
        lines += [f"- {other.row}: {other.why}" for other in self.others]
        lines += [
            f"If {change.fact} were {change.then} instead of {change.now}, "
            f"row {change.row!r} would decide: {change.outcome}."
            for change in self.nearest
        ]
        return lines


def explain(table: Table, facts: Mapping[str, Fact], rulebook: str) -> Explanation:
    """Return the explanation of a decision. Raises TypeError for facts that the table does not declare."""
    try:
        decision: Decision | None = table.decide(facts, rulebook)
    except NoRowHolds:
        decision = None
    outcome = outcome_of(table, decision.then) if decision else "a gap in the table"
    others = tuple(_others(table, facts, decision))
    return Explanation(decision, outcome, others, tuple(_nearest(table, facts, decision)))


def outcome_of(table: Table, then: Mapping[str, Output]) -> str:
    """Return the outputs of a row as they are written: "remedy refund, coupon 5.00"."""
    said = ((name, told(value, table.outputs[name])) for name, value in then.items() if value is not None)
    return ", ".join(f"{name} {value}" for name, value in said) or "nothing"


def _others(table: Table, facts: Mapping[str, Fact], decision: Decision | None) -> Iterator[Lacked]:
    chosen = decision.row.split(",") if decision else []
    space = Space(table.facts, [row.spans for row in table.rows])
    axes = {axis.name: axis for axis in space.axes}
    late = False
    for row in table.rows:
        if row.id in chosen:
            late = table.hit != "collect"
            continue
        lacking = [
            f"needs {_needed(row, axes[name], span)}, but it is {told(facts[name], axes[name].kind)}"
            for name, span in row.spans.items()
            if not span.holds(facts[name])
        ]
        if lacking:
            yield Lacked(row.id, "; ".join(lacking))
        elif not row.live:
            yield Lacked(row.id, "holds too, but is on trial")
        elif late:
            yield Lacked(row.id, f"holds too, but comes after {chosen[0]!r}")


def _needed(row: Row, axis: Axis, span: Span) -> str:
    if axis.kind.name == "set":  # has(a) holds for many sets: the cell says it shorter
        return f"{axis.name} {row.written['when'][axis.name]}"
    return axis.words(axis.mask(span))


def _nearest(table: Table, facts: Mapping[str, Fact], decision: Decision | None) -> list[Change]:
    """Try, for every fact, the nearest value in each atom that the table tells apart."""
    decide = table.compiled("trial")
    space = Space(table.facts, [row.spans for row in table.rows if row.live])
    before = decision.then if decision else None
    found: list[tuple[tuple[float, float], Change]] = []
    for axis in space.axes:
        best: tuple[tuple[float, float], Change] | None = None
        for candidate in _candidates(axis, facts[axis.name]):
            try:
                after = decide(**{**facts, axis.name: candidate})
            except NoRowHolds:
                continue
            size = _size(facts[axis.name], candidate)
            if after.then != before and (best is None or size < best[0]):
                now, then = told(facts[axis.name], axis.kind), told(candidate, axis.kind)
                outcome = outcome_of(table, after.then)
                best = (size, Change(axis.name, now, then, after.row, outcome))
        if best:
            found.append(best)
    return [change for _, change in sorted(found, key=lambda pair: pair[0])]


def _candidates(axis: Axis, now: Fact) -> Iterator[Fact]:
    for place, atom in enumerate(axis.atoms):
        if isinstance(atom, tuple) and isinstance(now, int):
            low, high = atom
            if not low <= now <= high:
                yield int(low if now < low else high)
        elif isinstance(atom, frozenset):
            if atom != frozenset(now if isinstance(now, list) else []):
                yield sorted(atom)
        elif atom != now:
            yield axis.example(1 << place)


def _size(now: Fact, then: Fact) -> tuple[float, float]:
    """How big a change is: numbers by their distance to what they are, then other values, unknown last."""
    if isinstance(now, list) and isinstance(then, list):
        return 0, len(set(now) ^ set(then))
    if now is None or then is None:
        return 2, 0
    if isinstance(now, int) and isinstance(then, int) and not isinstance(now, bool):
        return 0, abs(then - now) / max(abs(now), 1)
    return 1, 0 if now != then else inf


def read_facts(table: Table, written: Mapping[str, Any]) -> dict[str, Fact]:
    """Return facts as the code hands them in, from how a table writes them; also all as text.

    Raises CellError, KeyError for a fact that is not declared.
    """
    return {name: table.facts[name].fact(_plain(value, table.facts[name])) for name, value in written.items()}


def _plain(value: Any, kind: FactType) -> Any:
    if not isinstance(value, str):
        return value
    if kind.name == "bool" and value in ("true", "false"):
        return value == "true"
    return value.split("+") if kind.name == "set" else value


# What a customer may be told, by the outputs that concern a customer. Nothing about suspicion, spending,
# tiers, costs or who decides goes out.
_TOLD = {
    ("remedy", "refund"): "我们将为您办理退款",
    ("remedy", "reship"): "我们将为您补发商品",
    ("remedy", "supervisor"): "您的问题已由售后主管专人跟进",
    ("remedy", "none"): "您的反馈已由专人核实处理",
    ("goodwill", "vip_gift"): "并为您准备了一份礼品",
    ("goodwill", "card_and_gift"): "并为您寄出一份小礼物",
}


def for_customer(table: Table, decision: Decision) -> str:
    """Return what may be said to a customer about a decision, with how to have a person look at it.

    The remedy depends on the order alone, so that is said; a suspicion is never named.
    """
    parts = [text for (name, value), text in _TOLD.items() if decision.then.get(name) == value]
    if coupon := decision.then.get("coupon"):
        parts.append(f"另附{told(coupon, table.outputs['coupon'])}元优惠券")
    if within := decision.then.get("respond_within"):
        hours = int(within) // 3600 if isinstance(within, int) else 0
        parts.append(f"我们会在{hours}小时内联系您")
    offered = decision.then.get("remedy") in ("refund", "reship")
    basis = "（依据订单金额确定，与评价内容无关）" if offered else ""
    said = "，".join(parts) or "您的反馈已收到"
    return f"您好，{said}{basis}。如您对结果有异议，可以要求人工复核。"
