"""Money under any interleaving: deliveries that come twice or die half-way, people who decide in between.

Whatever happens: no benefit is given twice, none is lost, no budget is overspent without an approval, and the
sum of the lines is what is counted and how each benefit stands.
"""

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import hypothesis.strategies as st
import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from functions.domain.benefits import costs
from functions.domain.cases import Case
from functions.domain.ledger import RULES, STEPS, Line, Step, states
from functions.store import ledger
from tests.builders import NOW, SHOP
from tests.cloud import ENDPOINT, Cloud
from tests.crash import disturbed, dying_after
from tests.money import World

FINAL = {"delivered", "recalled", "refused", "expired", "correction", "redeemed"}
BUDGET = 150_000  # rules/budgets.toml, refund
HALF = BUDGET - 6000  # so that one refund of 59.90 is within it and the second is not

steps = st.sampled_from(["remedy", "coupon", "goodwill"])
deaths = st.integers(0, 3)


@pytest.fixture
def world(aws: Cloud) -> Iterator[World]:
    with World(aws).running() as world:
        yield world


class Money(RuleBasedStateMachine):
    world: World

    @initialize()
    def begin(self) -> None:
        self.world.aws.empty()
        self.world.now = NOW
        self.world.begin()
        self.world.spend(HALF)
        # Two refunds that the budget does not hold together, one above the limit, one left to a person.
        self.cases: list[Case] = [
            self.world.solve(1, goodwill="vip_gift"),
            self.world.solve(2),
            self.world.solve(3, value=12_000, coupon=0, order="order-1"),
            self.world.solve(4, value=40_000, coupon=0, remedy="supervisor"),
        ]

    @rule(which=st.integers(0, 3), death=deaths)
    def deliver(self, which: int, death: int) -> None:
        """The stream shows a case, whether or not anything is to do; the process may die."""
        self._dying(death, lambda: self.world.perform(self.cases[which]))

    @rule(
        which=st.integers(0, 3),
        step=steps,
        what=st.sampled_from(["recall", "approve", "refuse"]),
        place=st.sampled_from([0, 0, 1, 2, 3]),
    )
    def decide_in_the_middle_of_a_delivery(self, which: int, step: Step, what: str, place: int) -> None:
        with disturbed(place, lambda: self.world.say(what, self.cases[which], step)):
            self.world.perform(self.cases[which])

    @rule(death=deaths)
    def send(self, death: int) -> None:
        bodies = self.world.aws.queued("orders")
        self._dying(death, lambda: self.world.send(bodies))
        self.world.send(bodies)  # nobody deleted them from the queue

    @rule(minutes=st.sampled_from([1, 3, 250]), death=st.integers(0, 2))
    def wait(self, minutes: int, death: int) -> None:
        self.world.now += timedelta(minutes=minutes)
        self._dying(death, self.world.tick)

    @rule(
        which=st.integers(0, 3),
        step=steps,
        what=st.sampled_from(["recall", "approve", "refuse", "sent", "delivered", "redeemed"]),
        by=st.sampled_from(["lin", "wang"]),
    )
    def decide(self, which: int, step: Step, what: str, by: str) -> None:
        more = {"order_id": by} if what == "redeemed" else {}
        assert self.world.say(what, self.cases[which], step, by, **more) in (200, 403, 404, 409)

    @rule(benefit=st.sampled_from(["refund", "reship"]), cost=st.sampled_from([None, 9000]))
    def give(self, benefit: str, cost: int | None) -> None:
        said = {"by": "lin", "benefit": benefit, "cost": cost}
        path = f"/cases/{self.cases[3].case_id}/benefits"
        assert self.world.call("POST", path, said)[0] in (200, 409)

    @rule(which=st.integers(0, 2))
    def solve_again(self, which: int) -> None:
        self.world.reopen(self.world.case(self.cases[which]))

    @rule()
    def fail(self) -> None:
        self.world.orders.failing = 1

    @invariant()
    def everything_adds_up(self) -> None:
        """Read once: the lines, what is counted, and how each benefit stands."""
        items = self.world.aws.items("ledger")
        lines = [Line.model_validate(item) for item in items if "day_book" in item]
        counted = sum(item["shop"] for item in items if item["line"] == "budgets")
        assert sum(line.amount for line in lines) == counted
        approved = refunded = 0
        for case_id in {line.case_id for line in lines}:
            its = [line for line in lines if line.case_id == case_id]
            for step, stands in states(its).items():
                amounts = [line.amount for line in its if line.step == step]
                assert stands.committed == sum(amounts) in (0, stands.cost)
                kinds = [line.kind for line in its if line.step == step]
                assert max(kinds.count("effective"), kinds.count("delivered"), kinds.count("redeemed")) <= 1
                approved += stands.committed if stands.approved_by is not None else 0
                refunded += stands.committed if stands.row == "remedies.small-order" else 0
                if f"{case_id}:{step}" in self.world.orders.taken:
                    assert "effective" in kinds
        assert refunded <= BUDGET + approved, "overspent without an approval"

    def teardown(self) -> None:
        """Nobody decides anything any more: everything comes to an end, and nothing is lost."""
        if not hasattr(self, "cases"):
            return
        self.world.orders.failing = 0
        self.world.settle()
        for hours in (1, 8 * 24):  # holds; what waits for an approval lapses
            self.world.later(hours=hours)
        for one in self.cases:
            given = self.world.benefits(one)
            assert given.keys() >= {"remedy"}
            for step in STEPS:
                if step in given:
                    stands = given[step]
                    ended = stands.standing in FINAL or stands.awaits_hands or stands.code is not None
                    assert ended, f"{stands.key} is {stands.standing}"
            its = ledger.lines(SHOP, one.case_id, "remedy")
            by_people = any(line.by != RULES for line in its if line.kind == "delivered")
            if given["remedy"].standing == "delivered":
                assert by_people or given["remedy"].key in self.world.orders.taken
            assert self.world.case(one).outbox == {}
            assert costs(ledger.lines(SHOP, one.case_id), NOW).total >= 0

    @staticmethod
    def _dying(death: int, work: Callable[[], Any]) -> None:
        """Do the work; die after so many effects, if it has as many, and never say so. 0: live."""
        if not death:
            work()
            return
        try:
            with dying_after(death):
                work()
        except AssertionError as error:
            if "nothing died" not in str(error):
                raise


@pytest.mark.skipif(ENDPOINT is not None, reason="there are only tables on DynamoDB Local")
def test_no_benefit_is_given_twice_none_is_lost_and_the_lines_add_up(world: World) -> None:
    Money.world = world
    run_state_machine_as_test(
        Money,
        settings=settings(
            max_examples=6,
            stateful_step_count=12,
            deadline=None,
            derandomize=True,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        ),
    )
