"""Messages of a case on the template's tables and topics: each counted, checked and handed over once."""

import json
from datetime import datetime, timedelta
from typing import Any
from unittest.mock import patch

import pytest
from botocore.client import BaseClient

from functions import case_events
from functions.domain.calendars import Hours
from functions.domain.cases import Case, Effect
from functions.domain.history import Entry
from functions.domain.ledger import Kind, recall, then, there
from functions.domain.profiles import Consent
from functions.store import cases, customers, ledger, messages
from functions.store.cases import open_case
from tests.builders import CUSTOMER, NOW, SHOP, case, profile
from tests.cloud import Cloud
from tests.crash import dying_after, effects
from tests.domain.test_ledger import lines
from tests.events import CONTEXT, stream_event

ASKED = NOW - timedelta(minutes=5)
CONSENT = {"sms": Consent(granted=True, at=NOW, source="order form")}


@pytest.fixture(autouse=True)
def _clock(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(case_events, "now", lambda: NOW)


def deliver(*stand: Case) -> None:
    case_events.handler(stream_event(*(one.case_id for one in stand)), CONTEXT)


def stands(of: Case) -> Case:
    found = cases.read(of.case_id)
    assert found is not None
    return found


def known(**given: Any) -> None:
    customers.save(profile(**{"consent": CONSENT} | given))


def due(
    step: str, number: int = 1, at: datetime = ASKED, coupon: Kind | None = "effective", **given: Any
) -> Case:
    """A resolved case of the one customer, in whose outbox the step's message is; its coupon stands so."""
    effect = Effect(kind="message", at=at, name=step)
    one = case(
        review_id=f"r{number}", **{"status": "resolved", "outcome": "solved", "resolved_at": ASKED} | given
    )
    if coupon is not None and step in ("care", "repurchase"):
        for line in lines(coupon, benefit="coupon", step=step, cost=500, case_id=one.case_id):
            ledger.append(None, line)
    return open_case(one.model_copy(update={"outbox": {f"message:{step}": effect}}), None)


def told(of: Case, key: str) -> tuple[str, str | None]:
    event = stands(of).events[key]
    return event.kind, event.note


def keys(aws: Cloud) -> list[str]:
    return [sent.attributes["message_key"]["Value"] for sent in aws.published("messages")]


def test_guidance_goes_to_the_shops_sender_with_its_channel_and_key(aws: Cloud) -> None:
    known(consent={})
    one = due("guidance")
    deliver(one)
    (sent,) = aws.published("messages")
    said = json.loads(sent.text)
    assert (said["customer_id"], said["step"], said["promotional"]) == (CUSTOMER, "guidance", False)
    assert said["channel"] == sent.attributes["channel"]["Value"] == "chat"
    assert told(one, "message:guidance") == ("guidance sent", "by chat")
    (line,) = messages.history(SHOP, CUSTOMER)
    assert (line.state, line.sent_at, line.case_id) == ("sent", NOW, one.case_id)


@pytest.mark.parametrize(
    ("customer", "reason"),
    [
        (None, "the customer is unknown"),
        ({"consent": {}}, "sms: no consent; chat: no consent; email: no consent"),
        ({"opted_out_at": NOW}, "opted out"),
    ],
)
def test_care_is_not_sent_against_the_customers_will_and_the_case_says_so(
    aws: Cloud, customer: dict[str, Any] | None, reason: str
) -> None:
    if customer is not None:
        known(**customer)
    one = due("care")
    deliver(one)
    assert aws.published("messages") == []
    assert told(one, "message:care") == ("care not sent", reason)


def test_a_message_is_held_first_and_the_case_says_until_when(aws: Cloud) -> None:
    known()
    one = due("care", at=NOW)
    deliver(one)
    assert aws.published("messages") == []
    held = stands(one).outbox["message:care"]
    assert held.after is not None
    assert held.after > NOW
    kind, note = told(one, "message:care:held")
    assert kind == "care held"
    assert "can be taken back" in (note or "")


def test_the_hours_of_contact_are_those_of_the_shops_own_clock(aws: Cloud) -> None:
    known()
    far_away = due("care", hours=Hours(zone="America/Sao_Paulo"))  # 05:00 there at NOW
    deliver(far_away)
    assert aws.published("messages") == []
    held = stands(far_away).outbox["message:care"].after
    assert held == NOW.replace(hour=12, minute=0)


def test_silver_membership_is_recorded_even_where_its_message_may_not_be_sent(aws: Cloud) -> None:
    known(consent={})
    deliver(due("silver"))
    now_known = customers.profile(SHOP, CUSTOMER)
    assert now_known is not None
    assert now_known.silver_since == NOW
    assert aws.published("messages") == []


def test_a_case_that_was_not_solved_makes_nobody_a_member(aws: Cloud) -> None:
    known()
    one = due("silver", outcome="refused")
    deliver(one)
    now_known = customers.profile(SHOP, CUSTOMER)
    assert now_known is not None
    assert now_known.silver_since is None
    assert told(one, "message:silver") == ("silver not sent", "the case is not solved")


def test_the_membership_brings_the_coupon_to_buy_again_later(aws: Cloud) -> None:
    known()
    one = due("silver", status="closed")
    deliver(one)
    following = stands(one).outbox["message:repurchase"]
    assert (following.name, following.at, following.after) == ("repurchase", NOW, NOW + timedelta(days=1))


def test_an_event_delivered_twice_sends_once(aws: Cloud) -> None:
    known()
    one = due("care")
    deliver(one, one)
    assert effects(lambda: deliver(one)) == []
    assert keys(aws) == [f"{one.case_id}:care"]


@pytest.mark.parametrize("step", ["guidance", "care", "silver", "repurchase"])
def test_dying_after_any_effect_of_a_message_ends_the_same(aws: Cloud, step: str) -> None:
    """Only what was handed over but not recorded is handed over again, under the same key."""

    def state() -> Any:
        sent = {(one.attributes["message_key"]["Value"], one.text) for one in aws.published("messages")}
        return aws.items("cases"), aws.items("customers"), sent

    known()
    one = due(step)
    names = effects(lambda: deliver(one))
    expected = state()
    assert len(expected[2]) == 1
    for n in range(1, len(names) + 1):
        aws.empty()
        known()
        one = due(step)
        with dying_after(n):
            deliver(one)
        deliver(one)
        assert state() == expected, f"died after {names[n - 1]}"


# rivals #14: the cap is exact however many decide at once


def test_the_cap_holds_when_many_messages_to_one_customer_are_decided_at_once(aws: Cloud) -> None:
    """Each of them found room under the cap; before it claims its place, the next one has come in between."""
    known()
    waiting = [due("care", number) for number in range(4)]
    claim, left = messages.claim, waiting[1:]

    def others_first(*given: Any) -> None:
        if left:
            deliver(left.pop())
        claim(*given)

    with patch.object(messages, "claim", others_first):
        deliver(waiting[0])
    assert keys(aws) == [f"{waiting[1].case_id}:care"], "the others wait: one a day"
    assert [line.state for line in messages.history(SHOP, CUSTOMER)] == ["sent"]
    assert sum("message:care" in stands(one).outbox for one in waiting) == 3


def test_an_opt_out_between_the_check_and_the_claim_stops_the_message(aws: Cloud) -> None:
    known()
    one = due("care")
    claim = messages.claim

    def opted_out_first(*given: Any) -> None:
        now_known = customers.profile(SHOP, CUSTOMER)
        assert now_known is not None
        if now_known.opted_out_at is None:
            customers.save(now_known.model_copy(update={"opted_out_at": NOW}))
        claim(*given)

    with patch.object(messages, "claim", opted_out_first):
        deliver(one)
    assert aws.published("messages") == []
    assert told(one, "message:care") == ("care not sent", "opted out")


def test_an_opt_out_in_another_shop_between_the_check_and_the_claim_stops_it_too(aws: Cloud) -> None:
    known()
    one = due("care")
    claim = messages.claim

    def opted_out_first(*given: Any) -> None:
        messages.opt_out("taobao", CUSTOMER, NOW)
        claim(*given)

    with patch.object(messages, "claim", opted_out_first):
        deliver(one)
    assert aws.published("messages") == []
    assert told(one, "message:care") == ("care not sent", "opted out")


# rivals #13: cancel on change and guard at send


def test_a_case_re_opened_between_the_check_and_the_claim_keeps_its_guidance(aws: Cloud) -> None:
    known()
    one = due("guidance")
    claim = messages.claim

    def reopened_first(*given: Any) -> None:
        if stands(one).status == "resolved":
            cases.save(stands(one).model_copy(update={"status": "acknowledged"}))
        claim(*given)

    with patch.object(messages, "claim", reopened_first):
        deliver(one)
    assert aws.published("messages") == []
    assert told(one, "message:guidance") == ("guidance not sent", "the case is open again")


def test_a_message_taken_back_between_the_check_and_the_claim_does_not_go_out(aws: Cloud) -> None:
    known()
    one = due("guidance")
    claim = messages.claim

    def recalled_first(*given: Any) -> None:
        current = stands(one)
        if "message:guidance" in current.outbox:
            mine = Entry(
                key=f"{one.case_id}:guidance",
                at=ASKED,
                state="held",
                step="guidance",
                channel="chat",
                text="",
            )
            messages.recall(current.model_copy(update={"outbox": {}}), mine)
        claim(*given)

    with patch.object(messages, "claim", recalled_first):
        deliver(one)
    assert aws.published("messages") == []
    assert [line.state for line in messages.history(SHOP, CUSTOMER)] == ["recalled"]


def test_a_blank_variable_keeps_the_message_in_and_says_which(
    aws: Cloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    from functions.domain import wording

    known()
    monkeypatch.setattr(wording, "yuan", lambda _: "")
    one = due("care")
    deliver(one)
    assert aws.published("messages") == []
    assert told(one, "message:care") == ("care not sent", "template care: no value for coupon")


# the coupon that a text names


def test_the_text_names_the_coupon_that_the_ledger_gave(aws: Cloud) -> None:
    known()
    one = due("care")
    deliver(one)
    (sent,) = aws.published("messages")
    assert "5.00元（与评价无关），券码C，有效期至" in json.loads(sent.text)["text"]


def test_a_message_waits_for_its_coupon_and_goes_with_it_once_somebody_approved(
    aws: Cloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    known()
    one = due("care", coupon="proposed")
    for _ in range(3):
        deliver(one)
        held = stands(one).outbox["message:care"].after
        assert held is not None
        monkeypatch.setattr(case_events, "now", lambda held=held: held)
        cases.change(one.case_id, lambda case: released(case, "message:care"))
    assert told(one, "message:care:held") == ("care held", "its coupon is not given yet")
    assert "message:care:held:2" not in stands(one).events, "one line, however often it was looked at"
    for kind in ("approved", "effective"):
        coupon = ledger.state(SHOP, one.case_id, "care")
        assert coupon is not None
        more = {} if kind == "approved" else {"code": "K7", "valid_until": NOW + timedelta(days=9)}
        ledger.append(coupon, then(coupon, kind, "wang", NOW, **more))
    deliver(one)
    (sent,) = aws.published("messages")
    assert "券码K7" in json.loads(sent.text)["text"]
    assert told(one, "message:care") == ("care sent", "by sms")


def released(case: Case, key: str) -> Case:
    effect = case.outbox[key].model_copy(update={"after": None})
    return case.model_copy(update={"outbox": case.outbox | {key: effect}})


def test_without_its_coupon_the_care_message_goes_without_and_the_other_not_and_the_case_says_so(
    aws: Cloud,
) -> None:
    known()
    care, again = due("care", coupon=None), due("repurchase", 2, coupon=None)
    deliver(care)
    deliver(again)
    assert told(care, "message:care") == ("care sent", "by sms, without a coupon: its coupon was not granted")
    assert told(again, "message:repurchase") == ("repurchase not sent", "its coupon was not granted")
    (sent,) = aws.published("messages")
    assert "券" not in json.loads(sent.text)["text"]


def test_a_coupon_taken_back_between_the_check_and_the_claim_is_not_promised(aws: Cloud) -> None:
    known()
    one = due("care")
    claim = messages.claim

    def recalled_first(*given: Any) -> None:
        coupon = ledger.state(SHOP, one.case_id, "care")
        assert coupon is not None
        if coupon.standing == "effective":
            ledger.decide(
                one.case_id, "care", lambda _, stands: recall(there(stands), "wang", None, NOW), note=None
            )
        claim(*given)

    with patch.object(messages, "claim", recalled_first):
        deliver(one)
    (sent,) = aws.published("messages")
    assert "券" not in json.loads(sent.text)["text"]
    assert told(one, "message:care")[1] == "by sms, without a coupon: its coupon is correction"


def test_a_sender_that_cannot_be_reached_costs_a_repetition_not_a_place_under_the_cap(aws: Cloud) -> None:
    known()
    one = due("care")
    original = BaseClient._make_api_call  # type: ignore[attr-defined]

    def failing(self: Any, operation: str, parameters: Any) -> Any:
        if operation == "Publish":
            raise ConnectionError("reset")
        return original(self, operation, parameters)

    with patch.object(BaseClient, "_make_api_call", failing), pytest.raises(case_events.EffectsFailed):
        deliver(one)
    deliver(one)
    assert keys(aws) == [f"{one.case_id}:care"]
    assert len(messages.history(SHOP, CUSTOMER)) == 1
