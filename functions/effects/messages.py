"""Hand a step's message to the shop's sender, unless something is against it by now."""

from collections.abc import Iterator
from datetime import datetime
from typing import TYPE_CHECKING

from functions import rulebook
from functions.domain.cases import Case, Effect, Event
from functions.domain.follow_ups import message, refusal
from functions.domain.outbox import Done
from functions.domain.profiles import Profile
from functions.domain.times import iso
from functions.runtime.clients import client
from functions.runtime.observability import count
from functions.runtime.settings import setting
from functions.store import customers

if TYPE_CHECKING:
    from mypy_boto3_sns.type_defs import MessageAttributeValueTypeDef


def perform(case: Case, key: str, effect: Effect, now: datetime) -> Done:
    step = effect.name or ""
    if case.review.customer_id is None:
        return Done(Event(at=now, kind=f"{step} not sent", note="the customer is unknown"))
    profile = customers.profile(case.shop_id, case.review.customer_id)
    if profile is None:
        return Done(Event(at=now, kind=f"{step} not sent", note="the customer is unknown"))
    if step == "silver" and profile.silver_since is None:
        profile = customers.save(profile.model_copy(update={"silver_since": now}))
    return _send(case, step, profile, now)


def _send(case: Case, step: str, profile: Profile, now: datetime) -> Done:
    text = message(case, step, rulebook.load(), now)
    if reason := refusal(profile, text.promotional):
        return Done(Event(at=now, kind=f"{step} not sent", note=reason))
    client("sns").publish(
        TopicArn=setting("WINBACK_MESSAGES_TOPIC_ARN"),
        Message=text.model_dump_json(),
        MessageAttributes=dict(_attributes(shop=text.shop_id, step=step, message_key=text.key)),
    )
    count("MessagesSent")
    return Done(Event(at=now, kind=f"{step} sent", note=f"not before {iso(text.not_before)}"))


def _attributes(**values: str) -> "Iterator[tuple[str, MessageAttributeValueTypeDef]]":
    for name, value in values.items():
        yield name, {"DataType": "String", "StringValue": value}
