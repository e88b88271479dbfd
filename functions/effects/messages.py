"""Hand a message to the shop's sender, unless something is against it by now.

Everything is looked at again right before sending. The message is claimed first: a transaction that fails
where the case, the customer or the message changed in between; then it is handed over, under its key. What
changes after that comes too late to stop it.
"""

from dataclasses import replace
from datetime import datetime

from functions.domain.benefits import barred
from functions.domain.cases import Case, Effect, Event
from functions.domain.history import FREE, Message
from functions.domain.ledger import STEPS
from functions.domain.messages import Customer, No, Send, Wait, not_yet, weigh
from functions.domain.outbox import Done, Held
from functions.domain.replies import STEP as PUBLIC
from functions.domain.times import iso
from functions.domain.wording import wall_clock
from functions.effects import replies
from functions.effects.topics import attributes as topic_attributes
from functions.rulebook import BlankVariable
from functions.runtime.clients import client
from functions.runtime.observability import count
from functions.runtime.settings import setting
from functions.store import cases, customers, ledger, messages, rulebooks
from functions.store.errors import StaleWrite
from functions.store.pace import pace

_ATTEMPTS = 5


def perform(case: Case, key: str, effect: Effect, now: datetime) -> Done | Held:
    if effect.name == PUBLIC:
        return replies.perform(case, effect, now)
    for _ in range(_ATTEMPTS):
        try:
            return _perform(case, key, effect, now)
        except StaleWrite as error:
            stale = error
            current = cases.read_many([case.case_id]).get(case.case_id)
            if current is None or key not in current.outbox:
                return Done(_event(effect, "not sent", "taken back", now))
            case = current
    raise stale


def _perform(case: Case, key: str, effect: Effect, now: datetime) -> Done | Held:
    rules, zone = rulebooks.current(), wall_clock(case)
    if early := not_yet(case, key, effect, rules, pace(), zone, now):
        return _wait(effect, early, now)
    known = messages.customer(case)
    if known is None:
        return _done(case, effect, _event(effect, "not sent", "the customer is unknown", now))
    known = _promoted(case, known, effect, now)
    if effect.name in STEPS:
        known = replace(known, coupon=ledger.state(case.shop_id, case.case_id, effect.name))
    try:
        found = weigh(case, key, effect, known, rules, pace(), zone, now)
    except BlankVariable as error:
        found = No(str(error))
    match found:
        case Wait():
            return _wait(effect, found, now)
        case No(why):
            count("MessagesRefused")
            return _done(case, effect, _event(effect, "not sent", why, now))
        case Send(entry, message, claimed, note):
            if not claimed:
                messages.claim(case, known, known.profile, entry)
            _hand_over(message)
            said = ", ".join(filter(None, (f"by {message.channel}", note)))
            return _done(case, effect, _event(effect, "sent", said, now))


def _wait(effect: Effect, wait: Wait, now: datetime) -> Held:
    note = wait.why if wait.look else f"{wait.why}, until {iso(wait.until)}"
    return Held(wait.until, _event(effect, "held", note, now))


def _promoted(case: Case, known: Customer, effect: Effect, now: datetime) -> Customer:
    """The membership hangs on the case being solved, not on whether the customer may be told of it."""
    if effect.name != "silver" or known.profile.silver_since is not None or barred(case):
        return known
    profile = customers.save(known.profile.model_copy(update={"silver_since": now}))
    return replace(known, profile=profile)


def _done(case: Case, effect: Effect, event: Event) -> Done:
    """The membership brings, a while later, the coupon to buy again."""
    if effect.name != "silver":
        return Done(event)
    wait = rulebooks.current().ask.follow_up(step="repurchase").number("after")
    later = Effect(kind="message", at=event.at, after=event.at + pace().wait(wait), name="repurchase")
    return Done(event, {case.keyed("message:repurchase"): later})


def _hand_over(message: Message) -> None:
    client("sns").publish(
        TopicArn=setting("WINBACK_MESSAGES_TOPIC_ARN"),
        Message=message.model_dump_json(),
        MessageAttributes=dict(
            topic_attributes(
                shop=message.shop_id, step=message.step, channel=message.channel, message_key=message.key
            )
        ),
    )
    count("MessagesSent")


def _event(effect: Effect, what: str, note: str, now: datetime) -> Event:
    return Event(at=now, kind=f"{'message' if effect.name == FREE else effect.name} {what}", note=note)
