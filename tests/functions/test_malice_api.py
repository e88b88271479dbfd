"""The malice API on the template's tables."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from functions import case_clock, malice_api
from functions.domain.cases import Case, open_case
from functions.domain.verdicts import judge
from functions.rulebook import load
from functions.store import cases
from tests.builders import NOW, SHOP, case, order, profile, review
from tests.cloud import Cloud
from tests.crash import dying_after, effects
from tests.requests import CALLER, ask

pytestmark = pytest.mark.usefixtures("aws")

LATER = NOW + timedelta(minutes=10)
BLACKMAIL = [
    {"by": "customer", "text": "质量太差了，要求退款"},
    {"by": "customer", "text": "不给我转50块钱就等着差评"},
]
DEMAND = [{"by": "customer", "text": "质量太差了，要求退款，不退我就投诉到底"}]
CONFIRM = {"by": "周律", "malice": "confirmed", "note": "聊天记录为证"}
REJECT = {"by": "周律", "malice": "rejected", "note": "质量问题属实"}


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(malice_api, "now", lambda: LATER)


def call(method: str, path: str, body: Any = None) -> tuple[int, Any]:
    return ask(malice_api.handler, method, path, body=body)


def opened(text: str = "质量差，开线了", *, returns: int = 0, review_id: str = "review-1") -> Case:
    """A case as the evaluator opens it, of a customer with four orders."""
    written = review(text=text, review_id=review_id)
    customer = profile(orders=4, returns=returns)
    case = open_case(written, judge(written, load()), customer, order(), load(), NOW)
    return cases.open_case(case, None)


def suspected() -> Case:
    return opened("质量差，开线了，不返现就差评", returns=3)


def kept(case: Case) -> Case:
    found = cases.read(case.case_id)
    assert found is not None
    return found


def test_a_chat_with_blackmail_is_one_signal_with_its_source_and_leaves_the_case_as_it_is() -> None:
    case = opened()
    status, body = call("POST", f"/cases/{case.case_id}/chat", {"by": "王芳", "messages": BLACKMAIL})
    assert (status, body["malice"], body["grade"]) == (200, None, "quality")
    (signal,) = body["signals"]
    assert (signal["name"], signal["source"], signal["by"]) == (
        "blackmail_in_chat",
        "chat",
        f"王芳 ({CALLER})",
    )
    assert "差评" in signal["detail"]


def test_a_plain_demand_for_a_refund_scores_nothing(aws: Cloud) -> None:
    case = opened()
    names = effects(lambda: call("POST", f"/cases/{case.case_id}/chat", {"by": "王芳", "messages": DEMAND}))
    assert names == []
    assert kept(case).signals == ()


def test_what_the_shop_offers_is_no_blackmail_by_the_customer_but_speaks_against_it() -> None:
    case = opened()
    offer = [{"by": "shop", "text": "返现删评，给您转10元"}]
    _, body = call("POST", f"/cases/{case.case_id}/chat", {"by": "王芳", "messages": offer})
    assert body["signals"] == []
    _, body = call("POST", f"/cases/{case.case_id}/chat", {"by": "王芳", "messages": offer + BLACKMAIL})
    assert [each["fact"] for each in body["signals"][0]["counter"]] == ["shop_offered"]


def test_a_second_independent_signal_makes_it_legals_within_the_hour() -> None:
    case = opened("质量差，开线了", returns=3)
    assert [signal.name for signal in case.signals] == ["abnormal_returns"]
    _, body = call("POST", f"/cases/{case.case_id}/chat", {"by": "王芳", "messages": BLACKMAIL})
    assert (body["malice"]["status"], body["grade"], body["owner"], body["remedy"]) == (
        "suspected",
        "malicious",
        "legal",
        "none",
    )
    assert datetime.fromisoformat(body["due_at"]) == LATER + timedelta(hours=1)
    assert kept(case).outbox["alert:0@2"].kind == "alert"


def test_one_signal_and_a_person_make_it_suspected_and_none_does_not() -> None:
    said = {"by": "周律", "malice": "suspected", "note": "电话里也提了钱"}
    case = opened("返现删评")
    assert call("POST", f"/cases/{case.case_id}/malice", said)[1]["malice"]["status"] == "suspected"
    honest = opened(review_id="2")
    status, body = call("POST", f"/cases/{honest.case_id}/malice", said)
    assert status == 409
    assert "no signal of malice" in body["message"]


def test_only_a_person_makes_it_malicious_and_that_opens_an_appeal() -> None:
    case = suspected()
    assert case.malice is not None
    assert case.malice.status == "suspected"
    _, body = call("POST", f"/cases/{case.case_id}/malice", CONFIRM)
    assert body["malice"] == {
        "status": "confirmed",
        "by": f"周律 ({CALLER})",
        "at": "2026-03-02T08:10:00.000000Z",
        "note": "聊天记录为证",
    }
    assert (body["owner"], body["remedy"]) == ("legal", "none")
    assert (body["appeal"]["status"], body["appeal"]["option"]) == ("open", "恶意评价")
    assert body["missing"] == ["chat_screenshot"]


def test_a_rejected_suspicion_is_a_normal_case_with_its_own_deadline_and_remedy_from_now_on() -> None:
    case = suspected()
    _, body = call("POST", f"/cases/{case.case_id}/malice", REJECT)
    assert (body["malice"]["status"], body["grade"], body["owner"], body["remedy"]) == (
        "rejected",
        "quality",
        "supervisor",
        "refund",
    )
    after = kept(case)
    assert (after.coupon, after.follow_up, after.run, after.status) == (500, True, 2, "open")
    assert after.due_at == LATER + timedelta(hours=4)
    assert "alert:0@2" in after.outbox
    assert [decision.table for decision in after.decisions[-3:]] == ["grades", "remedies", "goodwill"]
    kinds = [event.kind for event in after.timeline]
    assert kinds[-2:] == ["malice rejected", "graded again"]


def test_a_confirmed_case_that_is_rejected_withdraws_its_appeal() -> None:
    case = suspected()
    call("POST", f"/cases/{case.case_id}/malice", CONFIRM)
    _, body = call("POST", f"/cases/{case.case_id}/malice", REJECT)
    assert (body["appeal"]["status"], body["remedy"]) == ("withdrawn", "refund")


def test_after_a_rejection_no_table_suspects_it_again() -> None:
    case = suspected()
    call("POST", f"/cases/{case.case_id}/malice", REJECT)
    _, body = call("POST", f"/cases/{case.case_id}/chat", {"by": "王芳", "messages": BLACKMAIL})
    assert (body["malice"]["status"], body["grade"], len(body["signals"])) == ("rejected", "quality", 3)


def test_a_resolved_case_is_not_judged() -> None:
    case = suspected()
    cases.change(case.case_id, lambda stands: stands.model_copy(update={"status": "resolved"}))
    status, body = call("POST", f"/cases/{case.case_id}/malice", REJECT)
    assert status == 409
    assert "only a case that waits can be judged" in body["message"]


def test_an_appeal_is_filed_answered_and_counted() -> None:
    case = suspected()
    path = f"/cases/{case.case_id}/appeal"
    assert call("POST", f"{path}/filing", {"by": "周律"})[0] == 409
    call("POST", f"/cases/{case.case_id}/malice", CONFIRM)
    assert call("POST", f"{path}/outcome", {"by": "周律", "outcome": "accepted"})[0] == 409
    _, filed = call("POST", f"{path}/filing", {"by": "周律", "reference": "TB-1"})
    assert (filed["appeal"]["status"], filed["appeal"]["reference"]) == ("filed", "TB-1")
    _, done = call("POST", f"{path}/outcome", {"by": "周律", "outcome": "accepted"})
    assert done["appeal"]["status"] == "accepted"
    rejected = opened("返现删评", returns=3, review_id="2")
    call("POST", f"/cases/{rejected.case_id}/malice", REJECT)
    opened(review_id="3")
    _, body = call("GET", f"/shops/{SHOP}/signals")
    by_name = {each["signal"]: each for each in body["signals"]}
    for name in ("blackmail_in_review", "abnormal_returns"):
        each = by_name[name]
        assert (each["confirmed"], each["rejected"], each["accepted"]) == (1, 1, 1)
        assert each["by_people"] == {"part": 1, "whole": 2, "share": 0.5, "low": 0.0945, "high": 0.9055}
        assert each["by_platforms"]["low"] == 0.2065
    assert by_name["blackmail_in_chat"]["by_people"]["share"] is None


def test_the_clock_warns_of_an_appeal_that_nobody_files_and_lets_it_expire() -> None:
    case = suspected()
    call("POST", f"/cases/{case.case_id}/malice", CONFIRM)
    cases.change(
        case.case_id,
        lambda stands: stands.model_copy(update={"status": "resolved", "outbox": {}, "escalate_at": None}),
    )
    case_clock.look(LATER + timedelta(days=2) - timedelta(seconds=1))
    assert kept(case).outbox == {}
    case_clock.look(LATER + timedelta(days=2))
    assert kept(case).outbox["alert:appeal"].name == "appeal"
    case_clock.look(LATER + timedelta(days=3))
    appeal = kept(case).dossier.appeal
    assert appeal is not None
    assert appeal.status == "expired"
    assert (
        call("POST", f"/cases/{case.case_id}/appeal/filing", {"by": "周律"})[1]["appeal"]["status"] == "filed"
    )


def test_many_bad_reviews_that_the_shop_knows_to_come_from_one_source_are_a_signal() -> None:
    numbers = [opened(review_id=str(number)).case_id for number in range(5)]
    stranger = cases.open_case(case(shop_id="another"), None).case_id
    said = {"by": "shop-system", "case_ids": [*numbers[:4], stranger]}
    assert call("POST", f"/shops/{SHOP}/sources", said) == (200, {"case_ids": []})
    said = {"by": "shop-system", "case_ids": [*numbers, stranger]}
    status, body = call("POST", f"/shops/{SHOP}/sources", said)
    assert (status, body["case_ids"]) == (200, sorted(numbers))
    after = cases.read_many([*numbers, stranger])
    assert [len(after[number].signals) for number in numbers] == [1] * 5
    assert after[stranger].signals == ()
    assert effects(lambda: call("POST", f"/shops/{SHOP}/sources", said)) == []


REQUESTS = [
    ("malice", CONFIRM),
    ("malice", REJECT),
    ("chat", {"by": "王芳", "messages": BLACKMAIL}),
]


@pytest.mark.parametrize(("action", "body"), REQUESTS)
def test_the_same_request_again_changes_nothing(aws: Cloud, action: str, body: dict[str, Any]) -> None:
    path = f"/cases/{suspected().case_id}/{action}"
    first = call("POST", path, body)
    before = aws.items("cases")
    assert effects(lambda: call("POST", path, body)) == []
    assert call("POST", path, body) == first
    assert aws.items("cases") == before


@pytest.mark.parametrize(("action", "body"), REQUESTS)
def test_dying_after_any_effect_and_a_retry_ends_the_same(
    aws: Cloud, action: str, body: dict[str, Any]
) -> None:
    path = f"/cases/{suspected().case_id}/{action}"
    names = effects(lambda: call("POST", path, body))
    expected = aws.items("cases")
    assert names
    for n in range(1, len(names) + 1):
        aws.empty()
        suspected()
        with dying_after(n):
            call("POST", path, body)
        assert call("POST", path, body)[0] == 200
        assert aws.items("cases") == expected, names[n - 1]


@pytest.mark.parametrize("action", ["malice", "chat", "appeal/filing", "appeal/outcome"])
def test_a_wrong_body_is_refused_naming_its_fields(action: str) -> None:
    status, answer = call("POST", f"/cases/{opened().case_id}/{action}", {"by": ""})
    assert status == 422
    assert "body.by" in {wrong["field"] for wrong in answer["fields"]}


def test_an_unknown_case_is_not_found() -> None:
    assert call("GET", "/cases/WB-NONE/malice")[0] == 404
    assert call("POST", "/cases/WB-NONE/malice", CONFIRM)[0] == 404
