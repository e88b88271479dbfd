"""The cases API on the template's tables."""

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from functions import cases_api
from functions.domain.cases import Case
from functions.store import cases, customers
from functions.store.errors import StaleWrite
from tests.builders import CUSTOMER, NOW, SHOP, case, order
from tests.cloud import Cloud
from tests.crash import dying_after, effects
from tests.requests import CALLER, ask

pytestmark = pytest.mark.usefixtures("aws")

LATER = NOW + timedelta(minutes=10)
RESOLUTION = {"by": "王芳", "cause": "quality", "outcome": "solved", "note": "sent a new one"}
REVIEW = {"shop_id": SHOP, "stars": 1, "text": "物流太慢了", "price": 5990}


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cases_api, "now", lambda: LATER)


def call(method: str, path: str, body: Any = None, **query: Any) -> tuple[int, Any]:
    return ask(cases_api.handler, method, path, body=body, query=query)


def opened(**given: Any) -> Case:
    return cases.open_case(case(**given), None)


# Reading


def test_a_case_is_told_with_its_timeline_its_latency_and_its_reasons() -> None:
    saved = opened(alerted_at=NOW + timedelta(seconds=2))
    status, body = call("GET", f"/cases/{saved.case_id}")
    assert status == 200
    assert [event["kind"] for event in body["timeline"]] == ["posted", "seen", "opened"]
    assert [(step["step"], step["since_posted_s"], step["since_seen_s"]) for step in body["latency"]] == [
        ("posted", 0.0, -20.0),
        ("seen", 20.0, 0.0),
        ("decided", 25.0, 5.0),
        ("alerted", 27.0, 7.0),
    ]
    assert body["outstanding"] == ["alert:0"]
    assert body["decisions"][0]["why"] == "The guide promises two hours."
    assert body["explanation"] == [
        "grades: grade logistics delay, respond within 2:00:00. The guide promises two hours. "
        "(Row logistics; seen: cause logistics delay, suspected malicious no, order value unknown.)"
    ]


def test_what_the_machine_keeps_for_itself_stays_inside() -> None:
    saved = opened()
    acknowledged = call("POST", f"/cases/{saved.case_id}/acknowledge", {"by": "王芳"})
    for answer in (acknowledged, call("GET", f"/cases/{saved.case_id}")):
        assert not {"used_links", "outbox", "events"} & answer[1].keys()


def test_an_unknown_case_is_not_found() -> None:
    for answer in (
        call("GET", "/cases/WB-NONE"),
        call("POST", "/cases/WB-NONE/acknowledge", {"by": "王芳"}),
        call("POST", "/cases/WB-NONE/resolve", RESOLUTION),
    ):
        assert answer == (404, {"statusCode": 404, "message": "There is no case WB-NONE.", "fields": []})


# Listing


def test_cases_are_listed_page_by_page() -> None:
    for number in range(5):
        opened(review_id=str(number), opened_at=NOW + timedelta(minutes=number))
    _, first = call("GET", "/cases", shop=SHOP, limit=3)
    _, second = call("GET", "/cases", shop=SHOP, limit=3, next=first["next"])
    assert (len(first["cases"]), len(second["cases"]), second["next"]) == (3, 2, None)
    times = [listed["opened_at"] for listed in first["cases"] + second["cases"]]
    assert times == sorted(times, reverse=True)


def test_a_list_shows_no_person() -> None:
    opened(text="call me at 13800000000")
    _, body = call("GET", "/cases", shop=SHOP)
    assert CUSTOMER not in str(body)
    assert "13800000000" not in str(body)


def test_cases_are_filtered_and_sorted_by_their_deadline() -> None:
    urgent = opened(review_id="1", due_at=NOW + timedelta(hours=1))
    relaxed = opened(review_id="2", due_at=NOW + timedelta(hours=3))
    opened(review_id="3", grade="quality")
    _, body = call("GET", "/cases", shop=SHOP, status="open", grade="logistics_delay", sort="due")
    assert [listed["case_id"] for listed in body["cases"]] == [urgent.case_id, relaxed.case_id]


def test_a_next_that_does_not_belong_to_the_list_is_a_bad_request() -> None:
    status, body = call("GET", "/cases", shop=SHOP, next="abc")
    assert status == 400
    assert (
        body["message"] == "`next` does not belong to this list: pass it on unchanged, with the same filters"
    )


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({}, "query.shop"),
        ({"shop": ""}, "query.shop"),
        ({"shop": SHOP, "status": "new"}, "query.status"),
        ({"shop": SHOP, "grade": "bad"}, "query.grade"),
        ({"shop": SHOP, "sort": "name"}, "query.sort"),
        ({"shop": SHOP, "limit": 0}, "query.limit"),
        ({"shop": SHOP, "limit": 101}, "query.limit"),
        ({"shop": SHOP, "sort": "due", "status": "closed"}, "query.status"),
    ],
)
def test_a_wrong_query_is_refused_naming_the_field_and_the_mend(query: dict[str, Any], field: str) -> None:
    status, body = call("GET", "/cases", **query)
    assert status == 422
    assert [wrong["field"] for wrong in body["fields"]] == [field]
    assert body["fields"][0]["mend"]
    assert field in body["message"]


# Acknowledging and resolving


def test_an_acknowledged_case_says_by_whom_and_who_signed_the_request() -> None:
    saved = opened()
    status, body = call("POST", f"/cases/{saved.case_id}/acknowledge", {"by": "王芳"})
    assert (status, body["status"]) == (200, "acknowledged")
    assert body["timeline"][-1]["by"] == f"王芳 ({CALLER})"
    assert body["latency"][-1] == {
        "step": "acknowledged",
        "at": "2026-03-02T08:10:00.000000Z",
        "since_posted_s": 625.0,
        "since_seen_s": 605.0,
    }


def test_a_resolved_case_keeps_the_confirmed_cause_and_starts_its_follow_up() -> None:
    saved = opened()
    status, body = call("POST", f"/cases/{saved.case_id}/resolve", RESOLUTION)
    assert status == 200
    assert (body["status"], body["confirmed_cause"], body["outcome"]) == ("resolved", "quality", "solved")
    assert "start:1" in body["outstanding"]


@pytest.mark.parametrize(("action", "body"), [("acknowledge", {"by": "王芳"}), ("resolve", RESOLUTION)])
def test_the_same_request_again_changes_nothing(aws: Cloud, action: str, body: dict[str, Any]) -> None:
    path = f"/cases/{opened().case_id}/{action}"
    first = call("POST", path, body)
    before = aws.items("cases")
    assert effects(lambda: call("POST", path, body)) == []
    assert call("POST", path, body) == first
    assert aws.items("cases") == before


@pytest.mark.parametrize(("action", "body"), [("acknowledge", {"by": "王芳"}), ("resolve", RESOLUTION)])
def test_dying_after_any_effect_and_a_retry_ends_the_same(
    aws: Cloud, action: str, body: dict[str, Any]
) -> None:
    path = f"/cases/{opened().case_id}/{action}"
    names = effects(lambda: call("POST", path, body))
    expected = aws.items("cases")
    assert names
    for n in range(1, len(names) + 1):
        aws.empty()
        opened()
        with dying_after(n):
            call("POST", path, body)
        assert call("POST", path, body)[0] == 200
        assert aws.items("cases") == expected, names[n - 1]


@pytest.mark.parametrize(("action", "body"), [("acknowledge", {"by": "王芳"}), ("resolve", RESOLUTION)])
def test_nobody_can_work_on_a_closed_case(action: str, body: dict[str, Any]) -> None:
    saved = opened(status="closed", closed_at=NOW)
    status, answer = call("POST", f"/cases/{saved.case_id}/{action}", body)
    assert status == 409
    assert saved.case_id in answer["message"]


def test_a_change_goes_on_top_of_what_the_workflow_wrote_meanwhile(monkeypatch: pytest.MonkeyPatch) -> None:
    saved = opened()
    save, others = cases.save, [saved.model_copy(update={"evidence": ("new",)})]

    def save_late(changed: Case) -> Case:
        if others:
            save(others.pop())
        return save(changed)

    monkeypatch.setattr(cases, "save", save_late)
    assert call("POST", f"/cases/{saved.case_id}/acknowledge", {"by": "王芳"})[0] == 200
    kept = cases.read(saved.case_id)
    assert kept is not None
    assert (kept.status, kept.evidence) == ("acknowledged", ("new",))


def test_a_case_that_others_keep_changing_is_a_conflict(monkeypatch: pytest.MonkeyPatch) -> None:
    def stale(changed: Case) -> Case:
        raise StaleWrite(changed.case_id)

    saved = opened()
    monkeypatch.setattr(cases, "save", stale)
    status, body = call("POST", f"/cases/{saved.case_id}/acknowledge", {"by": "王芳"})
    assert status == 409
    assert "read it again and repeat" in body["message"]


@pytest.mark.parametrize(
    ("action", "body", "fields"),
    [
        ("acknowledge", {}, ["body.by"]),
        ("acknowledge", {"by": ""}, ["body.by"]),
        ("acknowledge", {"by": "x", "who": "y"}, ["body.who"]),
        ("resolve", {"by": "x", "cause": "bad luck", "outcome": "none"}, ["body.cause", "body.outcome"]),
        ("resolve", {**RESOLUTION, "note": "x" * 2001}, ["body.note"]),
    ],
)
def test_a_wrong_body_is_refused_naming_each_field(
    action: str, body: dict[str, Any], fields: list[str]
) -> None:
    status, answer = call("POST", f"/cases/{opened().case_id}/{action}", body)
    assert status == 422
    assert [wrong["field"] for wrong in answer["fields"]] == fields


def test_a_body_that_is_no_json_is_refused() -> None:
    assert call("POST", f"/cases/{opened().case_id}/acknowledge", "{by")[0] == 422


# Trying decisions


def test_a_tried_decision_explains_itself_and_writes_nothing(aws: Cloud) -> None:
    names = effects(lambda: call("POST", "/decisions", {"review": REVIEW}))
    status, body = call("POST", "/decisions", {"review": REVIEW})
    assert (names, aws.items("cases"), aws.items("customers")) == ([], [], [])
    assert status == 200
    assert (body["bad"], body["grade"], body["remedy"], body["coupon"]) == (
        True,
        "logistics_delay",
        "refund",
        500,
    )
    tables = [decision["table"] for decision in body["decisions"]]
    assert tables == ["detection", "certainty", "malice", "grades", "tiers", "remedies", "goodwill"]
    assert "remedies: remedy refund, coupon 5.00 yuan." in body["explanation"][5]


def test_a_good_review_is_said_to_be_good() -> None:
    status, body = call("POST", "/decisions", {"review": REVIEW | {"stars": 5, "text": "很好"}})
    assert (status, body["bad"], body["grade"]) == (200, False, None)
    assert [decision["table"] for decision in body["decisions"]] == ["detection"]


def test_a_tried_decision_knows_the_stored_customer_and_order() -> None:
    customers.take([order(total=200_000)], NOW)
    about = REVIEW | {"customer_id": CUSTOMER, "order_id": "order-1"}
    _, body = call("POST", "/decisions", {"review": about})
    assert (body["tier"], body["remedy"]) == ("high_value", "supervisor")


def test_given_facts_replace_the_stored_ones() -> None:
    customers.take([order(total=200_000)], NOW)
    about = REVIEW | {"customer_id": CUSTOMER, "order_id": "order-1"}
    _, body = call(
        "POST",
        "/decisions",
        {
            "review": about,
            "order": {"placed_at": "2026-03-01T00:00:00Z", "total": 20_000},
            "profile": {"orders": 1},
        },
    )
    assert (body["tier"], body["remedy"]) == ("new", "reship")


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "body.review"),
        ({"review": REVIEW | {"stars": 6}}, "body.review.stars"),
        ({"review": REVIEW | {"posted_at": "2026-03-01T00:00:00"}}, "body.review.posted_at"),
        ({"review": REVIEW, "order": {"total": 1}}, "body.order.placed_at"),
        ({"review": REVIEW, "profile": {"spent": 1}}, "body.profile.spent"),
    ],
)
def test_a_wrong_trial_is_refused_naming_the_field(body: dict[str, Any], field: str) -> None:
    status, answer = call("POST", "/decisions", body)
    assert status == 422
    assert [wrong["field"] for wrong in answer["fields"]] == [field]


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    stars=st.none() | st.integers(1, 5),
    text=st.text(max_size=40),
    price=st.none() | st.integers(0, 10**9),
    orders=st.integers(0, 50),
    returns=st.integers(0, 50),
)
def test_any_review_gets_a_decision(stars: Any, text: str, price: Any, orders: int, returns: int) -> None:
    body = {
        "review": {"shop_id": SHOP, "stars": stars, "text": text, "price": price},
        "profile": {"orders": orders, "returns": returns},
    }
    status, answer = call("POST", "/decisions", body)
    assert status == 200
    assert answer["bad"] == (answer["grade"] is not None)


def test_an_unknown_path_is_not_found() -> None:
    assert call("GET", "/nothing")[0] == 404
