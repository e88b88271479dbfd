from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from functions.domain.alerts import LINK_LENGTH, SMS_LENGTH, alert
from functions.domain.calendars import Hours
from functions.domain.cases import Effect
from functions.domain.causes import CAUSES
from functions.domain.follow_ups import before_care, plan
from functions.domain.links import TOKEN_LENGTH
from functions.domain.pace import REAL, Pace
from functions.rulebook import load
from tests.builders import case, review

RULES = load()
NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
PREFIX = "https://abcdefghij.execute-api.ap-southeast-1.amazonaws.com/p/"
LINK = PREFIX + f"{case().case_id:A<{TOKEN_LENGTH}}"
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


def test_guidance_and_care_follow_a_resolution_as_the_rules_have_it() -> None:
    held = before_care(case(resolved_at=NOW), RULES, REAL, NOW)
    assert held is not None
    guidance = held.then["message:guidance"]
    assert guidance.after == NOW + timedelta(hours=2, seconds=90)
    assert held.until == guidance.after + timedelta(days=3)
    assert plan(case(resolved_at=NOW), RULES, REAL).until_silver_s == 30 * 86400


def test_once_the_care_is_due_nothing_comes_before() -> None:
    one = case(resolved_at=NOW)
    held = before_care(one, RULES, REAL, NOW)
    assert held is not None
    assert before_care(one, RULES, REAL, held.until - timedelta(seconds=1)) is not None
    assert before_care(one, RULES, REAL, held.until) is None


def test_the_care_comes_so_late_that_it_need_not_wait_for_its_distance_from_the_guidance() -> None:
    held = before_care(case(resolved_at=NOW), RULES, REAL, NOW)
    assert held is not None
    sent_at = held.then["message:guidance"].after
    contact = RULES.ask.contact(promotional=True)
    assert sent_at is not None
    assert held.until >= sent_at + timedelta(seconds=contact.number("gap"))


def test_a_second_run_marks_its_keys() -> None:
    assert plan(case(resolved_at=NOW), RULES, REAL).mark == ""
    again = case(resolved_at=NOW, run=2)
    assert plan(again, RULES, REAL).mark == "@2"
    held = before_care(again, RULES, REAL, NOW)
    assert held is not None
    assert held.then.keys() == {"message:guidance@2"}


def test_a_compressed_plan_keeps_the_order_of_things() -> None:
    pace = Pace(scale=1 / 86400, floor_s=5)
    held = before_care(case(resolved_at=NOW), RULES, pace, NOW)
    assert held is not None
    assert held.then["message:guidance"].after == NOW + timedelta(seconds=10)
    assert held.until == NOW + timedelta(seconds=15)
    assert plan(case(resolved_at=NOW), RULES, pace).until_silver_s == 30


def test_guidance_comes_within_24_hours_of_the_resolution() -> None:
    held = before_care(case(resolved_at=NOW), RULES, REAL, NOW)
    assert held is not None
    after = held.then["message:guidance"].after
    assert after is not None
    assert after <= NOW + timedelta(hours=24)


def test_an_alert_names_the_day_of_a_deadline_that_is_more_than_a_day_away() -> None:
    seen = datetime(2026, 5, 8, 9, 40, tzinfo=UTC)
    berlin = Hours.model_validate({"zone": "Europe/Berlin"})
    first = Effect(kind="alert", at=seen, level=0)
    for due_at, hours, told in (
        (datetime(2026, 5, 9, 2, 40, tzinfo=UTC), None, "限10:40响应"),
        (datetime(2026, 5, 11, 2, 40, tzinfo=UTC), None, "限周一10:40响应"),
        (datetime(2026, 5, 11, 2, 40, tzinfo=UTC), berlin, "限周一04:40响应"),
    ):
        assert told in alert(case(due_at=due_at, hours=hours), first, LINK, RULES).sms
