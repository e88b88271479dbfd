"""Messages: what may be said to a customer, when, by which channel, and why not.

Every message passes `weigh` each time somebody is about to send it, however often that is: it looks at the
case, the customer and what they were sent as they stand at that moment. The numbers are those of
rules/contact.toml, the reasons those of rules/messages.toml, the words of templates and of people pass the
gate (functions/domain/gate.py).
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo

from functions.domain import gate
from functions.domain.cases import Case, Effect
from functions.domain.decisions import Decision, Rules
from functions.domain.history import FREE, Entry, Message, awaits_answer
from functions.domain.ledger import State
from functions.domain.pace import REAL, Pace
from functions.domain.profiles import Channel, Order, Profile
from functions.domain.reachability import Addressee, agreed, channel, obstacle
from functions.domain.windows import next_contact
from functions.domain.wording import Lacking, Text, step_text

OUTSIDE = "outside the hours of contact"
MONTH = 30 * 24 * 3600
_WAY_OUT = re.compile(r"退订|回复?\s?TD|unsubscribe|reply stop", re.IGNORECASE)


@dataclass(frozen=True)
class Send:
    """It may go out, now. A claimed one was about to before, by somebody who did not live to tell."""

    entry: Entry
    message: Message
    claimed: bool = False
    note: str | None = None  # why it is not the text that was planned


@dataclass(frozen=True)
class Wait:
    """Not yet."""

    until: datetime
    why: str
    look: bool = False  # `until` is only when to look again


@dataclass(frozen=True)
class No:
    """Never, and why."""

    why: str


@dataclass(frozen=True)
class Customer:
    """What is known of the customer at the moment of sending."""

    profile: Profile
    order: Order | None
    history: Sequence[Entry]
    opted_out: bool = False  # of a shop of the same owner, under the same identity
    coupon: State | None = None  # how the step's own benefit stands in the ledger


def key(case: Case, outbox_key: str) -> str:
    """Return the key of a message: of the case and its step, the same each time it is tried."""
    return f"{case.case_id}:{outbox_key.removeprefix('message:')}"


def weigh(
    case: Case,
    outbox_key: str,
    effect: Effect,
    customer: Customer,
    rules: Rules,
    pace: Pace,
    zone: tzinfo,
    now: datetime,
) -> Send | Wait | No:
    """Say what becomes of a message effect at this moment. Raises rulebook.BlankVariable."""
    name = key(case, outbox_key)
    mine = next((entry for entry in customer.history if entry.key == name), None)
    if mine is not None and mine.state == "recalled":
        return No("taken back")
    if mine is not None and mine.state == "sent":
        # It counted already; handing it over again under its key is harmless, losing it is not.
        if _opted_out(customer, mine.promotional):
            return No("opted out")
        return Send(mine, _message(case, mine), claimed=True)
    if effect.name != FREE and (gone := _moved_on(case, outbox_key, effect)):
        return No(gone)
    note = None
    if effect.name == FREE:
        if mine is None:
            return No("its text is gone")
        draft = mine
    else:
        text = step_text(case, effect.name or "", customer.coupon, rules, zone, now)
        if isinstance(text, Lacking):
            return _lacking(text, effect, rules, pace, zone, now)
        draft, note = _drafted(case, name, effect, text), text.note
    contact = rules.ask.contact(promotional=draft.promotional)
    if held := _held(effect, contact, pace, zone, now):
        return held
    chosen = _channel(case, draft, customer, rules, now)
    if isinstance(chosen, No):
        return chosen
    others = [entry for entry in customer.history if entry.key != name]
    if reasons := refusals(case, draft, chosen, customer, others, rules, pace, now):
        return No(", ".join(reasons))
    waits = (event for name, event in case.events.items() if name.startswith(f"{outbox_key}:held"))
    waited = any(OUTSIDE in (event.note or "") for event in waits)
    if later := _later(draft, others, contact, pace, zone, now, waited=waited):
        return later
    entry = draft.model_copy(update={"state": "sent", "channel": chosen, "sent_at": now})
    return Send(entry, _message(case, entry), note=note)


def not_yet(
    case: Case, outbox_key: str, effect: Effect, rules: Rules, pace: Pace, zone: tzinfo, now: datetime
) -> Wait | None:
    """Return the wait of a step that can still be taken back: so long nobody need ask about the customer."""
    if effect.name == FREE or _moved_on(case, outbox_key, effect):
        return None
    template = rules.ask.follow_up(step=effect.name or "").text("template")
    contact = rules.ask.contact(promotional=rules.promotional(template))
    return _held(effect, contact, pace, zone, now)


def _held(effect: Effect, contact: Decision, pace: Pace, zone: tzinfo, now: datetime) -> Wait | None:
    """Return the wait of what can be taken back. If that ends at night it lasts until the morning: one wait,
    not two, each of which is two writes of the case."""
    until = effect.at + pace.wait(contact.number("hold"))
    held = _night(until, contact, pace, zone) or Wait(until, "can be taken back until then")
    return held if now < until else None


def _night(moment: datetime, contact: Decision, pace: Pace, zone: tzinfo) -> Wait | None:
    """Return the wait for the hours of contact. At a compressed pace the night is compressed as well."""
    opens = next_contact(moment, contact.number("from"), contact.number("until"), zone)
    until = opens if pace == REAL else moment + pace.wait((opens - moment).total_seconds())
    return Wait(until, OUTSIDE) if opens > moment else None


def refusals(
    case: Case,
    draft: Entry,
    way: Channel,
    customer: Customer,
    others: Sequence[Entry],
    rules: Rules,
    pace: Pace,
    now: datetime,
) -> list[str]:
    """Return every reason why the message must not go out, now or ever."""
    sent = [entry for entry in others if entry.sent_at is not None]
    month = now - pace.wait(MONTH)
    decision = rules.ask.messages(
        says=list(draft.says),
        guidance_sent=any("guidance" in one.says and one.case_id == case.case_id for one in sent),
        promotional=draft.promotional,
        opted_out=_opted_out(customer, draft.promotional),
        consented=agreed(customer.profile, way),
        promotional_last_30_days=sum(
            1 for one in sent if one.promotional and one.sent_at is not None and one.sent_at > month
        ),
        awaits_answer=draft.step != FREE and awaits_answer(others, case.resolved_at),
        names_way_out=_WAY_OUT.search(draft.text) is not None,
    )
    return list(decision.names("refusals"))


def _opted_out(customer: Customer, promotional: bool) -> bool:
    """An opt-out in one shop ends everything there, and what is promotional in all shops of the owner."""
    return customer.profile.opted_out_at is not None or (customer.opted_out and promotional)


def objections(
    case: Case, entry: Entry, customer: Customer, rules: Rules, pace: Pace, now: datetime
) -> list[str]:
    """Return what keeps a person's message from being sent, so that they know before it is held."""
    against = obstacle(entry.channel, _addressee(case, customer), entry.promotional, rules, now)
    reasons = refusals(case, entry, entry.channel, customer, customer.history, rules, pace, now)
    return [*([against] if against else []), *reasons]


def wrote(
    case: Case,
    outbox_key: str,
    text: str,
    way: Channel,
    by: str,
    at: datetime,
    found: Sequence[gate.Found],
) -> Entry:
    """Return a person's message before its hold.

    What it offers while the case is at work answers the customer's complaint; later it is promotional.
    """
    said = {one.intent for one in found}
    return Entry(
        key=key(case, outbox_key),
        at=at,
        state="held",
        step=FREE,
        channel=way,
        text=text,
        case_id=case.case_id,
        promotional="benefit" in said and not case.waiting,
        says=tuple(intent for intent in gate.INTENTS if intent in said),
        by=by,
    )


def _moved_on(case: Case, outbox_key: str, effect: Effect) -> str | None:
    """Return why the step no longer fits the case, None where it does."""
    step = effect.name or ""
    if outbox_key != case.keyed(f"message:{step}"):
        return "the case was re-opened since"
    if case.waiting:
        return "the case is open again"
    if case.resolved_at is None:
        return "the case was closed without a resolution"
    if case.outcome != "solved":  # every step's words say that it was
        return "the case is not solved"
    edited = (event.at for name, event in case.events.items() if name.startswith("edited:"))
    if step == "guidance" and any(at > case.resolved_at for at in edited):
        return "the customer has updated the review already"
    return None


def _lacking(
    text: Lacking, effect: Effect, rules: Rules, pace: Pace, zone: tzinfo, now: datetime
) -> Wait | No:
    """What names a coupon is promotional. It is held like any other, then looked at now and again."""
    if not text.awaited:
        return No(text.why)
    contact = rules.ask.contact(promotional=True)
    again = Wait(now + pace.wait(contact.number("again")), text.why, look=True)
    return _held(effect, contact, pace, zone, now) or again


def _drafted(case: Case, name: str, effect: Effect, text: Text) -> Entry:
    return Entry(
        key=name,
        at=effect.at,
        state="held",
        step=effect.name or "",
        channel="chat",
        text=text.text,
        case_id=case.case_id,
        promotional=text.promotional,
        says=text.says,
    )


def _channel(case: Case, draft: Entry, customer: Customer, rules: Rules, now: datetime) -> Channel | No:
    to = _addressee(case, customer)
    if draft.step == FREE:
        against = obstacle(draft.channel, to, draft.promotional, rules, now)
        return No(against) if against else draft.channel
    decision = rules.ask.follow_up(step=draft.step)
    way, reasons = channel(decision, to, draft.promotional, rules, now)
    if way is not None:
        return way
    if _opted_out(customer, draft.promotional):
        return No("opted out")
    return No("; ".join(reasons))


def _addressee(case: Case, customer: Customer) -> Addressee:
    return Addressee(case.review, customer.profile, customer.order)


def _later(
    draft: Entry,
    others: Sequence[Entry],
    contact: Decision,
    pace: Pace,
    zone: tzinfo,
    now: datetime,
    *,
    waited: bool,
) -> Wait | None:
    """Return until when the message must wait, None where it need not."""
    waits: list[Wait] = []
    # At a compressed pace nobody waits for the real morning: one wait, for a compressed night, will do.
    if (night := _night(now, contact, pace, zone)) and not (pace != REAL and waited):
        waits.append(night)
    sent = [(entry, entry.sent_at) for entry in others if entry.sent_at is not None]
    if draft.promotional and contact.number("apart"):
        apart = pace.wait(contact.number("apart"))
        why = "another promotional message was sent just now"
        waits += (Wait(at + apart, why) for entry, at in sent if entry.promotional)
    gap = pace.wait(contact.number("gap"))
    # What was offered in answer to the complaint is no benefit beside the guidance; a coupon sent later is.
    if "guidance" in draft.says:
        why = "a benefit was offered just now"
        waits += (Wait(at + gap, why) for entry, at in sent if "benefit" in entry.says and entry.promotional)
    if "benefit" in draft.says and draft.promotional:
        why = "review guidance was sent just now"
        waits += (Wait(at + gap, why) for entry, at in sent if "guidance" in entry.says)
    last = max(waits, key=lambda wait: wait.until, default=None)
    return last if last is not None and last.until > now else None


def _message(case: Case, entry: Entry) -> Message:
    if case.review.customer_id is None:
        raise ValueError(f"{case.case_id} has no customer to write to")
    return Message(
        key=entry.key,
        case_id=case.case_id,
        shop_id=case.shop_id,
        customer_id=case.review.customer_id,
        step=entry.step,
        channel=entry.channel,
        promotional=entry.promotional,
        text=entry.text,
    )
