"""Case events: perform what the cases' outboxes ask for.

Trigger: the cases table's stream (only changes that leave something in an outbox).
Effects: alerts and customer messages to SNS, start and wake-up of the follow-up workflow. Each effect has
a key; once performed, its outbox entry is replaced by a line of the case's timeline. The stream only
says which case to look at: what counts is the case as it stands, so an event that comes again finds
nothing left to do. Between a publication and its record a crash repeats the publication, under the same
key (docs/decisions/0003-alerts-at-least-once.md).
"""

import json
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from functions import rulebook
from functions.domain.alerts import Alert, alert
from functions.domain.cases import Case, Effect, Event
from functions.domain.follow_ups import Pace, message, plan, refusal
from functions.domain.links import Link, token
from functions.domain.profiles import Profile
from functions.domain.times import iso
from functions.runtime.clients import client
from functions.runtime.clock import now
from functions.runtime.observability import count, logger, observed, seconds
from functions.runtime.settings import number, setting
from functions.store import cases, customers
from functions.store.link_keys import link_keys

if TYPE_CHECKING:
    from mypy_boto3_sns.type_defs import MessageAttributeValueTypeDef, PublishBatchRequestEntryTypeDef

_PUBLISH_BATCH = 10  # entries in one SNS PublishBatch
_HANDS = 8  # cases worked on at once, below botocore's pool of 10 connections a client


class EffectsFailed(Exception):
    """Some effects could not be performed. Everything else is done; the batch comes again for these."""


class NotPublished(Exception):
    """SNS refused an entry of a batch."""


@observed
def handler(event: dict[str, Any], context: Any) -> None:
    """Perform all that is outstanding. Raises EffectsFailed after having done whatever could be done."""
    touched = dict.fromkeys(record["dynamodb"]["Keys"]["case_id"]["S"] for record in event["Records"])
    outstanding = [case for case in cases.read_many(touched).values() if case.outbox]
    failures: list[str] = []
    told = _tell(outstanding, failures)
    with ThreadPoolExecutor(_HANDS) as hands:  # each case is a few calls to wait for
        latencies = hands.map(lambda case: _finish(case, told.get(case.case_id, {}), failures), outstanding)
    for since_posted, since_seen in filter(None, latencies):
        seconds("PostedToAlert", since_posted)
        seconds("SeenToAlert", since_seen)
    if failures:
        raise EffectsFailed("; ".join(failures))


def _tell(outstanding: Sequence[Case], failures: list[str]) -> dict[str, dict[str, Event]]:
    """Publish every outstanding alert, ten a call; return case id -> outbox key -> what to record."""
    wanted = [
        (case, key, alert(case, effect, _link(case, effect), rulebook.load()))
        for case in outstanding
        for key, effect in case.outbox.items()
        if effect.kind == "alert"
    ]
    told: dict[str, dict[str, Event]] = {}
    for start in range(0, len(wanted), _PUBLISH_BATCH):
        some = wanted[start : start + _PUBLISH_BATCH]
        try:
            answer = client("sns").publish_batch(
                TopicArn=setting("WINBACK_ALERTS_TOPIC_ARN"),
                PublishBatchRequestEntries=[
                    _entry(str(place), told_of) for place, (_, _, told_of) in enumerate(some)
                ],
            )
        except Exception as error:  # raised again for the whole batch, once the rest is done
            for case, key, _ in some:
                _failed(failures, case, key, error)
            continue
        moment = now()
        for refused in answer.get("Failed", []):
            case, key, _ = some[int(refused["Id"])]
            _failed(failures, case, key, NotPublished(f"{refused['Code']}: {refused.get('Message', '')}"))
        for sent in answer.get("Successful", []):
            case, key, told_of = some[int(sent["Id"])]
            note = f"{told_of.kind} to {', '.join(told_of.roles)}"
            told.setdefault(case.case_id, {})[key] = Event(at=moment, kind="alerted", note=note)
            count("AlertsSent")
    return told


def _finish(case: Case, done: dict[str, Event], failures: list[str]) -> tuple[float, float] | None:
    """Perform the case's other effects and record all of them in one write.

    Return the seconds from posting and from seeing to the first alert, where this was it.
    """
    done = dict(done)
    for key, effect in case.outbox.items():
        if effect.kind == "alert":
            continue
        try:
            done[key] = _PERFORM[effect.kind](case, effect, now())
        except Exception as error:  # raised again for the whole batch, once the rest is done
            _failed(failures, case, key, error)
    if not done:
        return None
    alerted_at = done["alert:0"].at if "alert:0" in done and case.alerted_at is None else None
    recorded = cases.performed(case, done, alerted_at=alerted_at)
    if not recorded or alerted_at is None:
        return None
    return (
        (alerted_at - case.review.posted_at).total_seconds(),
        (alerted_at - case.review.first_seen_at).total_seconds(),
    )


def _start(case: Case, effect: Effect, moment: datetime) -> Event:
    pace = Pace(scale=number("WINBACK_TIME_SCALE", 1), floor_s=int(number("WINBACK_TIME_FLOOR_S", 0)))
    workflow = client("stepfunctions")
    try:
        workflow.start_execution(
            stateMachineArn=setting("WINBACK_FOLLOW_UP_ARN"),
            name=f"{case.case_id}-{case.run}",
            input=plan(case, rulebook.load(), pace).model_dump_json(),
        )
    except workflow.exceptions.ExecutionAlreadyExists:
        logger.info("follow-up already started", extra={"case_id": case.case_id, "run": case.run})
    return Event(at=moment, kind="follow-up started")


def _wake(case: Case, effect: Effect, moment: datetime) -> Event:
    workflow = client("stepfunctions")
    try:
        workflow.send_task_success(taskToken=effect.token or "", output="{}")
    except (workflow.exceptions.TaskTimedOut, workflow.exceptions.TaskDoesNotExist):
        # The workflow went on by itself; its next condition sees how the case stands.
        logger.info("workflow no longer waits there", extra={"case_id": case.case_id})
    return Event(at=moment, kind="follow-up woken")


def _write(case: Case, effect: Effect, moment: datetime) -> Event:
    """Hand the step's message to the shop's sender, unless something is against it by now."""
    step = effect.name or ""
    if case.review.customer_id is None:
        return Event(at=moment, kind=f"{step} not sent", note="the customer is unknown")
    profile = customers.profile(case.shop_id, case.review.customer_id)
    if profile is None:
        return Event(at=moment, kind=f"{step} not sent", note="the customer is unknown")
    if step == "silver" and profile.silver_since is None:
        profile = customers.save(profile.model_copy(update={"silver_since": moment}))
    return _send(case, step, profile, moment)


def _send(case: Case, step: str, profile: Profile, moment: datetime) -> Event:
    text = message(case, step, rulebook.load(), moment)
    if reason := refusal(profile, text.promotional):
        return Event(at=moment, kind=f"{step} not sent", note=reason)
    client("sns").publish(
        TopicArn=setting("WINBACK_MESSAGES_TOPIC_ARN"),
        Message=text.model_dump_json(),
        MessageAttributes=dict(_attributes(shop=text.shop_id, step=step, message_key=text.key)),
    )
    count("MessagesSent")
    return Event(at=moment, kind=f"{step} sent", note=f"not before {iso(text.not_before)}")


_PERFORM = {"start": _start, "wake": _wake, "message": _write}


def _failed(failures: list[str], case: Case, key: str, error: Exception) -> None:
    """Remember a failure. Names the case and the effect, never what the customer wrote."""
    logger.error(
        "effect failed", extra={"case_id": case.case_id, "effect": key, "error": type(error).__name__}
    )
    count("FailedEffects")
    failures.append(f"{case.case_id} {key}: {type(error).__name__}: {error}")


def _link(case: Case, effect: Effect) -> str:
    """Return the address of the case's page. An alert that is sent again has the same one."""
    valid = rulebook.load().decide("links", {"link": "show"}).number("valid")
    link = Link("show", case.case_id, effect.at + timedelta(seconds=valid))
    return setting("WINBACK_CASE_LINK") + token(link, link_keys(now()))


def _entry(place: str, told_of: Alert) -> "PublishBatchRequestEntryTypeDef":
    machine = told_of.model_dump_json()
    texts = {"default": told_of.sms, "sms": told_of.sms, "email": told_of.sms}
    attributes = dict(
        _attributes(
            shop=told_of.shop_id,
            grade=told_of.grade,
            kind=told_of.kind,
            case_id=told_of.case_id,
            alert_key=told_of.key,
        )
    )
    attributes["role"] = {"DataType": "String.Array", "StringValue": json.dumps(told_of.roles)}
    return {
        "Id": place,
        "Subject": f"Winback {told_of.case_id}",
        "Message": json.dumps(texts | dict.fromkeys(("sqs", "lambda", "http", "https"), machine)),
        "MessageStructure": "json",
        "MessageAttributes": attributes,
    }


def _attributes(**values: str) -> "Iterator[tuple[str, MessageAttributeValueTypeDef]]":
    for name, value in values.items():
        yield name, {"DataType": "String", "StringValue": value}
