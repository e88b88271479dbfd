"""Benefits from the resolution to the shop's own system, on the template's tables and queues."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from functions.domain.benefits import costs
from functions.domain.cases import Case, Effect, reopen
from functions.domain.ledger import State, Step
from functions.domain.outbox import recorded
from functions.effects import money
from functions.rulebook import load
from functions.store import cases, ledger
from tests.builders import NOW, SHOP
from tests.cloud import Cloud
from tests.crash import disturbed, dying_after, effects
from tests.domain.test_ledger import RULES
from tests.money import DAY, World


@pytest.fixture
def world(aws: Cloud) -> Iterator[World]:
    with World(aws).running() as world:
        yield world


def standing(world: World, of: Case) -> dict[Step, str]:
    return {step: stands.standing for step, stands in world.benefits(of).items()}


def test_a_solved_case_is_refunded_through_the_shops_system_and_gets_its_coupon(world: World) -> None:
    one = world.solve()
    world.settle()
    assert standing(world, one) == {"remedy": "held", "coupon": "effective"}
    assert world.orders.taken == {}
    world.later(minutes=3)
    assert standing(world, one) == {"remedy": "delivered", "coupon": "effective"}
    assert world.orders.taken.keys() == {f"{one.case_id}:remedy"}
    assert world.case(one).outbox == {}
    told = world.told(one)
    for kind in ("remedy held", "coupon granted", "remedy granted", "remedy handed over", "refund ordered"):
        assert told.count(kind) == 1
    assert world.used() == 6490


def test_a_coupon_has_a_code_nobody_guesses_and_an_end(world: World) -> None:
    one, two = world.solve(1), world.solve(2)
    world.settle()
    first, second = world.stands(one, "coupon"), world.stands(two, "coupon")
    assert first.code
    assert second.code
    assert first.code != second.code
    assert first.valid_until == NOW + timedelta(days=30)
    assert not any(first.code in (event.note or "") for event in world.case(one).timeline)


@pytest.mark.parametrize(("step", "days"), [("care", 30), ("repurchase", 90)])
def test_the_follow_up_brings_its_coupon(world: World, step: Step, days: int) -> None:
    one = world.solve(coupon=0, remedy="none")
    effect = Effect(kind="grant", at=NOW, name=step)
    cases.save(one.model_copy(update={"outbox": {f"grant:{step}": effect}}))
    world.settle()
    assert world.stands(one, step).valid_until == NOW + timedelta(days=days)


@pytest.mark.parametrize("of", [{"suspected_malicious": True}, {"grade": "malicious"}])
def test_a_suspected_case_gets_nothing(world: World, of: dict[str, Any]) -> None:
    one = world.solve(goodwill="vip_gift", **of)
    world.settle()
    assert world.lines() == []
    assert world.case(one).outbox == {}
    assert {"remedy not granted", "goodwill not granted"} <= set(world.told(one))


def test_a_case_that_is_suspected_while_a_refund_is_held_waits_for_a_person(world: World) -> None:
    one = world.solve(coupon=0)
    world.settle()
    suspect = cases.save(world.case(one).model_copy(update={"suspected_malicious": True}))
    world.later(minutes=3)
    assert (standing(world, one), world.orders.taken) == ({"remedy": "held"}, {})
    cleared = cases.read(suspect.case_id)
    assert cleared is not None
    cases.save(cleared.model_copy(update={"suspected_malicious": False}))
    world.later(hours=5)
    assert standing(world, one) == {"remedy": "delivered"}


def test_a_case_that_is_not_solved_gets_nothing(world: World) -> None:
    one = world.solve(goodwill="vip_gift")
    cases.save(one.model_copy(update={"outcome": "refused"}))
    world.settle()
    assert world.lines() == []


# Once


def test_an_event_delivered_twice_changes_nothing_more(world: World) -> None:
    one = world.solve(goodwill="vip_gift")
    world.settle()
    assert effects(lambda: world.perform(one)) == []
    world.later(minutes=3)
    before = world.lines()
    assert effects(lambda: world.perform(one)) == []
    assert world.lines() == before


def test_a_reopened_case_is_not_given_its_benefits_again(world: World) -> None:
    one = world.solve()
    world.settle()
    world.later(minutes=3)
    before = world.lines()
    world.reopen(world.case(one))
    world.settle()
    world.later(minutes=3)
    assert world.lines() == before
    assert len(world.orders.taken) == 1


def test_several_reviews_of_one_order_are_remedied_once(world: World) -> None:
    """The same purchase must not be made good once for each review of it."""
    one, two = world.solve(1, order="o"), world.solve(2, order="o")
    world.settle()
    world.later(minutes=3)
    assert sorted((standing(world, one)["remedy"], standing(world, two)["remedy"])) == [
        "delivered",
        "proposed",
    ]
    assert len(world.orders.taken) == 1


def test_dying_after_any_effect_and_coming_again_ends_the_same(world: World) -> None:
    """From the resolution until the shop has the order, the process dies once, at every place it can."""

    def live(n: int) -> None:
        if n:
            with dying_after(n):
                steps()
        steps()

    def steps() -> None:
        world.settle()
        world.now = NOW + timedelta(minutes=3)
        world.tick()
        world.settle()

    def end() -> Any:
        chance = {"at", "code", "valid_until", "until", "number"}
        about = [line.model_dump(exclude=chance) for line in world.lines()]
        stand = {step: (s.standing, s.committed) for step, s in world.benefits(one).items()}
        return about, stand, world.used(), dict(world.orders.taken), set(world.told(one))

    one = world.solve(coupon=0)
    names = effects(lambda: live(0))
    expected = end()
    assert {"dynamodb.TransactWriteItems", "dynamodb.PutItem", "sqs.SendMessageBatch"} <= set(names)
    for n in range(1, len(names) + 1):
        world.aws.empty()
        world.now = NOW
        world.begin()
        one = world.solve(coupon=0)
        live(n)
        assert len(end()[0]) == len(expected[0]), f"died after {names[n - 1]}"
        assert end()[1:4:2] == expected[1:4:2], f"died after {names[n - 1]}"
        assert world.used() == sum(line.amount for line in world.lines())


def test_an_approval_and_a_look_that_began_before_it_do_not_lose_each_other(world: World) -> None:
    """The look ends with "held for four hours" after the approval was written: it must not hold that up."""
    one = world.solve(value=12_000)
    world.settle()
    waiting = world.case(one)
    look = money.grant(waiting, "grant:remedy", waiting.outbox["grant:remedy"], NOW)
    assert world.say("approve", one) == 200
    cases.change(one.case_id, lambda case: recorded(case, {"grant:remedy": look}))
    world.settle()
    assert world.stands(one).standing == "held"


def test_a_recall_between_look_and_write_wins(world: World) -> None:
    one = world.solve(coupon=0)
    world.settle()
    world.now = NOW + timedelta(minutes=3)
    world.tick()
    with disturbed(0, lambda: world.say("recall", one)):
        world.settle()
    world.settle()
    assert standing(world, one) == {"remedy": "recalled"}
    assert (world.used(), world.orders.taken) == (0, {})


def test_nothing_is_given_behind_the_back_of_who_recorded_that_nothing_is(world: World) -> None:
    """Between the look at the case and the first line it is re-opened, and looked at by another delivery."""
    one = world.solve()

    def reopened_and_looked_at() -> None:
        cases.save(reopen(world.case(one), "lin", "it broke again", load(), NOW))
        world.perform(one)

    with disturbed(0, reopened_and_looked_at):
        world.perform(one)
    assert {"remedy not granted", "coupon not granted"} <= set(world.told(one))
    assert (world.lines(), world.used()) == ([], 0)


# Hold and recall


def test_a_held_refund_is_recalled_without_a_trace_at_the_shop(world: World) -> None:
    one = world.solve(coupon=0)
    world.settle()
    assert world.say("recall", one) == 200
    assert world.used() == 0
    world.later(minutes=3)
    assert (standing(world, one), world.orders.taken) == ({"remedy": "recalled"}, {})
    assert world.case(one).outbox == {}


def test_the_hold_is_as_long_as_the_rules_say(world: World) -> None:
    one = world.solve(coupon=0)
    world.settle()
    until = world.stands(one).until
    assert until is not None
    world.later(seconds=(until - NOW).total_seconds() - 0.001)
    assert standing(world, one) == {"remedy": "held"}
    world.later(seconds=0.001)
    assert standing(world, one) == {"remedy": "delivered"}


def test_after_it_took_effect_only_a_compensating_line_follows(world: World) -> None:
    one = world.solve(coupon=0)
    world.settle()
    world.later(minutes=3)
    before = ledger.lines(SHOP, one.case_id)
    assert world.say("recall", one) == 200
    after = ledger.lines(SHOP, one.case_id)
    assert after[: len(before)] == before
    assert [(line.kind, line.amount) for line in after[len(before) :]] == [("correction", -5990)]
    assert world.used() == 0


# Budget and approval


def test_above_the_limit_a_supervisor_approves(world: World) -> None:
    one = world.solve(value=10_001, coupon=0)
    world.settle()
    assert (standing(world, one), world.used()) == ({"remedy": "proposed"}, 0)
    assert world.say("approve", one) == 200
    world.settle()
    world.later(minutes=3)
    assert standing(world, one) == {"remedy": "delivered"}
    assert world.used() == 10_001


def test_above_the_days_budget_a_supervisor_approves(world: World) -> None:
    """cloud-custodian #3641: the cap is there and on, and it is atomic."""
    world.spend(135_000)
    many = [world.solve(number, value=10_000, coupon=0) for number in range(2)]
    world.settle()
    assert sorted(standing(world, one)["remedy"] for one in many) == ["held", "proposed"]
    assert world.used("remedies.small-order") == 145_000
    late = next(one for one in many if standing(world, one)["remedy"] == "proposed")
    assert "budget" in (world.stands(late).reason or "")
    assert world.say("approve", late) == 200
    world.settle()
    assert world.used("remedies.small-order") == 155_000


def test_a_new_day_has_a_new_budget_and_begins_at_midnight_in_the_shop(world: World) -> None:
    world.spend(150_000)
    world.later(hours=8)  # 16:00 UTC: midnight in China
    late = world.solve(99, value=10_000, coupon=0)
    world.settle()
    assert standing(world, late) == {"remedy": "held"}
    assert world.used(day="2026-03-03") == 10_000


def test_what_a_recall_gives_back_can_be_given_to_others(world: World) -> None:
    world.spend(140_000)
    first = world.solve(value=10_000, coupon=0)
    world.settle()
    world.say("recall", first)
    late = world.solve(99, value=10_000, coupon=0)
    world.settle()
    assert standing(world, late) == {"remedy": "held"}


def test_an_approval_that_waits_too_long_is_told_and_at_last_lapses(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """chatwoot #6889: forgotten tickets must go to a manager. freescout #3762: the second reminder too."""
    counted: list[str] = []
    monkeypatch.setattr(money, "count", lambda name, _=1: counted.append(name))
    one = world.solve(value=10_001, coupon=0)
    world.settle()
    assert "ApprovalsOverdue" not in counted
    for reminders in (1, 2, 3):
        world.later(hours=4)
        assert counted.count("ApprovalsOverdue") == reminders
    world.later(days=7)
    assert standing(world, one) == {"remedy": "expired"}
    assert world.case(one).outbox == {}
    assert ledger.waiting(SHOP, "approvals").benefits == []


def test_a_refusal_ends_it(world: World) -> None:
    one = world.solve(value=10_001, coupon=0)
    world.settle()
    assert world.say("refuse", one) == 200
    world.settle()
    assert (standing(world, one), world.case(one).outbox) == ({"remedy": "refused"}, {})
    assert world.used() == 0


# Without the shop's system


@pytest.mark.parametrize("how", ["no address", "unknown order"])
def test_what_the_shops_system_cannot_be_asked_for_is_a_persons(world: World, how: str) -> None:
    if how == "no address":
        world.configure()
    one = world.solve(order="" if how == "unknown order" else "o", coupon=0)
    world.settle()
    world.later(minutes=3)
    (pick,) = ledger.waiting(SHOP, "picks").benefits
    assert (pick.key, pick.hand, world.orders.taken) == (f"{one.case_id}:remedy", True, {})
    assert world.say("sent", one) == 200
    assert standing(world, one) == {"remedy": "delivered"}


def test_gifts_and_cards_are_picked_and_sent_once(world: World) -> None:
    one, two = world.solve(1, goodwill="vip_gift"), world.solve(2, goodwill="card_and_gift", gift=1500)
    world.settle()
    world.later(minutes=3)
    assert {pick.case_id for pick in ledger.waiting(SHOP, "picks").benefits} == {one.case_id, two.case_id}
    lines = len(world.lines())
    assert [world.say("sent", one, "goodwill", by=by) for by in ("lin", "chen")] == [200, 200]
    assert len(world.lines()) == lines + 1
    assert [pick.case_id for pick in ledger.waiting(SHOP, "picks").benefits] == [two.case_id]


def test_a_gift_that_was_taken_back_is_not_packed(world: World) -> None:
    one = world.solve(goodwill="vip_gift", coupon=0, remedy="none")
    world.settle()
    world.later(minutes=3)
    world.say("recall", one, "goodwill")
    assert ledger.waiting(SHOP, "picks").benefits == []
    assert world.say("sent", one, "goodwill") == 409


def test_an_erased_persons_order_cannot_be_placed_and_costs_nothing(world: World) -> None:
    one = world.solve(coupon=0)
    world.settle()
    world.now = NOW + timedelta(minutes=3)
    world.tick()
    world.perform()  # it took effect; its order is in the outbox
    known = world.case(one)
    cases.save(known.model_copy(update={"review": known.review.model_copy(update={"order_id": None})}))
    world.settle()
    assert (standing(world, one), world.used()) == ({"remedy": "correction"}, 0)


# What it cost


def test_each_case_says_what_it_cost(world: World) -> None:
    one = world.solve(goodwill="vip_gift")
    world.settle()
    world.later(minutes=3)
    assert costs(ledger.lines(SHOP, one.case_id), world.now).total == 5990 + 500 + 3000


def test_the_ledger_names_no_customer_and_no_order(world: World) -> None:
    """Inikoo/aiku #2578: the person goes, the ledger stays."""
    one = world.solve(goodwill="vip_gift", value=20_000)
    world.settle()
    world.say("approve", one)
    world.settle()
    world.later(minutes=3)
    kept = repr(world.aws.items("ledger"))
    assert one.review.customer_id is not None
    assert one.review.order_id is not None
    for personal in (one.review.customer_id, one.review.order_id, one.review.text):
        assert personal not in kept


def test_the_rules_of_these_tests_are_the_shipped_ones() -> None:
    assert RULES.ask.budgets(of="refund").number("per_day") == 150_000


def test_the_days_lines_add_up_to_what_is_counted(world: World) -> None:
    many = [world.solve(number, goodwill="vip_gift") for number in range(4)]
    world.settle()
    world.say("recall", many[0])
    world.later(minutes=3)
    world.say("recall", many[1])
    page = ledger.of_day(SHOP, DAY, limit=100)
    assert sum(line.amount for line in page.lines) == world.used()
    states_: list[State] = [stands for one in many for stands in world.benefits(one).values()]
    assert sum(stands.committed for stands in states_) == world.used()
