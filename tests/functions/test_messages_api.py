"""Messages API: writing passes the gate and a hold, a reply or an opt-out counts at once."""

import json
import logging
from datetime import datetime, timedelta
from typing import Any

import pytest

from functions import case_events, messages_api
from functions.domain.cases import Case, Event
from functions.domain.profiles import Consent
from functions.domain.waits import pause
from functions.runtime.clients import client
from functions.store import cases, customers, messages
from functions.store.cases import open_case
from functions.store.items import attributes
from tests.builders import CUSTOMER, NOW, SHOP, case, decision, profile, review
from tests.cloud import Cloud
from tests.crash import dying_after, effects
from tests.events import CONTEXT, stream_event
from tests.requests import CALLER, ask

HERE = f"/shops/{SHOP}/customers/{CUSTOMER}"
TEXT = "非常抱歉，已为您补发，今天寄出。"


@pytest.fixture(autouse=True)
def _clock(monkeypatch: pytest.MonkeyPatch) -> None:
    at(monkeypatch, NOW)


def at(monkeypatch: pytest.MonkeyPatch, moment: datetime) -> None:
    for module in (messages_api, case_events):
        monkeypatch.setattr(module, "now", lambda: moment)


def asked(method: str, path: str, body: Any = None) -> tuple[int, Any]:
    return ask(messages_api.handler, method, path, body=body)


def opened(**given: Any) -> Case:
    """A case at work whose customer is known."""
    customers.save(profile(bad_reviews=(review().key,)))
    return open_case(case(outbox={}, status="acknowledged", **given), None)


def stands(of: Case) -> Case:
    found = cases.read(of.case_id)
    assert found is not None
    return found


def write(one: Case, **given: Any) -> tuple[int, Any]:
    return asked("POST", f"/cases/{one.case_id}/messages", {"by": "lin", "text": TEXT} | given)


def perform(one: Case) -> None:
    case_events.handler(stream_event(one.case_id), CONTEXT)


def shop(shop_id: str, platform: str = "taobao") -> None:
    item = {"shop_id": shop_id, "platform": platform, "secret": "s", "active": True}
    client("dynamodb").put_item(TableName="winback-local-shops", Item=attributes(item))


def test_drafts_are_filled_from_the_case_and_come_with_what_can_reach_the_customer(aws: Cloud) -> None:
    status, answer = asked("GET", f"/cases/{opened().case_id}/drafts")
    assert status == 200
    assert [draft["way"] for draft in answer["drafts"]] == ["chat", "public_reply"]
    assert "全额退款" in answer["drafts"][0]["text"]
    assert answer["reach"] == []
    assert asked("GET", "/cases/WB-NONE/drafts")[0] == 404


def test_a_text_is_checked_without_being_sent(aws: Cloud) -> None:
    assert asked("POST", "/messages/check", {"text": TEXT}) == (200, {"ok": True, "found": []})
    _, answer = asked("POST", "/messages/check", {"text": "好评返现5元"})
    assert not answer["ok"]
    assert {found["intent"] for found in answer["found"]} >= {"cash_back"}
    assert aws.items("cases") == []


def test_what_a_person_writes_waits_can_be_seen_and_then_goes_out(
    aws: Cloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = opened()
    status, answer = write(one)
    assert status == 200
    assert answer["until"] == "2026-03-02T08:01:30.000000Z"
    perform(one)
    assert aws.published("messages") == []
    later = NOW + timedelta(seconds=90)
    at(monkeypatch, later)
    held = stands(one)
    released = {key: each.model_copy(update={"after": None}) for key, each in held.outbox.items()}
    cases.save(held.model_copy(update={"outbox": released}))
    perform(one)
    (sent,) = aws.published("messages")
    assert (json.loads(sent.text)["text"], json.loads(sent.text)["step"]) == (TEXT, "free")
    kinds = [event.kind for event in stands(one).timeline]
    assert kinds[-3:] == ["message written", "message held", "message sent"]
    assert stands(one).timeline[-3].by == f"lin ({CALLER})"


def test_a_message_with_a_number_of_its_own_is_written_once(aws: Cloud) -> None:
    one = opened()
    first = write(one, message_id="m-1")
    assert write(one, message_id="m-1") == first
    assert len(messages.history(SHOP, CUSTOMER)) == 1
    assert stands(one).outbox.keys() == {"message:free-m-1"}


def test_a_held_message_can_be_taken_back_and_never_goes_out(aws: Cloud) -> None:
    one = opened()
    _, written = write(one)
    path = f"/cases/{one.case_id}/messages/{written['key']}"
    assert asked("DELETE", path)[0] == 200
    assert stands(one).outbox == {}
    assert stands(one).timeline[-1].kind == "message taken back"
    assert [line.state for line in messages.history(SHOP, CUSTOMER)] == ["recalled"]
    assert asked("DELETE", path)[0] == 409


def test_what_went_out_cannot_be_taken_back(aws: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    one = opened()
    _, written = write(one)
    at(monkeypatch, NOW + timedelta(minutes=2))
    perform(one)
    assert len(aws.published("messages")) == 1
    status, answer = asked("DELETE", f"/cases/{one.case_id}/messages/{written['key']}")
    assert (status, answer["message"]) == (409, "It went out, was taken back, or never was.")


def test_a_claimed_message_cannot_be_taken_back_any_more(aws: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    one = opened()
    _, written = write(one)
    at(monkeypatch, NOW + timedelta(minutes=2))
    with dying_after(1):
        perform(one)
    status, answer = asked("DELETE", f"/cases/{one.case_id}/messages/{written['key']}")
    assert (status, answer["message"]) == (409, "It is going out.")


def test_the_gate_names_phrase_place_reason_and_better_words_and_nothing_is_kept_but_the_attempt(
    aws: Cloud, caplog: pytest.LogCaptureFixture
) -> None:
    one = opened()
    text = "问题解决了，麻烦给个五 星，返-现10元"
    with caplog.at_level(logging.INFO):
        status, answer = write(one, text=text)
    assert status == 422
    found = answer["found"]
    assert {each["intent"] for each in found} >= {"five_stars", "cash_back"}
    assert all(text[each["start"] : each["end"]] == each["phrase"] for each in found)
    assert all(each["reason"] and each["better"] for each in found)
    (event,) = [event for event in stands(one).timeline if event.kind == "message blocked"]
    assert event.note == "cash_back, five_stars"
    assert event.by == f"lin ({CALLER})"
    assert stands(one).outbox == {}
    kept = json.dumps([aws.items("cases"), aws.items("customers")], ensure_ascii=False) + caplog.text
    assert "返-现" not in kept


def test_what_would_be_refused_is_said_before_it_is_held(aws: Cloud) -> None:
    one = opened()
    known = customers.profile(SHOP, CUSTOMER)
    assert known is not None
    customers.save(known.model_copy(update={"opted_out_at": NOW}))
    status, answer = write(one)
    assert (status, answer["message"]) == (409, "It cannot be sent: opted out.")
    assert stands(one).outbox == {}


def test_an_unknown_customer_or_case_is_said(aws: Cloud) -> None:
    nobody = open_case(case(review=review(customer_id=None), outbox={}), None)
    assert write(nobody)[0] == 409
    assert write(case(review_id="none"))[0] == 404


def test_guidance_by_hand_counts_as_the_cases_one_guidance(
    aws: Cloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = opened()
    text = "方便的话可以更新评价，怎么写由您决定。"
    assert write(one, text=text)[0] == 200
    at(monkeypatch, NOW + timedelta(minutes=2))
    perform(one)
    assert write(one, text=text)[1]["message"] == "It cannot be sent: second guidance."


# rivals #14: opt-out ignored


def test_an_opt_out_counts_at_once_and_in_all_shops_of_the_owner(aws: Cloud) -> None:
    shop(SHOP)
    shop("shop-2")
    consent = {"sms": Consent(granted=True, at=NOW, source="form")}
    customers.save(profile(shop_id="shop-2", consent=consent))
    assert asked("POST", f"{HERE}/opt-out") == (200, {"opted_out_at": "2026-03-02T08:00:00.000000Z"})
    here = customers.profile(SHOP, CUSTOMER)
    assert here is not None
    assert here.opted_out_at == NOW
    there = messages.customer(case(shop_id="shop-2"))
    assert there is not None
    assert there.opted_out
    assert asked("POST", f"{HERE}/opt-out")[0] == 200


def test_an_opt_out_of_an_unknown_customer_of_an_unknown_shop_is_not_refused(aws: Cloud) -> None:
    assert asked("POST", "/shops/nowhere/customers/nobody/opt-out")[0] == 200


def test_an_opt_out_outlives_the_erasure_without_naming_anybody(aws: Cloud) -> None:
    shop(SHOP)
    asked("POST", f"{HERE}/opt-out")
    known = customers.profile(SHOP, CUSTOMER)
    assert known is not None
    customers.erase(known)
    (left,) = aws.items("customers")
    assert CUSTOMER not in json.dumps(left, default=str)
    assert left["item"] == "opt-out"


@pytest.mark.parametrize("text", ["T", "td", "退订"])
def test_a_reply_may_be_an_opt_out(aws: Cloud, text: str) -> None:
    shop(SHOP)
    opened()
    _, answer = asked("POST", f"{HERE}/reply", {"message_id": "in-1", "text": text, "channel": "sms"})
    assert answer["result"] == "opted out"
    known = customers.profile(SHOP, CUSTOMER)
    assert known is not None
    assert known.opted_out_at == NOW


def test_a_reply_is_noted_on_the_open_cases_without_its_words(aws: Cloud) -> None:
    one = opened()
    body = {"message_id": "in-1", "text": "我的电话13800000000"}
    assert asked("POST", f"{HERE}/reply", body) == (200, {"result": "received", "cases": [one.case_id]})
    assert stands(one).timeline[-1].kind == "customer wrote"
    assert "13800000000" not in json.dumps(aws.items("cases"), ensure_ascii=False)
    (line,) = messages.history(SHOP, CUSTOMER)
    assert (line.state, line.text) == ("received", body["text"])


def test_a_reply_ends_the_wait_for_the_customer_and_the_clock_runs_again(
    aws: Cloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    graded = decision(then={"grade": "logistics_delay", "respond_within": 7200, "warn_before": 1800})
    one = cases.save(pause(opened(decisions=(graded,)), "a picture", "lin", NOW))
    later = NOW + timedelta(hours=1)
    at(monkeypatch, later)
    asked("POST", f"{HERE}/reply", {"message_id": "in-1", "text": "图片发了"})
    after = stands(one)
    assert not after.paused
    assert after.due_at == one.due_at + timedelta(hours=1)
    before = stands(one)
    asked("POST", f"{HERE}/reply", {"message_id": "in-1", "text": "图片发了"})
    assert stands(one) == before


# rivals #12: loops and doubles


def test_a_reply_handed_on_twice_is_one_reply(aws: Cloud) -> None:
    one = opened()
    body = {"message_id": "in-1", "text": "好的"}
    first = asked("POST", f"{HERE}/reply", body)
    before = stands(one)
    assert asked("POST", f"{HERE}/reply", body) == first
    assert stands(one) == before
    assert len(messages.history(SHOP, CUSTOMER)) == 1


def test_our_own_message_that_the_platform_hands_back_sets_off_nothing(
    aws: Cloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = opened()
    write(one)
    at(monkeypatch, NOW + timedelta(minutes=2))
    perform(one)
    before = stands(one)
    _, answer = asked("POST", f"{HERE}/reply", {"message_id": "echo", "text": TEXT})
    assert answer["result"] == "own message"
    assert stands(one) == before


@pytest.mark.parametrize("what", ["write", "reply", "opt-out"])
def test_dying_after_any_effect_and_asking_again_ends_the_same(aws: Cloud, what: str) -> None:
    def begin() -> Case:
        shop(SHOP)
        return opened()

    def run(one: Case) -> None:
        if what == "write":
            assert write(one, message_id="m-1")[0] == 200
        elif what == "reply":
            asked("POST", f"{HERE}/reply", {"message_id": "in-1", "text": "好的"})
        else:
            asked("POST", f"{HERE}/opt-out")

    def state() -> Any:
        return aws.items("cases"), aws.items("customers")

    one = begin()
    names = effects(lambda: run(one))
    expected = state()
    for n in range(1, len(names) + 1):
        aws.empty()
        one = begin()
        with dying_after(n):
            run(one)
        run(one)
        assert state() == expected, f"died after {names[n - 1]}"


def test_a_closed_case_hears_no_reply(aws: Cloud) -> None:
    customers.save(profile(bad_reviews=(review().key,)))
    one = open_case(case(outbox={}, status="closed", events={"closed": Event(at=NOW, kind="closed")}), None)
    asked("POST", f"{HERE}/reply", {"message_id": "in-1", "text": "好的"})
    assert stands(one).events.keys() == {"closed"}
