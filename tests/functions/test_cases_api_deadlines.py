"""The cases API's routes about deadlines, on the template's tables."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from functions import cases_api
from functions.domain.calendars import Hours
from functions.domain.cases import Case
from functions.routes import deadlines
from functions.runtime.clients import client
from functions.runtime.settings import setting
from functions.store import cases
from functions.store.items import attributes
from tests.builders import NOW, SHOP, case, decision, review
from tests.crash import dying_after, effects
from tests.requests import CALLER, ask

pytestmark = pytest.mark.usefixtures("aws")

LATER = NOW + timedelta(minutes=10)
OFFICE = Hours.model_validate({"week": {"mon-fri": ["09:00-12:00", "13:30-18:00"]}, "holidays": "CN"})
GRADE = decision(then={"grade": "logistics_delay", "respond_within": 7200, "warn_before": 1800})


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(deadlines, "now", lambda: LATER)
    monkeypatch.setattr(cases_api, "now", lambda: LATER)


def call(method: str, path: str, body: Any = None, **query: Any) -> tuple[int, Any]:
    return ask(cases_api.handler, method, path, body=body, query=query)


def opened(**given: Any) -> Case:
    return cases.open_case(case(**{"decisions": (GRADE,)} | given), None)


def test_why_a_case_is_due_when_it_is_can_be_read_in_both_languages() -> None:
    seen = datetime(2026, 5, 8, 9, 40, tzinfo=UTC)
    saved = opened(
        review=review(first_seen_at=seen),
        hours=OFFICE,
        warn_at=datetime(2026, 5, 9, 2, 10, tzinfo=UTC),
        due_at=datetime(2026, 5, 9, 2, 40, tzinfo=UTC),
    )
    status, told = call("GET", f"/cases/{saved.case_id}/deadline")
    assert (status, told["waits"], told["due_at"]) == (200, False, "2026-05-09T02:40:00.000000Z")
    assert told["lines"][-1] == "Warning at Sat 2026-05-09 10:10, due at Sat 2026-05-09 10:40."
    _, told = call("GET", f"/cases/{saved.case_id}/deadline", language="zh")
    assert told["lines"][-1] == "预警 2026-05-09 周六 10:10，截止 2026-05-09 周六 10:40。"
    assert call("GET", f"/cases/{saved.case_id}/deadline", language="fr")[0] == 422


def test_waiting_stops_the_clock_and_going_on_starts_it(monkeypatch: pytest.MonkeyPatch) -> None:
    saved = opened()
    status, told = call("POST", f"/cases/{saved.case_id}/wait", {"by": "王芳", "why": "照片"})
    assert (status, told["waits"], told["status"]) == (200, True, "acknowledged")
    assert told["pauses"][0]["by"] == f"王芳 ({CALLER})"
    monkeypatch.setattr(deadlines, "now", lambda: LATER + timedelta(hours=1))
    status, told = call("POST", f"/cases/{saved.case_id}/resume", {"by": "王芳"})
    assert (status, told["waits"]) == (200, False)
    stored = cases.read(saved.case_id)
    assert stored is not None
    assert stored.due_at == saved.review.first_seen_at + timedelta(hours=3)


def test_what_is_asked_twice_or_died_after_its_effect_is_done_once() -> None:
    saved = opened()
    wait = f"/cases/{saved.case_id}/wait"
    (name,) = effects(lambda: call("POST", wait, {"by": "王芳", "why": "照片"}))
    assert name == "dynamodb.PutItem"
    assert effects(lambda: call("POST", wait, {"by": "李", "why": "视频"})) == []
    go_on = f"/cases/{saved.case_id}/resume"
    with dying_after(1):
        call("POST", go_on, {"by": "王芳"})
    assert effects(lambda: call("POST", go_on, {"by": "王芳"})) == []
    stored = cases.read(saved.case_id)
    assert stored is not None
    assert [pause.why for pause in stored.pauses] == ["照片"]


def test_a_case_that_nobody_works_on_cannot_wait() -> None:
    saved = opened(status="closed", closed_at=NOW)
    status, refusal = call("POST", f"/cases/{saved.case_id}/wait", {"by": "王芳", "why": "照片"})
    assert (status, "is closed" in refusal["message"]) == (409, True)


@pytest.mark.parametrize("body", [{"by": "王芳"}, {"by": "", "why": "x"}, {"by": "王芳", "why": "x" * 201}])
def test_a_wait_names_who_waits_and_what_for(body: Any) -> None:
    assert call("POST", f"/cases/{opened().case_id}/wait", body)[0] == 422


def test_an_unknown_case_has_no_deadline() -> None:
    for answer in (
        call("GET", "/cases/WB-NONE/deadline"),
        call("POST", "/cases/WB-NONE/wait", {"by": "王芳", "why": "照片"}),
        call("POST", "/cases/WB-NONE/resume", {"by": "王芳"}),
    ):
        assert answer == (404, {"statusCode": 404, "message": "There is no case WB-NONE.", "fields": []})


def test_a_decision_is_tried_in_the_hours_of_its_shop() -> None:
    item = attributes({"shop_id": SHOP, "hours": OFFICE.model_dump(mode="json")})
    client("dynamodb").put_item(TableName=setting("WINBACK_SHOPS_TABLE"), Item=item)
    seen = {"posted_at": "2026-05-08T09:40:00Z", "first_seen_at": "2026-05-08T09:40:00Z"}
    tried = {"shop_id": SHOP, "stars": 1, "text": "物流太慢了", "price": 5990, **seen}
    status, decided = call("POST", "/decisions", {"review": tried})
    assert (status, decided["due_at"]) == (200, "2026-05-09T02:40:00.000000Z")
