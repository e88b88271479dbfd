"""A public reply: through the gate, held, then put under its review once, whatever happens in between."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import boto3
import pytest

from functions import case_events, messages_api
from functions.domain.cases import Case, changed
from functions.domain.replies import KEY
from functions.runtime import credentials
from functions.runtime.clients import client
from functions.store import cases
from functions.store.items import attributes
from infra.local.simulators.faults import Fault
from infra.local.simulators.taobao import TaobaoSimulator
from tests.builders import NOW, SHOP, case, review
from tests.cloud import Cloud
from tests.crash import dying_after, effects
from tests.events import CONTEXT, stream_event
from tests.requests import ask

TEXT = "您好，非常抱歉，我们已在平台消息里联系您，会负责到底。"
SECRET = "winback/local/shop-1"
LATER = NOW + timedelta(minutes=2)  # its hold is over


class World:
    now = NOW


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> World:
    world = World()
    for module in (messages_api, case_events):
        monkeypatch.setattr(module, "now", lambda: world.now)
    return world


@pytest.fixture
def taobao(aws: Cloud, world: World) -> Iterator[TaobaoSimulator]:
    credentials.forget()
    with TaobaoSimulator(clock=lambda: world.now) as simulator:
        begin(simulator)
        yield simulator


def begin(simulator: TaobaoSimulator) -> None:
    boto3.client("secretsmanager").create_secret(Name=SECRET, SecretString=simulator.secret)
    item = {"shop_id": SHOP, "platform": "taobao", "secret": SECRET, "api_url": simulator.url}
    client("dynamodb").put_item(TableName="winback-local-shops", Item=attributes(item))
    simulator.replies.clear()
    simulator.publish({"oid": 7, "created": NOW, "result": "bad"})


def opened(**given: Any) -> Case:
    return cases.open_case(
        case(review=review(review_id="7"), outbox={}, status="acknowledged", **given), None
    )


def write(one: Case, text: str = TEXT) -> tuple[int, Any]:
    return ask(messages_api.handler, "POST", f"/cases/{one.case_id}/reply", body={"by": "lin", "text": text})


def perform(one: Case, world: World, at: datetime = LATER) -> None:
    """The hold is over, the clock has released it, and the stream brings the case."""
    world.now = at
    cases.change(one.case_id, released)
    case_events.handler(stream_event(one.case_id), CONTEXT)


def released(one: Case) -> Case:
    outbox = {key: effect.model_copy(update={"after": None}) for key, effect in one.outbox.items()}
    return one.model_copy(update={"outbox": outbox})


def told(one: Case) -> tuple[str, str | None]:
    found = cases.read(one.case_id)
    assert found is not None
    return found.events[KEY].kind, found.events[KEY].note


def test_a_reply_waits_a_while_and_is_then_put_under_the_review(
    taobao: TaobaoSimulator, world: World
) -> None:
    one = opened()
    status, answer = write(one)
    assert (status, answer["key"]) == (200, "public_reply")
    perform(one, world, NOW)
    assert taobao.replies == {}, "it can still be taken back"
    perform(one, world)
    assert taobao.replies == {7: TEXT}
    assert told(one) == ("public reply sent", None)


def test_a_review_is_replied_to_once(taobao: TaobaoSimulator, world: World) -> None:
    one = opened()
    assert write(one)[0] == write(one)[0] == 200
    assert write(one, "另一个回复，非常抱歉")[0] == 409
    perform(one, world)
    perform(one, world)
    assert taobao.replies == {7: TEXT}
    assert write(one)[0] == 409


def test_a_reply_that_is_held_can_be_taken_back_for_good(taobao: TaobaoSimulator, world: World) -> None:
    one = opened()
    write(one)
    path = f"/cases/{one.case_id}/messages/public_reply"
    assert ask(messages_api.handler, "DELETE", path)[0] == 200
    perform(one, world)
    assert taobao.replies == {}
    assert told(one)[0] == "message taken back"


def test_what_went_out_or_never_was_cannot_be_taken_back(taobao: TaobaoSimulator, world: World) -> None:
    one = opened()
    path = f"/cases/{one.case_id}/messages/public_reply"
    assert ask(messages_api.handler, "DELETE", path)[0] == 409
    write(one)
    perform(one, world)
    assert ask(messages_api.handler, "DELETE", path)[0] == 409
    assert taobao.replies == {7: TEXT}


@pytest.mark.parametrize(
    ("text", "status"),
    [
        ("亲，给个五星好评吧", 422),
        ("非常抱歉，送您一张5元优惠券", 409),
        ("抱歉，方便的话请更新一下评价", 409),
    ],
)
def test_for_all_to_read_nothing_is_offered_and_nothing_asked_for(
    taobao: TaobaoSimulator, text: str, status: int
) -> None:
    one = opened()
    assert write(one, text)[0] == status
    found = cases.read(one.case_id)
    assert found is not None
    assert found.outbox == {}
    assert text not in str(found)


def test_after_thirty_days_a_person_is_told_that_it_is_too_late(
    taobao: TaobaoSimulator, world: World
) -> None:
    one = opened()
    world.now = NOW + timedelta(days=31)
    status, body = write(one)
    assert status == 409
    assert "30 days" in body["message"]


def test_where_the_platform_has_no_way_a_person_replies_in_its_console(aws: Cloud, world: World) -> None:
    one = cases.open_case(case(review=review(platform="pinduoduo"), outbox={}), None)
    status, body = write(one)
    assert status == 409
    assert "console" in body["message"]


def test_what_the_platform_declines_is_said_on_the_case(taobao: TaobaoSimulator, world: World) -> None:
    one = opened()
    write(one)
    taobao.withdraw(7)
    perform(one, world)
    kind, note = told(one)
    assert kind == "public reply not sent"
    assert "isv.traderate-not-exist" in (note or "")


def test_a_platform_that_is_down_is_asked_again_later(taobao: TaobaoSimulator, world: World) -> None:
    one = opened()
    write(one)
    taobao.faults = (Fault(kind="http_500"),)
    perform(one, world)
    found = cases.read(one.case_id)
    assert found is not None
    assert found.outbox[KEY].after == LATER + timedelta(minutes=5)
    taobao.faults = ()
    perform(one, world, LATER + timedelta(minutes=5))
    assert taobao.replies == {7: TEXT}


def test_nobody_replies_once_the_person_was_erased(taobao: TaobaoSimulator, world: World) -> None:
    one = opened()
    write(one)
    event = one.events["opened"].model_copy(update={"kind": "person erased"})
    cases.change(one.case_id, lambda stands: changed(stands, {}, {"erased": event}))
    perform(one, world)
    assert taobao.replies == {}
    assert told(one) == ("public reply not sent", "the person was erased")


def test_dying_after_any_effect_and_coming_again_replies_once(
    aws: Cloud, taobao: TaobaoSimulator, world: World
) -> None:
    one = opened()
    write(one)
    names = effects(lambda: perform(one, world))
    for n in range(1, len(names) + 1):
        aws.empty()
        credentials.forget()
        world.now = NOW
        begin(taobao)
        one = opened()
        write(one)
        with dying_after(n):
            perform(one, world)
        perform(one, world)
        assert taobao.replies == {7: TEXT}, names[n - 1]
        assert told(one)[0] == "public reply sent", names[n - 1]
