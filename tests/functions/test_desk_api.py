"""The desk API on the template's tables."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from functions import desk_api
from functions.domain.cases import Effect
from functions.domain.desks import Claim
from functions.domain.silences import Quiet
from functions.domain.times import iso
from functions.store import cases, desk
from tests.builders import NOW, SHOP, case, review
from tests.cloud import Cloud
from tests.crash import dying_after, effects
from tests.requests import CALLER, ask

pytestmark = pytest.mark.usefixtures("aws")
HOUR = timedelta(hours=1)
SILENCE = {
    "by": "wang",
    "reason": "stock-taking",
    "matchers": {"products": ["product-1"]},
    "ends": iso(NOW + 2 * HOUR),
}
SHIFT = {"role": "agent", "people": ["lin"], "days": ["mon"], "starts": "09:00", "ends": "18:00"}


class Time:
    now = NOW


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> Time:
    time = Time()
    monkeypatch.setattr(desk_api, "now", lambda: time.now)
    return time


def call(method: str, path: str, body: Any = None) -> tuple[int, Any]:
    return ask(desk_api.handler, method, f"/shops/{SHOP}/{path}", body=body)


def done(method: str, path: str, body: Any = None) -> Any:
    status, answer = call(method, path, body)
    assert status == 200, answer
    return answer


def refused(method: str, path: str, body: Any) -> tuple[int, str]:
    """The status, and what is to be mended."""
    status, answer = call(method, path, body)
    fields = [f"{field['field']}: {field['mend']}" for field in answer["fields"]]
    return status, "; ".join(fields) or answer["message"]


def hide(number: int, silence_id: str, waits: bool = True) -> None:
    held = Effect(kind="alert", at=NOW, level=0, after=NOW + HOUR)
    one = case(review=review(review_id=f"r{number}"), outbox={"alert:0": held} if waits else {})
    cases.open_case(one, None)
    desk.hide(one, Quiet(f"quiet#{silence_id}", NOW + 2 * HOUR, "silenced by wang"))


def test_a_shop_that_arranged_nothing_has_everybody_there() -> None:
    found = done("GET", "desk")
    assert [(each["role"], each["planned"], each["next_at"]) for each in found["on_duty"]] == [
        (role, False, None) for role in ("agent", "supervisor", "manager", "legal")
    ]
    assert (found["silences"], found["incidents"], found["rota"], found["waiting"]) == ([], [], None, 0)


def test_the_rota_says_who_is_on_duty_and_who_comes_next(clock: Time) -> None:
    assert done("PUT", "rota", {"by": "wang", "shifts": [SHIFT]})[0]["people"] == ["lin"]  # Monday, 16:00
    clock.now = NOW + 3 * HOUR
    agent = done("GET", "desk")["on_duty"][0]
    assert (agent["planned"], agent["people"]) == (True, [])
    assert agent["next_at"] == "2026-03-09T01:00:00.000000Z"


def test_a_swap_is_on_the_desk_until_it_is_over_or_taken_back(clock: Time) -> None:
    done("PUT", "rota", {"by": "wang", "shifts": [SHIFT]})
    swap = {
        "by": "wang", "reason": "ill", "role": "agent", "people": ["wu"], "instead_of": "lin",
        "ends": iso(NOW + HOUR),
    }  # fmt: skip
    made = done("POST", "overrides", swap)
    assert made["by"] == f"wang ({CALLER})"
    assert done("GET", "desk")["on_duty"][0]["people"] == ["wu"]
    done("DELETE", f"overrides/{made['override_id']}")
    assert done("GET", "desk")["on_duty"][0]["people"] == ["lin"]
    assert done("GET", "desk")["overrides"] == []


def test_a_silence_shows_how_many_cases_it_holds_for_and_how_many_it_hides() -> None:  # Keep #6793
    for number in (1, 2):
        cases.open_case(case(review=review(review_id=f"open{number}")), None)
    cases.open_case(case(review=review(review_id="other", product_id="product-2")), None)
    made = done("POST", "silences", SILENCE)
    assert made["matches"] == 2
    for number, waits in ((1, True), (2, True), (3, False)):
        hide(number, made["silence_id"], waits)
    found = done("GET", "desk")
    (shown,) = found["silences"]
    assert (shown["hides"], shown["matched"], found["waiting"]) == (2, 3, 2)
    assert (shown["by"], shown["reason"]) == (f"wang ({CALLER})", "stock-taking")


def test_a_silence_that_matches_nothing_says_so() -> None:
    made = done("POST", "silences", {**SILENCE, "matchers": {"products": ["no-such-product"]}})
    assert made["matches"] == 0


def test_the_same_request_twice_is_one_silence() -> None:
    first, second = done("POST", "silences", SILENCE), done("POST", "silences", SILENCE)
    assert first == second
    assert len(done("GET", "desk")["silences"]) == 1
    other = done("POST", "silences", {**SILENCE, "reason": "another reason"})
    assert other["silence_id"] != first["silence_id"]


def test_an_ended_silence_does_not_come_back_by_a_late_repetition(clock: Time) -> None:  # Alertmanager #3457
    made = done("POST", "silences", SILENCE)
    clock.now += HOUR
    assert done("DELETE", f"silences/{made['silence_id']}")["ends"] == iso(NOW + HOUR)
    clock.now += timedelta(seconds=1)
    gone = (409, "It has ended and does not come back; make a new one.")
    assert refused("POST", "silences", SILENCE) == gone
    assert refused("DELETE", f"silences/{made['silence_id']}", None) == gone
    assert done("GET", "desk")["silences"] == []


def test_ending_a_silence_has_what_it_hid_told(clock: Time) -> None:
    made = done("POST", "silences", SILENCE)
    hide(1, made["silence_id"])
    clock.now += HOUR
    done("DELETE", f"silences/{made['silence_id']}")
    (record,) = desk.read(SHOP).hidden
    assert record.ends == clock.now


def test_a_weekly_window_is_kept_and_can_be_ended() -> None:
    window = {
        "by": "wang", "reason": "nightly import", "weekly": {"starts": "02:00", "ends": "03:00"},
        "ends": iso(NOW + timedelta(days=90)),
    }  # fmt: skip
    made = done("POST", "maintenance", window)
    assert made["weekly"]["days"] == ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
    assert [each["maintenance_id"] for each in done("GET", "desk")["maintenance"]] == [made["maintenance_id"]]
    done("DELETE", f"maintenance/{made['maintenance_id']}")
    assert done("GET", "desk")["maintenance"] == []


def test_an_incident_is_shown_while_it_goes_on(clock: Time) -> None:
    lead = case()
    item = desk.join(lead, NOW)[0].item
    desk.claim(SHOP, Claim(item, f"{lead.case_id}/first/0/x", None, opens=True), NOW)
    (shown,) = done("GET", "desk")["incidents"]
    assert (shown["item"], shown["led_by"], shown["reviews"]) == (
        "incident#product#product-1",
        lead.case_id,
        1,
    )
    clock.now += HOUR
    assert done("GET", "desk")["incidents"] == []


def without(given: dict[str, Any], name: str) -> dict[str, Any]:
    return {key: value for key, value in given.items() if key != name}


@pytest.mark.parametrize(
    ("path", "body", "mend"),
    [
        ("silences", without(SILENCE, "ends"), "body.ends: Field required"),
        ("silences", without(SILENCE, "by"), "body.by: Field required"),
        ("silences", without(SILENCE, "reason"), "body.reason: Field required"),
        ("silences", {**SILENCE, "reason": "x"}, "body.reason: String should have at least 2 characters"),
        (
            "silences",
            {**SILENCE, "ends": iso(NOW)},
            "body.ends: it must come after the beginning and after now",
        ),
        (
            "silences",
            {**SILENCE, "ends": iso(NOW + timedelta(days=8))},
            "body.ends: a silence lasts 7 days at most; make another one then",
        ),
        (
            "silences",
            {**SILENCE, "matchers": {}},
            "body.matchers: name what to silence, or leave them empty and set whole_shop",
        ),
        (
            "silences",
            {**SILENCE, "whole_shop": True},
            "body.matchers: name what to silence, or leave them empty and set whole_shop",
        ),
        (
            "silences",
            {**SILENCE, "matchers": {"product": ["p"]}},
            "body.matchers.product: Extra inputs are not permitted",
        ),
        (
            "maintenance",
            {"by": "wang", "reason": "move", "ends": iso(NOW + timedelta(days=30))},
            "body.ends: a silence lasts 7 days at most; make another one then",
        ),
        (
            "overrides",
            {"by": "wang", "reason": "ill", "role": "agent", "ends": iso(NOW + HOUR)},
            "body.role: the rota has no shifts for agent: it is always there anyway",
        ),
    ],
)
def test_what_cannot_be_meant_is_refused_with_the_way_to_mend_it(path: str, body: Any, mend: str) -> None:
    assert refused("POST", path, body) == (422, mend)


def test_a_swap_for_somebody_whom_the_rota_does_not_know_is_refused_loudly() -> None:  # Keep #6793
    done("PUT", "rota", {"by": "wang", "shifts": [SHIFT]})
    swap = {
        "by": "wang", "reason": "ill", "role": "agent", "people": ["wu"], "instead_of": "li",
        "ends": iso(NOW + HOUR),
    }  # fmt: skip
    assert refused("POST", "overrides", swap) == (
        422,
        "body.instead_of: the rota knows no such agent; it has lin",
    )


def test_a_rota_that_makes_no_sense_is_refused_and_the_old_one_stays() -> None:
    done("PUT", "rota", {"by": "wang", "shifts": [SHIFT]})
    for wrong in ({**SHIFT, "starts": "9"}, {**SHIFT, "people": []}, {**SHIFT, "role": "boss"}):
        assert call("PUT", "rota", {"by": "wang", "shifts": [wrong]})[0] == 422
    assert call("PUT", "rota", {"by": "wang", "shifts": [SHIFT], "time_zone": "Asia/Peking"})[0] == 422
    assert done("GET", "desk")["rota"]["shifts"][0]["starts"] == "09:00"


def test_what_is_not_there_cannot_be_ended() -> None:
    for path in ("silences/S-X", "maintenance/M-X", "overrides/O-X"):
        status, answer = call("DELETE", path)
        assert (status, answer["message"]) == (404, f"The desk of {SHOP} has no {path[-3:]}.")


def test_dying_after_any_write_and_asking_again_ends_the_same(aws: Cloud, clock: Time) -> None:
    def run() -> None:
        call("POST", "silences", SILENCE)
        call("PUT", "rota", {"by": "wang", "shifts": [SHIFT]})

    names = effects(run)
    expected = aws.items("desk")
    assert names == ["dynamodb.PutItem", "dynamodb.PutItem"]
    for n in (1, 2):
        aws.empty()
        with dying_after(n):
            run()
        run()
        assert aws.items("desk") == expected


def test_times_of_any_zone_are_understood() -> None:
    made = done("POST", "silences", {**SILENCE, "ends": "2026-03-02T18:00:00+08:00"})
    assert datetime.fromisoformat(made["ends"]) == NOW + 2 * HOUR
