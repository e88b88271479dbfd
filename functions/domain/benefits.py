"""Benefits: what a case's customer is to get, on which terms, and what a case has cost so far.

What is given was decided from the order and the customer's tier when the case was opened. Nothing here
can see the review; a suspected case gets nothing until a person has rejected the suspicion.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Final, Literal

from pydantic import BaseModel, ConfigDict

from functions.domain.cases import Case, Effect
from functions.domain.decisions import Decision, Rules
from functions.domain.ledger import Benefit, Grant, Line, State, Step, states
from functions.domain.money import Fen, yuan

_GIFTS: dict[str, Benefit] = {"vip_gift": "gift", "card_and_gift": "card"}
# The name that rules/coupon_terms.toml has for a step's coupon.
_COUPONS: dict[Step, str] = {"care": "care", "repurchase": "repurchase"}
_FOLLOW_UPS: dict[Step, str] = {"care": "care", "repurchase": "repurchase"}
SHOP: Final = "shop"  # the shop's own budget, over all rows


class Nothing(BaseModel):
    """There is nothing to grant, and why."""

    model_config = ConfigDict(frozen=True)

    why: str


class Terms(BaseModel):
    """On which terms a benefit is given (rules/budgets.toml). Amounts are fen, None is no limit."""

    model_config = ConfigDict(frozen=True)

    per_day: Fen | None
    shop_per_day: Fen | None
    per_case: Fen | None
    hold_s: int


class CouponTerms(BaseModel):
    model_config = ConfigDict(frozen=True)

    valid_until: datetime
    stackable: bool


class Costs(BaseModel):
    """What a case cost so far, fen: `given` took effect, `reserved` is held, `total` is both."""

    model_config = ConfigDict(frozen=True)

    given: Fen = 0
    reserved: Fen = 0
    taken_back: Fen = 0
    lapsed: Fen = 0
    total: Fen = 0


def wanted(case: Case, step: Step, rules: Rules) -> Grant | Nothing:
    """Return what the rules want to give the case's customer in this step."""
    if reason := barred(case):
        return Nothing(why=reason)
    match step:
        case "remedy":
            return _remedy(case)
        case "coupon":
            return _coupon(case, step, case.coupon, _row(_decided(case, "remedies")) + ".coupon")
        case "goodwill":
            return _goodwill(case)
        case "care" | "repurchase":
            decision = rules.ask.follow_up(step=_FOLLOW_UPS[step])
            return _coupon(case, step, decision.number("coupon"), _row(decision))
    return Nothing(why="only a person gives something extra")


def suspected(case: Case) -> bool:
    return case.suspected_malicious or "malicious" in (case.grade, case.confirmed_cause)


def barred(case: Case) -> str | None:
    """Return why nobody gets anything for this case now, None where nothing is against it."""
    if suspected(case):
        return "suspected malicious: no benefit until a person has rejected the suspicion"
    if case.outcome != "solved":
        return "the case is not solved"
    return None


def order_value(case: Case) -> int | None:
    """Return the order's value in fen as the remedy was decided from, None where it is unknown."""
    decision = _decided(case, "remedies")
    value = decision.facts.get("order_value") if decision else None
    return value if isinstance(value, int) else None


def chosen(case: Case, step: Step, benefit: Benefit, cost: int | None, by: str) -> Grant | Nothing:
    """Return what a person wants to give: `cost` in fen, the order's value where none is said."""
    if reason := barred(case):
        return Nothing(why=reason)
    if benefit in ("refund", "reship"):
        value = order_value(case)
        if cost is not None and value is not None and cost > value:
            return Nothing(why=f"{yuan(cost)} is more than the order's value, {yuan(value)}")
        cost = value if cost is None else cost
    if not cost:
        return Nothing(why="say what it costs (`cost`, fen): the order's value is not known")
    return Grant(
        shop_id=case.shop_id,
        case_id=case.case_id,
        step=step,
        benefit=benefit,
        row=f"person.{benefit}",
        cost=cost,
        by=by,
    )


def terms(benefit: Benefit, rules: Rules) -> Terms:
    """Return on which terms the benefit is given."""
    row, shop = (rules.ask.budgets(of=of) for of in (benefit, SHOP))
    return Terms(
        per_day=_limit(row, "per_day"),
        shop_per_day=_limit(shop, "per_day"),
        per_case=_limit(row, "per_case"),
        hold_s=row.number("hold"),
    )


def limit_of(of: Benefit | Literal["shop"], rules: Rules) -> int | None:
    """Return the budget of a day, fen: of the shop, or of each row that gives such a benefit."""
    return _limit(rules.ask.budgets(of=of), "per_day")


def objection(grant: Grant, on: Terms) -> str | None:
    """Return why a person has to approve the grant whatever the budget, None where nobody has to."""
    if grant.benefit is None:
        return "a supervisor decides what to give"
    if on.per_case is not None and grant.cost > on.per_case:
        return f"{yuan(grant.cost)} is above the limit of {yuan(on.per_case)} a case"
    return None


def coupon_terms(step: Step, now: datetime, rules: Rules) -> CouponTerms:
    """Return until when a coupon given now is valid, and whether it adds to others."""
    decision = rules.ask.coupon_terms(coupon=_COUPONS.get(step, "apology"))
    return CouponTerms(
        valid_until=now + timedelta(seconds=decision.number("valid_for")),
        stackable=decision.then["stackable"] is True,
    )


def usable(stands: State, now: datetime) -> bool:
    """Say whether the benefit is a coupon that can be used now."""
    valid = stands.valid_until is not None and now < stands.valid_until
    return stands.code is not None and stands.standing == "effective" and valid


def asking(case: Case, step: Step, number: int, now: datetime) -> dict[str, Effect]:
    """Return the case's outbox with the grant of a benefit to be looked at now.

    Under a key of its own, by the `number` of the line that it follows from: a look that began before must
    not hold it again when it ends.
    """
    others = {
        key: effect for key, effect in case.outbox.items() if (effect.kind, effect.name) != ("grant", step)
    }
    return others | {f"grant:{step}:{number}": Effect(kind="grant", at=now, name=step)}


def costs(lines: Iterable[Line], now: datetime) -> Costs:
    """Return what one case cost so far. A coupon that lapsed unused cost nothing."""
    lines = list(lines)
    given = reserved = lapsed = 0
    for stands in states(lines).values():
        if stands.standing == "held":
            reserved += stands.committed
        elif stands.code and stands.standing == "effective" and not usable(stands, now):
            lapsed += stands.committed
        else:
            given += stands.committed
    taken_back = -sum(line.amount for line in lines if line.amount < 0)
    return Costs(given=given, reserved=reserved, taken_back=taken_back, lapsed=lapsed, total=given + reserved)


def _remedy(case: Case) -> Grant | Nothing:
    decision, value = _decided(case, "remedies"), order_value(case)
    if case.remedy == "none":
        return Nothing(why="no remedy")
    known: dict[str, Benefit] = {"refund": "refund", "reship": "reship"}
    benefit = known.get(case.remedy) if value else None
    return _grant(case, "remedy", benefit, value or 0, _row(decision))


def _coupon(case: Case, step: Step, value: int, row: str) -> Grant | Nothing:
    return _grant(case, step, "coupon", value, row) if value else Nothing(why="no coupon")


def _goodwill(case: Case) -> Grant | Nothing:
    decision = _decided(case, "goodwill")
    benefit = _GIFTS.get(case.goodwill)
    if benefit is None or decision is None:
        return Nothing(why="no gift")
    return _grant(case, "goodwill", benefit, decision.number("cost_cap"), _row(decision))


def _grant(case: Case, step: Step, benefit: Benefit | None, cost: int, row: str) -> Grant:
    return Grant(shop_id=case.shop_id, case_id=case.case_id, step=step, benefit=benefit, row=row, cost=cost)


def _decided(case: Case, table: str) -> Decision | None:
    """Return the case's last decision of a table."""
    return next((one for one in reversed(case.decisions) if one.table == table), None)


def _row(decision: Decision | None) -> str:
    return f"{decision.table}.{decision.row}" if decision else "unknown"


def _limit(decision: Decision, name: str) -> int | None:
    return decision.number(name) if decision.then.get(name) is not None else None
