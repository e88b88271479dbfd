"""The money API and the coupons API on the template's tables."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from functions.domain.cases import Case
from functions.store import ledger
from functions.store.errors import StaleWrite
from tests.builders import CUSTOMER, NOW, SHOP
from tests.cloud import Cloud
from tests.crash import dying_after, effects
from tests.money import DAY, World

COUPONS = f"/shops/{SHOP}/customers/{CUSTOMER}/coupons"


@pytest.fixture
def world(aws: Cloud) -> Iterator[World]:
    with World(aws).running() as world:
        yield world


def given(world: World, of: Case, **choice: Any) -> tuple[int, Any]:
    said = {"by": "lin", "benefit": "refund"} | choice
    return world.call("POST", f"/cases/{of.case_id}/benefits", said)


def undecided(world: World, number: int = 1, **of: Any) -> Case:
    """A case above 300 yuan, or of an unknown order: a supervisor decides what to give."""
    about: dict[str, Any] = {"remedy": "supervisor", "coupon": 0, "value": 40_000} | of
    one = world.solve(number, **about)
    world.settle()
    return one


# Reading


def test_the_lines_of_a_day_are_told_page_by_page(world: World) -> None:
    world.solve()
    world.settle()
    _, first = world.call("GET", f"/shops/{SHOP}/ledger", limit=1)
    _, second = world.call("GET", f"/shops/{SHOP}/ledger", limit=1, next=first["next"])
    kinds = {(line["step"], line["kind"]) for page in (first, second) for line in page["lines"]}
    assert kinds == {("remedy", "held"), ("coupon", "effective")}
    assert world.call("GET", f"/shops/{SHOP}/ledger", day="2026-03-01")[1]["lines"] == []
    assert world.call("GET", f"/shops/{SHOP}/ledger", next="x")[0] == 400


def test_the_history_of_a_case_is_told(world: World) -> None:
    one = world.solve(coupon=0)
    world.settle()
    world.later(minutes=3)
    _, body = world.call("GET", f"/shops/{SHOP}/ledger", case=one.case_id)
    assert [line["kind"] for line in body["lines"]] == ["held", "effective", "delivered"]


def test_the_balance_says_what_of_the_budgets_is_used(world: World) -> None:
    world.solve()
    world.settle()
    _, body = world.call("GET", f"/shops/{SHOP}/balance")
    assert body["day"] == DAY
    assert body["shop"] == {"row": "shop", "used": 6490, "limit": 300_000}
    assert [(row["row"], row["used"], row["limit"]) for row in body["rows"]] == [
        ("remedies.small-order", 5990, 150_000),
        ("remedies.small-order.coupon", 500, 50_000),
    ]
    assert world.call("GET", f"/shops/{SHOP}/balance", day="2026-03-01")[1]["shop"]["used"] == 0


def test_a_case_says_what_it_was_given_and_cost(world: World) -> None:
    one = world.solve()
    world.settle()
    _, body = world.call("GET", f"/cases/{one.case_id}/benefits")
    assert body["costs"] == {"given": 500, "reserved": 5990, "taken_back": 0, "lapsed": 0, "total": 6490}
    assert {benefit["step"] for benefit in body["benefits"]} == {"remedy", "coupon"}
    assert world.call("GET", "/cases/WB-NOBODY/benefits")[0] == 404


def test_what_waits_for_people_is_listed(world: World) -> None:
    one = undecided(world)
    _, approvals = world.call("GET", f"/shops/{SHOP}/approvals")
    assert [(each["case_id"], each["benefit"]) for each in approvals["benefits"]] == [(one.case_id, None)]
    assert world.call("GET", f"/shops/{SHOP}/picklist")[1] == {"benefits": [], "next": None}


# Granting what the table left to a person


def test_a_person_gives_what_the_table_left_open_and_another_approves_it_above_the_limit(
    world: World,
) -> None:
    one = undecided(world)
    assert given(world, one, benefit="reship")[0] == 200
    world.settle()
    assert world.stands(one).awaits_approval  # 400 yuan are above the limit of a case
    assert world.say("approve", one, by="lin") == 403
    assert world.say("approve", one, by=" LIN ") == 403
    assert world.stands(one).awaits_approval
    assert world.say("approve", one, by="wang") == 200
    world.settle()
    world.later(minutes=3)
    stands = world.stands(one)
    assert (stands.standing, stands.cost) == ("delivered", 40_000)
    assert stands.granted_by.startswith("lin (")
    assert (stands.approved_by or "").startswith("wang (")
    assert world.call("GET", f"/shops/{SHOP}/approvals")[1]["benefits"] == []


def test_within_the_limits_a_persons_grant_needs_no_other(world: World) -> None:
    one = undecided(world)
    assert given(world, one, benefit="reship", cost=30_000)[0] == 200
    world.settle()
    assert world.stands(one).standing == "held"
    assert world.used("person.reship") == 30_000


def test_a_persons_grant_above_the_days_budget_waits_for_another(world: World) -> None:
    one = undecided(world)
    world.spend(299_000)
    assert given(world, one, cost=9000)[0] == 200
    world.settle()
    assert world.stands(one).awaits_approval
    assert world.say("approve", one, by="lin") == 403


def test_an_undecided_benefit_cannot_be_approved_before_somebody_chose_one(world: World) -> None:
    one = undecided(world)
    assert world.say("approve", one) == 409


def test_a_person_can_give_something_extra_once(world: World) -> None:
    one = world.solve(coupon=0, remedy="none")
    world.settle()
    answers = [
        given(world, one, step="extra", benefit="coupon", cost=1000)[0],
        given(world, one, step="extra", benefit="coupon", cost=1000)[0],
        given(world, one, step="extra", benefit="gift", cost=1000)[0],
    ]
    world.settle()
    assert answers == [200, 200, 409]
    assert world.stands(one, "extra").standing == "effective"
    assert world.used() == 1000


@pytest.mark.parametrize(
    ("of", "choice", "status"),
    [
        ({"suspected_malicious": True}, {}, 409),
        ({}, {"cost": 40_001}, 409),
        ({"value": None}, {}, 409),
        ({}, {"benefit": "cash"}, 422),
        ({}, {"cost": -1}, 422),
        ({}, {"by": ""}, 422),
    ],
)
def test_what_must_not_be_given_is_refused(world: World, of: Any, choice: Any, status: int) -> None:
    one = undecided(world, **of)
    before = world.lines()
    assert given(world, one, **choice)[0] == status
    assert world.lines() == before


def test_what_the_rules_gave_is_not_given_again_by_a_person(world: World) -> None:
    one = world.solve()
    world.settle()
    assert given(world, one)[0] == 409


# Deciding


@pytest.mark.parametrize("what", ["approve", "refuse", "recall"])
def test_saying_it_again_changes_nothing(world: World, what: str) -> None:
    one = world.solve(value=10_001, coupon=0)
    world.settle()
    assert [world.say(what, one), world.say(what, one)] == [200, 200]
    world.settle()
    lines = world.lines()
    assert world.say(what, one) == 200
    assert world.lines() == lines


@pytest.mark.parametrize("first", ["refuse", "recall"])
def test_what_was_ended_cannot_be_approved(world: World, first: str) -> None:
    one = world.solve(value=10_001, coupon=0)
    world.settle()
    world.say(first, one)
    assert world.say("approve", one) == 409
    world.settle()
    world.later(minutes=3)
    assert (world.used(), world.orders.taken) == (0, {})


@pytest.mark.parametrize("what", ["approve", "refuse", "recall", "sent", "delivered"])
def test_what_there_is_not_cannot_be_decided_about(world: World, what: str) -> None:
    one = world.solve(coupon=0, remedy="none")
    world.settle()
    body = {} if what == "delivered" else {"by": "lin"}
    for key in (f"{one.case_id}:remedy", f"{one.case_id}:nothing", "WB-NOBODY:remedy", "x"):
        assert world.call("POST", f"/benefits/{key}/{what}", body)[0] == 404


@pytest.mark.parametrize("what", ["approve", "refuse", "recall"])
def test_dying_after_a_decision_and_saying_it_again_ends_the_same(world: World, what: str) -> None:
    one = world.solve(value=10_001, coupon=0)
    world.settle()
    names = effects(lambda: world.say(what, one))
    assert names == ["dynamodb.TransactWriteItems"]
    world.settle()
    two = world.solve(2, value=10_001, coupon=0)
    world.settle()
    with dying_after(1):
        world.say(what, two)
    assert world.say(what, two) == 200
    world.settle()
    assert world.stands(two).standing == world.stands(one).standing
    assert world.told(two) == world.told(one)


def test_a_decision_is_told_on_the_case_with_its_author_and_reason(world: World) -> None:
    one = world.solve(value=10_001, coupon=0)
    world.settle()
    world.say("refuse", one, note="no fault of ours")
    told = next(event for event in world.case(one).timeline if event.kind == "remedy refused")
    assert (told.by or "").startswith("wang (")
    assert told.note == "refund 100.01: no fault of ours"


def test_others_who_write_the_case_all_the_time_are_a_conflict(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = world.solve(coupon=0)
    world.settle()

    def stale(*_: Any, **__: Any) -> Any:
        raise StaleWrite(one.case_id)

    monkeypatch.setattr(ledger, "append", stale)
    assert world.say("recall", one) == 409


# Coupons


def coupons(world: World) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = world.call("GET", COUPONS)[1]["coupons"]
    return found


def test_the_shops_system_reads_a_customers_coupons(world: World) -> None:
    one = world.solve(remedy="none")
    world.settle()
    (coupon,) = coupons(world)
    assert coupon["key"] == f"{one.case_id}:coupon"
    expected = {"value": 500, "usable": True, "used": False, "stackable": False}
    assert {name: coupon[name] for name in expected} == expected
    assert world.call("GET", f"/shops/{SHOP}/customers/nobody/coupons")[0] == 404


def test_a_coupon_is_used_once_even_by_two_orders_at_the_same_time(world: World) -> None:
    """PrestaShop #29493: two carts used one voucher."""
    one = world.solve(remedy="none")
    world.settle()
    assert world.say("redeemed", one, "coupon", order_id="cart-1") == 200
    assert world.say("redeemed", one, "coupon", order_id="cart-1") == 200  # the same report again
    assert world.say("redeemed", one, "coupon", order_id="cart-2") == 409
    (coupon,) = coupons(world)
    assert (coupon["used"], coupon["usable"]) == (True, False)


def test_of_two_orders_that_race_for_a_coupon_one_gets_it(world: World) -> None:
    one = world.solve(remedy="none")
    world.settle()
    append, answers = ledger.append, list[int]()

    def racing(*given: Any, **more: Any) -> Any:
        if not answers:
            answers.append(0)
            answers[0] = world.say("redeemed", one, "coupon", order_id="cart-2")
        return append(*given, **more)

    with pytest.MonkeyPatch.context() as patching:
        patching.setattr(ledger, "append", racing)
        answers.append(world.say("redeemed", one, "coupon", order_id="cart-1"))
    assert sorted(answers) == [200, 409]
    assert sum(line.kind == "redeemed" for line in world.lines()) == 1


def test_a_used_coupon_does_not_come_back_when_its_order_is_refunded(world: World) -> None:
    """mitodl/mitxpro #1025: after the refund of the order its coupon could be used again."""
    one = world.solve(1, remedy="none")
    world.settle()
    world.say("redeemed", one, "coupon", order_id="order-2")
    world.solve(2, coupon=0)  # the order the coupon was used for gets refunded itself
    world.settle()
    world.later(minutes=3)
    (used,) = coupons(world)
    assert (used["used"], used["usable"]) == (True, False)
    assert world.say("recall", one, "coupon") == 409
    assert world.say("redeemed", one, "coupon", order_id="order-3") == 409


def test_a_withdrawn_coupon_is_gone(world: World) -> None:
    one = world.solve(remedy="none")
    world.settle()
    assert world.say("recall", one, "coupon") == 200
    assert coupons(world) == []
    assert world.say("redeemed", one, "coupon", order_id="o") == 409
    assert world.used() == 0


def test_a_lapsed_coupon_cannot_be_used(world: World) -> None:
    one = world.solve(remedy="none")
    world.settle()
    world.now = NOW + timedelta(days=30)
    assert coupons(world)[0]["usable"] is False
    assert world.say("redeemed", one, "coupon", order_id="o") == 409


def test_the_shops_system_may_report_an_order_as_carried_out(world: World) -> None:
    world.configure()
    one = world.solve(coupon=0)
    world.settle()
    world.later(minutes=3)
    assert [world.say("delivered", one), world.say("delivered", one)] == [200, 200]
    assert world.stands(one).standing == "delivered"
    assert world.call("GET", f"/shops/{SHOP}/picklist")[1]["benefits"] == []
