"""Tell the shop's own people of cases: alerts to SNS, ten a call."""

import json
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple

from functions import rulebook
from functions.domain.alerts import Alert, alert
from functions.domain.cases import Case, Effect, Event
from functions.domain.outbox import Done, Held
from functions.runtime.clients import client
from functions.runtime.clock import now
from functions.runtime.observability import count
from functions.runtime.settings import setting

if TYPE_CHECKING:
    from mypy_boto3_sns.type_defs import MessageAttributeValueTypeDef, PublishBatchRequestEntryTypeDef

_PUBLISH_BATCH = 10  # entries in one SNS PublishBatch


class NotPublished(Exception):
    """SNS refused an entry of a batch."""


class Wanted(NamedTuple):
    case: Case
    key: str
    effect: Effect


def perform(wanted: Sequence[Wanted]) -> Iterator[tuple[Wanted, Done | Held | Exception]]:
    """Publish the alerts that may go out now; yield for each what came of it, an error included."""
    for start in range(0, len(wanted), _PUBLISH_BATCH):
        some = wanted[start : start + _PUBLISH_BATCH]
        told = [alert(each.case, each.effect, _link(each.case), rulebook.load()) for each in some]
        try:
            answer = client("sns").publish_batch(
                TopicArn=setting("WINBACK_ALERTS_TOPIC_ARN"),
                PublishBatchRequestEntries=[_entry(str(place), one) for place, one in enumerate(told)],
            )
        except Exception as error:  # every one of them failed: each says so, and the others go on
            yield from ((each, error) for each in some)
            continue
        for refused in answer.get("Failed", []):
            yield (
                some[int(refused["Id"])],
                NotPublished(f"{refused['Code']}: {refused.get('Message', '')}"),
            )
        for sent in answer.get("Successful", []):
            one = told[int(sent["Id"])]
            count("AlertsSent")
            note = f"{one.kind} to {', '.join(one.roles)}"
            yield some[int(sent["Id"])], Done(Event(at=now(), kind="alerted", note=note))


def _link(case: Case) -> str:
    return setting("WINBACK_CASE_LINK") + case.case_id


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
