"""The ledger as a fold of its lines, and what a case's customer is to get."""

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from functions import rulebook
from functions.domain.benefits import (
    Costs,
    Nothing,
    barred,
    chosen,
    costs,
    coupon_terms,
    objection,
    terms,
    usable,
    wanted,
)
from functions.domain.cases import Case
from functions.domain.ledger import (
    _MAY_FOLLOW,
    STEPS,
    Grant,
    Kind,
    Line,
    NotAllowed,
    NotPossible,
    State,
    after,
    approval,
    first,
    may,
    recall,
    state,
    states,
    then,
)
from functions.domain.order_systems import OrderSystem
from tests.builders import NOW, SHOP, case, decision

RULES = rulebook.load()
KINDS: list[Kind] = [kind for kind in _MAY_FOLLOW if kind is not None]
COMMITTED = {"held", "effective", "delivered", "redeemed"}


def grant(**given: Any) -> Grant:
    base = {
        "shop_id": SHOP,
        "case_id": "WB-1",
        "step": "remedy",
        "benefit": "refund",
        "row": "r",
        "cost": 5990,
    }
    return Grant.model_validate(base | given)


def lines(*kinds: Kind, **given: Any) -> list[Line]:
    """The lines of one benefit, a minute apart."""
    coupon = given.get("benefit") == "coupon"
    more = {"code": "C", "valid_until": NOW + timedelta(days=30), "stackable": False} if coupon else {}
    written = [first(grant(**given), kinds[0], NOW, "2026-03-02", **more)]
    for number, kind in enumerate(kinds[1:], start=1):
        stands = state(written)
        assert stands is not None
        written.append(then(stands, kind, "rules", NOW + timedelta(minutes=number)))
    return written


def stands(*kinds: Kind, **given: Any) -> State:
    folded = state(lines(*kinds, **given))
    assert folded is not None
    return folded


def solved(**given: Any) -> Case:
    facts = {"suspected_malicious": False, "order_value": given.pop("value", 5990)}
    remedies = decision(table="remedies", row="small-order", facts=facts, then={"remedy": "refund"})
    gifts = decision(table="goodwill", row="vip-gift", facts={}, then={"cost_cap": given.pop("gift", 3000)})
    told = {
        "status": "resolved",
        "outcome": "solved",
        "resolved_at": NOW,
        "decisions": (decision(), remedies, gifts),
    }
    return case(**told | given)


# Lines


@settings(deadline=None)
@given(
    st.lists(st.sampled_from(KINDS), max_size=12), st.sampled_from(["refund", "coupon", "gift"]), st.data()
)
def test_the_sum_of_the_lines_is_the_state_whatever_is_tried(kinds, benefit, data) -> None:
    """Whatever is tried in whatever order: what may not follow is refused, the rest adds up."""
    written: list[Line] = []
    more = {"code": "C", "valid_until": NOW + timedelta(days=1)} if benefit == "coupon" else {}
    for kind in kinds:
        now = state(written)
        if now is None:
            if kind in ("proposed", "held", "effective"):
                written.append(first(grant(benefit=benefit), kind, NOW, "d", **more))
            continue
        if may(now, kind):
            written.append(then(now, kind, "x", NOW))
        else:
            with pytest.raises(NotPossible):
                then(now, kind, "x", NOW)
    folded = state(data.draw(st.permutations(written)))
    if folded is None:
        return
    assert folded.committed == sum(line.amount for line in written)
    assert folded.committed == (folded.cost if folded.standing in COMMITTED else 0)
    assert [line.number for line in written] == list(range(1, len(written) + 1))
    assert sum(line.kind == "effective" for line in written) <= 1
    assert sum(line.kind == "delivered" for line in written) <= 1
    assert sum(line.kind == "redeemed" for line in written) <= 1
    assert costs(written, NOW).total == folded.committed


def test_a_line_that_may_not_follow_is_refused_by_the_fold_too() -> None:
    held, effective = lines("held", "effective")
    with pytest.raises(ValueError, match="cannot be line 2"):
        state([effective])
    with pytest.raises(ValueError, match="does not continue"):
        after(stands("held"), held)
    with pytest.raises(ValueError, match="does not continue"):
        after(stands("held"), effective.model_copy(update={"case_id": "WB-2"}))
    with pytest.raises(ValueError, match="cannot become"):
        after(stands("held", "recalled"), effective.model_copy(update={"number": 3}))


def test_the_lines_of_a_benefit_have_the_keys_of_the_case_and_step() -> None:
    assert [line.key for line in lines("held", "recalled")] == ["WB-1:remedy", "WB-1:remedy:recall"]
    assert lines("effective", "correction")[1].key == "WB-1:remedy:correction"
    assert stands("held").key == "WB-1:remedy"


def test_after_it_took_effect_a_benefit_is_compensated_not_changed() -> None:
    written = lines("held", "effective")
    kept = list(written)
    line = recall(stands("held", "effective"), "lin", "wrong customer", NOW)
    assert (line.kind, line.amount, line.note) == ("correction", -5990, "wrong customer")
    assert written == kept


def test_an_order_that_arrived_in_spite_of_its_correction_counts_again() -> None:
    folded = stands("effective", "correction", "delivered")
    assert (folded.committed, folded.standing) == (5990, "delivered")


def test_a_used_coupon_can_neither_be_used_again_nor_taken_back() -> None:
    """PrestaShop #29493, mitodl/mitxpro #1025: a voucher used twice, and again after the order's refund."""
    used = stands("effective", "redeemed", benefit="coupon")
    assert not any(may(used, kind) for kind in KINDS)
    with pytest.raises(NotPossible):
        recall(used, "lin", None, NOW)


def test_a_withdrawn_coupon_cannot_be_used() -> None:
    withdrawn = stands("effective", "correction", benefit="coupon")
    assert not may(withdrawn, "redeemed")
    assert not usable(withdrawn, NOW)


def test_a_coupon_is_usable_until_it_lapses() -> None:
    coupon = stands("effective", benefit="coupon")
    assert usable(coupon, NOW + timedelta(days=30, seconds=-1))
    assert not usable(coupon, NOW + timedelta(days=30))


def test_nobody_approves_their_own_grant() -> None:
    waiting = state([first(grant(by="lin"), "proposed", NOW, "d", note="too much")])
    assert waiting is not None
    with pytest.raises(NotAllowed):
        approval(waiting, "lin", same=True, now=NOW)
    assert approval(waiting, "wang", same=False, now=NOW).kind == "approved"


def test_there_is_nothing_to_approve_but_a_proposal_with_a_chosen_benefit() -> None:
    with pytest.raises(NotPossible):
        approval(stands("held"), "wang", same=False, now=NOW)
    undecided = state([first(grant(benefit=None), "proposed", NOW, "d", note="a supervisor decides")])
    assert undecided is not None
    with pytest.raises(NotPossible, match="what is to be given"):
        approval(undecided, "wang", same=False, now=NOW)


# What is to be given


@pytest.mark.parametrize(
    ("step", "of", "expected"),
    [
        ("remedy", {}, ("refund", 5990, "remedies.small-order")),
        ("remedy", {"remedy": "reship", "value": 20_000}, ("reship", 20_000, "remedies.small-order")),
        ("remedy", {"remedy": "supervisor", "value": 99_900}, (None, 99_900, "remedies.small-order")),
        ("remedy", {"remedy": "supervisor", "value": None}, (None, 0, "remedies.small-order")),
        ("coupon", {}, ("coupon", 500, "remedies.small-order.coupon")),
        ("goodwill", {"goodwill": "vip_gift"}, ("gift", 3000, "goodwill.vip-gift")),
        ("goodwill", {"goodwill": "card_and_gift"}, ("card", 3000, "goodwill.vip-gift")),
        ("care", {}, ("coupon", 500, "follow_up.care")),
        ("repurchase", {}, ("coupon", 1000, "follow_up.repurchase")),
    ],
)
def test_a_step_gives_what_was_decided_when_the_case_opened(step, of, expected) -> None:
    got = wanted(solved(**of), step, RULES)
    assert isinstance(got, Grant)
    assert (got.benefit, got.cost, got.row) == expected


@pytest.mark.parametrize(
    ("step", "of"),
    [
        ("remedy", {"remedy": "none"}),
        ("coupon", {"coupon": 0}),
        ("goodwill", {"goodwill": "none"}),
        ("goodwill", {"goodwill": "buy_again_sms"}),
        ("extra", {}),
        *((step, {"suspected_malicious": True}) for step in STEPS),
        *((step, {"grade": "malicious"}) for step in STEPS),
        *((step, {"confirmed_cause": "malicious"}) for step in STEPS),
        *((step, {"outcome": "refused"}) for step in STEPS),
        *((step, {"outcome": None}) for step in STEPS),
    ],
)
def test_where_nothing_was_decided_or_the_case_is_suspect_nothing_is_given(step, of) -> None:
    assert isinstance(wanted(solved(**of), step, RULES), Nothing)


@pytest.mark.parametrize("rating", [{"stars": 5, "text": "已改好评"}, {"stars": 1, "text": "再差一星"}])
def test_what_the_review_became_changes_no_benefit(rating) -> None:
    """Decoupling by construction: the same grants whatever its author makes of the review."""
    one = solved(goodwill="vip_gift")
    edited = one.model_copy(update={"review": one.review.model_copy(update=rating)})
    assert [wanted(one, step, RULES) for step in STEPS] == [wanted(edited, step, RULES) for step in STEPS]


def test_a_person_cannot_refund_more_than_the_order_was_worth() -> None:
    assert isinstance(chosen(solved(), "remedy", "refund", 5991, "lin"), Nothing)
    some = chosen(solved(), "remedy", "refund", 1000, "lin")
    assert isinstance(some, Grant)
    assert (some.cost, some.by, some.row) == (1000, "lin", "person.refund")
    whole = chosen(solved(), "remedy", "reship", None, "lin")
    assert isinstance(whole, Grant)
    assert whole.cost == 5990


def test_a_person_has_to_say_what_a_benefit_costs_where_the_order_is_unknown() -> None:
    assert isinstance(chosen(solved(value=None), "remedy", "refund", None, "lin"), Nothing)
    assert isinstance(chosen(solved(value=None), "remedy", "refund", 5000, "lin"), Grant)
    assert isinstance(chosen(solved(suspected_malicious=True), "extra", "gift", 1, "lin"), Nothing)


def test_safety_belts_are_on_by_default() -> None:
    """cloud-custodian #3641: caps existed but were off, and every user had an accident story."""
    for benefit in ("refund", "reship", "coupon", "gift", "card"):
        on = terms(benefit, RULES)
        assert on.per_day
        assert on.shop_per_day
        assert on.per_case
    assert terms("refund", RULES).hold_s >= 60


def test_above_the_limit_of_a_case_somebody_approves() -> None:
    on = terms("refund", RULES)
    assert on.per_case is not None
    assert objection(grant(cost=on.per_case), on) is None
    assert "above the limit" in str(objection(grant(cost=on.per_case + 1), on))
    assert objection(grant(benefit=None), on) == "a supervisor decides what to give"


def test_a_coupon_to_buy_again_is_valid_for_three_months_and_adds_to_others() -> None:
    again, sorry = coupon_terms("repurchase", NOW, RULES), coupon_terms("coupon", NOW, RULES)
    assert (again.valid_until - NOW, again.stackable) == (timedelta(days=90), True)
    assert (sorry.valid_until - NOW, sorry.stackable) == (timedelta(days=30), False)


def test_a_day_is_the_shops() -> None:
    china, london = OrderSystem(shop_id=SHOP), OrderSystem(shop_id=SHOP, time_zone="Europe/London")
    assert china.day(NOW.replace(hour=15, minute=59)) == "2026-03-02"
    assert china.day(NOW.replace(hour=16)) == "2026-03-03"
    assert london.day(NOW.replace(hour=16)) == "2026-03-02"
    with pytest.raises(ValueError, match="no time zone"):
        OrderSystem(shop_id=SHOP, time_zone="Mars/Base")


def test_a_case_says_what_it_cost_so_far() -> None:
    written = [
        *lines("held", "effective", "delivered"),
        *lines("effective", benefit="coupon", step="coupon", cost=500),
        *lines("held", benefit="gift", step="goodwill", cost=3000),
        *lines("held", "recalled", step="extra", cost=100),
    ]
    assert costs(written, NOW) == Costs(given=6490, reserved=3000, taken_back=100, total=9490)
    assert costs(written, NOW + timedelta(days=31)).lapsed == 500
    assert costs([], NOW) == Costs()
    assert states(written).keys() == {"remedy", "coupon", "goodwill", "extra"}


def test_who_may_get_something() -> None:
    assert barred(solved()) is None
