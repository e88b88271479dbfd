"""The case page on the template's tables: what a link shows, what its buttons do, what is refused."""

import json
import re
from datetime import timedelta
from html import unescape
from typing import Any
from urllib.parse import quote, urlencode

import pytest

from functions import case_events, case_page
from functions.domain.cases import Case, acknowledge, resolve
from functions.domain.erasure import forget_person
from functions.domain.exhibits import Erased
from functions.domain.links import Link, token
from functions.effects import alerts
from functions.runtime import credentials
from functions.runtime.clients import client
from functions.store import cases
from functions.store.cases import open_case
from functions.store.link_keys import UnusableKeys, link_keys
from tests.builders import NOW, case, review
from tests.cloud import Cloud
from tests.crash import dying_after, effects
from tests.events import CONTEXT, stream_event

LATER = NOW + timedelta(days=1)


@pytest.fixture(autouse=True)
def _clock(monkeypatch: pytest.MonkeyPatch) -> None:
    credentials.forget()
    monkeypatch.setattr(case_page, "now", lambda: NOW)
    for module in (case_events, alerts):
        monkeypatch.setattr(module, "now", lambda: NOW)


def opened(number: int = 1, **given: Any) -> Case:
    return open_case(case(review_id=f"r{number}", outbox={}, **given), None)


def stands(of: Case) -> Case:
    found = cases.read(of.case_id)
    assert found is not None
    return found


def page_token(of: Case) -> str:
    return token(Link("show", of.case_id, LATER), link_keys(NOW))


def ask(method: str, text: str, form: dict[str, str] | None = None, **given: Any) -> dict[str, Any]:
    event = {
        "requestContext": {"http": {"method": method}},
        "pathParameters": {"token": text},
        "body": urlencode(form) if form is not None else None,
        "isBase64Encoded": False,
        **given,
    }
    answer: dict[str, Any] = case_page.handler(event, CONTEXT)
    return answer


def shown(of: Case, **given: Any) -> str:
    answer = ask("GET", page_token(of), **given)
    assert answer["statusCode"] == 200
    return str(answer["body"])


def buttons(page: str) -> dict[str, str]:
    """What is written on each button -> the token it sends."""
    found = re.findall(r'<button[^>]*formaction="([^"]+)"[^>]*>([^<]+)', page)
    return {said: unescape(action) for action, said in found}


def press(of: Case, said: str, **form: str) -> dict[str, Any]:
    return ask("POST", buttons(shown(of))[said], {"page": page_token(of), **form})


def test_the_link_in_an_alert_opens_the_page(aws: Cloud) -> None:
    one = open_case(case(), None)
    case_events.handler(stream_event(one.case_id), CONTEXT)
    link = re.search(r"https://[^/]+/p/([\w-]+)", aws.published("alerts")[0].text)
    assert link is not None
    answer = ask("GET", link[1])
    assert answer["statusCode"] == 200
    assert one.case_id in answer["body"]


def test_the_page_says_what_it_is_about(aws: Cloud) -> None:
    page = shown(opened())
    for said in (
        "物流慢",
        "待认领",
        "保温杯",
        "退款",
        "5.00 元",
        "先致歉，再查物流轨迹",
        "17:59",
        "16:00:00",
    ):
        assert said in page, said
    assert "<mark>物流太慢</mark>了,等了十天" in page
    assert 'data-left="7195"' in page


@pytest.mark.parametrize(
    "text",
    [
        "<script>alert(1)</script>",
        '"><img src=x onerror=alert(1)>',
        "</p><form action=//evil>",
        "物流太慢<b>&amp;",
    ],
)
def test_what_people_wrote_is_shown_not_run(aws: Cloud, text: str) -> None:
    one = opened(review=review(text=text, product_title=text), evidence=(text[:9], "<b>"), needs_check=True)
    taken = cases.save(acknowledge(one, f"{text} (x)", NOW))
    page = shown(taken, cookies=[f"by={quote(text)}"])
    body = page.partition("<body>")[2].rpartition("<script>")[0]
    tags = set(re.findall(r"<(\w+)", body))
    assert not tags & {"script", "img"}
    assert body.count("<form") == 1
    assert "onerror=alert" not in re.sub(r"&[a-z#0-9]+;", "", body) or "<img" not in body
    assert "<b>&amp;amp;" not in body


def test_no_page_may_run_anything_be_framed_kept_or_found(aws: Cloud) -> None:
    for answer in (ask("GET", page_token(opened())), ask("GET", "nonsense")):
        headers = answer["headers"]
        policy = headers["content-security-policy"]
        assert policy.startswith("default-src 'none'; style-src 'sha256-")
        assert "unsafe" not in policy
        assert "frame-ancestors 'none'" in policy
        assert headers["cache-control"] == "no-store"
        assert headers["referrer-policy"] == "no-referrer"
        assert headers["x-robots-tag"] == "noindex, nofollow"


def test_looking_changes_nothing_however_often(aws: Cloud) -> None:
    """Chat apps open links to preview them."""
    one = opened()
    acts = list(buttons(shown(one)).values())
    assert effects(lambda: [shown(one) for _ in range(3)]) == []
    assert effects(lambda: [ask("GET", act) for act in acts]) == []
    assert stands(one) == one
    assert {ask("GET", act)["statusCode"] for act in acts} == {404}


def test_one_tap_acknowledges_and_leads_back_to_the_page(aws: Cloud) -> None:
    one = opened()
    answer = press(one, "认领", by="王芳")
    assert answer["statusCode"] == 303
    assert answer["headers"]["location"] == f"{page_token(one)}?done=acknowledge"
    after = stands(one)
    assert (after.status, after.acknowledged_at) == ("acknowledged", NOW)
    assert after.events["acknowledged"].by == "王芳 (alert link)"
    page = shown(
        one, queryStringParameters={"done": "acknowledge"}, cookies=[answer["cookies"][0].split(";")[0]]
    )
    assert "已认领，告警不再升级" in page
    assert 'value="王芳"' in page
    assert buttons(page).keys() == {"接手", "确认已解决"}


def test_a_tap_without_a_name_counts(aws: Cloud) -> None:
    one = opened()
    answer = press(one, "认领")
    assert stands(one).events["acknowledged"].by == "alert link"
    assert "cookies" not in answer


def test_a_colleague_takes_over(aws: Cloud) -> None:
    one = cases.save(acknowledge(opened(), "王芳 (alert link)", NOW))
    press(one, "接手", by="李雷")
    after = stands(one)
    event = after.events["taken_over:1"]
    assert (event.kind, event.by, event.note) == ("taken over", "李雷 (alert link)", "from 王芳 (alert link)")
    assert "李雷" in shown(one)
    assert after.acknowledged_at == one.acknowledged_at


def test_a_case_is_resolved_with_cause_and_outcome(aws: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    counted: dict[str, int] = {}
    monkeypatch.setattr(case_page, "count", lambda name, value=1: counted.__setitem__(name, value))
    one = opened()
    press(one, "确认已解决", by="王芳", cause="quality", outcome="solved", note="  换新  ")
    after = stands(one)
    assert (after.status, after.confirmed_cause, after.outcome) == ("resolved", "quality", "solved")
    assert after.events["resolved"].note == "换新"
    assert after.outbox, "the follow-up starts"
    assert counted == {"CausesConfirmed": 1, "CausesCorrected": 1}
    assert buttons(shown(one)) == {}


@pytest.mark.parametrize(
    "form", [{"cause": "quality"}, {"outcome": "solved"}, {"cause": "x", "outcome": "solved"},
             {"cause": "quality", "outcome": "expired"}]
)  # fmt: skip
def test_a_resolution_without_cause_or_outcome_is_refused(aws: Cloud, form: dict[str, str]) -> None:
    one = opened()
    assert press(one, "确认已解决", **form)["statusCode"] == 404
    assert stands(one) == one


def test_a_button_works_once(aws: Cloud) -> None:
    one = opened()
    act = buttons(shown(one))["认领"]
    form = {"page": page_token(one), "by": "王芳"}
    assert ask("POST", act, form)["statusCode"] == 303
    before = stands(one)
    again = ask("POST", act, form)
    assert again["statusCode"] == 409
    assert "没有重复执行" in again["body"]
    assert stands(one) == before


def test_an_act_that_comes_too_late_changes_nothing_and_says_so(aws: Cloud) -> None:
    one = opened()
    pages = [shown(one), shown(one)]
    form = {"page": page_token(one), "by": "王芳"}
    ask("POST", buttons(pages[0])["认领"], form)
    second = ask("POST", buttons(pages[1])["认领"], form | {"by": "李雷"})
    assert second["headers"]["location"].endswith("?done=nothing")
    assert stands(one).events["acknowledged"].by == "王芳 (alert link)"
    cases.save(resolve(stands(one), "chen", "quality", "solved", None, NOW))
    late = ask("POST", buttons(pages[1])["确认已解决"], form | {"cause": "price", "outcome": "solved"})
    assert late["statusCode"] == 409
    assert "已经结束" in late["body"]
    assert stands(one).confirmed_cause == "quality"


def test_a_forged_expired_or_swapped_act_is_refused(aws: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    one, other = opened(1), opened(2)
    act = buttons(shown(one))["认领"]
    form = {"page": page_token(one)}
    forged = token(
        Link("acknowledge", one.case_id, LATER, b"nonce1"), link_keys(NOW)._replace(known={1: b"y" * 64})
    )
    assert ask("POST", forged, form)["statusCode"] == 404
    assert ask("POST", page_token(one), form)["statusCode"] == 404, "the page's own link does nothing"
    assert ask("POST", act, {"page": page_token(other)})["statusCode"] == 404, "another case's page"
    assert ask("POST", act, {})["statusCode"] == 404
    monkeypatch.setattr(case_page, "now", lambda: NOW + timedelta(hours=3))
    assert ask("POST", act, form)["statusCode"] == 410
    assert (stands(one), stands(other)) == (one, other)


def test_a_link_of_a_case_that_is_gone_or_over_says_so(aws: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    assert ask("GET", page_token(case()))["statusCode"] == 404
    one = opened()
    link = page_token(one)
    monkeypatch.setattr(case_page, "now", lambda: LATER)
    answer = ask("GET", link)
    assert answer["statusCode"] == 410
    assert one.case_id not in answer["body"]
    assert "物流" not in answer["body"]


def test_after_the_erasure_of_the_person_nothing_of_them_is_shown(aws: Cloud) -> None:
    one = opened(review=review(text="物流太慢了，我的电话13800000000", customer_id="buyer-77"))
    cases.save(forget_person(one, Erased(), NOW))
    page = shown(one)
    assert "已按要求删除" in page
    for personal in ("13800000000", "buyer-77", "order-1", "物流太慢"):
        assert personal not in page


def test_a_page_holds_no_number_of_the_customer(aws: Cloud) -> None:
    page = shown(opened(review=review(customer_id="buyer-77", order_id="order-88")))
    assert "buyer-77" not in page
    assert "order-88" not in page


@pytest.mark.parametrize("body", ["x" * 9000, "&".join(f"a{n}=1" for n in range(50)), "%ff=%ff", None])
def test_a_form_that_is_not_ours_is_refused(aws: Cloud, body: str | None) -> None:
    act = buttons(shown(opened()))["认领"]
    assert ask("POST", act, body=body)["statusCode"] == 404


def test_a_body_in_base64_is_read(aws: Cloud) -> None:
    from base64 import b64encode

    one = opened()
    body = b64encode(urlencode({"page": page_token(one), "by": "王芳"}).encode()).decode()
    act = buttons(shown(one))["认领"]
    assert ask("POST", act, body=body, isBase64Encoded=True)["statusCode"] == 303


def test_dying_after_the_write_and_asking_again_ends_the_same(aws: Cloud) -> None:
    one = opened()
    act = buttons(shown(one))["认领"]
    form = {"page": page_token(one), "by": "王芳"}
    with dying_after(1):
        ask("POST", act, form)
    before = stands(one)
    assert before.status == "acknowledged"
    assert ask("POST", act, form)["statusCode"] == 409
    assert stands(one) == before


def test_a_change_meanwhile_is_acted_on_top_of(aws: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    one = opened()
    save, moved = cases.save, list[Case]()

    def move_then_save(case: Case) -> Case:
        if not moved:
            moved.append(save(stands(one).model_copy(update={"alerted_at": NOW})))
        return save(case)

    act = buttons(shown(one))["认领"]
    monkeypatch.setattr(cases, "save", move_then_save)
    assert ask("POST", act, {"page": page_token(one)})["statusCode"] == 303
    assert (stands(one).status, stands(one).alerted_at) == ("acknowledged", NOW)


def test_no_token_is_logged(aws: Cloud, caplog: pytest.LogCaptureFixture) -> None:
    one = opened()
    act = buttons(shown(one))["认领"]
    ask("POST", act, {"page": page_token(one), "by": "王芳"})
    ask("POST", act, {"page": page_token(one)})
    ask("GET", f"{page_token(one)[:-1]}!")
    said = " ".join(str(vars(record)) for record in caplog.records)
    assert said
    assert act[:20] not in said
    assert page_token(one)[:20] not in said
    assert "王芳" not in said


def test_links_go_on_working_while_the_key_is_changed(aws: Cloud) -> None:
    one = opened()
    before = page_token(one)
    client("secretsmanager").put_secret_value(
        SecretId="winback-local-link-keys",
        SecretString=json.dumps({"signs": 2, "1": "x" * 64, "2": "y" * 64}),
    )
    credentials.forget()
    assert page_token(one) != before
    assert ask("GET", before)["statusCode"] == 200


@pytest.mark.parametrize(
    "text",
    ["", "[]", "{}", '{"signs": 1}', '{"signs": 1, "1": "short"}', '{"signs": 9, "9": "' + "x" * 64 + '"}'],
)
def test_a_secret_that_is_no_key_is_named_but_not_quoted(aws: Cloud, text: str) -> None:
    client("secretsmanager").put_secret_value(SecretId="winback-local-link-keys", SecretString=text or " ")
    credentials.forget()
    with pytest.raises(UnusableKeys, match="winback-local-link-keys") as refused:
        link_keys(NOW)
    assert "short" not in str(refused.value)
