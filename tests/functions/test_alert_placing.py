"""Alerts between an outbox and the desk, on the template's tables and topics, over time."""

import json
from collections import Counter
from datetime import datetime, timedelta
from typing import Any

import pytest

from functions import case_clock, case_events
from functions.domain.cases import Case, acknowledge
from functions.domain.duty import Rota, Shift
from functions.domain.incidents import items
from functions.domain.silences import Matchers, Silence
from functions.effects import alerts, placing
from functions.runtime.clients import client
from functions.store import cases, desk
from functions.store.items import attributes
from tests.builders import NOW, SHOP, case, review
from tests.cloud import Cloud
from tests.crash import dying_after, effects
from tests.events import CONTEXT, stream_event

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)


class World:
    """The stream and the clock, played by hand."""

    def __init__(self, aws: Cloud) -> None:
        self.aws, self.now = aws, NOW

    def deliver(self, *some: Case) -> None:
        case_events.handler(stream_event(*(one.case_id for one in some)), CONTEXT)

    def opened(self, number: int) -> Case:
        written = review(review_id=f"r{number}", customer_id=f"c{number}")
        outbox = {key: effect for key, effect in case().outbox.items() if key == "alert:0"}
        far = {"warn_at": NOW + timedelta(days=20), "due_at": NOW + timedelta(days=21)}
        at = {"opened_at": self.now, "escalate_at": self.now + 15 * MINUTE}
        return cases.open_case(case(review=written, outbox=outbox, **far, **at), None)

    def wait(self, minutes: int) -> None:
        """Let time pass, a look of the clock every minute."""
        for _ in range(minutes):
            self.now += MINUTE
            case_clock.look(self.now)
            pending = [item["case_id"] for item in self.aws.items("cases") if item.get("pending")]
            if pending:
                case_events.handler(stream_event(*pending), CONTEXT)

    @property
    def told(self) -> list[str]:
        return [each.attributes["kind"]["Value"] for each in self.aws.published("alerts")]

    @property
    def texts(self) -> list[str]:
        return [json.loads(each.text)["sms"] for each in self.aws.published("alerts")]

    def stands(self, of: Case) -> Case:
        found = cases.read(of.case_id)
        assert found is not None
        return found


@pytest.fixture
def world(aws: Cloud, monkeypatch: pytest.MonkeyPatch) -> World:
    world = World(aws)
    monkeypatch.setattr(case_events, "now", lambda: world.now)
    monkeypatch.setattr(alerts, "now", lambda: world.now)
    monkeypatch.setattr(placing, "_HANDS", 1)  # moto may lose one of two updates of an item that meet
    return world


def silence(ends: datetime) -> Silence:
    return Silence(
        silence_id="S-1", matchers=Matchers(), by="wang", reason="stock-taking", starts=NOW, ends=ends
    )


def test_a_case_born_in_a_silence_is_alerted_at_its_end_and_its_chain_goes_on(world: World) -> None:
    desk.add(SHOP, silence(NOW + 20 * MINUTE))
    one = world.opened(1)
    world.deliver(one)
    world.wait(19)
    assert world.told == []
    held = world.stands(one).events["alert:0:held"]
    assert held.note == "silenced by wang until 2026-03-02 16:20 because stock-taking"
    assert held.at == NOW, "said once, from when it began"
    world.wait(1)
    assert world.told == ["first"]
    assert world.stands(one).alerted_at == NOW + 20 * MINUTE
    world.wait(14)
    assert world.told == ["first"]
    world.wait(1)
    assert world.told == ["first", "escalation"]


def test_the_end_of_a_silence_tells_how_many_it_hid_once(world: World) -> None:
    desk.add(SHOP, silence(NOW + 5 * MINUTE))
    for number in range(3):  # one by one: moto may lose one of two updates that meet
        world.deliver(world.opened(number))
    world.wait(5)
    assert Counter(world.told) == {"catch_up": 1, "first": 3}
    assert "期间有3件" in " ".join(world.texts)


def test_a_silence_that_is_lifted_counts_within_minutes(world: World) -> None:
    desk.add(SHOP, silence(NOW + 24 * HOUR))
    one = world.opened(1)
    world.deliver(one)
    desk.end(SHOP, silence(NOW + 24 * HOUR), NOW + MINUTE)
    world.wait(5)
    assert world.told == ["first"]


def test_a_hidden_case_that_was_acknowledged_is_not_alerted_at_the_end(world: World) -> None:
    desk.add(SHOP, silence(NOW + 5 * MINUTE))
    one = world.opened(1)
    world.deliver(one)
    cases.save(acknowledge(world.stands(one), "lin", NOW))
    world.wait(30)
    assert world.told == []
    assert world.stands(one).events["alert:0"].note == "lin has taken the case"
    assert world.stands(one).outbox == {}


def test_nobody_on_duty_queues_to_the_next_shift(world: World) -> None:  # OnCall #4846
    roles: Any = ("agent", "supervisor", "manager")
    shifts = tuple(Shift(role=role, people=(f"{role}.one",), starts="16:10", ends="18:00") for role in roles)
    desk.put_rota(SHOP, Rota(shifts=shifts, by="wang", at=NOW))
    one = world.opened(1)
    world.deliver(one)
    world.wait(9)
    assert world.told == []
    assert world.stands(one).events["alert:0:held"].note == "nobody is on duty until 2026-03-02 16:10"
    world.wait(1)
    (sent,) = world.aws.published("alerts")
    assert json.loads(sent.attributes["person"]["Value"]) == ["agent.one", "supervisor.one"]
    assert json.loads(sent.attributes["role"]["Value"]) == ["agent", "supervisor"]


def test_nobody_on_duty_is_reported_as_long_as_it_lasts(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    counted: Counter[str] = Counter()
    monkeypatch.setattr(alerts, "count", lambda name, by=1: counted.update({name: by}))
    roles: Any = ("agent", "supervisor", "manager")
    shifts = tuple(Shift(role=role, people=("a",), starts="17:00", ends="18:00") for role in roles)
    desk.put_rota(SHOP, Rota(shifts=shifts, by="wang", at=NOW))
    world.deliver(world.opened(1))
    world.wait(10)
    assert counted["AlertsHeld"] == 1
    assert counted["NobodyOnDuty"] == 3


def burst(world: World, count: int) -> list[Case]:
    some = []
    for number in range(count):
        one = world.opened(number)
        world.deliver(one)
        some.append(one)
        world.now += timedelta(seconds=1)
    return some


def test_many_on_one_product_are_first_told_at_once_then_bundled_then_summed_up(world: World) -> None:
    some = burst(world, 14)
    assert world.told == ["first"] * 9 + ["incident"]
    assert "一小时内10条" in world.texts[-1]
    world.wait(9)
    assert Counter(world.told)["summary"] == 0
    world.wait(1)
    assert Counter(world.told)["summary"] == 1
    assert any("累计14条" in sms for sms in world.texts)
    assert all(world.stands(one).alerted_at is not None for one in some)
    assert world.stands(some[12]).events["alert:0:held"].kind == "alert bundled"


def test_during_an_incident_its_lead_goes_up_the_chain_and_afterwards_everybody(world: World) -> None:
    some = burst(world, 10)
    world.wait(20)
    assert [one.case_id for one in some if "alert:1" in world.stands(one).events] == [some[9].case_id]
    assert world.stands(some[0]).events["alert:1:held"].note == (
        f"inhibited: {some[9].case_id} speaks for an incident on the same product"
    )
    world.wait(25)
    assert all("alert:1" in world.stands(one).events for one in some)


def test_an_event_delivered_twice_changes_nothing_more(world: World) -> None:
    some = burst(world, 12)
    before = world.aws.items("cases"), world.aws.items("desk"), world.told
    assert effects(lambda: world.deliver(*some, *some)) == []
    assert (world.aws.items("cases"), world.aws.items("desk"), world.told) == before


@pytest.mark.parametrize("quiet", [False, True])
def test_dying_after_any_effect_and_coming_again_ends_the_same(world: World, quiet: bool) -> None:
    """Also in an incident or a silence: the same keys are told, cases are counted once."""

    def before() -> list[Case]:
        world.aws.empty()
        world.now = NOW
        if quiet:
            desk.add(SHOP, silence(NOW + HOUR))
        some = burst(world, 9)
        if quiet:
            world.now = NOW + HOUR
            case_clock.look(world.now)
            return some[:3]
        return [world.opened(9)]

    def state() -> Any:
        keys = {sent.attributes["alert_key"]["Value"] for sent in world.aws.published("alerts")}
        said = [sorted((key, event["kind"]) for key, event in item["events"].items())
                for item in world.aws.items("cases")]  # fmt: skip
        return keys, said, world.aws.items("desk")

    due = before()
    names = effects(lambda: world.deliver(*due))
    keys, said, kept = state()
    assert any("incident" in key or "catch_up" in key for key in keys)
    for n in range(1, len(names) + 1):
        due = before()
        with dying_after(n):
            world.deliver(*due)
        world.deliver(*due)
        again = state()
        assert (len(again[0]), again[1], len(again[2])) == (len(keys), said, len(kept)), names[n - 1]


def test_an_alert_that_waited_on_purpose_does_not_count_as_late(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    measured: list[str] = []
    monkeypatch.setattr(case_events, "seconds", lambda name, _: measured.append(name))
    desk.add(SHOP, silence(NOW + 5 * MINUTE))
    world.deliver(world.opened(1))
    world.wait(5)
    assert (world.told, measured) == (["first"], [])


def test_a_desk_that_cannot_be_read_keeps_nobody_from_being_alerted(world: World) -> None:
    client("dynamodb").put_item(
        TableName="winback-local-desk",
        Item=attributes({"shop_id": SHOP, "item": "silence#S-1", "ends": "soon"}),
    )
    world.deliver(world.opened(1))
    assert world.told == ["first"]


def test_a_desk_that_does_not_answer_leaves_the_alert_in_the_outbox(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(shop_id: str) -> None:
        raise ConnectionError("reset")

    one = world.opened(1)
    monkeypatch.setattr(desk, "read", broken)
    with pytest.raises(case_events.EffectsFailed, match="alert:0: ConnectionError"):
        world.deliver(one)
    assert world.stands(one).outbox.keys() == {"alert:0"}


def test_who_the_customer_is_is_not_on_the_desk(world: World) -> None:
    one = world.opened(7)
    world.deliver(one)
    assert items(one)[1] in json.dumps(world.aws.items("desk"), default=str)
    assert '"c7"' not in json.dumps(world.aws.items("desk"), default=str)
