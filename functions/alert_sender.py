"""Alert sender: bring alerts to the shops' channels and note on the case what became of them.

Trigger: the notices queue, one message at a time, which the alerts topic fills. Effects: a message of a
robot or a signed POST for each channel the alert goes to, and a receipt in the case's timeline under
channel and alert key; what has its receipt is not sent again. An alert that must wait, for its turn or for
another try, goes back to the queue with a delay; one that a channel does not take goes to the next. Between
a channel's answer and its receipt a crash repeats the message (docs/decisions/0012-channels-and-links.md).
"""

import json
from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime
from math import ceil
from typing import Any, Literal

from functions import rulebook
from functions.channels import CHANNELS, Address, Overloaded, Refused, Unavailable, unsafe
from functions.domain import channels as domain
from functions.domain.alerts import Alert
from functions.domain.channels import Channel, Limits, Notice
from functions.runtime.batches import Record, each
from functions.runtime.clock import now
from functions.runtime.credentials import MissingSecret, secret
from functions.runtime.errors import Unknown
from functions.runtime.observability import count, logger, observed, seconds
from functions.runtime.queues import Message, send
from functions.runtime.settings import setting
from functions.store import cases, channels
from functions.store.errors import StaleWrite

_ATTEMPTS = 5
_LONGEST_DELAY = 900  # seconds; SQS's
_CROWDED_S = 2  # until the next try to book a slot where others were always faster


@observed
def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    return each(event, _handle)


def _handle(record: Record) -> None:
    notice = _notice(record["body"])
    known = channels.of_shop(notice.alert.shop_id)
    if notice.channel is None:
        wanted = domain.first_targets(known)
        _send_on([Notice(alert=notice.alert, channel=one.channel) for one in wanted[1:]])
        notice = notice.model_copy(update={"channel": wanted[0].channel if wanted else None})
    channel = next((one for one in known if one.channel == notice.channel), None)
    if channel is None:  # the shop has no channels, or no longer this one
        return
    _deliver(notice, channel, known, now())


def _notice(body: str) -> Notice:
    """Read what the topic sends, an alert, or what we sent back to the queue."""
    if "alert" in json.loads(body):
        return Notice.model_validate_json(body)
    return Notice(alert=Alert.model_validate_json(body))


def _deliver(notice: Notice, channel: Channel, known: Sequence[Channel], moment: datetime) -> None:
    alert = notice.alert
    case = cases.read_many([alert.case_id]).get(alert.case_id)
    if case is None or domain.receipt_key(channel.channel, alert) in case.events:
        return  # delivered before, or the case is gone
    if reason := domain.needless(case, alert):
        _receipt(alert, channel, "not needed", reason, moment)
        return
    allowed = domain.limits(channel.kind, rulebook.load())
    if not _its_turn(notice, channel, known, allowed, moment):
        return
    try:
        CHANNELS[channel.kind](_address(channel, moment), alert, moment)
    except Refused as error:
        _pass_on(notice, channel, known, str(error), moment)
    except Overloaded:
        _block(channel, allowed, moment)
        _send_on([notice.model_copy(update={"slot": None})])
    except Unavailable as error:
        _try_again(notice, channel, known, allowed, str(error), moment)
    else:
        count("AlertsDelivered")
        first = not any(event.kind == "delivered" for event in case.events.values())
        if first and "alert:0:held" not in case.events:  # what was held on purpose is not late
            seconds("SeenToDelivered", (moment - case.review.first_seen_at).total_seconds())
        _receipt(alert, channel, "delivered", None, moment)


def _its_turn(
    notice: Notice, channel: Channel, known: Sequence[Channel], allowed: Limits, moment: datetime
) -> bool:
    """Say whether to send now; else the notice is on its way to its slot, or to the next channel."""
    if notice.slot is not None and notice.slot > moment:
        return _later(notice, notice.slot, moment)
    for _ in range(_ATTEMPTS):
        at, claimed = domain.claim(channel, notice.slot, allowed, moment)
        wait = (at - moment).total_seconds()
        if wait > allowed.patience and domain.next_after(channel, known) is not None:
            _pass_on(notice, channel, known, "it would have to wait too long", moment, failed=False)
            return False
        if wait > domain.BOOK_AHEAD:
            return _later(notice.model_copy(update={"slot": None}), at, moment)
        try:
            channels.save(claimed)
        except StaleWrite:  # others book too: look again at what is left
            channel = _fresh(channel)
        else:
            return wait <= 0 or _later(notice.model_copy(update={"slot": at}), at, moment)
    _send_on([notice], _CROWDED_S)
    return False


def _block(channel: Channel, allowed: Limits, moment: datetime) -> None:
    """Note that the channel needs a rest. In a crowd the next message that is too many notes it."""
    for _ in range(_ATTEMPTS):
        with suppress(StaleWrite):
            channels.save(domain.block(_fresh(channel), allowed, moment))
            return


def _later(notice: Notice, at: datetime, moment: datetime) -> Literal[False]:
    delay = min(ceil((at - moment).total_seconds()), _LONGEST_DELAY)
    _send_on([notice], delay)
    return False


def _try_again(
    notice: Notice, channel: Channel, known: Sequence[Channel], allowed: Limits, why: str, moment: datetime
) -> None:
    last = domain.next_after(channel, known) is None
    if notice.attempt >= (allowed.last_tries if last else allowed.tries):
        _pass_on(notice, channel, known, f"{why}, {notice.attempt} times", moment)
        return
    again = notice.model_copy(update={"attempt": notice.attempt + 1, "slot": None})
    _send_on([again], domain.retry_in(notice.attempt, allowed))


def _pass_on(
    notice: Notice,
    channel: Channel,
    known: Sequence[Channel],
    why: str,
    moment: datetime,
    *,
    failed: bool = True,
) -> None:
    """Give the alert to the next channel, then note that this one did not take it: in that order."""
    count("ChannelFailures", int(failed))
    following = domain.next_after(channel, known)
    if following is None:
        count("UndeliveredAlerts", int(not channel.every))
    else:
        _send_on([Notice(alert=notice.alert, channel=following.channel)])
        why = f"{why}; {following.channel} is next"
    logger.warning(
        "alert not delivered",
        extra={"case_id": notice.alert.case_id, "channel": channel.channel, "reason": why},
    )
    _receipt(notice.alert, channel, "not delivered", why, moment)


def _receipt(alert: Alert, channel: Channel, kind: str, note: str | None, moment: datetime) -> None:
    cases.change(
        alert.case_id,
        lambda case: domain.with_receipt(case, channel.channel, alert, kind, note, moment),
    )


def _send_on(notices: Sequence[Notice], delay_s: int = 0) -> None:
    if notices:
        bodies = [Message(one.model_dump_json(), delay_s) for one in notices]
        send(setting("WINBACK_NOTICES_QUEUE_URL"), bodies)


def _fresh(channel: Channel) -> Channel:
    """Return the channel as it stands. Raises Unknown when the shop no longer has it."""
    for one in channels.of_shop(channel.shop_id):
        if one.channel == channel.channel:
            return one
    raise Unknown(f"{channel.shop_id} has no channel {channel.channel} any more")


def _address(channel: Channel, moment: datetime) -> Address:
    try:
        address = Address.of(secret(channel.secret, moment))
    except MissingSecret as error:
        raise Refused(str(error)) from error
    reason = unsafe(channel.kind, address.url)
    if reason is not None and setting("WINBACK_STAGE") != "local":
        raise Refused(f"the address is not allowed: {reason}")
    return address
