"""Desks: what happens to an alert, one test for each way that other systems got it wrong."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from functions import rulebook
from functions.domain.alerts import LINK_LENGTH, SMS_LENGTH, alert
from functions.domain.cases import Case, Effect, Event, acknowledge, resolve
from functions.domain.desks import Bundle, Desk, Drop, Hold, Placement, Send, claimant, place
from functions.domain.duty import Duty, Override, Rota, Shift
from functions.domain.incidents import Incident, going_on, items, member, stands
from functions.domain.silences import Hidden, Maintenance, Matchers, Silence
from functions.domain.windows import DAYS, Weekly
from tests.builders import NOW, SHOP, case, review

RULES = rulebook.load()
HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)
FIRST = Effect(kind="alert", at=NOW, level=0)
ESCALATION = Effect(kind="alert", at=NOW, level=1)
REPEAT = Effect(kind="alert", at=NOW, level=1, name="repeat")
WARNING = Effect(kind="alert", at=NOW, name="warning")
BREACH = Effect(kind="alert", at=NOW, name="breach")
EVERY = {"first": FIRST, "escalation": ESCALATION, "repeat": REPEAT, "warning": WARNING, "breach": BREACH}


def desk(**given: Any) -> Desk:
    return Desk(shop_id=SHOP, **given)


def placed(effect: Effect = FIRST, one: Case | None = None, now: datetime = NOW, **given: Any) -> Placement:
    return place(one or case(), effect, desk(**given), RULES, now)


def silence(**given: Any) -> Silence:
    return Silence.model_validate(
        {
            "silence_id": "S-1",
            "matchers": Matchers(),
            "by": "wang",
            "reason": "stock-taking",
            "starts": NOW - HOUR,
            "ends": NOW + HOUR,
            **given,
        }
    )


def hidden(*cases: Case, **given: Any) -> Hidden:
    return Hidden.model_validate(
        {
            "item": "quiet#S-1",
            "ends": NOW + HOUR,
            "note": "silenced by wang",
            "cases": {one.case_id for one in cases},
            **given,
        }
    )


def rota(*shifts: Shift) -> Duty:
    return Duty(rota=Rota(shifts=shifts, by="wang", at=NOW))


def shift(role: Any, starts: str, ends: str, *people: str) -> Shift:
    return Shift(role=role, starts=starts, ends=ends, people=people or (f"{role}.one",))


def kinds(outcome: Placement) -> list[tuple[str, int]]:
    assert isinstance(outcome, Send), outcome
    return [(telling.kind, telling.cases) for telling in outcome.tellings]


def burst(count: int, every: timedelta = MINUTE, **given: Any) -> list[Case]:
    """Cases on one product by different customers."""
    return [
        case(
            review=review(review_id=f"r{n}", customer_id=f"c{n}"),
            opened_at=NOW + n * every,
            **given,
        )
        for n in range(count)
    ]


def on_product(cases: Iterable[Case], **given: Any) -> Incident:
    cases = list(cases)
    return Incident(item=items(cases[0])[0], members=frozenset(map(member, cases)), **given)


# As before: without arrangements the roles of the table get it


@pytest.mark.parametrize(("kind", "effect"), EVERY.items())
def test_without_arrangements_everything_goes_out_to_the_roles_of_the_table(
    kind: str, effect: Effect
) -> None:
    outcome = placed(effect)
    assert isinstance(outcome, Send)
    (telling,) = outcome.tellings
    assert (telling.kind, telling.people, outcome.note, outcome.claims) == (kind, (), None, ())
    assert telling.roles


# 1, 5: acknowledging is a state of the case, and nothing goes out after it


@pytest.mark.parametrize("effect", [FIRST, ESCALATION, REPEAT])
def test_nothing_of_the_chain_goes_out_after_the_acknowledgement(effect: Effect) -> None:  # OnCall #4654
    outcome = placed(effect, acknowledge(case(), "lin", NOW))
    assert outcome == Drop("lin has taken the case")


def test_an_acknowledged_case_does_not_escalate_four_months_later() -> None:  # OnCall #3111
    taken = acknowledge(case(), "lin", NOW)
    assert isinstance(placed(ESCALATION, taken, NOW + timedelta(days=120)), Drop)


@pytest.mark.parametrize("effect", [WARNING, BREACH])
def test_a_deadline_still_counts_after_the_acknowledgement(effect: Effect) -> None:
    assert kinds(placed(effect, acknowledge(case(), "lin", NOW)))


@pytest.mark.parametrize("effect", EVERY.values())
def test_nothing_at_all_goes_out_after_the_resolution(effect: Effect) -> None:
    done = resolve(case(), "lin", "quality", "solved", None, NOW)
    assert placed(effect, done) == Drop("the case is resolved")


def test_an_acknowledgement_silences_no_other_case_however_alike() -> None:  # Alertmanager #1860, #3825
    assert isinstance(placed(FIRST, acknowledge(case(), "lin", NOW)), Drop)
    assert isinstance(placed(FIRST, case(review_id="another")), Send)


def test_an_acknowledgement_ends_the_waiting_of_a_held_alert_too() -> None:  # Alertmanager #1860
    held = placed(silences=(silence(),))
    assert isinstance(held, Hold)
    taken = acknowledge(case(), "lin", NOW)
    assert isinstance(placed(FIRST, taken, NOW + HOUR, silences=(silence(),)), Drop)


# 2: silences have an owner, a reason, an end; an expired one does not come back


def test_a_silenced_alert_says_by_whom_until_when_and_why() -> None:  # Alertmanager #3457
    outcome = placed(silences=(silence(),))
    assert isinstance(outcome, Hold)
    assert outcome.until == NOW + HOUR
    assert outcome.why == "silenced by wang until 2026-03-02 17:00 because stock-taking"


def test_an_expired_silence_hides_nothing() -> None:
    old = silence(starts=NOW - timedelta(days=90), ends=NOW)
    assert kinds(placed(silences=(old,))) == [("first", 1)]
    assert kinds(placed(silences=(silence(starts=NOW + MINUTE),)))


@pytest.mark.parametrize(
    ("matchers", "hides"),
    [
        ({}, True),
        ({"grades": ["logistics_delay", "price"]}, True),
        ({"grades": ["price"]}, False),
        ({"products": ["product-1"]}, True),
        ({"products": ["product-2"]}, False),
        ({"cases": [case().case_id]}, True),
        ({"cases": ["WB-OTHER"]}, False),
        ({"kinds": ["first"]}, True),
        ({"kinds": ["warning", "breach"]}, False),
        ({"grades": ["logistics_delay"], "products": ["product-2"]}, False),
    ],
)
def test_a_silence_hides_what_all_of_its_matchers_hold(matchers: dict[str, Any], hides: bool) -> None:
    outcome = placed(silences=(silence(matchers=Matchers(**matchers)),))
    assert isinstance(outcome, Hold) == hides


def test_a_breach_is_hidden_only_by_a_silence_that_names_it() -> None:  # 15: belts are on by default
    window = Maintenance(maintenance_id="M-1", by="wang", reason="update", starts=NOW - HOUR, ends=NOW + HOUR)
    assert kinds(placed(BREACH, silences=(silence(),), maintenance=(window,)))
    named = silence(matchers=Matchers(kinds=("breach",)))
    assert isinstance(placed(BREACH, silences=(named,)), Hold)


def test_the_silence_that_lasts_longest_counts() -> None:
    longer = silence(silence_id="S-2", ends=NOW + 2 * HOUR)
    outcome = placed(silences=(silence(), longer))
    assert isinstance(outcome, Hold)
    assert outcome.until == longer.ends


# 3: at the end of quiet time it is said what it hid


def test_a_case_born_in_a_silence_is_alerted_when_it_ends() -> None:  # Alertmanager #3367
    one = case()
    outcome = placed(FIRST, one, NOW + HOUR, silences=(silence(),), hidden=(hidden(one),))
    assert kinds(outcome) == [("first", 1)]
    assert isinstance(outcome, Send)
    assert outcome.note == "was silenced by wang"


def test_the_end_of_a_silence_says_how_many_cases_were_hidden() -> None:  # Alertmanager #2496
    some = burst(3)
    record = hidden(*some)
    first = placed(FIRST, some[0], NOW + HOUR, hidden=(record,))
    assert kinds(first) == [("catch_up", 3), ("first", 1)]
    assert isinstance(first, Send)
    (claim,) = first.claims
    record = hidden(*some, told_by=claim.by)
    assert kinds(placed(FIRST, some[1], NOW + HOUR, hidden=(record,))) == [("first", 1)]


def test_the_end_of_a_silence_over_many_cases_is_one_alert_not_a_storm() -> None:
    many = burst(6, timedelta(0))
    record = hidden(*many)
    first = placed(FIRST, many[0], NOW + HOUR, hidden=(record,))
    assert kinds(first) == [("catch_up", 6)]
    told = hidden(*many, told_by=claimant(many[0], FIRST))
    assert kinds(placed(FIRST, many[0], NOW + HOUR, hidden=(told,))) == [("catch_up", 6)], "after a crash"
    other = placed(FIRST, many[1], NOW + HOUR, hidden=(told,))
    assert other == Bundle("quiet#S-1", "told with the 6 cases that were silenced by wang")
    assert kinds(placed(BREACH, many[1], NOW + HOUR, hidden=(told,))) == [("breach", 1)]


def test_what_came_up_after_the_end_is_no_catching_up() -> None:
    one, other = burst(2, timedelta(0))
    later = Effect(kind="alert", at=NOW + 2 * HOUR, level=1)
    assert kinds(placed(later, one, NOW + 2 * HOUR, hidden=(hidden(one, other),))) == [("escalation", 1)]


def test_a_hidden_case_that_was_resolved_meanwhile_is_not_alerted() -> None:
    done = resolve(case(), "lin", "quality", "solved", None, NOW)
    assert isinstance(placed(FIRST, done, NOW + HOUR, hidden=(hidden(done),)), Drop)


# 4: what met a window goes on after it


@pytest.mark.parametrize("effect", [ESCALATION, REPEAT, WARNING])
def test_an_escalation_that_meets_a_window_goes_on_when_it_ends(effect: Effect) -> None:  # OnCall #1206
    nightly = Maintenance(
        maintenance_id="M-1",
        weekly=Weekly(days=DAYS, starts="15:30", ends="16:30"),
        by="wang",
        reason="nightly import",
        starts=NOW - timedelta(days=1),
        ends=NOW + timedelta(days=30),
    )
    outcome = placed(effect, maintenance=(nightly,))  # NOW is 16:00 in Shanghai
    assert isinstance(outcome, Hold)
    assert outcome.until == NOW + 30 * MINUTE
    assert outcome.why == "maintenance by wang until 2026-03-02 16:30 because nightly import"
    assert kinds(placed(effect, None, outcome.until, maintenance=(nightly,)))


def test_a_held_alert_is_judged_anew_before_its_time_so_that_a_lifted_silence_counts() -> None:
    outcome = placed(silences=(silence(ends=NOW + 24 * HOUR),))
    assert isinstance(outcome, Hold)
    assert (outcome.until, outcome.again) == (NOW + 24 * HOUR, NOW + 5 * MINUTE)
    soon = placed(silences=(silence(ends=NOW + MINUTE),))
    assert isinstance(soon, Hold)
    assert soon.again == soon.until


def test_a_weekly_window_ends_with_its_last_date() -> None:
    over = Maintenance(
        maintenance_id="M-1",
        weekly=Weekly(starts="15:30", ends="16:30"),
        by="wang",
        reason="import",
        starts=NOW - timedelta(days=1),
        ends=NOW + 10 * MINUTE,
    )
    outcome = placed(maintenance=(over,))
    assert isinstance(outcome, Hold)
    assert outcome.until == NOW + 10 * MINUTE


# 6: nobody on call is not lost


def test_the_people_on_duty_are_named() -> None:
    outcome = placed(duty=rota(shift("agent", "09:00", "18:00", "lin", "zhao")))
    assert isinstance(outcome, Send)
    assert outcome.tellings[0].people == ("lin", "zhao")
    assert outcome.tellings[0].roles == ("agent", "supervisor"), "the supervisor is not on the rota: there"


def test_an_alert_is_handed_to_the_next_role_when_nobody_is_on_duty() -> None:  # OnCall #4846
    duty = rota(
        shift("agent", "20:00", "22:00"),
        shift("supervisor", "20:00", "22:00"),
        shift("manager", "09:00", "18:00", "chen"),
    )
    outcome = placed(duty=duty)
    assert isinstance(outcome, Send)
    assert (outcome.tellings[0].roles, outcome.tellings[0].people) == (("manager",), ("chen",))
    assert outcome.note == "no agent or supervisor on duty"


@pytest.mark.parametrize("effect", EVERY.values())
def test_nobody_of_the_whole_chain_on_duty_queues_to_the_next_shift(effect: Effect) -> None:
    duty = rota(
        shift("agent", "20:00", "22:00"),
        shift("supervisor", "19:00", "22:00"),
        shift("manager", "18:00", "22:00"),
    )
    outcome = placed(effect, duty=duty)  # 16:00 in Shanghai
    assert isinstance(outcome, Hold)
    wanted = 20 if effect is WARNING else 18
    assert outcome.until <= NOW + (wanted - 16) * HOUR
    assert outcome.why.startswith("nobody is on duty until 2026-03-02 1")
    later = case(warn_at=NOW + 5 * HOUR, due_at=NOW + 6 * HOUR)
    assert isinstance(placed(effect, later, outcome.until, duty=duty), Send)


def test_who_is_away_for_weeks_is_waited_for_not_forgotten() -> None:
    tuesdays = rota(
        *(
            Shift(role=role, days=("tue",), starts="09:00", ends="10:00", people=("a",))
            for role in ("agent", "supervisor", "manager")
        )
    )
    away = tuple(
        Override(
            override_id=role,
            role=role,
            starts=NOW - HOUR,
            ends=NOW + timedelta(days=30),
            by="wang",
            reason="holidays",
            at=NOW,
        )
        for role in ("agent", "supervisor", "manager")
    )
    outcome = placed(duty=tuesdays.model_copy(update={"overrides": away}))
    assert isinstance(outcome, Hold)
    assert outcome.until == datetime(2026, 4, 7, 1, tzinfo=UTC), "the first Tuesday after they are back"


# 7: what is matched is visible: tests/functions/test_desk_api.py
# 8: the first alert at once, then bundles


def test_merging_never_delays_the_first_alerts() -> None:  # StreamAlert #1104
    cases = burst(9)
    for place_, one in enumerate(cases):
        incident = on_product(cases[: place_ + 1])
        assert kinds(placed(FIRST, one, one.opened_at, incidents=(incident,))) == [("first", 1)]


def test_the_tenth_on_one_product_within_the_hour_opens_an_incident_at_once() -> None:
    cases = burst(10)
    outcome = placed(FIRST, cases[9], cases[9].opened_at, incidents=(on_product(cases),))
    assert kinds(outcome) == [("incident", 10)]
    assert isinstance(outcome, Send)
    assert outcome.claims[0].opens


def test_ten_over_more_than_an_hour_are_ten_cases() -> None:
    cases = burst(10, 7 * MINUTE)
    assert kinds(placed(FIRST, cases[9], cases[9].opened_at, incidents=(on_product(cases),))) == [
        ("first", 1)
    ]


def test_of_cases_that_come_at_the_same_moment_the_last_to_join_sees_them_all() -> None:
    cases = burst(10)
    outcome = placed(FIRST, cases[4], cases[9].opened_at, incidents=(on_product(cases),))
    assert kinds(outcome) == [("incident", 10)]


def opened(cases: list[Case], told: int = 9, **given: Any) -> Incident:
    """The incident that the tenth opened."""
    lead = cases[9]
    return on_product(
        cases,
        opened_at=lead.opened_at,
        led_by=lead.case_id,
        told_at=cases[told].opened_at,
        told_by=claimant(cases[told], FIRST),
        **given,
    )


def test_what_joins_an_incident_waits_for_one_summary_and_not_longer() -> None:
    cases = burst(13)
    incident = opened(cases)
    now = cases[12].opened_at
    waits = [placed(FIRST, one, now, incidents=(incident,)) for one in cases[10:]]
    summary_at = cases[9].opened_at + 10 * MINUTE
    for each in waits:
        assert isinstance(each, Bundle)
        assert each.until == summary_at
        assert each.why == f"bundled into the incident on its product, led by {cases[9].case_id}"
    outcome = placed(FIRST, cases[11], summary_at, incidents=(incident,))
    assert kinds(outcome) == [("summary", 13)]
    assert isinstance(outcome, Send)
    assert outcome.claims[0].told_at == incident.told_at
    told = incident.model_copy(update={"told_at": summary_at, "told_by": claimant(cases[11], FIRST)})
    for one in (cases[10], cases[12]):
        rest = placed(FIRST, one, summary_at, incidents=(told,))
        assert isinstance(rest, Bundle)
        assert rest.until is None
    assert kinds(placed(FIRST, cases[11], summary_at, incidents=(told,))) == [("summary", 13)], (
        "after a crash"
    )


def test_an_incident_while_only_an_agent_is_there_goes_to_the_agent_at_once() -> None:  # StreamAlert #1104
    duty = rota(
        shift("agent", "00:00", "24:00", "lin"),
        shift("supervisor", "09:00", "10:00"),
        shift("manager", "09:00", "10:00"),
    )
    cases = burst(10)
    outcome = placed(FIRST, cases[9], cases[9].opened_at, incidents=(on_product(cases),), duty=duty)
    assert kinds(outcome) == [("incident", 10)]
    assert isinstance(outcome, Send)
    assert outcome.tellings[0].people == ("lin",)
    some = burst(3, timedelta(0))
    over = placed(FIRST, some[0], NOW + HOUR, hidden=(hidden(*some),), duty=duty)
    assert kinds(over) == [("catch_up", 3), ("first", 1)]


def test_a_claimed_incident_is_told_again_by_its_lead_and_by_nobody_else() -> None:
    cases = burst(10)
    incident = opened(cases)
    now = cases[9].opened_at
    assert kinds(placed(FIRST, cases[9], now, incidents=(incident,))) == [("incident", 10)]
    assert isinstance(placed(FIRST, cases[8], now, incidents=(incident,)), Bundle)


def test_an_incident_closes_when_it_is_quiet_and_the_next_review_is_alerted_at_once() -> None:
    cases = burst(11)
    incident = opened(cases)
    last = cases[10].opened_at
    assert going_on(incident, RULES, last + 29 * MINUTE)
    assert not going_on(incident, RULES, last + 30 * MINUTE)
    late = case(review=review(review_id="late", customer_id="late"), opened_at=last + 2 * HOUR)
    again = on_product(
        [*cases, late], **incident.model_dump(include={"opened_at", "led_by", "told_at", "told_by"})
    )
    assert kinds(placed(FIRST, late, late.opened_at, incidents=(again,))) == [("first", 1)]


def test_ten_by_one_customer_are_an_incident_that_does_not_say_who() -> None:
    cases = [
        case(review=review(review_id=f"r{n}", product_id=f"p{n}"), opened_at=NOW + n * MINUTE)
        for n in range(10)
    ]
    item = items(cases[0])[1]
    assert "customer-1" not in item
    assert {items(one)[1] for one in cases} == {item}
    incident = Incident(item=item, members=frozenset(map(member, cases)))
    assert kinds(placed(FIRST, cases[9], cases[9].opened_at, incidents=(incident,))) == [("incident", 10)]


@settings(deadline=None)
@given(st.permutations(range(12)), st.integers(0, 11))
def test_how_a_case_stands_does_not_depend_on_the_order_of_joining(order: list[int], which: int) -> None:
    cases = burst(12)
    shuffled = on_product([cases[n] for n in order])
    assert stands(shuffled, cases[which], RULES).then == stands(on_product(cases), cases[which], RULES).then


# Inhibition


@pytest.mark.parametrize("effect", [ESCALATION, REPEAT, WARNING])
def test_single_alerts_are_inhibited_while_an_incident_speaks_for_them(effect: Effect) -> None:
    cases = burst(11)
    incident, now = opened(cases), cases[10].opened_at + MINUTE
    outcome = placed(effect, cases[3], now, incidents=(incident,))
    assert isinstance(outcome, Hold)
    assert outcome.why == f"inhibited: {cases[9].case_id} speaks for an incident on the same product"
    assert kinds(placed(effect, cases[9], now, incidents=(incident,))), "the lead goes up the chain"
    assert kinds(placed(effect, cases[3], now + HOUR, incidents=(incident,))), "it is over"


def test_a_warning_waits_a_little_when_an_escalation_has_just_gone_out() -> None:
    sent = {"alert:1": Event(at=NOW, kind="alerted", note="escalation to supervisor")}
    one = case(events=sent)
    outcome = placed(WARNING, one, NOW + 3 * MINUTE)
    assert isinstance(outcome, Hold)
    assert outcome.until == NOW + 10 * MINUTE
    assert kinds(placed(WARNING, one, outcome.until))


def test_a_warning_that_waited_past_the_deadline_gives_way_to_the_breach() -> None:
    outcome = placed(WARNING, case(), case().due_at)
    assert outcome == Drop("the deadline has passed: its breach is told instead")


def test_nothing_inhibits_a_breach() -> None:
    cases = burst(11)
    just = {"alert:1": Event(at=cases[10].opened_at, kind="alerted", note="escalation to supervisor")}
    one = cases[3].model_copy(update={"events": just})
    outcome = placed(BREACH, one, cases[10].opened_at + MINUTE, incidents=(opened(cases),))
    assert kinds(outcome) == [("breach", 1)]
    assert "breach" not in RULES.table("inhibitions").facts["kind"].words


# Whatever is arranged: an alert that waits is asked about again, and in the end told, bundled or dropped


@st.composite
def arranged(draw: st.DrawFn) -> dict[str, Any]:
    def moment() -> datetime:
        return NOW + draw(st.integers(-600, 2000)) * MINUTE

    def period(number: int) -> dict[str, Any]:
        starts = moment()
        ends = starts + draw(st.integers(1, 600)) * MINUTE
        return {"by": "wang", "reason": "why", "starts": starts, "ends": ends}

    kinds_ = st.sampled_from([(), ("first",), ("breach",), ("first", "warning")])
    shifts = [
        Shift(role=role, starts=f"{hour:02}:00", ends=f"{(hour + length) % 24:02}:00", people=(role,))
        for role in ("agent", "supervisor", "manager")
        for hour, length in draw(
            st.lists(st.tuples(st.integers(0, 23), st.integers(1, 23)), min_size=1, max_size=2)
        )
    ]
    return {
        "silences": tuple(
            silence(silence_id=f"S-{n}", matchers=Matchers(kinds=draw(kinds_)), **period(n))
            for n in range(draw(st.integers(0, 3)))
        ),
        "maintenance": tuple(
            Maintenance(
                maintenance_id=f"M-{n}",
                weekly=draw(st.sampled_from([None, Weekly(starts="08:00", ends="10:00")])),
                **period(n),
            )
            for n in range(draw(st.integers(0, 2)))
        ),
        "duty": draw(st.sampled_from([Duty(), rota(*shifts)])),
    }


@settings(deadline=None, max_examples=60)
@given(arranged(), st.sampled_from(list(EVERY.values())), st.one_of(st.none(), st.integers(0, 3000)))
def test_no_alert_is_lost_and_none_goes_out_after_the_acknowledgement(
    given_: dict[str, Any], effect: Effect, acknowledged: int | None
) -> None:
    one = case(warn_at=NOW + 100 * HOUR, due_at=NOW + 101 * HOUR)
    hid, now = list[Hidden](), NOW
    for _ in range(5000):
        taken = acknowledged is not None and now >= NOW + acknowledged * MINUTE
        stands_ = acknowledge(one, "lin", now) if taken else one
        outcome = place(stands_, effect, desk(hidden=tuple(hid), **given_), RULES, now)
        if not isinstance(outcome, Hold):
            break
        assert now < outcome.again <= outcome.until
        assert outcome.again <= now + 5 * MINUTE
        if outcome.quiet is not None:
            hid = [hidden(one, item=outcome.quiet.item, ends=outcome.quiet.ends, note=outcome.why)]
        now = outcome.again
    kind = next(name for name, each in EVERY.items() if each is effect)
    if taken and kind in ("first", "escalation", "repeat"):
        assert isinstance(outcome, Drop)
    else:
        assert kinds(outcome) == [(kind, 1)]


@pytest.mark.parametrize("kind", ["incident", "summary", "catch_up"])
def test_an_alert_about_many_fits_into_an_sms_and_names_nobody(kind: str) -> None:
    link = "https://".ljust(LINK_LENGTH, "x")
    many = review(product_title="保温杯" * 20, text="我的电话13800000000")
    told = alert(case(review=many), FIRST, link, RULES, kind=kind, count=9999)
    assert len(told.sms.encode("utf-16-be")) // 2 <= SMS_LENGTH
    assert "9999" in told.sms
    assert told.sms.endswith(link)
    assert "13800000000" not in told.model_dump_json()
