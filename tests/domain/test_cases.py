from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from functions.domain.cases import (
    Case,
    CaseClosed,
    acknowledge,
    case_id,
    new_version,
    open_case,
    reopen,
    resolve,
)
from functions.domain.deadlines import DeadlineTooLate, due
from functions.domain.erasure import forget_person
from functions.domain.exhibits import Erased
from functions.domain.profiles import Profile
from functions.domain.verdicts import judge
from functions.rulebook import load
from tests.builders import order, profile, review

RULES = load()
NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)


def opened(
    text: str = "质量差，用一次就坏了", customer: Profile | None = None, total: int | None = None, **kw
) -> Case:
    written = review(text=text, first_seen_at=NOW, **kw)
    bought = order(total=total) if total is not None else None
    return open_case(written, judge(written, RULES), customer or profile(), bought, RULES, NOW)


def test_a_quality_case_is_the_supervisors_and_due_in_four_hours() -> None:
    case = opened()
    assert (case.grade, case.owner) == ("quality", "supervisor")
    assert case.due_at == NOW + timedelta(hours=4)
    assert case.warn_at == NOW + timedelta(hours=3, minutes=30)


@pytest.mark.parametrize(
    ("total", "remedy", "coupon"),
    [(10_000, "refund", 500), (10_001, "reship", 1000), (30_000, "reship", 1000), (30_001, "supervisor", 0)],
)
def test_the_order_value_decides_the_remedy(total: int, remedy: str, coupon: int) -> None:
    case = opened(total=total)
    assert (case.remedy, case.coupon) == (remedy, coupon)


def test_without_the_order_the_items_price_is_the_order_value() -> None:
    assert opened(price=9_900).remedy == "refund"
    assert opened(price=None).remedy == "supervisor"


def test_blackmail_alone_is_a_signal_not_a_suspicion() -> None:
    case = opened("质量差，返现删评")
    assert [signal.name for signal in case.signals] == ["blackmail_in_review"]
    assert (case.suspected_malicious, case.malice, case.grade) == (False, None, "quality")


def test_two_signals_make_a_case_legals_without_remedy_or_follow_up() -> None:
    case = opened("返现删评", profile(orders=4, returns=3), total=5_000)
    assert (case.grade, case.owner, case.remedy, case.goodwill) == ("malicious", "legal", "none", "none")
    assert case.due_at == NOW + timedelta(hours=1)
    assert not case.follow_up


def test_every_decision_carries_its_table_row_reason_facts_and_rulebook() -> None:
    tables = [decision.table for decision in opened().decisions]
    assert tables == ["detection", "certainty", "malice", "grades", "tiers", "remedies", "goodwill"]
    assert all(decision.why and decision.rulebook == RULES.version for decision in opened().decisions)


def test_the_case_number_belongs_to_the_review() -> None:
    assert case_id(review().key) == opened().case_id == opened("另一个文本").case_id
    assert case_id(review(review_id="other").key) != case_id(review().key)


def test_a_new_case_asks_for_one_alert() -> None:
    assert opened().outbox.keys() == {"alert:0"}


def test_acknowledging_once_ends_the_chain() -> None:
    taken = acknowledge(opened(), "lin", NOW)
    assert (taken.status, taken.acknowledged_at, taken.events["acknowledged"].by) == (
        "acknowledged",
        NOW,
        "lin",
    )
    assert taken.escalate_at is None
    assert acknowledge(taken, "wang", NOW + timedelta(minutes=1)) is taken


def test_only_the_resolution_starts_the_follow_up() -> None:
    one = opened()
    assert acknowledge(one, "lin", NOW).outbox == one.outbox
    solved = resolve(one, "lin", "quality", "solved", None, NOW)
    assert [key for key, effect in solved.outbox.items() if effect.kind == "start"] == ["start:1"]


def test_a_case_that_nothing_follows_is_closed_with_its_resolution() -> None:
    case = opened("返现删评", profile(orders=4, returns=3), total=5_000)
    done = resolve(case, "chen", "malicious", "appealed", None, NOW)
    assert (done.status, done.resolved_at, done.closed_at) == ("closed", NOW, NOW)
    assert {"resolved", "closed"} <= done.events.keys()
    assert "start" not in {effect.kind for effect in done.outbox.values()}
    assert resolve(done, "chen", "malicious", "appealed", None, NOW) is done


def test_a_reopening_stops_the_follow_up_whether_or_not_its_start_is_recorded() -> None:
    solved = resolve(opened(), "lin", "quality", "solved", None, NOW)
    started = solved.model_copy(update={"outbox": {}})
    for case in (solved, started):
        kinds = {key: each.kind for key, each in reopen(case, "wang", "x", RULES, NOW).outbox.items()}
        assert kinds.get("stop:1") == "stop"
        assert "start" not in kinds.values()
    closed = started.model_copy(update={"status": "closed"})
    assert reopen(closed, "wang", "x", RULES, NOW).outbox == {}, "that workflow has ended"


def test_a_reopened_case_is_at_work_again_with_its_time_counted_anew() -> None:
    later = NOW + timedelta(days=2)
    solved = resolve(opened(), "lin", "quality", "solved", None, NOW)
    again = reopen(solved, "wang", "退回来了", RULES, later)
    assert (again.status, again.run, again.resolved_at, again.outcome) == ("acknowledged", 2, None, None)
    assert again.due_at == later + (opened().due_at - opened().review.first_seen_at)
    assert reopen(again, "li", "again", RULES, later) is again
    twice = resolve(again, "wang", "quality", "solved", None, later)
    assert {"resolved", "resolved@2", "reopened@2"} <= twice.events.keys()


def test_resolving_an_unacknowledged_case_acknowledges_it() -> None:
    done = resolve(opened(), "lin", "quality", "solved", "换新", NOW)
    assert (done.status, done.acknowledged_at, done.confirmed_cause) == ("resolved", NOW, "quality")
    assert resolve(done, "wang", "price", "solved", None, NOW) is done


def test_a_case_closed_unresolved_cannot_be_resolved() -> None:
    closed = opened().model_copy(update={"status": "closed", "closed_at": NOW})
    with pytest.raises(CaseClosed, match="closed at 2026-06-01T12"):
        resolve(closed, "lin", "quality", "solved", None, NOW)


def test_an_edit_is_noted_once_and_changes_no_benefit() -> None:
    case = opened(total=5_000)
    edited = review(text="已解决，很满意", rating="good", first_seen_at=NOW + timedelta(days=1))
    noted = new_version(case, edited, NOW)
    assert noted.events.keys() - case.events.keys() == {f"edited:{edited.version}"}
    assert noted.review.text == "已解决，很满意"
    assert noted.review.first_seen_at == case.review.first_seen_at
    assert (noted.remedy, noted.coupon, noted.goodwill) == (case.remedy, case.coupon, case.goodwill)
    assert new_version(noted, edited, NOW) is noted


def test_forgetting_the_person_keeps_the_numbers() -> None:
    gone = forget_person(resolve(opened(), "lin", "quality", "solved", "王女士很生气", NOW), Erased(), NOW)
    assert (gone.review.customer_id, gone.review.order_id, gone.review.text) == (None, None, "")
    assert "王女士" not in gone.model_dump_json()
    assert (gone.grade, gone.decisions, gone.status) == ("quality", opened().decisions, "resolved")


def test_an_edit_does_not_bring_an_erased_person_back() -> None:
    gone = forget_person(opened(), Erased(), NOW)
    noted = new_version(gone, review(text="我又来了", rating="bad"), NOW)
    assert len(noted.versions) == 2
    assert (noted.review.customer_id, noted.review.text) == (None, "")


def test_no_grade_may_allow_more_than_24_hours() -> None:
    decision = RULES.ask.grades(cause="quality", suspected_malicious=False)
    late = replace(decision, then={**decision.then, "respond_within": 24 * 3600 + 1})
    with pytest.raises(DeadlineTooLate, match="24 hours"):
        due(late, NOW, RULES)
