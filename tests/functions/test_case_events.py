"""Case events on the template's tables, topics and workflow: what an outbox sets off."""

import json
from datetime import datetime, timedelta
from typing import Any
from unittest.mock import patch

import boto3
import pytest
from botocore.client import BaseClient

from functions import case_events
from functions.domain.alerts import SMS_LENGTH
from functions.domain.cases import Case, Effect, Event, reopen, resolve
from functions.domain.outbox import due
from functions.effects import alerts
from functions.rulebook import load
from functions.store import cases
from functions.store.cases import open_case
from tests.builders import NOW, SHOP, case, review
from tests.cloud import Cloud
from tests.crash import dying_after, effects
from tests.events import CONTEXT, stream_event

# So long ago a case was resolved whose care is due now.
CARE_DUE = NOW - timedelta(days=3, hours=2, seconds=90)


@pytest.fixture(autouse=True)
def _clock(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(case_events, "now", lambda: NOW)
    monkeypatch.setattr(alerts, "now", lambda: NOW)


def deliver(*opened: Case) -> None:
    case_events.handler(stream_event(*(one.case_id for one in opened)), CONTEXT)


def opened(number: int = 1, **given: Any) -> Case:
    return open_case(case(review_id=f"r{number}", **given), None)


def apart(number: int) -> Case:
    """A case on a product and by a customer of its own: no part of an incident."""
    written = review(review_id=f"r{number}", product_id=f"p{number}", customer_id=f"c{number}")
    return open_case(case(review=written), None)


def now_stands(of: Case) -> Case:
    found = cases.read(of.case_id)
    assert found is not None
    return found


def asking(effect: Effect, key: str, **given: Any) -> Case:
    """A case whose outbox holds one effect."""
    return opened(outbox={key: effect}, **given)


def solved(number: int = 1, at: datetime = CARE_DUE) -> Case:
    """A case whose remedy and coupon are to be given and whose workflow is to be started."""
    return cases.save(resolve(opened(number, outbox={}), "lin", "quality", "solved", None, at))


def test_a_new_case_is_alerted(aws: Cloud) -> None:
    one = opened()
    deliver(one)
    (alert,) = aws.published("alerts")
    assert one.case_id in alert.text
    assert aws.executions() == {}
    after = now_stands(one)
    assert (after.outbox, after.alerted_at) == ({}, NOW)
    assert after.timeline[-1].kind == "alerted"


def test_an_alert_can_be_filtered_by_shop_grade_and_role(aws: Cloud) -> None:
    deliver(opened())
    attributes = aws.published("alerts")[0].attributes
    said = {name: value["Value"] for name, value in attributes.items()}
    assert (said["shop"], said["grade"], said["kind"]) == (SHOP, "logistics_delay", "first")
    assert json.loads(said["role"]) == ["agent", "supervisor"]


def test_an_alert_is_short_and_says_nothing_about_the_person(aws: Cloud) -> None:
    one = open_case(case(review=review(text="我的电话13800000000", customer_id="buyer-77")), None)
    entries: list[Any] = []
    original = BaseClient._make_api_call  # type: ignore[attr-defined]

    def listening(self: Any, operation: str, parameters: Any) -> Any:
        entries.extend(parameters.get("PublishBatchRequestEntries", []))
        return original(self, operation, parameters)

    with patch.object(BaseClient, "_make_api_call", listening):
        deliver(one)
    (entry,) = entries
    texts = json.loads(entry["Message"])
    assert len(texts["sms"].encode("utf-16-be")) // 2 <= SMS_LENGTH
    assert json.loads(texts["sqs"])["case_id"] == one.case_id
    for secret in ("13800000000", "buyer-77"):
        assert secret not in json.dumps(entry, ensure_ascii=False)


def test_after_a_resolution_the_guidance_and_the_workflow_wait_for_their_time(aws: Cloud) -> None:
    one = solved(at=NOW)
    deliver(one)
    assert aws.executions() == {}
    after = now_stands(one)
    guidance, start = after.outbox["message:guidance"], after.outbox["start:1"]
    assert guidance.after == NOW + timedelta(hours=2, seconds=90)
    assert start.after == guidance.after + timedelta(days=3)
    assert after.outbox.keys() == {"message:guidance", "start:1", "grant:remedy"}
    assert due(after) == {}


def test_a_start_that_comes_early_again_brings_no_second_guidance(aws: Cloud) -> None:
    one = solved(at=NOW)
    deliver(one)
    planned = now_stands(one)
    told = {"message:guidance": Event(at=NOW, kind="guidance sent")}
    again = {"start:1": planned.outbox["start:1"].model_copy(update={"after": None})}
    cases.save(planned.model_copy(update={"outbox": again, "events": planned.events | told}))
    deliver(one)
    assert now_stands(one).outbox.keys() == {"start:1"}
    assert due(now_stands(one)) == {}


def test_a_case_that_is_resolved_while_its_alert_goes_out_is_still_followed_up_from_the_guidance_on(
    aws: Cloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, publish = opened(), alerts.perform

    def publish_while_somebody_resolves(wanted: Any) -> Any:
        yield from publish(wanted)
        if now_stands(one).resolved_at is None:
            cases.save(resolve(now_stands(one), "lin", "quality", "solved", None, NOW))

    monkeypatch.setattr(alerts, "perform", publish_while_somebody_resolves)
    deliver(one)
    assert aws.executions() == {}, "what nobody has planned does not begin"
    deliver(one)
    assert aws.executions() == {}
    assert now_stands(one).outbox["message:guidance"].after == NOW + timedelta(hours=2, seconds=90)


def test_a_start_that_cannot_be_planned_does_not_begin(aws: Cloud) -> None:
    one = solved()
    with (
        patch("functions.effects.workflow.planned", side_effect=LookupError("no such row")),
        pytest.raises(case_events.EffectsFailed, match="no such row"),
    ):
        deliver(one)
    assert aws.executions() == {}
    deliver(one)
    assert len(aws.executions()) == 1


def test_the_workflow_is_started_with_the_wait_of_the_rules(aws: Cloud) -> None:
    one = solved()
    deliver(one)
    ((name, plan),) = aws.executions().items()
    assert name == f"{one.case_id}-1"
    assert (plan["case_id"], plan["run"], plan["mark"]) == (one.case_id, 1, "")
    assert plan["until_silver_s"] == 30 * 86400


def test_a_start_stays_in_the_outbox_until_the_workflow_itself_takes_it_out(aws: Cloud) -> None:
    one = solved()
    deliver(one)
    assert {key for key, each in now_stands(one).outbox.items() if each.after is None} == {"start:1"}
    before = aws.items("cases")
    deliver(one)
    assert aws.items("cases") == before
    assert len(aws.executions()) == 1


def test_the_workflow_is_started_after_everything_else_is_recorded(aws: Cloud) -> None:
    one = solved()
    names = effects(lambda: deliver(one))
    assert names[-2:] == ["dynamodb.PutItem", "stepfunctions.StartExecution"]


def test_many_cases_are_alerted_ten_a_call(aws: Cloud) -> None:
    many = [apart(n) for n in range(23)]
    names = effects(lambda: deliver(*many))
    assert names.count("sns.PublishBatch") == 3
    assert len(aws.published("alerts")) == 23


def test_an_event_delivered_twice_changes_nothing_more(aws: Cloud) -> None:
    one = opened()
    deliver(one, one)
    assert effects(lambda: deliver(one)) == []
    assert len(aws.published("alerts")) == 1


def test_dying_after_any_effect_and_coming_again_ends_the_same(aws: Cloud) -> None:
    """The case, its workflow and its set of alert keys are the same; only a publication that the process
    did not live to record is made again, under the same key (docs/decisions/0003)."""

    def run() -> None:
        deliver(*begun)

    def state() -> Any:
        keys = [sent.attributes["alert_key"]["Value"] for sent in aws.published("alerts")]
        return aws.items("cases"), aws.executions().keys(), sorted(set(keys))

    def begin() -> tuple[Case, ...]:
        """One to start the workflow of, one to alert, one to plan the follow-up of."""
        early, late = (
            cases.save(resolve(opened(n, outbox={}), "lin", "quality", "unreachable", None, at))
            for n, at in ((1, CARE_DUE), (3, NOW))
        )
        return early, opened(2), late

    begun = begin()
    names = effects(run)
    expected = state()
    assert set(names) == {
        "dynamodb.UpdateItem",
        "sns.PublishBatch",
        "stepfunctions.StartExecution",
        "dynamodb.PutItem",
    }
    for n in range(1, len(names) + 1):
        aws.empty()
        begun = begin()
        with dying_after(n):
            run()
        run()
        assert state() == expected, f"died after {names[n - 1]}"
        texts = {(sent.attributes["alert_key"]["Value"], sent.text) for sent in aws.published("alerts")}
        assert len(texts) == 1, "a repeated alert says the same under the same key"


def test_an_effect_that_fails_does_not_keep_the_others_and_comes_again(aws: Cloud) -> None:
    one, two = solved(1), opened(2)
    original = BaseClient._make_api_call  # type: ignore[attr-defined]

    def failing(self: Any, operation: str, parameters: Any) -> Any:
        if operation == "StartExecution" and parameters["name"].startswith(one.case_id):
            raise ConnectionError("reset")
        return original(self, operation, parameters)

    with (
        patch.object(BaseClient, "_make_api_call", failing),
        pytest.raises(case_events.EffectsFailed, match=f"{one.case_id} start:1: ConnectionError"),
    ):
        deliver(one, two)
    assert due(now_stands(one)).keys() == {"start:1"}
    assert "coupon granted" in {event.kind for event in now_stands(one).timeline}
    assert now_stands(two).outbox == {}
    deliver(one, two)
    assert aws.executions().keys() == {f"{one.case_id}-1"}
    assert len(aws.published("alerts")) == 1


def test_an_alert_that_sns_refuses_stays_in_the_outbox(aws: Cloud) -> None:
    one = opened()
    original = BaseClient._make_api_call  # type: ignore[attr-defined]

    def refusing(self: Any, operation: str, parameters: Any) -> Any:
        if operation == "PublishBatch":
            return {"Successful": [], "Failed": [{"Id": "0", "Code": "InternalError", "SenderFault": False}]}
        return original(self, operation, parameters)

    with patch.object(BaseClient, "_make_api_call", refusing), pytest.raises(case_events.EffectsFailed):
        deliver(one)
    assert now_stands(one).outbox.keys() == {"alert:0"}
    assert now_stands(one).alerted_at is None


def test_alerts_that_cannot_be_sent_do_not_hold_each_other_up(aws: Cloud) -> None:
    many = [apart(n) for n in range(11)]
    original = BaseClient._make_api_call  # type: ignore[attr-defined]

    def breaking(self: Any, operation: str, parameters: Any) -> Any:
        if operation == "PublishBatch" and len(parameters["PublishBatchRequestEntries"]) == 10:
            raise ConnectionError("reset")
        return original(self, operation, parameters)

    with patch.object(BaseClient, "_make_api_call", breaking), pytest.raises(case_events.EffectsFailed):
        deliver(*many)
    left = [set(now_stands(one).outbox) for one in many]
    assert sorted(map(len, left)) == [0] + [1] * 10
    deliver(*many)
    assert len(aws.published("alerts")) == 11


def test_an_entry_added_meanwhile_keeps_the_case_pending(aws: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    one = opened()
    publish, added = alerts.perform, list[Effect]()

    def publish_and_add(wanted: Any) -> Any:
        yield from publish(wanted)
        current = now_stands(one)
        if not added:
            added.append(Effect(kind="alert", at=NOW, level=1))
            cases.save(current.model_copy(update={"outbox": current.outbox | {"alert:1": added[0]}}))

    monkeypatch.setattr(alerts, "perform", publish_and_add)
    deliver(one)
    assert now_stands(one).outbox.keys() == {"alert:1"}
    assert aws.items("cases")[0]["pending"] is True
    deliver(one)
    assert "pending" not in aws.items("cases")[0]


def test_a_held_effect_is_left_alone_until_the_clock_releases_it(aws: Cloud) -> None:
    later = NOW + timedelta(hours=1)
    one = asking(Effect(kind="alert", at=NOW, level=0, after=later), "alert:0")
    deliver(one)
    assert aws.published("alerts") == []
    assert now_stands(one) == one


def test_latencies_are_measured_once(aws: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    measured: dict[str, float] = {}
    monkeypatch.setattr(case_events, "seconds", measured.__setitem__)
    one = opened(
        review=review(posted_at=NOW - timedelta(seconds=30), first_seen_at=NOW - timedelta(seconds=4))
    )
    deliver(one)
    assert measured == {"PostedToAlert": 30, "SeenToAlert": 4}


def test_a_reopened_case_has_its_workflow_stopped(aws: Cloud) -> None:
    one = solved()
    deliver(one)
    again = cases.save(reopen(now_stands(one), "lin", "broke again", load(), NOW))
    stopped: list[str] = []
    original = BaseClient._make_api_call  # type: ignore[attr-defined]

    def stopping(self: Any, operation: str, parameters: Any) -> Any:
        if operation == "StopExecution":
            stopped.append(parameters["executionArn"].rpartition(":")[2])
        return original(self, operation, parameters)

    with patch.object(BaseClient, "_make_api_call", stopping):
        deliver(again)
    assert stopped == list(aws.executions()) == [f"{one.case_id}-1"]
    after = now_stands(one)
    assert not due(after)
    assert "follow-up stopped" in {event.kind for event in after.timeline}


def test_a_workflow_that_was_never_started_is_stopped_without_a_failure(aws: Cloud) -> None:
    again = cases.save(reopen(solved(), "lin", "broke again", load(), NOW))
    deliver(again)
    assert not due(now_stands(again))
    assert aws.executions() == {}


def test_a_case_that_is_gone_is_passed_over(aws: Cloud) -> None:
    deliver(case())
    assert aws.published("alerts") == []


def test_the_test_topic_is_the_templates(aws: Cloud) -> None:
    topics = boto3.client("sns").list_topics()["Topics"]
    assert {topic["TopicArn"].rpartition(":")[2] for topic in topics} >= {
        "winback-local-alerts",
        "winback-local-messages",
    }
