"""Tell the shop's own people of cases: alerts to SNS, ten a call, when and to whom their desk says."""

import json
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from functions.domain.alerts import Alert, alert
from functions.domain.cases import Event
from functions.domain.desks import Bundle, Drop, Hold, Send, Telling
from functions.domain.links import Link, token
from functions.domain.outbox import Done, Held
from functions.effects.placing import Wanted, placements
from functions.effects.topics import attributes as topic_attributes
from functions.runtime.clients import client
from functions.runtime.clock import now
from functions.runtime.observability import count
from functions.runtime.settings import setting
from functions.store import rulebooks
from functions.store.link_keys import link_keys

if TYPE_CHECKING:
    from mypy_boto3_sns.type_defs import PublishBatchRequestEntryTypeDef

_PUBLISH_BATCH = 10  # entries in one SNS PublishBatch


class NotPublished(Exception):
    """SNS refused an entry of a batch."""


def perform(wanted: Sequence[Wanted]) -> Iterator[tuple[Wanted, Done | Held | Exception]]:
    """Publish the alerts that may go out now; yield for each what came of it, an error included."""
    moment = now()
    going: list[tuple[Wanted, Send]] = []
    for each, outcome in zip(wanted, placements(wanted, moment), strict=True):
        match outcome:
            case Send():
                going.append((each, outcome))
            case Exception():
                yield each, outcome
            case _:
                yield each, _set_aside(each, outcome, moment)
    failed = _published([(each, telling) for each, outcome in going for telling in outcome.tellings])
    for each, outcome in going:
        if each.name in failed:
            yield each, failed[each.name]
            continue
        said = [f"{one.kind} to {', '.join(one.roles)}" for one in outcome.tellings]
        note = "; ".join([*said, *([outcome.note] if outcome.note else [])])
        yield each, Done(Event(at=now(), kind="alerted", note=note))


def _set_aside(wanted: Wanted, outcome: Hold | Bundle | Drop, moment: datetime) -> Done | Held:
    """Return what is recorded of an alert that does not go out now, and count it where that is news."""
    new = f"{wanted.key}:held" not in wanted.case.events
    match outcome:
        case Drop(why):
            return Done(Event(at=moment, kind="alert dropped", note=why))
        case Bundle(_, why, None):
            return Done(Event(at=moment, kind="alerted", note=why))
        case Bundle(_, why, datetime() as until):
            count("AlertsBundled", int(new))
            return Held(until, Event(at=moment, kind="alert bundled", note=why))
        case Hold():
            count("AlertsHeld", int(new))
            count("AlertsSilenced", int(new and outcome.cause == "quiet"))
            if outcome.cause == "nobody_on_duty":
                count("NobodyOnDuty")  # each time it is looked at, so that the alarm stays while it lasts
            return Held(outcome.again, Event(at=moment, kind="alert held", note=outcome.why))
    raise TypeError(f"{outcome!r} is no placement")


def _published(wanted: Sequence[tuple[Wanted, Telling]]) -> dict[tuple[str, str], Exception]:
    """Publish all, ten a call; return the alerts of which a part could not be, and why."""
    failed: dict[tuple[str, str], Exception] = {}
    for start in range(0, len(wanted), _PUBLISH_BATCH):
        some = wanted[start : start + _PUBLISH_BATCH]
        entries = [_entry(str(place), _alert(*one)) for place, one in enumerate(some)]
        try:
            answer = client("sns").publish_batch(
                TopicArn=setting("WINBACK_ALERTS_TOPIC_ARN"), PublishBatchRequestEntries=entries
            )
        except Exception as error:  # every one of them failed: each says so, and the others go on
            for each, _ in some:
                failed[each.name] = error
            continue
        for refused in answer.get("Failed", []):
            each, _ = some[int(refused["Id"])]
            failed[each.name] = NotPublished(f"{refused['Code']}: {refused.get('Message', '')}")
        count("AlertsSent", len(answer.get("Successful", [])))
    return failed


def _alert(wanted: Wanted, telling: Telling) -> Alert:
    return alert(
        wanted.case,
        wanted.effect,
        _link(wanted),
        rulebooks.current(),
        kind=telling.kind,
        roles=telling.roles,
        people=telling.people,
        count=telling.cases,
    )


def _link(wanted: Wanted) -> str:
    """Return the address of the case's page. An alert that is sent again has the same one."""
    valid = rulebooks.current().ask.links(link="show").number("valid")
    link = Link("show", wanted.case.case_id, wanted.effect.at + timedelta(seconds=valid))
    return setting("WINBACK_CASE_LINK") + token(link, link_keys(now()))


def _entry(place: str, told_of: Alert) -> "PublishBatchRequestEntryTypeDef":
    machine = told_of.model_dump_json()
    texts = {"default": told_of.sms, "sms": told_of.sms, "email": told_of.sms}
    attributes = dict(
        topic_attributes(
            shop=told_of.shop_id,
            grade=told_of.grade,
            kind=told_of.kind,
            case_id=told_of.case_id,
            alert_key=told_of.key,
        )
    )
    if told_of.people:  # an empty String.Array is none
        attributes["person"] = {"DataType": "String.Array", "StringValue": json.dumps(told_of.people)}
    attributes["role"] = {"DataType": "String.Array", "StringValue": json.dumps(told_of.roles)}
    return {
        "Id": place,
        "Subject": f"Winback {told_of.case_id}",
        "Message": json.dumps(texts | dict.fromkeys(("sqs", "lambda", "http", "https"), machine)),
        "MessageStructure": "json",
        "MessageAttributes": attributes,
    }
