import re
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.domain.alerts import LINK_LENGTH, SMS_LENGTH, alert
from functions.domain.cases import Effect
from functions.domain.causes import CAUSES
from functions.domain.follow_ups import message, next_contact, plan, refusal
from functions.domain.pace import REAL, Pace
from functions.domain.profiles import Consent
from functions.rulebook import load
from tests.builders import case, profile, review

RULES = load()
NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
LINK = "https://abcdefghij.execute-api.ap-southeast-1.amazonaws.com.cn/cases/WB-ABCDEFGHIJKL"
FIRST = Effect(kind="alert", at=NOW, level=0)


@given(
    title=st.text(max_size=120),
    grade=st.sampled_from(CAUSES),
    effect=st.sampled_from(
        [
            FIRST,
            Effect(kind="alert", at=NOW, level=1),
            Effect(kind="alert", at=NOW, level=2),
            Effect(kind="alert", at=NOW, name="warning"),
            Effect(kind="alert", at=NOW, name="breach"),
        ]
    ),
)
def test_every_alert_fits_two_ucs2_segments_and_names_case_and_link(title, grade, effect) -> None:
    told = alert(case(grade=grade, review=review(product_title=title)), effect, LINK, RULES)
    assert len(told.sms.encode("utf-16-be")) // 2 <= SMS_LENGTH
    assert told.case_id in told.sms
    assert LINK in told.sms
    assert told.roles


def test_the_longest_api_address_still_fits() -> None:
    assert len(LINK) <= LINK_LENGTH


def test_an_alert_says_what_how_bad_and_until_when() -> None:
    told = alert(
        case(grade="quality", due_at=NOW, review=review(stars=None, rating="bad")), FIRST, LINK, RULES
    )
    assert "质量" in told.sms
    assert "差评" in told.sms
    assert "20:00" in told.sms, "in China time"


def test_an_alert_holds_nothing_of_the_person() -> None:
    told = alert(
        case(review=review(customer_id="buyer-77", order_id="order-88", text="我的电话13800000000")),
        FIRST,
        LINK,
        RULES,
    )
    for secret in ("buyer-77", "order-88", "13800000000"):
        assert secret not in told.model_dump_json()


def test_the_supervisor_hears_of_every_first_alert() -> None:
    for grade in CAUSES:
        assert "supervisor" in alert(case(grade=grade), FIRST, LINK, RULES).roles


def test_a_repeated_alert_has_the_same_key_and_another_level_another() -> None:
    keys = [
        alert(case(), effect, LINK, RULES).key
        for effect in (FIRST, FIRST, Effect(kind="alert", at=NOW, level=1))
    ]
    assert keys[0] == keys[1] != keys[2]


def test_the_plan_takes_its_waits_from_the_rules() -> None:
    planned = plan(case(), RULES, REAL)
    assert (planned.guidance_after_s, planned.care_after_s, planned.silver_after_s) == (7200, 259200, 2592000)


def test_a_second_run_marks_its_keys() -> None:
    assert plan(case(), RULES, REAL).mark == ""
    assert plan(case(run=2), RULES, REAL).mark == "@2"


def test_a_compressed_plan_keeps_the_order_of_things() -> None:
    planned = plan(case(), RULES, Pace(scale=1 / 86400, floor_s=5))
    assert (planned.guidance_after_s, planned.care_after_s, planned.silver_after_s) == (5, 5, 30)


def test_guidance_comes_within_24_hours_of_the_resolution() -> None:
    assert plan(case(), RULES, REAL).guidance_after_s <= 24 * 3600


def test_promotional_messages_need_consent_and_end_with_an_opt_out() -> None:
    consented = profile(consent={"sms": Consent(granted=True, at=NOW, source="order form")})
    assert refusal(profile(), promotional=False) is None
    assert refusal(profile(), promotional=True) == "no recorded consent to promotional messages"
    assert refusal(consented, promotional=True) is None
    assert (
        refusal(consented.model_copy(update={"opted_out_at": NOW}), promotional=False)
        == "the customer opted out"
    )


@pytest.mark.parametrize(
    ("hour_in_china", "expected"),
    [(3, "06-01 09:00"), (9, "06-01 09:00"), (19, "06-01 19:00"), (20, "06-02 09:00")],
)
def test_promotional_messages_wait_for_the_contact_window(hour_in_china: int, expected: str) -> None:
    now = datetime(2026, 6, 1, tzinfo=UTC) + timedelta(hours=hour_in_china - 8)
    sent = message(case(), "care", RULES, now)
    assert (sent.not_before + timedelta(hours=8)).strftime("%m-%d %H:%M") == expected
    assert message(case(), "guidance", RULES, now).not_before == now


def test_the_window_is_half_open() -> None:
    opens, closes = 9 * 3600, 20 * 3600
    nine = datetime(2026, 6, 1, 1, tzinfo=UTC)
    assert next_contact(nine, opens, closes) == nine
    assert next_contact(nine + timedelta(hours=11), opens, closes) == nine + timedelta(days=1)


def test_no_message_holds_both_a_benefit_and_review_guidance() -> None:
    texts = {step: message(case(), step, RULES, NOW).text for step in ("guidance", "care", "silver")}
    assert re.search("更新评价", texts["guidance"])
    assert not any(re.search("更新评价", texts[step]) for step in ("care", "silver"))


def test_a_case_without_customer_has_nobody_to_write_to() -> None:
    with pytest.raises(ValueError, match="no customer"):
        message(case(review=review(customer_id=None)), "care", RULES, NOW)
