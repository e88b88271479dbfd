"""Reachability: what can reach a customer is known when the case opens, and said."""

from datetime import timedelta
from typing import Any

import pytest

from functions.domain.cases import open_case
from functions.domain.drafts import drafts
from functions.domain.gate import forbidden
from functions.domain.profiles import Consent
from functions.domain.reachability import Addressee, Reach, Step, plan, window
from functions.domain.times import CHINA
from functions.domain.verdicts import judge
from functions.rulebook import load
from tests.builders import NOW, case, order, profile, review
from tests.domain.test_messages import COUPON

RULES = load()
DUE = NOW + timedelta(hours=2)


def consenting(*ways: str) -> Any:
    return profile(consent={way: Consent(granted=True, at=NOW, source="form") for way in ways})


def reached(step: Step, *ways: str, platform: str = "taobao", delivered_days_ago: int | None = 2) -> Reach:
    delivered = None if delivered_days_ago is None else NOW - timedelta(days=delivered_days_ago)
    to = Addressee(review(platform=platform), consenting(*ways), order(delivered_at=delivered))
    return next(each for each in plan(to, DUE, RULES) if each.step == step)


def test_a_virtual_number_expires_15_days_after_the_order_so_silver_goes_another_way() -> None:
    care, silver = reached("care", "sms", "chat"), reached("silver", "sms", "chat")
    assert (care.way, care.until) == ("sms", NOW + timedelta(days=13))
    assert (silver.way, silver.instead) == ("chat", "instead of sms")
    assert "15 days" in silver.why


def test_where_no_way_is_left_the_plan_says_so_and_what_happens_instead() -> None:
    silver = reached("silver", "sms")
    assert (silver.way, silver.instead) == (None, "not sent unless the customer consents")
    assert "15 days" in silver.why
    assert "chat: no consent" in silver.why


def test_an_order_of_unknown_end_counts_from_the_review() -> None:
    assert reached("care", "sms", delivered_days_ago=None).until == review().posted_at + timedelta(days=15)


@pytest.mark.parametrize(
    ("platform", "way", "until"),
    [
        ("taobao", "public_reply", timedelta(days=30)),
        ("kuaishou", "public_reply", timedelta(days=30)),
        ("jd", "public_reply", None),
        ("pinduoduo", None, None),
        ("a platform nobody knows", None, None),
    ],
)
def test_public_replies_are_open_as_the_platform_has_it(
    platform: str, way: str | None, until: timedelta | None
) -> None:
    found = reached("public_reply", platform=platform)
    assert found.way == way
    assert found.until == (review().posted_at + until if until else None)
    assert bool(found.instead) == (way is None)


def test_a_reply_that_can_be_given_once_only_says_so() -> None:
    assert reached("public_reply", platform="kuaishou").once
    assert ", once" in reached("public_reply", platform="taobao").told
    assert not reached("public_reply", platform="jd").once


def test_douyin_numbers_are_not_for_marketing() -> None:
    assert reached("care", "sms", "chat", platform="douyin").way == "chat"
    assert reached("guidance", platform="douyin").way == "chat"


def test_a_window_is_over_at_its_end() -> None:
    to = Addressee(review(), profile(), None)
    found = window(to, "public_reply", False, RULES)
    assert found.until is not None
    assert found.at(found.until - timedelta(seconds=1))
    assert not found.at(found.until)


def test_a_case_opens_with_its_plan_and_tells_it_in_the_timeline() -> None:
    said = judge(review(), RULES)
    opened = open_case(review(), said, consenting("sms"), order(delivered_at=NOW), RULES, NOW)
    assert [each.step for each in opened.reach] == [
        "public_reply",
        "guidance",
        "care",
        "silver",
        "repurchase",
    ]
    note = opened.events["planned"].note or ""
    assert "silver: cannot happen, not sent unless the customer consents" in note
    assert "care" not in note


@pytest.mark.parametrize("cause", RULES.table("drafts").facts["cause"].words)
def test_every_draft_passes_the_gate_and_says_what_was_decided(cause: str) -> None:
    for remedy, coupon in (("refund", 500), ("reship", 1000), ("supervisor", 0)):
        chat, public = drafts(case(cause=cause, remedy=remedy, coupon=coupon), None, RULES, CHINA, NOW)
        for one in (chat, public):
            assert forbidden(RULES.check(one.text)) == [], one.text
            assert "guidance" not in {found.intent for found in RULES.check(one.text)}
            assert "保温杯" in one.text
        assert "抱歉" in chat.text or "道歉" in chat.text
        if cause != "malicious":
            assert {"refund": "全额退款", "reship": "重新寄出", "supervisor": "主管"}[remedy] in chat.text
            assert (f"{coupon / 100:.2f}元" in chat.text) == (coupon > 0)
        assert "券" not in public.text


def test_a_suspected_case_gets_a_draft_that_promises_nothing() -> None:
    (chat, _) = drafts(case(suspected_malicious=True, remedy="none", coupon=0), None, RULES, CHINA, NOW)
    assert chat.template == "draft-malicious"
    assert "benefit" not in {found.intent for found in RULES.check(chat.text)}


def test_the_confirmed_cause_counts() -> None:
    assert drafts(case(confirmed_cause="quality"), None, RULES, CHINA, NOW)[0].template == "draft-quality"


def test_a_draft_names_the_coupon_once_it_is_given() -> None:
    one = case(remedy="refund", coupon=500)
    chat, public = drafts(one, COUPON, RULES, CHINA, NOW)
    assert "券码K7PTMBZ34RJD，5.00元，有效期至" in chat.text
    assert "券" not in public.text
    assert forbidden(RULES.check(chat.text)) == []
    lapsed, _ = drafts(one, COUPON, RULES, CHINA, NOW + timedelta(days=31))
    assert "券码" not in lapsed.text
