"""Channels: through which an alert reaches the shop's people, how often, and what comes next when one fails.

A shop has a list of channels. An alert goes to the first; to the next one when that one refuses it, stays
silent or could take it only much later. A channel marked `every` gets each alert besides. Sending slots are
booked in the channel before a message is sent, so that however many processes send, a robot's limit holds
in every minute and every second. Numbers: rules/channels.toml.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Literal, NamedTuple, get_args

from pydantic import BaseModel, ConfigDict, Field

from functions.domain.alerts import CHAIN, Alert
from functions.domain.cases import Case, Event, changed
from functions.domain.decisions import Rules
from functions.domain.times import Time

Kind = Literal["feishu", "wecom", "dingtalk", "webhook"]
KINDS: tuple[Kind, ...] = get_args(Kind)
_MINUTE, _SECOND = timedelta(minutes=1), timedelta(seconds=1)
_MARGIN = timedelta(milliseconds=500)  # messages arrive a little closer together than they were sent
_KEPT = timedelta(minutes=2)
BOOK_AHEAD = 120  # seconds; what would have to wait longer comes back later and books then
_LONGEST_RETRY = 900  # seconds; also the longest delay that SQS knows


class Channel(BaseModel):
    """A channel of a shop and when it was used last. `secret` names its address and key."""

    model_config = ConfigDict(frozen=True)

    shop_id: str
    channel: str = Field(description="Its name in the shop")
    kind: Kind
    place: int = Field(0, description="In the shop's list: lower ones are tried first")
    every: bool = Field(False, description="Gets every alert, whatever becomes of it elsewhere")
    secret: str
    sent: tuple[Time, ...] = Field((), description="When messages were sent lately, in order")
    booked: tuple[Time, ...] = Field((), description="Slots of messages that wait for them, in order")
    blocked_until: Time | None = None
    version: int = 0


class Notice(BaseModel):
    """An alert on its way to one channel; to those that the shop's list says, where none is named yet."""

    model_config = ConfigDict(frozen=True)

    alert: Alert
    channel: str | None = None
    attempt: int = 1
    slot: Time | None = Field(None, description="Booked: not to be sent before, and then without booking")


class Limits(NamedTuple):
    """What a kind of channel bears, and our patience with it. Times in seconds."""

    a_minute: int
    a_second: int
    block: int
    patience: int
    tries: int
    last_tries: int
    retry: int


def limits(kind: Kind, rules: Rules) -> Limits:
    decision = rules.ask.channels(kind=kind)
    return Limits(*(decision.number(name) for name in Limits._fields))


def first_targets(channels: Sequence[Channel]) -> list[Channel]:
    """Return the channels that a new alert goes to: the first of the list and those that get every one."""
    ordered = sorted(channels, key=lambda each: each.place)
    return [each for each in ordered if not each.every][:1] + [each for each in ordered if each.every]


def next_after(failed: Channel, channels: Sequence[Channel]) -> Channel | None:
    """Return the channel that an alert goes to which this one did not take."""
    later = [each for each in channels if each.place > failed.place and not (each.every or failed.every)]
    return min(later, key=lambda each: each.place, default=None)


def claim(
    channel: Channel, slot: datetime | None, allowed: Limits, now: datetime
) -> tuple[datetime, Channel]:
    """Return when to send, and the channel with that moment noted: now, or a slot behind all others.

    `slot` was booked before and has come. Queues are late, so what counts then is what was really sent
    lately: a message that would be one too many gets another slot. Slots whose messages have not come yet
    do not count, or messages that are all late would put each other off for ever.
    """
    booked = list(channel.booked)
    if slot in booked:
        booked.remove(slot)
    at = now
    if slot is None or _free(channel, channel.sent, allowed, now) > now:
        at = max(_free(channel, sorted((*channel.sent, *booked)), allowed, now), *booked[-1:], now)
    sent = list(channel.sent)
    (sent if at == now else booked).append(at)
    return at, channel.model_copy(update={"sent": _lately(sent, now), "booked": _lately(booked, now)})


def _lately(moments: Sequence[datetime], now: datetime) -> tuple[datetime, ...]:
    return tuple(sorted(moment for moment in moments if moment > now - _KEPT))


def _free(channel: Channel, taken: Sequence[datetime], allowed: Limits, now: datetime) -> datetime:
    """Return from when on the channel bears one more message after these."""
    moments = [now]
    if channel.blocked_until is not None:
        moments.append(channel.blocked_until)
    for number, window in ((allowed.a_minute, _MINUTE), (allowed.a_second, _SECOND)):
        if len(taken) >= number:
            moments.append(taken[-number] + window + _MARGIN)
    return max(moments)


def block(channel: Channel, allowed: Limits, now: datetime) -> Channel:
    """Return the channel after it said that it gets too much, from us or from others: it needs a rest."""
    return channel.model_copy(update={"blocked_until": now + timedelta(seconds=allowed.block)})


def retry_in(attempt: int, allowed: Limits) -> int:
    """Return the seconds until the next attempt: twice as long after each."""
    return min(allowed.retry << (attempt - 1), _LONGEST_RETRY)


def receipt_key(channel: str, alert: Alert) -> str:
    return f"delivered:{channel}:{alert.key}"


def needless(case: Case, alert: Alert) -> str | None:
    """Return why nobody needs the alert any more; a waiting one is checked right before it is sent."""
    if not case.waiting:
        return f"the case is {case.status}"
    if case.status == "acknowledged" and alert.kind in CHAIN:
        return "somebody is at work on it"
    return None


def with_receipt(case: Case, channel: str, alert: Alert, kind: str, note: str | None, now: datetime) -> Case:
    """Return the case with what became of the alert at the channel; what was noted first stays."""
    key = receipt_key(channel, alert)
    if key in case.events:
        return case
    return changed(case, {}, {key: Event(at=now, kind=kind, by=channel, note=note)})
