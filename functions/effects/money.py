"""Give a case's customer what was decided, once, and hand orders to the shop's own system.

What counts is how the benefit stands in the ledger; each look takes it one step on: proposed, approved, held,
effective. Whoever else writes a line in between (an approval, a recall) makes it look again; so does, before
the first line, whoever changes the case that it was decided from (a re-opening).
"""

import secrets
from datetime import datetime, timedelta
from typing import Any, cast

from functions.domain import orders
from functions.domain.benefits import (
    Nothing,
    Terms,
    barred,
    coupon_terms,
    objection,
    suspected,
    terms,
    wanted,
)
from functions.domain.cases import Case, Effect, Event
from functions.domain.ledger import RULES, Benefit, Grant, Kind, State, Step, first, then
from functions.domain.money import yuan
from functions.domain.order_systems import OrderSystem
from functions.domain.outbox import Done, Held
from functions.runtime import queues
from functions.runtime.observability import count
from functions.runtime.settings import setting
from functions.store import cases, ledger, rulebooks, shops
from functions.store.errors import OrderRemedied, OverBudget, StaleWrite
from functions.store.pace import pace

_ATTEMPTS = 5
# Nothing that reads like something else, and no letters of which the gate's phrases are made ("vx", "hp").
_ALPHABET = "BCDFGJKLMNPRSTYZ23456789"
_CODE = 12  # characters, 55 bits: nobody guesses a coupon
_ORDERED: tuple[Benefit, ...] = ("refund", "reship")


def grant(case: Case, key: str, effect: Effect, now: datetime) -> Done | Held:
    """Take the benefit of a step on as far as it goes now."""
    step = cast("Step", effect.name)
    for _ in range(_ATTEMPTS):
        try:
            return _look(case, step, now)
        except StaleWrite as error:
            stale = error  # somebody wrote the next line or the case: look again
            case = cases.existing(case.case_id)
    raise stale


def order(case: Case, key: str, effect: Effect, now: datetime) -> Done:
    """Hand a refund or a new parcel to the order sender, unless it was taken back."""
    step = cast("Step", effect.name)
    stands = ledger.state(case.shop_id, case.case_id, step)
    if stands is None or stands.standing != "effective":
        return Done(Event(at=now, kind=f"{step} not ordered", note=stands and stands.standing))
    if case.review.order_id is None:
        why = "the person was erased, and with them the order's number"
        ledger.append(stands, then(stands, "correction", RULES, now, note=why))
        return Done(Event(at=now, kind=f"{step} not ordered", note=why))
    body = orders.order(case, stands).model_dump_json()
    queues.send(setting("WINBACK_ORDERS_QUEUE_URL"), [queues.Message(body)])
    return Done(Event(at=now, kind=f"{step} handed over", note=_what(stands)))


def _look(case: Case, step: Step, now: datetime) -> Done | Held:
    stands = ledger.state(case.shop_id, case.case_id, step)
    if stands is None:
        offer = wanted(case, step, rulebooks.current())
        if isinstance(offer, Nothing):
            return Done(Event(at=now, kind=f"{step} not granted", note=offer.why))
        return _offer(case, None, offer, now)
    match stands.standing:
        case "proposed" if stands.reason is not None:
            return _awaiting(stands, now)
        case "proposed":
            return _chosen(case, stands, now)
        case "approved":
            return _give(case, stands, _grant(stands), now, None)
        case "held":
            return _release(case, stands, now)
        case "effective":
            return _done(case, stands, now)
    return Done(Event(at=now, kind=f"{step} {stands.standing}", note=_what(stands)))


def _chosen(case: Case, stands: State, now: datetime) -> Done | Held:
    """A person chose it, and it is to be given on the same terms as anything else."""
    if reason := barred(case):
        ledger.append(stands, then(stands, "recalled", RULES, now, note=reason))
        return Done(Event(at=now, kind=f"{stands.step} not granted", note=reason))
    return _offer(case, stands, _grant(stands), now)


def _offer(case: Case, stands: State | None, offer: Grant, now: datetime) -> Done | Held:
    """Give it within the limits, propose it to a supervisor above them."""
    why = "a supervisor decides what to give"
    if offer.benefit is not None:
        on = terms(offer.benefit, rulebooks.current())
        try:
            if not (above := objection(offer, on)):
                return _give(case, stands, offer, now, on)
            why = above
        except (OverBudget, OrderRemedied) as error:
            why = str(error)
    day = shops.order_system(case.shop_id, now).day(now)
    line = (
        then(stands, "proposed", offer.by, now, note=why, day=day)
        if stands is not None
        else first(offer, "proposed", now, day, note=why)
    )
    stood = ledger.append(stands, line, also=_decided_from(case, stands))
    count("BenefitsHeldForApproval")
    return _awaiting(stood, now)


def _give(case: Case, stands: State | None, offer: Grant, now: datetime, within: Terms | None) -> Done | Held:
    """Commit the money: held where it can be recalled, else at once. `within` None: a person approved."""
    if offer.benefit is None:
        raise ValueError(f"{offer.case_id}:{offer.step} has no benefit to give")
    system, rules = shops.order_system(case.shop_id, now), rulebooks.current()
    hold_s = terms(offer.benefit, rules).hold_s
    more: dict[str, Any] = {"day": system.day(now)}
    if offer.benefit == "coupon":
        code = "".join(secrets.choice(_ALPHABET) for _ in range(_CODE))
        more |= coupon_terms(offer.step, now, rules).model_dump() | {"code": code}
    if hold_s:
        more["until"] = now + pace().wait(hold_s)
    else:
        more["hand"] = _by_hand(case, offer.benefit, system)
    kind: Kind = "held" if hold_s else "effective"
    line = (
        then(stands, kind, RULES, now, **more)
        if stands is not None
        else first(offer, kind, now, more.pop("day"), **more)
    )
    claimed = case.review.order_id if within is not None and offer.benefit in _ORDERED else None
    also = _decided_from(case, stands)
    stood = ledger.append(stands, line, within=within, order_id=claimed, also=also)
    count("BenefitsGranted")
    count("BudgetUsedFen", offer.cost)
    return _held(stood, now) if hold_s else _done(case, stood, now)


def _decided_from(case: Case, stands: State | None) -> list[tuple[Any, Exception]]:
    """A first line rests on the case alone: who changed it may have recorded that nothing is given."""
    return [cases.unchanged(case)] if stands is None else []


def _release(case: Case, stands: State, now: datetime) -> Done | Held:
    """The hold is over: it takes effect, unless the case has become suspect in the meantime."""
    if stands.until is not None and now < stands.until:
        return _held(stands, now)
    if suspected(case):
        return _awaiting(stands, now, "suspected malicious meanwhile")
    system = shops.order_system(case.shop_id, now)
    hand = stands.benefit is not None and _by_hand(case, stands.benefit, system)
    return _done(case, ledger.append(stands, then(stands, "effective", RULES, now, hand=hand)), now)


def _held(stands: State, now: datetime) -> Held:
    until = stands.until or now
    return Held(until, Event(at=now, kind=f"{stands.step} held", note=_what(stands)))


def _awaiting(stands: State, now: datetime, why: str | None = None) -> Done | Held:
    """Nothing happens until a person has decided, or time has; now and then somebody is reminded."""
    on, tempo = rulebooks.current().ask.budgets(of="approval"), pace()
    remind, lapses = tempo.wait(on.number("remind")), stands.since + tempo.wait(on.number("lapse"))
    if now >= lapses:
        kind: Kind = "expired" if stands.standing == "proposed" else "recalled"
        stood = ledger.append(stands, then(stands, kind, RULES, now, note="nobody decided in time"))
        return Done(Event(at=now, kind=f"{stood.step} lapsed", note=_what(stood)))
    if now >= stands.since + remind:
        count("ApprovalsOverdue")
    until = min(max(now, stands.since) + max(remind, timedelta(seconds=1)), lapses)
    return Held(until, Event(at=now, kind=f"{stands.step} awaits approval", note=why or stands.reason))


def _done(case: Case, stands: State, now: datetime) -> Done:
    """It took effect; a refund or a new parcel is ordered, once, unless a person carries it out."""
    key = f"order:{stands.step}"
    wants = stands.benefit in _ORDERED and not stands.hand
    asked = key in case.outbox or key in case.events
    follows = {key: Effect(kind="order", at=now, name=stands.step)} if wants and not asked else {}
    note = _what(stands) + (", by hand" if stands.hand else "")
    return Done(Event(at=now, kind=f"{stands.step} granted", note=note), follows)


def _by_hand(case: Case, benefit: Benefit, system: OrderSystem) -> bool:
    """A gift is packed by a person; so is an order that the shop's system cannot be asked for."""
    if benefit == "coupon":
        return False
    return benefit not in _ORDERED or not system.reachable or case.review.order_id is None


def _grant(stands: State) -> Grant:
    about = stands.model_dump(include={"shop_id", "case_id", "step", "benefit", "row", "cost"})
    return Grant.model_validate(about | {"by": stands.granted_by})


def _what(stands: State) -> str:
    return f"{stands.benefit or 'undecided'} {yuan(stands.cost)}"
