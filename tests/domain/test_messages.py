"""Messages: what may be sent at this moment, what must wait, what never goes out, and why."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from functions.domain.cases import Case, Effect, Event
from functions.domain.decisions import Decision
from functions.domain.history import FREE, Entry, awaits_answer, echoes, opts_out
from functions.domain.ledger import Kind, State, state
from functions.domain.messages import (
    Customer,
    No,
    Send,
    Wait,
    not_yet,
    objections,
    weigh,
    wrote,
)
from functions.domain.pace import REAL, Pace
from functions.domain.profiles import Consent, Profile
from functions.domain.times import CHINA
from functions.domain.windows import next_contact
from functions.domain.wording import Text, step_text
from functions.effects.money import _ALPHABET, _CODE
from functions.rulebook import BlankVariable, Rulebook, load
from tests.builders import NOW, case, order, profile, review
from tests.domain.test_ledger import lines, stands

RULES = load()
DUE = NOW - timedelta(minutes=5)  # when the step was asked for: its hold is over
CONSENT = {"sms": Consent(granted=True, at=NOW, source="order form")}
_CARE = {"benefit": "coupon", "step": "care", "cost": 500}
(GIVEN,) = (line.model_copy(update={"code": "K7PTMBZ34RJD"}) for line in lines("effective", **_CARE))
COUPON = state([GIVEN])


def entry(**given: Any) -> Entry:
    """A care message sent to the customer of another case, ten days ago."""
    return Entry.model_validate(
        {
            "key": "WB-OTHER:care",
            "at": NOW - timedelta(days=10),
            "state": "sent",
            "step": "care",
            "channel": "sms",
            "text": "…",
            "case_id": "WB-OTHER",
            "promotional": True,
            "says": ("benefit",),
            "sent_at": NOW - timedelta(days=10),
            **given,
        }
    )


def consenting(**given: Any) -> Profile:
    return profile(version=1, **{"consent": CONSENT} | given)


def tried(
    step: str,
    *history: Entry,
    known: Profile | None = None,
    of: Case | None = None,
    now: datetime = NOW,
    at: datetime = DUE,
    pace: Pace = REAL,
    opted_out: bool = False,
    key: str | None = None,
    coupon: State | None = COUPON,
) -> Send | Wait | No:
    one = of or case(status="resolved", outcome="solved", resolved_at=DUE)
    customer = Customer(
        known or consenting(), order(delivered_at=NOW - timedelta(days=2)), history, opted_out, coupon
    )
    effect = Effect(kind="message", at=at, name=step)
    return weigh(one, key or f"message:{step}", effect, customer, RULES, pace, CHINA, now)


def why(found: Send | Wait | No) -> str:
    assert isinstance(found, No), found
    return found.why


def until(found: Send | Wait | No) -> datetime:
    assert isinstance(found, Wait), found
    return found.until


def test_a_step_that_nothing_is_against_goes_out_and_is_counted_from_then() -> None:
    found = tried("care")
    assert isinstance(found, Send)
    assert (found.entry.state, found.entry.sent_at, found.entry.promotional) == ("sent", NOW, True)
    assert (found.message.channel, found.message.step) == ("sms", "care")
    assert found.message.key.endswith(":care")


# rivals #14: opt-out ignored, cap not applied


def test_an_opt_out_is_honoured_by_every_message() -> None:
    gone = consenting(opted_out_at=NOW - timedelta(minutes=1))
    assert {why(tried(step, known=gone)) for step in ("guidance", "care", "silver", "repurchase")} == {
        "opted out"
    }


def test_an_opt_out_in_another_shop_of_the_owner_ends_promotion_here_too() -> None:
    assert why(tried("care", opted_out=True)) == "opted out"
    assert isinstance(tried("guidance", opted_out=True), Send)


def test_an_opt_out_after_the_claim_still_stops_what_was_not_handed_over() -> None:
    mine = entry(key=f"{case().case_id}:care", case_id=case().case_id, at=DUE, sent_at=NOW)
    assert isinstance(tried("care", mine), Send)
    assert why(tried("care", mine, known=consenting(opted_out_at=NOW))) == "opted out"


def test_the_cap_of_promotional_messages_is_applied() -> None:
    two = [entry(key=f"WB-{n}:care", sent_at=NOW - timedelta(days=n)) for n in (5, 29)]
    assert why(tried("care", *two)) == "too often"
    assert isinstance(tried("care", two[0], entry(sent_at=NOW - timedelta(days=31))), Send)
    assert isinstance(tried("guidance", *(one.model_copy(update={"says": ()}) for one in two)), Send)


def test_one_promotional_message_a_day() -> None:
    before = NOW - timedelta(hours=20)
    assert until(tried("care", entry(sent_at=before))) == before + timedelta(hours=24)


def test_consent_counts_on_the_channel_it_was_given_for() -> None:
    by_mail = consenting(consent={"email": Consent(granted=True, at=NOW, source="form")})
    found = tried("care", known=by_mail)
    assert isinstance(found, Send)
    assert found.message.channel == "email"
    taken_back = consenting(consent={"sms": Consent(granted=False, at=NOW, source="phone")})
    assert why(tried("care", known=taken_back)) == "sms: no consent; chat: no consent; email: no consent"
    assert isinstance(tried("guidance", known=profile(version=1)), Send)


# the contact window


@pytest.mark.parametrize(
    ("hour_in_china", "expected"),
    [(3, "06-01 09:00"), (9, None), (19, None), (20, "06-02 09:00")],
)
def test_promotional_messages_wait_for_the_contact_window(hour_in_china: int, expected: str | None) -> None:
    now = datetime(2026, 6, 1, tzinfo=UTC) + timedelta(hours=hour_in_china - 8)
    one = case(
        status="resolved", outcome="solved", resolved_at=DUE, review=review(posted_at=now, first_seen_at=now)
    )
    fresh = Customer(consenting(), None, (), coupon=COUPON)
    effect = Effect(kind="message", at=now - timedelta(hours=1), name="care")
    found = weigh(one, "message:care", effect, fresh, RULES, REAL, CHINA, now)
    if expected is None:
        assert isinstance(found, Send)
    else:
        assert (until(found) + timedelta(hours=8)).strftime("%m-%d %H:%M") == expected


def test_the_window_is_half_open_and_on_the_shops_own_clock() -> None:
    opens, closes = 9 * 3600, 20 * 3600
    nine = datetime(2026, 6, 1, 1, tzinfo=UTC)
    assert next_contact(nine, opens, closes, CHINA) == nine
    assert next_contact(nine + timedelta(hours=11), opens, closes, CHINA) == nine + timedelta(days=1)
    lisbon = ZoneInfo("Europe/Lisbon")  # an hour ahead of UTC in summer
    assert next_contact(nine, opens, closes, lisbon) == datetime(2026, 6, 1, 8, tzinfo=UTC)


def test_the_morning_after_the_clock_was_put_forward_still_begins_at_nine() -> None:
    lisbon = ZoneInfo("Europe/Lisbon")
    night = datetime(2026, 3, 28, 23, 30, tzinfo=UTC)  # the clock goes forward at 01:00 UTC on the 29th
    assert next_contact(night, 9 * 3600, 20 * 3600, lisbon).astimezone(lisbon).hour == 9


def test_a_demo_waits_for_a_compressed_night_and_no_longer() -> None:
    night = NOW.replace(hour=15)  # 23:00 in China
    pace = Pace(scale=1 / 86400, floor_s=2)
    wait = until(tried("care", now=night, at=night - timedelta(minutes=5), pace=pace))
    assert wait - night == timedelta(seconds=2)
    held = Event(at=night, kind="care held", note="outside the hours of contact, until then")
    waited = case(status="resolved", outcome="solved", resolved_at=DUE, events={"message:care:held": held})
    assert isinstance(tried("care", of=waited, now=wait, at=night - timedelta(minutes=5), pace=pace), Send)


def test_what_can_be_taken_back_until_the_night_waits_for_the_morning_at_once() -> None:
    """Two writes of the case less than being held twice, one after the other."""
    evening = NOW.replace(hour=11, minute=59)  # 19:59 in China
    morning = NOW.replace(day=NOW.day + 1, hour=1, minute=0)
    assert until(tried("care", now=evening, at=evening)) == morning
    one = case(status="resolved", outcome="solved", resolved_at=DUE)
    effect = Effect(kind="message", at=evening, name="care")
    early = not_yet(one, "message:care", effect, RULES, REAL, CHINA, evening)
    assert early is not None
    assert (early.until, early.why) == (morning, "outside the hours of contact")
    still = evening - timedelta(minutes=1)
    assert until(tried("care", now=still, at=still)) == still + timedelta(seconds=90)


# hold, once per case, gap


def test_every_message_is_held_so_long_that_it_can_be_taken_back() -> None:
    assert until(tried("guidance", at=NOW - timedelta(seconds=89))) == NOW + timedelta(seconds=1)
    assert isinstance(tried("guidance", at=NOW - timedelta(seconds=90)), Send)


def test_guidance_once_per_case_whoever_spoke_of_it() -> None:
    one = case(status="resolved", outcome="solved", resolved_at=DUE)
    before = entry(key=f"{one.case_id}:x", case_id=one.case_id, promotional=False, says=("guidance",))
    assert why(tried("guidance", before, of=one)) == "second guidance"
    assert isinstance(tried("guidance", before.model_copy(update={"case_id": "WB-OTHER"}), of=one), Send)


def test_a_benefit_and_guidance_keep_their_distance_both_ways() -> None:
    recent = NOW - timedelta(hours=30)
    guidance = entry(key="x", step="guidance", promotional=False, says=("guidance",), sent_at=recent)
    assert until(tried("care", guidance)) == recent + timedelta(hours=72)
    assert until(tried("guidance", entry(sent_at=recent))) == recent + timedelta(hours=72)
    answer = entry(step=FREE, promotional=False, sent_at=recent)  # the refund for what went wrong
    assert isinstance(tried("guidance", answer), Send)


# rivals #13: sent although the state no longer fits


@pytest.mark.parametrize(
    ("stands", "reason"),
    [
        ({"status": "acknowledged"}, "the case is open again"),
        ({"status": "closed"}, "the case was closed without a resolution"),
        ({"status": "resolved", "run": 2}, "the case was re-opened since"),
        ({"status": "resolved", "resolved_at": DUE, "outcome": "refused"}, "the case is not solved"),
        ({"status": "closed", "resolved_at": DUE, "outcome": "unreachable"}, "the case is not solved"),
    ],
)
def test_a_step_that_no_longer_fits_the_case_is_not_sent(stands: dict[str, Any], reason: str) -> None:
    assert why(tried("guidance", of=case(**stands))) == reason


def test_who_updated_the_review_already_is_not_asked_to() -> None:  # WooCommerce #64959
    edited = {"edited:v2": Event(at=DUE + timedelta(minutes=1), kind="review edited")}
    one = case(status="resolved", outcome="solved", resolved_at=DUE, events=edited)
    assert why(tried("guidance", of=one)) == "the customer has updated the review already"
    assert isinstance(tried("care", of=one), Send)
    before = {"edited:v2": Event(at=DUE - timedelta(minutes=1), kind="review edited")}
    assert isinstance(tried("guidance", of=one.model_copy(update={"events": before})), Send)


def test_silver_membership_is_told_although_the_case_is_closed_by_then() -> None:
    assert isinstance(tried("silver", of=case(status="closed", outcome="solved", resolved_at=DUE)), Send)


def test_a_customer_who_waits_for_an_answer_gets_no_automatic_message() -> None:
    asked = entry(key="reply:1", state="received", step="reply", at=NOW - timedelta(minutes=4), sent_at=None)
    assert why(tried("care", asked)) == "the customer waits for an answer"
    answered = entry(key="y", step=FREE, promotional=False, at=NOW - timedelta(minutes=3), says=())
    assert isinstance(tried("care", asked, answered), Send)
    assert awaits_answer([answered.model_copy(update={"at": NOW - timedelta(hours=2)}), asked], None)


def test_a_resolution_is_an_answer_too() -> None:
    asked = entry(key="reply:1", state="received", step="reply", at=DUE - timedelta(hours=1), sent_at=None)
    assert isinstance(tried("guidance", asked), Send)


def test_what_was_taken_back_never_goes_out() -> None:
    mine = entry(key=f"{case().case_id}:care", state="recalled", sent_at=None)
    assert why(tried("care", mine)) == "taken back"


# rivals #12: double customer messages


def test_a_message_that_was_claimed_is_the_same_message_again_and_counts_once() -> None:
    full = [entry(key=f"WB-{n}:care", sent_at=NOW - timedelta(days=n)) for n in (5,)]
    first = tried("care", *full)
    assert isinstance(first, Send)
    again = tried("care", *full, first.entry, now=NOW + timedelta(minutes=1))
    assert isinstance(again, Send)
    assert (again.message, again.claimed) == (first.message, True)


def test_our_own_text_that_comes_back_is_no_reply() -> None:
    assert echoes(" 您好 ", [entry(text="您好")])
    assert not echoes("您好", [entry(text="您好", state="received", sent_at=None)])


# blanks, opt-out wording


def test_a_blank_variable_is_refused() -> None:
    def without_amount(step: str) -> Decision:
        found = RULES.ask.follow_up(step=step)
        return replace(found, then={name: value for name, value in found.then.items() if name != "coupon"})

    rules = Rulebook(RULES.files)
    rules.ask.follow_up = without_amount
    with pytest.raises(BlankVariable, match="coupon"):
        step_text(case(), "care", COUPON, rules, CHINA, NOW)


def test_the_name_of_a_product_offers_nothing_but_is_looked_at() -> None:
    def guidance(title: str) -> tuple[str, ...]:
        of = case(review=review(product_title=title), status="resolved", resolved_at=DUE)
        return text("guidance", None, of=of).says

    assert guidance("坚果礼盒（赠品装）") == guidance("坚果") == ("guidance",)
    assert guidance("坚果 五星好评返现5元") != ("guidance",)


def test_a_promotional_text_without_a_way_out_is_refused() -> None:
    one = case(status="resolved", outcome="solved", resolved_at=DUE)
    written = wrote(one, "message:free-1", "会员券送您", "sms", "lin", DUE, RULES.check("会员券送您"))
    assert written.promotional
    customer = Customer(consenting(), order(delivered_at=NOW), ())
    assert objections(one, written, customer, RULES, REAL, NOW) == ["no word on how to opt out"]


def test_every_promotional_template_names_the_way_out() -> None:
    for name, template in RULES.templates.items():
        assert ("退订" in template.text) == template.promotional, name


def test_what_a_person_offers_while_the_case_is_at_work_is_an_answer_not_promotion() -> None:
    text = "已为您退款，并送您5元券（与评价无关）"
    at_work = wrote(case(), "message:free-1", text, "chat", "lin", DUE, RULES.check(text))
    assert (at_work.promotional, at_work.says) == (False, ("benefit",))


@pytest.mark.parametrize(
    "text", ["T", "td", "TD。", " 退订 ", "Ｔ".replace("Ｔ", "t"), "STOP", "Unsubscribe"]
)
def test_a_word_ends_all_messages(text: str) -> None:
    assert opts_out(text)


@pytest.mark.parametrize("text", ["退订的话钱退吗", "TD是什么", "好的", "不退"])
def test_a_sentence_about_it_does_not(text: str) -> None:
    assert not opts_out(text)


def test_a_case_without_customer_has_nobody_to_write_to() -> None:
    nobody = case(status="resolved", outcome="solved", resolved_at=DUE, review=review(customer_id=None))
    with pytest.raises(ValueError, match="no customer"):
        tried("care", of=nobody)


# the coupon that a text names


def text(step: str, coupon: State | None = COUPON, of: Case | None = None) -> Text:
    found = step_text(of or case(), step, coupon, RULES, CHINA, NOW)
    assert isinstance(found, Text), found
    return found


@pytest.mark.parametrize("step", ["care", "repurchase"])
def test_a_text_names_its_coupon_as_the_ledger_has_it(step: str) -> None:
    """Amount, code and end are those of the line, whatever the tables say by now."""
    other = GIVEN.model_copy(update={"cost": 700, "valid_until": datetime(2026, 6, 30, 16, tzinfo=UTC)})
    said = text(step, state([other])).text
    assert "7.00元" in said
    assert "券码K7PTMBZ34RJD" in said
    assert "至2026年7月1日00:00" in said, "by the shop's clock"
    assert text(step, state([other])).says == ("benefit",)


def test_the_words_on_the_coupon_to_buy_again_are_those_of_its_terms() -> None:
    terms = RULES.ask.coupon_terms(coupon="repurchase")
    assert (terms.number("valid_for"), terms.then["stackable"]) == (90 * 86400, True)
    assert "有效期3个月" in text("repurchase").text
    assert "叠加" in text("repurchase").text


@pytest.mark.parametrize("kinds", [("proposed",), ("proposed", "approved"), ()])
@pytest.mark.parametrize("step", ["care", "repurchase"])
def test_a_message_waits_for_its_coupon(step: str, kinds: tuple[Kind, ...]) -> None:
    coupon = stands(*kinds, **_CARE) if kinds else None
    asked = {f"grant:{step}": Effect(kind="grant", at=DUE, name=step)}
    one = case(status="resolved", outcome="solved", resolved_at=DUE, outbox=asked)
    found = tried(step, of=one, coupon=coupon)
    assert isinstance(found, Wait)
    assert (found.why, found.look) == ("its coupon is not given yet", True)
    again = timedelta(seconds=RULES.ask.contact(promotional=True).number("again"))
    assert found.until == NOW + again
    assert until(tried(step, of=one, coupon=coupon, at=NOW)) < NOW + again, "it is held first, as any other"


OLD = state([GIVEN.model_copy(update={"valid_until": NOW})])


@pytest.mark.parametrize(
    ("coupon", "reason"),
    [
        (None, "its coupon was not granted"),
        (stands("proposed", "refused", **_CARE), "its coupon is refused"),
        (stands("proposed", "expired", **_CARE), "its coupon is expired"),
        (stands("proposed", "recalled", **_CARE), "its coupon is recalled"),
        (stands("effective", "correction", **_CARE), "its coupon is correction"),
        (stands("effective", "redeemed", **_CARE), "its coupon is redeemed"),
        (OLD, "its coupon is no longer valid"),
    ],
)
def test_what_was_not_given_is_not_promised(coupon: State | None, reason: str) -> None:
    """The care message goes without it and says so on the case; a text about the coupon alone does not go."""
    care = tried("care", coupon=coupon)
    assert isinstance(care, Send)
    assert care.note == f"without a coupon: {reason}"
    assert "券" not in care.message.text
    assert care.entry.says == ()
    assert care.entry.promotional, "a care message is promotional with and without"
    assert why(tried("repurchase", coupon=coupon)) == reason


def test_no_code_is_read_by_the_gate_as_words() -> None:
    from random import Random

    dice = Random(1)
    for _ in range(500):
        code = "".join(dice.choice(_ALPHABET) for _ in range(_CODE))
        for step in ("care", "repurchase"):
            assert text(step, state([GIVEN.model_copy(update={"code": code})])).says == ("benefit",), code


def test_no_step_speaks_of_a_benefit_and_of_the_review() -> None:
    for step in ("guidance", "care", "silver", "repurchase"):
        assert not {"guidance", "benefit"} <= set(text(step).says), step
